# SPDX-License-Identifier: Apache-2.0
"""What stands planned for a visit or a person: compared, moved, taken up again."""

from __future__ import annotations

import json
from collections.abc import Sequence

from gsmgw.store.clinic.requests import NewRequest
from gsmgw.store.database import Database, Row, Transaction

_WAITING = "status IN ('active', 'on-hold')"


def of_visit(tx: Database | Transaction, appointment_id: str) -> list[Row]:
    """Return all requests about a visit, whatever became of them."""
    return tx.rows("SELECT * FROM request WHERE about = ? ORDER BY id", (appointment_id,))


def revive(tx: Transaction, request_id: int, new: NewRequest) -> None:
    """Plan again what was taken back before it was said."""
    tx.run(
        "UPDATE request SET status = 'active', reason = NULL, phone = ?, patient_id = ?, asks = ?,"
        " details = ?, due = ?, expires = ? WHERE id = ? AND status = 'revoked'",
        (
            new.phone,
            new.patient_id,
            new.asks,
            json.dumps(new.details, ensure_ascii=False),
            new.due,
            new.expires,
            request_id,
        ),
    )


def readdress(
    tx: Transaction, request_id: int, phone: str, patient_id: str | None, asks: str | None
) -> None:
    """Let what has not been said yet go to another phone, or ask otherwise."""
    tx.run(
        f"UPDATE request SET phone = ?, patient_id = ?, asks = ? WHERE id = ? AND {_WAITING}",  # noqa: S608 - a constant
        (phone, patient_id, asks, request_id),
    )


def waiting_beside_visits(
    tx: Database | Transaction, patient_id: str, kinds: Sequence[str]
) -> list[Row]:
    """Return what waits for a patient and is about no visit, of some kinds."""
    marks = ", ".join("?" * len(kinds))
    return tx.rows(
        f"SELECT * FROM request WHERE patient_id = ? AND about IS NULL AND {_WAITING}"  # noqa: S608
        f" AND kind IN ({marks}) ORDER BY id",
        (patient_id, *kinds),
    )


def close_questions(tx: Transaction, patient_id: str, phone: str) -> int:
    """Close the questions that were put to a patient on a phone that is theirs no longer."""
    return tx.run(
        "UPDATE request SET expires = ? WHERE phone = ? AND patient_id = ? AND expires > ?"
        " AND asks IS NOT NULL AND answered IS NULL AND status = 'completed'",
        (tx.now, phone, patient_id, tx.now),
    )


def patient_becomes(tx: Transaction, old_id: str, new_id: str) -> None:
    """Give all that is known of one patient to another (HL7 A40), and forget the number."""
    for table in ("appointment", "request", "response", "task", "regimen"):
        tx.run(
            f"UPDATE {table} SET patient_id = ? WHERE patient_id = ?",  # noqa: S608 - constants
            (new_id, old_id),
        )
    tx.run("DELETE FROM patient WHERE id = ?", (old_id,))


def close_about(tx: Transaction, appointment_id: str, phone: str) -> int:
    """Close the questions about a visit that were put to a phone which has no say in it now."""
    return tx.run(
        "UPDATE request SET expires = ? WHERE phone = ? AND about = ? AND expires > ?"
        " AND asks IS NOT NULL AND answered IS NULL AND status = 'completed'",
        (tx.now, phone, appointment_id, tx.now),
    )


def revive_same(tx: Transaction, new: NewRequest) -> bool:
    """Plan again a text of the same once-only key that was taken back; False: it was not."""
    row = tx.row(
        "SELECT id FROM request WHERE same_as = ? AND status = 'revoked'"
        " AND reason IN ('inactive', 'no-consent', 'no-phone', 'landline', 'stopped', 'replaced')",
        (new.same_as,),
    )
    if row is None:
        return False
    revive(tx, row["id"], new)
    return True
