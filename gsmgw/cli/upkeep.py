# SPDX-License-Identifier: Apache-2.0
"""`gsmgw backup`, `restore` and `clock`: a copy of the database, and its return; the time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gsmgw import clock as clocks
from gsmgw import errors
from gsmgw.cli import command, display, exits, session

if TYPE_CHECKING:
    from gsmgw.store.backup import Contents
    from gsmgw.store.restoring import Restored
    from gsmgw.store.upkeep import Newest


# -- backup ---------------------------------------------------------------------------------------


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw backup /media/stick/gsmgw-2026-11-22.db
gsmgw backup --force /var/backups/gsmgw.db
""",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@command.json_option
@session.pass_session
def backup(current: session.Session, file: Path, force: bool, as_json: bool) -> None:
    """Copy the database into FILE, while the daemon runs.

    The copy is one file, checked, and on disk when this ends. It holds numbers and texts of
    patients: keep it as you keep theirs.
    """
    from gsmgw.store import backup as backups

    if not current.config.database.path.exists():
        raise exits.CommandError(f"there is no database {current.config.database.path} yet")
    folder = file.absolute().parent
    if not folder.is_dir():
        words = f"there is no directory {folder}; sudo install -d -m 2750 -g gsmgw {folder}"
        raise exits.CommandError(words, exits.CANNOT_CREATE)
    contents = backups.make(current.database, file, force=force)
    if as_json:
        display.print_json({"file": str(file), **_contents(contents)})
        return
    click.echo(f"{display.safe(file)}: {_told(contents, current)}")


def _contents(contents: Contents) -> dict[str, object]:
    return {
        "newest_at": contents.newest_at,
        "messages": contents.messages,
        "received": contents.received,
        "octets": contents.octets,
    }


def _told(contents: Contents, current: session.Session) -> str:
    """Return what a copy holds, for people."""
    total = sum(contents.messages.values())
    states = ", ".join(
        f"{count} {display.safe(state)}" for state, count in sorted(contents.messages.items())
    )
    newest = "nothing yet"
    if contents.newest_at is not None:
        newest = f"newest entry {display.local_time(contents.newest_at, current.zone)}"
    return (
        f"{total} message{'' if total == 1 else 's'}{f' ({states})' if states else ''},"
        f" {contents.received} received, {newest}, {contents.octets / 1e6:.1f} MB"
    )


# -- restore --------------------------------------------------------------------------------------


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw restore /media/stick/gsmgw-2026-11-22.db
gsmgw restore /var/lib/gsmgw/gsmgw.db.before-20261122T071510Z
""",
)
@click.argument("file", type=click.Path(path_type=Path))
@command.json_option
@session.pass_session
def restore(current: session.Session, file: Path, as_json: bool) -> None:
    """Put the copy FILE in the place of the database.

    The daemon must not run. Nothing that was unsettled in the copy is sent by itself: it becomes
    cancelled, and gsmgw retry ID sends it. The present database is moved aside, never removed.
    """
    from gsmgw import locks, logs
    from gsmgw.spool import restored
    from gsmgw.store import restoring

    settings = current.config
    logs.configure(level="error", private=settings.logs.private)
    path = settings.database.path
    if not path.parent.is_dir():
        raise exits.CommandError(f"database directory {path.parent} does not exist")
    lock = locks.Lock(locks.database_lock(path), f"database {path}")
    try:
        lock.acquire()
    except errors.GsmgwError as error:
        pid = locks.holder(locks.database_lock(path))
        if pid is None:
            raise exits.CommandError(str(error)) from error
        raise exits.CommandError(
            f"the daemon (process {pid}) works on {path}; stop it first: systemctl stop gsmgw"
        ) from error
    try:
        done = restoring.restore(
            file, path, current.clock, close_files=lambda tx: restored.close_files(tx, settings)
        )
    finally:
        lock.release()
    if as_json:
        display.print_json(_restored(file, done))
    else:
        _tell_restored(current, path, done)


def _restored(file: Path, done: Restored) -> dict[str, object]:
    return {
        "file": str(file),
        "cancelled": done.cancelled,
        "uncertain": done.uncertain,
        "handouts": done.handouts,
        "aside": [str(path) for path in done.aside],
        **_contents(done.contents),
    }


def _tell_restored(current: session.Session, path: Path, done: Restored) -> None:
    click.echo(f"{display.safe(path)} restored: {_told(done.contents, current)}")
    if done.aside:
        click.echo(f"The database before is {display.safe(done.aside[0])}")
    if done.cancelled:
        click.echo(
            f"{done.cancelled} not settled then, now cancelled; they may have been sent since."
            " See gsmgw list --state cancelled; to send one: gsmgw retry ID"
        )
    if done.uncertain:
        click.echo(f"{done.uncertain} uncertain: gsmgw list --state uncertain")
    if done.handouts:
        click.echo(
            f"{done.handouts} received but perhaps not handed over as files; see gsmgw inbox"
        )
    click.echo("Now start the daemon: systemctl start gsmgw")


# -- clock ----------------------------------------------------------------------------------------


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw clock
gsmgw clock --trust
""",
)
@click.option("--trust", is_flag=True, help="The clock is right now: believe it from here on.")
@command.json_option
@session.pass_session
def clock(current: session.Session, trust: bool, as_json: bool) -> None:
    """Show whether the machine's clock is believed.

    While it cannot, nothing expires and nothing planned is sent. If it was ahead for a while, the
    database holds entries from the future: set it right, look at it twice, and say --trust.
    """
    from gsmgw.store import upkeep

    if trust:
        with current.database.write() as tx:
            upkeep.trust_clock(tx)
    now = current.clock.now()
    found = upkeep.newest(current.database)
    suspected = upkeep.last_suspicion(current.database)
    if as_json:
        display.print_json(
            {
                "at": clocks.format_utc(now),
                "newest_at": found.at,
                "trusted_at": found.trusted_at,
                "suspect": suspected is not None,
                "why": suspected,
            }
        )
        return
    _tell_clock(current, found, suspected, is_trusted_now=trust)


def _tell_clock(
    current: session.Session, found: Newest, suspected: str | None, *, is_trusted_now: bool
) -> None:
    now = display.local_time(clocks.format_utc(current.clock.now()), current.zone)
    click.echo(f"This machine's clock: {now}")
    if found.at is not None:
        click.echo(f"Newest entry:         {display.local_time(found.at, current.zone)}")
    if is_trusted_now:
        click.echo("It is believed from now on; a daemon that runs follows within a second or two.")
    elif suspected is not None:
        click.echo(f"The daemon does not believe it: {display.safe(suspected)}")
        click.echo("Set it right: timedatectl set-time. If it is right: gsmgw clock --trust")
    else:
        click.echo("The daemon believes it.")
