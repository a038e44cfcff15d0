# SPDX-License-Identifier: Apache-2.0
"""`gsmgw pdu` and `gsmgw count`."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from gsmgw.cli import main

DELIVER = "07918405100000F0040B918405100002F100006211228013004003D4E012"
SUBMIT = "0001000B918405100002F1000005C8329BFD06"


def run(*words: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(main.cli, list(words), input=stdin)


def test_decode_prints_a_json_line_for_each() -> None:
    result = run("pdu", "decode", DELIVER, DELIVER.lower())
    first, second = map(json.loads, result.stdout.splitlines())
    assert result.exit_code == 0
    assert first == second
    assert (first["type"], first["sender"], first["text"]) == ("deliver", "+48500100201", "TAK")
    assert first["service_centre_at"] == "2026-11-22T08:31:00+01:00"


def test_decode_reads_standard_input() -> None:
    result = run("pdu", "decode", "-", stdin=f"\n {DELIVER} \r\n\n".encode())
    assert len(result.stdout.splitlines()) == 1


def test_decode_reads_what_goes_out_and_what_has_no_service_centre() -> None:
    found = json.loads(run("pdu", "decode", "--direction=out", SUBMIT).stdout)
    assert (found["type"], found["recipient"], found["text"]) == (
        "submit",
        "+48500100201",
        "Hello",
    )
    assert run("pdu", "decode", "--direction=out", "--no-sca", SUBMIT[2:]).exit_code == 0


def test_decode_marks_what_it_cannot_read_and_goes_on() -> None:
    result = run("pdu", "decode", "-", stdin=b"zz\n\xff\xfe\n" + DELIVER.encode())
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 65
    assert ["error" in line for line in lines] == [True, True, False]


def test_encode_is_the_reverse_of_decode() -> None:
    lines = run("pdu", "decode", DELIVER).stdout
    assert run("pdu", "encode", stdin=lines.encode()).stdout.strip() == DELIVER
    assert (
        run("pdu", "encode", "--no-sca", "-", stdin=lines.encode()).stdout.strip() == DELIVER[16:]
    )


def test_encode_takes_objects_as_arguments() -> None:
    fields = {"type": "submit", "recipient": "+48500100201", "text": "Hello"}
    assert run("pdu", "encode", json.dumps(fields)).stdout.strip() == SUBMIT


def test_encode_names_what_is_wrong_and_goes_on() -> None:
    good = json.dumps({"type": "submit", "recipient": "+48500100201", "text": "Hello"})
    result = run("pdu", "encode", "{", "[]", '{"type": "post"}', good)
    assert result.exit_code == 65
    assert result.stdout.strip() == SUBMIT
    assert "object 1: this is no JSON" in result.stderr
    assert "object 2: an object is wanted" in result.stderr
    assert "object 3: type: 'post' is none of deliver" in result.stderr


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"type": "submit", "text": "x", "text": "y"}', "text: it stands there twice"),
        ('{"concat": {"ref": 1, "ref": 2}}', "ref: it stands there twice"),
        (f'{{"mr": 1{"0" * 5000}}}', "a number in it is too long"),
        ("[" * 100_000, "it is nested too deeply"),
    ],
)
def test_encode_names_json_that_is_not_unmistakable(line: str, words: str) -> None:
    result = run("pdu", "encode", stdin=f"{line}\n".encode())
    assert (result.exit_code, result.stdout) == (65, "")
    assert result.stderr == f"gsmgw: object 1: {words}\n"


def test_encode_names_a_number_that_is_none() -> None:
    fields = {"type": "submit", "recipient": "+4850010020x", "text": "Hello"}
    assert run("pdu", "encode", json.dumps(fields)).exit_code == 65


def test_count_as_json() -> None:
    found = json.loads(run("count", "--json", "Zażółć").stdout)
    assert found == {"alphabet": "ucs2", "parts": 1, "units": 6, "because": ["ż", "ó", "ł", "ć"]}


def test_count_names_the_letters_and_what_folding_saves() -> None:
    shown = run("count", "ł" * 71).stdout
    assert "parts     2" in shown
    assert "ł (U+0142 latin small letter l with stroke)" in shown
    assert "1 part with sending.charset: plain" in shown


def test_count_of_a_plain_text_has_no_reason() -> None:
    shown = run("count", "-", stdin=b"Hello\n").stdout
    assert "alphabet  gsm7" in shown
    assert "units     5 (room for 160" in shown
    assert "because" not in shown
    assert "plain" not in shown


def test_count_refuses_what_is_no_text() -> None:
    result = run("count", "-", stdin=b"\xff")
    assert result.exit_code == 65
    assert result.stderr == (
        "gsmgw: standard input is not UTF-8: 'utf-8' codec can't decode byte 0xff in position 0:"
        " invalid start byte\n"
    )


def test_letters_are_shown_safely() -> None:
    shown = run("count", "a\x1b\u202e").stdout
    assert "\x1b" not in shown
    assert "\\u202e (U+202E right-to-left override)" in shown
