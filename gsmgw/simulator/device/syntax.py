# SPDX-License-Identifier: Apache-2.0
"""AT command lines taken apart as a modem does: V.250 basic and extended commands."""

from __future__ import annotations

import re
from dataclasses import dataclass

_EXTENDED = re.compile(r'([+^*$%#&][A-Za-z0-9_]+|\\[A-Za-z])((?:=\?)|\?|=|)((?:"[^"]*"|[^;"])*)')
_BASIC = re.compile(r"(S\d+|&[A-Z]|\\[A-Z]|[A-Z])((?:=\?)|\?|=|)(\d*)")
_FIELD = re.compile(r'\s*(?:"([^"]*)"|([^,"]*))\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a line."""

    name: str  #: upper case, with its sign: "+CMGS", "^ICCID", "E", "&F", "D", "S0"
    kind: str  #: "" run, "=" set, "?" read, "=?" test
    value: str = ""  #: what follows, as written

    @property
    def fields(self) -> list[str]:
        """The values between commas, without their quotes."""
        return split_fields(self.value)


def split_fields(value: str) -> list[str]:
    """Split at commas outside quotes; an empty text has no fields."""
    if not value.strip():
        return []
    found: list[str] = []
    position = 0
    while position <= len(value):
        match = _FIELD.match(value, position)
        if match is None:
            return [*found, value[position:].strip()]
        found.append(match[1] if match[1] is not None else match[2].strip())
        if not match[0].endswith(","):
            break
        position = match.end()
    return found


def split_line(line: str) -> list[Command] | None:
    """Take a command line apart.

    Returns:
        The commands in order, an empty list for a bare AT, None for a line that is no command
        line at all (garbage, a PDU that came too late): a modem says nothing to such a line.
    """
    start = line.upper().find("AT")
    if start < 0:
        return None
    rest = line[start + 2 :].strip()
    commands: list[Command] = []
    while rest:
        command, rest = _first(rest)
        commands.append(command)
        rest = rest.lstrip("; ")
    return commands


def _first(text: str) -> tuple[Command, str]:
    upper = text.upper()
    if upper[0] == "D":  # a dial string takes the rest of the line
        return Command("D", "", text[1:]), ""
    is_extended = upper[0] in "+^*$%#" or (upper[0] == "&" and upper[1:2].isdecimal())
    match = _EXTENDED.match(text) if is_extended else _BASIC.match(upper)
    if match is None:
        return Command("?", "", text), ""
    value = match[3].strip() if is_extended else match[3]
    return Command(match[1].upper(), match[2], value), text[match.end() :]
