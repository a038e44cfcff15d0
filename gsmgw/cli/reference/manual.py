# SPDX-License-Identifier: Apache-2.0
"""The pages of the manual: gsmgw(1), gsmgw.yaml(5) and gsmgw-log-messages(7)."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from gsmgw.cli import main
from gsmgw.cli.reference import pages as documents
from gsmgw.cli.reference import roff
from gsmgw.cli.reference.pages import Block, Heading, Paragraph, Piece, Style, Table

_SEE_ALSO = ("gsmgw(1)", "gsmgw.yaml(5)", "gsmgw-log-messages(7)", "journalctl(1)")


def pages(docs: Path) -> dict[str, str]:
    """Return the pages by file name, made from the program and the documents.

    Raises:
        OSError: a document cannot be read.
    """
    return {
        "gsmgw.1": _joined(_commands_page(documents.read(docs / "commands.md"))),
        "gsmgw.yaml.5": _joined(_configuration_page(documents.read(docs / "configuration.md"))),
        "gsmgw-log-messages.7": _joined(_log_page(documents.read(docs / "log-messages.md"))),
    }


def commands() -> Iterator[tuple[str, click.Command, click.Context]]:
    """Yield every command that can be run: its words after `gsmgw`, itself, its context."""
    yield from _below(main.cli, click.Context(main.cli, info_name="gsmgw"), "")


def _below(
    group: click.Group, context: click.Context, prefix: str
) -> Iterator[tuple[str, click.Command, click.Context]]:
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None  # it is in the list
        inner = click.Context(found, info_name=name, parent=context)
        if isinstance(found, click.Group):
            yield from _below(found, inner, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", found, inner


def _joined(lines: Iterator[str]) -> str:
    return "\n".join(lines) + "\n"


# -- gsmgw(1) -------------------------------------------------------------------------------------


def _commands_page(page: Sequence[Block]) -> Iterator[str]:
    yield roff.title("gsmgw", 1, "User Commands")
    sentence, _, _ = (main.cli.help or "").partition("\n\n")
    about = sentence.partition(":")[0]
    yield from (roff.section("Name"), f"gsmgw \\- {roff.escape(about)}")
    yield from (roff.section("Synopsis"), ".nf")
    yield f"\\fBgsmgw\\fR {roff.escape('[--config FILE] COMMAND …')}"
    yield f"\\fBgsmgw\\fR {roff.escape('[COMMAND] --help | --version')}"
    yield from (".fi", roff.section("Description"), roff.escape(" ".join(sentence.split())))
    yield from roff.blocks(block for block in _introduction(page) if not isinstance(block, Table))
    yield roff.section("Options")
    yield from _options(main.cli, click.Context(main.cli))
    yield roff.section("Commands")
    said = documents.sections(page, 2)
    for name, command, context in commands():
        yield from _command(name, command, context, said.get(name, []))
    yield roff.section("Exit status")
    yield from roff.blocks(said["Exit codes"])
    yield roff.section("Tab completion")
    yield from roff.blocks(said["Tab completion"])
    yield from _files()


def _introduction(page: Sequence[Block]) -> Iterator[Block]:
    """Yield what stands between the title of a page and its next heading."""
    for block in page[1:]:
        if isinstance(block, Heading):
            return
        yield block


def _command(
    name: str, command: click.Command, context: click.Context, said: Sequence[Block]
) -> Iterator[str]:
    yield roff.subsection(name)
    usage = " ".join(command.collect_usage_pieces(context))
    yield from (".PP", f"{roff.bold(f'gsmgw {name}')} {roff.escape(usage)}")
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        yield from (".PP", roff.escape(" ".join(paragraph.split())))
    yield from roff.blocks(_without_synopsis(said))
    yield from _options(command, context)
    if command.epilog:
        yield from (".PP", "Examples:", *roff.example(command.epilog.splitlines()))


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        is_told = command is main.cli or "--help" not in parameter.opts
        if record is not None and record[1] and is_told:
            yield from roff.term(roff.bold(record[0]), roff.escape(record[1]))


def _without_synopsis(said: Sequence[Block]) -> Iterator[Block]:
    """Yield what a document says of a command, but for what the program itself tells."""
    for number, block in enumerate(said):
        if isinstance(block, Table) and documents.plain(block.heading[0]) == "option":
            continue
        if number == 0 and isinstance(block, Paragraph):
            rest = _after_synopsis(list(block.words))
            if rest:
                yield Paragraph(tuple(rest))
            continue
        yield block


def _after_synopsis(words: list[Piece]) -> list[Piece]:
    if words[0].style is not Style.CODE:
        return words
    for number, piece in enumerate(words):
        _, dot, rest = piece.text.partition(".")
        if piece.style is Style.PLAIN and dot:
            first = [Piece(rest.lstrip())] if rest.strip() else []
            return [*first, *words[number + 1 :]]
    return []


# -- the other pages ------------------------------------------------------------------------------


def _configuration_page(page: Sequence[Block]) -> Iterator[str]:
    yield roff.title("gsmgw.yaml", 5, "File Formats")
    yield from (roff.section("Name"), "gsmgw.yaml \\- configuration of gsmgw")
    yield roff.section("Description")
    yield from roff.blocks(_introduction(page))
    for heading, said in documents.sections(page, 2).items():
        yield roff.section(heading)
        yield from roff.blocks(said)
    yield from _files()


def _log_page(page: Sequence[Block]) -> Iterator[str]:
    yield roff.title("gsmgw-log-messages", 7, "Miscellaneous")
    yield from (roff.section("Name"), "gsmgw\\-log\\-messages \\- what gsmgw logs, and what to do")
    yield roff.section("Description")
    yield from roff.blocks(page[1:])
    yield from _files()


def _files() -> Iterator[str]:
    yield roff.section("Files")
    for path, meaning in (
        ("/etc/gsmgw/gsmgw.yaml", "The configuration; $GSMGW_CONFIG names another one."),
        ("/var/lib/gsmgw/gsmgw.db", "The database."),
        ("/var/spool/gsmgw", "The spool."),
        ("/usr/share/doc/gsmgw", "The documents, as far as they are installed."),
    ):
        yield from roff.term(roff.bold(path), roff.escape(meaning))
    yield roff.section("See also")
    named = [name.partition("(") for name in _SEE_ALSO]
    yield ", ".join(f"{roff.bold(page)}({rest}" for page, _, rest in named)
