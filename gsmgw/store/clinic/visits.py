# SPDX-License-Identifier: Apache-2.0
"""Visits: what the clinic says of them, and what patients answered."""

from __future__ import annotations

from gsmgw.store.database import Database, Row, Transaction

#: Columns that files of the clinic fill; `response` and `answered_at` are the patient's.
COLUMNS = (
    "patient_id",
    "start",
    "minutes",
    "status",
    "practitioner",
    "service",
    "location",
    "version",
    "variant",
    "booked_at",
    "withdrawn",
    "file_id",
)


def get(db: Database | Transaction, appointment_id: str) -> Row | None:
    """Return one visit."""
    return db.row("SELECT * FROM appointment WHERE id = ?", (appointment_id,))


def add(tx: Transaction, appointment_id: str, values: dict[str, object]) -> Row:
    """Add a visit that is not there yet, of a patient (`patient_id`); return it."""
    _check(values)
    given = {"booked_at": tx.now, **values}
    names = ", ".join(("id", *given, "updated_at"))
    marks = ", ".join("?" * (len(given) + 2))
    return tx.rows(
        f"INSERT INTO appointment ({names}) VALUES ({marks}) RETURNING *",  # noqa: S608 - names of COLUMNS
        (appointment_id, *given.values(), tx.now),
    )[0]


def put(tx: Transaction, appointment_id: str, values: dict[str, object]) -> None:
    """Change what is given of a visit that is there."""
    _check(values)
    sets = "".join(f"{name} = ?, " for name in values)
    tx.run(
        f"UPDATE appointment SET {sets}updated_at = ? WHERE id = ?",  # noqa: S608 - names of COLUMNS
        (*values.values(), tx.now, appointment_id),
    )


def _check(values: dict[str, object]) -> None:
    unknown = values.keys() - set(COLUMNS)
    if unknown:
        raise ValueError(f"no columns of a visit: {sorted(unknown)}")


def answered(tx: Transaction, appointment_id: str, response: str) -> None:
    """Write what the patient says; needs-action takes it back (the visit has moved)."""
    at = None if response == "needs-action" else tx.now
    tx.run(
        "UPDATE appointment SET response = ?, answered_at = ? WHERE id = ?",
        (response, at, appointment_id),
    )


def ahead_on_phone(db: Database | Transaction, phone: str, now: str) -> list[Row]:
    """Return the visits that are to take place of all patients of a phone, the next one first.

    Each row has the patient's `given`, `family`, `phone` and `language` beside its own columns.
    """
    return db.rows(
        "SELECT appointment.*, given, family, phone, language FROM appointment"
        " JOIN patient ON patient.id = patient_id"
        " WHERE phone = ? AND appointment.status = 'booked' AND withdrawn IS NULL"
        " AND start > ? ORDER BY start,"
        " appointment.id",
        (phone, now),
    )


def ahead_of_patient(tx: Database | Transaction, patient_id: str, now: str) -> list[Row]:
    """Return the visits of a patient that lie ahead, whatever their status, the next one first."""
    return tx.rows(
        "SELECT * FROM appointment WHERE patient_id = ? AND start > ? ORDER BY start, id",
        (patient_id, now),
    )


def between(tx: Database | Transaction, first: str, end: str) -> list[Row]:
    """Return the visits that start in a span of time, its end outside, the first one first."""
    return tx.rows(
        "SELECT * FROM appointment WHERE start >= ? AND start < ? ORDER BY start, id", (first, end)
    )


def after(db: Database | Transaction, appointment_id: str, now: str, limit: int) -> list[str]:
    """Return the numbers of visits that lie ahead, in their order behind a number; for rounds."""
    rows = db.rows(
        "SELECT id FROM appointment WHERE id > ? AND start > ? ORDER BY id LIMIT ?",
        (appointment_id, now, limit),
    )
    return [str(row["id"]) for row in rows]


def named_by(tx: Transaction, appointment_id: str, file_id: int) -> None:
    """Note the newest file that names a visit."""
    tx.run(
        "UPDATE appointment SET file_id = ? WHERE id = ? AND file_id IS NOT ?",
        (file_id, appointment_id, file_id),
    )
