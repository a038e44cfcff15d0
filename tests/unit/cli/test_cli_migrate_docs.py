# SPDX-License-Identifier: Apache-2.0
"""docs/migrate.md: its SQL moves messages from gammu-smsd's tables, and its words are ours."""

from __future__ import annotations

import datetime as dt
import re
import shlex
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from cli_support import ROOT, Place

from gsmgw import config
from gsmgw.gateway.intake import Intake
from gsmgw.model import MessageState
from gsmgw.store import outbox

DOC = (ROOT / "docs" / "migrate.md").read_text("utf-8")
OLD = "/var/lib/gammu/smsd.db"

# The columns of schema 17 that matter here, with its defaults.
TABLES = """
CREATE TABLE outbox (ID INTEGER PRIMARY KEY AUTOINCREMENT, DestinationNumber TEXT NOT NULL
    DEFAULT '', TextDecoded TEXT NOT NULL DEFAULT '', Text TEXT, Priority INTEGER DEFAULT 0,
    DeliveryReport TEXT DEFAULT 'default', SendingDateTime NUMERIC NOT NULL DEFAULT
    (datetime('now')), MultiPart TEXT NOT NULL DEFAULT 'false', CreatorID TEXT NOT NULL DEFAULT '');
CREATE TABLE outbox_multipart (ID INTEGER, SequencePosition INTEGER, TextDecoded TEXT,
    PRIMARY KEY (ID, SequencePosition));
CREATE TABLE inbox (ID INTEGER PRIMARY KEY, ReceivingDateTime NUMERIC, SenderNumber TEXT,
    TextDecoded TEXT);
"""


@pytest.fixture
def gammu(tmp_path: Path) -> Path:
    """A database of gammu-smsd with messages that wait, and answers."""
    path = tmp_path / "smsd.db"
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=2)
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(TABLES)
        database.executemany(
            "INSERT INTO outbox (ID, DestinationNumber, TextDecoded, Priority, DeliveryReport,"
            " SendingDateTime, MultiPart) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (3, "+48500100201", "Jutro o 9:30", 0, "default", "2026-01-01 10:00:00", "false"),
                (4, "+48500100202", "one, ", 5, "yes", "2026-01-01 10:00:00", "true"),
                (5, "+48500100203", "Later", 0, "no", f"{later:%Y-%m-%d %H:%M:%S}", "false"),
                (6, "+48500100204", "", 0, "no", "2026-01-01 10:00:00", "false"),
            ],
        )
        database.executemany(
            "INSERT INTO outbox_multipart VALUES (4, ?, ?)", [(3, "three"), (2, "two, ")]
        )
        database.executemany(
            "INSERT INTO inbox VALUES (?, '2026-11-22 06:24:25', '+48500100201', ?)",
            [(4, 'Long, "quoted" reply'), (5, "")],
        )
    return path


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", DOC, re.MULTILINE | re.DOTALL)
    return found


@pytest.mark.filterwarnings("error")
def test_messages_that_wait_are_sent_by_us(place: Place, gammu: Path) -> None:
    statement = block("sql").replace(OLD, str(gammu))
    for _ in range(2):  # it may be repeated
        with closing(sqlite3.connect(place.database.path)) as database:
            database.executescript(statement)
    Intake(config.load(place.config), place.database).accept_new_rows()
    rows = {row["reference"]: row for row in outbox.listing(place.database)}
    assert set(rows) == {"gammu-3", "gammu-4", "gammu-5"}
    assert {row["state"] for row in rows.values()} == {MessageState.QUEUED}
    assert rows["gammu-4"]["text"] == "one, two, three"
    assert (rows["gammu-4"]["priority"], rows["gammu-4"]["report_requested"]) == ("urgent", 1)
    assert rows["gammu-3"]["not_before"] is None
    with closing(sqlite3.connect(gammu)) as database:
        (wanted,) = database.execute("SELECT SendingDateTime FROM outbox WHERE ID = 5").fetchone()
    assert rows["gammu-5"]["not_before"][:19] == wanted.replace(" ", "T")


@pytest.mark.skipif(not shutil.which("sqlite3"), reason="the example needs the sqlite3 command")
def test_what_was_received_becomes_a_table(gammu: Path, tmp_path: Path) -> None:
    command = block("sh").replace(OLD, shlex.quote(str(gammu)))
    subprocess.run(["sh", "-ec", command], cwd=tmp_path, check=True)
    assert (tmp_path / "received-before.csv").read_text() == (
        "ReceivingDateTime,SenderNumber,TextDecoded\n"
        '"2026-11-22 06:24:25",+48500100201,"Long, ""quoted"" reply"\n'
    )


def test_columns_of_ours_are_there(place: Place) -> None:
    section = DOC.partition("### Programs that use the tables")[2].partition("###")[0]
    table = [line.split("|")[2] for line in section.splitlines() if line.startswith("| `")]
    named = {word for cell in table for word in re.findall(r"`(\w+)`", cell)}
    tables = ("outbox", "inbox", "part", "modem", "sim")
    ours = {
        row["name"] for name in tables for row in place.database.rows(f"PRAGMA table_info({name})")
    }
    assert named <= ours | set(tables) | set(MessageState)
