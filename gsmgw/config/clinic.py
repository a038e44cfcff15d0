# SPDX-License-Identifier: Apache-2.0
"""What can be configured for a clinic: its hours, its reminders, its people, its files.

Fields have the names of the keys. Durations are seconds. Dates and hours are the clinic's own.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from gsmgw.config import values
from gsmgw.config.group import FilePath, Group, Switch
from gsmgw.config.hours import Hours, parse_hours

_HOUR_S, _DAY_S = 3600.0, 86400.0

Variant: TypeAlias = Literal["a", "b", "split"]
Only: TypeAlias = Literal["unanswered", "always"]

_DAYS_AT = re.compile(r"(\d{1,3})d\s+at\s+(\d\d?):(\d\d)")
_LANGUAGE = re.compile(r"[a-z]{2}")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,31}")

#: Codes of tasks: what people are asked to do.
TASK_CODES = ("callback", "reschedule", "review", "unreachable", "urgent", "stopped", "uncertain")
#: What a column of a file of visits or patients may be.
VISIT_COLUMNS = (
    "appointment",
    "date",
    "time",
    "start",
    "minutes",
    "status",
    "practitioner",
    "service",
    "location",
    "patient",
    "first",
    "last",
    "name",
    "phone",
    "phone_of",
    "language",
    "birth_date",
    "gender",
    "consent",
    "active",
)


@dataclass(frozen=True, slots=True)
class Offset:
    """How long before a visit something is said: days and an hour at the wall, or a duration."""

    days: int | None  #: with `clock`; None: `seconds` before
    clock: dt.time | None
    seconds: float
    text: str  #: as the configuration writes it, without blanks; part of once-only keys


def parse_offset(found: object) -> Offset:
    """Read `2d at 10:00` (at the wall, right through changes of the clock) or `3h`."""
    text = " ".join(values.text(found).split())
    match = _DAYS_AT.fullmatch(text)
    if match is None:
        try:
            seconds = values.parse_duration(text)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds <= 365 * _DAY_S:
            raise ValueError('allowed are "2d at 10:00" and durations such as 3h')
        return Offset(None, None, seconds, text.replace(" ", ""))
    days, hour, minute = (int(group) for group in match.groups())
    if hour > 23 or minute > 59:
        raise ValueError(f"{text!r} names a time that no day has")
    return Offset(days, dt.time(hour, minute), days * _DAY_S, f"{days}d@{hour:02d}:{minute:02d}")


def _dates(found: object) -> frozenset[dt.date]:
    """Read days: 2026-12-24, or the same day of every year as 12-24."""
    if not isinstance(found, list):
        raise ValueError("allowed is a list of days: [2026-12-24, 2026-12-25]")  # noqa: TRY004 - pydantic collects ValueError only
    days = set()
    for element in found:
        try:
            days.add(dt.date.fromisoformat(values.text(element)))
        except ValueError as error:
            raise ValueError(f"{element!r} is no day; write it as 2026-12-24") from error
    return frozenset(days)


def _language(found: object) -> str:
    text = values.text(found).lower()
    if not _LANGUAGE.fullmatch(text):
        raise ValueError("allowed are two letters, such as pl")
    return text


def _word(found: object) -> str:
    text = values.text(found)
    if not _WORD.fullmatch(text):
        raise ValueError("allowed are small letters, digits and _, such as reminder")
    return text


def _codes(found: object) -> tuple[str, ...]:
    if found == "all":
        return TASK_CODES
    if not isinstance(found, list):
        raise ValueError(f"allowed is a list of {', '.join(TASK_CODES)}, or all")  # noqa: TRY004 - pydantic collects ValueError only
    read = values.one_of(*TASK_CODES)
    return tuple(read(element) for element in found)


def _columns(found: object) -> dict[str, str]:
    """Read which column of the file is what; names are compared without case."""
    if not isinstance(found, dict):
        raise ValueError("allowed are keys with names of columns: {appointment: nr_wizyty}")  # noqa: TRY004 - pydantic collects ValueError only
    for key in found:
        if key not in VISIT_COLUMNS:
            raise ValueError(f"{key!r} is unknown; allowed are {', '.join(VISIT_COLUMNS)}")
    return {str(key): values.text(name) for key, name in found.items()}


def _formats(found: object) -> tuple[str, ...]:
    texts = found if isinstance(found, list) else [found]
    formats = tuple(values.text(text) for text in texts)
    for text in formats:
        try:
            sample = dt.datetime(2026, 3, 5, 14, 7).strftime(text)  # noqa: DTZ001 - a sample
            dt.datetime.strptime(sample, text)  # noqa: DTZ007 - only whether it can be read
        except ValueError as error:
            raise ValueError(f"{text!r} is no form of a date; allowed is %d.%m.%Y") from error
        if "%" not in text:
            raise ValueError(f"{text!r} is no form of a date; allowed is %d.%m.%Y")
    return formats


def _window(found: object) -> str:
    text = values.text(found)
    parse_hours({"mon": text})
    return text


def _keyed(found: object) -> object:
    if not isinstance(found, dict):
        raise ValueError("a group of keys is wanted here")  # noqa: TRY004 - pydantic collects ValueError only
    return found


Text: TypeAlias = Annotated[str, BeforeValidator(values.text)]


class Location(Group):
    """A site of the clinic, where it differs from the clinic."""

    name: Text | None = None
    phone: Text | None = None


class Clinic(Group):
    """The clinic: without this group the clinic layer is off."""

    name: Text  #: short; the first words of each text
    phone: Text  #: of reception, as patients are to dial it
    language: Annotated[str, BeforeValidator(_language)] = "pl"
    #: when people answer the phone
    hours: Annotated[Hours, BeforeValidator(parse_hours)] = parse_hours({"mon-fri": "08:00-18:00"})
    #: days on which nobody is there, and nothing automatic is sent
    closed: Annotated[frozenset[dt.date], BeforeValidator(_dates)] = frozenset()
    emergency: Text = "112"
    #: words of `location` in the clinic's files
    locations: Annotated[dict[str, Location], BeforeValidator(_keyed)] = Field(default_factory=dict)
    #: a file with own texts, in the form of templates.yaml; what it lacks is ours
    templates: FilePath | None = None


class Step(Group):
    """One text of a reminder plan."""

    template: Annotated[str, BeforeValidator(_word)] = "reminder"
    at: Annotated[Offset, BeforeValidator(parse_offset)]
    asks: Switch = False
    only: Annotated[Only, BeforeValidator(values.one_of("unanswered", "always"))] = "always"


def _step(at: str, *, only: Only = "always") -> Step:
    return Step.model_validate({"at": at, "asks": "yes", "only": only})


Count: TypeAlias = Annotated[int, BeforeValidator(values.whole(1, 1000))]


class PerPhone(Group):
    """How many automatic texts one phone gets."""

    day: Count = 3
    week: Count | None = None
    marketing_days: Count = 30  #: days between two texts of this category
    survey_days: Count = 30


class Budget(Group):
    """What texts cost."""

    segment_price: Annotated[float, BeforeValidator(values.decimal(0, 1000))] = 0.0
    #: parts a day; above it surveys and marketing wait and a person is told. None: not limited
    day: Annotated[int, BeforeValidator(values.whole(1, 1_000_000))] | None = None


class Reminders(Group):
    """What is said to patients of their visits, and when."""

    #: the send window of everything automatic; the clinic's closed days are outside
    hours: Annotated[Hours, BeforeValidator(parse_hours)] = parse_hours({"mon-sat": "08:00-20:00"})
    variant: Annotated[Variant, BeforeValidator(values.one_of("a", "b", "split"))] = "a"
    #: seconds before a visit from which on a text cancels nothing
    cutoff: Annotated[float, BeforeValidator(values.duration(0, 30 * _DAY_S))] = 4 * _HOUR_S
    #: less time than this before a visit, and no reminder makes sense
    min_lead: Annotated[float, BeforeValidator(values.duration(0, 30 * _DAY_S))] = 2 * _HOUR_S
    booked: Switch = True  #: say each new booking back
    welcome: Switch = False  #: greet each new phone, once
    missed: Switch = True  #: write to those who did not come, the next working day
    per_phone: PerPhone = PerPhone()
    budget: Budget = Budget()
    plan: tuple[Step, ...] = (_step("2d at 10:00"), _step("1d at 10:00", only="unanswered"))
    #: other plans, by the word that `service` holds in the clinic's files
    by_service: Annotated[dict[str, tuple[Step, ...]], BeforeValidator(_keyed)] = Field(
        default_factory=dict
    )
    #: services of which nothing is ever said
    never_text: tuple[Text, ...] = ()
    #: doses missed in a row that make a task
    doses_missed: Count = 3
    #: seconds after the last question without an answer until a visit is to be rung up
    call_after: Annotated[float, BeforeValidator(values.duration(0, 30 * _DAY_S))] = _HOUR_S


class StaffMember(Group):
    """A person or a desk that is told of work."""

    phone: Text
    gets: Annotated[tuple[str, ...], BeforeValidator(_codes)] = ()
    #: None: at any hour
    hours: Annotated[Hours, BeforeValidator(parse_hours)] | None = None
    #: one text with what came in since, at this time of working days; None: none
    digest: Annotated[dt.time, BeforeValidator(values.time_of_day)] | None = None
    language: Annotated[str, BeforeValidator(_language)] | None = None


def _no_dialling(found: object) -> bool:
    if values.switch(found):
        raise ValueError("gsmgw does not dial by itself; people call, with gsmgw clinic calls")
    return False


class Calls(Group):
    """The list of patients to be rung up by people."""

    enabled: Annotated[bool, BeforeValidator(_no_dialling)] = False
    #: hours of dialling: understood, and of no effect here, where people ring up
    window: Annotated[str, BeforeValidator(_window)] | None = None
    tries: Count = 3


class Waitlist(Group):
    """Offers of freed slots, which other gateways make: understood, and of no effect here."""

    batch: Annotated[int, BeforeValidator(values.whole(1, 5))] = 3
    window: Annotated[float, BeforeValidator(values.duration(60, _DAY_S))] = 1800.0
    every: Annotated[float, BeforeValidator(values.duration(_HOUR_S, 30 * _DAY_S))] = 3 * _DAY_S


class Table(Group):
    """How the clinic's tables of visits or patients look; what is not given is guessed."""

    columns: Annotated[dict[str, str], BeforeValidator(_columns)] = Field(default_factory=dict)
    encoding: (
        Annotated[
            str,
            BeforeValidator(values.one_of("utf-8", "cp1250", "cp1251", "cp1252", "iso-8859-2")),
        ]
        | None
    ) = None
    delimiter: Annotated[str, BeforeValidator(values.one_of(";", ",", "|", "tab"))] | None = None
    dates: Annotated[tuple[str, ...], BeforeValidator(_formats)] = ()
    #: snapshot: a visit that a later file of the same days lacks is cancelled
    mode: Annotated[
        Literal["changes", "snapshot"], BeforeValidator(values.one_of("changes", "snapshot"))
    ] = "changes"


class Hl7(Group):
    """How HL7 messages are read."""

    #: overrides MSH-18, since many senders lie; None: as they say
    encoding: (
        Annotated[
            str,
            BeforeValidator(
                values.one_of("utf-8", "cp1250", "cp1251", "cp1252", "iso-8859-2", "iso-8859-5")
            ),
        ]
        | None
    ) = None


class Imports(Group):
    """How the clinic's files are read."""

    visits: Table = Table()
    patients: Table = Table()
    hl7: Hl7 = Hl7()


class Exports(Group):
    """How answers are handed back."""

    #: own: flat JSON; fhir: AppointmentResponse
    format: Annotated[Literal["own", "fhir"], BeforeValidator(values.one_of("own", "fhir"))] = "own"
    #: seconds that an answer stays in replies.csv
    keep: Annotated[float, BeforeValidator(values.duration(_DAY_S, 400 * _DAY_S))] = 30 * _DAY_S
