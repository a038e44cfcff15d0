# SPDX-License-Identifier: Apache-2.0
"""Patients, as far as a message needs them."""

from __future__ import annotations

from gsmgw.store.database import Database, Row, Transaction

#: Columns that files of the clinic fill.
COLUMNS = (
    "given",
    "family",
    "phone",
    "phone_type",
    "phone_of",
    "language",
    "birth_date",
    "gender",
    "consent",
    "active",
)


def get(db: Database | Transaction, patient_id: str) -> Row | None:
    """Return one patient."""
    return db.row("SELECT * FROM patient WHERE id = ?", (patient_id,))


def on_phone(db: Database | Transaction, phone: str) -> list[Row]:
    """Return the patients of a phone, the active ones first."""
    return db.rows("SELECT * FROM patient WHERE phone = ? ORDER BY active DESC, id", (phone,))


def add(tx: Transaction, patient_id: str, values: dict[str, object]) -> Row:
    """Add a patient who is not there yet, with columns of `COLUMNS`; return the row."""
    _check(values)
    names = ", ".join(("id", *values, "updated_at"))
    marks = ", ".join("?" * (len(values) + 2))
    return tx.rows(
        f"INSERT INTO patient ({names}) VALUES ({marks}) RETURNING *",  # noqa: S608 - names of COLUMNS
        (patient_id, *values.values(), tx.now),
    )[0]


def put(tx: Transaction, patient_id: str, values: dict[str, object]) -> bool:
    """Change what is given of a patient who is there; return whether anything is different now.

    Args:
        tx: the transaction.
        patient_id: the clinic's own number.
        values: columns of `COLUMNS`; what is left out stays.
    """
    _check(values)
    if not values:
        return False
    sets = ", ".join(f"{name} = ?" for name in values)
    differ = " OR ".join(f"{name} IS NOT ?" for name in values)
    changed = tx.run(
        f"UPDATE patient SET {sets}, updated_at = ? WHERE id = ? AND ({differ})",  # noqa: S608
        (*values.values(), tx.now, patient_id, *values.values()),
    )
    return bool(changed)


def _check(values: dict[str, object]) -> None:
    unknown = values.keys() - set(COLUMNS)
    if unknown:
        raise ValueError(f"no columns of a patient: {sorted(unknown)}")
