# SPDX-License-Identifier: Apache-2.0
"""What people look up: visits of some days, a conversation, what will be said; and their calls."""

from __future__ import annotations

from gsmgw.store.database import Database, Row, Transaction

#: A number in whose place a keyed hash stands belongs to nobody any longer.
_SOMEBODY = "phone NOT LIKE 'hash:%'"


def visits(
    db: Database,
    begin: str,
    end: str,
    *,
    patient: str | None = None,
    phone: str | None = None,
    only_unanswered: bool = False,
) -> list[Row]:
    """Return visits of a span of time, the first one first.

    Beside the visit's columns: `given`, `family` and `phone` of its patient.
    """
    return db.rows(
        "SELECT appointment.*, given, family, phone FROM appointment"
        " JOIN patient ON patient.id = patient_id WHERE start >= ? AND start < ?"
        " AND patient_id <> 'erased' AND (? IS NULL OR patient_id = ?)"
        " AND (? IS NULL OR phone = ?) AND (? = 0 OR (status = 'booked' AND withdrawn IS NULL"
        " AND response = 'needs-action')) ORDER BY start, appointment.id",
        (begin, end, patient, patient, phone, phone, int(only_unanswered)),
    )


def said(db: Database, phone: str) -> list[Row]:
    """Return the messages to a phone: `at`, `text`, `state`, `error`, `source`, `id`, `kind`."""
    return db.rows(
        "SELECT coalesce(sent_at, outbox.created_at) AS at, text, state, error, source, outbox.id,"
        " (SELECT kind FROM request WHERE outbox_id = outbox.id ORDER BY id LIMIT 1) AS kind"
        " FROM outbox WHERE recipient = ? ORDER BY at, outbox.id",
        (phone,),
    )


def heard(db: Database, phone: str) -> list[Row]:
    """Return what arrived from a phone: `at`, `text`, `kind`, `id`, `meaning`, `applied`."""
    return db.rows(
        "SELECT received_at AS at, inbox.text, inbox.kind, inbox.id,"
        " (SELECT group_concat(meaning, '+') FROM response WHERE inbox_id = inbox.id) AS meaning,"
        " (SELECT min(applied) FROM response WHERE inbox_id = inbox.id) AS applied"
        " FROM inbox WHERE sender = ? ORDER BY at, inbox.id",
        (phone,),
    )


def calls(db: Database, phone: str) -> list[Row]:
    """Return the calls that people made to a phone."""
    return db.rows("SELECT * FROM call_try WHERE phone = ? ORDER BY at, id", (phone,))


def waiting(db: Database, until: str, phone: str | None, limit: int) -> list[Row]:
    """Return what waits to be said and is due by a time, the next one first.

    Beside the request's columns: `given` of its patient.
    """
    return db.rows(
        "SELECT request.*, given FROM request LEFT JOIN patient ON patient.id = patient_id"
        " WHERE request.status IN ('active', 'on-hold') AND due < ?"
        " AND (? IS NULL OR request.phone = ?) ORDER BY due, request.id LIMIT ?",
        (until, phone, phone, limit),
    )


def revoked(db: Database, phone: str | None, limit: int) -> list[Row]:
    """Return what was not said, and why; what was due last comes first."""
    return db.rows(
        "SELECT request.*, given FROM request LEFT JOIN patient ON patient.id = patient_id"  # noqa: S608 - a constant
        f" WHERE request.status = 'revoked' AND request.{_SOMEBODY}"
        " AND (? IS NULL OR request.phone = ?) ORDER BY due DESC, request.id DESC LIMIT ?",
        (phone, phone, limit),
    )


# -- calls by people ------------------------------------------------------------------------------


def add_call(
    tx: Transaction, appointment_id: str, phone: str, outcome: str, who: str, note: str | None
) -> int:
    """Note a call about a visit; return which one it was for this visit, from 1."""
    tx.insert(
        "INSERT INTO call_try (appointment_id, phone, at, outcome, who, note)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (appointment_id, phone, tx.now, outcome, who, note),
    )
    row = tx.row("SELECT count(*) FROM call_try WHERE appointment_id = ?", (appointment_id,))
    return 0 if row is None else int(row[0])


def add_spoken_answer(tx: Transaction, visit: Row, phone: str, response: str) -> int:
    """Note an answer that was given on the phone, as one by SMS is; return its id."""
    meaning = "accept" if response == "accepted" else "decline"
    return tx.insert(
        "INSERT INTO response (appointment_id, patient_id, phone, asked, start, meaning, applied,"
        " status, at) VALUES (?, ?, ?, 'call', ?, ?, 1, ?, ?)",
        (visit["id"], visit["patient_id"], phone, visit["start"], meaning, response, tx.now),
    )
