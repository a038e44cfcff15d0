# SPDX-License-Identifier: Apache-2.0
"""What is due becomes texts: checked again, bundled, one question a phone, within caps."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import clinic_support
import pytest
from clinic_support import OTHER_PHONE, PHONE, THIRD_PHONE, make_patient, make_visit

from gsmgw import logs
from gsmgw.clinic.booking import Booking
from gsmgw.clinic.model import Kind, VisitStatus
from gsmgw.clinic.saying import Fates, Saying
from gsmgw.clinic.wording import Wording
from gsmgw.clinic.work import Work
from gsmgw.gateway.intake import Intake
from gsmgw.gateway.trust import ClockTrust
from gsmgw.model import Category, ErrorFamily, MessageState
from gsmgw.store import consent, outbox
from gsmgw.store.clinic import requests, visits
from gsmgw.store.database import Row

NAME = "Przychodnia Lipowa"


class Desk(clinic_support.Clinic):
    """A clinic that books visits and says what is due."""

    def __init__(self, folder: Path, **groups: Any) -> None:
        groups.setdefault("reminders", {"booked": False})
        super().__init__(folder, **groups)
        self.trust = ClockTrust(self.clock)
        self.work = Work(self.config, self.calendar)
        self.wording = Wording(self.config)
        self.booking = Booking(self.config, self.calendar, self.work)
        self.intake = Intake(self.config, self.db, self.clock, trust=self.trust)
        self.saying = Saying(
            self.config,
            self.db,
            self.intake,
            self.calendar,
            self.wording,
            self.work,
            self.clock,
            self.trust,
        )
        self.fates = Fates(self.db, self.work, self.clock, self.trust)

    def book(self, visit_id: str = "A-1001", at: str = "2026-03-05 10:15", **fields: Any) -> None:
        patient = {
            name: fields.pop(name)
            for name in ("given", "family", "phone", "language", "consent", "active")
            if name in fields
        }
        owner = fields.pop("patient_id", f"P-{visit_id}")
        record = make_visit(visit_id, self.at(at), make_patient(owner, **patient), **fields)
        with self.db.write() as tx:
            self.booking.take(tx, record)

    def request(self, kind: Kind, **fields: Any) -> int:
        new = {
            "phone": PHONE,
            "due": self.now,
            "expires": self.later(hours=12),
            "same_as": None,
            **fields,
        }
        with self.db.write() as tx:
            found = requests.add(tx, requests.NewRequest(kind, **new))
        assert found is not None
        return found

    @property
    def now(self) -> str:
        return clinic_support.format_utc(self.clock.now())

    def later(self, **span: int) -> str:
        return clinic_support.format_utc(self.clock.now() + dt.timedelta(**span))

    def say(self, local: str | None = None) -> list[tuple[str, str]]:
        """Move the clock, say all that is due; return number and text of what is new."""
        if local is not None:
            self.it_is(local)
        newest = self.db.row("SELECT coalesce(max(id), 0) FROM outbox")
        assert newest is not None
        for _ in range(200):
            if not self.saying.step():
                break
        else:
            raise AssertionError("it never ends")
        return [
            (row["recipient"], row["text"])
            for row in self.rows("SELECT * FROM outbox WHERE id > ? ORDER BY id", newest[0])
        ]

    def texts(self, local: str | None = None) -> list[str]:
        return [text for _, text in self.say(local)]

    def states(self, **wanted: Any) -> list[tuple[str, str, str | None]]:
        return [
            (row["kind"], row["status"], row["reason"])
            for row in self.rows("SELECT * FROM request ORDER BY id")
            if all(row[name] == value for name, value in wanted.items())
        ]

    def one(self, request_id: int) -> Row:
        row = requests.get(self.db, request_id)
        assert row is not None
        return row

    def tasks(self) -> list[tuple[str, str, str | None]]:
        return [
            (row["code"], row["phone"], row["about"])
            for row in self.rows("SELECT * FROM task ORDER BY id")
        ]

    def settle(self, state: MessageState, text: str | None = None) -> None:
        """Let all texts of patients that wait end in a state."""
        with self.db.write() as tx:
            for row in tx.rows("SELECT id FROM outbox WHERE settled_at IS NULL"):
                outbox.settle(tx, row["id"], state, ErrorFamily.GSMGW, "x", text)


Make = Callable[..., Desk]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Desk] = []

    def desk(**groups: Any) -> Desk:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Desk(folder, **groups))
        return made[-1]

    yield desk
    for one in made:
        one.close()


@pytest.fixture
def desk(make: Make) -> Desk:
    return make()


def ask(first: str, time: str) -> str:
    return (
        f"{NAME}: {first}, wizyta czw. 05.03 godz. {time}. Odpisz TAK, aby potwierdzic, NIE, aby"
        " odwolac. Tel. 815551234"
    )


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


def test_the_same_text_is_said_once(desk: Desk) -> None:
    desk.it_is("2026-03-03 10:00")
    desk.request(Kind.RESULTS)
    desk.request(Kind.RESULTS)
    assert len(desk.say()) == 1
    assert ("results", "revoked", "same-text") in desk.states()
    desk.request(Kind.TEXT, details={"text": "Hi"})
    desk.request(Kind.TEXT, details={"text": "Hi"})
    assert len(desk.say()) == 2  # a person's words are theirs


# -- what cannot be said --------------------------------------------------------------------------


def test_one_bad_request_does_not_stop_the_others(desk: Desk) -> None:
    desk.it_is("2026-03-03 10:00")
    desk.request(Kind.ACK_SEVERAL, details={"visits": [{"no": "appointment"}]})
    desk.request(Kind.RESULTS)
    with desk.db.write() as tx:
        tx.run(
            "INSERT INTO request (kind, phone, due, expires, created_at)"
            " VALUES ('unheard-of', ?, ?, ?, ?)",
            (OTHER_PHONE, tx.now, desk.later(hours=1), tx.now),
        )
    with logs.capture() as lines:
        assert len(desk.say()) == 1
    assert ("ack_several", "revoked", "error") in desk.states()
    assert ("unheard-of", "revoked", "error") in desk.states()
    assert [line.event for line in lines if line.level <= 4] == ["request.failed"] * 2


def test_a_number_that_does_not_exist_is_work_for_a_person(desk: Desk) -> None:
    desk.it_is("2026-03-03 10:00")
    desk.request(Kind.RESULTS, phone="+999123")
    assert desk.say() == [("+48500100299", "SMS nie dochodzi, zadzwonic: +999123, 10:00.")]
    assert desk.states(phone="+999123") == [("results", "revoked", "bad-number")]
    assert desk.tasks() == [("unreachable", "+999123", None)]


def test_a_cancellation_that_came_too_late_is_urgent_work(desk: Desk) -> None:
    desk.book()
    desk.it_is("2026-03-04 19:59")
    desk.book(status=VisitStatus.CANCELLED)
    with desk.db.write() as tx:
        tx.run("UPDATE request SET expires = ? WHERE kind = 'cancelled'", (desk.later(hours=1),))
    assert desk.say("2026-03-05 08:00") == [
        ("+48500100299", f"PILNE, zadzwonic: {PHONE} (Anna), wizyta czw. 05.03 10:15, 08:00.")
    ]
    assert desk.tasks() == [("urgent", PHONE, "A-1001")]


# -- what became of it ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (MessageState.FAILED, "unreachable"),
        (MessageState.UNDELIVERED, "unreachable"),
        (MessageState.EXPIRED, "unreachable"),
        (MessageState.UNCERTAIN, "uncertain"),
        (MessageState.CANCELLED, None),
        (MessageState.DELIVERED, None),
    ],
)
def test_texts_that_did_not_arrive_are_work_once(
    desk: Desk, state: MessageState, code: str | None
) -> None:
    desk.book("A-1001")
    desk.book("A-1002", "2026-03-05 10:35")
    desk.say("2026-03-03 10:00")
    assert desk.fates.step() == 0
    desk.settle(state, "the network said no")
    desk.clock.advance(60)
    while desk.fates.step():
        pass
    assert desk.tasks() == ([] if code is None else [(code, PHONE, "A-1001")])
    assert desk.fates.step() == 0
    assert {row["told"] for row in desk.rows("SELECT told FROM request WHERE outbox_id > 0")} == {1}


def test_a_cancellation_that_nobody_got_is_urgent(desk: Desk) -> None:
    desk.book()
    desk.it_is("2026-03-03 12:00")
    desk.book(status=VisitStatus.CANCELLED)
    assert len(desk.say()) == 1
    desk.settle(MessageState.FAILED)
    desk.fates.step()
    assert desk.tasks() == [("urgent", PHONE, "A-1001")]


def test_an_acknowledgement_that_got_lost_is_nobodys_work(desk: Desk) -> None:
    desk.it_is("2026-03-03 10:00")
    desk.request(Kind.START_ACK)
    desk.say()
    desk.settle(MessageState.UNDELIVERED)
    assert desk.fates.step() == 1
    assert desk.tasks() == []


def test_what_was_sent_without_a_report_is_put_away_after_a_week(desk: Desk) -> None:
    desk.book()
    desk.say("2026-03-03 10:00")
    with desk.db.write() as tx:
        tx.run("UPDATE outbox SET state = 'sent', sent_at = ?, settled_at = ?", (tx.now, tx.now))
    desk.fates.step()
    assert desk.rows("SELECT told FROM request WHERE outbox_id > 0")[0]["told"] == 0
    desk.clock.advance(8 * 86400)
    desk.fates.step()
    assert desk.rows("SELECT told FROM request WHERE outbox_id > 0")[0]["told"] == 1
