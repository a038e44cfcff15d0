# SPDX-License-Identifier: Apache-2.0
"""Tables at a terminal of 80 columns: what tells rows apart stays whole."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_support import ROOT, Place

from gsmgw.cli import display
from gsmgw.model import ModemReport, ModemState, SimIdentity
from gsmgw.store import modems


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.database.close()


def at_terminal(place: Place, *words: str, columns: int = 80) -> list[str]:
    """Run a command as a person does; return the lines that stand on the screen."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    names = ("COLUMNS", "LINES", "GSMGW_CONFIG")
    environment = {key: value for key, value in os.environ.items() if key not in names}
    with subprocess.Popen(
        [sys.executable, "-m", "gsmgw", "--config", str(place.config), *words],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**environment, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "TERM": "dumb"},
    ):
        os.close(slave)
        shown = b""
        with contextlib.suppress(OSError):  # what Linux says at the end of a terminal
            while octets := os.read(master, 65536):
                shown += octets
    os.close(master)
    return [line.rstrip() for line in shown.decode().splitlines()]


def test_the_narrowest_terminal_cuts_nothing_that_is_typed_again(place: Place) -> None:
    place.refuse(place.message("Your appointment: Monday, 8:30. Answer TAK to confirm."))
    place.arrive("Yes, I am coming")
    report = ModemReport("front", ModemState.ABSENT, port="/dev/serial/by-id/usb-HUAWEI-if00")
    with place.database.write() as tx:
        modems.write_state(tx, report, None)
    listed = at_terminal(place, "list", columns=40)
    assert listed[1].split()[:2] == ["1", "failed"]
    assert "+48500100201" in listed[1]
    assert "+48500100201" in at_terminal(place, "inbox", columns=40)[1]
    shown = at_terminal(place, "modem", "list", columns=40)
    assert ["front", "absent"] in [line.split()[:2] for line in shown]


def test_a_long_error_leaves_id_state_and_number_whole(place: Place) -> None:
    place.refuse(place.message("Your appointment: Monday, 8:30. Answer TAK to confirm."))
    place.message("Your appointment: Tuesday, 9:30. Answer TAK to confirm it.")
    heading, queued, failed = at_terminal(place, "list")
    assert heading.split() == ["id", "state", "created", "to", "parts", "error,", "or", "text"]
    assert queued.split()[:2] == ["2", "queued"]
    assert "+48500100201  1      Your appointment: Tues" in queued
    assert failed.split()[:2] == ["1", "failed"]
    assert "+48500100201  1      +CMS ERROR: 1" in failed
    assert all(len(line) <= 80 for line in (heading, queued, failed))


def test_modems_with_long_ports_and_reasons_are_read_whole(place: Place) -> None:
    port = "/dev/serial/by-id/usb-HUAWEI_Technology_HUAWEI_Mobile-if00-port0"
    why = "its driver does not return from the kernel, for 12 minutes; left alone"
    with place.database.write() as tx:
        sim = SimIdentity("89480100000000000001", None)
        modems.write_state(
            tx,
            ModemReport(
                "front", ModemState.STUCK, port=port, why=why, imei="356938035600001", sim=sim
            ),
            None,
        )
    lines = at_terminal(place, "modem", "list")
    assert any(line.split()[:2] == ["front", "stuck"] for line in lines)
    assert port in "".join(line.split()[-1] for line in lines[2:] if "/dev" in line or "-" in line)
    assert any(line.startswith("front: its driver does not return") for line in lines)
    assert any(line.endswith("356938035600001") for line in lines)
    assert all(len(line) <= 80 for line in lines)


def test_a_story_is_read_without_words_cut_in_two(place: Place) -> None:
    text = "Please bring your identity card and the referral, and come twenty minutes earlier. "
    message = place.message(f"{text * 2}Thank you")
    place.refuse(message)
    lines = at_terminal(place, "show", str(message))
    assert all(len(line) <= 80 for line in lines)
    assert f"{text * 2}Thank you" in " ".join(line.strip() for line in lines)
    assert f"{text * 2}Thank you" in place.good("show", message)


def test_what_is_empty_is_said_to_be(place: Place) -> None:
    assert at_terminal(place, "list") == ["gsmgw: there is nothing to show"]
    assert place.good("list").split()[0] == "id"


def printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], visit: str, name: str
) -> list[str]:
    """Print a table of visits as at a terminal of 60 columns; return its lines."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    rows = [(visit, "", "+48500100201", name), ("A-2", None, "+48500100202", "Ewa")]
    display.print_table(("visit", "answer", "phone", "name"), rows, wide="name")
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_what_finds_no_room_beside_long_ids_stands_below(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "Aleksandra Wiśniewska-Kowalczykowska, called Ola by everybody who knows her"
    visit = "2026/03/000123456789-0000"
    assert printed(monkeypatch, capsys, visit, name) == [
        "visit                      phone",
        "2026/03/000123456789-0000  +48500100201",
        "    Aleksandra Wiśniewska-Kowalczykowska, called Ola by",
        "    everybody who knows her",
        "A-2                        +48500100202",
        "    Ewa",
    ]


def test_what_finds_room_stands_beside_and_what_is_empty_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printed(monkeypatch, capsys, "A-1", "Anna") == [
        "visit  phone         name",
        "A-1    +48500100201  Anna",
        "A-2    +48500100202  Ewa",
    ]
