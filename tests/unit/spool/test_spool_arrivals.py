# SPDX-License-Identifier: Apache-2.0
"""Incoming files, reports and missed calls, against what the real smsd wrote."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Any

import pytest
from spool_support import golden

from gsmgw.pdu import Alphabet
from gsmgw.spool.formats import arrivals
from gsmgw.spool.formats.arrivals import Origin, Report, Sms

RECEIVED = dt.datetime(2026, 11, 22, 6, 12, 39, tzinfo=dt.timezone(dt.timedelta(hours=1)))
SUBMITTED = dt.datetime(2026, 11, 22, 7, 15, 10, tzinfo=dt.timezone(dt.timedelta(hours=2)))
ORIGIN = Origin("+447700900127", 0x91, "GSM1", "", "", RECEIVED, "+447700900333", SUBMITTED)
NAMED = replace(ORIGIN, number="Pharmacy", toa=0xD0)


def sms(text: str, alphabet: Alphabet = Alphabet.GSM7, **fields: Any) -> Sms:
    return Sms(text, alphabet, **fields)


@pytest.mark.parametrize(
    ("name", "origin", "message"),
    [
        ("CgbEax", NAMED, sms("alnum sender", report_indication=True)),
        ("DQCkym", ORIGIN, sms("Replace me", replace=1)),
        ("JTARJv", ORIGIN, sms("Hello [clinic] €, äöü"[:15] + "€ äöü")),
        ("OCMrYf", ORIGIN, sms("Привет, да", Alphabet.UCS2)),
        ("wXEz5n", ORIGIN, sms("Flash!", is_flash=True)),
        ("x3p8ND", ORIGIN, sms("Part one, Part two.")),
    ],
)
def test_incoming_as_smsd_writes_it(name: str, origin: Origin, message: Sms) -> None:
    ours = arrivals.format_sms(origin, message, {}, smsd_alphabets=False)
    assert ours == golden(f"incoming/GSM1.{name}")


def test_undecodable_as_smsd_writes_it_but_for_its_own_explanation() -> None:
    theirs = golden("incoming/GSM1.PcfiKc")
    found = re.search(rb"PDU: (\w+)\n", theirs)
    assert found is not None
    origin = Origin("", None, "GSM1", "", "", RECEIVED)
    ours = arrivals.format_undecodable(
        origin, found[1].decode(), "it ends\nin TP-PID", {}, smsd_alphabets=False
    )
    head = re.sub(rb"Length: \d+\n|Pos: .*\n", b"", theirs.partition(b"\n\n")[0] + b"\n")
    assert re.sub(rb"Length: \d+\n", b"", ours.partition(b"\n\n")[0] + b"\n") == head
    assert ours.endswith(b"\n\nThis PDU cannot be decoded:\nit ends in TP-PID\n")


@pytest.mark.parametrize(
    ("name", "mr", "status"), [("dYu27l", 117, 0), ("hI4vlk", 118, 34), ("V5e3wd", 119, 70)]
)
def test_reports_as_smsd_writes_them(name: str, mr: int, status: int) -> None:
    report = Report(mr, status, SUBMITTED.replace(second=30))
    ours = arrivals.format_report(ORIGIN, report, {}, smsd_alphabets=False)
    assert ours == golden(f"report/GSM1.{name}")


def test_reports_carry_our_headers_and_256_for_0() -> None:
    extra = {"Gsmgw_id": "17", "Gsmgw_file": "a\nb"}
    ours = arrivals.format_report(ORIGIN, Report(0, 1, None), extra, smsd_alphabets=True)
    head, _, body = ours.decode().partition("\n\n")
    assert head.endswith("Alphabet: ISO\nLength: 132\nUDH: no\nGsmgw_id: 17\nGsmgw_file: a b")
    assert body.startswith("SMS STATUS REPORT\nMessage_id: 256\nStatus: 1,Ok,short message forw")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (2, "Ok,short message replaced by the SC"),
        (32, "Still trying,congestion"),
        (37, "Still trying,error in SME"),
        (48, "Temporary error, SC specific, unknown"),
        (64, "Error,remote procedure error"),
        (73, "Error,SM does not exist"),
        (80, "Permanent error, SC specific, unknown"),
        (98, "Error,no response sendr SME"),
        (101, "Error,error in SME"),
        (127, "Permanent error, SC specific, unknown"),
        (3, "unknown"),
        (102, "unknown"),
        (255, "unknown"),
    ],
)
def test_status_words(status: int, words: str) -> None:
    assert arrivals.describe_status(status) == words


@pytest.mark.parametrize(
    ("toa", "words"),
    [
        (0x91, "91 international, ISDN/telephone"),
        (0x81, "81 unknown, ISDN/telephone"),
        (0xA1, "A1 national, ISDN/telephone"),
        (0xD0, "D0 alphanumeric, unknown"),
        (0xD1, "D1 alphanumeric, unknown"),
        (0x80, "80 unknown, unknown"),
        (0x82, "82 unknown, reserved"),
    ],
)
def test_types_of_address(toa: int, words: str) -> None:
    assert arrivals.describe_toa(toa) == words


@pytest.mark.parametrize(
    ("message", "alphabet", "length", "body"),
    [
        (sms("5 € äß"), b"ISO", 6, "5 € äß".encode("iso8859-15")),
        (sms("Δ"), b"ISO", 1, b"?"),
        (sms("Привет 👍", Alphabet.UCS2), b"UCS2", 9, "Привет 👍".encode("utf-16-be")),
        (sms("", data=b"\x00\xff"), b"binary", 2, b"\x00\xff"),
    ],
)
def test_smsds_default_alphabets(message: Sms, alphabet: bytes, length: int, body: bytes) -> None:
    ours = arrivals.format_sms(ORIGIN, message, {}, smsd_alphabets=True)
    head, _, found = ours.partition(b"\n\n")
    assert b"\nAlphabet: %b\nLength: %d" % (alphabet, length) in head
    assert (b"\nUDH: no" in head) is (alphabet == b"ISO")
    assert found == body


def test_binary_with_a_header() -> None:
    message = sms("", Alphabet.DATA, data=b"\xff\n\nraw", udh=bytes.fromhex("05040B8423F0"))
    ours = arrivals.format_sms(ORIGIN, message, {}, smsd_alphabets=False)
    assert b"\nAlphabet: binary\nUDH-DATA: 06 05 04 0B 84 23 F0\nLength: 6\n\n\xff\n\nraw" in ours


def test_an_incomplete_message_says_so() -> None:
    message = sms("Part one", is_complete=False, udh=bytes.fromhex("0003430201"))
    ours = arrivals.format_sms(ORIGIN, message, {"Gsmgw_id": "5"}, smsd_alphabets=True)
    assert b"\nIncomplete: yes\nAlphabet: ISO\nUDH-DATA: 05 00 03 43 02 01\n" in ours
    assert b"\nUDH: yes\nGsmgw_id: 5\n\nPart one" in ours


def test_a_missed_call() -> None:
    origin = Origin("+447700900127", 0x91, "GSM1", "260010000000001", "35000", RECEIVED)
    assert arrivals.format_call(origin, {"Gsmgw_id": "9"}, smsd_alphabets=False) == (
        b"From: 447700900127\nFrom_TOA: 91 international, ISDN/telephone\nSubject: GSM1\n"
        b"Modem: GSM1\nIMSI: 260010000000001\nIMEI: 35000\nCall_type: missed\n"
        b"Received: 26-11-22 06:12:39\nGsmgw_id: 9\n\nCALL MISSED\n"
    )


def test_a_senders_name_cannot_forge_a_header() -> None:
    origin = replace(ORIGIN, number="A\nModem: x\r\n\nB", toa=0xD0)
    ours = arrivals.format_sms(origin, sms("x"), {}, smsd_alphabets=False)
    assert ours.startswith(b"From: A Modem: x   B\nFrom_TOA: D0 ")
    assert ours.count(b"\n\n") == 1
