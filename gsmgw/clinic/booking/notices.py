# SPDX-License-Identifier: Apache-2.0
"""What the clinic's files want said beside visits: delays, absences, results, texts of their own.

A notice names its doctor as the visits do. One that fits no visit of the day is refused: a name
that is spelled otherwise must not let patients wait.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from gsmgw.clinic import plan
from gsmgw.clinic.booking import checking
from gsmgw.clinic.booking.appointments import Appointments
from gsmgw.clinic.booking.checking import Taken
from gsmgw.clinic.booking.patients import Patients
from gsmgw.clinic.booking.reach import Reach
from gsmgw.clinic.booking.reconciling import Reconciler
from gsmgw.clinic.calendar import Calendar
from gsmgw.clinic.model import (
    AHEAD,
    Kind,
    Notice,
    Participation,
    PatientRecord,
    TaskCode,
)
from gsmgw.clinic.work import Work
from gsmgw.clock import format_utc
from gsmgw.errors import RefusedRecordError
from gsmgw.model import Category, Priority
from gsmgw.store import events
from gsmgw.store.clinic import people, planning, requests, visits
from gsmgw.store.clinic.requests import NewRequest
from gsmgw.store.clinic.tasks import NewTask
from gsmgw.store.database import Row, Transaction

#: An absence that is longer is a slip of the pen: its visits would all be called off.
LONGEST_ABSENCE = dt.timedelta(days=366)
#: The text of an absence that is said without words of its own.
_DEFAULT_TEXT = "cancelled"
_ASKS = frozenset({"consent"})


@dataclass(frozen=True, slots=True)
class _Person:
    """Who a notice goes to."""

    phone: str | None
    patient_id: str | None
    hindrance: str | None
    requests: int = 0


@dataclass(frozen=True, slots=True)
class _How:
    """When and as what a notice is said."""

    category: Category
    priority: Priority
    due: dt.datetime
    expires: dt.datetime


class Notices:
    """Applies notices. Immutable; works in the caller's transaction."""

    def __init__(
        self,
        calendar: Calendar,
        reach: Reach,
        reconciler: Reconciler,
        patients: Patients,
        appointments: Appointments,
        work: Work,
    ) -> None:
        """Take what visits and patients are applied with."""
        self._calendar = calendar
        self._reach = reach
        self._reconciler = reconciler
        self._patients = patients
        self._appointments = appointments
        self._work = work

    # -- delay and absence ------------------------------------------------------------------------

    def delay(self, tx: Transaction, notice: Notice, source: str) -> Taken:
        """Tell the patients who are still to come that day how late it will be.

        A delay that is told before the former one went out takes its place.

        Raises:
            RefusedRecordError: no doctor or place, no possible delay, or no such visits that day.
        """
        owner = "delay"
        late = checking.minutes(notice.minutes, owner, checking.LONGEST_DELAY)
        if late is None:
            raise RefusedRecordError("delay: minutes are missing", "minutes")
        day = notice.day or self._calendar.day(_now(tx))
        found = self._of(tx, notice, day, day, owner)
        ahead = [visit for visit in found if _is_ahead(visit, tx.now)]
        events.add(tx, "visit.delayed", who=source, day=day, minutes=late, visits=len(ahead))
        planned, warnings = 0, [] if ahead else ["past"]
        for visit in ahead:
            added, hindrance = self._delayed(tx, visit, late)
            planned += added
            warnings += [hindrance] if hindrance else []
        return Taken(planned, checking.joined(*warnings))

    def _delayed(self, tx: Transaction, visit: Row, late: int) -> tuple[int, str | None]:
        case = self._reconciler.case(tx, visit["id"])
        if case is None or visit["response"] == Participation.DECLINED:
            return 0, None  # they do not come
        if case.hindrance is not None:
            return 0, case.hindrance
        facts = self._reconciler.facts(tx, case)
        news = plan.announcement(Kind.DELAYED, facts, self._calendar, _now(tx), minutes=late)
        if news is None:
            return 0, "too-late"
        former = [
            row["id"]
            for row in planning.of_visit(tx, visit["id"])
            if row["kind"] == Kind.DELAYED and row["same_as"] != news.same_as
        ]
        requests.revoke(tx, former, "replaced")
        return self._reconciler.reconcile(tx, case, news), None

    def absence(
        self, tx: Transaction, notice: Notice, source: str, is_over: Callable[[], bool]
    ) -> Taken:
        """Call off the visits of a doctor who is away, for the patients; the clinic's word stays.

        Until the clinic cancels or moves such a visit nothing more is said about it. What was
        called off before is not called off again, so the same notice goes on where it was left.

        Args:
            tx: the transaction.
            notice: who is away, and when.
            source: who says so.
            is_over: asked behind each visit whether the others are left for the next call.

        Raises:
            RefusedRecordError: no doctor or place, no possible days, or no such visits.
        """
        owner = "absence"
        if notice.day is None:
            raise RefusedRecordError("absence: the first day (from) is missing", "from")
        last = notice.last_day or notice.day
        if last < notice.day or last - notice.day > LONGEST_ABSENCE:
            raise RefusedRecordError(
                f"absence: from {notice.day} to {last} is no possible range", "to"
            )
        found = self._of(tx, notice, notice.day, last, owner)
        words = (notice.text or _DEFAULT_TEXT).strip()
        details: dict[str, object] = {}
        if words != _DEFAULT_TEXT:
            details["text"] = checking.text(words, owner)
        hit = [visit for visit in found if _is_ahead(visit, tx.now)]
        planned, done, warnings = 0, 0, [] if hit else ["past"]
        for visit in hit:
            if done and is_over():
                break
            done += 1
            patient = people.get(tx, visit["patient_id"])
            hindrance = (
                None if patient is None else self._reach.hindrance(tx, patient, visit["service"])
            )
            warnings += [hindrance] if hindrance else []
            is_told = visit["response"] != Participation.DECLINED
            planned += self._appointments.withdraw(tx, visit, "absence", details, tell=is_told)
        events.add(tx, "visit.absence", who=source, day=notice.day, to=last, visits=done)
        return Taken(planned, checking.joined(*warnings), is_whole=done == len(hit))

    def _of(
        self, tx: Transaction, notice: Notice, first: dt.date, last: dt.date, owner: str
    ) -> list[Row]:
        """Return the visits that a notice speaks of, of any status."""
        wanted = {
            column: checking.same_name(name)
            for column, name in (
                ("practitioner", notice.practitioner or ""),
                ("location", notice.location or ""),
            )
            if name.strip()
        }
        if not wanted:
            raise RefusedRecordError(
                f"{owner}: whose? practitioner or location is needed", "practitioner"
            )
        begin, end = self._calendar.day_bounds(first)[0], self._calendar.day_bounds(last)[1]
        rows = visits.between(tx, format_utc(begin), format_utc(end))
        found = [
            row
            for row in rows
            if all(checking.same_name(row[column] or "") == name for column, name in wanted.items())
        ]
        if not found:
            raise _nobody(notice, rows, owner, first, last)
        return found

    # -- results and own texts --------------------------------------------------------------------

    def results(self, tx: Transaction, notice: Notice, source: str) -> Taken:
        """Tell a patient that results are ready; never what they are.

        Raises:
            RefusedRecordError: nobody to tell, or a part that cannot be.
        """
        owner = "results"
        details: dict[str, object] = {}
        if (notice.text or "").strip():
            details["text"] = checking.text(notice.text, owner)
        how = self._how(tx, notice, Kind.RESULTS)
        person = self._person(tx, notice, how.category, owner)
        if person.hindrance is not None or person.phone is None:
            why = person.hindrance or "no-phone"
            note = f"results are ready: tell the patient ({why})"
            code = TaskCode.UNREACHABLE
            self._work.add(tx, NewTask(code, person.phone, person.patient_id, note=note))
            return Taken(person.requests, (why,))
        day = self._calendar.day(notice.due or _now(tx))
        key = notice.ref or f"{person.patient_id or person.phone}:{day}"
        new = _single(notice, Kind.RESULTS, how, person, details, f"results:{key}")
        return self._added(tx, new, person, source)

    def text(self, tx: Transaction, notice: Notice, source: str) -> Taken:
        """Say a text of the clinic's own to one person.

        Raises:
            RefusedRecordError: no text, nobody to tell, or a part that cannot be.
        """
        owner = "text"
        words = checking.text(notice.text, owner)
        if notice.asks is not None and notice.asks not in _ASKS:
            raise RefusedRecordError(
                f"text: asks {notice.asks!r} is unknown; allowed is {', '.join(_ASKS)}", "asks"
            )
        how = self._how(tx, notice, Kind.TEXT)
        person = self._person(tx, notice, how.category, owner)
        if person.hindrance is not None or person.phone is None:
            return Taken(person.requests, (person.hindrance or "no-phone",))
        key = notice.ref or self._content(tx, notice, person.phone, words)
        same_as = f"text:{source}:{key}"
        new = _single(notice, Kind.TEXT, how, person, {"text": words}, same_as)
        return self._added(tx, new, person, source)

    def _how(self, tx: Transaction, notice: Notice, kind: Kind) -> _How:
        """Find out when and how a notice is said.

        Raises:
            RefusedRecordError: unknown words, or it would be stale before it could be said.
        """
        category = checking.category(notice.category, kind)
        priority = checking.priority(notice.priority, kind, Priority.ROUTINE)
        now = _now(tx)
        due = max(notice.due or now, now)
        if priority not in plan.AT_ANY_HOUR and category != Category.STAFF:
            due = plan.in_window(self._calendar, due, now)
        expires = notice.expires or plan.expiry(kind, due, None)
        if expires <= due:
            ends, begins = self._calendar.local(expires), self._calendar.local(due)
            raise RefusedRecordError(
                f"{kind}: expires {ends:%Y-%m-%d %H:%M} lies before {begins:%Y-%m-%d %H:%M},"
                " when it could be said first",
                "expires",
            )
        return _How(category, priority, due, expires)

    def _added(self, tx: Transaction, new: NewRequest, person: _Person, source: str) -> Taken:
        new_id = requests.add(tx, new)
        if new_id is None:
            return Taken(person.requests)
        events.add(tx, "request.added", request=new_id, kind=new.kind, who=source)
        return Taken(person.requests + 1)

    def _content(self, tx: Transaction, notice: Notice, phone: str, words: str) -> str:
        """Return a key for a text without a reference: the same words to one phone on one day."""
        day = self._calendar.day(notice.due or _now(tx))
        return hashlib.sha256(f"{phone}\n{day}\n{words}".encode()).hexdigest()[:32]

    def _person(self, tx: Transaction, notice: Notice, category: Category, owner: str) -> _Person:
        """Find who is meant: a patient by number, or whoever has a phone.

        Raises:
            RefusedRecordError: a patient that nobody has told us of, without a phone.
        """
        if notice.patient is not None and notice.patient.strip():
            return self._patient(tx, notice, category, owner)
        number, _type, warning = self._patients.read_phone(notice.phone or "")
        if number is None:
            found = f"phone {notice.phone!r} cannot be read" if warning else "to whom?"
            raise RefusedRecordError(f"{owner}: {found}; patient or phone is needed", "phone")
        here = people.on_phone(tx, number)
        alone = here[0] if len(here) == 1 else None
        hindrance = self._reach.of_phone(tx, number, category)
        if hindrance is None and alone is not None:
            hindrance = self._reach.hindrance(tx, alone, category=category)
        patient_id = None if alone is None or category == Category.STAFF else alone["id"]
        return _Person(number, patient_id, None if category == Category.STAFF else hindrance)

    def _patient(self, tx: Transaction, notice: Notice, category: Category, owner: str) -> _Person:
        patient_id = checking.number(notice.patient, owner, "patient")
        row, added = people.get(tx, patient_id), 0
        if row is None:
            if not (notice.phone or "").strip():
                raise RefusedRecordError(
                    f"{owner}: patient {patient_id!r} is unknown, and no phone is given", "patient"
                )
            record = PatientRecord(id=patient_id, phone=notice.phone, language=notice.language)
            known = self._patients.take(tx, record, owner=owner)
            row, added = known.row, known.requests
        phone = row["phone"]
        hindrance = self._reach.hindrance(tx, row, category=category)
        return _Person(phone, patient_id, hindrance, added)


def _now(tx: Transaction) -> dt.datetime:
    return dt.datetime.fromisoformat(tx.now)


def _is_ahead(visit: Row, now: str) -> bool:
    return visit["status"] in AHEAD and visit["start"] > now and not visit["withdrawn"]


def _single(
    notice: Notice,
    kind: Kind,
    how: _How,
    person: _Person,
    details: dict[str, object],
    same_as: str,
) -> NewRequest:
    language = checking.language(notice.language)
    return NewRequest(
        kind=kind,
        phone=person.phone or "",
        due=format_utc(how.due),
        expires=format_utc(how.expires),
        same_as=same_as,
        category=how.category,
        patient_id=person.patient_id,
        asks=notice.asks if kind == Kind.TEXT else None,
        details=details if language is None else {**details, "language": language},
        priority=how.priority,
    )


def _nobody(
    notice: Notice, rows: list[Row], owner: str, first: dt.date, last: dt.date
) -> RefusedRecordError:
    """Say whom the visits of these days are with, instead."""
    column = "practitioner" if notice.practitioner else "location"
    names = sorted({str(row[column]) for row in rows if row[column]})
    span = f"on {first}" if first == last else f"from {first} to {last}"
    known = f"; known are {', '.join(names[:10])}" if names else "; none are known at all"
    return RefusedRecordError(
        f"{owner}: no visit {span} is with {notice.practitioner or notice.location!r}{known}",
        column,
    )
