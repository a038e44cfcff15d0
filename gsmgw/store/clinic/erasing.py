# SPDX-License-Identifier: Apache-2.0
"""Erasure: what says who a person was goes from every table, at their wish or after its time.

Rows stay where figures are made from them. The place of a number takes a token that belongs to one
erasure alone, the place of a patient the patient `erased`, who is nobody. The database is opened
with secure_delete, so that the octets are overwritten.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence

from gsmgw.store import consent, upkeep
from gsmgw.store.clinic import persons
from gsmgw.store.clinic.persons import NO_MENTIONS, Mentions, Person
from gsmgw.store.database import Database, Row, Transaction

#: Stands for every patient who was forgotten.
NOBODY = "erased"
#: Persons and reports that are dealt with in one round.
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


def erase(
    tx: Transaction, person: Person, mentions: Mentions | None = NO_MENTIONS
) -> dict[str, int]:
    """Remove a person from every table; return how many rows of each were changed.

    Objections of the phone stay as a keyed hash. What waited to be said is taken back. Messages
    that may still be sent are the caller's matter: withdraw them before.

    Args:
        tx: the transaction.
        person: who.
        mentions: where words of others name the person, found beforehand: what has come since is
            looked through too. None: the time of all these words is over, and they were emptied
            without a look.
    """
    token = f"{consent.HASHED}{secrets.token_hex(16)}"
    work = persons.rows_of(tx, "task", person)
    messages, arrivals = persons.messages_of(tx, person), persons.arrivals_of(tx, person)
    changed = {
        "messages": _erase_messages(tx, person, messages, token),
        "received": _erase_arrivals(tx, person, arrivals, token),
        "requests": _erase_requests(tx, person, token),
        "responses": _erase_responses(tx, person, token),
        "tasks": _erase_tasks(tx, work, token),
        "calls": _erase_calls(tx, person, token),
    }
    changed["visits"], changed["patients"] = len(person.visits), len(person.patients)
    _erase_patients(tx, person)
    if mentions is not None:
        found = persons.find_mentions(tx, person, mentions).found
        _erase_mentions(tx, person, found)
        _erase_events(tx, person, found.get("event", ()))
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
        attempts = "SELECT id FROM part WHERE message_id = ?"
        tx.run(f"UPDATE attempt SET error = NULL WHERE part_id IN ({attempts})", (row["id"],))  # noqa: S608
        tx.run("DELETE FROM event WHERE message_id = ?", (row["id"],))
        _erase_files(tx, "message_id = ?", row["id"])
        count += 1
    if person.phone is None:
        return count
    _erase_files(tx, "recipient = ?", person.phone)
    for row in tx.rows("SELECT * FROM status_report WHERE recipient = ?", (person.phone,)):
        _erase_report(tx, row)
    return count


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


def _erase_mentions(tx: Transaction, person: Person, found: Mapping[str, Sequence[int]]) -> None:
    """Empty texts and notes of others in which the person stands."""
    # A note may name everybody of a phone.
    for row in tx.rows("SELECT id, note FROM task WHERE note IS NOT NULL"):
        if person.is_named_in(row["note"]):
            tx.run("UPDATE task SET note = NULL WHERE id = ?", (row["id"],))
    for message in found.get("outbox", ()):
        tx.run("UPDATE outbox SET text = '' WHERE id = ?", (message,))
        tx.run("UPDATE part SET text = NULL, data = NULL WHERE message_id = ?", (message,))
    for arrival in found.get("inbox", ()):
        tx.run("UPDATE inbox SET text = NULL WHERE id = ?", (arrival,))
        tx.run("UPDATE received_part SET pdu = '' WHERE inbox_id = ?", (arrival,))
    # What modems were asked about the number, and files that bear it in their names.
    for command in found.get("command", ()):
        tx.run("DELETE FROM command WHERE id = ?", (command,))
    for table in ("hook_run", "spool_file"):
        for file in found.get(table, ()):
            tx.run(
                f"DELETE FROM {table} WHERE id = ? AND finished_at IS NOT NULL",  # noqa: S608
                (file,),
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
    rows = [row for row in persons.rows_of(tx, "request", person) if row["kind"] not in _TO_STAFF]
    for row in rows:
        tx.run(
            "UPDATE request SET patient_id = NULL, same_as = NULL, phone = ?,"  # noqa: S608 - a constant
            " details = CASE WHEN json_extract(details, '$.template') IS NULL THEN '{}'"
            "  ELSE json_object('template', json_extract(details, '$.template')) END,"
            f" reason = CASE WHEN {_WAITING} THEN 'erased' ELSE reason END,"
            f" status = CASE WHEN {_WAITING} THEN 'revoked' ELSE status END,"
            " told = 1 WHERE id = ?",
            (token, row["id"]),
        )
    for row in persons.notices_of(tx, person):
        tx.run(
            f"UPDATE request SET status = 'revoked', reason = 'erased' WHERE id = ? AND {_WAITING}",  # noqa: S608
            (row["id"],),
        )
    return len(rows)


def _erase_responses(tx: Transaction, person: Person, token: str) -> int:
    rows = persons.rows_of(tx, "response", person)
    for row in rows:
        tx.run(
            "UPDATE response SET patient_id = NULL, phone = ?, text = NULL, why = NULL,"
            " exported = coalesce(exported, ?) WHERE id = ?",
            (token, tx.now, row["id"]),
        )
    return len(rows)


def _erase_tasks(tx: Transaction, rows: Iterable[Row], token: str) -> int:
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
    return count


def _erase_calls(tx: Transaction, person: Person, token: str) -> int:
    rows = persons.calls_of(tx, person)
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


def _erase_events(tx: Transaction, person: Person, found: Iterable[int]) -> None:
    """Take out of what happened whatever names the person."""
    marks = persons.marks(person)
    for event_id in found:
        row = tx.row("SELECT detail FROM event WHERE id = ?", (event_id,))
        if row is not None:
            detail = json.loads(row["detail"])
            kept = {key: value for key, value in detail.items() if value not in marks}
            tx.run("UPDATE event SET detail = ? WHERE id = ?", (json.dumps(kept), event_id))


def late_reports(db: Database) -> list[Row]:
    """Return status reports that came for messages to persons who were forgotten meanwhile."""
    return db.rows(
        "SELECT status_report.* FROM status_report JOIN part ON part.id = status_report.part_id"
        " JOIN outbox ON outbox.id = part.message_id WHERE status_report.recipient <> ''"
        " AND outbox.recipient LIKE 'hash:%' LIMIT ?",
        (AT_ONCE,),
    )


def empty_reports(tx: Transaction, reports: Iterable[Row]) -> None:
    """Remove the number from status reports."""
    for row in reports:
        _erase_report(tx, row)


# -- retention ------------------------------------------------------------------------------------
#
# What is over is looked for outside a write transaction, and changed piece by piece.

#: Table, what is emptied, and when: what patients wrote, own texts, and what was noted of them.
_TEXTS = (
    ("response", "text = NULL", "at < :before AND text IS NOT NULL"),
    (
        "request",
        "details = json_remove(details, '$.text')",
        "kind IN ('text', 'results') AND expires < :before AND created_at < :before"
        " AND json_extract(details, '$.text') IS NOT NULL",
    ),
    (
        "task",
        "note = NULL, outcome = NULL",
        "closed_at < :before AND (note IS NOT NULL OR outcome IS NOT NULL)",
    ),
    ("call_try", "note = NULL", "at < :before AND note IS NOT NULL"),
)
#: What people did is kept as long as the persons whom they did it for.
_AUDIT = ("visit.", "request.", "task.", "consent.", "person.", "call.")


def empty_old_texts(db: Database, before: str) -> int:
    """Empty what patients wrote and what was noted of it before a time; return how many rows."""
    count = 0
    for table, change, condition in _TEXTS:
        sql = f"UPDATE {table} SET {change} WHERE id = ?"  # noqa: S608 - constants
        rows = db.rows(
            f"SELECT id FROM {table} WHERE {condition} LIMIT :most",  # noqa: S608 - constants
            {"before": before, "most": upkeep.MOST},
        )
        count += upkeep.in_pieces(db, rows, _runner(sql))
    return count


def _runner(sql: str) -> Callable[[Transaction, Row], None]:
    def run(tx: Transaction, row: Row) -> None:
        tx.run(sql, (row["id"],))

    return run


def forget_old_persons(db: Database, before: str) -> int:
    """Erase patients whose last visit, text, answer and work lie before a time; return how many.

    Objections of numbers that are nobody's any longer stay as keyed hashes only.
    """
    count = _forget_patients(db, before) + _forget_objections(db, before)
    return count + _forget_audit(db, before)


def _forget_patients(db: Database, before: str) -> int:
    rows = db.rows(
        "SELECT id FROM patient WHERE id <> ? AND updated_at < ?"
        " AND NOT EXISTS (SELECT 1 FROM appointment WHERE patient_id = patient.id"
        "  AND (start >= ? OR updated_at >= ?))"
        " AND NOT EXISTS (SELECT 1 FROM request WHERE phone = patient.phone"
        "  AND (created_at >= ? OR expires >= ?))"
        " AND NOT EXISTS (SELECT 1 FROM response WHERE phone = patient.phone AND at >= ?)"
        " AND NOT EXISTS (SELECT 1 FROM task WHERE phone = patient.phone"
        "  AND (closed_at IS NULL OR closed_at >= ?))"
        " AND NOT EXISTS (SELECT 1 FROM regimen WHERE patient_id = patient.id"
        "  AND status = 'active') LIMIT ?",
        (NOBODY, *[before] * 7, AT_ONCE),
    )

    def forget(tx: Transaction, row: Row) -> None:
        patient = tx.row("SELECT phone FROM patient WHERE id = ?", (row["id"],))
        phone = None if patient is None else patient["phone"]
        alone = phone is not None and not persons.others_on_phone(tx, phone, [row["id"]])
        erase(tx, persons.find(tx, [row["id"]], phone if alone else None), mentions=None)

    return upkeep.in_pieces(db, rows, forget)


def _forget_objections(db: Database, before: str) -> int:
    rows = db.rows(
        "SELECT phone FROM consent GROUP BY phone HAVING max(at) < ? AND max(decision) = 'deny'"
        " AND min(decision) = 'deny' AND NOT EXISTS"
        " (SELECT 1 FROM patient WHERE patient.phone = consent.phone) LIMIT ?",
        (before, AT_ONCE),
    )
    return upkeep.in_pieces(db, rows, lambda tx, row: consent.forget(tx, row["phone"]))


def _forget_audit(db: Database, before: str) -> int:
    kinds = " OR ".join(f"name GLOB '{begin}*'" for begin in _AUDIT)
    rows = db.rows(
        f"SELECT id FROM event WHERE at < ? AND message_id IS NULL AND ({kinds}) LIMIT ?",  # noqa: S608 - constants
        (before, upkeep.MOST),
    )
    return upkeep.in_pieces(db, rows, _runner("DELETE FROM event WHERE id = ?"))
