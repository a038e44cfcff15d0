# SPDX-License-Identifier: Apache-2.0
"""What a phone was asked and told, the newest first: what an answer from it may refer to."""

from __future__ import annotations

from collections.abc import Sequence

from gsmgw.store.database import Database, Row, Transaction

#: The marks of an answer's once-only key, see `requests.NewRequest.same_as`.
_ANSWER_KEYS = ("ack:", "ack;")
#: Questions that an answer may refer to.
_MOST_QUESTIONS = 60


def questions(db: Database | Transaction, phone: str, since: str) -> list[Row]:
    """Return the questions that were put to a phone since a time, open or not, newest text first.

    Those of one text stand together, by their numbers. Beside the request's own columns each row
    has the message's `text`, `message_state`, `sent_at`, `settled_at`, `message_created_at` and
    `modem`, and of its visit `visit_start`, `visit_status`, `visit_withdrawn`, `visit_response`.
    """
    return db.rows(
        "SELECT request.*, outbox.text AS text, outbox.state AS message_state,"
        " outbox.sent_at AS sent_at, outbox.settled_at AS settled_at,"
        " outbox.created_at AS message_created_at, appointment.start AS visit_start,"
        " appointment.status AS visit_status, appointment.response AS visit_response,"
        " appointment.withdrawn AS visit_withdrawn,"
        " (SELECT modem FROM part WHERE message_id = outbox.id ORDER BY number DESC LIMIT 1)"
        " AS modem"
        " FROM request JOIN outbox ON outbox.id = request.outbox_id"
        " LEFT JOIN appointment ON appointment.id = request.about"
        " WHERE request.phone = ? AND asks IS NOT NULL AND request.status = 'completed'"
        " AND outbox.created_at >= ? ORDER BY outbox_id DESC, number, request.id LIMIT ?",
        (phone, since, _MOST_QUESTIONS),
    )


def questions_about(db: Database | Transaction, phone: str, appointment_id: str) -> list[int]:
    """Return the questions about a visit that a phone has not answered."""
    rows = db.rows(
        "SELECT id FROM request WHERE phone = ? AND about = ? AND asks IS NOT NULL"
        " AND answered IS NULL AND status = 'completed'",
        (phone, appointment_id),
    )
    return [int(row["id"]) for row in rows]


def responses_in_text(db: Database | Transaction, request_id: int) -> dict[str, str]:
    """Return the visits that one text asked about, a question of it given, with their responses."""
    rows = db.rows(
        "SELECT appointment.id, response FROM request"
        " JOIN request AS given ON given.outbox_id = request.outbox_id"
        " JOIN appointment ON appointment.id = request.about WHERE given.id = ?",
        (request_id,),
    )
    return {str(row["id"]): str(row["response"]) for row in rows}


def newest_told(db: Database | Transaction, phone: str, since: str) -> Row | None:
    """Return the newest thing that was said to a phone since a time, question or not."""
    return db.row(
        "SELECT request.*, outbox.sent_at AS sent_at FROM request"
        " JOIN outbox ON outbox.id = request.outbox_id"
        " WHERE request.phone = ? AND request.status = 'completed' AND request.category <> 'staff'"
        " AND outbox.created_at >= ? ORDER BY outbox_id DESC, request.id LIMIT 1",
        (phone, since),
    )


def sent(db: Database | Transaction, phone: str, since: str) -> list[str]:
    """Return what was sent to a number since a time, whatever sent it; newest first, a few."""
    rows = db.rows(
        "SELECT text FROM outbox WHERE recipient = ? AND created_at >= ? AND text <> ''"
        " ORDER BY created_at DESC, id DESC LIMIT 10",
        (phone, since),
    )
    return [str(row["text"]) for row in rows]


def announced(db: Database | Transaction, appointment_id: str, kind: str) -> list[Row]:
    """Return what was said, or still will be, of a visit in texts of one kind, newest first."""
    return db.rows(
        "SELECT * FROM request WHERE about = ? AND kind = ? AND status <> 'revoked'"
        " ORDER BY id DESC",
        (appointment_id, kind),
    )


def answers(db: Database | Transaction, phone: str, since: str) -> list[Row]:
    """Return what answered a phone by itself since a time, newest first; not what was revoked."""
    return db.rows(
        "SELECT * FROM request WHERE phone = ? AND same_as >= ? AND same_as < ?"
        " AND status <> 'revoked' AND created_at >= ? ORDER BY id DESC",
        (phone, *_ANSWER_KEYS, since),
    )


def unsent(db: Database | Transaction, phone: str, categories: Sequence[str]) -> list[int]:
    """Return messages of some categories to a number of which no part has left yet."""
    marks = ", ".join("?" * len(categories))
    rows = db.rows(
        f"SELECT id FROM outbox WHERE recipient = ? AND category IN ({marks})"  # noqa: S608 - marks
        " AND state IN ('new', 'queued') ORDER BY id",
        (phone, *categories),
    )
    return [int(row["id"]) for row in rows]
