# SPDX-License-Identifier: Apache-2.0
"""What the log says once instead of a thousand times: trouble that goes on, and everyday traffic.

Theory of operation: a `Troubles` lets the first few of equal troubles through and holds the next
ones back, for a minute, then for two, for four and so on up to an hour while the trouble goes on; a
quarter of an hour without it, and it is news again. When the time is over the newest one held back
is told, with how many others there were. A `Traffic` lets the first three of each kind
through, and again after an hour in which nothing passed; the rest is only counted, and told once an
hour.

Threads and locks: none; the log calls both under its own lock. Times are monotonic seconds.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

#: For so long, trouble that says the same again is only counted; then twice as long, and so on.
FIRST_WINDOW_S = 60.0
LONGEST_WINDOW_S = 3600.0
#: Trouble that has not come for so long is new trouble.
QUIET_S = 900.0
#: So many different troubles are remembered; the one written longest ago is forgotten first.
MEMORY = 512

#: So many lines of each kind of everyday traffic are written after an hour without any: who sends a
#: message to try the box sees all of its way, and a busy day is a page.
LINES = 3
NO_TRAFFIC_S = 3600.0
#: How often the rest is told, as a count.
COUNTS_EVERY_S = 3600.0

T = TypeVar("T")


@dataclass(slots=True)
class _Trouble(Generic[T]):
    """One trouble since it was last written."""

    written_at: float
    seen_at: float
    free: int  #: so many more are written as they come
    window_s: float = FIRST_WINDOW_S
    held_back: int = 0
    newest: T | None = None


class Troubles(Generic[T]):
    """Counts troubles that say the same; T is what is needed to tell one later."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, _Trouble[T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def take(self, identity: Hashable, what: T, now: float, *, first: int = 1) -> int | None:
        """Return how many were held back before this one, or None to hold it back too.

        Args:
            identity: equal for equal troubles.
            what: what is needed to tell this one later.
            now: the time.
            first: so many are let through before any is held back.
        """
        known = self._known.get(identity)
        if known is None or now - known.seen_at >= QUIET_S:
            self._remember(identity, _Trouble(now, now, first - 1))
            return 0 if known is None else known.held_back
        known.seen_at = now
        if known.free:
            known.free -= 1
            known.written_at = now
            return 0
        if now - known.written_at < known.window_s:
            known.held_back += 1
            known.newest = what
            return None
        return self._written(identity, known, now)

    def due(self, now: float, *, at_once: bool = False) -> Iterator[tuple[T, int]]:
        """Yield what was held back and must be told now: the newest of each, and how many others.

        Args:
            now: the time.
            at_once: do not wait for the end of each one's time.
        """
        for identity, known in list(self._known.items()):
            waits = now - known.written_at < known.window_s and not at_once
            if known.held_back and known.newest is not None and not waits:
                newest = known.newest
                yield newest, self._written(identity, known, now) - 1

    def _written(self, identity: Hashable, known: _Trouble[T], now: float) -> int:
        held_back, known.held_back, known.newest = known.held_back, 0, None
        known.written_at = now
        known.window_s = min(known.window_s * 2, LONGEST_WINDOW_S)
        self._remember(identity, known)
        return held_back

    def _remember(self, identity: Hashable, known: _Trouble[T]) -> None:
        self._known[identity] = known
        self._known.move_to_end(identity)
        while len(self._known) > MEMORY:
            self._known.popitem(last=False)


class Traffic:
    """Counts what passes every day by the hundred."""

    def __init__(self) -> None:
        self._written: Counter[str] = Counter()
        self._seen_at: float | None = None
        self._counts: Counter[str] = Counter()
        self._since: float | None = None
        self._is_cut = False

    def take(self, word: str, now: float) -> bool:
        """Count one; tell whether its line may be written as well.

        Args:
            word: under which it is counted, such as "sent".
            now: the time.
        """
        if self._seen_at is not None and now - self._seen_at >= NO_TRAFFIC_S:
            self._written.clear()
        self._seen_at = now
        if self._since is None:
            self._since = now
        self._counts[word] += 1
        if self._written[word] == LINES:
            self._is_cut = True
            return False
        self._written[word] += 1
        return True

    def due(self, now: float, *, at_once: bool = False) -> tuple[float, dict[str, int]] | None:
        """Return seconds and counts of what has passed, once an hour, where not all was written.

        Args:
            now: the time.
            at_once: do not wait for the end of the hour.
        """
        if self._since is None or (now - self._since < COUNTS_EVERY_S and not at_once):
            return None
        told = (now - self._since, dict(self._counts)) if self._is_cut else None
        self._since, self._is_cut = None, False
        self._counts.clear()
        return told
