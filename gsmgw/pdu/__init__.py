# SPDX-License-Identifier: Apache-2.0
"""The codec of 3GPP TS 23.040 and 23.038: SMS as octets and as values, without I/O or threads."""

from gsmgw.pdu.address import Address, AddressType, encode_service_centre, make_address
from gsmgw.pdu.alphabet import Alphabet, is_gsm7
from gsmgw.pdu.coding import Coding, make_dcs, read_coding
from gsmgw.pdu.decoder import decode, join_texts
from gsmgw.pdu.description import describe, encode_described
from gsmgw.pdu.encoder import (
    encode_deliver,
    encode_status_report,
    encode_submit,
    without_validity,
)
from gsmgw.pdu.folding import fold
from gsmgw.pdu.header import Concat, Element, Ports, read_elements, read_ports
from gsmgw.pdu.records import (
    Decoded,
    DecodedSubmit,
    Deliver,
    StatusReport,
    Submit,
    Undecodable,
)
from gsmgw.pdu.segmentation import (
    Measure,
    Segment,
    capacity,
    measure,
    segment,
    segment_numbered,
)
from gsmgw.pdu.times import relative_validity, validity_seconds

__all__ = [
    "Address",
    "AddressType",
    "Alphabet",
    "Coding",
    "Concat",
    "Decoded",
    "DecodedSubmit",
    "Deliver",
    "Element",
    "Measure",
    "Ports",
    "Segment",
    "StatusReport",
    "Submit",
    "Undecodable",
    "capacity",
    "decode",
    "describe",
    "encode_deliver",
    "encode_described",
    "encode_service_centre",
    "encode_status_report",
    "encode_submit",
    "fold",
    "is_gsm7",
    "join_texts",
    "make_address",
    "make_dcs",
    "measure",
    "read_coding",
    "read_elements",
    "read_ports",
    "relative_validity",
    "segment",
    "segment_numbered",
    "validity_seconds",
    "without_validity",
]
