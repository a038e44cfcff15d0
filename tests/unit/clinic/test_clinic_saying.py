# SPDX-License-Identifier: Apache-2.0
"""What is due is checked once more, kept to its hours and within caps."""

from __future__ import annotations

import datetime as dt

import pytest
from clinic_saying_support import NAME, Desk, Make
from clinic_support import OTHER_PHONE, PHONE, THIRD_PHONE

from gsmgw import logs
from gsmgw.clinic.model import Kind, VisitStatus
from gsmgw.model import Category
from gsmgw.store import consent
from gsmgw.store.clinic import visits

# -- is it still true? ----------------------------------------------------------------------------


def test_what_no_longer_holds_is_taken_back(desk: Desk) -> None:
    desk.book("A-1", "2026-03-05 10:15", phone=PHONE)
    desk.book("A-2", "2026-03-05 10:15", phone=OTHER_PHONE, service="HIV")
    desk.it_is("2026-03-03 10:00")
    with desk.db.write() as tx:  # behind the back of booking
        visits.put(tx, "A-1", {"status": VisitStatus.CANCELLED})
    assert desk.say() == []
    assert desk.states(about="A-1")[0] == ("reminder", "revoked", "cancelled")


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("UPDATE appointment SET status = 'noshow'", "noshow"),
        ("UPDATE appointment SET start = '2026-03-06T09:15:00.000Z'", "moved"),
        ("UPDATE appointment SET withdrawn = 'absence'", "withdrawn"),
        ("UPDATE appointment SET response = 'declined'", "answered"),
        ("UPDATE appointment SET service = 'PSY'", "sensitive"),
        ("UPDATE patient SET active = 0", "inactive"),
        ("UPDATE patient SET consent = 'deny'", "no-consent"),
        (f"UPDATE patient SET phone = '{THIRD_PHONE}'", "no-phone"),
        ("UPDATE patient SET phone_type = 'landline'", "landline"),
    ],
)
def test_each_reason_has_its_word(desk: Desk, sql: str, reason: str) -> None:
    desk.book()
    desk.it_is("2026-03-03 10:00")
    with desk.db.write() as tx:
        tx.run(sql)
    assert desk.say() == []
    assert ("reminder", "revoked", reason) in desk.states()


def test_a_stop_ends_all_but_its_own_acknowledgement(desk: Desk) -> None:
    desk.book()
    with desk.db.write() as tx:
        for category in (Category.CARE, Category.SURVEY, Category.MARKETING):
            consent.decide(tx, PHONE, category, "deny", "sms")
    desk.it_is("2026-03-03 10:00")
    desk.request(Kind.STOP_ACK)
    desk.request(Kind.HELP)
    assert desk.texts() == [f"{NAME}: nie bedziemy juz wysylac SMS. Powrot: START."]
    assert ("reminder", "revoked", "stopped") in desk.states()
    assert ("help", "revoked", "stopped") in desk.states()
    (message,) = desk.rows("SELECT * FROM outbox")
    assert message["state"] == "queued"


def test_marketing_needs_a_yes_beforehand(desk: Desk) -> None:
    more = {"details": {"text": "Promocja"}, "category": "marketing"}
    desk.it_is("2026-03-03 10:00")
    desk.request(Kind.TEXT, **more)
    assert desk.say() == []
    with desk.db.write() as tx:
        consent.decide(tx, PHONE, Category.MARKETING, "permit", "paper")
    desk.request(Kind.TEXT, **more)
    assert desk.say() == [(PHONE, "Promocja")]
    assert [state[2] for state in desk.states()] == ["no-consent", None]


# -- when -----------------------------------------------------------------------------------------


def test_after_an_outage_nothing_stale_goes_out_and_one_line_tells(desk: Desk) -> None:
    desk.book("A-1", "2026-03-03 15:00", phone=PHONE)
    desk.book("A-2", "2026-03-04 15:00", phone=OTHER_PHONE)
    for number in range(30):
        desk.book(f"B-{number}", "2026-03-03 15:10", phone=f"+48500100{220 + number}")
    desk.request(
        Kind.DOSE,
        due=desk.stored("2026-03-03 12:00"),
        expires=desk.stored("2026-03-03 13:00"),
        details={"time": "12:00"},
        phone=THIRD_PHONE,
    )
    with desk.db.write() as tx:  # their reminders fell into the outage
        tx.run(
            "UPDATE request SET due = ? WHERE kind = 'reminder'",
            (desk.stored("2026-03-03 10:00"),),
        )
        tx.run("UPDATE request SET status = 'revoked' WHERE kind = 'reminder' AND id NOT IN"
               " (SELECT min(id) FROM request GROUP BY about)")  # fmt: skip
    with logs.capture() as lines:
        said = desk.say("2026-03-03 14:00")
    assert [phone for phone, _ in said] == [OTHER_PHONE]
    assert desk.states(about="A-1")[0] == ("reminder", "revoked", "too-late")
    assert desk.states(kind="dose") == [("dose", "revoked", "expired")]
    (line,) = [line for line in lines if line.event == "request.expired"]
    assert line.fields["count"] == 32
    assert line.fields["kinds"] == "dose=1,reminder=31"


def test_what_slipped_out_of_the_window_waits_for_the_next(desk: Desk) -> None:
    desk.book("A-1", "2026-03-05 10:15")
    assert desk.say("2026-03-03 20:30") == []
    row = desk.rows("SELECT * FROM request ORDER BY id")[0]
    assert (row["status"], desk.shown(row["due"])) == ("active", "2026-03-04 08:00")
    assert len(desk.say("2026-03-04 08:00")) == 1


def test_a_cancellation_at_seven_is_said_at_eight(desk: Desk) -> None:
    desk.book()
    desk.it_is("2026-03-04 07:00")
    desk.book(status=VisitStatus.CANCELLED)
    assert desk.say() == []
    assert desk.texts("2026-03-04 08:00") == [
        f"{NAME}: wizyta 05.03 10:15 odwolana, przepraszamy. Nowy termin: 815551234 lub odpisz"
        " ZADZWON."
    ]


def test_answers_wait_for_the_morning_unless_the_clinic_answers_at_night(make: Make) -> None:
    for night, texts in (("off", 0), ("on", 1)):
        desk = make(replies={"auto_reply_night": night})
        desk.it_is("2026-03-06 22:10")
        desk.request(Kind.AFTER_HOURS, details={"when": desk.stored("2026-03-09 08:00")})
        assert len(desk.say()) == texts
        found = desk.texts("2026-03-07 08:00")
        assert len(found) == 1 - texts
    (text,) = [row["text"] for row in desk.rows("SELECT text FROM outbox")]
    assert text == (
        f"{NAME}: jestesmy zamknieci, czynne pon.-pt. 8-18. Oddzwonimy pon. 09.03 od 08:00."
        " Nagly przypadek: 112."
    )


def test_doses_and_pressing_texts_go_at_any_hour(desk: Desk) -> None:
    desk.it_is("2026-03-01 23:00")  # a Sunday
    desk.request(Kind.DOSE, details={"time": "23:00"})
    desk.request(Kind.TEXT, details={"text": "Proszę o telefon"}, priority="asap")
    desk.request(Kind.TEXT, details={"text": "Do jutra"})
    assert [text for text in desk.texts() if "telefon" not in text and "lek" not in text] == []
    assert desk.states(status="active") == [("text", "active", None)]


def test_nothing_falls_due_while_the_clock_is_suspect(desk: Desk) -> None:
    desk.book()
    desk.it_is("2026-03-03 10:00")
    desk.trust.learn_network_time(desk.clock.now() + dt.timedelta(days=400))
    assert desk.say() == []
    assert all(status == "active" for _, status, _ in desk.states())


# -- how much -------------------------------------------------------------------------------------


def test_three_texts_a_day_then_tomorrow(desk: Desk) -> None:
    desk.it_is("2026-03-03 10:00")
    for number in range(5):
        desk.book(f"A-{number}", f"2026-03-{10 + number} 10:00", patient_id=str(number))
    for number in range(5):
        desk.request(
            Kind.REMINDER,
            about=f"A-{number}",
            about_start=desk.stored(f"2026-03-{10 + number} 10:00"),
            patient_id=str(number),
            expires=desk.stored(f"2026-03-{10 + number} 09:00"),
        )
    assert len(desk.say()) == 3
    assert len(desk.say("2026-03-03 12:00")) == 0
    assert len(desk.say("2026-03-04 08:00")) == 2


def test_a_cap_that_outlasts_a_text_ends_it(make: Make) -> None:
    desk = make(reminders={"booked": False, "per_phone": {"day": 1, "week": 1}})
    desk.book("A-1", "2026-03-05 10:15")
    desk.book("A-2", "2026-03-06 10:15")
    desk.say("2026-03-03 10:00")
    assert desk.say("2026-03-05 10:00") == []
    assert desk.say("2026-03-06 08:00") == []
    assert ("reminder", "revoked", "cap") in desk.states(about="A-2")


def test_news_is_not_capped(make: Make) -> None:
    desk = make(reminders={"booked": False, "per_phone": {"day": 1}})
    desk.book("A-1")
    desk.say("2026-03-03 10:00")
    desk.book("A-1", status=VisitStatus.CANCELLED)
    assert len(desk.say()) == 1


def test_one_marketing_text_in_thirty_days_and_none_above_the_budget(make: Make) -> None:
    desk = make(reminders={"budget": {"day": 1}})
    desk.it_is("2026-03-03 10:00")
    with desk.db.write() as tx:
        for phone in (PHONE, OTHER_PHONE):
            consent.decide(tx, phone, Category.MARKETING, "permit", "paper")
    more = {"category": "marketing", "expires": desk.later(days=2)}
    desk.request(Kind.TEXT, details={"text": "one"}, **more)
    assert len(desk.say()) == 1
    desk.request(Kind.TEXT, details={"text": "two"}, **more)
    desk.request(Kind.TEXT, details={"text": "three"}, phone=OTHER_PHONE, **more)
    with logs.capture() as lines:
        assert desk.say() == []
    assert "budget.reached" in {line.event for line in lines}
    assert desk.texts("2026-03-04 08:00") == ["three"]
    assert desk.say("2026-03-05 08:00") == []
    assert ("text", "revoked", "cap") in desk.states()


@pytest.mark.parametrize(("later", "said"), [("2026-03-03 19:55", 0), ("2026-03-04 08:05", 1)])
def test_the_same_text_is_news_again_after_twelve_hours(desk: Desk, later: str, said: int) -> None:
    desk.it_is("2026-03-03 08:00")
    desk.request(Kind.RESULTS)
    assert len(desk.say()) == 1
    desk.it_is(later)
    desk.request(Kind.RESULTS)
    assert len(desk.say()) == said


def test_the_same_text_is_said_once(desk: Desk) -> None:
    desk.it_is("2026-03-03 10:00")
    desk.request(Kind.RESULTS)
    desk.request(Kind.RESULTS)
    assert len(desk.say()) == 1
    assert ("results", "revoked", "same-text") in desk.states()
    desk.request(Kind.TEXT, details={"text": "Hi"})
    desk.request(Kind.TEXT, details={"text": "Hi"})
    assert len(desk.say()) == 2  # a person's words are theirs
