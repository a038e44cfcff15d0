# SPDX-License-Identifier: Apache-2.0
"""`gsmgw clinic`: work, visits, calls, conversations and texts, as reception types them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cli_support
import pytest
from cli_clinic_support import DAY, Office

from gsmgw import logs

ANNA, LANDLINE = "+48500100211", "+48815551234"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.database.close()
    logs.configure()


def test_without_a_clinic_commands_say_what_to_do(place: cli_support.Place) -> None:
    result = place.run("clinic", "tasks")
    assert result.exit_code == 78
    assert "docs/clinic.md" in result.output


# -- work -----------------------------------------------------------------------------------------


def test_work_is_made_taken_and_closed(office: Office) -> None:
    task = office.clinic(
        "task", "add", "callback", "--phone", ANNA, "--note", "asks", "--who", "Jan"
    )
    assert task == "1\n"
    assert ANNA in office.clinic("tasks")
    office.clinic("task", "take", 1, "--owner", "Ewa", "--who", "Jan")
    office.clinic("task", "done", 1, "--note", "rang", "--who", "Jan")
    assert office.rows("tasks") == []
    (row,) = office.rows("tasks", "--all")
    assert (row["status"], row["owner"], row["outcome"]) == ("completed", "Ewa", "rang")
    assert [event["who"] for event in office.events("task.taken")] == ["Jan"]
    assert [event["who"] for event in office.events("task.reported")] == ["Jan"]


def test_a_closed_task_is_not_closed_again_and_the_others_are(office: Office) -> None:
    office.clinic("task", "add", "callback", "--phone", ANNA)
    office.fails(65, "task", "done", 9, 1)
    assert office.rows("tasks") == []
    office.fails(65, "task", "cancel", 1)
    office.fails(65, "task", "take", 1)


def test_a_task_is_about_a_visit_that_is_known(office: Office) -> None:
    office.book()
    office.clinic("task", "add", "review", "--visit", "A-1")
    (row,) = office.rows("tasks")
    assert (row["patient_id"], row["phone"], row["first"]) == ("4711", ANNA, "Anna")
    office.fails(65, "task", "add", "review", "--visit", "A-9")
    office.fails(65, "task", "add", "review", "--patient", "9")


# -- visits ---------------------------------------------------------------------------------------


def test_a_visit_by_hand_is_planned_like_one_of_a_file(office: Office) -> None:
    assert office.book(last="Lipa") == "2 texts planned\n"
    assert office.book(last="Lipa") == "0 texts planned\n"
    (row,) = office.rows("visits", "--day", DAY)
    assert (row["id"], row["family"], row["response"]) == ("A-1", "Lipa", "needs-action")
    assert [one["kind"] for one in office.rows("requests")] == ["reminder"] * 2
    assert "Anna Lipa" in office.clinic("visits")
    assert office.rows("visits", "--patient", "9") == []
    assert len(office.rows("visits", "--phone", "500100211", "--unanswered")) == 1


def test_a_cancelled_visit_is_told_unless_the_patient_wished_it(office: Office) -> None:
    office.book()
    office.book("A-2", "4712", "+48500100212")
    office.clinic("visit", "cancel", "A-1")
    office.clinic("visit", "cancel", "A-2", "--by-patient")
    waiting = office.rows("requests", "--due")
    assert [(one["kind"], one["about"]) for one in waiting] == [("cancelled", "A-1")]
    assert {one["reason"] for one in office.rows("requests", "--not-said")} == {"cancelled"}
    office.fails(65, "visit", "cancel", "A-9")


def test_a_sensitive_visit_is_never_spoken_of(office: Office) -> None:
    assert office.book(service="HIV") == "0 texts planned, sensitive\n"
    office.clinic("visit", "add", "A-1", f"{DAY} 12:15")
    office.clinic("visit", "cancel", "A-1")
    # A person is told to ring instead; the patient's phone gets nothing.
    found = office.database.rows("SELECT * FROM request WHERE category <> 'staff'")
    assert {row["status"] for row in found} <= {"revoked"}
    assert [row["code"] for row in office.rows("tasks")] == ["unreachable"]
    assert office.rows("calls") == []


def test_a_patient_by_hand(office: Office) -> None:
    office.clinic("patient", "add", "4711", "--phone", ANNA, "--language", "uk", "--no-consent")
    office.book()
    assert office.rows("requests") == []
    assert [row["why"] for row in office.rows("calls")] == ["no-consent"]
    office.clinic("patient", "add", "4711", "--consent")
    assert len(office.rows("requests")) == 2
    office.fails(65, "visit", "add", "A-2", f"{DAY} 10:15")


@pytest.mark.parametrize(
    "words",
    [
        ("visits", "--day", DAY, "--to", DAY),
        ("visits", "--day", "tomorrow"),
        ("requests", "--due", "--not-said"),
        ("calls", "done", "A-1"),
        ("calls", "next", "A-1"),
        ("calls", "done", "A-1", "perhaps"),
        ("say", ANNA),
        ("say", ANNA, "text", "--template", "results"),
        ("replies", "--csv", "--json"),
        ("consent", ANNA, "perhaps"),
    ],
)
def test_what_is_typed_wrongly_exits_with_64(office: Office, words: tuple[str, ...]) -> None:
    # In the process of the test click's own error stands for it; `main` maps it to 64.
    result = office.run("clinic", *words)
    assert result.exit_code == 64, result.output


# -- calls ----------------------------------------------------------------------------------------


def test_an_answer_by_phone_counts_like_one_by_sms(office: Office) -> None:
    office.book(phone=LANDLINE)
    office.book("A-2", "4712")
    assert [(row["appointment"], row["why"]) for row in office.rows("calls")] == [
        ("A-1", "landline")
    ]
    office.clinic("calls", "done", "A-1", "accepted", "--who", "Ewa")
    office.clinic("calls", "done", "A-2", "declined")
    assert office.rows("calls") == []
    assert office.rows("requests") == []
    found = {row["id"]: row["response"] for row in office.rows("visits")}
    assert found == {"A-1": "accepted", "A-2": "declined"}
    answers = [
        (row["appointment_id"], row["status"], row["asked"]) for row in office.rows("replies")
    ]
    assert answers == [("A-1", "accepted", "call"), ("A-2", "declined", "call")]
    assert office.events("call.made")[0]["who"] == "Ewa"


def test_after_the_last_try_a_person_decides(office: Office) -> None:
    office.book(phone=LANDLINE)
    for outcome in ("busy", "noanswer"):
        office.clinic("calls", "done", "A-1", outcome)
        assert office.rows("tasks") == []
    (row,) = office.rows("calls", "next")
    assert (row["attempts"], row["outcome"]) == (2, "noanswer")
    assert "task 1" in office.clinic("calls", "done", "A-1", "machine")
    (task,) = office.rows("tasks")
    assert (task["code"], task["about"]) == ("unreachable", "A-1")
    assert office.rows("calls") == []
    office.clinic("calls", "done", "A-1", "accepted")
    assert office.rows("tasks") == []
    assert "reached at 3" in office.clinic("stats")


def test_a_wrong_number_is_work_at_once(office: Office) -> None:
    office.book(phone=LANDLINE)
    office.clinic("calls", "done", "A-1", "wrong")
    assert [row["note"] for row in office.rows("tasks")] == ["wrong number"]
    office.fails(65, "calls", "done", "A-9", "busy")


# -- conversations --------------------------------------------------------------------------------


def test_a_thread_shows_both_directions_in_order(office: Office) -> None:
    office.book()
    office.message("Prosimy przyjść wcześniej", to=ANNA)
    office.clinic("calls", "done", "A-1", "answered", "--note", "spoke to her")
    office.arrive("Dobrze\n\x1b[31m", sender=ANNA)
    with office.database.write() as tx:
        tx.run("UPDATE inbox SET received_at = '2099-01-01T10:00:00.000Z'")
    shown = office.clinic("thread", "500 100 211")
    assert "\x1b" not in shown
    entries = office.rows("thread", ANNA)
    assert [entry["direction"] for entry in entries] == ["out", "call", "in"]
    assert entries[1]["text"] == "spoke to her"


def test_say_writes_now_and_not_to_whom_must_not_be_written(office: Office) -> None:
    assert office.clinic("say", ANNA, "Prosimy zadzwonić", "--who", "Ewa") == "1\n"
    (row,) = office.database.rows("SELECT * FROM request")
    assert (row["kind"], row["priority"], row["phone"]) == ("text", "urgent", ANNA)
    assert office.events("request.added")[0]["who"] == "Ewa"
    office.book()
    said = office.rows("say", ANNA, "--template", "reminder_a")
    assert "10:15" in said["text"]
    for words in (
        ("say", LANDLINE, "x"),
        ("say", ANNA, " "),
        ("say", "nobody", "x"),
        ("say", ANNA, "--template", "delayed"),
        ("say", ANNA, "--template", "staff_review"),
        ("say", "+48500100219", "--template", "reminder_a"),
    ):
        office.fails(65, *words)
    office.clinic("consent", ANNA, "deny")
    office.fails(65, "say", ANNA, "x")


def test_consent_by_hand_stops_and_permits(office: Office) -> None:
    office.book()
    office.clinic("consent", ANNA, "deny", "--who", "Ewa")
    assert {one["reason"] for one in office.rows("requests", "--not-said")} == {"stopped"}
    assert [row["why"] for row in office.rows("calls")] == ["stopped"]
    office.clinic("task", "add", "stopped", "--phone", ANNA)
    office.clinic("consent", ANNA, "permit", "--category", "survey")
    assert [one["code"] for one in office.rows("tasks")] == ["stopped"]
    office.clinic("consent", ANNA, "permit", "--who", "Ewa")
    assert office.rows("tasks") == []  # nobody has to ring in the place of texts
    assert len(office.rows("requests")) == 2
    found = office.rows("consent", ANNA)
    assert (found["care"], found["marketing"]) == ("permit", "deny")
    assert office.rows("tasks", "--all")[0]["owner"] == "Ewa"
    assert office.events("consent.denied")[0] == {
        "who": "Ewa",
        "phone": "+48500***211",
        "categories": "care survey marketing",
    }


# -- texts and figures ----------------------------------------------------------------------------


def test_templates_tell_how_long_texts_become(office: Office) -> None:
    found = office.rows("templates")
    assert {"reminder_a", "stop_ack"} <= {one["template"] for one in found}
    assert all(one["parts"] >= 1 and one["text"] for one in found)
    assert {one["language"] for one in office.rows("templates", "reminder_a")} >= {"pl", "es", "ru"}
    (one,) = office.rows("templates", "reminder_a", "--language", "ru")
    assert one["room"] == 70
    assert one["because"]
    assert "because of" in office.clinic("templates", "reminder_a", "--language", "ru")
    office.fails(65, "templates", "nothing")


def test_replies_as_the_list_has_them(office: Office) -> None:
    office.book()
    office.clinic("calls", "done", "A-1", "accepted")
    table = office.clinic("replies", "--csv")
    assert "A-1" in table
    assert "accepted" in table
    assert "A-1" in office.clinic("replies")
    assert office.rows("replies", "--since", "2099-01-01") == []


def test_stats_of_a_day(office: Office) -> None:
    office.book()
    assert "nothing" in office.clinic("stats", "--day", "2020-01-01")
    kinds = {row["kind"]: row for row in office.rows("stats", "--day", DAY)}
    assert kinds["visits"]["visits"] == 1
