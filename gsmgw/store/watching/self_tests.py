# SPDX-License-Identifier: Apache-2.0
"""Messages of modems to their own SIMs: begun, arrived, failed."""

from __future__ import annotations

from gsmgw.store.database import Database, Row, Transaction

#: So many tests of each modem are kept: a year of nights.
KEPT = 400


def add(
    tx: Transaction, modem: str, sim_id: int | None, *, number: str, text: str, until: str
) -> int:
    """Note a test before its message is made; return its id."""
    test_id = tx.insert(
        "INSERT INTO self_test (modem, sim_id, number, text, begun_at, until)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (modem, sim_id, number, text, tx.now, until),
    )
    tx.run(
        "DELETE FROM self_test WHERE modem = ?1 AND id <= (SELECT id FROM self_test"
        " WHERE modem = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        (modem, KEPT),
    )
    return test_id


def sent_by(tx: Transaction, test_id: int, message_id: int) -> None:
    """Note which message is the test."""
    tx.run("UPDATE self_test SET message_id = ? WHERE id = ?", (message_id, test_id))


def arrive(tx: Transaction, number: str, text: str) -> Row | None:
    """Note the arrival of a test and return it; None where this is none.

    The same text again, or too late, is still the test's: it is nobody's message.
    """
    row = tx.row("SELECT * FROM self_test WHERE text = ? AND number = ?", (text, number))
    if row is not None and row["arrived_at"] is None:
        tx.run(
            "UPDATE self_test SET arrived_at = ?1, finished_at = ?1, error = NULL WHERE id = ?2",
            (tx.now, row["id"]),
        )
    return row


def fail(tx: Transaction, test_id: int, error: str) -> None:
    """Note that a test has not arrived in time; a later arrival undoes it."""
    tx.run(
        "UPDATE self_test SET finished_at = ?, error = ? WHERE id = ? AND arrived_at IS NULL",
        (tx.now, error, test_id),
    )


def awaited(db: Database | Transaction) -> list[Row]:
    """Return the tests that are awaited, with what became of their messages, oldest first."""
    return db.rows(
        "SELECT self_test.*, outbox.state AS message_state, outbox.error AS message_error"
        " FROM self_test LEFT JOIN outbox ON outbox.id = message_id"
        " WHERE finished_at IS NULL ORDER BY self_test.id"
    )


def newest(db: Database, modem: str) -> Row | None:
    """Return the newest test of a modem."""
    return db.row("SELECT * FROM self_test WHERE modem = ? ORDER BY id DESC LIMIT 1", (modem,))


def newest_of_sim(db: Database, modem: str, sim_id: int | None) -> Row | None:
    """Return the newest test of a SIM in a modem that has ended."""
    return db.row(
        "SELECT * FROM self_test WHERE modem = ? AND sim_id IS ? AND finished_at IS NOT NULL"
        " ORDER BY id DESC LIMIT 1",
        (modem, sim_id),
    )
