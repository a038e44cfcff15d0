# SPDX-License-Identifier: Apache-2.0
"""The plan of a visit: which texts it calls for, when each is due and when it is stale.

Pure: a visit and the configuration go in, requests come out; the same again gives the same. What
of it stands in the database already is the matter of booking.

Every text has an end (R4), after which it is never said:

    booked      12 h after it was due, and 1 h before the visit
    reminder    1 h before the visit
    changed     the visit's start
    cancelled   the visit's start; one that nobody got is work for a person
    delayed     the visit's start
    missed      2 days          welcome   2 days
    results     7 days          text      1 day, unless its file says when
    dose        1 h: a late dose may do harm

Known limits: the send window binds all of them but doses, whose hours the clinic chose with the
patient, and texts that the clinic calls urgent.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from gsmgw.clinic.calendar import Calendar
from gsmgw.clinic.model import Kind, Participation
from gsmgw.clock import format_utc
from gsmgw.config.clinic import Reminders, Step, Variant
from gsmgw.model import Category, Priority
from gsmgw.store.clinic.requests import NewRequest

_HOUR, _DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
_NO_TIME = dt.timedelta()

#: A booking is said back only if the visit is so far away (who comes at once knows).
BOOKED_LEAD = 2 * _HOUR
#: The hour at which those who did not come are written to, on the next working day.
MISSED_AT = dt.time(10, 0)
#: What a question is called in `request.asks`, by variant.
_ASKS = {"a": "confirm", "b": "object"}
#: Priorities whose texts do not wait for the send window.
AT_ANY_HOUR = frozenset({Priority.URGENT, Priority.ASAP, Priority.STAT})


@dataclass(frozen=True, slots=True)
class Manner:
    """How a kind of text is said."""

    lasts: dt.timedelta | None = None  #: from its due moment; None: only the visit ends it
    before_start: dt.timedelta | None = None  #: ends so long before the visit; None: says nothing
    priority: Priority = Priority.ROUTINE


MANNERS = {
    Kind.BOOKED: Manner(12 * _HOUR, _HOUR),
    Kind.REMINDER: Manner(None, _HOUR),
    Kind.CHANGED: Manner(None, _NO_TIME, Priority.URGENT),
    Kind.CANCELLED: Manner(None, _NO_TIME, Priority.URGENT),
    Kind.DELAYED: Manner(None, _NO_TIME, Priority.ASAP),
    Kind.MISSED: Manner(2 * _DAY),
    Kind.WELCOME: Manner(2 * _DAY),
    Kind.RESULTS: Manner(7 * _DAY),
    Kind.TEXT: Manner(_DAY),
    Kind.DOSE: Manner(_HOUR, None, Priority.URGENT),
}


@dataclass(frozen=True, slots=True)
class Visit:
    """What the plan needs to know of a visit."""

    id: str
    patient_id: str
    phone: str
    start: dt.datetime
    booked_at: dt.datetime  #: when we first heard of this start
    response: Participation = Participation.NEEDS_ACTION
    service: str | None = None
    variant: str = "a"
    version: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be said beforehand, and what is not, with the reason."""

    requests: tuple[NewRequest, ...] = ()
    #: same_as of steps that do not come: answered too-late passed
    dropped: dict[str, str] = field(default_factory=dict)


# -- once-only keys -------------------------------------------------------------------------------


def start_key(start: dt.datetime) -> str:
    """Write a start as once-only keys do: `2026-03-05T09:15Z`."""
    return start.astimezone(dt.UTC).isoformat()[:16] + "Z"


def same_as(kind: Kind, visit: Visit, *more: object) -> str:
    """Return the once-only key of a text about a visit."""
    return ":".join([str(kind), visit.id, start_key(visit.start), *map(str, more)])


# -- moments --------------------------------------------------------------------------------------


def variant_of(chosen: Variant, appointment_id: str) -> str:
    """Return how a visit is asked: `a` or `b`; a split goes by the visit's number, for good."""
    if chosen != "split":
        return chosen
    return "ab"[hashlib.sha256(appointment_id.encode()).digest()[0] & 1]


def in_window(calendar: Calendar, at: dt.datetime, not_before: dt.datetime) -> dt.datetime:
    """Move a due moment into the send window: earlier, or later if that is past (R2)."""
    found = calendar.earlier(at)
    if found is not None and found >= not_before:
        return found
    return calendar.next_allowed(max(at, not_before))


def expiry(kind: Kind, due: dt.datetime, start: dt.datetime | None) -> dt.datetime:
    """Return when a text is stale (R4).

    Raises:
        ValueError: only the visit's start ends it, and there is none.
    """
    manner = MANNERS[kind]
    ends = [] if manner.lasts is None else [due + manner.lasts]
    if manner.before_start is not None and start is not None:
        ends.append(start - manner.before_start)
    if not ends:
        raise ValueError(f"{kind} needs the start of a visit")
    return min(ends)


# -- what is said beforehand ----------------------------------------------------------------------


def steps_for(reminders: Reminders, service: str | None) -> tuple[Step, ...]:
    """Return the reminder plan of a kind of visit."""
    return reminders.by_service.get(service or "", reminders.plan)


def reminders(visit: Visit, settings: Reminders, calendar: Calendar) -> Plan:
    """Plan the reminders of a visit that is to take place."""
    wanted: dict[dt.datetime, NewRequest] = {}
    dropped: dict[str, str] = {}
    for step in steps_for(settings, visit.service):
        key = same_as(Kind.REMINDER, visit, step.at.text)
        reason = _answered(visit, step)
        due, late = _due(visit, step, settings, calendar)
        if reason or late or due is None:
            dropped[key] = reason or late or "passed"
            continue
        new = _reminder(visit, step, key, due)
        kept, lost = _one_of(wanted.get(due), new)
        wanted[due] = kept
        if lost is not None:
            dropped[str(lost.same_as)] = "same-time"
    return Plan(tuple(wanted.values()), dropped)


def _one_of(former: NewRequest | None, new: NewRequest) -> tuple[NewRequest, NewRequest | None]:
    """Choose between steps that closed days have moved to one minute: rather a question."""
    if former is None or (new.asks and not former.asks):
        return new, former
    return former, new


def _answered(visit: Visit, step: Step) -> str | None:
    """Say whether the patient's answer makes a step needless (R8)."""
    if visit.response == Participation.DECLINED:
        return "answered"
    is_open = visit.response == Participation.NEEDS_ACTION
    return "answered" if step.only == "unanswered" and not is_open else None


def _due(
    visit: Visit, step: Step, settings: Reminders, calendar: Calendar
) -> tuple[dt.datetime | None, str | None]:
    """Return when a step is due, or why it does not come."""
    at = calendar.at(visit.start, step.at)
    if at < visit.booked_at:
        return None, "passed"  # R3: the booking itself has just been said
    due = in_window(calendar, at, visit.booked_at)
    lead = max(
        dt.timedelta(seconds=settings.min_lead), MANNERS[Kind.REMINDER].before_start or _HOUR
    )
    if visit.start - due < lead:
        return None, "too-late"  # R2
    return due, None


def _reminder(visit: Visit, step: Step, key: str, due: dt.datetime) -> NewRequest:
    is_open = visit.response == Participation.NEEDS_ACTION
    details: dict[str, object] = {}
    if step.template != Kind.REMINDER:
        details["template"] = step.template
    return NewRequest(
        kind=Kind.REMINDER,
        phone=visit.phone,
        due=format_utc(due),
        expires=format_utc(expiry(Kind.REMINDER, due, visit.start)),
        same_as=key,
        category=Category.CARE,
        patient_id=visit.patient_id,
        about=visit.id,
        about_start=format_utc(visit.start),
        # Who has said yes and is to be told all the same is told, not asked again.
        asks=_ASKS[visit.variant] if step.asks and is_open else None,
        details=details,
        priority=MANNERS[Kind.REMINDER].priority,
    )


# -- what is said because something happened -------------------------------------------------------


def announcement(
    kind: Kind, visit: Visit, calendar: Calendar, now: dt.datetime, **details: object
) -> NewRequest | None:
    """Plan the text about something that has just happened to a visit; None: it comes too late.

    Args:
        kind: booked, changed, cancelled, delayed or missed.
        visit: as it is now.
        calendar: the clinic's.
        now: the moment at which it happened.
        details: what the text needs beside patient and visit.
    """
    if kind == Kind.MISSED:
        day = calendar.working_day_after(calendar.day(visit.start))
        due = calendar.next_allowed(max(calendar.moment(day, MISSED_AT), now))
    elif kind == Kind.DELAYED:
        due = _on_its_day(visit.start, calendar, now)
    else:
        due = calendar.next_allowed(now)
    expires = expiry(kind, due, visit.start)
    if expires <= due or (kind == Kind.BOOKED and visit.start - due < BOOKED_LEAD):
        return None
    return NewRequest(
        kind=kind,
        phone=visit.phone,
        due=format_utc(due),
        expires=format_utc(expires),
        same_as=same_as(kind, visit, *_distinction(kind, visit, details)),
        patient_id=visit.patient_id,
        about=visit.id,
        about_start=format_utc(visit.start),
        asks="confirm" if kind == Kind.CHANGED else None,
        details=dict(details),
        priority=MANNERS[kind].priority,
    )


def _on_its_day(start: dt.datetime, calendar: Calendar, now: dt.datetime) -> dt.datetime:
    """Return when a text is due that names only the hour: on the visit's day.

    Who comes before texts may go out hears of it on the evening before.
    """
    midnight, _ = calendar.day_bounds(calendar.day(start))
    due = calendar.next_allowed(max(now, midnight))
    before = calendar.earlier(start) if due >= start else None
    return before if before is not None and before >= now else due


def _distinction(kind: Kind, visit: Visit, details: dict[str, object]) -> Iterator[object]:
    """Tell apart texts of one kind about one start that must both be said."""
    if kind in (Kind.CHANGED, Kind.CANCELLED):
        # Moved away and back, or cancelled, booked again and cancelled: each is news.
        yield f"v{visit.version}"
    elif kind == Kind.DELAYED:
        yield details["minutes"]
