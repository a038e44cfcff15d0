# SPDX-License-Identifier: Apache-2.0
"""Answers that may be of the part before, and refusals that come after the counter has told."""

from __future__ import annotations

import dataclasses

import factories
import pytest
from gateway_support import Rig

from gsmgw.model import Outcome, SubmitResult


def number(index: int) -> str:
    return factories.make_number(index)


def states(rig: Rig, *parts: int) -> list[str]:
    return [str(rig.part(part)["state"]) for part in parts]


def references(rig: Rig, *parts: int) -> list[int | None]:
    return [rig.part(part)["mr"] for part in parts]


def held(rig: Rig) -> tuple[int, int]:
    """Leave a part in doubt and one whose answer, with 11, may have been that one's."""
    rig.train(rig.attach(), 10)
    for index in range(4):
        rig.add(f"{index}", recipient=number(index))
        rig.clock.advance(1)
    first = rig.doubt()
    rig.clock.advance(1)
    second = rig.send(11, shared=True)
    rig.clock.advance(1)
    assert states(rig, first, second) == ["uncertain", "sent"]
    return first, second


def test_the_next_reference_tells_that_the_first_was_never_submitted(rig: Rig) -> None:
    first, second = held(rig)
    rig.send(12)
    assert states(rig, first, second) == ["waiting", "sent"]
    assert references(rig, first, second) == [None, 11]
    assert rig.part(second)["expected_mr"] is None


def test_the_next_reference_tells_that_both_were_submitted(rig: Rig) -> None:
    first, second = held(rig)
    rig.send(13)
    assert states(rig, first, second) == ["sent", "sent"]
    assert references(rig, first, second) == [11, 12]
    assert rig.part(first)["proof"] == "counter"


def test_a_reference_that_fits_neither_settles_nothing(rig: Rig) -> None:
    first, second = held(rig)
    rig.send(99)
    assert states(rig, first, second) == ["uncertain", "sent"]
    assert references(rig, second) == [11]


def test_a_report_on_the_first_shows_whose_the_answer_was(rig: Rig) -> None:
    first, second = held(rig)
    rig.report(11, number(0))
    assert states(rig, first, second) == ["delivered", "uncertain"]
    assert rig.part(second)["expected_mr"] == 12
    assert "part.doubted" in rig.event_names(rig.part(second)["message_id"])
    rig.send(13)
    assert states(rig, second) == ["sent"]
    assert references(rig, second) == [12]


@pytest.mark.parametrize(("mr", "first_is"), [(11, "waiting"), (12, "sent")])
def test_a_report_on_the_second_tells_of_the_first(rig: Rig, mr: int, first_is: str) -> None:
    first, second = held(rig)
    rig.report(mr, number(1))
    assert states(rig, first, second) == [first_is, "delivered"]
    assert references(rig, second) == [mr]


@pytest.mark.parametrize(
    ("mr", "first_is", "seconds"), [(12, ("waiting", None), 11), (13, ("sent", 11), 12)]
)
def test_a_report_on_a_third_tells_which_reference_the_second_has(
    rig: Rig, mr: int, first_is: tuple[str, int | None], seconds: int
) -> None:
    """Reports on the second are matched by its reference, so it must be the one that it has."""
    first, second = held(rig)
    third = rig.doubt()
    rig.clock.advance(1)
    rig.report(mr, number(2))
    assert (states(rig, first), references(rig, first)) == ([first_is[0]], [first_is[1]])
    assert states(rig, second, third) == ["sent", "delivered"]
    assert references(rig, second, third) == [seconds, mr]
    assert rig.part(second)["expected_mr"] is None, "nothing is held any more"
    rig.report(seconds, number(1))
    assert states(rig, second) == ["delivered"]


def test_an_answer_with_a_reference_that_a_report_has_proved_is_not_the_parts_own(
    rig: Rig,
) -> None:
    rig.train(rig.attach(), 10)
    for index in range(3):
        rig.add(f"{index}", recipient=number(index))
    rig.doubt()
    rig.report(11, number(0))
    second = rig.send(11, shared=True)
    assert states(rig, second) == ["uncertain"]
    rig.send(13)
    assert states(rig, second) == ["sent"]
    assert references(rig, second) == [12]


def test_a_doubt_after_it_is_counted_on(rig: Rig) -> None:
    first, second = held(rig)
    third = rig.doubt()
    assert rig.part(third)["expected_mr"] == 13
    rig.clock.advance(1)
    rig.send(14)
    assert references(rig, first, second, third) == [11, 12, 13]


def in_order(first: int, second: int, before: SubmitResult, own: SubmitResult) -> SubmitResult:
    """Return what a modem hands on: two answers, the first of which was taken for the second's."""
    before = dataclasses.replace(before, part_id=first, proof="late-answer")
    return dataclasses.replace(own, part_id=second, proof="late-answer", before=before)


def test_the_second_answer_comes_late(rig: Rig) -> None:
    first, second = held(rig)
    both = in_order(first, second, factories.taken(0, 11), factories.taken(0, 12))
    rig.dispatcher.late_answer("front", both)
    assert states(rig, first, second) == ["sent", "sent"]
    assert references(rig, first, second) == [11, 12]
    third = rig.doubt()
    assert rig.part(third)["expected_mr"] == 13


def test_the_second_answer_is_a_late_refusal(rig: Rig) -> None:
    first, second = held(rig)
    both = in_order(first, second, factories.taken(0, 11), factories.refused(0, 1))
    rig.dispatcher.late_answer("front", both)
    assert states(rig, first, second) == ["sent", "failed"]


@pytest.mark.parametrize("code", [1, 38])
def test_a_refusal_was_that_of_the_part_before(rig: Rig, code: int) -> None:
    rig.train(rig.attach(), 10)
    for index in range(2):
        rig.add(f"{index}", recipient=number(index))
        rig.clock.advance(1)
    first = rig.doubt()
    rig.clock.advance(1)
    second = rig.must_claim().part_id
    rig.settle(dataclasses.replace(factories.refused(second, code), shared=True))
    message = rig.part(second)["message_id"]
    assert rig.state_of(message) == ("failed" if code == 1 else "queued")
    both = in_order(first, second, factories.refused(0, code), factories.taken(0, 11))
    rig.dispatcher.late_answer("front", both)
    assert states(rig, first, second) == ["failed" if code == 1 else "waiting", "sent"]
    assert (rig.state_of(message), rig.message(message)["tries"]) == ("sent", 0)


def test_what_is_on_its_way_again_is_not_taken_back(rig: Rig) -> None:
    rig.attach()
    rig.add("1")
    rig.add("2", recipient=number(2))
    first = rig.doubt()
    second = rig.must_claim().part_id
    rig.settle(dataclasses.replace(factories.refused(second, 38), shared=True))
    rig.clock.advance(60)
    assert rig.must_claim().part_id == second
    both = in_order(first, second, factories.refused(0, 38), factories.taken(0, 11))
    rig.dispatcher.late_answer("front", both)
    assert states(rig, first, second) == ["uncertain", "sending"]


# -- what the counter cannot know -----------------------------------------------------------------


def settled_by_counter(rig: Rig) -> int:
    rig.train(rig.attach(), 10)
    rig.add("1")
    part = rig.doubt()
    rig.clock.advance(1)
    rig.add("2", recipient=number(2))
    rig.send(12)
    assert rig.part(part)["proof"] == "counter"
    return part


def late_refusal(part: int, code: int) -> SubmitResult:
    refused = factories.refused(part, code)
    return dataclasses.replace(refused, proof="late-answer")


@pytest.mark.parametrize(("code", "state"), [(1, "failed"), (38, "queued")])
def test_a_late_refusal_corrects_what_the_counter_told(rig: Rig, code: int, state: str) -> None:
    part = settled_by_counter(rig)
    rig.dispatcher.late_answer("front", late_refusal(part, code))
    message = rig.part(part)["message_id"]
    assert rig.state_of(message) == state
    assert rig.part(part)["error_code"] == str(code)
    assert "part.corrected" in rig.event_names(message)


def test_a_late_refusal_says_nothing_against_a_report(rig: Rig) -> None:
    part = settled_by_counter(rig)
    rig.report(11)
    rig.dispatcher.late_answer("front", late_refusal(part, 1))
    assert states(rig, part) == ["delivered"]


def test_a_late_refusal_says_nothing_against_an_answer(rig: Rig) -> None:
    rig.attach()
    rig.add("1")
    part = rig.send(11)
    rig.dispatcher.late_answer("front", late_refusal(part, 1))
    assert rig.part(part)["state"] == "sent"
    assert rig.part(part)["proof"] != Outcome.REFUSED
