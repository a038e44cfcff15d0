# SPDX-License-Identifier: Apache-2.0
"""kill -9 all through a clinic's day: each text, answer, task and notice exactly once."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from clinic_crash_support import DAY, OTHERS, CrashDay, check_day, crash_day, table
from crash_support import SEED, WARM_UP

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_day_with_a_kill_at_every_step(tmp_path: Path) -> None:
    with crash_day(tmp_path / "box") as box:
        box.warm_up()  # the references of its modem are believed
        box.put_in("visits.csv", table())
        box.crash("visits.committing@2")
        box.crash("visits.acknowledged")
        box.at("Tue 10:00:05")
        box.crash("said.committing")
        box.crash("said.committed")
        box.start()
        box.until_asked()
        box.stop()
        for number, answer in enumerate(DAY):
            box.sim.receive(box.patient(number), "front", answer.text)
            box.crash(answer.step)
        box.finish_day()
        assert box.ack()[:2] == (len(DAY) + OTHERS, 0)
        check_day(box)


def test_a_day_with_kills_at_random_moments(tmp_path: Path) -> None:
    print(f"seed {SEED}")  # noqa: T201 - shown when the test fails
    chance = random.Random(SEED)
    with crash_day(tmp_path / "box") as box:
        box.warm_up()  # the references of its modem are believed
        box.put_in("visits.csv", table())
        kill_at_random(box, chance, "appointment", len(DAY) + OTHERS)
        box.start()
        # Of a visit that is read on Tuesday nobody is asked that day any more.
        box.until((box.out / "ack" / "visits.csv.json").exists)
        box.stop()
        box.at("Tue 10:00:05")
        kill_at_random(box, chance, "outbox", WARM_UP + len(DAY))
        box.insert_some(2, "meanwhile")  # their references tell of a question caught by the kill
        box.start()
        box.until_asked()
        box.stop()
        box.answer()
        kill_at_random(box, chance, "inbox", len(DAY))
        kill_at_random(box, chance, "response", len(DAY))
        box.finish_day()
        check_day(box)


def kill_at_random(box: CrashDay, chance: random.Random, table: str, total: int) -> None:
    """Kill the daemon a little while after it has added to a table."""
    more = min(total, len(box.rows(table)) + chance.randint(1, 6))
    box.start(wait=False)
    box.until(lambda: len(box.rows(table)) >= more)
    box.sim.books.wait(lambda _: False, chance.uniform(0.0, 0.1))
    box.kill()
