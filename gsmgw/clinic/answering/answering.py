# SPDX-License-Identifier: Apache-2.0
"""Takes what came in, one arrival after the other, and does what it asks for.

Theory of operation: table `setting` holds how far the inbox was read. Each row is dealt with in one
transaction that also moves this mark: whenever the process ends, each row counts once. What is to
be said becomes requests; no text leaves here.

Where a clinic is configured for the first time the mark starts at the present end of the inbox:
what came before was never meant as an answer.

Threads and locks: belongs to one service; `step` blocks for some commits.

On failure: an arrival that we stumble over goes to a person as a task, the log says so, and the
next one is taken.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt

from gsmgw import logs, pdu
from gsmgw.clinic.answering import consents, missed_calls, verdicts, wishes
from gsmgw.clinic.answering.binding import Asked, bind
from gsmgw.clinic.answering.case import CANCEL, Case, Office, Planner
from gsmgw.clinic.answering.guard import Guard
from gsmgw.clinic.answering.senders import Arrival, Senders
from gsmgw.clinic.answering.understanding import Understanding
from gsmgw.clinic.calendar import Calendar
from gsmgw.clinic.model import Kind, TaskCode
from gsmgw.clinic.reading import Meaning, Question, Reading, ReplyReader
from gsmgw.clinic.reading.meaning import VERDICTS, one
from gsmgw.clinic.wording import Wording
from gsmgw.clinic.work import Work
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.model import InboxKind
from gsmgw.store import inbox
from gsmgw.store.clinic import marks, responses, said, tasks
from gsmgw.store.database import Database, Row, Transaction

log = logs.get("clinic")

#: The mark: the newest inbox row that was dealt with.
MARK = "clinic.inbox"
#: So many arrivals are taken in one step; more wait for the next.
AT_ONCE = 20

#: A text of ours that comes back within this time is no answer: the number is one of our SIMs, or
#: a machine that sends everything back (R18).
ECHO_WITHIN = dt.timedelta(hours=24)


class Answering:
    """Deals with answers and missed calls."""

    def __init__(
        self,
        config: Config,
        db: Database,
        *,
        calendar: Calendar,
        wording: Wording,
        work: Work,
        planner: Planner,
        reader: ReplyReader,
    ) -> None:
        """Hold what answers are dealt with by.

        Args:
            config: with a clinic.
            db: where arrivals are found.
            calendar: the clinic's hours.
            wording: the texts, for the languages that patients are written to in.
            work: makes tasks.
            planner: reconciles a visit with its plan (`Booking`).
            reader: reads answers.
        """
        self._db = db
        self._senders = Senders(config)
        self._understanding = Understanding(config, reader, wording)
        self._config = config
        self._office = Office(config, calendar, work, planner, Guard(config), self._understanding)
        self._mark: int | None = None

    def open(self) -> None:
        """Find out how far the inbox was read. Blocks for a commit at the very first time.

        Raises:
            StoreError: the database cannot be read or written.
        """
        found = marks.get(self._db, MARK)
        if found is None:
            with self._db.write() as tx:
                found = marks.get(tx, MARK)
                if found is None:
                    found = str(inbox.newest_id(tx))
                    marks.put(tx, MARK, found)
        self._mark = int(found)

    def step(self) -> int:
        """Deal with what has come in; return how many arrivals, `AT_ONCE` at most.

        Blocks for one commit each; costs one indexed look where there is nothing.

        Raises:
            StoreError: the arrival in work will be taken again.
        """
        if self._mark is None:
            self.open()
        rows = inbox.since(self._db, self._mark or 0, AT_ONCE)
        for place, row in enumerate(rows):
            # Of many, as after an outage, each but the first leaves a gap for others to write.
            with self._db.pace.piece() if place else contextlib.nullcontext():
                self._take(row)
            self._mark = int(row["id"])
        return len(rows)

    def _take(self, row: Row) -> None:
        try:
            with self._db.write() as tx:
                self._deal(tx, row)
                marks.put(tx, MARK, str(row["id"]))
        except (LookupError, TypeError, ValueError) as error:
            with self._db.write() as tx:
                self._give_up(tx, row)
                marks.put(tx, MARK, str(row["id"]))
            log.error("answer.failed", inbox=row["id"], error=type(error).__name__)

    def _give_up(self, tx: Transaction, row: Row) -> None:
        """Leave an arrival to a person: dealing with it has failed."""
        self._office.work.add(
            tx,
            tasks.NewTask(code=TaskCode.REVIEW, phone=row["sender"] or None, note=row["text"]),
        )

    def _deal(self, tx: Transaction, row: Row) -> None:
        why = self._senders.why_not(row["sender"])
        if not why and row["kind"] not in (InboxKind.SMS, InboxKind.MISSED_CALL):
            why = "no text"
        if not why and row["kind"] == InboxKind.SMS and row["text"] is None:
            why = "erased"
        arrival = None if why else self._senders.arrival(tx, row)
        if arrival is not None and self._senders.is_staff(arrival):
            why = "staff"
        if why or arrival is None:
            tx.after_commit(
                lambda: log.info(
                    "answer.ignored",
                    routine="senders not answered",
                    inbox=row["id"],
                    kind=row["kind"],
                    why=why,
                )
            )
        elif row["kind"] == InboxKind.MISSED_CALL:
            missed_calls.take(self._case(tx, arrival, None, one(Meaning.CALLBACK), None))
        else:
            self._answer(tx, arrival)

    def _answer(self, tx: Transaction, arrival: Arrival) -> None:
        asked = bind(tx, arrival, self._config)
        understood = self._understanding.read(
            arrival, asked, is_which=_is_which(tx, arrival, asked)
        )
        case = self._case(tx, arrival, asked, understood.reading, understood.language)
        if not arrival.row["complete"]:
            _leave(case, "a part is missing")
        elif _is_echo(tx, arrival):
            _leave(case, "our own text")
        else:
            dispatch(case)
        tx.after_commit(
            lambda: log.info(
                "answer.read",
                routine="answers",
                inbox=arrival.inbox_id,
                sender=logs.number(arrival.phone),
                meaning=case.word(),
                asked=None if asked is None else asked.template,
                applied=case.is_applied,
                why=case.why_not,
            )
        )

    def _case(
        self,
        tx: Transaction,
        arrival: Arrival,
        asked: Asked | None,
        reading: Reading,
        language: str | None,
    ) -> Case:
        chosen = language or self._understanding.languages(arrival)[0]
        return Case(self._office, tx, arrival, asked, reading, chosen)


def dispatch(case: Case) -> None:
    """Do what an answer asks for."""
    meanings = case.meanings
    if case.reading.is_applied and wishes.is_for_notice(case):
        case.reading = dataclasses.replace(
            case.reading, is_applied=False, why="maybe for a later text"
        )
    listed = wishes.listed_earlier(case)
    if listed is not None:
        wishes.for_listed(case, listed)
    elif not case.reading.is_applied:
        wishes.unclear(case)
    elif Meaning.STOP in meanings:
        consents.stop(case)
    elif Meaning.START in meanings:
        consents.start(case)
    elif meanings & VERDICTS:
        _verdict(case)
    elif Meaning.RESCHEDULE in meanings:
        wishes.reschedule(case)
    elif Meaning.CALLBACK in meanings:
        wishes.callback(case)
    else:
        _small_talk(case)


def _verdict(case: Case) -> None:
    """Apply a yes or no to what was asked."""
    if case.asked is None:
        wishes.unclear(case)
    elif case.asked.is_of_visits:
        verdicts.apply(case)
    elif case.asked.question is Question.DOSE:
        verdicts.apply_dose(case)
    elif case.asked.question is Question.CONSENT:
        consents.decide(case)
    else:
        _leave(case, "nobody asks this")


def _small_talk(case: Case) -> None:
    """Deal with what changes nothing."""
    if Meaning.INFO in case.meanings:
        wishes.info(case)
    elif Meaning.HELP in case.meanings:
        case.note(applied=True)
        case.say(Kind.HELP)
    elif case.meanings == {Meaning.THANKS}:
        case.note(applied=True)
    else:
        _leave(case, "nobody asks this")


def _leave(case: Case, why: str) -> None:
    """Leave an answer to a person without a word to the patient."""
    task_id = case.task(TaskCode.REVIEW)
    case.note(applied=False, why=why, task_id=task_id)


def _is_which(tx: Transaction, arrival: Arrival, asked: Asked | None) -> bool:
    """Tell whether we have just asked a family which visit its no is for (R14)."""
    if asked is None or asked.question is not Question.FAMILY:
        return False
    before = responses.newest_to(tx, arrival.phone, asked.ids)
    return (
        before is not None
        and not before["applied"]
        and before["meaning"] in (Meaning.DECLINE, CANCEL)
        and asked.rows[0]["clarified"] > 0
    )


def _is_echo(tx: Transaction, arrival: Arrival) -> bool:
    """Tell whether a text is one that we have sent to this number."""
    since = format_utc(dt.datetime.fromisoformat(tx.now) - ECHO_WITHIN)
    text = pdu.fold(arrival.text.strip())
    return any(pdu.fold(sent.strip()) == text for sent in said.sent(tx, arrival.phone, since))
