# SPDX-License-Identifier: Apache-2.0
"""Reads a CSV file of messages: guesses encoding and delimiter, names every fault with its line."""

from __future__ import annotations

import codecs
import csv
import difflib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gsmgw.errors import BadFileError
from gsmgw.model import Draft

if TYPE_CHECKING:
    import _csv

#: The header's words: the JSON keys of the spool.
COLUMNS = (
    "recipient",
    "text",
    "reference",
    "source",
    "category",
    "priority",
    "not_before",
    "expires_at",
    "report_requested",
    "flash",
    "modem",
)
REQUIRED = ("recipient", "text")
DELIMITERS = ",;\t"

#: A table with more columns is none of messages.
MOST_COLUMNS = 100
#: More than this is no list of messages.
LONGEST_FILE = 200_000_000

# What spreadsheets on Windows write where they do not write UTF-8: by country, else cp1252.
_CODE_PAGES = {
    "cp1250": "AL BA CZ HR HU ME PL RO SI SK",
    "cp1251": "BG BY KG KZ MK MN RS RU TJ UA UZ",
    "cp1253": "CY GR",
    "cp1254": "AZ TR",
    "cp1255": "IL",
    "cp1256": "AE DZ EG IQ JO KW LB LY MA OM QA SA SD SY TN YE",
    "cp1257": "EE LT LV",
    "cp1258": "VN",
}
_SWITCHES = {
    "": False,
    **dict.fromkeys(("0", "no", "off", "false"), False),
    **dict.fromkeys(("1", "yes", "on", "true"), True),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a message, or why it cannot be read as one."""

    line: int  #: where it begins, 1 is the header
    draft: Draft | None
    error: str | None = None
    last_line: int = 0  #: where it ends; a quoted text may have several lines


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file as it was read."""

    rows: tuple[Row, ...]
    encoding: str
    delimiter: str


def read(path: Path, *, country: str, encoding: str | None, source: str) -> Table:
    """Read a CSV file. Blocks for the reading of the file.

    Args:
        path: the file; `-` is not special here.
        country: two letters; decides how letters are read if the file is not UTF-8.
        encoding: what the file is in; None guesses.
        source: the source of rows that name none.

    Raises:
        BadFileError: nothing in it can be used; the text says what is wrong and where.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        octets = file.read(LONGEST_FILE + 1)
    if len(octets) > LONGEST_FILE:
        raise BadFileError(f"{path} is larger than {LONGEST_FILE // 1_000_000} MB")
    text, found = _decode(octets, path, country, encoding)
    header = text.split("\n", 1)[0].rstrip("\r")
    delimiter = _guess_delimiter(header)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns = _read_header(reader, path)
    return Table(tuple(_rows(reader, columns, source)), found, delimiter)


def _decode(octets: bytes, path: Path, country: str, encoding: str | None) -> tuple[str, str]:
    if encoding is None:
        if octets.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            encoding = "utf-16"  # what Excel calls "Unicode text"
        else:
            try:
                return octets.decode("utf-8-sig"), "utf-8"
            except UnicodeDecodeError:
                encoding = code_page(country)
    try:
        return octets.decode(encoding).removeprefix("\ufeff"), encoding
    except LookupError as error:
        raise BadFileError(f"encoding {encoding!r} does not exist; try utf-8 or cp1250") from error
    except UnicodeError as error:
        raise BadFileError(
            f"{path} is not {encoding}: {error}; name what it is with --encoding, or save it"
            " as UTF-8"
        ) from error


def code_page(country: str) -> str:
    """Return the Windows code page that spreadsheets of a country use."""
    pages = (page for page, countries in _CODE_PAGES.items() if country.upper() in countries)
    return next(pages, "cp1252")


def _guess_delimiter(header: str) -> str:
    """Return the delimiter that splits the header into most known words."""

    def known(delimiter: str) -> int:
        return sum(_word(cell) in COLUMNS for cell in header.split(delimiter))

    return max(DELIMITERS, key=known)


def _word(cell: str) -> str:
    return cell.strip().strip('"').strip().lower()


def _read_header(reader: Iterator[list[str]], path: Path) -> list[str]:
    try:
        columns = [_word(cell) for cell in next(reader)]
    except StopIteration:
        raise BadFileError(f"{path} is empty; the first line names the columns") from None
    except csv.Error as error:
        raise BadFileError(f"{path}, line 1: {error}") from error
    while columns and not columns[-1]:
        columns.pop()  # spreadsheets add empty columns
    if len(columns) > MOST_COLUMNS or not any(column in COLUMNS for column in columns):
        raise BadFileError(f"{path}, line 1: the first line must name the columns; {_allowed()}")
    problems = [_column_problem(column, columns) for column in columns]
    problems += [f"column {name} is missing" for name in REQUIRED if name not in columns]
    if any(problems):
        words = "; ".join(dict.fromkeys(problem for problem in problems if problem))
        raise BadFileError(f"{path}, line 1: {words}; {_allowed()}")
    return columns


def _column_problem(column: str, columns: list[str]) -> str | None:
    if columns.count(column) > 1:
        return f"column {column!r} stands there twice"
    if column in COLUMNS:
        return None
    near = difflib.get_close_matches(column, COLUMNS, 1)
    return f"column {column!r} is unknown" + (f", do you mean {near[0]}?" if near else "")


def _allowed() -> str:
    return f"allowed: {', '.join(COLUMNS)}; {' and '.join(REQUIRED)} are needed"


def _rows(reader: _csv.Reader, columns: list[str], source: str) -> Iterator[Row]:
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(line, None, f"not readable as CSV: {error}", reader.line_num)
            continue
        if any(cell.strip() for cell in cells):
            yield _row(line, reader.line_num, columns, cells, source)


def _row(line: int, last_line: int, columns: list[str], cells: list[str], source: str) -> Row:
    extra = cells[len(columns) :]
    if len(cells) < len(columns) or any(cell.strip() for cell in extra):
        error = (
            f"{len(cells)} columns, the header has {len(columns)}; a text that holds the"
            ' delimiter or a line end stands in quotes: "…"'
        )
        return Row(line, None, error, last_line)
    given = dict(zip(columns, cells, strict=False))
    try:
        return Row(line, _draft(given, source), None, last_line)
    except BadFileError as error:
        return Row(line, None, str(error), last_line)


def _draft(given: dict[str, str], source: str) -> Draft:
    def word(name: str) -> str | None:
        return given.get(name, "").strip() or None

    return Draft(
        recipient=given["recipient"].strip(),
        text=given["text"],
        source=word("source") or source,
        reference=word("reference"),
        category=word("category"),
        priority=word("priority"),
        not_before=word("not_before"),
        expires_at=word("expires_at"),
        report_requested=_switch(given, "report_requested"),
        flash=_switch(given, "flash"),
        modem=word("modem"),
    )


def _switch(given: dict[str, str], name: str) -> bool:
    found = given.get(name, "").strip().lower()
    if found not in _SWITCHES:
        raise BadFileError(f"{name} is {found!r}; allowed: yes, no, or nothing for no")
    return _SWITCHES[found]
