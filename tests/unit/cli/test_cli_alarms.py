# SPDX-License-Identifier: Apache-2.0
"""`gsmgw alarm`: a test beside the real daemon, and where nothing can come of it; the list."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli_support import Place

from gsmgw import locks
from gsmgw.cli import exits
from gsmgw.cli.demo.stage import Stage
from gsmgw.errors import StoreFullError
from gsmgw.store.database import Database
from gsmgw.store.watching import alarms

PHONE, OTHER = "+48500100299", "+48500100298"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    made = Stage(folder)
    hook = [sys.executable, "-ISs", "-c", f"open({str(folder / 'ran')!r}, 'a').write('x')"]
    made._settings = f"alarms: {json.dumps({'hook': hook, 'sms': {'to': PHONE}})}\n"
    with made as running:
        wait(running.is_ready)
        yield running
    assert running.exit_code == 0


def wait(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(9000):
        if condition():
            return
        pause.wait(0.02)
    raise AssertionError(f"{condition} did not become true")


@pytest.mark.slow
def test_everybody_is_told_and_what_came_of_it_is_said(stage: Stage) -> None:
    said = stage.type("alarm", "test", "--wait", "300").splitlines()
    assert "hook: the program ran" in said
    assert said[-1].startswith(f"{PHONE}: SMS ")
    assert said[-1].endswith(": delivered: the phone has it")
    assert (stage.folder / "ran").read_text() == "x"
    (text,) = stage.simulator.books.inbox(PHONE)
    assert "TEST at " in text.text
    assert json.loads(stage.type("status", "--json"))["alarms"]["open"] == []


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.database.close()


def configure(place: Place) -> None:
    with place.config.open("a") as file:
        file.write(f'alarms: {{sms: {{to: "{PHONE}"}}}}\n')


def test_box_that_tells_nobody_says_so(place: Place) -> None:
    result = place.run("alarm", "test")
    assert result.exit_code == exits.CONFIG
    assert "nobody is told of alarms: neither alarms.hook nor alarms.sms.to" in result.output


def test_without_the_daemon_nothing_is_left_for_later(place: Place) -> None:
    configure(place)
    result = place.run("alarm", "test")
    assert result.exit_code == exits.UNAVAILABLE
    assert "the daemon does not run" in result.output
    assert alarms.owed_phones(place.database) == []


def test_daemon_that_does_not_come_to_it_tells_nothing_later(place: Place) -> None:
    configure(place)
    lock = locks.Lock(locks.database_lock(place.database.path), "database")
    lock.acquire()  # as a daemon does that was started before alarms were configured
    try:
        result = place.run("alarm", "test", "--wait", "0.1")
    finally:
        lock.release()
    assert result.exit_code == exits.UNAVAILABLE
    assert f"{PHONE}: not told: the daemon has not told it within 0.1 s" in result.output
    assert alarms.owed_phones(place.database) == []


@pytest.mark.parametrize("fits", [0, 1])
def test_disk_that_fills_in_a_test_is_said_at_once(
    place: Place, monkeypatch: pytest.MonkeyPatch, fits: int
) -> None:
    """Full before the test is asked for, or when what nobody told is to be taken back."""
    configure(place)
    write, writes = Database.write, iter(range(9))

    @contextlib.contextmanager
    def filling(self: Database, **named: object) -> Iterator[object]:
        with write(self, **named) as tx:
            yield tx
            if next(writes) >= fits:
                raise StoreFullError("no space left for database gsmgw.db")

    lock = locks.Lock(locks.database_lock(place.database.path), "database")
    lock.acquire()
    monkeypatch.setattr(Database, "write", filling)
    try:
        result = place.run("alarm", "test", "--wait", "0.1")
    finally:
        lock.release()
    assert result.exit_code == exits.IO
    assert "no space left for database gsmgw.db" in result.output
    assert alarms.owed_phones(place.database) == [PHONE] * fits  # the daemon ends it in an hour


def test_list_says_who_was_told_and_who_was_not(place: Place) -> None:
    found = alarms.Finding("modem", "front", "modem.absent", "error", "it is not there", "lsusb")
    with place.database.write() as tx:
        alarms.begin(tx, found)
        alarms.open_alarm(tx, 1)
        alarms.owe(tx, 1, "open", ["hook", PHONE, OTHER])
        alarms.finish(tx, 1, exit_code=0)
        alarms.finish(tx, 2, error="3 SMS came to nothing")
        test = alarms.owe_test(tx, ["hook"])
    heading, opened, tested = place.good("alarm", "list").splitlines()
    assert heading.split() == ["since", "until", "alarm", "where", "level", "told"]
    words = opened.split()
    assert words[1:5] == ["open", "modem.absent", "front", "error"]
    assert opened.endswith(f"hook, not {PHONE}, not {OTHER}")
    assert tested.split()[2:4] == ["alarm.test", "warning"]
    (first, last) = place.json("alarm", "list")["alarms"]
    assert [(one["via"], one["told"], one["kind"]) for one in first["told"]] == [
        ("hook", True, "open"),
        (PHONE, False, "open"),
        (OTHER, False, "open"),
    ]
    assert (first["closed_at"], last["id"]) == (None, test)
    assert len(place.json("alarm", "list", "--limit", "1")["alarms"]) == 1
