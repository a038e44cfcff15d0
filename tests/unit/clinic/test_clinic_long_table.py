# SPDX-License-Identifier: Apache-2.0
"""A long table is read in pieces: it lets others write, obeys a stop, and goes on in order."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from clinic_saying_support import Desk, Make
from clinic_support import LANDLINE

from gsmgw import locks
from gsmgw.clinic.booking import Booking
from gsmgw.clinic.model import Kind, Record
from gsmgw.clinic.saying import saying
from gsmgw.gateway.hints import Hints
from gsmgw.spool.clinic import importing
from gsmgw.spool.clinic.taking import ClinicTaking
from gsmgw.threads import StopToken

COLUMNS = ("appointment", "date", "time", "patient", "first", "phone")
#: Three pieces.
ROWS = 2 * importing.ROWS_AT_ONCE + 20
LAST = f"A-{ROWS - 1}"
FAMILY = "+48500100201"


class StopSoon(StopToken):
    """A stop that comes behind the first piece."""

    asked = 0

    def is_set(self) -> bool:
        self.asked += 1
        return self.asked > 1


class Gaps(StopToken):
    """No stop at all."""

    gaps = 0

    def wait(self, seconds: float) -> bool:
        assert seconds > 0
        self.gaps += 1
        return False


@pytest.fixture
def desk(tmp_path: Path, make: Make) -> Desk:
    (tmp_path / "spool" / ".tmp").mkdir(parents=True)
    columns = {name: name for name in COLUMNS}
    return make(
        spool={"path": str(tmp_path / "spool")}, **{"import": {"visits": {"columns": columns}}}
    )


@pytest.fixture
def taking(tmp_path: Path, desk: Desk) -> ClinicTaking:
    """Return the door, with a long table in it and a short one that moves a visit of it."""
    made = ClinicTaking(desk.config, desk.db, Hints(), desk.clock)
    made.open()
    inside, head = tmp_path / "spool" / "clinic" / "in", ";".join(COLUMNS) + "\n"
    long = "".join(
        f"A-{number};05.03.2026;10:15;P-{number};Anna;+485001{number:05d}\n"
        for number in range(ROWS)
    )
    (inside / "1.csv").write_text(head + long)
    (inside / "2.csv").write_text(f"{head}{LAST};06.03.2026;11:30;P-{ROWS - 1};Anna;+48500100299\n")
    made.take()  # they are complete once they have not changed for a while
    desk.clock.advance(60)
    return made


def count(desk: Desk) -> int:
    return len(desk.rows("SELECT id FROM appointment"))


def test_a_stop_in_the_middle_of_a_long_table_is_obeyed_and_the_rest_read_later(
    desk: Desk, taking: ClinicTaking
) -> None:
    assert taking.take(StopSoon()) == 0
    assert count(desk) == importing.ROWS_AT_ONCE
    assert taking.take() == 2
    assert count(desk) == ROWS
    assert desk.visit(LAST)["start"] == desk.stored("2026-03-06 11:30")


def test_there_is_a_gap_behind_each_piece(
    taking: ClinicTaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    # None is over before somebody waits for its end, however slow the machine is.
    monkeypatch.setattr(locks, "GAP_S", 3600.0)
    monkeypatch.setattr(locks, "LONGEST_GAP_S", 3600.0)
    stop = Gaps()
    assert taking.take(stop) == 2
    assert stop.gaps == 2 + 1


def test_a_table_that_takes_long_is_no_service_that_hangs(
    desk: Desk, taking: ClinicTaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = Booking.prepare

    def slow(self: Booking, records: Iterable[Record]) -> None:
        prepare(self, records)
        desk.clock.advance(importing.LONGEST_S)

    monkeypatch.setattr(Booking, "prepare", slow)
    assert taking.take() == 0
    assert count(desk) == importing.ROWS_AT_ONCE
    assert taking.take() == 0
    assert count(desk) == 2 * importing.ROWS_AT_ONCE
    assert taking.take() == 1  # the short one waits for its turn
    assert taking.take() == 1
    assert desk.visit(LAST)["start"] == desk.stored("2026-03-06 11:30")


def test_who_wants_to_write_is_let_in_behind_the_row_that_is_being_read(
    desk: Desk, taking: ClinicTaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An urgent message need not wait for the rest of a piece."""
    take, taken, seen = Booking.take, list[object](), list[int]()

    def write() -> None:
        with desk.db.write() as tx:
            seen.append(len(tx.rows("SELECT id FROM appointment")))

    urgent = threading.Thread(target=write)

    def watched(*args: Any, **more: Any) -> Any:
        taken.append(take(*args, **more))
        if len(taken) == 5:
            urgent.start()
            while not desk.db._turns.waiting:
                urgent.join(0.001)
        return taken[-1]

    monkeypatch.setattr(Booking, "take", watched)
    assert taking.take() == 2
    urgent.join()
    assert seen == [5]


@pytest.fixture
def family(tmp_path: Path, make: Make) -> Desk:
    """Return a clinic that says bookings back; its table holds a family, far apart."""
    columns = {name: name for name in COLUMNS}
    (tmp_path / "spool" / ".tmp").mkdir(parents=True)
    return make(
        spool={"path": str(tmp_path / "spool")},
        reminders={"booked": "on"},
        **{"import": {"visits": {"columns": columns}}},
    )


@pytest.fixture
def half_read(tmp_path: Path, family: Desk) -> ClinicTaking:
    """Return the door, with a table of which one piece is read."""
    made = ClinicTaking(family.config, family.db, Hints(), family.clock)
    made.open()
    children = ["A-1;05.03.2026;10:15;P-1;Anna;", "A-2;05.03.2026;10:35;P-2;Piotr;"]
    others = [
        f"B-{number};05.03.2026;11:15;Q-{number};Jan;+485001{number:05d}"
        for number in range(importing.ROWS_AT_ONCE)
    ]
    lines = [";".join(COLUMNS), children[0] + FAMILY, *others, children[1] + FAMILY, ""]
    (tmp_path / "spool" / "clinic" / "in" / "1.csv").write_text("\n".join(lines))
    made.take()
    family.clock.advance(1)
    assert made.take(StopSoon()) == 0
    return made


def test_a_family_that_stands_far_apart_in_a_table_gets_one_text(
    family: Desk, half_read: ClinicTaking
) -> None:
    assert family.say() == []
    assert half_read.take() == 1
    said = family.say()
    texts = [text for number, text in said if number == FAMILY]
    assert len(said) == 1 + importing.ROWS_AT_ONCE
    assert len(texts) == 1
    assert "Anna" in texts[0]
    assert "Piotr" in texts[0]


def test_what_was_due_before_does_not_wait_for_a_table(
    family: Desk, half_read: ClinicTaking
) -> None:
    family.request(Kind.RESULTS, phone=FAMILY)  # no news of a visit
    assert [number for number, _ in family.say()] == [FAMILY]
    family.clock.advance(-60)
    family.book("A-before", given="Ewa", phone="+48500100299")
    family.clock.advance(60)
    assert [number for number, _ in family.say()] == ["+48500100299"]


def test_a_table_that_is_not_read_on_keeps_nothing_back_for_long(
    family: Desk, half_read: ClinicTaking
) -> None:
    assert family.say() == []
    family.clock.advance(saying.READ_WITHIN.total_seconds() + 1)
    assert len(family.say()) == importing.ROWS_AT_ONCE


def test_what_a_snapshot_lacks_is_cancelled_piece_by_piece(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others write between, and the acknowledgement counts all of it."""
    columns = {name: name for name in COLUMNS}
    (tmp_path / "spool" / ".tmp").mkdir(parents=True)
    desk = make(
        spool={"path": str(tmp_path / "spool")},
        **{"import": {"visits": {"columns": columns, "mode": "snapshot"}}},
    )
    taking = ClinicTaking(desk.config, desk.db, Hints(), desk.clock)
    taking.open()
    head = ";".join(COLUMNS) + "\n"
    rows = [
        f"A-{number};05.03.2026;10:15;P-{number};Anna;+485001{number:05d}\n" for number in range(10)
    ]
    for name, lines in (("1.csv", rows), ("2.csv", rows[:7])):
        (tmp_path / "spool" / "clinic" / "in" / name).write_text(head + "".join(lines))
        taking.take()
        desk.clock.advance(60)
        if name == "2.csv":
            # Somebody wants to write all the time: a piece is one row, or one visit.
            monkeypatch.setattr(locks.Turns, "waiting", 1)
        assert taking.take() == 1
    assert [row["status"] for row in desk.rows("SELECT status FROM appointment ORDER BY id")] == [
        *["booked"] * 7, *["cancelled"] * 3,
    ]  # fmt: skip
    ack = json.loads((tmp_path / "spool" / "clinic" / "out" / "ack" / "2.csv.json").read_text())
    assert "visits cancelled because the file lacks them: 3" in ack["remarks"]


def test_an_absence_of_many_visits_is_one_row_of_its_file(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is taken visit by visit if others want to write, and acknowledged once."""
    (tmp_path / "spool" / ".tmp").mkdir(parents=True)
    desk = make(spool={"path": str(tmp_path / "spool")})
    for number in range(3):
        phone = LANDLINE if number else f"+48500100{number:03d}"
        desk.book(f"A-{number}", practitioner="dr Lis", phone=phone)
    taking = ClinicTaking(desk.config, desk.db, Hints(), desk.clock)
    taking.open()
    absence = [{"kind": "absence", "practitioner": "dr Lis", "from": "2026-03-05"}]
    (tmp_path / "spool" / "clinic" / "in" / "1.json").write_text(json.dumps(absence))
    taking.take()
    desk.clock.advance(60)
    monkeypatch.setattr(locks.Turns, "waiting", 1)
    assert taking.take() == 1
    ack = json.loads((tmp_path / "spool" / "clinic" / "out" / "ack" / "1.json.json").read_text())
    assert (ack["accepted"], ack["refused"], ack["requests"]) == (1, 0, 1)
    assert ack["warnings"] == [{"row": 1, "why": "landline"}]
