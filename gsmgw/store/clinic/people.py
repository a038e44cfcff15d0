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


def put(tx: Transaction, patient_id: str, values: dict[str, object]) -> bool:
    """Add a patient or change what is given; return whether anything is different now.

    Args:
        tx: the transaction.
        patient_id: the clinic's own number.
        values: columns of `COLUMNS`; what is left out stays.
    """
    unknown = set(values) - set(COLUMNS)
    if unknown:
        raise ValueError(f"no columns of a patient: {sorted(unknown)}")
    if get(tx, patient_id) is None:
        names = ", ".join(("id", *values, "updated_at"))
        marks = ", ".join("?" * (len(values) + 2))
        tx.run(
            f"INSERT INTO patient ({names}) VALUES ({marks})",  # noqa: S608 - names of COLUMNS
            (patient_id, *values.values(), tx.now),
        )
        return True
    if not values:
        return False
    sets = ", ".join(f"{name} = ?" for name in values)
    differ = " OR ".join(f"{name} IS NOT ?" for name in values)
    changed = tx.run(
        f"UPDATE patient SET {sets}, updated_at = ? WHERE id = ? AND ({differ})",  # noqa: S608
        (*values.values(), tx.now, patient_id, *values.values()),
    )
    return bool(changed)
