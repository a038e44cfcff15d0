# SPDX-License-Identifier: Apache-2.0
"""Each kind finds its template and what fills it; the clinic's own words go as they are."""

from __future__ import annotations

from typing import Any

import pytest
from clinic_saying_support import NAME, Desk
from clinic_support import PHONE

from gsmgw.clinic.booking import doses
from gsmgw.clinic.model import Kind
from gsmgw.store.clinic import requests


@pytest.fixture
def tuesday(desk: Desk) -> Desk:
    """Make a clinic with two visits of one family on Thursday, on a Tuesday."""
    desk.it_is("2026-03-03 11:00")
    desk.book("A-1001", "2026-03-05 10:15", given="Anna", patient_id="4711")
    desk.book("A-1002", "2026-03-05 10:35", given="Łukasz", patient_id="4712")
    return desk


def about(desk: Desk, visit: str = "A-1001") -> dict[str, Any]:
    row = desk.visit(visit)
    return {"about": visit, "about_start": row["start"], "patient_id": row["patient_id"]}


def test_answers_about_a_visit(tuesday: Desk) -> None:
    tuesday.request(Kind.ACK_ACCEPT, **about(tuesday))
    tuesday.request(Kind.MOVED, asks="confirm", **about(tuesday, "A-1002"))
    assert tuesday.texts() == [
        f"{NAME}: dziekujemy, wizyta 05.03 10:15 potwierdzona.",
        f"{NAME}: ten termin juz sie zmienil. Nowa wizyta: czw. 05.03 godz. 10:35. Odpisz TAK lub"
        " NIE. Tel. 815551234",
    ]


def test_an_answer_about_several(tuesday: Desk) -> None:
    listed = [
        {"appointment": "A-1001", "response": "accepted"},
        {"appointment": "A-1002", "response": "declined"},
        {"appointment": "gone", "response": "declined"},
    ]
    tuesday.request(Kind.ACK_SEVERAL, details={"visits": listed})
    assert tuesday.texts() == [
        f"{NAME}: dziekujemy, zapisane 05.03: Anna 10:15 TAK, Lukasz 10:35 NIE. Tel. 815551234"
    ]


def test_the_next_visits_of_a_phone(tuesday: Desk) -> None:
    tuesday.request(Kind.INFO, details={"visits": ["A-1001", "A-1002"]})
    tuesday.request(Kind.INFO, details={"visits": [], "language": "es"})
    assert tuesday.texts() == [
        f"{NAME}: najblizsze wizyty: czw. 05.03 10:15, czw. 05.03 10:35. Tel. 815551234",
        f"{NAME}: no hay citas reservadas para este numero. Tel. 815551234",
    ]


def test_which_of_several_is_meant(tuesday: Desk) -> None:
    tuesday.request(Kind.UNCLEAR, details={"which": True, "question": 1})
    (text,) = tuesday.texts()
    assert text.startswith(f"{NAME}: ktorej wizyty to dotyczy? Odpisz TAK 1")


def test_a_delay_and_a_dose_without_an_hour(tuesday: Desk) -> None:
    tuesday.request(Kind.DELAYED, details={"minutes": 30}, **about(tuesday))
    tuesday.request(Kind.DOSE, due=tuesday.now)
    assert tuesday.texts() == [
        f"{NAME}: opoznienie ok. 30 min, wizyta 10:15. Przepraszamy.",
        f"Przypomnienie: pora na lek (11:00). Odpisz TAK po przyjeciu. {NAME}",
    ]


def test_a_dose_that_nobody_asks_about_wants_no_answer(tuesday: Desk) -> None:
    languages = ("pl", "es", "ru", "en")
    for language in languages:
        details = {"template": doses.WITHOUT_QUESTION, "time": "12:30", "language": language}
        tuesday.request(Kind.DOSE, due=tuesday.now, details=details)
    texts = tuesday.texts()
    assert texts[0] == f"Przypomnienie: pora na lek (12:30). {NAME}"
    assert len(texts) == len(languages)
    for text, language in zip(texts, languages, strict=True):
        yes = tuesday.wording.text("word_yes", language)
        assert yes not in text.split()


def test_the_clinics_own_words_go_as_they_are_once_to_a_family(tuesday: Desk) -> None:
    own = {"details": {"text": "Doktor Nowak nie przyjmuje {dziś}."}}
    tuesday.request(Kind.CANCELLED, **own, **about(tuesday))
    tuesday.request(Kind.CANCELLED, **own, **about(tuesday, "A-1002"))
    assert tuesday.texts() == ["Doktor Nowak nie przyjmuje {dziś}."]
    assert [row["number"] for row in tuesday.rows("SELECT * FROM request WHERE outbox_id > 0")] == [
        1, 2,
    ]  # fmt: skip


def test_a_template_that_is_gone_falls_back_to_its_kind(tuesday: Desk) -> None:
    found = tuesday.request(
        Kind.REMINDER,
        details={"template": "preop"},
        expires=tuesday.later(days=1),
        **about(tuesday),
    )
    (text,) = tuesday.texts()
    assert text == f"{NAME}: Anna, przypominamy: wizyta czw. 05.03 godz. 10:15. Tel. 815551234"
    assert '"template":"reminder_plain"' in tuesday.one(found)["details"].replace(" ", "")


def test_a_notice_whose_task_is_gone_is_an_error_and_no_more(desk: Desk) -> None:
    desk.it_is("2026-03-03 11:00")
    found = desk.request(Kind.STAFF_TASK, category="staff", details={"task": 99, "staff": "x"})
    desk.request(Kind.DIGEST, category="staff", details={"counts": 3, "staff": "x"})
    assert desk.say() == []
    assert desk.one(found)["reason"] == "error"
    assert requests.due_phones(desk.db, desk.now, 9) == []


def test_answers_are_in_the_language_of_the_answer(desk: Desk) -> None:
    desk.it_is("2026-03-03 11:00")
    desk.book("A-1001", "2026-03-05 10:15", patient_id="4711", language="ru")
    more = {"patient_id": "4711", "details": {"language": "en"}}
    desk.request(Kind.START_ACK, **more)
    desk.request(Kind.RESULTS, **more)
    assert desk.say() == [
        (PHONE, f"{NAME}: you will get our texts again. To end them reply STOP."),
        (PHONE, f"{NAME}: результаты готовы, получить можно в регистратуре."),
    ]
