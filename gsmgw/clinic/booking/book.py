# SPDX-License-Identifier: Apache-2.0
"""The book of visits: takes every record of the clinic's files and plans what follows from it.

Theory of operation: a door hands in a record with a write transaction of its own, so that what the
door must remember is committed with what the record changed. Records say how things are, not what
to do: the same record again changes nothing. Texts are planned as requests; `saying` makes
messages of them when they are due.

Threads and locks: no state but the configuration; callable from any thread. A record costs about
0.3 ms: take a piece of them (`locks.Pace`) in one transaction, then let others write.

On failure: a record that cannot be used raises RefusedRecordError before anything of it is
written, or, where the caller's transaction goes on, with what was written before it.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Collection, Iterable

from gsmgw.clinic.booking.appointments import Appointments
from gsmgw.clinic.booking.checking import Taken
from gsmgw.clinic.booking.doses import Doses
from gsmgw.clinic.booking.notices import Notices
from gsmgw.clinic.booking.patients import Patients
from gsmgw.clinic.booking.reach import Reach
from gsmgw.clinic.booking.reconciling import Reconciler
from gsmgw.clinic.calendar import Calendar
from gsmgw.clinic.model import Notice, PatientRecord, Record, VisitRecord, VisitStatus
from gsmgw.clinic.work import Work
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.errors import RefusedRecordError
from gsmgw.store.clinic import regimens, visits
from gsmgw.store.database import Database, Transaction

#: Visits that a snapshot may cancel: those that are, or may yet be, to take place.
_EXPECTED = frozenset({VisitStatus.BOOKED, VisitStatus.PENDING, VisitStatus.PROPOSED})


class Booking:
    """Applies records and keeps the plan. Immutable; works in the caller's transaction."""

    def __init__(self, config: Config, calendar: Calendar, work: Work) -> None:
        """Put together what visits, patients and notices are applied with."""
        self._calendar = calendar
        self.reach = Reach(config)
        self._reconciler = Reconciler(config, calendar, self.reach)
        self._patients = Patients(config, calendar, self.reach, self._reconciler)
        self._appointments = Appointments(config, calendar, self._reconciler, self._patients, work)
        self._notices = Notices(
            calendar, self.reach, self._reconciler, self._patients, self._appointments, work
        )
        self._doses = Doses(config, calendar, self.reach, self._patients, work)

    def prepare(self, records: Iterable[Record]) -> None:
        """Do what takes long and needs no transaction for some records that are to be taken."""
        for record in records:
            patient = record.patient if isinstance(record, VisitRecord) else record
            if isinstance(patient, PatientRecord) and patient.phone is not None:
                self._patients.read_phone(patient.phone)

    def take(
        self,
        tx: Transaction,
        record: Record,
        *,
        file_id: int | None = None,
        source: str = "file",
        is_over: Callable[[], bool] = bool,
    ) -> Taken:
        """Apply a record; the same record again changes nothing and plans nothing.

        Args:
            tx: the caller's transaction.
            record: a visit, a patient or a notice.
            file_id: the file in which it stands, if any.
            source: who says so: a kind of file, or a person's name.
            is_over: asked between the visits that an absence calls off whether the others are left
                for the next call with the same record.

        Raises:
            RefusedRecordError: it cannot be used; the words say what was found and what is wanted.
        """
        if isinstance(record, VisitRecord):
            return self._appointments.take(tx, record, file_id=file_id, source=source)
        if isinstance(record, PatientRecord):
            owner = "a patient" if not record.id else f"patient {record.id[:40]!r}"
            known = self._patients.take(tx, record, owner=owner)
            return Taken(known.requests, known.warnings)
        return self._take_notice(tx, record, source, is_over)

    def _take_notice(
        self, tx: Transaction, notice: Notice, source: str, is_over: Callable[[], bool]
    ) -> Taken:
        takers: dict[str, Callable[[Transaction, Notice, str], Taken]] = {
            "delay": self._notices.delay,
            "absence": functools.partial(self._notices.absence, is_over=is_over),
            "results": self._notices.results,
            "regimen": self._doses.take,
            "text": self._notices.text,
        }
        taker = takers.get(notice.kind)
        if taker is None:
            raise RefusedRecordError(
                f"kind {notice.kind!r} is unknown; allowed are {', '.join(takers)}", "kind"
            )
        return taker(tx, notice, source)

    def cancel_missing(
        self,
        tx: Transaction,
        days: Collection[dt.date],
        file_id: int,
        is_over: Callable[[], bool] = bool,
    ) -> tuple[int, bool]:
        """Cancel the visits of these days that an earlier file named and this one does not.

        Only visits ahead; those that no file has ever named (added by hand) stay.

        Args:
            tx: the transaction.
            days: of the clinic.
            file_id: the file that lacks them.
            is_over: asked before each visit whether the others are left for the next call.

        Returns:
            How many visits were cancelled, and whether these were all.
        """
        cancelled = 0
        for day in sorted(days):
            first, end = (format_utc(at) for at in self._calendar.day_bounds(day))
            for visit in visits.between(tx, max(first, tx.now), end):
                is_missing = visit["file_id"] is not None and visit["file_id"] != file_id
                if is_missing and visit["status"] in _EXPECTED:
                    if is_over():
                        return cancelled, False
                    self._appointments.drop(tx, visit, file_id)
                    cancelled += 1
        return cancelled, True

    def replan(self, tx: Transaction, appointment_id: str) -> int:
        """Bring what stands planned for a visit in line with its plan; return how much was added.

        After an answer, a STOP or START, and when the configuration's plan has changed.
        """
        return self._reconciler.replan(tx, appointment_id)

    def replan_round(
        self, tx: Transaction, behind: str, limit: int, is_over: Callable[[], bool] = bool
    ) -> str | None:
        """Replan some visits ahead, in the order of their numbers, behind one of them.

        Args:
            tx: the transaction.
            behind: the last number of the round before; "" at first.
            limit: so many visits at most.
            is_over: asked before each visit whether the others are left for the next round.

        Returns:
            The last number, to go on behind; None when there are no more.
        """
        ids = visits.after(tx, behind, tx.now, limit)
        for appointment_id in ids:
            if is_over():
                return behind
            self._reconciler.replan(tx, appointment_id)
            behind = appointment_id
        return behind if ids else None

    # -- medicines --------------------------------------------------------------------------------

    def has_doses(self, db: Database) -> bool:
        """Tell whether `dose_round` has anything to do; one indexed look."""
        return regimens.is_any(db)

    def dose_round(
        self, tx: Transaction, now: dt.datetime, behind: int, is_over: Callable[[], bool] = bool
    ) -> int | None:
        """Plan the doses of today and tomorrow, and make work of those that went by unanswered.

        Begin a round each minute or so while `has_doses`.

        Args:
            tx: the transaction.
            now: the time.
            behind: what the call before has returned; 0 at first.
            is_over: asked before each regimen whether the others are left for the next call.

        Returns:
            What to go on behind; None when the round is over.
        """
        return self._doses.plan_ahead(tx, now, behind, is_over)
