# SPDX-License-Identifier: Apache-2.0
"""STOP and START: what a patient says of texts as such, and the answer to "may we write to you?".

STOP belongs to the phone, so to every patient on it; whatever the reader is sure of is done at
once, told once, and a person learns whom to ring from now on (2.6).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from gsmgw import phone
from gsmgw.clinic.answering.case import Case
from gsmgw.clinic.booking.reach import STOPPED
from gsmgw.clinic.model import Kind, TaskCode
from gsmgw.clinic.reading import Meaning
from gsmgw.model import Category
from gsmgw.store import consent, events, outbox
from gsmgw.store.clinic import requests, said, tasks, visits

#: Who has decided, as table `consent` calls it.
SOURCE = "sms"

#: What START permits again: what needed no permission before. Marketing needs an express one.
_STARTED = {
    "all": (Category.CARE, Category.SURVEY),
    "marketing": (Category.MARKETING,),
    "off": (),
}


def stop(case: Case) -> None:
    """Stop texts to a phone. A second STOP changes nothing and is not answered."""
    tx, number = case.tx, case.arrival.phone
    categories = STOPPED[case.office.config.replies.stop]
    if categories and all(
        consent.decision(tx, number, category) == "deny" for category in categories
    ):
        case.note(applied=True)
        return
    for category in categories:
        consent.decide(tx, number, category, "deny", SOURCE)
    if Category.CARE in categories:
        requests.revoke_phone(tx, number, "stopped")
    for message_id in said.unsent(tx, number, categories):
        outbox.ask_cancel(tx, message_id)
    task_id = None
    if case.arrival.patients:
        task_id = case.task(TaskCode.STOPPED, note=_names(case))
    case.note(applied=bool(categories), why=None if categories else "STOP is off", task_id=task_id)
    if categories:
        _tell(case, "consent.denied", categories)
    if Category.CARE in categories:
        case.say(Kind.STOP_ACK)


def start(case: Case) -> None:
    """Undo a STOP: texts of visits ahead are planned anew."""
    tx, number = case.tx, case.arrival.phone
    categories = [
        category
        for category in _STARTED[case.office.config.replies.stop]
        if consent.decision(tx, number, category) == "deny"
    ]
    case.note(applied=True)
    if not categories:
        return
    for category in categories:
        consent.decide(tx, number, category, "permit", SOURCE)
    _tell(case, "consent.permitted", categories)
    for task in tasks.open_for(tx, number):
        if task["code"] == TaskCode.STOPPED:
            case.office.work.close(tx, task["id"], who="gsmgw", outcome="start")
    for visit in visits.ahead_on_phone(tx, number, tx.now):
        case.office.planner.replan(tx, visit["id"])
    case.say(Kind.START_ACK)


def decide(case: Case) -> None:
    """Take the answer to a question for consent; details of the question say to what."""
    assert case.asked is not None
    row = case.asked.rows[0]
    category = Category(json.loads(row["details"]).get("consent", Category.MARKETING))
    decided = "permit" if Meaning.ACCEPT in case.meanings else "deny"
    consent.decide(case.tx, case.arrival.phone, category, decided, SOURCE)
    _tell(case, f"consent.{'permitted' if decided == 'permit' else 'denied'}", [category])
    requests.answer(case.tx, int(row["id"]))
    requests.release(case.tx, case.arrival.phone)
    case.note(row, applied=True, value=decided)
    if case.office.config.replies.acknowledge:
        case.say(Kind.ACK_DOSE)


def _tell(case: Case, event: str, categories: Sequence[Category]) -> None:
    events.add(
        case.tx,
        event,
        who=SOURCE,
        phone=phone.mask(case.arrival.phone),
        categories=" ".join(categories),
    )


def _names(case: Case) -> str:
    """Name every patient of the phone: one STOP may be several people's."""
    names = []
    for patient in case.arrival.patients:
        name = " ".join(filter(None, (patient["given"], patient["family"])))
        names.append(f"{name} ({patient['id']})" if name else str(patient["id"]))
    return ", ".join(names)
