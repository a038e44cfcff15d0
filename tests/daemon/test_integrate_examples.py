# SPDX-License-Identifier: Apache-2.0
"""The programs of docs/integrate.md, as they stand there, on the real daemon."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import integrate_support
import pytest
from site_support import Site, site

pytestmark = pytest.mark.slow


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Site]:
    patient = {"result_timeout": "60s"}  # nothing waits for it unless a test says so
    with site(tmp_path, integrate_support.SCENARIO, modem=patient) as running:
        yield running


def test_a_file_and_its_fate(box: Site) -> None:
    program = integrate_support.write(box.folder, "remind.sh")
    text = "Jutro o 9:30.\n$(reboot) `id`"
    done = integrate_support.run(box, program, "+48500100202", "visit-17", stdin=text)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    box.until(lambda: box.phone("+48500100202") == [text])  # the network had it, now the phone has
    done = integrate_support.run(box, program, "+48500100203", "visit-18", stdin="Hi")
    assert done.returncode == 1
    assert done.stdout.startswith("+CMS ERROR: 1 (")
    done = integrate_support.run(box, program, "+48500100202\nX: y", "visit-19", stdin="Hi")
    assert done.returncode == 64
    assert list((box.spool / "outgoing").iterdir()) == []


def test_a_file_that_nobody_knows_of(box: Site) -> None:
    box.configure({"sending": {"uncertain": {"wait": "200ms"}}}, {"reports": "off"})
    box.stop()
    box.start()
    box.sim.fault("front", "answer-lost")
    program = integrate_support.write(box.folder, "remind.sh")
    done = integrate_support.run(box, program, "+48500100202", "visit-20", stdin="Hi")
    assert done.returncode == 2
    assert done.stdout.startswith("Uncertain, may have arrived")


def test_a_command_and_its_exit_code(box: Site) -> None:
    program = integrate_support.write(box.folder, "notify.sh")
    done = integrate_support.run(box, program, "500 100 202", "visit-1", stdin="Dzień dobry\n")
    assert (done.returncode, done.stdout) == (0, "visit-1 is message 1\n")
    box.until(lambda: box.phone("+48500100202") == ["Dzień dobry"])
    done = integrate_support.run(box, program, "nobody", "visit-2", stdin="Hi")
    assert done.returncode == 1
    assert "visit-2 cannot be sent" in done.stdout


def test_a_bridge_between_two_databases(box: Site) -> None:
    bridge = integrate_support.write(box.folder, "bridge.py")

    def turn() -> dict[str, str]:
        done = integrate_support.run(box, sys.executable, "-W", "error", bridge)
        assert (done.returncode, done.stderr) == (0, "")
        with closing(sqlite3.connect(box.folder / "clinic.db")) as own:
            return dict(own.execute("SELECT reference, state FROM message"))

    turn()
    with closing(sqlite3.connect(box.folder / "clinic.db")) as own, own:
        own.executemany(
            "INSERT INTO message VALUES (?, ?, ?, NULL)",
            [("A-1", "+48500100201", "Jutro o 9:30"), ("A-2", "+48500100203", "Jutro o 10:00")],
        )
    turn()
    with closing(sqlite3.connect(box.folder / "clinic.db")) as own, own:
        own.execute("UPDATE message SET state = NULL")  # it crashed before it had noted it
    ends = {"A-1": "delivered", "A-2": "failed"}
    box.until(lambda: turn() == ends)
    box.until(lambda: len(box.rows("inbox")) == 1)
    turn()
    turn()
    with closing(sqlite3.connect(box.folder / "clinic.db")) as own:
        answers = own.execute("SELECT reference, phone, kind, text FROM answer").fetchall()
    assert answers == [("A-1", "+48500100201", "sms", "TAK, dziękuję 👍")]
    assert box.phone("+48500100201") == ["Jutro o 9:30"]


def test_a_bridge_makes_no_empty_database(box: Site) -> None:
    box.stop()
    bridge = integrate_support.write(box.folder, "bridge.py", ("?mode=rw", ".none?mode=rw"))
    done = integrate_support.run(box, sys.executable, bridge)
    assert "unable to open database file" in done.stderr
    assert not Path(f"{box.database}.none").exists()


def test_a_handler_of_events(box: Site) -> None:
    notes = box.folder / "events.jsonl"
    handler = integrate_support.write(
        box.folder,
        "gsmgw-handler",
        ("/var/lib/clinic/events.jsonl", str(notes)),
        ("#!/usr/bin/env python3", f"#!{sys.executable}"),
    )
    box.configure({"hooks": {"event": [str(handler)]}}, {"result_timeout": "60s"})
    box.stop()
    box.start()
    box.drop("visit-17", "To: 48500100201\nReport: yes\n\nJutro o 9:30")
    box.drop("visit-18", "To: 48500100203\n\nJutro o 10:00")
    box.sim.call("+48500100204", "front", every_s=60)
    box.until(lambda: notes.exists() and notes.read_text().count("\n") == 5)
    found = {note["event"]: note for note in map(json.loads, notes.read_text().splitlines())}
    assert found["SENT"]["message"] == "1"
    assert found["REPORT"]["message"] == "1"
    assert found["FAILED"]["why"].startswith("+CMS ERROR: 1 (")
    assert found["CALL"]["phone"] == "48500100204"
    assert found["RECEIVED"]["text"] == "TAK, dziękuję 👍"
    box.until(lambda: not box.files("incoming") and not box.files("report"))
    assert set(box.files("sent")) == {"visit-17"}


@pytest.mark.parametrize("number", range(len(integrate_support.examples("sh"))))
def test_shell_examples_are_valid(number: int) -> None:
    program = integrate_support.examples("sh")[number]
    subprocess.run(["sh", "-n"], input=program, text=True, check=True)
