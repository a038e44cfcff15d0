# SPDX-License-Identifier: Apache-2.0
"""What becomes of a part after a try: taken, refused, uncertain or never sent.

Theory of operation: `record` is called by a modem's thread with the outcome of a try, inside the
transaction that also claims the next part. It writes the part, closes the attempt, keeps the books
of the SIM (is it tired? do its references count?) and lets every conclusion follow in the same
transaction, so that a crash never leaves half a conclusion.

A refusal that may lie with the number or with the SIM is not held against the message until it is
clear whose it is: see `retry` for the rules and DESIGN for their reasons.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gsmgw import logs
from gsmgw.at import codes
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.gateway.outcomes import counting, endings, receipts, retry
from gsmgw.gateway.outcomes.references import Verdict
from gsmgw.model import (
    Category,
    ErrorFamily,
    Outcome,
    PartState,
    SimState,
    SubmitResult,
    Whose,
)
from gsmgw.store import events, modems, outbox, tries
from gsmgw.store.database import Row, Transaction
from gsmgw.store.outbox import PartChange

log = logs.get("gateway")


@dataclass(frozen=True, slots=True)
class Try:
    """A try that has ended: where it was made and what came of it."""

    modem: str
    sim_id: int | None
    part: Row
    message: Row
    result: SubmitResult

    @property
    def recipient(self) -> str:
        """The number it went to, masked."""
        return logs.number(self.message["recipient"])


class Settling:
    """Writes outcomes. No state but the configuration; callable from any thread."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def record(self, tx: Transaction, modem: str, sim_id: int | None, result: SubmitResult) -> None:
        """Write the outcome of a try and all that follows from it."""
        if result.before is not None:
            self._put_in_order(tx, modem, sim_id, result, result.before)
            return
        part = _meant(tx, sim_id, result)
        if part is not None:
            self._record(tx, modem, part, result)

    def _put_in_order(
        self,
        tx: Transaction,
        modem: str,
        sim_id: int | None,
        own: SubmitResult,
        before: SubmitResult,
    ) -> None:
        """Write two results of which the first was taken for the second part's own."""
        part = outbox.get_part(tx, own.part_id)
        if part is None or not endings.take_back(tx, part):
            return
        self.record(tx, modem, sim_id, before)
        part = outbox.get_part(tx, own.part_id)
        if part is not None:
            self._record(tx, modem, part, own)

    def _record(self, tx: Transaction, modem: str, part: Row, result: SubmitResult) -> None:
        message = outbox.get(tx, part["message_id"])
        if message is None or not _may_change(part, result):
            return  # settled meanwhile by a report or by a person
        tried = Try(modem, part["sim_id"], part, message, result)
        {
            Outcome.TAKEN: self._taken,
            Outcome.REFUSED: self._refused,
            Outcome.UNCERTAIN: self._uncertain,
            Outcome.UNTOUCHED: self._untouched,
        }[result.outcome](tx, tried)

    # -- taken -----------------------------------------------------------------------------------

    def _taken(self, tx: Transaction, tried: Try) -> None:
        result = tried.result
        if result.shared and counting.is_answer_before(tx, tried.sim_id or 0, result.mr):
            unanswered = SubmitResult(
                result.part_id, Outcome.UNCERTAIN, detail="only the part before was answered"
            )
            self._uncertain(tx, dataclasses.replace(tried, result=unanswered))
            return
        change = PartChange(PartState.SENT, mr=result.mr, proof=result.proof)
        outbox.change_part(tx, tried.part["id"], change)
        outbox.end_attempt(tx, tried.part["id"], outcome=result.outcome, change=change)
        if tried.sim_id is not None:
            self._sim_works(tx, tried)
            told = counting.taken(tx, tried.sim_id, tried.part, result.mr, shared=result.shared)
            endings.conclude(tx, self._config, *told)
            self._fail_refused_numbers(tx, tried)
        state = outbox.mirror(tx, tried.message["id"])
        receipts.match_again(tx, self._config, tried.sim_id, tried.message["recipient"])
        tx.after_commit(
            lambda: log.info(
                "part.sent",
                routine="parts sent",
                id=tried.message["id"],
                part=f"{tried.part['number']}/{tried.message['parts']}",
                modem=tried.modem,
                recipient=tried.recipient,
                mr=result.mr,
                proof=None if result.proof == "answer" else result.proof,
                message=state.value,
            ),
        )

    def _sim_works(self, tx: Transaction, tried: Try) -> None:
        sim = modems.get_sim(tx, tried.sim_id or 0)
        if sim is not None and sim["state"] == SimState.RESTING:
            modems.set_sim_state(tx, sim["id"], SimState.WORKING, None)
            events.add(tx, "sim.working", modem=tried.modem, sim_id=sim["id"])
            tx.after_commit(lambda: log.info("sim.working", modem=tried.modem, sim=sim["id"]))

    def read_counter(self, tx: Transaction, sim_id: int, last_mr: int) -> None:
        """Conclude from the last reference that a SIM itself has stored (EF_SMSS)."""
        doubts, verdict = counting.read_by_sim(tx, sim_id, last_mr)
        if verdict is not Verdict.NOTHING:
            endings.conclude(tx, self._config, doubts, verdict)

    def _fail_refused_numbers(self, tx: Transaction, tried: Try) -> None:
        """Fail what this SIM was refused before: it works, so it is those numbers."""
        for row in tries.refused_by(tx, tried.sim_id or 0, tried.message["recipient"]):
            change = PartChange(
                PartState.FAILED,
                family=ErrorFamily(row["error_family"]),
                code=row["error_code"],
                error=row["error"],
            )
            endings.fail_part(tx, row, change)

    # -- refused ---------------------------------------------------------------------------------

    def _refused(self, tx: Transaction, tried: Try) -> None:
        code = _code(tried.result)
        change = PartChange(
            PartState.FAILED if code.whose is Whose.MESSAGE else PartState.WAITING,
            family=tried.result.family,
            code=None if code.number is None else str(code.number),
            error=_words(tried.result, code),
        )
        if tried.part["state"] == PartState.SENT:
            events.add(
                tx, "part.corrected", message_id=tried.message["id"], why="a refusal came late"
            )
        if tried.sim_id is not None:
            counting.refused(tx, tried.sim_id)
        outbox.end_attempt(
            tx,
            tried.part["id"],
            outcome=tried.result.outcome,
            change=change,
            whose=code.whose,
            counted=code.whose in (Whose.MESSAGE, Whose.UNCLEAR),
        )
        given_up = tried.part["state"] == PartState.UNCERTAIN and tried.message["settled_at"]
        hopeless = given_up or self._is_hopeless(tx, tried, code.whose)
        if change.state is PartState.FAILED or hopeless:
            endings.fail_part(tx, tried.part, _as_failed(change))
            return
        outbox.change_part(tx, tried.part["id"], change)
        endings.release(tx, self._config, tried.message["id"])
        self._again(tx, tried, code)
        if code.whose in (Whose.SIM, Whose.UNCLEAR):
            self._rest_if_tired(tx, tried, change)

    def _is_hopeless(self, tx: Transaction, tried: Try, whose: Whose) -> bool:
        if whose is not Whose.UNCLEAR:
            return False
        refusals = tries.refusals(tx, tried.part["id"])
        # Those given back lay with a SIM that was refused everything: they say nothing.
        counted = [row for row in refusals if row["whose"] == Whose.UNCLEAR and row["counted"]]
        if not counted:
            return False
        if len({row["sim_id"] for row in counted}) > 1:
            return True  # a second SIM was refused it too
        first = dt.datetime.fromisoformat(counted[0]["claimed_at"])
        allowed = self._config.sending.retry.attempts or retry.UNCLEAR_TRIES
        now = dt.datetime.fromisoformat(tx.now)
        return retry.is_exhausted(len(counted), first, now, allowed=allowed)

    def _again(self, tx: Transaction, tried: Try, code: codes.Code) -> None:
        """Say when the part is tried again, or that it would be too late then."""
        refusals = len(tries.refusals(tx, tried.part["id"]))
        at = dt.datetime.fromisoformat(tx.now) + self._plan().pause(refusals)
        due = format_utc(self._allowed(at, Category(tried.message["category"])))
        expires = tried.message["expires_at"]
        if expires is not None and due >= expires:
            words = f"{code.text}; the next try at {due} would come after {expires}"
            if outbox.mirror(tx, tried.message["id"]) not in outbox.ENDED_BY_US:
                endings.expire(tx, tried.message, words)
            return
        outbox.mirror(tx, tried.message["id"], due_at=due)
        tx.after_commit(
            lambda: log.warning(
                "part.refused",
                key=("modem", "code", "whose"),
                first=5,
                id=tried.message["id"],
                part=f"{tried.part['number']}/{tried.message['parts']}",
                modem=tried.modem,
                recipient=tried.recipient,
                code=_code_name(tried.result),
                why=code.text,
                whose=code.whose.value,
                again_at=due,
            ),
        )

    def _plan(self) -> retry.RetryPlan:
        plan = self._config.sending.retry
        return retry.RetryPlan(plan.first, plan.factor, plan.longest)

    def _allowed(self, at: dt.datetime, category: Category) -> dt.datetime:
        hours = self._config.sending.hours
        if hours is None or category not in (Category.SURVEY, Category.MARKETING):
            return at
        zone = ZoneInfo(self._config.timezone)
        return hours.next_allowed(at.astimezone(zone)).astimezone(dt.UTC)

    def _rest_if_tired(self, tx: Transaction, tried: Try, change: PartChange) -> None:
        sim = modems.get_sim(tx, tried.sim_id or 0)
        if sim is None:
            return
        refused = []
        for attempt in modems.recent_attempts(tx, sim["id"], 50):
            if attempt["outcome"] == Outcome.TAKEN:
                break
            if attempt["whose"] in (Whose.SIM, Whose.UNCLEAR):
                refused.append(attempt)
        numbers = {attempt["recipient"] for attempt in refused}
        resting = sim["state"] == SimState.RESTING
        if len(numbers) < retry.NUMBERS_REFUSED and not resting:
            return
        tries.give_back(tx, [attempt["id"] for attempt in refused])
        rests = sim["rests"] if resting else 0
        until = format_utc(dt.datetime.fromisoformat(tx.now) + retry.rest(rests))
        why = f"refused {len(numbers)} different numbers in a row, last: {change.error}"
        modems.set_sim_state(
            tx, sim["id"], SimState.RESTING, why, resting_until=until, rests=rests + 1
        )
        events.add(tx, "sim.resting", modem=tried.modem, sim_id=sim["id"], until=until)
        tx.after_commit(
            lambda: log.warning(
                "sim.resting",
                modem=tried.modem,
                sim=sim["id"],
                iccid=sim["iccid"],
                code=_code_name(tried.result),
                why=why,
                until=until,
            ),
        )

    # -- uncertain and never sent ----------------------------------------------------------------

    def _uncertain(self, tx: Transaction, tried: Try) -> None:
        if tried.part["state"] == PartState.UNCERTAIN:
            return
        expected = None if tried.sim_id is None else counting.doubt(tx, tried.sim_id)
        number = tried.result.code
        change = PartChange(
            PartState.UNCERTAIN,
            family=tried.result.family or ErrorFamily.GSMGW,
            code="uncertain" if number is None else str(number),
            error=tried.result.detail or "submitted, but no answer came",
        )
        outbox.change_part(tx, tried.part["id"], change)
        tries.expect_mr(tx, tried.part["id"], expected)
        outbox.end_attempt(tx, tried.part["id"], outcome=Outcome.UNCERTAIN, change=change)
        outbox.mirror(tx, tried.message["id"])
        events.add(tx, "part.uncertain", message_id=tried.message["id"], modem=tried.modem)
        receipts.match_again(tx, self._config, tried.sim_id, tried.message["recipient"])
        tx.after_commit(
            lambda: log.warning(
                "part.uncertain",
                id=tried.message["id"],
                part=f"{tried.part['number']}/{tried.message['parts']}",
                modem=tried.modem,
                recipient=tried.recipient,
                why=logs.masked(change.error),
            ),
        )

    def doubt(self, tx: Transaction, part: Row, why: str) -> None:
        """Make a part uncertain that nobody holds any longer."""
        result = SubmitResult(part["id"], Outcome.UNCERTAIN, detail=why)
        self.record(tx, part["modem"] or "", part["sim_id"], result)

    def _untouched(self, tx: Transaction, tried: Try) -> None:
        counting.settled_otherwise(tx, tried.part)
        change = PartChange(PartState.WAITING, proof=tried.result.proof)
        outbox.change_part(tx, tried.part["id"], change)
        # The part is as good as new; the attempt tells whoever asks why it took a second one.
        told = dataclasses.replace(change, error=tried.result.detail or None)
        outbox.end_attempt(tx, tried.part["id"], outcome=Outcome.UNTOUCHED, change=told)
        endings.release(tx, self._config, tried.message["id"])
        due_at = None
        if tries.count_untouched(tx, tried.part["id"]) >= retry.UNTOUCHED_TRIES:
            due_at = format_utc(dt.datetime.fromisoformat(tx.now) + retry.UNTOUCHED_PAUSE)
        outbox.mirror(tx, tried.message["id"], due_at=due_at)


def _may_change(part: Row, result: SubmitResult) -> bool:
    """Tell whether a result can still settle a part.

    The counter tells that a part was submitted, not that it was accepted: a refusal that comes late
    is the better evidence.
    """
    if part["state"] in (PartState.SENDING, PartState.UNCERTAIN):
        return True
    by_counter = part["state"] == PartState.SENT and part["proof"] == "counter"
    is_late = result.proof == "late-answer" and result.alone
    return by_counter and is_late and result.outcome is Outcome.REFUSED


def _meant(tx: Transaction, sim_id: int | None, result: SubmitResult) -> Row | None:
    """Return the part that a result is of; for a late one a reference that counts must fit."""
    part = outbox.get_part(tx, result.part_id)
    if result.proof != "late-answer":
        return part
    if not result.alone:
        doubts = [] if sim_id is None else tries.doubts(tx, sim_id)
        return next((row for row in doubts if row["expected_mr"] == result.mr), None)
    expected = None if part is None else part["expected_mr"]
    return part if result.mr is None or expected in (None, result.mr) else None


def _as_failed(change: PartChange) -> PartChange:
    return PartChange(PartState.FAILED, family=change.family, code=change.code, error=change.error)


def _code(result: SubmitResult) -> codes.Code:
    if result.family is ErrorFamily.CME:
        return codes.cme(result.code)
    return codes.cms(result.code)


def _code_name(result: SubmitResult) -> str:
    family = (result.family or ErrorFamily.CMS).value
    return f"{family}:{'?' if result.code is None else result.code}"


def _words(result: SubmitResult, code: codes.Code) -> str:
    name = "+CME ERROR" if result.family is ErrorFamily.CME else "+CMS ERROR"
    number = "" if code.number is None else f": {code.number}"
    return f"{name}{number} ({code.text})"
