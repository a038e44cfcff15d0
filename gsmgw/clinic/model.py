# SPDX-License-Identifier: Apache-2.0
"""The words of the clinic layer: kinds of texts, tasks, and the records that doors hand in.

Names follow FHIR R4 (Appointment, CommunicationRequest, AppointmentResponse, Task); the values are
what stands in the database and in the clinic's files.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class VisitStatus(StrEnum):
    """What the clinic says of a visit (FHIR AppointmentStatus); only its files change it."""

    PROPOSED = "proposed"
    PENDING = "pending"
    BOOKED = "booked"
    ARRIVED = "arrived"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    NOSHOW = "noshow"
    ENTERED_IN_ERROR = "entered-in-error"
    WAITLIST = "waitlist"


#: A visit that is to take place: the only ones that anything is said about beforehand.
AHEAD = frozenset({VisitStatus.BOOKED})
#: A visit that may yet get a date.
DATELESS = frozenset({VisitStatus.PROPOSED, VisitStatus.PENDING, VisitStatus.WAITLIST})
#: A visit that will not take place, or never was one.
OFF = frozenset({VisitStatus.CANCELLED, VisitStatus.ENTERED_IN_ERROR})


class Participation(StrEnum):
    """What the patient says of a visit (FHIR ParticipationStatus); only answers change it."""

    NEEDS_ACTION = "needs-action"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    TENTATIVE = "tentative"


class Kind(StrEnum):
    """What a request says; its text is the template of this name, or one that begins with it."""

    BOOKED = "booked"
    REMINDER = "reminder"  #: by variant and number: reminder_a, _b, _family, _plain, _plain_family
    CHANGED = "changed"
    CANCELLED = "cancelled"
    DELAYED = "delayed"
    MISSED = "missed"
    RESULTS = "results"
    WELCOME = "welcome"
    DOSE = "dose"
    TEXT = "text"  #: a text of the clinic's own, in a file or by `say`
    # answers to what a patient wrote
    ACK_ACCEPT = "ack_accept"
    ACK_DECLINE = "ack_decline"
    ACK_SEVERAL = "ack_several"
    ACK_DOSE = "ack_dose"
    TOO_LATE = "too_late"
    UNCLEAR = "unclear"
    MOVED = "moved"  #: your answer was to the old time; the new one is ...
    CALLBACK_ACK = "callback_ack"
    RESCHEDULE_ACK = "reschedule_ack"
    AFTER_HOURS = "after_hours"
    RECEIVED = "received"  #: in hours, to what nothing was asked: somebody will read it
    STOP_ACK = "stop_ack"
    START_ACK = "start_ack"
    HELP = "help"
    INFO = "info"
    # to people of the clinic
    STAFF_TASK = "staff_task"
    DIGEST = "digest"


class RequestStatus(StrEnum):
    """Where a request is in its life."""

    ACTIVE = "active"  #: waits for its time
    ON_HOLD = "on-hold"  #: another question is open on this phone
    COMPLETED = "completed"  #: its message is in the outbox
    REVOKED = "revoked"  #: it will not be said; `reason` says why


class TaskCode(StrEnum):
    """What a person is asked to do."""

    CALLBACK = "callback"
    RESCHEDULE = "reschedule"
    REVIEW = "review"  #: an answer that only a person can judge
    UNREACHABLE = "unreachable"  #: somebody must be rung up: no text reaches them
    URGENT = "urgent"  #: a refusal after the cut-off, and what cannot wait
    STOPPED = "stopped"  #: a phone wants no texts; ring instead
    UNCERTAIN = "uncertain"  #: a text that may or may not have arrived


class TaskStatus(StrEnum):
    """Where a task is in its life (FHIR TaskStatus)."""

    REQUESTED = "requested"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """What a file says of a patient. None: it says nothing; what is known stays."""

    id: str | None  #: None: known by phone alone
    given: str | None = None
    family: str | None = None
    phone: str | None = None  #: as written; "" says that there is none
    phone_of: str | None = None  #: self guardian
    language: str | None = None  #: ISO 639-1
    birth_date: str | None = None
    gender: str | None = None
    consent: bool | None = None
    active: bool | None = None
    merged_from: str | None = None  #: HL7 A40: the number that this one replaces


@dataclass(frozen=True, slots=True)
class VisitRecord:
    """What a file says of a visit. None: it says nothing; what is known stays."""

    id: str
    patient: PatientRecord
    start: dt.datetime | None = None  #: aware
    minutes: int | None = None
    status: VisitStatus | None = None
    practitioner: str | None = None
    service: str | None = None
    location: str | None = None
    #: of a cancellation: "" by the clinic, patient by the patient, error: never existed; the
    #: last two are not told to the patient
    cancelled_by: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a JSON file wants said or done beside visits: one of results, delay, absence, ...

    `kind` decides which fields count; see docs/clinic.md.
    """

    kind: str  #: results delay absence regimen text
    patient: str | None = None
    phone: str | None = None
    text: str | None = None
    due: dt.datetime | None = None
    expires: dt.datetime | None = None
    priority: str | None = None
    category: str | None = None
    ref: str | None = None  #: makes it once only
    language: str | None = None
    asks: str | None = None
    practitioner: str | None = None
    location: str | None = None
    day: dt.date | None = None
    last_day: dt.date | None = None
    minutes: int | None = None
    times: tuple[str, ...] = ()  #: of a regimen, on the clock at the wall


Record = PatientRecord | VisitRecord | Notice
