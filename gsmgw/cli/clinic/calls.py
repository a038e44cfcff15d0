# SPDX-License-Identifier: Apache-2.0
"""`gsmgw clinic calls`: whom people ring up, and what came of it."""

from __future__ import annotations

import click

from gsmgw.cli import command, display, exits, session
from gsmgw.cli.clinic import office
from gsmgw.clinic.calling import Outcome


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw clinic calls
gsmgw clinic calls next
gsmgw clinic calls done A-1001 accepted
gsmgw clinic calls done A-1002 noanswer --note "rings again at noon"
""",
)
@click.argument("action", required=False, type=click.Choice(["next", "done"]))
@click.argument("visit", required=False)
@click.argument("outcome", required=False, type=click.Choice([one.value for one in Outcome]))
@click.option("--note", metavar="TEXT", help="What was said.")
@office.who_option
@command.json_option
@session.pass_session
def calls(
    current: session.Session,
    action: str | None,
    visit: str | None,
    outcome: str | None,
    note: str | None,
    who: str,
    as_json: bool,
) -> None:
    """List whom to ring up, the next visit first, or note what came of a call.

    A visit is on the list if nobody answered its question, or it could not be asked. Without ACTION
    all are shown, with next the first of them. done notes the OUTCOME of a call about VISIT:
    accepted and declined count like an answer by SMS; busy, noanswer and machine are tried again,
    as often as calls.tries says; answered and wrong end it.
    """
    if action == "done":
        if visit is None or outcome is None:
            raise click.UsageError("done needs VISIT and OUTCOME")
        _done(current, visit, Outcome(outcome), note, who)
        return
    if visit is not None:
        raise click.UsageError("only done takes VISIT and OUTCOME")
    _show(current, only_next=action == "next", as_json=as_json)


def _done(
    current: session.Session, visit: str, outcome: Outcome, note: str | None, who: str
) -> None:
    from gsmgw.clinic.calling import Calling

    config = office.config(current)
    calling = Calling(office.booking(current), office.work(current), config.calls.tries)
    with current.database.write() as tx:
        words = calling.done(tx, visit, outcome, who=who, note=note)
    click.echo(display.safe(words))


def _show(current: session.Session, *, only_next: bool, as_json: bool) -> None:
    from gsmgw.clinic.handing.lists import Lists

    found = Lists(office.config(current), current.database).to_call(current.clock.now())
    if only_next:
        found = found[:1]
    if as_json:
        display.print_json(
            [
                {
                    "appointment": row["id"],
                    "start": row["start"],
                    "patient": row["patient_id"],
                    "first": row["given"],
                    "phone": row["phone"],
                    "why": why,
                    "attempts": row["tries"],
                    "outcome": row["outcome"],
                }
                for row, why in found
            ]
        )
        return
    if only_next and not found:
        raise exits.CommandError("nobody is to be rung up", exits.OK)
    display.print_table(
        ("visit", "start", "phone", "first", "why", "tries", "last"),
        (
            (
                row["id"],
                office.day_time(row["start"], current),
                row["phone"],
                row["given"],
                why,
                row["tries"],
                row["outcome"],
            )
            for row, why in found
        ),
        wide="first",
    )
