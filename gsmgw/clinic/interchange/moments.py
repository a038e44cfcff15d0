# SPDX-License-Identifier: Apache-2.0
"""Dates and times as tables write them; one form for a whole file, never day and month mixed."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterable, Sequence

#: Forms of dates, the likeliest first.
FORMS = (
    "%d.%m.%Y",
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%d-%m-%Y",
    "%m/%d/%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%y",
    "%d/%m/%y",
    "%d-%m-%y",
    "%m/%d/%y",
    "%Y%m%d",
)
#: Forms that read the same signs as another day.
_OTHER = {
    "%d/%m/%Y": "%m/%d/%Y",
    "%m/%d/%Y": "%d/%m/%Y",
    "%d/%m/%y": "%m/%d/%y",
    "%m/%d/%y": "%d/%m/%y",
}
#: Countries that write the month first.
MONTH_FIRST = frozenset({"US", "PH"})

#: No form of a date is longer.
_LONGEST_DATE = 40
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", re.ASCII)
_TIME = re.compile(
    r"(?:godz\.?\s*)?(\d{1,2})(?:[:.h](\d{2}))?(?::\d{2}(?:\.\d+)?)?"
    r"\s*(?:([ap])\.?m?\.?|(uhr)|hs?|hrs|ч\.?)?",
    re.ASCII | re.IGNORECASE,
)
#: `10:15 - 10:35`: the visit begins with the first.
_UNTIL = re.compile(r"(?<=\d)\s*[-\u2013]\s*\d{1,2}[:.]\d\d\s*$")
#: A day of the week before a date, and the word for year behind it.
_CLOCK = re.compile(r"[T ,]\d{1,2}(?:[:h]|\.(?=\d\d\b))", re.IGNORECASE)
_WEEKDAY = re.compile(r"^[^\W\d_]+\.?,?\s+(?=\d)")
_YEAR = re.compile(r"(?<=\d{4})\s*(?:r|\u0433|\u0440)\.?$")
_YEAR_AHEAD = re.compile(r"^(?:r|\u0433|\u0440)\.?,?\s+")
#: What spreadsheets add to a date that has no time.
_MIDNIGHT = re.compile(r"[T ]00:00(?::00(?:\.0+)?)?$")


def bare(text: str) -> str:
    """Return a date without what may stand around it: midnight, a day of the week, `r.`."""
    return _YEAR.sub("", _WEEKDAY.sub("", _MIDNIGHT.sub("", text.strip())))


def has_time(text: str) -> bool:
    """Tell whether a time stands behind a date: `05.03.2026 10:15`."""
    return _CLOCK.search(bare(text)) is not None


def choose(texts: Iterable[str], country: str) -> tuple[str | None, bool]:
    """Return the form in which most of these dates can be read, and whether another fits as well.

    Args:
        texts: dates of one column.
        country: two letters; decides whether 05/03 is in March or in May.
    """
    dates = list(dict.fromkeys(bare(text) for text in texts if text.strip()))[:2000]
    forms = sorted(FORMS, key=lambda form: not form.startswith("%m") or country not in MONTH_FIRST)
    counts = {form: sum(read_date(text, (form,)) is not None for text in dates) for form in forms}
    best = max(forms, key=lambda form: counts[form])
    if not counts[best]:
        return None, False
    other = _OTHER.get(best)
    return best, other is not None and counts[other] == counts[best]


def day_of(text: str) -> str:
    """Return the date in front of a time: `05.03.2026 10:15`, `2026-03-05T10:15`."""
    text = _WEEKDAY.sub("", text.strip())
    day = text.strip().partition(" ")[0].rstrip(",")
    return day[:10] if day[10:11] == "T" else day


def read_date(text: str, forms: Sequence[str]) -> dt.date | None:
    """Return the day, read in the first form that fits; None if none does."""
    found = _read_date(bare(text), tuple(forms))
    # A form that was configured may name the words around it: `%a %d.%m.%Y`.
    return found or _read_date(" ".join(text.split()), tuple(forms))


@functools.lru_cache(maxsize=4096)
def _read_date(text: str, forms: tuple[str, ...]) -> dt.date | None:
    if len(text) > _LONGEST_DATE or not text.isascii():
        return None
    for form in forms:
        if form == "%Y%m%d" and len(text) != len("20260305"):
            continue  # %m and %d would take one digit each
        try:
            return dt.datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None


def read_time(text: str) -> dt.time | None:
    """Return a time of the day: 9:30, 09.30, 9h30, 09:30:00, 2:15 PM; None if it is none."""
    match = _TIME.fullmatch(_UNTIL.sub("", text.strip()))
    if match is None or not any((match[2], match[3], match[4])):
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    if match[3]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match[3] in "pP" else 0)
    return dt.time(hour, minute) if hour < 24 and minute < 60 else None


def read_start(text: str, forms: Sequence[str], zone: dt.tzinfo) -> dt.datetime | None:
    """Return a moment: ISO 8601, or a date in one of the forms and a time; None if it is none."""
    text = _WEEKDAY.sub("", " ".join(text.split()))
    if not _ISO.match(text):
        day, _, clock = text.partition(" ")
        clock = _YEAR_AHEAD.sub("", clock)
        date, time = read_date(day.rstrip(","), forms), read_time(clock)
        if date is None or time is None:
            return None
        return dt.datetime.combine(date, time, zone)
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=zone)
