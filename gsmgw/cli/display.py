# SPDX-License-Identifier: Apache-2.0
"""What commands show: words that cannot steer a terminal, local times, ages, tables and JSON."""

from __future__ import annotations

import datetime as dt
import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import click

if TYPE_CHECKING:
    from rich.table import Table

#: Columns of a table that is not written to a terminal: the longest text of 255 parts fits.
_WIDE = 42_000

# Joins the parts of an emoji or of a Persian word; harmless, though not "printable".
_JOINERS = "\u200c\u200d"
_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Row(Protocol):
    """A row of the database: values by column."""

    def __getitem__(self, name: str, /) -> Any:
        """Return the value of a column."""


def safe(words: object) -> str:
    r"""Return words as they may stand on a terminal, whoever wrote them.

    Control characters, terminal escapes, marks of direction, private and unpaired characters are
    shown as escapes (`\x1b`, `\u202e`); blanks of all widths become a plain one.
    """
    text = str(words)
    if text.isprintable():
        return text
    return "".join(map(_safe_char, text))


def _safe_char(char: str) -> str:
    if char.isprintable() or char in _JOINERS:
        return char
    if char in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[char]
    if unicodedata.category(char) == "Zs":
        return " "
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def safe_lines(text: str) -> list[str]:
    """Return the lines of a text, each safe for a terminal."""
    return [safe(line) for line in text.replace("\r\n", "\n").split("\n")]


def safe_cell(text: object) -> str:
    """Return a text as one line of a table; a line end becomes a return arrow."""
    shown = "" if text is None else str(text)  # SQLite lets other software store anything
    return safe(shown.replace("\r\n", "\n").replace("\n", " ⏎ "))


def parse_utc(stored: object) -> dt.datetime:
    """Read a time as the store writes it; other software may have written anything into a row.

    Raises:
        ValueError: it is none.
    """
    return dt.datetime.fromisoformat(str(stored)).astimezone(dt.UTC)


def local_time(stored: object, zone: dt.tzinfo) -> str:
    """Return a stored time as people read it, with its zone: `2026-11-22 08:30:05 CET`."""
    if not stored:
        return ""
    try:
        at = parse_utc(stored).astimezone(zone)
    except ValueError:
        return safe(stored)
    return f"{at:%Y-%m-%d %H:%M:%S %Z}"


def short_time(stored: object, zone: dt.tzinfo, now: dt.datetime) -> str:
    """Return a stored time for a narrow column: the hour of today, else the date too."""
    if not stored:
        return ""
    try:
        at = parse_utc(stored).astimezone(zone)
    except ValueError:
        return safe(stored)
    return f"{at:%H:%M:%S}" if at.date() == now.astimezone(zone).date() else f"{at:%m-%d %H:%M}"


def age(seconds: float) -> str:
    """Return how long ago or how long something is, in its two largest units: `3 h 5 min`."""
    left = max(0, int(seconds))
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    words: list[str] = []
    for unit, size in units:
        count, left = divmod(left, size)
        if count or (unit == "s" and not words):
            words.append(f"{count} {unit}")
    return " ".join(words[:2])


def print_json(document: object) -> None:
    """Print one JSON document on one line."""
    text = json.dumps(document, ensure_ascii=False, default=_as_json)
    click.echo(text.encode("utf-8", "backslashreplace"))


def _as_json(found: object) -> str:
    """Return what JSON cannot hold: octets that other software wrote where a text should be."""
    return found.decode("utf-8", "backslashreplace") if isinstance(found, bytes) else str(found)


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    wide: str,
    fit: bool,
    fold: bool = False,
) -> Table:
    """Return a table for people.

    Args:
        columns: their headings.
        rows: cells of any type; they are made safe here, and no style comes from them. What is
            safe already and has a style comes as rich's Text.
        wide: the column that is cut where room is short.
        fit: cut it; else nothing is cut.
        fold: rather than cut, let it take several lines.
    """
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0), expand=fit)
    for column in columns:
        # `ratio` lets rich take the room that is missing from this column alone.
        flexible = fit and column == wide
        made.add_column(
            column,
            no_wrap=not (flexible and fold),
            overflow="fold" if fold else "ellipsis",
            ratio=1 if flexible else None,
        )
    for row in rows:
        made.add_row(
            *(
                cell if isinstance(cell, Text) else Text("" if cell is None else safe(cell))
                for cell in row
            )
        )
    return made


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, wide: str) -> None:
    """Print a table; `wide` is cut at the terminal's edge, and nowhere in a file or pipe."""
    made = table(columns, rows, wide=wide, fit=sys.stdout.isatty())
    click.echo(render(made), nl=False)


def render(renderable: object, *, width: int | None = None) -> str:
    """Return something of rich's as text, in colours if it goes to a terminal.

    Args:
        renderable: a table, or several in a group.
        width: columns; None takes the terminal's, or room for everything.
    """
    from rich.console import Console

    terminal = sys.stdout.isatty()
    console = Console(
        file=sys.stdout,
        width=width if width or terminal else _WIDE,
        highlight=False,
        markup=False,
        emoji=False,
    )
    with console.capture() as captured:
        console.print(renderable)
    return "\n".join(line.rstrip() for line in captured.get().split("\n"))


def plain(
    row: Row, names: Iterable[str], switches: frozenset[str] = frozenset()
) -> dict[str, object]:
    """Return columns of a stored row for JSON; those in `switches` become true and false."""
    return {
        name: bool(row[name]) if name in switches else row[name]  # 0 and 1 in the database
        for name in names
    }
