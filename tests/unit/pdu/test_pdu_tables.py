# SPDX-License-Identifier: Apache-2.0
"""The tables of 23.038, against what was typed from the standard by others and a second time."""

from __future__ import annotations

import gsmmodem.pdu
import pytest
from smspdudecoder import codecs

from gsmgw.pdu import tables


def test_default_table_is_that_of_another_library() -> None:
    assert codecs.GSM.ALPHABET == tables.DEFAULT
    assert dict(tables.EXTENSION) == codecs.GSM.ALPHABET_EXT


def test_default_table_is_that_of_gsmmodem_but_for_its_known_fault() -> None:
    theirs = gsmmodem.pdu.GSM7_BASIC
    differing = {at: tables.DEFAULT[at] for at in range(128) if theirs[at] != tables.DEFAULT[at]}
    assert differing == {0x5F: "§"}


@pytest.mark.parametrize("language", tables.LOCKING)
def test_locking_table_is_complete(language: int) -> None:
    table = tables.LOCKING[language]
    assert len(table) == len(set(table)) == 128
    assert (table[0x1B], table[0x0A], table[0x0D], table[0x20]) == ("\x1b", "\n", "\r", " ")


# Unicode code points where a table differs from the default one, as annex A gives them.
_TURKISH = {0x04: 0x20AC, 0x07: 0x0131, 0x0B: 0x011E, 0x0C: 0x011F, 0x1C: 0x015E, 0x1D: 0x015F}
_TURKISH |= {0x40: 0x0130, 0x60: 0x00E7}
_PORTUGUESE = {0x04: 0x00EA, 0x06: 0x00FA, 0x07: 0x00ED, 0x08: 0x00F3, 0x09: 0x00E7}
_PORTUGUESE |= {0x0B: 0x00D4, 0x0C: 0x00F4, 0x0E: 0x00C1, 0x0F: 0x00E1}
_PORTUGUESE |= {0x12: 0x00AA, 0x13: 0x00C7, 0x14: 0x00C0, 0x15: 0x221E, 0x16: 0x005E}
_PORTUGUESE |= {0x17: 0x005C, 0x18: 0x20AC, 0x19: 0x00D3, 0x1A: 0x007C}
_PORTUGUESE |= {0x1C: 0x00C2, 0x1D: 0x00E2, 0x1E: 0x00CA, 0x24: 0x00BA, 0x40: 0x00CD}
_PORTUGUESE |= {0x5B: 0x00C3, 0x5C: 0x00D5, 0x5D: 0x00DA, 0x60: 0x007E}
_PORTUGUESE |= {0x7B: 0x00E3, 0x7C: 0x00F5, 0x7D: 0x0060}


@pytest.mark.parametrize(
    ("language", "differences"),
    [(tables.TURKISH, _TURKISH), (tables.SPANISH, {}), (tables.PORTUGUESE, _PORTUGUESE)],
)
def test_locking_table_differs_from_the_default_where_it_should(
    language: int, differences: dict[int, int]
) -> None:
    table = tables.LOCKING[language]
    found = {at: ord(table[at]) for at in range(128) if table[at] != tables.DEFAULT[at]}
    assert found == differences


_SINGLE = {
    tables.TURKISH: "Ğ47 İ49 Ş53 ç63 ğ67 ı69 ş73",  # noqa: RUF001 (no dot is meant)
    tables.SPANISH: "ç09 Á41 Í49 Ó4F Ú55 á61 í69 ó6F ú75",
    tables.PORTUGUESE: (
        "ê05 ç09 Ô0B ô0C Á0E á0F Φ12 Γ13 Ω15 Π16 Ψ17 Σ18 Θ19 Ê1F"
        " À41 Í49 Ó4F Ú55 Ã5B Õ5C Â61 í69 ó6F ú75 ã7B õ7C â7F"
    ),
}


@pytest.mark.parametrize("language", _SINGLE)
def test_single_shift_table_adds_to_the_extension(language: int) -> None:
    additions = {int(item[1:], 16): item[0] for item in _SINGLE[language].split()}
    assert dict(tables.SINGLE[language]) == {**tables.EXTENSION, **additions}
