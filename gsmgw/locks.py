# SPDX-License-Identifier: Apache-2.0
"""One daemon for each database and each spool: a lock that the kernel gives back at any death."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections import deque
from pathlib import Path

from gsmgw.errors import GsmgwError

#: `holder` has the lock for some microseconds while it looks, and whoever takes it needs some to
#: write down who it is: what was found is looked at once more after so long.
_AGAIN_S = 0.02


class Lock:
    """A file lock held as long as the process lives, whose file names the holder.

    The file itself stays where it is: removing it would let two processes hold different files of
    one name.
    """

    def __init__(self, path: Path, what: str) -> None:
        self._path = path
        self._what = what
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the lock, or say who has it; blocks for a moment if somebody has.

        Raises:
            GsmgwError: another process holds it, or the file cannot be made.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            fd = os.open(self._path, flags, 0o660)
        except OSError as error:
            raise GsmgwError(
                f"cannot make the lock file {self._path} of {self._what}: {error.strerror};"
                f" does user id {os.geteuid()} own the directory or belong to its group?"
            ) from error
        try:
            _take(fd, fcntl.LOCK_EX)
        except OSError as error:
            found = os.pread(fd, 20, 0).decode("ascii", "replace").strip()
            os.close(fd)
            raise GsmgwError(
                f"another gsmgw (process {found or 'unknown'}) already works on {self._what};"
                f" stop it first, or give this one its own"
            ) from error
        with contextlib.suppress(PermissionError):  # another member of the group has made it
            os.fchmod(fd, 0o660)  # a umask of 022 would lock the others out
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode("ascii"), 0)
        self._fd = fd

    def release(self) -> None:
        """Give the lock back; does nothing if it is not held."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def database_lock(database: Path) -> Path:
    """Return the lock file of a database."""
    return database.with_name(database.name + ".lock")


def spool_lock(spool: Path) -> Path:
    """Return the lock file of a spool."""
    return spool / ".gsmgw.lock"


def holder(path: Path) -> int | None:
    """Return the process id that holds a lock file, None if nobody does or it cannot be read.

    Blocks for a moment if somebody does.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        try:
            _take(fd, fcntl.LOCK_SH)
        except OSError:
            found = os.pread(fd, 20, 0).decode("ascii", "replace").strip()
            return int(found) if found.isdecimal() else None
        return None
    finally:
        os.close(fd)


def _take(fd: int, kind: int) -> None:
    """Lock a file at the second try at the latest.

    Raises:
        OSError: somebody has it, for longer than it takes to look or to write a name.
    """
    with contextlib.suppress(OSError):
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
        return
    threading.Event().wait(_AGAIN_S)
    fcntl.flock(fd, kind | fcntl.LOCK_NB)


class Turns:
    """Lets one thread write at a time, first come, first served.

    A plain lock goes to whoever runs at the moment: a thread that writes piece after piece would
    keep the others out, a modem with its answer among them.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self.is_taken = False

    @property
    def waiting(self) -> int:
        """How many threads wait for their turn."""
        return len(self._waiting)

    def take(self, timeout_s: float) -> bool:
        """Wait for the turn, so long at most; tell whether it has come."""
        with self._mutex:
            if not self.is_taken:
                self.is_taken = True
                return True
            gate = threading.Lock()
            gate.acquire()
            self._waiting.append(gate)
        if gate.acquire(timeout=timeout_s):
            return True
        with self._mutex:
            if gate not in self._waiting:
                return True  # it came at the last moment
            self._waiting.remove(gate)
            return False

    def give(self) -> None:
        """Give the turn to the next one."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self.is_taken = False
