# SPDX-License-Identifier: Apache-2.0
"""What all benches share: sites, submits and their times, and rows of the table."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from site_support import Site

from gsmgw.simulator.books import Submit

#: What is measured, the figure, and what is to be reached ("" if nothing is promised).
Row = tuple[str, str, str]

#: Longest wait for anything, in seconds: a bench that stands still is to end.
PATIENCE_S = 300.0


def scenario(count: int = 1, **plan: str) -> dict[str, object]:
    """Return a network with so many modems that all behave alike."""
    names = ["front", "back", *(f"m{number}" for number in range(3, count + 1))][:count]
    return {
        "modems": [{"name": name, **plan} for name in names],
        "network": {"delivery": "50ms", "report": "50ms"},
    }


def milliseconds(seconds: float) -> str:
    """Return a time as it stands in the table."""
    return f"{seconds * 1000:.2f} ms"


def answered(box: Site, count: int) -> list[Submit]:
    """Wait until so many parts were taken and answered; return them."""
    done = box.sim.books.wait(
        lambda books: sum(one.answered_at is not None for one in books.taken) >= count, PATIENCE_S
    )
    assert done, box.log[-3000:]
    return [one for one in box.sim.books.taken if one.answered_at is not None][:count]


def next_submit(box: Site, before: int) -> Submit:
    """Wait for one submit more than there were; return it."""
    assert box.sim.books.wait(lambda books: len(books.submits) > before, PATIENCE_S)
    return box.sim.books.submits[before]


def gaps(submits: Sequence[Submit]) -> list[float]:
    """Return the times from an answer to the next AT+CMGS on the same modem, in seconds."""
    ordered = sorted(submits, key=lambda one: one.line_at)
    pairs = itertools.pairwise(ordered)
    return [after.line_at - one.answered_at for one, after in pairs if one.answered_at is not None]


def overhead(submits: Sequence[Submit]) -> float:
    """Return what a message costs beyond the modem's own time, in seconds."""
    span_s, busy_s = _span_and_busy(submits)
    return (span_s - busy_s) / len(submits)


def use(submits: Sequence[Submit]) -> float:
    """Return the share of a modem's time in which it had a message to send."""
    span_s, busy_s = _span_and_busy(submits)
    return busy_s / span_s


def _span_and_busy(submits: Sequence[Submit]) -> tuple[float, float]:
    """Return the time from the first AT+CMGS to the last answer, and the modem's part of it.

    The modem's part is what it took, not what it was told to take: after 3 s of sleep a timer of
    the simulator is up to 1.6 ms late, which no program can use.
    """
    done = [(one.line_at, one.written_at, one.answered_at or one.written_at) for one in submits]
    span_s = max(answered for _, _, answered in done) - min(line for line, _, _ in done)
    return span_s, sum(answered - written for _, written, answered in done)


def insert_many(box: Site, count: int, *, label: str = "Message", **columns: str) -> None:
    """Insert rows in one transaction, to a thousand numbers; equal texts are soon refused."""
    names = ["recipient", "text", *columns]
    marks = ", ".join("?" * len(names))
    connection = sqlite3.connect(box.database, timeout=60)
    with connection:
        connection.executemany(
            f"INSERT INTO outbox ({', '.join(names)}) VALUES ({marks})",
            (
                (f"+48500100{number % 1000:03d}", f"{label} {number}", *columns.values())
                for number in range(count)
            ),
        )
    connection.close()


def median_of(times: int, once: Callable[[int], float]) -> tuple[float, float]:
    """Measure so often; return the median and the worst, in seconds."""
    found = [once(number) for number in range(times)]
    return statistics.median(found), max(found)


def cpu_seconds(pid: int) -> float:
    """Return the processor time that the threads of a process have used."""
    used_ns = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it has just ended
            used_ns += int((task / "schedstat").read_text().split()[0])
    return used_ns / 1e9


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process in megabytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
