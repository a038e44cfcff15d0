# SPDX-License-Identifier: Apache-2.0
"""The credit of SIMs: what was asked of the network, what it answered, and what went before."""

from __future__ import annotations

from gsmgw.store.database import Database, Row, Transaction

#: So many answers of each modem are kept: a year, if it is asked once a day.
KEPT = 400


def add(tx: Transaction, modem: str, sim_id: int | None, command_id: int) -> None:
    """Note that the network is asked, by which line for the modem."""
    tx.insert(
        "INSERT INTO balance (modem, sim_id, command_id, asked_at) VALUES (?, ?, ?, ?)",
        (modem, sim_id, command_id, tx.now),
    )
    tx.run(
        "DELETE FROM balance WHERE modem = ?1 AND id <= (SELECT id FROM balance WHERE modem = ?1"
        " ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        (modem, KEPT),
    )


def answer(tx: Transaction, balance_id: int, amount: float | None, error: str | None) -> None:
    """Note what the network answered, or why there is no amount."""
    tx.run(
        "UPDATE balance SET answered_at = ?, amount = ?, error = ? WHERE id = ?",
        (tx.now, amount, error, balance_id),
    )


def newest(db: Database, modem: str) -> Row | None:
    """Return the newest question of a modem, answered or not, with what is known of its line."""
    return db.row(
        "SELECT balance.*, command.finished_at AS command_finished_at,"
        " command.answer AS command_answer, command.error AS command_error,"
        " command.expires_at AS command_expires_at"
        " FROM balance LEFT JOIN command ON command.id = command_id"
        " WHERE balance.modem = ? ORDER BY balance.id DESC LIMIT 1",
        (modem,),
    )


def answers(db: Database, modem: str, sim_id: int | None, limit: int) -> list[Row]:
    """Return the newest answers of a SIM in a modem, with an amount or without, newest first."""
    return db.rows(
        "SELECT * FROM balance WHERE modem = ? AND sim_id IS ? AND answered_at IS NOT NULL"
        " ORDER BY id DESC LIMIT ?",
        (modem, sim_id, limit),
    )
