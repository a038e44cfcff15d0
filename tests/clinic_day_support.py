# SPDX-License-Identifier: Apache-2.0
"""A clinic's days in seconds: the real daemon, simulated modems, and a clock that the test moves.

Daemon, commands and the simulated network share one time, which goes on between two moves: `at`
leaves it alone where a slow day has got there already. It is moved as in a rehearsal, or, where
`faked` is asked for, the machine's own clock is, for everything that asks it.
"""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from machine_support import Machine
from site_support import ROOT

from gsmgw import clock

ZONE = ZoneInfo("Europe/Warsaw")
#: The week of the scenarios: Monday.
MONDAY = dt.date(2026, 3, 2)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

#: The configuration of the scenarios; `booked` texts are off in them.
SETTINGS: dict[str, Any] = {
    "country": "PL",
    "timezone": "Europe/Warsaw",
    "sending": {"charset": "plain"},
    "clinic": {
        "name": "Przychodnia Lipowa",
        "phone": "815551234",
        "language": "pl",
        "hours": {"mon-fri": "08:00-18:00"},
        "closed": ["2026-01-01", "2026-04-06"],
    },
    "reminders": {"hours": {"mon-sat": "08:00-20:00"}, "booked": "off", "cutoff": "4h"},
    "staff": {
        "reception": {
            "phone": "+48500100201",
            "gets": ["callback", "reschedule", "urgent", "unreachable"],
        }
    },
    "import": {
        "visits": {
            "columns": {
                "appointment": "nr_wizyty",
                "date": "data",
                "time": "godzina",
                "practitioner": "lekarz",
                "patient": "nr_pacjenta",
                "first": "imię",
                "last": "nazwisko",
                "phone": "telefon",
                "consent": "zgoda_sms",
            },
            "dates": ["%d.%m.%Y"],
        }
    },
}


class MovedClock:
    """The network's time: that of the machine, moved by so much."""

    def __init__(self) -> None:
        self.offset = dt.timedelta()

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.offset

    def monotonic(self) -> float:
        import time

        return time.monotonic()


class ClinicDay(Machine):
    """A clinic's box in a week of March, with the phones of its patients."""

    def __init__(
        self,
        folder: Path,
        begins: str,
        scenario: Mapping[str, object] | None = None,
        settings: Mapping[str, Any] | None = None,
        *,
        faked: bool = False,
    ) -> None:
        self._faked = faked
        self.network_clock = MovedClock()
        merged = {**SETTINGS, **(settings or {})}
        super().__init__(folder, scenario, settings=merged, source=self.network_clock)
        self._move(local(begins))

    # -- time -------------------------------------------------------------------------------------

    def at(self, moment: str) -> None:
        """Move the time of daemon and network forward to `Tue 10:00` of the scenarios' week."""
        self._move_on(local(moment))

    def at_date(self, moment: str) -> None:
        """Move the time forward to `2026-03-29 09:59`."""
        self._move_on(dt.datetime.fromisoformat(moment).replace(tzinfo=ZONE))

    def back_to(self, moment: str) -> None:
        """Set the time of daemon and network, wrongly, to an earlier one."""
        self._move(local(moment))

    def _move_on(self, target: dt.datetime) -> None:
        if target > self.network_clock.now():
            self._move(target)

    def _move(self, target: dt.datetime) -> None:
        offset = target.astimezone(dt.UTC) - dt.datetime.now(dt.UTC)
        self.network_clock.offset = offset
        self.move_clock(offset.total_seconds())

    def move_clock(self, offset_s: float) -> None:
        """Move the wall clock of the daemon and of commands: so far from the right time."""
        if self._faked:
            super().move_clock(offset_s)
            return
        aside = self.folder / "clock.new"
        aside.write_text(f"{offset_s:.3f}\n", encoding="ascii")
        aside.rename(self.folder / "clock")
        self.offset_s = offset_s

    def environment(self) -> dict[str, str]:
        """Return what a process of the box is started with."""
        if self._faked:
            return super().environment()
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            clock.MOVED_BY: str(self.folder / "clock"),
        }

    # -- the clinic's program ---------------------------------------------------------------------

    def hand_in(
        self, name: str, content: str | bytes, *, encoding: str = "utf-8"
    ) -> dict[str, Any]:
        """Put a file into clinic/in and return its acknowledgement, once it is there."""
        inside, ack = self.spool / "clinic" / "in", self.out / "ack" / f"{name}.json"
        before = ack.stat().st_mtime_ns if ack.exists() else 0
        aside = inside / f"{name}.tmp"
        aside.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
        aside.rename(inside / name)
        self.until(lambda: ack.exists() and ack.stat().st_mtime_ns != before)
        found: dict[str, Any] = json.loads(ack.read_text("utf-8"))
        return found

    @property
    def out(self) -> Path:
        """Where the clinic's program picks up."""
        return self.spool / "clinic" / "out"

    def table(self, name: str) -> list[dict[str, str]]:
        """Return the rows of a list in clinic/out, by the names of its columns."""
        try:
            text = (self.out / name).read_text("utf-8-sig")
        except FileNotFoundError:
            return []
        return list(csv.DictReader(io.StringIO(text), delimiter=";"))

    def until_row(self, name: str, **wanted: str) -> None:
        """Wait until a list has a row with these cells."""
        self.until(
            lambda: any(wanted.items() <= row.items() for row in self.table(name)),
        )

    def visit(self, appointment: str) -> dict[str, Any]:
        """Return what is stored of a visit."""
        return self.rows("appointment", "id = ?", appointment)[0]

    def tasks(self, **wanted: object) -> list[dict[str, Any]]:
        """Return the tasks with these columns."""
        return [row for row in self.rows("task") if wanted.items() <= row.items()]

    # -- patients ---------------------------------------------------------------------------------

    def until_texts(self, number: str, *texts: str) -> None:
        """Wait until a phone has got exactly these texts, whatever of them came before."""
        self.until(lambda: self.phone(number) == list(texts))

    def reply(self, number: str, text: str) -> None:
        """Let a patient answer; return once the daemon has dealt with it."""
        before = len(self.rows("inbox"))
        self.sim.receive(number, "front", text)
        self._until_read(before)

    def ring(self, number: str) -> None:
        """Let a patient ring; return once the daemon has dealt with it."""
        before = len(self.rows("inbox"))
        self.sim.call(number, "front")
        self._until_read(before)

    def _until_read(self, before: int) -> None:
        """Wait until something more has come in, and the daemon has dealt with it."""
        self.until(
            lambda: (
                len(rows := self.rows("inbox")) > before
                and self.cursor() >= max(row["id"] for row in rows)
            )
        )

    def cursor(self) -> int:
        """Return up to which row of the inbox the daemon has read."""
        found = self.rows("setting", "name = 'clinic.inbox'")
        return int(found[0]["value"]) if found else 0


def local(moment: str) -> dt.datetime:
    """Read `Tue 10:00` or `Tue 12:00:30` of the scenarios' week, or `next Mon 08:00`."""
    weeks = moment.count("next ")
    day, _, clock = moment.replace("next ", "").partition(" ")
    date = MONDAY + dt.timedelta(days=_DAYS.index(day) + 7 * weeks)
    return dt.datetime.combine(date, dt.time.fromisoformat(clock), ZONE)


@contextlib.contextmanager
def clinic_day(folder: Path, begins: str, **more: Any) -> Iterator[ClinicDay]:
    """Set up a clinic's box at a time of the week, start it, and take it down."""
    box = ClinicDay(folder, begins, **more)
    try:
        box.start()
        yield box
    finally:
        box.close()
