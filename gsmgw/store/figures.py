# SPDX-License-Identifier: Apache-2.0
"""Counts for people: what waits, and what has become of today's messages."""

from __future__ import annotations

from gsmgw.store.database import Database, Row


def queue(db: Database, now: str) -> list[Row]:
    """Return for each category that waits: due_now, due_later, and since when the oldest is due."""
    return db.rows(
        "SELECT category, sum(due_at <= :now) AS due_now, sum(due_at > :now) AS due_later,"
        " min(CASE WHEN due_at <= :now THEN due_at END) AS oldest"
        " FROM outbox WHERE due_at IS NOT NULL GROUP BY category",
        {"now": now},
    )


def states_since(db: Database, since: str) -> dict[str, int]:
    """Count the messages made since a time, by state (one index, no row is read)."""
    rows = db.rows(
        "SELECT state, count(*) AS n FROM outbox WHERE created_at >= ? GROUP BY state", (since,)
    )
    return {row["state"]: row["n"] for row in rows}
