# SPDX-License-Identifier: Apache-2.0
"""Every exchange of tests/data/transcripts, from bytes to the value that our readers make of it."""

import datetime as dt
from pathlib import Path

import pytest

from gsmgw.at import network, parser, replies, sim, sorting, storage

FOLDER = Path(__file__).parents[2] / "data" / "transcripts"
#: Commands whose answer has no prefix.
FREE = ("AT+CGMI", "AT+CGSN", "AT+CCID")


def _exchanges():
    for file in sorted(FOLDER.glob("*-*.txt")):
        command, answer = "", []
        for line in file.read_text().splitlines():
            mark, _, rest = line.partition(" ")
            if mark == ">":
                command, answer = rest, []
            elif mark == "<":
                answer.append(rest.encode("latin-1").decode("unicode_escape"))
            elif mark == "=":
                name, _, value = rest.partition(" ")
                yield pytest.param(command, answer, name, value, id=f"{file.stem}:{command}")


def _read(name, lines, final):
    first = lines[0] if lines else ""
    registration = network.parse_registration(first)
    clock = network.parse_clock(first)
    return {
        "name": lambda: sim.parse_name(lines, "+CGMI"),
        "imei": lambda: sim.parse_imei(lines),
        "iccid": lambda: sim.parse_iccid(first),
        "tries": lambda: sim.parse_pin_tries(first),
        "pin": lambda: sim.parse_pin_state(first),
        "signal": lambda: network.parse_signal(first),
        "operator": lambda: network.parse_operator(first),
        "registration": lambda: registration and registration.status,
        "memories": lambda: ",".join(storage.parse_memory_choices(first)),
        "service_centre": lambda: storage.parse_service_centre(first),
        "clock": lambda: clock and clock.astimezone(dt.UTC).isoformat(),
        "final": lambda: f"{final.kind.value} {final.code or ''}".strip(),
    }[name]()


@pytest.mark.parametrize(("command", "answer", "name", "value"), list(_exchanges()))
@pytest.mark.parametrize("end", ["\r\n", "\r", "\n", "\r\r\n\r\n"])
def test_what_modems_say_is_understood(command, answer, name, value, end):
    octets = (end + end.join(answer) + end).encode("latin-1")
    prefix = command[2:].partition("=")[0].rstrip("?") + ":"
    waiting = sorting.Expectation(None if command in FREE else (prefix,))
    sorter = sorting.Sorter()
    lines = parser.Parser()
    for octet in octets:
        for event in lines.feed(bytes([octet])):
            assert isinstance(event, parser.Line)
            sorter.take(event.text, waiting)
    assert waiting.final is not None
    assert str(_read(name, waiting.lines, waiting.final)) == value
    assert replies.parse_final(answer[-1]) is not None
