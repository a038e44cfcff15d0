# SPDX-License-Identifier: Apache-2.0
"""A clinic without modems: its configuration, database and clock, and visits booked in a line.

`Clinic` holds what the clinic layer is built from; what a test needs beside it, it makes itself
from `config`, `db`, `calendar` and `clock`.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import factories
from fakes import FakeClock

from gsmgw.clinic.booking import Booking, Taken
from gsmgw.clinic.calendar import Calendar
from gsmgw.clinic.model import PatientRecord, Record, VisitRecord
from gsmgw.clinic.work import Work
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.store.clinic import requests, tasks, visits
from gsmgw.store.database import Database, Row

#: Phones of two families and a landline; nobody has them.
PHONE, OTHER_PHONE, THIRD_PHONE = "+48500100201", "+48500100202", "+48500100203"
LANDLINE = "+48815551234"

#: The clinic of the specification's examples; `make_clinic_config` overrides group by group.
GROUPS: dict[str, dict[str, Any]] = {
    "clinic": {
        "name": "Przychodnia Lipowa",
        "phone": "815551234",
        "language": "pl",
        "hours": {"mon-fri": "08:00-18:00"},
        "closed": ["2026-01-01", "2026-04-06"],
    },
    "reminders": {
        "hours": {"mon-sat": "08:00-20:00"},
        "variant": "a",
        "cutoff": "4h",
        "min_lead": "2h",
        "booked": True,
        "per_phone": {"day": 3, "marketing_days": 30, "survey_days": 30},
        "plan": [
            {"template": "reminder", "at": "2d at 10:00", "asks": True},
            {"template": "reminder", "at": "1d at 10:00", "asks": True, "only": "unanswered"},
        ],
        "by_service": {
            "ZAB": [
                {"template": "reminder", "at": "5d at 10:00", "asks": True},
                {"template": "reminder", "at": "1d at 10:00"},
            ]
        },
        "never_text": ["HIV", "PSY"],
    },
    "staff": {
        "reception": {
            "phone": "+48500100299",
            "gets": ["callback", "reschedule", "urgent", "unreachable"],
        }
    },
    "sending": {"charset": "plain"},
}


def make_clinic_config(**groups: Any) -> Config:
    """Make the configuration of the examples; of a group given, the keys given count."""
    merged: dict[str, Any] = {name: dict(keys) for name, keys in GROUPS.items()}
    for name, keys in groups.items():
        is_partial = isinstance(keys, dict) and name in merged and name != "staff"
        merged[name] = {**merged[name], **keys} if is_partial else keys
    return factories.make_config(**merged)


class Clinic:
    """A clinic at Monday 2026-03-02 08:20, when its first file comes in."""

    def __init__(self, folder: Path, **groups: Any) -> None:
        self.config = make_clinic_config(**groups)
        self.clock = FakeClock()
        self.db: Database = factories.make_database(folder, self.clock)
        self.calendar = Calendar(self.config)
        self.work = Work(self.config, self.calendar)
        self.booking = Booking(self.config, self.calendar, self.work)
        self.it_is("2026-03-02 08:20")

    def close(self) -> None:
        self.db.close()

    # -- time -------------------------------------------------------------------------------------

    def at(self, local: str) -> dt.datetime:
        """Return a moment given on the clinic's clock, in UTC."""
        wall = dt.datetime.fromisoformat(local).replace(tzinfo=self.config.zone)
        return wall.astimezone(dt.UTC)

    def stored(self, local: str) -> str:
        """Return a moment given on the clinic's clock as the database writes it."""
        return format_utc(self.at(local))

    def shown(self, stored: str) -> str:
        """Return a stored moment on the clinic's clock, to the minute."""
        return f"{dt.datetime.fromisoformat(stored).astimezone(self.config.zone):%Y-%m-%d %H:%M}"

    def it_is(self, local: str) -> None:
        """Move the clock to a moment on the clinic's clock."""
        self.clock.advance((self.at(local) - self.clock.now()).total_seconds())

    # -- what the clinic's files say --------------------------------------------------------------

    def take(self, record: Record, **options: Any) -> Taken:
        """Take a record in a transaction of its own."""
        with self.db.write() as tx:
            return self.booking.take(tx, record, **options)

    def replan(self, appointment_id: str = "A-1001") -> int:
        """Replan a visit in a transaction of its own."""
        with self.db.write() as tx:
            return self.booking.replan(tx, appointment_id)

    def answered(self, response: str, appointment_id: str = "A-1001") -> None:
        """Let the patient have answered, as the part that reads answers writes it."""
        with self.db.write() as tx:
            visits.answered(tx, appointment_id, response)
            self.booking.replan(tx, appointment_id)

    def said(self, *request_ids: int) -> None:
        """Let requests be said: each in a message of its own that the network has taken."""
        with self.db.write() as tx:
            for request_id in request_ids:
                row = requests.get(tx, request_id)
                assert row is not None, f"no request {request_id}"
                outbox_id = tx.insert(
                    "INSERT INTO outbox (recipient, text, source, reference, state, created_at,"
                    " sent_at) VALUES (?, ?, 'clinic', ?, 'sent', ?, ?)",
                    (row["phone"], row["kind"], f"request:{request_id}", tx.now, tx.now),
                )
                tx.run(
                    "UPDATE request SET status = 'completed', outbox_id = ? WHERE id = ?",
                    (outbox_id, request_id),
                )

    # -- what stands in the database --------------------------------------------------------------

    def plan(self, appointment_id: str = "A-1001") -> list[str]:
        """Return what waits about a visit, as `due kind`, in order, on the clinic's clock."""
        return [f"{self.shown(row['due'])} {row['kind']}" for row in self.waits(appointment_id)]

    def waits(self, appointment_id: str) -> list[Row]:
        """Return what is still to be said of a visit, in order."""
        return self.rows(
            "SELECT * FROM request WHERE about = ? AND status IN ('active', 'on-hold')"
            " ORDER BY due, id",
            appointment_id,
        )

    def fates(self, appointment_id: str = "A-1001") -> dict[str, str]:
        """Return what became of each request about a visit: its reason, or its status."""
        rows = self.rows("SELECT * FROM request WHERE about = ? ORDER BY id", appointment_id)
        return {row["same_as"]: row["reason"] or row["status"] for row in rows}

    def waiting(self) -> list[Row]:
        """Return everything that waits, in the order in which it is due."""
        return self.rows(
            "SELECT * FROM request WHERE status IN ('active', 'on-hold')"
            " AND category <> 'staff' ORDER BY due, id"
        )

    def tasks(self) -> list[str]:
        """Return the open tasks as `code note`."""
        rows = tasks.open_tasks(self.db)
        return [f"{row['code']} {row['note']}" for row in rows]

    def rows(self, sql: str, *params: object) -> list[Row]:
        return self.db.rows(sql, params)

    def visit(self, appointment_id: str) -> Row:
        row = self.db.row("SELECT * FROM appointment WHERE id = ?", (appointment_id,))
        assert row is not None, f"no visit {appointment_id}"
        return row


def make_patient(patient_id: str | None = "4711", **fields: Any) -> PatientRecord:
    """Make what a file says of a patient."""
    return PatientRecord(**{"id": patient_id, "given": "Anna", "phone": PHONE, **fields})


def make_visit(
    visit_id: str = "A-1001",
    start: dt.datetime | None = None,
    patient: PatientRecord | None = None,
    **fields: Any,
) -> VisitRecord:
    """Make what a file says of a visit: by default Thursday 2026-03-05 10:15 in Warsaw."""
    start = start or dt.datetime(2026, 3, 5, 9, 15, tzinfo=dt.UTC)
    return VisitRecord(id=visit_id, patient=patient or make_patient(), start=start, **fields)
