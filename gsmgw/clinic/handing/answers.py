# SPDX-License-Identifier: Apache-2.0
"""One answer as a document: flat JSON of our own, or FHIR R4 AppointmentResponse."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any, Literal

from gsmgw.store.database import Row

#: What a screen obeys or hides, beside what JSON always escapes: marks of direction, tags, halves
#: of characters. Programs read the same text, people are not deceived.
_UNSEEN = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
#: FHIR ParticipationStatus of an answer that changes no visit.
_OPEN = "needs-action"


def name(number: int) -> str:
    """Return the name of an answer's file: its number, six digits or more."""
    return f"{number:06d}.json"


def document(row: Row, form: Literal["own", "fhir"], zone: dt.tzinfo) -> bytes:
    """Return what stands in the file of an answer."""
    found = _fhir(row, zone) if form == "fhir" else _own(row, zone)
    text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    return _UNSEEN.sub(lambda match: json.dumps(match[0])[1:-1], text).encode()


def _own(row: Row, zone: dt.tzinfo) -> dict[str, Any]:
    return {
        "response": row["id"],
        "appointment": row["appointment_id"],
        "patient": row["patient_id"],
        "phone": row["phone"],
        "status": row["status"],
        "meaning": row["meaning"],
        "text": row["text"],
        "asked": row["asked"],
        "start": _moment(row["start"], zone),
        "at": _moment(row["at"], zone),
        "certain": bool(row["applied"]),
    }


def _fhir(row: Row, zone: dt.tzinfo) -> dict[str, Any]:
    found: dict[str, Any] = {
        "resourceType": "AppointmentResponse",
        "id": f"R-{row['id']}",
        "participantStatus": row["status"] or _OPEN,
    }
    if row["appointment_id"]:
        found["appointment"] = {"reference": f"Appointment/{row['appointment_id']}"}
    if row["start"]:
        found["start"] = _moment(row["start"], zone)
    actor: dict[str, Any] = {"identifier": {"system": "urn:ietf:rfc:3966", "value": row["phone"]}}
    if row["patient_id"]:
        actor["reference"] = f"Patient/{row['patient_id']}"
    if row["first"]:
        actor["display"] = row["first"]
    found["actor"] = actor
    if row["text"]:
        found["comment"] = row["text"]
    return found


def _moment(at: str | None, zone: dt.tzinfo) -> str | None:
    """Return a time of the store on the clinic's clock, with its offset, in whole seconds."""
    if not at:
        return None
    return dt.datetime.fromisoformat(at).astimezone(zone).isoformat(timespec="seconds")
