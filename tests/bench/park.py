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


def park(folder: Path) -> list[Row]:
    """Sixteen modems that take 3 s a message: the share of each one's time that is used."""
    rows: list[Row] = []
    for reports, what, aim in (("off", "without reports", "99.9 %"), ("on", "with reports", "")):
        by_modem: defaultdict[str, list[Submit]] = defaultdict(list)
        for submit in _submits(folder / reports, reports):
            by_modem[submit.modem].append(submit)
        used = [use(found) for found in by_modem.values()]
        median = f"{statistics.median(used):.2%}"
        rows += [
            (f"16 modems at 3 s a message, {what}: use of each, median", median, aim),
            ("  of the least used", f"{min(used):.2%}", ""),
            ("  modems that worked", f"{len(used)}", f"{_MODEMS}"),
        ]
    return rows


def _submits(folder: Path, reports: str) -> list[Submit]:
    count = _MODEMS * _EACH
    wanted = {"result_timeout": "20s", "reports": reports}
    with site(folder, scenario(_MODEMS, submit="3s"), modem=wanted) as box:
        for number in range(count):
            box.insert(f"+4850010{number:04d}", f"Message {number}")
        done = box.sim.books.wait(
            lambda books: sum(one.answered_at is not None for one in books.taken) >= count,
            PATIENCE_S,
        )
        assert done, box.log[-3000:]
        return list(box.sim.books.taken)
