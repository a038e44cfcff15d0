# SPDX-License-Identifier: Apache-2.0
"""What keeps the database small and lawful: texts and persons are removed after their time."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from gsmgw.store.database import Database, Transaction

#: Rows changed in one transaction: others want to write too.
AT_ONCE = 500

#: States of messages that are over; a message still on its way keeps its text.
_OVER = "settled_at IS NOT NULL"


def newest_time(db: Database) -> str | None:
    """Return when the newest row was written, as far as one can tell without reading tables."""
    row = db.row(
        "SELECT max(at) AS at FROM ("
        " SELECT created_at AS at FROM outbox WHERE id = (SELECT max(id) FROM outbox)"
        "  AND state <> 'new'"
        " UNION ALL SELECT received_at FROM received_part"
        "  WHERE id = (SELECT max(id) FROM received_part)"
        " UNION ALL SELECT at FROM event WHERE id = (SELECT max(id) FROM event))"
    )
    return None if row is None else row["at"]


def empty_texts(tx: Transaction, before: str) -> int:
    """Empty the texts of messages settled or received before a time; return how many rows.

    secrets of the text go with it: the parts, the raw TPDUs, the options. The database is opened
    with secure_delete, so that the octets are overwritten.
    """
    rows = tx.rows(
        f"SELECT id FROM outbox WHERE {_OVER} AND settled_at < ? AND text <> '' LIMIT ?",  # noqa: S608 - a constant
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
    return len(rows) + len(received)


def forget_persons(tx: Transaction, before: str) -> int:
    """Replace numbers of messages settled or received before a time by keyed hashes.

    Equal numbers stay equal, so that counts remain possible; nobody can be rung.
    """
    rows = tx.rows(
        f"SELECT id, recipient FROM outbox WHERE {_OVER} AND settled_at < ?"  # noqa: S608 - a constant
        " AND recipient NOT LIKE 'hash:%' LIMIT ?",
        (before, AT_ONCE),
    )
    for row in rows:
        tx.run(
            "UPDATE outbox SET recipient = ?, reference = NULL WHERE id = ?",
            (_hashed(tx, row["recipient"]), row["id"]),
        )
        tx.run(
            "UPDATE status_report SET recipient = '' WHERE part_id IN"
            " (SELECT id FROM part WHERE message_id = ?)",
            (row["id"],),
        )
    received = tx.rows(
        "SELECT id, sender FROM inbox WHERE received_at < ? AND sender NOT LIKE 'hash:%'"
        " AND sender <> '' LIMIT ?",
        (before, AT_ONCE),
    )
    for row in received:
        hashed = _hashed(tx, row["sender"])
        tx.run("UPDATE inbox SET sender = ? WHERE id = ?", (hashed, row["id"]))
        tx.run(
            "UPDATE received_part SET sender = ?, pdu = '' WHERE inbox_id = ?",
            (hashed, row["id"]),
        )
    return len(rows) + len(received)


def fold_back(db: Database) -> None:
    """Fold the write-ahead log back and cut it, so that nothing removed stays in it."""
    db.rows("PRAGMA wal_checkpoint(TRUNCATE)")


def _hashed(tx: Transaction, number: str) -> str:
    row = tx.row("SELECT value FROM setting WHERE name = 'person_key'")
    if row is None:
        key = secrets.token_hex(32)
        tx.run("INSERT INTO setting (name, value) VALUES ('person_key', ?)", (key,))
    else:
        key = str(row["value"])
    digest = hmac.new(bytes.fromhex(key), number.encode(), hashlib.sha256).hexdigest()
    return f"hash:{digest[:32]}"
