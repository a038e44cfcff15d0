# SPDX-License-Identifier: Apache-2.0
import pytest

from gsmgw.at import replies
from gsmgw.at.replies import FinalKind


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        ("OK", FinalKind.OK, None),
        ("OK\xff\xfe", FinalKind.OK, None),
        ("ERROR", FinalKind.ERROR, None),
        ("COMMAND NOT SUPPORT", FinalKind.ERROR, None),
        ("COMMAND NOT SUPPORTED", FinalKind.ERROR, None),
        ("Too many parameters", FinalKind.ERROR, None),
        ("ABORTED", FinalKind.ERROR, None),
        ("NO CARRIER", FinalKind.CALL, None),
        ("NO DIALTONE", FinalKind.CALL, None),
        ("NO DIAL TONE", FinalKind.CALL, None),
        ("NO ANSWER", FinalKind.CALL, None),
        ("BUSY", FinalKind.CALL, None),
        ("CONNECT", FinalKind.CONNECT, None),
        ("CONNECT 9600", FinalKind.CONNECT, None),
        ("+CMS ERROR: 38", FinalKind.CMS, 38),
        ("+CMS ERROR:38", FinalKind.CMS, 38),
        ("+CMS ERROR : 38", FinalKind.CMS, 38),
        ("+CMS ERROR 38", FinalKind.CMS, 38),
        ("+CMS ERROR: 513", FinalKind.CMS, 513),
        ("+CMS ERROR:", FinalKind.CMS, None),
        ("+CMS ERROR", FinalKind.CMS, None),
        ("+CMS ERROR: Invalid PDU mode parameter", FinalKind.CMS, 304),
        ('+CMS ERROR: "network timeout"', FinalKind.CMS, 332),
        ("+CMS ERROR: whatever it thinks", FinalKind.CMS, None),
        ("+CME ERROR: 10", FinalKind.CME, 10),
        ("+CME ERROR: SIM PIN required", FinalKind.CME, 11),
        ("+cme error: incorrect password", FinalKind.CME, 16),
    ],
)
def test_final_results(text, kind, code):
    final = replies.parse_final(text)
    assert final is not None
    assert (final.kind, final.code) == (kind, code)
    assert final.ok is (kind in (FinalKind.OK, FinalKind.CONNECT))


@pytest.mark.parametrize("text", ["", "OKAY", "+CSQ: 1,99", "ERRORS", "RING", "CONNECTED", "0"])
def test_lines_that_are_no_final_result(text):
    assert replies.parse_final(text) is None


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('+CMTI: "SM",3', 1),
        ('+CDSI: "SR", 1', 1),
        ("+CMT: ,25", 2),
        ("+CDS: 25", 2),
        ("+CBM: 88", 2),
        ("RING", 1),
        ("^RSSI: 17", 1),
        ("^rssi:17", 1),
        ('+ZPASR: "UMTS"', 1),
        ("*PSUTTZ: 2026, 11, 22", 1),
        ("Call Ready", 1),
        ("*ATREADY: 1", 1),
        ("VOICE CALL: END: 000017", 1),
        ("MISSED_CALL: 05:00PM +48500100201", 1),
        ("BURING", 0),
        ("+CSQ: 17,99", 0),
        ("huawei", 0),
    ],
)
def test_unsolicited_codes_are_known_with_their_number_of_lines(text, lines):
    assert replies.unsolicited_lines(text) == lines


def test_restart_is_told_from_noise_and_ringing_from_words():
    assert replies.is_restart("RDY")
    assert replies.is_restart("^SYSSTART")
    assert replies.is_restart("*ATREADY: 1")
    assert not replies.is_restart("^BOOT:1234,0,0,0,6")
    assert replies.is_ringing("+CRING: VOICE")
    assert not replies.is_ringing("STRING")


def test_hexadecimal_lines():
    assert replies.is_hex("00aF")
    assert not replies.is_hex("00a")
    assert not replies.is_hex("")
    assert not replies.is_hex("0011", 8)
    assert not replies.is_hex("00 1")


def test_prefixes_match_whatever_the_capitals():
    assert replies.matches("+csq: 1", ("+CSQ:",))
    assert not replies.matches("+CSQ: 1", ())
