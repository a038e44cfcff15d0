# SPDX-License-Identifier: Apache-2.0
"""The only place where the time comes from: wall time for people, monotonic time for pauses."""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path
from typing import Protocol

from gsmgw.errors import GsmgwError

#: Names the file of a rehearsal, docs/simulator.md.
MOVED_BY = "GSMGW_CLOCK"


_EPOCH = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
#: Wall time that parts from monotonic time by more than this was set.
_JUMP = dt.timedelta(minutes=5)


class Clock(Protocol):
    """What every part asks for the time; tests hand in one that they move."""

    def now(self) -> dt.datetime:
        """Return the wall time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never jump, for measuring pauses in this process."""


def moved_by() -> Path | None:
    """Return the file by which the clock is moved in a rehearsal; None: it is the machine's."""
    found = os.environ.get(MOVED_BY, "")
    return Path(found) if found else None


class SystemClock:
    """The machine's own clock; in a rehearsal it is ahead by the seconds that stand in a file."""

    def __init__(self, moved: Path | None = None) -> None:
        """Make the clock; `moved` is the file of a rehearsal, else that of the environment."""
        self._moved_by = moved or moved_by()

    def now(self) -> dt.datetime:
        """Return the wall time, aware, in UTC."""
        now = dt.datetime.now(dt.UTC)
        if self._moved_by is not None:
            now += dt.timedelta(seconds=float(self._moved_by.read_text("ascii")))
        return now

    def monotonic(self) -> float:
        """Return seconds that never jump, for measuring pauses in this process."""
        return time.monotonic()


class JumpWatch:
    """Notices when the wall time is set while the program runs. For one thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._difference = self._measure()

    def has_jumped(self) -> bool:
        """Tell whether wall time and monotonic time have parted since the last call."""
        before, self._difference = self._difference, self._measure()
        return abs(self._difference - before) > _JUMP

    def _measure(self) -> dt.timedelta:
        now = self._clock.now()
        return now - _EPOCH - dt.timedelta(seconds=self._clock.monotonic())


def since_boot() -> float:
    """Return seconds that never jump and go on while the machine sleeps, unlike `monotonic`."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def format_utc(at: dt.datetime) -> str:
    """Format an aware time as the store writes it: `2026-11-22T07:15:10.123Z`.

    Fixed width, so that text order is time order.
    """
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def parse_time(text: str, zone: dt.tzinfo) -> dt.datetime:
    """Read an ISO 8601 time, in UTC; without an offset it is wall time in `zone`.

    Raises:
        GsmgwError: the text is no ISO 8601 date and time.
    """
    try:
        at = dt.datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise GsmgwError(
            f"{text!r} is no time; write it as 2026-11-22T08:30:00+01:00"
            " or, in the clinic's own time, 2026-11-22 08:30"
        ) from error
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone)
    return at.astimezone(dt.UTC)
