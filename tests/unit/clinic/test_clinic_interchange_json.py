# SPDX-License-Identifier: Apache-2.0
"""JSON of clinic programs: what each kind says, and each mistake in words."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from clinic_support import make_clinic_config

from gsmgw.clinic.interchange import json_records
from gsmgw.clinic.interchange.parsed import Row, UnreadableFileError
from gsmgw.clinic.model import Notice, PatientRecord, VisitRecord, VisitStatus

CONFIG = make_clinic_config()


def parse(found: object) -> tuple[Row, ...]:
    content = found if isinstance(found, bytes) else json.dumps(found).encode()
    return json_records.parse(content, "x.json", CONFIG).rows


def record(**found: Any) -> object:
    (row,) = parse(found)
    assert row.error is None
    return row.record


def error(**found: Any) -> str:
    (row,) = parse(found)
    assert row.record is None
    return row.error or ""


def test_a_visit() -> None:
    found = record(
        kind="visit", appointment=1001, start="2026-03-05 10:15", minutes=20, status="odwołana",
        patient=4711, first="An\u202ena\n", phone="", consent=False, language="Polski",
        practitioner="dr  Jan", service="KON", location="Lipowa",
    )  # fmt: skip
    assert isinstance(found, VisitRecord)
    assert found.start is not None
    assert found.start.astimezone(dt.UTC).hour == 9
    assert (found.id, found.status, found.minutes) == ("1001", VisitStatus.CANCELLED, 20)
    assert found.practitioner == "dr Jan"
    expected = PatientRecord(id="4711", given="Anna", phone="", consent=False, language="pl")
    assert found.patient == expected


def test_a_patient() -> None:
    found = record(
        kind="patient", patient="4711", phone_of="matka", birth_date="1984-05-12", gender="K",
        active="nie",
    )  # fmt: skip
    assert found == PatientRecord(
        id="4711", phone_of="guardian", birth_date="1984-05-12", gender="female", active=False
    )


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (
            {"kind": "results", "patient": "4711", "ref": "LAB-77"},
            {"patient": "4711", "ref": "LAB-77"},
        ),
        (
            {"kind": "delay", "practitioner": "dr X", "date": "2026-03-05", "minutes": 30},
            {"practitioner": "dr X", "day": dt.date(2026, 3, 5), "minutes": 30},
        ),
        (
            {"kind": "absence", "practitioner": "dr X", "from": "2026-03-06"},
            {
                "practitioner": "dr X",
                "day": dt.date(2026, 3, 6),
                "last_day": dt.date(2026, 3, 6),
            },
        ),
        (
            {"kind": "regimen", "patient": "1", "times": ["8:00", "20:00"], "ask": True},
            {"patient": "1", "times": ("08:00", "20:00"), "asks": "dose"},
        ),
        (
            {"phone": "500100211", "text": "a\nb"},
            {"kind": "text", "phone": "500100211", "text": "a\nb"},
        ),
    ],
)
def test_notices(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert record(**found) == Notice(**{"kind": found.get("kind"), **expected})


def test_a_list_keeps_its_order_and_goes_on_after_a_mistake() -> None:
    rows = parse([{"kind": "patient", "patient": "1"}, {"kind": "?"}, {"phone": "1", "text": "x"}])
    assert [(row.number, row.error is None) for row in rows] == [(1, True), (2, False), (3, True)]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"kind": "slot", "id": "S-9"}, "waiting lists are not part"),
        ({"kind": "campaign"}, "gsmgw send --csv"),
        ({"kind": "x" * 999}, "is unknown; known are visit, patient"),
        ({"kind": ["text"]}, "kind: a text is wanted"),
        ({"resourceType": "Appointment"}, "FHIR resources are written, not read"),
        ({"kind": "visit", "fist": "Anna"}, "'fist' is no key of visit; did you mean 'first'?"),
        ({"kind": "delay", "zzz": 1}, "known: date, location"),
        ({"kind": "visit", "start": "2026-03-05 10:15"}, "appointment is missing"),
        ({"kind": "visit", "appointment": "1"}, "start is missing"),
        (
            {"kind": "visit", "appointment": "1", "start": "5.3.2026"},
            "start: '5.3.2026' is no time",
        ),
        ({"kind": "visit", "appointment": "1", "status": "gone"}, "status 'gone' is unknown"),
        ({"kind": "visit", "appointment": 1.5}, "appointment: a text is wanted"),
        ({"kind": "visit", "appointment": True}, "appointment: a text is wanted"),
        ({"kind": "visit", "appointment": 10**30}, "appointment: the number is too large"),
        ({"kind": "patient", "birth_date": "12.5.84"}, "birth_date: '12.5.84' is no day"),
        ({"kind": "patient", "consent": "maybe"}, "consent: 'maybe' is neither"),
        ({"kind": "patient", "consent": {"a": []}}, "consent: a text is wanted"),
        ({"kind": "delay", "minutes": "soon"}, "minutes: 'soon' is no number"),
        ({"kind": "regimen", "times": ["25:00"]}, "times: not all are times"),
        ({"kind": "regimen", "times": [[8]]}, "times: not all are times"),
        ({"kind": "text", "text": "\ud83d"}, "halves of characters"),
        ({"kind": "text", "text": "a\0b"}, "zero characters"),
        ({"kind": "text", "text": "a" * 4001}, "longer than 4000"),
    ],
)
def test_mistakes(found: dict[str, Any], words: str) -> None:
    why = error(**found)
    assert words in why
    assert len(why) < 300


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "line 1, column 2"),
        (b'{"a": 1}\n{"b": 2}', "line 2, column 1"),
        (b"\xff", "octet 0 is not"),
        (b"[]", "the list is empty"),
        (b"[1]", "an object or a list of objects"),
        (b'"text"', "an object or a list of objects"),
        (b"9" * 5000, "a number is too long"),
        (b"[" * 100_000, "nested too deeply"),
        (b"", "this is no JSON"),
    ],
)
def test_files_that_are_no_use(content: bytes, words: str) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        parse(content)
    assert words in str(caught.value)


def test_what_is_no_object_stops_no_other() -> None:
    rows = parse(b'[{"phone": "1", "text": "x"}, "y", null, {"phone": "2", "text": "z"}]')
    assert [row.number for row in rows] == [1, 2, 3, 4]
    assert [row.error for row in rows] == [None, '"y" is no object', "null is no object", None]


def test_a_mark_of_utf8_is_no_mistake() -> None:
    assert len(parse(b'\xef\xbb\xbf{"phone": "1", "text": "x"}')) == 1
