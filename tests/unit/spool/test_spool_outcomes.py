# SPDX-License-Identifier: Apache-2.0
"""What stands in `sent/` and `failed/`, against what the real smsd made of the same files."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from spool_support import golden

from gsmgw.spool.formats import headers, outcomes
from gsmgw.spool.formats.outcomes import Outcome, Trial

_OURS = re.compile(rb"^Gsmgw_.*\n", re.MULTILINE)
_SMSDS = re.compile(
    rb"^(Modem|Sent|Sending_time|Message_id|IMSI|IMEI|Fail_reason|Failed|PDU|NOTICE): ?.*\n",
    re.MULTILINE,
)


def at(clock: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2026-11-22T{clock}+01:00")


def trial(*mrs: int | None, imsi: str = "", imei: str = "") -> Trial:
    return Trial("GSM1", imsi, imei, mrs)


SENT: dict[str, dict[str, Any]] = {
    "sent/m1": {"at": at("06:15:39"), "sending_s": 9},
    "sent/m5": {"at": at("06:13:18"), "sending_s": 14},
    "sent/m6": {"at": at("06:13:28"), "sending_s": 10},
    "sent/m9": {"at": at("06:13:39"), "sending_s": 11, "report_requested": False},
    "sent/m10": {"at": at("06:12:43"), "sending_s": 4},
    "sent/s.txt": {"at": at("06:15:47"), "sending_s": 8, "report_requested": False},
    "sent/crlf": {"at": at("06:15:30"), "sending_s": 10},
    "sent-real-imsi/m1": {
        "at": at("06:26:54"),
        "sending_s": 16,
        "trial": trial(2, imsi="262011234567890", imei="123456789012345"),
    },
}


@pytest.mark.parametrize("name", SENT)
def test_sent_as_smsd_writes_it(name: str) -> None:
    theirs = golden(name)
    defaults = {"trial": trial(1), "report_requested": True, "gsmgw_id": 17, "state": "sent"}
    ours = outcomes.add_outcome(_SMSDS.sub(b"", theirs), Outcome(**{**defaults, **SENT[name]}))
    assert _OURS.sub(b"", ours) == theirs
    assert b"Gsmgw_id: 17\nGsmgw_state: sent\nGsmgw_message_ids: " in ours


def test_a_text_that_needed_ucs2_gets_smsds_notices() -> None:
    theirs = golden("sent/m2")
    text = headers.split(theirs).body.decode()
    outcome = Outcome(
        at=at("06:13:04"),
        sending_s=14,
        trial=trial(1),
        report_requested=True,
        notices=outcomes.notices(text),
    )
    ours = outcomes.add_outcome(_SMSDS.sub(b"", theirs), outcome)
    assert _OURS.sub(b"", ours) == theirs


FAILED = {
    "failed/low": ("No destination", "06:15:21"),
    "failed/m4": ("No destination", "06:12:41"),
    "failed/m7": ("No text or data", "06:12:43"),
    "failed/m8": ("Invalid alphabet", "06:12:44"),
    "failed/nb": ("No text or data", "06:15:22"),
}


@pytest.mark.parametrize("name", FAILED)
def test_refused_at_the_spool_as_smsd_writes_it(name: str) -> None:
    reason, clock = FAILED[name]
    theirs = golden(name)
    outcome = Outcome(at=at(clock), fail_reason=reason, state="rejected")
    ours = outcomes.add_outcome(_SMSDS.sub(b"", theirs), outcome)
    assert _OURS.sub(b"", ours) == theirs


@pytest.mark.parametrize(("name", "clock"), [("m1", "06:28:16"), ("m2", "06:28:22")])
def test_refused_by_the_network_as_smsd_writes_it_but_for_the_pdu(name: str, clock: str) -> None:
    theirs = golden(f"failed-modem-stage/{name}")
    outcome = Outcome(
        at=at(clock),
        fail_reason="+CMS ERROR: 21 (Short message transfer rejected)",
        trial=trial(None, imsi="262011234567890", imei="123456789012345"),
        report_requested=True,
        gsmgw_id=3,
        state="failed",
    )
    ours = outcomes.add_outcome(_SMSDS.sub(b"", theirs), outcome)
    assert _OURS.sub(b"", ours) == re.sub(rb"PDU: .*\n", b"", theirs)
    assert b"Gsmgw_message_ids" not in ours


def test_a_file_that_came_back_loses_what_was_added_before() -> None:
    first = outcomes.add_outcome(
        b"X-Clinic: 1\nTo: 447700900127\nModem: old\nPDU: 00\nResult: x\nNumber: y\n\nHello",
        Outcome(at=at("06:00:00"), trial=trial(1), report_requested=True, gsmgw_id=1, state="sent"),
    )
    again = Outcome(at=at("07:00:00"), fail_reason="No", gsmgw_id=2, state="failed")
    assert outcomes.add_outcome(first, again) == (
        b"X-Clinic: 1\nTo: 447700900127\n"
        b"Fail_reason: No\nFailed: 26-11-22 07:00:00\nGsmgw_id: 2\nGsmgw_state: failed\n\nHello"
    )


def test_the_id_of_an_uncertain_message_stays_so_that_it_is_refused_again() -> None:
    outcome = Outcome(at=at("07:00:00"), fail_reason="?", state="rejected", keep_gsmgw_id=True)
    ours = outcomes.add_outcome(b"To: 1\nGsmgw_id: 17\n\nx", outcome)
    assert ours.startswith(b"To: 1\nGsmgw_id: 17\nFail_reason: ?\n")


def test_reference_0_is_256_and_the_last_part_speaks() -> None:
    outcome = Outcome(
        at=at("07:00:00"), trial=trial(254, None, 0), report_requested=True, state="sent"
    )
    ours = outcomes.add_outcome(b"To: 1\n\nx", outcome)
    assert b"\nMessage_id: 256\n" in ours
    assert b"\nGsmgw_message_ids: 254 - 256\n" in ours


def test_no_id_is_made_up() -> None:
    outcome = Outcome(at=at("07:00:00"), trial=trial(None), report_requested=True, state="sent")
    assert b"Message_id" not in outcomes.add_outcome(b"To: 1\n\nx", outcome)


def test_a_reason_of_two_lines_cannot_add_a_header() -> None:
    outcome = Outcome(at=at("07:00:00"), fail_reason="a\r\nTo: 447700900121\x1b[2J")
    ours = outcomes.add_outcome(b"To: 1\n\nx", outcome)
    assert b"\nFail_reason: a  To: 447700900121 [2J\n" in ours


def test_a_file_without_line_end_and_an_empty_file() -> None:
    outcome = Outcome(at=at("07:00:00"), fail_reason="No")
    added = b"Fail_reason: No\nFailed: 26-11-22 07:00:00\n"
    assert outcomes.add_outcome(b"To: 1", outcome) == b"To: 1\n" + added
    assert outcomes.add_outcome(b"", outcome) == added


def test_no_notice_without_foreign_letters() -> None:
    assert outcomes.notices("Zwyk@€") == ()
    assert len(outcomes.notices("Zażółć")) == 5


def test_unreadable_octets_are_kept_as_they_are() -> None:
    content = b"To: 1\n\xff\xfe\x00: \xe9\n\n\x00\xff"
    ours = outcomes.add_outcome(content, Outcome(at=at("07:00:00"), fail_reason="No"))
    assert ours.startswith(b"To: 1\n\xff\xfe\x00: \xe9\n")
    assert ours.endswith(b"\n\n\x00\xff")
