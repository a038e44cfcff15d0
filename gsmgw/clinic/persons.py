# SPDX-License-Identifier: Apache-2.0
"""What the law grants a person: to see everything that is stored of them, and to be forgotten."""

from __future__ import annotations

import json
from typing import Any

from gsmgw import errors, phone
from gsmgw.gateway import decisions
from gsmgw.store import events
from gsmgw.store.clinic import erasing, people, persons
from gsmgw.store.clinic.persons import NO_MENTIONS, Mentions, Person
from gsmgw.store.database import Database, Row, Transaction


def find(db: Database | Transaction, who: str, country: str) -> Person:
    """Return the person meant by a patient's number of the clinic, or by a phone.

    A phone stands for everybody on it. A patient's phone is theirs if nobody else has it; of a
    shared one only what is about the patient counts.

    Raises:
        RefusedRecordError: nobody of that number is known, and it is no phone.
    """
    row = people.get(db, who)
    if row is not None:
        number = row["phone"]
        is_shared = number is not None and persons.others_on_phone(db, number, [who])
        return persons.find(db, [who], None if is_shared else number)
    try:
        number = phone.parse_recipient(who, country=country)
    except errors.BadNumberError as error:
        raise errors.RefusedRecordError(
            f"{who!r} is neither a patient's number of the clinic nor a phone", "patient"
        ) from error
    return persons.find(db, [str(one["id"]) for one in people.on_phone(db, number)], number)


def is_known(db: Database | Transaction, person: Person) -> bool:
    """Tell whether anything at all is stored of a person."""
    return bool(
        person.patients
        or persons.messages_of(db, person)
        or persons.arrivals_of(db, person)
        or persons.consents_of(db, person)
        or persons.rows_of(db, "request", person)
        or persons.rows_of(db, "task", person)
    )


# -- to be shown ----------------------------------------------------------------------------------


def document(db: Database | Transaction, person: Person) -> dict[str, Any]:
    """Return everything that is stored of a person, for JSON. Times are UTC.

    Of others on the same phone nothing but what was said to that phone.
    """
    patients = [row for one in person.patients if (row := people.get(db, one)) is not None]
    return {
        "patients": [_plain(row) for row in patients],
        "phone": person.phone,
        "consents": [_plain(row) for row in persons.consents_of(db, person)],
        "visits": [_plain(row) for row in persons.rows_of(db, "appointment", person)],
        "medicines": [_plain(row) for row in persons.rows_of(db, "regimen", person)],
        "planned": [_plain(row) for row in persons.rows_of(db, "request", person)],
        "messages": [_plain(row) for row in persons.messages_of(db, person)],
        "received": [_plain(row) for row in persons.arrivals_of(db, person)],
        "answers": [_plain(row) for row in persons.rows_of(db, "response", person)],
        "tasks": [_plain(row) for row in persons.rows_of(db, "task", person)],
        "calls": [_plain(row) for row in persons.calls_of(db, person)],
    }


def _plain(row: Row) -> dict[str, Any]:
    found = {key: row[key] for key in row.keys()}  # noqa: SIM118 - a row iterates over values
    for name in ("details", "times"):
        if found.get(name) is not None:
            found[name] = json.loads(found[name])
    return found


# -- to be forgotten ------------------------------------------------------------------------------


def withdraw(tx: Transaction, person: Person) -> int:
    """Withdraw what is still to be sent to a person; return how many messages.

    What a modem holds at this moment is still finished.
    """
    waiting = persons.unsettled(tx, person)
    for message_id in waiting:
        decisions.cancel(tx, message_id)
    return len(waiting)


def forget(
    tx: Transaction, person: Person, who: str, mentions: Mentions = NO_MENTIONS
) -> dict[str, int]:
    """Erase a person from every table; return how many rows of each kind were changed.

    Objections stay as keyed hashes, counts as they are. That somebody was forgotten, by whom and
    when, stands in the table of events; not whom.

    Args:
        tx: the transaction.
        person: who.
        who: the person at the keyboard.
        mentions: what `find_mentions` of the store has found before; without it, all texts are read
            while others wait to write.
    """
    changed = erasing.erase(tx, person, mentions)
    counts: dict[str, Any] = {name: count for name, count in changed.items() if count}
    events.add(tx, "person.forgotten", who=who, **counts)
    return changed
