# SPDX-License-Identifier: Apache-2.0
"""Our own JSON: visits, patients, results, delays, absences, medicines, single texts."""

from __future__ import annotations

import datetime as dt
import difflib
import json
from collections.abc import Callable, Mapping
from typing import Any

from gsmgw.clinic.interchange import moments, words
from gsmgw.clinic.interchange.parsed import Parsed, Row, UnreadableFileError
from gsmgw.clinic.model import Notice, PatientRecord, Record, VisitRecord, VisitStatus
from gsmgw.config import Config

#: No text of a clinic's file is longer.
LONGEST_TEXT = 4000
#: Numbers of visits and patients that are written as numbers are smaller.
_LARGEST_NUMBER = 10**18

_PATIENT_KEYS = frozenset(
    ("patient", "first", "last", "phone", "phone_of", "language", "birth_date", "gender")
) | {"consent", "active"}
_SAID = frozenset(("patient", "phone", "text", "due", "expires", "priority", "ref", "language"))
#: Kinds and the keys that each knows beside `kind`.
KEYS: Mapping[str, frozenset[str]] = {
    "visit": _PATIENT_KEYS
    | {"appointment", "start", "minutes", "status", "practitioner", "service", "location"},
    "patient": _PATIENT_KEYS,
    "results": _SAID,
    "text": _SAID | {"category", "asks"},
    "delay": frozenset(("practitioner", "location", "date", "minutes", "ref")),
    "absence": frozenset(("practitioner", "location", "from", "to", "text", "ref")),
    "regimen": frozenset(("patient", "times", "from", "to", "ask", "ref")),
}
_NOT_BUILT = {
    "slot": "free slots and waiting lists are not part of this gsmgw",
    "campaign": "campaigns are not part of this gsmgw; gsmgw send --csv FILE sends to a list",
}


class _ObjectError(Exception):
    """An object cannot be used; the text says which key, what was found, what is allowed."""


def parse(content: bytes, name: str, config: Config) -> Parsed:
    """Read one object or a list of them.

    Raises:
        UnreadableFileError: it is no JSON, or neither an object nor a list.
    """
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UnreadableFileError(f"{name}: JSON is UTF-8; octet {error.start} is not") from error
    except json.JSONDecodeError as error:
        raise UnreadableFileError(
            f"{name}, line {error.lineno}, column {error.colno}: this is no JSON: {error.msg}"
        ) from error
    except ValueError as error:  # a number of thousands of digits
        raise UnreadableFileError(f"{name}: this is no JSON: a number is too long") from error
    except RecursionError as error:
        raise UnreadableFileError(f"{name}: nested too deeply") from error
    objects = found if isinstance(found, list) else [found]
    if not objects:
        raise UnreadableFileError(f"{name}: the list is empty")
    if not any(isinstance(one, dict) for one in objects):
        raise UnreadableFileError(f"{name}: an object or a list of objects is wanted")
    reader = _Reader(config)
    return Parsed("json", tuple(reader.row(number, one) for number, one in enumerate(objects, 1)))


class _Reader:
    """Reads objects of one file."""

    def __init__(self, config: Config) -> None:
        self._zone = config.zone
        self._words = words.load()

    def row(self, number: int, found: object) -> Row:
        """Read one object; what is none stops no other."""
        if not isinstance(found, dict):
            return Row(number, error=f"{json.dumps(found)[:40]} is no object")
        try:
            return Row(number, self._record(found))
        except _ObjectError as error:
            return Row(number, error=str(error))

    def _record(self, found: dict[str, Any]) -> Record:
        if "resourceType" in found:
            raise _ObjectError(
                "FHIR resources are written, not read; use kind visit or patient (docs/clinic.md)"
            )
        kind = _text(found, "kind") or "text"
        if kind in _NOT_BUILT:
            raise _ObjectError(f"kind {kind!r}: {_NOT_BUILT[kind]}")
        if kind not in KEYS:
            raise _ObjectError(f"kind {kind[:40]!r} is unknown; known are {', '.join(KEYS)}")
        for key in found:
            if key != "kind" and key not in KEYS[kind]:
                near = difflib.get_close_matches(key[:40], KEYS[kind], n=1)
                hint = (
                    f"did you mean {near[0]!r}?"
                    if near
                    else f"known: {', '.join(sorted(KEYS[kind]))}"
                )
                raise _ObjectError(f"{key[:40]!r} is no key of {kind}; {hint}")
        makers: dict[str, Callable[[dict[str, Any]], Record]] = {
            "visit": self._visit,
            "patient": self._patient,
        }
        return makers.get(kind, self._notice)(found)

    def _patient(self, found: dict[str, Any]) -> PatientRecord:
        gender = _text(found, "gender")
        guardian = words.key(_text(found, "phone_of") or "") in self._words.guardians
        return PatientRecord(
            id=_text(found, "patient"),
            given=_line(found, "first"),
            family=_line(found, "last"),
            phone=_text(found, "phone", may_be_empty=True),
            phone_of=None if "phone_of" not in found else "guardian" if guardian else "self",
            language=words.language(_text(found, "language") or ""),
            birth_date=_iso_day(found, "birth_date"),
            gender=None if gender is None else self._words.genders.get(words.key(gender)),
            consent=self._switch(found, "consent"),
            active=self._switch(found, "active"),
        )

    def _visit(self, found: dict[str, Any]) -> VisitRecord:
        number = _text(found, "appointment")
        if number is None:
            raise _ObjectError("appointment is missing: each visit needs its own number")
        status = self._status(found)
        start = self._moment(found, "start")
        if start is None and status is not VisitStatus.CANCELLED:
            raise _ObjectError("start is missing")
        return VisitRecord(
            id=number,
            patient=self._patient(found),
            start=start,
            minutes=_whole(found, "minutes"),
            status=status,
            practitioner=_line(found, "practitioner"),
            service=_line(found, "service"),
            location=_line(found, "location"),
        )

    def _notice(self, found: dict[str, Any]) -> Notice:
        kind = _text(found, "kind") or "text"
        day = self._day(found, "date") or self._day(found, "from")
        return Notice(
            kind=kind,
            patient=_text(found, "patient"),
            phone=_text(found, "phone"),
            text=_text(found, "text"),
            due=self._moment(found, "due"),
            expires=self._moment(found, "expires"),
            priority=_text(found, "priority"),
            category=_text(found, "category"),
            ref=_text(found, "ref"),
            language=words.language(_text(found, "language") or ""),
            asks=("dose" if self._switch(found, "ask") else None) or _text(found, "asks"),
            practitioner=_line(found, "practitioner"),
            location=_line(found, "location"),
            day=day,
            last_day=self._day(found, "to") or (day if kind == "absence" else None),
            minutes=_whole(found, "minutes"),
            times=_times(found),
        )

    def _status(self, found: dict[str, Any]) -> VisitStatus | None:
        text = _text(found, "status")
        if text is None:
            return None
        status = self._words.statuses.get(words.key(text))
        if status is None:
            raise _ObjectError(
                f"status {text[:40]!r} is unknown; known are {', '.join(map(str, VisitStatus))}"
            )
        return status

    def _switch(self, found: dict[str, Any], key: str) -> bool | None:
        value = found.get(key)
        if value is None or isinstance(value, bool):
            return value
        text = _text(found, key) or ""
        switch = self._words.switches.get(words.key(text) or text)
        if switch is None:
            raise _ObjectError(f"{key}: {text[:40]!r} is neither true nor false")
        return switch

    def _moment(self, found: dict[str, Any], key: str) -> dt.datetime | None:
        text = _text(found, key)
        if text is None:
            return None
        moment = moments.read_start(text, ("%Y-%m-%d",), self._zone)
        if moment is None:
            raise _ObjectError(
                f"{key}: {text[:40]!r} is no time; write 2026-03-05T10:15:00+01:00, or"
                " 2026-03-05 10:15 in the clinic's time"
            )
        return moment

    def _day(self, found: dict[str, Any], key: str) -> dt.date | None:
        iso = _iso_day(found, key)
        return None if iso is None else dt.date.fromisoformat(iso)


def _text(found: dict[str, Any], key: str, *, may_be_empty: bool = False) -> str | None:
    value = found.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise _ObjectError(f"{key}: a text is wanted")
    if isinstance(value, int) and abs(value) > _LARGEST_NUMBER:
        raise _ObjectError(f"{key}: the number is too large")
    text = str(value).strip()
    if len(text) > LONGEST_TEXT:
        raise _ObjectError(f"{key}: longer than {LONGEST_TEXT} characters")
    if any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in text):
        raise _ObjectError(f"{key}: has zero characters, or halves of characters")
    return text if text or may_be_empty else None


def _line(found: dict[str, Any], key: str) -> str | None:
    """Return a name: on one line, without what a screen would obey."""
    return words.line(_text(found, key) or "") or None


def _whole(found: dict[str, Any], key: str) -> int | None:
    text = _text(found, key)
    if text is None:
        return None
    few = 4
    if not (text.isascii() and text.isdigit() and len(text) <= few):
        raise _ObjectError(f"{key}: {text[:40]!r} is no number of minutes")
    return int(text)


def _iso_day(found: dict[str, Any], key: str) -> str | None:
    text = _text(found, key)
    if text is None:
        return None
    day = moments.read_date(text, ("%Y-%m-%d",))
    if day is None:
        raise _ObjectError(f"{key}: {text[:40]!r} is no day; write 2026-03-05")
    return day.isoformat()


def _times(found: dict[str, Any]) -> tuple[str, ...]:
    value = found.get("times")
    if value is None:
        return ()
    times = value if isinstance(value, list) else [value]
    read = [moments.read_time(time) if isinstance(time, str) else None for time in times]
    if None in read:
        raise _ObjectError('times: not all are times of the day; write ["08:00", "20:00"]')
    return tuple(f"{time:%H:%M}" for time in read if time is not None)
