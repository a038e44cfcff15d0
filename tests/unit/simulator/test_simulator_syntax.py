# SPDX-License-Identifier: Apache-2.0
"""Command lines taken apart, and the loop below everything."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator_support import PATIENCE_S

from gsmgw import clock, errors
from gsmgw.simulator import loop
from gsmgw.simulator.device.syntax import Command, split_fields, split_line


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("AT", []),
        ("at", []),
        ("xxAT", []),
        ("", None),
        ("0011000B91", None),
        ("ATE0", [Command("E", "", "0")]),
        ("ATE0V1&F", [Command("E", "", "0"), Command("V", "", "1"), Command("&F", "")]),
        ("ATS0=0", [Command("S0", "=", "0")]),
        ("ATD+48500100201;", [Command("D", "", "+48500100201;")]),
        ("AT+CMEE=1;+CREG=2", [Command("+CMEE", "=", "1"), Command("+CREG", "=", "2")]),
        ("AT+CREG?", [Command("+CREG", "?")]),
        ("AT+CPMS=?", [Command("+CPMS", "=?")]),
        ('AT+CPMS="SM";', [Command("+CPMS", "=", '"SM"')]),
        ('AT+CUSD=1,"*1;2#",15', [Command("+CUSD", "=", '1,"*1;2#",15')]),
        ("at^curc=0", [Command("^CURC", "=", "0")]),
        ("AT!", [Command("?", "", "!")]),
        ("AT+", [Command("?", "", "+")]),
    ],
)
def test_lines(line: str, commands: list[Command] | None) -> None:
    assert split_line(line) == commands


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("", []),
        ("1", ["1"]),
        ('"SM","ME"', ["SM", "ME"]),
        ('1, "a,b" ,', ["1", "a,b", ""]),
        ("1,,2", ["1", "", "2"]),
        ('"open', ['"open']),
    ],
)
def test_fields(value: str, found: list[str]) -> None:
    assert split_fields(value) == found


@given(st.text())
def test_any_line_is_taken_apart(line: str) -> None:
    commands = split_line(line)
    assert commands is None or all(isinstance(command.fields, list) for command in commands)


@pytest.fixture
def running() -> Iterator[loop.Loop]:
    found = loop.Loop(clock.SystemClock())
    found.start()
    yield found
    found.stop()


def test_calls_return_values_and_errors(running: loop.Loop) -> None:
    assert running.call(threading.current_thread) is not threading.current_thread()
    assert running.call(lambda: running.call(lambda: 5)) == 5
    with pytest.raises(ValueError, match="no"):
        running.call(lambda: int("no"))

    def fail() -> None:
        raise errors.GsmgwError("told")

    with pytest.raises(errors.GsmgwError, match="told"):
        running.call(fail)


def test_a_loop_that_does_not_run_calls_at_once() -> None:
    idle = loop.Loop(clock.SystemClock())
    assert idle.call(threading.current_thread) is threading.current_thread()
    idle.stop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nobody_waits_for_a_loop_that_broke(running: loop.Loop) -> None:
    broken = threading.Event()

    def break_it() -> None:
        broken.set()
        raise ZeroDivisionError

    running.call(lambda: running.after(0.0, break_it) and None)
    assert broken.wait(PATIENCE_S)
    assert running.call(lambda: 5) == 5


def test_timers_in_their_order_and_never_too_early(running: loop.Loop) -> None:
    source = clock.SystemClock()
    fired: list[tuple[str, float]] = []
    done = threading.Event()

    def plan() -> float:
        now = source.monotonic()
        running.at(now + 0.03, lambda: fired.append(("late", source.monotonic())))
        running.at(now + 0.01, lambda: fired.append(("early", source.monotonic())))
        running.at(now + 0.02, lambda: fired.append(("never", 0.0))).cancel()
        running.at(now - 1, lambda: fired.append(("at once", source.monotonic())))
        running.at(now + 0.04, done.set)
        return now

    start = running.call(plan)
    assert done.wait(PATIENCE_S)
    assert [name for name, _ in fired] == ["at once", "early", "late"]
    assert fired[1][1] >= start + 0.01
    assert fired[2][1] >= start + 0.03
