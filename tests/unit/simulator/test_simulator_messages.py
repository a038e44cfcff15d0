# SPDX-License-Identifier: Apache-2.0
"""Messages and reports on their way into a modem: memories, indications, acknowledgements."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import simulator_support as support

from gsmgw import pdu
from gsmgw.simulator import books
from gsmgw.simulator.device import arrivals

PATIENT = "+48500100201"


def received(count: int) -> Callable[[books.Books], bool]:
    return lambda kept: sum(one.received_at is not None for one in kept.incoming) == count


def read(text: str) -> pdu.Deliver:
    decoded = pdu.decode(text)
    assert isinstance(decoded, pdu.Deliver)
    return decoded


def test_stored_announced_read_and_deleted() -> None:
    with support.one_modem() as (simulator, client):
        client.at("AT+CNMI=2,1,0,2,0")
        simulator.receive(PATIENT, "front", "TAK")
        client.read_until(b'+CMTI: "SM",1\r\n')
        head, body, _ = client.lines("AT+CMGL=4")
        assert head == f"+CMGL: 1,0,,{len(body) // 2 - 8}"
        message = read(body)
        assert (message.sender.digits, message.text) == (PATIENT, "TAK")
        assert message.service_centre == "+48500100900"
        assert client.lines("AT+CMGL=0") == ["OK"]
        assert client.lines("AT+CMGL=1")[0].startswith("+CMGL: 1,1,,")
        assert client.lines("AT+CMGR=1")[0].startswith("+CMGR: 1,,")
        assert client.lines("AT+CMGD=1") == ["OK"]
        assert simulator.memory("front") == {}


def test_reading_marks_as_read() -> None:
    with support.one_modem() as (simulator, client):
        simulator.receive(PATIENT, "front", "NIE")
        assert client.lines("AT+CMGR=1")[0].startswith("+CMGR: 0,,")
        assert client.lines("AT+CMGR=1")[0].startswith("+CMGR: 1,,")


def test_the_lowest_free_index_is_used_again() -> None:
    with support.one_modem() as (simulator, client):
        client.at("AT+CNMI=2,1,0,2,0")
        for text in ("one", "two", "three"):
            simulator.receive(PATIENT, "front", text)
        client.read_until(b'+CMTI: "SM",3\r\n')
        client.at("AT+CMGD=2")
        simulator.receive(PATIENT, "front", "four")
        client.read_until(b'+CMTI: "SM",2\r\n')
        texts = [read(stored).text for stored in simulator.memory("front").values()]
        assert texts == ["one", "four", "three"]


def test_deletion_by_flag() -> None:
    with support.one_modem() as (simulator, client):
        for text in ("one", "two"):
            simulator.receive(PATIENT, "front", text)
        client.at("AT+CMGR=1")
        client.at("AT+CMGD=1,1")
        assert list(simulator.memory("front")) == [2]
        client.at("AT+CMGD=1,4")
        assert simulator.memory("front") == {}
        assert client.lines("AT+CMGD=1,7") == ["+CMS ERROR: 321"]


def test_no_indication_without_cnmi() -> None:
    with support.one_modem() as (simulator, client):
        simulator.receive(PATIENT, "front", "TAK")
        assert simulator.books.wait(received(1), support.PATIENCE_S)
        assert client.quiet()


def test_a_full_memory_makes_the_network_try_again() -> None:
    layout = support.scenario(memory={"SM": 2})
    layout["network"] = {"retry": "1h"}
    with support.one_modem(layout) as (simulator, client):
        client.at("AT+CNMI=2,1,0,2,0")
        for text in ("one", "two", "three"):
            simulator.receive(PATIENT, "front", text)
        client.read_until(b'+CMTI: "SM",2\r\n')
        assert simulator.books.incoming[2].received_at is None
        client.at("AT+CMGD=1")
        client.read_until(b'+CMTI: "SM",1\r\n')
        assert simulator.books.incoming[2].tries == 2


def test_the_network_tries_again_by_itself() -> None:
    with support.one_modem(support.scenario(memory={"SM": 1})) as (simulator, _):
        simulator.receive(PATIENT, "front", "one")
        simulator.receive(PATIENT, "front", "two")
        assert simulator.books.wait(lambda kept: kept.incoming[1].tries >= 3, support.PATIENCE_S)


def test_long_texts_come_in_parts() -> None:
    for wide in (False, True):
        with support.one_modem() as (simulator, client):
            text = "Zażółć gęślą jaźń, " * 10
            simulator.network.receive(PATIENT, "front", text, wide=wide)
            assert simulator.books.wait(received(3), support.PATIENCE_S)
            parts = [read(body) for body in client.lines("AT+CMGL=4")[1::2]]
            assert pdu.join_texts(parts) == text
            assert parts[0].concat == pdu.Concat(1, 3, 1, wide=wide)


def test_class_0_is_shown_directly() -> None:
    with support.one_modem() as (simulator, client):
        client.at("AT+CNMI=2,1,0,2,0")
        simulator.receive(PATIENT, "front", "Read me now", flash=True)
        found = client.read_until(b"\r\n+CMT: ,29\r\n").strip()
        assert found == "+CMT: ,29"
        body = client.read_until(b"\r\n").strip()
        assert (read(body).text, read(body).message_class) == ("Read me now", 0)
        assert simulator.memory("front") == {}


def test_direct_messages_want_an_acknowledgement() -> None:
    with support.one_modem() as (simulator, client):
        client.at("AT+CSMS=1;+CNMI=2,2,0,1,0")
        simulator.receive(PATIENT, "front", "one")
        simulator.receive(PATIENT, "front", "two")
        client.read_until(b"+CMT: ")
        assert client.quiet()
        client.received = b""
        assert client.lines("AT+CNMA") == ["OK"]
        client.read_until(b"+CMT: ")
        assert simulator.books.wait(received(1), support.PATIENCE_S)
        client.read_until(b"\r\n")
        client.read_until(b"\r\n")
        assert client.lines("AT+CNMA=2") == ["OK"]
        assert simulator.books.wait(lambda kept: kept.incoming[1].tries == 2, support.PATIENCE_S)


def test_without_acknowledgement_it_is_stored_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "ACKNOWLEDGE_S", 0.05)
    with support.one_modem() as (simulator, client):
        client.at("AT+CSMS=1;+CNMI=2,2,0,1,0")
        simulator.receive(PATIENT, "front", "one")
        client.read_until(b"+CMT: ")
        assert simulator.books.wait(received(1), support.PATIENCE_S)
        assert len(simulator.memory("front")) == 1
        client.read_until(b"\r\n")
        client.read_until(b"\r\n")
        assert client.lines("AT+CNMI?")[0] == "+CNMI: 2,0,0,0,0"


def test_power_lost_before_the_acknowledgement() -> None:
    with support.one_modem() as (simulator, client):
        client.at("AT+CSMS=1;+CNMI=2,2,0,1,0")
        simulator.receive(PATIENT, "front", "one")
        client.read_until(b"+CMT: ")
        simulator.unplug("front")
        assert simulator.books.incoming[0].received_at is None
        simulator.plug("front")
        assert simulator.books.wait(received(1), support.PATIENCE_S)
        assert len(simulator.memory("front")) == 1


def test_direct_without_phase_2_plus_needs_none() -> None:
    with support.one_modem() as (simulator, client):
        client.at("AT+CNMI=2,2,0,1,0")
        simulator.receive(PATIENT, "front", "one")
        client.read_until(b"+CMT: ")
        assert simulator.books.wait(received(1), support.PATIENCE_S)
        client.submit(PATIENT, "Hi", report=True)
        client.read_until(b"+CDS: 25\r\n")


def test_classes_and_cnmi_3() -> None:
    with support.one_modem() as (simulator, client):
        client.at("AT+CNMI=2,3,0,0,0")
        simulator.network.receive(PATIENT, "front", "for the program", message_class=3)
        client.read_until(b"+CMT: ")
        client.read_until(b"\r\n")
        simulator.network.receive(PATIENT, "front", "for the card", message_class=2)
        client.read_until(b'+CMTI: "SM",1\r\n')


def test_data_and_raw_pdus() -> None:
    with support.one_modem() as (simulator, client):
        simulator.network.receive(
            PATIENT, "front", data=b"\x01\x06", udh=bytes.fromhex("05040B8423F0")
        )
        simulator.network.receive(PATIENT, "front", raw="0791840500010099FF")
        assert simulator.books.wait(received(2), support.PATIENCE_S)
        _, wap, _, broken, _ = client.lines("AT+CMGL=4")
        assert read(wap).data == b"\x01\x06"
        assert broken == "0791840500010099FF"


def test_reports_in_their_own_memory() -> None:
    with support.one_modem() as (simulator, client):
        client.at("AT+CNMI=2,1,0,2,0")
        client.submit(PATIENT, "Hi", report=True)
        client.read_until(b'+CDSI: "SR",1\r\n')
        assert client.lines('AT+CPMS="SR"') == ["+CPMS: 1,10,0,20,0,20", "OK"]
        report = pdu.decode(client.lines("AT+CMGR=1")[1])
        assert isinstance(report, pdu.StatusReport)
        assert (report.mr, report.recipient.digits, report.status) == (0, PATIENT, 0)
        client.at("AT+CMGD=1")
        assert simulator.memory("front", "SR") == {}


def test_reports_without_a_memory_of_their_own() -> None:
    with support.one_modem(support.scenario(memory={"SR": 0})) as (simulator, client):
        client.at("AT+CNMI=2,1,0,2,0")
        client.submit(PATIENT, "Hi", report=True)
        client.read_until(b'+CDSI: "SM",1\r\n')
        client.at("AT+CNMI=2,1,0,0,0")
        client.submit(PATIENT, "Hi", report=True)
        assert simulator.books.wait(
            lambda kept: len(kept.reports) == 2 and kept.reports[1].received_at is not None,
            support.PATIENCE_S,
        )
        assert len(simulator.memory("front")) == 1


def test_messages_in_the_modems_own_memory() -> None:
    with support.one_modem(support.scenario(memory={"ME": 5})) as (simulator, client):
        assert client.lines("AT+CPMS=?")[0] == '+CPMS: ("SM","ME","SR"),("SM","ME"),("SM","ME")'
        client.at('AT+CNMI=2,1,0,2,0;+CPMS="ME","ME","ME"')
        simulator.receive(PATIENT, "front", "Hi")
        client.read_until(b'+CMTI: "ME",1\r\n')
        assert len(simulator.memory("front", "ME")) == 1


def test_indications_wait_for_the_answer_of_a_command() -> None:
    with support.one_modem() as (simulator, client):
        client.at("AT+CNMI=2,1,0,2,0")
        client.write(b"AT+CMGS=20\r")
        client.read_until(b"> ")
        simulator.receive(PATIENT, "front", "Hi")
        assert client.quiet()
        client.write(b"\x1b")
        assert client.read_until(b'+CMTI: "SM",1\r\n') == '\r\nOK\r\n\r\n+CMTI: "SM",1\r\n'


def test_four_indications_in_one_burst() -> None:
    with support.one_modem() as (simulator, client):
        client.at("AT+CNMI=2,1,0,2,0")
        client.write(b"AT+CMGS=20\r")
        client.read_until(b"> ")
        for text in "abcd":
            simulator.receive(PATIENT, "front", text)
        assert simulator.books.wait(received(4), support.PATIENCE_S)
        client.write(b"\x1b")
        assert client.read_until(b'"SM",4\r\n').count("+CMTI") == 4


def test_calls_ring_and_end() -> None:
    with support.one_modem() as (simulator, client):
        client.at("AT+CLIP=1")
        simulator.call(PATIENT, "front", rings=2, every_s=0.02)
        found = client.read_until(b"NO CARRIER\r\n")
        assert found.count("RING") == 2
        assert f'+CLIP: "{PATIENT}",145,"",0,"",0' in found
        assert [(call.rings, call.ended_by) for call in simulator.books.calls] == [(2, "caller")]


def test_calls_are_hung_up_or_answered() -> None:
    with support.one_modem() as (simulator, client):
        client.at("AT+CRC=1;+CLIP=1")
        simulator.call(None, "front", rings=5, every_s=60)
        assert (
            client.read_until(b',"",1\r\n')
            == '\r\n+CRING: VOICE\r\n\r\n+CLIP: "",128,"",0,"",1\r\n'
        )
        simulator.call(PATIENT, "front")
        assert client.lines("AT+CLCC") == ['+CLCC: 1,1,4,0,0,"",145', "OK"]
        assert client.lines("ATH") == ["OK"]
        assert [call.ended_by for call in simulator.books.calls] == ["modem", "nobody"]
        simulator.call(PATIENT, "front", rings=5, every_s=60)
        client.read_until(b"RING")
        client.received = b""
        client.write(b"ATA\r")
        client.read_until(b"OK\r\n")
        client.received = b""
        assert client.lines("AT+CLCC") == [f'+CLCC: 1,1,0,0,0,"{PATIENT}",145', "OK"]
        assert client.lines("AT+CHUP") == ["OK"]


def test_a_call_ends_with_the_power() -> None:
    with support.one_modem() as (simulator, _):
        simulator.call(PATIENT, "front", rings=50)
        simulator.unplug("front")
        assert simulator.books.calls[0].ended_by == "nobody"
