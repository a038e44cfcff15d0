# SPDX-License-Identifier: Apache-2.0
"""Who may be written to, by phone and category; objections outlive the numbers that made them.

The number of a person who was forgotten stands here no longer. What they objected to is kept in
table `erased` under a keyed hash of the number, and is found again when somebody wants to write
there.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from gsmgw.model import Category
from gsmgw.store.database import Database, Transaction

#: How a number looks that was replaced by a keyed hash.
HASHED = "hash:"
_KEY = "person_key"


def decision(db: Database | Transaction, phone: str, category: Category) -> str | None:
    """Return "permit" or "deny" as it was decided, None if nobody has."""
    row = db.row("SELECT decision FROM consent WHERE phone = ? AND category = ?", (phone, category))
    if row is not None:
        return str(row["decision"])
    return "deny" if category in _objections(db, phone) else None


def decide(
    tx: Transaction, phone: str, category: Category, decided: str, source: str | None
) -> None:
    """Write what a person decided: "permit" or "deny"."""
    tx.run(
        "INSERT OR REPLACE INTO consent (phone, category, decision, at, source)"
        " VALUES (?, ?, ?, ?, ?)",
        (phone, category, decided, tx.now, source),
    )


def forget(tx: Transaction, phone: str) -> None:
    """Remove what a number decided, but for its objections: they are kept as a keyed hash."""
    denied = [category for category in Category if decision(tx, phone, category) == "deny"]
    tx.run("DELETE FROM consent WHERE phone = ?", (phone,))
    digest = hashed(tx, phone)
    tx.run("DELETE FROM erased WHERE digest = ?", (digest,))
    if denied:
        tx.run(
            "INSERT INTO erased (digest, category, at) VALUES (?, ?, ?)",
            (digest, " ".join(denied), tx.now),
        )


def hashed(tx: Transaction, phone: str) -> str:
    """Return what stands in the place of a number: equal for equal ones, and nobody's phone.

    The key is made at the first use and stays in this database.
    """
    key = _key(tx)
    if key is None:
        key = secrets.token_hex(32)
        tx.run("INSERT INTO setting (name, value) VALUES (?, ?)", (_KEY, key))
    return _digest(key, phone)


def _objections(db: Database | Transaction, phone: str) -> frozenset[str]:
    if db.row("SELECT 1 FROM erased LIMIT 1") is None:
        return frozenset()
    key = _key(db)
    if key is None:
        return frozenset()
    row = db.row("SELECT category FROM erased WHERE digest = ?", (_digest(key, phone),))
    return frozenset() if row is None else frozenset(str(row["category"]).split())


def _key(db: Database | Transaction) -> str | None:
    row = db.row("SELECT value FROM setting WHERE name = ?", (_KEY,))
    return None if row is None else str(row["value"])


def _digest(key: str, phone: str) -> str:
    digest = hmac.new(bytes.fromhex(key), phone.encode(), hashlib.sha256).hexdigest()
    return f"{HASHED}{digest[:32]}"
