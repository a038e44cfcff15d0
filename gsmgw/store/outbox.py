# SPDX-License-Identifier: Apache-2.0
"""Messages to be sent and their parts: picked, claimed, settled, listed.

`part` is the truth; `outbox.state` mirrors it and is written by `mirror` alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gsmgw.model import (
    Category,
    ErrorFamily,
    MessageState,
    PartState,
    Priority,
    message_state,
)
from gsmgw.store.database import Database, Transaction

#: States that end a message although parts of it were never sent.
ENDED_BY_US = frozenset({MessageState.CANCELLED, MessageState.EXPIRED, MessageState.REJECTED})


def rank(priority: Priority, category: Category) -> int:
    """Return the order of sending, 0 first: priority, then category."""
    return priority.rank * len(Category) + category.rank


def ranks_of(category: Category) -> frozenset[int]:
    """Return the ranks that messages of a category can have."""
    return frozenset(rank(priority, category) for priority in Priority)


def cancel_asked(db: Database | Transaction, limit: int) -> list[sqlite3.Row]:
    """Return messages that somebody wants withdrawn and that are not settled."""
    return db.rows(
        "SELECT * FROM outbox WHERE cancel_requested = 1 AND settled_at IS NULL"
        # A failed one whose other part is still in flight will settle by itself.
        " AND state <> 'failed' ORDER BY id LIMIT ?",
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
    db: Database | Transaction,
    routes: Iterable[str],
    barred: frozenset[int],
    now: str,
    *,
    unscheduled_after: str | None = None,
    latest: str | None = None,
    unrefused: bool = False,
) -> sqlite3.Row | None:
    """Return the first due message that a modem may send, without reading past it.

    Args:
        db: where to look.
        routes: the routes that this modem serves, '' among them.
        barred: ranks that must not go now (limits, hours).
        now: messages due later are left alone.
        unscheduled_after: given while the clock is suspect; nothing that was planned for a time
            goes then, but what is due after this time goes as well: it was due before the clock
            fell back. Reads past what is planned.
        latest: given with it: what may have expired by this time stays.
        unrefused: leave out what was refused before. Reads past it.
    """
    condition, params = "due_at <= ?", [now]
    if unscheduled_after is not None:
        condition = (
            "(due_at <= ? OR due_at > ?) AND not_before IS NULL"
            " AND (expires_at IS NULL OR expires_at > ?)"
        )
        params = [now, unscheduled_after, latest or now]
    if unrefused:
        condition += " AND error_code IS NULL"
    best: sqlite3.Row | None = None
    for route in routes:
        for step in _ranks_waiting(db, route):
            if best is not None and step > best["rank"]:
                break
            if step in barred:
                continue
            row = db.row(
                "SELECT * FROM outbox INDEXED BY outbox_due WHERE due_at IS NOT NULL"  # noqa: S608 - constants
                f" AND route = ? AND rank = ? AND {condition} ORDER BY due_at, id LIMIT 1",
                (route, step, *params),
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
        "UPDATE part SET state = 'sending', modem = ?, sim_id = ?, claimed_at = ?, mr = NULL,"
        " expected_mr = NULL, proof = NULL WHERE id = ?",
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
        " tries = 0, restarts = 0, settled_at = NULL WHERE id = ?",
        (tx.now, message_id),
    )
    mirror(tx, message_id, due_at=tx.now)


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
        # What is sent once more was not sent before, as far as limits and reports go.
        " sent_at = CASE WHEN ? THEN coalesce(sent_at, ?) WHEN ? THEN NULL ELSE sent_at END,"
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
            change.state is PartState.WAITING,
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
        due_at: when its next waiting part may go; None keeps the time it had, or is now where it
            had none. A message that has failed, or has no waiting part, is no longer due.
    """
    rows = tx.rows(
        "SELECT part.state, part.error_family, part.error_code, part.error,"
        " outbox.state AS before, outbox.settled_at IS NOT NULL AS was_settled"
        " FROM part JOIN outbox ON outbox.id = message_id WHERE message_id = ? ORDER BY number",
        (message_id,),
    )
    states = [PartState(row["state"]) for row in rows]
    state = message_state(states)
    if rows and PartState.WAITING in states and _is_over(rows[0]["before"], rows[0]["was_settled"]):
        return MessageState(rows[0]["before"])  # a part in flight came home after the end
    waiting = PartState.WAITING in states and PartState.FAILED not in states
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
        "UPDATE outbox SET state = ?,"
        " due_at = CASE WHEN ? THEN coalesce(?, due_at, ?) ELSE NULL END,"
        " sent_at = CASE WHEN ? THEN coalesce(sent_at, ?) ELSE sent_at END,"
        # An uncertain message that was given up stays given up while its other parts move.
        " settled_at = CASE WHEN ? THEN ? WHEN ? = 'uncertain' THEN settled_at ELSE NULL END,"
        " error_family = ?, error_code = ?, error = ? WHERE id = ?",
        (
            state,
            waiting,
            due_at,
            tx.now,
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


def _is_over(state: str, was_settled: int) -> bool:
    """Tell whether nothing more of a message goes out, although parts of it were never sent."""
    return state in ENDED_BY_US or (state == MessageState.UNCERTAIN and bool(was_settled))


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


def expired(db: Database | Transaction, now: str, limit: int) -> list[sqlite3.Row]:
    """Return messages that are still waiting although their time has run out."""
    return db.rows(
        "SELECT * FROM outbox WHERE due_at IS NOT NULL AND expires_at <= ? LIMIT ?", (now, limit)
    )


def counts(db: Database) -> dict[str, int]:
    """Return how many messages are in each state."""
    return {
        row["state"]: row["n"]
        for row in db.rows("SELECT state, count(*) AS n FROM outbox GROUP BY state")
    }


def sent_since(db: Database | Transaction, sim_id: int, since: str) -> int:
    """Count the parts that a SIM has got rid of since a time."""
    row = db.row("SELECT count(*) FROM part WHERE sim_id = ? AND sent_at >= ?", (sim_id, since))
    return int(row[0]) if row is not None else 0
