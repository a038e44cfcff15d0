# SPDX-License-Identifier: Apache-2.0
"""Says what is wrong with a modem, each trouble once, in words that a person can act on.

Theory of operation. The worker tells of a trouble whenever it meets it, every few seconds if need
be. A line is written when the words are new since the modem last worked; so a modem that is away
for a week fills no log, and one that comes back and goes again is told of again.

Threads and locks. None; belongs to the modem's thread.
"""

from __future__ import annotations

from gsmgw import clock, logs
from gsmgw.at import network

_log = logs.get("modem")

#: A network is found within a minute at most places; before that its absence is no trouble.
_SEARCHING_FOR_S = 60.0


class Complaints:
    """The troubles of one modem."""

    def __init__(self, name: str, now: clock.Clock) -> None:
        self._name = name
        self._clock = now
        self._told: set[str] = set()
        self._searching_since: float | None = None

    def works(self) -> None:
        """Begin anew: the modem is ready."""
        self._told.clear()
        self._searching_since = None

    def lost(self, why: str) -> None:
        """The port is gone, was never there, or cannot be opened."""
        if self._is_new(why):
            _log.warning("modem.lost", modem=self._name, why=why)

    def sim(self, why: str) -> None:
        """A person must see to the SIM."""
        if self._is_new(why):
            _log.warning("sim.unusable", modem=self._name, why=why)

    def unregistered(self, status: int | None) -> None:
        """There is no network: told at once where it refuses us, else after a minute."""
        now = self._clock.monotonic()
        if self._searching_since is None:
            self._searching_since = now
        if status != network.DENIED and now - self._searching_since < _SEARCHING_FOR_S:
            return
        why = network.registration_words(status)
        if self._is_new(why):
            _log.warning("modem.unregistered", modem=self._name, why=why)

    def _is_new(self, why: str) -> bool:
        if why in self._told:
            return False
        self._told.add(why)
        return True
