# SPDX-License-Identifier: Apache-2.0
"""`gsmgw doctor`: examines an installation and says what is wrong, the cause first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from gsmgw import clock, errors, logs
from gsmgw.cli import command, display, exits, overview, session
from gsmgw.cli.doctor import bundle as bundles
from gsmgw.cli.doctor import (
    finding,
    installation,
    machine,
    modems,
    places,
    ports,
    programs,
    rivals,
    store,
)
from gsmgw.cli.doctor.installation import Installation
from gsmgw.gateway.health import judgement
from gsmgw.gateway.health.record import Health
from gsmgw.gateway.health.trouble import Trouble

#: Something was found; sysexits has no code for it.
FOUND = 1
_LOG_LINES_SHOWN = 5
_COLOURS = {"error": "red", "warning": "yellow"}


@dataclass(frozen=True, slots=True)
class Examination:
    """What came of looking at everything."""

    seen: Installation
    health: Health | None  #: None where the database gives none
    found: list[Trouble]

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        record = None
        if self.health is not None:
            record = judgement.document(self.health, judgement.judge(self.health))
        return {
            "at": clock.format_utc(self.seen.current.clock.now()),
            "configuration": str(self.seen.config_path),
            "user": self.seen.user,
            "findings": [trouble.as_json() for trouble in self.found],
            "health": record,
        }


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw doctor
sudo gsmgw doctor
gsmgw doctor --bundle /tmp/gsmgw.tar.gz
""",
)
@command.json_option
@click.option("--no-modems", is_flag=True, help="Ask no modem anything.")
@click.option(
    "--bundle",
    "target",
    metavar="FILE.tar.gz",
    type=click.Path(path_type=Path),
    help="Write what a maintainer needs into a new file, without numbers and texts.",
)
@session.pass_session
def doctor(current: session.Session, as_json: bool, no_modems: bool, target: Path | None) -> int:
    """Examine this installation: what is wrong, and what to do.

    Configuration, accounts, rights, disks, database, spool, clock, ports and who holds them, each
    modem, what waits. The worst stands first. Works with the daemon and without, and changes
    nothing; as root it sees more. Exits with 1 if it finds anything.
    """
    logs.configure(level="error", private=False)
    done = examine(current, ask_modems=not no_modems)
    if target is not None:
        bundles.write(target, done.seen, done.as_json())
        exits.complain(f"gsmgw: {target} is written; look through it before you send it")
    if as_json:
        display.print_json(done.as_json())
    else:
        _tell(done)
    return FOUND if done.found else exits.OK


def examine(current: session.Session, *, ask_modems: bool) -> Examination:
    """Look at everything; blocks for some seconds, longer where modems are silent."""
    seen = installation.look(current)
    found = [*seen.config_troubles, *_guarded("files", lambda: places.check(seen))]
    found += _guarded("programs", lambda: programs.check(seen))
    troubles, health = _look_at_store(seen)
    found += troubles
    found += _guarded("ports", lambda: ports.check(seen))
    held = list(found)
    found += _guarded("processes", lambda: rivals.check(seen, held))
    if ask_modems:
        told = list(found)
        found += _guarded("modems", lambda: modems.check(seen, health, told))
    usable = [] if health is None else judgement.usable_modems(health)
    found += installation.pending(seen, usable)
    return Examination(seen, health, finding.sort(finding.soften(found, usable)))


def _look_at_store(seen: Installation) -> tuple[list[Trouble], Health | None]:
    try:
        return store.check(seen)
    except OSError as error:
        return [places.blind("database", error)], None


def _guarded(what: str, check: Callable[[], Iterable[Trouble]]) -> list[Trouble]:
    """Run a check; what the system keeps from us is said, and the others go on."""
    found: list[Trouble] = []
    try:
        for trouble in check():
            found.append(trouble)
    except OSError as error:
        found.append(places.blind(str(error.filename or what), error))
    except errors.GsmgwError as error:
        do = "mend what is named above, then gsmgw doctor again"
        found.append(Trouble("warning", "doctor.blind", what, logs.masked(error), do))
    return found


def _tell(done: Examination) -> None:
    for number, trouble in enumerate(done.found, start=1):
        level = click.style(trouble.level.upper(), fg=_COLOURS[trouble.level])
        where = f"  {display.safe(trouble.where)}" if trouble.where else ""
        click.echo(f"{number}. {level} {trouble.name}{where}")
        click.echo(f"   {display.safe(trouble.what)}")
        click.echo(f"   do: {display.safe(trouble.do)}\n")
    _tell_alarms(done)
    _tell_lately(done.health)
    errors_found = sum(trouble.level == "error" for trouble in done.found)
    warnings_found = len(done.found) - errors_found
    if done.found:
        shown = f"errors: {errors_found}, warnings: {warnings_found}"
        click.echo(f"{shown}; docs/operate.md explains each by its name")
    else:
        click.echo("All is well.")


def _tell_alarms(done: Examination) -> None:
    """Show of what somebody was, or is to be, told."""
    current = done.seen.current
    for alarm in [] if done.health is None else done.health.alarms:
        words = overview.alarm_words(alarm, current.zone, current.clock.now())
        click.echo(f"Alarm: {display.safe(words)}")


def _tell_lately(health: Health | None) -> None:
    """Show what the log and the database have of late."""
    if health is not None and health.day_events:
        told = (f"{name} {count}" for name, count in health.day_events.items())
        click.echo(f"Last 24 hours: {display.safe(', '.join(told))}")
    lines = machine.log_lines(_LOG_LINES_SHOWN)
    if lines:
        click.echo("Newest warnings of the log (docs/log-messages.md):")
        for line in lines:
            click.echo(f"   {display.safe(logs.masked(line))}")
