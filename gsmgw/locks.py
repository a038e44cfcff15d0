# SPDX-License-Identifier: Apache-2.0
"""Who may write: one daemon for each database and spool, one thread at a time, long work in pieces.

The lock of a daemon is one that the kernel gives back at any death.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from gsmgw.clock import Clock
from gsmgw.errors import GsmgwError

#: `holder` has the lock for some microseconds while it looks, and whoever takes it needs some to
#: write down who it is: what was found is looked at once more after so long.
_AGAIN_S = 0.02

#: A piece of long work ends after so long, in seconds.
PIECE_S = 0.010
#: Behind a piece nothing of long work is written for this part of the time that it took, within
#: bounds.
GAP_PART = 0.5
GAP_S, LONGEST_GAP_S = 0.008, 0.100
#: One long work waits so long for the piece of another one, then goes on beside it.
_PATIENCE_S = 5.0


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


class Piece:
    """One piece of long work; asked between two steps of it whether it is to end."""

    def __init__(self, turns: Turns, clock: Clock) -> None:
        self._turns = turns
        self._clock = clock
        self._began: float | None = None

    def is_over(self) -> bool:
        """Tell whether others are to write now; False the first time, so that work goes on."""
        now = self._clock.monotonic()
        if self._began is None:
            self._began = now
            return False
        return self._turns.waiting > 0 or now - self._began >= PIECE_S


class Pace:
    """Lets long work write piece by piece, and others between the pieces.

    A piece ends when another thread waits for its turn, so a modem waits for one step of long work
    at most. Other software cannot be seen waiting: its SQLite looks for the lock again after 1, 2,
    5, 10, 15, 20 and 25 ms, so that a gap of 8 ms, or half as long as the piece, holds such a look
    nearly always: the third, fourth or fifth. Gaps are kept between the pieces of
    different work too.
    """

    def __init__(self, turns: Turns, clock: Clock) -> None:
        self._turns = turns
        self._clock = clock
        self._one = Turns()
        self._free_at = 0.0  # of the machine's clock: these gaps are real ones, also in a test
        self._never = threading.Event()

    @contextlib.contextmanager
    def piece(self, pause: Callable[[float], object] | None = None) -> Iterator[Piece]:
        """Wait until the gap behind the last piece is over; the block is the next piece.

        Enter `Database.write` inside of it, behind what needs no database, and end the block when
        the piece is over.

        Args:
            pause: waits so many seconds; None for a wait that nothing ends.
        """
        is_mine = self._one.take(_PATIENCE_S)
        try:
            left_s = self._free_at - time.monotonic()
            if left_s > 0:
                (pause or self._never.wait)(left_s)
            began = time.monotonic()
            try:
                yield Piece(self._turns, self._clock)
            finally:
                ended = time.monotonic()
                gap_s = max(GAP_S, GAP_PART * (ended - began))
                self._free_at = ended + min(gap_s, LONGEST_GAP_S)
        finally:
            if is_mine:
                self._one.give()
