# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from typing import Any

import pdu_support
import pytest

from gsmgw import pdu
from gsmgw.errors import BadNumberError, BadTextError, PduError

_DELIVER: dict[str, Any] = {
    "type": "deliver",
    "service_centre": "+48500100200",
    "sender": "+48500100201",
    "text": "Tak, będę",
    "data_hex": None,
    "alphabet": "ucs2",
    "concat": {"ref": 7, "total": 2, "number": 1},
    "udh_hex": "0003070201",
    "dcs": 8,
    "pid": 0,
    "class": None,
    "service_centre_at": "2026-11-22T10:30:45+01:00",
}
_SUBMIT: dict[str, Any] = {
    "type": "submit",
    "service_centre": None,
    "recipient": "+48500100201",
    "text": None,
    "data_hex": "00FF",
    "alphabet": "8bit",
    "concat": None,
    "udh_hex": "05040B8423F0",
    "dcs": 21,
    "pid": 1,
    "class": 1,
    "mr": 200,
}
_REPORT: dict[str, Any] = {
    "type": "status-report",
    "service_centre": "+48500100200",
    "recipient": "+48500100201",
    "mr": 200,
    "status": 70,
    "service_centre_at": "2026-11-22T10:30:45+01:00",
    "discharged_at": None,
}


@pytest.mark.parametrize("fields", [_DELIVER, _SUBMIT, _REPORT], ids=lambda fields: fields["type"])
def test_what_is_described_is_what_was_encoded(fields: dict[str, Any]) -> None:
    described = pdu.describe(pdu.decode(pdu.encode_described(fields)))
    assert described == fields
    assert list(described) == list(fields)
    assert json.loads(json.dumps(described)) == fields


def test_undecodable_is_described_by_its_error() -> None:
    decoded = pdu.decode("07918405100002F004")
    assert pdu.describe(decoded) == {
        "type": None,
        "service_centre": "+48500100200",
        "error": "it ends in the sender's address",
    }


@pytest.mark.parametrize("name", ["deliveries.json", "submissions.json"])
def test_published_messages_come_back(name: str) -> None:
    for vector in pdu_support.read_vectors(name):
        described = pdu.describe(pdu.decode(vector["pdu"]))
        assert pdu.describe(pdu.decode(pdu.encode_described(described))) == described


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"text": "hello"}, {"alphabet": "gsm7", "dcs": 0}),
        ({"text": "żaba"}, {"alphabet": "ucs2", "dcs": 8}),
        ({"text": "hello", "alphabet": "ucs2"}, {"dcs": 8, "text": "hello"}),
        ({"text": "hello", "class": 0}, {"dcs": 16, "class": 0}),
        ({"text": "hello", "dcs": 0xF1}, {"class": 1, "alphabet": "gsm7"}),
        ({"data_hex": "00 ff"}, {"alphabet": "8bit", "data_hex": "00FF", "text": None}),
        ({"alphabet": "8bit"}, {"data_hex": "", "text": None}),
        ({}, {"text": "", "alphabet": "gsm7"}),
        ({"text": "x", "concat": {"ref": 7, "total": 2, "number": 2}}, {"udh_hex": "0003070202"}),
        (
            {"text": "x", "concat": {"ref": 300, "total": 2, "number": 2}},
            {"udh_hex": "0804012C0202"},
        ),
        (
            {
                "text": "x",
                "udh_hex": "080400070202",
                "concat": {"ref": 7, "total": 2, "number": 2},
            },
            {"udh_hex": "080400070202", "concat": {"ref": 7, "total": 2, "number": 2}},
        ),
        ({"text": "x", "udh_hex": "0003070202"}, {"concat": {"ref": 7, "total": 2, "number": 2}}),
        ({"text": "x", "pid": 64, "mr": 9}, {"pid": 64, "mr": 9}),
    ],
)
def test_keys_that_are_absent_take_their_usual_value(
    fields: dict[str, Any], wanted: dict[str, Any]
) -> None:
    octets = pdu.encode_described({"type": "submit", "recipient": "+48500100201"} | fields)
    described = pdu.describe(pdu.decode(octets))
    assert {key: described[key] for key in wanted} == wanted


def test_least_status_report() -> None:
    octets = pdu.encode_described({"type": "status-report", "recipient": "2580"})
    assert pdu.decode(octets) == pdu.StatusReport(
        0,
        pdu.Address("2580", 0x81),
        None,
        None,
        0,
        None,
        "no time stamp; no discharge time",
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"type": None}, "^type: missing"),
        ({"type": "command"}, "^type: 'command' is none of deliver, submit, status-report"),
        ({"type": 1}, "^type: 1 is no text"),
        ({"recipient": "1"}, "^recipient: a deliver has no such key"),
        ({"error": "x"}, "^error: a deliver has no such key"),
        ({"sender": None}, "^sender: missing"),
        ({"text": 5}, "^text: 5 is no text"),
        ({"data_hex": "00"}, "^data_hex: a message has text or data"),
        ({"text": None, "data_hex": "0", "alphabet": "8bit", "dcs": None}, "^data_hex: '0' is not"),
        ({"text": None, "data_hex": "00"}, "^data_hex: ucs2 has no data"),
        ({"alphabet": "8bit", "dcs": None}, "^text: 8-bit data has no text"),
        ({"alphabet": "utf-8"}, "^alphabet: 'utf-8' is none of gsm7, ucs2, 8bit"),
        ({"alphabet": "gsm7"}, "^dcs: 8 means the alphabet ucs2, not gsm7"),
        ({"class": 1}, "^dcs: 8 means the class None, not 1"),
        ({"class": 4}, "^class: 4 is no number from 0 to 3"),
        ({"pid": 256}, "^pid: 256 is no number from 0 to 255"),
        ({"pid": True}, "^pid: True is no number"),
        ({"pid": "0"}, "^pid: '0' is no number"),
        ({"udh_hex": "zz"}, "^udh_hex: 'zz' is not hex"),
        ({"udh_hex": "000307"}, "^udh_hex: the user data header does not end"),
        ({"concat": {"ref": 8, "total": 2, "number": 1}}, "^concat: the user data header"),
        ({"concat": [1, 2, 3]}, "^concat: it needs ref, total, number"),
        ({"concat": {"ref": 7}}, "^concat: it needs ref, total, number"),
        ({"concat": {"ref": 7, "total": 2, "number": 3}, "udh_hex": None}, "^concat: part 3 of 2"),
        ({"concat": {"ref": -1, "total": 2, "number": 1}}, "^ref: -1 is no number"),
        ({"service_centre_at": "today"}, "^service_centre_at: 'today' is no ISO 8601 time"),
        ({"service_centre_at": "2026-11-22T10:30:45"}, "^service_centre_at: .* has no offset"),
        ({"service_centre_at": "1970-01-01T00:00:00Z"}, "the year 1970"),
    ],
)
def test_bad_value_is_named_by_its_key(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(PduError, match=words):
        pdu.encode_described(_DELIVER | changes)


def test_bad_numbers_and_texts_have_their_own_errors() -> None:
    with pytest.raises(BadNumberError, match=r"^sender: "):
        pdu.encode_described(_DELIVER | {"sender": "+48 500"})
    with pytest.raises(BadNumberError, match="Clinic"):
        pdu.encode_described(_DELIVER | {"service_centre": "Clinic"})
    with pytest.raises(BadTextError, match="not in the GSM 7-bit alphabet"):
        pdu.encode_described(_DELIVER | {"alphabet": "gsm7", "dcs": 0})
    with pytest.raises(BadTextError, match="octets of user data"):
        pdu.encode_described(_DELIVER | {"text": "ż" * 71})
