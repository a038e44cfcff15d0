# SPDX-License-Identifier: Apache-2.0
"""Calls that people make to patients of the list: what came of each, and what follows from it."""

from __future__ import annotations

from enum import StrEnum

from gsmgw.clinic.booking import Booking
from gsmgw.clinic.model import TaskCode
from gsmgw.clinic.work import Work
from gsmgw.errors import RefusedRecordError
from gsmgw.store import events
from gsmgw.store.clinic import people, requests, said, shown, tasks, visits
from gsmgw.store.database import Row, Transaction


class Outcome(StrEnum):
    """What came of a call."""

    ACCEPTED = "accepted"  #: comes
    DECLINED = "declined"  #: does not come
    ANSWERED = "answered"  #: spoken to, without a yes or no
    BUSY = "busy"
    NOANSWER = "noanswer"
    MACHINE = "machine"  #: a machine, or nobody spoke
    WRONG = "wrong"  #: not this patient's phone


_SAID = frozenset({Outcome.ACCEPTED, Outcome.DECLINED})
_AGAIN = frozenset({Outcome.BUSY, Outcome.NOANSWER, Outcome.MACHINE})
#: Work that a spoken yes or no has settled.
_SETTLED = frozenset({TaskCode.UNREACHABLE, TaskCode.REVIEW})


class Calling:
    """Notes calls. Immutable; works in the caller's transaction."""

    def __init__(self, booking: Booking, work: Work, tries: int) -> None:
        """Note what visits are planned with, who is told of work, and how often people ring."""
        self._booking = booking
        self._work = work
        self._tries = tries

    def done(
        self, tx: Transaction, visit_id: str, outcome: Outcome, *, who: str, note: str | None = None
    ) -> str:
        """Note what came of a call about a visit; return in words what follows.

        A yes or no counts like one by SMS: it stands in the visit, is handed to the clinic's
        program, and what waited to be asked is taken back. After the last try that reached nobody,
        and where the phone is another's, a task is made.

        Raises:
            RefusedRecordError: there is no such visit, or nothing to ring.
        """
        visit = visits.get(tx, visit_id)
        patient = None if visit is None else people.get(tx, visit["patient_id"])
        if visit is None or patient is None:
            raise RefusedRecordError(f"there is no visit {visit_id!r}", "appointment")
        number = patient["phone"]
        if number is None:
            raise RefusedRecordError(f"the patient of visit {visit_id!r} has no phone", "phone")
        count = shown.add_call(tx, visit_id, number, outcome, who, note)
        events.add(tx, "call.made", visit=visit_id, outcome=outcome, who=who)
        if outcome in _SAID:
            self._said(tx, visit, number, outcome, who)
            return f"visit {visit_id} is {outcome}"
        if outcome == Outcome.ANSWERED:
            return f"visit {visit_id}: noted"
        if outcome in _AGAIN and count < self._tries:
            return f"visit {visit_id}: try {count} of {self._tries}"
        words = "wrong number" if outcome == Outcome.WRONG else f"not reached in {count} calls"
        made = self._work.add(
            tx,
            tasks.NewTask(
                TaskCode.UNREACHABLE, number, visit["patient_id"], visit_id, note=note or words
            ),
        )
        return f"visit {visit_id}: {words}; task {made.task_id}"

    def _said(self, tx: Transaction, visit: Row, number: str, outcome: str, who: str) -> None:
        visits.answered(tx, visit["id"], outcome)
        shown.add_spoken_answer(tx, visit, number, outcome)
        for request_id in said.questions_about(tx, number, visit["id"]):
            requests.answer(tx, request_id)
        requests.release(tx, number)
        self._booking.replan(tx, visit["id"])
        for task in tasks.open_for(tx, number):
            if task["about"] == visit["id"] and task["code"] in _SETTLED:
                self._work.close(tx, task["id"], who=who, outcome=f"rang: {outcome}")
