# SPDX-License-Identifier: Apache-2.0
"""What patients answered: a row for each visit that an answer is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gsmgw.store.database import Database, Row, Transaction


@dataclass(frozen=True, slots=True)
class NewResponse:
    """An answer, or what it says of one visit; times as the store writes them."""

    inbox_id: int
    phone: str
    meaning: str  #: as the reader prints it; `cancel` for a decline in words of giving up
    applied: bool  #: acted upon; if not, a person decides
    at: str  #: when it arrived
    text: str | None = None  #: as it came
    request_id: int | None = None  #: the question; None: nothing was asked
    appointment_id: str | None = None
    patient_id: str | None = None
    asked: str | None = None  #: template of the question
    start: str | None = None  #: of the visit, as asked about
    status: str | None = None  #: what the visit's response became; None: as it was
    value: str | None = None  #: taken, not-taken; permit, deny
    why: str | None = None  #: why it was not applied
    task_id: int | None = None  #: the work that it made


def add(tx: Transaction, new: NewResponse) -> int:
    """Add an answer; return its id."""
    return tx.insert(
        "INSERT INTO response (inbox_id, request_id, appointment_id, patient_id, phone, asked,"
        " start, meaning, applied, status, value, text, why, at, task_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new.inbox_id,
            new.request_id,
            new.appointment_id,
            new.patient_id,
            new.phone,
            new.asked,
            new.start,
            new.meaning,
            int(new.applied),
            new.status,
            new.value,
            new.text,
            new.why or None,
            new.at,
            new.task_id,
        ),
    )


def unapplied(db: Database | Transaction, phone: str, request_ids: Sequence[int]) -> list[Row]:
    """Return the answers to some questions that were not acted upon, oldest first."""
    marks = ", ".join("?" * len(request_ids))
    return db.rows(
        f"SELECT * FROM response WHERE phone = ? AND applied = 0"  # noqa: S608 - question marks
        f" AND request_id IN ({marks}) ORDER BY id",
        (phone, *request_ids),
    )


def newest_to(db: Database | Transaction, phone: str, request_ids: Sequence[int]) -> Row | None:
    """Return the newest answer to some questions."""
    marks = ", ".join("?" * len(request_ids))
    return db.row(
        f"SELECT * FROM response WHERE phone = ? AND request_id IN ({marks})"  # noqa: S608 - marks
        " ORDER BY id DESC LIMIT 1",
        (phone, *request_ids),
    )


def hand_to(tx: Transaction, response_ids: Sequence[int], task_id: int) -> None:
    """Note which task has taken over answers that nobody had to deal with before."""
    for response_id in response_ids:
        tx.run(
            "UPDATE response SET task_id = ? WHERE id = ? AND task_id IS NULL",
            (task_id, response_id),
        )
