# SPDX-License-Identifier: Apache-2.0
"""`gsmgw migrate smstools` and `gammu`: the configuration of another gateway becomes ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import click

from gsmgw import config
from gsmgw.cli import command, display, exits, session
from gsmgw.cli.migrate import account, gammu, smstools
from gsmgw.cli.migrate.foreign import Foreign
from gsmgw.cli.setup import commented, guessing, steps
from gsmgw.config import Value, values

Translate: TypeAlias = Callable[[Foreign, dict[str, Value], Path], account.Account]

_CONFIG_MODE, _PIN_MODE = 0o640, 0o600

output_option = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the configuration there, and PINs beside it; else print it.",
)
force_option = click.option(
    "--force", is_flag=True, help="Replace FILE if it is there; a copy of it stays."
)
country_option = click.option(
    "--country", metavar="XX", help="Country of the SIMs. Default: as this machine has it."
)
timezone_option = click.option(
    "--timezone", metavar="ZONE", help="The clinic's. Default: as this machine has it."
)


@click.group("migrate", cls=command.Group)
def migrate() -> None:
    """Move in from another gateway: take over its configuration.

    Every difference is told; nothing of the other gateway is changed. How its messages come over:
    docs/migrate.md.
    """


@migrate.command(
    "smstools",
    epilog="""\
gsmgw migrate smstools /etc/smsd.conf
gsmgw migrate smstools /etc/smsd.conf -o /etc/gsmgw/gsmgw.yaml --force
""",
)
@click.argument("source", metavar="[SMSD.CONF]", default=smstools.DEFAULT_PATH, type=Path)
@output_option
@force_option
@country_option
@timezone_option
@command.json_option
@session.pass_session
def from_smstools(current: session.Session, /, source: Path, as_json: bool, **given: object) -> int:
    """Write our configuration from the smsd.conf of smstools3.

    Says of every setting whether it is carried over, done otherwise here, or has no equivalent, and
    what to do with files that wait. The configuration goes to standard output and the account to
    standard error; with -o the configuration goes into the file.
    """
    move = _Move(current, source, smstools.translate, as_json=as_json, **given)  # type: ignore[arg-type] # click's options
    return move.run(smstools.read)


@migrate.command(
    "gammu",
    epilog="""\
gsmgw migrate gammu /etc/gammu-smsdrc
""",
)
@click.argument("source", metavar="[GAMMU-SMSDRC]", default=gammu.DEFAULT_PATH, type=Path)
@output_option
@force_option
@country_option
@timezone_option
@command.json_option
@session.pass_session
def from_gammu(current: session.Session, /, source: Path, as_json: bool, **given: object) -> int:
    """Write our configuration from the gammu-smsdrc of gammu-smsd.

    The same as for smstools; tables and files of messages: docs/migrate.md.
    """
    move = _Move(current, source, gammu.translate, as_json=as_json, **given)  # type: ignore[arg-type] # click's options
    return move.run(gammu.read)


class _Move:
    """One configuration on its way."""

    def __init__(
        self,
        current: session.Session,
        source: Path,
        translate: Translate,
        *,
        output: Path | None,
        force: bool,
        country: str | None,
        timezone: str | None,
        as_json: bool,
    ) -> None:
        self._clock = current.clock
        self._source = source
        self._translate = translate
        self._output = output
        self._force = force
        self._place = {"country": country, "timezone": timezone}
        self._as_json = as_json

    def run(self, read: Callable[[Path], Foreign]) -> int:
        """Read, translate, check, write and tell.

        Raises:
            CommandError: an option is wrong, or the output is there already.
            ConfigError: what came of it is not valid.
        """
        if self._output is not None and self._output.exists() and not self._force:
            words = f"{self._output} is there; look at it, then --force, or another -o"
            raise exits.CommandError(words, exits.CANNOT_CREATE)
        folder = Path("/etc/gsmgw") if self._output is None else self._output.absolute().parent
        wanted = commented.document(commented.default())
        notes = dict(self._choose_place(wanted))
        made = self._translate(read(self._source), wanted, folder)
        text = commented.write([commented.default()], made.wanted, {**made.notes, **notes})
        name = str(self._output or "the new configuration")
        checked = config.check_document(config.read_yaml(text, name=name), folder=folder)
        made.advice += [f"unwise: {words}" for words in checked.warnings]
        self._tell(made, text)
        return exits.OK

    def _choose_place(self, wanted: dict[str, Value]) -> dict[config.Place, str]:
        guessed = guessing.timezone()
        guesses = {"country": guessing.country(guessed), "timezone": guessed}
        readers = {"country": values.country, "timezone": values.timezone}
        notes: dict[config.Place, str] = {}
        for key, guess in guesses.items():
            given = self._place[key]
            try:
                found = readers[key](given) if given is not None else guess
            except ValueError as error:
                raise exits.CommandError(f"--{key} {given}: {error}", exits.USAGE) from error
            if found is not None:
                wanted[key] = found
                source = "guessed from this machine; is it right?"
                notes[key,] = source if given is None else "given to gsmgw migrate"
        return notes

    def _tell(self, made: account.Account, text: str) -> None:
        if self._output is not None:
            self._write(made, text)
        elif made.pins:
            made.advice.insert(0, "with -o FILE the PINs are written into files beside it")
        if self._as_json:
            display.print_json(self._document(made, text))
            return
        if self._output is None:
            click.echo(text, nl=False)
        for line in made.lines():
            click.echo(display.safe(line), err=self._output is None)
        if self._output is not None:
            click.echo(f"Next: gsmgw --config {self._output} check, then gsmgw setup")

    def _write(self, made: account.Account, text: str) -> None:
        assert self._output is not None  # only called then
        owner, do = steps.daemon_owner(), steps.Steps(is_dry=False, is_quiet=self._as_json)
        for name, pin in made.pins.items():
            path = self._output.absolute().parent / f"{name}.pin"
            do.install(path, f"{pin}\n", mode=_PIN_MODE, owner=owner, what="PIN")
        of_config, mode = steps.Owner(None, owner.group), _CONFIG_MODE
        if self._output.exists():
            of_config, mode = steps.rights_of(self._output)
            do.keep(self._output, steps.copy_name(self._output, self._clock))
        do.install(self._output, text, mode=mode, owner=of_config, what="NEW")

    def _document(self, made: account.Account, text: str) -> dict[str, object]:
        return {
            "source": str(self._source),
            "output": None if self._output is None else str(self._output),
            "settings": [entry.as_json() for entry in made.entries],
            "faults": [{"line": number, "text": line} for number, line in made.foreign.faults],
            "advice": made.advice,
            "configuration": text,
        }
