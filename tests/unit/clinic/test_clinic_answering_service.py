# SPDX-License-Identifier: Apache-2.0
"""Answering as a part of the daemon: once each, in order, whatever happens; with the real plan."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from clinic_answering_support import READER, AnswerDesk, NoPlan, family, one_visit, short
from clinic_support import OTHER_PHONE, PHONE, make_patient, make_visit

from gsmgw import errors, locks, logs
from gsmgw.clinic.answering import Answering
from gsmgw.clinic.answering.guard import Guard
from gsmgw.clinic.booking import Booking
from gsmgw.clinic.work import Work
from gsmgw.store.database import Transaction


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[AnswerDesk]:
    desk = AnswerDesk(tmp_path)
    desk.patient("4711", "Anna")
    desk.book("A-1001", "4711", "2026-03-05 10:15")
    desk.it_is("2026-03-03 10:00")
    desk.ask("A-1001")
    yield desk
    desk.close()


class Broken(NoPlan):
    """Fails with what it is given, as often as it is told to."""

    def __init__(self, error: Exception, times: int = 1) -> None:
        super().__init__()
        self.error, self.times = error, times

    def replan(self, tx: Transaction, appointment_id: str) -> int:
        if self.times:
            self.times -= 1
            raise self.error
        return super().replan(tx, appointment_id)


def stored(desk: AnswerDesk) -> list[int]:
    return [row["inbox_id"] for row in desk.rows("SELECT inbox_id FROM response ORDER BY id")]


def test_what_came_before_the_clinic_was_configured_is_no_answer(desk: AnswerDesk) -> None:
    with desk.db.write() as tx:
        tx.run("DELETE FROM setting WHERE name = 'clinic.inbox'")
    desk.write("TAK")
    late = desk.make_answering()
    late.open()
    assert late.step() == 0
    assert desk.response("A-1001") == "needs-action"
    row = desk.write("NIE")
    assert late.step() == 1
    assert stored(desk) == [row]


def test_a_new_process_goes_on_where_the_last_one_ended(desk: AnswerDesk) -> None:
    desk.answer("TAK")
    second = desk.write("Dziękuję")
    again = desk.make_answering()
    again.open()
    assert again.step() == 1
    assert again.step() == 0
    assert stored(desk)[1:] == [second]


def test_a_crash_in_the_middle_leaves_nothing_half_done(desk: AnswerDesk) -> None:
    desk.planner = Broken(errors.StoreFullError("no space"))
    desk.answering = desk.make_answering()
    row = desk.write("NIE")
    with pytest.raises(errors.StoreFullError):
        desk.answering.step()
    assert desk.response("A-1001") == "needs-action"
    assert (desk.said(), desk.tasks(), stored(desk)) == ([], [], [])
    assert desk.answering.step() == 1
    assert desk.response("A-1001") == "declined"
    assert (desk.said(), stored(desk)) == (["ack_decline"], [row])


def test_an_answer_that_we_stumble_over_goes_to_a_person(
    desk: AnswerDesk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.planner = Broken(ValueError("no such thing"))
    desk.answering = desk.make_answering()
    desk.write("NIE")
    desk.write("Dziękuję", OTHER_PHONE)
    assert desk.answering.step() == 2
    assert desk.tasks() == [("review", "NIE")]
    assert desk.response("A-1001") == "needs-action"
    assert "answer.failed" in capsys.readouterr().err


def test_more_than_one_step_takes_is_left_for_the_next(desk: AnswerDesk) -> None:
    rows = [desk.write("dziękuję") for _ in range(25)]
    assert [desk.answering.step(), desk.answering.step(), desk.answering.step()] == [20, 5, 0]
    assert stored(desk) == rows


def test_answers_of_an_outage_let_others_write_between_and_a_single_one_never_waits(
    desk: AnswerDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = []

    @contextlib.contextmanager
    def piece(_pace: locks.Pace) -> Iterator[None]:
        pieces.append(1)
        yield

    monkeypatch.setattr(locks.Pace, "piece", piece)
    desk.write("TAK")
    assert desk.answering.step() == 1
    assert len(pieces) == 0
    for number in range(3):
        desk.write("TAK", f"+4850010030{number}")
    assert desk.answering.step() == 3
    assert len(pieces) == 2


def test_a_new_answer_withdraws_what_an_old_one_was_to_be_told(desk: AnswerDesk) -> None:
    desk.answer("TAK")
    desk.answer("NIE")
    found = [(row["kind"], row["status"], row["reason"]) for row in desk.said_rows()]
    assert found == [("ack_accept", "revoked", "answered"), ("ack_decline", "active", None)]


def test_stop_catches_what_has_not_left_yet(desk: AnswerDesk) -> None:
    with desk.db.write() as tx:
        for category, state in (("care", "queued"), ("staff", "queued"), ("care", "sending")):
            tx.insert(
                "INSERT INTO outbox (recipient, text, category, state) VALUES (?, 'text', ?, ?)",
                (PHONE, category, state),
            )
    desk.answer("STOP")
    asked = desk.rows("SELECT category, state FROM outbox WHERE cancel_requested = 1")
    assert [tuple(row) for row in asked] == [("care", "queued")]


def test_silence_after_so_many_answers_is_told_to_a_person_once(desk: AnswerDesk) -> None:
    for text in ("HELP", "kiedy wizyta?", "TAK"):
        desk.answer(text)
    with desk.db.write() as tx:
        tx.run("UPDATE request SET status = 'completed'")
    assert len(desk.said()) == 3
    desk.answer("NIE")
    assert desk.response("A-1001") == "declined"  # it counts all the same
    assert len(desk.said()) == 3
    assert [code for code, _ in desk.tasks()] == ["review"]
    desk.clock.advance(dt.timedelta(hours=24).total_seconds() + 1)
    desk.answer("HELP")
    assert len(desk.said()) == 4


def test_the_note_of_a_task_does_not_grow_without_end(desk: AnswerDesk) -> None:
    for number in range(5):
        desk.answer(f"{number} " + "bardzo długa historia " * 40)
    ((_, note),) = desk.tasks()
    assert len(note or "") < 1300


def test_events_tell_who_did_what_without_names_or_numbers(desk: AnswerDesk) -> None:
    desk.answer("TAK")
    desk.answer("STOP")
    found = {row["name"]: row["detail"] for row in desk.rows("SELECT name, detail FROM event")}
    assert {"visit.answered", "consent.denied", "task.made"} <= found.keys()
    assert '"who": "sms"' in found["visit.answered"]
    assert not any(PHONE in detail or "Anna" in detail for detail in found.values())


# -- with the plan of visits ----------------------------------------------------------------------


@pytest.fixture
def planned(tmp_path: Path) -> Iterator[AnswerDesk]:
    """A visit that was booked by the clinic's program, its first question said."""
    desk = AnswerDesk(tmp_path)
    work = Work(desk.config, desk.calendar)
    booking = Booking(desk.config, desk.calendar, work)
    desk.answering = Answering(
        desk.config,
        desk.db,
        calendar=desk.calendar,
        wording=desk.wording,
        work=work,
        planner=booking,
        reader=READER,
    )
    desk.answering.open()
    with desk.db.write() as tx:
        booking.take(tx, make_visit(patient=make_patient()))
        tx.run("UPDATE request SET status = 'revoked' WHERE kind = 'booked'")
    desk.it_is("2026-03-03 10:00")
    (first,) = desk.rows("SELECT * FROM request WHERE status = 'active' AND due <= ?", desk.now())
    with desk.db.write() as tx:
        message = tx.insert(
            "INSERT INTO outbox (recipient, text, state, created_at, sent_at, settled_at)"
            " VALUES (?, 'wizyta?', 'delivered', ?, ?, ?)",
            (PHONE, tx.now, tx.now, tx.now),
        )
        tx.run(
            "UPDATE request SET status = 'completed', outbox_id = ? WHERE id = ?",
            (message, first["id"]),
        )
    yield desk
    desk.close()


def waiting(desk: AnswerDesk) -> list[str]:
    rows = desk.rows("SELECT * FROM request WHERE status = 'active' AND kind = 'reminder'")
    return [desk.shown(row["due"]) for row in rows]


@pytest.mark.parametrize("text", ["TAK", "NIE", "3"])
def test_an_answer_takes_back_the_second_question(planned: AnswerDesk, text: str) -> None:
    assert waiting(planned) == ["2026-03-04 10:00"]
    planned.answer(text)
    assert waiting(planned) == []


@pytest.mark.parametrize("text", ["Kto to?", "Zadzwoń", "dziękuję"])
def test_what_is_no_answer_leaves_the_second_question(planned: AnswerDesk, text: str) -> None:
    planned.answer(text)
    assert waiting(planned) == ["2026-03-04 10:00"]


def test_after_stop_and_start_the_visit_is_asked_about_again(planned: AnswerDesk) -> None:
    planned.answer("STOP")
    assert waiting(planned) == []
    planned.answer("START")
    assert waiting(planned) == ["2026-03-04 10:00"]


def test_an_answer_is_stored_as_the_clinic_hands_it_on(planned: AnswerDesk) -> None:
    rows = planned.answer("nie przyjdę")
    assert short(rows) == [("A-1001", "cancel", 1, "declined")]
    assert (rows[0]["patient_id"], rows[0]["at"]) == ("4711", planned.now())
    assert rows[0]["start"] == planned.visit("A-1001")["start"]


def test_the_guard_reads_its_limits(tmp_path: Path) -> None:
    desk = AnswerDesk(tmp_path, replies={"most": "1"})
    assert isinstance(Guard(desk.config), Guard)
    desk.answer("HELP", OTHER_PHONE)
    desk.answer("zmiana terminu", OTHER_PHONE)
    assert desk.said() == ["help"]
    desk.close()


def test_what_was_not_said_for_the_limit_is_work_that_the_list_of_answers_shows(
    tmp_path: Path,
) -> None:
    desk = AnswerDesk(tmp_path, replies={"most": "1"})
    one_visit(desk)
    desk.answer("HELP")
    (row,) = desk.answer("kiedy mam wizytę?")
    (task,) = desk.rows("SELECT * FROM task WHERE status = 'requested'")
    assert (row["meaning"], row["task_id"], task["code"]) == ("info", task["id"], "review")
    desk.close()


@pytest.mark.parametrize(
    ("moved", "applied", "why"),
    [
        ((), True, None),
        (("A-1001",), "partly", "the visit has moved"),
        (("A-1001", "A-1002"), False, "the visit has moved"),
    ],
)
def test_log_says_of_how_much_of_an_answer_something_came(
    tmp_path: Path, moved: tuple[str, ...], applied: bool | str, why: str | None
) -> None:
    desk = family(tmp_path)
    for visit in moved:
        desk.book(visit, "4711", "2026-03-06 09:00", version=2)
    with logs.capture() as records:
        desk.answer("TAK")
    (read,) = [record for record in records if record.event == "answer.read"]
    assert (read.fields["applied"], read.fields.get("why")) == (applied, why)
    desk.close()
