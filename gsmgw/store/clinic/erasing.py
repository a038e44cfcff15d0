# SPDX-License-Identifier: Apache-2.0
"""Erasure: what says who a person was goes from every table, at their wish or after its time.

Rows stay where figures are made from them. The place of a number takes a token that belongs to one
erasure alone, the place of a patient the patient `erased`, who is nobody. The database is opened
with secure_delete, so that the octets are overwritten.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable
from pathlib import Path

from gsmgw import phone as phones
from gsmgw.store import consent
from gsmgw.store.clinic.persons import (
    Person,
    arrivals_of,
    calls_of,
    find,
    messages_of,
    notices_of,
    others_on_phone,
    rows_of,
)
from gsmgw.store.database import Database, Row, Transaction

#: Stands for every patient who was forgotten.
NOBODY = "erased"
#: Rows changed in one transaction: others want to write too.
AT_ONCE = 200

_WAITING = "status IN ('active', 'on-hold')"
#: What is said to people of the clinic, one of whom may be a patient too.
_TO_STAFF = ("staff_task", "digest")
#: Tables whose rows lose their patient, and stay.
_LEFT_ALONE = ("request", "response", "task")
#: Where a visit stands by its number.
_ABOUT = (
    ("request", "about"),
    ("response", "appointment_id"),
    ("task", "about"),
    ("call_try", "appointment_id"),
)


def erase(tx: Transaction, person: Person) -> dict[str, int]:
    """Remove a person from every table; return how many rows of each were changed.

    Objections of the phone stay as a keyed hash. What waited to be said is taken back. Messages
    that may still be sent are the caller's matter: withdraw them before.
    """
    token = f"{consent.HASHED}{secrets.token_hex(16)}"
    work = rows_of(tx, "task", person)
    messages, arrivals = messages_of(tx, person), arrivals_of(tx, person)
    changed = {
        "messages": _erase_messages(tx, person, messages, token),
        "received": _erase_arrivals(tx, person, arrivals, token),
        "requests": _erase_requests(tx, person, token),
        "responses": _erase_responses(tx, person, token),
        "tasks": _erase_tasks(tx, person, work, token),
        "calls": _erase_calls(tx, person, token),
    }
    changed["visits"], changed["patients"] = len(person.visits), len(person.patients)
    _erase_patients(tx, person)
    _erase_events(tx, person)
    if person.phone is not None:
        consent.forget(tx, person.phone)
    return changed


def _erase_messages(tx: Transaction, person: Person, rows: Iterable[Row], token: str) -> int:
    count = 0
    for row in rows:
        is_theirs = row["recipient"] == person.phone
        tx.run(
            "UPDATE outbox SET text = '', tp = NULL, error = NULL, spool_file = NULL,"
            " recipient = CASE WHEN ? THEN ? ELSE recipient END,"
            " reference = CASE WHEN source = 'clinic' THEN reference END WHERE id = ?",
            (is_theirs, token, row["id"]),
        )
        tx.run(
            "UPDATE part SET text = NULL, data = NULL, error = NULL WHERE message_id = ?",
            (row["id"],),
        )
        tx.run(
            "UPDATE attempt SET error = NULL WHERE part_id IN"
            " (SELECT id FROM part WHERE message_id = ?)",
            (row["id"],),
        )
        tx.run("DELETE FROM event WHERE message_id = ?", (row["id"],))
        _erase_files(tx, "message_id = ?", row["id"])
        count += 1
    if person.phone is None:
        return count
    _erase_files(tx, "recipient = ?", person.phone)
    for row in tx.rows("SELECT * FROM status_report WHERE recipient = ?", (person.phone,)):
        _erase_report(tx, row)
    return count + _erase_mentions(tx, person)


def _erase_files(tx: Transaction, condition: str, value: object) -> None:
    """Empty what stood in files of the spool, and forget files that are put away."""
    rows = tx.rows(f"SELECT * FROM spool_entry WHERE {condition}", (value,))  # noqa: S608 - constants
    for row in rows:
        tx.run(
            "UPDATE spool_entry SET recipient = NULL, reference = NULL, error = NULL"
            " WHERE file_id = ? AND position = ?",
            (row["file_id"], row["position"]),
        )
        tx.run("DELETE FROM spool_file WHERE id = ? AND finished_at IS NOT NULL", (row["file_id"],))


def _erase_report(tx: Transaction, row: Row) -> None:
    tx.run("UPDATE status_report SET recipient = '' WHERE id = ?", (row["id"],))
    tx.run(
        "UPDATE received_part SET pdu = '', sender = NULL WHERE id = ?", (row["received_part_id"],)
    )


def _erase_mentions(tx: Transaction, person: Person) -> int:
    """Empty texts of others in which the number stands, and what modems were asked about it."""
    pattern, count = person.number_pattern(), 0
    if pattern is None:
        return 0
    last = f"%{person.national[-1]}%"
    for row in tx.rows("SELECT id, text FROM outbox WHERE text LIKE ?", (last,)):
        if pattern.search(row["text"]):
            tx.run("UPDATE outbox SET text = '' WHERE id = ?", (row["id"],))
            tx.run("UPDATE part SET text = NULL, data = NULL WHERE message_id = ?", (row["id"],))
            count += 1
    for row in tx.rows("SELECT id, text FROM inbox WHERE text LIKE ?", (last,)):
        if pattern.search(row["text"]):
            tx.run("UPDATE inbox SET text = NULL WHERE id = ?", (row["id"],))
            tx.run("UPDATE received_part SET pdu = '' WHERE inbox_id = ?", (row["id"],))
            count += 1
    _erase_names(tx, pattern)
    return count


def _erase_names(tx: Transaction, pattern: re.Pattern[str]) -> None:
    """Forget what modems were asked about a number, and files that bear it in their names."""
    for row in tx.rows("SELECT id, line, answer, error FROM command"):
        if pattern.search(" ".join(str(row[name]) for name in ("line", "answer", "error"))):
            tx.run("DELETE FROM command WHERE id = ?", (row["id"],))
    for table, column in (("hook_run", "path"), ("spool_file", "original_name")):
        for row in tx.rows(f"SELECT id, {column} AS name FROM {table}"):  # noqa: S608 - constants
            if pattern.search(row["name"]):
                tx.run(
                    f"DELETE FROM {table} WHERE id = ? AND finished_at IS NOT NULL",  # noqa: S608
                    (row["id"],),
                )


def _erase_arrivals(tx: Transaction, person: Person, rows: Iterable[Row], token: str) -> int:
    count = 0
    for row in rows:
        is_theirs = row["sender"] == person.phone
        tx.run(
            "UPDATE inbox SET text = NULL, sender = CASE WHEN ? THEN ? ELSE sender END"
            " WHERE id = ?",
            (is_theirs, token, row["id"]),
        )
        tx.run(
            "UPDATE received_part SET pdu = '', sender = CASE WHEN ? THEN ? ELSE sender END"
            " WHERE inbox_id = ?",
            (is_theirs, token, row["id"]),
        )
        # The file of what they wrote may lie in incoming/; nothing is owed any longer.
        tx.run(
            "UPDATE handout SET finished_at = coalesce(finished_at, ?) WHERE inbox_id = ?",
            (tx.now, row["id"]),
        )
        count += 1
    if person.phone is not None:
        tx.run(
            "UPDATE received_part SET pdu = '', sender = ? WHERE sender = ?", (token, person.phone)
        )
    return count


def _erase_requests(tx: Transaction, person: Person, token: str) -> int:
    # The category does not tell: the answer to a STOP is staff's, so that the STOP lets it pass.
    rows = [row for row in rows_of(tx, "request", person) if row["kind"] not in _TO_STAFF]
    for row in rows:
        tx.run(
            "UPDATE request SET patient_id = NULL, same_as = NULL, phone = ?,"  # noqa: S608 - a constant
            " details = CASE WHEN json_extract(details, '$.template') IS NULL THEN '{}'"
            "  ELSE json_object('template', json_extract(details, '$.template')) END,"
            f" reason = CASE WHEN {_WAITING} THEN 'erased' ELSE reason END,"
            f" status = CASE WHEN {_WAITING} THEN 'revoked' ELSE status END,"
            " answered = CASE WHEN asks IS NULL THEN answered ELSE coalesce(answered, expires) END,"
            " told = 1 WHERE id = ?",
            (token, row["id"]),
        )
    for row in notices_of(tx, person):
        tx.run(
            f"UPDATE request SET status = 'revoked', reason = 'erased' WHERE id = ? AND {_WAITING}",  # noqa: S608
            (row["id"],),
        )
    return len(rows)


def _erase_responses(tx: Transaction, person: Person, token: str) -> int:
    rows = rows_of(tx, "response", person)
    for row in rows:
        tx.run(
            "UPDATE response SET patient_id = NULL, phone = ?, text = NULL, why = NULL,"
            " exported = coalesce(exported, ?) WHERE id = ?",
            (token, tx.now, row["id"]),
        )
    return len(rows)


def _erase_tasks(tx: Transaction, person: Person, rows: Iterable[Row], token: str) -> int:
    count = 0
    for row in rows:
        tx.run(
            "UPDATE task SET patient_id = NULL, phone = ?, note = NULL, outcome = NULL,"
            " closed_at = coalesce(closed_at, ?), status = CASE"
            " WHEN status IN ('requested', 'in-progress') THEN 'cancelled' ELSE status END"
            " WHERE id = ?",
            (token, tx.now, row["id"]),
        )
        count += 1
    # A note may name everybody of a phone.
    for row in tx.rows("SELECT id, note FROM task WHERE note IS NOT NULL"):
        if _names_one(row["note"], person):
            tx.run("UPDATE task SET note = NULL WHERE id = ?", (row["id"],))
    return count


def _names_one(note: str, person: Person) -> bool:
    pattern = person.number_pattern()
    if pattern is not None and pattern.search(note):
        return True
    words = set(re.findall(r"\w+", note.casefold()))
    named = [name for name in person.names if set(re.findall(r"\w+", name.casefold())) <= words]
    return len(named) > 1 or any(f"({one})" in note for one in person.patients)


def _erase_calls(tx: Transaction, person: Person, token: str) -> int:
    rows = calls_of(tx, person)
    for row in rows:
        tx.run("UPDATE call_try SET phone = ?, note = NULL WHERE id = ?", (token, row["id"]))
    return len(rows)


def _erase_patients(tx: Transaction, person: Person) -> None:
    if person.patients:
        tx.run(
            "INSERT OR IGNORE INTO patient (id, active, updated_at) VALUES (?, 0, ?)",
            (NOBODY, tx.now),
        )
    for visit in person.visits:
        # Its number is the clinic's name for it, so it goes too; figures keep the row.
        anonymous = f"{NOBODY}-{secrets.token_hex(8)}"
        tx.run(
            "INSERT INTO appointment (id, patient_id, start, minutes, status, response, location,"
            " version, variant, booked_at, answered_at, withdrawn, updated_at)"
            " SELECT ?, ?, start, minutes, status, response, location, version, variant,"
            " booked_at, answered_at, withdrawn, ? FROM appointment WHERE id = ?",
            (anonymous, NOBODY, tx.now, visit),
        )
        for table, column in _ABOUT:
            tx.run(
                f"UPDATE {table} SET {column} = ? WHERE {column} = ?",  # noqa: S608 - constants
                (anonymous, visit),
            )
        tx.run("DELETE FROM appointment WHERE id = ?", (visit,))
    for patient in person.patients:
        for table in _LEFT_ALONE:
            tx.run(
                f"UPDATE {table} SET patient_id = NULL WHERE patient_id = ?",  # noqa: S608
                (patient,),
            )
        tx.run("DELETE FROM regimen WHERE patient_id = ?", (patient,))
        tx.run("DELETE FROM patient WHERE id = ?", (patient,))


def _erase_events(tx: Transaction, person: Person) -> None:
    """Take out of what happened whatever names the person: numbers of patient and visit, phone."""
    marks = {*person.patients, *person.visits}
    if person.phone is not None:
        marks |= {person.phone, phones.mask(person.phone)}
    for mark in marks:
        written = json.dumps(mark)
        for row in tx.rows(
            "SELECT id, detail FROM event WHERE instr(detail, ?) > 0", (f": {written}",)
        ):
            kept = {key: value for key, value in json.loads(row["detail"]).items() if value != mark}
            tx.run("UPDATE event SET detail = ? WHERE id = ?", (json.dumps(kept), row["id"]))


def erase_late(tx: Transaction) -> int:
    """Empty status reports that came for messages to persons who were forgotten meanwhile."""
    rows = tx.rows(
        "SELECT status_report.* FROM status_report JOIN part ON part.id = status_report.part_id"
        " JOIN outbox ON outbox.id = part.message_id WHERE status_report.recipient <> ''"
        " AND outbox.recipient LIKE 'hash:%' LIMIT ?",
        (AT_ONCE,),
    )
    for row in rows:
        _erase_report(tx, row)
    return len(rows)


def has_octets(path: Path, person: Person) -> bool:
    """Tell whether the file of a database still holds a person's phone or family name.

    A name that others have too is found as well; it costs a needless copy. Blocks for reading it.
    """
    words = [name.encode() for name in person.names]
    if person.phone is not None:
        digits = person.phone.removeprefix("+")
        padded = digits + "F" * (len(digits) % 2)
        swapped = "".join(padded[at + 1] + padded[at] for at in range(0, len(padded), 2))
        words += [person.national.encode(), swapped.encode()]
    longest = max((len(word) for word in words), default=0)
    rest = b""
    with path.open("rb") as file:
        while piece := file.read(1024 * 1024):
            rest += piece
            if any(word in rest for word in words):
                return True
            rest = rest[-longest:]
    return False


def compact(db: Database) -> None:
    """Write the database anew without the free places in it. Blocks others for a copy of it."""
    db.row("VACUUM")


# -- retention ------------------------------------------------------------------------------------


def empty_texts(tx: Transaction, before: str) -> int:
    """Empty what patients wrote and what was noted of it before a time; return how many rows."""
    texts = tx.run(
        "UPDATE response SET text = NULL WHERE id IN (SELECT id FROM response"
        " WHERE at < ? AND text IS NOT NULL LIMIT ?)",
        (before, AT_ONCE),
    )
    own = tx.run(
        "UPDATE request SET details = json_remove(details, '$.text') WHERE id IN"  # noqa: S608 - a constant
        " (SELECT id FROM request WHERE created_at < ? AND expires < ?"
        f" AND NOT {_WAITING} AND json_extract(details, '$.text') IS NOT NULL LIMIT ?)",
        (before, before, AT_ONCE),
    )
    notes = tx.run(
        "UPDATE task SET note = NULL, outcome = NULL WHERE id IN (SELECT id FROM task"
        " WHERE closed_at < ? AND (note IS NOT NULL OR outcome IS NOT NULL) LIMIT ?)",
        (before, AT_ONCE),
    )
    calls = tx.run(
        "UPDATE call_try SET note = NULL WHERE id IN"
        " (SELECT id FROM call_try WHERE at < ? AND note IS NOT NULL LIMIT ?)",
        (before, AT_ONCE),
    )
    return texts + own + notes + calls


def forget_persons(tx: Transaction, before: str) -> int:
    """Erase patients whose last visit, text, answer and work lie before a time; return how many."""
    rows = tx.rows(
        "SELECT id, phone FROM patient WHERE id <> ? AND updated_at < ?"
        " AND NOT EXISTS (SELECT 1 FROM appointment WHERE patient_id = patient.id"
        "  AND (start >= ? OR updated_at >= ?))"
        " AND NOT EXISTS (SELECT 1 FROM request WHERE patient_id = patient.id"
        "  AND (created_at >= ? OR expires >= ?))"
        " AND NOT EXISTS (SELECT 1 FROM response WHERE phone = patient.phone AND at >= ?)"
        " AND NOT EXISTS (SELECT 1 FROM task WHERE phone = patient.phone"
        "  AND (closed_at IS NULL OR closed_at >= ?))"
        " AND NOT EXISTS (SELECT 1 FROM regimen WHERE patient_id = patient.id"
        "  AND status = 'active') LIMIT 20",
        (NOBODY, *[before] * 7),
    )
    for row in rows:
        phone = row["phone"]
        alone = phone is not None and not others_on_phone(tx, phone, [row["id"]])
        erase(tx, find(tx, [row["id"]], phone if alone else None))
    return len(rows) + _forget_objections(tx, before)


def _forget_objections(tx: Transaction, before: str) -> int:
    """Keep objections of phones that are no patient's any longer as keyed hashes only."""
    rows = tx.rows(
        "SELECT phone FROM consent GROUP BY phone HAVING max(at) < ? AND max(decision) = 'deny'"
        " AND min(decision) = 'deny' AND NOT EXISTS"
        " (SELECT 1 FROM patient WHERE patient.phone = consent.phone) LIMIT ?",
        (before, AT_ONCE),
    )
    for row in rows:
        consent.forget(tx, row["phone"])
    return len(rows)
