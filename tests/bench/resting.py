# SPDX-License-Identifier: Apache-2.0
"""What the daemon costs while nothing happens, and how fast it starts."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from measuring import Row, cpu_seconds, memory_mb, next_submit, scenario
from site_support import Site, site

_MINUTE_S = 60.0


def start(folder: Path) -> list[Row]:
    """From the start of the process to the first AT+CMGS, a message waiting."""
    times = []
    with site(folder / "box", scenario()) as box:  # the database is made now
        box.stop()
        for number in range(5):
            box.insert(f"+4850010020{number}", "first")
            before = len(box.sim.books.submits)
            started = time.monotonic()
            box.start(wait=False)
            times.append(next_submit(box, before).line_at - started)
            box.until_state(number + 1, "sent", "delivered")
            box.stop()
    found = statistics.median(times)
    return [("start to the first AT+CMGS, median of 5", f"{found:.2f} s", "1 s")]


def idle(folder: Path) -> list[Row]:
    """An idle minute: processor time, AT commands, memory."""
    with site(folder / "box", scenario()) as box:
        box.insert("+48500100201", "first")
        box.until_state(1, "delivered")
        time.sleep(5)
        assert box.process is not None
        pid = box.process.pid
        before, commands = cpu_seconds(pid), _commands(box)
        time.sleep(_MINUTE_S)
        used, asked = cpu_seconds(pid) - before, _commands(box) - commands
        memory = memory_mb(pid)
    return [
        ("idle minute, processor time", f"{used:.3f} s", "0.05 s"),
        ("idle minute, AT commands", str(asked), "20"),
        ("memory, one modem", f"{memory:.0f} MB", "60 MB"),
    ]


def _commands(box: Site) -> int:
    return sum(int(str(state["commands"])) for state in box.sim.state().values())
