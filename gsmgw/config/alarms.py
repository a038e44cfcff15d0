# SPDX-License-Identifier: Apache-2.0
"""What can be configured of watching by itself: who is told of alarms, and when."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator

from gsmgw.config import values
from gsmgw.config.group import Group

_MINUTE_S, _HOUR_S, _DAY_S = 60.0, 3600.0, 86400.0
_FINDING = re.compile(r"[a-z_]+\.[a-z_]+")

Level: TypeAlias = Literal["error", "warning"]


def _findings(found: object) -> tuple[str, ...]:
    """Read names of findings."""
    if not isinstance(found, list):
        raise ValueError("allowed is a list of findings: [signal.weak, disk.low]")  # noqa: TRY004 - pydantic collects ValueError only
    names = tuple(values.text(element).strip() for element in found)
    for name in names:
        if not _FINDING.fullmatch(name):
            raise ValueError(f"{name!r} is no finding; docs/operate.md lists them")
    return names


def _numbers(found: object) -> tuple[str, ...]:
    """Read one number, or a list of some."""
    listed = found if isinstance(found, list) else [found]
    numbers = tuple(values.text(element).strip() for element in listed)
    if not all(numbers):
        raise ValueError('allowed is a phone number, or a list of some: "+48500100201"')
    return numbers


def _site(found: object) -> str:
    text = values.text(found).strip()
    if not 1 <= len(text) <= 20 or not text.isprintable():
        raise ValueError("allowed are 1 to 20 characters: they stand in every text")
    return text


def _service_code(found: object) -> str:
    code = values.text(found).strip()
    if not re.fullmatch(r"[*#0-9]{2,32}", code, re.ASCII):
        raise ValueError('allowed is a service code in quotes, such as "*101#"')
    return code


def _pattern(found: object) -> str:
    text = values.text(found)
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"allowed is a regular expression: {error}") from error
    return text


class SelfTest(Group):
    """A message of each modem to its own SIM, once a day."""

    #: when; None: there is none
    at: Annotated[dt.time, BeforeValidator(values.time_of_day)] | None = None
    #: seconds within which it must come back
    within: Annotated[float, BeforeValidator(values.duration(_MINUTE_S, 12 * _HOUR_S))] = (
        10 * _MINUTE_S
    )


class Balance(Group):
    """The credit of a prepaid SIM, asked of the network."""

    ussd: Annotated[str, BeforeValidator(_service_code)]
    #: seconds between two questions
    every: Annotated[float, BeforeValidator(values.duration(_HOUR_S, 90 * _DAY_S))] = _DAY_S
    #: finds the amount in the answer: its first group, or all of it
    pattern: Annotated[str, BeforeValidator(_pattern)] = "([0-9][0-9 ]*[.,][0-9]{2})"
    #: None: only what it uses up a day decides
    warn_below: Annotated[float, BeforeValidator(values.decimal(0, 1_000_000))] | None = None


class AlarmSms(Group):
    """Alarms as SMS."""

    #: who gets them
    to: Annotated[tuple[str, ...], BeforeValidator(_numbers)] = ()
    #: the modem that sends them where it is not the one in trouble; None: any
    modem: Annotated[str, BeforeValidator(values.modem_name)] | None = None
    #: to each number in 24 hours; what is above waits and is told in one
    per_day: Annotated[int, BeforeValidator(values.whole(1, 1000))] = 10


class Alarms(Group):
    """Who is told when something stays wrong, and when it is well again."""

    #: program with arguments; () for none
    hook: Annotated[tuple[str, ...], BeforeValidator(values.arguments)] = ()
    sms: AlarmSms = AlarmSms()
    #: what this box is called in texts; None: the machine's name
    site: Annotated[str, BeforeValidator(_site)] | None = None
    #: least important findings that become alarms
    level: Annotated[Level, BeforeValidator(values.one_of("error", "warning"))] = "error"
    #: findings that do whatever their level
    also: Annotated[tuple[str, ...], BeforeValidator(_findings)] = ()
    #: findings that never do
    never: Annotated[tuple[str, ...], BeforeValidator(_findings)] = ()
    #: seconds that something is wrong before it is an alarm
    after: Annotated[float, BeforeValidator(values.duration(_MINUTE_S, _DAY_S))] = 5 * _MINUTE_S
    #: seconds that it is well again before the alarm is over
    over: Annotated[float, BeforeValidator(values.duration(_MINUTE_S, _DAY_S))] = 10 * _MINUTE_S
    #: seconds after which an alarm that goes on is told again; None: never
    repeat: Annotated[float, BeforeValidator(values.duration(_HOUR_S, 90 * _DAY_S))] | None = None

    @property
    def is_on(self) -> bool:
        """Whether anybody is told."""
        return bool(self.hook or self.sms.to)
