# SPDX-License-Identifier: Apache-2.0
"""Hours of the week in which something may be sent, right through changes of the clock."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from dataclasses import dataclass

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_RANGE = re.compile(r"([a-z]{3})(?:\s*-\s*([a-z]{3}))?")
_SPAN = re.compile(r"(\d\d?):(\d\d)\s*-\s*(\d\d?):(\d\d)")
_DAY_MINUTES = 24 * 60
_MINUTE = dt.timedelta(minutes=1)
# No zone has ever moved its clock by more than a day; Samoa skipped a whole one in 2011.
_LONGEST_GAP = dt.timedelta(hours=25)

#: From one minute of the day to another, the second one outside; 0..1440.
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Hours:
    """Spans of allowed time for each day of the week, on the clock at the wall."""

    days: tuple[tuple[Span, ...], ...]  #: seven, from Monday; sorted, without overlap

    def allows(self, local: dt.datetime) -> bool:
        """Tell whether a local time lies in the hours; the end of a span is outside."""
        minute = local.hour * 60 + local.minute
        return any(start <= minute < end for start, end in self.days[local.weekday()])

    def next_allowed(self, local: dt.datetime) -> dt.datetime:
        """Return the first allowed moment that is not before an aware local time, in its zone.

        Where the clock jumps over the beginning of a span, that is the moment after the jump.
        """
        if self.allows(local):
            return local
        now = local.astimezone(dt.UTC)
        # A span may lie in a gap of the clock; then the same day of the next week counts.
        for days_ahead in range(15):
            date = local.date() + dt.timedelta(days=days_ahead)
            moments = [
                moment
                for start, _end in self.days[date.weekday()]
                for moment in _moments(date, start, local.tzinfo)
                if moment >= now and self.allows(moment.astimezone(local.tzinfo))
            ]
            if moments:
                return min(moments).astimezone(local.tzinfo)
        raise ValueError("these hours never come")  # parse_hours refuses such

    def __str__(self) -> str:
        """Return the hours as the configuration writes them, one entry a day."""
        return "; ".join(
            f"{name} {', '.join(f'{_clock(start)}-{_clock(end)}' for start, end in spans)}"
            for name, spans in zip(_DAYS, self.days, strict=True)
            if spans
        )


def parse_hours(found: object) -> Hours:
    """Read hours from `{mon-fri: "08:00-12:00, 14:00-18:00", sat: "09:00-13:00"}`.

    A day that is not named is closed.

    Raises:
        ValueError: it is no such mapping; the words say what is allowed.
    """
    if not isinstance(found, dict):
        raise ValueError('allowed are days with hours, such as {mon-sat: "08:00-20:00"}')  # noqa: TRY004 - pydantic collects ValueError only
    days: list[tuple[Span, ...] | None] = [None] * 7
    for names, spans in found.items():
        parsed = _parse_spans(spans)
        for day in _parse_days(str(names)):
            if days[day] is not None:
                raise ValueError(
                    f"{_DAYS[day]} stands there twice; write all its hours in one entry"
                )
            days[day] = parsed
    if not any(days):
        raise ValueError("no hour of the week is left; leave the key out to allow all hours")
    return Hours(tuple(spans or () for spans in days))


def _parse_days(text: str) -> list[int]:
    days: list[int] = []
    for item in text.lower().split(","):
        match = _DAY_RANGE.fullmatch(item.strip())
        first, last = (match[1], match[2] or match[1]) if match else ("", "")
        if first not in _DAYS or last not in _DAYS:
            raise ValueError(
                f"{text!r} is no day; allowed are {' '.join(_DAYS)}, mon-fri, or sat,sun"
            )
        start, end = _DAYS.index(first), _DAYS.index(last)
        days.extend((start + step) % 7 for step in range((end - start) % 7 + 1))
    return days


def _parse_spans(found: object) -> tuple[Span, ...]:
    texts = found if isinstance(found, list) else str(found).split(",")
    if found == "closed":
        return ()
    spans = sorted(_parse_span(str(text)) for text in texts)
    if any(former[1] > later[0] for former, later in itertools.pairwise(spans)):
        raise ValueError(f"{found!r} names some time twice")
    return tuple(spans)


def _parse_span(text: str) -> Span:
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'{text!r} are no hours; allowed are "08:00-20:00" or closed')
    start_hour, start_minute, end_hour, end_minute = (int(group) for group in match.groups())
    start, end = start_hour * 60 + start_minute, end_hour * 60 + end_minute
    if start_minute > 59 or end_minute > 59 or end > _DAY_MINUTES:
        raise ValueError(f"{text!r} names a time that no day has; the last one is 24:00")
    if start >= end:
        raise ValueError(
            f"{text!r} ends before it begins; hours over midnight are written as two days"
        )
    return start, end


def _moments(date: dt.date, start: int, zone: dt.tzinfo | None) -> list[dt.datetime]:
    """Return when the clock shows this minute (twice in autumn), or when it jumps over it."""
    wall = dt.datetime.combine(date, dt.time(start // 60, start % 60), zone)
    moments = [wall.replace(fold=fold).astimezone(dt.UTC) for fold in (0, 1)]
    if moments[0].astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return moments
    return [_end_of_gap(moments[0], zone)]


def _end_of_gap(inside: dt.datetime, zone: dt.tzinfo | None) -> dt.datetime:
    """Return the moment at which the clock jumped, for a moment computed as if it had not."""
    after, before = inside, inside - _LONGEST_GAP
    offset = after.astimezone(zone).utcoffset()
    while after - before > _MINUTE:
        middle = before + ((after - before) / 2 // _MINUTE) * _MINUTE
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
