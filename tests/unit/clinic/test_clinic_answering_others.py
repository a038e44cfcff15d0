# SPDX-License-Identifier: Apache-2.0
"""Answers beyond one question: languages, strangers, calls, STOP, doses, and who gets none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from clinic_answering_support import VISIT, AnswerDesk, one_visit
from clinic_support import LANDLINE, OTHER_PHONE, PHONE


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[AnswerDesk]:
    """A visit on Thursday that was asked about on Tuesday at 10:00; it is 10:07."""
    desk = AnswerDesk(tmp_path)
    one_visit(desk)
    yield desk
    desk.close()


# -- languages ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "response"),
    [("Tak", "accepted"), ("Sí", "accepted"), ("No", "declined"), ("Nie", "declined")],
)
def test_two_patients_of_different_languages_share_a_phone(
    tmp_path: Path, text: str, response: str
) -> None:
    desk = AnswerDesk(tmp_path)
    desk.patient("4712", "Jose", language="es")
    one_visit(desk, language="pl")
    desk.answer(text)
    assert desk.response("A-1001") == response
    desk.close()


def test_who_is_written_to_in_the_clinics_language_may_answer_in_it(tmp_path: Path) -> None:
    desk = AnswerDesk(tmp_path)
    one_visit(desk, language="fr")  # no text in French: the question was Polish
    desk.answer("TAK")
    assert desk.response("A-1001") == "accepted"
    desk.close()


# -- nothing is asked -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said", "tasks"),
    [
        ("dziękuję", [], []),
        ("", [], []),
        ("Zadzwońcie proszę", ["callback_ack"], ["callback"]),
        ("zmiana terminu", ["reschedule_ack"], ["reschedule"]),
        ("kiedy wizyta?", ["info"], []),
        ("TAK", ["received"], ["review"]),
        ("Czy przyjmuje pan doktor?", ["received"], ["review"]),
        ("Nie przyjdę", ["received"], ["review"]),
        ("HELP", ["help"], []),
    ],
)
def test_what_nothing_asked_for(
    tmp_path: Path, text: str, said: list[str], tasks: list[str]
) -> None:
    desk = AnswerDesk(tmp_path)
    desk.patient("4711", "Anna")
    desk.book("A-1001", "4711", VISIT)
    desk.it_is("2026-03-03 10:00")
    (row,) = desk.answer(text)
    assert row["asked"] is None
    assert desk.response("A-1001") == "needs-action"
    assert desk.said() == said
    assert [code for code, _ in desk.tasks()] == tasks
    desk.close()


def test_a_no_that_nothing_asked_for_is_urgent_before_a_near_visit(tmp_path: Path) -> None:
    desk = AnswerDesk(tmp_path)
    desk.patient("4711", "Anna")
    desk.book("A-1001", "4711", VISIT)
    desk.it_is("2026-03-05 08:30")
    desk.answer("nie przyjdę")
    assert desk.tasks() == [("urgent", "nie przyjdę")]
    assert desk.said() == ["too_late"]
    desk.close()


@pytest.mark.parametrize(("kind", "tasks"), [("results", []), ("missed", ["review"])])
def test_ok_to_a_notice_is_no_work(tmp_path: Path, kind: str, tasks: list[str]) -> None:
    desk = AnswerDesk(tmp_path)
    desk.patient("4711", "Anna")
    desk.it_is("2026-03-03 10:00")
    desk.tell(PHONE, kind)
    desk.clock.advance(60)
    desk.answer("ok dzięki")
    assert [code for code, _ in desk.tasks()] == tasks
    desk.close()


@pytest.mark.parametrize(
    ("text", "response"),
    [("ok", "needs-action"), ("👍", "needs-action"), ("Tak!", "accepted"), ("NIE", "declined")],
)
def test_a_yes_after_another_notice_must_be_the_word_asked_for(
    desk: AnswerDesk, text: str, response: str
) -> None:
    desk.tell(PHONE, "results")
    desk.clock.advance(60)
    desk.answer(text)
    assert desk.response("A-1001") == response
    if response == "needs-action":
        assert desk.said() == ["unclear"]
        desk.tell(PHONE, "unclear", same_as="ack:99")
        desk.answer("ok")  # asked back, and now it is plain what for
        assert desk.response("A-1001") == "accepted"


@pytest.mark.parametrize(("seconds", "response"), [(3500, "needs-action"), (3700, "accepted")])
def test_a_yes_an_hour_after_another_notice_is_for_the_question(
    desk: AnswerDesk, seconds: int, response: str
) -> None:
    desk.tell(PHONE, "results")
    desk.clock.advance(seconds)
    desk.answer("ok")
    assert desk.response("A-1001") == response


def test_ok_to_a_delay_of_the_visit_asked_about_is_a_yes(desk: AnswerDesk) -> None:
    desk.tell(PHONE, "delayed", "A-1001")
    desk.answer("ok")
    assert desk.response("A-1001") == "accepted"


def test_visits_are_told_by_date_and_time_alone(tmp_path: Path) -> None:
    desk = AnswerDesk(tmp_path)
    desk.patient("4711", "Anna")
    desk.book("A-1001", "4711", VISIT)
    desk.book("A-1002", "4711", "2026-03-12 10:15", service="HIV")
    desk.it_is("2026-03-03 10:00")
    desk.answer("kiedy wizyta?")
    assert json.loads(desk.last_said()["details"])["visits"] == ["A-1001"]
    desk.answer("kiedy wizyta?")
    assert desk.said() == ["info"]  # it has just been told
    desk.close()


def test_the_next_three_visits_are_told(tmp_path: Path) -> None:
    desk = AnswerDesk(tmp_path)
    desk.patient("4711", "Anna")
    for day in (9, 5, 7, 6):
        desk.book(f"A-{day}", "4711", f"2026-03-0{day} 10:15")
    desk.it_is("2026-03-03 10:00")
    desk.answer("kiedy wizyta?")
    assert json.loads(desk.last_said()["details"])["visits"] == ["A-5", "A-6", "A-7"]
    desk.close()


def test_strangers_are_answered_once(tmp_path: Path) -> None:
    desk = AnswerDesk(tmp_path)
    desk.it_is("2026-03-03 10:00")
    desk.answer("Dzień dobry, czy to przychodnia?", OTHER_PHONE)
    desk.answer("Halo?", OTHER_PHONE)
    assert desk.said() == ["received"]
    assert desk.tasks() == [("review", "Dzień dobry, czy to przychodnia? | Halo?")]
    desk.close()


# -- who is not answered --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sender",
    ["ORANGE", "80870", "123456", "", "+48815551234", "+48500100777", "+48500100299", "Kasia"],
)
def test_some_are_never_answered(tmp_path: Path, sender: str) -> None:
    desk = AnswerDesk(tmp_path, replies={"never": ["500100777", "KASIA"]})
    assert desk.answer("Zadzwoń", sender) == []
    desk.ring(sender)
    assert (desk.said(), desk.tasks()) == ([], [])
    desk.close()


def test_our_own_text_that_comes_back_is_no_answer(desk: AnswerDesk) -> None:
    (sent,) = desk.rows("SELECT text FROM outbox")
    (row,) = desk.answer(sent["text"])
    assert (row["applied"], row["why"]) == (0, "our own text")
    assert desk.said() == []
    assert [code for code, _ in desk.tasks()] == ["review"]


def test_half_a_message_is_never_applied(desk: AnswerDesk) -> None:
    (row,) = desk.answer("TAK", complete=False, parts=2)
    assert (row["applied"], row["why"]) == (0, "a part is missing")
    assert desk.response("A-1001") == "needs-action"
    assert (desk.tasks(), desk.said()) == ([("review", "TAK")], [])


def test_erased_and_binary_messages_are_passed_over(desk: AnswerDesk) -> None:
    assert desk.answer(None) == []  # type: ignore[arg-type]  # erased before it was read
    assert desk.answer("0011", kind="binary") == []
    assert desk.tasks() == []


def test_an_old_answer_is_applied_without_a_word(desk: AnswerDesk) -> None:
    written = desk.now()
    desk.clock.advance(13 * 3600 + 600)
    desk.answer("TAK", service_centre_at=written)
    assert desk.response("A-1001") == "accepted"
    assert desk.said() == []


# -- missed calls ---------------------------------------------------------------------------------


def test_a_missed_call_is_rung_back_and_leaves_the_question_open(desk: AnswerDesk) -> None:
    desk.ring()
    (task,) = desk.rows("SELECT * FROM task")
    assert (task["code"], task["due"], task["patient_id"]) == ("callback", desk.now(), "4711")
    assert desk.said() == ["callback_ack"]
    desk.ring()
    assert [row["attempts"] for row in desk.rows("SELECT * FROM task")] == [2]
    assert desk.said() == ["callback_ack"]
    desk.answer("TAK")
    assert desk.response("A-1001") == "accepted"


def test_a_landline_is_rung_back_but_not_written_to(desk: AnswerDesk) -> None:
    desk.ring(LANDLINE.replace("1234", "1299"))
    assert [code for code, _ in desk.tasks()] == ["callback"]
    assert desk.said() == []


# -- STOP -----------------------------------------------------------------------------------------


def test_please_stop_is_a_persons_to_judge_and_gets_no_text(tmp_path: Path) -> None:
    desk = AnswerDesk(tmp_path)
    one_visit(desk, language="en")
    (row,) = desk.answer("Please stop messaging me")
    assert (row["meaning"], row["applied"]) == ("stop", 0)
    assert desk.rows("SELECT * FROM consent") == []
    assert [code for code, _ in desk.tasks()] == ["review"]
    assert desk.said() == []
    desk.close()


def test_stop_may_mean_marketing_alone(tmp_path: Path) -> None:
    desk = AnswerDesk(tmp_path, replies={"stop": "marketing"})
    one_visit(desk)
    desk.answer("STOP")
    denied = desk.rows("SELECT category, decision FROM consent")
    assert [tuple(row) for row in denied] == [("marketing", "deny")]
    assert [code for code, _ in desk.tasks()] == ["stopped"]
    assert desk.said() == []  # reminders go on: nobody may be told that they end
    desk.close()


def test_stop_is_left_to_a_person_where_it_is_off(tmp_path: Path) -> None:
    desk = AnswerDesk(tmp_path, replies={"stop": "off"})
    one_visit(desk)
    desk.answer("STOP")
    assert desk.rows("SELECT * FROM consent") == []
    assert [code for code, _ in desk.tasks()] == ["stopped"]
    desk.close()


# -- doses and consent ----------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "value"), [("TAK", "taken"), ("NIE", "not-taken")])
def test_a_dose_is_noted(desk: AnswerDesk, text: str, value: str) -> None:
    request = desk.ask_phone(OTHER_PHONE, "dose", "Przypomnienie: pora na lek (08:00).")
    (row,) = desk.answer(text, OTHER_PHONE)
    assert (row["request_id"], row["value"], row["status"]) == (request, value, None)
    assert row["meaning"] in ("accept", "decline")
    assert desk.said() == ["ack_dose"]


@pytest.mark.parametrize(("text", "decision"), [("TAK", "permit"), ("NIE", "deny")])
def test_consent_is_taken(desk: AnswerDesk, text: str, decision: str) -> None:
    desk.ask_phone(OTHER_PHONE, "consent", "Czy możemy pisać o promocjach? TAK lub NIE")
    (row,) = desk.answer(text, OTHER_PHONE)
    assert row["value"] == decision
    found = desk.rows("SELECT phone, category, decision, source FROM consent")
    assert [tuple(one) for one in found] == [(OTHER_PHONE, "marketing", decision, "sms")]


@pytest.mark.parametrize(("asks", "text"), [("rating", "5"), ("offer", "biorę")])
def test_what_nobody_asks_yet_is_left_to_a_person(desk: AnswerDesk, asks: str, text: str) -> None:
    desk.ask_phone(OTHER_PHONE, asks, "?")
    (row,) = desk.answer(text, OTHER_PHONE)
    assert (row["applied"], row["why"]) == (0, "nobody asks this")
    assert [code for code, _ in desk.tasks()] == ["review"]


def test_an_unclear_answer_about_a_dose_is_asked_back(desk: AnswerDesk) -> None:
    desk.ask_phone(OTHER_PHONE, "dose", "Przypomnienie: pora na lek (08:00).")
    desk.answer("nie pamiętam", OTHER_PHONE)
    assert desk.said() == ["unclear"]
