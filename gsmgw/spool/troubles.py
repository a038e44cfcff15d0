# SPDX-License-Identifier: Apache-2.0
"""What could not be done just now, on the disk or in the store, and when it is tried again.

A thing that fails waits 1 s, 2 s, 4 s ... 60 s; the others go on. The log hears once that something
is owed, and once that it is no longer.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from gsmgw import logs
from gsmgw.clock import Clock
from gsmgw.errors import StoreBusyError, StoreError, StoreFullError
from gsmgw.spool import files
from gsmgw.store.database import Row

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0

#: Errors of the store that pass by themselves; the others are for the supervisor.
PASSING = (StoreBusyError, StoreFullError)

#: The key of the store itself.
STORE = "store"

log = logs.get("spool")

_ADVICE = {
    errno.ENOSPC: "make room on the disk",
    errno.EDQUOT: "raise the quota",
    errno.EROFS: "the file system is read-only; see dmesg",
    errno.EACCES: "see the owner and mode of the folder",
    errno.EPERM: "see the owner and mode of the folder",
    errno.EIO: "the disk fails; see dmesg",
    errno.ENOENT: "put back what is missing; folders of the spool are made anew within a minute",
}


def _advice(error: OSError | StoreError) -> str:
    if isinstance(error, StoreFullError):
        return _ADVICE[errno.ENOSPC]
    if isinstance(error, StoreBusyError):
        return "end the program that holds the database"
    number = error.errno if isinstance(error, OSError) else None
    return _ADVICE.get(number or 0, "see the error")


@dataclass(slots=True)
class _Trouble:
    pause_s: float
    again_at: float  #: monotonic


class Troubles:
    """Things in trouble, by key; of one service, in its thread."""

    def __init__(self, what: str, clock: Clock) -> None:
        """Set up with nothing in trouble.

        Args:
            what: what is owed, for the log.
            clock: measures the pauses.
        """
        self._what = what
        self._clock = clock
        self._troubles: dict[object, _Trouble] = {}

    def __len__(self) -> int:
        return len(self._troubles)

    def failed(self, key: object, error: OSError | StoreError) -> None:
        """Take in that something could not be done; the log hears of the first one."""
        known = self._troubles.get(key)
        pause_s = FIRST_PAUSE_S if known is None else min(known.pause_s * 2, LONGEST_PAUSE_S)
        if not self._troubles:
            # Not the path: it holds the name that a client gave, so masking leaves nothing of it.
            words = error.strerror if isinstance(error, OSError) else None
            log.warning(
                "spool.owed",
                what=self._what,
                key=("what", "error"),
                error=logs.masked(words or error),
                advice=_advice(error),
            )
        self._troubles[key] = _Trouble(pause_s, self._clock.monotonic() + pause_s)

    def is_paused(self, key: object) -> bool:
        """Tell whether something is not to be tried yet."""
        trouble = self._troubles.get(key)
        return trouble is not None and self._clock.monotonic() < trouble.again_at

    def ended(self, key: object) -> None:
        """Take in that something is done, or no longer owed."""
        if self._troubles.pop(key, None) is not None and not self._troubles:
            log.info("spool.caught_up", what=self._what)

    # -- work in batches --------------------------------------------------------------------------

    def choose(self, find: Callable[[int], list[Row]], most: int) -> list[Row]:
        """Return rows that are to be worked on now; those in trouble do not count.

        Args:
            find: returns so many rows with an `id`, the oldest first.
            most: so many at most.
        """
        # Found beside the others, so that they do not keep those from being found.
        rows = find(most + len(self._troubles))
        return [row for row in rows if not self.is_paused(row["id"])][:most]

    def work(self, batch: Callable[[list[Row]], int], rows: list[Row]) -> int:
        """Work on a batch, unless the store has failed; return how many are done."""
        try:
            done = batch(rows)
        except PASSING as error:
            self.failed(STORE, error)
            return 0
        self.ended(STORE)
        return done

    def attempt(self, key: object, action: Callable[[], object]) -> bool:
        """Do one thing on the disk; tell whether it could be done."""
        try:
            action()
        except OSError as error:
            self.failed(key, error)
            return False
        return True

    def sync(self, keys: Iterable[object], folders: Iterable[Path]) -> bool:
        """Put the changes of some files on disk; tell whether it could be done."""
        try:
            for folder in folders:
                files.sync(folder)
        except OSError as error:
            for key in keys:
                self.failed(key, error)
            return False
        return True
