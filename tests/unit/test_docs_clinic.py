# SPDX-License-Identifier: Apache-2.0
"""docs/clinic.md: its tables, messages and configuration are read by what reads a clinic's."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docs_support
import pytest
import yaml
from clinic_doors_support import Doors
from clinic_support import make_clinic_config

from gsmgw.clinic.handing import figures, lists
from gsmgw.clinic.interchange import hl7_messages, json_records, table, words

PAGE = (docs_support.ROOT / "docs" / "clinic.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^ *```(\w+)\n(.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[str]:
    return [text for found, text in BLOCKS if found == kind]


def after(text: str) -> dict[str, Any]:
    """Return the configuration that stands below a table."""
    place = next(number for number, (_, found) in enumerate(BLOCKS) if found == text)
    kind, below = BLOCKS[place + 1]
    assert kind == "yaml"
    return dict(yaml.load(io.StringIO(below), Loader=yaml.BaseLoader))


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Doors]:
    made = Doors(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("text", blocks("yaml"))
def test_configuration_is_accepted(text: str) -> None:
    make_clinic_config(**yaml.load(io.StringIO(text), Loader=yaml.BaseLoader))


@pytest.mark.parametrize("is_configured", [True, False])
@pytest.mark.parametrize("text", blocks("csv"))
def test_tables_are_read_as_configured_and_by_guess(text: str, *, is_configured: bool) -> None:
    groups = after(text)
    if not is_configured:
        del groups["import"]
    parsed = table.parse(text.encode(), "visits.csv", make_clinic_config(**groups))
    assert len(parsed.rows) == text.count("\n") - 1
    assert not [row.error for row in parsed.rows if row.error]
    assert len(parsed.days) == 1
    assert {f"{day:%d.%m}" for day in parsed.days} == {"05.03"}


def test_tables_and_notices_are_booked(doors: Doors) -> None:
    ack = doors.take("visits.csv", blocks("csv")[0])
    assert (ack["accepted"], ack["refused"]) == (3, 0)
    following = blocks("csv")[0].replace("05.03.2026", "06.03.2026").replace("A-1", "B-1")
    assert doors.take("visits-2.csv", following)["accepted"] == 3
    (notices,) = (text for text in blocks("json") if text.startswith("["))
    ack = doors.take("notices.json", notices)
    assert (ack["accepted"], ack["errors"]) == (5, [])
    ack = doors.take("x.hl7", blocks("hl7")[0])
    assert (ack["accepted"], ack["errors"]) == (1, [])


def test_an_acknowledgement_has_these_keys(doors: Doors) -> None:
    (shown,) = (json.loads(text) for text in blocks("json") if '"accepted"' in text)
    assert set(doors.take("visits.csv", blocks("csv")[0])) == set(shown)


def test_an_answer_has_these_keys(doors: Doors) -> None:
    (shown,) = (json.loads(text) for text in blocks("json") if '"response"' in text)
    doors.take("visits.csv", blocks("csv")[0])
    doors.answer(visit="A-1003", patient="4713", phone="+48500100212")
    doors.clock.advance(5)
    doors.handing.hand_over()
    (path,) = doors.places.replies.iterdir()
    assert list(json.loads(path.read_bytes())) == list(shown)


def section(heading: str) -> str:
    return re.split(r"^##", PAGE.partition(f"\n{heading}\n")[2], flags=re.MULTILINE)[0]


def test_every_column_is_explained() -> None:
    rows = re.findall(r"^\| (`[^|]*) \|", section("### Tables"), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)} - {"guardian"}
    assert set(words.load().columns) == named


def test_every_kind_and_event_is_explained() -> None:
    rows = re.findall(r"^\| (`[^|]*) \|", section("### JSON"), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(json_records.KEYS)
    events = set(re.findall(r"\b([SA]\d\d)\b", section("### HL7 v2")))
    assert {*hl7_messages._EVENTS, *hl7_messages._PATIENT_EVENTS} <= events


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("replies", (*lists.REPLIES, "state")),
        ("tasks", lists.TASKS),
        ("calls", lists.CALLS),
        ("unreachable", lists.UNREACHABLE),
    ],
)
def test_lists_have_these_columns(name: str, columns: tuple[str, ...]) -> None:
    assert f"| `{name}.csv` | `{';'.join(columns)}` |" in PAGE


def test_figures_name_their_rows() -> None:
    for kind in (figures.VISITS, figures.CALLS, figures.CALLBACKS):
        assert f"`{kind}`" in section("## Picking up")
