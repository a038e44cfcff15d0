# SPDX-License-Identifier: Apache-2.0
import pytest

from gsmgw.at import parser
from gsmgw.at.parser import Line, Prompt


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"\r\nOK\r\n", [Line("OK")]),
        (b"OK\r", [Line("OK")]),
        (b"OK\n", [Line("OK")]),
        (b"\r\r\n\n\r\nOK\r\r\n\r\n", [Line("OK")]),
        (b"\r\n+CSQ: 17,99\r\n\r\nOK\r\n", [Line("+CSQ: 17,99"), Line("OK")]),
        (b'OK\r+CMTI: "SM",3\n', [Line("OK"), Line('+CMTI: "SM",3')]),
        (b"\x00\x00\r\nO\x00K\r\n", [Line("OK")]),
        (b"\xff\xfe\x80OK\r\n", [Line("OK")]),
        (b"\r\n> ", [Prompt()]),
        (b">", [Prompt()]),
        (b"\r\n>\r\n+CMGS: 3\r\n", [Prompt(), Line("+CMGS: 3")]),
        (b"> 0011AB\x1a\r\n+CMGS: 3\r\n", [Prompt(), Line("0011AB"), Line("+CMGS: 3")]),
        (b"0011AB\x1a+CMGS: 3\r\n", [Line("0011AB"), Line("+CMGS: 3")]),
        (b"\x1bOK\r\n", [Line("OK")]),
        (b"A > B\r\n", [Line("A > B")]),
        (b'+COPS: 0,0,"T\xe9l\xe9com"  \r\n', [Line('+COPS: 0,0,"Télécom"')]),
        (b"AT+CSQ\r\r\n+CSQ: 1,99\r\n", [Line("AT+CSQ"), Line("+CSQ: 1,99")]),
        (b"", []),
        (b"OK", []),
    ],
)
def test_bytes_become_lines_and_prompts(octets, expected):
    assert parser.Parser().feed(octets) == expected


def test_a_line_without_an_end_is_pending_until_flushed():
    lines = parser.Parser()
    assert lines.feed(b"\r\nOK ") == []
    assert lines.pending == "OK"
    assert lines.flush() == [Line("OK")]
    assert lines.pending == ""
    assert lines.flush() == []


def test_reset_forgets_the_pending_line():
    lines = parser.Parser()
    lines.feed(b"+CSQ")
    lines.reset()
    assert lines.feed(b"OK\r\n") == [Line("OK")]


def test_an_endless_line_is_cut_and_the_next_one_is_whole():
    lines = parser.Parser()
    for _ in range(3):
        lines.feed(b"7" * parser.MAX_LINE)
    (long, ok) = lines.feed(b"\r\nOK\r\n")
    assert long == Line("7" * parser.MAX_LINE)
    assert ok == Line("OK")
