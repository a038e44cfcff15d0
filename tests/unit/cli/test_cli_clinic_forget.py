# SPDX-License-Identifier: Apache-2.0
"""`gsmgw clinic forget` and `export`: tables, files of the spool, octets of the database."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import cli_support
import pytest
from cli_clinic_support import Office
from click.testing import CliRunner

from gsmgw import logs
from gsmgw.cli import main
from gsmgw.spool.clinic.places import Places
from gsmgw.spool.layout import Layout

PHONE, OTHER = "+48500100211", "+48500100212"
HEAD = "id;date;time;patient;first;last;phone\n"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    made.book(patient="77123", first="Gertruda", last="Zimorodek")
    Layout(tmp_path / "spool").make(None)
    Places(tmp_path / "spool").make(None)
    yield made
    made.database.close()
    logs.configure()


def write(office: Office, name: str, content: str | bytes) -> Path:
    path = office.path / "spool" / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_it_asks_first(office: Office) -> None:
    words = ["--config", str(office.config), "clinic", "forget", PHONE]
    assert CliRunner().invoke(main.cli, words, input="n\n").exit_code == 130
    assert len(office.rows("visits")) == 1
    assert CliRunner().invoke(main.cli, words, input="y\n").exit_code == 0
    assert office.rows("visits") == []
    office.fails(65, "forget", PHONE, "--yes")


def test_files_that_name_the_person_go_and_others_stay(office: Office) -> None:
    gone = [
        write(office, "sent/a.sms", "To: 48500100211\n\nkolano\n"),
        write(office, "failed/b.json", '{"recipient": "+48 500 100 211", "text": "x"}'),
        write(office, "incoming/GSM1.1", "From: 48500100211\n\nboli\n"),
        write(office, "report/r1", "To: 0048500100211\n"),
        write(office, "clinic/done/20260302-v.csv", f"{HEAD}A-1;;;77123;;;\n"),
        write(office, "clinic/done/20260302-w.csv", f"{HEAD};;;;GERTRUDA;Zimorodek;\n"),
        write(office, "clinic/failed/x.json.err", "row 1: phone 500-100-211"),
        write(office, "clinic/out/ack/v.csv.json", '{"why": "Gertruda Zimorodek"}'),
        write(office, "clinic/out/ack/t.csv.json", '{"why": "zgoda: \'Zimorodek\' is neither"}'),
        write(office, "clinic/out/ack/s.json.json", '{"why": "patient \'77123\' is unknown"}'),
        write(office, "clinic/out/replies/000001.json", '{"phone": "+48500100211"}'),
        write(office, "clinic/done/u.csv", "Zimorodek;Gertruda".encode("utf-16")),
    ]
    kept = [
        write(office, "clinic/out/ack/r.csv.json", '{"why": "date: \'31.02.2026\' is no date"}'),
        write(office, "sent/c.sms", f"To: {OTHER}\n\nkolano\n"),
        write(office, "outgoing/d", "To: 48500100211\n\nnot taken yet\n"),
        write(office, "clinic/out/replies/000002.json", '{"response": 77123}'),
        write(office, "clinic/done/20260302-z.csv", f"{HEAD}A-10;;;771234;Gertruda;Lipa;\n"),
    ]
    table = write(office, "clinic/out/calls.csv", "old;500100211")
    told = json.loads(office.clinic("forget", PHONE, "--yes", "--json"))
    assert [path.name for path in gone if path.exists()] == []
    assert [path.name for path in kept if not path.exists()] == []
    assert told["files"] == len(gone)
    assert b"500100211" not in table.read_bytes()


def test_no_octet_is_left_in_the_database(office: Office) -> None:
    # Another program's database library leaves what it frees.
    office.message("kolano", to=PHONE)
    with sqlite3.connect(office.path / "gsmgw.db") as other:
        other.execute("PRAGMA secure_delete = OFF")
        other.execute("CREATE TABLE foreign_notes (text TEXT)")
        rows = [(f"{PHONE} Zimorodek {number}" * 20,) for number in range(200)]
        other.executemany("INSERT INTO foreign_notes VALUES (?)", rows)
        other.execute("DELETE FROM foreign_notes")
    other.close()
    office.clinic("forget", PHONE, "--yes")
    for path in office.path.glob("gsmgw.db*"):
        content = path.read_bytes()
        for word in (b"500100211", b"Zimorodek", b"Gertruda", b"kolano"):
            assert word not in content, (path.name, word)


def test_what_a_modem_holds_makes_it_wait(office: Office) -> None:
    message = office.message("kolano", to=PHONE)
    with office.database.write() as tx:
        tx.run("UPDATE part SET state = 'sending' WHERE message_id = ?", (message,))
    result = office.run("clinic", "forget", PHONE, "--yes")
    assert result.exit_code == 75
    assert "a modem is sending" in result.output
    assert len(office.rows("visits")) == 1


def test_copies_beside_the_database_are_named(office: Office) -> None:
    (office.path / "gsmgw.db.before-20260302T081500Z").write_bytes(b"")
    assert "before-20260302T081500Z" in office.clinic("forget", "77123", "--yes")


def test_export_is_one_document_and_is_recorded(office: Office) -> None:
    found = json.loads(office.clinic("export", "77123", "--who", "Ewa"))
    assert found["patients"][0]["family"] == "Zimorodek"
    assert [one["kind"] for one in found["planned"]] == ["reminder", "reminder"]
    assert office.events("person.exported") == [{"who": "Ewa"}]
    office.fails(65, "export", "nobody")


def test_without_a_clinic_nobody_is_forgotten(place: cli_support.Place) -> None:
    assert place.run("clinic", "forget", PHONE, "--yes").exit_code == 78
