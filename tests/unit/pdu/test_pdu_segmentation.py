# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from gsmgw import pdu
from gsmgw.errors import BadTextError
from gsmgw.pdu import segmentation
from gsmgw.pdu.alphabet import Alphabet

GSM7, UCS2 = Alphabet.GSM7, Alphabet.UCS2


def _texts(text: str, **options: object) -> list[str]:
    return [segment.text for segment in pdu.segment(text, **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("", [0]),
        ("a" * 160, [160]),
        ("a" * 161, [153, 8]),
        ("a" * 306, [153, 153]),
        ("a" * 307, [153, 153, 1]),
        ("€" * 80, [160]),
        ("€" * 81, [152, 10]),
        ("a" + "€" * 80, [153, 8]),
        ("ą" * 70, [70]),
        ("ą" * 71, [67, 4]),
        ("ą" * 134, [67, 67]),
        ("ą" * 135, [67, 67, 1]),
        ("👍" * 35, [70]),
        ("👍" * 36, [66, 6]),
    ],
)
def test_borders(text: str, units: list[int]) -> None:
    segments = pdu.segment(text)
    assert [segment.units for segment in segments] == units
    assert "".join(segment.text for segment in segments) == text
    assert pdu.measure(text).parts == len(units)


@pytest.mark.parametrize(
    ("alphabet", "header_octets", "units"),
    [
        (GSM7, 0, 160),
        (GSM7, 5, 153),
        (GSM7, 6, 152),
        (GSM7, 3, 155),
        (UCS2, 0, 70),
        (UCS2, 5, 67),
        (UCS2, 6, 66),
        (UCS2, 4, 67),
    ],
)
def test_capacity(alphabet: Alphabet, header_octets: int, units: int) -> None:
    assert pdu.capacity(alphabet, header_octets) == units


def test_alphabet_that_is_asked_for() -> None:
    assert pdu.segment("abc", alphabet=UCS2) == (pdu.Segment(UCS2, "abc", 3),)
    assert pdu.segment("abc", alphabet=GSM7) == (pdu.Segment(GSM7, "abc", 3),)
    with pytest.raises(BadTextError, match="'ą' is not in the GSM 7-bit alphabet"):
        pdu.segment("ciąg", alphabet=GSM7)
    with pytest.raises(BadTextError, match="8-bit data"):
        pdu.segment("abc", alphabet=Alphabet.DATA)


def test_room_for_other_elements() -> None:
    assert len(_texts("a" * 155, header_octets=3)) == 1
    assert list(map(len, _texts("a" * 156, header_octets=3))) == [149, 7]
    assert list(map(len, _texts("a" * 161, wide=True))) == [152, 9]


def test_without_header_parts_are_full() -> None:
    assert list(map(len, _texts("a" * 321, with_header=False))) == [160, 160, 1]
    assert list(map(len, _texts("ą" * 71, with_header=False))) == [70, 1]


def test_one_part_drops_the_rest() -> None:
    assert _texts("a" * 161, one_part=True) == ["a" * 160]
    assert _texts("ą" * 69 + "👍", one_part=True) == ["ą" * 69]
    assert _texts("short", one_part=True) == ["short"]


def test_up_to_255_parts() -> None:
    assert len(pdu.segment("a" * 153 * 255)) == 255
    with pytest.raises(BadTextError, match="256 parts"):
        pdu.segment("a" * (153 * 255 + 1))
    assert pdu.measure("a" * (153 * 255 + 1)).parts == 256


def test_header_that_leaves_no_room() -> None:
    with pytest.raises(BadTextError, match="no room"):
        pdu.segment("a" * 10, header_octets=136)


def test_lone_surrogate_is_refused() -> None:
    with pytest.raises(BadTextError, match="half a character"):
        pdu.segment("a\ud83d")
    with pytest.raises(BadTextError, match="half a character"):
        pdu.measure("a\ud83d")


# A grapheme at the border goes to the next part as a whole.
@pytest.mark.parametrize(
    "grapheme",
    [
        "👍",
        "e\u0301",
        "👍🏽",
        "👨\u200d👩\u200d👧",
        "❤\ufe0f",
        "🇵🇱",
        "1\ufe0f\u20e3",
        "\r\n",
        "กำ",
        "\u1100\u1161\u11a8",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ],
)
def test_grapheme_is_not_cut(grapheme: str) -> None:
    first, second = _texts("ą" * 66 + grapheme + "ą" * 67)[:2]
    assert first == "ą" * 66
    assert second.startswith(grapheme)


def test_flags_in_a_row_are_cut_between_flags() -> None:
    texts = _texts("🇵🇱🇬🇧" * 10)
    assert "".join(texts) == "🇵🇱🇬🇧" * 10
    assert all(len(text) % 2 == 0 for text in texts)


def test_grapheme_longer_than_a_part_is_cut_between_characters() -> None:
    giant = "e" + "\u0301" * 200
    texts = _texts("ą" + giant)
    assert "".join(texts) == "ą" + giant
    assert [len(text) for text in texts] == [67, 67, 67, 1]


def test_carriage_return_and_line_feed_stay_together_in_gsm7() -> None:
    assert _texts("a" * 152 + "\r\n" + "b" * 10) == ["a" * 152, "\r\n" + "b" * 10]


@pytest.mark.parametrize(
    ("text", "alphabet", "units", "because"),
    [
        ("", GSM7, 0, ()),
        ("hello", GSM7, 5, ()),
        ("a€b[€", GSM7, 8, ("€", "[")),
        ("żółw żaba [€", UCS2, 12, ("ż", "ó", "ł")),
        ("ok 👍", UCS2, 5, ("👍",)),
    ],
)
def test_measure(text: str, alphabet: Alphabet, units: int, because: tuple[str, ...]) -> None:
    assert pdu.measure(text) == pdu.Measure(alphabet, 1, units, because)


def test_most_parts_is_what_one_octet_holds() -> None:
    assert segmentation.MOST_PARTS == 0xFF
