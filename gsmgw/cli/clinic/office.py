# SPDX-License-Identifier: Apache-2.0
"""What commands of the clinic begin with: who asks, which clinic, which phone."""

from __future__ import annotations

import datetime as dt
import getpass
import os
from typing import TYPE_CHECKING

import click

from gsmgw.cli import display, exits, session, typed

if TYPE_CHECKING:
    from gsmgw.clinic.booking import Booking
    from gsmgw.clinic.calendar import Calendar
    from gsmgw.clinic.work import Work
    from gsmgw.config import Config

#: SQLite's largest integer.
ID = click.IntRange(1, 2**63 - 1)


def _login() -> str:
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}"


who_option = click.option(
    "--who",
    metavar="NAME",
    default=_login,
    show_default="your login",
    help="Who does it, for the record.",
)


def config(current: session.Session) -> Config:
    """Return the configuration of a clinic.

    Raises:
        CommandError: there is no clinic in it.
    """
    found = current.config
    if found.clinic is None:
        raise exits.CommandError(
            f"there is no clinic in {current.config_path}; add the key clinic (docs/clinic.md)",
            exits.CONFIG,
        )
    return found


def work(current: session.Session) -> Work:
    """Return what makes and closes tasks."""
    from gsmgw.clinic.calendar import Calendar
    from gsmgw.clinic.work import Work

    found = config(current)
    return Work(found, Calendar(found))


def calendar(current: session.Session) -> Calendar:
    """Return the clinic's calendar."""
    from gsmgw.clinic.calendar import Calendar

    return Calendar(config(current))


def booking(current: session.Session) -> Booking:
    """Return what applies records and keeps the plan."""
    from gsmgw.clinic.booking import Booking

    return Booking(config(current), calendar(current), work(current))


def phone(current: session.Session, text: str) -> str:
    """Return a phone as it is stored.

    Raises:
        BadNumberError: it is none.
    """
    from gsmgw import phone as phones

    typed.check_utf8(text, "the number")
    return phones.parse_recipient(text, country=config(current).country)


def day_time(stored: object, current: session.Session) -> str:
    """Return a stored time as reception reads it: ` 5 Mar 10:15`."""
    return display.day_time(stored, current.zone, current.clock.now())


def short_time(stored: object, current: session.Session) -> str:
    """Return the same without the day, if that is today: `10:15`."""
    return display.short_time(stored, current.zone, current.clock.now(), seconds=False)


def day_bounds(current: session.Session, first: dt.date, last: dt.date) -> tuple[str, str]:
    """Return from when until when some days of the clinic are, as stored; the end is outside."""
    from gsmgw.clock import format_utc

    begin, end = (
        dt.datetime.combine(day, dt.time(), current.zone)
        for day in (first, last + dt.timedelta(days=1))
    )
    return format_utc(begin.astimezone(dt.UTC)), format_utc(end.astimezone(dt.UTC))


def is_daemon_up(current: session.Session) -> bool:
    """Tell whether a daemon works on this database."""
    from gsmgw import locks

    return locks.holder(locks.database_lock(current.config.database.path)) is not None
