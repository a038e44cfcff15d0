# SPDX-License-Identifier: Apache-2.0
"""File events on a real directory."""

import os
import queue
import resource
import shutil
import threading
from pathlib import Path

import pytest
from base_support import LONG_S, eventually
from watchdog.observers.inotify_move_event_grouper import InotifyMoveEventGrouper

from gsmgw import logs, watch


class Place:
    """A watched directory and what was heard of it."""

    def __init__(self, path):
        self.path = path
        self.heard = queue.Queue()
        self.watcher = watch.Watcher(path, self.on_event)

    def on_event(self, path, kind):
        self.heard.put((os.path.relpath(path, self.path), kind))

    def until(self, name, kind):
        """Return what was heard up to this event, itself included."""
        found = []
        while (name, kind) not in found:
            found.append(self.heard.get(timeout=LONG_S))
        return found


@pytest.fixture
def place(tmp_path):
    root = tmp_path / "spool"
    for name in ("outgoing", "checked"):
        (root / name).mkdir(parents=True)
    made = Place(root)
    yield made
    made.watcher.stop()


@pytest.fixture
def started(place):
    assert place.watcher.start()
    return place


def test_moves_are_not_held_back():
    assert InotifyMoveEventGrouper.delay == 0


def test_a_file_moved_in_is_known_as_such(started, tmp_path):
    (tmp_path / "a").write_text("To: 500100201\n\nx")
    (tmp_path / "a").rename(started.path / "outgoing" / "a")
    assert started.until("outgoing/a", "moved_in") == [("outgoing/a", "moved_in")]


def test_a_rename_within_is_away_and_in(started):
    (started.path / "outgoing" / "a").write_text("x")
    started.until("outgoing/a", "closed")
    (started.path / "outgoing" / "a").rename(started.path / "checked" / "a")
    assert started.until("checked/a", "moved_in") == [
        ("outgoing/a", "moved"),
        ("checked/a", "moved_in"),
    ]


def test_a_file_moved_out_is_moved(started, tmp_path):
    (started.path / "outgoing" / "a").write_text("x")
    started.until("outgoing/a", "closed")
    (started.path / "outgoing" / "a").rename(tmp_path / "a")
    assert started.until("outgoing/a", "moved") == [("outgoing/a", "moved")]


def test_a_file_written_in_place_is_created_changed_and_closed(started):
    (started.path / "outgoing" / "a").write_text("x")
    assert started.until("outgoing/a", "closed") == [
        ("outgoing/a", "created"),
        ("outgoing/a", "changed"),
        ("outgoing/a", "closed"),
    ]


def test_permissions_and_deletion_are_heard(started):
    path = started.path / "outgoing" / "a"
    path.write_text("x")
    started.until("outgoing/a", "closed")
    path.chmod(0o600)
    started.until("outgoing/a", "changed")
    path.unlink()
    started.until("outgoing/a", "deleted")


def test_reading_is_not_heard(started):
    path = started.path / "outgoing" / "a"
    path.write_text("x")
    started.until("outgoing/a", "closed")
    path.read_text()
    path.unlink()
    assert started.until("outgoing/a", "deleted") == [("outgoing/a", "deleted")]


def test_directories_made_later_are_watched_too(started):
    below = started.path / "clinic" / "in"
    below.mkdir(parents=True)
    # The watch follows the directory by a moment; a file that comes too early is found by the scan.
    heard = []

    def write_and_listen():
        (below / "a").write_text("x")
        while not started.heard.empty():
            heard.append(started.heard.get())
        return ("clinic/in/a", "closed") in heard

    assert eventually(write_and_listen)


def test_without_recursion_only_the_directory_itself_is_heard(tmp_path):
    (tmp_path / "below").mkdir()
    place = Place(tmp_path)
    place.watcher = watch.Watcher(tmp_path, place.on_event, recursive=False)
    assert place.watcher.start()
    try:
        (tmp_path / "below" / "a").write_text("x")
        (tmp_path / "db-wal").write_text("x")
        assert place.until("db-wal", "closed")[0] == ("db-wal", "created")
    finally:
        place.watcher.stop()


def test_odd_names_are_heard_as_they_are(started):
    name = "inj$(touch pwned)\n\udcff"
    (started.path / "outgoing" / name).write_text("x")
    started.until(f"outgoing/{name}", "closed")


def test_stopping_leaves_no_thread_and_no_descriptor(place):
    def open_files():
        return sorted(
            target
            for target in map(_link, Path("/proc/self/fd").iterdir())
            if "inotify" in target or "pipe" in target
        )

    threads, files = set(threading.enumerate()), open_files()
    assert place.watcher.start()
    assert place.watcher.is_alive()
    place.watcher.stop()
    place.watcher.stop()
    assert not place.watcher.is_alive()
    assert set(threading.enumerate()) == threads
    assert open_files() == files


def _link(descriptor):
    try:
        return str(descriptor.readlink()).split(":")[0]
    except OSError:
        return ""


def test_starting_again_watches_again(started):
    assert started.watcher.start()
    (started.path / "outgoing" / "a").write_text("x")
    started.until("outgoing/a", "closed")


def test_a_deleted_directory_ends_its_watcher(started):
    shutil.rmtree(started.path)
    assert eventually(lambda: not started.watcher.is_alive())
    (started.path / "outgoing").mkdir(parents=True)
    assert started.watcher.start()
    (started.path / "outgoing" / "b").write_text("x")
    started.until("outgoing/b", "closed")


def test_a_directory_that_is_not_there_is_one_warning(tmp_path):
    threads = set(threading.enumerate())
    with logs.capture() as records:
        watcher = watch.Watcher(tmp_path / "nowhere", lambda *_: None)
        assert not watcher.start()
        assert not watcher.start()
        assert not watcher.is_alive()
    assert [record.event for record in records] == ["watch.unavailable"]
    assert records[0].fields["instead"] == "a scan every 30 s"
    assert records[0].fields["advice"] == "create the directory"
    assert set(threading.enumerate()) == threads


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
