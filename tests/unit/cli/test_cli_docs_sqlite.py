# SPDX-License-Identifier: Apache-2.0
"""docs/sqlite.md: its examples run, its columns exist, its errors come."""

from __future__ import annotations

import re
import shlex
import shutil
import sqlite3
import subprocess
import sys

import pytest
from cli_support import ROOT, Place

from gsmgw import config
from gsmgw.gateway.intake import Intake
from gsmgw.model import MessageState
from gsmgw.store import outbox

DOC = (ROOT / "docs" / "sqlite.md").read_text()
DATABASE = "/var/lib/gsmgw/gsmgw.db"
ERRORS = {
    "gsmgw: only cancel_requested may be changed": "UPDATE outbox SET state = 'sent'",
    "gsmgw: a row is inserted with state new, or without state": (
        "INSERT INTO outbox (recipient, text, state) VALUES ('1', 'x', 'sent')"
    ),
    "gsmgw: cancel_requested is 1, or 0": "UPDATE outbox SET cancel_requested = -1",
    "gsmgw: source and reference belong to another row": (
        "UPDATE outbox SET reference = 'one' WHERE reference = 'two'"
    ),
    "gsmgw: this id is too large; leave it out": (
        "INSERT INTO outbox (id, recipient, text) VALUES (2000000000000, '1', 'x')"
    ),
    "gsmgw: not settled yet; set cancel_requested instead": "DELETE FROM outbox",
    "NOT NULL constraint failed: outbox.recipient": "INSERT INTO outbox (text) VALUES ('x')",
}


@pytest.mark.skipif(not shutil.which("sqlite3"), reason="the examples need the sqlite3 command")
def test_the_examples_run_in_order(place: Place) -> None:
    printed = []
    for language, code in re.findall(r"^```(sh|python)\n(.*?)^```", DOC, re.M | re.S):
        path = str(place.database.path)
        code = code.replace(DATABASE, path if language == "python" else shlex.quote(path))
        command = [sys.executable, "-c", code] if language == "python" else ["sh", "-ec", code]
        done = subprocess.run(command, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b""), code
        printed.append(done.stdout.decode())
        if len(printed) == 2:
            accept(place)
    assert printed[1] == "message 2 is new\n"
    assert "visit-4712,2,sent," in printed[2]
    assert printed[3] == "visit-4711: queued\nvisit-4712: sent\n"
    assert "answers message 2: 'TAK'" in printed[5]
    assert '"text":"TAK"' in printed[6]
    assert "taken" in printed[8]
    found = {row["reference"]: row for row in outbox.listing(place.database)}
    assert found["visit-4711"]["cancel_requested"] == 1


def accept(place: Place) -> None:
    """Do what the daemon does, and let the patient answer."""
    Intake(config.load(place.config), place.database).accept_new_rows()
    place.take(2)
    place.arrive("TAK", sender="+48500100202")


def columns(place: Place, table: str) -> set[str]:
    return {row["name"] for row in place.database.rows(f"PRAGMA table_info({table})")}


@pytest.mark.parametrize("table", ["outbox", "inbox", "consent"])
def test_the_tables_of_columns_are_right(place: Place, table: str) -> None:
    heads = {
        "outbox": r"### Columns of `outbox` that you may insert\n(.*?)### States",
        "inbox": r"\| column of `inbox` (.*?)## Consent",
        "consent": r"\| column of `consent` (.*?)## More",
    }
    section = re.search(heads[table], DOC, re.S)
    assert section is not None
    first_cells = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section.group(1), re.M)
    documented = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    ours = {
        "outbox": {
            "alphabet",
            "rank",
            "route",
            "due_at",
            "sim_id",
            "concat_ref",
            "restarts",
            "tries",
            "tp",
        }
    }
    assert documented == columns(place, table) - ours.get(table, set())


@pytest.mark.parametrize(
    ("table", "ours"),
    [
        ("part", {"expected_mr"}),
        ("attempt", set()),
        ("status_report", set()),
        ("received_part", set()),
        ("modem", set()),
        ("sim", {"rests", "last_mr", "mr_steps", "concat_ref", "doubt_mr"}),
        ("event", set()),
        ("command", set()),
    ],
)
def test_the_lists_of_columns_are_right(place: Place, table: str, ours: set[str]) -> None:
    section = re.search(rf"^\*\*`{table}`\*\*: (.*?)\n\n", DOC, re.M | re.S)
    assert section is not None
    found = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]*)`", section.group(1)))))
    assert columns(place, table) - ours <= found


def test_every_state_is_explained() -> None:
    section = re.search(r"### States\n(.*?)## See", DOC, re.S)
    assert section is not None
    assert set(re.findall(r"^\| `(\w+)` \|", section.group(1), re.M)) >= set(MessageState)


@pytest.mark.parametrize("words", ERRORS)
def test_errors_come_as_documented(place: Place, words: str) -> None:
    place.message("a", reference="one")
    place.message("b", reference="two")
    other = sqlite3.connect(place.database.path)
    other.execute(
        "INSERT INTO outbox (recipient, text, source, reference) VALUES ('1', '', 'cli', 'three')"
    )
    statement = ERRORS[words]
    if "belong to another" in words:
        statement = statement.replace("'two'", "'three'")
    try:
        with pytest.raises(sqlite3.IntegrityError, match=re.escape(words)):
            other.execute(statement)
    finally:
        other.rollback()
        other.close()
    assert f"`{words}`" in DOC


CLINIC = (
    *("patient", "appointment", "request", "response", "task", "call_try", "regimen"),
    *("import_file", "import_message", "daily_count", "erased"),
)


@pytest.mark.parametrize("table", CLINIC)
def test_every_column_of_a_clinics_table_is_documented(place: Place, table: str) -> None:
    (told,) = re.findall(rf"\*\*`{table}`\*\*(.*?)(?=\*\*`|\n\n)", DOC, re.S)
    documented = set(re.findall(r"\b[a-z_0-9]+\b", " ".join(re.findall(r"`([^`]*)`", told))))
    columns = {row["name"] for row in place.database.rows(f"PRAGMA table_info({table})")}
    assert columns <= documented


def test_every_error_of_the_schema_is_documented() -> None:
    folder = ROOT / "gsmgw" / "store" / "schema"
    schema = "".join(path.read_text() for path in sorted(folder.glob("*.sql")))
    raised = set(re.findall(r"RAISE\(ABORT, '(gsmgw: [^']*)'\)", schema))
    assert raised == {words for words in ERRORS if words.startswith("gsmgw: ")}
