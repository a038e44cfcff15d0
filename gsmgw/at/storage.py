# SPDX-License-Identifier: Apache-2.0
"""Reads answers of the message service: memories, listings, references, notices, service centre."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gsmgw.at import fields, replies

#: Index, status and length of a header line; a status of None is to be had from the PDU.
_Header = tuple[int | None, int | None, int | None]
#: <stat> ends at 4 (27.005 3.1); a greater number in its place is a length.
_LAST_STATUS = 4
_READ, _SENT = 1, 3


@dataclass(frozen=True, slots=True)
class Stored:
    """One message in a memory, as +CMGL or +CMGR shows it in PDU mode (27.005 4.1, 4.2)."""

    index: int | None  #: None from +CMGR, which does not repeat it
    status: int  #: 0 unread, 1 read, 2 ours and unsent, 3 ours and sent
    length: int | None  #: octets without service centre address
    pdu: str  #: hexadecimal, with service centre address

    @property
    def received(self) -> bool:
        """Return whether it came from the network, rather than being our own SUBMIT."""
        return self.status in (0, 1)

    @property
    def fits(self) -> bool:
        """Return whether the PDU is as long as its header says; if not, it may be another's."""
        if self.length is None:
            return True
        return len(self.pdu) == 2 * (1 + int(self.pdu[:2], 16) + self.length)


def parse_list(lines: Sequence[str]) -> list[Stored]:
    """Read the lines of +CMGL: each header with the PDU behind it.

    A header whose PDU is missing is left out: what is not readable now must not be deleted.
    """
    return list(_pairs(lines, "+CMGL:", _list_header))


def parse_read(lines: Sequence[str]) -> Stored | None:
    """Read the lines of +CMGR; None for an empty place."""
    return next(_pairs(lines, "+CMGR:", _read_header), None)


def _pairs(
    lines: Sequence[str], prefix: str, read_header: Callable[[list[str]], _Header | None]
) -> Iterator[Stored]:
    header: _Header | None = None
    for line in lines:
        if line.upper().startswith(prefix):
            header = read_header(fields.values(line))
        elif header is not None and replies.is_hex(line):
            index, status, length = header
            yield Stored(index, _status_by_kind(line) if status is None else status, length, line)
            header = None


def _list_header(found: list[str]) -> _Header | None:
    # index,status,[alpha],length; some modems leave the empty alpha out with its comma.
    index = fields.number(found[0])
    status, length = _status_and_length(found[1:])
    if index is None or (status is None and length is None):
        return None
    return index, status, length


def _read_header(found: list[str]) -> _Header | None:
    status, length = _status_and_length(found)
    return None if status is None and length is None else (None, status, length)


def _status_and_length(found: list[str]) -> tuple[int | None, int | None]:
    """Read status,[alpha],length; ZTE leaves out the status of reports, others all but the length.

    `+CMGR: ,,25` for a place of SR is a report as good as `+CMGR: 0,,25`.
    """
    status = fields.number(fields.get(found, 0))
    if status is not None and status > _LAST_STATUS and len(found) == 1:
        return None, status
    return status, fields.number(found[-1]) if len(found) > 1 else None


def _status_by_kind(pdu: str) -> int:
    """Return the status of a message that comes without: what is no SUBMIT was received.

    TP-MTI, 3GPP TS 23.040 9.2.3.1, stands in the first octet behind the service centre address.
    """
    octets = bytes.fromhex(pdu)
    first = octets[1 + octets[0] :][:1]
    return _SENT if first and first[0] & 0x03 == 0x01 else _READ


@dataclass(frozen=True, slots=True)
class Memory:
    """How full a memory is."""

    name: str  #: "SM", "ME", "SR"...; empty in the answer to a set command
    used: int
    total: int


def parse_memories(text: str) -> tuple[Memory, ...]:
    """Read +CPMS: `"SM",3,20,"SM",3,20,...` of a read, or `3,20,3,20,...` of a set (27.005 3.2.2).

    Every memory is given once.
    """
    found: list[Memory] = []
    name = ""
    numbers: list[int] = []
    for value in fields.values(text):
        number = fields.number(value)
        if number is None:
            name, numbers = value, []
            continue
        numbers.append(number)
        if len(numbers) == 2:
            found.append(Memory(name, numbers[0], numbers[1]))
            name, numbers = "", []
    return tuple(dict.fromkeys(found)) if found and found[0].name else tuple(found)


def parse_memory_choices(text: str) -> tuple[str, ...]:
    """Return the memories that can be read and deleted from, of +CPMS=? (<mem1>, 27.005 3.2.2).

    Lists come bracketed, twice bracketed, flat or empty; of a flat answer every name counts,
    because nobody can tell which list it is.
    """
    text = fields.after_colon(text)
    lists = fields.brackets(text)
    if "(" in text:
        lists = lists[:1]
    return tuple(dict.fromkeys(name.upper() for names in lists for name in names))


_CMGS = re.compile(r"\+CMG[SC]:\s*(\d{1,18})(?!\d)", re.IGNORECASE)


def parse_reference(text: str) -> int | None:
    """Read the TP-MR of `+CMGS: 7`, `+CMGS:7` or `+CMGS: 7,"26/11/22,..."`; None if it is none.

    The reference is one octet (23.040 9.2.3.6); of a modem that counts on, its low octet.
    """
    found = _CMGS.match(text)
    return int(found[1]) % 256 if found else None


@dataclass(frozen=True, slots=True)
class Notice:
    """The modem says that it stored something: +CMTI a message, +CDSI a status report."""

    memory: str
    index: int


_NOTICE = re.compile(
    r'\+C(?:MT|DS)I:\s*"?\s*([A-Z0-9]{1,8})\s*"?\s*,\s*(\d{1,9})(?!\d)', re.IGNORECASE
)


def parse_notice(text: str) -> Notice | None:
    """Read `+CMTI: "SM",3` or `+CDSI: "SR", 1`; a hint, never the truth."""
    found = _NOTICE.match(text)
    return Notice(found[1].upper(), int(found[2])) if found else None


def parse_service_centre(text: str) -> str | None:
    """Read the number of +CSCA (27.005 3.3.1); None if none is set.

    Under AT+CSCS="UCS2" it comes as hexadecimal UCS-2; type 145 without + gets one.
    """
    found = fields.values(text)
    number = fields.get(found, 0)
    if re.fullmatch(r"(?:00[23][0-9A-Fa-f])+", number):
        number = bytes.fromhex(number).decode("utf-16-be")
    if not re.fullmatch(r"\+?\d+", number):
        return None
    if fields.number(fields.get(found, 1)) == 145 and not number.startswith("+"):
        number = "+" + number
    return number
