# SPDX-License-Identifier: Apache-2.0
"""Modems that wait for a part, and the parts that are claimed for them meanwhile.

Theory of operation: a modem's thread that has nothing to do opens its place and waits. Whoever puts
messages into the outbox takes the open places, claims a part for each in the transaction that
stores the messages, and gives it there once that is committed. So a message for an idle modem costs
one commit. The modem's thread closes its place when its wait is over, and finds the part in it.

Threads and locks: a place has a lock, held by the modem's thread for a moment, and by the other one
from before its transaction until after the commit. Nobody waits for a place but the modem's own
thread; others pass by one that is taken.

On failure: a transaction that fails leaves the places empty. A crash behind the commit leaves the
part `sending`, as one between the claim of a modem's own thread and its first octet does.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from gsmgw.model import PartToSend


@dataclass(slots=True)
class _Place:
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_open: bool = False
    part: PartToSend | None = None
    given: int = 0  #: parts so far: of several modems the one that had fewest comes first


class Reservation:
    """The places that were open; from `Waiting.reserve` until `give` nobody else has them."""

    def __init__(self, places: dict[str, _Place]) -> None:
        self._places = places
        self.parts: dict[str, PartToSend] = {}  #: claimed for these modems; given when committed

    @property
    def modems(self) -> list[str]:
        """The modems that wait, in the order in which they are to be served."""
        return sorted(self._places, key=lambda name: self._places[name].given)

    def give(self) -> None:
        """Hand over what was claimed, which is committed, and let the modems go on."""
        for name, part in self.parts.items():
            place = self._places[name]
            place.part, place.given = part, place.given + 1
        self.release()

    def release(self) -> None:
        """Let the modems go on with nothing; does nothing after `give`."""
        places, self._places = self._places, {}
        for place in places.values():
            place.lock.release()


class Waiting:
    """One place for each modem."""

    def __init__(self, modems: list[str]) -> None:
        self._places = {name: _Place() for name in modems}

    def begin(self, modem: str) -> None:
        """Let parts be claimed for a modem; in its own thread, which has none. Does not block."""
        place = self._places[modem]
        with place.lock:
            place.is_open = True

    def end(self, modem: str) -> PartToSend | None:
        """Return the part that was claimed for a modem since `begin`; in its own thread.

        Blocks while somebody is about to commit one. Harmless without `begin`.
        """
        place = self._places[modem]
        with place.lock:
            part, place.part, place.is_open = place.part, None, False
            return part

    @contextlib.contextmanager
    def reserve(self) -> Iterator[Reservation]:
        """Take all open places; what is not given at the end of the block stays unclaimed."""
        taken = {name: place for name, place in self._places.items() if _take(place)}
        reservation = Reservation(taken)
        try:
            yield reservation
        finally:
            reservation.release()


def _take(place: _Place) -> bool:
    if not place.is_open or not place.lock.acquire(blocking=False):
        return False
    if place.is_open and place.part is None:
        return True
    place.lock.release()
    return False
