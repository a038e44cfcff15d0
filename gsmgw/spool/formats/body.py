# SPDX-License-Identifier: Apache-2.0
"""The body of a smstools file: text in one of its alphabets, or octets as such or as hex."""

from __future__ import annotations

import re

from gsmgw.errors import BadFileError, BadTextError
from gsmgw.pdu import alphabet as alphabets

#: smsd's own limit, in octets.
LONGEST_BODY = 39016

#: By the first three letters, any case: how the octets stand for text.
_ALPHABETS = {
    "iso": "iso",
    "lat": "iso",
    "ans": "iso",
    "utf": "utf",
    "bin": "binary",
    "chi": "ucs2",
    "ucs": "ucs2",
    "uni": "ucs2",
}
_HEX_COMMENT = re.compile("[/'#:]")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})*")


def read_alphabet(value: str | None) -> str:
    """Return the alphabet that a file declares: iso (also when it says nothing), utf, ...

    Raises:
        BadFileError: smsd knows no such alphabet.
    """
    if not value:
        return "iso"
    if value.upper() == "GSM":
        return "gsm"
    found = _ALPHABETS.get(value[:3].lower())
    if found is None:
        raise BadFileError("Invalid alphabet")
    return found


def decode_body(octets: bytes, alphabet: str) -> str:
    """Decode a body; what is not valid in its alphabet is read as well as can be.

    With `iso`, valid UTF-8 is taken as such, which smsd does too (outgoing_utf8).
    """
    if alphabet == "gsm":
        return alphabets.decode_septets(octet & 0x7F for octet in octets)
    if alphabet == "ucs2":
        if octets.startswith(b"\xff\xfe"):
            octets = octets[: len(octets) & ~1]
            return octets.decode("utf-16-le", "replace").removeprefix("\ufeff")
        return alphabets.decode_utf16(octets).removeprefix("\ufeff")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("iso8859-15")


def replace_macros(text: str, macros: list[str]) -> str:
    """Put in what `Macro: name=value` lines say, in their order.

    Raises:
        BadTextError: the text grows beyond what a body may have; a few lines that each put their
            own name in twice would fill the memory.
    """
    for macro in macros:
        name, _, value = macro.partition("=")
        if not name:
            continue
        more = len(value) - len(name)
        if more > 0 and len(text) + text.count(name) * more > max(LONGEST_BODY, len(text)):
            raise BadTextError("Too long text")
        text = text.replace(name, value)
    return text


def read_hex(text: str) -> bytes:
    """Read the body of a `Hex: yes` file: hex digits, comments, and smsd's three keywords.

    A comment reaches to the end of its line, which may begin with digits or with `LENGTH`.
    `STRING: x` stands for the octets of x, `INLINESTRING: x` for WBXML's inline string (03, x, 00),
    and a pair of `LENGTH` lines puts the number of octets between them in front of them.

    Raises:
        BadFileError: something else stands there, or a `LENGTH` without its second.
    """
    octets = bytearray()
    length_at: int | None = None
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        keyword, _, rest = line.partition(":")
        if keyword == "STRING":
            octets += rest.strip().encode()
        elif keyword == "INLINESTRING":
            octets += b"\x03" + rest.strip().encode() + b"\x00"
        elif line.startswith("LENGTH") and length_at is None:
            length_at = len(octets)
        elif line.startswith("LENGTH") and length_at is not None:
            octets.insert(length_at, min(len(octets) - length_at, 255))
            length_at = None
        else:
            octets += _hex_line(_HEX_COMMENT.split(line, maxsplit=1)[0], number)
    if length_at is not None:
        raise BadFileError("Invalid hex data: LENGTH stands there an odd number of times")
    return bytes(octets)


def _hex_line(line: str, number: int) -> bytes:
    digits = "".join(line.split())
    if not _HEX.fullmatch(digits):
        raise BadFileError(f"Invalid hex data in line {number} of the body")
    return bytes.fromhex(digits)


def read_udh(value: str) -> bytes:
    """Read `UDH-DATA:`, hex with the length octet in front; return it without that octet.

    Raises:
        BadFileError: it is no hex, or its first octet does not tell its length.
    """
    digits = "".join(value.split())
    octets = bytes.fromhex(digits) if _HEX.fullmatch(digits) else b""
    if not octets or octets[0] != len(octets) - 1:
        raise BadFileError("Incorrect first byte of UDH")
    return octets[1:]


def cut_udh(octets: bytes) -> tuple[bytes, bytes]:
    """Cut 8-bit data that begins with a user data header into the header's inside and the rest.

    Raises:
        BadFileError: the first octet says that the header is longer than all of it.
    """
    if not octets or octets[0] > len(octets) - 1:
        raise BadFileError("Incorrect first byte of UDH")
    return octets[1 : 1 + octets[0]], octets[1 + octets[0] :]


def trim(text: str) -> str:
    """Cut blanks, line ends and DOS's end of file off a text's end, as smsd does before it sends.

    Raises:
        BadTextError: nothing is left.
    """
    trimmed = text.rstrip(" \t\r\n\x00\x1a")
    if not trimmed:
        raise BadTextError("No text")
    return trimmed
