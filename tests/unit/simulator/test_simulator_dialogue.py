# SPDX-License-Identifier: Apache-2.0
"""What a modem says to commands, driven over the real pty."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import simulator_support as support


@pytest.fixture
def client() -> Iterator[support.Client]:
    with support.one_modem() as (_, opened):
        opened.at("AT+CMEE=1")
        yield opened


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("AT", ["OK"]),
        ("at", ["OK"]),
        ("ATE0V1", ["OK"]),
        ("ATV0", ["ERROR"]),
        ("AT+CMEE=1;+CREG=0", ["OK"]),
        ("AT+CMEE=1;+NONSENSE;+CREG=0", ["ERROR"]),
        ("AT+CPIN?", ["+CPIN: READY", "OK"]),
        ("AT+CPIN=?", ["OK"]),
        ("AT+CSQ", ["+CSQ: 17,99", "OK"]),
        ("AT+CREG?", ["+CREG: 0,1", "OK"]),
        ("AT+CREG=2;+CREG?", ['+CREG: 2,1,"00A1","0000B2"', "OK"]),
        ("AT+CREG=0", ["OK"]),
        ("AT+CEREG?", ["+CEREG: 0,1", "OK"]),
        ("AT+CREG=9", ["+CME ERROR: 50"]),
        ("AT+COPS?", ['+COPS: 0,0,"Pretend"', "OK"]),
        ("AT+COPS=3,2;+COPS?;+COPS=3,0", ['+COPS: 0,2,"26001"', "OK"]),
        ("AT+CGSN", ["356938035600001", "OK"]),
        ("AT+CIMI", ["260010000000001", "OK"]),
        ("AT+CNUM", ['+CNUM: "","+48500100901",145', "OK"]),
        ("AT+CCID", ["+CCID: 89480100000000000001", "OK"]),
        ("AT^ICCID", ["ERROR"]),
        ("AT+CPINR", ["+CPINR: SIM PIN,3,3", "+CPINR: SIM PUK,10,10", "OK"]),
        ("AT+CMGF=0", ["OK"]),
        ("AT+CMGF?", ["+CMGF: 0", "OK"]),
        ("AT+CMGF=1", ["+CMS ERROR: 303"]),
        ("AT+CSMS=1;+CSMS?;+CSMS=0", ["+CSMS: 1,1,1", "+CSMS: 1,1,1,1", "+CSMS: 1,1,1", "OK"]),
        ("AT+CPMS=?", ['+CPMS: ("SM","SR"),("SM"),("SM")', "OK"]),
        ("AT+CPMS?", ['+CPMS: "SM",0,20,"SM",0,20,"SM",0,20', "OK"]),
        ('AT+CPMS="SM","SM"', ["+CPMS: 0,20,0,20,0,20", "OK"]),
        ('AT+CPMS="ME"', ["+CMS ERROR: 302"]),
        ('AT+CPMS="SM","SR"', ["+CMS ERROR: 302"]),
        ("AT+CNMI=2,1,0,2,0;+CNMI?", ["+CNMI: 2,1,0,2,0", "OK"]),
        ("AT+CNMI=2,9", ["+CMS ERROR: 302"]),
        ("AT+CNMI=?", ["+CNMI: (0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)", "OK"]),
        ("AT+CNMA", ["+CMS ERROR: 340"]),
        ("AT+CMGR=1", ["+CMS ERROR: 321"]),
        ("AT+CMGL=4", ["OK"]),
        ("AT+CMGL=9", ["+CMS ERROR: 304"]),
        ("AT+CMGD=?", ["+CMGD: (1-20),(0-4)", "OK"]),
        ("AT+CMGD=1", ["OK"]),
        ("AT+CMGD=99", ["+CMS ERROR: 321"]),
        ("AT+CMSS=1", ["+CMS ERROR: 321"]),
        ("AT+CMMS=1;+CMMS?", ["+CMMS: 1", "OK"]),
        ("AT+CSCA?", ['+CSCA: "+48500100900",145', "OK"]),
        ('AT+CSCA="48500100900",145;+CSCA?', ['+CSCA: "+48500100900",145', "OK"]),
        ("AT+CSMP=49,167,0,0", ["OK"]),
        ("AT+CLIP=1;+CLIP?", ["+CLIP: 1,1", "OK"]),
        ("AT+CRC=1;+CRC?", ["+CRC: 1", "OK"]),
        ('AT+CSCS="UCS2";+CSCS?', ['+CSCS: "UCS2"', "OK"]),
        ('AT+CSCS="EBCDIC"', ["ERROR"]),
        ("AT+CFUN?", ["+CFUN: 1", "OK"]),
        ("AT+CFUN=9", ["+CME ERROR: 50"]),
        ("AT+CHUP", ["OK"]),
        ("ATH", ["OK"]),
        ("ATA", ["NO CARRIER"]),
        ("ATD+48500100201;", ["OK"]),
        ("AT+CLCC", ["OK"]),
        ("AT+CRSM=176,28483,0,0,2", ['+CRSM: 144,0,"FFFF"', "OK"]),
        ("AT+CRSM=176,12345,0,0,2", ["+CRSM: 148,4", "OK"]),
        ("AT+CBC", ["+CBC: 0,100", "OK"]),
        ("AT&F", ["OK"]),
        ("AT+CGSN=?;+CIMI=?", ["OK"]),
        ("AT+CMEE=?;+CMEE=9", ["+CMEE: (0-2)", "ERROR"]),
        ("AT+CMGF=?", ["+CMGF: (0)", "OK"]),
        ("AT+CNMI", ["ERROR"]),
        ("AT+CSMS=?;+CSMS=7", ["+CSMS: (0,1)", "+CMS ERROR: 302"]),
        ("AT+CNMA=?;+CNMA=5", ["+CNMA: (0-2)", "+CMS ERROR: 302"]),
        ("AT+CMGL=?;+CMGR=?;+CMGS=?;+CMGW=?", ["+CMGL: (0-4)", "OK"]),
        ("AT+CMMS=?;+CMMS=7", ["+CMMS: (0-2)", "+CMS ERROR: 302"]),
        ("AT+CSCA=?", ["OK"]),
        ("AT+CSCA", ["ERROR"]),
        ("AT+CPIN", ["ERROR"]),
        ("AT+CREG=?", ["+CREG: (0-2)", "OK"]),
        ("AT+COPS=?", ['+COPS: (2,"Pretend","Pretend","26001"),,(0-4),(0-2)', "OK"]),
        ("AT+COPS", ["ERROR"]),
        ("AT+CSQ=?", ["+CSQ: (0-31,99),(0-7,99)", "OK"]),
        ("AT+CFUN=?", ["+CFUN: (0,1,4),(0,1)", "OK"]),
        ('AT+CCLK="26/11/22,08:00:00+04"', ["OK"]),
        ("AT+CHUP=?", ["OK"]),
        ("AT+CUSD?;+CUSD=1", ["+CUSD: 1", "OK"]),
        ("AT^CURC=0", ["ERROR"]),
        ("AT^CPIN?", ["ERROR"]),
        ("AT+NONSENSE=5", ["ERROR"]),
        ("AT!", ["ERROR"]),
    ],
)
def test_answers(client: support.Client, command: str, answer: list[str]) -> None:
    assert client.lines(command) == answer


def test_identity(client: support.Client) -> None:
    assert client.lines("AT+CGMI;+CGMM;+CGMR") == ["Generic", "GSM modem", "1.0", "OK"]
    assert "IMEI: 356938035600001" in client.lines("ATI")


def test_command_list_names_what_is_known(client: support.Client) -> None:
    assert {"AT+CMGS", "AT+CPIN"} <= set(client.lines("AT+CLAC"))


def test_clock_shows_the_networks_time(client: support.Client) -> None:
    assert re.fullmatch(r'\+CCLK: "\d\d/\d\d/\d\d,\d\d:\d\d:\d\d\+00"', client.lines("AT+CCLK?")[0])


def test_verbose_errors_by_cmee_2() -> None:
    with support.one_modem() as (_, client):
        assert client.lines("AT+CREG=9") == ["ERROR"]
        client.at("AT+CMEE=2")
        assert client.lines("AT+CREG=9") == ["+CME ERROR: Incorrect parameters"]
        assert client.lines("AT+CMGR=1") == ["+CMS ERROR: Invalid memory index"]


def test_echo_is_on_until_switched_off() -> None:
    with support.one_modem(quiet=False) as (_, client):
        assert client.at("AT") == "AT\r\r\nOK"
        assert client.at("ATE0") == "ATE0\r\r\nOK"
        assert client.at("AT") == "OK"
        client.at("ATE1")
        assert client.at("AT") == "AT\r\r\nOK"


def test_echo_of_the_pdu() -> None:
    with support.one_modem(quiet=False) as (_, client):
        tpdu = support.make_submit("+48500100201", "Hi")
        client.begin(tpdu)
        assert f"00{tpdu.hex().upper()}" in client.read_until(b"+CMGS: 0\r\n\r\nOK\r\n")


def test_garbage_and_late_pdus_are_not_answered() -> None:
    with support.one_modem() as (_, client):
        client.write(b"\x00\xff\xfe\x80\r0011000B918405100002F1000005C8309BFD06\x1a\r\x1b\x1b")
        assert client.lines("AT+CSQ") == ["+CSQ: 17,99", "OK"]


@pytest.mark.parametrize(
    "command",
    ["AT+CNMI=²", "AT+CNMI=2,³", "AT+CMGD=²", "AT+CMGR=¹", "AT+CMGW=1²", "AT&²", "ATS0=²"],
)
def test_a_raised_digit_is_no_number_and_harms_nobody(client: support.Client, command: str) -> None:
    assert "ERROR" in client.at(command)
    assert client.lines("AT+CSQ") == ["+CSQ: 17,99", "OK"]


def test_commands_written_at_once_are_answered_in_order() -> None:
    with support.one_modem(support.scenario(latency="2ms")) as (_, client):
        client.write(b"AT+CSQ\rAT+CIMI\rAT+CGSN\r")
        found = client.read_until(b"356938035600001\r\n\r\nOK\r\n")
        assert [line for line in found.splitlines() if line] == [
            "+CSQ: 17,99",
            "OK",
            "260010000000001",
            "OK",
            "356938035600001",
            "OK",
        ]


def test_escape_leaves_the_prompt() -> None:
    with support.one_modem() as (simulator, client):
        client.write(b"AT+CMGS=20\r")
        assert client.read_until(b"> ") == "\r\n> "
        client.write(b"0011AB\x1b")
        assert client.read_until(support.FINAL) == "\r\nOK\r\n"
        assert client.lines("AT") == ["OK"]
        assert simulator.books.submits == []


@pytest.mark.parametrize("command", ["AT+CMGS=x", "AT+CMGS", "AT+CMGS=0", "AT+CMGW=7,9"])
def test_bad_lengths_give_no_prompt(command: str) -> None:
    with support.one_modem() as (_, client):
        assert client.lines(command) == ["+CMS ERROR: 304"]


@pytest.mark.parametrize(
    "body",
    [b"", b"zz", b"0", b"00", b"0011000B918405100002F1000005C8309BFD0600", b"00FF", b"0891"],
)
def test_bad_pdus_are_refused_with_304(body: bytes) -> None:
    with support.one_modem() as (simulator, client):
        client.write(b"AT+CMGS=18\r")
        client.read_until(b"> ")
        client.write(body + b"\x1a")
        assert client.read_until(support.FINAL).strip() == "+CMS ERROR: 304"
        assert [record.code for record in simulator.books.submits] == [304]
        assert simulator.books.submits[0].answered_at is not None


def test_written_and_sent_from_memory() -> None:
    with support.one_modem() as (simulator, client):
        tpdu = support.make_submit("+48500100201", "From the card")
        client.write(f"AT+CMGW={len(tpdu)}\r".encode())
        client.read_until(b"> ")
        client.write(f"00{tpdu.hex()}\x1a".encode())
        assert client.read_until(support.FINAL).strip() == "+CMGW: 1\r\n\r\nOK"
        assert client.lines("AT+CMGR=1")[0] == f"+CMGR: 2,,{len(tpdu)}"
        assert client.lines("AT+CMSS=1") == ["+CMGS: 0", "OK"]
        assert client.lines("AT+CMGL=3")[0] == f"+CMGL: 1,3,,{len(tpdu)}"
        assert simulator.books.taken[0].text == "From the card"


def test_latency_and_submit_time_are_kept() -> None:
    layout = support.scenario(latency="20ms", submit="60ms")
    with support.one_modem(layout) as (simulator, client):
        assert client.submit("+48500100201", "On time").startswith("+CMGS: 0")
        record = simulator.books.submits[0]
        assert record.answered_at is not None
        assert record.taken_at is not None
        assert record.written_at - record.line_at >= 0.02
        assert record.answered_at - record.written_at >= 0.06
        assert record.taken_at - record.written_at >= 0.03
        assert record.taken_at < record.answered_at


def test_restart_forgets_settings_but_not_the_card() -> None:
    with support.one_modem(support.scenario(pin="4321")) as (simulator, client):
        assert client.lines("AT+CPIN?") == ["+CPIN: SIM PIN", "OK"]
        assert client.lines('AT+CPIN="4321"') == ["OK"]
        simulator.receive("+48500100201", "front", "Kept")
        assert simulator.books.wait(
            lambda kept: kept.incoming[0].received_at is not None, support.PATIENCE_S
        )
        client.at("AT+CNMI=2,1,0,2,0;+CMEE=1")
        assert client.lines("AT+CFUN=1,1") == ["OK"]
        client.at("ATE0")
        assert client.lines("AT+CPIN?;+CNMI?;+CMEE?") == [
            "+CPIN: SIM PIN",
            "+CNMI: 0,0,0,0,0",
            "+CMEE: 0",
            "OK",
        ]
        client.at('AT+CPIN="4321"')
        assert client.lines("AT+CMGL=4")[0].startswith("+CMGL: 1,0,,")


def test_radio_off_and_on() -> None:
    with support.one_modem() as (_, client):
        client.at("AT+CREG=1")
        client.at("AT+CFUN=4")
        client.read_until(b"+CREG: 0\r\n")
        assert client.submit("+48500100201", "Nobody hears me") == "+CMS ERROR: 331"
        client.write(b"AT+CFUN=1\r")
        client.read_until(b"+CREG: 1\r\n")


def test_ussd_with_and_without_an_answer() -> None:
    with support.one_modem() as (_, client):
        assert client.lines('AT+CUSD=1,"*100#",15') == ["OK"]
        client.read_until(b'+CUSD: 0,"Balance: 12.30",15\r\n')
        assert client.lines('AT+CUSD=1,"*999#",15') == ["OK"]
        client.read_until(b"+CUSD: 4\r\n")


def test_counters_count_and_stand_on_the_card() -> None:
    with support.one_modem() as (_, client):
        for mr in range(3):
            assert client.submit("+48500100201", f"Text {mr}").startswith(f"+CMGS: {mr}\r\n")
        assert client.lines("AT+CRSM=176,28483,0,0,2") == ['+CRSM: 144,0,"02FF"', "OK"]


@pytest.mark.parametrize(("references", "answer"), [("zero", "+CMGS: 0\r\n\r\nOK"), ("none", "OK")])
def test_modems_that_do_not_count(references: str, answer: str) -> None:
    with support.one_modem(support.scenario(references=references)) as (_, client):
        for _ in range(2):
            assert client.submit("+48500100201", "Hi") == answer
        assert client.lines("AT+CRSM=176,28483,0,0,2") == ["+CRSM: 148,4", "OK"]


def test_a_validity_may_be_refused() -> None:
    layout = support.scenario(habits={"validity": "no"})
    with support.one_modem(layout) as (_, client):
        client.begin(support.make_submit("+48500100201", "Hi", validity=10))
        assert client.read_until(support.FINAL).strip() == "+CMS ERROR: 304"
        assert client.submit("+48500100201", "Hi").startswith("+CMGS: 0")


@pytest.mark.parametrize(
    "command",
    ["+CPMS?", "+CMGL=4", "+CMGR=1", "+CMGD=1", "+CMGS=20", "+CMGW=20", "+CMSS=1", "+CSCA?"],
)
def test_a_locked_card_keeps_its_messages(command: str) -> None:
    with support.one_modem(support.scenario(pin="1234")) as (_, client):
        assert client.lines(f"AT{command}") == ["+CMS ERROR: 311"]


def test_a_locked_card_keeps_its_identity() -> None:
    with support.one_modem(support.scenario(pin="1234")) as (_, client):
        client.at("AT+CMEE=1")
        for command in ("AT+CIMI", "AT+CNUM", "AT+CRSM=176,28483,0,0,2"):
            assert client.lines(command) == ["+CME ERROR: 11"]
        assert client.lines("AT+CCID")[-1] == "OK"
        assert client.lines("AT+CREG?") == ["+CREG: 0,0", "OK"]
        assert client.lines("ATD+48500100201;") == ["NO CARRIER"]
        assert client.lines('AT+CUSD=1,"*100#",15') == ["+CME ERROR: 30"]


def test_settings_return_to_their_defaults_but_the_pin_stays_entered() -> None:
    with support.one_modem(support.scenario(pin="1234"), quiet=False) as (_, client):
        client.at('AT+CPIN="1234"')
        client.at("ATE0+CMEE=1")
        client.at("ATZ")
        assert client.at("AT") == "AT\r\r\nOK"
        assert "+CMEE: 0" in client.lines("AT+CMEE?")
        assert "+CPIN: READY" in client.lines("AT+CPIN?")


def test_a_blocked_puk_stays_blocked() -> None:
    with support.one_modem(support.scenario(pin="1234")) as (simulator, client):
        client.at("AT+CMEE=1")
        simulator.fault("front", "puk", tries=1)
        assert client.lines('AT+CPIN="11111111","1234"') == ["+CME ERROR: 16"]
        assert client.lines('AT+CPIN="12345678","1234"') == ["+CME ERROR: 12"]


def test_memory_full_for_what_the_program_writes() -> None:
    with support.one_modem(support.scenario(memory={"SM": 1})) as (_, client):
        tpdu = support.make_submit("+48500100201", "Kept")
        for answer in ("+CMGW: 1", "+CMS ERROR: 322"):
            client.write(f"AT+CMGW={len(tpdu)}\r".encode())
            client.read_until(b"> ")
            client.write(f"00{tpdu.hex()}\x1a".encode())
            assert client.read_until(support.FINAL).strip().startswith(answer)
        client.write(b"AT+CMGW=3\r")
        client.read_until(b"> ")
        client.write(b"00112233445566\x1a")
        assert client.read_until(support.FINAL).strip() == "+CMS ERROR: 304"


def test_state_counts_command_lines_through_power_cycles() -> None:
    with support.one_modem() as (simulator, opened):
        opened.at("AT+CSQ;+CREG?")
        assert simulator.state()["front"]["commands"] == 2  # the first one was ATE0
        opened.close()
        simulator.unplug("front")
        simulator.plug("front")
        assert simulator.state()["front"]["commands"] == 2
