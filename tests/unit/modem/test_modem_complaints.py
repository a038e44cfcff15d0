# SPDX-License-Identifier: Apache-2.0
"""Each trouble of a modem is told once; signs that a person has mended it are noticed at once."""

import pytest
from fakes import FakeClock
from modem_gateway import MemoryGateway
from modem_world import simulated, until_ready, worked

from gsmgw import logs
from gsmgw.at import network
from gsmgw.model import ModemState
from gsmgw.modem.duties.complaints import Complaints


def events(records):
    return [record.event for record in records]


def test_a_modem_that_stays_away_is_told_of_once():
    complaints = Complaints("front", FakeClock())
    with logs.capture() as records:
        for _ in range(5):
            complaints.lost("/dev/ttyUSB0 is held by another program")
            complaints.sim("no SIM is inserted")
        complaints.lost("/dev/ttyUSB0 is not there")
    assert events(records) == ["modem.lost", "sim.unusable", "modem.lost"]
    assert not complaints._is_new("no SIM is inserted")
    complaints.works()
    assert complaints._is_new("no SIM is inserted"), "another time it is told again"


def test_a_network_that_is_not_found_at_once_is_no_trouble():
    clock = FakeClock()
    complaints = Complaints("front", clock)
    with logs.capture() as records:
        complaints.unregistered(2)
        clock.advance(59)
        complaints.unregistered(2)
        assert not records
        clock.advance(1)
        complaints.unregistered(2)
        complaints.unregistered(2)
    assert events(records) == ["modem.unregistered"]


def test_a_network_that_refuses_the_sim_is_told_at_once():
    complaints = Complaints("front", FakeClock())
    with logs.capture() as records:
        complaints.unregistered(network.DENIED)
    assert "refuses this SIM" in str(records[0].fields["why"])


@pytest.mark.parametrize("status", [None, 0, 2, 3, 4, 8, 11])
def test_every_registration_has_words(status):
    assert network.registration_words(status)


def test_a_sim_that_is_put_back_is_noticed_without_waiting():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway, poll_s=0.5) as runner:
            until_ready(runner)
            park.fault("front", "no-sim")
            runner.until(lambda: runner.worker.modem_state is ModemState.NEEDS_PIN)
            park.clear("front")
            runner.worker._next_at += 300
            until_ready(runner)
            states = [report.state for report in gateway.reports]
            assert states.count(ModemState.OPENING) <= 2, "no going to and fro while it waits"


def test_a_pin_file_that_is_written_is_noticed_without_waiting(tmp_path):
    pin_file = tmp_path / "pin"
    pin_file.write_text("9999\n")
    with simulated(pin="1234") as park:
        gateway = MemoryGateway()
        with worked(park, gateway, pin_file=str(pin_file)) as runner:
            runner.until(lambda: runner.worker.modem_state is ModemState.NEEDS_PIN)
            assert not runner.worker._drive.has_another_pin()
            pin_file.write_text("1234 \n")
            assert runner.worker._drive.has_another_pin()
            until_ready(runner)
        assert [word for word, _ in gateway.pin_words] == ["refused", "accepted"]


def test_a_sim_full_of_sent_messages_is_told_once_until_there_is_room():
    with simulated() as park, logs.capture() as records:
        gateway = MemoryGateway()
        park.fault("front", "sim-full")
        with worked(park, gateway, sweep_s=0.2) as runner:
            until_ready(runner)
            runner.until(lambda: "memory.full" in events(records))
            runner.for_s(0.6)
            assert events(records).count("memory.full") == 1


def test_a_service_centre_that_nobody_knows_is_told():
    with simulated() as park, logs.capture() as records:
        park.fault("front", "smsc-gone")
        with worked(park, MemoryGateway()) as runner:
            until_ready(runner)
    assert events(records).count("service_centre.missing") == 1


def test_a_modem_that_is_switched_off_and_on_is_not_left_waiting():
    """It hung, its port stayed; the next try was minutes away when it said that it starts."""
    with simulated(vendor="quectel") as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            runner.worker._fall_silent("for the test")
            runner.worker._next_at += 300
            park._loop.call(lambda: park._modem("front").say("RDY"))
            until_ready(runner)
            assert len(gateway.attached) == 2
