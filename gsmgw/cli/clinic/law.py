# SPDX-License-Identifier: Apache-2.0
"""`gsmgw clinic export` and `forget`: everything of a person shown, and removed for good."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gsmgw.cli import command, display, exits, session
from gsmgw.cli.clinic import office

if TYPE_CHECKING:
    from gsmgw.store.clinic.persons import Person

#: What is under way with a person is waited for so long, in seconds.
_PATIENCE_S = 30.0
#: Between two looks, in seconds.
_LOOK_S = 0.2
#: A daemon that read before the erasure has written its list by then, in seconds.
_SETTLED_S = 1.0
#: Never set: waiting for it is a pause.
_PAUSE = threading.Event()


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw clinic export 4711
gsmgw clinic export +48500100211
""",
)
@click.argument("whom")
@office.who_option
@session.pass_session
def export(current: session.Session, whom: str, who: str) -> None:
    """Print everything that is stored of a person, as JSON.

    WHOM is the clinic's number of a patient, or a phone, which stands for everybody on it. Of
    others on the same phone there is nothing but what was said to that phone.
    """
    from gsmgw.clinic import persons
    from gsmgw.store import events

    person = _find(current, whom)
    with current.database.write() as tx:
        document = persons.document(tx, person)
        events.add(tx, "person.exported", who=who)
    display.print_json(document)


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw clinic forget 4711
gsmgw clinic forget +48500100211 --yes
""",
)
@click.argument("whom")
@click.option("--yes", is_flag=True, help="Do not ask.")
@office.who_option
@command.json_option
@session.pass_session
def forget(current: session.Session, whom: str, yes: bool, as_json: bool, who: str) -> None:
    """Remove a person from tables and files, for good.

    WHOM is the clinic's number of a patient, or a phone, which stands for everybody on it. What is
    still to be sent is withdrawn. Counts stay, and so does an objection, as a keyed hash: the phone
    is not written to again. Files of the spool that name the person are removed whole. Works while
    the daemon runs; copies of the database and the clinic's own program are yours to see to.
    """
    from gsmgw.clinic import persons
    from gsmgw.store.clinic.persons import find_mentions

    person = _find(current, whom)
    if not yes:
        click.confirm(
            f"Forget {len(person.patients)} patients, {len(person.visits)} visits and"
            f" {'the phone and all its messages' if person.phone else 'no phone'}, for good?",
            abort=True,
            err=True,
        )
    with current.database.write() as tx:
        withdrawn = persons.withdraw(tx, person)
    mentions = find_mentions(current.database, person)
    _wait(current, person)
    with current.database.write() as tx:
        # Something may have come in meanwhile.
        withdrawn += persons.withdraw(tx, person)
        changed = persons.forget(tx, person, who, mentions)
    removed = _sweep(current, person)
    _fold(current, person)
    copies = _copies(current.config.database.path)
    if as_json:
        told = {"withdrawn": withdrawn, **changed}
        display.print_json({**told, "files": len(removed), "copies": [str(one) for one in copies]})
        return
    counts = ", ".join(f"{count} {name}" for name, count in changed.items() if count)
    click.echo(f"Forgotten: {counts or 'nothing was stored in tables'}.")
    click.echo(f"Withdrawn: {withdrawn} messages. Files removed: {len(removed)}.")
    for path in copies:
        click.echo(f"This copy still holds what it held; remove it when you can: {path}")


def _find(current: session.Session, whom: str) -> Person:
    """Return who is meant.

    Raises:
        CommandError: nothing is stored of them.
    """
    from gsmgw.clinic import persons

    person = persons.find(current.database, whom, office.config(current).country)
    if not persons.is_known(current.database, person):
        raise exits.CommandError("nothing is stored of this person", exits.DATA)
    return person


def _wait(current: session.Session, person: Person) -> None:
    """Wait until nothing is under way with a person that the daemon would finish.

    Raises:
        CommandError: it lasts too long; what was to be sent is withdrawn all the same.
    """
    from gsmgw.store.clinic import persons

    ends = time.monotonic() + _PATIENCE_S
    while (what := persons.in_the_way(current.database, person)) is not None:
        if not office.is_daemon_up(current):
            raise exits.CommandError(
                f"{what}, and the daemon does not run; start it, then do this again",
                exits.TRY_LATER,
            )
        if time.monotonic() >= ends:
            raise exits.CommandError(f"{what}; do this again in a minute", exits.TRY_LATER)
        _PAUSE.wait(_LOOK_S)


def _sweep(current: session.Session, person: Person) -> list[Path]:
    """Remove files until nothing is found that a running daemon was about to write.

    Raises:
        CommandError: something is written again and again.
    """
    from gsmgw.clinic.handing.lists import Lists
    from gsmgw.spool.clinic.erasing import Traces

    config = office.config(current)
    traces, lists = Traces(config.spool.path, person), Lists(config, current.database)
    removed: list[Path] = []
    ends = time.monotonic() + _PATIENCE_S
    while True:
        removed += traces.remove()
        traces.renew_lists(lists, current.clock.now())
        if office.is_daemon_up(current):
            _PAUSE.wait(_SETTLED_S)
        if not traces.are_left():
            return removed
        if time.monotonic() >= ends:
            raise exits.CommandError(
                "tables are done, but files of the spool still name the person; do this again",
                exits.TRY_LATER,
            )


def _fold(current: session.Session, person: Person) -> None:
    """Leave nothing in the write-ahead log and in free places of the database.

    Raises:
        CommandError: somebody reads in the database all that time.
    """
    from gsmgw.store import upkeep
    from gsmgw.store.clinic import persons

    _truncate(current, upkeep.fold_back)
    if persons.has_octets(current.config.database.path, person):
        persons.compact(current.database)
        _truncate(current, upkeep.fold_back)


def _truncate(current: session.Session, fold_back: object) -> None:
    assert callable(fold_back)
    ends = time.monotonic() + _PATIENCE_S
    while not fold_back(current.database):
        if time.monotonic() >= ends:
            raise exits.CommandError(
                "tables are done, but a program reads in the database all the time, so that its"
                " log cannot be cut; the daemon will cut it later",
                exits.TRY_LATER,
            )
        _PAUSE.wait(_LOOK_S)


def _copies(database: Path) -> list[Path]:
    """Return copies of the database that lie beside it: what a restore has moved aside."""
    names = f"{database.name}.before-*"
    return sorted(database.parent.glob(names))
