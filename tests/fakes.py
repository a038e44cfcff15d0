# SPDX-License-Identifier: Apache-2.0
"""Pretend things that tests put in the place of real ones."""

from __future__ import annotations

import datetime as dt


class FakeClock:
    """A clock that only the test moves."""

    def __init__(self, at: dt.datetime | None = None) -> None:
        self.at = at or dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
        self.seconds = 1000.0

    def now(self) -> dt.datetime:
        """Return the wall time, aware, in UTC."""
        return self.at

    def monotonic(self) -> float:
        """Return seconds that never jump."""
        return self.seconds

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.at += dt.timedelta(seconds=seconds)
        self.seconds += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back; no time passes."""
        self.at += dt.timedelta(seconds=seconds)
