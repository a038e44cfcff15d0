# SPDX-License-Identifier: Apache-2.0
"""What the service centre does to PDUs: an SMS-SUBMIT becomes an SMS-DELIVER, octet for octet."""

from __future__ import annotations

import datetime as dt

from gsmgw import errors
from gsmgw.pdu import address as addresses
from gsmgw.pdu import times

#: Bits of the first octet, 3GPP 23.040 9.2.3.
_HAS_HEADER = 0x40
_REPLY_PATH = 0x80
_NO_MORE_TO_SEND = 0x04
#: Octets of TP-VP by TP-VPF (bits 4 and 3): none, enhanced, relative, absolute.
_VALIDITY_OCTETS = {0x00: 0, 0x08: 7, 0x10: 1, 0x18: 7}


def split_service_centre(octets: bytes) -> tuple[bytes, bytes]:
    """Split what a program writes into the service centre address and the TPDU.

    Raises:
        PduError: the octets end too early.
    """
    if not octets or len(octets) < octets[0] + 2:
        raise errors.PduError("the service centre address does not end")
    end = octets[0] + 1
    return octets[:end], octets[end:]


def deliver_from_submit(
    tpdu: bytes, *, sender: str, service_centre: str, service_centre_at: dt.datetime
) -> bytes:
    """Make the SMS-DELIVER that a recipient gets, with the service centre address in front.

    Protocol identifier, coding, header and user data are copied as they stand, so that the
    recipient sees the octets that the sender wrote, broken ones too.

    Raises:
        PduError: the TPDU is too short to be an SMS-SUBMIT.
        BadNumberError: sender or service centre cannot be encoded.
    """
    try:
        recipient_octets = 2 + (tpdu[2] + 1) // 2
        pid_at = 2 + recipient_octets
        pid_and_dcs = tpdu[pid_at : pid_at + 2]
        user_data = tpdu[pid_at + 2 + _VALIDITY_OCTETS[tpdu[0] & 0x18] :]
        first = tpdu[0] & (_HAS_HEADER | _REPLY_PATH) | _NO_MORE_TO_SEND
    except IndexError as error:
        raise errors.PduError("the SMS-SUBMIT ends too early") from error
    return b"".join(
        (
            addresses.encode_service_centre(service_centre),
            bytes((first,)),
            addresses.encode_address(addresses.make_address(sender)),
            pid_and_dcs,
            times.encode_time(service_centre_at),
            user_data,
        )
    )
