# SPDX-License-Identifier: Apache-2.0
"""`gsmgw demo`: shows in some seconds, without hardware, what gsmgw does."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from gsmgw import logs
from gsmgw.cli import command, display, exits, session
from gsmgw.cli.demo import acts
from gsmgw.cli.demo.narrator import Narrator
from gsmgw.cli.demo.stage import Stage

#: Something promised did not happen.
BROKEN = 1


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw demo
gsmgw demo --keep /tmp/gsmgw-demo
""",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Play it in this directory, new or empty, and leave everything there to look around.",
)
@session.pass_session
def demo(current: session.Session, keep: Path | None) -> int:
    """Show what gsmgw does, without hardware, in a place of its own.

    Starts two pretend modems and the real daemon; messages come by file, by row, and by command;
    one has three parts with emoji, one goes to a wrong number, a patient answers, another one
    calls. Ends by itself after some seconds, with 1 if something did not happen as promised.
    """
    logs.configure(level="error")
    with exits.ends_at_sigterm(), _place(keep) as folder:
        click.echo(f"gsmgw demo in {display.safe(folder)}")
        with Stage(folder) as stage:
            tell = Narrator(stage, current.clock)
            acts.play(stage, tell)
            stage.stop()
            tell.catch_up()
        if stage.exit_code != exits.OK:
            tell.broken.append(f"the daemon stops with 0, not with {stage.exit_code}")
        _sum_up(tell, stage)
        if keep is not None:
            _explain_place(stage)
        return BROKEN if tell.broken else exits.OK


@contextlib.contextmanager
def _place(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="gsmgw-demo-") as folder:
            yield Path(folder)
        return
    place = keep.absolute()
    place.mkdir(parents=True, exist_ok=True)
    if any(place.iterdir()):
        raise exits.CommandError(f"{place} is not empty; name a new directory", exits.CANNOT_CREATE)
    yield place


def _sum_up(tell: Narrator, stage: Stage) -> None:
    if tell.broken:
        tell.show_log()
        tell.title("The demo did not go as promised")
        for promise in tell.broken:
            exits.complain(f"gsmgw: missing: {promise}")
        return
    counts = stage.simulator.books.counts()
    tell.title("All as promised")
    click.echo(
        f"  {counts['taken']} parts sent, {counts['sent_again']} twice,"
        f" {counts['refused']} refused; {counts['delivered']} messages on phones;"
        f" {counts['reports']} reports, {counts['incoming']} answer, {counts['calls']} call"
    )


def _explain_place(stage: Stage) -> None:
    config = display.safe(stage.config)
    click.echo(f"\nLook around in {display.safe(stage.folder)}:")
    click.echo(f"  gsmgw --config {config} list")
    click.echo(f"  gsmgw --config {config} show 2")
    click.echo(f"  less {display.safe(stage.log)}")
