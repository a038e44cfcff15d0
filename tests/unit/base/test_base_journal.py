# SPDX-License-Identifier: Apache-2.0
"""The journal: what arrives at its socket, and what happens where nobody listens or keeps up."""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from base_support import HandClock
from journal_support import Listener

from gsmgw import journal, logs
from gsmgw.model import LogLevel

log = logs.get("test")


@pytest.fixture
def folder() -> Iterator[Path]:
    # A socket's path has at most 107 characters.
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture
def listener(folder: Path) -> Iterator[Listener]:
    found = Listener(folder / "socket")
    yield found
    found.close()


@pytest.fixture
def stderr(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A log that says of itself that it leads to the journal."""
    path = folder / "stderr"
    with path.open("w", encoding="utf-8") as stream:
        status = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        logs.configure(stream=stream, time=HandClock(), journal_socket=folder / "socket")
        yield path
        logs.configure(stream=io.StringIO())
    logs.configure()


@pytest.mark.usefixtures("stderr")
def test_an_event_has_its_line_its_id_and_its_fields(listener: Listener) -> None:
    log.warning("modem.lost", modem="front", id=17, sim=None, recipient=logs.number("+48500100201"))
    assert listener.next() == {
        "MESSAGE": "warning modem.lost modem=front id=17 recipient=+48500***201",
        "PRIORITY": "4",
        "SYSLOG_IDENTIFIER": "gsmgw",
        "MESSAGE_ID": journal.message_id("modem.lost"),
        "GSMGW_EVENT": "modem.lost",
        "GSMGW_MODEM": "front",
        "GSMGW_ID": "17",
        "GSMGW_RECIPIENT": "+48500***201",
    }


def test_nothing_is_written_twice(listener: Listener, stderr: Path) -> None:
    log.info("part.sent")
    assert not listener.is_empty()
    assert stderr.read_text() == ""


@pytest.mark.usefixtures("stderr")
def test_a_value_of_several_lines_keeps_them_and_steers_no_terminal(listener: Listener) -> None:
    log.error("service.failed", error="first\nMESSAGE=forged\n\x1b[2J\u202e")
    found = listener.next()
    assert found["MESSAGE"].startswith("error service.failed error=")
    assert found["GSMGW_ERROR"] == "first\nMESSAGE=forged\n\\x1b[2J\\u202e"


@pytest.mark.usefixtures("stderr")
def test_what_is_too_large_for_a_datagram_comes_all_the_same(listener: Listener) -> None:
    fields = {f"field{number}": "x" * 100_000 for number in range(60)}
    log.error("some.event", **fields)
    found = listener.next()
    assert len([name for name in found if name.startswith("GSMGW_FIELD")]) == 60
    assert found["GSMGW_FIELD59"].endswith("x…")


@pytest.mark.usefixtures("stderr")
def test_half_a_character_is_escaped(listener: Listener) -> None:
    log.info("some.event", value="\ud83d")
    assert listener.next()["GSMGW_VALUE"] == "\\ud83d"


def test_without_the_journal_lines_go_to_standard_error(stderr: Path, folder: Path) -> None:
    log.info("one.event")
    listener = Listener(folder / "socket")
    log.info("two.events")
    assert listener.next()["MESSAGE"] == "info two.events"
    listener.close()
    log.error("three.events")
    assert stderr.read_text() == "<6>info one.event\n<3>error three.events\n"


def test_a_journal_that_has_restarted_is_found_again(folder: Path, stderr: Path) -> None:
    for number in range(3):
        listener = Listener(folder / "socket")
        log.info("some.event", number=number)
        assert listener.next()["GSMGW_NUMBER"] == str(number)
        listener.close()
    assert stderr.read_text() == ""


def test_a_journal_that_does_not_keep_up_costs_lines_not_time(
    listener: Listener, stderr: Path
) -> None:
    # The kernel keeps net.unix.max_dgram_qlen datagrams, and at most what its buffer holds.
    for number in range(5000):
        log.info("some.event", number=number, words="x" * 1000)
    kept = 0
    while not listener.is_empty():
        listener.next()
        kept += 1
    assert 0 < kept < 5000
    logs.tell()
    assert listener.next()["MESSAGE"] == f"warning log.dropped lines={5000 - kept}"
    logs.tell()
    assert listener.is_empty()
    assert stderr.read_text() == ""


def test_ids_of_events_never_change() -> None:
    assert journal.message_id("modem.lost") == "1df507e21bb95a17b203682f059091d6"
    assert re.fullmatch("[0-9a-f]{32}", journal.message_id("part.sent"))


@pytest.mark.parametrize(
    ("name", "shown"),
    [("modem", "GSMGW_MODEM"), ("part-no", "GSMGW_PART_NO"), ("ł", "GSMGW__"), ("a" * 99, None)],
)
def test_names_of_fields_are_those_that_the_journal_allows(name: str, shown: str | None) -> None:
    found = journal.field_name(name)
    assert len(found) <= 64
    assert shown is None or found == shown


def test_elsewhere_the_journal_is_left_alone(
    listener: Listener, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "1:2")
    stream = io.StringIO()
    logs.configure(stream=stream, level=LogLevel.INFO, journal_socket=folder / "socket")
    log.info("some.event")
    assert listener.is_empty()
    assert stream.getvalue() == "info some.event\n"
    logs.configure()
