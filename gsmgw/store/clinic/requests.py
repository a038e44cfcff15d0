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
    rows = tx.rows(
        "INSERT INTO request (kind, category, patient_id, phone, about, about_start, asks,"
        " details, due, expires, priority, same_as, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (same_as) DO NOTHING"
        " RETURNING id",
        (
            new.kind,
            new.category,
            new.patient_id,
            new.phone,
            new.about,
            new.about_start,
            new.asks,
            json.dumps(new.details, ensure_ascii=False) if new.details else "{}",
            new.due,
            new.expires,
            new.priority,
            new.same_as,
            tx.now,
        ),
    )
    return int(rows[0]["id"]) if rows else None


def get(db: Database | Transaction, request_id: int) -> Row | None:
    """Return one request."""
    return db.row("SELECT * FROM request WHERE id = ?", (request_id,))


def find(db: Database | Transaction, same_as: str) -> Row | None:
    """Return the request of a once-only key."""
    return db.row("SELECT * FROM request WHERE same_as = ?", (same_as,))


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


def is_due(db: Database | Transaction, now: str) -> bool:
    """Tell whether the time of anything has come; one indexed look."""
    row = db.row("SELECT min(due) FROM request WHERE status IN ('active', 'on-hold')")
    return row is not None and row[0] is not None and row[0] <= now


def due_phones(
    db: Database | Transaction,
    now: str,
    limit: int,
    *,
    but: Sequence[str] = (),
    made_since: str = "",
) -> list[str]:
    """Return phones for which something is due, also another look at what is on hold.

    What is more than routine goes first, then what has waited longest. Left out are the kinds of
    `but` that were made at a time or later.
    """
    phones: dict[str, None] = {}
    marks = ", ".join("?" * len(but))
    for condition in ("priority <> 'routine' AND", ""):
        rows = db.rows(
            "SELECT phone FROM request WHERE status IN ('active', 'on-hold')"  # noqa: S608 - constants and question marks
            f" AND {condition} due <= ? AND NOT (kind IN ({marks}) AND created_at >= ?)"
            " ORDER BY due LIMIT ?",
            (now, *but, made_since, limit),
        )
        phones |= dict.fromkeys(str(row["phone"]) for row in rows)
    return list(phones)[:limit]


def waiting_for(tx: Transaction, phone: str, until: str) -> list[Row]:
    """Return what waits for a phone and is due by a time, with patient and visit; oldest first.

    Beside the request's own columns: `given`, `family`, `language`, `active`, `consent`,
    `patient_phone`, `phone_type` and, of the visit, `visit_status`, `visit_start`,
    `visit_response`, `service`, `location`, `withdrawn`.
    """
    return tx.rows(
        "SELECT request.*, given, family, language, active, consent, phone_type, withdrawn,"
        " patient.phone AS patient_phone, appointment.status AS visit_status,"
        " appointment.start AS visit_start, response AS visit_response, service, location"
        " FROM request LEFT JOIN patient ON patient.id = request.patient_id"
        " LEFT JOIN appointment ON appointment.id = request.about"
        " WHERE request.phone = ? AND request.status IN ('active', 'on-hold') AND due <= ?"
        " ORDER BY due, request.id",
        (phone, until),
    )


def said(
    tx: Transaction,
    request_id: int,
    outbox_id: int,
    number: int | None,
    *,
    asks: str | None,
    template: str | None,
) -> None:
    """Note that a request's message is in the outbox.

    Args:
        tx: the transaction.
        request_id: which one.
        outbox_id: its message.
        number: its place in a family's text; None alone.
        asks: what was asked in the end.
        template: of its text; kept in the details.
    """
    tx.run(
        "UPDATE request SET status = 'completed', outbox_id = ?, number = ?, asks = ?,"
        " details = CASE WHEN ? IS NULL THEN details ELSE json_set(details, '$.template', ?) END"
        " WHERE id = ?",
        (outbox_id, number, asks, template, template, request_id),
    )


def refused(tx: Transaction, request_id: int, outbox_id: int, reason: str) -> None:
    """Note that a request's message was not accepted for sending, and is kept as such."""
    tx.run(
        "UPDATE request SET status = 'revoked', reason = ?, outbox_id = ?, told = 1 WHERE id = ?",
        (reason, outbox_id, request_id),
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


def supersede(tx: Transaction, request_ids: Sequence[int]) -> None:
    """Close questions that a newer one has taken the place of; nobody has answered them."""
    for request_id in request_ids:
        tx.run(
            "UPDATE request SET answered = ?, reason = 'replaced' WHERE id = ?",
            (tx.now, request_id),
        )


def clarify(tx: Transaction, request_ids: Sequence[int]) -> None:
    """Note that we asked back."""
    for request_id in request_ids:
        tx.run("UPDATE request SET clarified = clarified + 1 WHERE id = ?", (request_id,))


# -- how much was said ----------------------------------------------------------------------------


def count_texts(tx: Transaction, phone: str, kinds: Sequence[str], since: str) -> int:
    """Count the texts of some kinds that a phone was sent since a time."""
    row = tx.row(
        "SELECT count(DISTINCT outbox_id) FROM request JOIN outbox ON outbox.id = outbox_id"  # noqa: S608 - only question marks
        f" WHERE phone = ? AND kind IN ({', '.join('?' * len(kinds))})"
        " AND request.status = 'completed' AND outbox.created_at >= ?",
        (phone, *kinds, since),
    )
    return 0 if row is None else int(row[0])


def was_written(tx: Transaction, phone: str, category: str, since: str) -> bool:
    """Tell whether a phone was sent something of a category since a time."""
    return (
        tx.row(
            "SELECT 1 FROM request JOIN outbox ON outbox.id = outbox_id WHERE phone = ?"
            " AND request.category = ? AND request.status = 'completed'"
            " AND outbox.created_at >= ? LIMIT 1",
            (phone, category, since),
        )
        is not None
    )


def same_text(tx: Transaction, phone: str, text: str, since: str) -> bool:
    """Tell whether a phone was sent this very text since a time."""
    return (
        tx.row(
            "SELECT 1 FROM outbox WHERE recipient = ? AND created_at >= ? AND text = ?"
            " AND source = 'clinic' AND state NOT IN ('rejected', 'expired', 'cancelled') LIMIT 1",
            (phone, since, text),
        )
        is not None
    )


def count_parts(tx: Transaction, since: str) -> int:
    """Count the parts of all texts of the clinic since a time."""
    row = tx.row(
        "SELECT sum(parts) FROM outbox WHERE created_at >= ? AND source = 'clinic'"
        " AND state NOT IN ('rejected', 'expired', 'cancelled')",
        (since,),
    )
    return 0 if row is None else int(row[0] or 0)


def count_notices(tx: Transaction, phone: str, kind: str, since: str) -> int:
    """Count the requests of a kind that were made for a phone since a time."""
    row = tx.row(
        "SELECT count(*) FROM request WHERE phone = ? AND kind = ? AND created_at >= ?",
        (phone, kind, since),
    )
    return 0 if row is None else int(row[0])


# -- what became of it ----------------------------------------------------------------------------

#: States of a message from which nothing more is to be expected by itself.
_OVER = "('failed', 'undelivered', 'expired', 'rejected', 'cancelled')"


def ended(db: Database | Transaction, limit: int) -> list[Row]:
    """Return requests whose message did not arrive, or may not have, and that nobody was told of.

    Each row has the message's `message_state`, `error_family`, `error_code` and `error` beside
    the request's own columns. Reads only messages from the oldest one on that is still open.
    """
    oldest = db.row("SELECT min(outbox_id) FROM request WHERE status = 'completed' AND told = 0")
    if oldest is None or oldest[0] is None:
        return []
    return db.rows(
        "SELECT request.*, outbox.state AS message_state, error_family, error_code, error"  # noqa: S608 - constants
        " FROM outbox JOIN request ON outbox_id = outbox.id"
        f" WHERE outbox.state IN {_OVER} AND outbox.id >= ? AND told = 0"
        " AND request.status = 'completed'"
        " UNION ALL"
        " SELECT request.*, outbox.state AS message_state, error_family, error_code, error"
        " FROM outbox JOIN request ON outbox_id = outbox.id"
        " WHERE outbox.state = 'uncertain' AND outbox.settled_at IS NOT NULL AND outbox.id >= ?"
        " AND told = 0 AND request.status = 'completed' LIMIT ?",
        (oldest[0], oldest[0], limit),
    )


def told(tx: Transaction, request_id: int) -> None:
    """Note that what became of a request's message was acted upon."""
    tx.run("UPDATE request SET told = 1 WHERE id = ?", (request_id,))


def arrived(db: Database | Transaction, before: str, limit: int) -> list[int]:
    """Return requests whose message was delivered, was sent before a time, or is gone."""
    rows = db.rows(
        "SELECT request.id FROM request LEFT JOIN outbox ON outbox.id = outbox_id"
        " WHERE request.status = 'completed' AND told = 0 AND (outbox.id IS NULL"
        " OR outbox.state = 'delivered' OR (outbox.state = 'sent' AND outbox.sent_at < ?))"
        " LIMIT ?",
        (before, limit),
    )
    return [int(row["id"]) for row in rows]
