# SPDX-License-Identifier: Apache-2.0
"""Brings a database file to the newest schema, one numbered SQL file after the other."""

from __future__ import annotations

import importlib.resources
import sqlite3
from pathlib import Path

from gsmgw import errors

#: Stands in the file's header, so that a database of another program is known as such: "gsmg".
APPLICATION_ID = 0x67736D67


def schema_files() -> list[tuple[int, str, str]]:
    """Return the migrations in order: number, name, SQL."""
    folder = importlib.resources.files("gsmgw.store") / "schema"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [
        (int(name.split("_")[0]), name.removesuffix(".sql"), (folder / name).read_text("utf-8"))
        for name in names
    ]


def migrate(connection: sqlite3.Connection) -> None:
    """Apply what is missing, each file in a transaction of its own."""
    files = schema_files()
    if _pragma(connection, "user_version") != files[-1][0]:
        _apply(connection, files)


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Read whose database this is and how new; change nothing.

    The number of the newest file stands in `user_version`, so that an up-to-date database costs
    one query and no import of sqlite-utils.

    Raises:
        StoreTooNewError: the database knows migrations that this program does not.
        StoreError: the file is a database of something else.
    """
    connection.execute("BEGIN")  # one view of all three: another process may be migrating just now
    try:
        version = _pragma(connection, "user_version")
        owner = _pragma(connection, "application_id")
        is_empty = not _has_tables(connection)
    finally:
        connection.execute("COMMIT")
    if owner != APPLICATION_ID and (owner or version or not is_empty):
        raise errors.StoreError(f"{path} is a database of another program; name another file")
    newest = schema_files()[-1][0]
    if version > newest:
        raise errors.StoreTooNewError(
            f"database {path} has schema {version}, this gsmgw knows up to {newest};"
            " install the newer gsmgw again, or restore a backup from before the upgrade"
        )


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def _apply(connection: sqlite3.Connection, files: list[tuple[int, str, str]]) -> None:
    import sqlite_utils  # here, because an up-to-date database does not need its 80 ms
    from sqlite_utils.migrations import Migrations

    database = sqlite_utils.Database(connection)
    migrations = Migrations("gsmgw")
    for number, name, sql in files:

        def step(db: sqlite_utils.Database, number: int = number, sql: str = sql) -> None:
            db.executescript(sql)
            db.execute(f"PRAGMA user_version = {number:d}")
            db.execute(f"PRAGMA application_id = {APPLICATION_ID:d}")

        migrations(name=name)(step)
    # One writer at a time: the daemon and a command may both find an empty file.
    connection.execute("BEGIN IMMEDIATE")
    try:
        migrations.apply(database)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
