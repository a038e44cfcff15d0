# SPDX-License-Identifier: Apache-2.0
"""Power loss: the spool as far as it was synced, the database's log torn in its last write.

The modem loses its power with the machine. What is then in doubt is not sent again; all else is
sent once, and every file finds its place.
"""

from __future__ import annotations

import functools
import random
import sqlite3
from pathlib import Path

import pytest
from crash_support import GIVING, SEED, CrashSite, crash_site, scenario

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: Steps at which the database is being written, and those next to changes of files.
OUTBOUND = [
    "file.renamed",
    "file.synced",
    "file.committing",
    "file.committed",
    "claim.committing",
    "ctrlz.written",
    "answer.read",
    "settle.committing",
    "report.committing",
    "result.written",
    "result.decided",
    "result.renamed",
    "result.cleared",
    "result.finishing",
]
INBOUND = [
    "message.committing",
    "message.stored",
    "arrival.deleted",
    "handout.written",
    "handout.named",
    "handout.renamed",
    "handout.finishing",
]


@pytest.fixture
def chance() -> random.Random:
    print(f"seed {SEED}")  # noqa: T201 - shown when the test fails
    return random.Random(SEED)


def check_database(box: CrashSite) -> None:
    connection = sqlite3.connect(box.database)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        connection.close()


def test_what_was_accepted_is_sent_once_or_shown(tmp_path: Path, chance: random.Random) -> None:
    settings = {"sending": {"uncertain": {"wait": "1s"}}}
    with crash_site(tmp_path / "box", scenario(submit="10ms"), settings=settings) as box:
        box.start()
        box.stop()
        for number, step in enumerate(OUTBOUND):
            box.drop(f"letter-{number}", f"To: 48500100{number:03d}\n\n{step}\n")
            box.lose_power(step, chance)
            check_database(box)
        box.rest()
        assert box.sim.books.duplicates() == [], box.log
        names = {f"letter-{number}" for number in range(len(OUTBOUND))}
        assert len(box.rows("outbox")) == len(names)
        assert {*box.files("sent"), *box.files("failed")} == names
        on_air = box.on_air()
        for row in box.rows("outbox"):
            assert row["state"] in ("delivered", "sent", "uncertain"), (row, box.log)
            assert row["state"] == "uncertain" or on_air[row["text"]] == 1, (row, box.log)


def test_what_a_waiting_modem_was_given_is_sent_once_or_shown(
    tmp_path: Path, chance: random.Random
) -> None:
    settings = {"sending": {"uncertain": {"wait": "1s"}}}
    with crash_site(tmp_path / "box", scenario(submit="10ms"), settings=settings) as box:
        for step in GIVING:
            box.lose_power(step, chance, functools.partial(box.send_when_idle, step))
            check_database(box)
        box.rest()
        assert box.sim.books.duplicates() == [], box.log
        on_air = box.on_air()
        rows = box.rows("outbox")
        assert len(rows) == box.sent_when_idle
        for row in rows:
            assert row["state"] in ("delivered", "sent", "uncertain"), (row, box.log)
            assert row["state"] == "uncertain" or on_air[row["text"]] == 1, (row, box.log)


def test_rows_are_kept(tmp_path: Path, chance: random.Random) -> None:
    with crash_site(tmp_path / "box") as box:
        box.start()
        box.stop()
        for turn, step in enumerate(("row.committing", "row.committed", "row.committing")):
            box.insert_some(1, f"row {turn}")
            box.lose_power(step, chance)
            check_database(box)
        box.rest()
        box.check_once()
        assert len(box.rows("outbox")) == 3


def test_what_arrived_is_kept_once(tmp_path: Path, chance: random.Random) -> None:
    with crash_site(tmp_path / "box") as box:
        box.start()
        box.stop()
        for number, step in enumerate(INBOUND):
            box.sim.receive(f"+48500100{number:03d}", "front", step)
            box.lose_power(step, chance)
            check_database(box)
        box.rest()
        box.check_arrivals()
