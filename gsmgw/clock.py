# SPDX-License-Identifier: Apache-2.0
"""The only place where the time comes from: wall time for people, monotonic time for pauses."""

from __future__ import annotations

import datetime as dt
import time
from typing import Protocol

from gsmgw.errors import GsmgwError


class Clock(Protocol):
    """What every part asks for the time; tests hand in one that they move."""

    def now(self) -> dt.datetime:
        """Return the wall time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never jump, for measuring pauses in this process."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> dt.datetime:
        """Return the wall time, aware, in UTC."""
        return dt.datetime.now(dt.UTC)

    def monotonic(self) -> float:
        """Return seconds that never jump, for measuring pauses in this process."""
        return time.monotonic()


def since_boot() -> float:
    """Return seconds that never jump and go on while the machine sleeps, unlike `monotonic`."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def format_utc(at: dt.datetime) -> str:
    """Format an aware time as the store writes it: `2026-11-22T07:15:10.123Z`.

    Fixed width, so that text order is time order.
    """
    at = at.astimezone(dt.UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


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
