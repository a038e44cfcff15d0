# SPDX-License-Identifier: Apache-2.0
"""Families share a text, and a phone has one open question."""

from __future__ import annotations

import json

import pytest
from clinic_saying_support import NAME, Desk, Make, ask
from clinic_support import OTHER_PHONE, PHONE

from gsmgw.clinic.model import Kind
from gsmgw.store import outbox
from gsmgw.store.clinic import requests, visits

# -- families and questions -----------------------------------------------------------------------


def test_an_ordinary_tuesday(desk: Desk) -> None:
    desk.book("A-1001", given="Anna", family="Kowalska")
    desk.book("A-1002", "2026-03-05 10:35", given="Łukasz", family="Kowalski")
    desk.book("A-1003", "2026-03-05 11:00", given="Piotr", phone=OTHER_PHONE)
    assert desk.say("2026-03-03 09:30") == []
    assert desk.say("2026-03-03 10:00") == [
        (
            PHONE,
            f"{NAME}: wizyty czw. 05.03: 1) Anna 10:15 2) Lukasz 10:35. Odpisz TAK (wszystkie) lub"
            " NIE i numer, np. NIE 2. Tel. 815551234",
        ),
        (OTHER_PHONE, ask("Piotr", "11:00")),
    ]
    assert desk.say() == []
    family = desk.rows("SELECT * FROM request WHERE number IS NOT NULL ORDER BY number")
    assert [(row["about"], row["number"]) for row in family] == [("A-1001", 1), ("A-1002", 2)]
    assert len({row["outbox_id"] for row in family}) == 1
    assert {json.loads(row["details"])["template"] for row in family} == {"reminder_family"}
    message = outbox.get(desk.db, family[0]["outbox_id"])
    assert message is not None
    assert (message["source"], message["reference"]) == ("clinic", f"request:{family[0]['id']}")
    assert message["expires_at"] == desk.stored("2026-03-05 09:15")
    assert message["category"] == "care"


def test_a_delay_is_told_once_to_a_phone_with_several_visits(desk: Desk) -> None:
    desk.book("A-1001", given="Anna")
    desk.book("A-1002", "2026-03-05 10:35", given="Łukasz")
    desk.book("A-1003", "2026-03-05 12:00", given="Ola")
    desk.it_is("2026-03-05 08:30")
    for visit, minutes in (("A-1001", 30), ("A-1002", 30), ("A-1003", 60)):
        row = desk.visit(visit)
        desk.request(
            Kind.DELAYED,
            about=visit,
            about_start=row["start"],
            patient_id=row["patient_id"],
            details={"minutes": minutes},
        )
    said = [text for _, text in desk.say() if "opoznienie" in text]
    assert said == [
        f"{NAME}: opoznienie ok. 30 min, wizyta 10:15, 10:35. Przepraszamy.",
        f"{NAME}: opoznienie ok. 60 min, wizyta 12:00. Przepraszamy.",
    ]


def test_own_words_of_two_absences_are_two_texts(desk: Desk) -> None:
    desk.book("A-1001", given="Anna")
    desk.book("A-1002", "2026-03-05 10:35", given="Łukasz")
    desk.it_is("2026-03-02 09:00")
    for visit, text in (("A-1001", "Dr Lis jest chora."), ("A-1002", "Dr Jeż wyjechał.")):
        row = desk.visit(visit)
        desk.request(
            Kind.CANCELLED,
            about=visit,
            about_start=row["start"],
            patient_id=row["patient_id"],
            details={"text": text},
        )
    said = [text for _, text in desk.say()]
    assert {"Dr Lis jest chora.", "Dr Jeż wyjechał."} <= set(said)


def test_a_crash_neither_loses_nor_doubles(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.book()
    desk.it_is("2026-03-03 10:00")

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(requests, "said", dies)
        with pytest.raises(KeyboardInterrupt):
            desk.saying.step()
    assert desk.rows("SELECT * FROM outbox") == []
    assert len(desk.say()) == 1
    assert desk.say() == []


def test_the_second_question_takes_the_place_of_the_first(desk: Desk) -> None:
    desk.book("A-1001", given="Anna")
    desk.book("A-1002", "2026-03-05 10:35", given="Ola")
    desk.say("2026-03-03 10:00")
    with desk.db.write() as tx:  # Anna has answered
        visits.answered(tx, "A-1001", "accepted")
        desk.booking.replan(tx, "A-1001")
        for row in tx.rows("SELECT id FROM request WHERE about = 'A-1001' AND outbox_id > 0"):
            requests.answer(tx, row["id"])
    assert desk.texts("2026-03-04 10:00") == [ask("Ola", "10:35")]
    opened = requests.open_questions(desk.db, PHONE, desk.now)
    assert [(row["about"], row["number"]) for row in opened] == [("A-1002", None)]
    replaced = desk.rows("SELECT * FROM request WHERE reason = 'replaced'")
    assert [(row["about"], row["status"]) for row in replaced] == [("A-1002", "completed")]


def test_another_question_waits_and_is_asked_once_the_first_is_answered(desk: Desk) -> None:
    desk.book("A-1001", "2026-03-05 10:15", given="Anna")
    desk.book("A-1002", "2026-03-06 12:00", given="Ola")
    assert len(desk.texts("2026-03-03 10:00")) == 1
    assert desk.texts("2026-03-04 09:00") == []
    # Wednesday 10:00: Ola's first and Anna's second question; the older visit goes on.
    found = desk.texts("2026-03-04 10:00")
    assert found == [ask("Anna", "10:15")]
    waiting = desk.rows("SELECT * FROM request WHERE status = 'on-hold'")
    assert [row["about"] for row in waiting] == ["A-1002"]
    assert waiting[0]["due"] == desk.stored("2026-03-05 09:15")
    with desk.db.write() as tx:
        for row in requests.open_questions(tx, PHONE, desk.now):
            requests.answer(tx, row["id"])
        requests.release(tx, PHONE)
    (text,) = desk.texts("2026-03-04 10:05")
    assert "Ola, wizyta pt. 06.03 godz. 12:00" in text


def test_a_reminder_that_would_wait_until_it_is_stale_is_said_without_asking(desk: Desk) -> None:
    desk.book("A-1001", "2026-03-05 17:00", given="Anna")
    desk.say("2026-03-03 10:00")
    desk.it_is("2026-03-03 12:00")
    due = desk.stored("2026-03-04 09:00")
    desk.book("A-1002", "2026-03-05 11:00", given="Ola", phone=PHONE)
    with desk.db.write() as tx:  # at another hour than Anna's second question
        tx.run("UPDATE request SET due = ? WHERE about = 'A-1002'", (due,))
    (text,) = desk.texts("2026-03-04 09:00")
    assert text == f"{NAME}: Ola, przypominamy: wizyta czw. 05.03 godz. 11:00. Tel. 815551234"
    (row,) = desk.rows("SELECT * FROM request WHERE about = 'A-1002'")
    assert (row["asks"], json.loads(row["details"])["template"]) == (None, "reminder_plain")


def test_a_new_time_takes_the_place_of_all_questions(desk: Desk) -> None:
    desk.book("A-1001", given="Anna")
    desk.say("2026-03-03 10:00")
    desk.it_is("2026-03-03 12:00")
    desk.book("A-1001", "2026-03-06 09:00", given="Anna")
    assert desk.texts() == [
        f"{NAME}: zmiana terminu. Nowa wizyta: pt. 06.03 godz. 09:00. Odpisz TAK lub NIE."
        " Tel. 815551234"
    ]
    opened = requests.open_questions(desk.db, PHONE, desk.now)
    assert [row["kind"] for row in opened] == ["changed"]


def test_a_dose_does_not_wait_for_a_question(desk: Desk) -> None:
    desk.book("A-1001", given="Anna")
    desk.say("2026-03-03 10:00")
    desk.request(Kind.DOSE, asks="dose", details={"time": "22:00"}, priority="urgent")
    assert desk.texts() == [f"Przypomnienie: pora na lek (22:00). Odpisz TAK po przyjeciu. {NAME}"]
    assert {row["kind"] for row in requests.open_questions(desk.db, PHONE, desk.now)} == {
        "reminder", "dose",
    }  # fmt: skip


def test_who_has_said_yes_is_told_and_not_asked_again(make: Make) -> None:
    plan = [{"template": "reminder", "at": "1d at 10:00", "asks": True}]
    desk = make(reminders={"booked": False, "plan": plan})
    desk.book(given="Anna")
    with desk.db.write() as tx:
        visits.answered(tx, "A-1001", "accepted")
    (text,) = desk.texts("2026-03-04 10:00")
    assert "przypominamy" in text
    assert requests.open_questions(desk.db, PHONE, desk.now) == []


def test_nine_visits_in_one_text_at_most(desk: Desk) -> None:
    for number in range(11):
        desk.book(f"A-{number:02d}", f"2026-03-05 {8 + number // 2:02d}:{number % 2 * 30:02d}")
    (text,) = desk.texts("2026-03-03 10:00")
    assert "9) Anna" in text
    assert [row[1] for row in desk.states()].count("completed") == 9
    assert len(desk.states(status="on-hold")) == 2  # the numbers of two texts would be mixed up


def test_two_children_of_one_name_at_one_time_can_be_told_apart(desk: Desk) -> None:
    desk.book("A-1", given="Jan", family="Lis", patient_id="1")
    desk.book("A-2", given="Jan", family="Wilk", patient_id="2")
    (text,) = desk.texts("2026-03-03 10:00")
    assert "1) JanL 10:15 2) JanW 10:15." in text
