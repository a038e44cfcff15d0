# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: RUF001 (the Turkish i without a dot is meant)
from __future__ import annotations

import dataclasses
from typing import Any

import pdu_support
import pytest

from gsmgw import pdu
from gsmgw.errors import BadNumberError, BadTextError, PduError
from gsmgw.pdu.alphabet import Alphabet

_HELLO = pdu_support.make_text_segment("hello")
_SUBMIT = pdu.Submit("+48500100201", _HELLO)


def _encode(**changes: Any) -> pdu.DecodedSubmit:
    return pdu_support.decode_submission(pdu.encode_submit(dataclasses.replace(_SUBMIT, **changes)))


def test_least_submission_octet_by_octet() -> None:
    assert pdu.encode_submit(_SUBMIT).hex(" ").upper() == (
        "01 00 0B 91 84 05 10 00 02 F1 00 00 05 E8 32 9B FD 06"
    )


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({}, 0x01),
        ({"reject_duplicates": True}, 0x05),
        ({"validity": 0}, 0x11),
        ({"report": True}, 0x21),
        ({"udh": bytes.fromhex("05040B8423F0")}, 0x41),
        ({"reply_path": True}, 0x81),
    ],
)
def test_first_octet(changes: dict[str, Any], first: int) -> None:
    assert pdu.encode_submit(dataclasses.replace(_SUBMIT, **changes))[0] == first
    decoded = _encode(**changes)
    assert decoded.reject_duplicates is changes.get("reject_duplicates", False)
    assert decoded.validity == changes.get("validity")
    assert decoded.report is changes.get("report", False)
    assert decoded.udh == changes.get("udh", b"")
    assert decoded.reply_path is changes.get("reply_path", False)


@pytest.mark.parametrize(
    ("changes", "dcs"),
    [
        ({}, 0x00),
        ({"message_class": 0}, 0x10),
        ({"message_class": 1}, 0x11),
        ({"segment": pdu_support.make_text_segment("żaba")}, 0x08),
        ({"segment": pdu_support.make_text_segment("żaba"), "message_class": 0}, 0x18),
        ({"segment": None, "data": b"\x00\xff"}, 0x04),
        ({"segment": None, "message_class": 3}, 0x17),
        ({"dcs": 0xF0}, 0xF0),
        ({"dcs": 0xC8, "message_class": 0}, 0xC8),
    ],
)
def test_data_coding_scheme(changes: dict[str, Any], dcs: int) -> None:
    assert _encode(**changes).dcs == dcs


def test_data_with_ports() -> None:
    decoded = _encode(segment=None, data=b"\x00\xffabc", udh=bytes.fromhex("05040B8423F0"))
    assert (decoded.alphabet, decoded.data, decoded.text) == (Alphabet.DATA, b"\x00\xffabc", None)
    assert pdu.read_ports(decoded.udh) == pdu.Ports(2948, 9200)


@pytest.mark.parametrize("wide", [False, True])
def test_part_of_several_with_other_elements(wide: bool) -> None:
    concat = pdu.Concat(200, 3, 2, wide=wide)
    decoded = _encode(concat=concat, udh=bytes.fromhex("05040B8423F0"))
    assert decoded.concat == concat
    assert decoded.udh.endswith(bytes.fromhex("05040B8423F0"))
    assert decoded.text == "hello"


def test_empty_text() -> None:
    decoded = _encode(segment=pdu_support.make_text_segment(""))
    assert (decoded.text, decoded.note) == ("", "")
    decoded = _encode(segment=pdu_support.make_text_segment(""), concat=pdu.Concat(1, 2, 2))
    assert (decoded.text, decoded.note) == ("", "")


def test_national_tables_are_used_where_the_header_names_them() -> None:
    segment = pdu.Segment(Alphabet.GSM7, "şu ığdır", 8)
    decoded = _encode(segment=segment, udh=bytes.fromhex("250101240101"))
    assert decoded.text == "şu ığdır"
    with pytest.raises(BadTextError):
        _encode(segment=segment)


@pytest.mark.parametrize(
    ("recipient", "toa", "address"),
    [
        ("+48500100201", None, pdu.Address("+48500100201", 0x91)),
        ("500100201", None, pdu.Address("500100201", 0x81)),
        ("500100201", 0xA1, pdu.Address("500100201", 0xA1)),
        ("*100#", None, pdu.Address("*100#", 0x81)),
        ("Clinic", 0xD0, pdu.Address("Clinic", 0xD0)),
    ],
)
def test_recipient(recipient: str, toa: int | None, address: pdu.Address) -> None:
    assert _encode(recipient=recipient, toa=toa).recipient == address


@pytest.mark.parametrize(
    "recipient", ["", "+", "Clinic", "+48 500 100 201", "1234-5", "٤٨٥", "1" * 21, "+" + "1" * 21]
)
def test_recipient_that_is_no_number(recipient: str) -> None:
    with pytest.raises(BadNumberError):
        _encode(recipient=recipient)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mr": 256}, "^mr: 256"),
        ({"pid": -1}, "^pid: -1"),
        ({"dcs": 256}, "^dcs: 256"),
        ({"validity": 256}, "^validity: 256"),
        ({"toa": 256}, "^toa: 256"),
        ({"message_class": 4}, "^class: 4"),
        ({"concat": pdu.Concat(1, 2, 3)}, r"^concat: part 3 of 2"),
        ({"segment": None, "udh": b"\x00", "concat": pdu.Concat(1, 2, 1)}, "header does not end"),
    ],
)
def test_field_out_of_range_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BadTextError, match=words):
        _encode(**changes)


def test_header_that_does_not_add_up_is_sent_as_it_is() -> None:
    decoded = _encode(udh=b"\x00\x03")
    assert (decoded.udh, decoded.text) == (b"\x00\x03", "hello")


@pytest.mark.parametrize(
    "changes",
    [
        {"segment": pdu.Segment(Alphabet.GSM7, "a" * 161, 161)},
        {"segment": pdu.Segment(Alphabet.GSM7, "a" * 154, 154), "concat": pdu.Concat(1, 2, 1)},
        {"segment": pdu.Segment(Alphabet.UCS2, "a" * 71, 71)},
        {"segment": None, "data": bytes(141)},
        {"segment": None, "data": bytes(134), "udh": bytes.fromhex("05040B8423F0")},
        {"segment": None, "udh": b"\x70\xfe" + bytes(254)},
        {"segment": pdu.Segment(Alphabet.GSM7, "ą", 1)},
        {"segment": pdu.Segment(Alphabet.UCS2, "\ud83d", 1)},
    ],
)
def test_text_that_does_not_fit(changes: dict[str, Any]) -> None:
    with pytest.raises(BadTextError):
        _encode(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"segment": pdu.Segment(Alphabet.GSM7, "a" * 160, 160)},
        {"segment": pdu.Segment(Alphabet.GSM7, "a" * 153, 153), "concat": pdu.Concat(1, 2, 1)},
        {"segment": pdu.Segment(Alphabet.UCS2, "a" * 70, 70)},
        {"segment": None, "data": bytes(140)},
        {"segment": None, "data": b"", "udh": b"\x70\x89" + bytes(0x89)},
    ],
)
def test_text_that_just_fits(changes: dict[str, Any]) -> None:
    assert not _encode(**changes).note


_DELIVER = pdu.Deliver(
    sender=pdu_support.SENDER,
    text="hello",
    service_centre_at=pdu_support.SENT_AT,
    service_centre="+48500100200",
)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"more_to_send": True},
        {"reply_path": True},
        {"report_indication": True},
        {"pid": 0x41},
        {"service_centre": None, "service_centre_at": None},
        {"sender": pdu.Address("Pharmacy", 0xD0)},
        {"sender": pdu.Address("", 0x81)},
        {"dcs": 0xD8},
        {"dcs": 0xF1, "message_class": 1},
        {"text": "żaba", "alphabet": Alphabet.UCS2, "dcs": 0x08},
        {"text": None, "data": b"\x00\xff", "alphabet": Alphabet.DATA, "dcs": 0x04},
        {"text": None, "data": b"\x00\xff", "alphabet": Alphabet.DATA, "dcs": 0x24},
        {"concat": pdu.Concat(7, 2, 1), "udh": bytes.fromhex("0003070201")},
    ],
)
def test_delivery_comes_back_as_it_was(changes: dict[str, Any]) -> None:
    delivery = dataclasses.replace(_DELIVER, **changes)
    decoded = pdu_support.decode_delivery(pdu.encode_deliver(delivery).hex())
    wanted = {"user_data": decoded.user_data, "note": decoded.note}
    assert decoded == dataclasses.replace(delivery, **wanted)


def test_delivery_makes_its_coding_from_alphabet_and_class() -> None:
    delivery = dataclasses.replace(_DELIVER, text="żaba", alphabet=Alphabet.UCS2, message_class=0)
    assert pdu_support.decode_delivery(pdu.encode_deliver(delivery).hex()).dcs == 0x18


def test_delivery_adds_its_concatenation() -> None:
    delivery = dataclasses.replace(_DELIVER, concat=pdu.Concat(7, 2, 1))
    decoded = pdu_support.decode_delivery(pdu.encode_deliver(delivery).hex())
    assert (decoded.concat, decoded.udh.hex()) == (pdu.Concat(7, 2, 1), "0003070201")


def test_status_report_comes_back_as_it_was() -> None:
    report = pdu.StatusReport(
        255,
        pdu_support.SENDER,
        pdu_support.SENT_AT,
        None,
        0x46,
        "+48500100200",
        "no discharge time",
    )
    assert pdu.decode(pdu.encode_status_report(report)) == report


@pytest.mark.parametrize(
    ("changes", "words"), [({"mr": 300}, "^mr: 300"), ({"status": -1}, "^status: -1")]
)
def test_status_report_out_of_range(changes: dict[str, Any], words: str) -> None:
    report = pdu.StatusReport(1, pdu_support.SENDER, None, None, 0)
    with pytest.raises(PduError, match=words):
        pdu.encode_status_report(dataclasses.replace(report, **changes))


@pytest.mark.parametrize("recipient", ["+48500100200", "48500100", "2442", "7099", "112"])
@pytest.mark.parametrize("text", ["TAK", "Zażółć"])
@pytest.mark.parametrize("concat", [None, pdu.Concat(7, 2, 1)])
def test_a_validity_period_can_be_left_out_afterwards(
    recipient: str, text: str, concat: pdu.Concat | None
) -> None:
    (segment,) = pdu.segment(text)
    plain = pdu.encode_submit(pdu.Submit(recipient, segment, report=True, concat=concat))
    limited = pdu.encode_submit(
        pdu.Submit(recipient, segment, report=True, concat=concat, validity=167)
    )
    assert pdu.without_validity(limited) == plain
    assert pdu.without_validity(plain) is None
