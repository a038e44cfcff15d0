# SPDX-License-Identifier: Apache-2.0
"""What is to be said to whom, when, and once only; and the questions that are open."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from gsmgw.store.database import Database, Row, Transaction


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request to be added; times as the store writes them."""

    kind: str
    phone: str
    due: str
    expires: str
    same_as: str | None  #: makes it once only; None: each one counts
    category: str = "care"
    patient_id: str | None = None
    about: str | None = None
    about_start: str | None = None
    asks: str | None = None
    details: dict[str, object] = field(default_factory=dict)
    priority: str = "routine"


def add(tx: Transaction, new: NewRequest) -> int | None:
    """Add a request; return its id, or None if it was there already, whatever became of it."""
    changed = tx.run(
        "INSERT INTO request (kind, category, patient_id, phone, about, about_start, asks,"
        " details, due, expires, priority, same_as, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (same_as) DO NOTHING",
        (
            new.kind,
            new.category,
            new.patient_id,
            new.phone,
            new.about,
            new.about_start,
            new.asks,
            json.dumps(new.details, ensure_ascii=False),
            new.due,
            new.expires,
            new.priority,
            new.same_as,
            tx.now,
        ),
    )
    if not changed:
        return None
    row = tx.row("SELECT last_insert_rowid() AS id")
    return None if row is None else int(row["id"])


def get(db: Database | Transaction, request_id: int) -> Row | None:
    """Return one request."""
    return db.row("SELECT * FROM request WHERE id = ?", (request_id,))


def find(db: Database | Transaction, same_as: str) -> Row | None:
    """Return the request of a once-only key."""
    return db.row("SELECT * FROM request WHERE same_as = ?", (same_as,))


def waiting_about(tx: Database | Transaction, appointment_id: str) -> list[Row]:
    """Return what is still to be said of a visit."""
    return tx.rows(
        "SELECT * FROM request WHERE about = ? AND status IN ('active', 'on-hold')"
        " ORDER BY due, id",
        (appointment_id,),
    )


def revoke(tx: Transaction, request_ids: Sequence[int], reason: str) -> int:
    """Take back what has not been said yet; return how many there were."""
    return sum(
        tx.run(
            "UPDATE request SET status = 'revoked', reason = ?"
            " WHERE id = ? AND status IN ('active', 'on-hold')",
            (reason, request_id),
        )
        for request_id in request_ids
    )


def revoke_phone(tx: Transaction, phone: str, reason: str) -> int:
    """Take back all that waits for a phone but what goes to people of the clinic."""
    return tx.run(
        "UPDATE request SET status = 'revoked', reason = ? WHERE phone = ?"
        " AND status IN ('active', 'on-hold') AND category <> 'staff'",
        (reason, phone),
    )


def due(db: Database | Transaction, now: str, limit: int) -> list[Row]:
    """Return requests whose time has come, also for another look at one on hold; oldest first."""
    return db.rows(
        "SELECT * FROM request WHERE status IN ('active', 'on-hold') AND due <= ?"
        " ORDER BY due, id LIMIT ?",
        (now, limit),
    )


def next_due(db: Database) -> str | None:
    """Return when the next request is to be looked at."""
    row = db.row("SELECT min(due) AS due FROM request WHERE status IN ('active', 'on-hold')")
    return None if row is None else row["due"]


def said(tx: Transaction, request_id: int, outbox_id: int, number: int | None) -> None:
    """Note that a request's message is in the outbox; `number`: its place in a family's text."""
    tx.run(
        "UPDATE request SET status = 'completed', outbox_id = ?, number = ? WHERE id = ?",
        (outbox_id, number, request_id),
    )


def put_off(tx: Transaction, request_id: int, due_at: str, *, on_hold: bool) -> None:
    """Look at a request again later; on hold while another question is open on its phone."""
    tx.run(
        "UPDATE request SET status = ?, due = ? WHERE id = ?",
        ("on-hold" if on_hold else "active", due_at, request_id),
    )


def release(tx: Transaction, phone: str) -> int:
    """Let the questions on hold of a phone be looked at again now."""
    return tx.run(
        "UPDATE request SET status = 'active', due = ? WHERE phone = ? AND status = 'on-hold'",
        (tx.now, phone),
    )


def open_questions(db: Database | Transaction, phone: str, now: str) -> list[Row]:
    """Return the questions that were asked on a phone and still wait, the newest text first.

    Those of one text (a family) stand together, by their numbers. Each row has the message's
    `text`, `state`, `sent_at` and `message_created_at` beside the request's own columns.
    """
    return db.rows(
        "SELECT request.*, outbox.text AS text, outbox.state AS message_state,"
        " outbox.sent_at AS sent_at, outbox.settled_at AS message_settled_at,"
        " outbox.created_at AS message_created_at"
        " FROM request JOIN outbox ON outbox.id = request.outbox_id"
        " WHERE request.phone = ? AND asks IS NOT NULL AND answered IS NULL"
        " AND request.status = 'completed' AND request.expires > ?"
        " ORDER BY outbox_id DESC, number",
        (phone, now),
    )


def answer(tx: Transaction, request_id: int) -> None:
    """Close a question: it was answered."""
    tx.run("UPDATE request SET answered = ? WHERE id = ?", (tx.now, request_id))


def clarify(tx: Transaction, request_ids: Sequence[int]) -> None:
    """Note that we asked back."""
    for request_id in request_ids:
        tx.run("UPDATE request SET clarified = clarified + 1 WHERE id = ?", (request_id,))
