# SPDX-License-Identifier: Apache-2.0
"""Follows an incoming call from its first ring to the one missed call that it becomes.

Theory of operation. RING (+CRING) opens a call, +CLIP names its caller: in the same breath, a
moment later, at the second ring, or never. After the wanted number of rings the call is to be hung
up, but not before its number is known or had its time. A call that its caller ends (NO CARRIER, or
no further RING) is a missed one too. After hanging up, what the modem still had in its queue (RING,
+CLIP of the same number, NO CARRIER) opens no new call.

Threads and locks. None; pure, the caller passes monotonic times in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from gsmgw.at import network

#: The number of a caller comes within this time after a ring, or it does not come.
NUMBER_WITHIN_S = 1.5
#: Networks ring every 4 to 6 s; after this long without one the caller has given up.
RING_AGAIN_WITHIN_S = 10.0
#: After hanging up, rings of the same call may still be on their way.
ECHO_FOR_S = 3.0


@dataclass(slots=True)
class _Call:
    rings: int
    last_sign_at: float
    number: str | None = None
    named: bool = False  #: +CLIP came, with a number or withheld


@dataclass(frozen=True, slots=True)
class Missed:
    """A call that is over for us."""

    number: str | None
    hang_up: bool  #: it still rings


class Calls:
    """The calls of one modem; there is at most one at a time."""

    def __init__(self, rings: int) -> None:
        self._wanted = max(1, rings)
        self._call: _Call | None = None
        self._quiet_until = float("-inf")
        self._last_number: str | None = None

    @property
    def ringing(self) -> bool:
        """Return whether a call is going on."""
        return self._call is not None

    def ring(self, at: float) -> None:
        """Take RING or +CRING."""
        if self._call is None:
            if at < self._quiet_until:
                return
            self._call = _Call(0, at)
        self._call.rings += 1
        self._call.last_sign_at = at

    def name(self, caller: network.Caller, at: float) -> None:
        """Take +CLIP."""
        if self._call is None:
            if at < self._quiet_until and caller.number == self._last_number:
                return
            # The first RING was lost or comes later; +CLIP alone is as good.
            self._call = _Call(1, at)
        self._call.named = True
        self._call.number = caller.number or self._call.number
        self._call.last_sign_at = at

    def end(self, at: float) -> Missed | None:
        """Take NO CARRIER: the caller hung up."""
        return self._finish(at, hang_up=False) if self._call is not None else None

    def look(self, at: float) -> Missed | None:
        """Return the call that is over by now, or is to be hung up."""
        call = self._call
        if call is None:
            return None
        since_s = at - call.last_sign_at
        if since_s >= RING_AGAIN_WITHIN_S:
            return self._finish(at, hang_up=False)
        if call.rings >= self._wanted and (call.named or since_s >= NUMBER_WITHIN_S):
            return self._finish(at, hang_up=True)
        return None

    def due_at(self) -> float | None:
        """Return when to look again, None if no call is going on."""
        call = self._call
        if call is None:
            return None
        if call.rings >= self._wanted:
            return call.last_sign_at + (0.0 if call.named else NUMBER_WITHIN_S)
        return call.last_sign_at + RING_AGAIN_WITHIN_S

    def forget(self) -> None:
        """Drop a call: the modem started anew."""
        self._call = None

    def _finish(self, at: float, *, hang_up: bool) -> Missed:
        call = self._call
        assert call is not None
        self._call = None
        self._quiet_until = at + ECHO_FOR_S
        self._last_number = call.number
        return Missed(call.number, hang_up)
