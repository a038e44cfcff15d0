# SPDX-License-Identifier: Apache-2.0
from gsmgw.at.replies import FinalKind
from gsmgw.at.sorting import Expectation, Sorter, Unsolicited

PDU = "07918405100092F0040B918405100002F00000621122010354400861F1985C369F01"
IMSI = "260011234567890"


def sort(lines, prefixes=(), *, sorter=None):
    """Return what the command got, and what came unasked."""
    sorter = sorter or Sorter()
    waiting = Expectation(prefixes)
    for line in lines:
        sorter.take(line, waiting)
    return waiting, list(sorter.unsolicited)


def test_urc_inside_reply_is_not_lost():
    waiting, heard = sort(['+CMTI: "SM",3', "+CSQ: 17,99", "^RSSI: 5", "OK"], ("+CSQ:",))
    assert waiting.lines == ["+CSQ: 17,99"]
    assert waiting.final is not None
    assert heard == [Unsolicited('+CMTI: "SM",3'), Unsolicited("^RSSI: 5")]


def test_an_answer_without_prefix_leaves_out_known_unsolicited_codes():
    waiting, heard = sort(["^RSSI: 17", "huawei", "RING", "OK"], None)
    assert waiting.lines == ["huawei"]
    assert [one.text for one in heard] == ["^RSSI: 17", "RING"]


def test_a_direct_message_inside_a_listing_keeps_both_pdus_apart():
    other = PDU.replace("61F1", "62F1")
    waiting, heard = sort(
        ["+CMGL: 1,1,,25", "+CMT: ,25", other, PDU, "OK"],
        ("+CMGL:",),
    )
    assert waiting.lines == ["+CMGL: 1,1,,25", PDU]
    assert heard == [Unsolicited("+CMT: ,25", other)]


def test_the_lines_of_a_direct_message_may_come_far_apart():
    sorter = Sorter()
    assert sorter.take("+CDS: 25", None) is None
    assert not sorter.unsolicited
    assert sorter.take('+CMTI: "SM",1', None) is None
    assert sorter.take(PDU, None) is None
    assert list(sorter.unsolicited) == [Unsolicited('+CMTI: "SM",1'), Unsolicited("+CDS: 25", PDU)]


def test_an_imsi_is_not_taken_for_the_pdu_of_a_direct_message():
    waiting, heard = sort(["+CMT: ,25", IMSI, "OK"], None)
    assert waiting.lines == [IMSI]
    assert heard == []


def test_echo_is_dropped_and_noted():
    sorter = Sorter()
    sorter.wrote("AT+CSQ")
    waiting, heard = sort(["AT+CSQ", "+CSQ: 1,99", "OK"], ("+CSQ:",), sorter=sorter)
    assert waiting.lines == ["+CSQ: 1,99"]
    assert heard == []
    assert sorter.echoed


def test_no_carrier_of_a_ringing_call_does_not_end_the_command():
    waiting, heard = sort(["RING", "NO CARRIER", "OK"])
    assert waiting.final is not None
    assert waiting.final.kind is FinalKind.OK
    assert [one.text for one in heard] == ["RING", "NO CARRIER"]
    waiting, _ = sort(["NO CARRIER"])
    assert waiting.final is not None
    assert waiting.final.kind is FinalKind.CALL


def test_a_service_text_over_several_lines_is_one():
    sorter = Sorter()
    for line in ['+CUSD: 1,"1 Balance', "2 Tariff", '3 Help",15']:
        sorter.take(line, None)
    assert list(sorter.unsolicited) == [Unsolicited('+CUSD: 1,"1 Balance\n2 Tariff\n3 Help",15')]


def test_a_service_text_without_its_end_does_not_swallow_the_final_result():
    waiting, heard = sort(['+CUSD: 1,"1 Balance', "2 Tariff", "OK"])
    assert waiting.final is not None
    assert heard == [Unsolicited('+CUSD: 1,"1 Balance\n2 Tariff')]


def test_a_service_text_without_end_gives_up_after_some_lines():
    sorter = Sorter()
    sorter.take('+CUSD: 1,"menu', None)
    for _ in range(30):
        sorter.take("more", None)
    assert sorter.unsolicited[0].text.startswith("+CUSD")


def test_a_final_result_that_nobody_waits_for_is_returned():
    sorter = Sorter()
    final = sorter.take("OK", None)
    assert final is not None
    waiting = Expectation(())
    assert sorter.take("OK", waiting) is None
    assert sorter.take("ERROR", waiting) is not None


def test_clear_forgets_what_is_unfinished():
    sorter = Sorter()
    sorter.take("+CDS: 25", None)
    sorter.take("RING", None)
    sorter.clear()
    sorter.take(PDU, None)
    assert [one.pdu for one in sorter.unsolicited] == [None, None]
    assert not sorter.ringing
