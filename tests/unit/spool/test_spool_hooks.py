# SPDX-License-Identifier: Apache-2.0
"""The event handler: a real program, no shell, once at least, never in anybody's way."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from factories import make_config, make_database
from fakes import FakeClock

from gsmgw import logs, programs
from gsmgw.clock import SystemClock
from gsmgw.errors import StoreBusyError
from gsmgw.gateway.hints import Hints
from gsmgw.spool import names
from gsmgw.spool.hooks import Hooks
from gsmgw.store import spool_files
from gsmgw.store.database import Database
from gsmgw.threads import StopToken

WRITER = """
import json, os, sys
with open({path!r}, "a") as book:
    book.write(json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]) + "\\n")
{more}
"""


class Desk:
    """A service, a handler written in Python, and the book in which it writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.book = folder / "book"
        self.db: Database = make_database(folder, FakeClock())
        self.hints = Hints()
        self.hooks = Hooks(make_config(), self.db, self.hints, SystemClock())

    def handler(self, more: str = "", **keys: str) -> None:
        script = self.folder / "handler.py"
        script.write_text(WRITER.format(path=str(self.book), more=more))
        self.event([sys.executable, "-ISs", str(script)], **keys)

    def event(self, arguments: list[str], **keys: str) -> None:
        config = make_config(hooks={"event": arguments, **keys})
        self.hooks = Hooks(config, self.db, self.hints, SystemClock())

    def owe(self, event: str = "SENT", path: str = "/spool/sent/X", ref: str | None = "17") -> int:
        gsmgw_id = 4 if event == "SENT" else None
        with self.db.write() as tx:
            return spool_files.owe_hook(tx, event, names.to_text(path), ref, gsmgw_id=gsmgw_id)

    def run(self) -> None:
        """Step until nothing is owed."""
        stop = StopToken()
        self.hooks.open()
        while spool_files.owed_hooks(self.db, 1):
            self.hooks.step(stop)

    def calls(self) -> list[Any]:
        import json

        if not self.book.exists():
            return []
        return [json.loads(line) for line in self.book.read_text().splitlines()]

    def row(self, run_id: int) -> dict[str, Any]:
        row = self.db.row("SELECT * FROM hook_run WHERE id = ?", (run_id,))
        assert row is not None
        return dict(row)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(tmp_path)
    yield found
    found.hooks.close()


def test_arguments_environment_and_order(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    desk.handler()
    first = desk.owe()
    desk.owe("RECEIVED", "/spool/incoming/front.000001", None)
    desk.run()
    (one, environment, folder), (two, other, _) = desk.calls()
    assert one == ["SENT", "/spool/sent/X", "17"]
    assert two == ["RECEIVED", "/spool/incoming/front.000001"]
    assert folder == "/"
    environment.pop("LC_CTYPE", None)  # Python sets it for itself
    ours = {"GSMGW_EVENT", "GSMGW_FILE", "GSMGW_RUN", "GSMGW_ID"}
    assert set(environment) == {"PATH", "LANG", "HOME", *ours}
    assert "GSMGW_ID" not in other
    assert environment["LANG"] == "C.UTF-8"
    assert environment["GSMGW_EVENT"] == "SENT"
    assert environment["GSMGW_FILE"] == "/spool/sent/X"
    assert environment["GSMGW_RUN"] == str(first)
    assert environment["GSMGW_ID"] == "4"
    assert desk.row(first)["exit_code"] == 0
    assert desk.row(first)["error"] is None


@pytest.mark.parametrize(
    "name", ["$(touch pwned)", "a b;c", "new\nline", "`id`", "-rf", os.fsdecode(b"\xff"), "\\x41"]
)
def test_no_shell_reads_a_name(desk: Desk, name: str) -> None:
    desk.handler()
    desk.owe(path=f"/spool/sent/{name}")
    desk.run()
    assert desk.calls()[0][0][1] == f"/spool/sent/{name}"
    assert not list(desk.folder.glob("pwned"))


def test_a_failing_handler_is_logged_masked_and_not_run_again(desk: Desk) -> None:
    desk.handler("print('cannot reach +48500100201'); sys.exit(3)")
    run_id = desk.owe()
    with logs.capture() as records:
        desk.run()
    (record,) = (record for record in records if record.event == "hook.failed")
    assert record.fields["exit_code"] == 3
    assert record.fields["error"] == "exit code 3"
    assert record.fields["output"] == "<25 chars>"
    assert desk.row(run_id)["exit_code"] == 3
    assert len(desk.calls()) == 1


def test_a_silent_failure_and_a_signal(desk: Desk) -> None:
    desk.handler("sys.exit(1) if sys.argv[1] == 'SENT' else os.kill(os.getpid(), 9)")
    first, second = desk.owe(), desk.owe("FAILED")
    desk.run()
    assert desk.row(first)["error"] == "exit code 1"
    assert desk.row(second)["exit_code"] == -9


def test_a_handler_whose_time_is_up_is_killed_with_its_children(desk: Desk) -> None:
    desk.event(["/bin/sh", "-c", "sleep 600 & echo $! > $0; wait", str(desk.book)], timeout="3s")
    run_id = desk.owe()
    desk.run()
    assert desk.row(run_id)["error"] == "killed after 3 s"
    child = int(desk.book.read_text())
    state = Path(f"/proc/{child}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] in "ZX"


def test_a_child_left_behind_with_our_pipe_does_not_hold_us(desk: Desk) -> None:
    desk.event(["/bin/sh", "-c", "sleep 600 & echo $! > $0", str(desk.book)])
    run_id = desk.owe()
    desk.run()
    assert desk.row(run_id)["exit_code"] == 0
    os.kill(int(desk.book.read_text()), 9)
    for reader in programs._readers:
        assert reader.wait(60) == 0


def test_a_child_left_behind_may_go_on_printing(desk: Desk) -> None:
    go, done = desk.folder / "go", desk.folder / "done"
    wait = 'while [ ! -e "$0" ]; do sleep 0.02; done'
    script = f'({wait}; for i in 1 2 3; do echo "still here"; done; mv "$0" "$1") &'
    desk.event(["/bin/sh", "-c", script, str(go), str(done)])
    run_id = desk.owe()
    desk.run()
    assert desk.row(run_id)["exit_code"] == 0
    go.touch()
    deadline = time.monotonic() + 60
    while not done.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for reader in programs._readers:
        assert reader.wait(60) == 0


def test_a_handler_that_closes_its_output_is_waited_for(desk: Desk) -> None:
    desk.event(["/bin/sh", "-c", "exec >&- 2>&-; sleep 0.2; exit 4"])
    run_id = desk.owe()
    desk.run()
    assert desk.row(run_id)["exit_code"] == 4


def test_much_output_neither_blocks_nor_fills_the_memory(desk: Desk) -> None:
    desk.handler("sys.stdout.write('x' * 3_000_000); sys.stdout.flush(); sys.exit(1)")
    run_id = desk.owe()
    desk.run()
    assert desk.row(run_id)["error"] == "exit code 1: " + "x" * 2000


def test_a_missing_handler_loses_no_event(desk: Desk) -> None:
    desk.event(["/nonexistent/handler"])
    run_id = desk.owe()
    stop = StopToken()
    desk.hooks.open()
    with logs.capture() as records:
        desk.hooks.step(stop)
    assert [record.event for record in records] == ["spool.owed"]
    assert desk.row(run_id)["finished_at"] is None
    desk.handler()
    desk.hooks._troubles.ended("start")
    desk.run()
    assert len(desk.calls()) == 1


def test_a_run_cut_short_by_the_end_of_the_daemon_is_run_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gsmgw.spool.hooks.STOP_GRACE_S", 0.1)
    desk.handler("import time; time.sleep(600)")
    run_id = desk.owe()
    stop = StopToken()
    desk.hooks.open()
    while not desk.calls():
        desk.hooks._begin_next() if desk.hooks._run is None else desk.hooks._attend(0.05)
    desk.hooks.step(stop)
    with logs.capture() as records:
        desk.hooks.close()
    assert [record.event for record in records] == ["hook.interrupted"]
    assert desk.row(run_id)["finished_at"] is None
    desk.handler()
    desk.run()
    assert [call[1]["GSMGW_RUN"] for call in desk.calls()] == [str(run_id)] * 2


def test_a_run_that_ends_while_the_daemon_stops_is_noted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gsmgw.spool.hooks.STOP_GRACE_S", 100.0)
    desk.handler("import time; time.sleep(0.2)")
    run_id = desk.owe()
    assert desk.hooks._begin_next()
    desk.hooks.close()
    assert desk.row(run_id)["exit_code"] == 0


def test_events_owed_to_no_handler_are_let_go(desk: Desk) -> None:
    for _ in range(3):
        run_id = desk.owe()
    desk.run()
    assert desk.row(run_id)["error"] == "no event handler is configured"


def test_while_the_store_is_busy_no_further_run_is_started(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.handler()
    first, second = desk.owe(), desk.owe()
    finish = spool_files.finish_hook
    refusals = iter([True, True])

    def busy(tx: Any, *rest: Any) -> None:
        if next(refusals, False):
            raise StoreBusyError
        finish(tx, *rest)

    monkeypatch.setattr(spool_files, "finish_hook", busy)
    stop = StopToken()
    desk.hooks.open()
    desk.hooks.step(stop)
    while desk.hooks._run is not None:  # it may run for longer than one step
        desk.hooks.step(stop)
    assert desk.row(first)["finished_at"] is None
    desk.hooks._troubles.ended("store")
    assert not desk.hooks._begin_next()
    desk.hooks._troubles.ended("store")
    desk.run()
    assert len(desk.calls()) == 2
    assert desk.row(second)["exit_code"] == 0


def test_without_a_handler_to_wait_for_it_ends_when_told(desk: Desk) -> None:
    stop = StopToken()
    stop.set()
    desk.hooks.wake()
    desk.hooks.step(stop)
    assert desk.hooks._attend(0.0)
