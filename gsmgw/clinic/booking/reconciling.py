# SPDX-License-Identifier: Apache-2.0
"""Brings what stands planned for a visit in line with what its plan says now.

What the plan wants and nobody has said is added, or taken up again; what it wants no longer is
taken back with the reason. What has been said stays as it is, so the same again changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from gsmgw.clinic import plan
from gsmgw.clinic.booking.reach import Reach
from gsmgw.clinic.calendar import Calendar
from gsmgw.clinic.model import AHEAD, Kind, Participation, RequestStatus, VisitStatus
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
_AS_CANCELLED = frozenset({VisitStatus.CANCELLED, VisitStatus.ENTERED_IN_ERROR})
_NOT_YET = frozenset({VisitStatus.PROPOSED, VisitStatus.PENDING, VisitStatus.WAITLIST})


class Reconciler:
    """Compares plan and requests of one visit at a time. Immutable."""

    def __init__(self, config: Config, calendar: Calendar, reach: Reach) -> None:
        """Read the plans."""
        self._settings = config.reminders
        self._calendar = calendar
        self._reach = reach

    def reconcile(
        self, tx: Transaction, appointment_id: str, events: Sequence[NewRequest] = ()
    ) -> int:
        """Plan a visit anew within the caller's transaction; return how many texts came to it.

        Args:
            tx: the transaction.
            appointment_id: the visit; one that is not there has no plan.
            events: texts about what has just happened to it, which are no part of the plan.
        """
        visit = visits.get(tx, appointment_id)
        patient = None if visit is None else people.get(tx, visit["patient_id"])
        if visit is None or patient is None:
            return 0
        reason = self.reason(tx, visit, patient)
        planned = plan.Plan()
        if reason is None:
            facts = self.facts(tx, visit, patient)
            planned = plan.reminders(facts, self._settings, self._calendar)
        known = planning.of_visit(tx, appointment_id)
        wanted = {str(new.same_as): new for new in (*planned.requests, *events)}
        self._take_back(tx, visit, patient, known, wanted, reason, planned.dropped)
        return _add(tx, known, wanted)

    def facts(self, tx: Transaction, visit: Row, patient: Row) -> plan.Visit:
        """Return what the plan needs to know; fixes the variant of a visit that has none yet."""
        variant = visit["variant"]
        if variant is None:
            variant = plan.variant_of(self._settings.variant, visit["id"])
            visits.put(tx, visit["id"], {"variant": variant})
        return plan.Visit(
            id=visit["id"],
            patient_id=patient["id"],
            phone=patient["phone"],
            start=dt.datetime.fromisoformat(visit["start"]),
            booked_at=dt.datetime.fromisoformat(visit["booked_at"]),
            response=Participation(visit["response"]),
            service=visit["service"],
            variant=variant,
            version=visit["version"],
        )

    def reason(self, tx: Transaction, visit: Row, patient: Row) -> str | None:
        """Return why nothing is said before a visit; None: it is to take place, and they may."""
        status = VisitStatus(visit["status"])
        if status not in AHEAD:
            if status in _AS_CANCELLED:
                return "cancelled"
            return "pending" if status in _NOT_YET else str(status)
        if visit["withdrawn"]:
            return str(visit["withdrawn"])
        if visit["start"] is None or visit["start"] <= tx.now:
            return "expired"
        return self._reach.hindrance(tx, patient, visit["service"])

    def _take_back(
        self,
        tx: Transaction,
        visit: Row,
        patient: Row,
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
            why = None if new is not None else self._over(tx, row, visit, patient, reason)
            if why is not None:
                requests.revoke(tx, [row["id"]], dropped.get(row["same_as"] or "", why))
                continue
            asks = new.asks if new is not None else row["asks"]
            address = (patient["phone"], patient["id"], asks)
            if (row["phone"], row["patient_id"], row["asks"]) != address:
                planning.readdress(tx, row["id"], *address)

    def _over(
        self, tx: Transaction, row: Row, visit: Row, patient: Row, reason: str | None
    ) -> str | None:
        """Return why something that waits is true no longer; None: it still is."""
        if row["about_start"] != visit["start"]:
            return "moved"
        kind = Kind(row["kind"])
        if kind == Kind.REMINDER:
            return reason or "replaced"
        if kind in (Kind.CANCELLED, Kind.MISSED):
            status = VisitStatus(visit["status"])
            is_true = status == VisitStatus.NOSHOW
            if kind == Kind.CANCELLED:
                is_true = status in _AS_CANCELLED or visit["withdrawn"] is not None
            if not is_true:
                return "replaced"
            return self._reach.hindrance(tx, patient, visit["service"])
        return reason


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
