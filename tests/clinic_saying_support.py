# SPDX-License-Identifier: Apache-2.0
"""A clinic that books visits and says what is due; the test moves the clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import clinic_support
from clinic_support import PHONE, make_patient, make_visit

from gsmgw.clinic.booking import Booking
from gsmgw.clinic.model import Kind
from gsmgw.clinic.saying import Fates, Saying
from gsmgw.clinic.wording import Wording
from gsmgw.clinic.work import Work
from gsmgw.gateway.intake import Intake
from gsmgw.gateway.trust import ClockTrust
from gsmgw.model import ErrorFamily, MessageState
from gsmgw.store import outbox
from gsmgw.store.clinic import requests
from gsmgw.store.database import Row

NAME = "Przychodnia Lipowa"


class Desk(clinic_support.Clinic):
    """A clinic that books visits and says what is due."""

    def __init__(self, folder: Path, **groups: Any) -> None:
        groups.setdefault("reminders", {"booked": False})
        super().__init__(folder, **groups)
        self.trust = ClockTrust(self.clock)
        self.work = Work(self.config, self.calendar)
        self.wording = Wording(self.config)
        self.booking = Booking(self.config, self.calendar, self.work)
        self.intake = Intake(self.config, self.db, self.clock, trust=self.trust)
        self.saying = Saying(
            self.config,
            self.db,
            self.intake,
            self.calendar,
            self.wording,
            self.work,
            self.clock,
            self.trust,
        )
        self.fates = Fates(self.db, self.work, self.clock, self.trust)

    def book(self, visit_id: str = "A-1001", at: str = "2026-03-05 10:15", **fields: Any) -> None:
        patient = {
            name: fields.pop(name)
            for name in ("given", "family", "phone", "language", "consent", "active")
            if name in fields
        }
        owner = fields.pop("patient_id", f"P-{visit_id}")
        record = make_visit(visit_id, self.at(at), make_patient(owner, **patient), **fields)
        with self.db.write() as tx:
            self.booking.take(tx, record)

    def request(self, kind: Kind, **fields: Any) -> int:
        new = {
            "phone": PHONE,
            "due": self.now,
            "expires": self.later(hours=12),
            "same_as": None,
            **fields,
        }
        with self.db.write() as tx:
            found = requests.add(tx, requests.NewRequest(kind, **new))
        assert found is not None
        return found

    @property
    def now(self) -> str:
        return clinic_support.format_utc(self.clock.now())

    def later(self, **span: int) -> str:
        return clinic_support.format_utc(self.clock.now() + dt.timedelta(**span))

    def say(self, local: str | None = None) -> list[tuple[str, str]]:
        """Move the clock, say all that is due; return number and text of what is new."""
        if local is not None:
            self.it_is(local)
        newest = self.db.row("SELECT coalesce(max(id), 0) FROM outbox")
        assert newest is not None
        for _ in range(200):
            if not self.saying.step():
                break
        else:
            raise AssertionError("it never ends")
        return [
            (row["recipient"], row["text"])
            for row in self.rows("SELECT * FROM outbox WHERE id > ? ORDER BY id", newest[0])
        ]

    def texts(self, local: str | None = None) -> list[str]:
        return [text for _, text in self.say(local)]

    def states(self, **wanted: Any) -> list[tuple[str, str, str | None]]:
        return [
            (row["kind"], row["status"], row["reason"])
            for row in self.rows("SELECT * FROM request ORDER BY id")
            if all(row[name] == value for name, value in wanted.items())
        ]

    def one(self, request_id: int) -> Row:
        row = requests.get(self.db, request_id)
        assert row is not None
        return row

    def tasks(self) -> list[tuple[str, str, str | None]]:
        return [
            (row["code"], row["phone"], row["about"])
            for row in self.rows("SELECT * FROM task ORDER BY id")
        ]

    def settle(self, state: MessageState, text: str | None = None) -> None:
        """Let all texts of patients that wait end in a state."""
        with self.db.write() as tx:
            for row in tx.rows("SELECT id FROM outbox WHERE settled_at IS NULL"):
                outbox.settle(tx, row["id"], state, ErrorFamily.GSMGW, "x", text)


Make = Callable[..., Desk]


def ask(first: str, time: str) -> str:
    return (
        f"{NAME}: {first}, wizyta czw. 05.03 godz. {time}. Odpisz TAK, aby potwierdzic, NIE, aby"
        " odwolac. Tel. 815551234"
    )
