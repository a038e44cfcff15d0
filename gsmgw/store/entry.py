# SPDX-License-Identifier: Apache-2.0
"""Messages on their way into the outbox: what stands there, how new ones are added and routed."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from gsmgw.errors import BadTextError, RejectedError
from gsmgw.model import Category, Draft, ErrorFamily, MessageState, Priority, TpOptions
from gsmgw.store import outbox
from gsmgw.store.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class NewPart:
    """One part of an accepted message: a piece of text, or 8-bit user data."""

    text: str | None
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message that intake has checked."""

    recipient: str
    text: str
    source: str
    reference: str | None
    category: Category
    priority: Priority
    not_before: str | None
    expires_at: str | None
    report_requested: bool
    flash: bool
    modem: str | None
    route: str
    alphabet: str
    parts: tuple[NewPart, ...]
    spool_file: str | None = None
    tp: TpOptions | None = None
    is_folded: bool = False  #: letters were replaced to save parts


def format_tp(tp: TpOptions | None) -> str | None:
    """Format TP options for the column `tp`; octets become hex, absent ones are left out."""
    if tp is None:
        return None
    fields = {name: getattr(tp, name) for name in TpOptions.__slots__}
    return json.dumps(
        {
            name: value.hex() if isinstance(value, bytes) else value
            for name, value in fields.items()
            if value is not None and value is not False
        }
    )


def parse_tp(text: str | None) -> TpOptions | None:
    """Read the column `tp` back."""
    if not text:
        return None
    fields = json.loads(text)
    for name in ("data", "udh"):
        if name in fields:
            fields[name] = bytes.fromhex(fields[name])
    return TpOptions(**fields)


def add(tx: Transaction, message: NewMessage) -> int:
    """Add a checked message and its parts; return its id."""
    message_id = tx.insert(
        "INSERT INTO outbox (recipient, category, priority, not_before, expires_at,"
        " report_requested, flash, modem, parts, alphabet, rank, route, due_at, tp, spool_file,"
        " text, source, reference, created_at, state)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued')",
        (
            *_checked(tx, message),
            message.text,
            message.source,
            message.reference,
            tx.now,
        ),
    )
    _add_parts(tx, message_id, message)
    return message_id


def accept(tx: Transaction, message_id: int, message: NewMessage) -> None:
    """Turn a row into a queued message with parts; columns that are ours are set, all of them."""
    tx.run(
        "UPDATE outbox SET recipient = ?, category = ?, priority = ?, not_before = ?,"
        " expires_at = ?, report_requested = ?, flash = ?, modem = ?, parts = ?, alphabet = ?,"
        " rank = ?, route = ?, due_at = ?, tp = ?, spool_file = ?, state = 'queued',"
        " error_family = NULL, error_code = NULL, error = NULL, settled_at = NULL, sent_at = NULL,"
        " sim_id = NULL, concat_ref = NULL, restarts = 0, tries = 0 WHERE id = ?",
        (*_checked(tx, message), message_id),
    )
    _add_parts(tx, message_id, message)


def _checked(tx: Transaction, message: NewMessage) -> tuple[object, ...]:
    """Return what intake has found out about a message, in the order in which both ways name it."""
    return (
        message.recipient,
        message.category,
        message.priority,
        message.not_before,
        message.expires_at,
        int(message.report_requested),
        int(message.flash),
        message.modem,
        len(message.parts),
        message.alphabet,
        outbox.rank(message.priority, message.category),
        message.route,
        message.not_before or tx.now,
        format_tp(message.tp),
        message.spool_file,
    )


def _add_parts(tx: Transaction, message_id: int, message: NewMessage) -> None:
    for number, part in enumerate(message.parts, start=1):
        tx.insert(
            "INSERT INTO part (message_id, number, text, data) VALUES (?, ?, ?, ?)",
            (message_id, number, part.text, part.data),
        )


def add_rejected(tx: Transaction, message: NewMessage, code: str, error: str) -> int:
    """Add a message that is refused at the door but kept, so that a person may still send it."""
    message_id = add(tx, message)
    outbox.settle(tx, message_id, MessageState.REJECTED, ErrorFamily.REJECTED, code, error)
    return message_id


def find_reference(
    db: Database | Transaction, source: str, reference: str | None
) -> sqlite3.Row | None:
    """Return the message that has this reference within its source, if any."""
    if not reference:
        return None
    return db.row(
        "SELECT * FROM outbox WHERE source = ? AND reference = ? AND reference <> ''",
        (source, reference),
    )


def count_equal(tx: Transaction, message: NewMessage, since: str) -> int:
    """Count messages that say the same to the same number since a time, but for rejected ones."""
    octets = format_tp(message.tp) if message.tp is not None and message.tp.data else None
    row = tx.row(
        "SELECT count(*) FROM outbox WHERE recipient = ? AND created_at >= ? AND text = ?"
        " AND (? IS NULL OR tp = ?) AND state NOT IN ('new', 'rejected')",
        (message.recipient, since, message.text, octets, octets),
    )
    return int(row[0]) if row is not None else 0


def take_over(tx: Transaction, message_id: int) -> None:
    """Mend what other software may have written into `created_at`: others rely on it.

    It is left alone if it is a time as we write it, and past.
    """
    tx.run(
        "UPDATE outbox SET created_at = ? WHERE id = ? AND (created_at > ?"
        " OR created_at IS NOT strftime('%Y-%m-%dT%H:%M:%fZ', created_at))",
        (tx.now, message_id, tx.now),
    )


def renew(tx: Transaction, message_id: int) -> None:
    """Let a row be checked that was withdrawn before it could be; it goes out now, if it may."""
    tx.run(
        "UPDATE outbox SET state = 'new', expires_at = NULL, cancel_requested = 0,"
        " settled_at = NULL, error_family = NULL, error_code = NULL, error = NULL WHERE id = ?",
        (message_id,),
    )


def new_rows(db: Database | Transaction, limit: int) -> list[sqlite3.Row]:
    """Return rows that other software has written and nobody has checked yet.

    What is not routine comes first, so that a one-time code overtakes ten thousand reminders here
    too; among those and among the others, the oldest.
    """
    first = db.rows(
        "SELECT * FROM outbox INDEXED BY outbox_new_first"
        " WHERE state = 'new' AND priority <> 'routine' ORDER BY id LIMIT ?",
        (limit,),
    )
    if len(first) == limit:
        return first
    known = {row["id"] for row in first}
    rows = db.rows("SELECT * FROM outbox WHERE state = 'new' ORDER BY id LIMIT ?", (limit,))
    return [*first, *(row for row in rows if row["id"] not in known)][:limit]


def read_row(tx: Transaction, row: sqlite3.Row) -> Draft:
    """Read a row that other software wrote; SQLite lets it hold anything anywhere.

    Raises:
        RejectedError: it can be no message.
    """
    _check_octets(tx, row)
    for name in ("recipient", "text", "source"):
        if not isinstance(row[name], str):
            raise RejectedError(
                f"column {name} holds {type(row[name]).__name__}, not text", "bad-row"
            )
    _switch(row, "cancel_requested")  # a wish that is unclear must not be overlooked
    return Draft(
        recipient=row["recipient"],
        text=row["text"],
        source=row["source"],
        reference=_optional(row, "reference"),
        category=_optional(row, "category"),
        priority=_optional(row, "priority"),
        not_before=_optional(row, "not_before"),
        expires_at=_optional(row, "expires_at"),
        report_requested=_switch(row, "report_requested"),
        flash=_switch(row, "flash"),
        modem=_optional(row, "modem"),
    )


def _check_octets(tx: Transaction, row: sqlite3.Row) -> None:
    """Refuse texts that other software wrote in another encoding than UTF-8."""
    for name in ("recipient", "text", "source", "reference"):
        if "\ufffd" in str(row[name]):
            try:
                _stored_octets(tx, row["id"], name).decode()
            except UnicodeDecodeError as error:
                raise BadTextError(f"column {name} is not UTF-8") from error


def _optional(row: sqlite3.Row, name: str) -> str | None:
    return None if row[name] is None else str(row[name])


def _switch(row: sqlite3.Row, name: str) -> bool:
    if row[name] in (None, 0, 1):
        return bool(row[name])
    raise RejectedError(f"column {name} holds {row[name]!r}; allowed: 0 and 1", "bad-row")


def _stored_octets(tx: Transaction, message_id: int, column: str) -> bytes:
    """Return the octets of a text as they stand in the file, valid UTF-8 or not."""
    row = tx.row(
        f"SELECT CAST({column} AS BLOB) FROM outbox WHERE id = ?",  # noqa: S608 - our own words
        (message_id,),
    )
    return b"" if row is None or row[0] is None else bytes(row[0])


def waiting_routes(db: Database) -> list[str]:
    """Return the routes of the messages that wait; each costs one index look-up."""
    found: list[str] = []
    while True:
        row = db.row(
            "SELECT min(route) FROM outbox INDEXED BY outbox_due"
            " WHERE route > ? AND due_at IS NOT NULL",
            (found[-1] if found else "",),
        )
        if row is None or row[0] is None:
            return found
        found.append(row[0])


def unwished(db: Database | Transaction, route: str, limit: int) -> list[sqlite3.Row]:
    """Return messages that wait on a route without having wished for the modem of that name."""
    return db.rows(
        "SELECT * FROM outbox INDEXED BY outbox_due"
        " WHERE route = ? AND due_at IS NOT NULL AND modem IS NOT route LIMIT ?",
        (route, limit),
    )


def count_wishes(db: Database, modem: str) -> int:
    """Count the messages that wait for a modem that they have wished for."""
    row = db.row(
        "SELECT count(*) FROM outbox INDEXED BY outbox_due WHERE route = ? AND due_at IS NOT NULL",
        (modem,),
    )
    return 0 if row is None else int(row[0])


def route_anew(tx: Transaction, message_id: int, route: str) -> None:
    """Let other modems send a message that waits."""
    tx.run("UPDATE outbox SET route = ? WHERE id = ?", (route, message_id))
