# SPDX-License-Identifier: Apache-2.0
"""File names of every kind, and when a file is complete."""

from __future__ import annotations

import os

import pytest

from gsmgw.spool import names
from gsmgw.spool.readiness import Readiness

HOSTILE = [
    "plain",
    "with blank",
    "new\nline",
    "$(touch pwned)",
    "`id`;rm -rf *",
    "-rf",
    "back\\slash\\x41",
    "zażółć 👍",
    os.fsdecode(b"\xff\xfe invalid"),
    os.fsdecode(b"cut \xf0\x9f"),
    "a" * 255,
    "ż" * 127,
    "\x1b[2J",
    "..x",
    "x'\"",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_survive_the_store(name: str) -> None:
    text = names.to_text(name)
    text.encode()
    assert names.from_text(text) == name


@pytest.mark.parametrize("name", ["plain", "zażółć", "a\nb", "$x"])
def test_usual_names_stand_in_the_store_as_they_are(name: str) -> None:
    assert names.to_text(name) == name


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("suffix", [".1", ".result.json"])
def test_a_name_with_suffix_fits(name: str, suffix: str) -> None:
    found = names.with_suffix(name, suffix)
    assert found.endswith(suffix)
    assert len(os.fsencode(found)) <= names.LONGEST_NAME
    if len(os.fsencode(name + suffix)) <= names.LONGEST_NAME:
        assert found == name + suffix


def test_no_character_is_cut_in_half() -> None:
    found = names.with_suffix("ż" * 127, ".1")
    assert found == "ż" * 126 + ".1"


def test_result_names_stay_distinct_when_cut() -> None:
    assert names.result_name("X", 7) == "X.result.json"
    long = "a" * 250
    found = {names.result_name(long, 7), names.result_name(long, 8)}
    assert len(found) == 2
    assert all(len(name) == 255 and name.endswith(".result.json") for name in found)


@pytest.mark.parametrize(
    "name", [".x", "X.LOCK", "LOCKED", "LOCKED.x", "x.tmp", "x.part", "x.result.json"]
)
def test_ignored_names(name: str) -> None:
    assert names.is_ignored(name)
    waiting = Readiness(0.5)
    waiting.notice(name, "moved_in", 0.0)
    waiting.unlocked(name, 0.0)
    assert waiting.ready(9.0, 10) == []


def test_renamed_in_is_ready_at_once_and_stays_so() -> None:
    waiting = Readiness(0.5)
    waiting.notice("X", "moved_in", 1.0)
    waiting.notice("X", "changed", 1.0)
    assert waiting.ready(1.0, 10) == ["X"]
    assert waiting.seconds_to_next(1.0) == 0.0


def test_written_in_place_is_ready_when_nothing_has_happened_for_a_while() -> None:
    waiting = Readiness(0.5)
    for at, kind in enumerate(["created", "closed", "changed", "closed"]):
        waiting.notice("X", kind, at * 0.4)
        assert waiting.ready(at * 0.4 + 0.399, 10) == []
    assert waiting.seconds_to_next(1.2) == pytest.approx(0.5)
    assert waiting.ready(1.71, 10) == ["X"]


def test_a_write_after_the_settle_time_begins_a_new_one() -> None:
    waiting = Readiness(0.5)
    waiting.notice("X", "created", 0.0)
    waiting.notice("X", "changed", 2.0)
    assert waiting.ready(2.1, 10) == []


@pytest.mark.parametrize("kind", ["deleted", "moved"])
def test_a_lock_that_goes_makes_ready(kind: str) -> None:
    waiting = Readiness(0.5)
    waiting.notice("X.LOCK", "created", 0.0)
    waiting.notice("X", "created", 0.0)
    waiting.notice("X.LOCK", kind, 0.1)
    assert waiting.ready(0.1, 10) == ["X"]


def test_a_lock_renamed_to_the_file_makes_ready() -> None:
    waiting = Readiness(0.5)
    waiting.notice("X.LOCK", "moved", 0.1)
    waiting.notice("X", "moved_in", 0.1)
    assert waiting.ready(0.1, 10) == ["X"]


@pytest.mark.parametrize("kind", ["deleted", "moved"])
def test_what_goes_is_forgotten(kind: str) -> None:
    waiting = Readiness(0.5)
    waiting.notice("X", "created", 0.0)
    waiting.notice("X", kind, 0.1)
    assert waiting.seconds_to_next(0.2) is None


def test_found_by_a_scan_it_must_stay_the_same() -> None:
    waiting = Readiness(0.5)
    waiting.found("X", (1, 10, 0, 0), 0.0)
    waiting.found("X", (1, 99, 0, 0), 0.1)  # known already
    assert waiting.ready(0.5, 10) == ["X"]
    assert not waiting.is_steady("X", (1, 20, 5, 5), 0.5)
    assert waiting.ready(0.9, 10) == []
    assert waiting.ready(1.0, 10) == ["X"]
    assert waiting.is_steady("X", (1, 20, 5, 5), 1.0)
    waiting.forget("X")
    waiting.forget("X")
    assert waiting.ready(9.0, 10) == []
    assert waiting.is_steady("X", (1, 1, 1, 1), 9.0)


def test_ready_gives_no_more_than_asked_for_in_order() -> None:
    waiting = Readiness(0.5)
    for number in range(5):
        waiting.notice(f"X{number}", "moved_in", 0.0)
    assert waiting.ready(0.0, 3) == ["X0", "X1", "X2"]
