# SPDX-License-Identifier: Apache-2.0
"""Marks: how far a service has come, kept by name in the table of settings."""

from __future__ import annotations

from gsmgw.store.database import Database, Transaction


def get(db: Database | Transaction, name: str) -> str | None:
    """Return a mark, None if it was never set."""
    row = db.row("SELECT value FROM setting WHERE name = ?", (name,))
    return None if row is None else str(row["value"])


def put(tx: Transaction, name: str, value: str) -> None:
    """Set a mark."""
    tx.run("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", (name, value))
