# SPDX-License-Identifier: Apache-2.0
"""The operator: deliveries, reports, answers, and everything that waits."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import simulator_support as support

from gsmgw import errors, pdu
from gsmgw.simulator import Simulator

PATIENT = "+48500100201"


def layout(phones: dict[str, Any] | None = None, **network: object) -> dict[str, object]:
    """Return one modem, a fast network, and phones."""
    found = support.scenario()
    found["network"] = {"delivery": "0s", "report": "0s", "retry": "50ms"} | network
    found["phones"] = phones or {}
    return found


def statuses(simulator: Simulator) -> list[int]:
    return [report.status for report in simulator.books.reports]


def test_texts_reach_the_phone_and_are_reported() -> None:
    with support.one_modem(layout()) as (simulator, client):
        client.submit(PATIENT, "Termin jutro", report=True)
        assert simulator.books.wait(lambda kept: len(kept.reports) == 1, support.PATIENCE_S)
        (message,) = simulator.books.inbox(PATIENT)
        assert (message.text, message.sender, message.parts) == ("Termin jutro", "+48500100901", 1)
        assert statuses(simulator) == [0]
        assert simulator.books.counts() == {
            "submits": 1,
            "taken": 1,
            "refused": 0,
            "lost": 0,
            "sent_again": 0,
            "delivered": 1,
            "reports": 1,
            "incoming": 0,
            "calls": 0,
        }


def test_no_report_unless_asked_for() -> None:
    with support.one_modem(layout()) as (simulator, client):
        client.submit(PATIENT, "one")
        client.submit(PATIENT, "two", report=True)
        assert simulator.books.wait(lambda kept: len(kept.reports) == 1, support.PATIENCE_S)
        assert simulator.books.reports[0].mr == 1


def test_networks_and_sims_without_reports() -> None:
    for where in ("network", "modem"):
        found = layout()
        found["network" if where == "network" else "modems"] = (
            {"reports": "no", "delivery": "0s"}
            if where == "network"
            else [{"name": "front", "reports": "no"}]
        )
        with support.one_modem(found) as (simulator, client):
            client.submit(PATIENT, "Hi", report=True)
            assert simulator.books.wait(lambda kept: len(kept.delivered) == 1, support.PATIENCE_S)
            assert client.quiet()
            assert simulator.books.reports == []


def test_long_texts_are_put_together_in_any_order() -> None:
    text = "Prosimy o potwierdzenie 👍 wizyty " * 6
    with support.one_modem(layout()) as (simulator, client):
        segments = pdu.segment(text)
        parts = [
            pdu.encode_submit(
                pdu.Submit(PATIENT, segment, concat=pdu.Concat(7, len(segments), number))
            )
            for number, segment in enumerate(segments, 1)
        ]
        assert len(parts) > 2
        for tpdu in [*parts[1:], parts[0]]:
            client.begin(tpdu)
            client.read_until(support.FINAL)
        assert simulator.books.wait(lambda kept: len(kept.delivered) == 1, support.PATIENCE_S)
        (message,) = simulator.books.inbox(PATIENT)
        assert (message.text, message.parts) == (text, len(parts))
        assert simulator.books.submits[0].concat == {"ref": 7, "total": len(parts), "number": 2}


def test_data_is_delivered_as_data() -> None:
    with support.one_modem(layout()) as (simulator, client):
        client.begin(pdu.encode_submit(pdu.Submit(PATIENT, data=b"\x00\xff")))
        client.read_until(support.FINAL)
        assert simulator.books.wait(lambda kept: len(kept.delivered) == 1, support.PATIENCE_S)
        assert simulator.books.inbox(PATIENT)[0].data == "00FF"
        assert simulator.books.inbox(PATIENT)[0].text is None


def test_sent_again_is_found_whatever_the_references() -> None:
    with support.one_modem(layout()) as (simulator, client):
        for text in ("twice", "once", "twice"):
            client.submit(PATIENT, text)
        client.submit("+48500100202", "twice")
        assert simulator.books.duplicates() == [
            {"recipient": PATIENT, "content": "twice", "number": 1, "times": 2}
        ]
        assert simulator.books.counts()["sent_again"] == 1


def test_phones_that_refuse() -> None:
    with support.one_modem(layout({PATIENT: {"refuse": "38"}})) as (simulator, client):
        assert client.submit(PATIENT, "Hi") == "+CMS ERROR: 38"
        (record,) = simulator.books.submits
        assert (record.outcome, record.code, record.mr) == ("refused", 38, 0)
        assert client.submit("+48500100202", "Hi").startswith("+CMGS: 1")


@pytest.mark.parametrize(("status", "arrives"), [("0x01", 1), ("0x46", 0), ("0x25", 0)])
def test_phones_with_a_status(status: str, arrives: int) -> None:
    with support.one_modem(layout({PATIENT: {"status": status}})) as (simulator, client):
        client.submit(PATIENT, "Hi", report=True)
        assert simulator.books.wait(lambda kept: len(kept.reports) == 1, support.PATIENCE_S)
        assert statuses(simulator) == [int(status, 0)]
        assert len(simulator.books.inbox(PATIENT)) == arrives


def test_phones_switched_off_and_on() -> None:
    with support.one_modem(layout({PATIENT: {"unreachable": "yes"}})) as (simulator, client):
        client.submit(PATIENT, "Hi", report=True)
        assert simulator.books.wait(lambda kept: len(kept.reports) == 1, support.PATIENCE_S)
        assert statuses(simulator) == [0x22]
        assert simulator.books.inbox(PATIENT) == []
        simulator.network.set_reachable(PATIENT, reachable=True)
        assert simulator.books.wait(lambda kept: len(kept.reports) == 2, support.PATIENCE_S)
        assert statuses(simulator) == [0x22, 0]
        assert len(simulator.books.inbox(PATIENT)) == 1


def test_validity_ends_while_the_phone_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdu, "validity_seconds", lambda vp: vp / 100)
    with support.one_modem(layout({PATIENT: {"unreachable": "yes"}})) as (simulator, client):
        client.begin(support.make_submit(PATIENT, "Hi", report=True, validity=5))
        client.read_until(support.FINAL)
        assert simulator.books.wait(lambda kept: len(kept.reports) == 2, support.PATIENCE_S)
        simulator.network.set_reachable(PATIENT, reachable=True)
        assert statuses(simulator) == [0x22, 0x46]
        assert simulator.books.inbox(PATIENT) == []


def test_a_report_can_write_the_number_short() -> None:
    with support.one_modem(layout(report_numbers="short")) as (simulator, client):
        client.submit(PATIENT, "Hi", report=True)
        assert simulator.books.wait(lambda kept: len(kept.reports) == 1, support.PATIENCE_S)
        assert simulator.books.reports[0].recipient == "500100201"


def test_a_report_can_overtake_the_answer() -> None:
    found = layout()
    found["modems"] = [{"name": "front", "submit": "3s"}]
    with support.one_modem(found) as (simulator, client):
        client.submit(PATIENT, "Hi", report=True)
        report, record = simulator.books.reports[0], simulator.books.submits[0]
        assert report.received_at is not None
        assert record.answered_at is not None
        assert report.received_at < record.answered_at


def test_zones_and_clocks_of_the_service_centre() -> None:
    found = layout(time_zone="-03:30", clock_offset="-2h")
    with support.one_modem(found) as (simulator, client):
        assert client.lines("AT+CCLK?")[0].endswith('-14"')
        simulator.receive(PATIENT, "front", "Hi")
        message = pdu.decode(client.lines("AT+CMGR=1")[1])
        assert isinstance(message, pdu.Deliver)
        assert message.service_centre_at is not None
        offset = message.service_centre_at.utcoffset()
        assert offset is not None
        assert offset.total_seconds() == -3.5 * 3600
        behind = simulator.books.wall() - message.service_centre_at
        assert 7199 <= behind.total_seconds() <= 7260


def test_without_nitz_the_clock_starts_in_1980() -> None:
    with support.one_modem(layout(nitz="no")) as (_, client):
        assert client.lines("AT+CCLK?")[0] == '+CCLK: "80/01/06,00:00:00+00"'


def test_phones_answer_by_rules() -> None:
    answers = [
        {"contains": "wizyt", "after": "0s", "text": "TAK", "times": "1"},
        {"any": "yes", "after": "0s", "text": "Kto tam?"},
    ]
    with support.one_modem(layout({PATIENT: {"answers": answers}})) as (simulator, client):
        for text in ("Twoja WIZYTA jutro", "Twoja wizyta dzis", "Hi"):
            client.submit(PATIENT, text)
        assert simulator.books.wait(lambda kept: len(kept.incoming) == 3, support.PATIENCE_S)
        assert [one.text for one in simulator.books.incoming] == ["TAK", "Kto tam?", "Kto tam?"]
        assert {one.sender for one in simulator.books.incoming} == {PATIENT}


def test_modems_write_to_one_another() -> None:
    found = layout()
    found["modems"] = [{"name": "front"}, {"name": "back"}]
    with support.one_modem(found) as (simulator, client):
        back = support.Client(simulator.ports["back"])
        back.at("ATE0")
        back.at("AT+CNMI=2,1,0,2,0")
        client.submit("+48500100902", "From desk to desk", report=True)
        back.read_until(b'+CMTI: "SM",1\r\n')
        message = pdu.decode(back.lines("AT+CMGR=1")[1])
        assert isinstance(message, pdu.Deliver)
        assert (message.text, message.sender.digits) == ("From desk to desk", "+48500100901")
        assert simulator.books.wait(lambda kept: len(kept.reports) == 1, support.PATIENCE_S)
        back.close()


def test_names_as_senders() -> None:
    with support.one_modem(layout()) as (simulator, client):
        simulator.receive("Pharmacy", "+48500100901", "Your prescription is ready")
        message = pdu.decode(client.lines("AT+CMGR=1")[1])
        assert isinstance(message, pdu.Deliver)
        assert message.sender.digits == "Pharmacy"


def test_unknown_modems_are_named() -> None:
    with support.one_modem(layout()) as (simulator, _):
        with pytest.raises(errors.GsmgwError, match="no modem 'frnot'; there are front"):
            simulator.receive(PATIENT, "frnot", "Hi")
        with pytest.raises(errors.GsmgwError, match="did you mean front"):
            simulator.fault("frnot", "hang")


def test_the_day_goes_by_plan() -> None:
    found = layout()
    found["day"] = [
        {"at": "20ms", "call": {"from": PATIENT, "to": "front", "rings": "9"}},
        {"at": "0s", "sms": {"from": PATIENT, "to": "front", "text": "TAK"}},
        {"at": "10ms", "fault": {"modem": "front", "name": "refuse", "code": "50", "for": "1h"}},
        {"at": "5ms", "phone": {"number": PATIENT, "reachable": "no"}},
    ]
    with support.one_modem(found) as (simulator, client):
        assert simulator.books.wait(lambda kept: len(kept.calls) == 1, support.PATIENCE_S)
        assert simulator.books.incoming[0].text == "TAK"
        client.at("AT")  # answered after the call has rung
        client.received = b""
        assert client.submit(PATIENT, "Hi") == "+CMS ERROR: 50"


def test_long_data_is_put_together() -> None:
    with support.one_modem(layout()) as (simulator, client):
        for number, octets in ((2, b"\x03"), (1, b"\x01\x02")):
            concat = pdu.Concat(9, 2, number)
            client.begin(pdu.encode_submit(pdu.Submit(PATIENT, data=octets, concat=concat)))
            client.read_until(support.FINAL)
        assert simulator.books.wait(lambda kept: len(kept.delivered) == 1, support.PATIENCE_S)
        assert simulator.books.inbox(PATIENT)[0].data == "010203"


def test_many_threads_at_once() -> None:
    with support.one_modem(layout()) as (simulator, client):
        threads = [
            threading.Thread(target=simulator.receive, args=(PATIENT, "front", f"Text {number}"))
            for number in range(10)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert simulator.books.wait(
            lambda kept: sum(one.received_at is not None for one in kept.incoming) == 10,
            support.PATIENCE_S,
        )
        assert len(client.lines("AT+CMGL=4")) == 21


def test_waiting_can_end_without_success() -> None:
    with support.one_modem(layout()) as (simulator, _):
        assert not simulator.books.wait(lambda _: False, 0.01)


def test_a_step_that_cannot_happen_does_not_stop_the_day(tmp_path: Path) -> None:
    events: list[dict[str, object]] = []
    found = layout()
    found["day"] = [
        {"at": "0s", "unplug": {"modem": "front"}},
        {"at": "1ms", "plug": {"modem": "front", "link": str(tmp_path)}},
        {"at": "2ms", "call": {"to": "front"}},
    ]
    with Simulator(found, on_event=events.append) as simulator:
        assert simulator.books.wait(lambda kept: len(kept.calls) == 1, support.PATIENCE_S)
    assert "step-failed" in [event["event"] for event in events]
