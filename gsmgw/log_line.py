# SPDX-License-Identifier: Apache-2.0
"""How an event is written: values that cannot forge a line or steer a terminal; pure."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from enum import Enum

from gsmgw import clock
from gsmgw.model import LogLevel

#: A longer value is cut: a line is for reading, and journald splits at 48 KiB.
LONGEST_VALUE = 4000

# These make a value ambiguous on the line unless it stands in quotes.
_NEEDS_QUOTES = re.compile(r"[\s\"'=\\]")
_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"'}


def format_line(level: LogLevel, event: str, fields: dict[str, object]) -> str:
    """Return the line of an event, without line end; pure."""
    words = [level.name.lower(), _escape(event)]
    words.extend(
        f"{name}={format_value(value)}" for name, value in fields.items() if value is not None
    )
    return " ".join(words)


def visible(value: object) -> str:
    """Return a value for a field of the journal: as on the line, but in lines of its own."""
    return "".join(
        char if char.isprintable() or char == "\n" else _escape_char(char) for char in _cut(value)
    )


def _cut(value: object) -> str:
    shown = _plain(value)
    return f"{shown[:LONGEST_VALUE]}…" if len(shown) > LONGEST_VALUE else shown


def format_value(value: object) -> str:
    """Return a value as it stands on the line: in quotes, cut and escaped where needed."""
    shown = _cut(value)
    escaped = _escape(shown)
    if not shown or escaped != shown or _NEEDS_QUOTES.search(shown):
        return f'"{escaped}"'
    return shown


def _plain(value: object) -> str:
    match value:
        case str() if not isinstance(value, Enum):
            return value
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.3f}".rstrip("0").rstrip(".")
        case dt.datetime() if value.tzinfo is not None:
            return clock.format_utc(value)
        case Enum():
            return str(value.value)
    with contextlib.suppress(TypeError, ValueError, AttributeError, RuntimeError):
        return str(value)
    return f"<{type(value).__name__}>"


def _escape(shown: str) -> str:
    if shown.isascii() and shown.isprintable() and "\\" not in shown and '"' not in shown:
        return shown
    return "".join(map(_escape_char, shown))


def _escape_char(char: str) -> str:
    # Not printable are control characters, C1, bidi marks, separators, surrogates, unassigned ones.
    if char in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
