# SPDX-License-Identifier: Apache-2.0
"""`gsmgw run`, `simulate` and `check`: the daemon, modems in software, and the configuration."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gsmgw.cli import command, display, exits, session

if TYPE_CHECKING:
    from gsmgw.config import Checked, Config

#: Ports by the name of their class: /dev/ttyS0, /dev/ttyAMA0, /dev/ttyUSB0.
_BOARD = re.compile(r"/dev/tty[A-Z]+\d+\Z")

#: Option of prctl (linux/prctl.h).
_PR_SET_PDEATHSIG = 1


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw --config /etc/gsmgw/gsmgw.yaml run
""",
)
@click.option(
    "--ends-with",
    "parent",
    type=int,
    metavar="PID",
    help="End when the process does that started this one; PID is its number.",
)
@session.pass_session
def run(current: session.Session, parent: int | None) -> int:
    """Run the daemon in the foreground, until SIGTERM or Ctrl-C.

    systemd runs this. SIGHUP reads the configuration anew. Log lines go to standard error.
    """
    from gsmgw import daemon

    if parent is not None and not _end_with(parent):
        return exits.OK
    return daemon.run(current.config_path)


def _end_with(parent: int) -> bool:
    """Have the kernel send SIGTERM when the process that started us dies; False if it has died."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    return os.getppid() == parent


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
gsmgw check --unit systemd/gsmgw.service
""",
)
@command.json_option
@click.option(
    "--unit",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The service's unit; else the installed one, if it runs with this configuration.",
)
@session.pass_session
def check(current: session.Session, as_json: bool, unit: Path | None) -> int:
    """Check the configuration.

    Names every mistake with its line and what is allowed there, and what is allowed but unwise;
    and the places in it that the service's unit keeps from the daemon.
    """
    from gsmgw import errors

    path = current.config_path
    try:
        checked = examine(path, unit)
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


def examine(path: Path, unit_file: Path | None = None) -> Checked:
    """Check a configuration by itself, and then against the unit.

    Raises:
        ConfigError: it is wrong, or names places that the unit keeps from the daemon.
    """
    from gsmgw import errors

    checked = session.read_config(path)
    kept_away = _kept_away(path, checked.config, unit_file)
    if kept_away:
        raise errors.ConfigError("\n".join(kept_away), kept_away)
    if checked.config.clinic is None:
        return checked
    from gsmgw.clinic import service

    return replace(checked, warnings=(*checked.warnings, *service.check(checked.config)))


def _kept_away(path: Path, config: Config, unit_file: Path | None) -> tuple[str, ...]:
    """Return what the configuration wants and the service's unit does not give, a line each."""
    from gsmgw.cli.doctor import machine, sandbox

    unit = machine.unit(unit_file)
    if unit is None:
        return ()
    if unit_file is None and os.path.realpath(unit.config) != os.path.realpath(path):
        return ()  # the service runs with another configuration
    found = [
        f"{path}, {trouble.what}: {trouble.where}; {trouble.do}"
        for trouble in sandbox.compare(unit.path, unit.sandbox, config)
    ]
    for modem in config.modems:
        kind = unit.lacks_device(modem.port) if modem.port and _BOARD.match(modem.port) else None
        if kind is not None:
            what = f"modems.port: the unit {unit.path} does not let the daemon use {modem.port}"
            found.append(f"{path}, {what}; {sandbox.drop_in(f'DeviceAllow={kind} rw')}")
    return tuple(found)
