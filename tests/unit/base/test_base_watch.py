# SPDX-License-Identifier: Apache-2.0
"""File events on a real directory."""

import os
import resource
import shutil
import threading
import time
from pathlib import Path

import pytest
from base_support import LONG_S

from gsmgw import logs, watch


class Place:
    """A watched directory and what was heard of it."""

    def __init__(self, path):
        self.path = path
        self.watcher = watch.Watcher(path)
        self.heard = []

    def until(self, name, kind):
        """Return what was heard up to this event, itself included."""
        deadline = time.monotonic() + LONG_S
        while (name, kind) not in self.heard:
            left_s = deadline - time.monotonic()
            assert left_s > 0, self.heard
            self.heard += self.watcher.wait(left_s)
        end = self.heard.index((name, kind)) + 1
        found, self.heard = self.heard[:end], self.heard[end:]
        return found


@pytest.fixture
def place(tmp_path):
    root = tmp_path / "outgoing"
    root.mkdir()
    made = Place(root)
    yield made
    made.watcher.stop()


@pytest.fixture
def started(place):
    assert place.watcher.start()
    return place


def test_a_file_moved_in_is_known_as_such(started, tmp_path):
    (tmp_path / "a").write_text("To: 500100201\n\nx")
    (tmp_path / "a").rename(started.path / "a")
    assert started.until("a", "moved_in") == [("a", "moved_in")]


def test_a_rename_within_is_away_and_in_and_held_back_by_nothing(started):
    (started.path / "a").write_text("x")
    started.until("a", "closed")
    (started.path / "a").rename(started.path / "b")
    assert started.until("b", "moved_in") == [("a", "moved"), ("b", "moved_in")]


def test_a_file_moved_out_is_moved(started, tmp_path):
    (started.path / "a").write_text("x")
    started.until("a", "closed")
    (started.path / "a").rename(tmp_path / "a")
    assert started.until("a", "moved") == [("a", "moved")]


def test_a_file_written_in_place_is_created_changed_and_closed(started):
    (started.path / "a").write_text("x")
    assert started.until("a", "closed") == [
        ("a", "created"),
        ("a", "changed"),
        ("a", "closed"),
    ]


def test_permissions_and_deletion_are_heard(started):
    path = started.path / "a"
    path.write_text("x")
    started.until("a", "closed")
    path.chmod(0o600)
    started.until("a", "changed")
    path.unlink()
    started.until("a", "deleted")


def test_reading_is_not_heard(started):
    path = started.path / "a"
    path.write_text("x")
    started.until("a", "closed")
    path.read_text()
    path.unlink()
    assert started.until("a", "deleted") == [("a", "deleted")]


def test_only_files_of_the_directory_itself_are_heard(started):
    (started.path / "below").mkdir()
    (started.path / "below" / "a").write_text("x")
    (started.path / "below").rename(started.path / "beside")
    started.path.chmod(0o700)
    (started.path / "db-wal").write_text("x")
    assert started.until("db-wal", "closed")[0] == ("db-wal", "created")


def test_odd_names_are_heard_as_they_are(started):
    name = "inj$(touch pwned)\n\udcff"
    (started.path / name).write_text("x")
    started.until(f"{name}", "closed")


def test_stopping_leaves_no_descriptor(tmp_path):
    def open_files():
        return sorted(found for found in map(_link, _DESCRIPTORS.iterdir()) if "anon" in found)

    before = open_files()
    watcher = watch.Watcher(tmp_path)
    set_up = open_files()
    assert watcher.start()
    assert watcher.is_alive()
    assert len(open_files()) == len(set_up) + 1
    watcher.stop()
    watcher.stop()
    assert not watcher.is_alive()
    assert open_files() == set_up
    del watcher
    assert open_files() == before


_DESCRIPTORS = Path("/proc/self/fd")


def _link(descriptor):
    try:
        return str(descriptor.readlink())
    except OSError:
        return ""


def test_starting_again_watches_again(started):
    assert started.watcher.start()
    (started.path / "a").write_text("x")
    started.until("a", "closed")


def test_a_deleted_directory_ends_its_watcher(started):
    shutil.rmtree(started.path)
    while started.watcher.is_alive():
        started.watcher.wait(LONG_S)
    started.path.mkdir()
    assert started.watcher.start()
    (started.path / "b").write_text("x")
    started.until("b", "closed")


def test_a_directory_that_is_not_there_is_one_warning(tmp_path):
    with logs.capture() as records:
        watcher = watch.Watcher(tmp_path / "nowhere")
        assert not watcher.start()
        assert not watcher.start()
        assert not watcher.is_alive()
    assert [record.event for record in records] == ["watch.unavailable"]
    assert records[0].fields["instead"] == "a scan every 30 s"
    assert records[0].fields["advice"] == "create the directory"
    watcher.wake()
    assert watcher.wait(LONG_S) == [], "it waits all the same"


def test_at_the_kernels_limit_there_is_advice(place):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(int(found.name) for found in Path("/proc/self/fd").iterdir())
    spare = [os.open("/dev/null", os.O_RDONLY)]
    while spare[-1] < used:
        spare.append(os.open("/dev/null", os.O_RDONLY))
    with logs.capture() as records:
        resource.setrlimit(resource.RLIMIT_NOFILE, (spare[-1] + 1, limits[1]))
        try:
            assert not place.watcher.start()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            for descriptor in spare:
                os.close(descriptor)
    assert [record.event for record in records] == ["watch.unavailable"]
    assert "max_user_instances" in records[0].fields["advice"]


def test_a_wait_ends_by_a_call_of_another_thread_and_by_time(started):
    caller = threading.Timer(0.05, started.watcher.wake)
    caller.start()
    assert started.watcher.wait(LONG_S) == []
    caller.join()
    assert started.watcher.wait(0.01) == []
    assert started.watcher.wait(-1) == []


def test_a_call_before_the_wait_ends_it_and_many_count_once(started):
    for _ in range(3):
        started.watcher.wake()
    before = time.monotonic()
    assert started.watcher.wait(LONG_S) == []
    assert time.monotonic() - before < LONG_S
    assert started.watcher.wait(0) == []


def test_more_events_than_the_kernel_keeps_are_told_as_lost(started):
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    (started.path / "a").write_text("x")
    for _ in range(limit // 4 + 1):
        (started.path / "a").rename(started.path / "b")
        (started.path / "b").rename(started.path / "a")
    found = started.watcher.wait(LONG_S)
    assert found[-1] == ("", watch.LOST)
    assert len(found) == limit + 1
    (started.path / "c").write_text("x")
    started.until("c", "closed")
