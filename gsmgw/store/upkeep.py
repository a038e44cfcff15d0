# SPDX-License-Identifier: Apache-2.0
"""What keeps the database small and lawful, and what it knows about the time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gsmgw.store import consent
from gsmgw.store.database import BUSY_TIMEOUT_S, Database, Row, Transaction

#: Rows of a kind that are dealt with in one round.
MOST = 5_000
#: The log is cut only if nobody reads in it for so long.
_FOLD_WAIT_MS = 50

#: States of messages that are over; a message still on its way keeps its text.
_OVER = "settled_at IS NOT NULL"


_NEWEST = (
    "SELECT max(at) AS at FROM ("
    " SELECT created_at AS at FROM outbox WHERE id = (SELECT max(id) FROM outbox)"
    "  AND id > :outbox AND state <> 'new'"
    " UNION ALL SELECT received_at FROM received_part"
    "  WHERE id = (SELECT max(id) FROM received_part) AND id > :received_part"
    " UNION ALL SELECT at FROM event WHERE id = (SELECT max(id) FROM event) AND id > :event)"
)
_TABLES = ("outbox", "received_part", "event")


@dataclass(frozen=True, slots=True)
class Newest:
    """What the database says about the time."""

    at: str | None  #: when the newest row was written; None if there is none
    trusted_at: str | None = None  #: when a person last said that the clock is right
    #: How far service centres' clocks were ahead of ours then, in seconds: not the clock's fault.
    offsets: tuple[float, ...] = ()


def newest(db: Database | Transaction) -> Newest:
    """Return when the newest row was written, as far as one can tell without reading tables.

    A clock that fell back writes rows too, and one that was ahead has written some: `hold_newest`
    and `trust_clock` say which time stands for the rows up to then.
    """
    mark = _mark(db)
    params = {table: mark.get(table, 0) for table in _TABLES}
    row = db.row(_NEWEST, params)
    written = None if row is None else row["at"]
    times: list[str] = [at for at in (mark.get("newest"), written) if at is not None]
    return Newest(max(times, default=None), mark.get("trusted_at"), tuple(mark.get("offsets", ())))


def hold_newest(tx: Transaction, at: str) -> None:
    """Let a time stand for all rows that there are, whatever their own times say."""
    _set_mark(tx, {**_mark(tx), "newest": at})


def trust_clock(tx: Transaction) -> None:
    """Note that a person says that the clock is right now."""
    offsets = [float(row["offset_s"]) for row in tx.rows("SELECT offset_s FROM service_centre")]
    _set_mark(tx, {"newest": tx.now, "trusted_at": tx.now, "offsets": offsets})


def last_suspicion(db: Database) -> str | None:
    """Return why the daemon does not believe the clock, None if it does, as far as it has said."""
    row = db.row(
        "SELECT name, detail FROM event WHERE name IN ('clock.suspect', 'clock.trusted')"
        " ORDER BY id DESC LIMIT 1"
    )
    if row is None or row["name"] == "clock.trusted":
        return None
    return str(json.loads(row["detail"]).get("why", ""))


def _mark(db: Database | Transaction) -> dict[str, Any]:
    row = db.row("SELECT value FROM setting WHERE name = 'clock'")
    return {} if row is None else dict(json.loads(row["value"]))


def _set_mark(tx: Transaction, mark: dict[str, Any]) -> None:
    for table in _TABLES:
        row = tx.row(f"SELECT max(id) AS id FROM {table}")  # noqa: S608 - a constant
        mark[table] = (row and row["id"]) or 0
    tx.run("INSERT OR REPLACE INTO setting (name, value) VALUES ('clock', ?)", (json.dumps(mark),))


# -- retention ------------------------------------------------------------------------------------
#
# What is over is looked for outside a write transaction, which takes as long as there are rows, and
# changed piece by piece. Lost with power, it is found again.


def in_pieces(db: Database, rows: Sequence[Row], change: Callable[[Transaction, Row], None]) -> int:
    """Change rows, and let others write between; return how many rows.

    Args:
        db: the store.
        rows: what was found; it may have changed since, which `change` is to look at.
        change: changes one row.
    """
    done = 0
    while done < len(rows):
        with db.pace.piece() as piece, db.write(synced=False) as tx:
            while done < len(rows) and not piece.is_over():
                change(tx, rows[done])
                done += 1
    return done


def empty_texts(db: Database, before: str) -> int:
    """Empty the texts of messages settled or received before a time; return how many rows.

    The parts, the raw TPDUs, the options and what modems were asked go with them. The database is
    opened with secure_delete, so that the octets are overwritten. At most `MOST` rows of a kind;
    blocks for as long as they take.
    """
    messages = db.rows(
        f"SELECT id FROM outbox WHERE {_OVER} AND settled_at < ?"  # noqa: S608 - a constant
        " AND (text <> '' OR tp IS NOT NULL) LIMIT ?",
        (before, MOST),
    )
    received = db.rows(
        "SELECT id FROM inbox WHERE received_at < ? AND text IS NOT NULL AND text <> '' LIMIT ?",
        (before, MOST),
    )
    asked = db.rows("SELECT id FROM command WHERE asked_at < ? LIMIT ?", (before, MOST))

    def empty_message(tx: Transaction, row: Row) -> None:
        # A person may have had it sent again.
        if tx.run(
            f"UPDATE outbox SET text = '', tp = NULL WHERE id = ? AND {_OVER} AND settled_at < ?",  # noqa: S608
            (row["id"], before),
        ):
            tx.run("UPDATE part SET text = NULL, data = NULL WHERE message_id = ?", (row["id"],))

    def empty_arrival(tx: Transaction, row: Row) -> None:
        tx.run("UPDATE inbox SET text = '' WHERE id = ?", (row["id"],))
        tx.run("UPDATE received_part SET pdu = '' WHERE inbox_id = ?", (row["id"],))

    return (
        in_pieces(db, messages, empty_message)
        + in_pieces(db, received, empty_arrival)
        + in_pieces(db, asked, _remover("command"))
    )


def forget_persons(db: Database, before: str) -> int:
    """Replace numbers of messages settled or received before a time by keyed hashes.

    Equal numbers stay equal, so that counts remain possible; nobody can be rung. What can hold a
    number beside it goes: references, words of errors, names of files, raw TPDUs. At most `MOST`
    rows of a kind; blocks for as long as they take. Returns how many rows.
    """
    return (
        _forget_recipients(db, before)
        + _forget_senders(db, before)
        + _forget_reports(db, before)
        + _forget_files(db, before)
    )


def _forget_recipients(db: Database, before: str) -> int:
    rows = db.rows(
        f"SELECT id, recipient FROM outbox WHERE {_OVER} AND settled_at < ?"  # noqa: S608 - a constant
        " AND recipient NOT LIKE 'hash:%' LIMIT ?",
        (before, MOST),
    )

    def forget(tx: Transaction, row: Row) -> None:
        # A person may have had it sent again, and may have been forgotten at their own wish.
        if not tx.run(
            "UPDATE outbox SET recipient = ?, reference = NULL, error = NULL, spool_file = NULL"  # noqa: S608
            f" WHERE id = ? AND recipient = ? AND {_OVER} AND settled_at < ?",
            (consent.hashed(tx, row["recipient"]), row["id"], row["recipient"], before),
        ):
            return
        tx.run("UPDATE part SET error = NULL WHERE message_id = ?", (row["id"],))
        tx.run(
            "UPDATE attempt SET error = NULL"
            " WHERE part_id IN (SELECT id FROM part WHERE message_id = ?)",
            (row["id"],),
        )
        tx.run("DELETE FROM event WHERE message_id = ?", (row["id"],))

    return in_pieces(db, rows, forget)


def _forget_senders(db: Database, before: str) -> int:
    rows = db.rows(
        "SELECT id, sender FROM inbox WHERE received_at < ? AND sender NOT LIKE 'hash:%'"
        " AND sender <> '' LIMIT ?",
        (before, MOST),
    )

    def forget(tx: Transaction, row: Row) -> None:
        hashed = consent.hashed(tx, row["sender"])
        if tx.run(
            "UPDATE inbox SET sender = ? WHERE id = ? AND sender = ?",
            (hashed, row["id"], row["sender"]),
        ):
            tx.run(
                "UPDATE received_part SET sender = ?, pdu = '' WHERE inbox_id = ?",
                (hashed, row["id"]),
            )

    return in_pieces(db, rows, forget)


def _forget_reports(db: Database, before: str) -> int:
    rows = db.rows(
        "SELECT id, received_part_id FROM status_report WHERE received_at < ?"
        " AND recipient <> '' LIMIT ?",
        (before, MOST),
    )

    def forget(tx: Transaction, row: Row) -> None:
        tx.run("UPDATE status_report SET recipient = '' WHERE id = ?", (row["id"],))
        tx.run("UPDATE received_part SET pdu = '' WHERE id = ?", (row["received_part_id"],))

    return in_pieces(db, rows, forget)


def _forget_files(db: Database, before: str) -> int:
    files = db.rows("SELECT id FROM spool_file WHERE finished_at < ? LIMIT ?", (before, MOST))
    runs = db.rows("SELECT id FROM hook_run WHERE finished_at < ? LIMIT ?", (before, MOST))

    def forget(tx: Transaction, row: Row) -> None:
        tx.run("DELETE FROM spool_entry WHERE file_id = ?", (row["id"],))
        tx.run("DELETE FROM spool_file WHERE id = ?", (row["id"],))

    return in_pieces(db, files, forget) + in_pieces(db, runs, _remover("hook_run"))


def _remover(table: str) -> Callable[[Transaction, Row], None]:
    def remove(tx: Transaction, row: Row) -> None:
        tx.run(f"DELETE FROM {table} WHERE id = ?", (row["id"],))  # noqa: S608 - constants

    return remove


def fold_back(db: Database) -> bool:
    """Fold the write-ahead log back and cut it, so that nothing removed stays in it.

    Blocks for a copy of what is in it. False if somebody reads there; try again later.
    """
    db.row("PRAGMA wal_checkpoint(PASSIVE)")  # the copy, while others write
    # Whoever reads is not waited for: nobody could write all that time.
    db.row(f"PRAGMA busy_timeout = {_FOLD_WAIT_MS:d}")
    try:
        row = db.row("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        db.row(f"PRAGMA busy_timeout = {round(BUSY_TIMEOUT_S * 1000):d}")
    return row is not None and row[0] == 0
