# SPDX-License-Identifier: Apache-2.0
"""Our codec against two independent ones, outside of the faults that those are known for."""

from __future__ import annotations

import datetime as dt

import gsmmodem.pdu
import pytest
from smspdudecoder import easy

from gsmgw import pdu

_TEXTS = [
    "hello",
    "a" * 160,
    "a" * 161,
    "€" * 81,
    "[{~}] \\ ^ |",
    "ÄÖÑÜ äöñüà ΔΦΓΛΩ èéùìò @£$¥",
    "line\nbreak",
    "Potwierdź wizytę",
    "ż" * 70,
    "ż" * 71,
    "ż" * 201,
    "Подтвердите запись",
    "x" * 1000,
    "",
]


def _encode(text: str, *, ref: int, validity: int | None, report: bool) -> list[bytes]:
    segments = pdu.segment(text)
    return [
        pdu.encode_submit(
            pdu.Submit(
                "+48500100201",
                segment,
                concat=pdu.Concat(ref, len(segments), number) if len(segments) > 1 else None,
                report=report,
                validity=validity,
                mr=ref,
            )
        )
        for number, segment in enumerate(segments, start=1)
    ]


@pytest.mark.parametrize("text", _TEXTS)
@pytest.mark.parametrize(("hours", "report"), [(None, False), (12, True), (24 * 7, True)])
def test_submissions_are_those_of_gsmmodem(text: str, hours: int | None, report: bool) -> None:
    validity = None if hours is None else pdu.relative_validity(hours * 3600)
    theirs = gsmmodem.pdu.encodeSmsSubmitPdu(
        "+48500100201",
        text,
        reference=77,
        validity=None if hours is None else dt.timedelta(hours=hours),
        requestStatusReport=report,
    )
    # Theirs have the empty service centre address in front.
    assert _encode(text, ref=77, validity=validity, report=report) == [
        bytes(part.data[1:]) for part in theirs
    ]


# It adds an @ where extension characters leave seven bits free.
_TEXTS_FOR_SMSPDUDECODER = [text for text in _TEXTS if "€" not in text]


@pytest.mark.parametrize("text", [*_TEXTS_FOR_SMSPDUDECODER, "Tak 👍", "👍" * 36, "§ `"])
def test_submissions_are_read_by_smspdudecoder(text: str) -> None:
    parts = _encode(text, ref=77, validity=167, report=False)
    read = [easy.read_outgoing_sms("00" + part.hex().upper()) for part in parts]
    assert "".join(part["content"] for part in read) == text
    assert {part["recipient"] for part in read} == {"+48500100201"}


@pytest.mark.parametrize("text", [*_TEXTS_FOR_SMSPDUDECODER, "Tak 👍", "§ `"])
def test_deliveries_are_read_by_smspdudecoder(text: str) -> None:
    at = dt.datetime(2026, 11, 22, 10, 30, 45, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    segments = pdu.segment(text, wide=True)
    content = ""
    for number, segment in enumerate(segments, start=1):
        several = len(segments) > 1
        delivery = pdu.Deliver(
            sender=pdu.Address("+48500100201", 0x91),
            text=segment.text,
            alphabet=segment.alphabet,
            concat=pdu.Concat(300, len(segments), number, wide=True) if several else None,
            service_centre_at=at,
            service_centre="+48500100200",
        )
        read = easy.read_incoming_sms(pdu.encode_deliver(delivery).hex().upper())
        assert read["sender"] == "+48500100201"
        assert read["date"] == at
        content += read["content"]
    assert content == text


@pytest.mark.parametrize("text", _TEXTS)
def test_deliveries_are_read_by_gsmmodem(text: str) -> None:
    segments = pdu.segment(text)
    content = ""
    for number, segment in enumerate(segments, start=1):
        delivery = pdu.Deliver(
            sender=pdu.Address("+48500100201", 0x91),
            text=segment.text,
            alphabet=segment.alphabet,
            concat=pdu.Concat(44, len(segments), number) if len(segments) > 1 else None,
            service_centre_at=dt.datetime(2026, 11, 22, tzinfo=dt.UTC),
            service_centre="+48500100200",
        )
        content += gsmmodem.pdu.decodeSmsPdu(pdu.encode_deliver(delivery).hex().upper())["text"]
    assert content == text


def test_status_report_is_read_by_gsmmodem() -> None:
    at = dt.datetime(2026, 11, 22, 10, 30, 45, tzinfo=dt.timezone(dt.timedelta(hours=-3.5)))
    report = pdu.StatusReport(77, pdu.Address("+48500100201", 0x91), at, at, 0x46, "+48500100200")
    read = gsmmodem.pdu.decodeSmsPdu(pdu.encode_status_report(report).hex().upper())
    assert (read["type"], read["reference"], read["number"], read["status"]) == (
        "SMS-STATUS-REPORT",
        77,
        "+48500100201",
        0x46,
    )
    assert (read["time"], read["discharge"]) == (at, at)
