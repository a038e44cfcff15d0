# SPDX-License-Identifier: Apache-2.0
"""When a file in `outgoing/` is complete: a table of names and times, fed by events and scans.

A file that was renamed in, or whose `X.LOCK` has just gone, is ready at once. One that is written
in place is ready when nothing has happened to it for the settle time: a shell script opens and
closes one file several times while it writes it. A file found by a scan, of which no event told,
must also look the same at the end of that time.

Pure: the caller brings names, looks and monotonic seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from gsmgw.spool import names

#: What a scan compares: inode, size, time of the last write and of the last change.
Look = tuple[int, int, int, int]


@dataclass(slots=True)
class _Waiting:
    ready_at: float
    look: Look | None = None  #: at the scan that found it; None if events told of it
    is_complete: bool = False  #: renamed in, or let go of; what comes after is an echo, or a chmod


class Readiness:
    """The files that are waited for."""

    def __init__(self, settle_s: float) -> None:
        self.settle_s = settle_s  #: seconds
        self._waiting: dict[str, _Waiting] = {}

    def notice(self, name: str, kind: str, now: float) -> None:
        """Take in an event of the watcher: something happened to a name in `outgoing/`."""
        if name.endswith(names.LOCK_SUFFIX):
            if kind in ("deleted", "moved"):
                self.unlocked(name.removesuffix(names.LOCK_SUFFIX), now)
        elif names.is_ignored(name):
            return
        elif kind in ("deleted", "moved"):
            self._waiting.pop(name, None)
        elif kind == "moved_in":
            self._waiting[name] = _Waiting(now, is_complete=True)
        else:
            self._postpone(name, now)

    def unlocked(self, name: str, now: float) -> None:
        """Take in that a producer has let go of a file."""
        if name and not names.is_ignored(name):
            self._waiting[name] = _Waiting(now, is_complete=True)

    def found(self, name: str, look: Look, now: float) -> None:
        """Take in that a scan has found a file; nothing changes if it is waited for already."""
        if name not in self._waiting:
            self._waiting[name] = _Waiting(now + self.settle_s, look)

    def is_steady(self, name: str, look: Look, now: float) -> bool:
        """Tell whether a ready file looks as the scan saw it; else it is waited for again."""
        waiting = self._waiting.get(name)
        if waiting is None or waiting.look is None or waiting.look == look:
            return True
        self._waiting[name] = _Waiting(now + self.settle_s, look)
        return False

    def forget(self, name: str) -> None:
        """Wait no longer for a file: it was taken, is gone, or is none of our business."""
        self._waiting.pop(name, None)

    def ready(self, now: float, limit: int) -> list[str]:
        """Return names whose time has come, in the order in which they were noticed."""
        found: list[str] = []
        for name, waiting in self._waiting.items():
            if waiting.ready_at <= now:
                found.append(name)
                if len(found) == limit:
                    break
        return found

    def seconds_to_next(self, now: float) -> float | None:
        """Return how long to wait for the next file to be ready; None if there is none."""
        if not self._waiting:
            return None
        return max(min(waiting.ready_at for waiting in self._waiting.values()) - now, 0.0)

    def _postpone(self, name: str, now: float) -> None:
        waiting = self._waiting.get(name)
        if waiting is None or not waiting.is_complete:
            self._waiting[name] = _Waiting(now + self.settle_s)
