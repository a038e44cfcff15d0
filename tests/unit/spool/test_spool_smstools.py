# SPDX-License-Identifier: Apache-2.0
"""Files for smsd read as messages: every header of the contract, and smsd's own refusals."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from gsmgw.errors import RejectedError
from gsmgw.model import Draft, TpOptions
from gsmgw.spool.formats import smstools
from gsmgw.spool.formats.smstools import Surroundings

AROUND = Surroundings(
    source="reception",
    spool_file="X",
    now=dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC),
    zone=dt.timezone(dt.timedelta(hours=1)),
    modems=("front", "back"),
    service_centres=True,
)
TO = b"To: 447700900127\n"


def parse(content: bytes) -> Draft:
    return smstools.parse(content, AROUND).draft


def tp(headers: str, body: bytes = b"text\n") -> TpOptions:
    return parse(TO + headers.encode() + b"\n\n" + body).tp or TpOptions()


def refusal(content: bytes) -> str:
    with pytest.raises(RejectedError) as caught:
        smstools.parse(content, AROUND)
    return str(caught.value)


def test_the_plainest_file() -> None:
    assert parse(b"To: 447700900127\n\nHello\n") == Draft(
        recipient="447700900127",
        text="Hello",
        source="reception",
        international_digits=True,
        spool_file="X",
    )


@pytest.mark.parametrize(
    "written", [b"ward 3: +447700900127", b"00447700900127", b"+44 7700 900-127", b"s2580"]
)
def test_a_number_with_something_before_it_is_a_destination(written: bytes) -> None:
    assert parse(b"To: " + written + b"\n\nHello\n").recipient == written.decode()


def test_windows_line_ends_and_a_bom() -> None:
    draft = parse(b"\xef\xbb\xbfTo: 447700900127\r\nReport: yes\r\n\r\nline one\r\nline two\r\n")
    assert draft.recipient == "447700900127"
    assert draft.report_requested
    assert draft.text == "line one\r\nline two"


def test_a_blank_line_may_hold_blanks() -> None:
    assert parse(b"To: 447700900127\n \t\r\nHello").text == "Hello"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "No destination"),
        (b"to: 447700900127\n\nHello", "No destination"),
        (b" To: 447700900127\n\nHello", "No destination"),
        (b"To:\n\nHello", "No destination"),
        (b"To: s\n\nHello", "No destination"),
        (b"To: reception\n\nHello", "No destination"),
        (TO + b"\n", "No text or data"),
        (TO, "No text or data"),
        (TO + b"no blank line here\n", "No text or data"),
        (TO + b"\n \r\n\n", "No text"),
        (TO + b"Alphabet: klingon\n\nHello", "Invalid alphabet"),
        (TO + b"Alphabet: GSMx\n\nHello", "Invalid alphabet"),
        (TO + b"To_TOA: lunar\n\nHello", "Invalid number type"),
        (TO + b"Message_reference: 256\n\nHello", "Invalid message reference"),
        (TO + b"Message_reference: x\n\nHello", "Invalid message reference"),
        (TO + b"Language: 14\n\nHello", "Invalid language"),
        (TO + b"Language_ext: 99\n\nHello", "Invalid language_ext"),
        (TO + b"\n" + b"x" * 39017, "Too long text"),
        (TO + b"Alphabet: binary\nUDH-DATA: 06 05 04\n\nxx", "Incorrect first byte of UDH"),
        (TO + b"Alphabet: binary\nUDH-DATA: zz\n\nxx", "Incorrect first byte of UDH"),
        (TO + b"Alphabet: binary\n\n\x05\x00", "Incorrect first byte of UDH"),
        (TO + b"Alphabet: binary\nHex: yes\n\n# nothing\n", "No data"),
        (TO + b"Alphabet: binary\nHex: yes\n\n0G\n", "Invalid hex data in line 1 of the body"),
        (TO + b"Hex: yes\n\n41\n4 : half\n", "Invalid hex data in line 2 of the body"),
        (
            TO + b"Alphabet: bin\nHex: yes\nUDH: no\n\nLENGTH\n41\n",
            "Invalid hex data: LENGTH stands there an odd number of times",
        ),
        (
            TO + b"Alphabet: binary\nUDH: no\n\n" + b"x" * 141,
            "Too long data for single part sending",
        ),
        (
            TO + b"Alphabet: bin\nUDH: no\nSystem_message: yes\n\n" + b"x" * 141,
            "Too long data for system message",
        ),
        (TO + b"System_message: yes\n\nHello", "System_message needs Alphabet: binary"),
        (
            TO + b"Include: /etc/passwd\n\n",
            "Include is not allowed here; put the text into the file",
        ),
        (TO + b"Text_is_pdu: yes\n\n00", "Text_is_pdu is not supported"),
        (TO + b"Voicecall: yes\n\nTONE: 1", "Voicecall is not supported"),
        (TO + b"\na\x00b", "Invalid character (NUL) at position 2"),
    ],
)
def test_refused_in_smsds_words(content: bytes, words: str) -> None:
    assert refusal(content) == words


@pytest.mark.parametrize(
    ("value", "is_yes"),
    [
        *((value, True) for value in ("yes", "y", "Y", "1", "true", "T", "on", "On")),
        *((value, False) for value in ("ON", "no", "0", "", "x")),
    ],
)
def test_switches_as_smsd_reads_them(value: str, *, is_yes: bool) -> None:
    assert parse(TO + f"Report: {value}\n\nx".encode()).report_requested is is_yes
    assert parse(TO + f"Flash:{value}\n\nx".encode()).flash is is_yes


def test_the_last_of_several_equal_headers_counts() -> None:
    assert parse(b"To: 447700900121\nTo: 447700900122\n\nx").recipient == "447700900122"


@pytest.mark.parametrize(
    ("toa", "to", "international"),
    [
        ("", "447700900127", True),
        ("To_TOA: international\n", "447700900127", True),
        ("To_TOA: national\n", "500100201", False),
        ("To_TOA: unknown\n", "500100201", False),
        ("To_TOA: unknown\n", "s12345", True),
        ("", "s12345", True),
    ],
)
def test_types_of_number(toa: str, to: str, *, international: bool) -> None:
    draft = parse(f"To: {to}\n{toa}\nx".encode())
    assert (draft.recipient, draft.international_digits) == (to, international)


@pytest.mark.parametrize(
    ("headers", "body", "text"),
    [
        ("", "Zażółć €".encode(), "Zażółć €"),
        ("", "Grüße 5 €".encode("iso8859-15"), "Grüße 5 €"),
        ("Alphabet: ISO\n", "Grüße".encode("latin-1"), "Grüße"),
        ("Alphabet: Latin\n", "Grüße".encode("latin-1"), "Grüße"),
        ("Alphabet: ansi\n", "Grüße".encode(), "Grüße"),
        ("Alphabet: UTF-8\n", "Привет 👍".encode(), "Привет 👍"),
        ("Alphabet: utf8\n", "caf\xe9".encode("latin-1"), "café"),
        ("Alphabet: GSM\n", b"\x00 a\x1be b\x02", "@ a€ b$"),
        ("Alphabet: UCS2\n", "Привет 👍".encode("utf-16-be"), "Привет 👍"),
        ("Alphabet: Chinese\n", "你好\n".encode("utf-16-be"), "你好"),
        ("Alphabet: unicode\n", "\ufeffhi".encode("utf-16-be") + b"\n", "hi"),
        ("Alphabet: UCS\n", "\ufeffhi".encode("utf-16-le"), "hi"),
        ("Language: 1\n", "Görüşürüz".encode(), "Görüşürüz"),
    ],
)
def test_alphabets(headers: str, body: bytes, text: str) -> None:
    assert parse(TO + headers.encode() + b"\n" + body).text == text


def test_only_ucs2_is_forced() -> None:
    assert tp("Alphabet: UCS2", "hi".encode("utf-16-be")).alphabet == "ucs2"
    assert tp("Alphabet: UTF-8") == TpOptions()


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        ("Class: 0", {"message_class": 0}),
        ("Class: 3", {"message_class": 3}),
        ("Class: 4", {}),
        ("DCS_hex: F5", {"dcs": 0xF5}),
        ("DCS_hex: 1FF", {}),
        ("Replace: 1", {"pid": 0x41}),
        ("Replace: 7", {"pid": 0x47}),
        ("Replace: 8", {}),
        ("Reply_path: yes", {"reply_path": True}),
        ("Reject_duplicates: yes", {"reject_duplicates": True}),
        ("Ping: yes", {"pid": 0x40, "split": "cut"}),
        ("Autosplit: 0", {"split": "cut"}),
        ("Autosplit: 1", {"split": "plain"}),
        ("Autosplit: 2", {"split": "numbered"}),
        ("Autosplit: 3", {}),
        ("UDH-DATA: 05 00 03 A7 02 01", {"udh": bytes.fromhex("0003A70201")}),
        ("UDH-DUMP: 050003A70201", {"udh": bytes.fromhex("0003A70201")}),
        ("SMSC: 447700900333", {"service_centre": "+447700900333"}),
        ("SMSC: +44 7700 900333", {"service_centre": "+447700900333"}),
        ("SMSC: 00447700900333", {"service_centre": "+447700900333"}),
        ("SMSC: none", {}),
        ("Message_reference: 255", {}),
        ("Retries: 7", {}),
        ("From: reception", {}),
        ("Modem: back", {}),
        ("X-Clinic: 42", {}),
    ],
)
def test_fields_of_the_tpdu(headers: str, fields: dict[str, Any]) -> None:
    assert tp(headers) == replace(TpOptions(), **fields)


def test_without_a_configured_service_centre_smsc_is_ignored() -> None:
    around = replace(AROUND, service_centres=False)
    assert smstools.parse(TO + b"SMSC: 447700900333\n\nx", around).draft.tp is None


def test_ping_asks_for_a_report() -> None:
    assert parse(TO + b"Ping: yes\n\nx").report_requested


HEX = "Alphabet: bin\nUDH: no\nHex: y"


@pytest.mark.parametrize(
    ("headers", "body", "udh", "data"),
    [
        ("Alphabet: binary", b"\x02ab\xffdata", b"ab", b"\xffdata"),
        ("Binary: yes", b"\x00data", b"", b"data"),
        ("Alphabet: binary\nUDH: no", b"\x02data\n", None, b"\x02data\n"),
        ("Alphabet: bin\nUDH-DATA: 02 61 62", b"data", b"ab", b"data"),
        ("Alphabet: bin\nUDH: no\nHex: yes", b"/ no\n' no\n: no\n01 0A\nff", None, b"\x01\x0a\xff"),
        ("Alphabet: bin\nUDH: no\nHex: y", b"STRING: hi\n00", None, b"hi\x00"),
        ("Alphabet: bin\nUDH: no\nHex: y", b"INLINESTRING: hi", None, b"\x03hi\x00"),
        (HEX, b"AA\nLENGTH\n0102\nLENGTH\nBB", None, b"\xaa\x02\x01\x02\xbb"),
        (
            HEX,
            b"0B 84 : push port (2948)\r\n23F0/x\n 01#\n02 'y",
            None,
            b"\x0b\x84\x23\xf0\x01\x02",
        ),
        (HEX, b"LENGTH // here\nAE : header\nLENGTH : ends", None, b"\x01\xae"),
        ("Alphabet: bin\nUDH: no\nHex: y\nMacro: %n%=0A0B", b"01%n%", None, b"\x01\x0a\x0b"),
    ],
)
def test_binary(headers: str, body: bytes, udh: bytes | None, data: bytes) -> None:
    found = tp(headers, body)
    assert (found.udh, found.data) == (udh, data)


@pytest.mark.parametrize(
    ("headers", "body", "text"),
    [
        ("Hex: yes", b"// ISO\n48 65 6C 6C 6F A4 // hello, euro\n", "Hello€"),
        ("Alphabet: UTF-8\nHex: yes\nMacro: %n%=C584", b"41 %n%", "Ań"),
        ("Alphabet: UCS2\nHex: yes", b"0041 0144", "Ań"),
        ("Hex: no", b"48 65 // no hex", "48 65 // no hex"),
    ],
)
def test_text_in_hex(headers: str, body: bytes, text: str) -> None:
    assert parse(TO + headers.encode() + b"\n\n" + body).text == text


def test_the_end_of_file_of_dos_is_no_letter() -> None:
    assert parse(TO + b"\r\nHello\r\n\x1a").text == "Hello"


@pytest.mark.parametrize(
    ("value", "pid", "dcs"), [("yes", 0x40, 0xF4), ("2", 0x7F, 0xF6), ("ToSIM", 0x7F, 0xF6)]
)
def test_system_messages(value: str, pid: int, dcs: int) -> None:
    found = tp(f"Alphabet: binary\nUDH: no\nSystem_message: {value}", b"data")
    assert (found.pid, found.dcs) == (pid, dcs)


def test_a_macro_without_a_name_is_nothing() -> None:
    assert parse(TO + b"Macro: =x\nMacro:\n\nDear patient\n").text == "Dear patient"


def test_macros_are_put_in_in_their_order() -> None:
    draft = parse(TO + "Macro: %n%=Żaneta\nMacro: %d%=Monday\n\nDear %n%, %d%, %n%!".encode())
    assert draft.text == "Dear Żaneta, Monday, Żaneta!"


@pytest.mark.parametrize(
    ("value", "validity", "expires"),
    [
        ("2 hours", 23, "2026-11-23T10:00:00.000Z"),
        ("0", 0, "2026-11-23T08:05:00.000Z"),
        ("167", 167, "2026-11-24T08:00:00.000Z"),
        ("255", 255, "2028-02-07T08:00:00.000Z"),
        ("day", 167, "2026-11-24T08:00:00.000Z"),
        ("1 WEEK", 173, "2026-11-30T08:00:00.000Z"),
        ("30min", 5, "2026-11-23T08:30:00.000Z"),
        ("256", None, None),
        ("soon", None, None),
        ("0 hours", None, None),
        ("-1", None, None),
    ],
)
def test_validity(value: str, validity: int | None, expires: str | None) -> None:
    draft = parse(TO + f"Validity: {value}\n\nx".encode())
    assert (draft.tp and draft.tp.validity, draft.expires_at) == (validity, expires)


def test_validity_counts_from_the_time_of_sending() -> None:
    content = TO + b"Not_before: 2026-11-24 10:00\nValidity: 2 hours\n\nx"
    assert parse(content).expires_at == "2026-11-24T11:00:00.000Z"
    assert parse(TO + b"Not_before: soon\nValidity: 2 hours\n\nx").expires_at is None


def test_expires_overrides_what_validity_makes_of_it() -> None:
    draft = parse(TO + b"Expires: 2026-11-23 18:00\nValidity: 2 hours\n\nx")
    assert draft.expires_at == "2026-11-23 18:00"
    assert draft.tp is not None
    assert draft.tp.validity == 23


@pytest.mark.parametrize(
    ("value", "priority"),
    [("HIGH", "urgent"), ("high", "urgent"), ("yes", "urgent"), ("no", None), ("stat", "stat")],
)
def test_priority(value: str, priority: str | None) -> None:
    assert parse(TO + f"Priority: {value}\n\nx".encode()).priority == priority


def test_our_own_headers() -> None:
    draft = parse(
        TO + b"Source: his\nReference: A-17\nCategory: survey\nNot_before: 2026-11-24 08:00\n\nx"
    )
    assert (draft.source, draft.reference, draft.category) == ("his", "A-17", "survey")
    assert draft.not_before == "2026-11-24 08:00"


@pytest.mark.parametrize(
    ("header", "modem"),
    [("Queue: front", "front"), ("Provider: back", "back"), ("Queue: nosuch", None)],
)
def test_queue_is_a_wish_if_it_names_a_modem(header: str, modem: str | None) -> None:
    assert parse(TO + f"{header}\n\nx".encode()).modem == modem


@pytest.mark.parametrize(
    ("value", "known"), [("17", 17), ("x", None), ("", None), ("9" * 20, None)]
)
def test_the_id_of_an_earlier_message(value: str, known: int | None) -> None:
    assert smstools.parse(TO + f"Gsmgw_id: {value}\n\nx".encode(), AROUND).gsmgw_id == known
