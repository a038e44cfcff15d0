# SPDX-License-Identifier: Apache-2.0
"""Reads the keys of a scenario one by one and collects every mistake: where, what, what else."""

from __future__ import annotations

import datetime as dt
import difflib
import re
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from gsmgw import errors
from gsmgw.pdu import address, segmentation

T = TypeVar("T")
Place = tuple[str | int, ...]
#: Turns what stands in a scenario into a value, or says with a ValueError what is wrong.
Parser = Callable[[object], object]

_SWITCHES = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_SECONDS = {"ms": 0.001, "s": 1.0, None: 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
#: Durations are bounded, so that no sum of times leaves what a calendar can hold.
_LONGEST_S = 3650 * _SECONDS["d"]
_OFFSET = re.compile(r"([+-])([01]\d|2[0-3]):?([0-5]\d)")
#: So much of a wrong value is shown.
_SHOWN = 80


class Sheet:
    """Where the mistakes of one scenario are gathered."""

    def __init__(self, where: Callable[[Place], str]) -> None:
        self.problems: list[str] = []
        self._where = where

    def complain(self, place: Place, text: str) -> None:
        """Note a mistake."""
        path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
        self.problems.append(f"{self._where(place)}: {path.removeprefix('.') or 'top'}: {text}")

    def group(self, value: object, place: Place) -> Group:
        """Take a value as a group of keys."""
        if isinstance(value, Mapping):
            return Group(self, {str(key): value[key] for key in value}, place)
        if value not in ("", None):
            self.complain(place, f"found {shown(value)}; wanted is a group of keys")
            return Group(self, {}, place, is_wrong=True)
        return Group(self, {}, place)

    def items(self, value: object, place: Place) -> list[tuple[object, Place]]:
        """Take a value as a list, each element with its place."""
        if isinstance(value, list | tuple):
            return [(item, (*place, number)) for number, item in enumerate(value)]
        if value not in ("", None):
            self.complain(place, f"found {shown(value)}; wanted is a list")
        return []


class Group:
    """The keys of one mapping; what is not asked for is a mistake."""

    def __init__(
        self, sheet: Sheet, values: dict[str, object], place: Place, *, is_wrong: bool = False
    ) -> None:
        self._sheet = sheet
        #: it is no group, which was said: that its keys are missing is no further mistake
        self._is_wrong = is_wrong
        self._values = values
        self._known: list[str] = []
        self.place = place

    def take(self, key: str, parse: Callable[[object], T], default: T) -> T:
        """Read a key; a missing or wrong one gives the default, a wrong one is noted."""
        self._known.append(key)
        value = self._values.get(key, "")
        if value in ("", None):
            return default
        try:
            return parse(value)
        except ValueError as error:
            self.complain(str(error), key)
            return default

    def need(self, key: str, parse: Callable[[object], T], default: T) -> T:
        """Read a key that must be there."""
        if self._values.get(key, "") in ("", None):
            self._known.append(key)
            self.complain("is missing", key)
            return default
        return self.take(key, parse, default)

    def group(self, key: str) -> Group:
        """Read a key as a group of keys; an empty group if it is not there."""
        self._known.append(key)
        return self._sheet.group(self._values.get(key, ""), (*self.place, key))

    def items(self, key: str) -> list[tuple[object, Place]]:
        """Read a key as a list."""
        self._known.append(key)
        return self._sheet.items(self._values.get(key, ""), (*self.place, key))

    def pairs(self) -> dict[str, str]:
        """Read all keys as texts, whatever they are."""
        self._known += self._values
        found = {}
        for key, value in self._values.items():
            try:
                found[key] = text(value)
            except ValueError as error:
                self.complain(str(error), key)
        return found

    def complain(self, text: str, *key: str) -> None:
        """Note a mistake of this group or of one of its keys."""
        if not self._is_wrong:
            self._sheet.complain((*self.place, *key), text)

    @property
    def keys(self) -> list[str]:
        """The keys that are there."""
        return list(self._values)

    def finish(self) -> None:
        """Complain about the keys that nobody asked for."""
        for key in self._values:
            if key not in self._known:
                self.complain(f"is no key here; {suggest(key, self._known)}", key)


def suggest(found: str, allowed: Iterable[str]) -> str:
    """Name the nearest allowed word and all of them."""
    words = list(allowed)
    near = difflib.get_close_matches(found, words, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{hint}allowed: {', '.join(words)}"


def shown(value: object) -> str:
    """Show a value in a message."""
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, Mapping):
        return "a group of keys"
    found = repr(value)
    return found if len(found) <= _SHOWN else f"{found[:_SHOWN]}..."


def text(value: object) -> str:
    """Read a text."""
    if isinstance(value, Mapping | list | tuple):
        raise ValueError(f"found {shown(value)}; wanted is a text")  # noqa: TRY004  # a wrong value
    return str(value)


def switch(value: object) -> bool:
    """Read yes or no."""
    found = _SWITCHES.get(str(value).strip().lower())
    if found is None:
        raise ValueError(f"found {shown(value)}; allowed: {', '.join(_SWITCHES)}")
    return found


def seconds(value: object) -> float:
    """Read a duration: 500ms, 2s, 1.5, 3m, 1h, 1d; a bare number is seconds."""
    match = _DURATION.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f"found {shown(value)}; allowed: a duration such as 500ms, 2s, 3m, 1h")
    found = float(match[1]) * _SECONDS[match[2]]
    if found > _LONGEST_S:
        raise ValueError(f"found {shown(value)}; allowed: at most 3650d")
    return found


def pause(value: object) -> float:
    """Read a duration of 1ms or more, after which something happens again and again."""
    found = seconds(value)
    if found < _SECONDS["ms"]:
        raise ValueError(f"found {shown(value)}; allowed: 1ms or longer")
    return found


def offset(value: object) -> float:
    """Read a duration that may be negative: -90s."""
    found = str(value).strip()
    return -seconds(found[1:]) if found.startswith("-") else seconds(found.removeprefix("+"))


def texts(value: object) -> tuple[str, ...]:
    """Read a list of texts; a single text is a list of one."""
    if isinstance(value, list | tuple):
        return tuple(text(item) for item in value)
    return (text(value),)


def whole(lowest: int, highest: int) -> Callable[[object], int]:
    """Read a whole number between two others; 0x… is allowed."""

    def parse(value: object) -> int:
        try:
            number = int(str(value).strip(), 0)
        except ValueError:
            number = lowest - 1
        if not lowest <= number <= highest:
            raise ValueError(f"found {shown(value)}; allowed: {lowest} to {highest}")
        return number

    return parse


def digits(least: int, most: int) -> Callable[[object], str]:
    """Read a text of digits of some length."""

    def parse(value: object) -> str:
        found = str(value).strip()
        if not (found.isascii() and found.isdigit() and least <= len(found) <= most):
            length = f"{least}" if least == most else f"{least} to {most}"
            raise ValueError(f"found {shown(value)}; allowed: {length} digits")
        return found

    return parse


def word(*allowed: str) -> Callable[[object], str]:
    """Read one of some words."""

    def parse(value: object) -> str:
        found = str(value)
        if found not in allowed:
            raise ValueError(f"found {shown(value)}; {suggest(found, allowed)}")
        return found

    return parse


def phone_number(value: object) -> str:
    """Read a number as phones show it: + and digits, or a short code."""
    found = str(value).strip()
    number = found.removeprefix("+")
    if not (number.isascii() and number.isdigit() and len(number) <= 15):
        raise ValueError(f"found {shown(value)}; allowed: a number such as +48500100201, or a code")
    return found


def sender(value: object) -> str:
    """Read who a text comes from: a number as it stands in a message, a name, or nobody."""
    found = str(value)
    try:
        address.encode_address(address.make_address(found))
    except errors.BadNumberError as error:
        raise ValueError(str(error)) from error
    return found


def message(value: object) -> str:
    """Read a text that fits into a message of at most 255 parts."""
    found = str(value)
    try:
        segmentation.segment(found)
    except errors.BadTextError as error:
        raise ValueError(str(error)) from error
    return found


def caller(value: object) -> str:
    """Read who calls: a number, or nothing where it is withheld."""
    return phone_number(value) if str(value).strip() else ""


def time_zone(value: object) -> dt.tzinfo:
    """Read a zone: Europe/Warsaw, UTC, +01:00."""
    found = str(value).strip()
    match = _OFFSET.fullmatch(found)
    if match is not None:
        offset = dt.timedelta(hours=int(match[2]), minutes=int(match[3]))
        return dt.timezone(-offset if match[1] == "-" else offset)
    try:
        return zoneinfo.ZoneInfo(found)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"found {shown(value)}; allowed: a zone such as Europe/Warsaw, or +01:00"
        ) from error
