# SPDX-License-Identifier: Apache-2.0
"""Tables of visits and patients: CSV with any delimiter, encoding and form of dates.

What the configuration does not say is guessed from the whole file, once: an encoding, a delimiter,
which column is what, one form of dates. One bad row never stops the others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from gsmgw.clinic.interchange import columns, encodings, moments, words
from gsmgw.clinic.interchange import rows as cutting
from gsmgw.clinic.interchange.columns import Kind, Layout
from gsmgw.clinic.interchange.parsed import Parsed, Row, UnreadableFileError
from gsmgw.clinic.model import PatientRecord, Record, VisitRecord, VisitStatus
from gsmgw.config import Config

#: No cell of a clinic's table is longer.
LONGEST_CELL = 1000
#: Names of files that we do not take, and why.
_OTHERS = {
    "slots": "waiting lists and free slots are not part of this gsmgw",
    "send": "texts to a list are sent with: gsmgw send --csv FILE",
    "calls": "outcomes of calls are written with: gsmgw clinic calls done",
}


class _CellError(Exception):
    """A cell cannot be read; the text says which, what was found, and what is allowed."""


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
    key = f"import.{wanted or 'visits'}.encoding"
    text, encoding = encodings.decode(content, settings.encoding, config.country, key)
    header, lines = cutting.cut(text, settings.delimiter)
    header_line = tuple(words.line(cell) for cell in header)
    layout = columns.lay_out(header_line, [line.cells for line in lines], wanted, config)
    remarks = layout.remarks
    if encoding not in ("utf-8", "utf-16") and settings.encoding is None:
        remarks += (f"read as {encoding}",)
    found = tuple(_Reader(layout, config).rows(lines))
    days = {
        row.record.start.astimezone(config.zone).date()
        for row in found
        if isinstance(row.record, VisitRecord) and row.record.start is not None
    }
    return Parsed(layout.kind, found, frozenset(days), remarks)


def _kind_by_name(name: str) -> Kind | None:
    beginning = name.casefold().replace("_", "-").partition("-")[0].partition(".")[0]
    if beginning in _OTHERS:
        raise UnreadableFileError(f"{name}: {_OTHERS[beginning]}")
    if beginning == "visits":
        return "visits"
    return "patients" if beginning == "patients" else None


# -- rows -----------------------------------------------------------------------------------------


class _Reader:
    """Reads the rows of one table."""

    def __init__(self, layout: Layout, config: Config) -> None:
        self._layout = layout
        self._zone = config.zone
        self._words = words.load()
        self._seen: set[str] = set()

    def rows(self, lines: Sequence[cutting.Cells]) -> Iterator[Row]:
        """Return every row that is not empty and no sum at the end."""
        for number, line in enumerate(lines, 1):
            if line.error is not None:
                yield Row(number, error=line.error)
                continue
            cells = [words.line(cell) for cell in line.cells]
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
        return self._layout.name(what)

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
        if whole is not None:
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
            language=words.language(self._cell(cells, "language") or ""),
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
        pieces, header = whole.split(), words.key(self._name("name"))
        if header in self._words.patients:
            # `Kowalska Anna` or `Anna Kowalska`: nobody can tell, so no text greets by it.
            return None, family or whole
        if len(pieces) == 1:
            return pieces[0], family or None
        if header.startswith(self._words.family_first):
            return pieces[1], family or pieces[0]
        return pieces[0], family or " ".join(pieces[1:])

    def _phone_of(self, cells: list[str]) -> str | None:
        found = self._cell(cells, "phone_of")
        if not found:
            return None
        return "guardian" if words.key(found) in self._words.guardians else "self"

    def _birth_date(self, cells: list[str]) -> str | None:
        found = self._cell(cells, "birth_date")
        date = moments.read_date(found, self._layout.birth_forms) if found else None
        return date.isoformat() if date is not None else None

    def _switch(self, cells: list[str], what: str) -> bool | None:
        found = self._cell(cells, what)
        if not found:
            return None
        switch = self._words.switches.get(words.key(found) or found)
        if switch is None:
            raise _CellError(f"{self._name(what)}: {found!r} is neither yes nor no")
        return switch
