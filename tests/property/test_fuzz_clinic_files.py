# SPDX-License-Identifier: Apache-2.0
"""Any octets in a file of the clinic's: records, refusals or one error of ours, in fair time."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from clinic_support import make_clinic_config
from hypothesis import given
from hypothesis import strategies as st

from gsmgw.clinic.handing import cells
from gsmgw.clinic.interchange import hl7_messages, json_records, table
from gsmgw.clinic.interchange.parsed import Parsed, UnreadableFileError
from gsmgw.clinic.model import VisitRecord

CONFIG = make_clinic_config()
TABLE = (
    "nr_wizyty;data;godzina;nr_pacjenta;imię;telefon;zgoda;status\n"
    "A-1;05.03.2026;10:15;4711;Anna;500 100 211;T;\n"
    '"A-2";05/03/2026;9.30;4712;"Ma;ria";;N;odwołana\n'
).encode()
JSON = json.dumps(
    [
        {"kind": "visit", "appointment": "A-1", "start": "2026-03-05 10:15", "first": "Łukasz"},
        {"kind": "regimen", "patient": 1, "times": ["08:00"], "from": "2026-03-05", "ask": True},
    ]
).encode()
HL7 = (
    b"MSH|^~\\&|G|L|X|Y|20260302||SIU^S12|M1|P|2.5||||||8859/2\r"
    b"SCH||A-1|||||K||20|min|^^20^202603051015\r"
    b"PID|1||47^^^L^PI||K^A||19840512|F|||||^PRN^CP^^48^500^100211||pl\rPD1|||||||||||02\r"
)

Parser = Callable[[bytes], Parsed]
PARSERS: dict[str, tuple[Parser, bytes]] = {
    "table": (lambda content: table.parse(content, "visits.csv", CONFIG), TABLE),
    "any-table": (lambda content: table.parse(content, "x.csv", CONFIG), TABLE),
    "json": (lambda content: json_records.parse(content, "x.json", CONFIG), JSON),
    "hl7": (lambda content: hl7_messages.parse(content, CONFIG), HL7),
}
SIGNS = (
    *(b'"', b";", b",", b"\n", b"\r", b"|", b"^", b"~", b"\\", b"&", b"MSH|", b'""', b"\\X41\\"),
    *(b"\xb9", "²".encode(), "\u202e".encode(), b"[", b"{", b"}", b"1e999", b"\\ud800", b"\t"),
)
PIECES = st.sampled_from(SIGNS) | st.binary(max_size=6)
#: Where to change a good file, how much to leave out, and what to put there.
CHANGES = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 12), PIECES), max_size=8)


def check(parser: Parser, content: bytes) -> None:
    try:
        parsed = parser(content)
    except UnreadableFileError as error:
        words = str(error)
    else:
        words = "read"
        look_at(parsed)
    assert words.strip()


def look_at(parsed: Parsed) -> None:
    for row in parsed.rows:
        assert (row.record is None) == (row.error is not None)
        json.dumps([row.error, row.warnings, row.ack_head]).encode()
        if isinstance(row.record, VisitRecord):
            assert row.record.id
            assert row.record.start is None or row.record.start.tzinfo is not None
            for text in (row.record.id, row.record.patient.given, row.record.practitioner):
                (text or "").encode()  # no half characters reach the store
            assert "\n" not in (row.record.patient.given or "")
            assert "\u202e" not in (row.record.patient.given or "")


@pytest.mark.parametrize("name", PARSERS)
@given(content=st.binary(max_size=300))
def test_random_octets(name: str, content: bytes) -> None:
    check(PARSERS[name][0], content)


@pytest.mark.parametrize("name", PARSERS)
@given(changes=CHANGES)
def test_a_good_file_with_some_octets_changed(
    name: str, changes: list[tuple[int, int, bytes]]
) -> None:
    parser, content = PARSERS[name]
    for at, gone, piece in changes:
        content = content[:at] + piece + content[at + gone :]
    check(parser, content)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = st.sampled_from(sorted({key for keys in json_records.KEYS.values() for key in keys}))
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=5)


@given(st.sampled_from(sorted(json_records.KEYS)), OBJECTS)
def test_any_value_under_any_key(kind: str, found: dict[str, object]) -> None:
    check(PARSERS["json"][0], json.dumps({**found, "kind": kind}).encode())


@given(st.text(max_size=40))
def test_any_text_is_one_harmless_cell(text: str) -> None:
    octets = cells.document(("a", "b"), [(cells.foreign(text), "x")])
    assert octets.count(b"\n") == 2
    assert not cells.foreign(text).startswith(("=", "+", "-", "@"))


LONG = 2_000_000


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("table", b"a" * LONG),
        ("table", b";" * LONG),
        ("table", TABLE + b'"' * LONG),
        ("table", TABLE + b'"a;\n' * (LONG // 4)),
        ("table", TABLE + b"\n" * LONG),
        ("table", TABLE + b"\xb3" * LONG),
        ("table", (TABLE.decode() + "ł;" * (LONG // 3)).encode("cp1250")),
        ("table", TABLE + b"A-1;05.03.2026;" + b"1" * LONG),
        ("table", TABLE.replace(b"05.03.2026", b"1" * 100_000)),
        ("json", b"[" * LONG),
        ("json", b'{"kind": "' + b"x" * LONG + b'"}'),
        ("json", b'{"' + b"x" * LONG + b'": 1}'),
        ("json", b"1" * LONG),
        ("hl7", b"MSH|" * (LONG // 4)),
        ("hl7", HL7 + b"PID|" + b"^" * (LONG // 10)),
        ("hl7", HL7.replace(b"K^A", b"\\F\\" * 100_000)),
        ("hl7", b"MSH|^~\\&|" + b"A" * LONG),
        ("hl7", (b"MSH|^~\\&|\r") * 20_000),
    ],
)
def test_two_megabytes_of_anything(name: str, content: bytes) -> None:
    """Nothing is quadratic: that would take hours, so the suite's own limit is enough."""
    check(PARSERS[name][0], content)
