# SPDX-License-Identifier: Apache-2.0
"""`gsmgw status`: one screen that says whether all is well, and what to do if it is not."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import click

from gsmgw import errors, logs
from gsmgw.cli import command, display, exits, overview, session
from gsmgw.gateway.health import judgement
from gsmgw.gateway.health import monitor as monitoring
from gsmgw.gateway.health.record import EVENTS_SHOWN, Health
from gsmgw.model import SimState

if TYPE_CHECKING:
    from rich.console import RenderableType

#: The screen is made for the narrowest terminal in use.
COLUMNS = 80
#: Seconds between two looks of --watch.
LOOK_S = 2.0

#: Where a received signal stops being good and fair, in dBm.
_GOOD_DBM, _FAIR_DBM = -85, -95


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw status
gsmgw status --watch
gsmgw status --monitor
""",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.option("--watch", is_flag=True, help="Look again every 2 seconds, until Ctrl-C.")
@click.option("--monitor", is_flag=True, help="Print one line for Nagios; exit with 0 to 3.")
@session.pass_session
def status(current: session.Session, as_json: bool, watch: bool, monitor: bool) -> int | None:
    """Show on one screen how things are.

    What is uncertain stands first, then modems, what waits, today's counts, and the last events.
    What is wrong and what to do about it says gsmgw doctor.
    """
    if as_json + watch + monitor > 1:
        raise click.UsageError("--json, --watch and --monitor exclude one another")
    if monitor:
        return _monitor(current)
    if as_json:
        found = overview.gather(current, EVENTS_SHOWN)
        display.print_json(judgement.document(found, judgement.judge(found)))
    elif watch:
        _watch(current)
    else:
        click.echo(display.render(_look(current), width=COLUMNS), nl=False)
    return None


def _monitor(current: session.Session) -> int:
    """Print the line that monitoring reads; where we cannot look it says UNKNOWN."""
    try:
        if not current.config.database.path.exists():
            raise errors.StoreError(f"there is no database {current.config.database.path} yet")
        found = overview.gather(current, EVENTS_SHOWN)
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


def _look(current: session.Session) -> RenderableType:
    from rich.console import Group

    found = overview.gather(current, EVENTS_SHOWN)
    blocks = (
        _head(found, current),
        *_uncertain(found),
        _modems(found, current),
        *_queue(found, current),
        _today(found),
        *_events(found, current),
    )
    return Group(*blocks)


def _words(words: str, style: str = "") -> RenderableType:
    from rich.text import Text

    return Text(f"{words}\n", style=style)


def _head(found: Health, current: session.Session) -> RenderableType:
    time = display.local_time(found.at, current.zone)
    if found.daemon_pid is None:
        return _words(
            f"{time}   The daemon does not run: systemctl start gsmgw\n"
            "What stands below is what it last knew.",
            "bold red",
        )
    return _words(f"{time}   daemon runs, process {found.daemon_pid}")


def _uncertain(found: Health) -> list[RenderableType]:
    if not found.uncertain_count:
        return []
    named = ", ".join(map(str, found.uncertain))
    more = "" if len(found.uncertain) == found.uncertain_count else ", …"
    return [
        _words(
            f"UNCERTAIN, may have arrived: {_count(found.uncertain_count)}: {named}{more}\n"
            f"Ask the recipients; see gsmgw show {found.uncertain[0]}",
            "bold yellow",
        )
    ]


def _count(messages: int) -> str:
    return f"{messages} message{'' if messages == 1 else 's'}"


def _modems(found: Health, current: session.Session) -> RenderableType:
    if not found.modems:
        return _words("No modem is configured.", "bold red")
    now = current.clock.now()
    rows = [
        (
            modem["name"],
            modem["state"] or "unknown",
            _sim(modem),
            modem["operator"],
            signal(modem["signal_dbm"]),
            display.short_time(modem["since"], current.zone, now),
            _why(modem, current),
        )
        for modem in found.modems
    ]
    return _with_gap(
        display.table(
            ("modem", "state", "SIM", "operator", "signal", "since", "why"),
            rows,
            wide="why",
            fit=True,
            fold=True,
        )
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _sim(modem: dict[str, object]) -> str | None:
    return _text(modem["sim_state"])


def _why(modem: dict[str, object], current: session.Session) -> str:
    """Return why a modem, or its SIM, does not work, and until when."""
    words = [_text(modem["why"]) or ""]
    if modem["sim_state"] not in (None, SimState.WORKING):
        words.append(f"SIM: {modem['sim_why'] or modem['sim_state']}")
    if modem["sim_state"] == SimState.RESTING and modem["resting_until"]:
        until = display.short_time(modem["resting_until"], current.zone, current.clock.now())
        words.append(f"next try {until}")
    return "; ".join(filter(None, words))


def signal(dbm: object) -> str:
    """Return a signal in dBm with what it is worth."""
    if not isinstance(dbm, int):
        return ""
    worth = "good" if dbm >= _GOOD_DBM else "fair" if dbm >= _FAIR_DBM else "weak"
    return f"{dbm} dBm {worth}"


def _queue(found: Health, current: session.Session) -> list[RenderableType]:
    now = current.clock.now()
    rows: list[tuple[object, ...]] = [
        (
            line.category,
            line.now,
            line.later,
            display.age((now - display.parse_utc(line.oldest_due_at)).total_seconds())
            if line.oldest_due_at
            else "",
        )
        for line in found.queue
    ]
    if found.unchecked:
        rows.append(("not checked yet", found.unchecked, "", ""))
    if not rows:
        return [_words("Nothing waits to be sent.")]
    columns = ("waiting", "now", "later", "oldest waits for")
    return [_with_gap(display.table(columns, rows, wide="oldest waits for", fit=True))]


def _today(found: Health) -> RenderableType:
    words = [f"{count} {state}" for state, count in found.messages_today.items()]
    calls = found.missed_calls_today
    arrived = f"{found.received_today} received, {calls} missed call{'' if calls == 1 else 's'}"
    return _words(f"Today: {', '.join(words) or 'no messages'}; {arrived}")


def _events(found: Health, current: session.Session) -> list[RenderableType]:
    if not found.events:
        return []
    now = current.clock.now()
    rows = [
        (
            display.short_time(row["at"], current.zone, now),
            row["name"],
            row["message_id"],
            row["modem"],
            _detail(row),
        )
        for row in found.events
    ]
    return [
        display.table(("at", "event", "message", "modem", "detail"), rows, wide="detail", fit=True)
    ]


def _detail(row: display.Row) -> str:
    detail = overview.parse_detail(row["detail"])
    if isinstance(detail, dict):
        return " ".join(f"{name}={value}" for name, value in detail.items())
    return str(detail)


def _with_gap(renderable: RenderableType) -> RenderableType:
    from rich.padding import Padding

    return Padding(renderable, (0, 0, 1, 0))
