# SPDX-License-Identifier: Apache-2.0
"""Cut a text into the parts that one SMS each can carry, and measure it beforehand.

A part has 140 octets (3GPP TS 23.040 9.2.3.24): 160 septets or 70 UTF-16 units, less what the user
data header takes. Parts are filled from the front; no cut falls inside a grapheme, and so none
inside a surrogate pair; none falls inside an escape pair, because characters are never cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gsmgw.errors import BadTextError
from gsmgw.pdu import alphabet as alphabets
from gsmgw.pdu import graphemes
from gsmgw.pdu.alphabet import Alphabet

#: Octets of user data in one SMS, header included.
USER_DATA_OCTETS = 140
#: The number of parts stands in one octet of the concatenation element.
MOST_PARTS = 255
#: Octets of the concatenation element, 3GPP TS 23.040 9.2.3.24.1 and .8.
_CONCAT_OCTETS = 5
_WIDE_CONCAT_OCTETS = 6


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a text."""

    alphabet: Alphabet  #: GSM 7-bit or UCS-2
    text: str
    units: int  #: septets (GSM 7-bit) or UTF-16 units (UCS-2)


@dataclass(frozen=True, slots=True)
class Measure:
    """What a text costs."""

    alphabet: Alphabet
    parts: int
    units: int  #: septets (GSM 7-bit) or UTF-16 units (UCS-2) of the whole text, without headers
    #: the characters, each once, in order of first appearance, that forced UCS-2 or, in GSM 7-bit,
    #: count two
    because: tuple[str, ...]


def capacity(alphabet: Alphabet, header_octets: int = 0) -> int:
    """Return the units that fit into one part beside `header_octets` of information elements."""
    # With a header there is also its length octet; septets start on the next septet border.
    octets = header_octets + 1 if header_octets else 0
    if alphabet is Alphabet.GSM7:
        return (USER_DATA_OCTETS - octets) * 8 // 7
    return (USER_DATA_OCTETS - octets) // 2


def choose_alphabet(text: str) -> Alphabet:
    """Return GSM 7-bit if all of the text fits into it, else UCS-2."""
    return Alphabet.GSM7 if alphabets.is_gsm7(text) else Alphabet.UCS2


def segment(
    text: str,
    *,
    alphabet: Alphabet | None = None,
    header_octets: int = 0,
    one_part: bool = False,
    with_header: bool = True,
    wide: bool = False,
) -> tuple[Segment, ...]:
    """Cut a text into parts; an empty text is one empty part.

    Args:
        text: what to send.
        alphabet: GSM 7-bit or UCS-2; None takes GSM 7-bit if all fits, else UCS-2.
        header_octets: octets of other information elements that each part carries.
        one_part: drop what does not fit into one part.
        with_header: leave room for a concatenation element when there are several parts.
        wide: leave room for a concatenation element with a 16-bit reference.

    Raises:
        BadTextError: a character is not in the alphabet asked for or is half a surrogate pair;
            the header leaves no room; the text takes more than 255 parts.
    """
    chosen = choose_alphabet(text) if alphabet is None else alphabet
    _check(text, chosen)
    room = capacity(chosen, header_octets)
    units = alphabets.count_units(text, chosen)
    if units <= room:
        return (Segment(chosen, text, units),)
    if with_header and not one_part:
        room = capacity(chosen, header_octets + (_WIDE_CONCAT_OCTETS if wide else _CONCAT_OCTETS))
    # The widest character takes two units; with less room than that no cut would ever end.
    if room < 2:
        raise BadTextError("the user data header leaves no room for the text")
    parts = tuple(_cut(text, chosen, room))
    if one_part:
        return parts[:1]
    if len(parts) > MOST_PARTS:
        raise BadTextError(
            f"the text takes {len(parts)} parts, more than the {MOST_PARTS} possible"
        )
    return parts


def segment_numbered(text: str, *, alphabet: Alphabet | None = None) -> tuple[Segment, ...]:
    """Cut a text into parts that begin with `1/3 `, without a header (smsd's Autosplit: 2).

    Raises:
        BadTextError: as `segment`.
    """
    pieces = segment(text, alphabet=alphabet, with_header=False)
    if len(pieces) == 1:
        return pieces
    chosen, width = pieces[0].alphabet, 0
    while len(str(len(pieces))) > width:  # the mark needs room, which may need more parts
        width = len(str(len(pieces)))
        pieces = segment(
            text, alphabet=chosen, header_octets=_mark_octets(chosen, width), with_header=False
        )
    return tuple(
        replace(piece, text=f"{number}/{len(pieces)} {piece.text}")
        for number, piece in enumerate(pieces, start=1)
    )


def _mark_octets(alphabet: Alphabet, width: int) -> int:
    """Return the size of an information element that takes the room of a mark such as `1/3 `."""
    characters = 2 * width + 2
    octets = characters * 2 if alphabet is Alphabet.UCS2 else (characters * 7 + 7) // 8
    return octets - 1  # the header's length octet comes on top


def _check(text: str, alphabet: Alphabet) -> None:
    if alphabet is Alphabet.GSM7:
        if not alphabets.is_gsm7(text):
            foreign = next(c for c in text if c not in alphabets.GSM7_CHARACTERS)
            raise BadTextError(f"{foreign!r} is not in the GSM 7-bit alphabet")
    elif alphabet is Alphabet.UCS2:
        alphabets.encode_utf16(text)
    else:
        raise BadTextError("text cannot be sent as 8-bit data")


def _pieces(text: str, alphabet: Alphabet, room: int) -> Iterator[tuple[str, int]]:
    """Yield what must stay together, with its units: graphemes, or characters of giant ones."""
    for grapheme in graphemes.split_graphemes(text):
        units = alphabets.count_units(grapheme, alphabet)
        if units <= room:
            yield grapheme, units
        else:
            for character in grapheme:
                yield character, alphabets.count_units(character, alphabet)


def _cut(text: str, alphabet: Alphabet, room: int) -> Iterator[Segment]:
    pieces: list[str] = []
    used = 0
    for piece, units in _pieces(text, alphabet, room):
        if used + units > room:
            yield Segment(alphabet, "".join(pieces), used)
            pieces, used = [], 0
        pieces.append(piece)
        used += units
    yield Segment(alphabet, "".join(pieces), used)


def measure(text: str) -> Measure:
    """Say what a text costs as it stands: alphabet, parts (may be over 255), units, and why.

    Raises:
        BadTextError: the text holds half of a surrogate pair.
    """
    chosen = choose_alphabet(text)
    _check(text, chosen)
    units = alphabets.count_units(text, chosen)
    parts = 1
    if units > capacity(chosen):
        parts = sum(1 for _ in _cut(text, chosen, capacity(chosen, _CONCAT_OCTETS)))
    if chosen is Alphabet.GSM7:
        because = [c for c in text if c in alphabets.EXTENDED]
    else:
        because = [c for c in text if c not in alphabets.GSM7_CHARACTERS]
    return Measure(chosen, parts, units, tuple(dict.fromkeys(because)))
