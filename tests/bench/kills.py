# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments while messages go out: how many are lost, how many go twice.

What is known at the end stands in the simulator's own books: which parts the network took. A
message is lost if the daemon calls it sent and the network never had it, or if it is neither sent
nor shown to a person; a doubt is shown as `uncertain`.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from crash_support import AT_REST, CrashSite, crash_site, kill_at_random, scenario
from measuring import PATIENCE_S, Row

#: Evidence there is: references of the simulated modem, and `modems.reports`.
_SETUPS = {
    "references that count, no reports": ("counting", "no"),
    "reports, no references": ("zero", "yes"),
    "neither": ("zero", "no"),
}
#: Where reports come at all, they come within 20 ms.
_REPORTS_WITHIN_S = 10.0


def kills(folder: Path) -> list[Row]:
    """Twenty kills while two hundred messages go out, with each kind of evidence."""
    return _all(folder, 20, 200)


def kills_full(folder: Path) -> list[Row]:
    """Two hundred kills while three thousand messages go out, with each kind of evidence."""
    return _all(folder, 200, 3000)


def _all(folder: Path, times: int, messages: int) -> list[Row]:
    rows: list[Row] = []
    for what, (references, reports) in _SETUPS.items():
        seed = random.SystemRandom().randrange(1_000_000)
        sys.stderr.write(f"  {what}: seed {seed}\n")
        layout = scenario(references, submit="20ms", reports=reports == "yes")
        with crash_site(folder / f"{references}-{reports}", layout, reports=reports) as box:
            box.warm_up()
            kill_at_random(box, messages, times, seed)
            _let_evidence_come(box)
            rows += _count(box, f"{times} x kill -9 over {messages} messages, {what}")
    return rows


def _let_evidence_come(box: CrashSite) -> None:
    """Send two more, whose references tell of the last one, and wait for reports on the way."""
    after = box.insert_some(2, "afterwards")
    box.until(lambda: all(box.message(one)["state"] in AT_REST for one in after), PATIENCE_S)
    box.sim.books.wait(lambda _: not _has_taken_doubts(box), _REPORTS_WITHIN_S)


def _has_taken_doubts(box: CrashSite) -> bool:
    """Tell whether the network has a part in doubt: its report may still come."""
    on_air = box.on_air()
    return any(on_air[row["text"]] for row in box.rows("outbox", "state = 'uncertain'"))


def _count(box: CrashSite, what: str) -> list[Row]:
    """Count what was sent twice, what was lost without a word, and what a person must decide."""
    on_air = box.on_air()
    lost = doubtful = gone = 0
    for row in box.rows("outbox"):
        arrived = on_air[row["text"]]
        if row["state"] == "uncertain":
            doubtful += 1
            gone += arrived == 0
        else:
            lost += arrived == 0 or row["state"] not in ("sent", "delivered")
    twice = sum(int(str(found["times"])) - 1 for found in box.sim.books.duplicates())
    return [
        (f"{what}: sent twice", str(twice), "0"),
        ("  lost", str(lost), "0"),
        ("  shown as uncertain, a person decides", str(doubtful), ""),
        ("  of these the network never had", str(gone), ""),
    ]
