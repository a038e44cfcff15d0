# SPDX-License-Identifier: Apache-2.0
"""The code tables say what the outcome-by-code paragraph of the design says, row by row."""

from __future__ import annotations

import pytest

from gsmgw import model
from gsmgw.at import codes

W = model.Whose

ROWS: list[tuple[model.Whose, list[int]]] = [
    (W.MESSAGE, [1, *range(128, 160), 195, 196, 304, 305]),
    (W.UNCLEAR, [10, 21, 27, 30, 81, 95, 96, 97, 98, 99, 111, 127, 255]),
    (W.SIM, [8, 28, 29, 50, 69, 193, 310, 311, 312, 315, 316, 317, 318, 330]),
    (W.NETWORK, [38, 41, 42, 47, 192, 194, 331]),
    (W.MODEM, [300, 301, 302, 303, 313, 314, 320, 321, 322]),
]
REFUSED = sorted(number for _, numbers in ROWS for number in numbers)


@pytest.mark.parametrize(
    ("whose", "number"), [(whose, number) for whose, numbers in ROWS for number in numbers]
)
def test_refusals_are_surely_not_taken(whose: model.Whose, number: int) -> None:
    code = codes.cms(number)
    assert (code.number, code.whose, code.taken) == (number, whose, False)
    assert code.text
    assert code.source.startswith("3GPP")


@pytest.mark.parametrize("number", sorted(set(range(1024)) - set(REFUSED) - {197}))
def test_every_other_code_leaves_it_unknown(number: int) -> None:
    assert codes.cms(number).taken is None


def test_only_message_codes_can_fail_a_message_at_once() -> None:
    at_once = [n for n in range(1024) if codes.cms(n).whose is W.MESSAGE and n != 197]
    assert at_once == [1, *range(128, 160), 195, 196, 304, 305]


def test_duplicate_means_that_the_network_has_it() -> None:
    assert codes.cms(197).taken is True


@pytest.mark.parametrize("number", [332, 500, None, 512, 515, 40, 100, 400, -1])
def test_unknown_fate(number: int | None) -> None:
    assert codes.cms(number).taken is None


@pytest.mark.parametrize(
    ("number", "text", "source"),
    [
        (21, "Short message transfer rejected", "3GPP 24.011 E-2"),
        (192, "SC busy", "3GPP 23.040 9.2.3.22"),
        (330, "SMSC address unknown", "3GPP 27.005 3.2.5"),
        (515, "Specific to the modem's vendor", "vendor"),
        (40, "Reserved", "none"),
        (None, "No code given", "none"),
    ],
)
def test_texts_and_sources(number: int | None, text: str, source: str) -> None:
    code = codes.cms(number)
    assert (code.text, code.source) == (text, source)


@pytest.mark.parametrize("number", [None, *range(160)])
def test_cme_codes_settle_nothing(number: int | None) -> None:
    code = codes.cme(number)
    assert (code.number, code.whose, code.taken) == (number, W.UNCLEAR, None)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (10, "SIM not inserted"),
        (11, "SIM PIN required"),
        (16, "Incorrect password"),
        (30, "No network service"),
        (100, "Unknown"),
        (99, "Reserved"),
        (None, "No code given"),
    ],
)
def test_cme_texts(number: int | None, text: str) -> None:
    assert codes.cme(number).text == text


@pytest.mark.parametrize("st", range(256))
def test_final_statuses(st: int) -> None:
    status = codes.tp_status(st)
    assert status.number == st
    assert status.text
    if st <= 0x1F:
        assert status.delivery == "delivered"
    elif 0x40 <= st <= 0x7F:
        assert status.delivery == "undelivered"
    else:
        assert status.delivery == "pending"


@pytest.mark.parametrize(
    ("st", "text"),
    [
        (0x00, "Short message received by the SME"),
        (0x22, "No response from SME"),
        (0x46, "SM validity period expired"),
        (0x65, "Error in SME"),
        (0x03, "Reserved"),
        (0x10, "Specific to the service centre"),
        (0x5A, "Specific to the service centre"),
        (0x90, "Reserved"),
        (0xFF, "Reserved"),
    ],
)
def test_status_texts(st: int, text: str) -> None:
    assert codes.tp_status(st).text == text
