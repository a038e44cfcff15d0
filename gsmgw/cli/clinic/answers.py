# SPDX-License-Identifier: Apache-2.0
"""`gsmgw clinic replies` and `stats`: what patients answered, and the figures of a day."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

import click

from gsmgw.cli import command, display, session
from gsmgw.cli.clinic import office

COLUMNS = (
    *("id", "at", "appointment_id", "start", "patient_id", "first", "phone", "asked", "meaning"),
    *("applied", "status", "value", "text", "why", "task_id", "task_status"),
)
_DAY = click.DateTime(["%Y-%m-%d"])
_SHOWN = dt.timedelta(days=7)


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw clinic replies --since 2026-03-02
gsmgw clinic replies --csv
""",
)
@click.option("--since", type=_DAY, metavar="DATE", help="From this day; default seven days ago.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the list as in clinic/out/replies.csv.")
@command.json_option
@session.pass_session
def replies(
    current: session.Session, since: dt.datetime | None, as_csv: bool, as_json: bool
) -> None:
    """List what patients answered, newest last, and what was understood."""
    from gsmgw.clinic.handing.lists import Lists
    from gsmgw.store.clinic import lists

    config, now = office.config(current), current.clock.now()
    if as_csv and (since is not None or as_json):
        raise click.UsageError("--csv goes without --since and --json")
    if as_csv:
        click.echo(Lists(config, current.database).replies(now), nl=False)
        return
    first = since.date() if since else (now.astimezone(current.zone) - _SHOWN).date()
    rows = lists.answers(current.database, office.day_bounds(current, first, first)[0])
    if as_json:
        display.print_json([display.plain(row, COLUMNS, frozenset({"applied"})) for row in rows])
        return
    display.print_table(
        ("at", "visit", "first", "phone", "meaning", "done", "text"),
        (
            (
                office.short_time(row["at"], current),
                row["appointment_id"],
                row["first"],
                row["phone"],
                row["status"] or row["meaning"],
                "yes" if row["applied"] else "",
                display.safe_cell(row["text"]),
            )
            for row in rows
        ),
        wide="text",
    )


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw clinic stats
gsmgw clinic stats --day 2026-03-05 --json
""",
)
@click.option("--day", type=_DAY, metavar="DATE", help="Which day; default today.")
@command.json_option
@session.pass_session
def stats(current: session.Session, day: dt.datetime | None, as_json: bool) -> None:
    """Show the figures of a day: texts, answers, visits, calls."""
    from gsmgw.clinic.handing import figures
    from gsmgw.store.clinic import counts

    config = office.config(current)
    today = current.clock.now().astimezone(current.zone).date()
    date = today if day is None else day.date()
    # What is kept outlives the rows it was made from; of the last days the rows know better.
    found = {
        (row["location"], row["kind"], row["name"]): row["value"]
        for row in counts.kept(current.database, date.isoformat(), date.isoformat())
    }
    if date >= today - dt.timedelta(days=1):
        price = config.reminders.budget.segment_price
        found |= figures.of_day(current.database, date, current.zone, price)
    groups: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for (location, kind, name), value in found.items():
        groups[location, kind][name] = value
    if as_json:
        display.print_json(
            [
                {"day": date.isoformat(), "location": location, "kind": kind, **values}
                for (location, kind), values in sorted(groups.items())
            ]
        )
        return
    for (location, kind), values in sorted(groups.items()):
        place = f"{location}, " if location else ""
        click.echo(display.safe(f"{place}{kind}"))
        for name in figures.COLUMNS:
            if name in values:
                value = f"{values[name]:.2f}".rstrip("0").rstrip(".")
                click.echo(f"    {name.replace('_', ' '):<22}{value}")
    if not groups:
        click.echo(f"nothing was planned, said or answered on {date}")
