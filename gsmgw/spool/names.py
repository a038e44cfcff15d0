# SPDX-License-Identifier: Apache-2.0
r"""File names: which ones are left alone, how they are made to fit, how the store keeps them.

A file name is any octets but `/` and NUL; Python holds those that are no valid UTF-8 as lone
surrogates, which neither SQLite nor JSON takes. In the store and in documents such an octet stands
as `\xff`, and a backslash as two; all other names stand there as they are.
"""

from __future__ import annotations

import os
import re

from gsmgw import logs

#: The longest name that Linux file systems hold, in octets.
LONGEST_NAME = 255
#: Added to the name of a JSON file: what became of its messages.
RESULT_SUFFIX = ".result.json"
#: A producer holds `X.LOCK` beside X, or renames it to X, while it writes.
LOCK_SUFFIX = ".LOCK"

_ESCAPED = re.compile(r"\\(?:(\\)|x([0-9a-f]{2}))")
# Octets that continue a character in UTF-8.
_CONTINUES = range(0x80, 0xC0)


def is_ignored(name: str) -> bool:
    """Tell whether a file in `outgoing/` is none of our business, or not finished yet."""
    return name.startswith((".", "LOCKED")) or name.endswith(
        (".tmp", ".part", LOCK_SUFFIX, RESULT_SUFFIX)
    )


def to_text(name: str) -> str:
    """Return a name as the store and documents keep it."""
    if name.isascii() and "\\" not in name:
        return name
    return "".join(map(_escape, name))


def shown(name: str) -> str:
    """Return a name as the log may show it: clients put phone numbers into names."""
    return logs.masked(to_text(name))


def from_text(text: str) -> str:
    """Return the name that `to_text` made a text of."""
    return _ESCAPED.sub(_unescape, text) if "\\" in text else text


def with_suffix(name: str, suffix: str) -> str:
    """Add a suffix; a name too long for it loses its end, but no half of a character."""
    octets = os.fsencode(name)
    room = LONGEST_NAME - len(os.fsencode(suffix))
    if len(octets) <= room:
        return name + suffix
    while room and octets[room] in _CONTINUES:
        room -= 1
    return os.fsdecode(octets[:room]) + suffix


def result_name(final_name: str, file_id: int) -> str:
    """Return the name of the result document of a file; distinct even for names cut short."""
    whole = final_name + RESULT_SUFFIX
    if len(os.fsencode(whole)) <= LONGEST_NAME:
        return whole
    return with_suffix(final_name, f"~{file_id}{RESULT_SUFFIX}")


def _escape(char: str) -> str:
    if "\udc80" <= char <= "\udcff":
        return f"\\x{ord(char) - 0xDC00:02x}"
    return "\\\\" if char == "\\" else char


def _unescape(match: re.Match[str]) -> str:
    return "\\" if match[1] else chr(0xDC00 + int(match[2], 16))
