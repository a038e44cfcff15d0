# SPDX-License-Identifier: Apache-2.0
"""Brings a database file to the newest schema, one numbered SQL file after the other."""

from __future__ import annotations

import importlib.resources
import sqlite3
from pathlib import Path

from gsmgw import errors


def schema_files() -> list[tuple[int, str, str]]:
    """Return the migrations in order: number, name, SQL."""
    folder = importlib.resources.files("gsmgw.store") / "schema"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [
        (int(name.split("_")[0]), name.removesuffix(".sql"), (folder / name).read_text("utf-8"))
        for name in names
    ]


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Apply what is missing, each file in a transaction of its own.

    The number of the newest file stands in `user_version`, so that an up-to-date database costs
    one query and no import of sqlite-utils.

    Raises:
        StoreTooNewError: the database knows migrations that this program does not.
        StoreError: the file is a database of something else.
    """
    files = schema_files()
    newest = files[-1][0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == newest:
        return
    if version > newest:
        raise errors.StoreTooNewError(
            f"database {path} has schema {version}, this gsmgw knows up to {newest};"
            " install the newer gsmgw again, or restore a backup from before the upgrade"
        )
    if version == 0 and connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        known = connection.execute(
            "SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'"
        ).fetchone()
        if not known:
            raise errors.StoreError(f"{path} is a database of another program; name another file")
    _apply(connection, files)


def _apply(connection: sqlite3.Connection, files: list[tuple[int, str, str]]) -> None:
    import sqlite_utils  # here, because an up-to-date database does not need its 80 ms
    from sqlite_utils.migrations import Migrations

    database = sqlite_utils.Database(connection)
    migrations = Migrations("gsmgw")
    for number, name, sql in files:

        def step(db: sqlite_utils.Database, number: int = number, sql: str = sql) -> None:
            db.executescript(sql)
            db.execute(f"PRAGMA user_version = {number:d}")

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
