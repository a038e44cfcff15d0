# SPDX-License-Identifier: Apache-2.0
"""Twenty times kill -9 while two hundred messages go out: how many are lost, how many go twice."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from crash_support import CrashSite, crash_site, kill_at_random, scenario
from measuring import Row

_MESSAGES = 200
_KILLS = 20


def kills(folder: Path) -> list[Row]:
    """Kill while sending, on a modem whose references count, then on one that has reports only."""
    seed = random.SystemRandom().randrange(1_000_000)
    sys.stderr.write(f"  seed {seed}\n")
    rows: list[Row] = []
    with crash_site(folder / "counting", scenario(submit="20ms"), reports="no") as box:
        box.warm_up()
        kill_at_random(box, _MESSAGES, _KILLS, seed)
        after = box.insert_some(2, "afterwards")  # their references tell of the last one
        for message_id in after:
            box.until_state(message_id, "sent")
        rows += _count(box, "references that count, no reports")
    with crash_site(folder / "reports", scenario("zero", submit="20ms")) as box:
        box.warm_up()
        kill_at_random(box, _MESSAGES, _KILLS, seed)
        on_air = box.on_air()
        box.until(
            lambda: all(
                on_air[row["text"]] == 0 for row in box.rows("outbox", "state = 'uncertain'")
            )
        )
        rows += _count(box, "reports, no references")
    return rows


def _count(box: CrashSite, what: str) -> list[Row]:
    """Count what was sent twice, what was lost without a word, and what a person must decide."""
    on_air = box.on_air()
    lost = doubtful = 0
    for row in box.rows("outbox"):
        doubtful += row["state"] == "uncertain"
        lost += row["state"] != "uncertain" and on_air[row["text"]] == 0
    twice = sum(int(str(found["times"])) - 1 for found in box.sim.books.duplicates())
    return [
        (f"{_KILLS} x kill -9, {what}: sent twice", str(twice), "0"),
        ("  lost", str(lost), "0"),
        ("  shown as uncertain, a person decides", str(doubtful), ""),
    ]
