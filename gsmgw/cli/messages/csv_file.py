# SPDX-License-Identifier: Apache-2.0
"""Reads a CSV file of messages: guesses encoding and delimiter, names every fault with its line."""

from __future__ import annotations

import codecs
import csv
import difflib
import io
import re
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

#: How the files begin that spreadsheets keep for themselves: xlsx and ods, xls.
_OWN_FILES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
# Excel's way to name the delimiter above a table; programs write it so that a double click works.
_NAMED_DELIMITER = re.compile(r'"?sep=([,;\t])"?[,;\t]*', re.IGNORECASE)
# How tables keep spreadsheets from reckoning with a phone number: ="+48…", or '+48… as our lists.
_GUARDED = re.compile(r"""="(.*)"|'(.*)""")

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
    above, named, text = _find_header(text.rstrip("\x1a"))  # with which DOS ended files
    delimiter = named or _guess_delimiter(re.split("[\r\n]", text, maxsplit=1)[0])
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True
    )
    columns = _read_header(reader, path, above)
    return Table(tuple(_rows(reader, columns, source, above)), found, delimiter)


def _decode(octets: bytes, path: Path, country: str, encoding: str | None) -> tuple[str, str]:
    if octets.startswith(_OWN_FILES):
        raise BadFileError(
            f"{path} is a spreadsheet, not CSV; save it there as CSV, best as UTF-8, and give that"
        )
    if encoding is None:
        encoding = _unicode_of(octets)
    if encoding is None:
        try:
            return octets.decode("utf-8-sig"), "utf-8"
        except UnicodeDecodeError as error:
            _refuse_damaged(octets, path, error)
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


def _unicode_of(octets: bytes) -> str | None:
    """Return which UTF-16 a file is in; None if it is in none."""
    if octets.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"  # what Excel calls "Unicode text"
    # Databases export it without a mark; each other octet of the header is zero then.
    zero = octets[:2].find(0)
    return {0: "utf-16-be", 1: "utf-16-le"}.get(zero)


def _refuse_damaged(octets: bytes, path: Path, error: UnicodeDecodeError) -> None:
    """Refuse UTF-8 that is wrong in a few places: as anything else all its letters would go wrong.

    Letters of a code page hardly ever follow each other as those of UTF-8 do.

    Raises:
        BadFileError: it is such a file.
    """
    foreign = [sign for sign in octets.decode("utf-8", "replace") if not sign.isascii()]
    broken = foreign.count("\ufffd")
    if len(foreign) - broken > broken:
        line = octets[: error.start].count(b"\n") + 1
        raise BadFileError(
            f"{path}, line {line}: a letter there is not UTF-8, though others of the file are; was"
            " it put together from two, or cut short? Save it as UTF-8, or name what it is with"
            " --encoding"
        ) from error


def code_page(country: str) -> str:
    """Return the Windows code page that spreadsheets of a country use."""
    pages = (page for page, countries in _CODE_PAGES.items() if country.upper() in countries)
    return next(pages, "cp1252")


def _find_header(text: str) -> tuple[int, str | None, str]:
    """Return how many lines stand above the header, the delimiter that they name, and the rest."""
    named = None
    lines = text.splitlines(keepends=True)
    for above, line in enumerate(lines):
        found = _NAMED_DELIMITER.fullmatch(line.rstrip("\r\n"))
        if found is not None and named is None:
            named = found[1]
        elif line.strip(f'"{DELIMITERS} \r\n'):
            return above, named, "".join(lines[above:])
    return len(lines), named, ""


def _guess_delimiter(header: str) -> str:
    """Return the delimiter that splits the header into most known words."""

    def known(delimiter: str) -> int:
        return sum(_word(cell) in COLUMNS for cell in header.split(delimiter))

    return max(DELIMITERS, key=known)


def _word(cell: str) -> str:
    return cell.strip().strip('"').strip().lower()


def _read_header(reader: Iterator[list[str]], path: Path, above: int) -> list[str]:
    place = f"{path}, line {above + 1}"
    try:
        columns = [_word(cell) for cell in next(reader)]
    except StopIteration:
        raise BadFileError(f"{path} is empty; the first line names the columns") from None
    except csv.Error as error:
        raise BadFileError(f"{place}: {error}") from error
    while columns and not columns[-1]:
        columns.pop()  # spreadsheets add empty columns
    if len(columns) > MOST_COLUMNS or not any(column in COLUMNS for column in columns):
        raise BadFileError(f"{place}: the first line must name the columns; {_allowed()}")
    problems = [
        _column_problem(column, columns) if column else f"column {number} has no name"
        for number, column in enumerate(columns, 1)
    ]
    problems += [f"column {name} is missing" for name in REQUIRED if name not in columns]
    if any(problems):
        words = "; ".join(dict.fromkeys(problem for problem in problems if problem))
        raise BadFileError(f"{place}: {words}; {_allowed()}")
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


def _rows(reader: _csv.Reader, columns: list[str], source: str, above: int) -> Iterator[Row]:
    while True:
        line = above + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(
                line,
                None,
                f"not readable as CSV: {error}; is a quotation mark never closed, or one inside a"
                ' text not doubled ("")?',
                above + reader.line_num,
            )
            continue
        if any(cell.strip() for cell in cells):
            yield _row(line, above + reader.line_num, columns, cells, source)


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
        recipient=_unguarded(given["recipient"].strip()),
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


def _unguarded(number: str) -> str:
    """Return a phone number without what keeps spreadsheets from taking it for a sum."""
    found = _GUARDED.fullmatch(number)
    return (found[1] or found[2] or "").strip() if found else number


def _switch(given: dict[str, str], name: str) -> bool:
    found = given.get(name, "").strip().lower()
    if found not in _SWITCHES:
        raise BadFileError(f"{name} is {found!r}; allowed: yes, no, or nothing for no")
    return _SWITCHES[found]
