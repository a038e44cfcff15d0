# SPDX-License-Identifier: Apache-2.0
"""Writes what man reads: blocks of a page, in the macros of man(7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gsmgw import __version__
from gsmgw.cli.reference import pages
from gsmgw.cli.reference.pages import Block, Code, Heading, Paragraph, Piece, Style, Table, Words

# groff_char(7): what would be shown as something else, or read as a request. A long choice of
# words, `a|b|c`, may be broken at its bars.
_GLYPHS = str.maketrans(
    {
        "\\": "\\(rs",
        "-": "\\-",
        "'": "\\(aq",
        "`": "\\(ga",
        "^": "\\(ha",
        "~": "\\(ti",
        "|": "|\\:",
    }
)


def title(name: str, section: int, kind: str) -> str:
    """Return the first lines of a page; words are never broken, for commands are copied from it."""
    return f'.TH {name.upper()} {section} "" "gsmgw {__version__}" "{kind}"\n.nr HY 0\n.nh\n.ad l'


def escape(text: str) -> str:
    """Return a text that is shown as it is, wherever it stands."""
    shown = text.translate(_GLYPHS)
    return f"\\&{shown}" if shown.startswith(".") else shown


def words(found: Words) -> str:
    """Return words with their styles."""
    return "".join(map(_piece, found))


def bold(text: str) -> str:
    """Return a text that stands out."""
    return f"\\fB{escape(text)}\\fR"


def section(heading: str) -> str:
    """Return the heading of a section."""
    return f".SH {escape(heading.upper())}"


def subsection(heading: str) -> str:
    """Return the heading of a part of a section."""
    return f".SS {escape(heading)}"


def term(name: str, explanation: str) -> list[str]:
    """Return a word, already in roff, and below it what it means."""
    return [".TP", name, explanation or "\\&"]


def example(lines: Iterable[str]) -> list[str]:
    """Return lines that are shown as they are."""
    return [".PP", ".EX", *(escape(line) or "\\&" for line in lines), ".EE"]


def blocks(found: Iterable[Block]) -> Iterator[str]:
    """Yield the lines of blocks below a heading of the manual.

    Headings become those of subsections; one that is only the first half of the names below it (as
    `modem` above `modem.lost`) says nothing more and is left out.
    """
    for block in found:
        match block:
            case Heading():
                heading = pages.plain(block.words)
                if block.level == 1:
                    yield section(heading)
                elif block.level > 2 or not _is_area(heading):
                    yield subsection(heading)
            case Paragraph():
                yield from [".IP \\(bu 2"] if block.is_point else [".PP"]
                yield words(block.words)
            case Code():
                yield from example(block.lines)
            case Table():
                yield from table(block)


def table(found: Table) -> Iterator[str]:
    """Yield a table as a list of terms: the first cell, and what the others say of it."""
    names = [pages.plain(cell) for cell in found.heading]
    for name, *others in found.rows:
        said = words(others[0]) if others else ""
        for heading, cell in zip(names[2:], others[1:], strict=True):
            if cell:
                said += f"{'.' if said else ''} {_capital(heading)}: {words(cell)}"
        yield from term(bold(pages.plain(name)), said.strip())


def _is_area(heading: str) -> bool:
    return heading.replace("_", "").isalpha() and heading.islower()


def _capital(heading: str) -> str:
    return f"{heading[:1].upper()}{heading[1:]}"


def _piece(piece: Piece) -> str:
    shown = escape(piece.text)
    return shown if piece.style is Style.PLAIN else f"\\fB{shown}\\fR"
