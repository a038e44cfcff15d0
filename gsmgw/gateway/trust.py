# SPDX-License-Identifier: Apache-2.0
"""Whether this machine's clock can be believed; while it cannot, nothing expires or falls due.

A box without a battery starts in the past: yesterday's reminders would look current and every
planned message would wait for ever, or go out at once. The clock is suspect while it stands before
the newest row in the database, or more than five minutes from the network's time.
"""

from __future__ import annotations

import datetime as dt

from gsmgw import logs
from gsmgw.clock import Clock, format_utc
from gsmgw.store import upkeep
from gsmgw.store.database import Database

log = logs.get("gateway")

#: Network time and ours may differ by this much.
TOLERANCE = dt.timedelta(minutes=5)
#: Rows written at the same moment by another process may be ahead by this much.
SLACK = dt.timedelta(seconds=5)


class ClockTrust:
    """Holds the verdict; written by one service, read by all threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._newest: dt.datetime | None = None
        #: what the network told, and when by the clock that never jumps
        self._network: tuple[dt.datetime, float] | None = None
        self.is_suspect = False

    def look(self, db: Database) -> bool:
        """Compare the clock with the newest row; return whether it is suspect."""
        newest = upkeep.newest_time(db)
        now = self._clock.now()
        behind = newest is not None and now < dt.datetime.fromisoformat(newest) - SLACK
        away = abs(self._network_offset(now)) > TOLERANCE
        self._newest = None if newest is None else dt.datetime.fromisoformat(newest)
        self._judge(behind=behind, away=away, now=now)
        return self.is_suspect

    def learn_network_time(self, network: dt.datetime) -> None:
        """Take note of the time that the network told just now. Callable from any thread."""
        self._network = (network, self._clock.monotonic())

    def _network_offset(self, now: dt.datetime) -> dt.timedelta:
        """Return how far the network's time is ahead of ours, also after ours was corrected."""
        if self._network is None:
            return dt.timedelta()
        told, at = self._network
        return told + dt.timedelta(seconds=self._clock.monotonic() - at) - now

    def _judge(self, *, behind: bool, away: bool, now: dt.datetime) -> None:
        suspect = behind or away
        if suspect and not self.is_suspect:
            why = (
                f"it shows {format_utc(now)}, but the newest row was written at"
                f" {format_utc(self._newest)}"
                if behind and self._newest is not None
                else f"the network's time is {self._network_offset(now).total_seconds():.0f} s away"
            )
            log.error("clock.suspect", why=why)
        elif self.is_suspect and not suspect:
            log.info("clock.trusted", now=format_utc(now))
        self.is_suspect = suspect
