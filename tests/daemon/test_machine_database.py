# SPDX-License-Identifier: Apache-2.0
"""The database is locked by others for long, read by one that never ends, damaged, or gone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from machine_support import Machine, machine, quiet
from site_support import PATIENCE_S

from gsmgw.store import database

pytestmark = pytest.mark.slow

#: Longer than a write waits for a lock.
LONG_S = database.BUSY_TIMEOUT_S + 2


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path / "box") as running:
        yield running


def fingerprint(box: Machine) -> dict[str, str]:
    """Return what is in the database's files."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(box.database.parent.iterdir())
        if not path.name.endswith((".lock", "-shm"))
    }


# -- other programs -------------------------------------------------------------------------------


def test_writer_that_holds_the_lock_for_long_costs_nothing_but_time(box: Machine) -> None:
    first = box.insert("+48500100201", "before")
    box.until_state(first, "delivered")
    slow = box.insert("+48500100202", "in flight")
    box.until(lambda: "in flight" in box.texts)  # its answer, or its report, meets the lock
    writer = box.foreign()
    writer.execute("BEGIN IMMEDIATE")
    box.drop("file", "To: 48500100203\n\nby file\n")
    box.sim.receive("+48500100299", "front", "an answer")
    box.sim.call("+48500100298", "front", 1)
    quiet(LONG_S)
    box.until(lambda: "locked" in box.log)
    assert sorted(box.texts) == ["before", "in flight"]
    assert box.process is not None
    assert box.process.poll() is None
    writer.execute("ROLLBACK")
    writer.close()
    box.until_state(slow, "delivered")
    box.until(lambda: set(box.files("sent")) == {"file"})
    box.until(lambda: len(box.files("incoming")) == 2)
    box.until(lambda: not box.sim.memory("front"))
    assert sorted(box.texts) == ["before", "by file", "in flight"]
    assert box.sim.books.duplicates() == []
    assert {row["kind"] for row in box.rows("inbox")} == {"sms", "missed_call"}


def test_daemon_that_starts_while_another_program_writes_waits_for_it(tmp_path: Path) -> None:
    with machine(tmp_path / "box") as box:
        box.stop()
        writer = box.foreign()
        writer.execute("BEGIN IMMEDIATE")
        before = len(box.log)
        box.start(wait=False)
        quiet(LONG_S)
        box.until(lambda: "locked by another process" in box.log[before:])
        writer.execute("ROLLBACK")
        writer.close()
        message = box.insert("+48500100201", "after")
        box.until_state(message, "delivered")


def test_reader_that_never_ends_stops_nobody(box: Machine) -> None:
    reader = box.foreign()
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM outbox").fetchone() == (0,)
    messages = [box.insert(f"+485001003{number:02d}", f"text {number}") for number in range(10)]
    for message in messages:
        box.until_state(message, "delivered")
    assert reader.execute("SELECT count(*) FROM outbox").fetchone() == (0,)
    copy = box.folder / "copy.db"
    assert box.run("backup", str(copy)).returncode == 0
    assert box.stop() == 0
    assert reader.execute("SELECT count(*) FROM outbox").fetchone() == (0,)
    reader.close()


# -- damage ---------------------------------------------------------------------------------------


def damage_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"no database")


def damage_length(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 3)


def damage_pages(path: Path) -> None:
    """Overwrite everything but the header and the schema."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096 * 20)
        file.write(b"\xa5" * (size - 4096 * 20))


@pytest.mark.parametrize("damage", [damage_header, damage_length, damage_pages])
def test_damaged_database_is_refused_with_words_and_left_as_it_is(box: Machine, damage) -> None:  # type: ignore[no-untyped-def]
    first = box.insert("+48500100202", "before", source="x" * 50_000)  # some pages
    box.until_state(first, "delivered")
    copy = box.folder / "copy.db"
    assert box.run("backup", str(copy)).returncode == 0
    box.stop()
    damage(box.database)
    before = fingerprint(box)
    code, said = box.refused()
    assert code == 65
    assert "damaged" in said
    assert "gsmgw restore FILE" in said
    assert "Traceback" not in said
    assert fingerprint(box) == before
    assert box.run("backup", str(box.folder / "another.db")).returncode == 65
    restored = box.run("restore", str(copy))
    assert restored.returncode == 0, restored.stderr
    box.start()
    message = box.insert("+48500100201", "after")
    box.until_state(message, "delivered")
    assert box.texts == ["before", "after"]


def test_database_that_is_gone_but_left_its_log_is_not_begun_anew(box: Machine) -> None:
    box.until_state(box.insert("+48500100201", "before"), "delivered")
    box.kill()
    box.database.rename(box.folder / "moved.db")
    before = fingerprint(box)
    code, said = box.refused()
    assert code == 69
    assert "is gone" in said
    assert fingerprint(box) == before


def remove(path: Path, copy: Path) -> None:
    for one in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        one.unlink()


def move_away(path: Path, copy: Path) -> None:
    path.rename(path.with_name("old.db"))


def replace(path: Path, copy: Path) -> None:
    copy.rename(path)


@pytest.mark.parametrize("how", [remove, move_away, replace])
def test_database_that_is_taken_away_from_a_running_daemon_is_saved_and_named(
    box: Machine,
    how: Callable[[Path, Path], None],
) -> None:
    copy = box.folder / "copy.db"
    assert box.run("backup", str(copy)).returncode == 0
    box.until_state(box.insert("+48500100201", "before"), "delivered")
    assert box.process is not None
    how(box.database, copy)
    assert box.process.wait(PATIENCE_S) == 65
    box.process = None
    (line,) = box.lines("was removed or replaced")
    (rescued,) = box.database.parent.glob("gsmgw.db.rescued-*")
    assert f"gsmgw restore {rescued}" in line
    if how is not replace:  # else it is a database as any other
        code, said = box.refused()
        assert (code, "is gone" in said) == (69, True)
    assert box.run("restore", str(rescued)).returncode == 0
    rescued.unlink()
    box.start()
    assert [row["text"] for row in box.rows("outbox", "state = 'delivered'")] == ["before"]
    box.until_state(box.insert("+48500100201", "after"), "delivered")
    assert box.texts == ["before", "after"]
