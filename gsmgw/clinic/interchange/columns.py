# SPDX-License-Identifier: Apache-2.0
"""Finds out which column of a table is what: as configured, else by known names and by its cells.

A wrong guess is worse than a refusal: a number that may be a patient's, or only counts the rows,
is never taken for a visit's, and a whole name is never taken for a patient's number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gsmgw.clinic.interchange import moments, words
from gsmgw.clinic.interchange.parsed import UnreadableFileError
from gsmgw.config import Config
from gsmgw.config.clinic import Table

Kind = Literal["visits", "patients"]
Rows = Sequence[Sequence[str]]

#: Words for consent, as `words.key` writes them; beside SMS they say which.
_CONSENT = frozenset(
    {"zgoda", "zgody", "consentimiento", "consiente", "acepta", "autoriza", "autorizacion"}
    | {"согласие", "согласен", "consent", "consents", "optin", "згода"}
    | {"einwilligung", "zustimmung"}
)
#: So many cells of a column are looked at to see what it holds.
_LOOKED_AT = 500


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is read."""

    kind: Kind
    columns: Mapping[str, int]  #: what a column is: where it stands
    header: tuple[str, ...]
    forms: tuple[str, ...]  #: of the dates of visits
    birth_forms: tuple[str, ...]
    remarks: tuple[str, ...]  #: what was guessed and may be wrong

    def name(self, what: str) -> str:
        """Return the header of a column."""
        return self.header[self.columns[what]]


def lay_out(header: tuple[str, ...], rows: Rows, wanted: Kind | None, config: Config) -> Layout:
    """Return how a table is read.

    Args:
        header: its cells, each on one line.
        rows: the cells below.
        wanted: what the file's name says that it is; None: the header tells.
        config: `import` and the country.

    Raises:
        UnreadableFileError: a column is missing; the text names it, and those that there are.
    """
    kind, columns = _kind_and_columns(header, rows, wanted, config)
    settings = _settings(kind, config)
    forms, remarks = _forms(columns, rows, settings, kind, config)
    birth = columns.get("birth_date")
    birth_form = moments.choose(_cells(rows, birth), config.country)[0] if birth is not None else ""
    return Layout(
        kind,
        columns,
        header,
        forms,
        (birth_form,) if birth_form else (),
        tuple(remarks),
    )


def _settings(kind: Kind, config: Config) -> Table:
    return config.imports.patients if kind == "patients" else config.imports.visits


def _kind_and_columns(
    header: tuple[str, ...], rows: Rows, wanted: Kind | None, config: Config
) -> tuple[Kind, dict[str, int]]:
    if wanted is not None:
        return wanted, _checked(header, rows, wanted, config)
    dated = _known(header, {}).keys() & {"date", "start"}
    configured = {words.key(name) for name in config.imports.visits.columns.values()}
    if dated or configured & {words.key(name) for name in header}:
        try:
            return "visits", _checked(header, rows, "visits", config)
        except UnreadableFileError:
            if dated:
                raise
    return "patients", _checked(header, rows, "patients", config)


def _checked(header: tuple[str, ...], rows: Rows, kind: Kind, config: Config) -> dict[str, int]:
    columns = _known(header, _configured(header, kind, _settings(kind, config)))
    _look_at_cells(columns, header, rows, kind)
    _shape_start(columns, rows)
    _check(kind, columns, header)
    return columns


# -- by name --------------------------------------------------------------------------------------


def _places(header: tuple[str, ...]) -> dict[str, int]:
    return {words.key(name): number for number, name in reversed(list(enumerate(header)))}


def _configured(header: tuple[str, ...], kind: Kind, settings: Table) -> dict[str, int]:
    places = _places(header)
    columns: dict[str, int] = {}
    for what, name in settings.columns.items():
        place = places.get(words.key(name))
        if place is None:
            raise UnreadableFileError(
                f"there is no column {name!r}, which import.{kind}.columns says is {what}; the"
                f" columns are {', '.join(header)}"
            )
        columns[what] = place
    return columns


def _known(header: tuple[str, ...], columns: dict[str, int]) -> dict[str, int]:
    """Add the columns whose names say what they are."""
    places, found = _places(header), dict(columns)
    for what, names in words.load().columns.items():
        place = _free(names, places, found)
        if what not in found and place is not None:
            found[what] = place
    return found


def _free(
    names: Sequence[str], places: Mapping[str, int], columns: Mapping[str, int]
) -> int | None:
    """Return the place of the first of these names that is there and not spoken for."""
    taken = set(columns.values())
    return next((places[name] for name in names if places.get(name, -1) not in (-1, *taken)), None)


# -- by what stands in the cells ------------------------------------------------------------------


def _cells(rows: Rows, place: int) -> list[str]:
    """Return the filled cells of a column."""
    return [row[place] for row in rows if place < len(row) and row[place].strip()]


def _are(rows: Rows, place: int, is_such: Callable[[str], bool]) -> bool:
    """Tell whether most filled cells of a column are such."""
    cells = _cells(rows, place)[:_LOOKED_AT]
    return sum(map(is_such, cells)) * 2 > len(cells)


def _look_at_cells(
    columns: dict[str, int], header: tuple[str, ...], rows: Rows, kind: Kind
) -> None:
    """Add the columns whose names leave open what they are, where their cells tell."""
    known, places = words.load(), _places(header)
    _add_by_words(columns, header, rows)
    place = _free(known.patients, places, columns)
    if place is not None:
        if all(_has_digit(cell) for cell in _cells(rows, place)):
            columns.setdefault("patient", place)
        elif not columns.keys() & {"first", "name"}:
            columns["name"] = place
    place = _free(known.names, places, columns)
    if place is not None and not columns.keys() & {"first", "name"}:
        columns["first" if "last" in columns else "name"] = place
    place = _free(known.own_numbers, places, columns)
    if place is None or _counts_rows(rows, place):
        return
    if kind == "patients":
        columns.setdefault("patient", place)
    elif "patient" in columns:
        columns.setdefault("appointment", place)


def _add_by_words(columns: dict[str, int], header: tuple[str, ...], rows: Rows) -> None:
    """Add consent and status where a column's name says so in words of its own, and its cells too.

    Who said no must get no text, and a cancelled visit no reminder, whatever a program calls it.
    """
    known = words.load()
    for what, is_such, found in (
        ("consent", _is_consent, known.switches),
        ("status", _is_status, known.statuses),
    ):
        if what in columns:
            continue
        such = [
            place
            for name, place in _places(header).items()
            if is_such(name)
            and place not in columns.values()
            and all(words.key(cell) in found or cell in found for cell in _cells(rows, place))
        ]
        if len(such) == 1:
            columns[what] = such[0]


def _is_consent(name: str) -> bool:
    words_in = set(name.split("_"))
    return bool(words_in & _CONSENT) and bool(words_in & {"sms", "смс"})


def _is_status(name: str) -> bool:
    return name.partition("_")[0] in ("status", "stan", "estado", "статус", "стан")


def _has_digit(cell: str) -> bool:
    return any(sign.isdigit() for sign in cell)


def _counts_rows(rows: Rows, place: int) -> bool:
    cells = [cell.strip(" .") for cell in _cells(rows, place)]
    return cells == [str(number) for number in range(1, len(cells) + 1)]


def _shape_start(columns: dict[str, int], rows: Rows) -> None:
    """Leave either `start` or `date` and `time`: words for them are the same in many programs."""
    date, time, start = (columns.get(what) for what in ("date", "time", "start"))
    if start is not None and date is not None:
        del columns["start"]
        if time is None:
            if _are(rows, start, _is_time):
                columns["time"] = start
            else:
                del columns["date"]
                columns["start"] = start
    elif start is not None and time is not None:
        if _are(rows, start, _has_time):
            del columns["time"]
        else:
            columns["date"] = columns.pop("start")
    elif date is not None and time is None and _are(rows, date, _has_time):
        columns["start"] = columns.pop("date")


def _is_time(cell: str) -> bool:
    return moments.read_time(cell) is not None


def _has_time(cell: str) -> bool:
    return moments.has_time(cell)


# -- what is missing ------------------------------------------------------------------------------


def _check(kind: Kind, columns: Mapping[str, int], header: tuple[str, ...]) -> None:
    missing = []
    if kind == "visits":
        if "appointment" not in columns:
            missing.append(f"appointment (the visit's own number{_doubt(columns, header)})")
        if "start" not in columns and not {"date", "time"} <= columns.keys():
            missing.append("date and time, or start")
        if not columns.keys() & {"patient", "phone"}:
            missing.append("patient (the patient's own number), or phone")
    elif not columns.keys() & {"patient", "phone"}:
        missing.append("patient (the patient's own number), or phone")
    if missing:
        raise UnreadableFileError(
            f"columns are missing for {kind}: {'; '.join(missing)}. The columns are"
            f" {', '.join(header) or 'none'}. Name them in import.{kind}.columns"
        )


def _doubt(columns: Mapping[str, int], header: tuple[str, ...]) -> str:
    place = _free(words.load().own_numbers, _places(header), columns)
    if place is None:
        return ""
    return f"; {header[place]!r} may also number patients or rows"


def _forms(
    columns: Mapping[str, int], rows: Rows, settings: Table, kind: Kind, config: Config
) -> tuple[tuple[str, ...], list[str]]:
    if settings.dates:
        return settings.dates, []
    place = columns.get("date", columns.get("start"))
    if place is None:
        return (moments.FORMS[0],), []
    dates = [moments.day_of(cell) for cell in _cells(rows, place)]
    form, is_ambiguous = moments.choose(dates, config.country)
    if form is None:
        return (moments.FORMS[0],), []
    if is_ambiguous:
        return (form,), [f"dates are read as {form}; if that is wrong, set import.{kind}.dates"]
    return (form,), []
