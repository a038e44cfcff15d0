# SPDX-License-Identifier: Apache-2.0
"""How things are now, gathered for `gsmgw status`: daemon, modems, queue, doubts, today, events."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gsmgw import locks
from gsmgw.cli import display
from gsmgw.clock import format_utc
from gsmgw.model import Category, InboxKind, MessageState
from gsmgw.store import events, figures, inbox, modems, outbox
from gsmgw.store.database import Database

if TYPE_CHECKING:
    from gsmgw.cli import session

#: So many uncertain messages are named one by one.
UNCERTAIN_SHOWN = 20

_MODEM_COLUMNS = (
    "name",
    "state",
    "why",
    "since",
    "port",
    "imei",
    "manufacturer",
    "model",
    "firmware",
    "profile",
    "operator",
    "registration",
    "signal_dbm",
    "service_centre",
    "sim_id",
    "iccid",
    "imsi",
    "sim_state",
    "sim_why",
    "resting_until",
    "updated_at",
)


@dataclass(frozen=True, slots=True)
class QueueLine:
    """Messages of one category that wait."""

    category: str
    now: int  #: due
    later: int  #: for their time, the next try, or the hours of sending
    oldest_due_at: str | None  #: since when the oldest of those due now waits

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {
            "category": self.category,
            "now": self.now,
            "later": self.later,
            "oldest_due_at": self.oldest_due_at,
        }


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that one screen shows."""

    at: str
    database: str
    daemon_pid: int | None  #: None: it does not run
    uncertain: Sequence[display.Row]  #: the newest ones
    uncertain_count: int
    modems: list[dict[str, object]]
    queue: list[QueueLine]
    unchecked: int  #: rows of other software that the daemon has not looked at
    messages_today: dict[str, int]  #: state: messages accepted since midnight
    received_today: int
    missed_calls_today: int
    events: Sequence[display.Row]

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {
            "at": self.at,
            "database": self.database,
            "daemon": {"running": self.daemon_pid is not None, "pid": self.daemon_pid},
            "uncertain": {
                "count": self.uncertain_count,
                "ids": [row["id"] for row in self.uncertain],
            },
            "modems": self.modems,
            "queue": [line.as_json() for line in self.queue],
            "new": self.unchecked,
            "today": {
                "messages": self.messages_today,
                "received": self.received_today,
                "missed_calls": self.missed_calls_today,
            },
            "events": [
                {
                    "at": row["at"],
                    "name": row["name"],
                    "message_id": row["message_id"],
                    "modem": row["modem"],
                    "detail": parse_detail(row["detail"]),
                }
                for row in self.events
            ],
        }


def gather(current: session.Session, event_count: int) -> Overview:
    """Look at everything once. Blocks for a few short queries."""
    db, now = current.database, current.clock.now()
    midnight = now.astimezone(current.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    since = format_utc(midnight)
    counts = outbox.counts(db)
    arrived = _rows_since(lambda limit: inbox.listing(db, limit=limit)[::-1], "received_at", since)
    kinds = Counter(row["kind"] for row in arrived)
    return Overview(
        at=format_utc(now),
        database=str(db.path),
        daemon_pid=daemon_pid(current),
        uncertain=outbox.listing(db, states=(MessageState.UNCERTAIN,), limit=UNCERTAIN_SHOWN),
        uncertain_count=counts.get(MessageState.UNCERTAIN, 0),
        modems=modem_documents(current),
        queue=_queue(db, now),
        unchecked=counts.get(MessageState.NEW, 0),
        messages_today=_messages_since(db, since),
        received_today=sum(kinds.values()) - kinds[InboxKind.MISSED_CALL],
        missed_calls_today=kinds[InboxKind.MISSED_CALL],
        events=events.newest(db, event_count),
    )


def daemon_pid(current: session.Session) -> int | None:
    """Return the process id of the daemon that works on this database; None if none does."""
    return locks.holder(locks.database_lock(current.config.database.path))


def modem_documents(current: session.Session) -> list[dict[str, object]]:
    """Return all configured modems, and those that the database still knows."""
    found = {row["name"]: _modem(row) for row in modems.listing(current.database)}
    for modem in current.config.modems:
        if modem.name not in found:
            empty = dict.fromkeys((*_MODEM_COLUMNS, "storages"))
            why = "the daemon has not looked for it yet"
            found[modem.name] = {**empty, "name": modem.name, "why": why, "port": modem.port}
    return [found[name] for name in sorted(found)]


def _modem(row: display.Row) -> dict[str, object]:
    return {
        **display.plain(row, _MODEM_COLUMNS),
        "storages": parse_detail(row["storages"] or "{}"),
    }


def parse_detail(text: str) -> object:
    """Read a column that holds JSON; what is none stays a text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _queue(db: Database, now: dt.datetime) -> list[QueueLine]:
    """Return what waits, category by category, in the order of sending."""
    rows = {row["category"]: row for row in figures.queue(db, format_utc(now))}
    return [
        QueueLine(category, row["due_now"], row["due_later"], row["oldest"])
        for category in Category
        if (row := rows.get(category)) is not None
    ]


def _messages_since(db: Database, since: str) -> dict[str, int]:
    counted = figures.states_since(db, since)
    return {state.value: counted[state] for state in MessageState if counted.get(state)}


def _rows_since(
    newest: Callable[[int], Sequence[display.Row]], column: str, since: str
) -> Sequence[display.Row]:
    """Return the rows since a time, reading no further back than needed (ids rise with time)."""
    limit = 500
    while True:
        rows = newest(limit)
        if len(rows) < limit or str(rows[-1][column]) < since:
            return [row for row in rows if str(row[column]) >= since]
        limit *= 16
