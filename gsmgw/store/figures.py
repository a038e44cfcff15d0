# SPDX-License-Identifier: Apache-2.0
"""Counts for people: what waits, what is owed, and what has become of today's messages."""

from __future__ import annotations

from dataclasses import dataclass

from gsmgw.model import InboxKind
from gsmgw.store.database import Database, Row


def queue(db: Database, now: str) -> list[Row]:
    """Return for each category that waits: due_now, due_later, parts due, oldest and next due."""
    return db.rows(
        "SELECT category, sum(due_at <= :now) AS due_now, sum(due_at > :now) AS due_later,"
        " sum(CASE WHEN due_at <= :now THEN coalesce(parts, 1) ELSE 0 END) AS parts_now,"
        " min(CASE WHEN due_at <= :now THEN due_at END) AS oldest,"
        " min(CASE WHEN due_at > :now THEN due_at END) AS next"
        " FROM outbox WHERE due_at IS NOT NULL GROUP BY category",
        {"now": now},
    )


def next_expiry(db: Database) -> Row | None:
    """Return id and expires_at of the message that waits and expires first."""
    return db.row(
        "SELECT id, expires_at FROM outbox WHERE due_at IS NOT NULL AND expires_at IS NOT NULL"
        " ORDER BY expires_at LIMIT 1"
    )


def states_since(db: Database, since: str) -> dict[str, int]:
    """Count the messages made since a time, by state (one index, no row is read)."""
    rows = db.rows(
        "SELECT state, count(*) AS n FROM outbox WHERE created_at >= ? GROUP BY state", (since,)
    )
    return {row["state"]: row["n"] for row in rows}


def received_since(db: Database, since: str) -> dict[InboxKind, int]:
    """Count what arrived since a time, by kind; reads no further back (ids rise with time)."""
    rows = db.rows(
        "SELECT kind, count(*) AS n FROM inbox WHERE id > coalesce((SELECT id FROM inbox"
        " WHERE received_at < ? ORDER BY id DESC LIMIT 1), 0) GROUP BY kind",
        (since,),
    )
    return {InboxKind(row["kind"]): row["n"] for row in rows}


def given_up_since(db: Database, since: str) -> int:
    """Count the uncertain messages that wait for a person, made since a time."""
    row = db.row(
        "SELECT count(*) FROM outbox WHERE state = 'uncertain' AND settled_at IS NOT NULL"
        " AND created_at >= ?",
        (since,),
    )
    return int(row[0]) if row is not None else 0


def oldest_new(db: Database) -> str | None:
    """Return when the oldest row that nobody has checked was written; its writer says so."""
    row = db.row("SELECT created_at FROM outbox WHERE state = 'new' ORDER BY id LIMIT 1")
    return None if row is None else str(row["created_at"])


def events_since(db: Database, since: str) -> dict[str, int]:
    """Count the events since a time, by name; reads no further back (ids rise with time)."""
    rows = db.rows(
        "SELECT name, count(*) AS n FROM event WHERE id > coalesce((SELECT id FROM event"
        " WHERE at < ? ORDER BY id DESC LIMIT 1), 0) GROUP BY name ORDER BY name",
        (since,),
    )
    return {str(row["name"]): int(row["n"]) for row in rows}


@dataclass(frozen=True, slots=True)
class Owed:
    """Work of one kind that is owed to the spool."""

    count: int
    oldest_at: str | None  #: since when the oldest is owed


def owed_files(db: Database) -> Owed:
    """Return what is still to be written into incoming and report."""
    return _owed(db, "SELECT count(*), min(created_at) FROM handout WHERE finished_at IS NULL")


def owed_hooks(db: Database) -> Owed:
    """Return the runs of the event handler that are still to be made."""
    return _owed(db, "SELECT count(*), min(created_at) FROM hook_run WHERE finished_at IS NULL")


def _owed(db: Database, sql: str) -> Owed:
    row = db.row(sql)
    return Owed(0, None) if row is None else Owed(int(row[0]), row[1])


def failed_hooks(db: Database, newest: int) -> int:
    """Count, of so many newest finished runs of the event handler, those that failed."""
    row = db.row(
        "SELECT count(*) FROM (SELECT exit_code FROM hook_run WHERE finished_at IS NOT NULL"
        " ORDER BY id DESC LIMIT ?) WHERE exit_code IS NOT 0",
        (newest,),
    )
    return int(row[0]) if row is not None else 0


def schema_version(db: Database) -> int:
    """Return the number of the newest schema file that was applied."""
    row = db.row("PRAGMA user_version")
    return int(row[0]) if row is not None else 0
