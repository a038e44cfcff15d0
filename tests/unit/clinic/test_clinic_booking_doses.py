# SPDX-License-Identifier: Apache-2.0
"""Medicines: doses planned day by day, over clock changes, never late; missed ones are counted."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from clinic_support import LANDLINE, OTHER_PHONE, PHONE, Clinic, make_patient

from gsmgw import errors
from gsmgw.clinic.booking import Taken
from gsmgw.clinic.model import Notice
from gsmgw.model import Category
from gsmgw.store import consent
from gsmgw.store.clinic import requests


def _regimen(*times: str, **fields: Any) -> Notice:
    given = {
        "patient": "4711",
        "times": times or ("08:00", "20:00"),
        "day": dt.date(2026, 3, 2),
        "last_day": dt.date(2026, 3, 12),
        "asks": "dose",
        **fields,
    }
    return Notice("regimen", **given)


def _count(clinic: Clinic) -> int:
    row = clinic.db.row("SELECT count(*) FROM request WHERE status = 'active'")
    return 0 if row is None else int(row[0])


def _day(clinic: Clinic) -> int:
    """Look after all regimens; return how many doses were planned."""
    before = _count(clinic)
    behind: int | None = 0
    while behind is not None:
        with clinic.db.write() as tx:
            behind = clinic.booking.dose_round(tx, clinic.clock.now(), behind)
    return _count(clinic) - before


def _doses(clinic: Clinic) -> list[str]:
    return [clinic.shown(row["due"]) for row in clinic.waiting() if row["kind"] == "dose"]


def _answer(clinic: Clinic, request_id: int, meaning: str) -> None:
    with clinic.db.write() as tx:
        tx.run("UPDATE request SET answered = ? WHERE id = ?", (tx.now, request_id))
        tx.insert(
            "INSERT INTO response (request_id, phone, meaning, applied, at) VALUES (?, ?, ?, 1, ?)",
            (request_id, PHONE, meaning, tx.now),
        )


@pytest.fixture
def patient(clinic: Clinic) -> Clinic:
    clinic.take(make_patient())
    return clinic


def test_doses_are_planned_for_today_and_tomorrow(patient: Clinic) -> None:
    assert not patient.booking.has_doses(patient.db)
    assert patient.take(_regimen()) == Taken(3, ())  # 8:00 today has passed
    assert patient.booking.has_doses(patient.db)
    assert _doses(patient) == ["2026-03-02 20:00", "2026-03-03 08:00", "2026-03-03 20:00"]
    row = patient.waiting()[0]
    assert (row["same_as"], row["asks"], row["priority"]) == (
        "dose:1:2026-03-02:20:00",
        "dose",
        "urgent",
    )
    assert json.loads(row["details"]) == {"time": "20:00", "regimen": 1}
    assert patient.shown(row["expires"]) == "2026-03-02 21:00"
    assert patient.take(_regimen()) == Taken(0, ())
    assert _day(patient) == 0
    patient.it_is("2026-03-03 00:00")
    assert _day(patient) == 2
    assert _doses(patient)[-2:] == ["2026-03-04 08:00", "2026-03-04 20:00"]


def test_regimen_ends_after_its_last_day(patient: Clinic) -> None:
    patient.take(_regimen("12:00", last_day=dt.date(2026, 3, 3)))
    assert _doses(patient) == ["2026-03-02 12:00", "2026-03-03 12:00"]
    patient.it_is("2026-03-04 00:05")
    assert _day(patient) == 0
    assert not patient.booking.has_doses(patient.db)


def test_dose_keeps_its_hour_at_night_on_sundays_and_over_the_change(patient: Clinic) -> None:
    patient.it_is("2026-03-28 20:00")
    patient.take(_regimen("06:30", "23:00", day=None, last_day=dt.date(2026, 4, 10)))
    patient.it_is("2026-03-29 00:00")
    _day(patient)
    assert _doses(patient) == [
        "2026-03-28 23:00",
        "2026-03-29 06:30",  # a Sunday, after the clock went forward
        "2026-03-29 23:00",
        "2026-03-30 06:30",
        "2026-03-30 23:00",
    ]


def test_no_dose_is_caught_up_with_after_an_outage(patient: Clinic) -> None:
    patient.take(_regimen())
    patient.it_is("2026-03-06 09:00")
    _day(patient)
    assert _doses(patient)[3:] == ["2026-03-06 20:00", "2026-03-07 08:00", "2026-03-07 20:00"]


def test_a_dose_that_an_outage_kept_from_being_planned_is_said_within_its_hour(
    patient: Clinic,
) -> None:
    patient.take(_regimen())
    patient.it_is("2026-03-06 08:20")
    _day(patient)
    assert "2026-03-06 08:00" in _doses(patient)


def test_regimen_of_a_reference_is_changed_and_ended_by_it(patient: Clinic) -> None:
    patient.take(_regimen(ref="R-1"))
    assert patient.take(_regimen("9:30", "18:00", ref="R-1")) == Taken(4, ())
    assert _doses(patient)[:2] == ["2026-03-02 09:30", "2026-03-02 18:00"]
    assert len(_doses(patient)) == 4
    ended = Notice("regimen", patient="4711", ref="R-1", last_day=dt.date(2026, 3, 12))
    assert patient.take(ended) == Taken(0, ())
    assert _doses(patient) == []
    assert not patient.booking.has_doses(patient.db)


def test_doses_move_with_the_phone_and_come_back_with_consent(patient: Clinic) -> None:
    patient.take(_regimen())
    patient.take(make_patient(phone=OTHER_PHONE))
    assert {(row["phone"], row["asks"]) for row in patient.waiting()} == {(OTHER_PHONE, "dose")}
    patient.take(make_patient(phone=None, consent=False))
    assert _doses(patient) == []
    assert _day(patient) == 0
    patient.take(make_patient(phone=None, consent=True))
    assert _day(patient) == 3
    assert len(_doses(patient)) == 3


def test_doses_come_back_after_a_stop_was_undone(patient: Clinic) -> None:
    patient.take(_regimen())
    with patient.db.write() as tx:
        consent.decide(tx, PHONE, Category.CARE, "deny", "sms")
        requests.revoke_phone(tx, PHONE, "stopped")
    assert _day(patient) == 0
    with patient.db.write() as tx:
        consent.decide(tx, PHONE, Category.CARE, "permit", "sms")
    assert _day(patient) == 3


def test_regimen_that_does_not_ask_has_a_text_without_a_question(patient: Clinic) -> None:
    patient.take(_regimen(asks=None))
    row = patient.waiting()[0]
    assert row["asks"] is None
    assert json.loads(row["details"])["template"] == "dose_plain"


def test_regimen_finds_its_patient_by_phone(patient: Clinic) -> None:
    patient.take(_regimen(patient=None, phone=PHONE))
    patient.take(_regimen("12:00", patient=None, phone=OTHER_PHONE, language="es"))
    owners = patient.rows("SELECT patient_id FROM regimen ORDER BY id")
    assert [row["patient_id"] for row in owners] == ["4711", OTHER_PHONE]
    patient.take(make_patient("4712"))
    with pytest.raises(errors.RefusedRecordError, match="2 patients"):
        patient.take(_regimen(patient=None, phone=PHONE))


@pytest.mark.parametrize(
    ("missed", "tasks"),
    [
        (["no", "no", "no"], 1),
        (["no", "silence", "no"], 1),
        (["no", "yes", "no"], 0),
        (["no", "no", "yes"], 0),
        (["silence", "silence"], 0),
        (["silence", "silence", "silence", "silence"], 1),
    ],
)
def test_doses_missed_in_a_row_are_work_once(
    patient: Clinic, missed: list[str], tasks: int
) -> None:
    patient.take(_regimen("12:00"))
    for index, answer in enumerate(missed):
        patient.it_is(f"2026-03-{2 + index:02d} 12:00")
        _day(patient)
        dose = patient.waiting()[0]
        patient.said(dose["id"])
        if answer != "silence":
            _answer(patient, dose["id"], {"yes": "accept", "no": "decline"}[answer])
        patient.it_is(f"2026-03-{2 + index:02d} 13:30")
        _day(patient)
        _day(patient)
    note = "urgent 3 reminders of a medicine in a row without a yes"
    assert patient.tasks() == [note] * tasks


def test_regimen_of_somebody_who_cannot_be_texted_is_kept_with_a_warning(clinic: Clinic) -> None:
    clinic.take(make_patient(phone=LANDLINE))
    assert clinic.take(_regimen()) == Taken(0, ("landline",))
    with clinic.db.write() as tx:
        consent.decide(tx, PHONE, Category.CARE, "deny", "sms")
    clinic.take(make_patient(phone=PHONE))
    assert _day(clinic) == 0


@pytest.mark.parametrize(
    ("notice", "column"),
    [
        (_regimen("8 o'clock"), "times"),
        (_regimen("24:00"), "times"),
        (_regimen(*(f"{hour}:{minute}" for hour in range(24) for minute in (10, 40))), "times"),
        (Notice("regimen", patient="4711", last_day=dt.date(2026, 3, 12)), "times"),
        (_regimen(last_day=None), "to"),
        (_regimen(last_day=dt.date(2026, 3, 1)), "to"),
        (_regimen(last_day=dt.date(2029, 3, 1)), "to"),
        (_regimen(patient="unknown"), "patient"),
        (_regimen(patient=None), "patient"),
        (_regimen(patient=None, phone="ask"), "patient"),
    ],
)
def test_regimen_that_cannot_be_is_refused(clinic: Clinic, notice: Notice, column: str) -> None:
    clinic.take(make_patient())
    with clinic.db.write() as tx, pytest.raises(errors.RefusedRecordError) as caught:
        clinic.booking.take(tx, notice)
    assert caught.value.column == column
    assert clinic.rows("SELECT * FROM regimen") == []


def test_a_round_goes_on_behind_the_regimen_at_which_others_wanted_to_write(
    patient: Clinic,
) -> None:
    for reference in ("R-1", "R-2", "R-3"):
        patient.take(_regimen(ref=reference))
    patient.it_is("2026-03-03 07:00")
    asked = iter([False, True, False, False])
    with patient.db.write() as tx:
        behind = patient.booking.dose_round(tx, patient.clock.now(), 0, lambda: next(asked))
    assert behind == 1
    assert _planned_to(patient) == ["2026-03-04", "2026-03-03", "2026-03-03"]
    with patient.db.write() as tx:
        assert patient.booking.dose_round(tx, patient.clock.now(), 1, lambda: next(asked)) is None
    assert _planned_to(patient) == ["2026-03-04"] * 3


def _planned_to(clinic: Clinic) -> list[str]:
    return [row["planned_to"] for row in clinic.db.rows("SELECT * FROM regimen ORDER BY id")]
