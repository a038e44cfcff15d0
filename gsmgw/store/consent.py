# SPDX-License-Identifier: Apache-2.0
"""Who may be written to, by phone and category."""

from __future__ import annotations

from gsmgw.model import Category
from gsmgw.store.database import Database, Transaction


def decision(db: Database | Transaction, phone: str, category: Category) -> str | None:
    """Return "permit" or "deny" as it was decided, None if nobody has."""
    row = db.row("SELECT decision FROM consent WHERE phone = ? AND category = ?", (phone, category))
    return None if row is None else str(row["decision"])


def decide(
    tx: Transaction, phone: str, category: Category, decided: str, source: str | None
) -> None:
    """Write what a person decided: "permit" or "deny"."""
    tx.run(
        "INSERT OR REPLACE INTO consent (phone, category, decision, at, source)"
        " VALUES (?, ?, ?, ?, ?)",
        (phone, category, decided, tx.now, source),
    )
