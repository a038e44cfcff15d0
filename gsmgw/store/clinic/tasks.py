# SPDX-License-Identifier: Apache-2.0
"""Work for people: made, repeated, taken, closed."""

from __future__ import annotations

from dataclasses import dataclass

from gsmgw.store.database import Database, Row, Transaction


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to be made."""

    code: str
    phone: str | None = None
    patient_id: str | None = None
    about: str | None = None  #: a visit
    request_id: int | None = None
    note: str | None = None
    due: str | None = None  #: None: now


@dataclass(frozen=True, slots=True)
class Made:
    """A task that was made, or the open one that already asks for the same."""

    task_id: int
    is_new: bool


def add(tx: Transaction, new: NewTask) -> Made:
    """Make a task, or count one more attempt of the open one for the same phone and visit.

    A second wish of the same person is not a second piece of work: the note grows, the due time
    of the first one stays.
    """
    row = tx.row(
        "SELECT id FROM task WHERE code = ? AND phone IS ? AND about IS ?"
        " AND status IN ('requested', 'in-progress') ORDER BY id LIMIT 1",
        (new.code, new.phone, new.about),
    )
    if row is not None:
        tx.run(
            "UPDATE task SET attempts = attempts + 1, note = CASE"
            " WHEN ? IS NULL OR note = ? THEN note"
            " WHEN note IS NULL THEN ? ELSE note || ' | ' || ? END WHERE id = ?",
            (new.note, new.note, new.note, new.note, row["id"]),
        )
        return Made(int(row["id"]), False)
    task_id = tx.insert(
        "INSERT INTO task (code, phone, patient_id, about, request_id, note, due, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new.code,
            new.phone,
            new.patient_id,
            new.about,
            new.request_id,
            new.note,
            new.due or tx.now,
            tx.now,
        ),
    )
    return Made(task_id, True)


def get(db: Database | Transaction, task_id: int) -> Row | None:
    """Return one task."""
    return db.row("SELECT * FROM task WHERE id = ?", (task_id,))


def open_for(db: Database | Transaction, phone: str) -> list[Row]:
    """Return the open tasks of a phone, the oldest first."""
    return db.rows(
        "SELECT * FROM task WHERE phone = ? AND status IN ('requested', 'in-progress') ORDER BY id",
        (phone,),
    )


def open_tasks(db: Database | Transaction) -> list[Row]:
    """Return all open tasks in order of arrival."""
    return db.rows(
        "SELECT * FROM task WHERE status IN ('requested', 'in-progress') ORDER BY created_at, id"
    )


def take(tx: Transaction, task_id: int, owner: str) -> bool:
    """Give an open task an owner; False if it is closed or not there."""
    return bool(
        tx.run(
            "UPDATE task SET status = 'in-progress', owner = ?"
            " WHERE id = ? AND status IN ('requested', 'in-progress')",
            (owner, task_id),
        )
    )


def close(tx: Transaction, task_id: int, status: str, owner: str | None, outcome: str) -> bool:
    """Close an open task as completed or cancelled; False if it is closed or not there."""
    return bool(
        tx.run(
            "UPDATE task SET status = ?, owner = coalesce(?, owner), outcome = ?, closed_at = ?"
            " WHERE id = ? AND status IN ('requested', 'in-progress')",
            (status, owner, outcome, tx.now, task_id),
        )
    )
