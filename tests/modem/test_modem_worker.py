# SPDX-License-Identifier: Apache-2.0
"""Driver and worker against the simulator, each test over lines of every quality."""

import dataclasses
import datetime as dt
from contextlib import contextmanager

import pytest
from modem_gateway import MemoryGateway, Runner, make_part, running

from gsmgw.model import ErrorFamily, ModemState, Outcome, PartToSend
from gsmgw.modem.gateway_port import ModemCommand
from gsmgw.modem.settings import Settings
from gsmgw.modem.worker import Worker
from gsmgw.simulator import Simulator

LINES = {
    "good": {},
    "bytes": {"line": {"gap": "100us"}},
    "noise": {"fault": "garbage"},
    "inside": {"line": {"inside": "^RSSI: 17"}},
    "delay": {"line": {"delay": "10ms"}},
}
THEM = "+48500100201"


def scenario(vendor="generic", **more):
    modem = {
        "name": "front",
        "number": "+48500100200",
        "imei": "356938035643809",
        "imsi": "260011234567890",
        "iccid": "8948010000000000001",
        "vendor": vendor,
        "latency": "2ms",
        "submit": "10ms",
        **more,
    }
    return {"modems": [modem], "network": {"delivery": "10ms", "report": "20ms"}}


@contextmanager
def simulated(**more):
    park = Simulator(scenario(**more))
    park.start()
    try:
        yield park
    finally:
        park.stop()


@contextmanager
def worked(park, gateway, **more):
    wanted = {"port": park.ports["front"], "result_timeout_s": 1.5, **more}
    with running(Settings("front", **wanted), gateway) as runner:
        yield runner


@pytest.fixture(params=LINES)
def quality(request):
    return LINES[request.param]


@pytest.fixture
def world(quality):
    """A simulator, a gateway and a worker on a line of some quality, ready."""
    with simulated() as park:
        _spoil(park, quality)
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            yield park, gateway, runner


def _spoil(park, quality):
    if "line" in quality:
        from gsmgw.simulator.line import Quality

        park.quality("front", Quality(**{
            "gap": {"gap_s": 0.0001}, "inside": {"inside": "^RSSI: 17"}, "delay": {"delay_s": 0.01},
        }[next(iter(quality["line"]))]))  # fmt: skip
    if "fault" in quality:
        park.fault("front", quality["fault"])


def until_ready(runner: Runner) -> None:
    runner.until(lambda: runner.worker.modem_state is ModemState.READY)


def outcomes(gateway: MemoryGateway) -> list[str]:
    return [result.outcome.value for result in gateway.results]


# -- over every line -------------------------------------------------------------------------------


def test_parts_are_sent_and_their_reports_come(world):
    park, gateway, runner = world
    gateway.waiting.extend(make_part(number, text=f"Part {number}") for number in range(1, 6))
    runner.until(lambda: len(gateway.results) == 5)
    assert outcomes(gateway) == ["taken"] * 5
    assert [result.mr for result in gateway.results] == [0, 1, 2, 3, 4]
    runner.until(lambda: len(gateway.arrivals) == 5)
    runner.until(lambda: len(gateway.deletions) == 5)
    assert park.books.counts()["taken"] == 5


def test_messages_are_stored_then_deleted(world):
    park, gateway, runner = world
    for number in range(8):
        park.receive(THEM, "front", f"In {number}")
    runner.until(lambda: len(gateway.deletions) == 8)
    assert sorted(filter(None, gateway.texts())) == [f"In {number}" for number in range(8)]
    assert park.memory("front") == {}


def test_a_missed_call_is_one_missed_call(world):
    park, gateway, runner = world
    park.call(THEM, "front", 3, every_s=0.5)
    runner.until(lambda: gateway.calls)
    runner.for_s(1.5)
    assert gateway.calls == [THEM]


def test_orders_are_answered(world):
    _park, gateway, runner = world
    gateway.commands.append(ModemCommand(1, "at", "AT+CSQ"))
    gateway.commands.append(ModemCommand(2, "ussd", "*100#"))
    gateway.commands.append(ModemCommand(3, "probe", ""))
    gateway.commands.append(ModemCommand(4, "at", "AT+CMGS=20"))
    runner.until(lambda: len(gateway.answers) == 4)
    assert gateway.answers[1][0].endswith("OK")
    assert "+CSQ: 17,99" in gateway.answers[1][0]
    assert gateway.answers[2] == ("Balance: 12.30", None)
    assert "imei: 356938035643809" in gateway.answers[3][0]
    assert gateway.answers[4][1] is not None


# -- life ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", ["generic", "huawei", "zte", "simcom", "quectel"])
def test_every_vendor_comes_up_sends_and_receives(vendor):
    with simulated(vendor=vendor) as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            gateway.waiting.append(make_part(1))
            runner.until(lambda: gateway.taken)
            park.receive(THEM, "front", "TAK")
            runner.until(lambda: "TAK" in gateway.texts())
            report = gateway.attached[0]
            assert report.profile == vendor
            assert report.imei == "356938035643809"
            assert report.sim is not None
            assert report.sim.iccid == "8948010000000000001"
            assert report.sim.imsi == "260011234567890"
            assert report.service_centre == "+48500100900"


def test_what_lay_in_the_modem_at_start_is_handed_over():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
        for number in range(15):
            park.receive(THEM, "front", f"Early {number}")
        park.books.wait(lambda books: len(park.memory("front")) == 15, 20)
        with worked(park, gateway) as runner:
            runner.until(lambda: len(gateway.deletions) == 15)
        assert len(gateway.arrivals) == 15


def test_unplugged_and_plugged_in_again_it_goes_on():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            park.unplug("front")
            gateway.waiting.append(make_part(1))
            runner.until(lambda: runner.worker.modem_state is ModemState.ABSENT)
            gateway.commands.append(ModemCommand(1, "at", "AT"))
            runner.until(lambda: gateway.answers)
            assert gateway.answers[1][1] == "the modem is not there"
            park.plug("front")
            runner.until(lambda: gateway.taken)
            assert gateway.reports[-1].state is ModemState.READY


def test_a_modem_that_hangs_is_recovered():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway, poll_s=0.5) as runner:
            until_ready(runner)
            park.fault("front", "hang")
            runner.until(lambda: runner.worker.modem_state is ModemState.UNRESPONSIVE)
            park.clear("front")
            gateway.waiting.append(make_part(1))
            runner.until(lambda: gateway.taken)
            assert park.books.counts()["taken"] == 1


def test_a_power_cut_is_noticed_and_all_is_told_again():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway, poll_s=0.5) as runner:
            until_ready(runner)
            park.fault("front", "power-cut")
            runner.until(lambda: len(gateway.attached) == 2)
            park.receive(THEM, "front", "After")
            runner.until(lambda: "After" in gateway.texts())


def test_without_a_network_nothing_is_claimed_and_receiving_goes_on():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            park.fault("front", "no-network")
            runner.until(lambda: runner.worker.modem_state is ModemState.SEARCHING)
            gateway.waiting.append(make_part(1))
            runner.for_s(0.3)
            assert not gateway.results
            park.clear("front")
            runner.until(lambda: gateway.taken)


def test_found_by_imei_among_candidates_and_others_are_passed_over():
    with simulated() as park:
        gateway = MemoryGateway()
        other = park.ports["front"] + "*"
        with worked(
            park, gateway, port=None, match_imei="35693803564380", candidates=(other,)
        ) as runner:
            until_ready(runner)
        with worked(
            park, gateway, port=None, match_imei="350000000000000", candidates=(other,)
        ) as runner:
            runner.for_s(1.0)
            assert runner.worker.modem_state is ModemState.ABSENT


# -- parts whose fate is unknown -------------------------------------------------------------------


def test_an_answer_that_is_lost_leaves_the_part_uncertain_and_the_next_goes_out():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
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
            park.fault("front", "late-answer", after="1500ms", times=1)
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
    with simulated(submit="1s") as park:
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
        with worked(park, gateway, result_timeout_s=20) as runner:
            runner.until(lambda: gateway.results)
        (result,) = gateway.results
        assert (result.outcome, result.mr, result.proof) == (Outcome.TAKEN, 0, "late-answer")
        assert park.books.counts()["taken"] == 1


def test_after_a_restart_without_an_answer_the_part_is_uncertain():
    with simulated() as park:
        gateway = MemoryGateway()
        _in_flight(gateway, make_part(1), 0.0)
        with worked(park, gateway, result_timeout_s=0.5) as runner:
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
        with worked(park, gateway, result_timeout_s=60) as runner:
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


# -- refusals --------------------------------------------------------------------------------------


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
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            park.fault("front", "refuse", code=304, times=1)
            for number in (1, 2):
                part = make_part(number)
                gateway.waiting.append(dataclasses.replace(part, tpdu_without_validity=part.tpdu))
            runner.until(lambda: len(gateway.taken) == 2)
            assert outcomes(gateway) == ["taken", "taken"]
            assert park.books.counts()["submits"] == 3


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


# -- the store -------------------------------------------------------------------------------------


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


# -- PIN -------------------------------------------------------------------------------------------


def test_the_pin_is_tried_once_and_a_wrong_one_never_again(tmp_path):
    pin_file = tmp_path / "pin"
    pin_file.write_text("9999\n")
    with simulated(pin="1234") as park:
        gateway = MemoryGateway()
        for _ in range(3):
            with worked(park, gateway, pin_file=str(pin_file)) as runner:
                runner.until(lambda: runner.worker.modem_state is ModemState.NEEDS_PIN)
        assert gateway.pin_words == [("refused", "8948010000000000001")]
        pin_file.write_text("1234\n")
        with worked(park, gateway, pin_file=str(pin_file)) as runner:
            until_ready(runner)
        assert gateway.pin_words[-1] == ("accepted", "8948010000000000001")


def test_no_pin_in_puk_state(tmp_path):
    pin_file = tmp_path / "pin"
    pin_file.write_text("1234\n")
    with simulated(pin="1234") as park:
        park.fault("front", "puk")
        gateway = MemoryGateway()
        with worked(park, gateway, pin_file=str(pin_file)) as runner:
            runner.until(lambda: runner.worker.modem_state is ModemState.NEEDS_PIN)
            assert "PUK" in gateway.reports[-1].why
        assert gateway.pins == set()


def test_closing_gives_back_what_was_claimed():
    with simulated() as park:
        gateway = MemoryGateway()
        modem = Worker(Settings("front", port=park.ports["front"]), gateway)
        modem.open()
        runner = Runner(modem)
        gateway.waiting.extend([make_part(1), make_part(2)])
        runner.until(lambda: gateway.taken)
        modem.close()
        assert gateway.sending is None
        assert [part.part_id for part in gateway.waiting] == [2]
        assert outcomes(gateway)[-1] == "untouched"


# -- direct delivery -------------------------------------------------------------------------------


def test_direct_messages_and_reports_are_stored_then_acknowledged():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway, delivery="direct") as runner:
            until_ready(runner)
            assert runner.worker._drive.facts.acknowledges
            park.receive(THEM, "front", "TAK")
            runner.until(lambda: "TAK" in gateway.texts())
            gateway.busy = 1
            park.receive(THEM, "front", "NIE")
            runner.until(lambda: "NIE" in gateway.texts())
            gateway.waiting.append(make_part(1))
            runner.until(lambda: gateway.taken and len(gateway.arrivals) >= 3)
            assert gateway.arrivals[0].memory is None


def test_a_flash_message_arrives():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            park.receive(THEM, "front", "Flash", flash=True)
            runner.until(lambda: "Flash" in gateway.texts())


def test_idle_costs_few_commands():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            runner.for_s(1.5)
            sent = []
            talk = runner.worker._talk
            write = talk._write_line
            talk._write_line = lambda line, shown: sent.append(line) or write(line, shown)
            runner.for_s(2.5)
            assert sent == []


# -- what else can happen --------------------------------------------------------------------------


def test_a_sim_that_is_taken_out_needs_a_person_and_comes_back():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway, poll_s=0.5) as runner:
            until_ready(runner)
            park.fault("front", "no-sim")
            runner.until(lambda: runner.worker.modem_state is ModemState.NEEDS_PIN)
            gateway.commands.append(ModemCommand(1, "at", "AT+CPIN?"))
            runner.until(lambda: gateway.answers)
            park.clear("front")
            runner.worker._next_at = 0.0
            until_ready(runner)


def test_a_modem_that_comes_back_from_its_own_reset_is_reset():
    with simulated(vendor="simcom") as park:
        gateway = MemoryGateway()
        with worked(park, gateway, poll_s=0.5) as runner:
            until_ready(runner)
            runner.worker._recovery.attempts = 4
            runner.worker._fall_silent("for the test")
            runner.worker._next_at = 0.0
            runner.until(lambda: runner.worker.modem_state is ModemState.ABSENT)
            until_ready(runner)
            assert len(gateway.attached) == 2


def test_a_port_that_is_reopened_goes_on():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            runner.worker._recovery.attempts = 2
            runner.worker._fall_silent("for the test")
            gateway.commands.append(ModemCommand(1, "at", "AT"))
            runner.until(lambda: gateway.answers)
            assert gateway.answers[1][1] == "the modem does not answer"
            until_ready(runner)


def test_a_modem_that_refuses_to_take_parts_is_held_back_then_brought_up_anew():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            park.fault("front", "refuse", code=313, times=3)
            gateway.waiting.extend(make_part(number) for number in range(1, 5))
            runner.until(lambda: gateway.taken)
            assert outcomes(gateway) == ["refused", "refused", "refused", "taken"]
            assert len(gateway.attached) == 2


def test_a_stuck_thread_can_be_reported_by_another():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            report = runner.worker.stuck_report()
            assert report.state is ModemState.STUCK
            assert report.imei == "356938035643809"
            assert runner.worker.name == "modem-front"
            before = runner.worker.heartbeat_at
            runner.worker.step(runner.stop)
            assert runner.worker.heartbeat_at >= before
