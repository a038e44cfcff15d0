# SPDX-License-Identifier: Apache-2.0
"""What becomes of parts: unknown fates, refusals, a store that is busy; against the simulator."""

import dataclasses
import datetime as dt

import pytest
from modem_gateway import MemoryGateway, make_part
from modem_world import THEM, outcomes, simulated, until_ready, worked

from gsmgw.model import ErrorFamily, Outcome, PartToSend

# -- parts whose fate is unknown ------------------------------------------------------------------


def test_an_answer_that_is_lost_leaves_the_part_uncertain_and_the_next_goes_out():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway, result_timeout_s=4.0) as runner:
            until_ready(runner)
            park.fault("front", "answer-lost", times=1)
            gateway.waiting.extend([make_part(1), make_part(2)])
            runner.until(lambda: len(gateway.results) == 2)
            assert outcomes(gateway) == ["uncertain", "taken"]
            assert park.books.counts()["taken"] == 2


def test_a_late_answer_is_handed_on():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway, result_timeout_s=0.5) as runner:
            until_ready(runner)
            park.fault("front", "late-answer", after="4s", times=1)
            gateway.waiting.append(make_part(1))
            runner.until(lambda: gateway.late)
            assert outcomes(gateway) == ["uncertain"]
            late = gateway.late[0]
            assert (late.part_id, late.outcome, late.mr) == (1, Outcome.TAKEN, 0)
            assert late.proof == "late-answer"


def _in_flight(gateway: MemoryGateway, part: PartToSend, age_s: float) -> None:
    claimed_at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=age_s)
    gateway.sending = dataclasses.replace(part, claimed_at=claimed_at)


def test_after_a_restart_the_answer_is_listened_for_and_nothing_is_written():
    with simulated(submit="4s") as park:  # time enough to start again
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            part = make_part(1)
            written = []
            talk = runner.worker._talk
            # The daemon dies right after Ctrl-Z.
            talk._await_outcome = lambda _: (
                written.append(1) or (_ for _ in ()).throw(KeyboardInterrupt)
            )
            gateway.waiting.append(part)
            with pytest.raises(KeyboardInterrupt):
                runner.until(lambda: gateway.taken)
            assert written
        _in_flight(gateway, part, 0.0)
        with worked(park, gateway) as runner:
            runner.until(lambda: gateway.results)
        (result,) = gateway.results
        assert (result.outcome, result.mr, result.proof) == (Outcome.TAKEN, 0, "late-answer")
        assert park.books.counts()["taken"] == 1


def test_after_a_restart_without_an_answer_the_part_is_uncertain():
    with simulated() as park:
        gateway = MemoryGateway()
        _in_flight(gateway, make_part(1), 0.0)
        with worked(park, gateway, result_timeout_s=4.0) as runner:
            runner.until(lambda: gateway.results)
            assert outcomes(gateway) == ["uncertain"]
            gateway.waiting.append(make_part(2))
            runner.until(lambda: gateway.taken)


def test_a_device_that_comes_later_is_not_listened_to():
    with simulated(plugged="no") as park:
        gateway = MemoryGateway()
        _in_flight(gateway, make_part(1), 0.0)
        with worked(park, gateway, result_timeout_s=600) as runner:
            runner.step_once = runner.worker.step(runner.stop)
            park.plug("front")
            runner.until(lambda: gateway.results)
            assert outcomes(gateway) == ["uncertain"]


def test_an_unplugged_submit_is_uncertain_and_what_was_claimed_is_given_back():
    with simulated(submit="500ms") as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            park.fault("front", "brown-out")
            gateway.waiting.extend([make_part(1), make_part(2)])
            runner.until(lambda: gateway.taken)
            assert outcomes(gateway)[0] in ("uncertain", "untouched")
            assert gateway.sending is None


def test_a_prompt_that_does_not_come_leaves_the_part_untouched():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            park.fault("front", "prompt-lost", times=1)
            gateway.waiting.append(make_part(1))
            runner.until(lambda: gateway.taken)
            assert outcomes(gateway) == ["untouched", "taken"]
            assert park.books.counts()["submits"] == 1


# -- refusals -------------------------------------------------------------------------------------


def test_a_refusal_carries_its_code_and_the_next_part_goes_out():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            park.fault("front", "refuse", code=38, times=1)
            gateway.waiting.extend([make_part(1), make_part(2)])
            runner.until(lambda: gateway.taken)
            refused = gateway.results[0]
            assert refused.outcome is Outcome.REFUSED
            assert (refused.family, refused.code) == (ErrorFamily.CMS, 38)


def test_a_refused_validity_is_left_out_and_that_is_remembered():
    with simulated(habits={"validity": "no"}) as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            for number in (1, 2, 3):
                gateway.waiting.append(make_part(number))
            runner.until(lambda: len(gateway.taken) == 3)
            assert outcomes(gateway) == ["taken"] * 3
            assert [one.outcome for one in park.books.submits] == ["refused", *["taken"] * 3]


def test_a_service_centre_that_vanished_is_restored():
    with simulated() as park:
        gateway = MemoryGateway()
        gateway.service_centre = "+48500100900"
        with worked(park, gateway) as runner:
            until_ready(runner)
            park.fault("front", "smsc-gone")
            gateway.waiting.extend([make_part(1), make_part(2)])
            runner.until(lambda: gateway.taken)
            assert outcomes(gateway) == ["refused", "taken"]


# -- the store ------------------------------------------------------------------------------------


def test_a_busy_store_loses_nothing():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            gateway.busy = 1
            park.receive(THEM, "front", "TAK")
            runner.until(lambda: gateway.deletions)
            assert gateway.texts() == ["TAK"]
            gateway.waiting.append(make_part(1))
            settle = gateway.settle

            def busy_once(modem, result, *, claim_next):
                gateway.settle = settle
                gateway.busy = 1
                return settle(modem, result, claim_next=claim_next)

            gateway.settle = busy_once
            runner.until(lambda: gateway.taken)
            assert park.books.counts()["taken"] == 1


def test_what_the_modem_will_not_delete_is_handed_over_once():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway, sweep_s=0.3) as runner:
            until_ready(runner)
            park.fault("front", "deletion-refused", times=3)
            park.receive(THEM, "front", "A")
            park.receive(THEM, "front", "B")
            runner.until(lambda: len(gateway.deletions) == 2)
            assert sorted(filter(None, gateway.texts())) == ["A", "B"]
