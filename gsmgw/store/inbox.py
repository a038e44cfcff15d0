# SPDX-License-Identifier: Apache-2.0
"""What arrived: raw TPDUs first, readable messages and missed calls from them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from gsmgw.model import InboundPdu, InboxKind
from gsmgw.store.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class RawPart:
    """A TPDU to be stored, with what is needed to find its companions."""

    arrival: InboundPdu
    sim_id: int | None
    kind: str  #: deliver, status-report or undecodable
    sender: str | None = None
    concat: tuple[int, int, int, bool] | None = None  #: ref, total, number, 16-bit
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A row for `inbox`."""

    sender: str
    text: str | None
    kind: InboxKind
    modem: str
    sim_id: int | None
    service_centre_at: str | None = None
    parts: int = 1
    complete: bool = True


def find_repeat(
    tx: Transaction, arrival: InboundPdu, sim_id: int | None, since: str
) -> sqlite3.Row | None:
    """Return the stored TPDU of which this one is a repeat.

    The same octets on the same SIM are a repeat if the first one's deletion was never confirmed,
    if it came after `since`, or if it is part of a long message that still waits for others; else
    the network brings a new message that happens to be equal.
    """
    return tx.row(
        "SELECT * FROM received_part WHERE sim_id IS ? AND pdu = ?"
        " AND (deleted_at IS NULL OR received_at >= ?"
        " OR (concat_ref IS NOT NULL AND inbox_id IS NULL)) ORDER BY id DESC LIMIT 1",
        (sim_id, arrival.pdu, since),
    )


def add_raw(tx: Transaction, raw: RawPart) -> int:
    """Store a TPDU as it came; return its id."""
    ref, total, number, wide = raw.concat or (None, None, None, None)
    return tx.insert(
        "INSERT INTO received_part (sim_id, modem, received_at, pdu, memory, slot, kind, sender,"
        " concat_ref, concat_total, concat_number, concat_wide, error)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            raw.sim_id,
            raw.arrival.modem,
            tx.now,
            raw.arrival.pdu,
            raw.arrival.memory,
            raw.arrival.index,
            raw.kind,
            raw.sender,
            ref,
            total,
            number,
            wide,
            raw.error,
        ),
    )


def seen_again(tx: Transaction, received_id: int, arrival: InboundPdu) -> None:
    """Note that a stored TPDU still lies in the modem, so that its deletion is awaited again."""
    tx.run(
        "UPDATE received_part SET deleted_at = NULL, memory = ?, slot = ? WHERE id = ?",
        (arrival.memory, arrival.index, received_id),
    )


def confirm_deleted(tx: Transaction, received_id: int) -> None:
    """Note that the modem has forgotten a TPDU."""
    tx.run("UPDATE received_part SET deleted_at = ? WHERE id = ?", (tx.now, received_id))


def waiting_parts(tx: Transaction, like: sqlite3.Row) -> list[sqlite3.Row]:
    """Return the stored parts of the same multipart message that are not yet handed over."""
    return tx.rows(
        "SELECT * FROM received_part WHERE inbox_id IS NULL AND concat_ref = ?"
        " AND concat_total = ? AND concat_wide = ? AND sender = ? AND sim_id IS ?"
        " ORDER BY concat_number, id",
        (
            like["concat_ref"],
            like["concat_total"],
            like["concat_wide"],
            like["sender"],
            like["sim_id"],
        ),
    )


def overdue_parts(db: Database | Transaction, before: str, limit: int) -> list[sqlite3.Row]:
    """Return parts that have waited for their companions since before a time."""
    return db.rows(
        "SELECT * FROM received_part WHERE inbox_id IS NULL AND concat_ref IS NOT NULL"
        " AND received_at <= ? ORDER BY received_at, id LIMIT ?",
        (before, limit),
    )


def count_waiting(tx: Transaction, sender: str | None) -> int:
    """Count the parts of a sender that wait for companions; of all senders with None."""
    whose, params = _of_sender(sender)
    row = tx.row(
        "SELECT count(*) FROM received_part"  # noqa: S608 - fixed words
        f" WHERE inbox_id IS NULL AND concat_ref IS NOT NULL{whose}",
        params,
    )
    return int(row[0]) if row is not None else 0


def oldest_waiting(tx: Transaction, sender: str | None) -> sqlite3.Row | None:
    """Return the part of a sender, or of all with None, that has waited longest."""
    whose, params = _of_sender(sender)
    return tx.row(
        "SELECT * FROM received_part"  # noqa: S608 - fixed words
        f" WHERE inbox_id IS NULL AND concat_ref IS NOT NULL{whose}"
        " ORDER BY received_at, id LIMIT 1",
        params,
    )


def _of_sender(sender: str | None) -> tuple[str, tuple[str, ...]]:
    return ("", ()) if sender is None else (" AND sender = ?", (sender,))


def get_raw(db: Database | Transaction, received_id: int) -> sqlite3.Row | None:
    """Return one stored TPDU."""
    return db.row("SELECT * FROM received_part WHERE id = ?", (received_id,))


def raw_of(db: Database | Transaction, inbox_id: int) -> list[sqlite3.Row]:
    """Return the TPDUs that an inbox row was made of, in order."""
    return db.rows(
        "SELECT * FROM received_part WHERE inbox_id = ? ORDER BY concat_number, id", (inbox_id,)
    )


def add(tx: Transaction, arrival: Arrival, raw_ids: list[int], reply_since: str) -> int:
    """Add a readable row and owe it to the spool; return its id.

    Args:
        tx: the transaction.
        arrival: what arrived.
        raw_ids: the TPDUs that it was made of.
        reply_since: messages sent to that number after this time may be what it answers.
    """
    inbox_id = tx.insert(
        "INSERT INTO inbox (sender, text, kind, modem, sim_id, service_centre_at, received_at,"
        " parts, complete, in_reply_to) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?,"
        " (SELECT id FROM outbox WHERE recipient = ? AND sent_at >= ?"
        " ORDER BY sent_at DESC, id DESC LIMIT 1))",
        (
            arrival.sender,
            arrival.text,
            arrival.kind,
            arrival.modem,
            arrival.sim_id,
            arrival.service_centre_at,
            tx.now,
            arrival.parts,
            int(arrival.complete),
            arrival.sender,
            reply_since,
        ),
    )
    for received_id in raw_ids:
        tx.run("UPDATE received_part SET inbox_id = ? WHERE id = ?", (inbox_id, received_id))
    tx.insert("INSERT INTO handout (inbox_id, created_at) VALUES (?, ?)", (inbox_id, tx.now))
    return inbox_id


def get(db: Database, inbox_id: int) -> sqlite3.Row | None:
    """Return one row of the inbox."""
    return db.row("SELECT * FROM inbox WHERE id = ?", (inbox_id,))


def listing(
    db: Database, *, after: int = 0, sender: str | None = None, limit: int = 50
) -> list[sqlite3.Row]:
    """Return rows with an id above `after`, oldest first; without `after` the newest ones."""
    where, params = "id > ?", [after] if sender is None else [after, sender]
    if sender is not None:
        where += " AND sender = ?"
    order = "id" if after else "id DESC"
    rows = db.rows(
        f"SELECT * FROM inbox WHERE {where} ORDER BY {order} LIMIT ?",  # noqa: S608 - fixed words
        [*params, limit],
    )
    return rows if after else rows[::-1]


def since(db: Database | Transaction, after: int, limit: int) -> list[sqlite3.Row]:
    """Return rows with an id above `after`, 0 for all of them, oldest first."""
    return db.rows("SELECT * FROM inbox WHERE id > ? ORDER BY id LIMIT ?", (after, limit))


def newest_id(db: Database | Transaction) -> int:
    """Return the id of the newest row that there has ever been; 0 if there was none."""
    row = db.row("SELECT seq FROM sqlite_sequence WHERE name = 'inbox'")
    return 0 if row is None else int(row["seq"])
