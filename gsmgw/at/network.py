# SPDX-License-Identifier: Apache-2.0
"""Reads answers about the network: registration, signal, operator, calls, service codes, clock."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from gsmgw.at import fields


@dataclass(frozen=True, slots=True)
class Registration:
    """What +CREG, +CGREG or +CEREG says (3GPP TS 27.007 7.2, 10.1.20, 10.1.22)."""

    status: int  #: <stat>
    area: int | None = None  #: location or tracking area code
    cell: int | None = None
    technology: int | None = None  #: <AcT>

    @property
    def registered(self) -> bool:
        """Return whether SMS can be sent: home, roaming, and the two "for SMS only" values."""
        return self.status in REGISTERED


#: 1 home, 5 roaming, 6 home for SMS only, 7 roaming for SMS only, 9 and 10 CSFB not preferred.
REGISTERED = frozenset({1, 5, 6, 7, 9, 10})
DENIED = 3

#: What <stat> means where no SMS can be sent.
_UNREGISTERED = {
    0: "it is not registered and does not search: airplane mode, or no usable SIM",
    2: "it searches and finds no network: antenna, place, operator",
    DENIED: "the network refuses this SIM: not active, barred, or no roaming here",
    4: "it does not know whether there is a network: out of coverage?",
    8: "emergency calls only: the network does not take this SIM",
}


def registration_words(status: int | None) -> str:
    """Return what a <stat> that is not registered means, for people."""
    words = _UNREGISTERED.get(-1 if status is None else status, "no network")
    return words if status is None else f"{words} (registration {status})"


def parse_registration(text: str) -> Registration | None:
    """Read +CREG in both forms, as an answer (`n,stat,...`) or unsolicited (`stat,...`).

    The forms are told apart by the second field: an area code is quoted or has several digits, a
    <stat> is one or two plain digits. Three fields can only be the unsolicited form.
    """
    found = fields.split(fields.after_colon(text))
    if len(found) >= 2 and len(found) != 3 and re.fullmatch(r"\d{1,2}", found[1]):
        found = found[1:]
    status = fields.number(fields.get(found, 0))
    if status is None or status < 0:
        return None
    return Registration(
        status,
        fields.hexadecimal(fields.get(found, 1)),
        fields.hexadecimal(fields.get(found, 2)),
        fields.number(fields.get(found, 3)),
    )


def parse_signal(text: str) -> int | None:
    """Read +CSQ (27.007 8.5) or +CESQ (8.69) in dBm; None when unknown.

    Values 100..191 of +CSQ are RSRP or RSCP of newer modules (Quectel EC2x, SIMCom SIM7x00).
    """
    found = [fields.number(value) for value in fields.values(text)]
    if len(found) >= 6:
        return _signal_of_cesq(found)
    level = found[0]
    if level is None:
        return None
    if 0 <= level <= 31:
        return -113 + 2 * level
    return -116 + (level - 100) if 100 <= level <= 191 else None


def _signal_of_cesq(found: list[int | None]) -> int | None:
    for at, top, zero_dbm in ((0, 63, -111), (2, 96, -121), (5, 97, -141)):
        level = found[at]
        if level is not None and 0 <= level <= top:
            return zero_dbm + level
    return None


def parse_operator(text: str) -> str | None:
    """Read the operator's name or number from `+COPS: 0,0,"Orange",2`; None when there is none."""
    name = fields.get(fields.values(text), 2)
    return name or None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls."""

    number: str | None  #: with + where the network says it is international; None if withheld


def parse_caller(text: str) -> Caller:
    """Read `+CLIP: "+48500100200",145,...`; a withheld number is empty or missing."""
    found = fields.values(text)
    number = fields.get(found, 0)
    if not re.fullmatch(r"\+?[0-9*#]{1,40}", number):
        return Caller(None)
    # 145 is "international" (3GPP TS 24.008 10.5.4.7); some modems then leave the + out.
    if fields.number(fields.get(found, 1)) == 145 and not number.startswith("+"):
        number = "+" + number
    return Caller(number)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of +CLCC (27.007 7.18)."""

    index: int
    incoming: bool
    status: int  #: 0 active, 1 held, 2 dialling, 3 alerting, 4 incoming, 5 waiting
    voice: bool
    number: str | None


def parse_call(text: str) -> Call | None:
    """Read one line of +CLCC."""
    found = fields.values(text)
    index, direction, status, mode = (fields.number(fields.get(found, at)) for at in range(4))
    if index is None or direction is None or status is None:
        return None
    return Call(index, direction == 1, status, mode == 0, fields.get(found, 5) or None)


@dataclass(frozen=True, slots=True)
class ServiceText:
    """What the network answers to a service code (27.007 7.15)."""

    #: 0 done, 1 it waits for a reply, 2 ended by the network, 3 another client answered,
    #: 4 not supported, 5 network time out
    status: int
    text: str | None  #: as the modem gives it: readable, or hexadecimal UCS-2, or packed 7-bit
    dcs: int | None  #: cell broadcast data coding scheme, 3GPP TS 23.038 5


_CUSD = re.compile(r"\+CUSD:\s*(\d{1,3})\s*(?:,(.*))?", re.DOTALL | re.ASCII)


def parse_service_text(text: str) -> ServiceText | None:
    """Read +CUSD with any of its parts missing; lines inside the text are kept as line feeds."""
    found = _CUSD.fullmatch(text)
    if found is None:
        return None
    # The text may hold commas and quotes itself: only what stands at the two ends counts.
    inner = (found[2] or "").strip()
    before, comma, behind = inner.rpartition(",")
    dcs: int | None = None
    if comma and re.fullmatch(r"[0-9]{0,3}", behind.strip()):
        inner, dcs = before.rstrip(), fields.number(behind)
    return ServiceText(int(found[1]), inner.removeprefix('"').removesuffix('"') or None, dcs)


_CCLK = re.compile(r'"?(\d\d)/(\d\d)/(\d\d),(\d\d):(\d\d):(\d\d)\s*([+-]\d{1,2})?')


def parse_clock(text: str) -> dt.datetime | None:
    """Read +CCLK (27.007 8.15) as an aware time; None if unset, broken or without a zone.

    The zone counts quarters of an hour; 96 and more, which 27.007 allows and damage makes, are no
    zone on this earth. A clock that no network has set stands at the modem's own epoch (1980, 2000,
    2004, 2015), so years before 2020 are none.
    """
    found = _CCLK.match(fields.after_colon(text))
    if found is None or found[7] is None:
        return None
    year, month, day, hour, minute, second = (int(found[at]) for at in range(1, 7))
    if not 20 <= year < 70:
        return None
    try:
        zone = dt.timezone(dt.timedelta(minutes=15 * int(found[7])))
        return dt.datetime(2000 + year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None
