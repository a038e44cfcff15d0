# SPDX-License-Identifier: Apache-2.0
"""Cuts the text of a table into a header and rows of cells, whatever its quotation marks do."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gsmgw.clinic.interchange.parsed import UnreadableFileError

_DELIMITERS = (";", ",", "\t", "|")
#: No row of a clinic's table has more characters; a longer line is not even cut.
LONGEST_ROW = 200_000
#: A cell with more lines than this is one whose quotation mark was never closed.
MOST_LINES = 50
MOST_STRAYS = 100
#: A clinic of fifty doctors has so many visits in a quarter.
MOST_ROWS = 100_000
#: So many columns are looked at.
MOST_COLUMNS = 200


@dataclass(frozen=True, slots=True)
class Cells:
    """One row as it stands."""

    cells: list[str]
    error: str | None = None  #: why it cannot be cut


def cut(text: str, delimiter: str | None) -> tuple[list[str], list[Cells]]:
    """Return header and rows; empty rows are left in, so that rows keep their numbers.

    Args:
        text: of the file.
        delimiter: one character, or `tab`; None guesses it from the header.

    Raises:
        UnreadableFileError: there is no header.
    """
    lines = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    while lines and not lines[0].strip(" \t;,|"):
        del lines[0]
    while lines and not lines[-1].strip(" \t;,|"):
        del lines[-1]
    delimiter = {"tab": "\t"}.get(delimiter or "", delimiter)
    # What Excel writes above a table to name its delimiter.
    if lines and lines[0].lower().startswith("sep=") and len(lines[0]) == len("sep=;"):
        delimiter = delimiter or lines[0][-1]
        del lines[0]
    if not lines:
        raise UnreadableFileError("the file is empty; it needs a header and rows")
    if len(lines) > MOST_ROWS:
        raise UnreadableFileError(
            f"the table has {len(lines)} lines, {MOST_ROWS} are allowed; hand it in in parts"
        )
    if len(lines[0]) > LONGEST_ROW:
        raise UnreadableFileError(
            f"the first line has {len(lines[0])} characters, which no header has;"
            " does each row stand on a line of its own?"
        )
    if delimiter is None:
        delimiter = _guess_delimiter(lines[0])
    try:
        rows = list(_rows(lines, delimiter))
    except csv.Error as error:
        raise UnreadableFileError(f"this is no table: {error}") from error
    if rows[0].error is not None:
        raise UnreadableFileError(f"the header: {rows[0].error}")
    return rows[0].cells[:MOST_COLUMNS], rows[1:]


def _guess_delimiter(line: str) -> str:
    counts = {
        delimiter: len(next(csv.reader([line], delimiter=delimiter), []))
        for delimiter in _DELIMITERS
    }
    return max(_DELIMITERS, key=lambda delimiter: counts[delimiter])


def _rows(lines: Sequence[str], delimiter: str) -> Iterator[Cells]:
    at, width, strays = 0, 0, 0
    while at < len(lines):
        line = lines[at]
        taken = 1
        if len(line) > LONGEST_ROW:
            row = Cells([], f"longer than {LONGEST_ROW} characters")
        elif '"' not in line:
            row = Cells(line.split(delimiter) if line else [])
        else:
            # Where every row has a stray mark, looking for its end below each would take too long.
            end = at + (MOST_LINES if strays < MOST_STRAYS else 1)
            row, taken = _quoted(lines[at:end], delimiter, width)
            strays += row.error is not None
        width = width or len(row.cells)
        yield row
        at += taken


def _quoted(lines: Sequence[str], delimiter: str, width: int) -> tuple[Cells, int]:
    """Cut a row that has quotation marks; return it and how many lines it takes.

    A mark that opens a cell and is never closed would swallow the rows below: such a row stands
    alone.
    """
    reader = csv.reader(
        (line + "\n" for line in lines if len(line) <= LONGEST_ROW),
        delimiter=delimiter,
        strict=True,
    )
    try:
        cells, taken = next(reader), reader.line_num
    except csv.Error:
        cells, taken = [], 0
    if taken and not any(line.count(delimiter) + 1 >= width > 1 for line in lines[1:taken]):
        return Cells([cell.rstrip("\n") for cell in cells]), taken
    alone = next(csv.reader([lines[0]], delimiter=delimiter))
    if width and len(alone) == width:
        return Cells(alone), 1
    return Cells([], "a quotation mark opens a cell and does not close it"), 1
