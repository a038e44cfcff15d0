# SPDX-License-Identifier: Apache-2.0
"""Files that can be put away are known by a count that triggers keep, whatever happens to them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from gsmgw.store import migrations, spool_files
from gsmgw.store.database import Database, Transaction

TRUTH = """
SELECT id FROM spool_file WHERE finished_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM spool_entry JOIN outbox ON outbox.id = spool_entry.message_id
    WHERE spool_entry.file_id = spool_file.id AND outbox.settled_at IS NULL)
ORDER BY id
"""


def ready(db: Database) -> list[int]:
    return [row["id"] for row in spool_files.ready(db, 1000)]


def add_message(tx: Transaction) -> int:
    return tx.insert("INSERT INTO outbox (recipient, text) VALUES ('+48500100201', 'x')")


def add_file(tx: Transaction, messages: list[int | None]) -> int:
    name = f"f{random.getrandbits(64)}"
    file_id = spool_files.add(tx, name=name, original_name=name, file_format="json")
    for position, message_id in enumerate(messages):
        spool_files.add_entry(tx, file_id, spool_files.Entry(position, message_id))
    return file_id


def settle(tx: Transaction, message_id: int, at: str | None = "2026-11-22T10:00:00.000Z") -> None:
    tx.run("UPDATE outbox SET state = 'sent', settled_at = ? WHERE id = ?", (at, message_id))


def test_a_file_is_ready_when_its_last_message_is_settled(db: Database) -> None:
    with db.write() as tx:
        first, second = add_message(tx), add_message(tx)
        file_id = add_file(tx, [first, None, second])
        refused = add_file(tx, [None])
    assert ready(db) == [refused]
    with db.write() as tx:
        settle(tx, first)
        settle(tx, first)
    assert ready(db) == [refused]
    with db.write() as tx:
        settle(tx, second)
    assert ready(db) == [file_id, refused]


def test_a_file_whose_message_begins_again_waits_again(db: Database) -> None:
    with db.write() as tx:
        message = add_message(tx)
        file_id = add_file(tx, [message])
        settle(tx, message)
    assert ready(db) == [file_id]
    with db.write() as tx:
        settle(tx, message, None)
    assert ready(db) == []


def test_a_message_that_is_removed_holds_no_file(db: Database) -> None:
    with db.write() as tx:
        message = add_message(tx)
        file_id = add_file(tx, [message])
        tx.run("DELETE FROM outbox WHERE id = ?", (message,))
    assert ready(db) == [file_id]


@pytest.mark.parametrize("seed", range(5))
def test_the_count_is_right_whatever_happens(db: Database, seed: int) -> None:
    chance = random.Random(seed)
    messages: list[int] = []
    for _ in range(150):
        with db.write() as tx:
            what = chance.choice(["add", "file", "settle", "settle", "again", "delete", "finish"])
            if what == "add" or len(messages) < 3:
                messages.append(add_message(tx))
            elif what == "file":  # the same message may stand in a file twice, and in several
                add_file(
                    tx, [chance.choice([*messages, None]) for _ in range(chance.randint(0, 4))]
                )
            elif what == "delete":
                gone = messages.pop(chance.randrange(len(messages)))
                tx.run("DELETE FROM outbox WHERE id = ?", (gone,))
            elif what == "finish":
                files = [row["id"] for row in tx.rows(TRUTH)]
                if files:
                    spool_files.finish(tx, chance.choice(files))
            else:
                at = None if what == "again" else "2026-11-22T10:00:00.000Z"
                settle(tx, chance.choice(messages), at)
        assert ready(db) == [row["id"] for row in db.rows(TRUTH)]


def test_what_waits_is_not_looked_at(db: Database) -> None:
    (row,) = db.rows(
        "EXPLAIN QUERY PLAN SELECT * FROM spool_file INDEXED BY spool_file_ready"
        " WHERE finished_at IS NULL AND unsettled <= 0 ORDER BY id LIMIT 20"
    )
    assert "spool_file_ready" in row["detail"]


def test_files_of_an_older_database_are_counted(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "old.db"
    connection = sqlite3.connect(path, isolation_level=None)
    files = migrations.schema_files()
    older = [one for one in files if not one[1].endswith("_spool")]
    migrations._apply(connection, older[: files.index(next(f for f in files if f not in older))])
    connection.executescript(
        """
        INSERT INTO outbox (id, recipient, text) VALUES (1, '+48500100201', 'a');
        INSERT INTO outbox (id, recipient, text) VALUES (2, '+48500100202', 'b');
        INSERT INTO writing (who) VALUES (1);
        UPDATE outbox SET settled_at = created_at WHERE id = 2;
        DELETE FROM writing;
        INSERT INTO spool_file (id, name, original_name, format, taken_at)
        VALUES (1, 'a', 'a', 'json', ''), (2, 'b', 'b', 'json', '');
        INSERT INTO spool_entry (file_id, position, message_id)
        VALUES (1, 0, 1), (1, 1, 2), (2, 0, 2);
        """
    )
    migrations.migrate(connection)
    counted = connection.execute("SELECT id, unsettled FROM spool_file ORDER BY id").fetchall()
    assert counted == [(1, 1), (2, 0)]
    connection.close()
