# SPDX-License-Identifier: Apache-2.0
"""`gsmgw setup`: from a box with a stick to messages that flow, in one command."""

from __future__ import annotations

import difflib
import shlex
from dataclasses import dataclass
from pathlib import Path

import click

from gsmgw import config, errors, logs, phone
from gsmgw.cli import command, display, exits, overview, running, session
from gsmgw.cli.doctor import machine
from gsmgw.cli.setup import asking, commented, configuring, finding, steps, trial

#: Readable for members of the group, who use the command line.
_CONFIG_MODE, _PIN_MODE = 0o640, 0o600


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw setup
gsmgw setup --dry-run
gsmgw setup --yes --country PL --timezone Europe/Warsaw --to +48500100201
""",
)
@click.option("--port", "ports", multiple=True, metavar="PATH", help="Look at this port; repeat.")
@click.option(
    "--baudrate",
    type=click.IntRange(300, 4_000_000),
    default=115200,
    show_default=True,
    help="Speed at which ports are asked.",
)
@click.option("--name", "names", multiple=True, help="Name of a new modem, in their order; repeat.")
@click.option("--country", help="Country of the SIMs, two letters. Default: as this machine has.")
@click.option("--timezone", help="The clinic's, as Europe/Warsaw. Default: as this machine has.")
@click.option(
    "--pin-file",
    "pin_files",
    multiple=True,
    metavar="[NAME=]FILE",
    help="File with the PIN for SIMs that want one, or for that of modem NAME; repeat.",
)
@click.option("--to", "number", metavar="NUMBER", help="Send a test message to this phone.")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=1, max=3600),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="How long the test waits for modem, network and phone, each.",
)
@click.option(
    "--service/--no-service", default=None, help="Start the service, now and at every boot."
)
@click.option("--yes", is_flag=True, help="Ask nothing; take what the options and this box say.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@session.pass_session
def setup(
    current: session.Session,
    /,
    ports: tuple[str, ...],
    baudrate: int,
    names: tuple[str, ...],
    country: str | None,
    timezone: str | None,
    pin_files: tuple[str, ...],
    number: str | None,
    wait_s: float,
    service: bool | None,
    yes: bool,
    dry_run: bool,
) -> int:
    """Set this box up: modems, configuration, service, a test message.

    Everything that is done is shown as the command that does it by hand, and may be done again.
    A configuration that is there keeps what it says; a copy of it stays beside it. No PIN is tried
    here; the daemon tries each once. What runs is not disturbed.
    """
    logs.configure(level="error")
    ask, do = asking.Asker(is_silent=yes), steps.Steps(is_dry=dry_run)
    pins = configuring.read_pin_options(pin_files)
    if not dry_run:
        steps.check_writable(current.config_path)
    present = _read_present(current)
    pid = None if present.config is None else overview.daemon_pid(current)
    if pid is not None:
        click.echo(f"The daemon runs (process {pid}); its modems are asked through it.")
    found = configuring.look(current, present, ports, baudrate)
    _tell_survey(found, present)
    chosen = configuring.choose_modems(present, found.modems, ask, names)
    configuring.choose_place(present, ask, country=country, timezone=timezone)
    configuring.choose_pins(present, chosen, ask, pins)
    number = _choose_number(present, ask, number)
    written = _write(current, present, ask, do, pins)
    for folder in (written.config.database.path.parent, written.config.spool.path):
        do.folder(folder, steps.daemon_owner())
    do.show(f"gsmgw --config {shlex.quote(str(present.path))} check")
    if not do.is_dry:
        running.examine(present.path)
    fresh = session.Session(current.config_path)
    _start(present, ask, do, is_new=written.is_new, pid=pid, service=service)
    return _finish(fresh, do, number, [name for name, _ in chosen], wait_s)


def _read_present(current: session.Session) -> configuring.Present:
    try:
        return configuring.read_present(current)
    except errors.ConfigError as error:
        path = current.config_path
        advice = f"mend it, or begin anew: mv {path} {path}.old; then gsmgw setup"
        raise errors.ConfigError(str(error), (*error.problems, advice)) from error


def _tell_survey(found: finding.Survey, present: configuring.Present) -> None:
    for useless in found.useless:
        click.echo(f"{display.safe(useless.port)}: {display.safe(useless.what)}")
        click.echo(f"  what to do: {display.safe(useless.do)}")
    for modem in found.modems:
        first, *others = finding.describe(modem)
        known = f" (configured as {modem.told.modem})" if modem.told.modem else ""
        click.echo(f"Found {display.safe(first)}{known}")
        for line in others:
            click.echo(f"  {display.safe(line)}")
    if found.modems:
        return
    if not found.useless:
        click.echo("No port that could be a modem's is there.")
    for line in finding.no_modem():
        click.echo(f"  {line}")
    if not present.modems:
        raise exits.CommandError("no modem was found; nothing was changed")


def _choose_number(
    present: configuring.Present, ask: asking.Asker, given: str | None
) -> str | None:
    country = str(present.wanted.get("country") or config.Config().country)

    def read(answer: object) -> str:
        try:
            return phone.parse_recipient(str(answer), country=country)
        except errors.BadNumberError as error:
            raise ValueError(str(error)) from error

    question = "Phone for a test message, such as your own (empty: none)"
    return ask.word(question, "--to", given=given, default=None, read=read)


# -- writing --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Written:
    """What stands in the file now, or would."""

    config: config.Config
    is_new: bool


def _write(
    current: session.Session,
    present: configuring.Present,
    ask: asking.Asker,
    do: steps.Steps,
    pins: configuring.Pins,
) -> _Written:
    """Write the configuration, and the PINs."""
    path, owner = present.path, steps.daemon_owner()
    bases = [commented.default()] if present.text is None else [present.text, commented.default()]
    text = commented.write(bases, present.wanted)
    folder = path.absolute().parent
    checked = config.check_document(config.read_yaml(text, name=str(path)), folder=folder)
    if text == present.text:
        click.echo(f"{display.safe(path)} says all that already; it stays as it is.")
        return _Written(checked.config, is_new=False)
    click.echo(f"{display.safe(path)}, {'new' if present.text is None else 'changed'}:")
    for line in _changes(present, text):
        click.echo(f"  {display.safe(line)}")
    for warning in checked.warnings:
        click.echo(f"unwise: {display.safe(warning)}")
    if not do.is_dry and not ask.agrees("Write it?"):
        raise exits.CommandError("nothing was changed", exits.OK)
    for file, pin in pins.to_write.items():
        do.install(file, pin, mode=_PIN_MODE, owner=owner, what="PIN")
    of_config, mode = steps.Owner(None, owner.group), _CONFIG_MODE
    if present.text is not None:
        of_config, mode = steps.rights_of(path)
        do.keep(path, steps.copy_name(path, current.clock))
    do.install(path, text, mode=mode, owner=of_config, what="NEW")
    return _Written(checked.config, is_new=True)


def _changes(present: configuring.Present, text: str) -> list[str]:
    """Return what a person is to see: the difference, or of a new file what it sets."""
    if present.text is None:
        return [
            f"{key}: {commented.format_value(value)}"
            for key, value in commented.document(text).items()
        ]
    before, after = present.text.splitlines(), text.splitlines()
    return list(difflib.unified_diff(before, after, "now", "then", n=1, lineterm=""))


# -- the service ----------------------------------------------------------------------------------


def _start(
    present: configuring.Present,
    ask: asking.Asker,
    do: steps.Steps,
    *,
    is_new: bool,
    pid: int | None,
    service: bool | None,
) -> None:
    """Start the service, or let the daemon that runs read its configuration anew."""
    obstacle = _service_obstacle(present.path)
    if pid is not None:
        if is_new:
            click.echo("The daemon finishes what it is sending, then takes the new configuration:")
            # One that was started by hand is not systemd's to tell.
            if obstacle is not None or not do.run(["systemctl", "reload", "gsmgw"]):
                do.signal(pid)
        return
    if obstacle is not None:
        click.echo(f"The service is not started: {obstacle}. By hand:")
        do.show(steps.run_by_hand(present.path, steps.daemon_owner()))
        return
    if not ask.agrees("Start the service, now and at every boot?", given=service):
        click.echo("The service is not started. When you want it:")
        do.show("systemctl enable --now gsmgw")
        return
    if not do.run(["systemctl", "enable", "--now", "gsmgw"]):
        raise exits.CommandError(
            "the service did not start; why: gsmgw doctor, and journalctl -u gsmgw -n 20"
        )


def _service_obstacle(path: Path) -> str | None:
    """Say why systemd cannot run the daemon with this configuration; None: it can."""
    unit = machine.unit()
    if unit is None:
        return "gsmgw.service is not installed (docs/install.md)"
    if not (machine.ROOT / "run/systemd/system").is_dir():
        return "systemd does not run here"
    if unit.config.resolve() != path.resolve():
        return f"it reads {unit.config}, not {path}"
    return None


def _finish(
    current: session.Session,
    do: steps.Steps,
    number: str | None,
    names: list[str],
    wait_s: float,
) -> int:
    gsmgw = display.safe(steps.program(current.config_path))
    if number is not None and names:
        click.echo("Test:")
        if not trial.Trial(current, do, wait_s=wait_s).run(number, names):
            raise exits.CommandError("the test did not go through; gsmgw doctor says what is wrong")
    elif number is None:
        click.echo(f"To try it: {gsmgw} send NUMBER 'Hello', then {gsmgw} show ID")
    click.echo("Nothing was done." if do.is_dry else f"Done. How things are: {gsmgw} status")
    return exits.OK
