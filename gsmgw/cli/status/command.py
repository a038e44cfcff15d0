# SPDX-License-Identifier: Apache-2.0
"""The command `gsmgw status`: once, again and again, as JSON, or as a line for monitoring."""

from __future__ import annotations

import shutil
import sys
import threading
from typing import TYPE_CHECKING

import click

from gsmgw import errors, logs
from gsmgw.cli import command, display, exits, overview, session
from gsmgw.gateway.health import judgement
from gsmgw.gateway.health import monitor as monitoring

if TYPE_CHECKING:
    from rich.console import Group

#: The screen is made for the narrowest terminal in use.
COLUMNS = 80
#: Seconds between two looks of --watch.
LOOK_S = 2.0


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw status
gsmgw status --watch
gsmgw status --monitor
""",
)
@command.json_option
@click.option("--watch", is_flag=True, help="Look again every 2 seconds, until Ctrl-C.")
@click.option("--monitor", is_flag=True, help="Print one line for Nagios; exit with 0 to 3.")
@session.pass_session
def status(current: session.Session, as_json: bool, watch: bool, monitor: bool) -> int | None:
    """Show on one screen how things are.

    What is uncertain and what is wrong stand first, then modems, what waits, today's counts, what
    happens next by itself, and the last events. gsmgw doctor looks closer.
    """
    if as_json + watch + monitor > 1:
        raise click.UsageError("--json, --watch and --monitor exclude one another")
    if monitor:
        return _monitor(current)
    if as_json:
        found = overview.gather(current)
        display.print_json(judgement.document(found, judgement.judge(found)))
    elif watch:
        _watch(current)
    else:
        click.echo(display.render(_look(current), width=COLUMNS), nl=False)
    return None


def _monitor(current: session.Session) -> int:
    """Print the line that monitoring reads; where we cannot look it says UNKNOWN.

    A database that is spoilt is no question of being able to look: nothing is sent.
    """
    try:
        if not current.config.database.path.exists():
            raise errors.StoreError(f"there is no database {current.config.database.path} yet")
        found = overview.gather(current)
    except (errors.StoreDamagedError, errors.StoreTooNewError) as error:
        click.echo(display.safe(monitoring.format_failure(logs.masked(error))))
        return monitoring.CRITICAL
    except (errors.GsmgwError, OSError) as error:
        words = exits.explain_os_error(error) if isinstance(error, OSError) else logs.masked(error)
        click.echo(display.safe(monitoring.format_unknown(words)))
        return monitoring.UNKNOWN
    troubles = judgement.judge(found)
    click.echo(display.safe(monitoring.format_line(found, troubles)))
    return monitoring.code(troubles)


def _watch(current: session.Session) -> None:
    from rich.console import Console
    from rich.live import Live

    console = Console(width=COLUMNS, highlight=False, markup=False)
    never = threading.Event()
    with Live(_look(current), console=console, auto_refresh=False) as live:
        while not never.wait(LOOK_S):
            live.update(_look(current), refresh=True)


def _look(current: session.Session) -> Group:
    from gsmgw.cli.status import screen

    found = overview.gather(current)
    # A terminal that is too low loses the oldest events, not the head.
    return screen.compose(
        found,
        judgement.judge(found),
        zone=current.zone,
        now=current.clock.now(),
        lines=shutil.get_terminal_size().lines if sys.stdout.isatty() else None,
    )
