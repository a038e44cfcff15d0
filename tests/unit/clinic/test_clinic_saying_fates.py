# SPDX-License-Identifier: Apache-2.0
"""What cannot be said, or does not arrive, is work for a person; nothing else stops."""

from __future__ import annotations

import pytest
from clinic_saying_support import Desk
from clinic_support import OTHER_PHONE, PHONE

from gsmgw import logs
from gsmgw.clinic.model import Kind, VisitStatus
from gsmgw.model import MessageState

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


def test_a_lost_notice_to_staff_is_a_line_in_the_log(desk: Desk) -> None:
    desk.it_is("2026-03-03 10:00")
    desk.request(Kind.RESULTS, phone="+999123")
    assert len(desk.say()) == 1
    desk.settle(MessageState.FAILED)
    with logs.capture() as lines:
        assert desk.fates.step() == 1
    assert [line.event for line in lines] == ["notice.lost"]
    assert desk.tasks() == [("unreachable", "+999123", None)]


def test_a_text_to_a_phone_of_nobody_known_makes_no_work(desk: Desk) -> None:
    desk.it_is("2026-03-03 10:00")
    desk.request(Kind.TEXT, details={"text": "Hi"})
    desk.say()
    desk.settle(MessageState.FAILED)
    assert desk.fates.step() == 1
    assert desk.tasks() == []


def test_a_program_that_has_run_away_is_stopped_at_the_door(desk: Desk) -> None:
    desk.it_is("2026-03-03 10:00")
    for _ in range(7):
        desk.request(Kind.TEXT, details={"text": "Hi"})
    desk.say()
    assert len(desk.rows("SELECT * FROM outbox WHERE state = 'queued'")) == 5
    assert [state[2] for state in desk.states()].count("repeated") == 2
