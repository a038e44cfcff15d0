# SPDX-License-Identifier: Apache-2.0
"""What the tests of the codec share: published vectors, and short ways to build messages."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from gsmgw import pdu

_VECTORS = Path(__file__).parent / "data" / "pdu"

#: Everything up to the user data length: service centre +48500100290, sender +48500100200.
PLAIN = "07918405100092F0040B918405100002F0{pid:02X}{dcs:02X}62112201035440"
WITH_HEADER = PLAIN.replace("F0040B", "F0440B", 1)

SENDER = pdu.Address("+48500100201", 0x91)
SENT_AT = dt.datetime(2026, 11, 22, 10, 30, 45, tzinfo=dt.timezone(dt.timedelta(hours=1)))


def read_vectors(name: str) -> list[dict[str, Any]]:
    vectors: list[dict[str, Any]] = json.loads((_VECTORS / name).read_text(encoding="utf-8"))
    return vectors


def make_delivery_pdu(
    user_data: str, *, dcs: int = 0, pid: int = 0, has_header: bool = False
) -> str:
    """Hex of an SMS-DELIVER; `user_data` begins with the user data length."""
    return (WITH_HEADER if has_header else PLAIN).format(dcs=dcs, pid=pid) + user_data


def decode_delivery(hexadecimal: str) -> pdu.Deliver:
    decoded = pdu.decode(hexadecimal)
    assert isinstance(decoded, pdu.Deliver), decoded
    return decoded


def decode_submission(octets: bytes) -> pdu.DecodedSubmit:
    decoded = pdu.decode(octets, direction="out", service_centre=False)
    assert isinstance(decoded, pdu.DecodedSubmit), decoded
    return decoded


def make_text_segment(text: str) -> pdu.Segment:
    (only,) = pdu.segment(text)
    return only


def deliver_parts(text: str, *, ref: int = 7, wide: bool = False) -> list[pdu.Deliver]:
    """Segment, encode and decode a text, as it would arrive on another phone."""
    segments = pdu.segment(text, wide=wide)
    parts = []
    for number, segment in enumerate(segments, start=1):
        concat = None
        if len(segments) > 1:
            concat = pdu.Concat(ref, len(segments), number, wide=wide)
        delivery = pdu.Deliver(
            sender=SENDER, text=segment.text, alphabet=segment.alphabet, concat=concat
        )
        parts.append(decode_delivery(pdu.encode_deliver(delivery).hex()))
    return parts
