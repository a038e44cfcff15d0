# SPDX-License-Identifier: Apache-2.0
"""Sends the parts that the gateway gives, one after the other.

Theory of operation. The gateway commits a claim before it hands over a part; the result of one part
and the claim of the next are one call. The gateway keeps a result that the store cannot take now. A
part that was claimed and cannot be submitted is given back untouched.

A modem at which parts fail for its own reasons (no prompt, an error in place of it, codes that are
the modem's fault, no answer more than once in a row) is held back for a growing pause: parts wait
in the store meanwhile, or go out over other modems. After every third such part in a row it is to
be brought up anew. Refusals of the network are the gateway's to judge and hold nothing back here.

Threads and locks. None; belongs to the modem's thread.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from gsmgw import logs
from gsmgw.at import codes
from gsmgw.errors import ModemError
from gsmgw.model import ErrorFamily, Outcome, PartToSend, SubmitResult, Whose
from gsmgw.modem import driver, exchange
from gsmgw.modem.duties import station

_log = logs.get("modem")

#: Pause after the modem would not take a part; doubles up to the longest, ends with a success.
_HOLD_FIRST_S = 1.0
_HOLD_LONGEST_S = 60.0
#: After every so many in a row the modem must be brought up anew.
_FAILURES_BEFORE_ANEW = 3
#: SMSC address unknown (27.005 3.2.5): the number has vanished from the SIM.
_NO_SERVICE_CENTRE = 330


class Sender:
    """The sending side of one modem."""

    def __init__(self, at: station.Station) -> None:
        self._name = at.name
        self._drive = at.drive
        self._talk = at.talk
        self._gateway = at.gateway
        self._clock = at.clock
        self._claimed: PartToSend | None = None
        self._doubtful: list[int] = []  #: parts whose answers may still come, the oldest first
        self._answered = False  #: a part has been answered since the last of them
        self._shared: SubmitResult | None = None  #: it may be the answer of the last of them
        self._failures = 0  #: parts in a row that failed at the modem itself
        self._hold_until = float("-inf")

    @property
    def is_failing(self) -> bool:
        """Return whether the last part failed at the modem itself."""
        return self._failures > 0

    def send_one(self, *, claim_next: bool) -> bool:
        """Send the next part if there is one; return whether there was.

        Blocks until the modem answers or the time for the result is over.

        Args:
            claim_next: the modem may go on with another part after this one.

        Raises:
            StoreError: one that does not pass by itself.
            ModemError: the modem takes no part after part; it is to be brought up anew.
            ModemSilentError, PortLostError: from the submit, or the look after the service centre.
        """
        if self._claimed is None and self._clock.monotonic() >= self._hold_until:
            self._claimed = self._gateway.claim(self._name)
        part = self._claimed
        if part is None:
            return False
        # From here on it may have been submitted: whatever happens, it is never given back.
        self._claimed = None
        result = self._drive.submit(part)
        self.take_late()  # first: it was said before, and decides about an earlier part
        settled = result.outcome in (Outcome.TAKEN, Outcome.REFUSED)
        held = self._note(result)
        self._settle(result, claim_next=claim_next and settled and not held)
        if self._drive.lost is not None:
            raise self._drive.lost
        if result.code == _NO_SERVICE_CENTRE and result.family is ErrorFamily.CMS:
            self._drive.check_service_centre()
        if held and self._failures % _FAILURES_BEFORE_ANEW == 0:
            raise ModemError(f"{self._failures} parts in a row failed at the modem itself")
        return True

    def wait(self, pause: Callable[[], None], *, is_open: bool) -> None:
        """Pause; a modem that is open may be given a part meanwhile, which `send_one` sends then.

        Raises:
            PortLostError: from the pause; what was claimed is to be given back.
        """
        is_held = self._clock.monotonic() < self._hold_until
        if not is_open or is_held or self._claimed is not None:
            pause()
            return
        self._gateway.wait_begins(self._name)
        try:
            pause()
        finally:
            self._claimed = self._gateway.wait_ends(self._name)

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
        if result.outcome is Outcome.UNCERTAIN:
            self._await_late(result.part_id)
        elif result.outcome is not Outcome.UNTOUCHED:
            self._answered = True
            self._shared = result if result.shared else self._shared
        if self._drive.lost is not None:
            return False  # it ends otherwise
        if not _is_modems_own(result):
            self._failures = 0
            return False
        self._failures += 1
        if result.outcome is Outcome.UNCERTAIN and self._failures == 1:
            return False  # an answer can get lost once; others go on at once
        pause_s = min(_HOLD_FIRST_S * 2.0 ** min(self._failures - 1, 10), _HOLD_LONGEST_S)
        self._hold_until = self._clock.monotonic() + pause_s
        _log.warning(
            "modem.refuses",
            key=("modem", "code"),
            first=3,
            modem=self._name,
            code=result.code,
            why=logs.masked(result.detail),
            pause_s=pause_s,
        )
        return True

    def _settle(self, result: SubmitResult, *, claim_next: bool) -> None:
        self._claimed = self._gateway.settle(self._name, result, claim_next=claim_next)

    def give_back(self, why: str) -> None:
        """Return a claimed part that was not submitted.

        Raises:
            StoreError: one that does not pass by itself.
        """
        part, self._claimed = self._claimed, None
        if part is not None:
            untouched = SubmitResult(part.part_id, Outcome.UNTOUCHED, detail=why)
            self._settle(untouched, claim_next=False)

    def settle_in_flight(self, part: PartToSend, late: exchange.Answer | None, why: str) -> None:
        """Settle a part that was submitted before this worker's life or the port was lost.

        Raises:
            StoreError: one that does not pass by itself.
        """
        if late is not None:
            result = driver.result_of(part.part_id, late, proof="late-answer")
        else:
            result = SubmitResult(part.part_id, Outcome.UNCERTAIN, detail=why)
            self._await_late(part.part_id)
        self._settle(result, claim_next=False)

    def _await_late(self, part_id: int) -> None:
        if self._answered:
            self._doubtful.clear()  # modems answer in order: those answers will not come now
        self._answered = False
        self._shared = None
        self._doubtful.append(part_id)

    def take_late(self) -> None:
        """Hand on answers that came after their part was settled as uncertain.

        Raises:
            StoreError: one that does not pass by itself.
        """
        while self._talk.late:
            answer = self._talk.late.popleft()
            if self._shared is not None and self._doubtful and answer.is_networks:
                self._put_in_order(self._shared, answer)
                continue
            if not self._doubtful or (len(self._doubtful) > 1 and answer.reference is None):
                # Of several nobody knows whose it is, unless a reference tells.
                _log.info("answer.unknown", modem=self._name, mr=answer.reference)
                continue
            result = driver.result_of(self._doubtful[-1], answer, proof="late-answer")
            if len(self._doubtful) == 1:
                self._doubtful.clear()
            else:
                result = dataclasses.replace(result, alone=False)
            self._gateway.late_answer(self._name, result)

    def _put_in_order(self, first: SubmitResult, answer: exchange.Answer) -> None:
        """Hand on the second answer of two that were owed: the first was of the part before."""
        before = dataclasses.replace(
            first,
            part_id=self._doubtful[-1],
            proof="late-answer",
            alone=len(self._doubtful) == 1,
            shared=False,
        )
        own = driver.result_of(first.part_id, answer, proof="late-answer")
        self.forget_doubts()
        self._gateway.late_answer(self._name, dataclasses.replace(own, before=before))

    def forget_doubts(self) -> None:
        """Await no late answers any more: the device was away, or has begun anew."""
        self._doubtful.clear()
        self._shared = None


def _is_modems_own(result: SubmitResult) -> bool:
    """Return whether the part never came as far as the network, or nobody knows."""
    if result.outcome in (Outcome.UNTOUCHED, Outcome.UNCERTAIN):
        return True
    if result.outcome is not Outcome.REFUSED or result.family is not ErrorFamily.CMS:
        return False
    return codes.cms(result.code).whose is Whose.MODEM
