# SPDX-License-Identifier: Apache-2.0
"""The file: made, migrated, opened by many at once, and every way in which it can be wrong."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from fakes import FakeClock

from gsmgw import errors, logs
from gsmgw.store import database as store_database
from gsmgw.store import migrations
from gsmgw.store.database import Database


def _modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def test_open_makes_a_file_that_the_group_may_write_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        database = Database(tmp_path / "gsmgw.db")
        database.open()
        with database.write() as tx:
            tx.run("INSERT INTO setting (name, value) VALUES ('a', 'b')")
        modes = _modes(tmp_path)
    finally:
        os.umask(before)
    assert modes == {"gsmgw.db": 0o660, "gsmgw.db-wal": 0o660, "gsmgw.db-shm": 0o660}
    database.close()


def test_connection_is_durable_and_strict(db: Database) -> None:
    values = {
        name: db.rows(f"PRAGMA {name}")[0][0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
    }
    assert values == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 5000,
    }


def test_open_again_changes_nothing(db: Database) -> None:
    db.open()
    db.open()
    assert len(db.rows("SELECT * FROM _sqlite_migrations")) == len(migrations.schema_files())


def _open_and_write(path: Path, name: str) -> None:
    database = Database(path, busy_timeout_s=60)
    database.open()
    with database.write() as tx:
        tx.run("INSERT INTO setting (name, value) VALUES (?, '')", (name,))
    database.close()


def _fill(database: Database, count: int) -> None:
    with database.write() as tx:
        for index in range(count):
            tx.run("INSERT INTO setting (name, value) VALUES (?, ?)", (str(index), "x" * 500))


def test_eight_threads_open_a_new_file_at_once(tmp_path: Path) -> None:
    failures: list[BaseException] = []
    gate = threading.Barrier(8)

    def work(index: int) -> None:
        try:
            gate.wait()
            _open_and_write(tmp_path / "gsmgw.db", f"thread{index}")
        except BaseException as error:  # noqa: BLE001 - told by the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    database = Database(tmp_path / "gsmgw.db")
    assert len(database.rows("SELECT * FROM setting")) == 8
    database.close()


@pytest.mark.slow
def test_four_processes_open_a_new_file_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=_open_and_write, args=(tmp_path / "gsmgw.db", f"process{index}"))
        for index in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    database = Database(tmp_path / "gsmgw.db")
    assert len(database.rows("SELECT * FROM setting")) == 4
    database.close()


def test_missing_directory_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(errors.StoreError, match=r"install -d -m 2770 -g gsmgw .*/nowhere"):
        Database(tmp_path / "nowhere" / "gsmgw.db").open()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_directory_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(errors.StoreError, match="not writable"):
            Database(tmp_path / "gsmgw.db").open()
    finally:
        tmp_path.chmod(0o700)


def test_unwritable_directory_is_named_by_access(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    with pytest.raises(errors.StoreError, match="is not writable for user id"):
        Database(tmp_path / "gsmgw.db").open()


def test_unreadable_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "gsmgw.db"
    path.touch()
    monkeypatch.setattr(os, "access", lambda asked, mode: Path(asked) == tmp_path)
    with pytest.raises(errors.StoreError, match="is not readable and writable"):
        Database(path).open()


def test_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "gsmgw.db"
    path.write_bytes(b"This is no database at all. " * 100)
    with pytest.raises(errors.StoreDamagedError, match="gsmgw restore"):
        Database(path).open()
    assert path.read_bytes() == b"This is no database at all. " * 100


def test_directory_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "gsmgw.db").mkdir()
    with pytest.raises(errors.StoreError):
        Database(tmp_path / "gsmgw.db").open()


@pytest.mark.parametrize("version", [0, 1, 7])
def test_database_of_another_program_is_refused_whatever_its_version(
    tmp_path: Path, version: int
) -> None:
    path = tmp_path / "gsmgw.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE address_book (name TEXT)")
    other.execute(f"PRAGMA user_version = {version}")
    other.commit()
    other.close()
    content = path.read_bytes()
    with pytest.raises(errors.StoreError, match="another program"):
        Database(path).open()
    assert path.read_bytes() == content


def test_newer_schema_is_refused(db: Database) -> None:
    db.rows("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(errors.StoreTooNewError, match="schema 99"):
        Database(db.path).open()


def test_migration_that_fails_leaves_the_file_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [*migrations.schema_files(), (2, "0002_wrong", "CREATE TABLE x (y); SELECT nonsense;")]
    monkeypatch.setattr(migrations, "schema_files", lambda: files)
    database = Database(tmp_path / "gsmgw.db")
    with pytest.raises(errors.StoreError, match="nonsense"):
        database.open()
    assert database.rows("SELECT * FROM sqlite_master") == []
    monkeypatch.undo()
    database.open()
    database.close()


# -- errors while it is in use -------------------------------------------------------------------


def test_busy_database_is_a_busy_error_and_nothing_is_written(
    db: Database, clock: FakeClock
) -> None:
    impatient = Database(db.path, clock=clock, busy_timeout_s=0.05)
    with db.write() as tx:
        tx.run("INSERT INTO setting (name, value) VALUES ('a', '1')")
        with (
            pytest.raises(errors.StoreBusyError, match=f"fuser {db.path}"),
            impatient.write() as other,
        ):
            other.run("DELETE FROM setting")
    assert len(impatient.rows("SELECT * FROM setting")) == 1
    impatient.close()


def test_full_database_is_a_full_error_and_nothing_is_written(db: Database) -> None:
    pages = db.rows("PRAGMA page_count")[0][0]
    db.rows(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(errors.StoreFullError):
        _fill(db, 1000)
    db.rows("PRAGMA max_page_count = 1000000")
    assert db.rows("SELECT * FROM setting") == []
    with db.write() as tx:
        tx.run("INSERT INTO setting (name, value) VALUES ('a', '1')")


def test_damaged_file_is_a_damaged_error(db: Database) -> None:
    _fill(db, 500)
    db.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    size = db.path.stat().st_size
    with db.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
    with pytest.raises(errors.StoreDamagedError, match="restore the last backup"):
        db.rows("SELECT * FROM setting ORDER BY value")
    with pytest.raises(errors.StoreDamagedError), db.write() as tx:
        tx.run("INSERT INTO setting (name, value) VALUES ('a', '1')")


def test_wrong_statement_is_a_store_error_and_rolls_back(db: Database) -> None:
    def work() -> None:
        with db.write() as tx:
            tx.run("INSERT INTO setting (name, value) VALUES ('a', '1')")
            tx.run("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(errors.StoreError, match="no such table"):
        work()
    assert db.rows("SELECT * FROM setting") == []


def test_error_of_the_caller_rolls_back_and_passes(db: Database) -> None:
    done: list[str] = []

    def work() -> None:
        with db.write() as tx:
            tx.run("INSERT INTO setting (name, value) VALUES ('a', '1')")
            tx.after_commit(lambda: done.append("told"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert db.rows("SELECT * FROM setting") == []
    assert not done
    with db.write() as tx:
        tx.after_commit(lambda: done.append("told"))
    assert done == ["told"]


def test_row_left_in_writing_by_others_does_not_stop_us(db: Database) -> None:
    other = sqlite3.connect(db.path)
    other.execute("INSERT INTO writing (who) VALUES (1)")
    other.commit()
    other.close()
    with db.write() as tx:
        tx.run("INSERT INTO setting (name, value) VALUES ('a', '1')")
    assert db.rows("SELECT * FROM writing") == []


def test_version_changes_with_the_commits_of_others_only(db: Database, clock: FakeClock) -> None:
    before = db.version()
    with db.write() as tx:
        tx.run("INSERT INTO setting (name, value) VALUES ('a', '1')")
    assert db.version() == before
    other = Database(db.path, clock=clock)
    with other.write() as tx:
        tx.run("DELETE FROM setting")
    other.close()
    assert db.version() != before


def test_backup_is_a_whole_database(db: Database, tmp_path: Path) -> None:
    with db.write() as tx:
        tx.run("INSERT INTO setting (name, value) VALUES ('a', '1')")
    db.backup(tmp_path / "copy.db")
    copy = Database(tmp_path / "copy.db")
    copy.open()
    assert copy.rows("SELECT value FROM setting")[0][0] == "1"
    copy.close()


def test_octets_that_are_no_utf8_do_not_hide_other_rows(db: Database) -> None:
    other = sqlite3.connect(db.path)
    other.execute("INSERT INTO setting (name, value) VALUES ('a', CAST(x'6fff' AS TEXT))")
    other.execute("INSERT INTO setting (name, value) VALUES ('b', 'whole')")
    other.commit()
    other.close()
    assert [row["value"] for row in db.rows("SELECT * FROM setting")] == ["o\ufffd", "whole"]


def test_second_use_after_close_opens_again(db: Database) -> None:
    db.close()
    db.close()
    assert db.row("SELECT 1")[0] == 1


def test_large_wal_is_told_with_the_process_that_reads(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.write() as tx:
        tx.run("INSERT INTO setting (name, value) VALUES ('a', 'b')")
    with logs.capture() as records:
        db.check_wal()
    assert not records
    assert store_database.WAL_WARNING_BYTES == 64 * 1024 * 1024
    monkeypatch.setattr(store_database, "WAL_WARNING_BYTES", 1)
    program = "import sys; held = open(sys.argv[1]); print(flush=True); sys.stdin.read()"
    with (
        subprocess.Popen(
            [sys.executable, "-c", program, str(db.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as reader,
        logs.capture() as records,
    ):
        assert reader.stdout is not None
        reader.stdout.readline()
        db.check_wal()
        reader.communicate()
    assert [record.event for record in records] == ["store.wal_large"]
    assert f"[{reader.pid}]" in str(records[0].fields["readers"])
