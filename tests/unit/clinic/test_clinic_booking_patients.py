# SPDX-License-Identifier: Apache-2.0
"""Patients as files tell of them, and what a change of one means for what is planned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clinic_support import (
    LANDLINE,
    OTHER_PHONE,
    PHONE,
    THIRD_PHONE,
    Clinic,
    make_patient,
    make_visit,
)

from gsmgw import errors
from gsmgw.clinic.booking import Reach, Taken
from gsmgw.clinic.model import Notice
from gsmgw.model import Category
from gsmgw.store import consent
from gsmgw.store.clinic import people

_QUESTIONS = ["2026-03-03 10:00 reminder", "2026-03-04 10:00 reminder"]


@pytest.fixture
def greeting(tmp_path: Path) -> Iterator[Clinic]:
    folder = tmp_path / "greeting"
    folder.mkdir()
    made = Clinic(folder, reminders={"welcome": True, "booked": False})
    yield made
    made.close()


def _patient(clinic: Clinic, patient_id: str = "4711") -> dict[str, Any]:
    row = people.get(clinic.db, patient_id)
    assert row is not None
    return dict(row)


def _stop(clinic: Clinic, phone: str = PHONE, decided: str = "deny") -> None:
    with clinic.db.write() as tx:
        consent.decide(tx, phone, Category.CARE, decided, "sms")


def test_patient_is_stored_as_the_file_says(clinic: Clinic) -> None:
    record = make_patient(
        given=" Anna \x07 Maria",
        family="Kowalska",
        phone="500 100 201",
        phone_of="guardian",
        language="PL-pl",
        birth_date="1984-05-12",
        gender="Female",
        consent=True,
    )
    assert clinic.take(record) == Taken(0, ())
    found = _patient(clinic)
    del found["updated_at"]
    assert found == {
        "id": "4711",
        "given": "Anna Maria",
        "family": "Kowalska",
        "phone": PHONE,
        "phone_type": "mobile",
        "phone_of": "guardian",
        "language": "pl",
        "birth_date": "1984-05-12",
        "gender": "female",
        "consent": "permit",
        "active": 1,
    }


def test_what_a_file_does_not_say_stays(clinic: Clinic) -> None:
    clinic.take(make_patient(family="Kowalska", language="es", consent=False))
    clinic.it_is("2026-03-02 09:00")
    clinic.take(make_patient(phone=None, given=None, language="?"))
    found = _patient(clinic)
    assert [found[name] for name in ("given", "family", "phone", "language", "consent")] == [
        "Anna",
        "Kowalska",
        PHONE,
        "es",
        "deny",
    ]
    assert found["updated_at"] == "2026-03-02T07:20:00.000Z"


@pytest.mark.parametrize(
    ("phone", "stored", "kind", "warnings"),
    [
        ("+44 7700 900123", "+447700900123", "mobile", ()),
        ("0048500100201", PHONE, "mobile", ()),
        ("81 555 12 34", LANDLINE, "landline", ()),
        ("", None, None, ()),
        ("500 100 201, 500 100 202", PHONE, "mobile", ()),
        ("81 555 12 34 / 500-100-201", PHONE, "mobile", ()),
        ("81 555 12 34 lub 81 555 12 35", LANDLINE, "landline", ()),
        ("500 100 201 (mama)", None, None, ("bad-number",)),
        ("112", None, None, ("bad-number",)),
        ("500 100", None, None, ("bad-number",)),
    ],
)
def test_phone_is_read_and_known_as_mobile_or_not(
    clinic: Clinic, phone: str, stored: str | None, kind: str | None, warnings: tuple[str, ...]
) -> None:
    clinic.take(make_patient(phone=OTHER_PHONE))
    assert clinic.take(make_patient(phone=phone)).warnings == warnings
    found = _patient(clinic)
    assert (found["phone"], found["phone_type"]) == (stored, kind)


def test_two_children_without_numbers_on_one_phone_stay_two(clinic: Clinic) -> None:
    for visit, given in (("A-1", "Anna"), ("A-2", "Łukasz"), ("A-3", "anna ")):
        clinic.take(make_visit(visit, patient=make_patient(None, given=given)))
    here = people.on_phone(clinic.db, PHONE)
    assert sorted(row["id"] for row in here) == [f"{PHONE}/anna", f"{PHONE}/lukasz"]
    clinic.take(make_patient(None, given=None))
    assert people.get(clinic.db, PHONE) is not None


def test_patient_without_number_and_phone_is_refused(clinic: Clinic) -> None:
    with pytest.raises(errors.RefusedRecordError, match="neither") as caught:
        clinic.take(make_patient(None, phone="ask"))
    assert caught.value.column == "patient"


def test_new_phone_takes_along_what_waits_and_closes_questions_on_the_old_one(
    clinic: Clinic,
) -> None:
    clinic.take(make_visit())
    clinic.take(Notice("results", patient="4711", due=clinic.at("2026-03-04 12:00")))
    clinic.said(1, 3)
    clinic.it_is("2026-03-03 11:00")
    clinic.take(make_patient(phone=OTHER_PHONE))
    assert {row["phone"] for row in clinic.waiting()} == {OTHER_PHONE}
    assert [row["kind"] for row in clinic.waiting()] == ["reminder", "results"]
    (asked,) = clinic.rows("SELECT * FROM request WHERE status = 'completed' AND asks IS NOT NULL")
    assert clinic.shown(asked["expires"]) == "2026-03-03 11:00"
    assert asked["phone"] == PHONE


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"phone": ""}, "no-phone"),
        ({"phone": LANDLINE}, "landline"),
        ({"consent": False}, "no-consent"),
        ({"active": False}, "inactive"),
    ],
)
def test_who_can_be_texted_no_longer_is_not_and_may_be_again(
    clinic: Clinic, change: dict[str, Any], reason: str
) -> None:
    clinic.take(make_visit())
    clinic.said(3)
    clinic.take(Notice("text", patient="4711", text="Prosimy o kontakt."))
    clinic.take(make_patient(**change))
    assert clinic.waiting() == []
    reasons = clinic.rows("SELECT DISTINCT reason FROM request WHERE status = 'revoked'")
    assert [row["reason"] for row in reasons] == [reason]
    clinic.it_is("2026-03-03 12:00")
    clinic.take(make_patient(consent=True, active=True))
    assert clinic.plan() == ["2026-03-04 10:00 reminder"]  # what has passed is not caught up with


def test_yes_in_a_file_does_not_override_a_stop(clinic: Clinic) -> None:
    clinic.take(make_visit())
    _stop(clinic)
    clinic.replan()
    assert set(clinic.fates().values()) == {"stopped"}
    again = make_visit(patient=make_patient(consent=True))
    assert clinic.take(again) == Taken(0, ("stopped",))
    _stop(clinic, decided="permit")
    assert clinic.replan() == 2
    assert clinic.plan() == _QUESTIONS


@pytest.mark.parametrize(
    ("stops", "category", "hindrance"),
    [
        ("all", Category.CARE, "stopped"),
        ("marketing", Category.CARE, None),
        ("off", Category.CARE, None),
        ("all", Category.MARKETING, "no-consent"),
        ("all", Category.STAFF, None),
    ],
)
def test_stop_ends_what_the_configuration_says(
    tmp_path: Path, stops: str, category: Category, hindrance: str | None
) -> None:
    clinic = Clinic(tmp_path, replies={"stop": stops})
    _stop(clinic)
    assert Reach(clinic.config).of_phone(clinic.db, PHONE, category) == hindrance
    clinic.close()


def test_marketing_wants_a_yes(clinic: Clinic) -> None:
    with clinic.db.write() as tx:
        consent.decide(tx, PHONE, Category.MARKETING, "permit", "reception")
    reach = Reach(clinic.config)
    assert reach.of_phone(clinic.db, PHONE, Category.MARKETING) is None
    assert reach.of_phone(clinic.db, OTHER_PHONE, Category.MARKETING) == "no-consent"
    assert reach.of_phone(clinic.db, LANDLINE) == "landline"


def test_merged_patient_hands_over_visits_and_what_waits(clinic: Clinic) -> None:
    clinic.take(make_visit(patient=make_patient("9999")))
    clinic.take(Notice("text", patient="9999", text="Prosimy o kontakt."))
    clinic.take(make_patient("4711", phone=OTHER_PHONE, merged_from="9999"))
    assert people.get(clinic.db, "9999") is None
    assert clinic.visit("A-1001")["patient_id"] == "4711"
    assert {(row["phone"], row["patient_id"]) for row in clinic.waiting()} == {
        (OTHER_PHONE, "4711")
    }
    again = make_patient("4711", phone=OTHER_PHONE, merged_from="9999")
    assert clinic.take(again) == Taken(0, ())


def test_merge_into_a_number_that_is_new_keeps_what_was_known(clinic: Clinic) -> None:
    clinic.take(make_patient("9999", family="Kowalska"))
    clinic.take(make_patient("4711", given=None, phone=None, merged_from="9999"))
    assert _patient(clinic)["family"] == "Kowalska"
    assert _patient(clinic)["phone"] == PHONE


def test_each_phone_is_greeted_once(greeting: Clinic) -> None:
    assert greeting.take(make_patient()) == Taken(1, ())
    assert greeting.take(make_patient("4712", given="Ewa")) == Taken(0, ())
    assert greeting.take(make_patient("4713", phone=LANDLINE)) == Taken(0, ())
    greeting.it_is("2026-03-02 21:00")
    assert greeting.take(make_patient("4714", phone=OTHER_PHONE)) == Taken(1, ())
    assert greeting.take(make_patient("4711", phone=THIRD_PHONE)) == Taken(1, ())
    found = [(row["phone"], greeting.shown(row["due"])) for row in greeting.waiting()]
    assert found == [
        (PHONE, "2026-03-02 08:20"),
        (OTHER_PHONE, "2026-03-03 08:00"),
        (THIRD_PHONE, "2026-03-03 08:00"),
    ]
