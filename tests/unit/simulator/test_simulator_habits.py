# SPDX-License-Identifier: Apache-2.0
"""Vendors differ as their records say."""

from __future__ import annotations

import re

import pytest
import simulator_support as support

from gsmgw.simulator.device import habits

PATIENT = "+48500100201"


@pytest.mark.parametrize("vendor", habits.VENDORS)
def test_every_vendor_sends_and_receives(vendor: str) -> None:
    with support.one_modem(support.scenario(vendor=vendor)) as (simulator, client):
        own = habits.VENDORS[vendor]
        assert client.lines("AT+CGMI")[-2] == own.manufacturer
        assert client.lines(f"AT{own.iccid[0]}")[0] == f"{own.iccid_prefix}89480100000000000001"
        client.at("AT+CNMI=2,1,0,2,0")
        assert client.submit(PATIENT, "Hi").startswith("+CMGS: 0")
        simulator.receive(PATIENT, "front", "TAK")
        client.read_until(f'+CMTI: "SM",{own.first_index}\r\n'.encode())
        assert client.lines(f"AT+CMGD={own.first_index}") == ["OK"]
        assert own.tries is not None
        assert client.lines(f"AT{own.tries}")[0].startswith(f"{own.tries}: ")
        assert client.lines("AT+NONSENSE") == [own.unknown]


@pytest.mark.parametrize("vendor", [v for v in habits.VENDORS if habits.VENDORS[v].boot])
def test_lines_after_power_up(vendor: str) -> None:
    with support.one_modem(support.scenario(vendor=vendor), quiet=False) as (_, client):
        for line in habits.VENDORS[vendor].boot:
            client.read_until(f"{line}\r\n".encode())


@pytest.mark.parametrize(("vendor", "command"), [("huawei", "AT^CURC=0"), ("zte", "AT+ZOPRT=0")])
def test_noise_until_it_is_switched_off(vendor: str, command: str) -> None:
    layout = support.scenario(vendor=vendor, habits={"noise_every_s": "5ms"})
    with support.one_modem(layout) as (_, client):
        for line in habits.VENDORS[vendor].noise:
            client.read_until(f"{line}\r\n".encode())
        client.at(command)
        client.received = b""
        assert client.quiet(0.1)


@pytest.mark.parametrize(
    ("changes", "command", "answer"),
    [
        ({"line_end": "\r\r\n"}, "AT+CSQ", "+CSQ: 17,99\r\r\n\r\r\nOK"),
        ({"missing_start": "yes"}, "AT+CSQ", "+CSQ: 17,99\r\nOK"),
        ({"cmee": "no"}, "AT+CMEE=1", "ERROR"),
        ({"echo_stops": "no"}, "AT", "AT\r\r\nOK"),
        ({"identity_prefix": "yes"}, "AT+CGMM", "+CGMM: GSM modem\r\n\r\nOK"),
        ({"cpms": "flat"}, "AT+CPMS=?", '+CPMS: "SM","SR","SM","SM"\r\n\r\nOK'),
        ({"cpms": "plain"}, "AT+CPMS=?", '+CPMS:("SM","SR"),("SM"),("SM")\r\n\r\nOK'),
        ({"cpms": "empty"}, "AT+CPMS=?", "+CPMS: (),(),()\r\n\r\nOK"),
        ({"cpin_blank": "no"}, "AT+CPIN?", "+CPIN:READY\r\n\r\nOK"),
        ({"cscs": ""}, "AT+CSCS=?", '+CSCS: ("IRA","GSM","UCS2")\r\n\r\nOK'),
        ({"cscs": '"GSM","UCS2"'}, "AT+CSCS=?", '+CSCS: "GSM","UCS2"\r\n\r\nOK'),
        ({"keeps_link": "no"}, "AT+CMMS=1", "ERROR"),
        ({"delete_flags": "no"}, "AT+CMGD=1,4", "ERROR"),
        ({"delete_flags": "no"}, "AT+CMGD=?", "+CMGD: (1-20)\r\n\r\nOK"),
        ({"reports_stored": "no"}, "AT+CNMI=2,1,0,2,0", "+CMS ERROR: 302"),
        ({"lists_commands": "no"}, "AT+CLAC", "ERROR"),
        ({"iccid": ["^ICCID"]}, "AT+CCID", "ERROR"),
        ({"hang_up": "H"}, "AT+CHUP", "ERROR"),
    ],
)  # fmt: skip
def test_single_habits(changes: dict[str, object], command: str, answer: str) -> None:
    with support.one_modem(support.scenario(habits=changes)) as (_, client):
        client.received = b""
        assert client.at(command) == answer


def test_a_bare_at_fails_at_first() -> None:
    layout = support.scenario(habits={"first_at_fails": "yes"})
    with support.one_modem(layout, quiet=False) as (_, client):
        assert client.at("AT").endswith("ERROR")
        client.at("ATE0")
        assert client.at("AT") == "OK"


def test_pin_state_without_ok() -> None:
    with support.one_modem(support.scenario(habits={"cpin_ok": "no"})) as (_, client):
        client.write(b"AT+CPIN?\r")
        client.read_until(b"+CPIN: READY\r\n")
        assert client.quiet()


def test_prompt_without_blank() -> None:
    with support.one_modem(support.scenario(habits={"prompt": ">"})) as (_, client):
        client.write(b"AT+CMGS=20\r")
        assert client.read_until(b">") == "\r\n>"
        assert client.quiet()


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"ok_before_cmgs": "yes"}, "\r\nOK\r\n\r\n+CMGS: 0\r\n"),
        ({"cmgs_blank": "no"}, "\r\n+CMGS:0\r\n\r\nOK\r\n"),
    ],
)
def test_answers_to_a_submit(changes: dict[str, object], answer: str) -> None:
    with support.one_modem(support.scenario(habits=changes)) as (_, client):
        client.begin(support.make_submit(PATIENT, "Hi"))
        assert client.read_until(answer.encode()) == answer


def test_answer_with_time_stamp() -> None:
    with support.one_modem(support.scenario(habits={"cmgs_time": "yes"})) as (_, client):
        client.at("AT+CSMS=1")
        assert client.submit(PATIENT, "Hi").startswith('+CMGS: 0,"')


def test_lists_without_the_name_field() -> None:
    with support.one_modem(support.scenario(habits={"list_alpha": "no"})) as (simulator, client):
        simulator.receive(PATIENT, "front", "Hi")
        assert re.fullmatch(r"\+CMGL: 1,0,\d+", client.lines("AT+CMGL=4")[0])


def test_reports_announced_in_the_wrong_memory() -> None:
    with support.one_modem(support.scenario(vendor="quectel")) as (_, client):
        client.at("AT+CNMI=2,1,0,2,0")
        client.submit(PATIENT, "Hi", report=True)
        client.read_until(b'+CDSI: "SM",0\r\n')


def test_full_memory_is_announced() -> None:
    layout = support.scenario(vendor="huawei", memory={"SM": 1})
    with support.one_modem(layout) as (simulator, client):
        for text in ("one", "two"):
            simulator.receive(PATIENT, "front", text)
        client.read_until(b'^SMMEMFULL: "SM"\r\n')


def test_packed_ussd() -> None:
    with support.one_modem(support.scenario(vendor="huawei")) as (_, client):
        assert client.lines('AT+CUSD=1,"AA180C3602",15') == ["OK"]
        client.read_until(b'+CUSD: 0,"C2303BEC1E9775A098CC358301",15\r\n')
        client.at('AT+CUSD=1,"*100#",15')
        client.read_until(b"+CUSD: 4\r\n")


def test_number_comes_after_the_ring() -> None:
    with support.one_modem(support.scenario(vendor="simcom")) as (simulator, client):
        client.at("AT+CLIP=1")
        simulator.call(PATIENT, "front", rings=1, every_s=20)
        client.read_until(b"RING\r\n")
        client.read_until(b"+CLIP: ")


def test_a_reset_takes_the_port_away() -> None:
    with support.one_modem(support.scenario(vendor="huawei", boot="0s")) as (simulator, client):
        assert client.lines("AT+CFUN=1,1") == ["OK"]
        client.wait_for_end()
        assert simulator.books.wait(
            lambda _: simulator.state()["front"]["plugged"] is True, support.PATIENCE_S
        )
