# SPDX-License-Identifier: Apache-2.0
"""Notices of the clinic: delays, absences, results, texts of its own."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from clinic_support import LANDLINE, OTHER_PHONE, PHONE, Clinic, make_patient, make_visit

from gsmgw import errors
from gsmgw.clinic.booking import Taken
from gsmgw.clinic.model import Notice, VisitStatus
from gsmgw.model import Category
from gsmgw.store import consent

_DOCTOR = "dr Jan Zieliński"
_DAY = dt.date(2026, 3, 5)


def _delay(minutes: int | None = 30, **fields: Any) -> Notice:
    return Notice("delay", **{"practitioner": _DOCTOR, "day": _DAY, "minutes": minutes, **fields})


def _absence(**fields: Any) -> Notice:
    return Notice("absence", **{"practitioner": _DOCTOR, "day": _DAY, **fields})


def _kinds(clinic: Clinic, visit: str) -> list[str]:
    return [line.split()[-1] for line in clinic.plan(visit)]


@pytest.fixture
def thursday(clinic: Clinic) -> Clinic:
    """Four visits of one doctor and one of another; it is Thursday 10:20."""
    for index, (clock, doctor) in enumerate(
        [("10:15", _DOCTOR), ("11:00", _DOCTOR), ("11:30", _DOCTOR), ("12:00", _DOCTOR),
         ("11:00", "dr Ewa Lis")]
    ):  # fmt: skip
        patient = make_patient(f"47{index}", phone=f"+48500100{210 + index}")
        start = clinic.at(f"2026-03-05 {clock}")
        clinic.take(make_visit(f"A-{index}", start, patient, practitioner=doctor, location="12"))
    clinic.it_is("2026-03-05 10:20")
    with clinic.db.write() as tx:
        tx.run("UPDATE request SET status = 'revoked', reason = 'expired'")
    return clinic


def test_delay_is_told_to_those_still_to_come(thursday: Clinic) -> None:
    arrived = make_visit("A-2", status=VisitStatus.ARRIVED, start=thursday.at("2026-03-05 11:30"))
    thursday.take(arrived)
    with thursday.db.write() as tx:
        tx.run("UPDATE appointment SET response = 'declined' WHERE id = 'A-3'")
    assert thursday.take(_delay()) == Taken(1, ())
    assert thursday.plan("A-1") == ["2026-03-05 10:20 delayed"]
    (row,) = thursday.waiting()
    assert (row["about"], row["priority"], json.loads(row["details"])) == (
        "A-1",
        "asap",
        {"minutes": 30},
    )
    assert thursday.shown(row["expires"]) == "2026-03-05 11:00"
    assert thursday.take(_delay()) == Taken(0, ())


def test_second_delay_takes_the_place_of_one_that_was_not_said(thursday: Clinic) -> None:
    thursday.take(_delay(30))
    first = thursday.waiting()
    thursday.said(first[0]["id"])
    thursday.take(_delay(45))
    assert {json.loads(row["details"])["minutes"] for row in thursday.waiting()} == {45}
    assert len(thursday.waiting()) == 3
    assert thursday.fates("A-2")["delayed:A-2:2026-03-05T10:30Z:30"] == "replaced"


@pytest.mark.parametrize(
    ("begins", "due"),
    [
        ("2026-03-09 10:15", "2026-03-09 08:00"),
        # Who comes before texts may go out hears of it on the last evening, here a Saturday.
        ("2026-03-09 07:30", "2026-03-07 19:59"),
    ],
)
def test_delay_of_another_day_is_told_on_that_day(clinic: Clinic, begins: str, due: str) -> None:
    clinic.take(make_visit("A-9", clinic.at(begins), practitioner=_DOCTOR))
    clinic.it_is("2026-03-05 10:20")
    clinic.take(_delay(day=dt.date(2026, 3, 9)))
    assert f"{due} delayed" in clinic.plan("A-9")


def test_delay_finds_the_doctor_however_the_name_is_typed(thursday: Clinic) -> None:
    assert thursday.take(_delay(practitioner="DR  jan zielinski")).requests == 3
    assert thursday.take(_delay(20, practitioner=None, location="12")).requests == 4


def test_delay_of_a_visit_that_is_off_is_taken_back(thursday: Clinic) -> None:
    thursday.take(_delay())
    off = make_visit("A-1", thursday.at("2026-03-05 11:00"), make_patient("471", phone=None))
    thursday.take(off.__class__(id="A-1", patient=off.patient, status=VisitStatus.CANCELLED))
    assert _kinds(thursday, "A-1") == ["cancelled"]


@pytest.mark.parametrize(
    ("notice", "column", "words"),
    [
        (_delay(practitioner="dr Zielony"), "practitioner", "dr Ewa Lis, dr Jan Zieliński"),
        (_delay(day=dt.date(2026, 3, 9)), "practitioner", "none are known"),
        (_delay(practitioner=None), "practitioner", "needed"),
        (_delay(None), "minutes", "missing"),
        (_delay(0), "minutes", "1 to 720"),
        (_delay(practitioner=None, location="99"), "location", "known are 12"),
        (_absence(day=None), "from", "missing"),
        (_absence(last_day=dt.date(2026, 3, 4)), "to", "no possible range"),
        (_absence(last_day=dt.date(2028, 3, 4)), "to", "no possible range"),
        (_absence(practitioner="dr Zielony"), "practitioner", "known are"),
        (Notice("slot"), "kind", "delay, absence, results, regimen, text"),
    ],
)
def test_notice_that_fits_nobody_is_refused_in_words(
    thursday: Clinic, notice: Notice, column: str, words: str
) -> None:
    with pytest.raises(errors.RefusedRecordError) as caught:
        thursday.take(notice)
    assert caught.value.column == column
    assert words in str(caught.value)


def test_delay_of_a_day_that_is_over_says_nothing(thursday: Clinic) -> None:
    thursday.it_is("2026-03-05 15:00")
    assert thursday.take(_delay()) == Taken(0, ("past",))


def test_absence_calls_off_every_visit_in_it_and_says_no_more(clinic: Clinic) -> None:
    clinic.take(make_visit("A-1", practitioner=_DOCTOR))
    unreachable = make_patient("4712", phone=LANDLINE)
    clinic.take(make_visit("A-2", patient=unreachable, practitioner=_DOCTOR))
    other_day = clinic.at("2026-03-09 10:00")
    clinic.take(make_visit("A-3", other_day, make_patient("4713"), practitioner=_DOCTOR))
    clinic.take(make_visit("A-4", patient=make_patient("4714"), practitioner=_DOCTOR))
    clinic.answered("declined", "A-4")
    taken = clinic.take(_absence(last_day=dt.date(2026, 3, 8), text="cancelled"))
    assert taken == Taken(1, ("landline",))
    assert clinic.plan("A-1") == ["2026-03-02 08:20 cancelled"]
    assert clinic.plan("A-4") == []
    assert len(clinic.plan("A-3")) == 3
    assert clinic.tasks() == ["unreachable cancelled 2026-03-05 10:15: tell the patient (landline)"]
    assert clinic.visit("A-1")["status"] == "booked"  # that is the clinic's to say
    assert clinic.take(make_visit("A-1", practitioner=_DOCTOR)) == Taken(0, ())
    assert clinic.take(_absence(last_day=dt.date(2026, 3, 8))) == Taken(0, ("past",))
    off = make_visit("A-1", practitioner=_DOCTOR, status=VisitStatus.CANCELLED)
    assert clinic.take(off) == Taken(0, ())
    assert clinic.plan("A-1") == ["2026-03-02 08:20 cancelled"]


def test_visit_of_an_absent_doctor_that_moves_is_planned_again(clinic: Clinic) -> None:
    clinic.take(make_visit(practitioner=_DOCTOR))
    clinic.said(3)
    clinic.take(_absence())
    (off,) = clinic.waiting()
    clinic.said(off["id"])
    clinic.it_is("2026-03-02 09:00")
    clinic.take(make_visit(start=clinic.at("2026-03-10 09:00"), practitioner=_DOCTOR))
    assert _kinds(clinic, "A-1001") == ["changed", "reminder", "reminder"]


def test_visit_of_an_absent_doctor_that_another_takes_over_stands_again(clinic: Clinic) -> None:
    clinic.take(make_visit(practitioner=_DOCTOR))
    clinic.said(3)
    clinic.take(_absence())
    clinic.take(make_visit(practitioner="dr Ewa Lis"))
    assert _kinds(clinic, "A-1001") == ["reminder", "reminder"]  # nobody heard of the absence
    assert clinic.visit("A-1001")["withdrawn"] is None


def test_absence_may_have_words_of_its_own(clinic: Clinic) -> None:
    clinic.take(make_visit(practitioner=_DOCTOR))
    clinic.take(_absence(text="Wizyta odwołana. Zadzwonimy."))
    (row,) = clinic.waiting()
    assert json.loads(row["details"]) == {"text": "Wizyta odwołana. Zadzwonimy."}


def test_results_are_told_once_in_the_window(clinic: Clinic) -> None:
    clinic.take(make_patient())
    clinic.it_is("2026-03-02 21:00")
    notice = Notice("results", patient="4711", ref="LAB-77")
    assert clinic.take(notice) == Taken(1, ())
    assert clinic.take(notice) == Taken(0, ())
    (row,) = clinic.waiting()
    assert (row["same_as"], row["phone"], row["patient_id"]) == ("results:LAB-77", PHONE, "4711")
    assert (clinic.shown(row["due"]), clinic.shown(row["expires"])) == (
        "2026-03-03 08:00",
        "2026-03-10 08:00",
    )
    assert clinic.take(Notice("results", patient="4711")) == Taken(1, ())
    assert clinic.take(Notice("results", patient="4711")) == Taken(0, ())


@pytest.mark.parametrize(
    ("notice", "phone", "patient"),
    [
        (Notice("results", phone="500100201"), PHONE, "4711"),
        (Notice("results", phone=OTHER_PHONE), OTHER_PHONE, None),
        (Notice("results", patient="9", phone=OTHER_PHONE, language="es"), OTHER_PHONE, "9"),
    ],
)
def test_results_go_to_a_patient_or_to_a_phone(
    clinic: Clinic, notice: Notice, phone: str, patient: str | None
) -> None:
    clinic.take(make_patient())
    clinic.take(notice)
    (row,) = clinic.waiting()
    assert (row["phone"], row["patient_id"]) == (phone, patient)
    assert json.loads(row["details"]) == ({"language": "es"} if patient == "9" else {})


def test_results_that_no_text_can_tell_are_work(clinic: Clinic) -> None:
    clinic.take(make_patient(phone=LANDLINE))
    assert clinic.take(Notice("results", patient="4711")) == Taken(0, ("landline",))
    assert clinic.tasks() == ["unreachable results are ready: tell the patient (landline)"]


def test_own_text_has_its_own_times_words_and_priority(clinic: Clinic) -> None:
    notice = Notice(
        "text",
        phone=PHONE,
        text="  Prosimy o kontakt. ",
        due=clinic.at("2026-03-08 10:00"),  # a Sunday
        expires=clinic.at("2026-03-09 12:00"),
        ref="T-1",
    )
    assert clinic.take(notice, source="lab") == Taken(1, ())
    assert clinic.take(notice, source="lab") == Taken(0, ())
    (row,) = clinic.waiting()
    assert (row["same_as"], json.loads(row["details"])) == (
        "text:lab:T-1",
        {"text": "Prosimy o kontakt."},
    )
    assert (clinic.shown(row["due"]), clinic.shown(row["expires"])) == (
        "2026-03-07 19:59",
        "2026-03-09 12:00",
    )
    clinic.it_is("2026-03-02 23:00")
    clinic.take(Notice("text", phone=PHONE, text="Pilne.", priority="URGENT"))
    urgent = clinic.waiting()[0]
    assert (clinic.shown(urgent["due"]), urgent["priority"]) == ("2026-03-02 23:00", "urgent")


def test_own_text_without_a_reference_is_said_once_a_day(clinic: Clinic) -> None:
    notice = Notice("text", phone=PHONE, text="Prosimy o kontakt.")
    found = [clinic.take(notice).requests for _ in range(2)]
    found.append(clinic.take(Notice("text", phone=OTHER_PHONE, text=notice.text)).requests)
    clinic.it_is("2026-03-03 09:00")
    found.append(clinic.take(notice).requests)
    assert found == [1, 0, 1, 1]


@pytest.mark.parametrize(
    ("fields", "warning"),
    [
        ({"phone": LANDLINE}, "landline"),
        ({"category": "marketing"}, "no-consent"),
        ({"patient": "4712"}, "no-phone"),
        ({"phone": OTHER_PHONE}, "stopped"),
    ],
)
def test_own_text_that_may_not_go_out_is_a_warning(
    clinic: Clinic, fields: dict[str, Any], warning: str
) -> None:
    clinic.take(make_patient("4712", phone=""))
    with clinic.db.write() as tx:
        consent.decide(tx, OTHER_PHONE, Category.CARE, "deny", "sms")
    notice = Notice("text", **{"phone": PHONE, "text": "Prosimy o kontakt.", **fields})
    assert clinic.take(notice) == Taken(0, (warning,))


@pytest.mark.parametrize(
    ("fields", "column"),
    [
        ({"text": " "}, "text"),
        ({"text": "x" * 2000}, "text"),
        ({"phone": None}, "phone"),
        ({"phone": "ask"}, "phone"),
        ({"phone": None, "patient": "unknown"}, "patient"),
        ({"category": "spam"}, "category"),
        ({"priority": "soon"}, "priority"),
        ({"asks": "rating"}, "asks"),
        ({"expires": dt.datetime(2026, 3, 1, tzinfo=dt.UTC)}, "expires"),
    ],
)
def test_own_text_that_cannot_be_is_refused_and_leaves_nothing(
    clinic: Clinic, fields: dict[str, Any], column: str
) -> None:
    notice = Notice("text", **{"phone": PHONE, "text": "Prosimy o kontakt.", **fields})
    with clinic.db.write() as tx, pytest.raises(errors.RefusedRecordError) as caught:
        clinic.booking.take(tx, notice)
    assert caught.value.column == column
    assert clinic.waiting() == []
    assert clinic.rows("SELECT * FROM patient") == []


def test_an_absence_goes_on_where_others_wanted_to_write(thursday: Clinic) -> None:
    thursday.it_is("2026-03-05 08:30")
    found = []
    for _ in range(4):
        with thursday.db.write() as tx:
            found.append(thursday.booking.take(tx, _absence(), is_over=lambda: True))
    assert found == [Taken(1, is_whole=False)] * 3 + [Taken(1)]
    rows = thursday.rows("SELECT withdrawn FROM appointment ORDER BY start, id")
    assert sum(row["withdrawn"] == "absence" for row in rows) == 4
    assert thursday.take(_absence()) == Taken(0, ("past",))
