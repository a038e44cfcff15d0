# SPDX-License-Identifier: Apache-2.0
"""Incoming messages, status reports and missed calls as the files that smsd would write.

Two modes. `utf-8`: all text as UTF-8. `smsd`: as smsd does by default, ISO-8859-15 for texts that
came in the GSM alphabet and UTF-16BE for the others. `Length` counts as smsd counts: characters,
but octets where UCS-2 was turned into UTF-8.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from gsmgw.pdu import Alphabet
from gsmgw.spool.formats.headers import one_line
from gsmgw.spool.formats.outcomes import DATE_FORMAT, format_message_id

_TYPES = (
    "unknown",
    "international",
    "national",
    "network specific",
    "subscriber",
    "alphanumeric",
    "abbreviated",
    "reserved",
)
_PLANS = {
    0: "unknown",
    1: "ISDN/telephone",
    3: "data",
    4: "telex",
    8: "national",
    9: "private",
    10: "ERMES",
}
_UNDECODABLE = "Cannot decode PDU, see text part for details."

# Words for TP-ST as smsd writes them, its spelling included (3GPP TS 23.040 9.2.3.15).
_FAULTS = (
    "congestion",
    "SME busy",
    "no response sendr SME",
    "service rejected",
    "quality of service not available",
    "error in SME",
)
_STATUS = {
    0: "Ok,short message received by the SME",
    1: "Ok,short message forwarded by the SC to the SME but the SC is unable to confirm delivery",
    2: "Ok,short message replaced by the SC",
    64: "Error,remote procedure error",
    65: "Error,incompatible destination",
    66: "Error,connection rejected by SME",
    67: "Error,not obtainable",
    68: "Error,quality of service not available",
    69: "Error,no interworking available",
    70: "Error,SM validity period expired",
    71: "Error,SM deleted by originating SME",
    72: "Error,SM deleted by SC administration",
    73: "Error,SM does not exist",
    **{32 + place: f"Still trying,{fault}" for place, fault in enumerate(_FAULTS)},
    **{96 + place: f"Error,{fault}" for place, fault in enumerate(_FAULTS)},
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something came from and on which way."""

    number: str  #: sender, or recipient of a report; "" if withheld
    toa: int | None
    modem: str
    imsi: str
    imei: str
    received_at: dt.datetime  #: local
    service_centre: str | None = None
    service_centre_at: dt.datetime | None = None  #: with the offset that the service centre gave


@dataclass(frozen=True, slots=True)
class Sms:
    """A message as it came in, put together."""

    text: str
    alphabet: Alphabet
    data: bytes | None = None  #: 8-bit data instead of text
    report_indication: bool = False
    replace: int | None = None  #: 1..7
    is_flash: bool = False
    is_complete: bool = True
    udh: bytes = b""  #: without the length octet; of one part, or what is not concatenation


@dataclass(frozen=True, slots=True)
class Report:
    """A status report."""

    mr: int
    status: int
    discharged_at: dt.datetime | None


def format_sms(origin: Origin, sms: Sms, extra: dict[str, str], *, smsd_alphabets: bool) -> bytes:
    """Return the incoming file of a message.

    Args:
        origin: where it came from.
        sms: the message.
        extra: our own headers, behind smsd's.
        smsd_alphabets: as smsd by default, else UTF-8.
    """
    name, length, octets = _body(sms, smsd_alphabets=smsd_alphabets)
    lines = _head(origin, report="yes" if sms.report_indication else "no")
    if sms.replace is not None:
        lines.append(("Replace", str(sms.replace)))
    if sms.is_flash:
        lines.append(("Flash", "yes"))
    if not sms.is_complete:
        lines.append(("Incomplete", "yes"))
    lines.append(("Alphabet", name))
    if sms.udh:
        lines.append(("UDH-DATA", bytes((len(sms.udh), *sms.udh)).hex(" ").upper()))
    lines.append(("Length", str(length)))
    if name == "ISO":
        lines.append(("UDH", "yes" if sms.udh else "no"))
    return _file(lines, extra, octets, smsd_alphabets=smsd_alphabets)


def format_undecodable(
    origin: Origin, pdu_hex: str, error: str, extra: dict[str, str], *, smsd_alphabets: bool
) -> bytes:
    """Return the incoming file of octets that could not be read as a message."""
    text = f"This PDU cannot be decoded:\n{one_line(error)}\n"
    octets = _encode(text, smsd_alphabets=smsd_alphabets)
    lines = [
        ("Error", _UNDECODABLE),
        *_head(origin, report="no"),
        ("Alphabet", "ISO" if smsd_alphabets else "UTF-8"),
        ("Length", str(len(octets))),
        ("UDH", "no"),
        ("PDU", pdu_hex),
    ]
    return _file(lines, extra, octets, smsd_alphabets=smsd_alphabets)


def format_report(
    origin: Origin, report: Report, extra: dict[str, str], *, smsd_alphabets: bool
) -> bytes:
    """Return the file of a status report."""
    text = "SMS STATUS REPORT\n"
    text += f"Message_id: {format_message_id(report.mr)}\n"
    if report.discharged_at is not None:
        text += f"Discharge_timestamp: {report.discharged_at.strftime(DATE_FORMAT)}\n"
    text += f"Status: {report.status},{describe_status(report.status)}"
    octets = _encode(text, smsd_alphabets=smsd_alphabets)
    lines = [
        *_head(origin, report="no"),
        ("Alphabet", "ISO" if smsd_alphabets else "UTF-8"),
        ("Length", str(len(octets))),
        ("UDH", "no"),
    ]
    return _file(lines, extra, octets, smsd_alphabets=smsd_alphabets)


def format_call(origin: Origin, extra: dict[str, str], *, smsd_alphabets: bool) -> bytes:
    """Return the file of a missed call."""
    lines = [
        *_sender(origin),
        ("Subject", origin.modem),
        ("Modem", origin.modem),
        ("IMSI", origin.imsi),
        ("IMEI", origin.imei),
        ("Call_type", "missed"),
        ("Received", origin.received_at.strftime(DATE_FORMAT)),
    ]
    return _file(lines, extra, b"CALL MISSED\n", smsd_alphabets=smsd_alphabets)


def describe_status(status: int) -> str:
    """Return smsd's words for a TP-ST, 0..255."""
    if status in _STATUS:
        return _STATUS[status]
    if 48 <= status <= 63:
        return "Temporary error, SC specific, unknown"
    if 80 <= status <= 95 or 112 <= status <= 127:
        return "Permanent error, SC specific, unknown"
    return "unknown"


def describe_toa(toa: int) -> str:
    """Return smsd's words for a type-of-address octet: `91 international, ISDN/telephone`."""
    kind = toa >> 4 & 0x07
    plan = "unknown" if kind == _TYPES.index("alphanumeric") else _PLANS.get(toa & 0x0F, "reserved")
    return f"{toa:02X} {_TYPES[kind]}, {plan}"


def _sender(origin: Origin) -> list[tuple[str, str]]:
    lines = [("From", origin.number.removeprefix("+"))]
    if origin.toa is not None:
        lines.append(("From_TOA", describe_toa(origin.toa)))
    return lines


def _head(origin: Origin, *, report: str) -> list[tuple[str, str]]:
    lines = _sender(origin)
    if origin.service_centre:
        lines.append(("From_SMSC", origin.service_centre.removeprefix("+")))
    if origin.service_centre_at is not None:
        # The service centre's own clock as it stands in the PDU; smsd drops the zone.
        lines.append(("Sent", origin.service_centre_at.strftime(DATE_FORMAT)))
    return [
        *lines,
        ("Received", origin.received_at.strftime(DATE_FORMAT)),
        ("Subject", origin.modem),
        ("Modem", origin.modem),
        ("IMSI", origin.imsi),
        ("IMEI", origin.imei),
        ("Report", report),
    ]


def _body(sms: Sms, *, smsd_alphabets: bool) -> tuple[str, int, bytes]:
    """Return what `Alphabet` and `Length` say, and the octets."""
    if sms.data is not None:
        return "binary", len(sms.data), sms.data
    if sms.alphabet is Alphabet.GSM7:
        octets = _encode(sms.text, smsd_alphabets=smsd_alphabets)
        return "ISO" if smsd_alphabets else "UTF-8", len(sms.text), octets
    if smsd_alphabets:
        octets = sms.text.encode("utf-16-be", "replace")
        return "UCS2", len(octets) // 2, octets
    octets = sms.text.encode("utf-8", "replace")
    return "UTF-8", len(octets), octets


def _encode(text: str, *, smsd_alphabets: bool) -> bytes:
    return text.encode("iso8859-15" if smsd_alphabets else "utf-8", "replace")


def _file(
    lines: list[tuple[str, str]], extra: dict[str, str], octets: bytes, *, smsd_alphabets: bool
) -> bytes:
    # A sender's name may hold line ends: GSM 7-bit has them.
    block = "".join(f"{name}: {one_line(value)}\n" for name, value in [*lines, *extra.items()])
    return _encode(block, smsd_alphabets=smsd_alphabets) + b"\n" + octets
