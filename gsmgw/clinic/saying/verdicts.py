# SPDX-License-Identifier: Apache-2.0
"""Whether a request that is due may be said now: the visit, the patient's wish, the hours.

What was checked when it was planned is checked again here: days may have passed, and the box may
have been without power for some of them (R8). Every answer is one of three: say it, look again
later, or take it back for a reason.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from gsmgw import logs
from gsmgw.clinic import plan
from gsmgw.clinic.booking.reach import Reach
from gsmgw.clinic.calendar import Calendar
from gsmgw.clinic.model import Kind, Participation, VisitStatus
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.model import Category
from gsmgw.store.clinic import requests, tasks
from gsmgw.store.database import Row, Transaction

#: Answers to what somebody wrote: they were asked for, so neither consent in a file nor caps bind.
ANSWERS = frozenset(
    {
        Kind.ACK_ACCEPT,
        Kind.ACK_DECLINE,
        Kind.ACK_SEVERAL,
        Kind.ACK_DOSE,
        Kind.TOO_LATE,
        Kind.UNCLEAR,
        Kind.MOVED,
        Kind.CALLBACK_ACK,
        Kind.RESCHEDULE_ACK,
        Kind.AFTER_HOURS,
        Kind.RECEIVED,
        Kind.STOP_ACK,
        Kind.START_ACK,
        Kind.HELP,
        Kind.INFO,
    }
)
STAFF = frozenset({Kind.STAFF_TASK, Kind.DIGEST})
#: Said only of a visit that still takes place, at the time spoken of.
OF_VISITS_AHEAD = frozenset({Kind.BOOKED, Kind.REMINDER, Kind.CHANGED, Kind.DELAYED})
#: Texts that a phone gets at most so many of a day (R7). News of what has changed is not held back
#: by them, nor is a medicine, nor what a person had written.
CAPPED = frozenset({Kind.BOOKED, Kind.REMINDER, Kind.MISSED, Kind.RESULTS, Kind.WELCOME})
#: Kinds that count for it.
COUNTED = (*CAPPED, Kind.CHANGED, Kind.CANCELLED, Kind.DELAYED)
log = logs.get("clinic")

_LIMITED = frozenset({Category.SURVEY, Category.MARKETING})
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done with a request; all None: say it."""

    reason: str | None = None  #: take it back, for this reason
    later: dt.datetime | None = None  #: look again then


SAY = Verdict()


class Verdicts:
    """Judges requests. Immutable; callable from any thread."""

    def __init__(self, config: Config, calendar: Calendar) -> None:
        self._calendar = calendar
        self._reminders = config.reminders
        self._reach = Reach(config)
        self._answers_at_night = config.replies.auto_reply_night
        self._min_lead = dt.timedelta(seconds=config.reminders.min_lead)

    def judge(self, tx: Transaction, row: Row, now: dt.datetime, task: int | None) -> Verdict:
        """Say what is to be done with a request that is due.

        Args:
            tx: the transaction.
            row: as `requests.waiting_for` returns it.
            now: the time of the transaction.
            task: the task that a notice to staff is about.
        """
        kind = Kind(row["kind"])
        reason = (
            self._work(tx, task)
            if kind in STAFF
            else self._visit(row, kind) or self._person(tx, row, kind)
        )
        reason = reason or self._stale(row, kind, now)
        if reason:
            return Verdict(reason)
        return SAY if kind in STAFF else self._hours(row, kind, now)

    # -- what it is about -------------------------------------------------------------------------

    def _work(self, tx: Transaction, task: int | None) -> str | None:
        found = None if task is None else tasks.get(tx, task)
        is_closed = found is not None and found["closed_at"] is not None
        return "done" if is_closed else None

    def _visit(self, row: Row, kind: Kind) -> str | None:
        """Say why a text no longer fits its visit (R8, R12)."""
        if row["about"] is None or (kind in ANSWERS and kind != Kind.MOVED):
            return None
        if row["visit_status"] is None:
            return "forgotten"
        if kind in OF_VISITS_AHEAD and row["visit_status"] != VisitStatus.BOOKED:
            return str(row["visit_status"])
        if kind in OF_VISITS_AHEAD and row["withdrawn"] is not None:
            return "withdrawn"
        if kind == Kind.MISSED and row["visit_status"] != VisitStatus.NOSHOW:
            return str(row["visit_status"])
        if row["about_start"] is not None and row["about_start"] != row["visit_start"]:
            return "moved"
        if kind == Kind.REMINDER and row["visit_response"] == Participation.DECLINED:
            return "answered"
        return None

    def _person(self, tx: Transaction, row: Row, kind: Kind) -> str | None:
        """Say why a person may not be written to; a file's yes never overrides a STOP."""
        if kind == Kind.STOP_ACK:
            return None  # the one text that a STOP itself calls for
        category = Category(row["category"])
        if kind in ANSWERS or row["patient_id"] is None:
            return self._reach.of_phone(tx, row["phone"], category)
        if row["patient_phone"] != row["phone"]:
            return "no-phone"
        return self._reach.hindrance(tx, row, row["service"], category)

    # -- when -------------------------------------------------------------------------------------

    def _stale(self, row: Row, kind: Kind, at: dt.datetime) -> str | None:
        """Say why it would come too late at a time (R2, R4)."""
        if kind == Kind.REMINDER and row["about_start"] is not None:
            left = dt.datetime.fromisoformat(row["about_start"]) - at
            if left < self._min_lead:
                return "too-late"
        return "expired" if row["expires"] <= format_utc(at) else None

    def _hours(self, row: Row, kind: Kind, now: dt.datetime) -> Verdict:
        """Keep the send window (R2), also for what an outage has moved out of it."""
        is_free = (
            kind == Kind.DOSE
            or (kind in ANSWERS and self._answers_at_night)
            or (kind == Kind.TEXT and row["priority"] in plan.AT_ANY_HOUR)
        )
        if is_free or self._calendar.within_window(now):
            return SAY
        return self.put_off(row, self._calendar.next_allowed(now))

    def put_off(self, row: Row, at: dt.datetime) -> Verdict:
        """Look again at a time, or take it back if it would be stale by then."""
        reason = self._stale(row, Kind(row["kind"]), at)
        return Verdict(reason) if reason else Verdict(later=at)

    # -- how much (R7) ----------------------------------------------------------------------------

    def cap(self, tx: Transaction, row: Row, now: dt.datetime) -> Verdict:
        """Say whether a phone, or the clinic, has had its share of texts."""
        limits, phone = self._reminders.per_phone, row["phone"]
        category = Category(row["category"])
        today = self._calendar.day(now)
        midnight, tomorrow = self._calendar.day_bounds(today)
        is_full = False
        if row["kind"] in CAPPED:
            is_full = (
                requests.count_texts(tx, phone, COUNTED, format_utc(midnight)) >= limits.day
            ) or (
                limits.week is not None
                and requests.count_texts(tx, phone, COUNTED, self._since(midnight, 6))
                >= limits.week
            )
        if category in _LIMITED:
            is_survey = category == Category.SURVEY
            days = limits.survey_days if is_survey else limits.marketing_days
            if requests.was_written(tx, phone, category, self._since(midnight, days - 1)):
                is_full = True
            elif self.is_over_budget(tx, midnight):
                return self._next_day(row, tomorrow, "budget")
        return self._next_day(row, tomorrow, "cap") if is_full else SAY

    def is_over_budget(self, tx: Transaction, since: dt.datetime) -> bool:
        """Tell whether the day's parts are used up."""
        most = self._reminders.budget.day
        if most is None or requests.count_parts(tx, format_utc(since)) < most:
            return False
        tx.after_commit(lambda: log.warning("budget.reached", key=(), parts=most))
        return True

    def _since(self, midnight: dt.datetime, days: int) -> str:
        day = self._calendar.day(midnight) - days * _DAY
        return format_utc(self._calendar.day_bounds(day)[0])

    def _next_day(self, row: Row, tomorrow: dt.datetime, reason: str) -> Verdict:
        found = self.put_off(row, self._calendar.next_allowed(tomorrow))
        return Verdict(reason) if found.reason else found
