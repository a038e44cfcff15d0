# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from gsmgw import pdu
from gsmgw.pdu.alphabet import Alphabet

GSM7, DATA, UCS2 = Alphabet.GSM7, Alphabet.DATA, Alphabet.UCS2


@pytest.mark.parametrize(
    ("dcs", "meaning"),
    [
        (0x00, pdu.Coding(GSM7)),
        (0x04, pdu.Coding(DATA)),
        (0x08, pdu.Coding(UCS2)),
        (0x0C, pdu.Coding(GSM7, is_reserved=True)),
        (0x03, pdu.Coding(GSM7)),
        (0x10, pdu.Coding(GSM7, message_class=0)),
        (0x11, pdu.Coding(GSM7, message_class=1)),
        (0x1A, pdu.Coding(UCS2, message_class=2)),
        (0x20, pdu.Coding(DATA, is_compressed=True)),
        (0x3B, pdu.Coding(DATA, message_class=3, is_compressed=True)),
        (0x48, pdu.Coding(UCS2, delete_after_reading=True)),
        (0x54, pdu.Coding(DATA, message_class=0, delete_after_reading=True)),
        (0x80, pdu.Coding(GSM7, is_reserved=True)),
        (0xBF, pdu.Coding(GSM7, is_reserved=True)),
        (0xC8, pdu.Coding(GSM7, waiting_for="voicemail", is_waiting=True, discard=True)),
        (0xC1, pdu.Coding(GSM7, waiting_for="fax", discard=True)),
        (0xDA, pdu.Coding(GSM7, waiting_for="email", is_waiting=True)),
        (0xEB, pdu.Coding(UCS2, waiting_for="other", is_waiting=True)),
        (0xF0, pdu.Coding(GSM7, message_class=0)),
        (0xF5, pdu.Coding(DATA, message_class=1)),
        (0xFA, pdu.Coding(GSM7, message_class=2, is_reserved=True)),
    ],
)
def test_meaning_of_the_octet(dcs: int, meaning: pdu.Coding) -> None:
    assert pdu.read_coding(dcs) == meaning


@pytest.mark.parametrize("alphabet", list(Alphabet))
@pytest.mark.parametrize("message_class", [None, 0, 1, 2, 3])
def test_octet_that_is_made_means_what_it_was_made_from(
    alphabet: Alphabet, message_class: int | None
) -> None:
    meaning = pdu.read_coding(pdu.make_dcs(alphabet, message_class))
    assert meaning == pdu.Coding(alphabet, message_class)
