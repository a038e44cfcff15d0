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

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gsmgw import logs
from gsmgw.at import codes
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.gateway import receipts, retry, routing
from gsmgw.gateway.references import Counter, Verdict
from gsmgw.model import (
    Category,
    ErrorFamily,
    MessageState,
    Outcome,
    PartState,
    SimState,
    SubmitResult,
    Whose,
)
from gsmgw.store import events, modems, outbox
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
        part = outbox.get_part(tx, result.part_id)
        if part is None or part["state"] not in (PartState.SENDING, PartState.UNCERTAIN):
            return  # settled meanwhile by a report or by a person
        message = outbox.get(tx, part["message_id"])
        if message is None:
            return
        tried = Try(modem, part["sim_id"] or sim_id, part, message, result)
        {
            Outcome.TAKEN: self._taken,
            Outcome.REFUSED: self._refused,
            Outcome.UNCERTAIN: self._uncertain,
            Outcome.UNTOUCHED: self._untouched,
        }[result.outcome](tx, tried)

    # -- taken -----------------------------------------------------------------------------------

    def _taken(self, tx: Transaction, tried: Try) -> None:
        result = tried.result
        change = PartChange(PartState.SENT, mr=result.mr, proof=result.proof)
        outbox.change_part(tx, tried.part["id"], change)
        outbox.end_attempt(tx, tried.part["id"], outcome=result.outcome, change=change)
        if tried.sim_id is not None:
            self._sim_works(tx, tried)
            self._count_reference(tx, tried.sim_id, result)
            self._fail_refused_numbers(tx, tried)
        state = outbox.mirror(tx, tried.message["id"])
        receipts.match_again(tx, tried.sim_id)
        _after(
            tx,
            lambda: log.info(
                "part.sent",
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
            _after(tx, lambda: log.info("sim.working", modem=tried.modem, sim=sim["id"]))

    def _count_reference(self, tx: Transaction, sim_id: int, result: SubmitResult) -> None:
        doubts = [row for row in outbox.doubts(tx, sim_id) if row["id"] != result.part_id]
        counter, verdict = _counter(tx, sim_id).after_taken(result.mr, len(doubts))
        _write_counter(tx, sim_id, counter)
        self._conclude(tx, doubts, verdict)

    def read_counter(self, tx: Transaction, sim_id: int, last_mr: int) -> None:
        """Conclude from the last reference that a SIM itself has stored (EF_SMSS)."""
        doubts = outbox.doubts(tx, sim_id)
        counter, verdict = _counter(tx, sim_id).after_reading(last_mr, len(doubts))
        if verdict is not Verdict.NOTHING:
            _write_counter(tx, sim_id, counter)
            self._conclude(tx, doubts, verdict)

    def _conclude(self, tx: Transaction, doubts: list[Row], verdict: Verdict) -> None:
        for row in doubts:
            if verdict is Verdict.SUBMITTED:
                change = PartChange(PartState.SENT, mr=row["expected_mr"], proof="counter")
                outbox.end_attempt(tx, row["id"], outcome=Outcome.TAKEN, change=change)
            elif verdict is Verdict.NEVER_SUBMITTED:
                change = PartChange(PartState.WAITING, proof="counter")
                outbox.end_attempt(tx, row["id"], outcome=Outcome.UNTOUCHED, change=change)
            else:
                outbox.expect_mr(tx, row["id"], None)  # the counter will never tell now
                continue
            outbox.expect_mr(tx, row["id"], None)
            outbox.change_part(tx, row["id"], change)
            settle_doubt(tx, self._config, row, change)

    def _fail_refused_numbers(self, tx: Transaction, tried: Try) -> None:
        """Fail what this SIM was refused before: it works, so it is those numbers."""
        for row in outbox.refused_by(tx, tried.sim_id or 0, tried.message["recipient"]):
            change = PartChange(
                PartState.FAILED,
                family=ErrorFamily(row["error_family"]),
                code=row["error_code"],
                error=row["error"],
            )
            fail_part(tx, row, change)

    # -- refused ---------------------------------------------------------------------------------

    def _refused(self, tx: Transaction, tried: Try) -> None:
        code = _code(tried.result)
        change = PartChange(
            PartState.FAILED if code.whose is Whose.MESSAGE else PartState.WAITING,
            family=tried.result.family,
            code=None if code.number is None else str(code.number),
            error=_words(tried.result, code),
        )
        if tried.sim_id is not None:
            _write_counter(tx, tried.sim_id, _counter(tx, tried.sim_id).after_refusal())
        outbox.end_attempt(
            tx,
            tried.part["id"],
            outcome=tried.result.outcome,
            change=change,
            whose=code.whose,
            counted=code.whose in (Whose.MESSAGE, Whose.UNCLEAR),
        )
        if change.state is PartState.FAILED or self._is_hopeless(tx, tried, code.whose):
            fail_part(tx, tried.part, _as_failed(change))
            return
        outbox.change_part(tx, tried.part["id"], change)
        release(tx, self._config, tried.message["id"])
        self._again(tx, tried, code)
        if code.whose in (Whose.SIM, Whose.UNCLEAR):
            self._rest_if_tired(tx, tried, change)

    def _is_hopeless(self, tx: Transaction, tried: Try, whose: Whose) -> bool:
        if whose is not Whose.UNCLEAR:
            return False
        refusals = outbox.refusals(tx, tried.part["id"])
        unclear = [row for row in refusals if row["whose"] == Whose.UNCLEAR]
        if len({row["sim_id"] for row in unclear}) > 1:
            return True  # a second SIM was refused it too
        counted = [row for row in unclear if row["counted"]]
        if not counted:
            return False
        first = dt.datetime.fromisoformat(counted[0]["claimed_at"])
        allowed = self._config.sending.retry.attempts or retry.UNCLEAR_TRIES
        now = dt.datetime.fromisoformat(tx.now)
        return retry.is_exhausted(len(counted), first, now, allowed=allowed)

    def _again(self, tx: Transaction, tried: Try, code: codes.Code) -> None:
        """Say when the part is tried again, or that it would be too late then."""
        refusals = len(outbox.refusals(tx, tried.part["id"]))
        at = dt.datetime.fromisoformat(tx.now) + self._plan().pause(refusals)
        due = format_utc(self._allowed(at, Category(tried.message["category"])))
        expires = tried.message["expires_at"]
        if expires is not None and due >= expires:
            words = f"{code.text}; the next try at {due} would come after {expires}"
            outbox.mirror(tx, tried.message["id"])
            expire(tx, tried.message, words)
            return
        outbox.mirror(tx, tried.message["id"], due_at=due)
        _after(
            tx,
            lambda: log.warning(
                "part.refused",
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
        outbox.give_back(tx, [attempt["id"] for attempt in refused])
        rests = sim["rests"] if resting else 0
        until = format_utc(dt.datetime.fromisoformat(tx.now) + retry.rest(rests))
        why = f"refused {len(numbers)} different numbers in a row, last: {change.error}"
        modems.set_sim_state(
            tx, sim["id"], SimState.RESTING, why, resting_until=until, rests=rests + 1
        )
        events.add(tx, "sim.resting", modem=tried.modem, sim_id=sim["id"], until=until)
        _after(
            tx,
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
        expected = None
        if tried.sim_id is not None:
            open_doubts = len(outbox.doubts(tx, tried.sim_id))
            counter = _counter(tx, tried.sim_id).after_doubt()
            _write_counter(tx, tried.sim_id, counter)
            expected = counter.expected_mr(open_doubts)
        number = tried.result.code
        change = PartChange(
            PartState.UNCERTAIN,
            family=tried.result.family or ErrorFamily.GSMGW,
            code="uncertain" if number is None else str(number),
            error=tried.result.detail or "submitted, but no answer came",
        )
        outbox.change_part(tx, tried.part["id"], change)
        outbox.expect_mr(tx, tried.part["id"], expected)
        outbox.end_attempt(tx, tried.part["id"], outcome=Outcome.UNCERTAIN, change=change)
        outbox.mirror(tx, tried.message["id"])
        events.add(tx, "part.uncertain", message_id=tried.message["id"], modem=tried.modem)
        receipts.match_again(tx, tried.sim_id)
        _after(
            tx,
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
        change = PartChange(PartState.WAITING, proof=tried.result.proof)
        outbox.change_part(tx, tried.part["id"], change)
        outbox.end_attempt(tx, tried.part["id"], outcome=Outcome.UNTOUCHED, change=change)
        release(tx, self._config, tried.message["id"])
        outbox.mirror(tx, tried.message["id"])


def release(tx: Transaction, config: Config, message_id: int) -> None:
    """Let any modem send a message of which nothing has gone out yet."""
    message = outbox.get(tx, message_id)
    if message is None or message["sim_id"] is None:
        return
    if all(part["state"] == PartState.WAITING for part in outbox.parts(tx, message_id)):
        route = routing.route_of(message["recipient"], message["modem"], config.modems)
        outbox.bind(tx, message_id, route=route, sim_id=None, concat_ref=None)


def settle_doubt(tx: Transaction, config: Config, part: Row, change: PartChange) -> None:
    """Let a message follow a part whose fate has become known; tell it."""
    due = tx.now if change.state is PartState.WAITING else None
    if change.state is PartState.WAITING:
        release(tx, config, part["message_id"])
    state = outbox.mirror(tx, part["message_id"], due_at=due)
    events.add(
        tx, "part.settled", message_id=part["message_id"], proof=change.proof, state=change.state
    )
    _after(
        tx,
        lambda: log.info(
            "part.settled",
            id=part["message_id"],
            part=part["number"],
            state=change.state.value,
            proof=change.proof,
            message=state.value,
        ),
    )


def fail_part(tx: Transaction, part: Row, change: PartChange) -> None:
    """Fail a part for good, and its message with it; tell it."""
    outbox.change_part(tx, part["id"], change)
    outbox.mirror(tx, part["message_id"])
    message = outbox.get(tx, part["message_id"])
    recipient = "" if message is None else logs.number(message["recipient"])
    events.add(tx, "message.failed", message_id=part["message_id"], code=change.code)
    _after(
        tx,
        lambda: log.warning(
            "message.failed",
            id=part["message_id"],
            part=part["number"],
            recipient=recipient,
            code=f"{change.family}:{change.code}",
            why=logs.masked(change.error),
        ),
    )


def expire(tx: Transaction, message: Row, words: str) -> None:
    """End a message whose time has run out; tell it."""
    outbox.settle(tx, message["id"], MessageState.EXPIRED, ErrorFamily.GSMGW, "expired", words)
    events.add(tx, "message.expired", message_id=message["id"])
    _after(
        tx,
        lambda: log.warning(
            "message.expired",
            id=message["id"],
            recipient=logs.number(message["recipient"]),
            why=logs.masked(words),
        ),
    )


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


def _counter(tx: Transaction, sim_id: int) -> Counter:
    sim = modems.get_sim(tx, sim_id)
    if sim is None:
        return Counter(None, 0, None)
    return Counter(sim["last_mr"], sim["mr_steps"], sim["doubt_mr"])


def _write_counter(tx: Transaction, sim_id: int, counter: Counter) -> None:
    modems.set_counter(
        tx,
        sim_id,
        last_mr=counter.last_mr,
        mr_steps=counter.steps,
        doubt_mr=counter.doubt_mr,
    )


def power_cycled(tx: Transaction, sim_id: int) -> None:
    """Forget what a SIM's references were: its modem was away, they may begin anew."""
    _write_counter(tx, sim_id, _counter(tx, sim_id).after_power_cycle())
    for row in outbox.doubts(tx, sim_id):
        outbox.expect_mr(tx, row["id"], None)


def _after(tx: Transaction, action: Callable[[], None]) -> None:
    tx.after_commit(action)
