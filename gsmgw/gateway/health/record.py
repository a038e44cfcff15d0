# SPDX-License-Identifier: Apache-2.0
"""The health record: everything that status, doctor, metrics and monitoring tell, gathered once.

Only facts; what is wrong in them is for `judgement`. Nothing of it identifies a patient: there are
counts, ids of messages, and what is known of our own modems and SIMs.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gsmgw import __version__
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.gateway.claims import limits
from gsmgw.gateway.health import balance, disks, self_test
from gsmgw.gateway.health.upcoming import Upcoming, upcoming
from gsmgw.model import Category, InboxKind, MessageState
from gsmgw.store import events, figures, modems, outbox, upkeep
from gsmgw.store.database import Database, Row
from gsmgw.store.watching import alarms

#: So many uncertain messages are named one by one.
UNCERTAIN_SHOWN = 20
EVENTS_SHOWN = 8
#: An uncertain message that nobody has decided about for so long is left in peace.
DECIDED_BY_TIME = dt.timedelta(days=7)
#: Of so many newest runs of the event handler it is counted how many failed.
HOOKS_LOOKED_AT = 10
#: Rows written at this moment by another process may be ahead by so much.
_SLACK = dt.timedelta(minutes=1)
#: A modem sends a part in about this time where nothing limits it, in seconds.
SECONDS_A_PART = 4.0

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
    parts_now: int  #: SMS that those due now need
    next_due_at: str | None = None  #: when the next of those that wait for later is due


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Files that wait in the spool for being taken."""

    files: int
    oldest_s: float  #: age of the oldest, 0 if there is none


@dataclass(frozen=True, slots=True)
class Health:
    """Everything that one screen shows; `as_json` gives it the names that are public."""

    at: str
    database: str
    daemon_pid: int | None  #: None: it does not run
    clock_suspect: str | None  #: why the clock is not believed; None if it is
    uncertain: Sequence[int]  #: ids of the newest ones
    uncertain_count: int
    uncertain_given_up: int  #: of the last days, for which no more evidence is awaited
    modems: list[dict[str, Any]]
    queue: list[QueueLine]
    surveys_wait: bool  #: surveys and marketing wait for `sending.hours`
    parts_per_hour: int | None  #: what the modems that are ready can send; None where none is
    unchecked: int  #: rows of other software that the daemon has not looked at
    unchecked_since: str | None
    messages_today: dict[str, int]  #: state: messages accepted since midnight
    received_today: int
    missed_calls_today: int
    outgoing: Outgoing | None  #: None: the folder cannot be looked into
    owed_files: figures.Owed  #: to be written into incoming and report
    owed_hooks: figures.Owed
    failed_hooks: int  #: of the last `HOOKS_LOOKED_AT` runs
    disks: list[disks.Disk]
    wal_octets: int
    schema: int
    day_events: dict[str, int]  #: name: how often in the last 24 hours
    events: Sequence[Row] = field(default_factory=list)
    upcoming: Sequence[Upcoming] = field(default_factory=list)  #: the next first
    alarms: Sequence[dict[str, Any]] = field(default_factory=list)  #: that are open, oldest first
    untold_since: str | None = None  #: since when somebody has yet to be told of an alarm
    unheard: Sequence[dict[str, Any]] = field(default_factory=list)  #: by an open one

    def as_json(self) -> dict[str, Any]:
        """Return the record for programs, as docs/commands.md describes it."""
        return {
            "at": self.at,
            "version": __version__,
            "database": self.database,
            "daemon": {"running": self.daemon_pid is not None, "pid": self.daemon_pid},
            "clock": {"suspect": self.clock_suspect is not None, "why": self.clock_suspect},
            "uncertain": {
                "count": self.uncertain_count,
                "ids": list(self.uncertain),
                "given_up": self.uncertain_given_up,
            },
            "modems": self.modems,
            "queue": [asdict(line) for line in self.queue],
            "new": self.unchecked,
            "new_since": self.unchecked_since,
            "parts_per_hour": self.parts_per_hour,
            "today": {
                "messages": self.messages_today,
                "received": self.received_today,
                "missed_calls": self.missed_calls_today,
            },
            "spool": {
                "outgoing": None if self.outgoing is None else asdict(self.outgoing),
                "owed_files": asdict(self.owed_files),
                "owed_hooks": asdict(self.owed_hooks),
                "failed_hooks": self.failed_hooks,
            },
            "disks": [disk.as_json() for disk in self.disks],
            "wal_octets": self.wal_octets,
            "schema": self.schema,
            "day_events": self.day_events,
            "events": [_event(row) for row in self.events],
            "next": [asdict(event) for event in self.upcoming],
            "alarms": {
                "open": list(self.alarms),
                "untold_since": self.untold_since,
                "unheard": list(self.unheard),
            },
        }


def gather(
    config: Config,
    db: Database,
    now: dt.datetime,
    *,
    daemon_pid: int | None,
    outgoing: Outgoing | None,
) -> Health:
    """Look at everything once; blocks for a few short queries, writes nothing.

    Args:
        config: the configuration.
        db: the database, of this program's schema.
        now: the time.
        daemon_pid: process of the daemon that works on the database, None if none does.
        outgoing: what waits in the spool, as its door has seen it.

    Raises:
        StoreError: the database cannot be read.
    """
    midnight = now.astimezone(config.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    since = format_utc(midnight)
    counts = outbox.counts(db)
    arrived = figures.received_since(db, since)
    uncertain = outbox.listing(db, states=(MessageState.UNCERTAIN,), limit=UNCERTAIN_SHOWN)
    found = modem_documents(config, db, now)
    queue = _queue(db, now)
    surveys_wait = config.sending.hours is not None and not config.sending.hours.allows(
        now.astimezone(config.zone)
    )
    return Health(
        at=format_utc(now),
        database=str(db.path),
        daemon_pid=daemon_pid,
        clock_suspect=upkeep.last_suspicion(db) or _from_the_future(db, now),
        uncertain=[row["id"] for row in uncertain],
        uncertain_count=counts.get(MessageState.UNCERTAIN, 0),
        uncertain_given_up=figures.given_up_since(db, format_utc(now - DECIDED_BY_TIME)),
        modems=found,
        queue=queue,
        surveys_wait=surveys_wait,
        parts_per_hour=_capacity(config, found),
        unchecked=counts.get(MessageState.NEW, 0),
        unchecked_since=figures.oldest_new(db),
        messages_today=_messages_since(db, since),
        received_today=sum(arrived.values()) - arrived.get(InboxKind.MISSED_CALL, 0),
        missed_calls_today=arrived.get(InboxKind.MISSED_CALL, 0),
        outgoing=outgoing,
        owed_files=figures.owed_files(db),
        owed_hooks=figures.owed_hooks(db),
        failed_hooks=figures.failed_hooks(db, HOOKS_LOOKED_AT),
        disks=disks.look({"database": config.database.path.parent, "spool": config.spool.path}),
        wal_octets=_size(db.path.with_name(db.path.name + "-wal")),
        schema=figures.schema_version(db),
        day_events=figures.events_since(db, format_utc(now - dt.timedelta(days=1))),
        events=events.newest(db, EVENTS_SHOWN),
        alarms=_alarms(db) if config.alarms.is_on else [],
        untold_since=alarms.oldest_owed(db) if config.alarms.is_on else None,
        unheard=_unheard(config, db),
        upcoming=upcoming(
            config,
            db,
            now,
            modems=found,
            later={line.category: line.next_due_at for line in queue if line.next_due_at},
            surveys_wait=[
                line.category
                for line in queue
                if surveys_wait and line.now and line.category in limits.LESS_URGENT
            ],
        ),
    )


def modem_documents(config: Config, db: Database, now: dt.datetime) -> list[dict[str, Any]]:
    """Return all configured modems, and those that the database still knows."""
    found = {row["name"]: _modem(row) for row in modems.listing(db)}
    for modem in config.modems:
        if modem.name not in found:
            empty = dict.fromkeys((*_MODEM_COLUMNS, "storages", "balance", "self_test"))
            why = "the daemon has not looked for it yet"
            found[modem.name] = {**empty, "name": modem.name, "why": why, "port": modem.port}
        sim_id = found[modem.name]["sim_id"]
        used = limits.uses(modem.limits, db, sim_id, now, config.zone) if sim_id else []
        found[modem.name]["limits"] = [asdict(use) for use in used]
        found[modem.name]["sent_today"] = limits.sent_today(db, sim_id, now, config.zone)
        if config.selftest.at is not None and modem.number:
            found[modem.name]["self_test"] = self_test.result(db, modem.name, sim_id)
        if modem.balance is not None:
            credit = balance.credit(db, modem.balance, modem.name, sim_id, now)
            found[modem.name]["balance"] = credit.as_json()
    return [found[name] for name in sorted(found)]


def _modem(row: Row) -> dict[str, Any]:
    return {
        **{name: row[name] for name in _MODEM_COLUMNS},
        "storages": parse_detail(row["storages"] or "{}"),
        "limits": [],
        "sent_today": None,
        "balance": None,
        "self_test": None,
    }


def parse_detail(text: str) -> Any:
    """Read a column that holds JSON; what is none stays a text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _queue(db: Database, now: dt.datetime) -> list[QueueLine]:
    """Return what waits, category by category, in the order of sending."""
    rows = {row["category"]: row for row in figures.queue(db, format_utc(now))}
    return [
        QueueLine(
            category,
            row["due_now"],
            row["due_later"],
            row["oldest"],
            row["parts_now"],
            row["next"],
        )
        for category in Category
        if (row := rows.get(category)) is not None
    ]


def _capacity(config: Config, found: Iterable[dict[str, Any]]) -> int | None:
    """Return how many parts an hour the modems that are ready can send."""
    ready = {modem["name"] for modem in found if modem["state"] == "ready"}
    if not ready:
        return None
    hour = round(3600 / SECONDS_A_PART)
    return sum(
        min(hour, (modem.limits.per_minute or hour) * 60, modem.limits.per_hour or hour)
        for modem in config.modems
        if modem.name in ready
    )


def _messages_since(db: Database, since: str) -> dict[str, int]:
    counted = figures.states_since(db, since)
    return {state.value: counted[state] for state in MessageState if counted.get(state)}


def _from_the_future(db: Database, now: dt.datetime) -> str | None:
    """Say that the clock has fallen back behind the database, where no daemon has said so yet."""
    newest = upkeep.newest(db).at
    if newest is None or dt.datetime.fromisoformat(newest) <= now + _SLACK:
        return None
    return f"it shows {format_utc(now)}, but the newest row was written at {newest}"


def _alarms(db: Database) -> list[dict[str, Any]]:
    return [
        {
            "id": row["id"],
            "name": row["finding"],
            "where": row["place"],
            "level": row["level"],
            "what": row["what"],
            "do": row["advice"],
            "since": row["first_seen_at"],
            "opened_at": row["opened_at"],
            "last_seen_at": row["last_seen_at"],
        }
        for row in alarms.opened(db)
    ]


def _unheard(config: Config, db: Database) -> list[dict[str, Any]]:
    """Return who is to be told of alarms, and could not be told of one that is open."""
    receivers = alarms.receivers(config.alarms.hook, config.alarms.sms.to)
    return [
        {"via": row["via"], "message_id": row["message_id"], "error": row["error"]}
        for row in (alarms.unheard(db) if receivers else [])
        if row["via"] in receivers
    ]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _event(row: Row) -> dict[str, object]:
    return {
        "at": row["at"],
        "name": row["name"],
        "message_id": row["message_id"],
        "modem": row["modem"],
        "detail": parse_detail(row["detail"]),
    }
