# SPDX-License-Identifier: Apache-2.0
"""Days and hours as texts for patients write them, in the language of each.

Dates are explicit: weekday, day and month, time of 24 hours; a text may be read on another day.
"""

# ruff: noqa: RUF001 (Cyrillic days)

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass

from gsmgw.config import Hours


@dataclass(frozen=True, slots=True)
class Manner:
    """How one language writes days."""

    weekdays: tuple[str, ...]  #: short, from Monday
    date: str = "{day:02d}.{month:02d}"
    months: tuple[str, ...] = ()  #: short, from January; where numbers could be read the other way


def _manner(weekdays: str, date: str = "{day:02d}.{month:02d}", months: str = "") -> Manner:
    return Manner(tuple(weekdays.split()), date, tuple(months.split()))


_SLASH = "{day:02d}/{month:02d}"
_MANNERS = {
    "cs": _manner("po út st čt pá so ne"),
    "de": _manner("Mo. Di. Mi. Do. Fr. Sa. So."),
    # 05/03 is the fifth of March for some and the third of May for others.
    "en": _manner(
        "Mon Tue Wed Thu Fri Sat Sun",
        "{day} {name}",
        "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    ),
    "es": _manner("lun mar mié jue vie sáb dom", _SLASH),
    "fr": _manner("lun. mar. mer. jeu. ven. sam. dim.", _SLASH),
    "it": _manner("lun mar mer gio ven sab dom", _SLASH),
    "nl": _manner("ma di wo do vr za zo"),
    "pl": _manner("pon. wt. śr. czw. pt. sob. niedz."),
    "pt": _manner("seg ter qua qui sex sáb dom", _SLASH),
    "ro": _manner("lun mar mie joi vin sâm dum"),
    "ru": _manner("пн вт ср чт пт сб вс"),
    "sk": _manner("po ut st št pi so ne"),
    "uk": _manner("пн вт ср чт пт сб нд"),
}
#: Of a language that is not there: the date says it all.
_OTHER = Manner(("",) * 7)


def moment(local: dt.datetime, language: str) -> dict[str, str]:
    """Return `weekday`, `date` and `time` of a local time."""
    manner = _MANNERS.get(language, _OTHER)
    name = manner.months[local.month - 1] if manner.months else ""
    return {
        "weekday": manner.weekdays[local.weekday()],
        "date": manner.date.format(day=local.day, month=local.month, name=name),
        "time": f"{local:%H:%M}",
    }


def hours(spans: Hours, language: str) -> str:
    """Return hours of the week in short: `pon.-pt. 8-18, sob. 9-13`."""
    names = _MANNERS.get(language, _MANNERS["en"]).weekdays
    said = []
    for day_spans, group in itertools.groupby(enumerate(spans.days), key=lambda day: day[1]):
        days = [number for number, _ in group]
        if not day_spans:
            continue
        which = names[days[0]] if len(days) == 1 else f"{names[days[0]]}-{names[days[-1]]}"
        times = "/".join(f"{_clock(start)}-{_clock(end)}" for start, end in day_spans)
        said.append(f"{which} {times}")
    return ", ".join(said)


def _clock(minute: int) -> str:
    return f"{minute // 60}" if minute % 60 == 0 else f"{minute // 60}:{minute % 60:02d}"
