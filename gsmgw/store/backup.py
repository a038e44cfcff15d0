# SPDX-License-Identifier: Apache-2.0
"""A consistent copy of the database in one file, made while the daemon goes on, and checked.

Theory of operation: SQLite copies one moment of the database into a file beside the target; the
copy is made a single file (no write-ahead log), checked, fsynced, and renamed. So there is a whole
copy under the name that was asked for, or what stood there before.

On failure: nothing is left behind; the database is never changed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gsmgw import errors
from gsmgw.store import migrations
from gsmgw.store.database import Database

#: For us and the group, as the database itself.
MODE = 0o660


@dataclass(frozen=True, slots=True)
class Contents:
    """What a copy holds."""

    newest_at: str | None  #: when its newest row was written; None if it has none
    messages: dict[str, int]  #: by state
    received: int  #: rows of the inbox
    octets: int  #: size of the file


def make(db: Database, target: Path, *, force: bool = False) -> Contents:
    """Copy the database into a file; blocks for the copy, the check and the disk.

    Args:
        db: the database; it may be in use.
        target: the file; its directory must be there.
        force: replace a file of that name.

    Raises:
        FileExistsError: there is such a file, or it is the database itself.
        OSError: the target cannot be written.
        StoreDamagedError: the database is damaged; there is no copy of it.
        StoreError: it cannot be read.
    """
    _check_target(db.path, target, force=force)
    aside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        _make_empty(aside)
        try:
            db.backup(aside)
        except errors.StoreFullError as error:  # the source is only read
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(target)) from error
        found = finish(aside)
        if found:
            raise errors.StoreDamagedError(
                f"database {db.path} is damaged ({found}); no backup was made. Keep the older ones,"
                " and restore the last good one: gsmgw restore FILE"
            )
        contents = read_contents(aside)
        sync(aside)
        _check_target(db.path, target, force=force)
        aside.replace(target)
    finally:
        for left in (aside, *beside(aside)):
            left.unlink(missing_ok=True)
    sync(target.parent)
    return contents


def _check_target(database: Path, target: Path, *, force: bool) -> None:
    for own in (database, *beside(database)):
        if target.exists() and own.exists() and target.samefile(own):
            raise FileExistsError(
                errno.EEXIST, "it belongs to the database itself; name another file", str(target)
            )
    if not force and os.path.lexists(target):
        raise FileExistsError(
            errno.EEXIST, "there is such a file; name another, or add --force", str(target)
        )


def _make_empty(path: Path) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, MODE)
    try:
        with contextlib.suppress(PermissionError):  # a stick with a file system without modes
            os.fchmod(descriptor, MODE)
    finally:
        os.close(descriptor)


def beside(database: Path) -> tuple[Path, ...]:
    """Return the files that SQLite may keep beside a database."""
    return tuple(
        database.with_name(database.name + suffix) for suffix in ("-wal", "-shm", "-journal")
    )


def finish(path: Path) -> str | None:
    """Make a copy that nobody else uses a single file; return what is damaged in it, if anything.

    Blocks for reading all of it.
    """
    try:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            return _check(connection)
    except sqlite3.DatabaseError as error:
        return str(error)


def _check(connection: sqlite3.Connection) -> str | None:
    found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)")]
    return None if found == ["ok"] else "; ".join(" ".join(found).split("\n"))


def sync(path: Path) -> None:
    """Put a file, or the names in a directory, on disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database file for reading, whoever wrote it; sqlite3's errors pass through."""
    uri = f"{path.resolve().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def check_copy(path: Path) -> Contents:
    """Make sure that a file is a whole database of ours that this program can read.

    Blocks for reading all of it; changes nothing.

    Raises:
        OSError: it cannot be read at all.
        StoreDamagedError: it is damaged, or no database.
        StoreTooNewError: a newer gsmgw wrote it.
        StoreError: it is a database of something else.
    """
    with path.open("rb") as file:
        if not file.read(1):
            raise errors.StoreDamagedError(f"{path} is empty; take another copy")
    try:
        with reading(path) as connection:
            migrations.check(connection, path)
            found = _check(connection)
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found:
        raise errors.StoreDamagedError(f"{path} is damaged ({found}); take another copy")
    return read_contents(path)


def examine(path: Path) -> int:
    """Look a database over as it stands; return its schema's number, 0 of one without tables.

    Blocks for reading most of it; makes, migrates and changes nothing.

    Raises:
        OSError: it cannot be read at all.
        StoreDamagedError: it is damaged, or no database.
        StoreTooNewError: a newer gsmgw wrote it.
        StoreBusyError: it cannot be looked at, because another program holds it.
        StoreError: it is a database of something else.
    """
    path.open("rb").close()
    try:
        with reading(path) as connection:
            migrations.check(connection, path)
            found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(1)")]
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise errors.StoreBusyError(str(error)) from error
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise errors.StoreDamagedError(str(error)) from error
        raise errors.StoreError(f"{path}: {error}") from error
    if found != ["ok"]:
        raise errors.StoreDamagedError("; ".join(" ".join(found).split("\n")))
    return version


def read_contents(path: Path) -> Contents:
    """Count what a copy holds.

    Raises:
        StoreError: a table is missing.
    """
    try:
        with reading(path) as connection:
            states = connection.execute("SELECT state, count(*) FROM outbox GROUP BY state")
            messages = {str(state): int(count) for state, count in states}
            received = connection.execute("SELECT count(*) FROM inbox").fetchone()[0]
            newest = connection.execute(
                "SELECT max(at) FROM (SELECT max(created_at) AS at FROM outbox"
                " UNION ALL SELECT max(received_at) FROM inbox"
                " UNION ALL SELECT max(at) FROM event)"
            ).fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise errors.StoreError(f"{path}: {error}") from error
    return Contents(newest, messages, int(received), path.stat().st_size)
