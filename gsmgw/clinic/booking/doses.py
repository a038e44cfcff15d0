# SPDX-License-Identifier: Apache-2.0
"""Medicines: a text for each dose, planned a day ahead, and work when doses go by unanswered.

The text names no medicine. It goes at the hour that the clinic has chosen, at night and on Sundays
too, and never late: after an hour it is stale.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable

from gsmgw.clinic import plan
from gsmgw.clinic.booking import checking
from gsmgw.clinic.booking.checking import Taken
from gsmgw.clinic.booking.patients import Patients
from gsmgw.clinic.booking.reach import Reach
from gsmgw.clinic.calendar import Calendar
from gsmgw.clinic.model import Kind, Notice, PatientRecord, TaskCode
from gsmgw.clinic.work import Work
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.errors import RefusedRecordError
from gsmgw.store import events
from gsmgw.store.clinic import people, planning, regimens, requests
from gsmgw.store.clinic.tasks import NewTask
from gsmgw.store.database import Row, Transaction

#: A longer regimen is a slip of the pen; a new file prolongs one.
LONGEST = dt.timedelta(days=366)
_DAY = dt.timedelta(days=1)
#: Regimens that are read at once, to be looked at.
_AT_ONCE = 100
#: The text of a dose after which nobody asks.
WITHOUT_QUESTION = "dose_plain"


class Doses:
    """Keeps regimens and plans their doses. Immutable; works in the caller's transaction."""

    def __init__(
        self, config: Config, calendar: Calendar, reach: Reach, patients: Patients, work: Work
    ) -> None:
        """Read after how many doses without a yes somebody is to ask."""
        self._most_missed = config.reminders.doses_missed
        self._calendar = calendar
        self._reach = reach
        self._patients = patients
        self._work = work

    def take(self, tx: Transaction, notice: Notice, source: str) -> Taken:
        """Add a regimen, change the one of the same reference, or end it (no times).

        Raises:
            RefusedRecordError: nobody to tell, no possible times or days.
        """
        times = checking.times(notice.times, "regimen")
        first, last = self._days(tx, notice)
        if not times and notice.ref is None:
            raise RefusedRecordError("regimen: times are missing", "times")
        patient, added, warnings = self._patient(tx, notice)
        asks = notice.asks == "dose"
        key = notice.ref or f"{patient['id']}:{first}:{last}:{','.join(times)}"
        regimen_id, is_different = regimens.put(
            tx, key, patient["id"], times, (str(first), str(last)), asks=asks
        )
        if not is_different:
            return Taken(added, checking.joined(*warnings))
        events.add(tx, "regimen.taken", regimen=regimen_id, patient=patient["id"], who=source)
        requests.revoke(tx, regimens.waiting_doses(tx, regimen_id), "replaced")
        hindrance = self._reach.hindrance(tx, patient)
        warnings += [hindrance] if hindrance else []
        regimen = regimens.get(tx, regimen_id)
        if regimen is not None and regimen["status"] == "active":
            today = self._calendar.day(dt.datetime.fromisoformat(tx.now))
            added += self._plan_and_look(tx, regimen, today)
        return Taken(added, checking.joined(*warnings))

    def _patient(self, tx: Transaction, notice: Notice) -> tuple[Row, int, list[str]]:
        """Find whose regimen it is; one on a phone that nobody else has will do."""
        number = (notice.patient or "").strip() or None
        if number is not None and not (notice.phone or "").strip():
            known = people.get(tx, number)
            if known is None:
                raise RefusedRecordError(
                    f"regimen: patient {number!r} is unknown, and no phone is given", "patient"
                )
            return known, 0, []
        phone, _type, _warning = self._patients.read_phone(notice.phone or "")
        here = [] if phone is None or number is not None else people.on_phone(tx, phone)
        if len(here) > 1:
            raise RefusedRecordError(
                f"regimen: {len(here)} patients have this phone; name one (patient)", "patient"
            )
        if here:
            return here[0], 0, []
        record = PatientRecord(id=number, phone=notice.phone, language=notice.language)
        taken = self._patients.take(tx, record, owner="regimen")
        return taken.row, taken.requests, list(taken.warnings)

    def _days(self, tx: Transaction, notice: Notice) -> tuple[dt.date, dt.date]:
        first = notice.day or self._calendar.day(dt.datetime.fromisoformat(tx.now))
        last = notice.last_day
        if last is None:
            raise RefusedRecordError("regimen: the last day (to) is missing", "to")
        if last < first or last - first > LONGEST:
            raise RefusedRecordError(
                f"regimen: from {first} to {last} is no possible range; at most a year", "to"
            )
        return first, last

    # -- day by day -------------------------------------------------------------------------------

    def plan_ahead(
        self, tx: Transaction, now: dt.datetime, behind: int, is_over: Callable[[], bool]
    ) -> int | None:
        """Plan the doses of today and tomorrow, and look for those that went by.

        The same again changes nothing.

        Args:
            tx: the transaction.
            now: the time.
            behind: the regimen behind which to go on; 0 at first.
            is_over: asked before each regimen whether the others are left for the next time.

        Returns:
            The regimen to go on behind; None when all were looked at.
        """
        today = self._calendar.day(now)
        found = regimens.active(tx, behind, _AT_ONCE)
        for regimen in found:
            if is_over():
                return behind
            self._plan_and_look(tx, regimen, today)
            behind = int(regimen["id"])
        return behind if len(found) == _AT_ONCE else None

    def _plan_and_look(self, tx: Transaction, regimen: Row, today: dt.date) -> int:
        added = self._plan_regimen(tx, regimen, today)
        self._look_for_missed(tx, regimen)
        if regimen["last_day"] < str(today):
            regimens.complete(tx, regimen["id"])
        return added

    def _plan_regimen(self, tx: Transaction, regimen: Row, today: dt.date) -> int:
        patient = people.get(tx, regimen["patient_id"])
        last = min(today + _DAY, dt.date.fromisoformat(regimen["last_day"]))
        first = max(today, dt.date.fromisoformat(regimen["first_day"]))
        is_done = regimen["planned_to"] is not None and regimen["planned_to"] >= str(last)
        if patient is None or first > last:
            return 0
        if self._reach.hindrance(tx, patient) is not None:
            # What was planned was taken back: it is planned again once it may be said.
            if regimen["planned_to"] is not None:
                regimens.planned(tx, regimen["id"], None)
            return 0
        if is_done:
            return 0
        added, day = 0, first
        while day <= last:
            for clock in json.loads(regimen["times"]):
                added += self._plan_dose(tx, regimen, patient, day, clock)
            day += _DAY
        regimens.planned(tx, regimen["id"], str(last))
        return added

    def _plan_dose(
        self, tx: Transaction, regimen: Row, patient: Row, day: dt.date, clock: str
    ) -> int:
        due = self._calendar.moment(day, dt.time.fromisoformat(clock))
        expires = format_utc(plan.expiry(Kind.DOSE, due, None))
        # No late dose; but after an outage of a day and more one may be due that nobody planned.
        if (expires if regimen["planned_to"] is not None else format_utc(due)) <= tx.now:
            return 0
        details: dict[str, object] = {"time": clock, "regimen": regimen["id"]}
        if not regimen["asks"]:
            details["template"] = WITHOUT_QUESTION
        new = requests.NewRequest(
            kind=Kind.DOSE,
            phone=patient["phone"],
            due=format_utc(due),
            expires=expires,
            same_as=f"dose:{regimen['id']}:{day}:{clock}",
            patient_id=patient["id"],
            asks="dose" if regimen["asks"] else None,
            details=details,
            priority=plan.MANNERS[Kind.DOSE].priority,
        )
        if requests.add(tx, new) is not None:
            return 1
        return int(planning.revive_same(tx, new))

    def _look_for_missed(self, tx: Transaction, regimen: Row) -> None:
        """Count the doses without a yes since the last one with; enough of them are work."""
        if not regimen["asks"]:
            return
        newest = regimens.asked_doses(tx, regimen["id"], self._most_missed)
        count = 0
        for dose in newest:
            if dose["is_taken"]:
                break
            count += 1
        if count == regimen["missed"]:
            return
        regimens.missed(tx, regimen["id"], count)
        if count >= self._most_missed:
            patient = people.get(tx, regimen["patient_id"])
            self._work.add(
                tx,
                NewTask(
                    code=TaskCode.URGENT,
                    phone=None if patient is None else patient["phone"],
                    patient_id=regimen["patient_id"],
                    request_id=newest[0]["id"],
                    note=f"{count} reminders of a medicine in a row without a yes",
                ),
            )
