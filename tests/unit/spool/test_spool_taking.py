# SPDX-License-Identifier: Apache-2.0
"""Files taken out of `outgoing/`: what is claimed, what is left, what is stored."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from spool_support import Bench

from gsmgw import logs
from gsmgw.spool import files, names
from gsmgw.store import spool_files

FILE = "To: 48500100201\n\nYour visit is on Monday\n"
UNPRIVILEGED = 65534


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path)
    yield found
    found.close()


def scan(bench: Bench) -> None:
    """Let the service look by itself, and the settle time pass."""
    bench.clock.advance(31)
    bench.taking._scan(bench.clock.monotonic())
    bench.clock.advance(1)
    bench.taking.take_ready()


def test_a_file_becomes_a_message(bench: Bench) -> None:
    bench.take("X", FILE)
    (message,) = bench.messages()
    assert message["recipient"] == "+48500100201"
    assert message["text"] == "Your visit is on Monday"
    assert message["spool_file"] == "X"
    assert message["state"] == "queued"
    assert message["source"] == bench.taking._recorder.owner(os.geteuid())
    assert bench.tree() == {"checked": ["X"]}


def test_a_batch_goes_oldest_first_then_by_name(bench: Bench) -> None:
    for name, mtime in [("c", 300), ("b", 100), ("a", 100), ("d", 50)]:
        bench.drop(name, FILE.replace("Monday", name))
        os.utime(bench.place.outgoing / name, (mtime, mtime))
    bench.taking.take_ready()
    assert [row["spool_file"] for row in bench.messages()] == ["d", "a", "b", "c"]


def test_many_files_share_fsyncs_and_leave_room_for_other_writers(bench: Bench) -> None:
    for number in range(20):
        bench.drop(f"f{number:02d}", FILE.replace("Monday", str(number)))
    changes: list[str] = []
    before = bench.db.commits
    with files.recording(lambda change, _: changes.append(change)):
        bench.taking.take_ready()
    assert len(bench.messages()) == 20
    assert changes == ["move"] * 20 + ["sync", "sync"]
    assert bench.db.commits - before == 3  # at most eight files a transaction


def test_the_scan_finds_what_no_event_told_oldest_first(bench: Bench) -> None:
    for name, mtime in [("c", 300), ("a", 100)]:
        path = bench.place.outgoing / name
        path.write_text(FILE)
        os.utime(path, (mtime, mtime))
    scan(bench)
    assert [row["spool_file"] for row in bench.messages()] == ["a", "c"]


def test_a_file_that_grows_without_events_is_waited_for(bench: Bench) -> None:
    path = bench.place.outgoing / "X"
    path.write_text("To: 48500100201\n\nYour")
    bench.clock.advance(31)
    bench.taking._scan(bench.clock.monotonic())
    path.write_text(FILE)
    bench.clock.advance(1)
    bench.taking.take_ready()
    assert bench.messages() == []
    bench.clock.advance(1)
    bench.taking.take_ready()
    assert bench.messages()[0]["text"] == "Your visit is on Monday"


def test_copies_of_one_template_are_different_messages(bench: Bench) -> None:
    for name in ("X", "Y", "Z"):
        bench.take(name, FILE)
    assert len(bench.messages()) == 3


def test_a_second_file_of_a_name_gets_another_name(bench: Bench) -> None:
    for _ in range(3):
        bench.take("X", FILE)
    assert bench.tree() == {"checked": ["X", "X.1", "X.2"]}
    assert [row["spool_file"] for row in bench.messages()] == ["X", "X.1", "X.2"]


def test_a_name_whose_file_is_being_put_away_is_not_used(bench: Bench) -> None:
    bench.take("X", FILE)
    (bench.place.checked / "X").unlink()  # as the results service does just before it is done
    bench.take("X", FILE)
    assert bench.tree() == {"checked": ["X.1"]}


@pytest.mark.parametrize("name", [".X", "X.tmp", "X.part", "X.LOCK", "LOCKED", "X.result.json"])
def test_names_that_are_left_alone(bench: Bench, name: str) -> None:
    (bench.place.outgoing / name).write_text(FILE)
    scan(bench)
    assert bench.tree() == {"outgoing": [name]}


def test_a_locked_file_is_taken_once_the_lock_is_gone(bench: Bench) -> None:
    (bench.place.outgoing / "X.LOCK").touch()
    bench.take("X", FILE)
    scan(bench)
    assert bench.messages() == []
    (bench.place.outgoing / "X.LOCK").unlink()
    bench.taking._readiness.notice("X.LOCK", "deleted", bench.clock.monotonic())
    bench.taking.take_ready()
    assert len(bench.messages()) == 1


def test_a_file_of_under_8_octets_stays(bench: Bench) -> None:
    with logs.capture() as records:
        bench.take("X", "To: 1\n\n")
        scan(bench)
        scan(bench)
    assert bench.tree() == {"outgoing": ["X"]}
    assert [record.event for record in records] == ["spool.ignored"]


def test_what_is_no_file_stays_and_is_named_once(bench: Bench) -> None:
    outgoing = bench.place.outgoing
    os.mkfifo(outgoing / "fifo")
    (bench.folder / "secret").write_text(FILE)
    (outgoing / "link").symlink_to(bench.folder / "secret")
    (outgoing / "dangling").symlink_to(bench.folder / "nothing")
    (outgoing / "folder").mkdir()
    here = Path.cwd()
    os.chdir(outgoing)  # a socket's name must be short
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind("socket")
    finally:
        os.chdir(here)
    with logs.capture() as records:
        scan(bench)
        scan(bench)
    named = sorted(str(record.fields["file"]) for record in records)
    assert named == ["dangling", "fifo", "link", "socket"]
    assert {record.event for record in records} == {"spool.ignored"}
    assert bench.tree() == {"outgoing": ["dangling", "fifo", "folder", "link", "socket"]}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make devices")
def test_a_device_stays(bench: Bench) -> None:
    try:
        os.mknod(bench.place.outgoing / "zero", 0o20666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("no devices can be made here")
    scan(bench)
    assert bench.tree() == {"outgoing": ["zero"]}


@pytest.mark.parametrize(
    "name",
    ["a b", "new\nline", "$(touch pwned)", "-rf", "\\x41", os.fsdecode(b"\xff\xfe"), "a" * 255],
)
def test_hostile_names_go_all_the_way(bench: Bench, name: str) -> None:
    for _ in range(2):
        bench.take(name, FILE)
    for message in bench.messages():
        bench.send(message["id"], 7)
    assert bench.put_away() == 2
    assert set(bench.tree()) == {"sent"}
    assert sorted(bench.content("sent")) == sorted([name, names.with_suffix(name, ".1")])


def test_a_file_that_is_too_long_goes_to_failed_unread(bench: Bench) -> None:
    content = FILE.encode() + b"x" * files.LONGEST_FILE
    bench.take("X", content)
    bench.put_away()
    assert bench.content("failed")["X"] == content
    (result,) = bench.result("X", "failed")
    assert result["error"] == "the file is longer than 1 MiB"
    assert bench.messages() == []


def test_one_json_file_is_many_messages_and_a_bad_one_stops_none(bench: Bench) -> None:
    document = [
        {"recipient": "500100201", "text": "a", "reference": "1"},
        {"recipient": "nobody", "text": "b"},
        {"recipient": "500100202", "text": "c", "priority": "high"},
        {"recipient": "500100203", "text": "d"},
    ]
    bench.take("X.json", json.dumps(document))
    assert [row["text"] for row in bench.messages()] == ["a", "d"]
    (row,) = spool_files.unfinished(bench.db)
    entries = spool_files.entries(bench.db, row["id"])
    assert [entry["door_code"] for entry in entries] == [None, "bad-number", "bad-file", None]
    assert row["format"] == "json"


def test_a_reference_known_within_its_source_is_the_same_message(bench: Bench) -> None:
    file = FILE.replace("\n\n", "\nSource: his\nReference: A\n\n")
    bench.take("X", file)
    bench.take("Y", file)
    assert len(bench.messages()) == 1
    bench.send(bench.messages()[0]["id"], 7)
    assert bench.put_away() == 2
    assert [b"Gsmgw_id: 1\n" in content for content in bench.content("sent").values()] == [True] * 2


def test_a_file_of_an_uncertain_message_is_refused_again_and_again(bench: Bench) -> None:
    bench.take("X", FILE)
    bench.doubt(1)
    bench.put_away()
    for name in ("Y", "Z"):
        back = next(iter(bench.content("failed").values()))
        assert b"Gsmgw_id: 1\n" in back
        assert b"\nFail_reason: Uncertain, may have arrived: see gsmgw show 1\n" in back
        (bench.place.failed / next(iter(bench.content("failed")))).unlink()
        bench.take(name, back)
        bench.put_away()
    assert list(bench.content("failed")) == ["Z"]
    assert len(bench.messages()) == 1


def test_a_failed_file_can_be_sent_again(bench: Bench) -> None:
    bench.take("X", FILE)
    bench.refuse(1, 1, "Unassigned (unallocated) number")
    bench.put_away()
    bench.take("X", bench.content("failed")["X"])
    assert [row["state"] for row in bench.messages()] == ["failed", "queued"]
