# SPDX-License-Identifier: Apache-2.0
"""Real small disks that are full or read-only: for the spool, the database, or both."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from machine_support import Machine, machine, quiet

#: Room for the database and its log, which grows to 4 MiB before it is folded back; or for files.
DISK_KB = 8192
FILES = 12


def run(*words: str) -> None:
    subprocess.run(words, check=True)


@contextlib.contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """Mount a small disk on a directory."""
    run("mount", "-t", "tmpfs", "-o", f"size={DISK_KB}k,mode=755", "none", str(folder))
    try:
        yield folder
    finally:
        run("umount", "--lazy", str(folder))


def fill(folder: Path) -> None:
    """Leave no room, not even for a byte."""
    filler = folder / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size) == size:
                    pass


def free(folder: Path) -> None:
    (folder / "filler").unlink()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Machine]:
    with (
        machine(tmp_path / "box", start=False) as running,
        disk(running.database.parent),
        disk(running.spool),
    ):
        running.start()
        yield running
        running.close()


def disks(box: Machine, which: str) -> list[Path]:
    places = {"database": [box.database.parent], "spool": [box.spool]}
    return places.get(which, [*places["database"], *places["spool"]])


def work_of_a_day(box: Machine) -> None:
    """Files that were there before the disk was full, and messages that come then."""
    for number in range(FILES):
        aside = box.spool / "outgoing" / f".x{number}"  # on the same disk
        aside.write_text(f"To: 485001003{number:02d}\nReport: yes\n\nfile {number}\n")
        aside.rename(aside.with_name(f"x{number}"))


def all_is_well(box: Machine) -> bool:
    return (
        len(box.files("sent")) == FILES
        and len(box.files("report")) == FILES
        and len(box.files("incoming")) == FILES
        and not box.sim.memory("front")
    )


@pytest.mark.parametrize("which", ["database", "spool", "both"])
def test_full_disk_loses_and_doubles_nothing(box: Machine, which: str) -> None:
    work_of_a_day(box)
    box.until(lambda: box.texts)  # in the middle of it
    for place in disks(box, which):
        fill(place)
    for number in range(FILES):
        box.sim.receive(f"+485002003{number:02d}", "front", f"answer {number} " * 5)
    box.until(lambda: "spool.owed" in box.log or "modem.waits_for_store" in box.log)
    quiet(2)
    assert box.process is not None
    assert box.process.poll() is None
    for place in disks(box, which):
        free(place)
    box.until(lambda: all_is_well(box), 90)
    assert len(box.texts) == FILES
    assert box.sim.books.duplicates() == []
    assert list((box.spool / ".tmp").iterdir()) == []


def test_killed_while_both_are_full_and_started_again(box: Machine) -> None:
    work_of_a_day(box)
    box.until(lambda: box.texts)
    for place in disks(box, "both"):
        fill(place)
    for number in range(FILES):
        box.sim.receive(f"+485002003{number:02d}", "front", f"answer {number} " * 5)
    quiet(1)
    box.kill()
    box.start(wait=False)
    assert box.process is not None
    quiet(2)
    ended = box.process.poll()
    if ended is not None:  # systemd would try again every five seconds
        assert ended == 69
        assert "daemon.refused" in box.log
        assert "full" in box.log or "space" in box.log
    for place in disks(box, "both"):
        free(place)
    if ended is not None:
        box.start()
    box.until(lambda: all_is_well(box), 90)
    assert len(box.texts) == FILES
    assert box.sim.books.duplicates() == []


@pytest.mark.parametrize("which", ["database", "spool"])
def test_start_on_a_read_only_disk_is_refused_with_the_place(box: Machine, which: str) -> None:
    box.stop()
    (place,) = disks(box, which)
    run("mount", "-o", "remount,ro", str(place))
    code, said = box.refused()
    assert code == 69
    assert str(place) in said
    assert "Traceback" not in said
    run("mount", "-o", "remount,rw", str(place))
    box.start()
    box.until_state(box.insert("+48500100202", "again"), "delivered")


def test_backup_onto_a_full_disk_keeps_the_old_one(box: Machine) -> None:
    copy = box.spool / "copy.db"
    assert box.run("backup", str(copy)).returncode == 0
    before = copy.read_bytes()
    fill(box.spool)
    failed = box.run("backup", "--force", str(copy))
    assert failed.returncode == 74
    assert str(copy) in failed.stderr
    assert "No space left" in failed.stderr
    assert copy.read_bytes() == before
    assert not [
        name for name in box.spool.iterdir() if name.name.endswith(".tmp") and name.is_file()
    ]
