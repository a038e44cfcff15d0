# SPDX-License-Identifier: Apache-2.0
"""Which commits wait for the disk, and who writes next."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gsmgw import errors
from gsmgw.store.database import Database

FULL, NORMAL = 2, 1


@pytest.fixture
def db(tmp_path: Path):
    made = Database(tmp_path / "gsmgw.db", busy_timeout_s=0.05)
    made.open()
    yield made
    made.close()


def level(db: Database) -> int:
    row = db.row("PRAGMA synchronous")
    assert row is not None
    return int(row[0])


def test_only_a_write_that_says_so_does_without_the_disk(db: Database) -> None:
    assert level(db) == FULL
    with db.write(synced=False) as tx:
        row = tx.row("PRAGMA synchronous")
        assert row is not None
        assert row[0] == NORMAL
    with db.write() as tx:
        row = tx.row("PRAGMA synchronous")
        assert row is not None
        assert row[0] == FULL


def test_a_thread_that_does_without_leaves_the_others_alone(db: Database) -> None:
    with db.write(synced=False):
        pass
    found = []

    def look() -> None:
        with db.write() as tx:
            found.extend(tx.rows("PRAGMA synchronous"))
        db.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert [row[0] for row in found] == [FULL]


def test_is_writing_tells_of_this_process(db: Database) -> None:
    assert not db.is_writing
    with db.write():
        assert db.is_writing
        failed = []

        def write() -> None:
            try:
                with db.write():
                    pass
            except errors.StoreBusyError as error:
                failed.append(str(error))

        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
        assert len(failed) == 1
        assert "another thread" in failed[0]
    assert not db.is_writing
