# SPDX-License-Identifier: Apache-2.0
"""Visits as the clinic's files tell of them: what has happened to one, and what is said of that.

Only the clinic's files write a visit's `status`; the patient's `response` is taken back here when
the visit moves, since it was an answer to another time (R12).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from gsmgw import errors, logs
from gsmgw.clinic import plan
from gsmgw.clinic.booking import checking
from gsmgw.clinic.booking.checking import Taken
from gsmgw.clinic.booking.patients import Patients
from gsmgw.clinic.booking.reconciling import Case, Reconciler
from gsmgw.clinic.calendar import Calendar
from gsmgw.clinic.model import (
    AHEAD,
    DATELESS,
    OFF,
    Kind,
    Participation,
    TaskCode,
    VisitRecord,
    VisitStatus,
)
from gsmgw.clinic.work import Work
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.errors import RefusedRecordError
from gsmgw.store import events
from gsmgw.store.clinic import people, planning, visits
from gsmgw.store.clinic.requests import NewRequest
from gsmgw.store.clinic.tasks import NewTask
from gsmgw.store.database import Row, Transaction

log = logs.get("clinic")

#: A visit that we first hear of when it was missed is written about for so long.
MISSED_LATELY = dt.timedelta(days=2)
#: A visit that we knew before is written about for so long after it was missed.
MISSED_WITHIN = dt.timedelta(days=14)

_OVER = frozenset({VisitStatus.ARRIVED, VisitStatus.FULFILLED, VisitStatus.NOSHOW})
#: A new start, and no word of the status, books these again.
_DATED_AGAIN = frozenset({VisitStatus.CANCELLED, VisitStatus.NOSHOW})
#: Texts that tell a patient when a visit is.
_TELL_START = frozenset({Kind.BOOKED, Kind.REMINDER, Kind.CHANGED})
_OPEN = Participation.NEEDS_ACTION
_COLUMNS = ("practitioner", "service", "location")


class Change(StrEnum):
    """What a record does to a visit."""

    ADDED = "added"
    BOOKED = "booked"  #: it has a date now, or stands again after it was off
    MOVED = "moved"
    CANCELLED = "cancelled"
    MISSED = "missed"
    DETAILS = "changed"  #: doctor, room, length, status: nothing that a text tells
    NONE = "none"


@dataclass(frozen=True, slots=True)
class _Update:
    """A visit before and after a record."""

    old: Row | None
    status: VisitStatus
    start: dt.datetime | None
    values: dict[str, object]
    change: Change


class Appointments:
    """Applies what files say of visits. Immutable; works in the caller's transaction."""

    def __init__(
        self,
        config: Config,
        calendar: Calendar,
        reconciler: Reconciler,
        patients: Patients,
        work: Work,
    ) -> None:
        """Read what is said when."""
        self._settings = config.reminders
        self._calendar = calendar
        self._reconciler = reconciler
        self._patients = patients
        self._work = work

    def take(
        self, tx: Transaction, record: VisitRecord, *, file_id: int | None, source: str
    ) -> Taken:
        """Add or change a visit, and plan what follows.

        Raises:
            RefusedRecordError: it has no number, no start, or a part that cannot be.
        """
        visit_id = checking.number(record.id, "a visit", "appointment")
        owner = f"visit {visit_id!r}"
        old = visits.get(tx, visit_id)
        update = _compare(record, old, owner, tx.now)
        known_as = None if old is None else str(old["patient_id"])
        patient = self._patients.take(tx, record.patient, owner=owner, known_as=known_as)
        if known_as is not None and patient.id != known_as:
            self._is_anothers(tx, update, known_as)
        visit = self._write(tx, visit_id, update, patient.id, file_id)
        case = self._reconciler.case_of(tx, visit, patient.row)
        if update.change != Change.NONE:
            events.add(tx, f"visit.{update.change}", visit=visit_id, who=source, file=file_id)
            change = update.change
            tx.after_commit(lambda: log.debug("visit.taken", visit=visit_id, change=change))
        kind = self._kind(tx, case, update, record.cancelled_by)
        news = None if kind is None else self._announce(tx, case, kind, {})
        planned = self._reconciler.reconcile(tx, case, news)
        warnings = self._warnings(case, update, tx.now)
        return Taken(patient.requests + planned, checking.joined(*patient.warnings, *warnings))

    def withdraw(
        self,
        tx: Transaction,
        visit: Row,
        reason: str,
        details: dict[str, object],
        *,
        tell: bool = True,
    ) -> int:
        """Let a visit be off without the clinic's cancellation (an absence); tell the patient.

        Returns how many texts that makes.
        """
        visits.put(tx, visit["id"], {"withdrawn": reason})
        events.add(tx, "visit.withdrawn", visit=visit["id"], why=reason)
        return self._tell_off(tx, visit["id"], details, tell=tell)

    def drop(self, tx: Transaction, visit: Row, file_id: int) -> int:
        """Cancel a visit that a snapshot lacks; return how many texts that makes."""
        values = {"status": VisitStatus.CANCELLED, "withdrawn": "missing", "file_id": file_id}
        visits.put(tx, visit["id"], values)
        events.add(tx, "visit.cancelled", visit=visit["id"], why="missing", file=file_id)
        is_news = visit["status"] in AHEAD and visit["withdrawn"] is None
        tell = is_news and visit["response"] != Participation.DECLINED
        return self._tell_off(tx, visit["id"], {}, tell=tell)

    def _tell_off(
        self, tx: Transaction, visit_id: str, details: dict[str, object], *, tell: bool
    ) -> int:
        """Take back what was planned for a visit that is off now, and tell the patient."""
        case = self._reconciler.case(tx, visit_id)
        if case is None:
            return 0
        news = self._announce(tx, case, Kind.CANCELLED, details) if tell else None
        return self._reconciler.reconcile(tx, case, news)

    # -- writing ----------------------------------------------------------------------------------

    def _write(
        self, tx: Transaction, visit_id: str, update: _Update, patient_id: str, file_id: int | None
    ) -> Row:
        """Write what is different; return the visit as it stands then."""
        old, values = update.old, dict(update.values)
        if old is None:
            values["patient_id"], values["file_id"] = patient_id, file_id
            values["variant"] = plan.variant_of(self._settings.variant, visit_id)
            return visits.add(tx, visit_id, values)
        if old["patient_id"] != patient_id:
            values["patient_id"] = patient_id
        if file_id is not None and old["file_id"] != file_id:
            visits.named_by(tx, visit_id, file_id)
        if not values:
            return old
        visits.put(tx, visit_id, values)
        if "version" in values and old["response"] != _OPEN:
            visits.answered(tx, visit_id, _OPEN)
        visit = visits.get(tx, visit_id)
        if visit is None:
            raise errors.StoreError("a visit that was just written is not there")
        return visit

    def _is_anothers(self, tx: Transaction, update: _Update, former: str) -> None:
        """Forget what was answered for a visit that belongs to another patient now."""
        old, known = update.old, people.get(tx, former)
        if old is None:
            return
        update.values.setdefault("version", old["version"] + 1)
        if known is not None and known["phone"] is not None:
            planning.close_about(tx, old["id"], known["phone"])

    # -- what is said of it -----------------------------------------------------------------------

    def _kind(self, tx: Transaction, case: Case, update: _Update, cancelled_by: str) -> Kind | None:
        """Return the text that a change calls for, if any."""
        old, change = update.old, update.change
        if update.start is None:
            return None
        starts = format_utc(update.start)
        if change == Change.MISSED:
            return self._kind_missed(tx, case, update)
        if starts <= tx.now:
            return None
        if change == Change.CANCELLED:
            # Who has declined knows, and so does who was told of the doctor's absence.
            knows = old is None or old["response"] == Participation.DECLINED or old["withdrawn"]
            return None if knows or cancelled_by else Kind.CANCELLED
        if change not in (Change.ADDED, Change.BOOKED, Change.MOVED):
            return None
        if update.status not in AHEAD:
            return None
        if change == Change.ADDED:
            return Kind.BOOKED if self._settings.booked else None
        return self._kind_again(tx, case, change)

    def _kind_again(self, tx: Transaction, case: Case, change: Change) -> Kind | None:
        """Choose the text for a visit with a new time, or one that stands again."""
        said = [
            row for row in planning.of_visit(tx, case.visit["id"]) if row["status"] == "completed"
        ]
        last = max(said, key=lambda row: (row["outbox_id"] or 0, row["id"]), default=None)
        # The patient may never have heard that it had moved away, or was off.
        knows = last is not None and last["kind"] in _TELL_START
        if last is not None and knows and last["about_start"] == case.visit["start"]:
            return None
        if change == Change.MOVED or (last is not None and last["kind"] == Kind.CANCELLED):
            return Kind.CHANGED
        return Kind.BOOKED if self._settings.booked else None

    def _kind_missed(self, tx: Transaction, case: Case, update: _Update) -> Kind | None:
        if not self._settings.missed or update.start is None:
            return None
        within = MISSED_LATELY if update.old is None else MISSED_WITHIN
        if update.start + within < dt.datetime.fromisoformat(tx.now):
            return None
        others = visits.ahead_of_patient(tx, case.patient["id"], tx.now)
        # Who has another visit ahead has been spoken with.
        return None if any(row["status"] in AHEAD for row in others) else Kind.MISSED

    def _announce(
        self, tx: Transaction, case: Case, kind: Kind, details: dict[str, object]
    ) -> NewRequest | None:
        """Return a text, or make it a person's work if the patient must know and cannot be told."""
        if case.hindrance is None:
            facts = self._reconciler.facts(tx, case)
            now = dt.datetime.fromisoformat(tx.now)
            news = plan.announcement(kind, facts, self._calendar, now, **details)
            if news is not None:
                return news
        if kind in (Kind.CANCELLED, Kind.CHANGED) and case.hindrance != "inactive":
            self._ring(tx, case, kind)
        return None

    def _ring(self, tx: Transaction, case: Case, kind: Kind) -> None:
        """Make it work: somebody would come for nothing."""
        start = self._calendar.local(dt.datetime.fromisoformat(case.visit["start"]))
        why = case.hindrance or "too late for a text"
        self._work.add(
            tx,
            NewTask(
                code=TaskCode.UNREACHABLE if case.hindrance else TaskCode.URGENT,
                phone=case.patient["phone"],
                patient_id=case.patient["id"],
                about=case.visit["id"],
                note=f"{kind} {start:%Y-%m-%d %H:%M}: tell the patient ({why})",
            ),
        )

    def _warnings(self, case: Case, update: _Update, now: str) -> list[str]:
        """Return what will not work for a visit that is to take place."""
        if update.status not in AHEAD or update.start is None:
            return []
        is_new = update.change in (Change.ADDED, Change.MOVED, Change.BOOKED)
        left = update.start - dt.datetime.fromisoformat(now)
        if left <= dt.timedelta():
            return ["past"] if is_new else []
        if case.hindrance is not None:
            return [case.hindrance]
        is_late = left < dt.timedelta(seconds=self._settings.min_lead)
        return ["too-late"] if is_new and is_late else []


def _compare(record: VisitRecord, old: Row | None, owner: str, now: str) -> _Update:
    """Find out what a record changes.

    Raises:
        RefusedRecordError: a start is missing, or a part cannot be.
    """
    start = _start(record, old, owner, now)
    status = _status(record, old, now)
    if start is None and status not in DATELESS:
        raise RefusedRecordError(
            f"{owner} has no start (date and time); only one that is"
            f" {', '.join(sorted(DATELESS))} may lack it",
            "start",
        )
    values = _details(record, owner)
    if old is None:
        values |= {"status": status, "start": None if start is None else format_utc(start)}
        change = Change.ADDED
        if status == VisitStatus.NOSHOW:
            change = Change.MISSED
        return _Update(old, status, start, values, change)
    values = {name: value for name, value in values.items() if old[name] != value}
    change = _change(old, status, start, values)
    if status != old["status"]:
        values["status"] = status
    if start is not None and format_utc(start) != old["start"]:
        values["start"] = format_utc(start)
    if change in (Change.MOVED, Change.BOOKED):
        values |= {"version": old["version"] + 1, "booked_at": now}
        if old["withdrawn"]:
            values["withdrawn"] = None
    return _Update(old, status, start, values, change)


def _details(record: VisitRecord, owner: str) -> dict[str, object]:
    given = {
        name: checking.name(getattr(record, name), owner, name) or None for name in _COLUMNS
    } | {"minutes": checking.minutes(record.minutes, owner, 24 * 60)}
    return {name: value for name, value in given.items() if value is not None}


def _start(record: VisitRecord, old: Row | None, owner: str, now: str) -> dt.datetime | None:
    # A cancellation is of the visit as the patient knows it, whatever time stands beside it.
    is_off = record.status in OFF and old is not None and old["start"] is not None
    if record.start is not None and not is_off:
        return checking.start(record.start, owner, dt.datetime.fromisoformat(now))
    if old is not None and old["start"] is not None:
        return dt.datetime.fromisoformat(old["start"])
    return None


def _status(record: VisitRecord, old: Row | None, now: str) -> VisitStatus:
    if record.status == VisitStatus.BOOKED and old is not None and _is_over(record, old, now):
        return VisitStatus(old["status"])
    if record.status is not None:
        return record.status
    if old is None:
        return VisitStatus.BOOKED
    if record.start is not None:
        # It was off only because a snapshot lacked it, and now it stands in one again.
        is_back = old["withdrawn"] == "missing"
        has_moved = old["start"] is not None and format_utc(record.start) != old["start"]
        # Who lists visits without a status lists those that stand: it has a new date.
        if is_back or (has_moved and old["status"] in _DATED_AGAIN):
            return VisitStatus.BOOKED
    return VisitStatus(old["status"])


def _is_over(record: VisitRecord, old: Row, now: str) -> bool:
    """Tell whether a visit has taken place, or was missed: a list may go on naming it as booked."""
    has_passed = old["start"] is not None and old["start"] <= now
    is_same = record.start is None or format_utc(record.start) == old["start"]
    return has_passed and is_same and old["status"] in _OVER


def _change(
    old: Row, status: VisitStatus, start: dt.datetime | None, details: dict[str, object]
) -> Change:
    was = VisitStatus(old["status"])
    has_moved = start is not None and format_utc(start) != old["start"]
    if status in AHEAD:
        # The doctor is away, but another one sees the patient.
        stands_again = old["withdrawn"] is not None and "practitioner" in details
        if was in OFF or was in DATELESS or old["start"] is None or stands_again:
            return Change.BOOKED
    if status == VisitStatus.NOSHOW and was != VisitStatus.NOSHOW:
        return Change.MISSED
    if status in OFF and was not in OFF:
        is_news = was in AHEAD and status == VisitStatus.CANCELLED
        return Change.CANCELLED if is_news else Change.DETAILS
    if has_moved:
        return Change.MOVED
    return Change.DETAILS if details or status != was else Change.NONE
