# SPDX-License-Identifier: Apache-2.0
"""The life of a modem, its PIN, direct delivery and recovery, against the simulator."""

import pytest
from modem_gateway import PATIENCE_S, MemoryGateway, Runner, make_part
from modem_world import THEM, outcomes, simulated, until_ready, worked

from gsmgw.model import ModemState
from gsmgw.modem.gateway_port import ModemCommand
from gsmgw.modem.settings import Settings
from gsmgw.modem.worker import Worker

# -- life -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", ["generic", "huawei", "zte", "simcom", "quectel"])
def test_every_vendor_comes_up_sends_and_receives(vendor):
    with simulated(vendor=vendor) as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            gateway.waiting.append(make_part(1))
            runner.until(lambda: gateway.taken)
            park.receive(THEM, "front", "TAK")
            runner.until(lambda: "TAK" in gateway.texts())
            (report,) = gateway.attached  # what it said at power-up is no restart
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
        park.books.wait(lambda books: len(park.memory("front")) == 15, PATIENCE_S)
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


def test_found_by_imei_among_candidates_and_others_are_passed_over(tmp_path):
    with simulated(link=str(tmp_path / "ttyUSB0")) as park:
        gateway = MemoryGateway()
        other = str(tmp_path / "ttyUSB*")
        with worked(
            park, gateway, port=None, match_imei="35693803564380", candidates=(other,)
        ) as runner:
            until_ready(runner)
        with worked(
            park, gateway, port=None, match_imei="350000000000000", candidates=(other,)
        ) as runner:
            runner.for_s(1.0)
            assert runner.worker.modem_state is ModemState.ABSENT


# -- PIN ------------------------------------------------------------------------------------------


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


# -- direct delivery ------------------------------------------------------------------------------


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
            runner.until(lambda: gateway.reports[-1].signal_dbm is not None)  # the first look
            sent = []
            talk = runner.worker._talk
            write = talk._write_line
            talk._write_line = lambda line, shown: sent.append(line) or write(line, shown)
            runner.for_s(2.5)
            assert sent == []


# -- what else can happen -------------------------------------------------------------------------


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
