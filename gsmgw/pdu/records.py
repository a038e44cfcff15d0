# SPDX-License-Identifier: Apache-2.0
"""The messages of the codec as values: what an SMS-SUBMIT, -DELIVER or -STATUS-REPORT says."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from gsmgw.pdu.address import Address
from gsmgw.pdu.alphabet import Alphabet
from gsmgw.pdu.header import Concat
from gsmgw.pdu.segmentation import Segment


@dataclass(frozen=True, slots=True)
class Submit:
    """An SMS to send (3GPP TS 23.040 9.2.2.2)."""

    recipient: str  #: "+48500100201", "2580", "*100#"; a name only with an alphanumeric `toa`
    segment: Segment | None = None  #: the text; None sends `data`
    data: bytes = b""
    udh: bytes = b""  #: information elements beside concatenation, without the length octet
    concat: Concat | None = None
    report: bool = False  #: ask for a status report
    validity: int | None = None  #: TP-VP, relative, 0..255; None leaves it to the service centre
    dcs: int | None = None  #: overrides the data coding scheme octet, nothing else
    pid: int = 0
    message_class: int | None = None  #: 0..3; 0 shows the text at once
    reply_path: bool = False
    reject_duplicates: bool = False
    mr: int = 0  #: modems put in their own
    toa: int | None = None  #: type of address; None: international with "+", else as dialled


@dataclass(frozen=True, slots=True)
class Deliver:
    """An SMS that came in (3GPP TS 23.040 9.2.2.1)."""

    sender: Address
    text: str | None = None  #: None for 8-bit data
    data: bytes | None = None  #: None for texts
    alphabet: Alphabet = Alphabet.GSM7
    dcs: int = 0
    pid: int = 0  #: 0x40 is "type 0", 0x41 to 0x47 replace an earlier message
    message_class: int | None = None
    concat: Concat | None = None
    udh: bytes = b""  #: the whole header without its length octet
    service_centre_at: dt.datetime | None = None  #: aware, with its own offset
    service_centre: str | None = None
    more_to_send: bool = False  #: the service centre has more for us
    reply_path: bool = False
    report_indication: bool = False  #: the sender asked for a status report
    note: str = ""  #: what was odd, separated by "; "
    #: behind the header: the octets (UCS-2, 8-bit), or the septets, one in each octet (GSM 7-bit)
    user_data: bytes = b""


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The network's word on a part (3GPP TS 23.040 9.2.2.3)."""

    mr: int  #: TP-MR of the part, 0..255
    recipient: Address
    service_centre_at: dt.datetime | None  #: when the service centre took the part
    discharged_at: dt.datetime | None  #: when it was delivered, tried last, or given up
    status: int  #: TP-ST, 9.2.3.15
    service_centre: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class DecodedSubmit:
    """An SMS-SUBMIT read back: one that we made, or one that somebody stored in the SIM."""

    recipient: Address
    text: str | None = None
    data: bytes | None = None
    alphabet: Alphabet = Alphabet.GSM7
    dcs: int = 0
    pid: int = 0
    message_class: int | None = None
    concat: Concat | None = None
    udh: bytes = b""  #: the whole header without its length octet
    mr: int = 0
    report: bool = False
    validity: int | None = None  #: TP-VP, relative, 0..255
    valid_until: dt.datetime | None = None  #: absolute validity
    reply_path: bool = False
    reject_duplicates: bool = False
    service_centre: str | None = None
    note: str = ""
    user_data: bytes = b""  #: as in `Deliver`


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Octets that are no message we can read; they are kept as they came."""

    pdu: str  #: as given, hex
    error: str
    service_centre: str | None = None


Decoded = Deliver | StatusReport | DecodedSubmit | Undecodable
