# SPDX-License-Identifier: Apache-2.0
"""User data headers: information elements, concatenation, ports (3GPP TS 23.040 9.2.3.24).

Everywhere in this package a header is written without its length octet (UDHL).
"""

from __future__ import annotations

from dataclasses import dataclass

from gsmgw.errors import PduError
from gsmgw.pdu import tables

#: Information element identifiers, 9.2.3.24.
CONCAT_8 = 0x00
PORTS_8 = 0x04
PORTS_16 = 0x05
CONCAT_16 = 0x08
SINGLE_SHIFT = 0x24
LOCKING_SHIFT = 0x25


@dataclass(frozen=True, slots=True)
class Concat:
    """Which part of which multipart message this is."""

    ref: int  #: 0..255, wide 0..65535
    total: int  #: 1..255
    number: int  #: 1..total
    wide: bool = False  #: 16-bit reference


@dataclass(frozen=True, slots=True)
class Ports:
    """For which application the message is (WAP push: destination 2948)."""

    destination: int  #: 0..65535
    source: int  #: 0..65535


@dataclass(frozen=True, slots=True)
class Element:
    """An information element as it stands."""

    identifier: int  #: what it is, 0..255
    value: bytes  #: at most 255 octets


def read_elements(udh: bytes) -> tuple[Element, ...]:
    """Split a header into its information elements.

    Raises:
        PduError: the last element is longer than the header; the standard says to ignore all then.
    """
    elements: list[Element] = []
    at = 0
    while at < len(udh):
        value = udh[at + 2 :]
        if at + 2 > len(udh) or len(value) < udh[at + 1]:
            raise PduError("the user data header does not end where its last element does")
        elements.append(Element(udh[at], value[: udh[at + 1]]))
        at += 2 + udh[at + 1]
    return tuple(elements)


def read_concat(elements: tuple[Element, ...]) -> Concat | None:
    """Return the concatenation element; the last valid one where there are several."""
    found: Concat | None = None
    for element in elements:
        if (element.identifier, len(element.value)) not in ((CONCAT_8, 3), (CONCAT_16, 4)):
            continue
        *ref, total, number = element.value
        # 9.2.3.24.1: with number 0, or one above the total, the element counts for nothing.
        if 1 <= number <= total:
            found = Concat(
                int.from_bytes(ref, "big"), total, number, wide=element.identifier == CONCAT_16
            )
    return found


def read_ports(udh: bytes) -> Ports | None:
    """Return the ports that a header names; None without any, and for a broken header."""
    try:
        elements = read_elements(udh)
    except PduError:
        return None
    found: Ports | None = None
    for element in elements:
        if (element.identifier, len(element.value)) in ((PORTS_8, 2), (PORTS_16, 4)):
            half = len(element.value) // 2
            found = Ports(
                int.from_bytes(element.value[:half], "big"),
                int.from_bytes(element.value[half:], "big"),
            )
    return found


@dataclass(frozen=True, slots=True)
class Shift:
    """The national tables that a header asks for; 0 is the default table."""

    locking: int = 0  #: key of `tables.LOCKING`
    single: int = 0  #: key of `tables.SINGLE`
    unknown: tuple[int, ...] = ()  #: language identifiers that we have no table for


def read_shift(udh: bytes) -> Shift:
    """Return the national language tables that a header asks for.

    A language that we do not know counts as the default, and so does a broken header.
    """
    try:
        elements = read_elements(udh)
    except PduError:
        return Shift()
    asked = {e.identifier: e.value[0] for e in elements if len(e.value) == 1}
    locking, single = asked.get(LOCKING_SHIFT, 0), asked.get(SINGLE_SHIFT, 0)
    unknown = dict.fromkeys(
        [locking] * (locking not in tables.LOCKING) + [single] * (single not in tables.SINGLE)
    )
    return Shift(
        locking if locking in tables.LOCKING else 0,
        single if single in tables.SINGLE else 0,
        tuple(unknown),
    )


def encode_concat(concat: Concat) -> bytes:
    """Encode the concatenation element: 5 octets, 6 with a 16-bit reference.

    Raises:
        PduError: reference, total or number are out of range.
    """
    most = 0xFFFF if concat.wide else 0xFF
    if not (0 <= concat.ref <= most and 1 <= concat.number <= concat.total <= 0xFF):
        raise PduError(
            f"concat: part {concat.number} of {concat.total} with reference {concat.ref} cannot be"
        )
    if concat.wide:
        head = bytes((CONCAT_16, 4)) + concat.ref.to_bytes(2, "big")
    else:
        head = bytes((CONCAT_8, 3, concat.ref))
    return head + bytes((concat.total, concat.number))


def with_concat(udh: bytes, concat: Concat | None) -> bytes:
    """Put a concatenation element in front of a header, unless it has the same one already.

    Raises:
        PduError: the header is broken, or it has another concatenation element.
    """
    if concat is None:
        return udh
    present = read_concat(read_elements(udh))
    if present is None:
        return encode_concat(concat) + udh
    if present != concat:
        raise PduError("concat: the user data header (udh_hex) holds another one")
    return udh
