# SPDX-License-Identifier: Apache-2.0
"""The disk is full or read-only: nothing accepted is lost, nothing is sent twice, all goes on."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from machine_support import Machine, machine, quiet

pytestmark = pytest.mark.slow

#: Enough to need new pages in every table.
MANY = 40
#: Parts after which a SIM's references count as evidence.
COUNTED = 9


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path / "box", start=False) as running:
        yield running


def outgoing(number: int) -> str:
    return f"To: 485001{number:05d}\n\nfile {number} {'x' * 100}\n"


def test_full_database_keeps_everything_where_it_is_until_there_is_room(box: Machine) -> None:
    flags = box.start_failing()
    box.drop("first", outgoing(0))
    box.until(lambda: "first" in box.files("sent"))
    (flags / "database-full").touch()
    for number in range(1, MANY):
        box.drop(f"x{number}", outgoing(number))
    for number in range(MANY):
        box.sim.receive(f"+48500200{number:03d}", "front", f"answer {number}")
    box.until(lambda: "spool.owed" in box.log and "modem.waits_for_store" in box.log)
    quiet(2)
    assert box.sim.books.duplicates() == []
    assert box.sim.memory("front")  # what is not stored stays in the modem
    (flags / "database-full").unlink()
    box.until(lambda: len(box.files("sent")) == MANY)
    box.until(lambda: len(box.files("incoming")) == MANY)
    box.until(lambda: not box.sim.memory("front"))
    assert len(box.texts) == MANY
    assert box.sim.books.duplicates() == []
    box.until(lambda: "spool.caught_up" in box.log)
    assert "service.failed" not in box.log
    assert box.stop() == 0


@pytest.mark.parametrize("trouble", ["spool-full", "spool-read-only"])
def test_spool_that_cannot_be_written_keeps_what_is_owed(box: Machine, trouble: str) -> None:
    flags = box.start_failing()
    box.drop("before", "To: 48500100201\n\nbefore\n")
    box.until(lambda: "before" in box.files("sent"))
    # Sent and settled while its file cannot be put away.
    box.drop("slow", "To: 48500100202\nNot_before: " + box.now(3) + "\n\nslow\n")
    box.until(lambda: box.rows("outbox", "text = 'slow'"))
    (flags / trouble).touch()
    box.drop("waiting", "To: 48500100203\n\nwaiting\n")
    box.sim.receive("+48500100299", "front", "an answer")
    by_row = box.insert("+48500100204", "by row")
    box.until_state(by_row, "sent", "delivered")
    box.until(lambda: box.rows("inbox"))
    box.until(lambda: "spool.owed" in box.log)
    box.until(lambda: "slow" in box.texts)
    assert box.files("incoming") == {}
    (flags / trouble).unlink()
    if trouble == "spool-read-only":  # else the next scan finds it, every half minute
        with contextlib.suppress(FileNotFoundError):
            os.utime(box.spool / "outgoing" / "waiting")
    box.until(lambda: set(box.files("sent")) == {"before", "slow", "waiting"})
    box.until(lambda: len(box.files("incoming")) == 1)
    assert sorted(box.texts) == ["before", "by row", "slow", "waiting"]
    box.until(lambda: not any((box.spool / ".tmp").iterdir()))
    assert "service.failed" not in box.log


def test_both_full_and_killed_meanwhile_loses_and_doubles_nothing(box: Machine) -> None:
    flags = box.start_failing()
    # From here on the SIM's references tell what became of a part that was claimed at the kill.
    for number in range(COUNTED):
        box.until_state(box.insert("+48500100200", f"before {number}"), "delivered")
    for name in ("database-full", "spool-full"):
        (flags / name).touch()
    for number in range(MANY):
        box.drop(f"x{number}", outgoing(number))
        box.sim.receive(f"+48500200{number:03d}", "front", f"answer {number}")
    box.until(lambda: "spool.owed" in box.log)
    box.kill()
    box.start_failing()
    quiet(1)
    for name in ("database-full", "spool-full"):
        (flags / name).unlink()
    box.until(lambda: len(box.files("sent")) == MANY)
    box.until(lambda: len(box.files("incoming")) == MANY)
    assert len(box.texts) == COUNTED + MANY
    assert box.sim.books.duplicates() == []


def test_read_only_database_stops_what_needs_it_and_loses_nothing(box: Machine) -> None:
    flags = box.start_failing()
    box.until_state(box.insert("+48500100201", "before"), "delivered")
    box.sim.fault("front", "late-answer", after="1s", times=1)
    box.insert("+48500100202", "in flight")
    box.until(lambda: "in flight" in [s.text for s in box.sim.books.submits])
    (flags / "database-read-only").touch()
    box.drop("file", "To: 48500100203\n\nby file\n")
    box.insert("+48500100204", "by row")
    box.sim.receive("+48500100299", "front", "an answer")
    box.until(lambda: "readonly database" in box.log)
    quiet(3)
    assert sorted(box.texts) == ["before", "in flight"]
    (flags / "database-read-only").unlink()
    box.until(lambda: len(box.texts) == 4)
    box.until(lambda: set(box.files("sent")) == {"file"})
    box.until(lambda: len(box.files("incoming")) == 1)
    assert box.sim.books.duplicates() == []
    box.until(lambda: {row["state"] for row in box.rows("outbox")} <= {"sent", "delivered"})
