# SPDX-License-Identifier: Apache-2.0
"""Characters to GSM 7-bit septets or UTF-16 units and back, and septets packed into octets."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from enum import StrEnum

from gsmgw.errors import BadTextError
from gsmgw.pdu import tables


class Alphabet(StrEnum):
    """How user data stands for text (3GPP TS 23.038 4)."""

    GSM7 = "gsm7"  #: GSM 7-bit, packed septets
    UCS2 = "ucs2"  #: UTF-16, big-endian
    DATA = "8bit"  #: octets without a meaning that we know


#: Characters that take two septets, because ESC stands before them.
EXTENDED = frozenset(tables.EXTENSION.values())
#: Every character of the GSM 7-bit default alphabet and its extension table.
GSM7_CHARACTERS = frozenset(tables.DEFAULT) - {"\x1b"} | EXTENDED


@functools.cache
def _codes(locking: int, single: int) -> dict[str, tuple[int, ...]]:
    """Map each character of a pair of tables to its septets; the shorter form wins."""
    codes: dict[str, tuple[int, ...]] = {
        character: (tables.ESCAPE, septet) for septet, character in tables.SINGLE[single].items()
    }
    codes.update({character: (septet,) for septet, character in enumerate(tables.LOCKING[locking])})
    del codes["\x1b"]  # ESC is no character: alone it would eat the next one
    return codes


def encode_septets(text: str, *, locking: int = 0, single: int = 0) -> bytes:
    """Turn text into septets, one in each octet.

    Args:
        text: what to encode.
        locking: language identifier of the locking table, one of `tables.LOCKING`.
        single: language identifier of the single shift table, one of `tables.SINGLE`.

    Raises:
        BadTextError: a character is in neither table.
    """
    codes = _codes(locking, single)
    septets = bytearray()
    for character in text:
        code = codes.get(character)
        if code is None:
            raise BadTextError(f"{character!r} is not in the GSM 7-bit alphabet")
        septets.extend(code)
    return bytes(septets)


def decode_septets(septets: Iterable[int], *, locking: int = 0, single: int = 0) -> str:
    """Turn septets, one in each octet, into text; there is an answer for any input.

    After ESC, a septet that the single shift table leaves empty means its character in the main
    table; ESC twice, and ESC at the end, are shown as a blank (3GPP TS 23.038 6.2.1.1).
    """
    main, shifted = tables.LOCKING[locking], tables.SINGLE[single]
    characters: list[str] = []
    is_escaped = False
    for septet in septets:
        if is_escaped:
            is_escaped = False
            characters.append(
                " " if septet == tables.ESCAPE else shifted.get(septet) or main[septet]
            )
        elif septet == tables.ESCAPE:
            is_escaped = True
        else:
            characters.append(main[septet])
    if is_escaped:
        characters.append(" ")
    return "".join(characters)


def pack(septets: bytes, *, fill_bits: int = 0) -> bytes:
    """Pack septets into octets, lowest bits first (3GPP TS 23.038 6.1.2.1).

    Args:
        septets: one in each octet, 0..127.
        fill_bits: 0..6 zero bits in front, so that text after a header starts on a septet border.
    """
    octets = bytearray()
    bits, pending = fill_bits, 0
    for septet in septets:
        pending |= septet << bits
        bits += 7
        if bits >= 8:
            octets.append(pending & 0xFF)
            pending >>= 8
            bits -= 8
    if bits:
        octets.append(pending)
    return bytes(octets)


def unpack(octets: bytes, count: int, *, fill_bits: int = 0) -> bytes:
    """Unpack at most `count` septets, fewer where the octets end first."""
    septets = bytearray()
    bits, pending = -fill_bits, 0
    for octet in octets:
        # A negative number of bits: the fill bits are still to be thrown away.
        pending = pending | octet << bits if bits >= 0 else octet >> -bits
        bits += 8
        while bits >= 7 and len(septets) < count:
            septets.append(pending & 0x7F)
            pending >>= 7
            bits -= 7
        if len(septets) >= count:
            break
    return bytes(septets)


def encode_utf16(text: str) -> bytes:
    """Turn text into UTF-16, big-endian, without a byte order mark.

    Raises:
        BadTextError: the text holds half of a surrogate pair.
    """
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError as error:
        raise BadTextError(
            f"character {error.start + 1} of the text is half a character (a lone surrogate)"
        ) from error


def decode_utf16(octets: bytes) -> str:
    """Turn UTF-16, big-endian, into text; lone surrogates become U+FFFD, an odd octet is lost."""
    return octets[: len(octets) & ~1].decode("utf-16-be", errors="replace")


def is_gsm7(text: str) -> bool:
    """Say whether every character is in the GSM 7-bit default alphabet or its extension."""
    return GSM7_CHARACTERS.issuperset(text)


def count_units(text: str, alphabet: Alphabet) -> int:
    """Count the septets (GSM 7-bit) or UTF-16 units (UCS-2) that the text takes."""
    if alphabet is Alphabet.GSM7:
        return len(text) + sum(map(EXTENDED.__contains__, text))
    return len(text.encode("utf-16-be", errors="surrogatepass")) // 2
