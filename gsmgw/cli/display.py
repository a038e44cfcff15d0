# SPDX-License-Identifier: Apache-2.0
"""What commands show: words that cannot steer a terminal, local times, ages, tables and JSON."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import sys
import textwrap
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

#: Not of the locale: the table is English.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: A day further away than this is named with its year.
_A_YEAR = dt.timedelta(days=300)

#: A time as the store writes it, among other words.
_UTC = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")

#: Columns between two columns of a table; less than so many for the wide one is no use.
_GAP, _LEAST = 2, 20


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
    at = _read(stored, zone)
    return f"{at:%Y-%m-%d %H:%M:%S %Z}" if isinstance(at, dt.datetime) else at


def day_time(stored: object, zone: dt.tzinfo, now: dt.datetime) -> str:
    """Return a stored time for a narrow column, to the minute: ` 5 Mar 10:15`.

    The year stands there where it may be mistaken.
    """
    at = _read(stored, zone)
    if not isinstance(at, dt.datetime):
        return at
    day = f"{at.day:2} {_MONTHS[at.month - 1]}"
    return f"{day} {at:%H:%M}" if abs(at - now) < _A_YEAR else f"{day} {at:%Y %H:%M}"


def short_time(stored: object, zone: dt.tzinfo, now: dt.datetime, *, seconds: bool = True) -> str:
    """Return a stored time for a narrow column: the hour of today, else as `day_time`."""
    at = _read(stored, zone)
    if not isinstance(at, dt.datetime) or at.date() != now.astimezone(zone).date():
        return day_time(stored, zone, now)
    return f"{at:%H:%M:%S}" if seconds else f"{at:%H:%M}"


def localised(words: str, zone: dt.tzinfo) -> str:
    """Return words in which times of the store are in a zone, as people read all others."""
    return _UTC.sub(lambda found: local_time(found[0], zone), words)


def _read(stored: object, zone: dt.tzinfo) -> dt.datetime | str:
    """Return a stored time in a zone; whatever else stands there, as it may be shown."""
    try:
        return parse_utc(stored).astimezone(zone) if stored else ""
    except ValueError:
        return safe(stored)


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


def hanging(lead: str, words: str) -> str:
    """Return words behind a lead; at a terminal the further lines stand below the first word."""
    width = shutil.get_terminal_size().columns
    if not sys.stdout.isatty() or len(lead) + len(words) <= width or len(lead) > width // 2:
        return lead + words
    made = textwrap.TextWrapper(
        width, initial_indent=lead, subsequent_indent=" " * len(lead), break_on_hyphens=False
    )
    return made.fill(words)


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

    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0), expand=fit)
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


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    wide: str,
    fold: bool = False,
) -> None:
    """Print a table, in a file or pipe as it is.

    At a terminal `wide` is cut or folded at its edge, or stands below where that leaves too little;
    columns are left out that are empty, and what is empty altogether is said to be so.
    """
    found = [tuple(row) for row in rows]
    fit = sys.stdout.isatty()
    if fit and not found:
        click.echo("gsmgw: there is nothing to show", err=True)
        return
    if fit:
        kept = [
            number
            for number, name in enumerate(columns)
            if name == wide or any(row[number] not in (None, "") for row in found)
        ]
        columns = [columns[number] for number in kept]
        found = [tuple(row[number] for number in kept) for row in found]
    if fit and _is_tight(columns, found, wide):
        _print_below(columns, found, wide)
    else:
        click.echo(render(table(columns, found, wide=wide, fit=fit, fold=fold)), nl=False)


def _is_tight(columns: Sequence[str], rows: Sequence[Sequence[object]], wide: str) -> bool:
    """Tell whether a terminal leaves too little beside the other columns for the wide one."""
    from rich.cells import cell_len

    widths = {
        name: max(cell_len(safe("" if cell is None else cell)) for cell in (name, *cells))
        for name, *cells in zip(columns, *rows, strict=True)
    }
    needed = widths.pop(wide)
    room = shutil.get_terminal_size().columns - sum(widths.values()) - _GAP * len(widths)
    return room < min(needed, _LEAST)


def _print_below(columns: Sequence[str], rows: Sequence[Sequence[object]], wide: str) -> None:
    """Print a table whose wide column stands in lines of its own, below each row."""
    place = list(columns).index(wide)
    others = [[*row[:place], *row[place + 1 :]] for row in rows]
    names = [*columns[:place], *columns[place + 1 :]]
    # Where even these have no room, lines break at the edge: an id cut to dots is of no use.
    made = render(table(names, others, wide="", fit=False), width=_WIDE)
    heading, *lines = made.rstrip("\n").split("\n")
    click.echo(heading)
    for line, row in zip(lines, rows, strict=True):
        click.echo(line)
        if row[place]:
            click.echo(hanging("    ", safe(row[place])))


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
