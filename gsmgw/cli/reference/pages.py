# SPDX-License-Identifier: Apache-2.0
"""Reads a page of docs/: headings, paragraphs, points, tables and code, as values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

#: Of the tree that this program runs from; an installed one has them elsewhere.
DOCS = Path(__file__).resolve().parents[3] / "docs"


class Style(Enum):
    """How a piece of text stands out."""

    PLAIN = auto()
    CODE = auto()
    STRONG = auto()


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text in one style."""

    text: str
    style: Style = Style.PLAIN


Words = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is the page's."""

    level: int
    words: Words


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, or a point of a list."""

    words: Words
    is_point: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to be shown as they are."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its heading and its rows of cells."""

    heading: tuple[Words, ...]
    rows: tuple[tuple[Words, ...], ...]


Block = Heading | Paragraph | Code | Table


def read(path: Path) -> list[Block]:
    """Read a page.

    Raises:
        OSError: it cannot be read.
    """
    return parse(path.read_text(encoding="utf-8"))


def parse(text: str) -> list[Block]:
    """Read the text of a page."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    return list(_blocks(tokens))


def plain(words: Words) -> str:
    """Return words without their styles."""
    return "".join(piece.text for piece in words)


def sections(blocks: Sequence[Block], level: int) -> dict[str, list[Block]]:
    """Return what stands below each heading of a level, by its text, up to the next as high."""
    found: dict[str, list[Block]] = {}
    current: list[Block] | None = None
    for block in blocks:
        if isinstance(block, Heading) and block.level <= level:
            current = found.setdefault(plain(block.words), []) if block.level == level else None
        elif current is not None:
            current.append(block)
    return found


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    points = 0
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.type == "bullet_list_open":
            points += 1
        elif token.type == "bullet_list_close":
            points -= 1
        elif token.type == "heading_open":
            yield Heading(int(token.tag[1:]), _words(tokens[at + 1]))
        elif token.type == "paragraph_open":
            yield Paragraph(_words(tokens[at + 1]), bool(points))
        elif token.type == "fence":
            yield Code(tuple(token.content.rstrip("\n").split("\n")))
        elif token.type == "table_open":
            end = next(i for i in range(at, len(tokens)) if tokens[i].type == "table_close")
            yield _table(tokens[at:end])
            at = end
        at += 1


def _table(tokens: list[Token]) -> Table:
    rows: list[list[Words]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(_words(token))
    return Table(tuple(rows[0]), tuple(tuple(row) for row in rows[1:]))


def _words(inline: Token) -> Words:
    found: list[Piece] = []
    style = Style.PLAIN
    for token in inline.children or []:
        if token.type == "strong_open":
            style = Style.STRONG
        elif token.type == "strong_close":
            style = Style.PLAIN
        elif token.type == "code_inline":
            found.append(Piece(token.content, Style.CODE))
        elif token.type in ("softbreak", "hardbreak"):
            found.append(Piece(" ", style))
        elif token.content:
            found.append(Piece(token.content, style))
    return tuple(found)
