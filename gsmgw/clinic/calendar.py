# SPDX-License-Identifier: Apache-2.0
"""The clinic's calendar: when it is open, when texts may go out, and when a reminder falls.

Pure: it reads no clock. Moments go in aware and come out in UTC; hours are those on the wall, and
stay so over changes of the clock.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gsmgw import errors
from gsmgw.config import Config, Hours
from gsmgw.config.clinic import Offset

#: A moment outside the send window moves back over so many days at most.
DAYS_BACK = 7
#: No clinic is closed for longer without a day open between.
_DAYS_AHEAD = 400
_DAY = dt.timedelta(days=1)
_MIDNIGHT = dt.time()


@dataclass(frozen=True, slots=True)
class _Window:
    """Hours of the week without the days on which nobody is there."""

    hours: Hours
    closed: frozenset[dt.date]
    zone: ZoneInfo

    def holds(self, at: dt.datetime) -> bool:
        local = at.astimezone(self.zone)
        return local.date() not in self.closed and self.hours.allows(local)

    def has(self, day: dt.date) -> bool:
        return day not in self.closed and bool(self.hours.days[day.weekday()])

    def next(self, at: dt.datetime) -> dt.datetime:
        local = at.astimezone(self.zone)
        for _ in range(_DAYS_AHEAD):
            local = self.hours.next_allowed(local)
            if local.date() not in self.closed:
                break
            local = dt.datetime.combine(local.date() + _DAY, _MIDNIGHT, self.zone)
        return local.astimezone(dt.UTC)

    def last(self, at: dt.datetime) -> dt.datetime | None:
        if self.holds(at):
            return at.astimezone(dt.UTC)
        day = at.astimezone(self.zone).date()
        for _ in range(DAYS_BACK + 1):
            if day not in self.closed:
                for first, end in reversed(self.hours.days[day.weekday()]):
                    found = self._last_minute(day, first, end, at)
                    if found is not None:
                        return found
            day -= _DAY
        return None

    def _last_minute(
        self, day: dt.date, first: int, end: int, at: dt.datetime
    ) -> dt.datetime | None:
        """Return the last minute of a span that is not after `at`; None if all of it is."""
        if self._moments(day, first) and min(self._moments(day, first)) > at:
            return None
        for minute in range(end - 1, first - 1, -1):
            before = [moment for moment in self._moments(day, minute) if moment <= at]
            if before:
                return max(before)
        return None

    def _moments(self, day: dt.date, minute: int) -> list[dt.datetime]:
        """Return when the clock shows a minute: twice in autumn, never in the gap of spring."""
        wall = dt.datetime.combine(day, dt.time(minute // 60, minute % 60), self.zone)
        moments = [wall.replace(fold=fold).astimezone(dt.UTC) for fold in (0, 1)]
        shown = wall.replace(tzinfo=None)
        return [
            moment
            for moment in moments
            if moment.astimezone(self.zone).replace(tzinfo=None) == shown
        ]


class Calendar:
    """What the configuration says about time, as questions about a moment or a day.

    Immutable, callable from any thread; nothing here blocks.
    """

    def __init__(self, config: Config) -> None:
        """Read the hours.

        Raises:
            ConfigError: the configuration describes no clinic.
        """
        clinic = config.clinic
        if clinic is None:
            raise errors.ConfigError("clinic: is missing; without it there is no calendar")
        #: the clinic's own zone
        self.zone = config.zone
        self._sending = _Window(config.reminders.hours, clinic.closed, self.zone)
        self._opening = _Window(clinic.hours, clinic.closed, self.zone)

    # -- days and clocks --------------------------------------------------------------------------

    def local(self, at: dt.datetime) -> dt.datetime:
        """Return a moment on the clinic's clock, aware."""
        return at.astimezone(self.zone)

    def day(self, at: dt.datetime) -> dt.date:
        """Return the day of a moment on the clinic's clock."""
        return at.astimezone(self.zone).date()

    def moment(self, day: dt.date, clock: dt.time) -> dt.datetime:
        """Return when the clock at the wall shows a time on a day, in UTC.

        A time that the clock jumps over falls as long after the jump as it would stand after its
        beginning; one that it shows twice is the first.
        """
        return dt.datetime.combine(day, clock, self.zone).astimezone(dt.UTC)

    def day_bounds(self, day: dt.date) -> tuple[dt.datetime, dt.datetime]:
        """Return the beginning of a day and of the next one, in UTC."""
        return self.moment(day, _MIDNIGHT), self.moment(day + _DAY, _MIDNIGHT)

    def at(self, start: dt.datetime, offset: Offset) -> dt.datetime:
        """Return when an offset before a start falls, in UTC (R1).

        `2d at 10:00` is that clock time two days before, however the clock changed between; `3h`
        are three hours that pass.
        """
        if offset.days is None or offset.clock is None:
            return start.astimezone(dt.UTC) - dt.timedelta(seconds=offset.seconds)
        return self.moment(self.day(start) - dt.timedelta(days=offset.days), offset.clock)

    # -- the send window (R2) ---------------------------------------------------------------------

    def within_window(self, at: dt.datetime) -> bool:
        """Tell whether automatic texts may go out: `reminders.hours` without closed days."""
        return self._sending.holds(at)

    def earlier(self, at: dt.datetime) -> dt.datetime | None:
        """Return the last allowed minute that is not after a moment; None within a week: none."""
        return self._sending.last(at)

    def next_allowed(self, at: dt.datetime) -> dt.datetime:
        """Return the first allowed moment that is not before the one given."""
        return self._sending.next(at)

    # -- when people are there --------------------------------------------------------------------

    def is_open(self, at: dt.datetime) -> bool:
        """Tell whether people answer the phone: `clinic.hours` without closed days."""
        return self._opening.holds(at)

    def next_opening(self, at: dt.datetime) -> dt.datetime:
        """Return the first moment, not before the one given, at which people are there."""
        return self._opening.next(at)

    def working_day_after(self, day: dt.date) -> dt.date:
        """Return the next day on which people are there."""
        for _ in range(_DAYS_AHEAD):
            day += _DAY
            if self._opening.has(day):
                break
        return day
