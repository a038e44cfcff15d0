# SPDX-License-Identifier: Apache-2.0
"""A park of sixteen modems on one daemon: how much of each modem's time is used."""

from __future__ import annotations

import statistics
from collections import defaultdict
from pathlib import Path

from measuring import PATIENCE_S, Row, scenario, use
from site_support import site

from gsmgw.simulator.books import Submit

_MODEMS = 16
_EACH = 6
_SUBMIT_S = 3.0


def park(folder: Path) -> list[Row]:
    """Sixteen modems that take 3 s a message: the share of each one's time that is used."""
    count = _MODEMS * _EACH
    layout = scenario(_MODEMS, submit=f"{_SUBMIT_S:g}s")
    with site(folder / "box", layout, modem={"result_timeout": "20s"}) as box:
        for number in range(count):
            box.insert(f"+4850010{number:04d}", f"Message {number}")
        done = box.sim.books.wait(
            lambda books: sum(one.answered_at is not None for one in books.taken) >= count,
            PATIENCE_S,
        )
        assert done, box.log[-3000:]
        submits = box.sim.books.taken
    by_modem: defaultdict[str, list[Submit]] = defaultdict(list)
    for submit in submits:
        by_modem[submit.modem].append(submit)
    used = [use(found) for found in by_modem.values()]
    return [
        ("16 modems at 3 s a message: use of each, median", f"{statistics.median(used):.2%}", ""),
        ("  of the least used", f"{min(used):.2%}", "99.9 %"),
        ("  modems that worked", f"{len(used)}", f"{_MODEMS}"),
    ]
