# SPDX-License-Identifier: Apache-2.0
"""What goes to people in any case: another date, a call, and what only they can judge."""

from __future__ import annotations

import datetime as dt

from gsmgw.clinic.answering import binding
from gsmgw.clinic.answering.binding import Asked
from gsmgw.clinic.answering.case import Case
from gsmgw.clinic.model import Kind, Participation, TaskCode
from gsmgw.clinic.reading import Meaning, Question
from gsmgw.clinic.reading.meaning import VERDICTS
from gsmgw.clock import format_utc
from gsmgw.store import events
from gsmgw.store.clinic import requests, responses, said, visits
from gsmgw.store.database import Row

#: So long after a notice a plain "ok" is taken for "I have read it".
_ACKNOWLEDGED_WITHIN = dt.timedelta(days=3)
#: A yes so soon after a notice may be for that, unless it is the word that a question asked for.
_MAYBE_FOR_NOTICE = dt.timedelta(hours=1)
#: Notices to which a plain yes may well mean more.
_NO_MERE_NOTICES = frozenset({Kind.MISSED, Kind.TEXT})
#: The most visits that one text lists.
MOST_LISTED = 3
#: Why the reader leaves things to people that need no "reply only YES or NO".
_UNDERSTOOD = frozenset({Meaning.LATE, Meaning.STOP, Meaning.START, Meaning.HELP})


def callback(case: Case) -> None:
    """Make the call-back task asked for; a question that is open stays so."""
    task_id = case.task(TaskCode.CALLBACK)
    case.note(applied=True, task_id=task_id)
    say_callback(case)


def say_callback(case: Case) -> None:
    """Say when somebody will ring."""
    case.say(Kind.CALLBACK_ACK if case.is_open else Kind.AFTER_HOURS, when=case.people_at)


def reschedule(case: Case) -> None:
    """Make a task for another date; urgent if the visit is near. The visit itself stands."""
    visit = _visit_meant(case)
    is_given_up = visit is not None and visit["response"] == Participation.DECLINED
    is_near = visit is not None and not is_given_up and case.is_cut_off(visit["start"])
    task_id = case.task(
        TaskCode.URGENT if is_near else TaskCode.RESCHEDULE,
        about=None if visit is None else visit["id"],
        patient_id=None if visit is None else visit["patient_id"],
    )
    status = None
    if case.reading.is_applied and visit is not None and not is_given_up and _is_asked(case, visit):
        status = Participation.TENTATIVE
        _wants_another(case, visit)
    case.note(applied=case.reading.is_applied, status=status, task_id=task_id)
    if is_given_up or (visit is None and case.asked is None):
        say_callback(case)
    else:
        case.say(Kind.RESCHEDULE_ACK, when=case.people_at)


def _wants_another(case: Case, visit: Row) -> None:
    """Note that a visit stands until a person has found another date: it is not asked about."""
    visits.answered(case.tx, visit["id"], Participation.TENTATIVE)
    for request_id in said.questions_about(case.tx, case.arrival.phone, visit["id"]):
        requests.answer(case.tx, request_id)
    case.office.planner.replan(case.tx, visit["id"])
    requests.release(case.tx, case.arrival.phone)
    events.add(
        case.tx,
        "visit.answered",
        who="sms",
        appointment=visit["id"],
        response=Participation.TENTATIVE.value,
    )


def info(case: Case) -> None:
    """Answer with the next visits of the phone, date and time only."""
    ahead = visits.ahead_on_phone(case.tx, case.arrival.phone, case.tx.now)
    never = case.office.config.reminders.never_text
    listed = [visit["id"] for visit in ahead if visit["service"] not in never][:MOST_LISTED]
    case.note(applied=True)
    case.say(Kind.INFO, visits=listed)


def is_for_notice(case: Case) -> bool:
    """Tell whether a yes may be "I have read it" to a notice that came after the question.

    `ok` to "your results are ready" confirms no visit; `TAK`, which the question asked for, does.
    """
    asked = case.asked
    if asked is None or not asked.is_of_visits or case.meanings != {Meaning.ACCEPT}:
        return False
    since = format_utc(case.arrival.written_at - _MAYBE_FOR_NOTICE)
    told = said.newest_told(case.tx, case.arrival.phone, since)
    if told is None or told["asks"] is not None or told["outbox_id"] <= asked.rows[0]["outbox_id"]:
        return False
    is_notice = not str(told["same_as"] or "").startswith("ack:")
    is_same = told["about"] is not None and told["about"] in [row["about"] for row in asked.rows]
    return is_notice and not is_same and not case.office.understanding.has_asked_word(case.arrival)


def listed_earlier(case: Case) -> Row | None:
    """Return another visit that an answer may name by its number in an earlier text; None: none.

    `NIE 2` after a text that asks about one visit, which has no number, and that came after a
    family's text, in which number 2 is another one.
    """
    asked = case.asked
    if asked is None or not asked.listed or asked.question is Question.FAMILY:
        return None
    if not case.reading.is_applied or not case.meanings & VERDICTS:
        return None
    numbers = case.office.understanding.numbers_in(case.arrival, asked.listed)
    about = {row["about"] for row in asked.rows}
    named = [row for row in asked.listed if row["number"] in numbers and row["about"] not in about]
    return named[0] if named else None


def for_listed(case: Case, row: Row) -> None:
    """Leave an answer to a person that may be to another text than the newest one."""
    why = "a number of an earlier text"
    visit = visits.get(case.tx, row["about"])
    is_no = Meaning.DECLINE in case.meanings and binding.is_ahead(row, case.tx.now)
    if visit is not None and is_no and case.is_cut_off(visit["start"]):
        _refused_late(case, visit, why)
        return
    to_person(case, why)


def unclear(case: Case) -> None:
    """Deal with an answer that may not be acted upon: ask back once, then it is a person's (R9)."""
    if Meaning.RESCHEDULE in case.meanings and len(case.meanings) == 1:
        reschedule(case)
        return
    near = _near_refusal(case)
    if near is not None:
        _refused_late(case, near)
        return
    asked = case.asked
    if asked is None or not asked.is_open or not asked.is_heard:
        _without_question(case)
        return
    if case.meanings & _UNDERSTOOD or case.reading.why == "how late is for people":
        to_person(case)
        return
    if max(row["clarified"] for row in asked.rows) < case.office.config.replies.clarify:
        requests.clarify(case.tx, asked.ids)
        case.note(applied=False)
        case.say(Kind.UNCLEAR, question=asked.ids[0], which=asked.question is Question.FAMILY)
        return
    to_person(case)


def to_person(case: Case, why: str | None = None) -> None:
    """Give a person the answer to a question, with all that was not understood before it."""
    assert case.asked is not None
    before = responses.unapplied(case.tx, case.arrival.phone, case.asked.ids)
    waiting = [row for row in before if row["task_id"] is None]
    words = [row["text"] for row in waiting if row["text"]]
    row = case.asked.rows[0] if len(case.asked.rows) == 1 else None
    task_id = case.task(
        TaskCode.REVIEW,
        about=None if row is None else row["about"],
        patient_id=None if row is None else row["patient_id"],
        note=" | ".join([*words, case.arrival.text]),
    )
    responses.hand_to(case.tx, [int(found["id"]) for found in waiting], task_id)
    case.note(applied=False, why=why, task_id=task_id)


def _without_question(case: Case) -> None:
    """Deal with what nothing asked for: a person reads it, the patient is told so once."""
    if not case.arrival.text.strip() or _is_acknowledgement(case):
        case.note(applied=False)
        return
    visit = _visit_meant(case)
    task_id = case.task(
        TaskCode.REVIEW,
        about=None if visit is None else visit["id"],
        patient_id=None if visit is None else visit["patient_id"],
    )
    case.note(applied=False, task_id=task_id)
    if not case.meanings & {Meaning.STOP}:  # who may want no texts gets none
        case.say_received()


def _is_acknowledgement(case: Case) -> bool:
    """Tell whether a plain yes follows a text that asked nothing: it has been read."""
    if case.meanings - {Meaning.ACCEPT, Meaning.THANKS}:
        return False
    since = format_utc(case.now - _ACKNOWLEDGED_WITHIN)
    told = said.newest_told(case.tx, case.arrival.phone, since)
    if told is None or told["asks"] is not None or told["kind"] in _NO_MERE_NOTICES:
        return False
    return case.office.understanding.plain_yes(case.arrival, case.language)


def _near_refusal(case: Case) -> Row | None:
    """Return the visit that somebody may want to give up while it is too near for that (R11).

    Nothing is certain here, but the clinic wants to know before the visit, not after.
    """
    if Meaning.DECLINE not in case.meanings:
        return None
    if case.asked is None:
        meant = visits.ahead_on_phone(case.tx, case.arrival.phone, case.tx.now)
    elif case.asked.is_of_visits:
        meant = _standing(case, case.asked)
    else:
        return None
    near = [
        visit
        for visit in meant
        if visit["response"] != Participation.DECLINED and case.is_cut_off(visit["start"])
    ]
    return near[0] if near else None


def _refused_late(case: Case, visit: Row, why: str | None = None) -> None:
    task_id = case.task(TaskCode.URGENT, about=visit["id"], patient_id=visit["patient_id"])
    case.note(applied=False, why=why, task_id=task_id)
    case.say(Kind.TOO_LATE, about=visit)


def _visit_meant(case: Case) -> Row | None:
    """Return the one visit ahead that an answer can be about; None if there are more, or none."""
    if case.asked is not None and case.asked.is_of_visits:
        meant = _standing(case, case.asked)
    else:
        meant = visits.ahead_on_phone(case.tx, case.arrival.phone, case.tx.now)
    return meant[0] if len(meant) == 1 else None


def _standing(case: Case, asked: Asked) -> list[Row]:
    """Return the visits asked about that are to take place as asked."""
    found = [
        visits.get(case.tx, row["about"]) for row in asked.rows if binding.stands(row, case.tx.now)
    ]
    return [visit for visit in found if visit is not None]


def _is_asked(case: Case, visit: Row) -> bool:
    asked = case.asked
    if asked is None or not asked.is_heard:
        return False
    return any(row["about"] == visit["id"] for row in asked.rows)
