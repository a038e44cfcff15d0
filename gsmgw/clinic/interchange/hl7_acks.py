# SPDX-License-Identifier: Apache-2.0
"""Acknowledgements of HL7 v2 messages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

#: HL7 table 0008: the message was stored.
ACCEPTED = "AA"
#: What is repeated of a file in which no message was found.
NO_HEAD = ("",) * 8


@dataclass(frozen=True, slots=True)
class Head:
    """What an acknowledgement needs of MSH."""

    application: str
    facility: str
    receiver: str
    receiving_facility: str
    event: str
    control_id: str
    processing: str
    version: str

    def texts(self) -> tuple[str, ...]:
        """Return it as a row keeps it."""
        return (
            self.application, self.facility, self.receiver, self.receiving_facility,
            self.event, self.control_id, self.processing, self.version,
        )  # fmt: skip


def ack(head: Sequence[str], code: str, why: str, at: dt.datetime, control_id: str) -> str:
    """Return the acknowledgement of a message (HL7 v2.5, 2.9.2), its segments ended by CR.

    Args:
        head: `Head.texts` of the message.
        code: AA, AE or AR.
        why: in words; "" for AA.
        at: now, in the clinic's time.
        control_id: our own, MSH-10.
    """
    known = Head(*(_escape(field) for field in head))
    trigger = f"^{known.event}^ACK" if known.event else ""
    fields = [
        "MSH", "^~\\&", known.receiver or "GSMGW", known.receiving_facility, known.application,
        known.facility, f"{at:%Y%m%d%H%M%S}", "", f"ACK{trigger}", control_id,
        known.processing or "P", known.version or "2.5",
    ]  # fmt: skip
    msa = ["MSA", code, known.control_id] + ([_escape(why)] if why else [])
    return "|".join(fields) + "\r" + "|".join(msa) + "\r"


def _escape(text: str) -> str:
    found = text.replace("\\", "\\E\\")
    for sign, name in (("|", "F"), ("^", "S"), ("~", "R"), ("&", "T")):
        found = found.replace(sign, f"\\{name}\\")
    return " ".join(found.split())
