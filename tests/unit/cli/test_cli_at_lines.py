# SPDX-License-Identifier: Apache-2.0
"""Which AT lines need --force."""

from __future__ import annotations

import pytest

from gsmgw.cli import at_lines


@pytest.mark.parametrize(
    "line",
    [
        "AT",
        "at+csq",
        "ATI",
        "ATI9",
        "ATE0",
        "AT+COPS?",
        "AT+COPS=?",
        "AT+CPIN?",
        "AT+CLCK=?",
        "AT+CSQ;+CREG?",
        "ATE0+CSQ",
        "AT +CGMI",
        "AT+CMGR=3",
        "AT+CRSM=176,28483,0,0,2",
    ],
)
def test_lines_that_read_go_through(line: str) -> None:
    assert at_lines.fault(line) is None
    assert at_lines.reads_only(line)


@pytest.mark.parametrize(
    "line",
    [
        "AT+CMGD=1,4",
        'AT+CPIN="1234"',
        'AT+CLCK="SC",1,"1234"',
        'AT+CPWD="SC","1234","0000"',
        "AT+CFUN=1,1",
        "AT+CMGS=20",
        "AT+CMGW=20",
        "AT+CMSS=1",
        "AT+CMGF=1",
        'AT+CPMS="SM"',
        "AT&F",
        "AT&W",
        "ATZ",
        "ATE0Z",
        "ATE0&F",
        "ATD+48500100201;",
        "ATA",
        "ATH",
        "ATS0=1",
        "AT^RESET",
        "AT^CARDLOCK?",
        "AT$QCPWRDN",
        "AT%REBOOT?",
        "AT+CSQ;+CMGD=1",
        "AT+CSQ;&F",
        "AT+CRSM=214,28483,0,0,2,FF00",
        "AT+COPS=2",
        "AT+CSQ?;^RESET?",
        "AT+CPOF",
        "AT+X=1?",
    ],
)
def test_lines_that_may_change_something_need_force(line: str) -> None:
    assert not at_lines.reads_only(line)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("HELLO", "does not begin with AT"),
        ("AT+CSQ\r\nAT+CMGD=1", "characters that no AT command has"),
        ("AT\x1a", "characters that no AT command has"),
        ("ATż", "characters that no AT command has"),
        ("AT" + "+CSQ;" * 200, "longer than"),
    ],
)
def test_lines_that_are_none_are_refused(line: str, words: str) -> None:
    assert words in (at_lines.fault(line) or "")
