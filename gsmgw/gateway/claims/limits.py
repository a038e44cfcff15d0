# SPDX-License-Identifier: Apache-2.0
"""What a modem must not send now: limits of its SIM and the hours of surveys and marketing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gsmgw.clock import format_utc
from gsmgw.config import Config, Limits
from gsmgw.model import Category, Priority
from gsmgw.store import outbox
from gsmgw.store.database import Database, Transaction

#: Surveys and marketing leave the rest of a limit to the care of patients.
SHARE_OF_THE_LESS_URGENT = 0.8

#: They wait for `sending.hours`.
LESS_URGENT = (Category.SURVEY, Category.MARKETING)
_ROUTINE_OF_LESS_URGENT = frozenset(
    outbox.rank(Priority.ROUTINE, category) for category in LESS_URGENT
)
_ROUTINE = frozenset(outbox.rank(Priority.ROUTINE, category) for category in Category)
_OUTSIDE_HOURS = frozenset().union(*(outbox.ranks_of(category) for category in LESS_URGENT))


def barred_ranks(
    config: Config,
    limits: Limits,
    db: Database | Transaction,
    sim_id: int | None,
    now: dt.datetime,
    *,
    is_suspect: bool = False,
) -> frozenset[int]:
    """Return the ranks that must wait: nothing of priority urgent and above ever does for a limit.

    Outside `sending.hours` surveys and marketing wait whatever their priority; so they do while the
    clock is suspect, because nobody knows the hour.
    """
    barred: frozenset[int] = frozenset()
    hours = config.sending.hours
    zone = ZoneInfo(config.timezone)
    if hours is not None and (is_suspect or not hours.allows(now.astimezone(zone))):
        barred = _OUTSIDE_HOURS
    if sim_id is None:
        return barred
    used = max((use.share for use in uses(limits, db, sim_id, now, zone)), default=0.0)
    if used >= 1:
        return barred | _ROUTINE
    if used >= SHARE_OF_THE_LESS_URGENT:
        return barred | _ROUTINE_OF_LESS_URGENT
    return barred


@dataclass(frozen=True, slots=True)
class Use:
    """How far a SIM has used up one of its limits."""

    per: str  #: minute, hour, day or month
    limit: int
    used: int

    @property
    def share(self) -> float:
        """Return what is used of it, 1 for all."""
        return self.used / self.limit


def uses(
    limits: Limits, db: Database | Transaction, sim_id: int, now: dt.datetime, zone: ZoneInfo
) -> list[Use]:
    """Count each limit that there is, from the shortest: the last minute and hour, day, month."""
    day = _midnight(now, zone)
    windows = (
        ("minute", now - dt.timedelta(minutes=1), limits.per_minute),
        ("hour", now - dt.timedelta(hours=1), limits.per_hour),
        ("day", day, limits.per_day),
        ("month", day.replace(day=1), limits.per_month),
    )
    return [
        Use(per, limit, outbox.sent_since(db, sim_id, format_utc(since)))
        for per, since, limit in windows
        if limit is not None
    ]


def sent_today(db: Database, sim_id: int | None, now: dt.datetime, zone: dt.tzinfo) -> int | None:
    """Count the parts that a SIM has got rid of since midnight; None where there is no SIM."""
    return (
        None if sim_id is None else outbox.sent_since(db, sim_id, format_utc(_midnight(now, zone)))
    )


def _midnight(now: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
