# SPDX-License-Identifier: Apache-2.0
"""Status reports: the network's word on parts, stored first and matched again and again."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from gsmgw.store.database import Database, Transaction

#: Parts of a SIM that may be reported. The first term on the state is the index's own, word for
#: word: SQLite uses a partial index for no other.
_OPEN = (
    "SELECT part.*, outbox.recipient FROM part INDEXED BY part_open"
    " JOIN outbox ON outbox.id = part.message_id"
    " WHERE part.state IN ('sent', 'uncertain', 'sending') AND part.state <> 'sending'"
    " AND part.sim_id IS ?"
)


@dataclass(frozen=True, slots=True)
class NewReport:
    """A status report as decoded from a stored TPDU."""

    sim_id: int | None
    modem: str
    mr: int
    recipient: str
    recipient_toa: int
    service_centre: str | None
    service_centre_at: str | None
    discharged_at: str | None
    status: int
    received_part_id: int


def add(tx: Transaction, report: NewReport) -> int:
    """Store a report; return its id."""
    return tx.insert(
        "INSERT INTO status_report (sim_id, modem, received_at, mr, recipient, recipient_toa,"
        " service_centre, service_centre_at, discharged_at, st, received_part_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            report.sim_id,
            report.modem,
            tx.now,
            report.mr,
            report.recipient,
            report.recipient_toa,
            report.service_centre,
            report.service_centre_at,
            report.discharged_at,
            report.status,
            report.received_part_id,
        ),
    )


def get(tx: Database | Transaction, report_id: int) -> sqlite3.Row | None:
    """Return one report."""
    return tx.row("SELECT * FROM status_report WHERE id = ?", (report_id,))


def open_parts(tx: Transaction, sim_id: int | None, ending: str, since: str) -> list[sqlite3.Row]:
    """Return parts of a SIM that a report may still speak of, newest first.

    Only those to numbers with this ending. Each row has the recipient of its message.
    """
    return tx.rows(
        f"{_OPEN} AND part.claimed_at >= ? AND outbox.recipient LIKE ? ORDER BY part.id DESC",
        (sim_id, since, f"%{ending}"),
    )


def open_parts_with(tx: Transaction, sim_id: int | None, mr: int, since: str) -> list[sqlite3.Row]:
    """Return the parts of `open_parts` that bear a reference, or whose reference is unknown."""
    # Two searches of the index: with OR between them SQLite reads all parts there ever were.
    found = [
        *tx.rows(f"{_OPEN} AND part.mr = ? AND part.claimed_at >= ?", (sim_id, mr, since)),
        *tx.rows(f"{_OPEN} AND part.mr IS NULL AND part.claimed_at >= ?", (sim_id, since)),
    ]
    return sorted(found, key=lambda row: int(row["id"]), reverse=True)


def unmatched(tx: Transaction, sim_id: int | None, since: str) -> list[sqlite3.Row]:
    """Return reports of a SIM that no part has been found for, oldest first."""
    return tx.rows(
        "SELECT * FROM status_report WHERE matched_at IS NULL AND sim_id IS ? AND received_at >= ?"
        " ORDER BY id",
        (sim_id, since),
    )


def match(tx: Transaction, report_id: int, part_id: int) -> None:
    """Note which part a report speaks of."""
    tx.run(
        "UPDATE status_report SET part_id = ?, matched_at = ? WHERE id = ?",
        (part_id, tx.now, report_id),
    )


def owe_file(tx: Transaction, report_id: int) -> None:
    """Owe the report to the spool as a file."""
    tx.run(
        "INSERT OR IGNORE INTO handout (status_report_id, created_at) VALUES (?, ?)",
        (report_id, tx.now),
    )


def of_message(db: Database, message_id: int) -> list[sqlite3.Row]:
    """Return the reports on a message's parts, oldest first, with the part's number."""
    return db.rows(
        "SELECT status_report.*, part.number AS part_number FROM status_report"
        " JOIN part ON part.id = status_report.part_id WHERE part.message_id = ?"
        " ORDER BY status_report.id",
        (message_id,),
    )


def centre_offset(tx: Transaction, number: str) -> float | None:
    """Return how far a service centre's clock is ahead of ours, in seconds, if learnt."""
    row = tx.row("SELECT offset_s FROM service_centre WHERE number = ?", (number,))
    return None if row is None else float(row["offset_s"])


def learn_centre_offset(tx: Transaction, number: str, offset_s: float) -> None:
    """Remember how far a service centre's clock is ahead of ours, in seconds."""
    tx.run(
        "INSERT OR REPLACE INTO service_centre (number, offset_s, at) VALUES (?, ?, ?)",
        (number, offset_s, tx.now),
    )
