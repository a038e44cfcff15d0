# SPDX-License-Identifier: Apache-2.0
"""Sends the parts that the gateway gives, one after the other, and never loses a result.

Theory of operation. The gateway commits a claim before it hands over a part; the result of one part
and the claim of the next are one call. A result that the store cannot take now is kept here and
given again before anything else is done. A part that was claimed and cannot be submitted is given
back untouched.

A modem that refuses to take parts for its own reasons (an error in place of the prompt, codes that
are the modem's fault) is held back for a growing pause: the part waits in the store meanwhile, or
goes out over another modem.

Threads and locks. None; belongs to the modem's thread.
"""

from __future__ import annotations

from collections import deque

from gsmgw import clock, logs
from gsmgw.at import codes
from gsmgw.errors import CommandFailedError
from gsmgw.model import ErrorFamily, Outcome, PartToSend, SubmitResult, Whose
from gsmgw.modem import dialogue, driver, exchange, gateway_port

_log = logs.get("modem")

#: Pause after the modem would not take a part; doubles up to the longest, ends with a success.
_HOLD_FIRST_S = 1.0
_HOLD_LONGEST_S = 60.0
#: So many in a row, and the modem must be brought up anew.
_HOLDS_BEFORE_ANEW = 3
#: SMSC address unknown (27.005 3.2.5): the number has vanished from the SIM.
_NO_SERVICE_CENTRE = 330


class Sender:
    """The sending side of one modem."""

    def __init__(
        self,
        name: str,
        drive: driver.Driver,
        talk: dialogue.Dialogue,
        gateway: gateway_port.Gateway,
        now: clock.Clock,
    ) -> None:
        self._name = name
        self._drive = drive
        self._talk = talk
        self._gateway = gateway
        self._clock = now
        self._claimed: PartToSend | None = None
        self._owed: deque[SubmitResult] = deque()  #: results that the store has not taken yet
        self._owed_late: deque[SubmitResult] = deque()
        self._doubtful: int | None = None  #: the part whose answer may still come
        self._holds = 0
        self._hold_until = float("-inf")
        self.taken_at: float | None = None  #: monotonic; when the network last took a part

    def flush(self) -> None:
        """Record what the store did not take before.

        Raises:
            StoreError: it still does not.
        """
        while self._owed:
            self._gateway.settle(self._name, self._owed[0], claim_next=False)
            self._owed.popleft()
        while self._owed_late:
            self._gateway.late_answer(self._name, self._owed_late[0])
            self._owed_late.popleft()

    def send_one(self, *, claim_next: bool) -> bool:
        """Send the next part if there is one; return whether there was.

        Blocks until the modem answers or the time for the result is over.

        Args:
            claim_next: the modem may go on with another part after this one.

        Raises:
            StoreError: nothing is lost; call `flush` later.
            CommandFailedError: the modem refuses part after part.
            ModemSilentError, PortLostError: from looking after the service centre.
        """
        if self._claimed is None and self._clock.monotonic() >= self._hold_until:
            self._claimed = self._gateway.claim(self._name)
        part = self._claimed
        if part is None:
            return False
        # From here on it may have been submitted: whatever happens, it is never given back.
        self._claimed = None
        result = self._drive.submit(part)
        settled = result.outcome in (Outcome.TAKEN, Outcome.REFUSED)
        held = self._note(result)
        self._settle(result, claim_next=claim_next and settled and not held)
        if self._drive.lost is not None:
            raise self._drive.lost
        if result.code == _NO_SERVICE_CENTRE and result.family is ErrorFamily.CMS:
            self._drive.check_service_centre()
        if self._holds >= _HOLDS_BEFORE_ANEW:
            self._holds = 0
            raise CommandFailedError("AT+CMGS", result.family or "ERROR", result.code)
        return True

    def _note(self, result: SubmitResult) -> bool:
        """Keep account of one result; return whether the modem is to be held back."""
        _log.debug(
            "part.submitted",
            modem=self._name,
            part=result.part_id,
            outcome=result.outcome,
            mr=result.mr,
            code=result.code,
        )
        if result.outcome is Outcome.TAKEN:
            self.taken_at = self._clock.monotonic()
        if result.outcome is Outcome.UNCERTAIN:
            self._doubtful = result.part_id
        if not self._talk.in_step or not _is_modems_own(result):
            # Out of step it is silent or lost, which is no refusal and ends otherwise.
            self._holds = 0
            return False
        self._holds += 1
        pause_s = min(_HOLD_FIRST_S * 2 ** (self._holds - 1), _HOLD_LONGEST_S)
        self._hold_until = self._clock.monotonic() + pause_s
        _log.warning(
            "modem.refuses",
            modem=self._name,
            code=result.code,
            why=logs.masked(result.detail),
            pause_s=pause_s,
        )
        return True

    def _settle(self, result: SubmitResult, *, claim_next: bool) -> None:
        try:
            self._claimed = self._gateway.settle(self._name, result, claim_next=claim_next)
        except gateway_port.STORE_PASSING:
            self._owed.append(result)
            raise

    def give_back(self, why: str) -> None:
        """Return a claimed part that was not submitted; never raises for a passing store error."""
        part, self._claimed = self._claimed, None
        if part is None:
            return
        try:
            self._settle(
                SubmitResult(part.part_id, Outcome.UNTOUCHED, detail=why), claim_next=False
            )
        except gateway_port.STORE_PASSING as error:
            _log.debug("store.waiting", modem=self._name, error=logs.masked(error))

    def settle_in_flight(self, part: PartToSend, late: exchange.Answer | None, why: str) -> None:
        """Settle a part that was submitted before this worker's life or the port was lost.

        Raises:
            StoreError: kept; call `flush` later.
        """
        if late is not None:
            result = driver.result_of(part.part_id, late, proof="late-answer")
        else:
            result = SubmitResult(part.part_id, Outcome.UNCERTAIN, detail=why)
            self._doubtful = part.part_id
        self._settle(result, claim_next=False)

    def take_late(self) -> None:
        """Hand on answers that came after their part was settled as uncertain.

        Raises:
            StoreError: kept; call `flush` later.
        """
        while self._talk.late:
            answer = self._talk.late.popleft()
            if self._doubtful is None:
                _log.info("answer.unknown", modem=self._name, mr=answer.reference)
                continue
            result = driver.result_of(self._doubtful, answer, proof="late-answer")
            self._owed_late.append(result)
            self._doubtful = None
        self.flush()


def _is_modems_own(result: SubmitResult) -> bool:
    """Return whether the modem itself would not take the part."""
    if result.outcome is Outcome.UNTOUCHED:
        return True
    if result.outcome is not Outcome.REFUSED or result.family is not ErrorFamily.CMS:
        return False
    return codes.cms(result.code).whose is Whose.MODEM
