# SPDX-License-Identifier: Apache-2.0
"""`gsmgw run`, `simulate` and `check`: the daemon, modems in software, and the configuration."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gsmgw.cli import command, display, exits, session


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw --config /etc/gsmgw/gsmgw.yaml run
""",
)
@session.pass_session
def run(current: session.Session) -> int:
    """Run the daemon in the foreground, until SIGTERM or Ctrl-C.

    systemd runs this. SIGHUP reads the configuration anew. Log lines go to standard error.
    """
    from gsmgw import daemon

    return daemon.run(current.config_path)


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw simulate
gsmgw simulate --modems 4
gsmgw simulate day.yaml --json
""",
)
@click.argument("scenario", required=False, type=click.Path(path_type=Path))
@click.option(
    "--modems", type=click.IntRange(1, 64), help="So many modems, without a scenario; default 2."
)
@click.option("--until-eof", is_flag=True, help="End when standard input ends.")
@click.option("--json", "as_json", is_flag=True, help="Print each event as a line of JSON.")
def simulate(scenario: Path | None, modems: int | None, until_eof: bool, as_json: bool) -> None:
    """Run pretend modems and their network.

    The first lines are the ports to put into the configuration; then come the events. SCENARIO is
    a YAML file with modems, phones and what happens when; see docs/simulator.md.
    Orders are read from standard input: help lists them, quit ends, and so do Ctrl-C and SIGTERM.
    """
    from gsmgw.simulator import console

    if scenario is not None and modems is not None:
        raise click.UsageError("--modems goes without SCENARIO, which names its own modems")
    with exits.ends_at_sigterm():
        console.run(
            scenario if scenario is not None else _pretend(modems or 2),
            sys.stdin,
            sys.stdout,
            as_json=as_json,
            ends_with_input=until_eof,
        )


def _pretend(count: int) -> dict[str, object]:
    """Return a scenario of so many modems of different makers."""
    vendors = ("huawei", "zte", "simcom", "quectel", "generic")
    return {
        "modems": [
            {
                "name": f"modem{number}",
                "vendor": vendors[(number - 1) % len(vendors)],
                "number": f"+485001002{number:02d}",
            }
            for number in range(1, count + 1)
        ]
    }


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw --config /etc/gsmgw/gsmgw.yaml check
""",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@session.pass_session
def check(current: session.Session, as_json: bool) -> int:
    """Check the configuration.

    Names every mistake with its line and what is allowed there, and what is allowed but unwise.
    """
    from gsmgw import config, errors

    path = current.config_path
    try:
        checked = config.check(path)
    except errors.ConfigError as error:
        if not as_json:
            raise
        display.print_json({"file": str(path), "problems": error.problems, "warnings": []})
        return exits.CONFIG
    if as_json:
        display.print_json({"file": str(path), "problems": [], "warnings": checked.warnings})
        return exits.OK
    for warning in checked.warnings:
        click.echo(f"unwise: {display.safe(warning)}")
    modems = len(checked.config.modems)
    click.echo(f"{display.safe(path)} is valid: {modems} modem{'' if modems == 1 else 's'}")
    return exits.OK
