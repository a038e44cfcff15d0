# SPDX-License-Identifier: Apache-2.0
"""The command `gsmgw`: finds a command's module only when it is typed, and maps every error."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from gsmgw import __version__
from gsmgw.cli import command, exits, session

#: Command: where it is written. Start time counts, so nothing here is imported before it is used.
COMMANDS = {
    "run": "gsmgw.cli.running:run",
    "setup": "gsmgw.cli.setup.command:setup",
    "migrate": "gsmgw.cli.migrate.command:migrate",
    "demo": "gsmgw.cli.demo.command:demo",
    "simulate": "gsmgw.cli.running:simulate",
    "send": "gsmgw.cli.messages.sending:send",
    "list": "gsmgw.cli.messages.records:list_messages",
    "show": "gsmgw.cli.messages.records:show",
    "cancel": "gsmgw.cli.messages.records:cancel",
    "retry": "gsmgw.cli.messages.records:retry",
    "inbox": "gsmgw.cli.messages.records:inbox",
    "status": "gsmgw.cli.status.command:status",
    "modem": "gsmgw.cli.modems:modem",
    "pdu": "gsmgw.cli.codec:pdu_group",
    "count": "gsmgw.cli.codec:count",
    "check": "gsmgw.cli.running:check",
    "doctor": "gsmgw.cli.doctor.command:doctor",
    "alarm": "gsmgw.cli.alarms:alarm",
    "backup": "gsmgw.cli.upkeep:backup",
    "restore": "gsmgw.cli.upkeep:restore",
    "clock": "gsmgw.cli.upkeep:clock",
    "clinic": "gsmgw.cli.clinic.group:clinic",
}


class Gsmgw(command.LazyGroup):
    """The commands of `COMMANDS`."""

    places = COMMANDS

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a reader that has gone (`gsmgw list | head`) is no error to speak of."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:  # click itself would exit with 1
            exits.finish(error)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the command line; likewise for a reader of `--help`."""
        try:
            return super().make_context(*args, **extra)
        except BrokenPipeError as error:
            exits.finish(error)

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> NoReturn:
        """Run a command and end the process with an exit code of sysexits.

        Raises:
            SystemExit: always.
        """
        extra["standalone_mode"] = False
        _tolerate_narrow_encodings()
        try:
            code = super().main(args, *rest, **extra)
            sys.stdout.flush()
        except exits.ENDINGS as error:
            exits.finish(error)
        sys.exit(code if isinstance(code, int) else exits.OK)


def _tolerate_narrow_encodings() -> None:
    """Let an old locale cost a patient's letters their look, not the command its life."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(ValueError, OSError):
                stream.reconfigure(errors="backslashreplace")


def _fill_closed_streams() -> None:
    """Give streams that the caller has closed (`>&-`) to nobody.

    Else what is opened next gets their numbers, a port or a file, and what others write to standard
    output or error goes there.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
            setattr(sys, name, os.fdopen(nowhere, mode, encoding="utf-8"))


@click.group(
    cls=Gsmgw,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\
Try it without a modem:   gsmgw demo
Send a message:           gsmgw send +48500100201 "Appointment on Monday, 8:30."
See how it went:          gsmgw show 1
See whether all is well:  gsmgw status
Find out what is wrong:   gsmgw doctor
""",
)
@click.option(
    "--config",
    "config_path",
    metavar="FILE",
    type=click.Path(path_type=Path, readable=False),  # doctor says why it cannot be read
    help=f"Configuration; else ${session.CONFIG_VARIABLE}, else {session.DEFAULT_CONFIG}.",
)
@click.version_option(__version__, prog_name="gsmgw", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, config_path: Path | None) -> None:
    """SMS gateway for clinics: sends and receives through GSM modems, without internet.

    Tab completion for bash: eval "$(_GSMGW_COMPLETE=bash_source gsmgw)"; also zsh_source and
    fish_source.
    """
    if os.environ.get("NO_COLOR"):  # <https://no-color.org>; tables know it by themselves
        ctx.color = False
    ctx.obj = session.Session(config_path)


def main() -> None:
    """Run the command line of this process."""
    _fill_closed_streams()
    cli(prog_name="gsmgw")
