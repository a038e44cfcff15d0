# SPDX-License-Identifier: Apache-2.0
"""Settles the part that was on its way when the daemon or the port went away.

Theory of operation. After a restart of the daemon the modem may still hold the answer: so the port
is listened to, without writing a byte, until the time for the result has passed since the claim.
After the device was away there is nothing to wait for.

Threads and locks. None; belongs to the modem's thread.
"""

from __future__ import annotations

from gsmgw.model import PartToSend
from gsmgw.modem.duties import sending, station


class InFlight:
    """The part of one modem that is still `sending` from before."""

    def __init__(self, at: station.Station, sender: sending.Sender) -> None:
        self._name = at.name
        self._talk = at.talk
        self._gateway = at.gateway
        self._sender = sender
        self._timeout_s = at.wanted.result_timeout_s
        self._clock = at.clock
        self._part: PartToSend | None = None
        self._until = float("-inf")
        self._asked = False

    def begin(self) -> None:
        """Ask the gateway anew at the next look: the worker begins its life."""
        self._part, self._asked = None, False

    def left_s(self) -> float:
        """Return for how long the answer of such a part may still come; 0.0 without one.

        Raises:
            StoreError: the gateway could not be asked; ask again.
        """
        if not self._asked:
            self._part = self._gateway.in_flight(self._name)
            self._asked = True
            if self._part is not None:
                self._until = self._clock.monotonic() + self._timeout_s - self._age_s(self._part)
        if self._part is None or self._talk.late:
            return 0.0
        return max(0.0, self._until - self._clock.monotonic())

    @property
    def known(self) -> bool:
        """Return whether there is such a part."""
        return self._part is not None

    def _age_s(self, part: PartToSend) -> float:
        if part.claimed_at is None:
            return 0.0
        return max(0.0, (self._clock.now() - part.claimed_at).total_seconds())

    def device_was_away(self) -> None:
        """Wait no longer: a modem without power answers nothing."""
        self._part, self._asked = None, True

    def settle(self) -> bool:
        """Settle the part by what was heard; return whether it has become uncertain.

        Raises:
            StoreError: kept by the sender, or still in flight; call again.
        """
        listened = self._part is not None
        part = self._part or self._gateway.in_flight(self._name)
        if part is None:
            return False
        late = self._talk.late.popleft() if listened and self._talk.late else None
        why = "no answer came after the restart" if listened else "the port was lost"
        self.device_was_away()
        self._sender.settle_in_flight(part, late, why)
        return late is None
