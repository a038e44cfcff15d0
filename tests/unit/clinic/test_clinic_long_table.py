# SPDX-License-Identifier: Apache-2.0
"""A long table is read in pieces: it lets others write, obeys a stop, and goes on in order."""

from __future__ import annotations

from pathlib import Path

import pytest
from clinic_saying_support import Desk, Make

from gsmgw.gateway.hints import Hints
from gsmgw.spool.clinic import importing
from gsmgw.spool.clinic.taking import ClinicTaking
from gsmgw.threads import StopToken

COLUMNS = ("appointment", "date", "time", "patient", "first", "phone")
#: Three pieces.
ROWS = 2 * importing.ROWS_AT_ONCE + 20
LAST = f"A-{ROWS - 1}"


class StopSoon(StopToken):
    """A stop that comes in the first gap."""

    gaps = 0

    def wait(self, seconds: float) -> bool:
        assert seconds >= importing.SHORTEST_GAP_S
        self.gaps += 1
        self.set()
        return True


class Gaps(StopSoon):
    """No stop at all."""

    def set(self) -> None:
        pass


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


def test_there_is_a_gap_behind_each_piece(taking: ClinicTaking) -> None:
    stop = Gaps()
    assert taking.take(stop) == 2
    assert stop.gaps == 3 + 1


def test_a_table_that_takes_long_is_no_service_that_hangs(
    desk: Desk, taking: ClinicTaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = StopToken.wait

    def slow(self: StopToken, seconds: float) -> bool:
        desk.clock.advance(importing.LONGEST_S)
        return wait(self, 0)

    monkeypatch.setattr(StopToken, "wait", slow)
    for pieces in (1, 2):
        assert taking.take() == 0
        assert count(desk) == pieces * importing.ROWS_AT_ONCE
    assert taking.take() == 1  # the short one waits for its turn
    assert taking.take() == 1
    assert desk.visit(LAST)["start"] == desk.stored("2026-03-06 11:30")
