# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments while many messages go out: none lost, none twice.

`make bench` does the same with more messages and kills.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from crash_support import SEED, WARM_UP, CrashSite, crash_site, kill_at_random, scenario

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_none_lost_and_none_twice_by_references(tmp_path: Path) -> None:
    with crash_site(
        tmp_path / "box", scenario(submit="20ms"), reports="no", result_timeout="2s"
    ) as box:
        box.warm_up()
        run(box, kills=16)
        box.go_on()
        box.check_once()


def test_none_lost_and_none_twice_by_reports(tmp_path: Path) -> None:
    with crash_site(tmp_path / "box", scenario("zero", submit="20ms")) as box:
        box.warm_up()
        run(box, kills=8)
        on_air = box.on_air()
        box.until(lambda: all(on_air[row["text"]] == 0 for row in box.rows("outbox", UNCERTAIN)))
        for row in box.check_once(uncertain=True):
            assert box.run("retry", str(row["id"])).returncode == 0
        box.rest()
        box.check_once()


UNCERTAIN = "state = 'uncertain'"


def run(box: CrashSite, kills: int) -> None:
    print(f"seed {SEED}")  # noqa: T201 - shown when the test fails
    kill_at_random(box, 10 * kills, kills, SEED)
    assert len(box.rows("outbox")) == WARM_UP + 10 * kills
