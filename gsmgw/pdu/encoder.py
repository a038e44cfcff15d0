# SPDX-License-Identifier: Apache-2.0
"""Values to octets: SMS-SUBMIT for sending; SMS-DELIVER and SMS-STATUS-REPORT for simulators."""

from __future__ import annotations

from gsmgw.errors import BadNumberError, BadTextError, PduError
from gsmgw.pdu import address as addresses
from gsmgw.pdu import alphabet as alphabets
from gsmgw.pdu import coding, header, segmentation, times
from gsmgw.pdu.address import Address, AddressType
from gsmgw.pdu.alphabet import Alphabet
from gsmgw.pdu.records import Deliver, StatusReport, Submit

# First octet, 3GPP TS 23.040 9.2.2 and 9.2.3.
_SUBMIT, _STATUS_REPORT = 0x01, 0x02
_NO_MORE_TO_SEND = 0x04  # DELIVER, STATUS-REPORT: 1 means that nothing else waits
_REJECT_DUPLICATES = 0x04  # SUBMIT
_RELATIVE_VALIDITY = 0x10  # SUBMIT
_REPORT = 0x20  # SUBMIT: wanted; DELIVER: was wanted
_HAS_HEADER = 0x40
_REPLY_PATH = 0x80


def encode_submit(submit: Submit) -> bytes:
    """Encode an SMS-SUBMIT, without the service centre address in front.

    Raises:
        BadNumberError: the recipient is no number.
        BadTextError: the text or data do not fit into one part, or not into their alphabet; or a
            field is out of its range, which its name in front says.
    """
    try:
        return _encode_submit(submit)
    except PduError as error:
        # A message that can never be sent is the sender's to mend, like a bad text.
        raise BadTextError(str(error)) from error


def _encode_submit(submit: Submit) -> bytes:
    first = (
        _SUBMIT
        | _flag(_REJECT_DUPLICATES, is_set=submit.reject_duplicates)
        | _flag(_RELATIVE_VALIDITY, is_set=submit.validity is not None)
        | _flag(_REPORT, is_set=submit.report)
        | _flag(_REPLY_PATH, is_set=submit.reply_path)
    )
    alphabet = submit.segment.alphabet if submit.segment is not None else Alphabet.DATA
    if submit.dcs is not None:
        dcs = _octet("dcs", submit.dcs)
    else:
        dcs = coding.make_dcs(alphabet, _message_class(submit.message_class))
    udh = header.with_concat(submit.udh, submit.concat)
    text = submit.segment.text if submit.segment is not None else None
    user_data = _encode_user_data(alphabet, text, submit.data, udh)
    validity = b"" if submit.validity is None else bytes((_octet("validity", submit.validity),))
    return b"".join(
        (
            bytes((first | _flag(_HAS_HEADER, is_set=bool(udh)), _octet("mr", submit.mr))),
            addresses.encode_address(_recipient(submit)),
            bytes((_octet("pid", submit.pid), dcs)),
            validity,
            user_data,
        )
    )


def without_validity(tpdu: bytes) -> bytes | None:
    """Take TP-VP out of an SMS-SUBMIT that `encode_submit` has made; None if there is none in it.

    For modems that refuse it (+CMS ERROR 304).
    """
    if not tpdu[0] & _RELATIVE_VALIDITY:
        return None
    # TP-VP follows TP-MTI.., TP-MR, TP-DA, TP-PID and TP-DCS (23.040 9.2.2.2); TP-DA is its length
    # in digits, its type, and two digits an octet (9.1.2.5).
    at = 2 + 2 + (tpdu[2] + 1) // 2 + 2
    return bytes((tpdu[0] & ~_RELATIVE_VALIDITY,)) + tpdu[1:at] + tpdu[at + 1 :]


def encode_deliver(deliver: Deliver) -> bytes:
    """Encode an SMS-DELIVER, the service centre address in front.

    `dcs` stands as it is where it fits `alphabet` and `message_class`, else it is made from them.
    `concat` is put into the header unless it is there already. `user_data` and `note` do not count.

    Raises:
        BadNumberError: sender or service centre cannot be encoded.
        BadTextError: the text or data do not fit into one part, or not into their alphabet.
        PduError: a field is out of its range, or the header is broken.
    """
    first = (
        _flag(_NO_MORE_TO_SEND, is_set=not deliver.more_to_send)
        | _flag(_REPORT, is_set=deliver.report_indication)
        | _flag(_REPLY_PATH, is_set=deliver.reply_path)
    )
    dcs = _octet("dcs", deliver.dcs)
    meaning = coding.read_coding(dcs)
    if (meaning.alphabet, meaning.message_class) != (deliver.alphabet, deliver.message_class):
        dcs = coding.make_dcs(deliver.alphabet, _message_class(deliver.message_class))
    udh = header.with_concat(deliver.udh, deliver.concat)
    return b"".join(
        (
            addresses.encode_service_centre(deliver.service_centre),
            bytes((first | _flag(_HAS_HEADER, is_set=bool(udh)),)),
            addresses.encode_address(deliver.sender),
            bytes((_octet("pid", deliver.pid), dcs)),
            times.encode_time(deliver.service_centre_at),
            _encode_user_data(deliver.alphabet, deliver.text, deliver.data or b"", udh),
        )
    )


def encode_status_report(report: StatusReport) -> bytes:
    """Encode an SMS-STATUS-REPORT, the service centre address in front.

    Raises:
        BadNumberError: recipient or service centre cannot be encoded.
        PduError: a field is out of its range.
    """
    return b"".join(
        (
            addresses.encode_service_centre(report.service_centre),
            bytes((_STATUS_REPORT | _NO_MORE_TO_SEND, _octet("mr", report.mr))),
            addresses.encode_address(report.recipient),
            times.encode_time(report.service_centre_at),
            times.encode_time(report.discharged_at),
            bytes((_octet("status", report.status),)),
        )
    )


def _flag(bit: int, *, is_set: bool) -> int:
    return bit if is_set else 0


def _octet(name: str, number: int) -> int:
    if not 0 <= number <= 0xFF:
        raise PduError(f"{name}: {number} is not between 0 and 255")
    return number


def _message_class(message_class: int | None) -> int | None:
    if message_class is not None and not 0 <= message_class <= 3:
        raise PduError(f"class: {message_class} is not between 0 and 3")
    return message_class


def _recipient(submit: Submit) -> Address:
    if submit.toa is not None:
        return Address(submit.recipient, _octet("toa", submit.toa))
    address = addresses.make_address(submit.recipient)
    if address.type is AddressType.ALPHANUMERIC or not address.digits.removeprefix("+"):
        raise BadNumberError(f"{submit.recipient!r} is no number that a message can be sent to")
    return address


def _encode_user_data(alphabet: Alphabet, text: str | None, octets: bytes, udh: bytes) -> bytes:
    """Encode TP-UDL and TP-UD, 3GPP TS 23.040 9.2.3.16 and 9.2.3.24."""
    if len(udh) >= segmentation.USER_DATA_OCTETS:
        raise BadTextError(f"a user data header of {len(udh)} octets does not fit into one part")
    front = bytes((len(udh),)) + udh if udh else b""
    if alphabet is Alphabet.GSM7:
        length, body = _encode_gsm7(text or "", udh, len(front))
    else:
        body = alphabets.encode_utf16(text or "") if alphabet is Alphabet.UCS2 else octets
        length = len(front) + len(body)
    if len(front) + len(body) > segmentation.USER_DATA_OCTETS:
        raise BadTextError(
            f"{len(front) + len(body)} octets of user data, more than the"
            f" {segmentation.USER_DATA_OCTETS} of one part"
        )
    return bytes((length,)) + front + body


def _encode_gsm7(text: str, udh: bytes, front_octets: int) -> tuple[int, bytes]:
    """Return the length in septets, header included, and the packed text behind its fill bits."""
    shift = header.read_shift(udh)
    septets = alphabets.encode_septets(text, locking=shift.locking, single=shift.single)
    front_septets = (front_octets * 8 + 6) // 7
    packed = alphabets.pack(septets, fill_bits=front_septets * 7 - front_octets * 8)
    return front_septets + len(septets), packed
