# SPDX-License-Identifier: Apache-2.0
"""What sending costs beyond the modem's own time."""

from __future__ import annotations

import statistics
from pathlib import Path

from measuring import Row, answered, gaps, insert_many, milliseconds, overhead, scenario, use
from site_support import Site, site

_SUBMIT_S = 0.020
_MESSAGES = 300
_RUNS = 3


def throughput(folder: Path) -> list[Row]:
    """300 messages on a modem that takes 20 ms each: rows and files, with and without reports."""
    rows = []
    for what, reports, aim in (
        ("rows", "off", "3 ms"),
        ("files", "off", "3 ms"),
        ("rows", "on", ""),
    ):
        costs, between = [], []
        for run in range(_RUNS):
            plan = scenario(submit="20ms")
            with site(folder / f"{what}-{reports}-{run}", plan, modem={"reports": reports}) as box:
                (_rows if what == "rows" else _files)(box)
                taken = answered(box, _MESSAGES)
            costs.append(overhead(taken))
            between.append(statistics.median(gaps(taken)))
        words = "a report each in between" if reports == "on" else "without reports"
        cost = milliseconds(statistics.median(costs))
        rows.append((f"300 {what}, 20 ms modem, {words}: a message on top", cost, aim))
        gap = milliseconds(statistics.median(between))
        rows.append(("  of that, answer to the next AT+CMGS, median", gap, ""))
    return rows


def _rows(box: Site) -> None:
    insert_many(box, _MESSAGES)


def _files(box: Site) -> None:
    for number in range(_MESSAGES):
        box.drop(f"m{number}", f"To: 4850010{number:04d}\n\nMessage {number}")


def slow_modem(folder: Path) -> list[Row]:
    """A modem that takes 3 s a message, with and without reports: the share that is used."""
    rows = []
    for reports, what, aim in (
        ("off", "without reports", "99.9 %"),
        ("on", "a report each in between", ""),
    ):
        wanted = {"result_timeout": "20s", "reports": reports}
        with site(folder / reports, scenario(submit="3s"), modem=wanted) as box:
            insert_many(box, 6)
            used = use(answered(box, 6))
        rows.append((f"modem use at 3 s a message, {what}", f"{used:.2%}", aim))
    return rows


def backlog(folder: Path) -> list[Row]:
    """The cost of a message with 100, 10 000 and 100 000 waiting, the modem plugged in last."""
    costs = {waiting: _cost_with(folder, waiting) for waiting in (100, 10_000, 100_000)}
    rows = [
        (f"a message with {waiting} waiting, of that 20 ms the modem", milliseconds(cost), "")
        for waiting, cost in costs.items()
    ]
    for waiting in (10_000, 100_000):
        ratio = costs[waiting] / costs[100]
        rows.append((f"  with {waiting} against 100", f"{ratio:.2f} x", "1.2 x"))
    return rows


def _cost_with(folder: Path, waiting: int) -> float:
    plan = scenario(submit="20ms")
    with site(folder / str(waiting), plan, modem={"reports": "off"}) as box:
        box.sim.unplug("front")
        box.until(lambda: box.rows("modem", "state = 'absent'"))
        insert_many(box, waiting)
        box.until(lambda: not box.rows("outbox", "state = 'new' LIMIT 1"), 600)
        box.sim.plug("front")
        taken = answered(box, 100)
    return _SUBMIT_S + statistics.median(gaps(taken[5:]))
