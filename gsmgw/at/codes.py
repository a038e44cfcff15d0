# SPDX-License-Identifier: Apache-2.0
"""The tables of CMS, CME and TP-ST codes: their words, whose fault they are, what became of a part.

Two questions are answered for every refusal of a submit, and each has its own column:

*whose* fault it is decides whether the message fails (only `Whose.MESSAGE` does at once), the SIM
rests, or another try is due;

*taken* says whether the network may have the part all the same: False is surely not, True surely
is, None is unknown. Unknown is the answer for everything that no table knows, because a wrong
False sends a message twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gsmgw import model

_RP = "3GPP 24.011 E-2"  #: RP-cause, CMS 0..127
_FCS = "3GPP 23.040 9.2.3.22"  #: TP-FCS, CMS 128..255
_ME = "3GPP 27.005 3.2.5"  #: the modem's own, CMS 300..511
_CME = "3GPP 27.007 9.2"
_VENDOR = "vendor"  #: CMS 512 and up mean what the vendor's manual says
_NONE = "none"  #: in no table


@dataclass(frozen=True, slots=True)
class Code:
    """One CMS or CME code."""

    number: int | None  #: None for a bare ERROR or NO CARRIER
    text: str  #: the words of the specification
    whose: model.Whose
    taken: bool | None  #: whether the network has the part: False no, True yes, None unknown
    source: str  #: where the words come from


_MESSAGE = model.Whose.MESSAGE
_SIM = model.Whose.SIM
_NETWORK = model.Whose.NETWORK
_MODEM = model.Whose.MODEM
_UNCLEAR = model.Whose.UNCLEAR

#: number: (words, whose, taken). Codes that stand here with taken None are known by name only.
_CMS: dict[int, tuple[str, model.Whose, bool | None]] = {
    # RP-cause: the service centre or the switch answered with RP-ERROR.
    1: ("Unassigned (unallocated) number", _MESSAGE, False),
    8: ("Operator determined barring", _SIM, False),
    10: ("Call barred", _UNCLEAR, False),
    21: ("Short message transfer rejected", _UNCLEAR, False),
    22: ("Memory capacity exceeded", _UNCLEAR, None),
    27: ("Destination out of order", _UNCLEAR, False),
    28: ("Unidentified subscriber", _SIM, False),
    29: ("Facility rejected", _SIM, False),
    30: ("Unknown subscriber", _UNCLEAR, False),
    38: ("Network out of order", _NETWORK, False),
    41: ("Temporary failure", _NETWORK, False),
    42: ("Congestion", _NETWORK, False),
    47: ("Resources unavailable, unspecified", _NETWORK, False),
    50: ("Requested facility not subscribed", _SIM, False),
    69: ("Requested facility not implemented", _SIM, False),
    81: ("Invalid short message transfer reference value", _UNCLEAR, False),
    95: ("Semantically incorrect message", _UNCLEAR, False),
    96: ("Invalid mandatory information", _UNCLEAR, False),
    97: ("Message type non-existent or not implemented", _UNCLEAR, False),
    98: ("Message not compatible with short message protocol state", _UNCLEAR, False),
    99: ("Information element non-existent or not implemented", _UNCLEAR, False),
    111: ("Protocol error, unspecified", _UNCLEAR, False),
    127: ("Interworking, unspecified", _UNCLEAR, False),
    # TP-FCS: the service centre read the TPDU and says what it does not like about it.
    128: ("Telematic interworking not supported", _MESSAGE, False),
    129: ("Short message Type 0 not supported", _MESSAGE, False),
    130: ("Cannot replace short message", _MESSAGE, False),
    143: ("Unspecified TP-PID error", _MESSAGE, False),
    144: ("Data coding scheme (alphabet) not supported", _MESSAGE, False),
    145: ("Message class not supported", _MESSAGE, False),
    159: ("Unspecified TP-DCS error", _MESSAGE, False),
    160: ("Command cannot be actioned", _UNCLEAR, None),
    161: ("Command unsupported", _UNCLEAR, None),
    175: ("Unspecified TP-Command error", _UNCLEAR, None),
    176: ("TPDU not supported", _UNCLEAR, None),
    192: ("SC busy", _NETWORK, False),
    193: ("No SC subscription", _SIM, False),
    194: ("SC system failure", _NETWORK, False),
    195: ("Invalid SME address", _MESSAGE, False),
    196: ("Destination SME barred", _MESSAGE, False),
    # The service centre already has a message with this reference and recipient: ours.
    197: ("SM Rejected-Duplicate SM", _MESSAGE, True),
    198: ("TP-VPF not supported", _UNCLEAR, None),
    199: ("TP-VP not supported", _UNCLEAR, None),
    208: ("(U)SIM SMS storage full", _UNCLEAR, None),
    209: ("No SMS storage capability in (U)SIM", _UNCLEAR, None),
    210: ("Error in MS", _UNCLEAR, None),
    211: ("Memory Capacity Exceeded", _UNCLEAR, None),
    212: ("(U)SIM Application Toolkit Busy", _UNCLEAR, None),
    213: ("(U)SIM data download error", _UNCLEAR, None),
    255: ("Unspecified error cause", _UNCLEAR, False),
    # The modem itself.
    300: ("ME failure", _MODEM, False),
    301: ("SMS service of ME reserved", _MODEM, False),
    302: ("Operation not allowed", _MODEM, False),
    303: ("Operation not supported", _MODEM, False),
    # Some modems refuse a validity period so: the sender tries once without before it believes it.
    304: ("Invalid PDU mode parameter", _MESSAGE, False),
    305: ("Invalid text mode parameter", _MESSAGE, False),
    310: ("(U)SIM not inserted", _SIM, False),
    311: ("(U)SIM PIN required", _SIM, False),
    312: ("PH-(U)SIM PIN required", _SIM, False),
    313: ("(U)SIM failure", _MODEM, False),
    314: ("(U)SIM busy", _MODEM, False),
    315: ("(U)SIM wrong", _SIM, False),
    316: ("(U)SIM PUK required", _SIM, False),
    317: ("(U)SIM PIN2 required", _SIM, False),
    318: ("(U)SIM PUK2 required", _SIM, False),
    320: ("Memory failure", _MODEM, False),
    321: ("Invalid memory index", _MODEM, False),
    322: ("Memory full", _MODEM, False),
    330: ("SMSC address unknown", _SIM, False),
    331: ("No network service", _NETWORK, False),
    # The modem gave up waiting: the network may have the part, only its answer got lost.
    332: ("Network timeout", _NETWORK, None),
    340: ("No +CNMA acknowledgement expected", _UNCLEAR, None),
    # Several modems answer 500 to a part that then arrives.
    500: ("Unknown error", _UNCLEAR, None),
}

_CME_TEXTS: dict[int, str] = {
    0: "Phone failure",
    1: "No connection to phone",
    2: "Phone-adaptor link reserved",
    3: "Operation not allowed",
    4: "Operation not supported",
    5: "PH-SIM PIN required",
    6: "PH-FSIM PIN required",
    7: "PH-FSIM PUK required",
    10: "SIM not inserted",
    11: "SIM PIN required",
    12: "SIM PUK required",
    13: "SIM failure",
    14: "SIM busy",
    15: "SIM wrong",
    16: "Incorrect password",
    17: "SIM PIN2 required",
    18: "SIM PUK2 required",
    20: "Memory full",
    21: "Invalid index",
    22: "Not found",
    23: "Memory failure",
    24: "Text string too long",
    25: "Invalid characters in text string",
    26: "Dial string too long",
    27: "Invalid characters in dial string",
    30: "No network service",
    31: "Network timeout",
    32: "Network not allowed - emergency calls only",
    40: "Network personalization PIN required",
    41: "Network personalization PUK required",
    42: "Network subset personalization PIN required",
    43: "Network subset personalization PUK required",
    44: "Service provider personalization PIN required",
    45: "Service provider personalization PUK required",
    46: "Corporate personalization PIN required",
    47: "Corporate personalization PUK required",
    48: "Hidden key required",
    49: "EAP method not supported",
    50: "Incorrect parameters",
    51: "Command implemented but currently disabled",
    52: "Command aborted by user",
    53: "Not attached to network due to MT functionality restrictions",
    54: "Modem not allowed - MT restricted to emergency calls only",
    55: "Operation not allowed because of MT functionality restrictions",
    56: "Fixed dial number only allowed",
    57: "Temporarily out of service due to other MT usage",
    58: "Language/alphabet not supported",
    59: "Unexpected data value",
    60: "System failure",
    61: "Data missing",
    62: "Call barred",
    63: "Message waiting indication subscription failure",
    100: "Unknown",
    103: "Illegal MS",
    106: "Illegal ME",
    107: "GPRS services not allowed",
    111: "PLMN not allowed",
    112: "Location area not allowed",
    113: "Roaming not allowed in this location area",
    132: "Service option not supported",
    133: "Requested service option not subscribed",
    134: "Service option temporarily out of order",
    148: "Unspecified GPRS error",
    149: "PDP authentication failure",
    150: "Invalid mobile class",
}


def cms(number: int | None) -> Code:
    """Look up a `+CMS ERROR`; None stands for a bare ERROR or NO CARRIER after the PDU.

    Never fails: a number of no table is `Whose.UNCLEAR`, taken None.
    """
    if number is None:
        return Code(None, "No code given", _UNCLEAR, None, _NONE)
    row = _CMS.get(number)
    if row is not None:
        text, whose, taken = row
        return Code(number, text, whose, taken, _cms_source(number))
    # 0x80..0x8F are TP-PID errors and 0x90..0x9F TP-DCS errors, the unnamed ones too.
    if 128 <= number <= 143:
        return Code(number, "Reserved TP-PID error", _MESSAGE, False, _FCS)
    if 144 <= number <= 159:
        return Code(number, "Reserved TP-DCS error", _MESSAGE, False, _FCS)
    if number >= 512:
        return Code(number, "Specific to the modem's vendor", _UNCLEAR, None, _VENDOR)
    return Code(number, "Reserved", _UNCLEAR, None, _NONE)


def cme(number: int | None) -> Code:
    """Look up a `+CME ERROR`.

    It always says unclear and unknown: what a CME code means for a submit differs between
    vendors, so that only a vendor profile may know more. Never fails.
    """
    if number is None:
        return Code(None, "No code given", _UNCLEAR, None, _NONE)
    text = _CME_TEXTS.get(number)
    if text is None:
        return Code(number, "Reserved", _UNCLEAR, None, _NONE)
    return Code(number, text, _UNCLEAR, None, _CME)


def _cms_source(number: int) -> str:
    if number < 128:
        return _RP
    return _FCS if number < 256 else _ME


class DeliveryStatus(StrEnum):
    """What a status report says of its part."""

    DELIVERED = "delivered"
    PENDING = "pending"  #: the service centre still tries, another report may follow
    UNDELIVERED = "undelivered"  #: it will never arrive


@dataclass(frozen=True, slots=True)
class Status:
    """One value of TP-ST."""

    number: int  #: 0..255
    text: str  #: the words of the specification
    delivery: DeliveryStatus


_STATUS_TEXTS: dict[int, str] = {
    0x00: "Short message received by the SME",
    0x01: "Short message forwarded by the SC to the SME but the SC is unable to confirm delivery",
    0x02: "Short message replaced by the SC",
    0x20: "Congestion",
    0x21: "SME busy",
    0x22: "No response from SME",
    0x23: "Service rejected",
    0x24: "Quality of service not available",
    0x25: "Error in SME",
    0x40: "Remote procedure error",
    0x41: "Incompatible destination",
    0x42: "Connection rejected by SME",
    0x43: "Not obtainable",
    0x44: "Quality of service not available",
    0x45: "No interworking available",
    0x46: "SM validity period expired",
    0x47: "SM deleted by originating SME",
    0x48: "SM deleted by SC administration",
    0x49: "SM does not exist",
    0x60: "Congestion",
    0x61: "SME busy",
    0x62: "No response from SME",
    0x63: "Service rejected",
    0x64: "Quality of service not available",
    0x65: "Error in SME",
}


def tp_status(st: int) -> Status:
    """Look up TP-ST, 0..255, of a status report (3GPP 23.040 9.2.3.15). Never fails.

    0x00..0x1F are delivered, 0x40..0x7F never will be, all others are still open: values from
    0x80 up are reserved and settle nothing.
    """
    if 0x00 <= st <= 0x1F:
        delivery = DeliveryStatus.DELIVERED
    elif 0x40 <= st <= 0x7F:
        delivery = DeliveryStatus.UNDELIVERED
    else:
        delivery = DeliveryStatus.PENDING
    text = _STATUS_TEXTS.get(st)
    if text is None:
        # The upper half of each block of 32 belongs to the service centre's maker.
        specific = 0 <= st <= 0x7F and st & 0x10
        text = "Specific to the service centre" if specific else "Reserved"
    return Status(st, text, delivery)
