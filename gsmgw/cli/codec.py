# SPDX-License-Identifier: Apache-2.0
"""`gsmgw pdu decode`, `pdu encode` and `count`: the codec for technicians and integrators."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator

import click

from gsmgw import errors, pdu
from gsmgw.cli import command, display, exits, typed


@click.group("pdu", cls=command.Group)
def pdu_group() -> None:
    """Translate PDUs to JSON and back, without any modem."""


@pdu_group.command(
    epilog="""\
gsmgw pdu decode 07918405100000F0040B918405100002F100006211228013004003D4E012
grep CMGL -A1 modem.log | grep -v CMGL | gsmgw pdu decode -
""",
)
@click.argument("pdus", metavar="HEX...", nargs=-1, required=True)
@click.option("--no-sca", is_flag=True, help="The PDUs have no service centre address in front.")
@click.option(
    "--direction",
    type=click.Choice(["in", "out"]),
    default="in",
    show_default=True,
    help="in: as a modem received it; out: as it is handed to a modem.",
)
def decode(pdus: tuple[str, ...], no_sca: bool, direction: str) -> int:
    """Print each PDU as one line of JSON; HEX - reads lines from standard input.

    Exits with 65 if any of them cannot be decoded: its line has the key "error".
    """
    code = exits.OK
    for text in _items(pdus):
        decoded = pdu.decode(
            text, direction="out" if direction == "out" else "in", service_centre=not no_sca
        )
        display.print_json(pdu.describe(decoded))
        if isinstance(decoded, pdu.Undecodable):
            code = exits.DATA
    return code


@pdu_group.command(
    epilog="""\
gsmgw pdu encode '{"type": "submit", "recipient": "+48500100201", "text": "Hello"}'
gsmgw pdu decode HEX | gsmgw pdu encode
""",
)
@click.argument("objects", metavar="[JSON]...", nargs=-1)
@click.option("--no-sca", is_flag=True, help="Print them without service centre address.")
def encode(objects: tuple[str, ...], no_sca: bool) -> int:
    """Print each JSON object as a PDU in hex; without JSON, or -, reads lines from standard input.

    The keys are those that decode prints. A line that cannot be encoded is named on standard error,
    the others go on; the command then exits with 65.
    """
    code = exits.OK
    for number, text in enumerate(_items(objects or ("-",)), start=1):
        try:
            octets = pdu.encode_described(_read_object(text))
        except (errors.PduError, errors.RejectedError) as error:
            exits.complain(f"gsmgw: object {number}: {error}")
            code = exits.DATA
            continue
        # 3GPP TS 27.005 4.3: the address begins with its length in octets.
        click.echo((octets[octets[0] + 1 :] if no_sca else octets).hex().upper())
    return code


def _items(arguments: tuple[str, ...]) -> Iterator[str]:
    """Yield the arguments; `-` stands for the lines of standard input that are not empty."""
    for argument in arguments:
        if argument != "-":
            yield argument
            continue
        yield from typed.read_lines()


def _read_object(text: str) -> dict[str, object]:
    try:
        found = json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise errors.PduError(f"this is no JSON: {error}") from error
    except ValueError as error:
        raise errors.PduError("a number in it is too long") from error
    except RecursionError as error:
        raise errors.PduError("it is nested too deeply") from error
    if not isinstance(found, dict):
        raise errors.PduError("an object is wanted: {…}")
    return found


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise errors.PduError(f"{twice}: it stands there twice")
    return found


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw count "Zażółć gęślą jaźń"
""",
)
@click.argument("text")
@command.json_option
def count(text: str, as_json: bool) -> None:
    """Count how many SMS a TEXT needs.

    Names the letters that made it long. TEXT - is read from standard input.
    """
    text = typed.read_text(text)
    measure = pdu.measure(text)
    if as_json:
        display.print_json(
            {
                "alphabet": measure.alphabet,
                "parts": measure.parts,
                "units": measure.units,
                "because": list(measure.because),
            }
        )
        return
    limit = "160, or 153 in each of several parts"
    if measure.alphabet is pdu.Alphabet.UCS2:
        limit = "70, or 67 in each of several parts"
    click.echo(f"alphabet  {measure.alphabet}")
    click.echo(f"parts     {measure.parts}")
    click.echo(f"units     {measure.units} (room for {limit})")
    if measure.because:
        click.echo(f"because   {', '.join(map(_name, measure.because))}")
    _suggest_folding(text, measure.parts)


def _name(char: str) -> str:
    code = " ".join(f"U+{ord(part):04X}" for part in char)
    name = unicodedata.name(char, "").lower() if len(char) == 1 else ""
    return f"{display.safe(char)} ({' '.join(filter(None, (code, name)))})"


def _suggest_folding(text: str, parts: int) -> None:
    folded = pdu.fold(text)
    fewer = pdu.measure(folded).parts if folded != text else parts
    if fewer < parts:
        click.echo(f"plain     {fewer} part{'' if fewer == 1 else 's'} with sending.charset: plain")
        click.echo(f"          {display.safe_lines(folded)[0]}")
