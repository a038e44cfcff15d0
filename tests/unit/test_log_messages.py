# SPDX-License-Identifier: Apache-2.0
"""docs/log-messages.md and the source say the same: events, levels and fields, both ways."""

from __future__ import annotations

import re
from pathlib import Path

import log_messages_support
import pytest

#: What every section says, in this order.
QUESTIONS = ("**Means.** ", "**Likely.** ", "**Do.** ")


def at_least_warning(catalogue: log_messages_support.Catalogue) -> dict[str, dict[str, list[str]]]:
    return {
        event: kept
        for event, levels in sorted(catalogue.items())
        if (
            kept := {
                level: sorted(fields)
                for level, fields in levels.items()
                if level in ("warning", "error")
            }
        )
    }


def at_level(catalogue: log_messages_support.Catalogue, level: str) -> dict[str, list[str]]:
    return {
        event: sorted(levels[level])
        for event, levels in sorted(catalogue.items())
        if level in levels
    }


def test_warnings_and_errors_are_those_of_the_source() -> None:
    page, source = log_messages_support.documented(), log_messages_support.written()
    assert at_least_warning(page) == at_least_warning(source)


@pytest.mark.parametrize("level", ["info", "debug"])
def test_lower_levels_are_those_of_the_source(level: str) -> None:
    page, source = log_messages_support.documented(), log_messages_support.written()
    assert at_level(page, level) == at_level(source, level)


def test_everyday_traffic_is_marked() -> None:
    marked = re.findall(r"^\| `([a-z_.]+)` \*", log_messages_support.PAGE.read_text(), re.M)
    routine = {call.event for call in log_messages_support.calls() if call.is_routine}
    assert sorted(marked) == sorted(routine)


def test_every_event_is_a_noun_and_a_verb() -> None:
    names = log_messages_support.written()
    assert not [name for name in names if not log_messages_support.NOUN_VERB.fullmatch(name)]


def test_every_warning_has_one_section_that_says_what_to_do() -> None:
    sections = log_messages_support.sections()
    assert set(sections) == set(at_least_warning(log_messages_support.written()))
    for event, body in sections.items():
        places = [body.find(question) for question in QUESTIONS]
        assert -1 not in places, event
        assert places == sorted(places), event
        assert f" {event}" in body, event


def test_every_field_is_explained() -> None:
    common = log_messages_support.common_fields()
    written = at_least_warning(log_messages_support.written())
    for event, body in log_messages_support.sections().items():
        words = body[body.index(QUESTIONS[0]) :]
        here = set(re.findall(r"`([a-z_]+)[`=]", words))
        fields = {field for names in written[event].values() for field in names}
        assert fields <= common | here, event


def test_sections_stand_in_the_order_of_the_alphabet() -> None:
    names = list(log_messages_support.sections())
    assert names == sorted(names)


# -- the reader itself ----------------------------------------------------------------------------

TOP = 'from gsmgw import logs\nlog = logs.get("modem")\n'


def read(tmp_path: Path, source: str) -> list[log_messages_support.Call]:
    path = tmp_path / "module.py"
    path.write_text(source)
    return log_messages_support.calls_in(path)


def test_reader_finds_event_level_and_fields(tmp_path: Path) -> None:
    (call,) = read(tmp_path, TOP + 'log.warning("modem.lost", key=("why",), modem=1, why=2)')
    assert (call.event, call.level) == ("modem.lost", "warning")
    assert call.fields == {"modem", "why"}


def test_reader_follows_fields_gathered_in_a_dictionary(tmp_path: Path) -> None:
    source = (
        'def f():\n    found: dict = {"modem": 1}\n    g(lambda: log.info("a.b", x=1, **found))'
    )
    (call,) = read(tmp_path, TOP + source)
    assert call.fields == {"modem", "x"}


@pytest.mark.parametrize(
    "source",
    [
        'log.warning(event, modem="front")',
        'log.warning(f"modem.{what}")',
        'log.warning("modem." + what)',
        'log.warning("modem.lost" if x else "modem.found")',
        'log.warning("modem.lost", **fields)',
        'log.warning("modem.lost", **{name: 1})',
        'tell = log.warning if x else log.info\ntell("modem.lost")',
        'after(log.warning, "modem.lost")',
        'def f():\n    own = logs.get("modem")\n    own.warning("modem.lost")',
        'class A:\n    log = logs.get("modem")',
    ],
)
def test_reader_refuses_what_a_search_would_not_find(tmp_path: Path, source: str) -> None:
    with pytest.raises(log_messages_support.UnreadableCallError):
        read(tmp_path, TOP + source)
