# SPDX-License-Identifier: Apache-2.0
"""Takes what comes to a modem unasked: messages, reports, calls, changes of the network.

Theory of operation. Notices (+CMTI, +CDSI) are hints: the message is read where they say, and if it
is not there all memories are swept. All memories are also swept after every initialisation and
every few minutes, one a round, so that nothing else waits long for it. Messages handed over
directly (+CMT, +CDS) are stored first, then acknowledged.

Threads and locks. None; belongs to the modem's thread.

On failure. When the store cannot take something it stays where it is: in the modem, or at the head
of the queue; `flush` and the next round try again.
"""

from __future__ import annotations

from collections import deque

from gsmgw.at import network, replies, sim, sorting, storage
from gsmgw.modem import gateway_port
from gsmgw.modem.duties import calls, station

#: Messages taken in one round; then a part may go out.
_AT_ONCE = 5
#: After a notice led nowhere, or the store was busy.
_SWEEP_SOON_S = 2.0
#: A modem gives up waiting for AT+CNMA after some 15 s.
_UNACKNOWLEDGED_S = 20.0
#: The modem would not delete: the next try.
_UNDELETED_S = 30.0
_FULL = frozenset({"^SMMEMFULL", "+SMSFULL"})
#: Huawei ^SIMST, Quectel +QSIMSTAT: the SIM was put in or taken out.
_NEWS = frozenset({"+CREG", "+CPIN", "^SIMST", "+QSIMSTAT"})


class Arrivals:
    """The receiving side of one modem."""

    def __init__(self, at: station.Station) -> None:
        self._wanted = at.wanted
        self._drive = at.drive
        self._talk = at.talk
        self._gateway = at.gateway
        self._clock = at.clock
        self._calls = calls.Calls(at.wanted.rings)
        self._missed: deque[str | None] = deque()  #: calls that the store has not taken yet
        self._to_sweep: deque[str] = deque()
        self._sweep_at = float("inf")
        self.restarted = False  #: the modem said that it started anew, or lost its SIM
        self.news = False  #: it said something about itself, its SIM or its network

    def begin(self) -> None:
        """Start a session: the modem has been initialised."""
        self.restarted = self.news = False
        self._calls.forget()
        self._to_sweep = deque(self._drive.memories.names)
        self._sweep_at = float("inf")
        if self._drive.facts.acknowledges:
            # What was handed over before a restart is not acknowledged: see `renew_notices`.
            self.sweep_soon(_UNACKNOWLEDGED_S)

    def flush(self) -> None:
        """Record missed calls that the store did not take before.

        Raises:
            StoreError: it still does not.
        """
        while self._missed:
            self._gateway.missed_call(self._wanted.name, self._missed[0])
            self._missed.popleft()

    def take(self) -> None:
        """Take what the modem has said, a few messages at most.

        Raises:
            StoreError: nothing is lost.
            ModemSilentError, PortLostError: likewise.
        """
        heard = self._talk.unsolicited
        taken = 0
        while heard and taken < _AT_ONCE and not self.restarted:
            taken += self._take_one(heard.popleft())
        missed = self._calls.look(self._clock.monotonic())
        if missed is not None:
            self._miss(missed)

    def _take_one(self, one: sorting.Unsolicited) -> bool:
        """Take one code; return whether it was a message."""
        head = replies.head(one.text)
        self.news |= head in _NEWS or replies.is_restart(one.text)
        if one.pdu is not None:
            self._take_direct(one)
            return True
        if head in ("+CMTI", "+CDSI"):
            self._take_notice(one.text)
            return True
        if head == "+CREG":
            self._drive.note_registration(one.text)
        elif head in _FULL:
            self.sweep_soon(0.0)
        elif replies.is_restart(one.text) or _lost_sim(head, one.text):
            self.restarted = True
        else:
            self._take_call(head, one.text)
        return False

    def _take_direct(self, one: sorting.Unsolicited) -> None:
        try:
            self._drive.take_direct(one)
        except gateway_port.STORE_PASSING:
            self._talk.unsolicited.appendleft(one)
            raise

    def _take_notice(self, text: str) -> None:
        notice = storage.parse_notice(text)
        if notice is None:
            self.sweep_soon(0.0)
            return
        try:
            found = self._drive.memories.read(notice)
        except gateway_port.STORE_PASSING:
            self.sweep_soon(_SWEEP_SOON_S)
            raise
        if self._drive.memories.has_undeleted:
            self.sweep_soon(_UNDELETED_S)
        if not found:
            # Quectel and SIM7600 announce reports that lie in SR as "SM".
            self.sweep_soon(0.0)

    def _take_call(self, head: str, text: str) -> None:
        at = self._clock.monotonic()
        if head in ("RING", "+CRING"):
            self._calls.ring(at)
        elif head == "+CLIP":
            self._calls.name(network.parse_caller(text), at)
        else:
            final = replies.parse_final(text)
            if final is not None and final.kind is replies.FinalKind.CALL:
                missed = self._calls.end(at)
                if missed is not None:
                    self._miss(missed)

    def _miss(self, missed: calls.Missed) -> None:
        self._missed.append(missed.number)
        if missed.hang_up:
            self._drive.hang_up()
        self._talk.end_call()
        self.flush()

    def sweep_soon(self, delay_s: float) -> None:
        """Let all memories be swept after a while, unless that is due sooner."""
        self._sweep_at = min(self._sweep_at, self._clock.monotonic() + delay_s)

    def sweep_one(self) -> bool:
        """Sweep one memory, or a part of it, if one is due; return whether one was.

        Raises:
            StoreError, ModemSilentError, PortLostError: what was not stored stays in the modem.
        """
        now = self._clock.monotonic()
        if not self._to_sweep:
            if now < self._sweep_at:
                return False
            self._to_sweep.extend(self._drive.memories.names)
            self._sweep_at = float("inf")
            self._drive.renew_notices()
        more = self._drive.memories.sweep(self._to_sweep[0])
        if not more:
            self._to_sweep.popleft()
        if not self._to_sweep:
            stuck = self._drive.memories.has_undeleted
            pause_s = min(_UNDELETED_S, self._wanted.sweep_s) if stuck else self._wanted.sweep_s
            self._sweep_at = min(self._sweep_at, now + pause_s)
        return True

    def due_at(self) -> float:
        """Return when there is something to do although the modem says nothing (monotonic)."""
        if self._to_sweep:
            return self._clock.monotonic()
        call_at = self._calls.due_at()
        return self._sweep_at if call_at is None else min(self._sweep_at, call_at)


def _lost_sim(head: str, text: str) -> bool:
    return head == "+CPIN" and sim.parse_pin_state(text) != "READY"
