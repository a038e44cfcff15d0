# SPDX-License-Identifier: Apache-2.0
"""Refusals: whose fault they are, when a part is tried again, when a SIM rests."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import factories
import pytest
from gateway_support import TWO_PARTS, Rig

from gsmgw import logs
from gsmgw.gateway.outcomes import retry
from gsmgw.model import Outcome, SubmitResult
from gsmgw.store import outbox

DEAD, CARRIER = 27, 38


def number(index: int) -> str:
    return factories.make_number(index)


# -- the plan, pure -----------------------------------------------------------------------------


def test_pauses_double_up_to_the_longest() -> None:
    plan = retry.RetryPlan()
    seconds = [plan.pause(refusals).total_seconds() for refusals in range(1, 9)]
    assert seconds == [30, 60, 120, 240, 480, 960, 1800, 1800]
    assert plan.pause(0) == plan.pause(1)
    assert plan.pause(10**6).total_seconds() == 1800


def test_rests_grow_to_a_quarter_of_an_hour() -> None:
    assert [retry.rest(n).total_seconds() / 60 for n in range(5)] == [1, 5, 15, 15, 15]


@pytest.mark.parametrize(
    ("tries", "minutes", "expected"),
    [(4, 90, False), (5, 29, False), (5, 30, True), (9, 29, False), (9, 31, True)],
)
def test_unclear_refusals_are_used_up_after_five_tries_over_half_an_hour(
    tries: int, minutes: int, expected: bool
) -> None:
    first = dt.datetime(2026, 11, 23, 8, tzinfo=dt.UTC)
    now = first + dt.timedelta(minutes=minutes)
    assert retry.is_exhausted(tries, first, now) is expected


# -- one message --------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [1, 128, 159, 195, 196, 304])
def test_refusal_that_is_the_messages_own_fault_fails_it_at_once(rig: Rig, code: int) -> None:
    rig.attach()
    message_id = rig.add()
    rig.refuse(code)
    row = rig.message(message_id)
    assert factories.fields(row, "state", "error_family", "error_code", "tries", "due_at") == {
        "state": "failed",
        "error_family": "cms",
        "error_code": str(code),
        "tries": 1,
        "due_at": None,
    }
    assert f"+CMS ERROR: {code}" in row["error"]


@pytest.mark.parametrize("code", [8, 29, 38, 42, 192, 193, 300, 322, 330, 331])
def test_trouble_of_sim_network_or_modem_costs_no_attempt(rig: Rig, code: int) -> None:
    rig.attach()
    message_id = rig.add()
    for _ in range(12):
        rig.refuse(code)
        rig.clock.advance(3600)
    row = rig.message(message_id)
    assert (row["state"], row["tries"]) == ("queued", 0)
    assert row["error_code"] == str(code)
    rig.send()
    assert rig.state_of(message_id) == "sent"
    assert rig.message(message_id)["error_code"] is None


def test_unclear_refusal_fails_after_five_tries_over_half_an_hour(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    pauses = []
    for _ in range(10):
        rig.refuse(DEAD)
        if rig.state_of(message_id) == "failed":
            break
        due = dt.datetime.fromisoformat(rig.message(message_id)["due_at"])
        pauses.append((due - rig.clock.now()).total_seconds())
        rig.clock.advance(pauses[-1])
    assert pauses == [30, 60, 120, 240, 480, 960]
    assert rig.message(message_id)["tries"] == 7


def test_unclear_refusal_fails_when_the_sim_has_sent_to_another_number(rig: Rig) -> None:
    rig.attach()
    dead = rig.add("1", recipient=number(1))
    rig.refuse(DEAD)
    rig.add("same number", recipient=number(1), priority="stat")
    rig.send()
    assert rig.state_of(dead) == "queued"
    rig.add("2", recipient=number(2))
    rig.send()
    row = rig.message(dead)
    assert (row["state"], row["error_code"]) == ("failed", str(DEAD))


def test_success_of_another_sim_does_not_fail_a_refused_number(rig: Rig) -> None:
    rig.attach("front")
    rig.attach("back")
    dead = rig.add("1", recipient=number(1))
    rig.refuse(DEAD, "front")
    rig.add("2", recipient=number(2))
    rig.send(modem="back")
    assert rig.state_of(dead) == "queued"


def test_success_does_not_fail_what_was_cancelled_or_expired_meanwhile(rig: Rig) -> None:
    rig.attach()
    cancelled = rig.add("1", recipient=number(1))
    rig.refuse(DEAD)
    rig.cancel(cancelled)
    expired = rig.add("2", recipient=number(2), expires_at=rig.after(60))
    rig.refuse(DEAD)
    rig.clock.advance(100)
    rig.housekeeping.work()
    rig.add("3", recipient=number(3))
    rig.send()
    assert (rig.state_of(cancelled), rig.state_of(expired)) == ("cancelled", "expired")


def test_number_that_a_second_sim_is_refused_too_fails(rig: Rig) -> None:
    rig.attach("front")
    rig.attach("back")
    message_id = rig.add()
    rig.refuse(DEAD, "front")
    rig.clock.advance(30)
    rig.refuse(DEAD, "back")
    assert rig.state_of(message_id) == "failed"


def test_retry_that_would_come_after_the_expiry_expires_now(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add(expires_at=rig.after(25))
    rig.refuse(CARRIER)
    row = rig.message(message_id)
    assert (row["state"], row["error_code"]) == ("expired", "expired")
    assert "Network out of order" in row["error"]


def test_retry_outside_the_hours_waits_for_the_morning_or_expires(tmp_path: Path) -> None:
    config = factories.make_config(
        timezone="Europe/Warsaw", sending={"hours": {"mon-sun": "08:00-20:00"}}
    )
    rig = Rig(tmp_path, config)
    rig.attach()
    rig.clock.jump(dt.timedelta(hours=10, minutes=59, seconds=50).total_seconds())  # 19:59:50
    survey = rig.add("1", category="survey")
    rig.refuse(CARRIER)
    assert rig.message(survey)["due_at"] == "2026-11-24T07:00:00.000Z"
    rig.clock.advance(2)
    other = rig.add("2", category="marketing", expires_at=rig.after(6 * 3600))
    rig.refuse(CARRIER)
    assert rig.state_of(other) == "expired"
    care = rig.add("3")
    rig.clock.advance(5)
    rig.refuse(CARRIER)
    assert rig.message(care)["due_at"] == rig.after(30)
    rig.close()


def test_refusal_of_a_part_in_flight_after_cancel_leaves_it_cancelled(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add(expires_at=rig.after(25))
    part = rig.must_claim()
    rig.cancel(message_id)
    rig.settle(factories.refused(part.part_id, CARRIER))
    assert rig.state_of(message_id) == "cancelled"
    assert rig.message(message_id)["due_at"] is None


def test_network_that_refuses_slows_the_modem_down(rig: Rig) -> None:
    rig.attach()
    for index in range(6):
        rig.add(f"{index}")
    part = rig.must_claim()
    pauses = []
    for _ in range(7):
        assert rig.settle(factories.refused(part.part_id, CARRIER), claim_next=True) is None
        waited = 0
        while (found := rig.claim()) is None:
            rig.clock.advance(1)
            waited += 1
        pauses.append(waited)
        part = found
    assert pauses[:5] == [2, 4, 8, 16, 32]
    assert max(pauses) <= 60
    rig.settle(factories.taken(part.part_id))
    assert rig.claim() is not None


def test_part_that_was_never_sent_costs_nothing_and_goes_again(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    part = rig.must_claim()
    rig.settle(factories.untouched(part.part_id))
    assert (rig.state_of(message_id), rig.message(message_id)["tries"]) == ("queued", 0)
    rig.clock.advance(5)
    assert rig.must_claim().message_id == message_id


def test_part_that_no_modem_can_submit_lets_the_others_go_first(rig: Rig) -> None:
    """A modem that gives no prompt for one part, of high priority, sent nothing else any more."""
    rig.attach()
    odd = rig.add("1", priority="stat")
    other = rig.add("2")
    for _ in range(3):
        part = rig.must_claim()
        assert part.message_id == odd
        rig.settle(factories.untouched(part.part_id))
    rig.send()
    assert (rig.state_of(odd), rig.state_of(other)) == ("queued", "sent")
    assert rig.claim() is None
    rig.clock.advance(30)
    assert rig.must_claim().message_id == odd


def test_vendor_code_is_unclear_and_pauses_nobody(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    part = rig.must_claim()
    from gsmgw.model import ErrorFamily

    rig.settle(SubmitResult(part.part_id, Outcome.REFUSED, family=ErrorFamily.CME, code=62))
    row = rig.message(message_id)
    assert (row["state"], row["error_family"], row["error_code"]) == ("queued", "cme", "62")
    assert "+CME ERROR: 62" in row["error"]


def test_long_message_fails_as_a_whole_and_sends_no_more_parts(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add(TWO_PARTS)
    rig.send(1)
    rig.refuse(1)
    assert rig.parts(message_id) == ["sent", "failed"]
    assert rig.state_of(message_id) == "failed"
    assert rig.claim() is None


# -- the SIM ------------------------------------------------------------------------------------


def refuse_three(rig: Rig, code: int = DEAD) -> list[int]:
    ids = [rig.add(f"{index}", recipient=number(index)) for index in range(3)]
    for _ in ids:
        rig.refuse(code)
    return ids


@pytest.mark.parametrize("code", [8, 21, 27, 50])
def test_three_numbers_refused_let_the_sim_rest_and_are_given_back(rig: Rig, code: int) -> None:
    sim_id = rig.attach()
    with logs.capture() as records:
        ids = refuse_three(rig, code)
    sim = rig.sim(sim_id)
    assert (sim["state"], sim["resting_until"]) == ("resting", rig.after(60))
    assert [rig.message(message_id)["tries"] for message_id in ids] == [0, 0, 0]
    assert [rig.state_of(message_id) for message_id in ids] == ["queued"] * 3
    assert rig.claim() is None
    warning = next(record for record in records if record.event == "sim.resting")
    assert warning.fields["code"] == f"cms:{code}"


def test_one_number_refused_three_times_does_not_let_the_sim_rest(rig: Rig) -> None:
    sim_id = rig.attach()
    rig.add()
    for _ in range(3):
        rig.refuse(DEAD)
        rig.clock.advance(600)
    assert rig.sim(sim_id)["state"] == "working"


def test_success_between_keeps_the_sim_working(rig: Rig) -> None:
    sim_id = rig.attach()
    for index in range(8):
        rig.add(f"{index}", recipient=number(index))
        rig.send() if index % 3 == 2 else rig.refuse(DEAD)
    assert rig.sim(sim_id)["state"] == "working"


def test_network_trouble_never_lets_the_sim_rest(rig: Rig) -> None:
    sim_id = rig.attach()
    for index in range(6):
        rig.add(f"{index}", recipient=number(index))
        rig.refuse(CARRIER)
        rig.clock.advance(61)
    assert rig.sim(sim_id)["state"] == "working"


def test_resting_sim_is_probed_after_1_5_and_15_minutes_and_a_success_ends_it(rig: Rig) -> None:
    sim_id = rig.attach()
    ids = refuse_three(rig)
    for minutes in (1, 5, 15, 15):
        rig.clock.advance(minutes * 60 - 1)
        assert rig.claim() is None
        rig.clock.advance(1)
        part = rig.must_claim()
        assert rig.settle(factories.refused(part.part_id, DEAD), claim_next=True) is None
        assert rig.sim(sim_id)["state"] == "resting"
    rig.clock.advance(15 * 60)
    rig.send()
    assert rig.sim(sim_id)["state"] == "working"
    assert rig.sim(sim_id)["rests"] == 0
    rig.send()
    rig.send()
    assert [rig.state_of(message_id) for message_id in ids] == ["sent"] * 3


def test_given_back_refusals_do_not_fail_at_the_next_success(rig: Rig) -> None:
    rig.attach()
    ids = refuse_three(rig)
    rig.clock.advance(60)
    rig.send()
    states = sorted(rig.state_of(message_id) for message_id in ids)
    assert states == ["queued", "queued", "sent"]


def test_rest_of_one_sim_leaves_the_others_alone(rig: Rig) -> None:
    rig.attach("front")
    rig.attach("back")
    ids = refuse_three(rig)
    assert rig.claim("front") is None
    for mr in range(3):
        rig.send(mr, "back")
    assert [rig.state_of(message_id) for message_id in ids] == ["sent"] * 3


def test_two_barred_sims_fail_no_message(rig: Rig) -> None:
    rig.attach("front")
    rig.attach("back")
    ids = refuse_three(rig)
    for _ in range(3):
        rig.refuse(DEAD, "back")
    assert [rig.state_of(message_id) for message_id in ids] == ["queued"] * 3
    assert rig.claim("back") is None


def test_rest_is_kept_over_a_restart(rig: Rig) -> None:
    rig.attach()
    refuse_three(rig)
    rig.restart()
    rig.attach()
    assert rig.claim() is None


def test_attempts_are_all_kept_for_people(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    rig.refuse(CARRIER)
    rig.clock.advance(60)
    rig.send(9)
    found = [
        factories.fields(row, "outcome", "error_code", "whose", "counted", "mr", "part_number")
        for row in outbox.attempts(rig.db, message_id)
    ]
    assert found == [
        {
            "outcome": "refused",
            "error_code": "38",
            "whose": "network",
            "counted": 0,
            "mr": None,
            "part_number": 1,
        },
        {
            "outcome": "taken",
            "error_code": None,
            "whose": None,
            "counted": 0,
            "mr": 9,
            "part_number": 1,
        },
    ]


def test_dead_numbers_of_high_priority_do_not_silence_the_rest(rig: Rig) -> None:
    """Three of them were refused, rested on, probed with and refused again, and all else waited."""
    sim_id = rig.attach()
    dead = [rig.add(f"{n}", recipient=number(n), priority="stat") for n in range(3)]
    good = [rig.add(f"{n}", recipient=number(n)) for n in range(10, 16)]
    for _ in range(3):
        rig.refuse(DEAD)
    rig.clock.advance(60)
    refused, sent = 0, 0
    while (part := rig.claim()) is not None:
        if part.message_id in dead:
            rig.settle(factories.refused(part.part_id, DEAD))
            refused += 1
        else:
            rig.settle(factories.taken(part.part_id, sent))
            sent += 1
    assert rig.sim(sim_id)["state"] == "working"
    assert (refused, sent) == (3, 6)
    assert [rig.state_of(message_id) for message_id in dead] == ["failed"] * 3
    assert [rig.state_of(message_id) for message_id in good] == ["sent"] * 6


def test_part_refused_before_is_the_probe_where_there_is_nothing_else(rig: Rig) -> None:
    rig.attach()
    dead = rig.add()
    rig.refuse(DEAD)
    rig.clock.advance(30)
    assert rig.must_claim().message_id == dead


def test_probe_of_a_resting_sim_is_another_number_also_after_a_restart(rig: Rig) -> None:
    rig.attach()
    for n in range(3):
        rig.add(f"{n}", recipient=number(n), priority="stat")
    for _ in range(3):
        rig.refuse(DEAD)
    rig.restart()
    rig.attach()
    good = rig.add("good", recipient=number(9))
    rig.clock.advance(60)
    assert rig.must_claim().message_id == good
