# SPDX-License-Identifier: Apache-2.0
"""Parts whose fate is unknown: what settles them, and what must not."""

from __future__ import annotations

from pathlib import Path

import factories
import pytest
from gateway_support import TWO_PARTS, Rig

from gsmgw.gateway.outcomes.references import Counter, Verdict
from gsmgw.model import ModemState, PartState
from gsmgw.store import modems, tries


def number(index: int) -> str:
    return factories.make_number(index)


# -- the counter, pure --------------------------------------------------------------------------


def test_counter_is_believed_after_eight_steps_of_one() -> None:
    counter = Counter(None, 0, None)
    for mr in range(250, 250 + 9):
        assert not counter.is_trusted
        counter, verdict = counter.after_taken(mr % 256, 0)
        assert verdict is Verdict.NOTHING
    assert counter.is_trusted
    assert not counter.after_taken(7, 0)[0].is_trusted


@pytest.mark.parametrize("last", [10, 254, 255, 0])
@pytest.mark.parametrize("doubts", [1, 2, 5])
def test_counter_tells_all_or_none_over_the_wrap(last: int, doubts: int) -> None:
    counter = Counter(last, 8, None).after_doubt()
    assert counter.expected_mr(0) == (last + 1) % 256
    assert counter.expected_mr(doubts - 1) == (last + doubts) % 256
    assert counter.after_taken((last + 1) % 256, doubts)[1] is Verdict.NEVER_SUBMITTED
    assert counter.after_taken((last + 1 + doubts) % 256, doubts)[1] is Verdict.SUBMITTED
    others = set(range(256)) - {(last + 1) % 256, (last + 1 + doubts) % 256}
    assert {counter.after_taken(mr, doubts)[1] for mr in others} == {Verdict.NOTHING}
    assert counter.after_reading(last, doubts)[1] is Verdict.NEVER_SUBMITTED
    assert counter.after_reading((last + doubts) % 256, doubts)[1] is Verdict.SUBMITTED
    assert counter.after_reading((last + doubts + 1) % 256, doubts)[1] is Verdict.NOTHING


def test_counter_says_nothing_after_a_refusal_or_a_power_cycle() -> None:
    for counter in (
        Counter(10, 8, None).after_doubt().after_refusal(),
        Counter(10, 8, None).after_doubt().after_power_cycle(),
        Counter(10, 7, None).after_doubt(),
    ):
        assert counter.expected_mr(0) is None
        assert counter.after_taken(11, 1)[1] is Verdict.NOTHING
        assert counter.after_reading(11, 1)[1] is Verdict.NOTHING
    assert Counter(10, 8, 10).after_taken(None, 1)[1] is Verdict.NOTHING


# -- late answers -------------------------------------------------------------------------------


def test_late_answer_settles(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    part_id = rig.doubt()
    row = rig.message(message_id)
    assert (row["state"], row["settled_at"], row["due_at"]) == ("uncertain", None, None)
    rig.dispatcher.late_answer("front", factories.taken(part_id, 5, proof="late-answer"))
    assert rig.state_of(message_id) == "sent"
    assert factories.fields(rig.part(part_id), "mr", "proof") == {"mr": 5, "proof": "late-answer"}


def test_late_refusal_lets_it_go_again(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    part_id = rig.doubt()
    rig.dispatcher.late_answer("front", factories.refused(part_id, 38))
    assert rig.state_of(message_id) == "queued"


def test_late_refusal_of_what_was_given_up_sends_nothing(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    part_id = rig.doubt()
    rig.clock.advance(700)
    rig.housekeeping.work()
    rig.dispatcher.late_answer("front", factories.refused(part_id, 38))
    assert rig.state_of(message_id) == "failed"
    rig.clock.advance(7000)
    assert rig.claim() is None


def test_late_answer_leaves_the_part_in_flight_held(rig: Rig) -> None:
    rig.attach()
    rig.add("1")
    rig.add("2")
    doubtful = rig.doubt()
    part = rig.must_claim()
    rig.dispatcher.late_answer("front", factories.taken(doubtful, 5))
    assert rig.dispatcher.held_parts() == {part.part_id}


# -- the counter --------------------------------------------------------------------------------


@pytest.mark.parametrize("last", [10, 253, 254, 255])
def test_next_reference_but_one_shows_that_the_part_was_sent(rig: Rig, last: int) -> None:
    sim_id = rig.attach()
    rig.train(sim_id, last)
    doubtful = rig.add("1")
    part_id = rig.doubt()
    rig.add("2")
    rig.send((last + 2) % 256)
    assert rig.state_of(doubtful) == "sent"
    expected = {"mr": (last + 1) % 256, "proof": "counter", "state": "sent"}
    assert factories.fields(rig.part(part_id), "mr", "proof", "state") == expected


@pytest.mark.parametrize("last", [10, 254, 255])
def test_next_reference_shows_that_the_part_was_never_sent(rig: Rig, last: int) -> None:
    sim_id = rig.attach()
    rig.train(sim_id, last)
    doubtful = rig.add("1")
    part_id = rig.doubt()
    rig.add("2")
    rig.send((last + 1) % 256)
    row = rig.message(doubtful)
    assert (row["state"], row["tries"], row["due_at"]) == ("queued", 0, rig.after(0))
    assert rig.must_claim().part_id == part_id


def test_sims_own_record_tells_earlier(rig: Rig) -> None:
    sim_id = rig.attach()
    rig.train(sim_id, 10)
    first, second = rig.add("1"), rig.add("2")
    rig.doubt()
    rig.dispatcher.smss_reading("front", 10)
    assert rig.state_of(first) == "queued"
    rig.clock.advance(1)
    part_id = rig.doubt()
    rig.dispatcher.smss_reading("front", 11)
    assert rig.part(part_id)["state"] == "sent"
    assert {rig.state_of(first), rig.state_of(second)} == {"sent", "queued"}


@pytest.mark.parametrize("between", ["refusal", "power", "moved", "device", "untrusted"])
def test_counter_is_not_asked_after_what_may_have_moved_it(rig: Rig, between: str) -> None:
    sim_id = rig.attach("front", sim="8948000000000000001", imei="350000000000001")
    if between != "untrusted":
        rig.train(sim_id, 10)
    doubtful = rig.add("1")
    rig.doubt()
    modem = "front"
    if between == "refusal":
        rig.add("2", recipient=number(2))
        rig.refuse(1)
    elif between == "power":
        rig.state("front", ModemState.ABSENT)
        rig.attach("front", sim="8948000000000000001", imei="350000000000001")
    elif between == "moved":
        rig.state("front", ModemState.UNRESPONSIVE)
        rig.attach(modem := "back", sim="8948000000000000001")
    elif between == "device":
        rig.attach("front", sim="8948000000000000001", imei="350000000000002")
    rig.add("3", recipient=number(3))
    rig.send(12, modem)
    assert rig.state_of(doubtful) == "uncertain"


@pytest.mark.parametrize(("line", "state"), [("AT+CMSS=1", "uncertain"), ("AT+CSQ", "queued")])
def test_counter_is_not_asked_after_a_person_had_the_modem_send(
    rig: Rig, line: str, state: str
) -> None:
    rig.train(rig.attach(), 10)
    doubtful = rig.add("1")
    rig.doubt()
    with rig.db.write() as tx:
        modems.ask(tx, "front", "at", line, rig.after(60))
    assert rig.dispatcher.next_command("front") is not None
    rig.add("2", recipient=number(2))
    rig.send(11)
    assert rig.state_of(doubtful) == state


def test_counter_is_asked_after_a_restart_of_the_daemon(rig: Rig) -> None:
    sim_id = rig.attach()
    rig.train(sim_id, 10)
    doubtful = rig.add("1")
    rig.must_claim()
    rig.restart()
    rig.attach()
    part = rig.dispatcher.in_flight("front")
    assert part is not None
    rig.settle(factories.uncertain(part.part_id))
    rig.add("2")
    rig.send(11)
    assert rig.state_of(doubtful) == "queued"


def three_doubts(rig: Rig) -> list[int]:
    rig.train(rig.attach(), 10)
    for index in range(3):
        rig.add(f"{index}", recipient=number(index))
        rig.clock.advance(1)
    parts = []
    for _ in range(3):
        parts.append(rig.doubt())
        rig.clock.advance(1)
    return parts


@pytest.mark.parametrize(
    ("mr", "states"),
    [
        (11, ["waiting"] * 3),
        (14, ["sent"] * 3),
        (12, ["uncertain"] * 3),
        (13, ["uncertain"] * 3),
        (99, ["uncertain"] * 3),
    ],
)
def test_several_doubts_are_all_settled_or_none(rig: Rig, mr: int, states: list[str]) -> None:
    parts = three_doubts(rig)
    assert [rig.part(part)["expected_mr"] for part in parts] == [11, 12, 13]
    rig.add("next", recipient=number(9))
    rig.send(mr)
    assert [rig.part(part)["state"] for part in parts] == states


def test_late_answer_for_the_first_doubt_says_nothing_of_later_ones(rig: Rig) -> None:
    first, second, third = three_doubts(rig)
    rig.dispatcher.late_answer("front", factories.taken(first, 11))
    assert [rig.part(part)["state"] for part in (first, second, third)] == [
        "sent",
        "uncertain",
        "uncertain",
    ]
    rig.add("next", recipient=number(9))
    rig.send(14)
    assert [rig.part(part)["mr"] for part in (first, second, third)] == [11, 12, 13]


def test_late_answer_for_the_last_doubt_tells_of_earlier_ones(rig: Rig) -> None:
    first, second, third = three_doubts(rig)
    rig.dispatcher.late_answer("front", factories.taken(third, 11))
    assert [rig.part(part)["state"] for part in (first, second, third)] == [
        "waiting",
        "waiting",
        "sent",
    ]


def test_report_for_one_doubt_does_not_make_the_counter_lie_about_the_next(rig: Rig) -> None:
    first, second, _ = three_doubts(rig)
    rig.report(11, number(0))
    assert rig.part(first)["state"] == "delivered"
    rig.add("next", recipient=number(9))
    rig.send(12)  # the second and third were never sent
    assert rig.part(second)["state"] == "waiting"


@pytest.mark.parametrize(("mr", "first_is"), [(11, "waiting"), (12, "sent")])
def test_report_for_a_later_doubt_tells_of_the_ones_before(
    rig: Rig, mr: int, first_is: str
) -> None:
    first, second, third = three_doubts(rig)
    rig.report(mr, number(1))
    assert [rig.part(part)["state"] for part in (first, second)] == [first_is, "delivered"]
    assert rig.part(third)["expected_mr"] == mr + 1
    rig.add("next", recipient=number(9), priority="stat")
    rig.send(mr + 2)
    assert rig.part(third)["mr"] == mr + 1


def test_report_that_tells_of_some_before_it_ends_the_count(rig: Rig) -> None:
    first, second, third = three_doubts(rig)
    rig.report(12, number(2))  # one of the two before was submitted: which?
    assert rig.part(third)["state"] == "delivered"
    rig.add("next", recipient=number(9))
    rig.send(13)
    assert [rig.part(part)["state"] for part in (first, second)] == ["uncertain", "uncertain"]


def test_doubt_after_one_settled_by_report_expects_the_right_reference(rig: Rig) -> None:
    rig.train(rig.attach(), 10)
    rig.add("1", recipient=number(1))
    rig.doubt()
    rig.report(11, number(1))
    rig.add("2", recipient=number(2))
    second = rig.doubt()
    assert rig.part(second)["expected_mr"] == 12
    rig.add("3", recipient=number(3))
    rig.send(12)
    assert rig.part(second)["state"] == "waiting"


@pytest.mark.parametrize("mr", [12, 13])
def test_retried_doubt_does_not_make_the_counter_lie_about_the_others(rig: Rig, mr: int) -> None:
    first, second, third = three_doubts(rig)
    rig.retry(rig.part(first)["message_id"])
    rig.clock.advance(1)
    assert rig.send(mr) == first  # its first try took 11, of the others none or one was sent
    assert [rig.part(part)["state"] for part in (second, third)] == ["uncertain", "uncertain"]


# -- nobody tells -------------------------------------------------------------------------------


def test_doubt_without_evidence_is_given_up_after_the_wait(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    part_id = rig.doubt()
    rig.clock.advance(599)
    rig.housekeeping.work()
    assert rig.message(message_id)["settled_at"] is None
    rig.clock.advance(1)
    rig.housekeeping.work()
    row = rig.message(message_id)
    assert (row["state"], row["error_code"]) == ("uncertain", "uncertain")
    assert row["settled_at"] == rig.after(0)
    assert f"gsmgw show {message_id}" in row["error"]
    rig.housekeeping.work()
    assert rig.event_names(message_id).count("message.uncertain") == 1
    rig.report(5)
    assert rig.state_of(message_id) == "delivered"
    assert rig.part(part_id)["proof"] == "report"


def test_given_up_message_is_not_sent_again_by_the_counter(rig: Rig) -> None:
    rig.train(rig.attach(), 10)
    message_id = rig.add("1")
    part_id = rig.doubt()
    rig.clock.advance(600)
    rig.housekeeping.work()
    settled_at = rig.message(message_id)["settled_at"]
    rig.add("2", recipient=number(2))
    rig.send(11)
    row = rig.message(message_id)
    assert (row["state"], row["settled_at"]) == ("uncertain", settled_at)
    assert f"gsmgw retry {message_id}" in row["error"]
    assert rig.claim() is None
    rig.retry(message_id)
    assert rig.send(12) == part_id
    assert rig.state_of(message_id) == "sent"


def test_given_up_message_is_sent_after_all_by_the_counter(rig: Rig) -> None:
    rig.train(rig.attach(), 10)
    message_id = rig.add("1")
    rig.doubt()
    rig.clock.advance(600)
    rig.housekeeping.work()
    rig.add("2", recipient=number(2))
    rig.send(12)
    assert rig.state_of(message_id) == "sent"


def test_rest_of_a_given_up_message_is_not_sent_when_a_late_report_comes(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add(TWO_PARTS)
    part_id = rig.doubt()
    rig.clock.advance(600)
    rig.housekeeping.work()
    rig.report(5)
    assert rig.part(part_id)["state"] == "delivered"
    assert rig.state_of(message_id) == "uncertain"
    assert rig.claim() is None
    rig.retry(message_id)
    rig.send(6)
    assert (rig.parts(message_id), rig.state_of(message_id)) == (["delivered", "sent"], "sent")


def resending(tmp_path: Path) -> Rig:
    settle_as = {"care": "resend"}
    return Rig(tmp_path, factories.make_config(sending={"uncertain": {"settle_as": settle_as}}))


def test_settle_as_resend_sends_again_per_category(tmp_path: Path) -> None:
    rig = resending(tmp_path)
    rig.attach()
    care, staff = rig.add("1", recipient=number(1)), rig.add("2", category="staff")
    rig.doubt()
    rig.doubt()
    rig.clock.advance(600)
    rig.housekeeping.work()
    assert rig.state_of(care) == "queued"
    assert rig.message(staff)["settled_at"] is not None
    assert rig.must_claim().message_id == care
    rig.close()


def test_settle_as_resend_does_not_write_to_one_patient_for_ever(tmp_path: Path) -> None:
    rig = resending(tmp_path)
    rig.attach()
    message_id = rig.add()
    submitted = 0
    for _ in range(20):
        if rig.claim() is not None:
            submitted += 1
            part = rig.dispatcher.in_flight("front")
            rig.settle(factories.uncertain(part.part_id))
        rig.clock.advance(700)
        rig.housekeeping.work()
    assert submitted == 3
    assert (rig.state_of(message_id), rig.message(message_id)["settled_at"] is None) == (
        "uncertain",
        False,
    )
    rig.close()


def test_resend_of_an_expired_message_expires_it(tmp_path: Path) -> None:
    rig = resending(tmp_path)
    rig.attach()
    message_id = rig.add(expires_at=rig.after(300))
    rig.doubt()
    rig.clock.advance(600)
    rig.housekeeping.work()
    assert rig.claim() is None
    assert rig.state_of(message_id) == "expired"
    rig.close()


def test_uncertain_part_does_not_hold_back_the_others(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add(TWO_PARTS)
    part = rig.must_claim()
    following = rig.settle(factories.uncertain(part.part_id), claim_next=True)
    assert following is not None
    assert following.number == 2
    rig.settle(factories.taken(following.part_id, 3))
    assert rig.state_of(message_id) == "uncertain"
    rig.dispatcher.late_answer("front", factories.taken(part.part_id, 2))
    assert rig.state_of(message_id) == "sent"


# -- nobody listens -----------------------------------------------------------------------------


def test_part_of_a_modem_that_never_comes_back_is_doubted(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    part = rig.must_claim()
    rig.clock.advance(1000)
    rig.housekeeping.work()
    assert rig.state_of(message_id) == "sending", "its thread still holds it"
    rig.restart()
    rig.housekeeping.work()
    assert rig.state_of(message_id) == "sending", "its modem may still come up"
    rig.clock.advance(91)
    rig.housekeeping.work()
    assert rig.part(part.part_id)["state"] == PartState.UNCERTAIN
    assert "did not come back" in rig.part(part.part_id)["error"]


def test_part_of_a_modem_configured_no_longer_is_doubted(rig: Rig) -> None:
    rig.attach()
    part_id = rig.add() and rig.must_claim().part_id
    rig.restart(factories.make_config(modems=[factories.make_modem("back")]))
    rig.clock.advance(31)
    rig.housekeeping.work()
    assert rig.part(part_id)["state"] == "uncertain"


def test_clock_set_forward_at_the_start_doubts_nothing_at_once(rig: Rig) -> None:
    rig.attach()
    part_id = rig.add() and rig.must_claim().part_id
    rig.restart()
    rig.clock.jump(86400)
    rig.housekeeping.work()
    assert rig.part(part_id)["state"] == "sending"


def test_modem_that_is_lost_forgets_the_expectations(rig: Rig) -> None:
    sim_id = rig.attach()
    rig.train(sim_id, 10)
    rig.add()
    rig.doubt()
    rig.state("front", ModemState.ABSENT)
    rig.state("front", ModemState.ABSENT)
    with rig.db.write() as tx:
        assert tries.doubts(tx, sim_id) == []
    assert rig.sim(sim_id)["last_mr"] is None
