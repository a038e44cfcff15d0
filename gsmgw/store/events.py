# SPDX-License-Identifier: Apache-2.0
"""What happened, in the words of the log, kept for people and for other software."""

from __future__ import annotations

import json
import sqlite3

from gsmgw.store.database import Database, Transaction

_written = json.JSONEncoder(default=str).encode  # made once: there are many events


def add(
    tx: Transaction,
    name: str,
    *,
    message_id: int | None = None,
    modem: str | None = None,
    **detail: object,
) -> None:
    """Note an event; `detail` holds no text of a message. What has no value is left out."""
    known = {key: value for key, value in detail.items() if value not in (None, "")}
    tx.insert(
        "INSERT INTO event (at, name, message_id, modem, detail) VALUES (?, ?, ?, ?, ?)",
        (tx.now, name, message_id, modem, _written(known)),
    )


def of_message(db: Database, message_id: int) -> list[sqlite3.Row]:
    """Return what happened to a message, oldest first."""
    return db.rows("SELECT * FROM event WHERE message_id = ? ORDER BY id", (message_id,))


def newest(db: Database, limit: int) -> list[sqlite3.Row]:
    """Return the newest events, oldest of them first."""
    return db.rows("SELECT * FROM event ORDER BY id DESC LIMIT ?", (limit,))[::-1]
