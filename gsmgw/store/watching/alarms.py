# SPDX-License-Identifier: Apache-2.0
"""Alarms: what stays wrong, and what is owed to those who are told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gsmgw.model import MessageState
from gsmgw.store.database import Database, Row, Transaction

#: Alarms that are over are kept, this many of them.
KEPT = 500
#: The notice goes to the program and not to a phone.
HOOK = "hook"
#: Kind of a notice that a person asks for, to see whether it comes.
TEST = "test"

#: An SMS with which nobody was told, as far as anybody knows.
_IN_VAIN = (
    MessageState.REJECTED,
    MessageState.FAILED,
    MessageState.EXPIRED,
    MessageState.CANCELLED,
    MessageState.UNDELIVERED,
    MessageState.UNCERTAIN,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, as it is kept."""

    subject: str  #: what it is about: several findings may be one alarm
    place: str
    name: str
    level: str
    what: str
    advice: str


def unclosed(db: Database | Transaction) -> list[Row]:
    """Return what is or was wrong a moment ago, opened as an alarm or not, oldest first."""
    return db.rows("SELECT * FROM alarm WHERE closed_at IS NULL ORDER BY id")


def opened(db: Database) -> list[Row]:
    """Return the alarms that are open, oldest first."""
    return db.rows(
        "SELECT * FROM alarm WHERE closed_at IS NULL AND opened_at IS NOT NULL ORDER BY id"
    )


def listing(db: Database, limit: int) -> list[Row]:
    """Return the newest alarms, open or over, oldest of them first; with tests by hand."""
    return db.rows(
        "SELECT * FROM alarm WHERE opened_at IS NOT NULL ORDER BY opened_at DESC, id DESC LIMIT ?",
        (limit,),
    )[::-1]


def get(db: Database | Transaction, alarm_id: int) -> Row | None:
    """Return one alarm."""
    return db.row("SELECT * FROM alarm WHERE id = ?", (alarm_id,))


def begin(tx: Transaction, found: Finding) -> None:
    """Note something that was well at the last look."""
    tx.insert(
        "INSERT INTO alarm (subject, place, finding, level, what, advice, first_seen_at,"
        " last_seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            found.subject,
            found.place,
            found.name,
            found.level,
            found.what,
            found.advice,
            tx.now,
            tx.now,
        ),
    )


def seen(tx: Transaction, alarm_id: int, found: Finding, passed_s: float) -> None:
    """Note that it is still wrong, or again, and as what."""
    tx.run(
        "UPDATE alarm SET finding = ?, level = ?, what = ?, advice = ?, last_seen_at = ?,"
        " seen_s = seen_s + ?, quiet_s = quiet_s + ?, gone_s = 0 WHERE id = ?",
        (
            found.name,
            found.level,
            found.what,
            found.advice,
            tx.now,
            passed_s,
            passed_s,
            alarm_id,
        ),
    )


def gone(tx: Transaction, alarm_id: int, passed_s: float) -> None:
    """Note that it is well."""
    tx.run(
        "UPDATE alarm SET gone_s = gone_s + ?, quiet_s = quiet_s + ? WHERE id = ?",
        (passed_s, passed_s, alarm_id),
    )


def open_alarm(tx: Transaction, alarm_id: int) -> None:
    """Make an alarm of it."""
    tx.run("UPDATE alarm SET opened_at = ? WHERE id = ?", (tx.now, alarm_id))


def close_alarm(tx: Transaction, alarm_id: int) -> None:
    """End an alarm; a phone that has not heard of it yet hears the end alone."""
    tx.run("UPDATE alarm SET closed_at = ? WHERE id = ?", (tx.now, alarm_id))
    tx.run(
        "UPDATE alarm_notice SET finished_at = ?, error = 'it was over before it could be told'"
        " WHERE alarm_id = ? AND finished_at IS NULL AND via <> ?",
        (tx.now, alarm_id, HOOK),
    )


def forget(tx: Transaction, alarm_id: int) -> None:
    """Remove what was wrong for a moment only, and so never became an alarm."""
    tx.run("DELETE FROM alarm WHERE id = ? AND opened_at IS NULL", (alarm_id,))


def drop_oldest(tx: Transaction) -> None:
    """Remove alarms that have long been over, with what was told of them."""
    tx.run(
        "DELETE FROM alarm WHERE closed_at IS NOT NULL AND id <= (SELECT id FROM alarm"
        " WHERE closed_at IS NOT NULL ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (KEPT,),
    )


# -- telling --------------------------------------------------------------------------------------


def receivers(program: Sequence[str], phones: Sequence[str]) -> list[str]:
    """Return who is told, as notices name them."""
    return [*([HOOK] if program else []), *phones]


def owe(tx: Transaction, alarm_id: int, kind: str, to: Sequence[str]) -> None:
    """Owe it to each receiver to hear of an alarm as it is now."""
    for via in to:
        tx.insert(
            "INSERT INTO alarm_notice (alarm_id, kind, via, level, finding, what, advice, made_at)"
            " SELECT id, ?, ?, level, finding, what, advice, ? FROM alarm WHERE id = ?",
            (kind, via, tx.now, alarm_id),
        )
    tx.run("UPDATE alarm SET told_level = level, quiet_s = 0 WHERE id = ?", (alarm_id,))


def owe_test(tx: Transaction, to: Sequence[str]) -> int:
    """Owe a test to each receiver; return the id of its alarm, which is over from the start."""
    alarm_id = tx.insert(
        "INSERT INTO alarm (subject, place, finding, level, what, advice, first_seen_at,"
        " last_seen_at, opened_at, closed_at)"
        " VALUES ('alarm', '', 'alarm.test', 'warning', ?1, 'nothing', ?2, ?2, ?2, ?2)",
        ("nothing is wrong; an alarm would come in this way", tx.now),
    )
    owe(tx, alarm_id, TEST, to)
    return alarm_id


def test_waits(db: Database) -> bool:
    """Return whether a phone has yet to get a test."""
    return bool(
        db.row(
            "SELECT 1 FROM alarm_notice WHERE finished_at IS NULL AND via <> ? AND kind = ?",
            (HOOK, TEST),
        )
    )


def tests_before(db: Database, before: str) -> list[Row]:
    """Return the notices of tests that were asked for before a time, and that nobody has got."""
    return db.rows(
        "SELECT id FROM alarm_notice WHERE finished_at IS NULL AND kind = ? AND made_at < ?",
        (TEST, before),
    )


def told_of(db: Database | Transaction, alarm_id: int) -> list[Row]:
    """Return the notices of an alarm, with what became of their SMS, oldest first."""
    return db.rows(
        "SELECT alarm_notice.*, outbox.modem, outbox.state AS message_state,"
        " outbox.error AS message_error"
        " FROM alarm_notice LEFT JOIN outbox ON outbox.id = message_id"
        " WHERE alarm_id = ? ORDER BY alarm_notice.id",
        (alarm_id,),
    )


def owed(db: Database | Transaction, via: str, limit: int) -> list[Row]:
    """Return the notices that a receiver has yet to get, oldest first, with the alarm's facts.

    `tried_over` is the modem of an SMS that came to nothing.
    """
    return db.rows(
        "SELECT alarm_notice.*, place, first_seen_at, last_seen_at, opened_at,"
        " outbox.modem AS tried_over"
        " FROM alarm_notice JOIN alarm ON alarm.id = alarm_id"
        " LEFT JOIN outbox ON outbox.id = message_id"
        " WHERE via = ? AND finished_at IS NULL ORDER BY alarm_notice.id LIMIT ?",
        (via, limit),
    )


def owed_phones(db: Database | Transaction) -> list[str]:
    """Return the numbers that have yet to get a notice."""
    rows = db.rows(
        "SELECT DISTINCT via FROM alarm_notice WHERE finished_at IS NULL AND via <> ?", (HOOK,)
    )
    return [row["via"] for row in rows]


def oldest_owed(db: Database) -> str | None:
    """Return since when the oldest notice is owed."""
    row = db.row("SELECT min(made_at) FROM alarm_notice WHERE finished_at IS NULL")
    return None if row is None else row[0]


def finish(
    tx: Transaction,
    notice_id: int,
    *,
    message_id: int | None = None,
    exit_code: int | None = None,
    error: str | None = None,
) -> None:
    """Note that a receiver was told, by which message or with which exit code; or why never."""
    tx.run(
        "UPDATE alarm_notice SET finished_at = ?, message_id = ?, exit_code = ?, error = ?,"
        " tries = tries + 1 WHERE id = ?",
        (tx.now, message_id, exit_code, error, notice_id),
    )


def in_vain(db: Database | Transaction, since: str) -> list[Row]:
    """Return the notices told since a time by an SMS that came to nothing, with what became of it.

    Only of alarms that are still as they were told; what is over since is told as over. An SMS in
    doubt counts when its time for evidence is over.
    """
    return db.rows(
        "SELECT alarm_notice.*, outbox.state AS message_state,"  # noqa: S608 - only marks
        " outbox.error AS message_error,"
        " outbox.modem AS modem FROM alarm_notice JOIN outbox ON outbox.id = message_id"
        " JOIN alarm ON alarm.id = alarm_id"
        " WHERE finished_at >= ? AND alarm_notice.error IS NULL"
        f" AND outbox.state IN ({', '.join('?' * len(_IN_VAIN))})"
        " AND outbox.settled_at IS NOT NULL AND (kind = 'closed' OR alarm.closed_at IS NULL)"
        " ORDER BY alarm_notice.id",
        (since, *_IN_VAIN),
    )


def owe_again(tx: Transaction, notice_id: int) -> None:
    """Owe a notice again that was told in vain."""
    tx.run("UPDATE alarm_notice SET finished_at = NULL WHERE id = ?", (notice_id,))


def give_up(tx: Transaction, notice_id: int, error: str) -> None:
    """Note of a notice that was told in vain that it is not told again."""
    tx.run("UPDATE alarm_notice SET error = ? WHERE id = ?", (error, notice_id))


def unheard(db: Database) -> list[Row]:
    """Return to whom nothing could be told of alarms that are open: the last try of each, and why.

    Whoever heard of the alarm later, or is owed it still, is not among them.
    """
    return db.rows(
        "SELECT via, error, message_id, max(alarm_notice.id) FROM alarm_notice"
        " JOIN alarm ON alarm.id = alarm_id WHERE alarm.closed_at IS NULL AND error IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM alarm_notice AS later WHERE later.alarm_id = alarm.id"
        " AND later.via = alarm_notice.via AND later.id > alarm_notice.id)"
        " GROUP BY via ORDER BY via"
    )


def count_messages(db: Database | Transaction, via: str, since: str) -> int:
    """Count the SMS with notices that a number got since a time."""
    row = db.row(
        "SELECT count(DISTINCT message_id) FROM alarm_notice"
        " WHERE message_id IS NOT NULL AND via = ? AND finished_at >= ?",
        (via, since),
    )
    return 0 if row is None else int(row[0])
