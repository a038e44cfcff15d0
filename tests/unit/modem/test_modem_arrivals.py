# SPDX-License-Identifier: Apache-2.0
from contextlib import contextmanager

import pytest
from fakes import FakeClock
from modem_gateway import MemoryGateway
from modem_support import PlayedModem

from gsmgw import clock
from gsmgw.at.sorting import Unsolicited
from gsmgw.errors import StoreBusyError
from gsmgw.modem import dialogue, driver, port, settings
from gsmgw.modem.duties import arrivals, station

PDU = "07918405100092F0040B918405100002F00000621122010354400861F1985C369F01"
ANSWERS = {
    'AT+CPMS="SM"': "+CPMS: 1,20,1,20,1,20\r\n\r\nOK",
    "AT+CMGL=4": f"+CMGL: 1,1,,26\r\n{PDU}\r\n\r\nOK",
    "AT+CMGR=1": f"+CMGR: 1,,26\r\n{PDU}\r\n\r\nOK",
    "AT+CMGD=1": "OK",
    "AT+CHUP": "ERROR",
    "ATH": "OK",
}


@contextmanager
def receiving(*heard, **more):
    with PlayedModem(ANSWERS) as modem:
        line = port.Port(modem.path)
        line.open()
        now = clock.SystemClock()
        gateway = MemoryGateway()
        talk = dialogue.Dialogue(line)
        wanted = settings.Settings("front", **more)
        drive = driver.Driver(talk, gateway, wanted, now)
        drive.memories.begin(("SM",))
        taken = arrivals.Arrivals(station.Station(wanted, drive, talk, gateway, now))
        talk.unsolicited.extend(
            one if isinstance(one, Unsolicited) else Unsolicited(one) for one in heard
        )
        try:
            yield modem, gateway, taken, talk
        finally:
            line.close()


def test_a_notice_is_read_and_a_few_at_a_time():
    with receiving(*['+CMTI: "SM",1'] * 7) as (_modem, gateway, taken, talk):
        taken.take()
        assert len(gateway.deletions) == 5
        assert len(talk.unsolicited) == 2


@pytest.mark.parametrize("heard", ["+CMTI: what", '+CDSI: "SR",0', "^SMMEMFULL: 1", "+SMSFULL: 1"])
def test_a_notice_that_leads_nowhere_starts_a_sweep(heard):
    with receiving(heard) as (_modem, gateway, taken, _talk):
        taken.take()
        assert gateway.arrivals == []
        assert taken.sweep_one()
        assert gateway.deletions == [1]
        assert not taken.sweep_one()


def test_every_memory_is_swept_at_the_beginning_and_again_after_a_while():
    with receiving(sweep_s=0.0) as (_modem, gateway, taken, _talk):
        assert not taken.sweep_one()
        taken.begin()
        assert taken.sweep_one()
        assert taken.sweep_one()
        assert gateway.deletions == [1, 2]


@pytest.mark.parametrize("heard", ['+CMTI: "SM",1', Unsolicited("+CMT: ,26", PDU)])
def test_what_the_store_does_not_take_comes_again(heard):
    with receiving(heard) as (modem, gateway, taken, _talk):
        gateway.busy = 1
        with pytest.raises(StoreBusyError):
            taken.take()
        assert "AT+CMGD=1" not in modem.heard
        taken.sweep_soon(0.0)
        taken.take()
        taken.sweep_one()
        assert len(gateway.arrivals) >= 1


@pytest.mark.parametrize(
    ("head", "acknowledges", "answer", "is_gone"),
    [
        ("+CDS: 26", True, "OK", True),
        ("+CDS: 26", True, "ERROR", False),  # the network brings it again
        ("+CDS: 26", False, None, True),  # the modem has acknowledged it by itself
        ("+CMT: ,26", True, "OK", False),  # it may be repeated for longer than is known
    ],
)
def test_a_report_that_is_not_repeated_is_gone(head, acknowledges, answer, is_gone):
    with receiving(Unsolicited(head, PDU)) as (modem, gateway, taken, _talk):
        modem.answers["AT+CNMA"] = answer
        taken._drive.facts.acknowledges = acknowledges
        taken.take()
        assert len(gateway.arrivals) == 1
        assert gateway.deletions == ([1] if is_gone else [])


@pytest.mark.parametrize(("seconds", "is_acknowledged"), [(9.9, True), (10.1, False)])
def test_what_took_so_long_to_store_that_the_network_repeats_it_is_not_acknowledged(
    seconds, is_acknowledged
):
    with receiving(Unsolicited("+CMT: ,26", PDU)) as (modem, gateway, taken, _talk):
        modem.answers["AT+CNMA"] = "OK"
        now = taken._drive._clock = FakeClock()
        taken._drive.facts.acknowledges = True
        store = gateway.received

        def received(arrival):
            now.advance(seconds)
            return store(arrival)

        gateway.received = received
        taken.take()
        assert len(gateway.arrivals) == 1
        assert ("AT+CNMA" in modem.heard) is is_acknowledged


def test_what_will_not_be_deleted_is_tried_again_within_half_a_minute():
    with receiving('+CMTI: "SM",1') as (modem, gateway, taken, _talk):
        modem.answers["AT+CMGD=1"] = "+CMS ERROR: 500"
        now = taken._clock = FakeClock()
        taken.take()
        assert len(gateway.arrivals) == 1
        assert gateway.deletions == []
        assert 0 < taken.due_at() - now.monotonic() <= 30


@pytest.mark.parametrize(
    "heard", ["RDY", "^SYSSTART", "*ATREADY: 1", "+CPIN: NOT READY", "+CPIN: SIM PIN"]
)
def test_a_restart_stops_all_taking(heard):
    with receiving(heard, '+CMTI: "SM",1') as (_modem, _gateway, taken, talk):
        taken.take()
        assert taken.restarted
        assert len(talk.unsolicited) == 1
        taken.begin()
        assert not taken.restarted


def test_noise_and_a_ready_sim_mean_nothing():
    with receiving("+CPIN: READY", "^RSSI: 17", "gibberish", "+CREG: 5") as (_m, _g, taken, talk):
        taken.take()
        assert not taken.restarted
        assert not talk.unsolicited


def test_a_call_is_recorded_once_and_hung_up_by_the_command_that_works():
    with receiving("RING", '+CLIP: "+48500100201",145') as (modem, gateway, taken, _talk):
        taken.take()
        taken.take()
        assert gateway.calls == ["+48500100201"]
        assert modem.heard[-2:] == ["AT+CHUP", "ATH"]


def test_a_call_that_the_store_does_not_take_is_kept():
    with receiving("RING", '+CLIP: "",128') as (modem, gateway, taken, _talk):
        gateway.busy = 1
        with pytest.raises(StoreBusyError):
            taken.take()
        assert modem.heard[-1] == "ATH"
        taken.flush()
        assert gateway.calls == [None]


def test_a_call_that_its_caller_ends_is_not_hung_up():
    heard = ("RING", '+CLIP: "+48500100201",145', "NO CARRIER", "NO CARRIER")
    with receiving(*heard, rings=3) as (modem, gateway, taken, _talk):
        taken.take()
        assert gateway.calls == ["+48500100201"]
        assert modem.heard == []
        assert taken.due_at() == float("inf")


def test_direct_delivery_that_the_modem_has_ended_is_switched_on_again():
    with receiving() as (modem, _gateway, taken, _talk):
        modem.answers["AT+CNMI=2,2,0,1,0"] = "OK"
        taken._drive.facts.notices, taken._drive.facts.acknowledges = "2,2,0,1,0", True
        taken.begin()
        while taken.sweep_one():
            pass
        assert "AT+CNMI=2,2,0,1,0" not in modem.heard  # it was just set
        # Soon after the start, because of what was not acknowledged before it.
        assert 10 < taken.due_at() - clock.SystemClock().monotonic() <= 20
        taken._sweep_at = 0.0
        assert taken.sweep_one()
        assert "AT+CNMI=2,2,0,1,0" in modem.heard
