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

from gsmgw.clinic.calendar import Calendar
from gsmgw.clinic.model import PatientRecord, VisitRecord
from gsmgw.clock import format_utc
from gsmgw.config import Config
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

    # -- what stands in the database --------------------------------------------------------------

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
