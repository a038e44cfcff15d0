# SPDX-License-Identifier: Apache-2.0
"""From modems that were found and answers to them: the configuration that is wanted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from gsmgw import config
from gsmgw.cli import display, exits, modems, probing, session
from gsmgw.cli.setup import asking, commented, finding, guessing
from gsmgw.config import Value, values

#: With fewer tries left a person is to look first: the last wrong PIN blocks the SIM.
_FEWEST_TRIES = 2


@dataclass(slots=True)
class Present:
    """What stands in the configuration now."""

    path: Path
    text: str | None  #: None: there is none
    wanted: dict[str, Value]  #: what is to stand there, in the end
    config: config.Config | None
    is_default: bool  #: nobody has set anything yet

    @property
    def modems(self) -> list[Value]:
        """The modems of the wanted configuration; it is made a list if it was none."""
        found = self.wanted.setdefault("modems", [])
        if not isinstance(found, list):
            raise exits.CommandError(f"{self.path}: modems is no list", exits.CONFIG)
        return found

    def entry(self, name: str) -> dict[str, Value]:
        """Return the keys of a modem.

        Raises:
            LookupError: there is none of that name.
        """
        for modem in self.modems:
            if isinstance(modem, dict) and modem.get("name") == name:
                return modem
        raise LookupError(name)


@dataclass(slots=True)
class Pins:
    """Files with PINs: where they are, and those that are still to be written."""

    for_all: str | None = None
    by_modem: dict[str, str] = field(default_factory=dict)
    to_write: dict[Path, str] = field(default_factory=dict)


def read_present(current: session.Session) -> Present:
    """Read the configuration as it is; the commented default where there is none.

    Raises:
        ConfigError: it is wrong.
    """
    path = current.config_path
    default = commented.document(commented.default())
    if not path.exists():
        return Present(path, None, default, None, is_default=True)
    checked = current.config
    text = path.read_text(encoding="utf-8-sig")
    found = commented.document(text)
    return Present(path, text, found, checked, is_default=found in (default, {}))


# -- place ----------------------------------------------------------------------------------------


def choose_place(
    present: Present, ask: asking.Asker, *, country: str | None, timezone: str | None
) -> None:
    """Ask for country and time zone; what nobody has set is guessed from this machine."""
    guessed = guessing.timezone()
    choices = (
        ("timezone", "Time zone of the clinic", timezone, values.timezone, guessed),
        ("country", "Country of the SIMs", country, values.country, guessing.country(guessed)),
    )
    for key, question, given, read, guess in choices:
        stands = present.wanted.get(key)
        default = guess if present.is_default and guess else str(stands or guess or "")
        flag = f"--{key}"
        answer = ask.word(question, flag, given=given, default=default or None, read=read)
        if answer is None:
            continue
        source = "as you say"
        if given is None and answer == stands:
            source = "the default" if present.is_default else "as it was"
        if given is None and answer == guess:
            source = "as this machine has it"
        click.echo(f"{key}: {answer} ({source}; another one: {flag})")
        present.wanted[key] = answer


# -- modems ---------------------------------------------------------------------------------------


def look(
    current: session.Session, present: Present, ports: Sequence[str], baudrate: int
) -> finding.Survey:
    """Ask ports who is there; without any, all that may be a modem's. Blocks for seconds.

    Ports that a running daemon holds are asked through it.
    """
    configured: dict[str, str] = {}
    held: dict[str, str] = {}
    imeis: dict[str, str] = {}
    if present.config is not None:
        held = modems.held_by_daemon(current)
        for modem in present.config.modems:
            if modem.port is not None:
                configured[os.path.realpath(modem.port)] = modem.name
            elif modem.match is not None and modem.match.imei is not None:
                imeis[modem.match.imei[:14]] = modem.name

    def ask(path: str) -> probing.Finding:
        click.echo(f"looking at {display.safe(path)} ...")
        real = os.path.realpath(path)
        if real in held:
            return modems.ask_daemon(current, held[real], path)
        told = probing.ask_port(path, current.clock, baudrate=baudrate)
        told.modem = configured.get(real) or imeis.get((told.imei or "")[:14])
        return told

    return finding.survey(ports or [*probing.candidate_ports(), *held], ask)


def choose_modems(
    present: Present, found: Sequence[finding.Found], ask: asking.Asker, names: Sequence[str]
) -> list[tuple[str, finding.Found]]:
    """Put what was found into the configuration; return all that are in it, by name.

    Raises:
        CommandError: a name is wrong, or taken.
    """
    chosen = []
    wished = list(names)
    for modem in found:
        if modem.told.modem is not None:
            chosen.append((modem.told.modem, modem))
            continue
        if not ask.agrees(f"Use {display.safe(modem.title)} at {display.safe(modem.port)}?"):
            continue
        name = ask.word(
            "  Its name",
            "--name",
            given=wished.pop(0) if wished else None,
            default=_free_name(present),
            read=lambda answer: _read_name(answer, present),
        )
        assert name is not None  # there is a default
        present.modems.append({"name": name, **_identity(modem, found)})
        chosen.append((name, modem))
    return chosen


def _names(present: Present) -> set[str]:
    return {str(modem.get("name")) for modem in present.modems if isinstance(modem, dict)}


def _free_name(present: Present) -> str:
    numbers = (f"modem{number}" for number in range(1, 1000))
    return next(name for name in numbers if name not in _names(present))


def _read_name(answer: object, present: Present) -> str:
    name = values.modem_name(answer)
    if name in _names(present):
        raise ValueError("another modem has this name")
    return name


def _identity(modem: finding.Found, all_found: Iterable[finding.Found]) -> dict[str, Value]:
    """Return the keys by which a modem is found again, in whatever order it is plugged in."""
    if modem.usb is None:
        return {"port": modem.port}
    usb = f"{modem.usb.vendor}:{modem.usb.product}"
    kinds = [(one.usb.vendor, one.usb.product) for one in all_found if one.usb is not None]
    # Sticks of one make without serial numbers share their name in /dev/serial/by-id.
    if kinds.count((modem.usb.vendor, modem.usb.product)) > 1 and modem.told.imei:
        return {"match": {"imei": modem.told.imei, "usb": usb}}
    if modem.port.startswith("/dev/tty"):
        return {"match": {"usb": usb}}
    return {"port": modem.port}


# -- PINs -----------------------------------------------------------------------------------------


def read_pin_options(given: Sequence[str]) -> Pins:
    """Read `FILE` or `NAME=FILE`, each.

    Raises:
        CommandError: a file is not there, or holds no PIN.
    """
    pins = Pins()
    for option in given:
        name, separator, path = option.partition("=")
        file = Path(path if separator else name).absolute()
        try:
            _read_pin(file.read_text(encoding="utf-8", errors="replace"))
        except OSError as error:
            raise exits.CommandError(f"--pin-file {file}: {error.strerror}", exits.USAGE) from error
        except ValueError as error:
            raise exits.CommandError(f"--pin-file {file}: {error}", exits.DATA) from error
        if separator:
            pins.by_modem[name] = str(file)
        else:
            pins.for_all = str(file)
    return pins


def _read_pin(answer: object) -> str:
    pin = str(answer).strip()
    # A PIN has 4 to 8 digits (3GPP TS 51.011 9.3).
    if not (pin.isascii() and pin.isdigit() and 4 <= len(pin) <= 8):
        raise ValueError("a PIN has 4 to 8 digits, and nothing else")
    return pin


def choose_pins(
    present: Present, chosen: Sequence[tuple[str, finding.Found]], ask: asking.Asker, pins: Pins
) -> None:
    """See to the PIN of each SIM that wants one; no PIN is tried here."""
    for name, modem in chosen:
        entry = present.entry(name)
        if modem.told.sim != "SIM PIN" or entry.get("pin_file"):
            continue
        file = pins.by_modem.get(name) or pins.for_all
        if file is None:
            file = _ask_pin(present, name, modem, ask, pins)
        if file is None:
            click.echo(f"{name}: without the PIN of its SIM it cannot send; --pin-file {name}=FILE")
        else:
            entry["pin_file"] = file


def _ask_pin(
    present: Present, name: str, modem: finding.Found, ask: asking.Asker, pins: Pins
) -> str | None:
    tries = modem.told.pin_tries
    if tries is not None and tries < _FEWEST_TRIES:
        click.echo(
            f"{name}: only {tries} PIN tries are left. Put the SIM into a phone, enter the PIN"
            " there, then run this again"
        )
        return None
    question = f"PIN of the SIM in {name} (not shown; empty: not now)"
    pin = ask.secret(question, _read_pin)
    if pin is None:
        return None
    path = present.path.absolute().parent / f"{name}.pin"
    pins.to_write[path] = f"{pin}\n"
    return str(path)
