# SPDX-License-Identifier: Apache-2.0
"""`gsmgw clinic templates`: every text in every language, as long as it may become."""

from __future__ import annotations

from typing import Any

import click

from gsmgw.cli import command, display, exits, session
from gsmgw.cli.clinic import office

#: So many letters are named as those that make a text long; more are an alphabet.
_NAMED = 8


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw clinic templates
gsmgw clinic templates reminder_a --language pl
""",
)
@click.argument("name", required=False)
@click.option("--language", metavar="CODE", help="Only in this language.")
@command.json_option
@session.pass_session
def templates(
    current: session.Session, name: str | None, language: str | None, as_json: bool
) -> None:
    """Show the texts with long values, how many SMS each takes, and which letters make it long."""
    from gsmgw import pdu
    from gsmgw.clinic import lengths
    from gsmgw.clinic.wording import Wording

    config = office.config(current)
    wording = Wording(config)
    if name is not None and not wording.has(name):
        near = [one for one in wording.names() if one.startswith(name.partition("_")[0])]
        hint = f"; there are {', '.join(near)}" if near else ""
        raise exits.CommandError(f"there is no text {name!r}{hint}", exits.DATA)
    found: list[dict[str, Any]] = []
    for template in wording.names() if name is None else [name]:
        if template.startswith("word_"):
            continue  # a part of other texts
        for code in wording.languages(template):
            if language not in (None, code):
                continue
            text = lengths.longest(config, wording, template, code)
            measured = pdu.measure(text)
            is_dear = measured.alphabet is pdu.Alphabet.UCS2
            found.append(
                {
                    "template": template,
                    "language": code,
                    "parts": measured.parts,
                    "units": measured.units,
                    "room": pdu.capacity(measured.alphabet),
                    "because": "".join(measured.because) if is_dear else "",
                    "own": (template, code) in wording.overridden,
                    "text": text,
                }
            )
    if as_json:
        display.print_json(found)
        return
    for one in found:
        letters = one["because"] if len(one["because"]) <= _NAMED else "many letters"
        because = f" because of {letters}" if letters else ""
        own = ", your own" if one["own"] else ""
        click.echo(
            display.safe(
                f"{one['template']} {one['language']}: {one['parts']} SMS,"
                f" {one['units']} of {one['room']}{because}{own}"
            )
        )
        click.echo(display.hanging("    ", display.safe_cell(one["text"])))
