# SPDX-License-Identifier: Apache-2.0
"""Octets to values: every message that a modem hands over, and what cannot be read as one.

Theory of operation: `decode` never raises. What the standard leaves open or what service centres
are known to do wrong is read as far as it goes and named in `note`: a broken time stamp, less user
data than announced, a header that does not add up. Only where the address or the fixed fields are
not there, or the octets are no hex, the answer is `Undecodable`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from gsmgw.errors import PduError
from gsmgw.pdu import address as addresses
from gsmgw.pdu import alphabet as alphabets
from gsmgw.pdu import coding, header, times
from gsmgw.pdu.address import Address
from gsmgw.pdu.alphabet import Alphabet
from gsmgw.pdu.header import Concat
from gsmgw.pdu.records import Decoded, DecodedSubmit, Deliver, StatusReport, Undecodable

# TP-MTI, 3GPP TS 23.040 9.2.3.1; the same number means different things in the two directions.
_DELIVER, _SUBMIT, _STATUS_REPORT, _RESERVED = range(4)
# TP-VPF, 9.2.3.3.
_NO_VALIDITY, _ENHANCED_VALIDITY, _RELATIVE_VALIDITY, _ABSOLUTE_VALIDITY = range(4)
_VALIDITY_OCTETS = (0, 7, 1, 7)


class _Reader:
    """Takes octets from the front of a TPDU and collects what was odd."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0
        self.notes: list[str] = []

    def take(self, count: int, what: str) -> bytes:
        taken = self._octets[self._at : self._at + count]
        if len(taken) < count:
            raise PduError(f"it ends in the {what}")
        self._at += count
        return taken

    def octet(self, what: str) -> int:
        return self.take(1, what)[0]

    def rest(self) -> bytes:
        return self._octets[self._at :]

    def address(self, what: str) -> Address:
        semi_octets, toa = self.take(2, what)
        value = self.take((semi_octets + 1) // 2, what)
        return addresses.decode_value(toa, semi_octets, value)

    def note(self) -> str:
        return "; ".join(self.notes)


@dataclass(slots=True)
class _Body:
    """What TP-DCS, TP-UDL and TP-UD say; the fields are those of `Deliver`."""

    alphabet: Alphabet
    message_class: int | None
    text: str | None = None
    data: bytes | None = None
    concat: Concat | None = None
    udh: bytes = b""
    user_data: bytes = b""
    shift: header.Shift = field(default_factory=header.Shift)


def decode(
    pdu: str | bytes,
    *,
    direction: Literal["in", "out"] = "in",
    service_centre: bool = True,
) -> Decoded:
    """Read a PDU; never raises.

    Args:
        pdu: hex as modems write it, or the octets themselves.
        direction: "in" for what comes from the network or lies in a modem's storage (a SUBMIT that
            somebody stored there is read too), "out" for what goes to the network.
        service_centre: whether a service centre address stands in front of the TPDU.
    """
    shown = pdu.hex().upper() if isinstance(pdu, bytes) else pdu
    try:
        octets = pdu if isinstance(pdu, bytes) else bytes.fromhex(pdu)
    except ValueError:
        return Undecodable(shown, "it is not hex, or half an octet is missing")
    reader = _Reader(octets)
    centre: str | None = None
    try:
        if service_centre:
            length = reader.octet("service centre address")
            centre = addresses.decode_service_centre(reader.take(length, "service centre address"))
        return _decode_tpdu(reader, centre, direction)
    except PduError as error:
        return Undecodable(shown, str(error), centre)


def _decode_tpdu(reader: _Reader, centre: str | None, direction: Literal["in", "out"]) -> Decoded:
    first = reader.octet("first octet")
    kind = first & 0x03
    if kind == _SUBMIT:
        return _decode_submit(reader, first, centre)
    if direction == "out":
        raise PduError(f"it is no SMS-SUBMIT: its message type is {kind}")
    if kind == _STATUS_REPORT:
        return _decode_status_report(reader, centre)
    if kind == _RESERVED:
        # 9.2.3.1: to be processed as if it were an SMS-DELIVER.
        reader.notes.append("reserved message type 3, read as a delivery")
    return _decode_deliver(reader, first, centre)


def _decode_deliver(reader: _Reader, first: int, centre: str | None) -> Deliver:
    sender = reader.address("sender's address")
    pid, dcs = reader.take(2, "protocol identifier")
    stamp = _read_time(reader, "time stamp")
    body = _read_body(reader, dcs, has_header=bool(first & 0x40))
    return Deliver(
        sender=sender,
        text=body.text,
        data=body.data,
        alphabet=body.alphabet,
        dcs=dcs,
        pid=pid,
        message_class=body.message_class,
        concat=body.concat,
        udh=body.udh,
        service_centre_at=stamp,
        service_centre=centre,
        more_to_send=not first & 0x04,
        reply_path=bool(first & 0x80),
        report_indication=bool(first & 0x20),
        note=reader.note(),
        user_data=body.user_data,
    )


def _decode_status_report(reader: _Reader, centre: str | None) -> StatusReport:
    mr = reader.octet("message reference")
    recipient = reader.address("recipient's address")
    service_centre_at = _read_time(reader, "time stamp")
    discharged_at = _read_time(reader, "discharge time")
    status = reader.octet("status")
    # What may follow (parameter indicator, user data) says nothing about the fate of the part.
    return StatusReport(
        mr, recipient, service_centre_at, discharged_at, status, centre, reader.note()
    )


def _decode_submit(reader: _Reader, first: int, centre: str | None) -> DecodedSubmit:
    mr = reader.octet("message reference")
    recipient = reader.address("recipient's address")
    pid, dcs = reader.take(2, "protocol identifier")
    validity_format = first >> 3 & 0x03
    validity = reader.take(_VALIDITY_OCTETS[validity_format], "validity period")
    if validity_format == _ENHANCED_VALIDITY:
        reader.notes.append(f"enhanced validity period {validity.hex().upper()} not read")
    body = _read_body(reader, dcs, has_header=bool(first & 0x40))
    return DecodedSubmit(
        recipient=recipient,
        text=body.text,
        data=body.data,
        alphabet=body.alphabet,
        dcs=dcs,
        pid=pid,
        message_class=body.message_class,
        concat=body.concat,
        udh=body.udh,
        mr=mr,
        report=bool(first & 0x20),
        validity=validity[0] if validity_format == _RELATIVE_VALIDITY else None,
        valid_until=(
            times.decode_time(validity) if validity_format == _ABSOLUTE_VALIDITY else None
        ),
        reply_path=bool(first & 0x80),
        reject_duplicates=bool(first & 0x04),
        service_centre=centre,
        note=reader.note(),
        user_data=body.user_data,
    )


def _read_time(reader: _Reader, what: str) -> dt.datetime | None:
    octets = reader.take(times.TIME_STAMP_OCTETS, what)
    at = times.decode_time(octets)
    if at is None:
        reader.notes.append(
            f"broken {what} {octets.hex().upper()}" if any(octets) else f"no {what}"
        )
    return at


def _read_body(reader: _Reader, dcs: int, *, has_header: bool) -> _Body:
    """Read TP-UDL and TP-UD; octets behind them are not ours (a modem may add some)."""
    meaning = coding.read_coding(dcs)
    if meaning.is_compressed:
        reader.notes.append("compressed text, kept as data")
    if meaning.is_reserved:
        reader.notes.append(f"reserved data coding scheme {dcs:02X}")
    body = _Body(meaning.alphabet, meaning.message_class)
    length = reader.octet("user data length")
    # Octets where the alphabet is not GSM 7-bit, and for a compressed text too (9.2.3.16).
    is_septets = body.alphabet is Alphabet.GSM7
    octets = reader.rest()[: (length * 7 + 7) // 8 if is_septets else length]
    front = _read_header(reader, body, octets) if has_header else 0
    if is_septets:
        front_septets = (front * 8 + 6) // 7
        fill_bits = front_septets * 7 - front * 8
        wanted = max(length - front_septets, 0)
        body.user_data = alphabets.unpack(octets[front:], wanted, fill_bits=fill_bits)
    else:
        wanted = length - front
        body.user_data = octets[front:]
    if len(body.user_data) < wanted:
        units = "septets" if is_septets else "octets"
        reader.notes.append(f"only {len(body.user_data)} of {wanted} {units} of user data")
    if body.alphabet is Alphabet.DATA:
        body.data = body.user_data
        return body
    body.text = _text_of(body.alphabet, body.shift, body.user_data)
    if body.alphabet is Alphabet.UCS2 and len(body.user_data) % 2:
        reader.notes.append("half a character at the end")
    return body


def _read_header(reader: _Reader, body: _Body, octets: bytes) -> int:
    """Read the user data header into `body`; return its octets, the length octet included."""
    if not octets:
        reader.notes.append("no user data header where one was announced")
        return 0
    length = octets[0]
    body.udh = octets[1 : 1 + length]
    if len(body.udh) < length:
        reader.notes.append("the user data header is longer than the user data")
    try:
        elements = header.read_elements(body.udh)
    except PduError as error:
        reader.notes.append(str(error))
        return 1 + len(body.udh)
    body.concat = header.read_concat(elements)
    body.shift = header.read_shift(body.udh)
    reader.notes.extend(f"unknown national language {language}" for language in body.shift.unknown)
    return 1 + len(body.udh)


def _text_of(alphabet: Alphabet, shift: header.Shift, user_data: bytes) -> str:
    if alphabet is Alphabet.UCS2:
        return alphabets.decode_utf16(user_data)
    return alphabets.decode_septets(user_data, locking=shift.locking, single=shift.single)


def join_texts(parts: Sequence[Deliver]) -> str:
    """Join the parts of a multipart message into its text, whatever their order.

    A character that the sender cut in two (surrogate or escape pair) is made whole. Of parts with
    the same number the first counts; where parts are missing, the text goes on with the next.
    8-bit data has no text.
    """
    by_number: dict[int, Deliver] = {}
    for part in parts:
        by_number.setdefault(part.concat.number if part.concat else 0, part)
    texts: list[str] = []
    run: list[Deliver] = []
    last = 0
    for number in sorted(by_number):
        part = by_number[number]
        if run and (number != last + 1 or _manner(part) != _manner(run[-1])):
            texts.append(_join_run(run))
            run = []
        run.append(part)
        last = number
    if run:
        texts.append(_join_run(run))
    return "".join(texts)


def _manner(part: Deliver) -> tuple[Alphabet, header.Shift]:
    """Return what parts must share to be decoded as one."""
    return part.alphabet, header.read_shift(part.udh)


def _join_run(run: list[Deliver]) -> str:
    alphabet, shift = _manner(run[0])
    if alphabet is Alphabet.DATA:
        return ""
    octets = b"".join(
        _even(part.user_data) if alphabet is Alphabet.UCS2 else part.user_data for part in run
    )
    return _text_of(alphabet, shift, octets)


def _even(octets: bytes) -> bytes:
    return octets[: len(octets) & ~1]
