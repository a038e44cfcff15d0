# SPDX-License-Identifier: Apache-2.0
"""What the clinic picks up: each answer once, lists that are always current and harmless."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from clinic_doors_support import Doors, table

from gsmgw import logs
from gsmgw.spool import files
from gsmgw.spool.clinic import handing

LISTS = ["calls.csv", "replies.csv", "tasks.csv", "unreachable.csv"]


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Doors]:
    made = Doors(tmp_path)
    made.take("visits-1.csv", table(1, 2, 3))
    yield made
    made.close()


def later(doors: Doors, seconds: float = 3) -> None:
    """Let time pass, and let what is owed be written."""
    doors.clock.advance(seconds)
    doors.hints.clinic_out.set()
    doors.handing._is_changed = True
    doors.handing.hand_over()


def names(doors: Doors) -> list[str]:
    return [name for name in doors.tree("out")["out"] if name.endswith(".csv")]


def test_an_answer_is_a_file_and_a_row(doors: Doors) -> None:
    number = doors.answer("Tak, będę", patient="P-1")
    later(doors)
    document = json.loads((doors.places.replies / f"{number:06d}.json").read_bytes())
    assert document == {
        "response": number,
        "appointment": "A-1",
        "patient": "P-1",
        "phone": "+48500100001",
        "status": "accepted",
        "meaning": "accept",
        "text": "Tak, będę",
        "asked": "reminder_a",
        "start": "2026-03-05T10:15:00+01:00",
        "at": document["at"],
        "certain": True,
    }
    (row,) = doors.list("replies.csv")
    assert row | {"at": ""} == {
        "at": "",
        "appointment": "A-1",
        "start": "2026-03-05 10:15",
        "patient": "P-1",
        "first": "Anna",
        "phone": "+48500100001",
        "asked": "reminder_a",
        "answer": "accepted",
        "text": "Tak, będę",
        "state": "done",
    }
    assert names(doors) == LISTS


def test_a_program_that_takes_its_files_gets_each_once(doors: Doors) -> None:
    numbers = [doors.answer(str(number)) for number in range(120)]
    later(doors)
    got = sorted(path.name for path in doors.places.replies.iterdir())
    assert got == [f"{number:06d}.json" for number in numbers]
    for path in doors.places.replies.iterdir():
        path.unlink()
    doors.restart()
    later(doors)
    assert list(doors.places.replies.iterdir()) == []


def test_an_answer_as_fhir(tmp_path: Path) -> None:
    (tmp_path / "fhir").mkdir()
    doors = Doors(tmp_path / "fhir", export={"format": "fhir"})
    doors.take("visits-1.csv", table(1))
    number = doors.answer("NIE", status="declined", meaning="decline", patient="P-1")
    later(doors)
    found = json.loads((doors.places.replies / f"{number:06d}.json").read_bytes())
    assert found == {
        "resourceType": "AppointmentResponse",
        "id": f"R-{number}",
        "participantStatus": "declined",
        "appointment": {"reference": "Appointment/A-1"},
        "start": "2026-03-05T10:15:00+01:00",
        "actor": {
            "identifier": {"system": "urn:ietf:rfc:3966", "value": "+48500100001"},
            "reference": "Patient/P-1",
            "display": "Anna",
        },
        "comment": "NIE",
    }
    doors.close()


@pytest.mark.parametrize(
    ("number", "reference"),
    [
        ("P-1", {"reference": "Patient/P-1"}),
        # `Patient/2026/17` would be something else to whoever resolves it.
        ("2026/17", {"type": "Patient"}),
    ],
)
def test_a_patients_number_that_can_be_no_fhir_id(
    tmp_path: Path, number: str, reference: dict[str, str]
) -> None:
    (tmp_path / "fhir").mkdir()
    doors = Doors(tmp_path / "fhir", export={"format": "fhir"})
    doors.take("visits-1.csv", table(1).replace("P-1", number))
    answer = doors.answer("NIE", status="declined", meaning="decline", patient=number)
    later(doors)
    actor = json.loads((doors.places.replies / f"{answer:06d}.json").read_bytes())["actor"]
    assert reference.items() <= actor.items()
    assert ("reference" in actor) == ("reference" in reference)
    doors.close()


def test_words_about_no_visit_are_a_fhir_communication(tmp_path: Path) -> None:
    (tmp_path / "fhir").mkdir()
    doors = Doors(tmp_path / "fhir", export={"format": "fhir"})
    number = doors.answer("Boli\x1b mnie", None, status=None, meaning="unclear")
    later(doors)
    found = json.loads((doors.places.replies / f"{number:06d}.json").read_bytes())
    assert found.pop("received")[:3] == "202"
    assert found == {
        "resourceType": "Communication",
        "id": f"R-{number}",
        "status": "completed",
        "medium": [{"text": "sms"}],
        "sender": {
            "type": "Patient",
            "identifier": {"system": "urn:ietf:rfc:3966", "value": "+48500100001"},
        },
        "payload": [{"contentString": "Boli  mnie"}],
    }
    doors.close()


# -- hostile texts --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://x.example";"Tak")',
        "+48;=1+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r\n=1",
        " =1",
        "\u200b=1",
        "\uff1d1",
        "\u22121",
        'a";"b\r\nc;d',
        "tak\u2028nie\x0b\x1b[31m",
        "\u202egnp.exe",
        "\ud83d",
        "x" * 1500,
    ],
)
def test_no_text_of_a_patient_does_anything_in_a_list(doors: Doors, text: str) -> None:
    doors.answer(text.encode("utf-8", "replace").decode())
    later(doors)
    octets = (doors.places.out / "replies.csv").read_bytes()
    assert octets.count(b"\n") == 2
    (row,) = doors.list("replies.csv")
    assert row["state"] == "done"
    assert not row["text"].startswith(("=", "+", "-", "@", "\uff1d", "\u2212"))
    assert row["text"].isprintable()
    content = next(doors.places.replies.iterdir()).read_text()
    assert "\u202e" not in content
    assert all(sign.isprintable() or sign == "\n" for sign in content)


def test_a_name_that_is_a_formula(doors: Doors) -> None:
    doors.take("visits-2.csv", table(9).replace("Anna", "=cmd|' /C calc'!A0"))
    doors.answer(visit="A-9", patient="P-9")
    later(doors)
    assert doors.list("replies.csv")[0]["first"].startswith("'=")


# -- the lists ------------------------------------------------------------------------------------


def test_a_list_that_did_not_change_is_not_written(doors: Doors) -> None:
    later(doors)
    written: list[str] = []
    with files.recording(lambda change, paths: written.append(change)):
        later(doors)
    assert written == []


@pytest.mark.parametrize("how", ["removed", "changed"])
def test_a_list_that_a_reader_took_or_changed_comes_back(doors: Doors, how: str) -> None:
    doors.answer()
    later(doors)
    path = doors.places.out / "replies.csv"
    before = path.read_bytes()
    if how == "removed":
        path.unlink()
    else:
        path.write_text("saved by somebody")
    doors.clock.advance(handing.REFRESH_S)
    doors.handing.hand_over()
    assert path.read_bytes() == before


def test_a_list_that_cannot_be_replaced_is_owed_and_keeps_no_other_back(doors: Doors) -> None:
    later(doors)

    def shut(change: str, paths: tuple[Path, ...]) -> None:
        if change == "move" and paths[-1].name == "replies.csv":
            raise OSError(errno.EACCES, "Permission denied")

    with logs.capture() as log:
        with files.recording(shut):
            doors.answer()
            with doors.db.write() as tx:
                tx.run(
                    "INSERT INTO task (code, phone, created_at) VALUES ('callback', '+48', ?)",
                    (tx.now,),
                )
            for _ in range(10):
                later(doors, 1)
        assert doors.list("replies.csv") == []
        assert len(doors.list("tasks.csv")) == 1
        doors.clock.advance(60)
        doors.handing.hand_over()
    assert len(doors.list("replies.csv")) == 1
    events = [one.event for one in log]
    assert (events.count("spool.owed"), events.count("spool.caught_up")) == (1, 1)


@pytest.mark.parametrize("change", ["write", "move", "sync"])
def test_a_full_disk_keeps_answers_owed(doors: Doors, change: str) -> None:
    def full(found: str, paths: tuple[Path, ...]) -> None:
        if found == change and ("answer-" in str(paths[0]) or paths[0] == doors.places.replies):
            raise OSError(errno.ENOSPC, "No space left on device")

    number = doors.answer()
    with files.recording(full):
        later(doors)
        later(doors)
    doors.clock.advance(60)
    later(doors)
    assert [path.name for path in doors.places.replies.iterdir()] == [f"{number:06d}.json"]
    assert not list((doors.places.spool / ".tmp").iterdir())


def test_who_is_to_be_rung_up_at_once(doors: Doors) -> None:
    text = table(1, 2, 3).replace("+48500100001", "81 555 12 34").replace("+48500100002", "")
    doors.take("visits-2.csv", text)
    later(doors)
    assert {row["appointment"]: row["why"] for row in doors.list("calls.csv")} == {
        "A-1": "landline",
        "A-2": "no-phone",
    }


def asked(doors: Doors) -> None:
    """Let the questions of all visits have been said on Tuesday, and a day have passed."""
    rows = doors.rows("SELECT id, about FROM request WHERE kind = 'reminder' ORDER BY due")
    first = {row["about"]: row["id"] for row in reversed(rows)}
    doors.clock.jump(86_400 + 3 * 3600)
    doors.said(*first.values())
    with doors.db.write() as tx:
        tx.run("UPDATE request SET status = 'revoked', reason = 'replaced' WHERE outbox_id IS NULL")
    doors.clock.jump(86_400)
    later(doors)


def called(doors: Doors) -> dict[str, str]:
    return {row["appointment"]: row["why"] for row in doors.list("calls.csv")}


def test_who_did_not_answer_is_rung_up_unless_silence_is_a_yes(doors: Doors) -> None:
    with doors.db.write() as tx:
        tx.run("UPDATE appointment SET variant = 'b' WHERE id = 'A-2'")
    asked(doors)
    assert called(doors) == {"A-1": "unconfirmed", "A-3": "unconfirmed"}


def test_who_was_rung_up_in_vain_so_often_is_left_in_peace(doors: Doors) -> None:
    with doors.db.write() as tx:
        for visit in ("A-1", "A-1", "A-1", "A-2"):  # calls.tries is 3
            tx.run(
                "INSERT INTO call_try (appointment_id, phone, at, outcome)"
                " VALUES (?, '+48500100001', ?, 'busy')",
                (visit, tx.now),
            )
    asked(doors)
    assert called(doors) == {"A-2": "unconfirmed", "A-3": "unconfirmed"}


# -- figures --------------------------------------------------------------------------------------


def figures(doors: Doors, name: str) -> dict[str, dict[str, str]]:
    text = (doors.places.stats / name).read_bytes().decode("utf-8-sig")
    header, *rows = (line.split(";") for line in text.splitlines())
    return {row[2]: dict(zip(header, row, strict=True)) for row in rows}


def test_figures_of_day_and_month_with_the_columns_in_their_order(doors: Doors) -> None:
    later(doors)
    row = figures(doors, "2026-03-02.csv")["booked"]
    assert list(row)[:11] == [
        *("day", "location", "kind", "planned", "sent", "delivered", "failed", "unknown"),
        *("expired", "segments", "cost"),
    ]
    assert (row["planned"], row["sent"]) == ("3", "0")
    assert figures(doors, "2026-03.csv")["booked"]["planned"] == "3"


def test_the_last_hours_before_an_outage_are_counted_after_it(doors: Doors) -> None:
    later(doors)
    ids = [row["id"] for row in doors.rows("SELECT id FROM request WHERE kind = 'booked'")]
    doors.said(*ids)
    doors.restart()
    doors.clock.jump(4 * 86_400)
    later(doors)
    assert figures(doors, "2026-03-02.csv")["booked"]["sent"] == "3"
    assert figures(doors, "2026-03.csv")["booked"]["sent"] == "3"


def test_figures_follow_what_happens_within_ten_seconds(doors: Doors) -> None:
    later(doors)
    ids = [row["id"] for row in doors.rows("SELECT id FROM request WHERE kind = 'booked'")]
    doors.said(*ids)
    later(doors, 11)
    assert figures(doors, "2026-03-02.csv")["booked"]["sent"] == "3"


def test_parts_and_what_they_cost(tmp_path: Path) -> None:
    (tmp_path / "cost").mkdir()
    doors = Doors(tmp_path / "cost", reminders={"budget": {"segment_price": 0.07}})
    doors.take("visits-1.csv", table(1, 2, 3))
    ids = [row["id"] for row in doors.rows("SELECT id FROM request WHERE kind = 'booked'")]
    doors.said(*ids)
    with doors.db.write() as tx:
        tx.run("UPDATE outbox SET parts = 2")
    later(doors, 61)
    row = figures(doors, "2026-03-02.csv")["booked"]
    assert (row["sent"], row["segments"], row["cost"]) == ("3", "6", "0.42")
    doors.close()


def test_missed_visits_by_what_the_patient_had_said(doors: Doors) -> None:
    with doors.db.write() as tx:
        tx.run("UPDATE appointment SET status = 'noshow', start = ?", (tx.now,))
        tx.run("UPDATE appointment SET variant = 'b', response = 'accepted' WHERE id = 'A-1'")
    later(doors, 61)
    row = figures(doors, "2026-03-02.csv")["visits"]
    assert {name: row[name] for name in row if name.startswith(("visits", "noshows"))} == {
        "visits": "3",
        "noshows": "3",
        "noshows_accepted": "1",
        "noshows_silent": "0",
        "noshows_not_asked": "2",
        "noshows_a": "2",
        "noshows_b": "1",
    }


def test_a_figure_that_goes_back_to_none_is_none(doors: Doors) -> None:
    ids = [row["id"] for row in doors.rows("SELECT id FROM request WHERE kind = 'booked'")]
    doors.said(*ids)
    later(doors, 61)
    assert figures(doors, "2026-03-02.csv")["booked"]["unknown"] == "3"
    with doors.db.write() as tx:
        tx.run("UPDATE outbox SET state = 'delivered'")
    later(doors, 61)
    row = figures(doors, "2026-03-02.csv")["booked"]
    assert (row["unknown"], row["delivered"]) == ("0", "3")


def test_figures_that_did_not_change_are_not_stored_again(doors: Doors) -> None:
    later(doors, 61)
    version = doors.db.version()
    later(doors, 61)
    assert doors.db.version() == version
