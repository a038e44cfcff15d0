# SPDX-License-Identifier: Apache-2.0
"""A clinic's day without a store, without a modem, at a wrong time, or cut short in between."""

from __future__ import annotations

from pathlib import Path

import pytest
from clinic_crash_support import DAY, OTHERS, check_day, crash_day, table
from machine_support import quiet

from gsmgw.store import database

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: Longer than a write waits for a lock.
LONG_S = database.BUSY_TIMEOUT_S + 2


def test_answers_come_while_another_program_holds_the_database(tmp_path: Path) -> None:
    with crash_day(tmp_path / "box") as box:
        box.start()
        box.hand_in("visits.csv", table())
        box.at("Tue 10:00:05")
        box.until_asked()
        box.answer()
        box.until(lambda: len(box.rows("response")) >= 2)
        writer = box.foreign()
        writer.execute("BEGIN IMMEDIATE")
        quiet(LONG_S)
        box.until(lambda: "locked" in box.log)
        writer.execute("ROLLBACK")
        writer.close()
        box.finish_day()
        check_day(box)
        assert "service.failed" not in box.log


def test_the_disk_is_full_while_a_table_is_read_and_while_patients_answer(tmp_path: Path) -> None:
    with crash_day(tmp_path / "box") as box:
        flags = box.start_failing()
        (flags / "database-full").touch()
        box.put_in("visits.csv", table())
        box.until(lambda: "spool.owed" in box.log)
        (flags / "database-full").unlink()
        box.until((box.out / "ack" / "visits.csv.json").exists)
        assert box.ack() == (len(DAY) + OTHERS, 0, 2 * (len(DAY) + OTHERS))
        box.at("Tue 10:00:05")
        box.until_asked()
        (flags / "database-full").touch()
        box.answer()
        box.until(lambda: "no space left" in box.log)
        quiet(1)
        (flags / "database-full").unlink()
        box.finish_day()
        check_day(box)
        assert "service.failed" not in box.log


def test_two_modems_a_reload_and_a_stop_in_the_middle(tmp_path: Path) -> None:
    layout = {
        "modems": [{"name": "front", "submit": "20ms"}, {"name": "back", "submit": "20ms"}],
        "network": {"delivery": "10ms", "report": "10ms"},
    }
    with crash_day(tmp_path / "box", layout) as box:
        box.start()
        box.put_in("visits.csv", table())
        box.until(lambda: box.rows("appointment"))
        assert box.stop() == 0
        box.start()
        box.until((box.out / "ack" / "visits.csv.json").exists)
        assert box.ack()[:2] == (len(DAY) + OTHERS, 0)
        box.at("Tue 10:00:05")
        box.until(lambda: box.sim.books.taken)
        assert box.stop() == 0
        box.start()
        box.until_asked()
        box.answer()
        box.until(lambda: box.rows("response"))
        box.reload()
        box.until(lambda: len(box.rows("response")) >= 3)
        assert box.stop() == 0
        box.finish_day()
        check_day(box)


def test_a_clock_that_jumps_over_the_evening_and_back(tmp_path: Path) -> None:
    with crash_day(tmp_path / "box") as box:
        box.start()
        box.hand_in("visits.csv", table())
        box.at("Tue 21:00")
        quiet(3)
        assert box.texts == []  # nobody is written to in the evening
        box.back_to("Tue 10:00:05")
        quiet(2)
        box.at("Wed 10:00:05")
        box.until_asked()
        box.answer()
        box.finish_day()
        check_day(box)


def test_a_modem_that_is_gone_for_days_sends_nothing_stale(tmp_path: Path) -> None:
    with crash_day(tmp_path / "box") as box:
        box.start()
        box.hand_in("visits.csv", table())
        box.sim.unplug("front")
        box.at("Tue 10:00:05")
        box.until(lambda: len(box.rows("outbox")) == len(DAY))
        box.at("Thu 12:30")  # all visits of the day are over
        box.sim.plug("front")
        # Beside them there may already be notices for the desk.
        box.until(lambda: len(box.rows("outbox", "state = 'expired'")) == len(DAY))
        box.until(lambda: len(box.table("unreachable.csv")) == len(DAY))
        box.until(lambda: len(box.tasks(code="unreachable")) == len(DAY))
        one = box.insert("+48500100299", "after")
        box.until_state(one, "sent", "delivered")
        assert all(box.phone(box.patient(number)) == [] for number in range(len(DAY)))
