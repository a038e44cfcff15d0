# SPDX-License-Identifier: Apache-2.0
"""What the clinic's people and programs are shown: answers, work, calls, what did not arrive."""

from __future__ import annotations

from collections.abc import Sequence

from gsmgw.store.database import Database, Row, Transaction

#: States of a message that did not reach its phone.
LOST = ("failed", "undelivered", "expired", "rejected")


def answers(db: Database, since: str) -> list[Row]:
    """Return the answers since a time, the oldest first, with first names and their tasks' state.

    Beside the answer's columns: `first`, `task_status`.
    """
    return db.rows(
        "SELECT response.*, patient.given AS first, task.status AS task_status FROM response"
        " LEFT JOIN patient ON patient.id = response.patient_id"
        " LEFT JOIN task ON task.id = response.task_id"
        " WHERE response.at >= ? AND response.phone NOT LIKE 'hash:%'"
        " AND (response.appointment_id IS NOT NULL OR applied = 0"
        " OR response.request_id IS NOT NULL) ORDER BY response.id",
        (since,),
    )


def owed_answers(db: Database, limit: int) -> list[Row]:
    """Return answers that were not yet handed to the clinic's program, the oldest first."""
    return db.rows(
        "SELECT response.*, patient.given AS first FROM response"
        " LEFT JOIN patient ON patient.id = response.patient_id"
        " WHERE exported IS NULL ORDER BY response.id LIMIT ?",
        (limit,),
    )


def marked(db: Database, response_ids: Sequence[int]) -> list[int]:
    """Return those of some answers that are marked as handed over."""
    query = "SELECT id FROM response WHERE id = ? AND exported IS NOT NULL"
    return [number for number in response_ids if db.row(query, (number,)) is not None]


def handed_over(tx: Transaction, response_ids: Sequence[int]) -> None:
    """Mark answers whose files are written, and only have to be renamed."""
    for response_id in response_ids:
        tx.run("UPDATE response SET exported = ? WHERE id = ?", (tx.now, response_id))


def work(db: Database, closed_since: str) -> list[Row]:
    """Return the open tasks and those closed since a time, in order of arrival.

    Beside the task's columns: `first` and `start` of its patient and visit.
    """
    return db.rows(
        "SELECT task.*, appointment.start AS start, coalesce(patient.given,"
        " (SELECT given FROM patient WHERE phone = task.phone ORDER BY active DESC, id LIMIT 1))"
        " AS first FROM task"
        " LEFT JOIN appointment ON appointment.id = task.about"
        " LEFT JOIN patient ON patient.id = coalesce(task.patient_id, appointment.patient_id)"
        " WHERE (task.status IN ('requested', 'in-progress') OR closed_at >= ?)"
        " AND (task.phone IS NULL OR task.phone NOT LIKE 'hash:%')"
        " ORDER BY task.created_at, task.id",
        (closed_since,),
    )


def unanswered_visits(db: Database, after: str, before: str) -> list[Row]:
    """Return the booked visits of a span of time to which nobody has answered, the next first.

    Beside the visit's columns: `given`, `phone`, `phone_type`, `consent` and `active` of its
    patient, and `tries` and `outcome` of calls.
    """
    return db.rows(
        "SELECT appointment.*, given, phone, phone_type, consent, active,"
        " (SELECT count(*) FROM call_try WHERE appointment_id = appointment.id) AS tries,"
        " (SELECT outcome FROM call_try WHERE appointment_id = appointment.id"
        " ORDER BY id DESC LIMIT 1) AS outcome"
        " FROM appointment JOIN patient ON patient.id = patient_id"
        " WHERE start > ? AND start < ? AND status = 'booked' AND response = 'needs-action'"
        " AND withdrawn IS NULL ORDER BY start, appointment.id",
        (after, before),
    )


def questions_of(db: Database, after: str, before: str) -> list[Row]:
    """Return what was asked, or will be, of the visits of a span of time, in order of due time.

    Rows: `about`, `about_start`, `status`, `reason`, `message_state`, `sent_at`.
    """
    return db.rows(
        "SELECT request.about, request.about_start, request.status, request.reason,"
        " outbox.state AS message_state, outbox.sent_at"
        " FROM appointment JOIN request ON request.about = appointment.id"
        " LEFT JOIN outbox ON outbox.id = request.outbox_id"
        " WHERE appointment.start > ? AND appointment.start < ? AND appointment.status = 'booked'"
        " AND appointment.response = 'needs-action' AND request.asks IS NOT NULL"
        " AND request.about_start = appointment.start ORDER BY request.due, request.id",
        (after, before),
    )


def lost(db: Database, since: str) -> list[Row]:
    """Return what was said since a time and did not arrive, the oldest first.

    Rows: `at`, `about`, `start`, `patient_id`, `first`, `phone`, `kind`, `state`, `error_family`,
    `error_code`, `error`.
    """
    marks = ", ".join("?" * len(LOST))
    return db.rows(
        "SELECT coalesce(outbox.settled_at, outbox.created_at) AS at, request.about,"  # noqa: S608 - marks
        " request.about_start AS start, request.patient_id, patient.given AS first, request.phone,"
        " request.kind, outbox.state, outbox.error_family, outbox.error_code, outbox.error"
        " FROM outbox JOIN request ON request.outbox_id = outbox.id"
        " LEFT JOIN patient ON patient.id = request.patient_id"
        f" WHERE outbox.state IN ({marks}) AND outbox.created_at >= ?"
        " AND request.category <> 'staff' AND request.phone NOT LIKE 'hash:%'"
        " ORDER BY at, request.id",
        (*LOST, since),
    )
