# SPDX-License-Identifier: Apache-2.0
"""What tries have shown: refusals and whose they were, parts in doubt, references of a SIM."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from gsmgw.model import PartState
from gsmgw.store import outbox
from gsmgw.store.database import Database, Transaction


def doubts(tx: Transaction, sim_id: int) -> list[sqlite3.Row]:
    """Return the uncertain parts of a SIM that the reference counter may settle, oldest first."""
    return tx.rows(
        "SELECT * FROM part WHERE sim_id = ? AND state = 'uncertain' AND expected_mr IS NOT NULL"
        " ORDER BY claimed_at, id",
        (sim_id,),
    )


def expect_mr(tx: Transaction, part_id: int, mr: int | None) -> None:
    """Note the reference that an uncertain part must have if it was taken."""
    tx.run("UPDATE part SET expected_mr = ? WHERE id = ?", (mr, part_id))


def claims(tx: Transaction, sim_id: int, since: str) -> list[sqlite3.Row]:
    """Return parts sent since a time whose answer may have been that of a part in doubt.

    Their `expected_mr` is the reference that they have in that case. Each row has the recipient.
    """
    return tx.rows(
        "SELECT part.*, outbox.recipient FROM part JOIN outbox ON outbox.id = part.message_id"
        " WHERE part.sim_id = ? AND part.sent_at >= ? AND part.expected_mr IS NOT NULL"
        " AND part.state = 'sent' ORDER BY part.claimed_at, part.id",
        (sim_id, since),
    )


def correct_mr(tx: Transaction, part_id: int, mr: int) -> None:
    """Write another reference for a part that was sent, and for its last attempt."""
    tx.run("UPDATE part SET mr = ?, expected_mr = NULL WHERE id = ?", (mr, part_id))
    tx.run(
        "UPDATE attempt SET mr = ? WHERE id = (SELECT max(id) FROM attempt WHERE part_id = ?)",
        (mr, part_id),
    )


def last_try(tx: Transaction, part_id: int) -> sqlite3.Row | None:
    """Return the newest attempt of a part."""
    return tx.row("SELECT * FROM attempt WHERE part_id = ? ORDER BY id DESC LIMIT 1", (part_id,))


def doubt_again(tx: Transaction, part: sqlite3.Row, why: str) -> None:
    """Make a part uncertain whose answer was another's, as if none had come."""
    tx.run(
        "UPDATE attempt SET outcome = 'uncertain', mr = NULL, whose = NULL, proof = NULL,"
        " error_family = 'gsmgw', error_code = 'uncertain', error = ?"
        " WHERE id = (SELECT max(id) FROM attempt WHERE part_id = ?)",
        (why, part["id"]),
    )
    tx.run(
        "UPDATE part SET state = 'uncertain', mr = NULL, expected_mr = NULL, proof = NULL,"
        " sent_at = NULL, settled_at = NULL, error_family = 'gsmgw', error_code = 'uncertain',"
        " error = ? WHERE id = ?",
        (why, part["id"]),
    )
    tx.run("UPDATE outbox SET settled_at = NULL WHERE id = ?", (part["message_id"],))
    outbox.mirror(tx, part["message_id"])


def unreported(db: Database, message_id: int) -> list[sqlite3.Row]:
    """Return the parts of a message that the counter alone calls sent, although reports come.

    The counter tells that the modem submitted a part, not that the network accepted it; a later
    part of the same SIM has been reported, this one has not.
    """
    return db.rows(
        "SELECT * FROM part WHERE message_id = ? AND state = 'sent' AND proof = 'counter'"
        " AND EXISTS (SELECT 1 FROM part AS later WHERE later.sim_id = part.sim_id"
        " AND later.sent_at > part.sent_at AND later.state IN ('delivered', 'undelivered'))"
        " ORDER BY number",
        (message_id,),
    )


def refused_by(tx: Transaction, sim_id: int, other_than: str) -> list[sqlite3.Row]:
    """Return due parts that a SIM got an unclear refusal for, to numbers but this one."""
    return tx.rows(
        "SELECT part.* FROM part INDEXED BY part_refused"
        " JOIN outbox ON outbox.id = part.message_id"
        " JOIN attempt ON attempt.id = (SELECT max(id) FROM attempt WHERE part_id = part.id)"
        " WHERE part.sim_id = ? AND part.state = 'waiting' AND part.error_code IS NOT NULL"
        " AND outbox.due_at IS NOT NULL AND outbox.recipient <> ?"
        " AND attempt.whose = 'unclear' AND attempt.counted = 1",
        (sim_id, other_than),
    )


def refusals(tx: Transaction, part_id: int) -> list[sqlite3.Row]:
    """Return the refused attempts of a part, oldest first."""
    return tx.rows(
        "SELECT * FROM attempt WHERE part_id = ? AND outcome = 'refused' ORDER BY id", (part_id,)
    )


def count_untouched(tx: Transaction, part_id: int) -> int:
    """Count how often a part was claimed and could not be submitted."""
    row = tx.row(
        "SELECT count(*) FROM attempt WHERE part_id = ? AND outcome = 'untouched'", (part_id,)
    )
    return int(row[0]) if row is not None else 0


def newest_references(tx: Transaction, sim_id: int, limit: int) -> list[int | None]:
    """Return the references of the parts that a SIM sent last, newest first."""
    return [
        row["mr"]
        for row in tx.rows(
            "SELECT mr FROM part WHERE sim_id = ? AND sent_at IS NOT NULL"
            " ORDER BY sent_at DESC, id DESC LIMIT ?",
            (sim_id, limit),
        )
    ]


def give_back(tx: Transaction, attempt_ids: Sequence[int]) -> None:
    """Take back attempts that turned out not to be the messages' fault; they are due again."""
    for attempt_id in attempt_ids:
        tx.run(
            "UPDATE outbox SET tries = max(0, tries - 1), due_at = CASE WHEN due_at IS NULL"
            " THEN NULL ELSE ? END WHERE id = (SELECT part.message_id FROM attempt"
            " JOIN part ON part.id = attempt.part_id WHERE attempt.id = ? AND counted = 1)",
            (tx.now, attempt_id),
        )
        tx.run("UPDATE attempt SET counted = 0 WHERE id = ?", (attempt_id,))


def forgive(tx: Transaction, message_id: int) -> None:
    """Let no refusal so far count against a message: a person wants it tried again."""
    tx.run(
        "UPDATE attempt SET counted = 0"
        " WHERE part_id IN (SELECT id FROM part WHERE message_id = ?)",
        (message_id,),
    )


def count_doubts(tx: Transaction, part_id: int) -> int:
    """Count how often nobody knew what had become of a part."""
    row = tx.row(
        "SELECT count(*) FROM attempt WHERE part_id = ? AND outcome = 'uncertain'", (part_id,)
    )
    return int(row[0]) if row is not None else 0


def open_uncertain(db: Database | Transaction, before: str, limit: int) -> list[sqlite3.Row]:
    """Return uncertain parts, claimed before a time, whose message still waits for evidence."""
    return db.rows(
        "SELECT part.*, outbox.category FROM part JOIN outbox ON outbox.id = part.message_id"
        " WHERE part.state = 'uncertain' AND part.claimed_at <= ?"
        " AND outbox.settled_at IS NULL LIMIT ?",
        (before, limit),
    )


def oldest_uncertain(db: Database) -> sqlite3.Row | None:
    """Return the uncertain part claimed first of those whose message still waits for evidence."""
    return db.row(
        "SELECT part.*, outbox.category FROM part JOIN outbox ON outbox.id = part.message_id"
        " WHERE part.state = 'uncertain' AND outbox.settled_at IS NULL"
        " ORDER BY part.claimed_at LIMIT 1"
    )


def split_messages(db: Database, before: str, limit: int) -> list[sqlite3.Row]:
    """Return multipart messages bound to a SIM that have been due since before a time.

    Not those that were started anew once already, and none with a part in doubt or in flight.
    """
    return db.rows(
        "SELECT * FROM outbox WHERE sim_id IS NOT NULL AND due_at IS NOT NULL AND due_at <= ?"
        " AND parts > 1 AND restarts = 0 AND NOT EXISTS (SELECT 1 FROM part"
        " WHERE message_id = outbox.id AND state IN ('uncertain', 'sending')) LIMIT ?",
        (before, limit),
    )


def start_anew(tx: Transaction, message_id: int, route: str) -> bool:
    """Let all parts of a message go out again, from any SIM and under a new concat ref.

    False if a part is in doubt or in flight after all.
    """
    states = {row["state"] for row in outbox.parts(tx, message_id)}
    if states & {PartState.UNCERTAIN, PartState.SENDING}:
        return False
    tx.run(
        "UPDATE part SET state = 'waiting', modem = NULL, sim_id = NULL, mr = NULL,"
        " claimed_at = NULL, sent_at = NULL, settled_at = NULL, proof = NULL,"
        " error_family = NULL, error_code = NULL, error = NULL"
        " WHERE message_id = ?",
        (message_id,),
    )
    tx.run(
        "UPDATE outbox SET route = ?, sim_id = NULL, concat_ref = NULL,"
        " restarts = restarts + 1 WHERE id = ?",
        (route, message_id),
    )
    outbox.mirror(tx, message_id, due_at=tx.now)
    return True
