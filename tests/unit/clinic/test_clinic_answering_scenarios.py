# SPDX-License-Identifier: Apache-2.0
"""Days of a clinic, row by row: what patients answer, and what is stored, said and left to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from clinic_answering_support import AnswerDesk, short
from clinic_support import OTHER_PHONE, PHONE, THIRD_PHONE


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[AnswerDesk]:
    desk = AnswerDesk(tmp_path)
    yield desk
    desk.close()


def test_an_ordinary_thursday(desk: AnswerDesk) -> None:
    desk.patient("4711", "Anna")
    desk.patient("4712", "Łukasz")
    desk.patient("4713", "Piotr", OTHER_PHONE)
    desk.patient("4714", "Ewa", THIRD_PHONE)
    desk.book("A-1001", "4711", "2026-03-05 10:15")
    desk.book("A-1002", "4712", "2026-03-05 10:35")
    desk.book("A-1003", "4713", "2026-03-05 11:00")
    desk.book("A-1004", "4714", "2026-03-05 11:20")
    desk.it_is("2026-03-03 10:00")
    desk.ask("A-1001", "A-1002")
    desk.ask("A-1003")
    desk.ask("A-1004")

    desk.it_is("2026-03-03 10:07")
    rows = desk.answer("Tak, potwierdzam")
    assert short(rows) == [
        ("A-1001", "accept", 1, "accepted"),
        ("A-1002", "accept", 1, "accepted"),
    ]
    assert {row["asked"] for row in rows} == {"reminder_family"}
    assert [desk.shown(row["start"]) for row in rows] == ["2026-03-05 10:15", "2026-03-05 10:35"]
    assert desk.said() == ["ack_several"]
    assert json.loads(desk.last_said()["details"])["visits"] == [
        {"appointment": "A-1001", "response": "accepted"},
        {"appointment": "A-1002", "response": "accepted"},
    ]

    desk.it_is("2026-03-03 10:16")
    rows = desk.answer("nie przyjdę", OTHER_PHONE)
    assert short(rows) == [("A-1003", "cancel", 1, "declined")]
    assert rows[0]["asked"] == "reminder_a"
    assert desk.visit("A-1003")["status"] == "booked"  # the clinic alone cancels (R17)
    assert desk.said()[1:] == ["ack_decline"]

    desk.it_is("2026-03-03 10:30")
    rows = desk.answer("Kto to?", THIRD_PHONE)
    assert short(rows) == [("A-1004", "unclear", 0, None)]
    assert desk.said()[2:] == ["unclear"]
    assert desk.tasks() == []

    desk.it_is("2026-03-03 10:40")
    desk.answer("aha", THIRD_PHONE)
    assert desk.said()[3:] == []
    assert desk.tasks() == [("review", "Kto to? | aha")]
    assert {row["task_id"] for row in desk.rows("SELECT * FROM response WHERE applied = 0")} == {1}

    desk.it_is("2026-03-04 10:00")
    desk.ask("A-1004")
    desk.it_is("2026-03-04 11:02")
    rows = desk.answer("TAK", THIRD_PHONE)
    assert short(rows) == [("A-1004", "accept", 1, "accepted")]
    assert desk.tasks() == []
    assert desk.tasks(is_open=False) == [("review", "Kto to? | aha")]

    desk.it_is("2026-03-04 15:00")
    rows = desk.answer("NIE 2")
    assert short(rows) == [("A-1002", "decline", 1, "declined")]
    assert (desk.response("A-1001"), desk.response("A-1002")) == ("accepted", "declined")
    assert desk.last_said()["kind"] == "ack_decline"
    assert desk.last_said()["about"] == "A-1002"

    desk.it_is("2026-03-05 08:30")
    before = len(desk.said())
    rows = desk.answer("NIE 1")
    assert short(rows) == [("A-1001", "decline", 0, None)]
    assert rows[0]["task_id"] is not None
    assert desk.response("A-1001") == "accepted"
    assert desk.said()[before:] == ["too_late"]
    assert desk.tasks() == [("urgent", "NIE 1")]
    assert desk.notices() == ["urgent"]


def test_a_bare_no_after_the_cut_off_is_urgent_too(desk: AnswerDesk) -> None:
    desk.patient("4711", "Anna")
    desk.patient("4712", "Łukasz")
    desk.book("A-1001", "4711", "2026-03-05 10:15")
    desk.book("A-1002", "4712", "2026-03-05 10:35")
    desk.it_is("2026-03-03 10:00")
    desk.ask("A-1001", "A-1002")
    desk.answer("TAK")
    desk.it_is("2026-03-04 15:00")
    desk.answer("NIE 2")
    desk.it_is("2026-03-05 08:30")
    before = len(desk.said())
    rows = desk.answer("nie")  # which of the two? one is given up already
    assert [row["applied"] for row in rows] == [0]
    assert desk.said()[before:] == ["too_late"]
    assert desk.tasks() == [("urgent", "nie")]
    assert (desk.response("A-1001"), desk.response("A-1002")) == ("accepted", "declined")


def test_the_doctor_is_ill(desk: AnswerDesk) -> None:
    desk.patient("4711", "Anna")
    desk.book("A-1001", "4711", "2026-03-05 10:15")
    desk.it_is("2026-03-03 10:00")
    desk.ask("A-1001")

    desk.it_is("2026-03-03 12:00")
    desk.book("A-1001", "4711", "2026-03-06 09:00", version=2)
    desk.ask("A-1001", kind="changed", state="sent")
    desk.clock.advance(30)
    rows = desk.answer("TAK")
    assert [row["applied"] for row in rows] == [0]
    assert desk.response("A-1001") == "needs-action"
    assert desk.tasks() == [("review", "TAK")]
    assert desk.said() == []  # the new time is being asked already

    with desk.db.write() as tx:
        tx.run(
            "UPDATE outbox SET state = 'delivered', settled_at = ? WHERE state = 'sent'", (tx.now,)
        )
    desk.it_is("2026-03-03 12:20")
    rows = desk.answer("TAK")
    assert short(rows) == [("A-1001", "accept", 1, "accepted")]
    assert desk.shown(rows[0]["start"]) == "2026-03-06 09:00"
    assert rows[0]["asked"] == "changed"
    assert desk.tasks() == []
    assert desk.said() == ["ack_accept"]

    desk.it_is("2026-03-04 08:00")
    desk.book("A-1001", "4711", "2026-03-06 09:00", status="cancelled")
    desk.tell(PHONE, "cancelled", "A-1001")
    desk.it_is("2026-03-04 08:05")
    rows = desk.answer("ZADZWOŃ")
    assert [(row["meaning"], row["applied"]) for row in rows] == [("callback", 1)]
    assert desk.said()[1:] == ["callback_ack"]
    assert desk.tasks() == [("callback", "ZADZWOŃ")]
    assert desk.notices() == ["callback"]


def test_evening_and_night(desk: AnswerDesk) -> None:
    desk.it_is("2026-03-06 19:30")
    desk.ring(PHONE)
    task = desk.rows("SELECT * FROM task")[0]
    assert (task["code"], desk.shown(task["due"])) == ("callback", "2026-03-09 08:00")
    assert desk.said() == ["after_hours"]
    assert json.loads(desk.last_said()["details"])["when"] == desk.stored("2026-03-09 08:00")

    desk.it_is("2026-03-06 19:40")
    desk.ring(PHONE)
    assert [row["attempts"] for row in desk.rows("SELECT * FROM task")] == [2]
    assert desk.said() == ["after_hours"]

    desk.it_is("2026-03-06 22:10")
    rows = desk.answer("Boli mnie ząb, proszę o kontakt", OTHER_PHONE)
    assert [(row["meaning"], row["applied"]) for row in rows] == [("callback", 1)]
    assert desk.tasks()[1:] == [("callback", "Boli mnie ząb, proszę o kontakt")]
    assert desk.said() == ["after_hours", "after_hours"]

    desk.it_is("2026-03-06 22:11")
    assert desk.answer("Promocja!", "ORANGE") == []
    assert desk.answer("Saldo 5 zł", "80870") == []
    desk.it_is("2026-03-07 03:00")
    desk.ring("")
    assert len(desk.tasks()) == 2
    assert len(desk.said()) == 2

    desk.it_is("2026-03-08 12:00")  # still the same closed time, more than loop_hours later
    desk.ring(PHONE)
    assert len(desk.said()) == 2


def test_a_number_that_answers_everything(desk: AnswerDesk) -> None:
    desk.it_is("2026-03-06 22:12")
    for minute in range(20):
        desk.answer(f"Dziękujemy za wiadomość nr {minute}, odpowiemy wkrótce.")
        desk.clock.advance(60)
    assert len(desk.said()) == 1
    assert [code for code, _ in desk.tasks()] == ["review"]
    assert len(desk.tasks()[0][1] or "") < 1000


def test_stop_twice_names_every_patient_and_is_told_once(desk: AnswerDesk) -> None:
    desk.patient("4711", "Anna", family="Kowalska")
    desk.patient("4712", "Łukasz", family="Kowalski")
    desk.book("A-1001", "4711", "2026-03-05 10:15")
    desk.it_is("2026-03-03 10:00")
    desk.ask("A-1001")
    desk.it_is("2026-03-03 10:20")
    with desk.db.write() as tx:
        tx.run(
            "INSERT INTO request (kind, phone, due, expires, created_at)"
            " VALUES ('reminder', ?, ?, ?, ?)",
            (PHONE, desk.stored("2026-03-04 10:00"), desk.stored("2026-03-05 09:15"), tx.now),
        )
    rows = desk.answer("STOP")
    assert [(row["meaning"], row["applied"]) for row in rows] == [("stop", 1)]
    denied = desk.rows("SELECT category, decision, source FROM consent ORDER BY category")
    assert [tuple(row) for row in denied] == [
        ("care", "deny", "sms"),
        ("marketing", "deny", "sms"),
        ("survey", "deny", "sms"),
    ]
    waiting = desk.rows(
        "SELECT status, reason FROM request WHERE kind = 'reminder' AND due > ?", desk.now()
    )
    assert [tuple(row) for row in waiting] == [("revoked", "stopped")]
    assert desk.tasks() == [("stopped", "Anna Kowalska (4711), Łukasz Kowalski (4712)")]
    assert [(row["kind"], row["category"], row["status"]) for row in desk.said_rows()] == [
        ("stop_ack", "staff", "active")
    ]

    desk.it_is("2026-03-03 10:25")
    desk.answer("STOP")
    assert desk.said() == ["stop_ack"]
    assert [row["attempts"] for row in desk.rows("SELECT * FROM task")] == [1]

    desk.it_is("2026-03-03 11:00")
    desk.answer("START")
    permitted = desk.rows("SELECT category, decision FROM consent ORDER BY category")
    assert [tuple(row) for row in permitted] == [
        ("care", "permit"),
        ("marketing", "deny"),
        ("survey", "permit"),
    ]
    assert desk.said() == ["stop_ack", "start_ack"]
    assert desk.planner.asked == ["A-1001"]
    assert desk.tasks() == []
