# SPDX-License-Identifier: Apache-2.0
"""What other software may do with the outbox: plain SQLite connections that know nothing of us."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from typing import Any

import factories
import pytest

from gsmgw.store.database import Database

#: What others may set in a row of theirs, with a value to set it to.
THEIRS = {
    "recipient": "+48500100299",
    "text": "changed",
    "source": "changed",
    "reference": "changed",
    "category": "survey",
    "priority": "urgent",
    "not_before": "2027-01-01",
    "expires_at": "2027-01-01",
    "report_requested": 1,
    "flash": 1,
    "modem": "front",
    "created_at": "2020-01-01T00:00:00.000Z",
}
OURS = {
    "id": 99,
    "state": "sent",
    "error_family": "cms",
    "error_code": "1",
    "error": "x",
    "parts": 3,
    "sent_at": "2020-01-01T00:00:00.000Z",
    "settled_at": "2020-01-01T00:00:00.000Z",
    "spool_file": "x",
    "alphabet": "gsm7",
    "rank": 0,
    "route": "front",
    "due_at": "2020-01-01T00:00:00.000Z",
    "sim_id": 1,
    "concat_ref": 1,
    "restarts": 1,
    "tries": 1,
    "tp": "{}",
}
QUEUED_SQL = "UPDATE outbox SET state = 'queued', due_at = created_at WHERE id = 1"
SETTLED_SQL = "UPDATE outbox SET state = 'sent', settled_at = created_at WHERE id = 1"


@pytest.fixture(params=[False, True], ids=["plain", "recursive_triggers"])
def other(db: Database, request: pytest.FixtureRequest) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(db.path, isolation_level=None)
    connection.row_factory = sqlite3.Row
    if request.param:
        connection.execute("PRAGMA recursive_triggers = ON")
    yield connection
    connection.close()


def insert(other: sqlite3.Connection, verb: str = "INSERT", **columns: Any) -> int:
    values = {"recipient": factories.RECIPIENT, "text": "first", **columns}
    marks = ", ".join("?" * len(values))
    sql = f"{verb} INTO outbox ({', '.join(values)}) VALUES ({marks})"
    return other.execute(sql, list(values.values())).rowcount


def rows(other: sqlite3.Connection) -> list[tuple[Any, ...]]:
    found = other.execute("SELECT id, text, source, reference FROM outbox ORDER BY id")
    return [tuple(row) for row in found]


def ours(db: Database, sql: str) -> None:
    with db.write() as tx:
        tx.run(sql)


def test_recipient_and_text_are_enough(other: sqlite3.Connection) -> None:
    insert(other)
    row = other.execute("SELECT * FROM outbox").fetchone()
    assert factories.fields(row, "id", "source", "category", "priority", "state", "route") == {
        "id": 1,
        "source": "sql",
        "category": "care",
        "priority": "routine",
        "state": "new",
        "route": "",
    }
    assert len(row["created_at"]) == len("2026-11-22T07:15:10.123Z")


def test_all_columns_are_known_to_these_tests(db: Database) -> None:
    names = {row["name"] for row in db.rows("PRAGMA table_info(outbox)")}
    assert names == {*THEIRS, *OURS, "cancel_requested"}


VERBS = ["INSERT", "INSERT OR IGNORE", "INSERT OR REPLACE", "INSERT OR FAIL", "INSERT OR ABORT"]


@pytest.mark.parametrize("verb", [*VERBS, "REPLACE", "INSERT OR ROLLBACK"])
@pytest.mark.parametrize("settled", [False, True])
def test_second_row_with_a_reference_leaves_the_first_alone(
    db: Database, other: sqlite3.Connection, verb: str, settled: bool
) -> None:
    insert(other, reference="r1")
    ours(db, SETTLED_SQL if settled else QUEUED_SQL)
    insert(other, verb, reference="r1", text="second")
    assert rows(other) == [(1, "first", "sql", "r1")]


@pytest.mark.parametrize("verb", [*VERBS, "REPLACE"])
def test_second_row_with_an_id_leaves_the_first_alone(
    db: Database, other: sqlite3.Connection, verb: str
) -> None:
    insert(other)
    ours(db, QUEUED_SQL)
    insert(other, verb, id=1, text="second")
    assert rows(other) == [(1, "first", "sql", None)]


@pytest.mark.parametrize(
    "conflict",
    [
        "ON CONFLICT DO NOTHING",
        "ON CONFLICT (id) DO UPDATE SET text = excluded.text",
        "ON CONFLICT (source, reference) WHERE reference IS NOT NULL AND reference <> ''"
        " DO UPDATE SET text = excluded.text",
    ],
)
def test_upsert_leaves_the_first_row_alone(
    db: Database, other: sqlite3.Connection, conflict: str
) -> None:
    insert(other, reference="r1")
    ours(db, QUEUED_SQL)
    other.execute(
        "INSERT INTO outbox (id, recipient, text, reference) VALUES (1, 'x', 'second', 'r1')"
        f" {conflict}"
    )
    assert rows(other) == [(1, "first", "sql", "r1")]


@pytest.mark.parametrize("reference", [None, ""])
def test_rows_without_reference_are_all_different(
    other: sqlite3.Connection, reference: str | None
) -> None:
    for verb in VERBS:
        insert(other, verb, reference=reference)
    assert len(rows(other)) == len(VERBS)


def test_same_reference_of_another_source_is_another_message(other: sqlite3.Connection) -> None:
    insert(other, reference="r1")
    insert(other, reference="r1", source="ward")
    insert(other, reference="R1")
    assert len(rows(other)) == 3


def test_or_replace_with_a_null_source_does_not_replace_the_first_row(
    db: Database, other: sqlite3.Connection
) -> None:
    insert(other, reference="r1")
    ours(db, QUEUED_SQL)
    insert(other, "INSERT OR REPLACE", reference="r1", source=None, text="second")
    assert rows(other) == [(1, "first", "sql", "r1")]


def test_reference_written_as_a_number_is_the_same_as_its_digits(
    other: sqlite3.Connection,
) -> None:
    insert(other, reference="17")
    insert(other, reference=17)
    assert len(rows(other)) == 1


def test_id_so_large_that_none_would_be_left_is_refused(other: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="gsmgw: this id is too large"):
        insert(other, id=2**63 - 1)
    insert(other)
    assert [row[0] for row in rows(other)] == [1]


@pytest.mark.parametrize("wrong_id", [0, -1, -5])
def test_id_below_one_is_refused(other: sqlite3.Connection, wrong_id: int) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        insert(other, id=wrong_id)


def test_ids_are_never_used_again(db: Database, other: sqlite3.Connection) -> None:
    insert(other)
    ours(db, SETTLED_SQL)
    other.execute("DELETE FROM outbox")
    insert(other)
    assert [row[0] for row in rows(other)] == [2]


@pytest.mark.parametrize(
    "column", ["state", "settled_at", "due_at"], ids=["state", "settled_at", "due_at"]
)
@pytest.mark.parametrize("verb", VERBS)
def test_row_that_pretends_to_be_further_is_refused(
    other: sqlite3.Connection, column: str, verb: str
) -> None:
    with pytest.raises(sqlite3.DatabaseError, match="gsmgw: a row is inserted with state new"):
        insert(other, verb, **{column: OURS[column]})
    assert rows(other) == []


@pytest.mark.parametrize("column", THEIRS)
def test_new_row_may_still_be_changed(other: sqlite3.Connection, column: str) -> None:
    insert(other)
    other.execute(f"UPDATE outbox SET {column} = ?", (THEIRS[column],))
    assert other.execute(f"SELECT {column} FROM outbox").fetchone()[0] == THEIRS[column]


@pytest.mark.parametrize("verb", ["UPDATE", "UPDATE OR REPLACE", "UPDATE OR IGNORE"])
@pytest.mark.parametrize("column", OURS)
def test_our_columns_are_never_changed_by_others(
    db: Database, other: sqlite3.Connection, column: str, verb: str
) -> None:
    insert(other)
    before = tuple(other.execute("SELECT * FROM outbox").fetchone())
    with pytest.raises(sqlite3.DatabaseError, match="gsmgw: only cancel_requested may be changed"):
        other.execute(f"{verb} outbox SET {column} = ?", (OURS[column],))
    assert tuple(other.execute("SELECT * FROM outbox").fetchone()) == before


@pytest.mark.parametrize("state_sql", [QUEUED_SQL, SETTLED_SQL], ids=["queued", "settled"])
@pytest.mark.parametrize("column", THEIRS)
def test_checked_row_is_not_changed_by_others(
    db: Database, other: sqlite3.Connection, column: str, state_sql: str
) -> None:
    insert(other)
    ours(db, state_sql)
    with pytest.raises(sqlite3.DatabaseError, match="gsmgw: only cancel_requested may be changed"):
        other.execute(f"UPDATE outbox SET {column} = ?", (THEIRS[column],))


@pytest.mark.parametrize("state_sql", [None, QUEUED_SQL, SETTLED_SQL])
def test_cancel_may_always_be_asked(
    db: Database, other: sqlite3.Connection, state_sql: str | None
) -> None:
    insert(other)
    if state_sql:
        ours(db, state_sql)
    other.execute("UPDATE outbox SET cancel_requested = 1")
    assert other.execute("SELECT cancel_requested FROM outbox").fetchone()[0] == 1


@pytest.mark.parametrize("wish", [-1, 2, "yes", "true", b"1"])
@pytest.mark.parametrize("state_sql", [None, QUEUED_SQL])
def test_wish_to_cancel_that_would_be_overlooked_is_refused(
    db: Database, other: sqlite3.Connection, wish: object, state_sql: str | None
) -> None:
    insert(other)
    if state_sql:
        ours(db, state_sql)
    with pytest.raises(sqlite3.DatabaseError, match="gsmgw: cancel_requested is 1, or 0"):
        other.execute("UPDATE outbox SET cancel_requested = ?", (wish,))
    other.execute("UPDATE outbox SET cancel_requested = NULL")
    other.execute("UPDATE outbox SET cancel_requested = '1'")
    assert other.execute("SELECT cancel_requested FROM outbox").fetchone()[0] == 1


def test_update_that_changes_nothing_is_let_through(
    db: Database, other: sqlite3.Connection
) -> None:
    insert(other)
    ours(db, QUEUED_SQL)
    other.execute("UPDATE outbox SET text = text, state = state")


@pytest.mark.parametrize("verb", ["UPDATE", "UPDATE OR REPLACE", "UPDATE OR IGNORE"])
@pytest.mark.parametrize("source", ["sql", None])
def test_update_cannot_take_the_reference_of_another_row(
    db: Database, other: sqlite3.Connection, verb: str, source: str | None
) -> None:
    insert(other, reference="r1")
    ours(db, QUEUED_SQL)
    insert(other, text="second", source="ward")
    # OR IGNORE with a NULL source does nothing, without an error.
    with contextlib.suppress(sqlite3.DatabaseError):
        other.execute(f"{verb} outbox SET reference = 'r1', source = ? WHERE id = 2", (source,))
    assert rows(other) == [(1, "first", "sql", "r1"), (2, "second", "ward", None)]


@pytest.mark.parametrize("state_sql", [None, QUEUED_SQL])
def test_row_that_is_not_settled_is_not_deleted(
    db: Database, other: sqlite3.Connection, state_sql: str | None
) -> None:
    insert(other)
    if state_sql:
        ours(db, state_sql)
    with pytest.raises(sqlite3.IntegrityError, match="set cancel_requested instead"):
        other.execute("DELETE FROM outbox")
    assert len(rows(other)) == 1


def _sent_with_report(db: Database, other: sqlite3.Connection) -> None:
    insert(other)
    ours(db, SETTLED_SQL)
    ours(db, "INSERT INTO part (message_id, number, state) VALUES (1, 1, 'sent')")
    ours(db, "INSERT INTO attempt (part_id, modem, claimed_at) VALUES (1, 'front', 'x')")
    ours(db, "INSERT INTO received_part (modem, received_at, pdu, kind) VALUES ('f', 'x', '', 's')")
    ours(
        db,
        "INSERT INTO status_report (modem, received_at, mr, recipient, st, received_part_id,"
        " part_id, matched_at) VALUES ('f', 'x', 1, '1', 0, 1, 1, 'x')",
    )
    ours(db, "INSERT INTO spool_file (name, original_name, format, taken_at) VALUES (1, 1, 1, 1)")
    ours(db, "INSERT INTO spool_entry (file_id, position, message_id) VALUES (1, 0, 1)")


@pytest.mark.parametrize("foreign_keys", [False, True])
def test_settled_row_is_deleted_with_all_that_hangs_on_it(
    db: Database, other: sqlite3.Connection, foreign_keys: bool
) -> None:
    _sent_with_report(db, other)
    other.execute(f"PRAGMA foreign_keys = {int(foreign_keys)}")
    other.execute("DELETE FROM outbox")
    left = {
        table: other.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in ("outbox", "part", "attempt", "status_report", "spool_entry")
    }
    assert left == {"outbox": 0, "part": 0, "attempt": 0, "status_report": 1, "spool_entry": 1}
    report = other.execute("SELECT part_id, matched_at FROM status_report").fetchone()
    assert tuple(report) == (None, "x")
    assert db.rows("PRAGMA foreign_key_check") == []


def test_cancelled_row_with_a_part_in_flight_is_not_deleted(
    db: Database, other: sqlite3.Connection
) -> None:
    insert(other)
    ours(db, SETTLED_SQL)
    ours(db, "INSERT INTO part (message_id, number, state) VALUES (1, 1, 'sending')")
    with pytest.raises(sqlite3.IntegrityError, match="not settled yet"):
        other.execute("DELETE FROM outbox")


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="no sqlite3 command")
def test_sqlite3_command_line_may_insert(db: Database) -> None:
    sql = "INSERT OR REPLACE INTO outbox (recipient, text, reference) VALUES ('1', 'x', 'r');"
    command = [shutil.which("sqlite3") or "", str(db.path), sql + sql]
    subprocess.run(command, check=True)
    assert len(db.rows("SELECT * FROM outbox")) == 1


def test_schema_asks_for_nothing_that_an_old_sqlite_does_not_know(db: Database) -> None:
    sql = " ".join(row["sql"] or "" for row in db.rows("SELECT sql FROM sqlite_master")).upper()
    for word in ("STRICT", "GENERATED", "RETURNING", "ON CONFLICT", " OVER ", "WITHOUT ROWID"):
        assert word not in sql
