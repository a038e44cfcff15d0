# SPDX-License-Identifier: Apache-2.0
"""Every fault does what its name says, and ends when it is told to."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import simulator_support as support

from gsmgw import errors
from gsmgw.simulator import Simulator, books, faults

PATIENT = "+48500100201"


def again(simulator: Simulator) -> support.Client:
    """Wait until the modem is plugged in again, and open it."""
    assert simulator.books.wait(
        lambda _: Path(simulator.ports["front"]).exists(), support.PATIENCE_S
    )
    client = support.Client(simulator.ports["front"])
    client.at("ATE0")
    return client


def test_hang() -> None:
    with support.one_modem() as (simulator, client):
        simulator.fault("front", "hang")
        client.write(b"AT\rAT+CMGS=20\r")
        assert client.quiet()
        simulator.clear("front", "hang")
        assert client.lines("AT") == ["OK"]


def test_hang_in_the_middle_of_a_submit() -> None:
    with support.one_modem(support.scenario(submit="2s")) as (simulator, client):
        client.begin(support.make_submit(PATIENT, "Hi"))
        assert simulator.books.wait(lambda kept: len(kept.submits) == 1, support.PATIENCE_S)
        simulator.fault("front", "hang")
        assert simulator.books.wait(lambda kept: len(kept.taken) == 1, support.PATIENCE_S)
        assert client.quiet(1.5)
        assert simulator.books.submits[0].answered_at is None


def test_hang_ends_with_the_power() -> None:
    with support.one_modem() as (simulator, _):
        simulator.fault("front", "hang")
        simulator.unplug("front")
        simulator.plug("front")
        fresh = again(simulator)
        assert fresh.lines("AT") == ["OK"]
        fresh.close()


def test_messages_wait_for_a_modem_that_hangs() -> None:
    with support.one_modem() as (simulator, _):
        simulator.fault("front", "hang")
        simulator.receive(PATIENT, "front", "Hi")
        assert simulator.memory("front") == {}
        simulator.clear("front")
        assert simulator.books.wait(
            lambda kept: kept.incoming[0].received_at is not None, support.PATIENCE_S
        )


def test_unplug_and_plug() -> None:
    with support.one_modem() as (simulator, client):
        simulator.receive(PATIENT, "front", "Kept on the card")
        simulator.unplug("front")
        client.wait_for_end()
        assert not Path(simulator.ports["front"]).is_symlink()
        simulator.plug("front")
        fresh = again(simulator)
        assert fresh.lines("AT+CMGL=4")[0].startswith("+CMGL: 1,0")
        fresh.close()


def test_unplug_for_a_while() -> None:
    with support.one_modem() as (simulator, client):
        simulator.unplug("front", for_s=0.05)
        client.wait_for_end()
        fresh = again(simulator)
        assert fresh.lines("AT") == ["OK"]
        fresh.close()


@pytest.mark.parametrize("fault", ["power-cut", "unplug"])
def test_a_port_that_cannot_be_made_again_leaves_the_other_modems_alone(
    tmp_path: Path, fault: str
) -> None:
    link = tmp_path / "front"
    failed = threading.Event()

    def on_event(event: books.Event) -> None:
        if event["event"] == "unplugged":
            link.write_text("somebody's file")
        elif event["event"] == "step-failed":
            failed.set()

    layout = {"modems": [{"name": "front", "link": str(link)}, {"name": "back"}]}
    with Simulator(layout, on_event=on_event) as simulator:
        simulator.fault("front", fault, **({"off": 0.1} if fault == "power-cut" else {"for_": 0.1}))
        assert failed.wait(support.PATIENCE_S)
        assert link.read_text() == "somebody's file"
        client = support.Client(simulator.ports["back"])
        assert client.lines("AT")[-1] == "OK"
        client.close()


def test_the_port_of_another_modem_is_not_taken_away(tmp_path: Path) -> None:
    layout = {"modems": [{"name": "front"}, {"name": "back", "link": str(tmp_path / "back")}]}
    with Simulator(layout) as simulator:
        simulator.unplug("front")
        with pytest.raises(errors.GsmgwError, match="is the port of modem back"):
            simulator.plug("front", str(tmp_path / "back"))
        client = support.Client(simulator.ports["back"])
        assert client.lines("AT")[-1] == "OK"
        client.close()


def test_plugged_in_under_another_name(tmp_path: Path) -> None:
    with support.one_modem() as (simulator, _):
        simulator.unplug("front")
        simulator.plug("front", str(tmp_path / "ttyUSB5"))
        assert simulator.ports == {"front": str(tmp_path / "ttyUSB5")}
        again(simulator).close()


def test_power_cut_forgets_what_was_not_on_the_air() -> None:
    with support.one_modem(support.scenario(submit="10s")) as (simulator, client):
        client.begin(support.make_submit(PATIENT, "Hi"))
        assert simulator.books.wait(lambda kept: len(kept.submits) == 1, support.PATIENCE_S)
        simulator.fault("front", "power-cut", off=0.05)
        client.wait_for_end()
        again(simulator).close()
        assert simulator.books.taken == []
        assert simulator.books.submits[0].answered_at is None


@pytest.mark.parametrize(("taken", "outcome"), [("yes", "taken"), ("no", "lost")])
def test_brown_out_in_the_middle_of_a_submit(taken: str, outcome: str) -> None:
    with support.one_modem() as (simulator, client):
        simulator.fault("front", "brown-out", taken=taken, off="50ms")
        client.begin(support.make_submit(PATIENT, "Hi"))
        client.wait_for_end()
        fresh = again(simulator)
        record = simulator.books.submits[0]
        assert (record.outcome, record.answer, record.mr) == (outcome, None, 0)
        assert fresh.submit(PATIENT, "Again").startswith("+CMGS: 1")
        fresh.close()


def test_garbage_comes_by_itself_and_before_answers() -> None:
    with support.one_modem() as (simulator, client):
        simulator.fault("front", "garbage", every="10ms")
        client.read_until(b"\xff\xfe\x80")
        client.received = b""
        client.write(b"AT+CSQ\r")
        assert "\xff" in client.read_until(b"\r\nOK\r\n")
        simulator.clear("front")
        client.at("AT")  # answered after all that was on its way
        client.received = b""
        assert client.at("AT") == "OK"


@pytest.mark.parametrize(
    ("arguments", "answer", "outcome"),
    [
        ({}, "+CMS ERROR: 21", "refused"),
        ({"code": 38, "times": 1}, "+CMS ERROR: 38", "refused"),
        ({"code": "ERROR"}, "ERROR", "refused"),
        ({"code": "NO-CARRIER"}, "NO CARRIER", "refused"),
        ({"code": 500, "taken": True}, "+CMS ERROR: 500", "taken"),
        ({"to": PATIENT}, "+CMS ERROR: 21", "refused"),
    ],
)
def test_refuse(arguments: dict[str, object], answer: str, outcome: str) -> None:
    with support.one_modem() as (simulator, client):
        simulator.fault("front", "refuse", **arguments)
        assert client.submit(PATIENT, "Hi") == answer
        assert simulator.books.submits[0].outcome == outcome
        simulator.clear("front", "refuse")
        assert client.submit(PATIENT, "Hi").startswith("+CMGS: 1")


def test_refuse_counts_down_and_spares_others() -> None:
    with support.one_modem() as (simulator, client):
        simulator.fault("front", "refuse", to=PATIENT, times=2)
        found = [client.submit(number, "Hi")[:5] for number in ("+48500100202", *[PATIENT] * 3)]
        assert found == ["+CMGS", "+CMS ", "+CMS ", "+CMGS"]


def test_answer_lost() -> None:
    with support.one_modem() as (simulator, client):
        simulator.fault("front", "answer-lost", times=1)
        client.begin(support.make_submit(PATIENT, "Hi"))
        assert client.quiet()
        assert client.lines("AT") == ["OK"]
        (record,) = simulator.books.taken
        assert (record.answer, record.answered_at) == (None, None)
        assert client.submit(PATIENT, "Next").startswith("+CMGS: 1")


def test_late_answer_keeps_the_modem_busy() -> None:
    with support.one_modem() as (simulator, client):
        simulator.fault("front", "late-answer", after="200ms", times=1)
        client.begin(support.make_submit(PATIENT, "Hi"))
        client.write(b"AT+CSQ\r")
        found = client.read_until(b"+CSQ: 17,99\r\n\r\nOK\r\n")
        assert found.startswith("\r\n+CMGS: 0\r\n\r\nOK\r\n")


def test_late_answer_between_other_answers() -> None:
    with support.one_modem() as (simulator, client):
        simulator.fault("front", "late-answer", after="3s", busy=False)
        client.begin(support.make_submit(PATIENT, "Hi"))
        assert client.lines("AT") == ["OK"]
        assert client.read_until(b"OK\r\n") == "\r\n+CMGS: 0\r\n\r\nOK\r\n"


def test_prompt_lost() -> None:
    with support.one_modem() as (simulator, client):
        simulator.fault("front", "prompt-lost", times=1)
        client.write(b"AT+CMGS=20\r")
        assert client.quiet()
        client.write(b"AT\r")  # eaten as text
        assert client.quiet()
        client.write(b"\x1b")
        assert client.read_until(support.FINAL).strip() == "OK"
        assert client.lines("AT") == ["OK"]


def test_prompt_late() -> None:
    with support.one_modem() as (simulator, client):
        simulator.fault("front", "prompt-lost", after="100ms")
        client.write(b"AT+CMGS=20\r")
        client.read_until(b"\r\n> ")


def test_sim_full() -> None:
    with support.one_modem() as (simulator, client):
        client.at("AT+CNMI=2,1,0,2,0")
        simulator.fault("front", "sim-full")
        assert client.lines("AT+CPMS?")[0].startswith('+CPMS: "SM",20,20')
        simulator.receive(PATIENT, "front", "Waits")
        assert client.lines("AT+CMGL=0") == ["OK"]
        assert len(client.lines("AT+CMGL=3")) == 41
        simulator.clear("front")
        client.read_until(b'+CMTI: "SM",1\r\n')


def test_pin_asked_for_and_entered() -> None:
    with support.one_modem() as (simulator, client):
        client.at("AT+CMEE=1;+CREG=1")
        simulator.fault("front", "pin", pin="2580", tries=2)
        client.read_until(b"+CREG: 0\r\n")
        assert client.lines("AT+CPIN?") == ["+CPIN: SIM PIN", "OK"]
        assert client.lines("AT+CIMI") == ["+CME ERROR: 11"]
        assert client.lines("AT+CMGS=20") == ["+CMS ERROR: 311"]
        assert client.lines('AT+CPIN="0000"') == ["+CME ERROR: 16"]
        assert client.lines("AT+CPINR")[0] == "+CPINR: SIM PIN,1,3"
        client.write(b'AT+CPIN="2580"\r')
        client.read_until(b"+CREG: 1\r\n")
        assert client.lines('AT+CPIN="2580"') == ["+CME ERROR: 3"]
        assert simulator.state()["front"]["pin_tries"] == 3


def test_three_wrong_pins_block_the_card() -> None:
    with support.one_modem(support.scenario(pin="1234", puk="87654321")) as (simulator, client):
        client.at("AT+CMEE=1")
        answers = [client.lines('AT+CPIN="9999"')[0] for _ in range(4)]
        assert answers == ["+CME ERROR: 16", "+CME ERROR: 16", "+CME ERROR: 12", "+CME ERROR: 12"]
        assert client.lines("AT+CPIN?") == ["+CPIN: SIM PUK", "OK"]
        assert client.lines("AT+CMGL=4") == ["+CMS ERROR: 316"]
        assert client.lines('AT+CPIN="11111111","1234"') == ["+CME ERROR: 16"]
        assert client.lines('AT+CPIN="87654321","4321"') == ["OK"]
        assert client.lines("AT+CPIN?") == ["+CPIN: READY", "OK"]
        assert simulator.state()["front"]["pin_state"] == "READY"


def test_puk_and_no_sim() -> None:
    with support.one_modem() as (simulator, client):
        client.at("AT+CMEE=1")
        simulator.fault("front", "puk")
        assert client.lines("AT+CPIN?") == ["+CPIN: SIM PUK", "OK"]
        simulator.clear("front")
        assert client.lines("AT+CPIN?") == ["+CPIN: READY", "OK"]
        simulator.fault("front", "no-sim")
        for command in ("AT+CPIN?", "AT+CCID", "AT+CIMI"):
            assert client.lines(command) == ["+CME ERROR: 10"]
        assert client.lines("AT+CPMS?") == ["+CMS ERROR: 310"]
        simulator.clear("front")
        assert client.submit(PATIENT, "Hi").startswith("+CMGS: 0")


def test_no_network() -> None:
    with support.one_modem() as (simulator, client):
        client.at("AT+CREG=2")
        simulator.fault("front", "no-network", stat=3)
        client.read_until(b"+CREG: 3\r\n")
        assert client.submit(PATIENT, "Hi") == "+CMS ERROR: 331"
        assert client.lines("AT+CSQ")[0] == "+CSQ: 99,99"
        assert client.lines("AT+COPS?")[0] == "+COPS: 0"
        simulator.receive(PATIENT, "front", "Waits")
        assert simulator.memory("front") == {}
        simulator.clear("front")
        client.read_until(b'+CREG: 1,"00A1","0000B2"\r\n')
        assert simulator.books.wait(
            lambda kept: kept.incoming[0].received_at is not None, support.PATIENCE_S
        )


def test_deletion_refused() -> None:
    with support.one_modem() as (simulator, client):
        simulator.receive(PATIENT, "front", "Stays")
        simulator.fault("front", "deletion-refused", times=1)
        assert client.lines("AT+CMGD=1") == ["+CMS ERROR: 500"]
        assert len(simulator.memory("front")) == 1
        assert client.lines("AT+CMGD=1") == ["OK"]


def test_echo() -> None:
    with support.one_modem() as (simulator, client):
        simulator.fault("front", "echo")
        assert client.at("ATE0") == "ATE0\r\r\nOK"


def test_service_centre_gone() -> None:
    with support.one_modem() as (simulator, client):
        simulator.fault("front", "smsc-gone")
        assert client.lines("AT+CSCA?")[0] == '+CSCA: "",145'
        assert client.submit(PATIENT, "Hi") == "+CMS ERROR: 330"
        client.at('AT+CSCA="+48500100900",145')
        assert client.submit(PATIENT, "Hi").startswith("+CMGS: 0")
        simulator.fault("front", "smsc-gone")
        simulator.clear("front")
        assert client.lines("AT+CSCA?")[0] == '+CSCA: "+48500100900",145'


def test_faults_end_by_themselves() -> None:
    with support.one_modem() as (simulator, client):
        simulator.fault("front", "no-network", for_="3s")
        assert simulator.state()["front"]["faults"] == {"no-network": {}}
        assert simulator.books.wait(
            lambda _: not simulator.state()["front"]["faults"], support.PATIENCE_S
        )
        assert client.submit(PATIENT, "Hi").startswith("+CMGS")


def test_a_fault_begun_anew_lasts_as_long_as_it_is_told() -> None:
    with support.one_modem() as (simulator, _):
        simulator.fault("front", "echo", for_="20ms")
        simulator.fault("front", "echo", for_="1h")
        simulator.fault("front", "no-network", for_="60ms")
        assert simulator.books.wait(
            lambda _: "no-network" not in simulator.state()["front"]["faults"], support.PATIENCE_S
        )
        assert "echo" in simulator.state()["front"]["faults"]


@pytest.mark.parametrize(
    ("name", "arguments", "complaint"),
    [
        ("hagn", {}, "no fault 'hagn'; did you mean hang"),
        ("refuse", {"cod": "1"}, "cod is nothing that refuse knows; did you mean code"),
        ("refuse", {"times": "0"}, "times: found '0'; allowed: 1 to"),
        ("power-cut", {"off": "soon"}, "off: found 'soon'; allowed: a duration"),
    ],
)
def test_wrong_faults_are_explained(name: str, arguments: dict[str, str], complaint: str) -> None:
    with (
        support.one_modem() as (simulator, _),
        pytest.raises(errors.GsmgwError, match=complaint),
    ):
        simulator.fault("front", name, **arguments)


def test_every_fault_begins_and_ends() -> None:
    for name in faults.FAULTS:
        with Simulator(support.scenario()) as simulator:
            simulator.fault("front", name)
            simulator.clear("front")
            assert simulator.state()["front"]["faults"] == {}
