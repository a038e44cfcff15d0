# SPDX-License-Identifier: Apache-2.0
"""How things are now, gathered for commands: the health record, and who works on the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gsmgw import locks
from gsmgw.cli import display
from gsmgw.clock import format_utc
from gsmgw.gateway.health import record
from gsmgw.gateway.health.record import Health
from gsmgw.spool import layout

if TYPE_CHECKING:
    from gsmgw.cli import session

#: The daemon looks at alarms each minute.
_LATELY = dt.timedelta(minutes=3)


def gather(current: session.Session) -> Health:
    """Look at everything once. Blocks for a few short queries; makes the database if needed.

    Raises:
        StoreError: it cannot be read.
    """
    return record.gather(
        current.config,
        current.database,
        current.clock.now(),
        daemon_pid=daemon_pid(current),
        outgoing=layout.outgoing(current.config, current.clock),
    )


def daemon_pid(current: session.Session) -> int | None:
    """Return the process id of the daemon that works on this database; None if none does."""
    return locks.holder(locks.database_lock(current.config.database.path))


def alarm_words(alarm: Mapping[str, Any], zone: dt.tzinfo, now: dt.datetime) -> str:
    """Return an open alarm in few words: what it is, where, and since when."""
    since = display.short_time(alarm["since"], zone, now).strip()
    over = "" if alarm["last_seen_at"] >= format_utc(now - _LATELY) else ", well again just now"
    return " ".join(filter(None, (alarm["name"], alarm["where"], f"since {since}"))) + over


def modem_documents(current: session.Session) -> list[dict[str, Any]]:
    """Return all configured modems, and those that the database still knows."""
    return record.modem_documents(current.config, current.database, current.clock.now())
