# SPDX-License-Identifier: Apache-2.0
"""Messages to be sent and their parts: added, picked, settled, listed.

`part` is the truth; `outbox.state` mirrors it and is written by `mirror` alone.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gsmgw.model import (
    Category,
    ErrorFamily,
    MessageState,
    PartState,
    Priority,
    TpOptions,
    message_state,
)
from gsmgw.store.database import Database, Transaction

#: States that end a message although parts of it were never sent.
_ENDED_BY_US = frozenset({MessageState.CANCELLED, MessageState.EXPIRED, MessageState.REJECTED})


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


def rank(priority: Priority, category: Category) -> int:
    """Return the order of sending, 0 first: priority, then category."""
    return priority.rank * len(Category) + category.rank


def ranks_of(category: Category) -> frozenset[int]:
    """Return the ranks that messages of a category can have."""
    return frozenset(rank(priority, category) for priority in Priority)


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
        "INSERT INTO outbox (recipient, text, source, reference, spool_file, state, created_at)"
        " VALUES (?, ?, ?, ?, ?, 'queued', ?)",
        (
            message.recipient,
            message.text,
            message.source,
            message.reference,
            message.spool_file,
            tx.now,
        ),
    )
    accept(tx, message_id, message)
    return message_id


def accept(tx: Transaction, message_id: int, message: NewMessage) -> None:
    """Turn a row that other software wrote into a queued message with parts."""
    tx.run(
        "UPDATE outbox SET recipient = ?, category = ?, priority = ?, not_before = ?,"
        " expires_at = ?, report_requested = ?, flash = ?, modem = ?, state = 'queued',"
        " parts = ?, alphabet = ?, rank = ?, route = ?, due_at = ?, tp = ?, error_family = NULL,"
        " error_code = NULL, error = NULL, settled_at = NULL WHERE id = ?",
        (
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
            rank(message.priority, message.category),
            message.route,
            message.not_before or tx.now,
            format_tp(message.tp),
            message_id,
        ),
    )
    for number, part in enumerate(message.parts, start=1):
        tx.insert(
            "INSERT INTO part (message_id, number, text, data) VALUES (?, ?, ?, ?)",
            (message_id, number, part.text, part.data),
        )


def add_rejected(tx: Transaction, message: NewMessage, code: str, error: str) -> int:
    """Add a message that is refused at the door but kept, so that a person may still send it."""
    message_id = add(tx, message)
    settle(tx, message_id, MessageState.REJECTED, ErrorFamily.REJECTED, code, error)
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


def count_equal(tx: Transaction, recipient: str, text: str, since: str) -> int:
    """Count messages of this text to this number since a time, those rejected not counted."""
    row = tx.row(
        "SELECT count(*) FROM outbox WHERE recipient = ? AND created_at >= ? AND text = ?"
        " AND state NOT IN ('new', 'rejected')",
        (recipient, since, text),
    )
    return int(row[0]) if row is not None else 0


def new_rows(db: Database | Transaction, limit: int) -> list[sqlite3.Row]:
    """Return rows that other software has written and nobody has checked yet, oldest first."""
    return db.rows("SELECT * FROM outbox WHERE state = 'new' ORDER BY id LIMIT ?", (limit,))


def cancel_asked(db: Database | Transaction, limit: int) -> list[sqlite3.Row]:
    """Return messages that somebody wants withdrawn and that are not settled."""
    return db.rows(
        "SELECT * FROM outbox WHERE cancel_requested = 1 AND settled_at IS NULL"
        " ORDER BY id LIMIT ?",
        (limit,),
    )


def get(db: Database | Transaction, message_id: int) -> sqlite3.Row | None:
    """Return one message."""
    return db.row("SELECT * FROM outbox WHERE id = ?", (message_id,))


def parts(db: Database | Transaction, message_id: int) -> list[sqlite3.Row]:
    """Return the parts of a message in order."""
    return db.rows("SELECT * FROM part WHERE message_id = ? ORDER BY number", (message_id,))


def attempts(db: Database, message_id: int) -> list[sqlite3.Row]:
    """Return every try of every part of a message, oldest first, with the part's number."""
    return db.rows(
        "SELECT attempt.*, part.number AS part_number FROM attempt"
        " JOIN part ON part.id = attempt.part_id WHERE part.message_id = ? ORDER BY attempt.id",
        (message_id,),
    )


def listing(
    db: Database, *, states: Sequence[str] = (), recipient: str | None = None, limit: int = 50
) -> list[sqlite3.Row]:
    """Return messages, newest first; only those in `states` and to `recipient` if given."""
    conditions, params = ["1"], list[object]()
    if states:
        conditions.append(f"state IN ({','.join('?' * len(states))})")
        params.extend(states)
    if recipient:
        conditions.append("recipient = ?")
        params.append(recipient)
    sql = f"SELECT * FROM outbox WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT ?"  # noqa: S608 - only question marks are put in
    return db.rows(sql, [*params, limit])


# -- sending ------------------------------------------------------------------------------------


def pick(
    db: Database | Transaction, routes: Iterable[str], barred: frozenset[int], now: str
) -> sqlite3.Row | None:
    """Return the first due message that a modem may send, without reading past it.

    Args:
        db: where to look.
        routes: the routes that this modem serves, '' among them.
        barred: ranks that must not go now (limits, hours).
        now: messages due later are left alone.
    """
    best: sqlite3.Row | None = None
    for route in routes:
        for step in _ranks_waiting(db, route):
            if best is not None and step > best["rank"]:
                break
            if step in barred:
                continue
            row = db.row(
                "SELECT * FROM outbox INDEXED BY outbox_due"
                " WHERE route = ? AND rank = ? AND due_at <= ? ORDER BY due_at, id LIMIT 1",
                (route, step, now),
            )
            if row is not None:
                if best is None or _order(row) < _order(best):
                    best = row
                break
    return best


def _order(row: sqlite3.Row) -> tuple[int, str, int]:
    return (row["rank"], row["due_at"], row["id"])


def _ranks_waiting(db: Database | Transaction, route: str) -> Iterable[int]:
    """Yield the ranks that have messages, first to last: each costs one index look-up."""
    step = -1
    while True:
        row = db.row(
            "SELECT min(rank) FROM outbox INDEXED BY outbox_due"
            " WHERE route = ? AND rank > ? AND due_at IS NOT NULL",
            (route, step),
        )
        if row is None or row[0] is None:
            return
        step = int(row[0])
        yield step


def first_waiting_part(tx: Transaction, message_id: int) -> sqlite3.Row | None:
    """Return the part of a message that is to be sent next."""
    return tx.row(
        "SELECT * FROM part WHERE message_id = ? AND state = 'waiting' ORDER BY number LIMIT 1",
        (message_id,),
    )


def claim(tx: Transaction, part_id: int, modem: str, sim_id: int | None) -> None:
    """Mark a part as being sent by a modem and begin an attempt."""
    tx.run(
        "UPDATE part SET state = 'sending', modem = ?, sim_id = ?, claimed_at = ?, mr = NULL"
        " WHERE id = ?",
        (modem, sim_id, tx.now, part_id),
    )
    tx.insert(
        "INSERT INTO attempt (part_id, modem, sim_id, claimed_at) VALUES (?, ?, ?, ?)",
        (part_id, modem, sim_id, tx.now),
    )


def bind(
    tx: Transaction, message_id: int, *, route: str, sim_id: int | None, concat_ref: int | None
) -> None:
    """Keep a message on one modem and SIM under one concat ref, or let it go again."""
    tx.run(
        "UPDATE outbox SET route = ?, sim_id = ?, concat_ref = ? WHERE id = ?",
        (route, sim_id, concat_ref, message_id),
    )


def ask_cancel(tx: Transaction, message_id: int) -> None:
    """Note that somebody wants a message withdrawn."""
    tx.run("UPDATE outbox SET cancel_requested = 1 WHERE id = ?", (message_id,))


def requeue(tx: Transaction, message_id: int) -> None:
    """Let a message that has ended go out now, without the expiry that may have ended it."""
    tx.run(
        "UPDATE outbox SET state = 'queued', due_at = ?, expires_at = NULL, cancel_requested = 0,"
        " tries = 0, settled_at = NULL WHERE id = ?",
        (tx.now, message_id),
    )
    mirror(tx, message_id, due_at=tx.now)


def doubts(tx: Transaction, sim_id: int) -> list[sqlite3.Row]:
    """Return the uncertain parts of a SIM that the reference counter may settle, oldest first."""
    return tx.rows(
        "SELECT * FROM part WHERE sim_id = ? AND state = 'uncertain' AND expected_mr IS NOT NULL"
        " ORDER BY claimed_at, id",
        (sim_id,),
    )


def expect_mr(tx: Transaction, part_id: int, mr: int | None) -> None:
    """Note the reference that an uncertain part must have if it was taken."""
    tx.run("UPDATE part SET expected_mr = ? WHERE id = ?", (mr, part_id))


def refused_by(tx: Transaction, sim_id: int, other_than: str) -> list[sqlite3.Row]:
    """Return waiting parts that a SIM got an unclear refusal for, to numbers but this one."""
    return tx.rows(
        "SELECT part.* FROM part INDEXED BY part_refused"
        " JOIN outbox ON outbox.id = part.message_id"
        " JOIN attempt ON attempt.id = (SELECT max(id) FROM attempt WHERE part_id = part.id)"
        " WHERE part.sim_id = ? AND part.state = 'waiting' AND part.error_code IS NOT NULL"
        " AND outbox.recipient <> ? AND attempt.whose = 'unclear' AND attempt.counted = 1",
        (sim_id, other_than),
    )


def refusals(tx: Transaction, part_id: int) -> list[sqlite3.Row]:
    """Return the refused attempts of a part, oldest first."""
    return tx.rows(
        "SELECT * FROM attempt WHERE part_id = ? AND outcome = 'refused' ORDER BY id", (part_id,)
    )


def newest_references(tx: Transaction, sim_id: int, limit: int) -> list[int | None]:
    """Return the references of the parts that a SIM sent last, newest first."""
    return [
        row["mr"]
        for row in tx.rows(
            "SELECT mr FROM part WHERE sim_id = ? AND sent_at IS NOT NULL"
            " ORDER BY sent_at DESC, id DESC LIMIT ?",
            (sim_id, limit),
        )
    ]


def sending_parts(db: Database | Transaction, modem: str | None = None) -> list[sqlite3.Row]:
    """Return the parts in flight, of one modem or of all."""
    if modem is None:
        return db.rows("SELECT * FROM part WHERE state = 'sending'")
    return db.rows("SELECT * FROM part WHERE state = 'sending' AND modem = ?", (modem,))


def get_part(db: Database | Transaction, part_id: int) -> sqlite3.Row | None:
    """Return one part."""
    return db.row("SELECT * FROM part WHERE id = ?", (part_id,))


@dataclass(frozen=True, slots=True)
class PartChange:
    """What is written of a part when something about it becomes known."""

    state: PartState
    mr: int | None = None
    proof: str | None = None
    family: ErrorFamily | None = None
    code: str | None = None
    error: str | None = None


def change_part(tx: Transaction, part_id: int, change: PartChange) -> None:
    """Write the new state of a part; times are set by the state."""
    sent = change.state in (PartState.SENT, PartState.DELIVERED, PartState.UNDELIVERED)
    final = change.state not in (PartState.WAITING, PartState.SENDING, PartState.SENT)
    tx.run(
        "UPDATE part SET state = ?, mr = coalesce(?, mr), proof = coalesce(?, proof),"
        " error_family = ?, error_code = ?, error = ?,"
        " sent_at = CASE WHEN ? THEN coalesce(sent_at, ?) ELSE sent_at END,"
        " settled_at = CASE WHEN ? THEN ? ELSE NULL END WHERE id = ?",
        (
            change.state,
            change.mr,
            change.proof,
            change.family,
            change.code,
            change.error,
            sent,
            tx.now,
            final,
            tx.now,
            part_id,
        ),
    )


def end_attempt(
    tx: Transaction,
    part_id: int,
    *,
    outcome: str,
    change: PartChange,
    whose: str | None = None,
    counted: bool = False,
) -> None:
    """Close the newest attempt of a part with what came of it."""
    tx.run(
        "UPDATE attempt SET ended_at = ?, outcome = ?, mr = ?, error_family = ?, error_code = ?,"
        " error = ?, whose = ?, counted = ?, proof = ?"
        " WHERE id = (SELECT max(id) FROM attempt WHERE part_id = ?)",
        (
            tx.now,
            outcome,
            change.mr,
            change.family,
            change.code,
            change.error,
            whose,
            int(counted),
            change.proof,
            part_id,
        ),
    )
    if counted:
        tx.run(
            "UPDATE outbox SET tries = tries + 1"
            " WHERE id = (SELECT message_id FROM part WHERE id = ?)",
            (part_id,),
        )


def mirror(tx: Transaction, message_id: int, *, due_at: str | None = None) -> MessageState:
    """Write the message's state as its parts have it; return it.

    Args:
        tx: the transaction.
        message_id: the message.
        due_at: when its next waiting part may go; None keeps the time it had. A message that has
            failed, or has no waiting part, is no longer due.
    """
    rows = tx.rows(
        "SELECT state, error_family, error_code, error FROM part WHERE message_id = ?"
        " ORDER BY number",
        (message_id,),
    )
    states = [PartState(row["state"]) for row in rows]
    state = message_state(states)
    before = tx.row("SELECT state FROM outbox WHERE id = ?", (message_id,))
    if before is not None and before["state"] in _ENDED_BY_US and PartState.WAITING in states:
        return MessageState(before["state"])  # a part in flight came home after the end
    waiting = PartState.WAITING in states and state is not MessageState.FAILED
    all_sent = not set(states) & {PartState.WAITING, PartState.SENDING, PartState.UNCERTAIN}
    done = (
        state
        in (
            MessageState.SENT,
            MessageState.DELIVERED,
            MessageState.UNDELIVERED,
            MessageState.FAILED,
        )
        and PartState.SENDING not in states
    )
    reason = next((row for row in rows if row["state"] == _speaking(state)), None)
    tx.run(
        "UPDATE outbox SET state = ?, due_at = CASE WHEN ? THEN coalesce(?, due_at) ELSE NULL END,"
        " sent_at = CASE WHEN ? THEN coalesce(sent_at, ?) ELSE sent_at END,"
        # An uncertain message that was given up stays given up while its other parts move.
        " settled_at = CASE WHEN ? THEN ? WHEN ? = 'uncertain' THEN settled_at ELSE NULL END,"
        " error_family = ?, error_code = ?, error = ? WHERE id = ?",
        (
            state,
            waiting,
            due_at,
            all_sent and state is not MessageState.FAILED,
            tx.now,
            done,
            tx.now,
            state,
            reason and reason["error_family"],
            reason and reason["error_code"],
            reason and reason["error"],
            message_id,
        ),
    )
    return state


def _speaking(state: MessageState) -> str:
    """Return which part's error is the message's: the one in the state that decided."""
    return {
        MessageState.QUEUED: PartState.WAITING.value,
        MessageState.SENDING: PartState.WAITING.value,
    }.get(state, state.value)


def settle(
    tx: Transaction,
    message_id: int,
    state: MessageState,
    family: ErrorFamily | None,
    code: str | None,
    error: str | None,
) -> None:
    """End a message for a reason that lies in no part: rejected, expired, cancelled, given up."""
    tx.run(
        "UPDATE outbox SET state = ?, due_at = NULL, settled_at = ?, error_family = ?,"
        " error_code = ?, error = ? WHERE id = ?",
        (state, tx.now, family, code, error, message_id),
    )


def give_back(tx: Transaction, attempt_ids: Sequence[int]) -> None:
    """Take back attempts that turned out not to be the messages' fault; they are due again."""
    for attempt_id in attempt_ids:
        tx.run(
            "UPDATE outbox SET tries = max(0, tries - 1), due_at = CASE WHEN due_at IS NULL"
            " THEN NULL ELSE ? END WHERE id = (SELECT part.message_id FROM attempt"
            " JOIN part ON part.id = attempt.part_id WHERE attempt.id = ? AND counted = 1)",
            (tx.now, attempt_id),
        )
        tx.run("UPDATE attempt SET counted = 0 WHERE id = ?", (attempt_id,))


def split_messages(db: Database, before: str, limit: int) -> list[sqlite3.Row]:
    """Return multipart messages bound to a SIM that have waited since before a time.

    Not those that were started anew once already, and none with a part in doubt or in flight.
    """
    return db.rows(
        "SELECT * FROM outbox WHERE sim_id IS NOT NULL AND due_at IS NOT NULL AND due_at <= ?"
        " AND parts > 1 AND restarts = 0 AND NOT EXISTS (SELECT 1 FROM part"
        " WHERE message_id = outbox.id AND state IN ('uncertain', 'sending')) LIMIT ?",
        (before, limit),
    )


def start_anew(tx: Transaction, message_id: int) -> bool:
    """Let all parts of a message go out again, from any SIM and under a new concat ref.

    False if a part is in doubt or in flight after all.
    """
    states = {row["state"] for row in parts(tx, message_id)}
    if states & {PartState.UNCERTAIN, PartState.SENDING}:
        return False
    tx.run(
        "UPDATE part SET state = 'waiting', modem = NULL, sim_id = NULL, mr = NULL,"
        " claimed_at = NULL, sent_at = NULL, settled_at = NULL, proof = NULL"
        " WHERE message_id = ?",
        (message_id,),
    )
    tx.run(
        "UPDATE outbox SET route = coalesce(modem, ''), sim_id = NULL, concat_ref = NULL,"
        " restarts = restarts + 1 WHERE id = ?",
        (message_id,),
    )
    mirror(tx, message_id, due_at=tx.now)
    return True


def expired(db: Database | Transaction, now: str, limit: int) -> list[sqlite3.Row]:
    """Return messages that are still waiting although their time has run out."""
    return db.rows(
        "SELECT * FROM outbox WHERE due_at IS NOT NULL AND expires_at <= ? LIMIT ?", (now, limit)
    )


def open_uncertain(db: Database | Transaction, before: str, limit: int) -> list[sqlite3.Row]:
    """Return uncertain parts, claimed before a time, whose message still waits for evidence."""
    return db.rows(
        "SELECT part.*, outbox.category FROM part JOIN outbox ON outbox.id = part.message_id"
        " WHERE part.state = 'uncertain' AND part.claimed_at <= ?"
        " AND outbox.settled_at IS NULL LIMIT ?",
        (before, limit),
    )


def counts(db: Database) -> dict[str, int]:
    """Return how many messages are in each state."""
    return {
        row["state"]: row["n"]
        for row in db.rows("SELECT state, count(*) AS n FROM outbox GROUP BY state")
    }


def oldest_due(db: Database) -> sqlite3.Row | None:
    """Return the count of waiting messages and the time since which the oldest is due."""
    return db.row(
        "SELECT count(*) AS n, min(due_at) AS oldest FROM outbox WHERE due_at IS NOT NULL"
    )


def sent_since(db: Database | Transaction, sim_id: int, since: str) -> int:
    """Count the parts that a SIM has got rid of since a time."""
    row = db.row("SELECT count(*) FROM part WHERE sim_id = ? AND sent_at >= ?", (sim_id, since))
    return int(row[0]) if row is not None else 0
