# SPDX-License-Identifier: Apache-2.0
"""A certain yes or no to visits: what it changes, and what it cannot change any more.

Every visit of an answer is judged by itself: of a family's two visits one may be confirmed and the
other be too near to be cancelled.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from gsmgw.clinic.answering import binding, wishes
from gsmgw.clinic.answering.case import Case
from gsmgw.clinic.answering.guard import COUNTED
from gsmgw.clinic.model import Kind, Participation, RequestStatus, TaskCode, VisitStatus
from gsmgw.clinic.reading import Meaning, Question
from gsmgw.clinic.reading.meaning import Part
from gsmgw.clock import format_utc
from gsmgw.store import events
from gsmgw.store.clinic import requests, said, tasks, visits
from gsmgw.store.database import Row

#: Answers that a newer answer makes wrong before they are sent.
_OUTDATED = frozenset({Kind.ACK_ACCEPT, Kind.ACK_DECLINE, Kind.UNCLEAR, Kind.TOO_LATE, Kind.MOVED})
_STATUS = {
    Meaning.ACCEPT: Participation.ACCEPTED,
    Meaning.DECLINE: Participation.DECLINED,
}


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What an answer says of one visit."""

    row: Row  #: the question
    part: Part

    @property
    def visit(self) -> str:
        """The visit."""
        return str(self.row["about"])

    @property
    def status(self) -> Participation:
        """What the visit's response is to be."""
        return _STATUS[self.part.meaning]


@dataclass(slots=True)
class _Outcome:
    """What became of the verdicts of one answer."""

    applied: list[_Verdict] = field(default_factory=list)
    too_late: list[_Verdict] = field(default_factory=list)
    moved: list[_Verdict] = field(default_factory=list)


def apply(case: Case) -> None:
    """Apply a certain answer to the visits asked about, as far as it still can be."""
    verdicts = _verdicts(case)
    if not verdicts:
        wishes.to_person(case, "no such visit")
        return
    outcome = _Outcome()
    for verdict in verdicts:
        _judge(case, verdict, outcome)
    if outcome.applied:
        _tidy(case, outcome.applied)
    callback = Meaning.CALLBACK in case.meanings
    if callback:
        about = verdicts[0] if len(verdicts) == 1 else None
        case.task(
            TaskCode.CALLBACK,
            about=None if about is None else about.visit,
            patient_id=None if about is None else about.row["patient_id"],
        )
    _say(case, outcome, callback=callback)


def _verdicts(case: Case) -> list[_Verdict]:
    """Return which visit the answer says what about.

    A yes without a number is for all visits that are not answered yet, or for all if all are; a
    no without one has been said expressly of all (R14).
    """
    assert case.asked is not None
    rows = case.asked.rows
    found: list[_Verdict] = []
    for part in case.reading.parts:
        if part.meaning not in _STATUS:
            continue
        chosen: Sequence[Row] = [row for row in rows if row["number"] == part.number]
        if part.number is None:
            waiting = [row for row in rows if row["answered"] is None]
            chosen = rows if part.meaning is Meaning.DECLINE else (waiting or rows)
        found += [_Verdict(row, part) for row in chosen]
    return found


# -- one visit -------------------------------------------------------------------------------------


def _judge(case: Case, verdict: _Verdict, outcome: _Outcome) -> None:
    """Apply one verdict, or make out why it cannot be."""
    assert case.asked is not None
    row = verdict.row
    if binding.is_moved(row) or not case.asked.is_heard:  # R12
        why = "the visit has moved" if case.asked.is_heard else "the new time was not known yet"
        _leave(case, verdict, why)
        outcome.moved.append(verdict)
    elif not binding.is_ahead(row, case.tx.now):
        _not_ahead(case, verdict)
    elif row["visit_response"] == verdict.status and row["answered"] is not None:
        case.note(row, applied=True, meaning=case.word(verdict.part), status=verdict.status)
    elif verdict.part.meaning is Meaning.DECLINE and case.is_cut_off(row["visit_start"]):  # R11
        task_id = case.task(TaskCode.URGENT, about=verdict.visit, patient_id=row["patient_id"])
        case.note(
            row,
            applied=False,
            meaning=case.word(verdict.part),
            why="too late to cancel by a text",
            task_id=task_id,
        )
        outcome.too_late.append(verdict)
    else:
        _change(case, verdict)
        outcome.applied.append(verdict)


def _change(case: Case, verdict: _Verdict) -> None:
    """Write down what the patient says of a visit; a later answer replaces an earlier one (R10)."""
    tx, row = case.tx, verdict.row
    visits.answered(tx, verdict.visit, verdict.status)
    for request_id in said.questions_about(tx, case.arrival.phone, verdict.visit):
        requests.answer(tx, request_id)
    case.office.planner.replan(tx, verdict.visit)  # R8
    task_id = None
    is_objection = row["asks"] == Question.OBJECT and verdict.part.meaning is Meaning.DECLINE
    if is_objection:  # variant B: a person rings whoever objects
        task_id = case.task(TaskCode.CALLBACK, about=verdict.visit, patient_id=row["patient_id"])
    case.note(
        row,
        applied=True,
        meaning=case.word(verdict.part),
        status=verdict.status,
        task_id=task_id,
    )
    events.add(
        tx, "visit.answered", who="sms", appointment=verdict.visit, response=verdict.status.value
    )


def _not_ahead(case: Case, verdict: _Verdict) -> None:
    """Deal with a verdict on a visit that is over, or cancelled."""
    row = verdict.row
    if row["visit_status"] == VisitStatus.CANCELLED or row["visit_withdrawn"] is not None:
        is_told = bool(said.announced(case.tx, verdict.visit, Kind.CANCELLED))
        if is_told or verdict.part.meaning is Meaning.DECLINE:
            # The patient knows, or learns it from the text that is on its way.
            _leave(case, verdict, "the visit is cancelled", is_work=False)
            return
        _leave(case, verdict, "the visit is cancelled")
        return
    _leave(case, verdict, "the visit is no longer ahead")


def _leave(case: Case, verdict: _Verdict, why: str, *, is_work: bool = True) -> None:
    """Store a verdict that changes nothing; a person looks at it."""
    row = verdict.row
    task_id = None
    if is_work:
        task_id = case.task(TaskCode.REVIEW, about=verdict.visit, patient_id=row["patient_id"])
    case.note(row, applied=False, meaning=case.word(verdict.part), why=why, task_id=task_id)


# -- all of them -----------------------------------------------------------------------------------


def _tidy(case: Case, applied: Sequence[_Verdict]) -> None:
    """Close what the answer has settled, and let the next question be asked."""
    settled = {verdict.visit for verdict in applied}
    for task in tasks.open_for(case.tx, case.arrival.phone):
        if task["code"] == TaskCode.REVIEW and _is_settled(case, task, settled):
            case.office.work.close(case.tx, task["id"], who="gsmgw", outcome="answered")
    _withdraw_answers(case, settled)
    requests.release(case.tx, case.arrival.phone)


def _is_settled(case: Case, task: Row, settled: set[str]) -> bool:
    """Tell whether an answer that a person was to judge is void: its question has a certain one.

    What was written without a question is another matter and stays.
    """
    if task["request_id"] is None:
        return False
    if task["about"] is not None:
        return task["about"] in settled
    of_text = said.responses_in_text(case.tx, task["request_id"])
    return bool(settled & of_text.keys()) and Participation.NEEDS_ACTION not in of_text.values()


def _withdraw_answers(case: Case, settled: set[str]) -> None:
    """Take back what an earlier answer was to be told, if that is still waiting and wrong now."""
    since = format_utc(case.now - COUNTED)
    for row in said.answers(case.tx, case.arrival.phone, since):
        listed = json.loads(row["details"]).get("visits") if row["kind"] == Kind.ACK_SEVERAL else ()
        about = {row["about"]} if row["about"] else {one["appointment"] for one in listed or ()}
        if row["status"] == RequestStatus.ACTIVE and row["kind"] in _OUTDATED and about <= settled:
            requests.revoke(case.tx, [int(row["id"])], "answered")


def _say(case: Case, outcome: _Outcome, *, callback: bool) -> None:
    """Answer once, with what matters most."""
    if outcome.too_late:
        case.say(Kind.TOO_LATE, about=_visit(case, outcome.too_late[0]))
    elif callback:
        wishes.say_callback(case)
    elif outcome.moved and _ask_new_time(case, outcome.moved[0]):
        return
    elif outcome.applied and case.office.config.replies.acknowledge:  # R16
        _acknowledge(case, outcome.applied)


def _acknowledge(case: Case, applied: Sequence[_Verdict]) -> None:
    if len(applied) > 1:
        listed = [
            {"appointment": verdict.visit, "response": verdict.status.value} for verdict in applied
        ]
        case.say(Kind.ACK_SEVERAL, visits=listed)
        return
    is_yes = applied[0].part.meaning is Meaning.ACCEPT
    case.say(Kind.ACK_ACCEPT if is_yes else Kind.ACK_DECLINE, about=_visit(case, applied[0]))


def _ask_new_time(case: Case, verdict: _Verdict) -> bool:
    """Tell the new time of a visit that has moved, and ask about it, if nothing else does (R12)."""
    visit = _visit(case, verdict)
    if visit is None or not binding.is_ahead(verdict.row, case.tx.now):
        return False
    for kind in (Kind.CHANGED, Kind.MOVED):
        for row in said.announced(case.tx, verdict.visit, kind):
            is_said = row["status"] == RequestStatus.COMPLETED or row["expires"] > case.tx.now
            if row["about_start"] == visit["start"] and is_said:
                return False
    requests.answer(case.tx, int(verdict.row["id"]))  # its time is over: the new one is asked
    case.say(Kind.MOVED, about=visit, asks=verdict.row["asks"])
    return True


def _visit(case: Case, verdict: _Verdict) -> Row | None:
    return visits.get(case.tx, verdict.visit)


# -- what is about no visit ------------------------------------------------------------------------


def apply_dose(case: Case) -> None:
    """Note whether a medicine was taken; booking counts the misses."""
    assert case.asked is not None
    row = case.asked.rows[0]
    requests.answer(case.tx, int(row["id"]))
    requests.release(case.tx, case.arrival.phone)
    is_taken = Meaning.ACCEPT in case.meanings
    case.note(row, applied=True, value="taken" if is_taken else "not-taken")
    if case.office.config.replies.acknowledge:
        case.say(Kind.ACK_DOSE)
