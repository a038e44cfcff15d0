# SPDX-License-Identifier: Apache-2.0
"""What a scenario says, as values: modems, network, phones, and the steps of a day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from gsmgw.simulator import line

#: How TP-MR is counted: "counting" by the SIM, "zero" always 0, "none" no +CMGS line at all.
REFERENCES = ("counting", "zero", "none")
#: How a status report writes the recipient: in full, or its last nine digits.
REPORT_NUMBERS = ("international", "short")


@dataclass(frozen=True, slots=True)
class ModemPlan:
    """One modem with its SIM."""

    name: str
    number: str  #: E.164 of the SIM
    imei: str
    imsi: str
    iccid: str
    vendor: str = "generic"
    link: str | None = None  #: path of the port; None: in the simulator's own directory
    plugged: bool = True  #: plugged in from the start
    pin: str | None = None
    puk: str = "12345678"
    latency_s: float = 0.0  #: from a command's CR to its answer
    submit_s: float = 0.0  #: from Ctrl-Z to +CMGS, everything included
    boot_s: float | None = None  #: from power-up to the first answer; None: as the vendor's habit
    registration_s: float = 0.0  #: from power-up (or the PIN) until the network is found
    signal: int = 17  #: <rssi> of +CSQ, 0..31, 99
    references: str = "counting"
    reports: bool = True  #: the network makes status reports for this SIM
    capacity: dict[str, int] = field(default_factory=lambda: {"SM": 20, "ME": 0, "SR": 10})
    habits: dict[str, object] = field(default_factory=dict)  #: fields of `Habits` to change
    quality: line.Quality = field(default_factory=line.Quality)


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """The operator."""

    operator: str = "Pretend"
    plmn: str = "26001"
    service_centre: str = "+48500100900"
    delivery_s: float = 1.0  #: from acceptance to the phone
    report_s: float = 0.5  #: from the phone to the sender's modem
    retry_s: float = 5.0  #: pause before a modem that did not take a message is tried again
    reports: bool = True
    report_numbers: str = "international"
    time_zone: dt.tzinfo = dt.UTC
    clock_offset_s: float = 0.0  #: how far the service centre's clock is ahead
    nitz: bool = True  #: the network tells modems the time (AT+CCLK?)
    wide_references: bool = False  #: 16-bit references in texts that come in
    ussd: dict[str, str] = field(default_factory=lambda: {"*100#": "Balance: 12.30"})


@dataclass(frozen=True, slots=True)
class AnswerRule:
    """What a phone writes back."""

    text: str
    contains: str | None = None  #: only to texts with this in them, any case; None: to all
    after_s: float = 1.0
    times: int | None = None  #: how often at most


@dataclass(frozen=True, slots=True)
class PhonePlan:
    """Somebody's phone; numbers without a plan are phones that take everything."""

    number: str
    delivery_s: float | None = None  #: None: as the network
    refuse: int | None = None  #: the service centre refuses submits to it with this CMS code
    unreachable: bool = False  #: switched off: messages wait
    status: int | None = None  #: TP-ST that ends every message; from 0x20 up it does not arrive
    answers: tuple[AnswerRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens at a time of the day, or is asked for on the console."""

    action: str  #: sms, call, fault, clear, unplug, plug, phone
    fields: dict[str, str]
    at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything."""

    modems: tuple[ModemPlan, ...]
    network: NetworkPlan = field(default_factory=NetworkPlan)
    phones: tuple[PhonePlan, ...] = ()
    day: tuple[Step, ...] = ()
