# SPDX-License-Identifier: Apache-2.0
"""Tables of visits and patients: CSV with any delimiter, encoding and form of dates.

What the configuration does not say is guessed from the whole file, once: an encoding, a delimiter,
which column is what, one form of dates. One bad row never stops the others.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from gsmgw.clinic.interchange import encodings, moments, words
from gsmgw.clinic.interchange.parsed import Parsed, Row, UnreadableFileError
from gsmgw.clinic.model import PatientRecord, Record, VisitRecord, VisitStatus
from gsmgw.config import Config
from gsmgw.config.clinic import Table

Kind = Literal["visits", "patients"]

_DELIMITERS = (";", ",", "\t", "|")
#: Columns of whole names in which the family name comes first.
_FAMILY_FIRST = ("nazwisko", "фио", "піб")
#: No cell of a clinic's table is longer.
LONGEST_CELL = 1000
#: So many columns are looked at.
MOST_COLUMNS = 200
#: Names of files that we do not take, and why.
_OTHERS = {
    "slots": "waiting lists and free slots are not part of this gsmgw",
    "send": "texts to a list are sent with: gsmgw send --csv FILE",
    "calls": "outcomes of calls are written with: gsmgw clinic calls done",
}


class _CellError(Exception):
    """A cell cannot be read; the text says which, what was found, and what is allowed."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a table is read."""

    kind: Kind
    columns: Mapping[str, int]  #: what a column is: where it stands
    header: tuple[str, ...]
    forms: tuple[str, ...]


def parse(content: bytes, name: str, config: Config) -> Parsed:
    """Read a table.

    Args:
        content: the file.
        name: of the file; one that begins with `visits` or `patients` says what it is.
        config: country, time zone, and what `import` says.

    Raises:
        UnreadableFileError: no row of it can be used.
    """
    wanted = _kind_by_name(name)
    settings = config.imports.patients if wanted == "patients" else config.imports.visits
    text, encoding = encodings.decode(content, settings.encoding, config.country)
    header, rows = _cells(text, settings)
    layout, remarks = _layout(header, rows, wanted, config)
    if encoding not in ("utf-8", "utf-16") and settings.encoding is None:
        remarks.append(f"read as {encoding}")
    reader = _Reader(layout, config)
    found = tuple(reader.rows(rows))
    days = {
        row.record.start.astimezone(config.zone).date()
        for row in found
        if isinstance(row.record, VisitRecord) and row.record.start is not None
    }
    return Parsed(layout.kind, found, frozenset(days), tuple(remarks))


def _kind_by_name(name: str) -> Kind | None:
    beginning = name.casefold().replace("_", "-").partition("-")[0].partition(".")[0]
    if beginning in _OTHERS:
        raise UnreadableFileError(f"{name}: {_OTHERS[beginning]}")
    if beginning == "visits":
        return "visits"
    return "patients" if beginning == "patients" else None


# -- cells ----------------------------------------------------------------------------------------


def _cells(text: str, settings: Table) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return header and rows; empty rows are left in, so that rows keep their numbers."""
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    delimiter = {"tab": "\t"}.get(settings.delimiter or "", settings.delimiter)
    if delimiter is None:
        first = text.lstrip("\n").partition("\n")[0]
        if first.lower().startswith("sep=") and len(first) == 5:
            delimiter, text = first[-1], text.lstrip("\n").partition("\n")[2]
        else:
            delimiter = _guess_delimiter(first)
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise UnreadableFileError(f"this is no table: {error}") from error
    while lines and not any(cell.strip() for cell in lines[0]):
        del lines[0]
    if not lines:
        raise UnreadableFileError("the file is empty; it needs a header and rows")
    header = tuple(_tidy(cell) for cell in lines[0][:MOST_COLUMNS])
    while lines and not any(cell.strip() for cell in lines[-1]):
        del lines[-1]
    return header, lines[1:]


def _guess_delimiter(line: str) -> str:
    counts = {
        delimiter: len(next(csv.reader([line], delimiter=delimiter), []))
        for delimiter in _DELIMITERS
    }
    return max(_DELIMITERS, key=lambda delimiter: counts[delimiter])


def _tidy(cell: str) -> str:
    """Return a cell on one line, without what a screen would obey."""
    kept = "".join(
        " " if sign in "\n\t" else sign
        for sign in cell
        if sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cf")
    )
    return " ".join(kept.split())


# -- columns --------------------------------------------------------------------------------------


def _layout(
    header: tuple[str, ...], rows: list[list[str]], wanted: Kind | None, config: Config
) -> tuple[_Layout, list[str]]:
    settings = config.imports.patients if wanted == "patients" else config.imports.visits
    columns = _columns(header, settings)
    kind: Kind = wanted or ("visits" if columns.keys() & {"date", "start"} else "patients")
    if wanted is None and kind == "patients":
        settings = config.imports.patients
        columns = _columns(header, settings)
    _check_columns(kind, columns, header)
    remarks: list[str] = []
    forms = settings.dates
    column = columns.get("date", columns.get("start"))
    if not forms and column is not None:
        texts = [row[column].partition(" ")[0] for row in rows if column < len(row)]
        form, is_ambiguous = moments.choose(texts, config.country)
        forms = (form,) if form is not None else moments.FORMS
        if is_ambiguous:
            remarks.append(f"dates are read as {form}; if that is wrong, set import.{kind}.dates")
    return _Layout(kind, columns, header, forms or moments.FORMS), remarks


def _columns(header: tuple[str, ...], settings: Table) -> dict[str, int]:
    """Return where each column stands: those of the configuration first, then known names."""
    places = {words.key(name): number for number, name in reversed(list(enumerate(header)))}
    columns: dict[str, int] = {}
    for what, name in settings.columns.items():
        place = places.get(words.key(name))
        if place is None:
            raise UnreadableFileError(
                f"there is no column {name!r}, which import says is {what}; the columns are"
                f" {', '.join(header)}"
            )
        columns[what] = place
    taken = set(columns.values())
    for what, names in words.load().columns.items():
        if what in columns:
            continue
        for name in names:
            if name in places and places[name] not in taken:
                columns[what] = places[name]
                taken.add(places[name])
                break
    return columns


def _check_columns(kind: Kind, columns: Mapping[str, int], header: tuple[str, ...]) -> None:
    missing = []
    if kind == "visits":
        if "appointment" not in columns:
            missing.append("appointment (the visit's own number)")
        if "start" not in columns and not {"date", "time"} <= columns.keys():
            missing.append("date and time, or start")
    elif not columns.keys() & {"patient", "phone"}:
        missing.append("patient (the patient's own number), or phone")
    if missing:
        raise UnreadableFileError(
            f"columns are missing for {kind}: {'; '.join(missing)}. The columns are"
            f" {', '.join(header) or 'none'}. Name them in import.{kind}.columns"
        )


# -- rows -----------------------------------------------------------------------------------------


class _Reader:
    """Reads the rows of one table."""

    def __init__(self, layout: _Layout, config: Config) -> None:
        self._layout = layout
        self._zone = config.zone
        self._words = words.load()
        self._seen: set[str] = set()

    def rows(self, lines: list[list[str]]) -> Iterator[Row]:
        """Return every row that is not empty and no sum at the end."""
        for number, line in enumerate(lines, 1):
            cells = [_tidy(cell) for cell in line]
            filled = [cell for cell in cells if cell]
            if not filled or self._is_total(filled):
                continue
            try:
                record, warnings = self._record(cells)
            except _CellError as error:
                yield Row(number, error=str(error))
            else:
                yield Row(number, record, warnings=warnings)

    def _is_total(self, filled: list[str]) -> bool:
        first = words.key(filled[0].partition(":")[0]).partition("_")[0]
        few = 3
        return len(filled) <= few and first in self._words.totals

    def _record(self, cells: list[str]) -> tuple[Record, tuple[str, ...]]:
        header = self._layout.header
        if len(cells) > len(header) and any(cells[len(header) :]):
            raise _CellError(
                f"{len(cells)} cells, but the header has {len(header)}; is there a delimiter"
                " inside a cell without quotation marks?"
            )
        for name, cell in zip(header, cells, strict=False):
            if len(cell) > LONGEST_CELL:
                raise _CellError(f"{name}: longer than {LONGEST_CELL} characters")
        if self._layout.kind == "patients":
            return self._patient(cells), ()
        visit = self._visit(cells)
        is_again = visit.id in self._seen
        self._seen.add(visit.id)
        return visit, ("again",) if is_again else ()

    def _cell(self, cells: list[str], what: str) -> str | None:
        """Return what stands in a column; "" if it is empty, None if there is no such column."""
        place = self._layout.columns.get(what)
        if place is None:
            return None
        return cells[place] if place < len(cells) else ""

    def _name(self, what: str) -> str:
        return self._layout.header[self._layout.columns[what]]

    def _visit(self, cells: list[str]) -> VisitRecord:
        number = self._cell(cells, "appointment")
        if not number:
            raise _CellError(f"{self._name('appointment')}: empty; each visit needs its own number")
        status = self._status(cells)
        start = self._start(cells)
        if start is None and status is not VisitStatus.CANCELLED:
            raise _CellError("the date is empty")
        return VisitRecord(
            id=number,
            patient=self._patient(cells),
            start=start,
            minutes=self._minutes(cells),
            status=status,
            practitioner=self._cell(cells, "practitioner") or None,
            service=self._cell(cells, "service") or None,
            location=self._cell(cells, "location") or None,
        )

    def _start(self, cells: list[str]) -> dt.datetime | None:
        forms = self._layout.forms
        whole = self._cell(cells, "start")
        if whole is not None and "date" not in self._layout.columns:
            found = moments.read_start(whole, forms, self._zone) if whole else None
            if whole and found is None:
                raise _CellError(
                    f"{self._name('start')}: {whole!r} is no date and time ({forms[0]})"
                )
            return found
        day = self._cell(cells, "date") or ""
        clock = self._cell(cells, "time") or ""
        if not day:
            return None
        date = moments.read_date(day, forms)
        if date is None:
            raise _CellError(f"{self._name('date')}: {day!r} is no date of the form {forms[0]}")
        time = moments.read_time(clock)
        if time is None:
            raise _CellError(f"{self._name('time')}: {clock!r} is no time; write it as 09:30")
        return dt.datetime.combine(date, time, self._zone)

    def _status(self, cells: list[str]) -> VisitStatus | None:
        found = self._cell(cells, "status")
        if not found:
            return None
        status = self._words.statuses.get(words.key(found))
        if status is None:
            raise _CellError(
                f"{self._name('status')}: {found!r} is unknown; known are booked, cancelled,"
                " noshow, fulfilled, and such words in six languages"
            )
        return status

    def _minutes(self, cells: list[str]) -> int | None:
        found = self._cell(cells, "minutes")
        if not found:
            return None
        digits = found.partition(" ")[0]
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 4):
            raise _CellError(f"{self._name('minutes')}: {found!r} is no number of minutes")
        return int(digits)

    def _patient(self, cells: list[str]) -> PatientRecord:
        given, family = self._names(cells)
        return PatientRecord(
            id=self._cell(cells, "patient") or None,
            given=given,
            family=family,
            phone=self._cell(cells, "phone"),
            phone_of=self._phone_of(cells),
            language=(self._cell(cells, "language") or "").lower()[:2] or None,
            birth_date=self._birth_date(cells),
            gender=self._words.genders.get(words.key(self._cell(cells, "gender") or "")),
            consent=self._switch(cells, "consent"),
            active=self._switch(cells, "active"),
        )

    def _names(self, cells: list[str]) -> tuple[str | None, str | None]:
        given, family = self._cell(cells, "first"), self._cell(cells, "last")
        whole = self._cell(cells, "name")
        if given or not whole:
            return given or None, family or None
        if "," in whole:  # `Kowalska, Anna`
            family, _, given = (part.strip() for part in whole.partition(","))
            return given or None, family or None
        pieces = whole.split()
        is_family_first = words.key(self._name("name")).startswith(
            ("nazwisko", "фио", "піб", "фіо")
        )
        if len(pieces) == 1:
            return pieces[0], family or None
        if is_family_first:
            return pieces[1], family or pieces[0]
        return pieces[0], family or " ".join(pieces[1:])

    def _phone_of(self, cells: list[str]) -> str | None:
        found = self._cell(cells, "phone_of")
        if not found:
            return None
        return "guardian" if words.key(found) in self._words.guardians else "self"

    def _birth_date(self, cells: list[str]) -> str | None:
        found = self._cell(cells, "birth_date")
        date = moments.read_date(found, (*self._layout.forms, *moments.FORMS)) if found else None
        return date.isoformat() if date is not None else None

    def _switch(self, cells: list[str], what: str) -> bool | None:
        found = self._cell(cells, what)
        if not found:
            return None
        switch = self._words.switches.get(words.key(found) or found)
        if switch is None:
            raise _CellError(f"{self._name(what)}: {found!r} is neither yes nor no")
        return switch
