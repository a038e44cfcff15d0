# SPDX-License-Identifier: Apache-2.0
"""The folders of the spool, the calls that touch files, and the spool as the daemon runs it."""

from __future__ import annotations

import errno
import grp
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from factories import make_config, make_database
from fakes import FakeClock

from gsmgw.clock import SystemClock
from gsmgw.errors import GsmgwError
from gsmgw.gateway.hints import Hints
from gsmgw.gateway.intake import Intake
from gsmgw.spool import door, files, layout
from gsmgw.spool.layout import Layout
from gsmgw.store import outbox
from gsmgw.store.database import Database
from gsmgw.threads import Supervisor

FOLDERS = ("outgoing", "checked", "sent", "failed", "incoming", "report")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_missing_folders_are_made_for_the_group(tmp_path: Path) -> None:
    place = Layout(tmp_path / "spool")
    group = grp.getgrgid(os.getegid())
    before = os.umask(0o077)
    try:
        place.make(group.gr_name)
        place.make(None)
    finally:
        os.umask(before)
    assert [mode(place.root / name) for name in FOLDERS] == [0o2770] * 6
    assert mode(place.tmp) == 0o2700
    assert place.sent.stat().st_gid == group.gr_gid
    assert sorted(files.listing(place.root)) == sorted([*FOLDERS, ".tmp"])
    assert place.folder("sent") == place.sent


def test_folders_that_are_there_keep_their_mode(tmp_path: Path) -> None:
    place = Layout(tmp_path)
    place.make(None)
    place.outgoing.chmod(0o3777)
    place.make(None)
    assert mode(place.outgoing) == 0o3777


def test_an_unknown_group(tmp_path: Path) -> None:
    with pytest.raises(GsmgwError, match=r"spool\.group: there is no group 'no-such-group'"):
        Layout(tmp_path).make("no-such-group")


def test_a_root_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(GsmgwError, match=r"is missing and cannot be made .*install -d -m 2770"):
        Layout(tmp_path / "missing" / "spool").make(None)


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "sent").touch()
    with pytest.raises(GsmgwError, match="sent is no folder; move away what stands there"):
        Layout(tmp_path).make(None)


def test_a_folder_that_we_may_not_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Layout(tmp_path)
    place.make(None)
    access = os.access
    monkeypatch.setattr(
        os, "access", lambda path, how: "failed" not in str(path) and access(path, how)
    )
    with pytest.raises(GsmgwError, match=r"failed \(owner .*, mode 2770\) is not readable and wri"):
        place.make(None)


def test_folders_on_several_file_systems(tmp_path: Path) -> None:
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    (tmp_path / "sent").symlink_to(shared)
    with pytest.raises(GsmgwError, match="lie on several file systems"):
        Layout(tmp_path).make(None)


def test_a_user_without_a_name() -> None:
    assert layout.owner_name(3_999_999_999) == "3999999999"


def test_reading(tmp_path: Path) -> None:
    (tmp_path / "X").write_bytes(b"x" * 3_000_000)
    content, status = files.read(tmp_path / "X")
    assert len(content) == files.LONGEST_FILE + 1
    assert status.st_size == 3_000_000
    (tmp_path / "empty").touch()
    assert files.read(tmp_path / "empty")[0] == b""
    assert files.look(tmp_path / "none") is None
    assert files.look(tmp_path / ("x" * 300)) is None
    with pytest.raises(NotADirectoryError):
        files.look(tmp_path / "X" / "Y")


def test_a_fifo_that_takes_the_place_of_a_file_this_moment_does_not_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "X").touch()
    status = (tmp_path / "X").lstat()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("X")
    monkeypatch.setattr(Path, "lstat", lambda path: status)
    for name in ("fifo", "link"):
        with pytest.raises(files.NotRegularError):
            files.read(tmp_path / name)


def test_writing_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mine")
    (tmp_path / "X").symlink_to("secret")
    with pytest.raises(OSError, match="symbolic link") as caught:
        files.write(tmp_path / "X", b"x")
    assert caught.value.errno == errno.ELOOP
    assert (tmp_path / "secret").read_text() == "mine"


def test_a_recorder_hears_of_a_change_before_it_is_made(tmp_path: Path) -> None:
    heard: list[tuple[str, list[str], bool]] = []

    def note(change: str, paths: tuple[Path, ...]) -> None:
        heard.append((change, [path.name for path in paths], (tmp_path / "X").exists()))

    with files.recording(note):
        files.make_folder(tmp_path / "folder", 0o700, None)
        files.write(tmp_path / "X", b"x")
        files.move(tmp_path / "X", tmp_path / "Y")
        files.sync(tmp_path)
        files.remove(tmp_path / "Y")
        files.remove(tmp_path / "Y")
    files.write(tmp_path / "Z", b"")
    assert heard == [
        ("folder", ["folder"], False),
        ("write", ["X"], False),
        ("move", ["X", "Y"], True),
        ("sync", [tmp_path.name], False),
        ("remove", ["Y"], False),
        ("remove", ["Y"], False),
    ]


def wait(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 100
    while not condition():
        assert time.monotonic() < until, "it never came about"
        time.sleep(0.005)


def test_the_services_in_their_threads(tmp_path: Path) -> None:
    """Every way in which producers hand over a file, with the real watcher."""
    config = make_config(spool={"path": str(tmp_path / "spool"), "settle": "2s"})
    db = make_database(tmp_path, FakeClock())
    hints = Hints()
    door.prepare(config)
    intake = Intake(config, db, SystemClock())
    supervisor = Supervisor()
    for found in door.services(config, db, intake, hints, SystemClock()):
        supervisor.add(found.service, wake=found.wake)
    outgoing = Layout(config.spool.path).outgoing
    (outgoing / "before").write_text("To: 500100201\n\nbefore the start\n")
    supervisor.start()
    try:
        (tmp_path / "aside").write_text("To: 500100201\n\nrenamed in\n")
        (tmp_path / "aside").rename(outgoing / "renamed")
        (outgoing / ".hidden").write_text("To: 500100201\n\nrenamed within\n")
        (outgoing / ".hidden").rename(outgoing / "within")
        with (outgoing / "slow").open("w") as slow:
            for piece in ("To: 500100201\n", "\n", "written ", "in place\n"):
                slow.write(piece)
                slow.flush()
        (outgoing / "held.LOCK").touch()
        (outgoing / "held").write_text("To: 500100201\n\nlocked and let go\n")
        (outgoing / "held.LOCK").unlink()
        wait(lambda: len(texts(db)) == 5)
    finally:
        assert supervisor.stop(100) == []
    assert texts(db) == {
        "before the start",
        "renamed in",
        "renamed within",
        "written in place",
        "locked and let go",
    }
    db.close()


def texts(db: Database) -> set[str]:
    return {row["text"] for row in outbox.listing(db)}
