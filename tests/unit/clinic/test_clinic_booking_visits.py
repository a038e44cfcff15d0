# SPDX-License-Identifier: Apache-2.0
"""Visits as files tell of them: new, the same again, moved, off, missed; and what is said then."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from clinic_support import LANDLINE, OTHER_PHONE, PHONE, Clinic, make_patient, make_visit

from gsmgw import errors
from gsmgw.clinic.booking import Taken
from gsmgw.clinic.model import Kind, VisitStatus
from gsmgw.store import events

_TWO_QUESTIONS = ["2026-03-03 10:00 reminder", "2026-03-04 10:00 reminder"]


def test_new_visit_is_said_back_and_its_reminders_are_planned(clinic: Clinic) -> None:
    assert clinic.take(make_visit(practitioner="dr Jan Zieliński")) == Taken(3, ())
    assert clinic.plan() == ["2026-03-02 08:20 booked", *_TWO_QUESTIONS]
    visit = clinic.visit("A-1001")
    assert (visit["status"], visit["response"], visit["version"]) == ("booked", "needs-action", 1)
    assert (visit["variant"], visit["practitioner"]) == ("a", "dr Jan Zieliński")
    rows = clinic.waiting()
    assert {(row["phone"], row["patient_id"], row["category"]) for row in rows} == {
        (PHONE, "4711", "care")
    }
    assert rows[0]["same_as"] == "booked:A-1001:2026-03-05T09:15Z"


def test_same_record_again_changes_nothing(clinic: Clinic) -> None:
    record = make_visit(practitioner="dr Jan Zieliński", location="12", minutes=20)
    clinic.take(record)
    before = [*clinic.rows("SELECT * FROM request"), *clinic.rows("SELECT * FROM appointment")]
    count = len(clinic.rows("SELECT * FROM event"))
    clinic.it_is("2026-03-02 08:25")
    assert clinic.take(record) == Taken(0, ())
    after = [*clinic.rows("SELECT * FROM request"), *clinic.rows("SELECT * FROM appointment")]
    assert [tuple(row) for row in after] == [tuple(row) for row in before]
    assert len(clinic.rows("SELECT * FROM event")) == count


def test_booking_is_not_said_back_where_that_is_off_or_the_visit_is_near(
    clinic: Clinic, tmp_path: Path
) -> None:
    clinic.take(make_visit(start=clinic.at("2026-03-02 10:00")))
    assert clinic.plan() == []
    folder = tmp_path / "quiet"
    folder.mkdir()
    quiet = Clinic(folder, reminders={"booked": False})
    assert quiet.take(make_visit()) == Taken(2, ())
    assert quiet.plan() == _TWO_QUESTIONS
    quiet.close()


@pytest.mark.parametrize(
    ("start", "warnings"),
    [
        ("2026-03-02 10:19", ("too-late",)),
        ("2026-03-02 10:20", ()),
        ("2026-03-02 08:20", ("past",)),
        ("2026-02-27 10:00", ("past",)),
    ],
)
def test_visit_that_comes_late_is_stored_with_a_warning(
    clinic: Clinic, start: str, warnings: tuple[str, ...]
) -> None:
    taken = clinic.take(make_visit(start=clinic.at(start)))
    assert taken.warnings == warnings
    assert clinic.visit("A-1001")["status"] == "booked"
    clinic.it_is("2026-03-02 08:21")
    assert clinic.take(make_visit(start=clinic.at(start))) == Taken(0, ())


@pytest.mark.parametrize(
    ("patient", "service", "warning"),
    [
        ({"phone": LANDLINE}, None, "landline"),
        ({"phone": ""}, None, "no-phone"),
        ({"phone": "601 234"}, None, "bad-number"),
        ({"phone": "ask reception"}, None, "bad-number"),
        ({"consent": False}, None, "no-consent"),
        ({"active": False}, None, "inactive"),
        ({}, "PSY", "sensitive"),
        ({}, "psy", "sensitive"),
    ],
)
def test_who_cannot_be_texted_is_stored_with_a_warning(
    clinic: Clinic, patient: dict[str, Any], service: str | None, warning: str
) -> None:
    record = make_visit(patient=make_patient(**patient), service=service)
    assert clinic.take(record) == Taken(0, (warning,))
    assert clinic.take(record) == Taken(0, (warning,))
    assert clinic.plan() == []


def test_moved_visit_takes_back_answer_and_plan_and_asks_anew(clinic: Clinic) -> None:
    clinic.take(make_visit())
    clinic.said(1, 3)
    clinic.it_is("2026-03-03 12:00")
    with clinic.db.write() as tx:
        tx.run("UPDATE appointment SET response = 'accepted', answered_at = ?", (tx.now,))
    taken = clinic.take(make_visit(start=clinic.at("2026-03-06 09:00")))
    assert taken == Taken(3, ())
    assert clinic.fates()["reminder:A-1001:2026-03-05T09:15Z:1d@10:00"] == "moved"
    assert clinic.plan() == [
        "2026-03-03 12:00 changed",
        "2026-03-04 10:00 reminder",
        "2026-03-05 10:00 reminder",
    ]
    visit = clinic.visit("A-1001")
    assert (visit["version"], visit["response"], visit["answered_at"]) == (2, "needs-action", None)
    changed = clinic.waiting()[0]
    assert (changed["asks"], changed["about_start"]) == ("confirm", "2026-03-06T08:00:00.000Z")
    assert changed["priority"] == "urgent"


def test_visit_moved_away_and_back_before_that_was_said_is_no_news(clinic: Clinic) -> None:
    clinic.take(make_visit())
    clinic.said(3)
    clinic.it_is("2026-03-02 21:00")
    clinic.take(make_visit(start=clinic.at("2026-03-06 09:00")))
    clinic.it_is("2026-03-02 22:00")
    clinic.take(make_visit())
    assert clinic.plan() == _TWO_QUESTIONS


def test_visit_moved_away_and_back_after_that_was_said_is_news_again(clinic: Clinic) -> None:
    clinic.take(make_visit())
    clinic.said(3)
    for hour, start in (
        ("09", "2026-03-06 09:00"),
        ("10", "2026-03-05 10:15"),
        ("11", "2026-03-06 09:00"),
    ):
        clinic.it_is(f"2026-03-02 {hour}:00")
        clinic.take(make_visit(start=clinic.at(start)))
        (news,) = [row for row in clinic.waiting() if row["kind"] == Kind.CHANGED]
        assert clinic.shown(news["about_start"]) == start
        clinic.said(news["id"])


def test_cancelled_visit_is_told_in_the_window_and_once(clinic: Clinic) -> None:
    clinic.take(make_visit())
    clinic.said(1, 3)
    clinic.it_is("2026-03-04 07:00")
    off = make_visit(status=VisitStatus.CANCELLED)
    assert clinic.take(off) == Taken(1, ())
    assert clinic.plan() == ["2026-03-04 08:00 cancelled"]
    assert clinic.take(off) == Taken(0, ())
    assert clinic.fates()["reminder:A-1001:2026-03-05T09:15Z:1d@10:00"] == "cancelled"


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"status": VisitStatus.CANCELLED, "cancelled_by": "patient"}, None),
        ({"status": VisitStatus.CANCELLED, "cancelled_by": "error"}, None),
        ({"status": VisitStatus.ENTERED_IN_ERROR}, None),
        ({"status": VisitStatus.CANCELLED}, "declined"),
    ],
)
def test_cancellation_that_the_patient_knows_of_or_must_not_is_not_told(
    clinic: Clinic, fields: dict[str, Any], answer: str | None
) -> None:
    clinic.take(make_visit())
    if answer:
        clinic.answered(answer)
    assert clinic.take(make_visit(**fields)) == Taken(0, ())
    assert clinic.plan() == []


def test_cancellation_of_the_past_and_of_a_visit_never_seen_is_not_told(clinic: Clinic) -> None:
    clinic.take(make_visit("A-1", start=clinic.at("2026-03-02 08:00")))
    clinic.take(make_visit("A-1", clinic.at("2026-03-02 08:00"), status=VisitStatus.CANCELLED))
    clinic.take(make_visit("A-2", status=VisitStatus.CANCELLED))
    assert clinic.waiting() == []


@pytest.mark.parametrize(
    ("patient", "now", "task"),
    [
        (
            {"phone": LANDLINE},
            "2026-03-03 12:00",
            "unreachable cancelled 2026-03-05 10:15: tell the patient (landline)",
        ),
        (
            {"consent": False},
            "2026-03-03 12:00",
            "unreachable cancelled 2026-03-05 10:15: tell the patient (no-consent)",
        ),
        ({}, "2026-03-05 07:30", None),
        ({"active": False}, "2026-03-03 12:00", None),
    ],
)
def test_cancellation_that_no_text_can_tell_is_work(
    clinic: Clinic, patient: dict[str, Any], now: str, task: str | None
) -> None:
    who = make_patient(**patient)
    clinic.take(make_visit(patient=who))
    clinic.it_is(now)
    off = make_visit(patient=who, status=VisitStatus.CANCELLED)
    clinic.take(off)
    clinic.take(off)
    assert clinic.tasks() == ([task] if task else [])


def test_cancellation_at_night_of_an_early_visit_is_urgent_work(clinic: Clinic) -> None:
    early = clinic.at("2026-03-03 07:30")
    clinic.take(make_visit(start=early))
    clinic.it_is("2026-03-02 21:00")
    clinic.take(make_visit(start=early, status=VisitStatus.CANCELLED))
    assert clinic.plan() == []
    assert clinic.tasks() == [
        "urgent cancelled 2026-03-03 07:30: tell the patient (too late for a text)"
    ]


def test_visit_booked_again_is_told_if_its_cancellation_was(clinic: Clinic) -> None:
    clinic.take(make_visit())
    clinic.said(3)
    clinic.it_is("2026-03-02 10:00")
    clinic.take(make_visit(status=VisitStatus.CANCELLED))
    clinic.it_is("2026-03-02 10:05")
    clinic.take(make_visit(status=VisitStatus.BOOKED))
    assert clinic.plan() == _TWO_QUESTIONS  # nobody heard that it was off
    clinic.take(make_visit(status=VisitStatus.CANCELLED))
    (off,) = [row for row in clinic.waiting() if row["kind"] == Kind.CANCELLED]
    clinic.said(off["id"])
    clinic.it_is("2026-03-02 11:00")
    clinic.take(make_visit(status=VisitStatus.BOOKED))
    assert clinic.plan() == ["2026-03-02 11:00 changed", *_TWO_QUESTIONS]
    clinic.take(make_visit(status=VisitStatus.CANCELLED))
    assert clinic.plan() == ["2026-03-02 11:00 cancelled"]


@pytest.mark.parametrize("status", [VisitStatus.ARRIVED, VisitStatus.FULFILLED, VisitStatus.NOSHOW])
def test_visit_that_is_over_takes_back_what_was_planned(
    clinic: Clinic, status: VisitStatus
) -> None:
    clinic.take(make_visit())
    clinic.it_is("2026-03-02 09:00")
    clinic.take(make_visit(status=status))
    assert {row["kind"] for row in clinic.waiting()} <= {Kind.MISSED}
    assert clinic.fates()["reminder:A-1001:2026-03-05T09:15Z:2d@10:00"] == str(status)


def test_missed_visit_is_written_about_on_the_next_working_day(clinic: Clinic) -> None:
    start = clinic.at("2026-03-06 10:15")  # a Friday
    clinic.take(make_visit(start=start))
    clinic.it_is("2026-03-06 15:00")
    missed = make_visit(start=start, status=VisitStatus.NOSHOW)
    assert clinic.take(missed) == Taken(1, ())
    assert clinic.plan() == ["2026-03-09 10:00 missed"]
    assert clinic.take(missed) == Taken(0, ())
    clinic.take(make_visit(start=start, status=VisitStatus.FULFILLED))
    assert clinic.plan() == []


def test_visit_that_is_over_is_not_booked_again_by_a_list_that_still_names_it(
    clinic: Clinic,
) -> None:
    clinic.take(make_visit())
    clinic.it_is("2026-03-05 15:00")
    clinic.take(make_visit(status=VisitStatus.NOSHOW))
    assert clinic.take(make_visit(status=VisitStatus.BOOKED)) == Taken(0, ())
    assert clinic.visit("A-1001")["status"] == "noshow"
    assert clinic.plan() == ["2026-03-06 10:00 missed"]
    clinic.take(make_visit(start=clinic.at("2026-03-12 10:15"), status=VisitStatus.BOOKED))
    assert clinic.visit("A-1001")["status"] == "booked"


def test_missed_visit_is_not_written_about_if_another_lies_ahead(clinic: Clinic) -> None:
    start = clinic.at("2026-03-02 08:00")
    clinic.take(make_visit("A-1", start=start))
    clinic.take(make_visit("A-2"))
    clinic.take(make_visit("A-1", start=start, status=VisitStatus.NOSHOW))
    assert clinic.plan("A-1") == []


@pytest.mark.parametrize(("start", "texts"), [("2026-02-28 10:15", 1), ("2026-02-20 10:15", 0)])
def test_history_that_is_imported_makes_no_texts(clinic: Clinic, start: str, texts: int) -> None:
    record = make_visit(start=clinic.at(start), status=VisitStatus.NOSHOW)
    assert clinic.take(record).requests == texts


def test_answer_takes_back_what_was_planned_for_the_unanswered(clinic: Clinic) -> None:
    clinic.take(make_visit())
    clinic.said(1, 3)
    clinic.it_is("2026-03-03 10:10")
    clinic.answered("accepted")
    assert clinic.plan() == []
    assert clinic.fates()["reminder:A-1001:2026-03-05T09:15Z:1d@10:00"] == "answered"
    clinic.answered("needs-action")
    assert clinic.plan() == ["2026-03-04 10:00 reminder"]


def test_who_has_confirmed_long_before_is_reminded_without_a_question(clinic: Clinic) -> None:
    clinic.take(make_visit())
    clinic.answered("accepted")
    assert clinic.plan() == ["2026-03-02 08:20 booked", "2026-03-03 10:00 reminder"]
    assert [row["asks"] for row in clinic.waiting()] == [None, None]
    clinic.answered("declined")
    assert clinic.plan() == []


def test_visit_gets_its_date_later(clinic: Clinic) -> None:
    waits = make_visit(status=VisitStatus.WAITLIST)
    assert clinic.take(_without_start(waits)) == Taken(0, ())
    assert clinic.visit("A-1001")["start"] is None
    clinic.take(make_visit(status=VisitStatus.BOOKED))
    assert clinic.plan() == ["2026-03-02 08:20 booked", *_TWO_QUESTIONS]


def test_record_with_little_in_it_leaves_the_rest(clinic: Clinic) -> None:
    clinic.take(make_visit(practitioner="dr Jan Zieliński", minutes=20))
    bare = make_patient(None, given=None, phone=None)
    record = _without_start(make_visit(patient=bare, location="14"))
    assert clinic.take(record) == Taken(0, ())
    visit = clinic.visit("A-1001")
    assert (visit["practitioner"], visit["minutes"], visit["location"]) == (
        "dr Jan Zieliński",
        20,
        "14",
    )
    assert (visit["patient_id"], visit["version"], len(clinic.plan())) == ("4711", 1, 3)


def test_service_that_changes_changes_the_plan(clinic: Clinic) -> None:
    start = clinic.at("2026-03-12 10:15")
    clinic.take(make_visit(start=start))
    clinic.take(make_visit(start=start, service="ZAB"))
    assert clinic.plan()[1:] == ["2026-03-07 10:00 reminder", "2026-03-11 10:00 reminder"]
    clinic.take(make_visit(start=start, service="HIV"))
    assert clinic.plan() == []
    assert set(clinic.fates().values()) == {"replaced", "sensitive"}


def test_visit_that_becomes_anothers_goes_to_their_phone(clinic: Clinic) -> None:
    clinic.take(make_visit())
    clinic.answered("accepted")
    clinic.take(make_visit(patient=make_patient("4712", given="Ewa", phone=OTHER_PHONE)))
    visit = clinic.visit("A-1001")
    assert (visit["patient_id"], visit["response"]) == ("4712", "needs-action")
    rows = clinic.waiting()
    assert {(row["phone"], row["patient_id"]) for row in rows} == {(OTHER_PHONE, "4712")}
    assert len(rows) == 3


def test_snapshot_cancels_what_it_lacks(clinic: Clinic) -> None:
    with clinic.db.write() as tx:
        for name in ("first", "second", "third"):
            tx.run(
                "INSERT INTO import_file (name, done_name, taken_at) VALUES (?, ?, ?)",
                (name, name, tx.now),
            )
    stays, goes = make_visit("A-1"), make_visit("A-2", patient=make_patient("4712"))
    clinic.take(stays, file_id=1)
    clinic.take(goes, file_id=1)
    clinic.take(make_visit("A-3", patient=make_patient("4713")))  # by hand
    clinic.take(make_visit("A-4", start=clinic.at("2026-03-06 09:00")), file_id=1)  # another day
    clinic.take(stays, file_id=2)
    with clinic.db.write() as tx:
        assert clinic.booking.cancel_missing(tx, [dt.date(2026, 3, 5)], 2) == (1, True)
        assert clinic.booking.cancel_missing(tx, [dt.date(2026, 3, 5)], 2) == (0, True)
    statuses = {row["id"]: row["status"] for row in clinic.rows("SELECT * FROM appointment")}
    assert statuses == {"A-1": "booked", "A-2": "cancelled", "A-3": "booked", "A-4": "booked"}
    assert clinic.plan("A-2") == ["2026-03-02 08:20 cancelled"]
    clinic.it_is("2026-03-02 08:30")
    clinic.take(goes, file_id=3)  # it stands in the next one again
    assert clinic.visit("A-2")["status"] == "booked"
    assert clinic.visit("A-2")["withdrawn"] is None
    assert "2026-03-03 10:00 reminder" in clinic.plan("A-2")


def test_what_happened_to_a_visit_is_kept_with_who_said_so(clinic: Clinic) -> None:
    clinic.take(make_visit(), source="hl7")
    clinic.take(make_visit(start=clinic.at("2026-03-06 09:00")), source="reception")
    names = [(row["name"], row["detail"]) for row in events.newest(clinic.db, 10)]
    assert names == [
        ("visit.added", '{"visit": "A-1001", "who": "hl7"}'),
        ("visit.moved", '{"visit": "A-1001", "who": "reception"}'),
    ]


@pytest.mark.parametrize(
    ("fields", "column", "words"),
    [
        ({"visit_id": " "}, "appointment", "number"),
        ({"visit_id": "A-1\x00"}, "appointment", "A-1"),
        ({"visit_id": "A" * 101}, "appointment", "100"),
        ({"start": dt.datetime(1905, 3, 5, tzinfo=dt.UTC)}, "start", "1905-03-05"),
        ({"start": dt.datetime(2062, 3, 5, tzinfo=dt.UTC)}, "start", "three years"),
        ({"minutes": 0}, "minutes", "1 to 1440"),
        ({"minutes": 2000}, "minutes", "2000"),
        ({"practitioner": "x" * 101}, "practitioner", "101"),
        ({"patient": make_patient(None, phone=None)}, "patient", "neither"),
        ({"patient": make_patient("4" * 101)}, "patient", "100"),
        ({"patient": make_patient(given="A" * 200)}, "first", "200"),
    ],
)
def test_record_that_cannot_be_is_refused_in_words_and_leaves_nothing(
    clinic: Clinic, fields: dict[str, Any], column: str, words: str
) -> None:
    with clinic.db.write() as tx, pytest.raises(errors.RefusedRecordError) as caught:
        clinic.booking.take(tx, make_visit(**fields))
    assert caught.value.column == column
    assert words in str(caught.value)
    assert clinic.rows("SELECT id FROM appointment UNION SELECT id FROM patient") == []


def test_booked_visit_needs_a_start(clinic: Clinic) -> None:
    with pytest.raises(errors.RefusedRecordError, match="start") as caught:
        clinic.take(_without_start(make_visit()))
    assert caught.value.column == "start"


def test_rounds_replan_all_visits_ahead(clinic: Clinic) -> None:
    for index in range(5):
        clinic.take(make_visit(f"A-{index}", patient=make_patient(f"{index}")))
    with clinic.db.write() as tx:
        tx.run("DELETE FROM request")
        assert clinic.booking.replan_round(tx, "", 3) == "A-2"
        assert clinic.booking.replan_round(tx, "A-2", 3) == "A-4"
        assert clinic.booking.replan_round(tx, "A-4", 3) is None
    assert len(clinic.waiting()) == 10  # what happened once is not said again


def _without_start(record: Any) -> Any:
    return dataclasses.replace(record, start=None)
