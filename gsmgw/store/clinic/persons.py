# SPDX-License-Identifier: Apache-2.0
"""Persons: who is meant by a number, and all rows in which one stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gsmgw import phone as phones
from gsmgw.store.clinic import people
from gsmgw.store.database import Database, Row, Transaction

#: What people write between the digits of a number.
_GAP = r"[\s().\-/\u00a0]*"


@dataclass(frozen=True, slots=True)
class Person:
    """Who is meant: patients, and a phone if it is theirs alone."""

    patients: tuple[str, ...]
    phone: str | None  #: None: nobody's, or others have it too
    names: tuple[str, ...] = ()  #: given and family names
    visits: tuple[str, ...] = ()
    national: str = ""  #: the phone's digits behind the country's code

    def number_pattern(self) -> re.Pattern[str] | None:
        """Return how the phone looks in any text, written with or without its country."""
        if not self.national:
            return None
        return re.compile(rf"(?<!\d){self._country()}{_GAP.join(self.national)}(?!\d)")

    def is_named_in(self, note: str) -> bool:
        """Tell whether a note speaks of the person: phone, two names together, or number."""
        pattern = self.number_pattern()
        if pattern is not None and pattern.search(note):
            return True
        words = set(re.findall(r"\w+", note.casefold()))
        named = [name for name in self.names if set(re.findall(r"\w+", name.casefold())) <= words]
        return len(named) > 1 or any(f"({one})" in note for one in self.patients)

    def _country(self) -> str:
        assert self.phone is not None
        code = self.phone.removeprefix("+").removesuffix(self.national)
        return rf"(?:(?:\+|00)?{_GAP.join(code)}{_GAP}|0)?" if code else "0?"


def find(db: Database | Transaction, patients: Sequence[str], phone: str | None) -> Person:
    """Return what is known of some patients who are to be shown or forgotten together."""
    found = [row for one in patients if (row := people.get(db, one)) is not None]
    names = {row[column] for row in found for column in ("given", "family") if row[column]}
    visits = [str(row["id"]) for row in _of_patients(db, "appointment", patients)]
    national = "" if phone is None else national_digits(phone)
    return Person(tuple(patients), phone, tuple(sorted(names)), tuple(visits), national)


def national_digits(phone: str) -> str:
    """Return a number as it is written inside its country."""
    digits = phone.removeprefix("+")
    return digits[phones.country_code_length(phone) :] if phone.startswith("+") else digits


def others_on_phone(db: Database | Transaction, phone: str, patients: Sequence[str]) -> bool:
    """Tell whether a phone is also that of somebody else."""
    rows = db.rows("SELECT id FROM patient WHERE phone = ?", (phone,))
    return any(row["id"] not in patients for row in rows)


# -- rows of a person -----------------------------------------------------------------------------


def _of_patients(db: Database | Transaction, table: str, patients: Sequence[str]) -> list[Row]:
    marks = ", ".join("?" * len(patients))
    return db.rows(
        f"SELECT * FROM {table} WHERE patient_id IN ({marks}) ORDER BY id",  # noqa: S608 - constants
        tuple(patients),
    )


def rows_of(db: Database | Transaction, table: str, person: Person) -> list[Row]:
    """Return the rows of a table of the clinic that are about a person or their phone."""
    found = {row["id"]: row for row in _of_patients(db, table, person.patients)}
    if person.phone is not None and table in ("request", "response", "task"):
        rows = db.rows(f"SELECT * FROM {table} WHERE phone = ?", (person.phone,))  # noqa: S608
        found |= {row["id"]: row for row in rows}
    return [found[key] for key in sorted(found)]


def calls_of(db: Database | Transaction, person: Person) -> list[Row]:
    """Return the calls that people made to a person."""
    found = {
        row["id"]: row
        for visit in person.visits
        for row in db.rows("SELECT * FROM call_try WHERE appointment_id = ?", (visit,))
    }
    return [found[key] for key in sorted(found)]


def messages_of(db: Database | Transaction, person: Person) -> list[Row]:
    """Return the messages to a person's phone, and those in which they are spoken of."""
    ids = {row["outbox_id"] for row in rows_of(db, "request", person) if row["outbox_id"]}
    ids |= {row["outbox_id"] for row in notices_of(db, person) if row["outbox_id"]}
    if person.phone is not None:
        rows = db.rows("SELECT id FROM outbox WHERE recipient = ?", (person.phone,))
        ids |= {row["id"] for row in rows}
    found = (db.row("SELECT * FROM outbox WHERE id = ?", (one,)) for one in sorted(ids))
    return [row for row in found if row is not None]


def arrivals_of(db: Database | Transaction, person: Person) -> list[Row]:
    """Return what arrived from a person's phone, and answers about them from a shared one."""
    ids = {row["inbox_id"] for row in rows_of(db, "response", person) if row["inbox_id"]}
    if person.phone is not None:
        rows = db.rows("SELECT id FROM inbox WHERE sender = ?", (person.phone,))
        ids |= {row["id"] for row in rows}
    found = (db.row("SELECT * FROM inbox WHERE id = ?", (one,)) for one in sorted(ids))
    return [row for row in found if row is not None]


def notices_of(db: Database | Transaction, person: Person) -> list[Row]:
    """Return what was said to people of the clinic about work for a person."""
    found = []
    for task in rows_of(db, "task", person):
        found += db.rows(
            "SELECT * FROM request WHERE same_as BETWEEN ? AND ?",
            (f"staff:{task['id']}:", f"staff:{task['id']};"),
        )
    return found


def consents_of(db: Database | Transaction, person: Person) -> list[Row]:
    """Return what a person's phone decided."""
    return db.rows("SELECT * FROM consent WHERE phone = ? ORDER BY category", (person.phone,))


def unsettled(tx: Transaction, person: Person) -> list[int]:
    """Return the messages to a person of which something may still be sent."""
    return [
        int(row["id"])
        for row in messages_of(tx, person)
        if row["state"] in ("new", "queued", "sending", "uncertain") and row["settled_at"] is None
    ]


def in_the_way(db: Database, person: Person) -> str | None:
    """Return what is under way with a person, so that they cannot be forgotten this moment."""
    messages = {row["id"] for row in messages_of(db, person)}
    sending = {row["message_id"] for row in db.rows("SELECT * FROM part WHERE state = 'sending'")}
    if messages & sending:
        return "a modem is sending to this person"
    for file in db.rows("SELECT * FROM spool_file WHERE finished_at IS NULL"):
        entries = db.rows("SELECT message_id FROM spool_entry WHERE file_id = ?", (file["id"],))
        if messages & {row["message_id"] for row in entries}:
            return f"the file checked/{file['name']} is not yet put away"
    arrivals = {row["id"] for row in arrivals_of(db, person)}
    owed = db.rows("SELECT inbox_id FROM handout WHERE finished_at IS NULL")
    if arrivals & {row["inbox_id"] for row in owed}:
        return "what this person wrote is being handed over"
    taken = db.row("SELECT name FROM import_file WHERE finished_at IS NULL")
    return None if taken is None else "a file of the clinic's program is being read"


# -- words of others ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mentions:
    """Where words of others name a person, as far as they were read."""

    found: Mapping[str, Sequence[int]]  #: table to rows
    newest: Mapping[str, int]  #: table to the last row that was read


#: Nothing was read yet.
NO_MENTIONS = Mentions({}, {})
#: Words of others: table, and what is read of it.
_WORDS = {
    "outbox": "text",
    "inbox": "text",
    "command": "line || ' ' || coalesce(answer, '') || ' ' || coalesce(error, '')",
    "hook_run": "path",
    "spool_file": "original_name",
}
#: Rows that are read at once.
_AT_ONCE = 5000


def find_mentions(
    db: Database | Transaction, person: Person, known: Mentions = NO_MENTIONS
) -> Mentions:
    """Find a person in words of others and in what happened; blocks for reading all of it.

    Call it outside of a write transaction first, then inside with what was found: only what has
    come in between is read then.
    """
    found, newest = dict[str, Sequence[int]](), dict[str, int]()
    for table in (*_WORDS, "event"):
        row = db.row(f"SELECT coalesce(max(id), 0) FROM {table}")  # noqa: S608 - constants
        newest[table] = 0 if row is None else int(row[0])
        behind = known.newest.get(table, 0)
        more = _named(db, person, behind) if table == "event" else _said(db, person, table, behind)
        found[table] = (*known.found.get(table, ()), *more)
    return Mentions(found, newest)


def _said(db: Database | Transaction, person: Person, table: str, behind: int) -> Iterator[int]:
    """Yield the rows of a table in whose words the phone stands."""
    pattern, words = person.number_pattern(), _WORDS[table]
    if pattern is None:
        return
    while rows := db.rows(
        f"SELECT id, {words} AS words FROM {table} WHERE id > ? AND {words} LIKE ?"  # noqa: S608
        " ORDER BY id LIMIT ?",
        (behind, f"%{person.national[-1]}%", _AT_ONCE),
    ):
        yield from (int(row["id"]) for row in rows if pattern.search(row["words"]))
        behind = rows[-1]["id"]


def marks(person: Person) -> list[str]:
    """Return what names a person in the table of what happened: numbers, and the phone."""
    found = {*person.patients, *person.visits}
    if person.phone is not None:
        found |= {person.phone, phones.mask(person.phone)}
    return sorted(found)


def _named(db: Database | Transaction, person: Person, behind: int) -> Iterator[int]:
    """Yield the events that name a person."""
    values = json.dumps([f": {json.dumps(mark)}" for mark in marks(person)])
    rows = db.rows(
        "SELECT id FROM event WHERE id > ? AND EXISTS"
        " (SELECT 1 FROM json_each(?) WHERE instr(detail, value) > 0)",
        (behind, values),
    )
    yield from (int(row["id"]) for row in rows)


# -- octets ---------------------------------------------------------------------------------------


#: First octets of the pages of trees, and how long their heads are.
_TREE_HEADS = {2: 12, 5: 12, 10: 8, 13: 8}


def has_octets(path: Path, person: Person) -> bool:
    """Tell whether free places of a database's file still hold a person's phone or a name.

    What stands in a row is no trace: others have the same name. Blocks for reading the file.
    """
    words = [name.encode() for name in person.names]
    if person.phone is not None:
        digits = person.phone.removeprefix("+")
        padded = digits + "F" * (len(digits) % 2)
        swapped = "".join(padded[at + 1] + padded[at] for at in range(0, len(padded), 2))
        words += [person.national.encode(), swapped.encode()]
    pattern = re.compile(b"|".join(re.escape(word) for word in words if word) or b"(?!)")
    with path.open("rb") as file:
        head = file.read(100)
        size = int.from_bytes(head[16:18], "big")
        size = 65536 if size == 1 else size  # SQLite file format, 1.3.2
        file.seek(0)
        number = 0
        while page := file.read(size):
            number += 1
            if pattern.search(page) and pattern.search(_free_places(page, number)):
                return True
    return False


def _free_places(page: bytes, number: int) -> bytes:
    """Return what lies in no cell of a page of a database (SQLite file format, 1.6).

    A page that is none of a tree is returned whole: what is in use of it cannot be told from the
    rest of it without the pages that lead there.
    """
    at = 100 if number == 1 else 0
    if page[at] not in _TREE_HEADS:
        return page
    ends = at + _TREE_HEADS[page[at]] + 2 * int.from_bytes(page[at + 3 : at + 5], "big")
    cells = int.from_bytes(page[at + 5 : at + 7], "big") or 65536
    free = [page[ends:cells]]
    block = int.from_bytes(page[at + 1 : at + 3], "big")
    while block and len(free) < len(page):
        length = int.from_bytes(page[block + 2 : block + 4], "big")
        free.append(page[block + 4 : block + length])
        block = int.from_bytes(page[block : block + 2], "big")
    return b"\0".join(free)


def compact(db: Database) -> None:
    """Write the database anew without the free places in it. Blocks others for a copy of it."""
    db.row("VACUUM")
