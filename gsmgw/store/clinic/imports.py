# SPDX-License-Identifier: Apache-2.0
"""Files of the clinic system: claimed, read as far as they are, acknowledged; each once."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from gsmgw.store.database import Database, Row, Transaction


@dataclass(slots=True)
class Progress:
    """How far a file is applied, and what became of its rows; stored with what they changed."""

    next: int = 0  #: rows that are done
    accepted: int = 0
    refused: int = 0
    requests: int = 0
    cancelled: int = 0  #: visits that a snapshot lacks
    is_swept: bool = False  #: no more of them are to be looked for
    warnings: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)  #: about the whole file, in words
    #: of HL7, messages that were refused: place among the rows, code, words; written with each
    #: piece, so what the file itself says is left out
    acks: list[list[Any]] = field(default_factory=list)

    def as_json(self) -> str:
        """Return it as the column `ack` holds it."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__})


def begin(tx: Transaction, name: str, done_name: str) -> int:
    """Remember a claimed file; return its id."""
    return tx.insert(
        "INSERT INTO import_file (name, done_name, taken_at) VALUES (?, ?, ?)",
        (name, done_name, tx.now),
    )


def known(db: Database | Transaction, done_name: str) -> Row | None:
    """Return the newest file that was claimed under this name in done/."""
    return db.row("SELECT * FROM import_file WHERE done_name = ? ORDER BY id DESC", (done_name,))


def unfinished(db: Database) -> list[Row]:
    """Return the files that are claimed and not yet acknowledged, in order."""
    # Without the index's name SQLite would read all files there ever were, in their order.
    return db.rows(
        "SELECT * FROM import_file INDEXED BY import_file_open WHERE finished_at IS NULL"
        " ORDER BY id"
    )


def read_since(db: Database | Transaction, first: str, last: str) -> str | None:
    """Return since when a file is being read that was taken in a span of time; None: none is."""
    row = db.row(
        "SELECT min(taken_at) FROM import_file INDEXED BY import_file_open"
        " WHERE finished_at IS NULL AND taken_at >= ? AND taken_at <= ?",
        (first, last),
    )
    return None if row is None or row[0] is None else str(row[0])


def progress_of(file: Row) -> Progress:
    """Return how far a file is."""
    return Progress() if file["ack"] is None else Progress(**json.loads(file["ack"]))


def describe(tx: Transaction, file_id: int, kind: str, sha256: str, days: Collection[str]) -> None:
    """Note what a file is."""
    tx.run(
        "UPDATE import_file SET kind = ?, sha256 = ?, days = ? WHERE id = ?",
        (kind, sha256, json.dumps(sorted(days)), file_id),
    )


def advance(tx: Transaction, file_id: int, progress: Progress) -> None:
    """Note how far a file is, in the transaction that applied its rows."""
    tx.run(
        "UPDATE import_file SET accepted = ?, refused = ?, ack = ? WHERE id = ?",
        (progress.accepted, progress.refused, progress.as_json(), file_id),
    )


def finish(tx: Transaction, file_id: int) -> None:
    """Note that the acknowledgement of a file is on disk; what it names stays there alone."""
    tx.run("UPDATE import_file SET finished_at = ?, ack = NULL WHERE id = ?", (tx.now, file_id))


def count_booked(tx: Transaction, begin_at: str, end_at: str) -> int:
    """Count the visits of a span of time that a file has brought and that are to take place."""
    row = tx.row(
        "SELECT count(*) AS n FROM appointment WHERE start >= ? AND start < ?"
        " AND status IN ('booked', 'pending', 'proposed') AND file_id IS NOT NULL",
        (begin_at, end_at),
    )
    return 0 if row is None else int(row["n"])


def message_ack(tx: Transaction, sender: str, control_id: str, sha256: str) -> str | None:
    """Return how an HL7 message was acknowledged before; None if it is new."""
    row = tx.row(
        "SELECT ack FROM import_message WHERE sender = ? AND control_id = ? AND sha256 = ?",
        (sender, control_id, sha256),
    )
    return None if row is None else str(row["ack"])


def remember_message(tx: Transaction, sender: str, control_id: str, sha256: str, ack: str) -> None:
    """Remember how an HL7 message was acknowledged."""
    tx.run(
        "INSERT OR REPLACE INTO import_message (sender, control_id, sha256, ack, at)"
        " VALUES (?, ?, ?, ?, ?)",
        (sender, control_id, sha256, ack, tx.now),
    )
