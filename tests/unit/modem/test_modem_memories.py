# SPDX-License-Identifier: Apache-2.0
from contextlib import contextmanager

import pytest
from modem_gateway import MemoryGateway
from modem_support import PlayedModem

from gsmgw.at.storage import Notice
from gsmgw.errors import StoreBusyError
from gsmgw.modem import dialogue, memories, port

PDU = "07918405100092F0040B918405100002F00000621122010354400861F1985C369F01"
OTHER = PDU.replace("61F1", "62F1")
LENGTH = len(PDU) // 2 - 8
CHOSEN = {'AT+CPMS="SM"': "+CPMS: 3,20,3,20,3,20\r\n\r\nOK"}


def listing(*entries):
    lines = [f"+CMGL: {index},{status},,{LENGTH}\r\n{pdu}" for index, status, pdu in entries]
    return "\r\n".join([*lines, "", "OK"])


@contextmanager
def sweeping(answers, names=("SM",)):
    with PlayedModem({**CHOSEN, **answers}) as modem:
        line = port.Port(modem.path)
        line.open()
        gateway = MemoryGateway()
        swept = memories.Memories(dialogue.Dialogue(line), gateway, "front")
        swept.begin(names)
        try:
            yield modem, gateway, swept
        finally:
            line.close()


def test_what_came_is_handed_over_then_deleted_and_our_own_is_left_alone():
    answers = {
        "AT+CMGL=4": listing((1, 1, PDU), (2, 2, OTHER), (3, 3, OTHER), (4, 0, OTHER)),
        "AT+CMGD=1": "OK",
        "AT+CMGD=4": "OK",
    }
    with sweeping(answers) as (modem, gateway, swept):
        assert not swept.sweep("SM")
        assert [(one.memory, one.index, one.pdu) for one in gateway.arrivals] == [
            ("SM", 1, PDU),
            ("SM", 4, OTHER),
        ]
        assert gateway.deletions == [1, 2]
        assert swept.fill == {"SM": (3, 20)}
        assert not swept.has_undeleted
        assert [one for one in modem.heard if "CMGD" in one] == ["AT+CMGD=1", "AT+CMGD=4"]


def test_what_is_not_stored_is_not_deleted():
    with sweeping({"AT+CMGL=4": listing((1, 1, PDU))}) as (modem, gateway, swept):
        gateway.busy = 1
        with pytest.raises(StoreBusyError):
            swept.sweep("SM")
        assert not any("CMGD" in one for one in modem.heard)


def test_many_are_taken_in_batches():
    entries = [(index, 1, PDU) for index in range(memories.BATCH + 2)]
    answers = {"AT+CMGL=4": listing(*entries)}
    answers |= {f"AT+CMGD={index}": "OK" for index in range(20)}
    with sweeping(answers) as (_, gateway, swept):
        assert swept.sweep("SM")
        assert len(gateway.deletions) == memories.BATCH


def test_what_cannot_be_deleted_holds_back_nothing_and_comes_once():
    answers = {
        "AT+CMGL=4": listing((1, 1, PDU), (2, 1, OTHER)),
        "AT+CMGD=1": "+CMS ERROR: 500",
        "AT+CMGD=2": "OK",
    }
    with sweeping(answers) as (modem, gateway, swept):
        swept.sweep("SM")
        assert swept.has_undeleted
        modem.answers["AT+CMGD=1"] = "OK"
        swept.sweep("SM")
        assert not swept.has_undeleted
        assert [one.index for one in gateway.arrivals] == [1, 2, 2]
        assert gateway.deletions[:2] == [2, 1]


def test_nothing_is_deleted_after_the_modem_has_started_anew():
    answers = {"AT+CMGL=4": "RDY\r\n" + listing((1, 1, PDU)), "AT+CMGD=1": "OK"}
    with sweeping(answers) as (modem, gateway, swept):
        swept.sweep("SM")
        assert len(gateway.arrivals) == 1
        assert gateway.deletions == []
        assert "AT+CMGD=1" not in modem.heard


def test_a_pdu_that_does_not_fit_its_header_is_read_again_and_compared():
    answers = {
        "AT+CMGL=4": f"+CMGL: 1,1,,99\r\n{PDU}\r\n+CMGL: 2,1,,99\r\n{PDU}\r\n\r\nOK",
        "AT+CMGR=1": f"+CMGR: 1,,99\r\n{PDU}\r\n\r\nOK",
        "AT+CMGR=2": f"+CMGR: 1,,99\r\n{OTHER}\r\n\r\nOK",
        "AT+CMGD=1": "OK",
        "AT+CMGD=2": "OK",
    }
    with sweeping(answers) as (modem, gateway, swept):
        swept.sweep("SM")
        assert [one.index for one in gateway.arrivals] == [1]
        assert "AT+CMGD=2" not in modem.heard


def test_a_notice_is_read_where_it_says():
    answers = {"AT+CMGR=3": f"+CMGR: 0,,{LENGTH}\r\n{PDU}\r\n\r\nOK", "AT+CMGD=3": "OK"}
    with sweeping(answers) as (modem, gateway, swept):
        assert swept.read(Notice("SM", 3))
        assert gateway.deletions == [1]
        assert swept.read(Notice("SM", 3))
        assert sum("CPMS" in one for one in modem.heard) == 1


@pytest.mark.parametrize("answer", ["OK", "+CMS ERROR: 321", "+CMGR: 2,,10\r\n0011\r\n\r\nOK"])
def test_a_notice_that_leads_nowhere_says_so(answer):
    with sweeping({"AT+CMGR=3": answer}) as (_, gateway, swept):
        assert not swept.read(Notice("SM", 3))
        assert not swept.read(Notice("XX", 3))
        assert gateway.arrivals == []


def test_memories_that_cannot_be_chosen_or_listed_are_passed_over():
    with sweeping({"AT+CMGL=4": "+CMS ERROR: 302"}) as (_, gateway, swept):
        assert not swept.sweep("ME")
        assert not swept.sweep("SM")
        assert gateway.arrivals == []


def test_without_a_choice_of_memories_the_chosen_one_is_swept():
    with sweeping({"AT+CMGL=4": listing((1, 1, PDU)), "AT+CMGD=1": "OK"}, names=()) as (
        modem,
        gateway,
        swept,
    ):
        assert swept.names == (memories.SELECTED,)
        assert not swept.sweep(memories.SELECTED)
        assert gateway.arrivals[0].memory is None
        assert gateway.deletions == [1]
        assert not any("CPMS" in one for one in modem.heard)


def test_the_undecodable_is_handed_over_and_deleted_all_the_same():
    damaged = "FF" * 20
    answers = {"AT+CMGL=4": f"+CMGL: 1,1\r\n{damaged}\r\n\r\nOK", "AT+CMGD=1": "OK"}
    with sweeping(answers) as (_, gateway, swept):
        swept.sweep("SM")
        assert gateway.arrivals[0].pdu == damaged
        assert gateway.deletions == [1]


def test_a_worn_sim_that_only_says_to_delete_neither_loops_nor_doubles():
    entries = [(index, 1, PDU) for index in range(memories.BATCH)]
    answers = {"AT+CMGL=4": listing(*entries, (200, 1, OTHER)), "*": "OK"}
    stored = f"+CMGR: 1,,{LENGTH}\r\n{PDU}\r\n\r\nOK"
    answers |= {f"AT+CMGR={index}": stored for index in range(memories.BATCH)}
    answers["AT+CMGR=200"] = stored.replace(PDU, OTHER)
    with sweeping(answers) as (_, gateway, swept):
        sweeps = 1
        while swept.sweep("SM"):
            sweeps += 1
            assert sweeps < 10
        assert OTHER in [one.pdu for one in gateway.arrivals]
        seen = len(gateway.arrivals)
        for _ in range(5):
            swept.sweep("SM")
        assert len(gateway.arrivals) - seen <= 2
        assert swept.has_undeleted


def test_what_would_not_be_deleted_and_vanished_is_forgotten():
    answers = {"AT+CMGL=4": listing((1, 1, PDU)), "AT+CMGD=1": "ERROR"}
    with sweeping(answers) as (modem, _, swept):
        swept.sweep("SM")
        assert swept.has_undeleted
        modem.answers["AT+CMGL=4"] = "OK"
        swept.sweep("SM")
        assert not swept.has_undeleted


def test_equal_reports_one_after_another_in_one_place_are_all_handed_over():
    answers = {"AT+CMGL=4": listing((1, 1, PDU)), "AT+CMGD=1": "OK", "AT+CMGR=1": "+CMS ERROR: 321"}
    with sweeping(answers) as (_, gateway, swept):
        for _ in range(5):
            swept.sweep("SM")
        assert len(gateway.deletions) == 5
        assert not swept.has_undeleted
