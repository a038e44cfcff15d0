# SPDX-License-Identifier: Apache-2.0
"""One answer as a document: flat JSON of our own, or FHIR R4."""

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
_FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


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
    """Return an AppointmentResponse, which needs an appointment (FHIR R4 1..1), or what was said.

    Empty elements are left out: FHIR allows none.
    """
    if not row["appointment_id"]:
        return _communication(row, zone)
    found: dict[str, Any] = {
        "resourceType": "AppointmentResponse",
        "id": f"R-{row['id']}",
        "appointment": _reference("Appointment", row["appointment_id"]),
        "participantStatus": row["status"] or _OPEN,
        "actor": _person(row),
    }
    if row["start"]:
        found["start"] = _moment(row["start"], zone)
    if text := _fhir_text(row):
        found["comment"] = text
    return found


def _communication(row: Row, zone: dt.tzinfo) -> dict[str, Any]:
    """Return a Communication: words that belong to no appointment."""
    found: dict[str, Any] = {
        "resourceType": "Communication",
        "id": f"R-{row['id']}",
        "status": "completed",
        "medium": [{"text": "sms"}],
        "received": _moment(row["at"], zone),
        "sender": _person(row),
    }
    if text := _fhir_text(row):
        found["payload"] = [{"contentString": text}]
    return found


def _person(row: Row) -> dict[str, Any]:
    number = {"system": "urn:ietf:rfc:3966", "value": row["phone"]}
    if not row["patient_id"]:
        return {"type": "Patient", "identifier": number}
    found = _reference("Patient", row["patient_id"])
    found.setdefault("identifier", number)
    if row["first"]:
        found["display"] = row["first"]
    return found


def _reference(resource: str, number: str) -> dict[str, Any]:
    """Return a reference; a number that can be no FHIR id (R4 2.24.0.1) is an identifier."""
    if _FHIR_ID.fullmatch(number):
        return {"reference": f"{resource}/{number}"}
    return {"type": resource, "identifier": {"value": number}}


def _fhir_text(row: Row) -> str:
    """Return what was written, without signs that a FHIR string must not hold."""
    return _CONTROL.sub(" ", row["text"] or "").strip()


def _moment(at: str | None, zone: dt.tzinfo) -> str | None:
    """Return a time of the store on the clinic's clock, with its offset, in whole seconds."""
    if not at:
        return None
    return dt.datetime.fromisoformat(at).astimezone(zone).isoformat(timespec="seconds")
