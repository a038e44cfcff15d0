# SPDX-License-Identifier: Apache-2.0
"""What happens next by itself, and when: what a health record tells whoever waits for something."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.model import SimState
from gsmgw.store import figures, tries
from gsmgw.store.database import Database

#: What expires later than this is no news yet.
_EXPIRES_SOON = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Upcoming:
    """One thing that is going to happen by itself."""

    at: str
    name: str  #: stable word: hours, due, sim, limit, doubt, expiry
    what: str  #: in plain words
    modem: str | None = None
    message_id: int | None = None


def upcoming(
    config: Config,
    db: Database,
    now: dt.datetime,
    *,
    modems: Iterable[Mapping[str, Any]],
    later: Mapping[str, str],
    surveys_wait: Sequence[str],
) -> list[Upcoming]:
    """Return what is going to happen, the next first; blocks for two short queries.

    Args:
        config: the configuration.
        db: the database.
        now: the time.
        modems: as the health record has them.
        later: category: when the next of its messages falls due that is not due yet.
        surveys_wait: categories of which messages wait for `sending.hours`.

    Raises:
        StoreError: the database cannot be read.
    """
    found = [
        *_hours(config, now, surveys_wait),
        *(
            Upcoming(at, "due", f"the next {category} message that waits for its time is due")
            for category, at in later.items()
        ),
        *(event for modem in modems for event in _modem(config, now, modem)),
        *_doubt(config, db),
        *_expiry(db, now),
    ]
    return sorted(found, key=lambda event: event.at)


def _hours(config: Config, now: dt.datetime, waiting: Sequence[str]) -> Iterator[Upcoming]:
    hours = config.sending.hours
    if hours is not None and waiting:
        opens = hours.next_allowed(now.astimezone(config.zone))
        yield Upcoming(format_utc(opens), "hours", f"{' and '.join(waiting)} messages go out")


def _modem(config: Config, now: dt.datetime, modem: Mapping[str, Any]) -> Iterator[Upcoming]:
    name = modem["name"]
    if modem["sim_state"] == SimState.RESTING and modem["resting_until"]:
        yield Upcoming(modem["resting_until"], "sim", f"the SIM of {name} is tried again", name)
    midnight = now.astimezone(config.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    ends = {
        "day": midnight + dt.timedelta(days=1),
        "month": (midnight.replace(day=1) + dt.timedelta(days=32)).replace(day=1),
    }
    for use in modem["limits"]:
        if use["per"] in ends and use["used"] >= use["limit"]:
            words = f"{name} may send again: its limit per {use['per']} begins anew"
            yield Upcoming(format_utc(ends[use["per"]]), "limit", words, name)


def _doubt(config: Config, db: Database) -> Iterator[Upcoming]:
    part = tries.oldest_uncertain(db)
    if part is not None:
        claimed_at = dt.datetime.fromisoformat(part["claimed_at"])
        at = claimed_at + dt.timedelta(seconds=config.sending.uncertain.wait)
        words = f"if no evidence comes, a person decides about message {part['message_id']}"
        if config.sending.uncertain.settle_as[part["category"]] == "resend":
            words = f"if no evidence comes, message {part['message_id']} is sent again"
        yield Upcoming(format_utc(at), "doubt", words, message_id=part["message_id"])


def _expiry(db: Database, now: dt.datetime) -> Iterator[Upcoming]:
    row = figures.next_expiry(db)
    if row is not None and row["expires_at"] <= format_utc(now + _EXPIRES_SOON):
        words = f"message {row['id']} expires, if it is not sent by then"
        yield Upcoming(row["expires_at"], "expiry", words, message_id=row["id"])
