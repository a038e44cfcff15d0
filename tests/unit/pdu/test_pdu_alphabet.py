# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from gsmgw.errors import BadTextError
from gsmgw.pdu import alphabet, tables
from gsmgw.pdu.alphabet import Alphabet


def test_every_character_of_the_default_alphabet_goes_and_comes() -> None:
    text = "".join(sorted(alphabet.GSM7_CHARACTERS))
    assert len(text) == 127 + 10
    assert alphabet.decode_septets(alphabet.encode_septets(text)) == text


def test_extension_characters_take_an_escape_each() -> None:
    assert alphabet.encode_septets("a€[") == bytes((0x61, 0x1B, 0x65, 0x1B, 0x3C))


@pytest.mark.parametrize("foreign", ["ą", "`", "ç", "\x1b", "\t", "👍"])
def test_foreign_character_is_refused_by_name(foreign: str) -> None:
    with pytest.raises(BadTextError, match="not in the GSM 7-bit alphabet"):
        alphabet.encode_septets("a" + foreign)


def test_shorter_form_wins_where_both_national_tables_have_a_letter() -> None:
    assert alphabet.encode_septets("ş", locking=tables.TURKISH, single=tables.TURKISH) == b"\x1d"
    assert alphabet.encode_septets("ş", single=tables.TURKISH) == b"\x1b\x73"


@pytest.mark.parametrize(
    ("septets", "text"),
    [
        (b"\x1b\x1b", " "),  # reserved for another extension table
        (b"a\x1b", "a "),
        (b"\x1b\x1ba", " a"),
        (b"\x1b\x61", "a"),
        (b"\x1b\x0a", "\f"),
        (b"\x1b\x0d", "\r"),
        (b"", ""),
    ],
)
def test_odd_escapes_are_read_as_the_standard_says(septets: bytes, text: str) -> None:
    assert alphabet.decode_septets(septets) == text


def test_escape_with_an_unknown_code_shows_the_letter_of_the_locking_table() -> None:
    assert alphabet.decode_septets(b"\x1b\x40", locking=3) == "|"
    assert alphabet.decode_septets(b"\x1b\x60", locking=3) == "~"


@pytest.mark.parametrize(
    ("septets", "fill_bits", "packed"),
    [
        (b"", 0, ""),
        (b"", 1, "00"),
        (b"hellohello", 0, "E8329BFD4697D9EC37"),
        (b"12345678", 0, "31D98C56B3DD70"),
        (b"a", 1, "C2"),
        (b"a", 6, "4018"),
    ],
)
def test_packing(septets: bytes, fill_bits: int, packed: str) -> None:
    octets = alphabet.pack(septets, fill_bits=fill_bits)
    assert octets.hex().upper() == packed
    assert alphabet.unpack(octets, len(septets), fill_bits=fill_bits) == septets


def test_unpacking_stops_where_the_octets_end() -> None:
    assert alphabet.unpack(bytes.fromhex("E8329B"), 10) == b"hel"
    assert alphabet.unpack(b"\xff\xff", -1) == b""


def test_utf16_of_a_lone_surrogate_is_refused_with_its_place() -> None:
    with pytest.raises(BadTextError, match="character 3 of the text is half a character"):
        alphabet.encode_utf16("ab\ud83d")


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("0061", "a"),
        ("006100", "a"),
        ("D83DDC4D", "👍"),
        ("D83D", "\ufffd"),
        ("DC4D0061", "\ufffda"),
        ("D83D0061", "\ufffda"),
        ("D83DD83DDC4D", "\ufffd👍"),
        ("FEFF0061", "\ufeffa"),
    ],
)
def test_utf16_never_fails(octets: str, text: str) -> None:
    assert alphabet.decode_utf16(bytes.fromhex(octets)) == text


@pytest.mark.parametrize(
    ("text", "septets", "units"), [("", 0, 0), ("abc", 3, 3), ("a€[", 5, 3), ("a👍", 2, 3)]
)
def test_units(text: str, septets: int, units: int) -> None:
    assert alphabet.count_units(text, Alphabet.GSM7) == septets
    assert alphabet.count_units(text, Alphabet.UCS2) == units
