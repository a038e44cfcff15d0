# SPDX-License-Identifier: Apache-2.0
"""Late answers of several parts, and devices that were without power."""

from __future__ import annotations

import dataclasses

import factories
import pytest
from gateway_support import Rig

from gsmgw.model import ModemReport, ModemState, Outcome, SimIdentity, SubmitResult


def late(part_id: int, mr: int | None, *, alone: bool = True) -> SubmitResult:
    return SubmitResult(part_id, Outcome.TAKEN, mr, proof="late-answer", alone=alone)


def two_doubts(rig: Rig, *, counting: bool) -> tuple[int, int]:
    """Leave two parts in doubt; where references count they must have 11 and 12."""
    sim_id = rig.attach()
    if counting:
        rig.train(sim_id, 10)
    for index in range(2):
        rig.add(f"{index}", recipient=factories.make_number(index))
    first = rig.doubt()
    rig.clock.advance(1)
    return first, rig.doubt()


def states(rig: Rig, *parts: int) -> list[str]:
    return [str(rig.part(part)["state"]) for part in parts]


def test_of_several_a_late_answer_settles_the_part_of_its_reference(rig: Rig) -> None:
    first, second = two_doubts(rig, counting=True)
    rig.dispatcher.late_answer("front", late(second, 11, alone=False))
    assert states(rig, first, second) == ["sent", "uncertain"]
    rig.dispatcher.late_answer("front", late(second, 12, alone=False))
    assert states(rig, first, second) == ["sent", "sent"]


@pytest.mark.parametrize("counting", [True, False])
def test_of_several_a_late_answer_without_a_fitting_reference_settles_none(
    rig: Rig, *, counting: bool
) -> None:
    first, second = two_doubts(rig, counting=counting)
    rig.dispatcher.late_answer("front", late(second, 200, alone=False))
    assert states(rig, first, second) == ["uncertain", "uncertain"]


def test_a_late_answer_with_the_reference_of_another_part_settles_none(rig: Rig) -> None:
    rig.train(rig.attach(), 10)
    rig.add()
    part = rig.doubt()
    rig.dispatcher.late_answer("front", late(part, 10))
    assert states(rig, part) == ["uncertain"]
    rig.dispatcher.late_answer("front", late(part, 11))
    assert states(rig, part) == ["sent"]


REPORT = ModemReport(
    "front",
    ModemState.SEARCHING,
    imei="350000000000001",
    sim=SimIdentity("8948000000000000001", None),
    power="one",
)


@pytest.mark.parametrize(("power", "state"), [("one", "queued"), ("two", "uncertain")])
def test_a_device_that_was_without_power_while_nobody_ran_is_not_asked(
    rig: Rig, power: str, state: str
) -> None:
    rig.dispatcher.attach("front", REPORT)
    rig.train(rig.dispatcher._sessions["front"].sim_id or 0, 10)
    doubtful = rig.add("1")
    rig.must_claim()
    rig.restart()
    part = rig.dispatcher.in_flight("front")
    assert part is not None
    rig.settle(factories.uncertain(part.part_id))
    # What is told of a modem before it is attached draws no conclusion, and hides none.
    rig.dispatcher.changed(dataclasses.replace(REPORT, state=ModemState.OPENING, power=power))
    rig.dispatcher.attach("front", dataclasses.replace(REPORT, power=power))
    rig.dispatcher.changed(dataclasses.replace(REPORT, state=ModemState.READY, power=power))
    rig.add("2", recipient=factories.make_number(2))
    rig.send(11)
    assert rig.state_of(doubtful) == state
