# SPDX-License-Identifier: Apache-2.0
"""Regimens: when patients take a medicine, how far that is planned, and what they answered."""

from __future__ import annotations

import json
from collections.abc import Sequence

from gsmgw.store.database import Database, Row, Transaction


def put(
    tx: Transaction,
    same_as: str,
    patient_id: str,
    times: Sequence[str],
    days: tuple[str, str],
    *,
    asks: bool,
) -> tuple[int, bool]:
    """Add a regimen or change it; return its id and whether anything is different now.

    Args:
        tx: the transaction.
        same_as: makes it once only.
        patient_id: whose.
        times: of each day; none ends the regimen.
        days: the first and the last, as ISO 8601 writes them.
        asks: whether each dose asks for an answer.
    """
    values = (patient_id, json.dumps(list(times)), *days, int(asks))
    status = "active" if times else "revoked"
    row = tx.row("SELECT * FROM regimen WHERE same_as = ?", (same_as,))
    if row is None:
        new_id = tx.insert(
            "INSERT INTO regimen (patient_id, times, first_day, last_day, asks, status, same_as,"
            " created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*values, status, same_as, tx.now),
        )
        return new_id, True
    known = (row["patient_id"], row["times"], row["first_day"], row["last_day"], row["asks"])
    if known == values:
        return int(row["id"]), False
    tx.run(
        "UPDATE regimen SET patient_id = ?, times = ?, first_day = ?, last_day = ?, asks = ?,"
        " status = ?, planned_to = NULL WHERE id = ?",
        (*values, status, row["id"]),
    )
    return int(row["id"]), True


def get(db: Database | Transaction, regimen_id: int) -> Row | None:
    """Return one regimen."""
    return db.row("SELECT * FROM regimen WHERE id = ?", (regimen_id,))


def active(db: Database | Transaction, behind: int, limit: int) -> list[Row]:
    """Return regimens that are not over, in their order behind one of them; for rounds."""
    return db.rows(
        "SELECT * FROM regimen WHERE status = 'active' AND id > ? ORDER BY id LIMIT ?",
        (behind, limit),
    )


def is_any(db: Database) -> bool:
    """Tell whether there is a regimen that is not over (a microsecond)."""
    return db.row("SELECT 1 FROM regimen WHERE status = 'active' LIMIT 1") is not None


def planned(tx: Transaction, regimen_id: int, day: str | None) -> None:
    """Note up to which day the doses of a regimen are planned; None: not at all."""
    tx.run("UPDATE regimen SET planned_to = ? WHERE id = ?", (day, regimen_id))


def plan_anew(tx: Transaction, patient_id: str) -> None:
    """Let the doses of a patient be planned once more."""
    tx.run("UPDATE regimen SET planned_to = NULL WHERE patient_id = ?", (patient_id,))


def complete(tx: Transaction, regimen_id: int) -> None:
    """Note that a regimen is over."""
    tx.run("UPDATE regimen SET status = 'completed' WHERE id = ?", (regimen_id,))


def missed(tx: Transaction, regimen_id: int, count: int) -> None:
    """Write how many doses in a row went by without a yes."""
    tx.run("UPDATE regimen SET missed = ? WHERE id = ?", (count, regimen_id))


def waiting_doses(tx: Transaction, regimen_id: int) -> list[int]:
    """Return the doses of a regimen that have not been said yet."""
    rows = tx.rows(
        "SELECT id FROM request WHERE same_as BETWEEN ? AND ? AND status IN ('active', 'on-hold')",
        _dose_keys(regimen_id),
    )
    return [int(row["id"]) for row in rows]


def asked_doses(tx: Transaction, regimen_id: int, limit: int) -> list[Row]:
    """Return the newest doses that were asked about and can no longer be answered, newest first.

    Each row has `is_taken`: 1 if the patient said yes.
    """
    return tx.rows(
        "SELECT request.*, EXISTS (SELECT 1 FROM response WHERE request_id = request.id"
        " AND meaning = 'accept' AND applied = 1) AS is_taken FROM request"
        " WHERE same_as BETWEEN ? AND ? AND asks = 'dose' AND status = 'completed'"
        " AND (expires <= ? OR answered IS NOT NULL) ORDER BY due DESC LIMIT ?",
        (*_dose_keys(regimen_id), tx.now, limit),
    )


def _dose_keys(regimen_id: int) -> tuple[str, str]:
    """Return between which once-only keys those of a regimen lie; `;` comes next to `:`."""
    return f"dose:{regimen_id}:", f"dose:{regimen_id};"
