# SPDX-License-Identifier: Apache-2.0
"""A clinic's day as its log tells it: a page that a technician reads, whatever happened."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import factories
import pytest
from gateway_support import Rig

from gsmgw import logs, pdu
from gsmgw.model import Outcome
from gsmgw.modem.duties.complaints import Complaints

MINUTE_S = 60.0
HOURS = 10
#: A page of 80 columns in the hand of a technician: what he reads standing.
PAGE = 100


@dataclass
class Day:
    """A gateway, a log as the configuration has it by default, and time that passes in minutes."""

    rig: Rig
    stream: io.StringIO = field(default_factory=io.StringIO)
    mr: int = 0
    refused: int = 0

    def minutes(self) -> Iterator[int]:
        """Let the hours of the clinic pass, and the night after them."""
        for minute in range(HOURS * 60):
            yield minute
            self.rig.clock.advance(MINUTE_S)
            self.rig.housekeeping.work()
            logs.tell()
        for _ in range(14 * 60):
            self.rig.clock.advance(MINUTE_S)
            logs.tell()
        logs.tell(at_once=True)

    def write(self, number: int) -> None:
        self.rig.add("Your visit is on Monday.", recipient=person(number))

    def send(self, *, code: int | None = None, status: int = 0) -> None:
        """Send all that is due; the network takes it and reports, or refuses it."""
        part = self.rig.claim()
        while part is not None:
            if code is None:
                self.mr = (self.mr + 1) % 256
                result = factories.taken(part.part_id, self.mr)
            else:
                self.refused += 1
                result = factories.refused(part.part_id, code)
            following = self.rig.settle(result, claim_next=True)
            if result.outcome is Outcome.TAKEN:
                self.rig.report(self.mr, part.recipient, status=status)
            part = following

    def answer(self, number: int) -> None:
        deliver = pdu.Deliver(
            sender=pdu.Address(person(number), 0x91),
            text="TAK",
            service_centre_at=self.rig.clock.now(),
        )
        self.rig.receive(pdu.encode_deliver(deliver))

    @property
    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()

    @property
    def events(self) -> Counter[str]:
        return Counter(line.split()[1] for line in self.lines)


def person(number: int) -> str:
    return factories.make_number(number % 90)


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    rig = Rig(tmp_path)
    rig.attach()
    made = Day(rig)
    logs.configure(stream=made.stream, time=rig.clock, every_message=False)
    yield made
    logs.configure()
    rig.close()


def test_a_good_day_is_a_page(day: Day) -> None:
    for minute in day.minutes():
        day.write(minute)
        day.send()
        if minute % 4 == 0:
            day.answer(minute)
    assert (
        day.rig.db.rows("SELECT count(*) AS n FROM outbox WHERE state = 'delivered'")[0]["n"] > 500
    )
    assert len(day.lines) < PAGE
    assert {line.split()[0] for line in day.lines} == {"info"}
    counted = [line for line in day.lines if " traffic.counted " in line]
    assert len(counted) == HOURS
    assert '60 accepted, 60 parts sent, 60 parts delivered, 15 received"' in counted[3]


def test_a_bad_day_is_a_page_too(day: Day) -> None:
    complaints = Complaints("front", day.rig.clock)
    for minute in day.minutes():
        away = 60 <= minute < 75  # somebody needed the socket
        outage = 180 <= minute < 300
        if away:
            complaints.lost("/dev/ttyUSB0: it is gone")
        elif minute == 75:
            complaints.works()
        day.write(minute)
        bad_number = minute % 150 == 90
        if not away:
            day.send(code=38 if outage else 1 if bad_number else None)
        if minute == 400:
            for number in range(40):
                day.write(number)
            day.send(status=0x46)  # a list of numbers that are no longer used
    assert day.refused > 100
    assert len(day.lines) < PAGE + PAGE // 2
    events = day.events
    assert events["modem.lost"] == 1
    assert events["message.failed"] == 3  # each of the three bad numbers
    assert 5 < events["part.refused"] < 20
    assert 5 <= events["part.undelivered"] < 10
    told = [line for line in day.lines if " part.undelivered " in line]
    assert "repeated=34" in told[-1]


def test_a_network_that_refuses_all_day_fills_no_disk(day: Day) -> None:
    for _ in day.minutes():
        day.write(day.refused)
        day.send(code=38)
    assert day.refused > 400
    assert len(day.lines) < PAGE


def test_a_quiet_clinic_sees_every_message(day: Day) -> None:
    for minute in day.minutes():
        if minute in (0, 300):
            day.write(minute)
            day.send()
    for event in ("message.accepted", "part.sent", "part.delivered"):
        assert day.events[event] == 2
    assert "traffic.counted" not in day.events
