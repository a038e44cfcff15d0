# SPDX-License-Identifier: Apache-2.0
"""`gsmgw demo`: shows in some seconds, without hardware, what gsmgw does."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from gsmgw import logs
from gsmgw.cli import command, display, exits, session
from gsmgw.cli.demo import acts, clinic_acts
from gsmgw.cli.demo import stage as stages
from gsmgw.cli.demo.narrator import Narrator
from gsmgw.cli.demo.stage import Stage
from gsmgw.clock import MOVED_BY, Clock
from gsmgw.simulator import scratch

#: Something promised did not happen.
BROKEN = 1


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw demo
gsmgw demo --keep /tmp/gsmgw-demo
gsmgw demo --files
""",
)
@click.option(
    "--files",
    "shows_files",
    is_flag=True,
    help="Play nothing; print the files that a clinic's days begin with.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Play it in this directory, new or empty, and leave everything there to look around.",
)
@session.pass_session
def demo(current: session.Session, keep: Path | None, *, shows_files: bool) -> int:
    """Show what gsmgw does, without hardware, in a place of its own.

    Starts two pretend modems and the real daemon; messages come by file, by row, and by command;
    one has three parts with emoji, one goes to a wrong number, a patient answers, another one
    calls. Then a clinic's days in seconds: a table of visits, reminders, answers, and the lists
    that reception opens. Ends by itself, with 1 if something did not happen as promised.
    """
    if shows_files:
        _show_files()
        return exits.OK
    logs.configure(level="error")
    with exits.ends_at_sigterm(), _place(keep) as folder:
        click.echo(f"gsmgw demo in {display.safe(folder)}")
        first = _messages(folder, current.clock)
        second = None if first.broken else _clinic(folder / "clinic", current.clock)
        tellers = [teller for teller in (first, second) if teller is not None]
        _sum_up(tellers)
        if keep is not None:
            _explain_place([teller.stage for teller in tellers])
        return BROKEN if any(teller.broken for teller in tellers) else exits.OK


def _messages(folder: Path, clock: Clock) -> Narrator:
    with Stage(folder) as stage:
        tell = Narrator(stage, clock)
        acts.play(stage, tell)
        _end(stage, tell)
    return tell


def _clinic(folder: Path, clock: Clock) -> Narrator:
    folder.mkdir()
    moved = folder / "clock"
    days = clinic_acts.Days(clock, moved)
    with Stage(folder, clinic_acts.PLAY, moved=moved) as stage:
        tell = Narrator(stage, clock)
        clinic_acts.play(stage, tell, days)
        _end(stage, tell)
    return tell


def _end(stage: Stage, tell: Narrator) -> None:
    stage.stop()
    tell.catch_up()
    if stage.exit_code != exits.OK:
        tell.broken.append(f"the daemon stops with 0, not with {stage.exit_code}")


def _show_files() -> None:
    for name in ("gsmgw.yaml", clinic_acts.TABLE):
        click.secho(name, bold=True)
        click.echo(stages.read(f"{clinic_acts.PLAY}/{name}"))


@contextlib.contextmanager
def _place(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with scratch.scratch("gsmgw-demo-") as folder:
            yield folder
        return
    place = keep.absolute()
    place.mkdir(parents=True, exist_ok=True)
    if any(place.iterdir()):
        raise exits.CommandError(f"{place} is not empty; name a new directory", exits.CANNOT_CREATE)
    yield place


def _sum_up(tellers: list[Narrator]) -> None:
    for tell in tellers:
        if tell.broken:
            tell.show_log()
            tell.title("The demo did not go as promised")
            for promise in tell.broken:
                exits.complain(f"gsmgw: missing: {promise}")
            return
    counts: Counter[str] = Counter()
    for tell in tellers:
        counts.update(tell.stage.simulator.books.counts())
    # A clinic's second question may be word for word the first.
    twice = tellers[0].stage.simulator.books.counts()["sent_again"]
    tellers[-1].title("All as promised")
    click.echo(
        f"  {counts['taken']} parts sent, {twice} twice,"
        f" {counts['refused']} refused; {counts['delivered']} messages on phones;"
        f" {counts['reports']} reports, {counts['incoming']} answers, {counts['calls']} calls"
    )


def _explain_place(stages_played: list[Stage]) -> None:
    messages, *clinics = stages_played
    click.echo(f"\nLook around in {display.safe(messages.folder)}:")
    config = display.safe(messages.config)
    click.echo(f"  gsmgw --config {config} list")
    click.echo(f"  gsmgw --config {config} show 2")
    click.echo(f"  less {display.safe(messages.log)}")
    for clinic in clinics:  # in the days of the play
        click.echo(f"  export {MOVED_BY}={display.safe(clinic.folder / 'clock')}")
        config = display.safe(clinic.config)
        click.echo(f"  gsmgw --config {config} clinic tasks")
        click.echo(f"  gsmgw --config {config} clinic thread +48500100213")
