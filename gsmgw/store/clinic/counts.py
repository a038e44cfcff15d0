# SPDX-License-Identifier: Apache-2.0
"""What figures of a day are made from, and the figures themselves, which outlive it."""

from __future__ import annotations

from collections.abc import Mapping

from gsmgw.store.database import Database, Row, Transaction

#: Location, kind of text (or visits, calls, callbacks), name of the figure.
Key = tuple[str, str, str]


def texts(db: Database, begin: str, end: str) -> list[Row]:
    """Return what was due on a day, with what became of it, in order of its texts.

    Rows: `kind`, `location`, `status`, `reason`, `asks`, `answered`, `outbox_id`, `state`, `parts`,
    `sent_at`, `delivered_at`, `verdict` (the visit's response by this question), `is_unclear`.
    """
    return db.rows(
        "SELECT request.kind, coalesce(appointment.location, '') AS location, request.status,"
        " request.reason, request.asks, request.answered, request.outbox_id, outbox.state,"
        " outbox.parts, outbox.sent_at,"
        " (SELECT max(settled_at) FROM part WHERE message_id = outbox.id) AS delivered_at,"
        " (SELECT response.status FROM response WHERE request_id = request.id AND applied = 1"
        " ORDER BY response.id DESC LIMIT 1) AS verdict,"
        " EXISTS (SELECT 1 FROM response WHERE request_id = request.id AND applied = 0)"
        " AS is_unclear"
        " FROM request LEFT JOIN appointment ON appointment.id = request.about"
        " LEFT JOIN outbox ON outbox.id = request.outbox_id"
        " WHERE request.due >= ? AND request.due < ? AND request.category <> 'staff'"
        " ORDER BY request.outbox_id, request.id",
        (begin, end),
    )


def visits(db: Database, begin: str, end: str) -> list[Row]:
    """Return the visits of a day: `location`, `status`, `response`, `variant`, `is_asked`."""
    return db.rows(
        "SELECT coalesce(location, '') AS location, status, response, variant,"
        " EXISTS (SELECT 1 FROM request WHERE about = appointment.id AND asks IS NOT NULL"
        " AND status = 'completed') AS is_asked"
        " FROM appointment WHERE start >= ? AND start < ?"
        " AND status NOT IN ('cancelled', 'entered-in-error', 'waitlist', 'proposed')",
        (begin, end),
    )


def tasks(db: Database, begin: str, end: str) -> list[Row]:
    """Return the tasks that were made on a day: `code`, `status`, `created_at`, `closed_at`."""
    return db.rows(
        "SELECT code, status, created_at, closed_at FROM task"
        " WHERE created_at >= ? AND created_at < ?",
        (begin, end),
    )


def calls(db: Database, begin: str, end: str) -> list[Row]:
    """Return the calls of a day: `outcome`, and `number`, which one for its visit, from 1."""
    return db.rows(
        "SELECT outcome, (SELECT count(*) FROM call_try AS earlier"
        " WHERE earlier.appointment_id IS call_try.appointment_id AND earlier.id <= call_try.id)"
        " AS number FROM call_try WHERE at >= ? AND at < ? ORDER BY id",
        (begin, end),
    )


def keep(tx: Transaction, day: str, figures: Mapping[Key, float]) -> None:
    """Replace some figures of a day; the others stay."""
    for (location, kind, name), value in figures.items():
        tx.run(
            "INSERT INTO daily_count (day, location, kind, name, value) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (day, location, kind, name) DO UPDATE SET value = excluded.value",
            (day, location, kind, name, value),
        )


def newest_day(db: Database) -> str | None:
    """Return the newest day of which there are figures; None: there are none."""
    row = db.row("SELECT max(day) AS day FROM daily_count")
    return None if row is None else row["day"]


def figures_of(db: Database, day: str) -> dict[Key, float]:
    """Return the figures of a day."""
    rows = kept(db, day, day)
    return {(row["location"], row["kind"], row["name"]): row["value"] for row in rows}


def kept(db: Database, first_day: str, last_day: str) -> list[Row]:
    """Return figures of some days, both included: `day`, `location`, `kind`, `name`, `value`."""
    return db.rows(
        "SELECT * FROM daily_count WHERE day >= ? AND day <= ? ORDER BY day, location, kind, name",
        (first_day, last_day),
    )
