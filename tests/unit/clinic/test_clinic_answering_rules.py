# SPDX-License-Identifier: Apache-2.0
"""The rules of answers one by one: what is applied, what is said, what people are asked to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import factories
import pytest
from clinic_answering_support import VISIT, AnswerDesk, family, one_visit, short
from clinic_support import PHONE


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[AnswerDesk]:
    """A visit on Thursday that was asked about on Tuesday at 10:00; it is 10:07."""
    desk = AnswerDesk(tmp_path)
    one_visit(desk)
    yield desk
    desk.close()


# -- one visit, one answer ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "meaning", "applied", "response", "said", "tasks"),
    [
        ("TAK", "accept", 1, "accepted", ["ack_accept"], []),
        ("👍", "accept", 1, "accepted", ["ack_accept"], []),
        ("\u0422\u0410\u041a", "accept", 1, "accepted", ["ack_accept"], []),
        ("Да, приду", "accept", 1, "accepted", ["ack_accept"], []),
        ("Так, буду", "accept", 1, "accepted", ["ack_accept"], []),
        ("Tak, spóźnię się", "accept", 1, "accepted", ["ack_accept"], []),
        ("NIE", "decline", 1, "declined", ["ack_decline"], []),
        ("2", "decline", 1, "declined", ["ack_decline"], []),
        ("odwołuję", "cancel", 1, "declined", ["ack_decline"], []),
        ("не приду", "cancel", 1, "declined", ["ack_decline"], []),
        ("3", "reschedule", 1, "tentative", ["reschedule_ack"], ["reschedule"]),
        (
            "Nie dam rady, proszę o inny termin",
            "reschedule", 0, "needs-action", ["reschedule_ack"], ["reschedule"],
        ),
        ("Zadzwoń", "callback", 1, "needs-action", ["callback_ack"], ["callback"]),
        (
            "nie, proszę o telefon",
            "decline+callback", 1, "declined", ["callback_ack"], ["callback"],
        ),
        ("tak, proszę o telefon", "accept+callback", 1, "accepted", ["callback_ack"], ["callback"]),
        ("dziękuję", "thanks", 1, "needs-action", [], []),
        ("kiedy wizyta?", "info", 1, "needs-action", ["info"], []),
        ("HELP", "help", 1, "needs-action", ["help"], []),
        ("START", "start", 1, "needs-action", [], []),
        ("Kto to?", "unclear", 0, "needs-action", ["unclear"], []),
        ("tak nie", "unclear", 0, "needs-action", ["unclear"], []),
        ("nie przyjdę, mam gorączkę", "cancel", 0, "needs-action", ["unclear"], []),
        ("Tak, spóźnię się 10 minut", "accept", 0, "needs-action", [], ["review"]),
        ("spóźnię się", "late", 0, "needs-action", [], ["review"]),
        ("", "unclear", 0, "needs-action", ["unclear"], []),
    ],
)  # fmt: skip
def test_an_answer_to_a_question(
    desk: AnswerDesk,
    text: str,
    meaning: str,
    applied: int,
    response: str,
    said: list[str],
    tasks: list[str],
) -> None:
    (row,) = desk.answer(text)
    assert (row["meaning"], row["applied"], row["appointment_id"]) == (meaning, applied, "A-1001")
    assert row["text"] == text
    assert bool(row["why"]) is not bool(applied)
    assert desk.response("A-1001") == response
    assert row["status"] == (response if response != "needs-action" else None)
    assert desk.said() == said
    assert [code for code, _ in desk.tasks()] == tasks


def test_a_yes_closes_the_question_and_plans_the_visit_anew(desk: AnswerDesk) -> None:
    desk.answer("TAK")
    (question,) = desk.rows("SELECT * FROM request WHERE kind = 'reminder'")
    assert question["answered"] == desk.now()
    assert desk.planner.asked == ["A-1001"]
    assert desk.visit("A-1001")["answered_at"] == desk.now()


def test_the_latest_certain_answer_wins_until_the_cut_off(desk: AnswerDesk) -> None:
    desk.answer("TAK")
    desk.it_is("2026-03-04 09:00")
    desk.answer("Nie przyjdę")
    assert desk.response("A-1001") == "declined"
    assert desk.said() == ["ack_accept", "ack_decline"]
    desk.it_is("2026-03-05 09:00")
    desk.answer("Jednak przyjdę")  # "after all" is a word too much
    desk.answer("TAK")  # a yes is fine at any time before the visit
    assert desk.response("A-1001") == "accepted"


def test_the_same_answer_again_is_not_answered_again(desk: AnswerDesk) -> None:
    first, second = desk.write("TAK"), desk.write("Tak!")
    assert desk.answering.step() == 2
    rows = desk.rows("SELECT * FROM response ORDER BY id")
    assert [row["inbox_id"] for row in rows] == [first, second]
    assert short(rows) == [("A-1001", "accept", 1, "accepted")] * 2
    assert desk.said() == ["ack_accept"]


def test_several_answers_at_once_count_in_their_order(desk: AnswerDesk) -> None:
    for text in ("TAK", "NIE", "Kto to?"):
        desk.write(text)
    desk.answering.step()
    assert desk.response("A-1001") == "declined"
    # The yes had not been acknowledged yet: only the last word is.
    waiting = [row["kind"] for row in desk.said_rows() if row["status"] == "active"]
    assert "ack_accept" not in waiting
    assert "ack_decline" in waiting


def test_another_date_after_a_no_does_not_take_the_visit_back(desk: AnswerDesk) -> None:
    desk.answer("NIE")
    desk.answer("proszę o inny termin")
    assert desk.response("A-1001") == "declined"
    assert [code for code, _ in desk.tasks()] == ["reschedule"]
    assert desk.said()[1:] == ["callback_ack"]  # no visit stands until then


def test_nothing_is_acknowledged_where_the_clinic_does_not_want_it(tmp_path: Path) -> None:
    desk = AnswerDesk(tmp_path, replies={"acknowledge": False})
    one_visit(desk)
    desk.answer("TAK")
    assert desk.said() == []
    desk.answer("Kto to?")
    assert desk.said() == ["received"]  # the question is closed: nothing to ask back
    desk.close()


@pytest.mark.parametrize(("clarify", "said"), [("0", []), ("2", ["unclear"])])
def test_how_often_an_answer_is_asked_back_can_be_chosen(
    tmp_path: Path, clarify: str, said: list[str]
) -> None:
    desk = AnswerDesk(tmp_path, replies={"clarify": clarify, "loop_hours": "0"})
    one_visit(desk)
    desk.answer("Kto to?")
    assert desk.said() == said
    desk.answer("aha")
    assert desk.said() == said * 2
    desk.answer("no i co")
    assert [code for code, _ in desk.tasks()] == ["review"]
    desk.close()


def test_who_objects_in_variant_b_is_rung_up(tmp_path: Path) -> None:
    desk = AnswerDesk(tmp_path)
    desk.patient("4711", "Anna")
    desk.book("A-1001", "4711", VISIT)
    desk.it_is("2026-03-03 10:00")
    desk.ask("A-1001", asks="object")
    (row,) = desk.answer("NIE")
    assert (row["asked"], row["status"]) == ("reminder_b", "declined")
    assert desk.tasks() == [("callback", "NIE")]
    assert row["task_id"] is not None
    assert desk.said() == ["ack_decline"]
    desk.close()


# -- too late, moved, gone ------------------------------------------------------------------------


def test_after_the_cut_off_a_no_is_work_at_once(desk: AnswerDesk) -> None:
    desk.it_is("2026-03-05 06:16")
    (row,) = desk.answer("NIE")
    assert short([row]) == [("A-1001", "decline", 0, None)]
    assert desk.response("A-1001") == "needs-action"
    assert desk.said() == ["too_late"]
    (task,) = desk.rows("SELECT * FROM task")
    assert (task["code"], task["about"], task["due"]) == ("urgent", "A-1001", desk.now())
    assert row["task_id"] == task["id"]


def test_a_minute_before_the_cut_off_a_no_is_applied(desk: AnswerDesk) -> None:
    desk.it_is("2026-03-05 06:15")
    desk.answer("NIE")
    assert desk.response("A-1001") == "declined"


@pytest.mark.parametrize("text", ["nie przyjdę, mam gorączkę", "zmiana terminu"])
def test_after_the_cut_off_whatever_may_be_a_no_is_urgent(desk: AnswerDesk, text: str) -> None:
    desk.it_is("2026-03-05 08:16")
    desk.answer(text)
    assert desk.tasks() == [("urgent", text)]


def test_an_answer_to_a_visit_that_has_moved_unasked_gets_the_new_time(desk: AnswerDesk) -> None:
    desk.book("A-1001", "4711", "2026-03-06 09:00", version=2)
    (row,) = desk.answer("TAK")
    assert short([row]) == [("A-1001", "accept", 0, None)]
    assert desk.response("A-1001") == "needs-action"
    said = desk.last_said()
    assert (said["kind"], said["asks"], said["about"]) == ("moved", "confirm", "A-1001")
    assert desk.shown(said["about_start"]) == "2026-03-06 09:00"
    assert [code for code, _ in desk.tasks()] == ["review"]


@pytest.mark.parametrize(
    ("minutes", "response"),
    [(9, "needs-action"), (11, "accepted")],  # this phone never confirms
)
def test_an_answer_to_the_new_time_counts_ten_minutes_on_without_any_report(
    desk: AnswerDesk, minutes: int, response: str
) -> None:
    desk.book("A-1001", "4711", "2026-03-06 09:00", version=2)
    desk.ask("A-1001", kind="changed", state="sent")
    desk.clock.advance(minutes * 60)
    desk.answer("TAK")
    assert desk.response("A-1001") == response


@pytest.mark.parametrize(("seconds", "response"), [(59, "needs-action"), (60, "accepted")])
def test_without_reports_a_new_time_counts_as_read_after_a_minute(
    tmp_path: Path, seconds: int, response: str
) -> None:
    modem = factories.make_modem("front", reports="off")
    desk = AnswerDesk(tmp_path, modems=[modem])
    one_visit(desk)
    desk.book("A-1001", "4711", "2026-03-06 09:00", version=2)
    desk.ask("A-1001", kind="changed", state="sent")
    with desk.db.write() as tx:
        tx.run(
            "INSERT INTO part (message_id, number, state, text, modem)"
            " SELECT max(id), 1, 'sent', 'text', 'front' FROM outbox"
        )
    desk.clock.advance(seconds)
    desk.answer("TAK")
    assert desk.response("A-1001") == response
    desk.close()


def test_a_new_time_that_has_not_left_yet_is_not_what_is_answered(desk: AnswerDesk) -> None:
    desk.book("A-1001", "4711", "2026-03-06 09:00", version=2)
    desk.ask("A-1001", kind="changed", state="queued")
    desk.clock.advance(3600)
    (row,) = desk.answer("TAK")
    assert (row["applied"], row["why"]) == (0, "the visit has moved")
    assert desk.response("A-1001") == "needs-action"
    assert desk.said() == []  # the new time is on its way


def test_what_was_written_before_a_text_left_does_not_answer_it(desk: AnswerDesk) -> None:
    desk.book("A-1001", "4711", "2026-03-06 09:00", version=2)
    written = desk.now()
    desk.clock.advance(7 * 60)
    desk.ask("A-1001", kind="changed")
    desk.clock.advance(3600)
    (row,) = desk.answer("TAK", service_centre_at=written)  # an hour in a modem without power
    assert row["applied"] == 0
    assert desk.response("A-1001") == "needs-action"


def test_a_service_centre_in_another_zone_is_not_believed(desk: AnswerDesk) -> None:
    written = desk.now()
    desk.clock.advance(3600)
    desk.answer("TAK", service_centre_at=written)
    assert desk.response("A-1001") == "accepted"


@pytest.mark.parametrize("status", ["cancelled", "fulfilled"])
def test_a_visit_that_is_not_ahead_is_left_to_a_person(desk: AnswerDesk, status: str) -> None:
    desk.book("A-1001", "4711", VISIT, status=status)
    (row,) = desk.answer("TAK")
    assert (row["applied"], row["status"]) == (0, None)
    assert desk.response("A-1001") == "needs-action"
    assert [code for code, _ in desk.tasks()] == ["review"]


def test_ok_to_a_cancellation_is_no_work(desk: AnswerDesk) -> None:
    desk.book("A-1001", "4711", VISIT, status="cancelled")
    desk.tell(PHONE, "cancelled", "A-1001")
    (row,) = desk.answer("Ok")
    assert (row["applied"], row["task_id"]) == (0, None)
    assert (desk.tasks(), desk.said()) == ([], [])


def test_a_visit_withdrawn_by_an_absence_is_not_confirmed(desk: AnswerDesk) -> None:
    desk.book("A-1001", "4711", VISIT, withdrawn="absence")
    (row,) = desk.answer("TAK")
    assert row["applied"] == 0
    assert desk.response("A-1001") == "needs-action"


def test_a_late_answer_counts_while_the_visit_lies_ahead(desk: AnswerDesk) -> None:
    with desk.db.write() as tx:
        tx.run("UPDATE request SET expires = ?", (desk.stored("2026-03-03 12:00"),))
    desk.it_is("2026-03-04 09:00")
    (row,) = desk.answer("TAK")
    assert (row["applied"], row["asked"]) == (1, "reminder_a")
    assert desk.response("A-1001") == "accepted"


def test_an_answer_after_the_visit_belongs_to_no_question(desk: AnswerDesk) -> None:
    desk.it_is("2026-03-05 11:00")
    (row,) = desk.answer("TAK")
    assert (row["applied"], row["asked"]) == (0, None)
    assert desk.response("A-1001") == "needs-action"
    assert [code for code, _ in desk.tasks()] == ["review"]


# -- families (R14) -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "anna", "lukasz", "said"),
    [
        ("TAK", "accepted", "accepted", "ack_several"),
        ("TAK 1", "accepted", "needs-action", "ack_accept"),
        ("NIE 2", "needs-action", "declined", "ack_decline"),
        ("TAK 1 NIE 2", "accepted", "declined", "ack_several"),
        ("Anna tak, Łukasz nie", "accepted", "declined", "ack_several"),
        ("NIE 0", "declined", "declined", "ack_several"),
        ("NIE", "needs-action", "needs-action", "unclear"),
        ("NIE 7", "needs-action", "needs-action", "unclear"),
    ],
)
def test_a_family_answers(tmp_path: Path, text: str, anna: str, lukasz: str, said: str) -> None:
    desk = family(tmp_path)
    desk.answer(text)
    assert (desk.response("A-1001"), desk.response("A-1002")) == (anna, lukasz)
    assert desk.said() == [said]
    desk.close()


@pytest.mark.parametrize(
    ("text", "anna", "lukasz"),
    [
        ("2", "needs-action", "declined"),
        ("1 i 2", "declined", "declined"),
        ("0", "declined", "declined"),
        ("NIE 1", "declined", "needs-action"),
        ("3", "needs-action", "needs-action"),
    ],
)
def test_after_which_one_a_number_is_enough(
    tmp_path: Path, text: str, anna: str, lukasz: str
) -> None:
    desk = family(tmp_path)
    desk.answer("NIE")
    assert json.loads(desk.last_said()["details"])["which"] is True
    desk.answer(text)
    assert (desk.response("A-1001"), desk.response("A-1002")) == (anna, lukasz)
    desk.close()


def test_a_yes_after_a_single_no_is_for_the_others(tmp_path: Path) -> None:
    desk = family(tmp_path)
    desk.answer("NIE 2")
    desk.answer("TAK")
    assert (desk.response("A-1001"), desk.response("A-1002")) == ("accepted", "declined")
    desk.close()


def test_of_a_family_one_may_be_too_late(tmp_path: Path) -> None:
    desk = AnswerDesk(tmp_path)
    desk.patient("4711", "Anna")
    desk.patient("4712", "Łukasz")
    desk.book("A-1001", "4711", VISIT)
    desk.book("A-1002", "4712", "2026-03-05 16:00")
    desk.it_is("2026-03-03 10:00")
    desk.ask("A-1001", "A-1002")
    desk.it_is("2026-03-05 08:00")
    rows = desk.answer("NIE 0")
    assert short(rows) == [
        ("A-1001", "decline", 0, None),
        ("A-1002", "decline", 1, "declined"),
    ]
    assert desk.said() == ["too_late"]
    assert [code for code, _ in desk.tasks()] == ["urgent"]
    desk.close()


@pytest.mark.parametrize(
    ("text", "response", "code"),
    [
        # Number 2 of the text of Tuesday is on Thursday; the newest text asks about Friday.
        ("NIE 2", "needs-action", "review"),
        ("TAK 1", "needs-action", "review"),
        ("TAK 1 NIE 2", "needs-action", "review"),
        ("NIE", "declined", None),
        ("TAK", "accepted", None),
        ("2", "declined", None),
    ],
)
def test_a_number_of_an_earlier_text_is_no_answer_to_a_later_one(
    tmp_path: Path, text: str, response: str, code: str | None
) -> None:
    desk = family(tmp_path)
    desk.answer("TAK")
    desk.book("A-1003", "4711", "2026-03-06 12:00")
    desk.it_is("2026-03-04 10:00")
    desk.ask("A-1003")
    desk.answer(text)
    assert desk.response("A-1003") == response
    assert desk.response("A-1001") == desk.response("A-1002") == "accepted"
    if text != "TAK 1 NIE 2":  # which is asked back, as ever
        assert [one for one, _ in desk.tasks()] == ([code] if code else [])
    desk.close()


def test_a_number_of_an_earlier_text_that_is_too_late_to_decline_is_urgent(tmp_path: Path) -> None:
    desk = family(tmp_path)
    desk.answer("TAK")
    desk.book("A-1003", "4711", "2026-03-06 12:00")
    desk.it_is("2026-03-04 10:00")
    desk.ask("A-1003")
    desk.it_is("2026-03-05 08:30")
    desk.answer("NIE 2")
    assert desk.response("A-1003") == "needs-action"
    assert [code for code, _ in desk.tasks()] == ["urgent"]
    assert desk.last_said()["kind"] == "too_late"
    desk.close()


def test_who_is_left_of_a_family_may_answer_with_the_number_of_before(tmp_path: Path) -> None:
    desk = family(tmp_path)
    desk.answer("TAK 1")
    desk.it_is("2026-03-04 10:00")
    desk.ask("A-1002")
    desk.answer("NIE 2")
    assert desk.response("A-1002") == "declined"
    assert desk.tasks() == []
    desk.close()


def test_a_certain_answer_to_the_next_text_closes_the_review_of_the_first(tmp_path: Path) -> None:
    desk = family(tmp_path)
    desk.answer("Kto to?")
    desk.answer("aha")
    assert desk.tasks() == [("review", "Kto to? | aha")]
    desk.it_is("2026-03-04 10:00")
    desk.ask("A-1001", "A-1002")
    desk.answer("TAK 1")
    assert desk.tasks() == [("review", "Kto to? | aha")]  # the other one is still open
    desk.answer("TAK")
    assert desk.tasks() == []
    desk.close()


def test_what_was_written_without_a_question_stays_for_a_person(tmp_path: Path) -> None:
    desk = AnswerDesk(tmp_path)
    desk.patient("4711", "Anna")
    desk.book("A-1001", "4711", VISIT)
    desk.answer("Czy mogę przyjść z dzieckiem?")
    desk.it_is("2026-03-03 10:00")
    desk.ask("A-1001")
    desk.answer("TAK")
    assert desk.response("A-1001") == "accepted"
    assert desk.tasks() == [("review", "Czy mogę przyjść z dzieckiem?")]
    desk.close()


def test_of_a_family_of_which_one_was_forgotten_the_number_still_counts(tmp_path: Path) -> None:
    desk = family(tmp_path)
    with desk.db.write() as tx:
        tx.run("DELETE FROM request WHERE about = 'A-1001'")
        tx.run("UPDATE outbox SET text = ''")
    (row,) = desk.answer("NIE 1")
    assert (row["applied"], row["why"]) == (0, "no such visit")
    assert desk.response("A-1002") == "needs-action"
    desk.answer("NIE 2")
    assert desk.response("A-1002") == "declined"
    desk.close()
