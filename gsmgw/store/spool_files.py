# SPDX-License-Identifier: Apache-2.0
"""Files of the spool: those taken and not yet put away, those owed, and owed handler runs."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from gsmgw.store.database import Database, Transaction


def add(tx: Transaction, *, name: str, original_name: str, file_format: str) -> int:
    """Note a file taken into `checked/`, in the transaction that adds its messages.

    Args:
        tx: the transaction.
        name: its name in `checked/`.
        original_name: its name in `outgoing/`.
        file_format: smstools or json.
    """
    return tx.insert(
        "INSERT INTO spool_file (name, original_name, format, taken_at) VALUES (?, ?, ?, ?)",
        (name, original_name, file_format, tx.now),
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one element of a file at the door."""

    position: int  #: 0 is the first
    message_id: int | None  #: the message that it became or repeats; None if it was refused
    reference: str | None = None
    recipient: str | None = None
    error_code: str | None = None
    error: str | None = None


def add_entry(tx: Transaction, file_id: int, entry: Entry) -> None:
    """Note what became of one element of a file."""
    tx.insert(
        "INSERT INTO spool_entry (file_id, position, message_id, reference, recipient, error_code,"
        " error) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            file_id,
            entry.position,
            entry.message_id,
            entry.reference,
            entry.recipient,
            entry.error_code,
            entry.error,
        ),
    )


def unfinished(db: Database | Transaction) -> list[sqlite3.Row]:
    """Return the files that are not yet put away, oldest first."""
    return db.rows("SELECT * FROM spool_file WHERE finished_at IS NULL ORDER BY id")


def ready(db: Database, limit: int) -> list[sqlite3.Row]:
    """Return unfinished files none of whose messages is still to be settled, oldest first.

    Costs time in proportion to what it returns: triggers keep count of what is not settled.
    """
    return db.rows(
        "SELECT * FROM spool_file INDEXED BY spool_file_ready"
        " WHERE finished_at IS NULL AND unsettled <= 0 ORDER BY id LIMIT ?",
        (limit,),
    )


def get_open(db: Database | Transaction, name: str) -> sqlite3.Row | None:
    """Return the unfinished file of a name in `checked/`."""
    return db.row("SELECT * FROM spool_file WHERE name = ? AND finished_at IS NULL", (name,))


def decide(tx: Transaction, file_id: int, folder: str, final_name: str) -> None:
    """Write where a file will go before it is moved, so that a crash repeats the same move."""
    tx.run(
        "UPDATE spool_file SET folder = ?, final_name = ? WHERE id = ?",
        (folder, final_name, file_id),
    )


def change_format(tx: Transaction, file_id: int, file_format: str) -> None:
    """Have a file put away in another way than it was taken: smstools, json or unread."""
    tx.run("UPDATE spool_file SET format = ? WHERE id = ?", (file_format, file_id))


def finish(tx: Transaction, file_id: int) -> None:
    """Note that the move of a file is on disk."""
    tx.run("UPDATE spool_file SET finished_at = ? WHERE id = ?", (tx.now, file_id))


def entries(db: Database | Transaction, file_id: int) -> list[sqlite3.Row]:
    """Return what stood in a file, in order, with the messages as they are now."""
    return db.rows(
        "SELECT spool_entry.position, spool_entry.message_id,"
        " coalesce(outbox.reference, spool_entry.reference) AS reference,"
        " coalesce(outbox.recipient, spool_entry.recipient) AS recipient,"
        " spool_entry.error_code AS door_code, spool_entry.error AS door_error,"
        " outbox.state, outbox.error_family, outbox.error_code, outbox.error, outbox.parts,"
        " outbox.created_at, outbox.sent_at, outbox.settled_at"
        " FROM spool_entry LEFT JOIN outbox ON outbox.id = spool_entry.message_id"
        " WHERE file_id = ? ORDER BY position",
        (file_id,),
    )


def of_message(db: Database | Transaction, message_id: int) -> list[sqlite3.Row]:
    """Return the files that a message came in, newest first."""
    return db.rows(
        "SELECT spool_file.* FROM spool_entry JOIN spool_file"
        " ON spool_file.id = spool_entry.file_id WHERE message_id = ?"
        " ORDER BY spool_file.id DESC",
        (message_id,),
    )


# -- files owed: incoming and report ------------------------------------------------------------


def owed(db: Database, limit: int) -> list[sqlite3.Row]:
    """Return the hand-outs that are not yet files on disk, oldest first."""
    return db.rows("SELECT * FROM handout WHERE finished_at IS NULL ORDER BY id LIMIT ?", (limit,))


def name_handout(tx: Transaction, handout_id: int, name: str) -> None:
    """Write the final name of a file before it appears under it."""
    tx.run("UPDATE handout SET name = ? WHERE id = ?", (name, handout_id))


def finish_handout(tx: Transaction, handout_id: int) -> None:
    """Note that the file is on disk under its name."""
    tx.run("UPDATE handout SET finished_at = ? WHERE id = ?", (tx.now, handout_id))


# -- runs of the event handler ------------------------------------------------------------------


def owe_hook(
    tx: Transaction,
    event: str,
    path: str,
    message_ref: str | None = None,
    *,
    gsmgw_id: int | None = None,
) -> int:
    """Owe a run of the event handler, in the transaction that finishes its file.

    Args:
        tx: the transaction.
        event: SENT, FAILED, RECEIVED, REPORT or CALL.
        path: the file that it is about.
        message_ref: the handler's third argument, None for none.
        gsmgw_id: as `Gsmgw_id:` in the file, None if that tells of several messages.
    """
    return tx.insert(
        "INSERT INTO hook_run (event, path, message_ref, gsmgw_id, created_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (event, path, message_ref, gsmgw_id, tx.now),
    )


def owed_hooks(db: Database, limit: int) -> list[sqlite3.Row]:
    """Return the handler runs that are owed, oldest first."""
    return db.rows("SELECT * FROM hook_run WHERE finished_at IS NULL ORDER BY id LIMIT ?", (limit,))


def finish_hook(tx: Transaction, run_id: int, exit_code: int | None, error: str | None) -> None:
    """Write how a handler run ended."""
    tx.run(
        "UPDATE hook_run SET finished_at = ?, exit_code = ?, error = ? WHERE id = ?",
        (tx.now, exit_code, error, run_id),
    )
