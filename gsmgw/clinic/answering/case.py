# SPDX-License-Identifier: Apache-2.0
"""One answer in work: what is known of it, and the rows, tasks and texts that it leads to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Protocol

from gsmgw.clinic.answering.binding import Asked
from gsmgw.clinic.answering.guard import EXPIRES, Answer, Guard
from gsmgw.clinic.answering.senders import Arrival
from gsmgw.clinic.answering.understanding import Understanding
from gsmgw.clinic.calendar import Calendar
from gsmgw.clinic.model import Kind, Participation, TaskCode
from gsmgw.clinic.reading import Meaning, Reading
from gsmgw.clinic.reading.meaning import Part
from gsmgw.clinic.work import Work
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.store.clinic import responses, tasks
from gsmgw.store.database import Row, Transaction

#: A note of a task is cut here, and takes no more words: a machine may write for ever.
LONGEST_NOTE = 600
#: How answers call a decline in words of giving the visit up, unlike a bare no.
CANCEL = "cancel"


class Planner(Protocol):
    """What makes the requests of a visit agree with what is known of it."""

    def replan(self, tx: Transaction, appointment_id: str) -> int:
        """Reconcile one visit with its plan; return how many requests are new."""


@dataclass(frozen=True, slots=True)
class Office:
    """What every answer is dealt with by."""

    config: Config
    calendar: Calendar
    work: Work
    planner: Planner
    guard: Guard
    understanding: Understanding


@dataclass(slots=True)
class Case:
    """One answer in work, in the transaction that stores all that comes of it."""

    office: Office
    tx: Transaction
    arrival: Arrival
    asked: Asked | None
    reading: Reading
    language: str
    #: the tasks that it has made, by visit; None: those about no single visit
    made: dict[str | None, int] = field(default_factory=dict)
    #: of each answer that was stored, one for each visit: whether it was acted upon, or why not
    noted: list[tuple[bool, str | None]] = field(default_factory=list)
    #: the answers that were stored
    stored: list[int] = field(default_factory=list)

    @property
    def now(self) -> dt.datetime:
        """The time of the transaction."""
        return dt.datetime.fromisoformat(self.tx.now)

    @property
    def goes_out_at(self) -> dt.datetime:
        """When an answer given now goes out."""
        if self.office.config.replies.auto_reply_night:
            return self.now
        return self.office.calendar.next_allowed(self.now)

    @property
    def is_open(self) -> bool:
        """Whether people of the clinic answer the phone when an answer goes out."""
        return self.office.calendar.is_open(self.goes_out_at)

    @property
    def people_at(self) -> str:
        """When a person can see to it: now, or when the clinic opens."""
        return format_utc(self.office.calendar.next_opening(self.now))

    @property
    def meanings(self) -> set[Meaning]:
        """What the answer says."""
        return {part.meaning for part in self.reading.parts}

    def is_cut_off(self, start: str) -> bool:
        """Tell whether a visit is too near to be cancelled by a text (R11)."""
        left = dt.datetime.fromisoformat(start) - self.now
        return left < dt.timedelta(seconds=self.office.config.reminders.cutoff)

    def word(self, part: Part | None = None) -> str:
        """Return what the answer means, or one part of it, as answers are handed out."""
        words = str(self.reading) if part is None else str(Part(part.meaning))
        if part is not None:
            others = [str(p) for p in self.reading.parts if p.meaning is Meaning.CALLBACK]
            words = "+".join([words, *others])
        is_of_visits = self.asked is None or self.asked.is_of_visits
        if not self.reading.gives_up or not is_of_visits:
            return words
        return words.replace(str(Meaning.DECLINE), CANCEL)

    @property
    def is_applied(self) -> bool | str:
        """Whether what it says was acted upon; "partly" where only some of it was."""
        acted = {applied for applied, _ in self.noted}
        return "partly" if len(acted) > 1 else acted == {True}

    @property
    def why_not(self) -> str | None:
        """Why it was not, or not in full."""
        return next((why for applied, why in self.noted if not applied), None) or None

    # -- what comes of it -------------------------------------------------------------------------

    def task(
        self,
        code: TaskCode,
        *,
        about: str | None = None,
        patient_id: str | None = None,
        note: str | None = None,
    ) -> int:
        """Make a task, or count one more attempt of the open one; return its id."""
        note = self.arrival.text if note is None else note
        if self._is_noted_enough(code, about):
            note = ""
        made = self.office.work.add(
            self.tx,
            tasks.NewTask(
                code=code,
                phone=self.arrival.phone,
                patient_id=patient_id or self.arrival.patient_id,
                about=about,
                request_id=None if self.asked is None else self.asked.ids[0],
                note=_cut(note) or None,
                due=self.tx.now if code == TaskCode.URGENT else self.people_at,
            ),
        )
        self.made[about] = made.task_id
        return made.task_id

    def _is_noted_enough(self, code: TaskCode, about: str | None) -> bool:
        return any(
            row["code"] == code and row["about"] == about and len(row["note"] or "") >= LONGEST_NOTE
            for row in tasks.open_for(self.tx, self.arrival.phone)
        )

    def say(
        self,
        kind: Kind,
        *,
        about: Row | None = None,
        asks: str | None = None,
        **details: object,
    ) -> None:
        """Answer, unless the phone has had enough; then a person learns of it, once (R18)."""
        if self.goes_out_at - self.now > EXPIRES:
            return  # it would be stale before it may be sent
        answer = Answer(kind, self.language, about, asks, details)
        if self.office.guard.say(self.tx, self.arrival, answer):
            return
        is_known = tasks.open_for(self.tx, self.arrival.phone)
        if not is_known:
            # What it asked for has not been said: the list of answers shows that work waits.
            responses.hand_to(self.tx, self.stored, self.task(TaskCode.REVIEW))

    def say_received(self) -> None:
        """Answer what a person will read: nobody is there now, or texts are not read at once."""
        self.say(Kind.RECEIVED if self.is_open else Kind.AFTER_HOURS, when=self.people_at)

    def note(
        self,
        row: Row | None = None,
        *,
        applied: bool,
        meaning: str | None = None,
        status: Participation | None = None,
        value: str | None = None,
        why: str | None = None,
        task_id: int | None = None,
    ) -> int:
        """Store the answer, or what it says of one question's visit; return its id."""
        asked = self.asked
        if row is None and asked is not None and len(asked.rows) == 1:
            row = asked.rows[0]
        first = None if asked is None else asked.rows[0]
        why = why if applied else why or self.reading.why
        self.noted.append((applied, why))
        response_id = responses.add(
            self.tx,
            responses.NewResponse(
                inbox_id=self.arrival.inbox_id,
                phone=self.arrival.phone,
                meaning=meaning or self.word(),
                applied=applied,
                at=self.arrival.row["received_at"],
                text=self.arrival.text,
                request_id=_column(row or first, "id"),
                appointment_id=_column(row, "about"),
                patient_id=_column(row, "patient_id") or self.arrival.patient_id,
                asked=None if asked is None else asked.template,
                start=_column(row, "about_start"),
                status=status,
                value=value,
                why=why,
                task_id=task_id,
            ),
        )
        self.stored.append(response_id)
        return response_id


def _cut(note: str) -> str:
    return note if len(note) <= LONGEST_NOTE else f"{note[:LONGEST_NOTE]}…"


def _column(row: Row | None, name: str) -> Any:
    return None if row is None else row[name]
