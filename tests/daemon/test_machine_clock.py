# SPDX-License-Identifier: Apache-2.0
"""The machine's clock is wrong, jumps, or stands still while the machine sleeps."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from machine_support import Machine, machine, quiet

pytestmark = pytest.mark.slow

HOUR, DAY = 3600, 86_400
#: No whole half hours: those would be a zone, not an error.
ODD = 3 * HOUR + 7 * 60
SILENT = {"modem": {"reports": False}}


def suspicions(box: Machine) -> int:
    return box.log.count("error clock.suspect")


def trusts(box: Machine) -> int:
    return box.log.count("info clock.trusted")


def deliver(box: Machine, text: str, **columns: object) -> int:
    message = box.insert("+48500100201", text, **columns)
    box.until(lambda: text in box.texts)
    return message


def test_clock_that_starts_in_the_past_is_found_out_and_nothing_planned_or_stale_goes_out(
    tmp_path: Path,
) -> None:
    with machine(tmp_path / "box", **SILENT, start=False) as box:
        box.move_clock(0)
        box.start()
        deliver(box, "before")
        stale = box.insert(
            "+48500100202", "stale", not_before=box.now(1000), expires_at=box.now(2000)
        )
        box.until_state(stale, "queued")
        box.stop()
        box.move_clock(-300 * DAY)  # the box was without power, for half a day say
        box.start()
        box.until(lambda: suspicions(box) == 1)
        planned = box.insert("+48500100203", "planned", not_before=box.now(HOUR))
        over = box.insert("+48500100204", "over", expires_at="2026-01-01T00:00:00Z")
        deliver(box, "at once")
        box.sim.receive("+48500100299", "front", "I come")
        box.until(lambda: box.rows("inbox"))  # rows written at the wrong time
        quiet(2.5)
        assert box.texts == ["before", "at once"]
        assert box.message(stale)["state"] == box.message(planned)["state"] == "queued"
        assert box.message(over)["state"] == "queued"
        assert trusts(box) == 0
        assert "does not believe" in box.run("clock").stdout
        box.move_clock(0)
        box.until(lambda: trusts(box) == 1)
        box.until_state(over, "expired")
        assert box.message(stale)["state"] == "queued"
        box.move_clock(2001)
        box.until_state(stale, "expired")
        box.until_state(planned, "sent")
        assert box.texts == ["before", "at once", "planned"]


def test_clock_that_was_ahead_is_trusted_again_when_the_network_confirms_it(tmp_path: Path) -> None:
    with machine(tmp_path / "box", start=False) as box:
        box.move_clock(2 * DAY + ODD)
        box.start()
        first = deliver(box, "from the future")
        box.until_state(first, "delivered")
        box.until(lambda: suspicions(box) == 1)  # the report named the right time
        box.move_clock(0)
        box.until(lambda: trusts(box) == 1)
        box.stop()
        box.start()
        planned = box.insert("+48500100203", "planned", not_before=box.now(-1))
        box.until_state(planned, "sent", "delivered")
        assert suspicions(box) == 1


def test_clock_that_was_ahead_is_trusted_again_when_a_person_says_so(tmp_path: Path) -> None:
    with machine(tmp_path / "box", **SILENT, start=False) as box:
        box.move_clock(9 * DAY)
        box.start()
        deliver(box, "from the future")
        box.move_clock(0)
        box.until(lambda: suspicions(box) == 1)
        planned = box.insert("+48500100203", "planned", not_before=box.now(-1))
        box.until_state(planned, "queued")
        told = box.run("clock", "--trust")
        assert told.returncode == 0, told.stderr
        box.until(lambda: trusts(box) == 1)
        box.until_state(planned, "sent")
        box.stop()
        box.start()
        assert suspicions(box) == 1
        assert "believes it" in box.run("clock").stdout


@pytest.mark.parametrize("jump", [ODD, -ODD], ids=["ahead", "back"])
def test_jump_while_running_expires_and_sends_nothing_wrongly(tmp_path: Path, jump: int) -> None:
    with machine(tmp_path / "box", start=False) as box:
        box.move_clock(0)
        box.start()
        first = deliver(box, "before")
        box.until_state(first, "delivered")
        expiring = box.insert(
            "+48500100202", "expiring", not_before=box.now(HOUR), expires_at=box.now(2 * HOUR)
        )
        planned = box.insert("+48500100203", "planned", not_before=box.now(HOUR))
        box.until_state(planned, "queued")
        box.move_clock(jump)
        box.until(lambda: suspicions(box) == 1)
        deliver(box, "meanwhile")
        quiet(1.5)
        assert box.texts == ["before", "meanwhile"]
        assert box.message(expiring)["state"] == box.message(planned)["state"] == "queued"
        box.move_clock(0)
        box.until(lambda: trusts(box) == 1)
        deliver(box, "after")
        assert box.texts == ["before", "meanwhile", "after"]
        assert box.message(expiring)["state"] == "queued"


def test_machine_that_slept_three_hours_sends_nothing_stale_and_no_burst(tmp_path: Path) -> None:
    with machine(tmp_path / "box", **SILENT, start=False) as box:
        box.move_clock(0)
        box.start()
        deliver(box, "before")
        stale = [
            box.insert(
                f"+485001003{number:02d}",
                f"stale {number}",
                not_before=box.now(HOUR),
                expires_at=box.now(2 * HOUR),
            )
            for number in range(20)
        ]
        fresh = box.insert(
            "+48500100202", "fresh", not_before=box.now(HOUR), expires_at=box.now(DAY)
        )
        box.until_state(fresh, "queued")
        assert box.process is not None
        box.process.send_signal(signal.SIGSTOP)
        box.move_clock(3 * HOUR)
        box.process.send_signal(signal.SIGCONT)
        box.until_state(fresh, "sent")
        for message in stale:
            box.until_state(message, "expired")
        assert box.texts == ["before", "fresh"]
        assert suspicions(box) == 0


def test_pauses_do_not_follow_the_wall_clock(tmp_path: Path) -> None:
    settings = {"sending": {"retry": {"first": "2s"}}}
    with machine(tmp_path / "box", **SILENT, settings=settings, start=False) as box:
        box.move_clock(0)
        box.start()
        deliver(box, "before")
        box.sim.fault("front", "refuse", code=38, times=1)
        refused = box.insert("+48500100202", "refused once")
        box.until(lambda: "part.refused" in box.log)
        box.move_clock(-ODD)
        box.until_state(refused, "sent")
        assert box.stop() == 0
