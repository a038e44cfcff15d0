# SPDX-License-Identifier: Apache-2.0
"""Copies of the database, and what is closed when one is put in its place."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import factories
import pytest
from fakes import FakeClock
from gateway_support import TWO_PARTS, Rig

from gsmgw import errors
from gsmgw.model import PartState
from gsmgw.store import backup, database, modems, outbox, restoring, spool_files
from gsmgw.store.database import Database, Transaction


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = Rig(tmp_path)
    made.attach()
    return made


@pytest.fixture(autouse=True)
def _closed(rig: Rig):  # type: ignore[no-untyped-def]
    yield
    rig.close()


def nothing(_tx: Transaction) -> None:
    return


def restore(rig: Rig, copy: Path, close_files: Callable[[Transaction], None] = nothing):  # type: ignore[no-untyped-def]
    """Restore a copy and begin anew with it."""
    rig.close()
    done = restoring.restore(copy, rig.db.path, rig.clock, close_files=close_files)
    rig.db = Database(rig.db.path, clock=rig.clock)
    rig.db.open()
    rig.restart()
    rig.attach()
    return done


def left_beside(path: Path) -> list[str]:
    return [p.name for p in path.parent.iterdir() if p.name.endswith((".tmp", ".restoring"))]


# -- backup ---------------------------------------------------------------------------------------


def test_backup_is_one_file_for_us_and_the_group(rig: Rig, tmp_path: Path) -> None:
    rig.add()
    before = os.umask(0o077)
    try:
        contents = backup.make(rig.db, tmp_path / "copy.db")
    finally:
        os.umask(before)
    assert contents.messages == {"queued": 1}
    assert contents.received == 0
    assert contents.octets == (tmp_path / "copy.db").stat().st_size
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o660
    assert not [p.name for p in tmp_path.iterdir() if p.name.startswith(("copy.db-", "."))]
    assert backup.check_copy(tmp_path / "copy.db") == contents


def test_backup_holds_one_moment_while_others_write(rig: Rig, tmp_path: Path) -> None:
    writer = sqlite3.connect(rig.db.path, timeout=5)
    writer.execute("INSERT INTO outbox (recipient, text) VALUES ('+48500100201', 'open')")
    contents = backup.make(rig.db, tmp_path / "copy.db")
    writer.commit()
    writer.close()
    assert contents.messages == {}


def test_backup_replaces_only_when_told_to(rig: Rig, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("mine")
    with pytest.raises(FileExistsError, match="--force"):
        backup.make(rig.db, target)
    assert target.read_text() == "mine"
    backup.make(rig.db, target, force=True)
    backup.check_copy(target)


def test_backup_never_replaces_the_database_itself(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(rig.db.path)
    for target in (rig.db.path, Path(f"{rig.db.path}-wal"), tmp_path / "link"):
        with pytest.raises(FileExistsError, match="itself"):
            backup.make(rig.db, target, force=True)


def test_failed_backup_leaves_nothing_and_keeps_the_old_one(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "copy.db"
    target.write_text("the old one")

    def full(_self: Database, _target: Path) -> None:
        raise errors.StoreFullError("no space left")

    monkeypatch.setattr(Database, "backup", full)
    with pytest.raises(OSError, match="No space") as caught:
        backup.make(rig.db, target, force=True)
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(target)
    assert target.read_text() == "the old one"
    assert left_beside(target) == []


def test_damaged_database_has_no_backup(rig: Rig, tmp_path: Path) -> None:
    for number in range(200):
        rig.add(f"text {number} " * 9, recipient=factories.make_number(number))
    rig.db.row("PRAGMA wal_checkpoint(TRUNCATE)")
    with rig.db.path.open("r+b") as file:
        file.seek(-4096, os.SEEK_END)
        file.write(b"\xa5" * 4096)
    rig.close()
    with pytest.raises(errors.StoreDamagedError, match="gsmgw restore FILE"):
        backup.make(rig.db, tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()
    assert left_beside(tmp_path / "copy.db") == []


# -- what a copy must be --------------------------------------------------------------------------


def test_what_is_no_copy_is_refused_and_the_present_one_stays(rig: Rig, tmp_path: Path) -> None:
    rig.add()
    rig.close()
    before = rig.db.path.read_bytes()
    empty, rubbish, other = (tmp_path / name for name in ("empty", "rubbish", "other"))
    empty.touch()
    rubbish.write_bytes(b"rubbish " * 4096)
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    newer = tmp_path / "newer"
    backup.make(rig.db, newer)
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    rig.close()
    for copy, error in (
        (empty, errors.StoreDamagedError),
        (rubbish, errors.StoreDamagedError),
        (other, errors.StoreError),
        (newer, errors.StoreTooNewError),
        (tmp_path / "absent", FileNotFoundError),
        (rig.db.path, errors.StoreError),
    ):
        with pytest.raises(error):
            restoring.restore(copy, rig.db.path, rig.clock, close_files=nothing)
        assert rig.db.path.read_bytes() == before
        assert left_beside(rig.db.path) == []


def test_copy_with_its_log_beside_it_is_read_whole(rig: Rig, tmp_path: Path) -> None:
    message_id = rig.add()
    done = restore(rig, _moved_away(rig, tmp_path))
    assert done.cancelled == 1
    assert done.aside == ()
    assert rig.state_of(message_id) == "cancelled"


def _moved_away(rig: Rig, tmp_path: Path) -> Path:
    """Take the database away as it lies there, its log not folded back."""
    away = tmp_path / "away"
    away.mkdir()
    for path in (rig.db.path, Path(f"{rig.db.path}-wal")):
        (away / path.name).write_bytes(path.read_bytes())
    rig.close()
    for path in (rig.db.path, *backup.beside(rig.db.path)):
        path.unlink(missing_ok=True)
    return away / rig.db.path.name


# -- what is closed -------------------------------------------------------------------------------


def test_restored_database_sends_nothing_by_itself(rig: Rig, tmp_path: Path) -> None:
    queued = rig.add("queued", recipient=factories.make_number(1))
    rig.claim()
    waiting = rig.add("waiting", recipient=factories.make_number(2))
    new = rig.foreign("INSERT INTO outbox (recipient, text) VALUES ('+48500100203', 'new')")
    backup.make(rig.db, tmp_path / "copy.db")
    done = restore(rig, tmp_path / "copy.db")
    assert (done.cancelled, done.uncertain) == (3, 0)
    for message_id in (queued, waiting, new):
        row = rig.message(message_id)
        assert (row["state"], row["error_family"], row["error_code"]) == (
            "cancelled",
            "gsmgw",
            "restored",
        )
        assert f"gsmgw retry {message_id}" in row["error"]
    assert rig.parts(queued) == ["uncertain"]
    assert rig.dispatcher.in_flight("front") is None
    rig.clock.advance(9999)
    rig.housekeeping.work()
    assert rig.new_rows.look() == 0
    assert rig.claim() is None


def test_person_can_have_each_of_them_sent(rig: Rig, tmp_path: Path) -> None:
    queued = rig.add("queued", expires_at=rig.after(60))
    rig.foreign("INSERT INTO outbox (recipient, text) VALUES ('+48500100203', 'new')")
    new = queued + 1
    backup.make(rig.db, tmp_path / "copy.db")
    restore(rig, tmp_path / "copy.db")
    rig.clock.advance(600)
    rig.retry(queued)
    rig.retry(new)
    assert rig.new_rows.look() == 1
    assert [rig.send(7), rig.send(8)]
    assert (rig.state_of(queued), rig.state_of(new)) == ("sent", "sent")


def test_part_in_flight_then_is_still_moved_by_its_report(rig: Rig, tmp_path: Path) -> None:
    message_id = rig.add()
    rig.must_claim()
    sent_at = rig.clock.now()
    backup.make(rig.db, tmp_path / "copy.db")
    restore(rig, tmp_path / "copy.db")
    rig.report(17, at=sent_at)
    assert rig.state_of(message_id) == "delivered"


def test_doubts_are_final_and_no_counter_settles_them(rig: Rig, tmp_path: Path) -> None:
    sim_id = rig.attach()
    rig.train(sim_id, 41)
    message_id = rig.add(recipient=factories.make_number(1))
    part_id = rig.doubt()
    backup.make(rig.db, tmp_path / "copy.db")
    done = restore(rig, tmp_path / "copy.db")
    assert (done.cancelled, done.uncertain) == (0, 1)
    assert rig.message(message_id)["settled_at"]
    rig.add(recipient=factories.make_number(2))
    rig.send(42)  # would say: it was never submitted
    assert rig.part(part_id)["state"] == PartState.UNCERTAIN
    assert rig.state_of(message_id) == "uncertain"


def test_half_sent_message_keeps_what_was_sent(rig: Rig, tmp_path: Path) -> None:
    message_id = rig.add(TWO_PARTS)
    rig.send(7)
    backup.make(rig.db, tmp_path / "copy.db")
    restore(rig, tmp_path / "copy.db")
    assert rig.state_of(message_id) == "cancelled"
    assert rig.parts(message_id) == ["sent", "waiting"]
    assert "1 of 2" in rig.retry(message_id)


def test_failed_message_with_another_part_in_flight_stays_failed(rig: Rig, tmp_path: Path) -> None:
    message_id = rig.add(TWO_PARTS)
    part = rig.must_claim()
    with rig.db.write() as tx:
        other = next(p for p in outbox.parts(tx, message_id) if p["id"] != part.part_id)
        outbox.change_part(tx, other["id"], outbox.PartChange(PartState.FAILED, code="1"))
        outbox.mirror(tx, message_id)
    assert rig.message(message_id)["settled_at"] is None
    backup.make(rig.db, tmp_path / "copy.db")
    restore(rig, tmp_path / "copy.db")
    assert rig.state_of(message_id) == "failed"
    assert rig.message(message_id)["settled_at"]


def test_what_was_owed_is_closed(rig: Rig, tmp_path: Path) -> None:
    rig.dispatcher.missed_call("front", "+48500100299")
    with rig.db.write() as tx:
        spool_files.owe_hook(tx, "SENT", "/x", None)
        modems.ask(tx, "front", "at", "AT+CSQ", rig.after(60))
    backup.make(rig.db, tmp_path / "copy.db")
    done = restore(rig, tmp_path / "copy.db")
    assert done.handouts == 1
    assert spool_files.owed(rig.db, 9) == []
    assert spool_files.owed_hooks(rig.db, 9) == []
    assert not modems.command_waits(rig.db)
    assert len(rig.inbox()) == 1


# -- what is kept of the present one --------------------------------------------------------------


def test_numbers_go_on_above_all_that_were_ever_given(rig: Rig, tmp_path: Path) -> None:
    rig.add("1")
    backup.make(rig.db, tmp_path / "copy.db")
    for number in range(5):
        rig.add(f"since {number}")
    rig.foreign("UPDATE sqlite_sequence SET seq = 250000 WHERE name = 'outbox'")
    restore(rig, tmp_path / "copy.db")
    assert rig.add("after") == 400_001
    rig.dispatcher.missed_call("front", "+48500100299")
    assert rig.inbox()[0]["id"] == 200_001


def test_stop_and_tried_pins_since_the_copy_are_not_forgotten(rig: Rig, tmp_path: Path) -> None:
    sql = "INSERT OR REPLACE INTO consent VALUES ('+48500100201', 'care', ?, ?, 'x')"
    rig.foreign(sql, ("permit", rig.after(0)))
    backup.make(rig.db, tmp_path / "copy.db")
    rig.foreign(sql, ("deny", rig.after(1)))
    assert rig.dispatcher.may_try_pin("iccid:1", "1234")
    restore(rig, tmp_path / "copy.db")
    assert not rig.dispatcher.may_try_pin("iccid:1", "1234")
    assert rig.accept(recipient="+48500100201").error_code == "stopped"


def test_younger_decision_of_the_copy_counts(rig: Rig, tmp_path: Path) -> None:
    sql = "INSERT OR REPLACE INTO consent VALUES ('+48500100201', 'care', ?, ?, 'x')"
    rig.foreign(sql, ("deny", rig.after(5)))
    backup.make(rig.db, tmp_path / "copy.db")
    rig.foreign(sql, ("permit", rig.after(1)))
    restore(rig, tmp_path / "copy.db")
    assert rig.accept(recipient="+48500100201").error_code == "stopped"


# -- the exchange ---------------------------------------------------------------------------------


def test_present_database_is_moved_aside_with_its_log(rig: Rig, tmp_path: Path) -> None:
    backup.make(rig.db, tmp_path / "copy.db")
    lost = rig.add("since the copy")
    path = rig.db.path
    first = restore(rig, tmp_path / "copy.db")
    second = restore(rig, tmp_path / "copy.db")  # within the same second
    assert first.aside[0] != second.aside[0]
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    aside = Database(first.aside[0])
    aside.open()
    message = outbox.get(aside, lost)
    assert message is not None
    assert message["state"] == "queued"
    aside.close()


def test_program_that_has_it_open_is_no_danger_but_a_refusal(rig: Rig, tmp_path: Path) -> None:
    import subprocess
    import sys

    backup.make(rig.db, tmp_path / "copy.db")
    rig.close()
    script = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
        "c.execute('SELECT * FROM outbox').fetchall(); print('open', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script, str(rig.db.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"open\n"
    with pytest.raises(errors.StoreBusyError, match="fuser"):
        restoring.restore(tmp_path / "copy.db", rig.db.path, rig.clock, close_files=nothing)
    other.communicate(b"")
    assert left_beside(rig.db.path) == []
    restore(rig, tmp_path / "copy.db")


def test_restore_cut_off_by_power_is_seen_and_ended_by_the_next(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = rig.add()
    backup.make(rig.db, tmp_path / "copy.db")
    rig.close()
    rename = Path.rename

    def cut(self: Path, target: Path) -> Path:
        if self == database.unfinished_restore(rig.db.path):
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", cut)
    with pytest.raises(KeyboardInterrupt):
        restoring.restore(tmp_path / "copy.db", rig.db.path, rig.clock, close_files=nothing)
    monkeypatch.undo()
    with pytest.raises(errors.StoreError, match="is gone"):
        Database(rig.db.path, clock=FakeClock()).open()
    restore(rig, tmp_path / "copy.db")
    assert rig.state_of(message_id) == "cancelled"
