# SPDX-License-Identifier: Apache-2.0
"""What keeps the database small and lawful, and what it knows about the time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from gsmgw.store import consent
from gsmgw.store.database import Database, Transaction

#: Rows changed in one transaction: others want to write too.
AT_ONCE = 500

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


def empty_texts(tx: Transaction, before: str) -> int:
    """Empty the texts of messages settled or received before a time; return how many rows.

    The parts, the raw TPDUs, the options and what modems were asked go with them. The database is
    opened with secure_delete, so that the octets are overwritten.
    """
    rows = tx.rows(
        f"SELECT id FROM outbox WHERE {_OVER} AND settled_at < ?"  # noqa: S608 - a constant
        " AND (text <> '' OR tp IS NOT NULL) LIMIT ?",
        (before, AT_ONCE),
    )
    for row in rows:
        tx.run("UPDATE outbox SET text = '', tp = NULL WHERE id = ?", (row["id"],))
        tx.run("UPDATE part SET text = NULL, data = NULL WHERE message_id = ?", (row["id"],))
    received = tx.rows(
        "SELECT id FROM inbox WHERE received_at < ? AND text IS NOT NULL AND text <> '' LIMIT ?",
        (before, AT_ONCE),
    )
    for row in received:
        tx.run("UPDATE inbox SET text = '' WHERE id = ?", (row["id"],))
        tx.run("UPDATE received_part SET pdu = '' WHERE inbox_id = ?", (row["id"],))
    asked = tx.run("DELETE FROM command WHERE asked_at < ?", (before,))
    return len(rows) + len(received) + asked


def forget_persons(tx: Transaction, before: str) -> int:
    """Replace numbers of messages settled or received before a time by keyed hashes.

    Equal numbers stay equal, so that counts remain possible; nobody can be rung. What can hold a
    number beside it goes: references, words of errors, names of files, raw TPDUs.
    """
    return (
        _forget_recipients(tx, before)
        + _forget_senders(tx, before)
        + _forget_reports(tx, before)
        + _forget_files(tx, before)
    )


def _forget_recipients(tx: Transaction, before: str) -> int:
    rows = tx.rows(
        f"SELECT id, recipient FROM outbox WHERE {_OVER} AND settled_at < ?"  # noqa: S608 - a constant
        " AND recipient NOT LIKE 'hash:%' LIMIT ?",
        (before, AT_ONCE),
    )
    for row in rows:
        tx.run(
            "UPDATE outbox SET recipient = ?, reference = NULL, error = NULL, spool_file = NULL"
            " WHERE id = ?",
            (consent.hashed(tx, row["recipient"]), row["id"]),
        )
        tx.run("UPDATE part SET error = NULL WHERE message_id = ?", (row["id"],))
        tx.run(
            "UPDATE attempt SET error = NULL"
            " WHERE part_id IN (SELECT id FROM part WHERE message_id = ?)",
            (row["id"],),
        )
        tx.run("DELETE FROM event WHERE message_id = ?", (row["id"],))
    return len(rows)


def _forget_senders(tx: Transaction, before: str) -> int:
    rows = tx.rows(
        "SELECT id, sender FROM inbox WHERE received_at < ? AND sender NOT LIKE 'hash:%'"
        " AND sender <> '' LIMIT ?",
        (before, AT_ONCE),
    )
    for row in rows:
        hashed = consent.hashed(tx, row["sender"])
        tx.run("UPDATE inbox SET sender = ? WHERE id = ?", (hashed, row["id"]))
        tx.run(
            "UPDATE received_part SET sender = ?, pdu = '' WHERE inbox_id = ?",
            (hashed, row["id"]),
        )
    return len(rows)


def _forget_reports(tx: Transaction, before: str) -> int:
    rows = tx.rows(
        "SELECT id, received_part_id FROM status_report WHERE received_at < ?"
        " AND recipient <> '' LIMIT ?",
        (before, AT_ONCE),
    )
    for row in rows:
        tx.run("UPDATE status_report SET recipient = '' WHERE id = ?", (row["id"],))
        tx.run("UPDATE received_part SET pdu = '' WHERE id = ?", (row["received_part_id"],))
    return len(rows)


def _forget_files(tx: Transaction, before: str) -> int:
    rows = tx.rows(
        "SELECT id FROM spool_file WHERE finished_at < ? LIMIT ?",
        (before, AT_ONCE),
    )
    for row in rows:
        tx.run("DELETE FROM spool_entry WHERE file_id = ?", (row["id"],))
        tx.run("DELETE FROM spool_file WHERE id = ?", (row["id"],))
    runs = tx.run("DELETE FROM hook_run WHERE finished_at < ?", (before,))
    return len(rows) + runs


def fold_back(db: Database) -> bool:
    """Fold the write-ahead log back and cut it, so that nothing removed stays in it.

    Blocks for a copy of what is in it. False if somebody reads there; try again later.
    """
    row = db.row("PRAGMA wal_checkpoint(TRUNCATE)")
    return row is not None and row[0] == 0
