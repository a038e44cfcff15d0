# SPDX-License-Identifier: Apache-2.0
"""Databases of every released schema are brought to the newest one, with all that is in them.

`tests/data/stores/schema_NNNN.sql` is a database that a released daemon wrote, as text: sent and
failed messages, answers, reports, one message that waits. A released schema file never changes.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gsmgw.store import migrations
from gsmgw.store.database import Database

STORES = Path(__file__).parents[2] / "data" / "stores"
RELEASED = sorted(STORES.glob("schema_*.sql"))
#: What other software reads.
PUBLIC = ("outbox", "part", "attempt", "status_report", "received_part", "inbox", "event")

released = pytest.mark.parametrize("dump", RELEASED, ids=lambda path: path.stem)


def number(dump: Path) -> int:
    return int(dump.stem.split("_")[1])


def restore(dump: Path, path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(dump.read_text("utf-8"))
    connection.close()


def rows(path: Path, table: str) -> list[dict[str, object]]:
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1")]
    finally:
        connection.close()


def shape(path: Path) -> set[tuple[str, str, str]]:
    """Return all tables, indexes and triggers, whatever the white space in them."""
    found = rows(path, "(SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL)")
    return {
        (str(row["type"]), str(row["name"]), "".join(str(row["sql"]).replace('"', "").split()))
        for row in found
        if not str(row["name"]).startswith(("sqlite_", "_sqlite_"))
    }


def pragma(path: Path, name: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(f"PRAGMA {name}").fetchall()
    finally:
        connection.close()


def open_and_close(path: Path) -> None:
    database = Database(path)
    database.open()
    database.close()


def test_there_is_a_database_of_the_first_release() -> None:
    assert number(RELEASED[0]) == 1


@released
def test_all_data_is_kept(dump: Path, tmp_path: Path) -> None:
    path = tmp_path / "gsmgw.db"
    restore(dump, path)
    before = {table: rows(path, table) for table in PUBLIC}
    assert all(before.values())
    open_and_close(path)
    for table, old in before.items():
        new = rows(path, table)
        kept = [{key: row[key] for key in old[0]} for row in new]
        assert kept == old, table


@released
def test_it_is_then_as_a_new_one(dump: Path, tmp_path: Path) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    restore(dump, old)
    open_and_close(old)
    open_and_close(new)
    assert shape(old) == shape(new)
    assert pragma(old, "user_version") == pragma(new, "user_version")
    assert pragma(old, "integrity_check") == [("ok",)]
    assert pragma(old, "foreign_key_check") == []
    open_and_close(old)  # nothing is left to be done


@released
def test_other_software_goes_on_writing(dump: Path, tmp_path: Path) -> None:
    path = tmp_path / "gsmgw.db"
    restore(dump, path)
    open_and_close(path)
    last = max(int(str(row["id"])) for row in rows(path, "outbox"))
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("INSERT INTO outbox (recipient, text) VALUES ('+48500100201', 'new')")
    connection.close()
    (added,) = [row for row in rows(path, "outbox") if row["text"] == "new"]
    assert (added["state"], added["id"]) == ("new", last + 1)


@released
def test_a_failure_in_the_middle_changes_nothing(
    dump: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "gsmgw.db"
    restore(dump, path)
    before, files = shape(path), migrations.schema_files()
    broken = (files[-1][0] + 1, "9999_broken", "CREATE TABLE half (id INTEGER); SELECT nonsense;")
    monkeypatch.setattr(migrations, "schema_files", lambda: [*files, broken])
    with pytest.raises(Exception, match="nonsense"):
        open_and_close(path)
    assert shape(path) == before
    assert pragma(path, "user_version") == [(number(dump),)]
    monkeypatch.undo()
    open_and_close(path)
    assert len(rows(path, "outbox")) == 4


@released
def test_its_schema_file_is_as_it_was_released(
    dump: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    restore(dump, old)
    files = [file for file in migrations.schema_files() if file[0] <= number(dump)]
    monkeypatch.setattr(migrations, "schema_files", lambda: files)
    open_and_close(new)
    assert shape(new) == shape(old)
