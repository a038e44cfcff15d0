# SPDX-License-Identifier: Apache-2.0
"""Power loss before any change of a file: what was not fsynced is as if it had never been."""

from __future__ import annotations

from pathlib import Path

import pytest
from spool_support import Bench, Killed, PowerCut, kill_at, make_deliver

from gsmgw.spool import files
from gsmgw.store import spool_files

FILE = "To: 48500100201\n\nYour visit is on Monday\n"
LIST = '[{"recipient": "500100202", "text": "a"}, {"recipient": "500100203", "text": "b"}]'


def play(bench: Bench) -> None:
    """Let everything be done that can be done."""
    bench.taking._scan(bench.clock.monotonic())
    bench.clock.advance(1)
    bench.taking.take_ready()
    bench.hand_out()
    for message in bench.messages():
        if message["state"] == "queued":
            bench.send(message["id"], 7)
    bench.put_away()
    bench.hand_out()


def prepare(bench: Bench) -> None:
    for name, content in [("good", FILE), ("bad", "To: nobody\n\nHello\n"), ("list", LIST)]:
        (bench.place.outgoing / name).write_text(content)
    bench.receive(make_deliver("Tak"), make_deliver("Nie"))


def changes(folder: Path) -> int:
    """Count the changes of files when nothing goes wrong."""
    bench = Bench(folder)
    prepare(bench)
    seen: list[str] = []
    with files.recording(lambda change, paths: seen.append(change)):
        play(bench)
    bench.close()
    return len(seen)


def test_there_are_as_many_changes_as_are_tried(tmp_path: Path) -> None:
    assert 20 < changes(tmp_path) <= 40


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("number", range(40))
def test_power_lost_before_any_change(tmp_path: Path, number: int, *, twice: bool) -> None:
    """Nothing is lost and nothing is sent twice, also if it happens again on the way up."""
    bench = Bench(tmp_path, hooks={"event": ["/bin/true"]})
    prepare(bench)
    for _ in range(1 + twice):
        cut = PowerCut()
        try:
            with files.recording(cut.note), files.recording(kill_at(number)):
                play(bench)
        except Killed:
            pass
        cut.strike()  # also where all was done: nothing may hang in the air then
        bench.db.close()
        bench.start()
    for _ in range(2):
        play(bench)
        bench.start()
    assert bench.tree() == {
        "sent": ["good", "list", "list.result.json"],
        "failed": ["bad"],
        "incoming": ["front.000001", "front.000002"],
    }
    assert sorted(row["text"] for row in bench.messages()) == [
        "Your visit is on Monday",
        "a",
        "b",
    ]
    assert [result["state"] for result in bench.result("list")] == ["sent", "sent"]
    root = f"{bench.place.root}/"
    told = [row["path"].removeprefix(root) for row in spool_files.owed_hooks(bench.db, 100)]
    assert sorted(told) == [
        "failed/bad",
        "incoming/front.000001",
        "incoming/front.000002",
        "sent/good",
        "sent/list",
    ]
    bench.close()
