# SPDX-License-Identifier: Apache-2.0
"""The SQLite file: one connection a thread, one way to write, one mapping of its errors.

Theory of operation: every write is BEGIN IMMEDIATE … COMMIT through `Database.write`; a deferred
transaction that reads first and then writes fails at once with SQLITE_BUSY_SNAPSHOT, whatever the
time-out. While it lasts a row stands in table `writing`, so that the triggers know us from other
software. WAL with synchronous=FULL: what is committed survives power loss. A write that was made
from what is on disk, and would be made again if it were lost with power, does without the fsync.
The next commit that has one puts it on disk too: nothing that follows from it is there without it.

Threads and locks: each thread gets its own connection at its first use and closes it with
`close()`, at the latest by ending. Shared are the path and the turns that let one thread write at a
time, in the order in which they came; a write within a write would wait for itself.

On failure: every sqlite3 error leaves here as a StoreError; after one nothing was written.

Known limits: local disks only; WAL needs shared memory between processes of one machine.
"""

from __future__ import annotations

import contextlib
import operator
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from gsmgw import errors, locks, logs
from gsmgw.clock import Clock, SystemClock, format_utc
from gsmgw.store import migrations

#: How long a write waits for another process that holds the lock, in seconds.
BUSY_TIMEOUT_S = 5.0

#: While it is locked we look again this often, in seconds.
BUSY_LOOK_S = 0.001

#: A WAL larger than this is never folded back: somebody keeps a read transaction open.
WAL_WARNING_BYTES = 64 * 1024 * 1024

#: Other software may have stored octets that are no UTF-8; one such row must not hide the others.
_read_text = operator.methodcaller("decode", "utf-8", "replace")

_ADVICE = {
    sqlite3.SQLITE_READONLY: "; is its file system read-only, or not ours? See dmesg and ls -l",
    sqlite3.SQLITE_IOERR: "; is the disk full, or does it fail? See df and dmesg",
    sqlite3.SQLITE_CANTOPEN: "; see ls -ld of its directory, and df",
}

#: Never set: waiting for it is a pause.
_PAUSE = threading.Event()

#: One row of a query, its columns by name.
Row: TypeAlias = sqlite3.Row

Params: TypeAlias = Sequence[object] | dict[str, object]

log = logs.get("store")


class Transaction:
    """One write transaction; everything in it becomes visible and durable together.

    `now` is one time for all of it, as stored.
    """

    def __init__(self, connection: sqlite3.Connection, now: str) -> None:
        self._connection = connection
        self.now = now
        self._after: list[Callable[[], None]] = []

    def run(self, sql: str, params: Params = ()) -> int:
        """Execute a statement; return how many rows it changed."""
        return self._connection.execute(sql, params).rowcount

    def insert(self, sql: str, params: Params = ()) -> int:
        """Execute an INSERT; return the id of the new row."""
        row_id = self._connection.execute(sql, params).lastrowid
        if row_id is None:
            raise errors.StoreError("the statement inserted nothing")
        return row_id

    def rows(self, sql: str, params: Params = ()) -> list[sqlite3.Row]:
        """Return all rows of a query, as this transaction sees them."""
        return self._connection.execute(sql, params).fetchall()

    def row(self, sql: str, params: Params = ()) -> sqlite3.Row | None:
        """Return the first row of a query, or None."""
        row: sqlite3.Row | None = self._connection.execute(sql, params).fetchone()
        return row

    def after_commit(self, action: Callable[[], None]) -> None:
        """Run `action` once all this is on disk: log lines and hints speak of facts only."""
        self._after.append(action)

    def committed(self) -> None:
        """Run what was asked to follow the commit."""
        for action in self._after:
            action()


class _Own:
    """A thread's connection; closed with the thread, if the thread did not do so itself.

    A sqlite3.Connection is part of a reference cycle, its cache of statements, and would stay open
    until the garbage collector finds it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._is_synced = True

    def sync(self, wanted: bool) -> None:
        """Let commits wait for the disk, or not."""
        if wanted is not self._is_synced:
            self.connection.execute(f"PRAGMA synchronous = {'FULL' if wanted else 'NORMAL'}")
            self._is_synced = wanted

    def __del__(self) -> None:
        self.connection.close()


class Database:
    """The store's file, opened anew by every thread that uses it."""

    def __init__(
        self, path: Path, *, clock: Clock | None = None, busy_timeout_s: float = BUSY_TIMEOUT_S
    ) -> None:
        self.path = path
        self.clock = clock or SystemClock()
        self._busy_timeout_s = busy_timeout_s
        self.commits = 0  #: how often this process has committed
        self._local = threading.local()
        # SQLite waits for a lock by looking again after growing pauses of up to 100 ms; between
        # the threads of one process turns are handed over at once.
        self._turns = locks.Turns()
        self.pace = locks.Pace(self._turns, self.clock)  #: of long work; others write between
        self._pause = threading.Event()  # never set: its wait is a pause

    def open(self) -> None:
        """Create or migrate the file as needed. Blocks for the migration.

        Raises:
            StoreDamagedError: the file is no database or is damaged; it is left as it is.
            StoreTooNewError: a newer gsmgw wrote it.
            StoreError: the directory is missing or not writable; the text says what to do.
        """
        self._check_place()
        self._make_file()
        with self._mapped():
            # Before the switch to WAL, which would change a file that is not ours.
            look = sqlite3.connect(self.path, timeout=self._busy_timeout_s, isolation_level=None)
            with contextlib.closing(look):
                migrations.check(look, self.path)
            migrations.migrate(self._connect())

    def _make_file(self) -> None:
        """Make the file if it is not there, before SQLite does, for the group to write.

        A umask of 022 would lock out the clinic's software; -wal and -shm copy this mode.
        """
        try:
            descriptor = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o660)
        except FileExistsError:
            return
        except OSError as error:
            raise errors.StoreError(f"database {self.path} cannot be made: {error}") from error
        try:
            os.fchmod(descriptor, 0o660)
        finally:
            os.close(descriptor)

    def _check_place(self) -> None:
        folder = self.path.parent
        if not folder.is_dir():
            raise errors.StoreError(
                f"database directory {folder} does not exist; create it for the group of gsmgw:"
                f" install -d -m 2770 -g gsmgw {folder}"
            )
        if not os.access(folder, os.W_OK | os.X_OK):
            raise errors.StoreError(
                f"database directory {folder} is not writable for user id {os.geteuid()};"
                " SQLite needs to create files beside the database there"
            )
        if not self.path.exists():
            self._check_remains()
        elif not os.access(self.path, os.R_OK | os.W_OK):
            raise errors.StoreError(
                f"database {self.path} is not readable and writable for user id {os.geteuid()}"
            )

    def _check_remains(self) -> None:
        """Refuse to begin anew where a database has been: SQLite would remove its log."""
        for found in remains(self.path):
            raise errors.StoreError(
                f"database {self.path} is gone, but {found.name} is there; nothing was"
                " changed. Put it back, or restore the last backup: gsmgw restore FILE"
            )

    def _connect(self) -> sqlite3.Connection:
        return self._own().connection

    def _own(self) -> _Own:
        own: _Own | None = getattr(self._local, "own", None)
        if own is None:
            connection = sqlite3.connect(
                self.path, timeout=self._busy_timeout_s, isolation_level=None
            )
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            own = self._local.own = _Own(connection)
        return own

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        connection.text_factory = _read_text
        self._switch_to_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")

    def _switch_to_wal(self, connection: sqlite3.Connection) -> None:
        """Switch a new file to WAL; costs a look where that was done before.

        SQLite does not wait here if others do the same at this moment, whatever the time-out.
        """
        deadline = time.monotonic() + self._busy_timeout_s
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                is_busy = (error.sqlite_errorcode or 0) & 0xFF == sqlite3.SQLITE_BUSY
                if not is_busy or time.monotonic() >= deadline:
                    raise
                _PAUSE.wait(0.01)
            else:
                return

    def close(self) -> None:
        """Close this thread's connection; a later use opens a new one."""
        own: _Own | None = getattr(self._local, "own", None)
        if own is not None:
            self._local.own = None
            own.connection.close()

    @contextlib.contextmanager
    def write(self, *, synced: bool = True) -> Iterator[Transaction]:
        """Write; commits at the end of the block, rolls back if it raises.

        Blocks up to the busy time-out while another process writes, then for one fsync.

        Args:
            synced: False where all of it would be written again after a loss of power, from what is
                on disk already; it then does not wait for the disk.

        Raises:
            StoreBusyError: another process held the lock all that time.
            StoreFullError: no space; StoreError: anything else of SQLite.
        """
        with self._turn(), self._mapped():
            own = self._own()
            own.sync(synced)
            connection = own.connection
            self._begin(connection)
            try:
                transaction = Transaction(connection, format_utc(self.clock.now()))
                connection.execute("INSERT OR IGNORE INTO writing (who) VALUES (1)")
                yield transaction
                connection.execute("DELETE FROM writing")
                connection.execute("COMMIT")
                self.commits += 1
            except BaseException:
                if connection.in_transaction:
                    with contextlib.suppress(sqlite3.Error):
                        connection.execute("ROLLBACK")
                raise
        transaction.committed()

    def rows(self, sql: str, params: Params = ()) -> list[sqlite3.Row]:
        """Return all rows of a query."""
        with self._mapped():
            return self._connect().execute(sql, params).fetchall()

    def row(self, sql: str, params: Params = ()) -> sqlite3.Row | None:
        """Return the first row of a query, or None."""
        with self._mapped():
            row: sqlite3.Row | None = self._connect().execute(sql, params).fetchone()
            return row

    @property
    def is_writing(self) -> bool:
        """Whether a thread of this process is writing at this moment."""
        return self._turns.is_taken

    def version(self) -> int:
        """Return a number that changes when another connection has committed (4 µs)."""
        row = self.row("PRAGMA data_version")
        return int(row[0]) if row is not None else 0

    def backup(self, target: Path) -> None:
        """Copy the database, while it is in use, into a new file. Blocks for the copy.

        In one piece: between two pieces somebody would write, and the copy begin anew each time.
        """
        with self._mapped():
            copy = sqlite3.connect(target)
            try:
                self._connect().backup(copy)
            finally:
                copy.close()

    def check_wal(self) -> None:
        """Warn when the write-ahead log grows without end."""
        wal = self.path.with_name(self.path.name + "-wal")
        size = wal.stat().st_size if wal.exists() else 0
        if size > WAL_WARNING_BYTES:
            log.warning(
                "store.wal_large",
                key=("path",),
                path=str(wal),
                megabytes=size // (1024 * 1024),
                readers=_others_with(self.path),
            )

    def _begin(self, connection: sqlite3.Connection) -> None:
        """Begin to write; looks each millisecond while another process holds the lock.

        SQLite's own waiting looks again after growing pauses of up to 100 ms, so that a program
        that inserts row after row can keep us out for a second.
        """
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            for _ in range(round(self._busy_timeout_s / BUSY_LOOK_S)):
                try:
                    connection.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError as error:
                    if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
                        raise
                    self._pause.wait(BUSY_LOOK_S)
                else:
                    return
            connection.execute("BEGIN IMMEDIATE")
        finally:
            connection.execute(f"PRAGMA busy_timeout = {round(self._busy_timeout_s * 1000):d}")

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Let one thread of this process write at a time."""
        if not self._turns.take(self._busy_timeout_s):
            raise errors.StoreBusyError(
                f"database {self.path} is locked by another thread of this process, which may"
                f" itself wait for another process; see who: fuser {self.path}"
            )
        try:
            yield
        finally:
            self._turns.give()

    @contextlib.contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._map(error) from error

    def _map(self, error: sqlite3.Error) -> errors.StoreError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return errors.StoreBusyError(
                f"database {self.path} is locked by another process; see who: fuser {self.path}"
            )
        if code == sqlite3.SQLITE_FULL:
            return errors.StoreFullError(f"no space left for database {self.path}")
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            self.close()
            return errors.StoreDamagedError(
                f"database {self.path} is damaged ({error}); nothing was changed. Stop the service"
                " and restore the last backup: gsmgw restore FILE"
            )
        return errors.StoreError(f"database {self.path}: {error}{_ADVICE.get(code, '')}")


def unfinished_restore(path: Path) -> Path:
    """Return the file that is to become a database while `gsmgw restore` is at work."""
    return path.with_name(f"{path.name}.restoring")


def remains(path: Path) -> list[Path]:
    """Return what is there of a database that is gone: a restore cut short, its log, a rescue."""
    named = (unfinished_restore(path), Path(f"{path}-wal"))
    return [one for one in (*named, *path.parent.glob(f"{path.name}.rescued-*")) if one.exists()]


def _others_with(path: Path) -> str:
    """Name the other processes that have a file open, as far as we may see them."""
    target, found = os.path.realpath(path), []
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        with contextlib.suppress(OSError):  # it has ended, or belongs to somebody else
            if any(os.path.realpath(link) == target for link in (process / "fd").iterdir()):
                found.append(f"{(process / 'comm').read_text().strip()}[{process.name}]")
    return ", ".join(found) or "unknown"
