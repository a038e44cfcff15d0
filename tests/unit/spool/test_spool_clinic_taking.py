# SPDX-License-Identifier: Apache-2.0
"""Files of the clinic's program: claimed once, applied as far as they can be, acknowledged."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clinic_doors_support import Doors, table

from gsmgw import logs
from gsmgw.spool import files
from gsmgw.spool.clinic import taking

SIU = (
    "MSH|^~\\&|GABINET|LIPOWA|GSMGW|LIPOWA|20260302081500||SIU^S12|{control}|P|2.5\r"
    "SCH||A-{control}|||||K|N|20|min|^^20^20260305101500\rPID|1||47||K^Anna||||||||500100211\r"
)
BAD = SIU.format(control="B1").partition("PID")[0]


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Doors]:
    made = Doors(tmp_path)
    yield made
    made.close()


def count(doors: Doors, table_name: str) -> int:
    return int(doors.rows(f"SELECT count(*) AS n FROM {table_name}")[0]["n"])


def test_a_table_is_taken_acknowledged_and_kept(doors: Doors) -> None:
    ack = doors.take("visits-1.csv", table(1, 2, 3))
    assert (ack["file"], ack["accepted"], ack["refused"]) == ("visits-1.csv", 3, 0)
    assert ack["requests"] == count(doors, "request") > 0
    assert doors.tree("in", "done", "failed", "out/ack") == {
        "in": [],
        "done": ["20260302-visits-1.csv"],
        "failed": [],
        "out/ack": ["visits-1.csv.json"],
    }
    assert doors.hints.clinic.wait(0)
    assert doors.hints.clinic_out.wait(0)


def test_the_same_file_again_changes_nothing(doors: Doors) -> None:
    doors.take("visits-1.csv", table(1, 2))
    before = count(doors, "request")
    ack = doors.take("visits-1.csv", table(1, 2))
    assert (ack["accepted"], ack["requests"]) == (2, 0)
    assert count(doors, "request") == before
    assert doors.tree("done") == {"done": ["20260302-visits-1.csv", "20260302-visits-1.csv.1"]}


def test_a_visit_that_is_twice_in_a_file_is_said(doors: Doors) -> None:
    ack = doors.take("visits-1.csv", table(1, 1))
    assert (ack["accepted"], ack["warnings"]) == (2, [{"row": 2, "why": "again"}])


def test_one_bad_row_is_named_and_the_others_are_taken(doors: Doors) -> None:
    rows = table(1, 2).replace("A-2;05.03.2026", "A-2;35.03.2026")
    ack = doors.take("visits-1.csv", rows)
    assert (ack["accepted"], ack["refused"]) == (1, 1)
    assert ack["errors"][0]["row"] == 2
    assert "35.03.2026" in ack["errors"][0]["why"]
    assert doors.tree("failed") == {"failed": []}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("visits-1.csv", b"a;b\n1;2\n", "columns are missing"),
        ("visits-1.csv", b"", "the file is empty"),
        ("visits-1.csv", table().encode(), "no row below the header"),
        ("visits-1.csv", table(1).replace("05.03", "35.03").encode(), "row 1: data: '35.03.2026'"),
        ("x.json", b"{", "this is no JSON"),
        ("x.json", b'{"kind": "slot"}', "waiting lists are not part"),
        ("x.hl7", b"hello", "no HL7 message"),
        ("x.xlsx", b"PK", "a name ends in .csv, .json or .hl7"),
        ("noname", b"x", "a name ends in"),
    ],
)
def test_a_file_of_which_nothing_can_be_used(
    doors: Doors, name: str, content: bytes, words: str
) -> None:
    ack = doors.take(name, content)
    assert ack["accepted"] == 0
    assert doors.tree("in", "done", "failed") == {
        "in": [],
        "done": [],
        "failed": sorted([name, f"{name}.err"]),
    }
    assert (doors.places.failed / name).read_bytes() == content
    assert words in (doors.places.failed / f"{name}.err").read_text()
    assert ack.get("error") or ack["errors"]


def test_a_file_that_is_too_long(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "LONGEST_FILE", 100)
    assert "longer than" in doors.take("visits-1.csv", table(*range(9)))["error"]


def test_a_defect_of_ours_is_one_files_alone(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr("gsmgw.clinic.interchange.json_records.parse", fails)
    doors.drop("x.json", "{}")
    assert doors.take("visits-1.csv", table(1))["accepted"] == 1
    assert "defect of gsmgw" in doors.ack("x.json")["error"]


# -- what is not taken ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", [".visits.csv", "visits.csv.tmp", "visits.csv.part", "LOCKED"])
def test_files_that_are_left_alone(doors: Doors, name: str) -> None:
    doors.drop(name, table(1))
    doors.take()
    assert doors.tree("in") == {"in": [name]}


def test_a_locked_file_waits(doors: Doors) -> None:
    doors.drop("visits.csv.LOCK", "")
    doors.drop("visits.csv", table(1))
    doors.take()
    assert doors.tree("in") == {"in": ["visits.csv", "visits.csv.LOCK"]}
    (doors.places.inside / "visits.csv.LOCK").unlink()
    doors.take()
    assert doors.ack("visits.csv")["accepted"] == 1


def test_a_file_that_still_grows_waits(doors: Doors) -> None:
    path = doors.places.inside / "visits.csv"
    text = table(1, 2, 3)
    for end in range(10, len(text), 40):
        path.write_text(text[:end])
        doors.taking.take()
        doors.clock.advance(0.3)
    path.write_text(text)
    assert doors.tree("done") == {"done": []}
    doors.take()
    assert doors.ack("visits.csv")["accepted"] == 3


def test_what_is_no_file_is_told_once(doors: Doors) -> None:
    (doors.places.inside / "folder.csv").mkdir()
    (doors.places.inside / "link.csv").symlink_to("/etc/hostname")
    os.mkfifo(doors.places.inside / "pipe.csv")
    with logs.capture() as log:
        for _ in range(3):
            doors.take()
    assert doors.tree("in") == {"in": ["folder.csv", "link.csv", "pipe.csv"]}
    told = [one.fields["file"] for one in log if one.event == "clinic.file_unreadable"]
    assert sorted(told) == ["folder.csv", "link.csv", "pipe.csv"]


@pytest.mark.parametrize(
    "name",
    [
        "visits\n\x1b[31m.csv",
        "visits-\udcff\udc9c.csv",
        "visits \\xff.csv",
        "x" * 251 + ".csv",
        "ł" * 125 + ".csv",
        "visits-'; DROP TABLE request; --.csv",
    ],
)
@pytest.mark.parametrize("content", [table(1), "nonsense"])
def test_names_that_programs_give(doors: Doors, name: str, content: str) -> None:
    doors.drop(name, content)
    doors.take()
    assert doors.tree("in") == {"in": []}
    assert len(doors.tree("out/ack")["out/ack"]) == 1
    assert count(doors, "import_file") == 1
    assert doors.rows("SELECT * FROM import_file WHERE finished_at IS NULL") == []


# -- HL7 ------------------------------------------------------------------------------------------


def test_each_message_is_acknowledged_in_order(doors: Doors) -> None:
    ack = doors.take("x.hl7", SIU.format(control="M1") + BAD + SIU.format(control="M2"))
    assert (ack["accepted"], ack["refused"]) == (2, 1)
    replies = (doors.places.ack / "x.hl7").read_bytes().decode().split("\r")
    assert [line for line in replies if line.startswith("MSA")] == [
        "MSA|AA|M1",
        "MSA|AE|B1|there is no PID segment: whose visit is it?",
        "MSA|AA|M2",
    ]
    heads = [line.split("|")[9] for line in replies if line.startswith("MSH")]
    assert len(set(heads)) == 3
    assert (doors.places.failed / "x.hl7").read_bytes().decode() == BAD
    assert "row 2: there is no PID" in (doors.places.failed / "x.hl7.err").read_text()
    assert doors.tree("done") == {"done": ["20260302-x.hl7"]}


def test_a_control_id_that_was_accepted_changes_nothing_again(doors: Doors) -> None:
    first = doors.take("a.hl7", SIU.format(control="M1"))
    again = doors.take("b.hl7", SIU.format(control="M1"))
    assert (first["accepted"], again["accepted"], again["requests"]) == (1, 1, 0)
    assert b"MSA|AA|M1" in (doors.places.ack / "b.hl7").read_bytes()


def test_a_refused_message_is_judged_anew(doors: Doors) -> None:
    for name in ("a.hl7", "b.hl7"):
        assert doors.take(name, BAD)["errors"][0]["why"].startswith("there is no PID")
        assert b"MSA|AE|B1|there is no PID" in (doors.places.ack / name).read_bytes()


def test_garbage_is_answered_too(doors: Doors) -> None:
    doors.take("x.hl7", b"\x01\x02 hello")
    assert b"MSA|AE||there is no HL7 message" in (doors.places.ack / "x.hl7").read_bytes()


# -- snapshots ------------------------------------------------------------------------------------


@pytest.fixture
def snapshots(tmp_path: Path) -> Iterator[Doors]:
    made = Doors(tmp_path, **{"import": {"visits": {"mode": "snapshot"}}})
    yield made
    made.close()


def booked(doors: Doors) -> set[str]:
    rows = doors.rows("SELECT id FROM appointment WHERE status = 'booked' AND withdrawn IS NULL")
    return {row["id"] for row in rows}


def test_a_visit_that_a_snapshot_lacks_is_cancelled(snapshots: Doors) -> None:
    snapshots.take("visits-1.csv", table(1, 2, 3))
    other_day = "\n".join(table(4, day="06.03.2026").splitlines()[1:])
    snapshots.take("visits-2.csv", other_day.join([table(), "\n"]))
    ack = snapshots.take("visits-3.csv", table(1, 3))
    assert booked(snapshots) == {"A-1", "A-3", "A-4"}
    assert ack["remarks"] == ["visits cancelled because the file lacks them: 1"]


def test_an_empty_snapshot_cancels_nothing(snapshots: Doors) -> None:
    snapshots.take("visits-1.csv", table(1, 2, 3))
    for number, content in enumerate(("", table(), "\n\n")):
        snapshots.take(f"visits-{number}.csv", content)
    assert booked(snapshots) == {"A-1", "A-2", "A-3"}


@pytest.mark.parametrize("rows", [(1,), (1, 1, 1, 1)])
def test_a_snapshot_that_is_too_short_cancels_nothing_and_says_so(
    snapshots: Doors, rows: tuple[int, ...]
) -> None:
    snapshots.take("visits-1.csv", table(1, 2, 3))
    with logs.capture() as log:
        ack = snapshots.take("visits-2.csv", table(*rows))
    assert booked(snapshots) == {"A-1", "A-2", "A-3"}
    assert ack["remarks"][0].startswith("snapshot-too-short: 2026-03-05 has 1 visits, 3 were known")
    (short,) = [one.fields for one in log if one.event == "clinic.snapshot_short"]
    assert short == {"day": "2026-03-05", "now": 1, "before": 3}


def test_one_short_day_protects_no_other(snapshots: Doors) -> None:
    def both(first: tuple[int, ...], second: tuple[int, ...]) -> str:
        rest = table(*second, day="06.03.2026").splitlines(keepends=True)[1:]
        return table(*first) + "".join(rest)

    snapshots.take("visits-1.csv", both((1, 2, 3), (4, 5, 6)))
    snapshots.take("visits-2.csv", both((1,), (4, 5)))
    assert booked(snapshots) == {"A-1", "A-2", "A-3", "A-4", "A-5"}


def test_a_snapshot_with_refused_rows_cancels_nothing(snapshots: Doors) -> None:
    snapshots.take("visits-1.csv", table(1, 2, 3))
    ack = snapshots.take("visits-2.csv", table(1, 2, 3).replace("A-3;05.03", "A-3;35.03"))
    assert booked(snapshots) == {"A-1", "A-2", "A-3"}
    assert ack["remarks"][0].startswith("snapshot-incomplete")


# -- the disk -------------------------------------------------------------------------------------


def no_room(*parts: str) -> Any:
    def note(change: str, paths: tuple[Path, ...]) -> None:
        if change in ("write", "move") and any(part in str(paths[-1]) for part in parts):
            raise OSError(errno.ENOSPC, "No space left on device")

    return note


def test_a_full_disk_is_told_once_and_the_ack_comes_later(doors: Doors) -> None:
    with logs.capture() as log:
        with files.recording(no_room("ack-")):
            doors.drop("visits-1.csv", table(1, 2))
            for _ in range(5):
                doors.take()
        assert count(doors, "appointment") == 2
        assert doors.tree("out/ack") == {"out/ack": []}
        doors.clock.advance(60)
        doors.take()
    ack = doors.ack("visits-1.csv")
    assert (ack["accepted"], ack["requests"]) == (2, count(doors, "request"))
    events = [one.event for one in log]
    assert (events.count("spool.owed"), events.count("spool.caught_up")) == (1, 1)


def test_one_file_in_trouble_keeps_no_other_waiting(doors: Doors) -> None:
    (doors.places.ack / "visits-1.csv.json").mkdir()
    doors.drop("visits-1.csv", table(1))
    assert doors.take("visits-2.csv", table(2))["accepted"] == 1
    (doors.places.ack / "visits-1.csv.json").rmdir()
    doors.clock.advance(60)
    doors.take()
    assert doors.ack("visits-1.csv")["accepted"] == 1


def test_files_are_kept_for_fourteen_days(doors: Doors) -> None:
    doors.take("visits-1.csv", table(1))
    for days, left in ((13, 1), (3, 0)):
        doors.clock.advance(days * 86400)
        doors.take()
        assert len(doors.tree("done")["done"]) == left


def test_files_go_after_fourteen_days_of_which_the_machine_slept_most(doors: Doors) -> None:
    doors.take("visits-1.csv", table(1))
    doors.clock.jump(16 * 86400)
    doors.take()
    assert doors.tree("done")["done"] == []


def test_a_file_that_somebody_has_taken_from_done(doors: Doors) -> None:
    doors.drop("visits-1.csv", table(1))
    with files.recording(no_room("ack-")):
        doors.take()
    (doors.places.done / "20260302-visits-1.csv").unlink()
    doors.clock.advance(60)
    doors.take()
    assert "somebody has removed it" in doors.ack("visits-1.csv")["error"]
