# SPDX-License-Identifier: Apache-2.0
"""Brings what stands planned for a visit in line with what its plan says now.

What the plan wants and nobody has said is added, or taken up again; what it wants no longer is
taken back with the reason. What has been said stays as it is, so the same again changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from gsmgw.clinic import plan
from gsmgw.clinic.booking.reach import Reach
from gsmgw.clinic.calendar import Calendar
from gsmgw.clinic.model import AHEAD, DATELESS, OFF, Kind, Participation, RequestStatus, VisitStatus
from gsmgw.config import Config
from gsmgw.store.clinic import people, planning, requests, visits
from gsmgw.store.clinic.requests import NewRequest
from gsmgw.store.database import Row, Transaction

#: Texts that booking plans; answers to what a patient wrote are none of its business.
_OF_VISITS = frozenset(
    {Kind.BOOKED, Kind.REMINDER, Kind.CHANGED, Kind.CANCELLED, Kind.DELAYED, Kind.MISSED}
)
_WAITING = frozenset({RequestStatus.ACTIVE, RequestStatus.ON_HOLD})
#: Reasons for which something was taken back that may come true again. What was late, stale, over
#: a limit or refused at the door stays so.
_REVIVED = frozenset(
    {
        "answered",
        "cancelled",
        "moved",
        "absence",
        "missing",
        "noshow",
        "arrived",
        "fulfilled",
        "pending",
        "passed",
        "replaced",
        "same-time",
        "stopped",
        "no-consent",
        "no-phone",
        "landline",
        "inactive",
        "sensitive",
    }
)


@dataclass(frozen=True, slots=True)
class Case:
    """A visit and its patient as they stand in the database now."""

    visit: Row
    patient: Row
    hindrance: str | None  #: why the patient is not written to about it; None: they are


class Reconciler:
    """Compares plan and requests of one visit at a time. Immutable."""

    def __init__(self, config: Config, calendar: Calendar, reach: Reach) -> None:
        """Read the plans."""
        self._settings = config.reminders
        self._calendar = calendar
        self._reach = reach

    def case(self, tx: Transaction, appointment_id: str) -> Case | None:
        """Look up a visit with its patient; None if it is not there."""
        visit = visits.get(tx, appointment_id)
        patient = None if visit is None else people.get(tx, visit["patient_id"])
        if visit is None or patient is None:
            return None
        return self.case_of(tx, visit, patient)

    def case_of(self, tx: Transaction, visit: Row, patient: Row) -> Case:
        """Put a visit and its patient together."""
        return Case(visit, patient, self._reach.hindrance(tx, patient, visit["service"]))

    def replan(self, tx: Transaction, appointment_id: str) -> int:
        """Plan a visit anew within the caller's transaction; return how many texts came to it.

        One that is not there has no plan.
        """
        case = self.case(tx, appointment_id)
        return 0 if case is None else self.reconcile(tx, case)

    def reconcile(self, tx: Transaction, case: Case, news: NewRequest | None = None) -> int:
        """Plan a visit anew within the caller's transaction; return how many texts came to it.

        Args:
            tx: the transaction.
            case: the visit.
            news: a text about what has just happened to it, which is no part of the plan.
        """
        reason = self.reason(case, tx.now)
        planned = plan.Plan()
        if reason is None:
            planned = plan.reminders(self.facts(tx, case), self._settings, self._calendar)
        known = planning.of_visit(tx, case.visit["id"])
        wanted = {str(new.same_as): new for new in planned.requests}
        if news is not None:
            wanted[str(news.same_as)] = news
        _take_back(tx, case, known, wanted, reason, planned.dropped)
        return _add(tx, known, wanted)

    def facts(self, tx: Transaction, case: Case) -> plan.Visit:
        """Return what the plan needs to know; fixes the variant of a visit that has none yet."""
        visit = case.visit
        variant = visit["variant"]
        if variant is None:
            variant = plan.variant_of(self._settings.variant, visit["id"])
            visits.put(tx, visit["id"], {"variant": variant})
        return plan.Visit(
            id=visit["id"],
            patient_id=case.patient["id"],
            phone=case.patient["phone"],
            start=dt.datetime.fromisoformat(visit["start"]),
            booked_at=dt.datetime.fromisoformat(visit["booked_at"]),
            response=Participation(visit["response"]),
            service=visit["service"],
            variant=variant,
            version=visit["version"],
        )

    def reason(self, case: Case, now: str) -> str | None:
        """Return why nothing is said before a visit; None: it is to take place, and they may."""
        visit = case.visit
        status = VisitStatus(visit["status"])
        if status not in AHEAD:
            if status in OFF:
                return "cancelled"
            return "pending" if status in DATELESS else str(status)
        if visit["withdrawn"]:
            return str(visit["withdrawn"])
        if visit["start"] is None or visit["start"] <= now:
            return "expired"
        return case.hindrance


def _take_back(
    tx: Transaction,
    case: Case,
    known: Sequence[Row],
    wanted: dict[str, NewRequest],
    reason: str | None,
    dropped: dict[str, str],
) -> None:
    """Revoke what waits and is wanted no longer; readdress what is."""
    for row in known:
        if row["status"] not in _WAITING or row["kind"] not in _OF_VISITS:
            continue
        new = wanted.get(row["same_as"] or "")
        why = None if new is not None else _over(row, case, reason)
        if why is not None:
            requests.revoke(tx, [row["id"]], dropped.get(row["same_as"] or "", why))
            continue
        asks = new.asks if new is not None else row["asks"]
        address = (case.patient["phone"], case.patient["id"], asks)
        if (row["phone"], row["patient_id"], row["asks"]) != address:
            planning.readdress(tx, row["id"], *address)


def _over(row: Row, case: Case, reason: str | None) -> str | None:
    """Return why something that waits is true no longer; None: it still is."""
    visit = case.visit
    if row["about_start"] != visit["start"]:
        return "moved"
    kind, status = Kind(row["kind"]), VisitStatus(visit["status"])
    if kind == Kind.REMINDER:
        return reason or "replaced"
    if kind == Kind.MISSED:
        return case.hindrance if status == VisitStatus.NOSHOW else "replaced"
    if kind == Kind.CANCELLED:
        is_off = status in OFF or visit["withdrawn"] is not None
        return case.hindrance if is_off else "replaced"
    # Who has said that they do not come is not told when to come.
    has_declined = visit["response"] == Participation.DECLINED
    return reason or ("answered" if has_declined else None)


def _add(tx: Transaction, known: Sequence[Row], wanted: dict[str, NewRequest]) -> int:
    """Add what is wanted and was never planned, or was taken back for a reason that is over."""
    by_key = {row["same_as"]: row for row in known}
    added = 0
    for key, new in wanted.items():
        row = by_key.get(key)
        # A moment that has passed is not caught up with: the next step of the plan comes.
        if new.due < tx.now or new.expires <= new.due:
            continue
        if row is None:
            added += requests.add(tx, new) is not None
        elif row["status"] == RequestStatus.REVOKED and row["reason"] in _REVIVED:
            planning.revive(tx, row["id"], new)
            added += 1
    return added
