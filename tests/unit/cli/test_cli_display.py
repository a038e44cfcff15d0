# SPDX-License-Identifier: Apache-2.0
"""What is shown cannot steer a terminal, and times are the clinic's."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsmgw.cli import display

WARSAW = zoneinfo.ZoneInfo("Europe/Warsaw")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("Zażółć gęślą 👍", "Zażółć gęślą 👍"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\r\tc\x00", "a\\nb\\r\\tc\\x00"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202edef", "abc\\u202edef"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("broken \ud83d", "broken \\ud83d"),
        ("10\u00a0zł\u202fok", "10 zł ok"),
        ("👩\u200d⚕\ufe0f", "👩\u200d⚕\ufe0f"),
        ("\U000f0000", "\\U000f0000"),
        (17, "17"),
    ],
)
def test_untrusted_words_are_shown_as_escapes(words: object, shown: str) -> None:
    assert display.safe(words) == shown


@given(st.text(alphabet=st.characters()))
def test_nothing_that_is_shown_is_a_control_character(text: str) -> None:
    shown = display.safe(text)
    assert shown.replace("\u200c", "").replace("\u200d", "").isprintable()
    assert display.safe(shown) == shown


def test_a_text_keeps_its_lines_or_becomes_one_cell() -> None:
    assert display.safe_lines("a\r\nb\n\x1bc") == ["a", "b", "\\x1bc"]
    assert display.safe_cell("a\r\nb") == "a ⏎ b"
    assert display.safe_cell(None) == ""


def test_times_are_local_with_their_zone() -> None:
    assert display.local_time("2026-11-22T07:30:05.123Z", WARSAW) == "2026-11-22 08:30:05 CET"
    assert display.local_time("2026-07-22T07:30:05.123Z", WARSAW) == "2026-07-22 09:30:05 CEST"
    assert display.local_time(None, WARSAW) == ""
    assert display.local_time("tomorrow\x1b", WARSAW) == "tomorrow\\x1b"


def test_short_times_leave_out_what_is_today() -> None:
    now = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
    assert display.short_time("2026-11-22T07:30:05.123Z", WARSAW, now) == "08:30:05"
    assert display.short_time("2026-11-21T07:30:05.123Z", WARSAW, now) == "21 Nov 08:30"
    assert display.short_time("2026-11-22T07:30:05.123Z", WARSAW, now, seconds=False) == "08:30"
    assert display.short_time("2025-11-21T07:30:05.123Z", WARSAW, now) == "21 Nov 2025 08:30"
    assert display.day_time("2026-11-02T07:30:05.123Z", WARSAW, now) == " 2 Nov 08:30"
    assert display.short_time("", WARSAW, now) == ""
    assert display.short_time("never", WARSAW, now) == "never"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 s"),
        (0.4, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3725, "1 h 2 min"),
        (90061, "1 d 1 h"),
    ],
)
def test_ages_have_two_units(seconds: float, words: str) -> None:
    assert display.age(seconds) == words


def test_a_table_cuts_only_where_it_must_fit() -> None:
    rows = [("1", "x" * 200), ("2", "[bold]no markup[/bold]")]
    cut = display.render(display.table(("id", "text"), rows, wide="text", fit=True), width=40)
    whole = display.render(display.table(("id", "text"), rows, wide="text", fit=False))
    assert max(map(len, cut.split("\n"))) <= 40
    assert "…" in cut
    assert "x" * 200 in whole
    assert "[bold]no markup[/bold]" in whole


def test_json_survives_what_utf8_cannot_hold(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    display.print_json({"text": "ż \ud83d"})
    assert capfdbinary.readouterr().out == '{"text": "ż \\ud83d"}\n'.encode()
