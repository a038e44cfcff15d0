# SPDX-License-Identifier: Apache-2.0
"""The words of gsmgw: states, kinds and the records that its parts hand to one another.

Every state and kind is spelled here and nowhere else; the values are what stands in the database.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class MessageState(StrEnum):
    """What has become of a message (what a person wrote)."""

    NEW = "new"  #: a row written by other software, not yet checked
    QUEUED = "queued"  #: accepted, waits for its time or for a modem
    SENDING = "sending"  #: at least one part has been claimed
    SENT = "sent"  #: the network took all parts
    DELIVERED = "delivered"  #: status reports say that all parts arrived
    UNDELIVERED = "undelivered"  #: status reports say that at least one part will never arrive
    REJECTED = "rejected"  #: refused at our door
    FAILED = "failed"  #: refused by the network for good
    EXPIRED = "expired"  #: its time ran out before it could be sent
    CANCELLED = "cancelled"  #: withdrawn before it was sent
    UNCERTAIN = "uncertain"  #: nobody knows whether a part was taken; a person decides


class PartState(StrEnum):
    """What has become of a part (one SMS on the air, one TPDU)."""

    WAITING = "waiting"
    SENDING = "sending"  #: claimed by a modem; the claim is on disk
    SENT = "sent"  #: taken by the network
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    UNCERTAIN = "uncertain"  #: submitted, fate unknown


#: Parts about which the sending side has no more to do.
TAKEN_PARTS = frozenset({PartState.SENT, PartState.DELIVERED, PartState.UNDELIVERED})


def message_state(parts: Iterable[PartState]) -> MessageState:
    """Derive the state of an accepted message from its parts.

    Any uncertain part makes it uncertain; else any failed one failed; all taken make it sent, all
    final delivered or undelivered; with some still to go it is sending once one was claimed.
    """
    states = set(parts)
    if PartState.UNCERTAIN in states:
        return MessageState.UNCERTAIN
    if PartState.FAILED in states:
        return MessageState.FAILED
    if states <= {PartState.DELIVERED}:
        return MessageState.DELIVERED
    if states <= {PartState.DELIVERED, PartState.UNDELIVERED}:
        return MessageState.UNDELIVERED
    if states <= TAKEN_PARTS:
        return MessageState.SENT
    return MessageState.QUEUED if states <= {PartState.WAITING} else MessageState.SENDING


class ModemState(StrEnum):
    """Where a configured modem is in its life."""

    ABSENT = "absent"  #: no such device is plugged in
    OPENING = "opening"  #: the port is being opened, the modem initialised
    NEEDS_PIN = "needs_pin"  #: the SIM is locked or missing; a person must act
    SEARCHING = "searching"  #: not registered with a network
    READY = "ready"  #: can send and receive
    UNRESPONSIVE = "unresponsive"  #: does not answer; recovery is under way
    STUCK = "stuck"  #: its thread hangs in the kernel; left alone


class SimState(StrEnum):
    """Whether a SIM may send."""

    WORKING = "working"
    RESTING = "resting"  #: refused several numbers in a row; probed from time to time
    BLOCKED = "blocked"  #: a person must act (PIN refused, PUK)


class Category(StrEnum):
    """Why a message is sent; decides about consent, hours and limits."""

    STAFF = "staff"
    CARE = "care"
    SURVEY = "survey"
    MARKETING = "marketing"

    @property
    def rank(self) -> int:
        """Order of sending within one priority: lower goes first."""
        return list(Category).index(self)


class Priority(StrEnum):
    """How urgent a message is, in FHIR's request-priority words."""

    STAT = "stat"
    ASAP = "asap"
    URGENT = "urgent"
    ROUTINE = "routine"

    @property
    def rank(self) -> int:
        """Order of sending: lower goes first."""
        return list(Priority).index(self)


class CommandKind(StrEnum):
    """What a person asks of a modem through the command line."""

    AT = "at"  #: one line, sent as it stands; the answer's lines come back
    USSD = "ussd"  #: a service code such as *100#; the network's text comes back
    PROBE = "probe"  #: identity, signal and registration, as `name: value` lines


class InboxKind(StrEnum):
    """What arrived."""

    SMS = "sms"
    MISSED_CALL = "missed_call"
    BINARY = "binary"


class ErrorFamily(StrEnum):
    """Who says no; stored as `error_family`, beside `error_code` and the words in `error`."""

    REJECTED = "rejected"  #: gsmgw, at the door; code is `RejectedError.reason`
    CMS = "cms"  #: +CMS ERROR, 3GPP TS 27.005 3.2.5
    CME = "cme"  #: +CME ERROR, 3GPP TS 27.007 9.2
    TP_ST = "tp-st"  #: status report, 3GPP TS 23.040 9.2.3.15
    GSMGW = "gsmgw"  #: gsmgw itself: expired, cancelled, uncertain, answer lost


class Whose(StrEnum):
    """Whose fault a refusal is."""

    MESSAGE = "message"
    SIM = "sim"
    NETWORK = "network"
    MODEM = "modem"
    UNCLEAR = "unclear"  #: a dead number, or a barred SIM: one refusal cannot tell


class Outcome(StrEnum):
    """What came of submitting one part."""

    TAKEN = "taken"  #: the network took it
    REFUSED = "refused"  #: the network or the modem said no; it was not sent
    UNCERTAIN = "uncertain"  #: submitted, and no answer that settles it
    UNTOUCHED = "untouched"  #: it failed before Ctrl-Z, so it was never sent


@dataclass(frozen=True, slots=True)
class Draft:
    """A message as a door hands it to intake; nothing in it has been checked."""

    recipient: str
    text: str
    source: str
    reference: str | None = None  #: the caller's own id; once only within `source`
    category: str | None = None
    priority: str | None = None
    not_before: str | None = None  #: ISO 8601
    expires_at: str | None = None  #: ISO 8601
    report_requested: bool = False
    flash: bool = False
    modem: str | None = None  #: the modem wished for, by name
    international_digits: bool = False  #: digits without + are international, as smsd reads them
    spool_file: str | None = None  #: name in `checked/`
    tp: TpOptions | None = None


@dataclass(frozen=True, slots=True)
class TpOptions:
    """Fields of the SMS-SUBMIT that only smstools files ask for (3GPP TS 23.040 9.2.2.2)."""

    data: bytes | None = None  #: 8-bit user data instead of text
    udh: bytes | None = None  #: user data header without its length octet; the text is not split
    dcs: int | None = None  #: data coding scheme that overrides ours
    pid: int | None = None
    validity: int | None = None  #: TP-VP, relative, 0..255
    message_class: int | None = None  #: 0..3
    reply_path: bool = False
    reject_duplicates: bool = False
    alphabet: str | None = None  #: "ucs2" forces UCS-2
    split: str | None = None  #: "cut" sends one part, "plain" or "numbered" split without header
    service_centre: str | None = None


@dataclass(frozen=True, slots=True)
class PartToSend:
    """One part that a modem has claimed."""

    part_id: int
    message_id: int
    number: int  #: 1..total
    total: int
    recipient: str
    tpdu: bytes  #: SMS-SUBMIT without service centre address
    service_centre: str | None = None
    more_follow: bool = False  #: keep the link open (AT+CMMS=1)
    claimed_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """What came of one part at the modem."""

    part_id: int
    outcome: Outcome
    mr: int | None = None  #: TP-MR that the modem reported, 0..255
    family: ErrorFamily | None = None
    code: int | None = None
    detail: str = ""  #: the modem's own words, masked of numbers
    #: "answer", "late-answer", "counter": the evidence for TAKEN or UNTOUCHED
    proof: str = "answer"
    #: a late answer: no other part waits for one, so it must be this part's
    alone: bool = True
    #: the answer may have been that of a part before, which came late
    shared: bool = False
    #: what had been taken for this part's answer and was the one of the part before
    before: SubmitResult | None = None


@dataclass(frozen=True, slots=True)
class SimIdentity:
    """What is known of the SIM in a modem."""

    iccid: str | None
    imsi: str | None


@dataclass(frozen=True, slots=True)
class InboundPdu:
    """A TPDU with service centre address, as read from a modem, to be stored before deletion."""

    modem: str
    pdu: str  #: hex, as the modem gave it
    memory: str | None = None  #: "SM", "ME", "SR"...; None for direct delivery (+CMT, +CDS)
    index: int | None = None


@dataclass(frozen=True, slots=True)
class ModemReport:
    """What a worker tells about its modem, whenever something of it changes."""

    name: str
    state: ModemState
    why: str = ""
    port: str | None = None
    imei: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    firmware: str | None = None
    profile: str | None = None
    operator: str | None = None
    registration: int | None = None  #: <stat> of +CREG, 3GPP TS 27.007 7.2
    signal_dbm: int | None = None
    sim: SimIdentity | None = None
    service_centre: str | None = None
    storages: dict[str, tuple[int, int]] = field(default_factory=dict)  #: memory: (used, total)
    #: names the stretch of time for which it has had power; another name, and it was without
    power: str | None = None


class LogLevel(IntEnum):
    """Levels as syslog numbers them."""

    ERROR = 3
    WARNING = 4
    INFO = 6
    DEBUG = 7
