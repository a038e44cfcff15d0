# SPDX-License-Identifier: Apache-2.0
"""The header block of a smstools file: its lines, their values, and the body below.

Header lines reach to the first line that holds nothing but blanks; without one all lines are
headers. Names are case-sensitive and stand at the start of the line. Lines that nobody knows are
kept as they are, octet for octet: clients use them as their own notes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

_BOM = b"\xef\xbb\xbf"
_NAME = re.compile(rb"([^\s:]+):")

#: Dropped when a file is taken, so that one from `sent/` or `failed/` can be sent again. The last
#: three are ours, the others smsd's.
REMOVED = frozenset(
    {
        "Fail_reason",
        "Failed",
        "IMSI",
        "IMEI",
        "Modem",
        "Number",
        "Sent",
        "Sending_time",
        "Message_id",
        "Result",
        "PDU",
        "NOTICE",
        "Gsmgw_id",
        "Gsmgw_state",
        "Gsmgw_message_ids",
    }
)


@dataclass(frozen=True, slots=True)
class SmsFile:
    """A file, cut into its pieces; put together they are the file again, less its BOM."""

    lines: tuple[bytes, ...]  #: of the header block, with their line ends
    blank: bytes  #: the line between headers and body; empty if there is none
    body: bytes
    #: values by name as they stand: forty names are asked for, and few of them are there
    _by_name: dict[bytes, list[bytes]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Sort the lines by name."""
        by_name: dict[bytes, list[bytes]] = defaultdict(list)
        for line in self.lines:
            name, colon, value = line.partition(b":")
            if colon:
                by_name[name].append(value)
        object.__setattr__(self, "_by_name", dict(by_name))

    def value(self, name: str) -> str | None:
        """Return the value of a header, None if it is not there; the last one of several."""
        found = self._by_name.get(name.encode())
        return _text(found[-1]) if found else None

    def values(self, name: str) -> list[str]:
        """Return the values of all headers of a name, in order."""
        return [_text(value) for value in self._by_name.get(name.encode(), ())]


def _text(value: bytes) -> str:
    return decode_text(value).strip(" \t\r\n\x00")


def split(content: bytes) -> SmsFile:
    """Cut a file into header lines, blank line and body; there is an answer for any octets."""
    content = content.removeprefix(_BOM)
    lines: list[bytes] = []
    at = 0
    while at < len(content):
        end = content.find(b"\n", at) + 1 or len(content)
        line = content[at:end]
        at = end
        if not line.strip(b" \t\r\n"):
            return SmsFile(tuple(lines), line, content[at:])
        lines.append(line)
    return SmsFile(tuple(lines), b"", b"")


def name_of(line: bytes) -> str:
    """Return the name of a header line, "" if it has none."""
    match = _NAME.match(line)
    return decode_text(match[1]) if match else ""


def decode_text(octets: bytes) -> str:
    """Decode what has no declared alphabet: UTF-8 if it is, else ISO-8859-15, smsd's default."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("iso8859-15")


def is_yes(value: str | None) -> bool:
    """Read a switch as smsd does: by its first letter; `ON` is no, a quirk that files rely on."""
    return bool(value) and str(value).startswith(("1", "y", "Y", "t", "T", "on", "On"))


def one_line(value: str) -> str:
    """Return a value that cannot end its line or begin another: no control characters."""
    return "".join(char if char.isprintable() or char == "\xa0" else " " for char in value).strip()
