# SPDX-License-Identifier: Apache-2.0
"""What single values of the configuration may look like: durations, switches, numbers, names.

Each function takes the string that stands in the file and returns the value, or raises ValueError
with words that say what is allowed; the caller adds where, and what was found.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Callable

from gsmgw import phone

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SWITCH = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
_MODEM_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
_USB_IDENTITY = re.compile(r"[0-9a-fA-F]{4}:[0-9a-fA-F]{4}")
_IMEI = re.compile(r"\d{14,16}")
_SERVICE_CENTRE = re.compile(r"\+\d{5,15}")
_TIME_OF_DAY = re.compile(r"(\d\d?):(\d\d)", re.ASCII)
_ROUTE = re.compile(r"\+[1-9]\d{0,14}|(?!00)\d{1,6}")


def parse_duration(text: str) -> float:
    """Return the seconds of `500ms`, `30s`, `10m`, `4h` or `90d`.

    Raises:
        ValueError: it is no number with one of these units.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            "allowed is a duration: a number and its unit, such as 500ms 30s 10m 4h 90d"
        )
    return float(match[1]) * _SECONDS[match[2]]


def format_duration(seconds: float) -> str:
    """Return seconds in the largest unit that fits evenly: 90.0 as `90s`, 3600.0 as `1h`."""
    if seconds != int(seconds):
        return f"{round(seconds * 1000)}ms"
    for unit in ("d", "h", "m"):
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{int(seconds / _SECONDS[unit])}{unit}"
    return f"{int(seconds)}s"


def duration(shortest_s: float, longest_s: float) -> Callable[[object], float]:
    """Return a reader of durations within limits."""
    allowed = f"{format_duration(shortest_s)} to {format_duration(longest_s)}"

    def read(found: object) -> float:
        seconds = parse_duration(_word(found))
        if not shortest_s <= seconds <= longest_s:
            raise ValueError(f"allowed is {allowed}")
        return seconds

    return read


def whole(lowest: int, highest: int) -> Callable[[object], int]:
    """Return a reader of whole numbers within limits."""
    allowed = f"allowed is a whole number from {lowest} to {highest}"

    def read(found: object) -> int:
        text = _word(found)
        # No more digits than needed: int() of a million digits takes its time.
        if not re.fullmatch(r"\d{1,12}", text, re.ASCII) or not lowest <= int(text) <= highest:
            raise ValueError(allowed)
        return int(text)

    return read


def decimal(lowest: float, highest: float) -> Callable[[object], float]:
    """Return a reader of decimal numbers within limits."""
    allowed = f"allowed is a number from {lowest:g} to {highest:g}"

    def read(found: object) -> float:
        text = _word(found)
        if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII):
            raise ValueError(allowed)
        if not lowest <= float(text) <= highest:
            raise ValueError(allowed)
        return float(text)

    return read


def one_of(*words: str) -> Callable[[object], str]:
    """Return a reader of one word out of a few, in any case; lower case is returned."""
    allowed = f"allowed is {words[0]}" if len(words) == 1 else f"allowed are {', '.join(words)}"

    def read(found: object) -> str:
        word = _word(found).lower()
        if word not in words:
            raise ValueError(allowed)
        return word

    return read


def switch(found: object) -> bool:
    """Read a switch."""
    word = _word(found).lower()
    if word not in _SWITCH:
        raise ValueError("allowed are on, off, yes, no, true, false")
    return _SWITCH[word]


def modem_name(found: object) -> str:
    """Read the name of a modem; it becomes part of file names."""
    return _matching(
        found, _MODEM_NAME, "a name of 1 to 32 letters A-Z a-z, digits, '-' and '_', for file names"
    )


def imei(found: object) -> str:
    """Read the serial number of a modem."""
    return _matching(found, _IMEI, "the 14 to 16 digits that AT+CGSN shows")


def usb_identity(found: object) -> str:
    """Read the vendor and product of a USB device; lower case is returned."""
    return _matching(
        found, _USB_IDENTITY, "vendor and product as lsusb shows them: 12d1:1506"
    ).lower()


def service_centre(found: object) -> str:
    """Read the number of a service centre."""
    return _matching(found, _SERVICE_CENTRE, "an international number with +")


def route(found: object) -> str:
    """Read the beginning of the numbers that a modem serves."""
    return _matching(
        found, _ROUTE, "the beginning of international numbers with +, such as +48, or a short code"
    )


def country(found: object) -> str:
    """Read a country; upper case is returned."""
    code = _word(found).upper()
    if not phone.is_country(code):
        raise ValueError("allowed is the two-letter code of a country, such as PL")
    return code


def timezone(found: object) -> str:
    """Read the name of a time zone that this machine knows."""
    name = _word(found)
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("allowed is a time zone's name, such as Europe/Warsaw") from error
    return name


def full_path(found: object) -> str:
    """Read the path of a device or program, from the root on."""
    text = _text(found)
    if not text.startswith("/"):
        raise ValueError("allowed is a full path, beginning with /")
    return text


def time_of_day(found: object) -> dt.time:
    """Read a time of the day."""
    match = _TIME_OF_DAY.fullmatch(text(found).strip())
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        raise ValueError("allowed is a time of the day, such as 08:00")
    return dt.time(int(match[1]), int(match[2]))


def arguments(found: object) -> tuple[str, ...]:
    """Read a program and its arguments."""
    if not isinstance(found, list):
        raise ValueError("allowed is a list: [/usr/local/bin/handler, argument]; no shell reads it")  # noqa: TRY004 - pydantic collects ValueError only
    words = tuple(text(element) for element in found)
    if words:
        full_path(words[0])
    return words


def text(found: object) -> str:
    """Read any one text."""
    return _text(found)


def _matching(found: object, pattern: re.Pattern[str], allowed: str) -> str:
    word = _word(found)
    if pattern.fullmatch(word) is None or not word.isascii():
        raise ValueError(f"allowed is {allowed}")
    return word


def _word(found: object) -> str:
    return _text(found).strip()


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise ValueError("allowed is a single value, not a list or a group of keys")  # noqa: TRY004 - pydantic collects ValueError only
    if "\0" in found:
        raise ValueError("allowed is a text without NUL characters")
    if any("\ud800" <= char <= "\udfff" for char in found):
        raise ValueError("allowed is a text without half characters (lone surrogates)")
    return found
