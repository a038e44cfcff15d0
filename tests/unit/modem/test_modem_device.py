# SPDX-License-Identifier: Apache-2.0
import inspect
from contextlib import contextmanager

import gsmmodem.exceptions
import pytest
from gsmmodem.modem import GsmModem
from modem_support import PlayedModem

from gsmgw.at.network import ServiceText
from gsmgw.errors import CommandFailedError, ModemError, SimError
from gsmgw.modem import device, dialogue, port

LIBRARY_ERRORS = [
    kind
    for _, kind in inspect.getmembers(gsmmodem.exceptions, inspect.isclass)
    if issubclass(kind, Exception)
]


@contextmanager
def owned(answers, *, huawei=False):
    with PlayedModem(answers) as modem:
        line = port.Port(modem.path)
        line.open()
        try:
            yield modem, device.Device(dialogue.Dialogue(line), huawei=huawei)
        finally:
            line.close()


def _make(kind):
    if issubclass(kind, gsmmodem.exceptions.SecurityException):
        return kind("AT", 11)
    if kind in (gsmmodem.exceptions.CmeError, gsmmodem.exceptions.CmsError):
        return kind("AT", 500)
    if issubclass(kind, gsmmodem.exceptions.CmsError):
        return kind("AT")
    return kind("AT")


@pytest.mark.parametrize("kind", LIBRARY_ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_of_the_library_becomes_one_of_ours(kind):
    mapped = [ours for theirs, ours in device._ERRORS if issubclass(kind, theirs)]
    assert mapped, f"{kind} is not mapped"
    assert isinstance(device.translate(_make(kind)), ModemError)


def test_errors_that_mean_the_sim_and_codes_are_kept():
    assert isinstance(device.translate(_make(gsmmodem.exceptions.PukRequiredError)), SimError)
    failed = device.translate(gsmmodem.exceptions.CmsError("AT+X", 500))
    assert isinstance(failed, CommandFailedError)
    assert (failed.kind, failed.code) == ("CMS", 500)


def test_the_library_still_has_what_we_override_and_call():
    parameters = inspect.signature(GsmModem.write).parameters
    assert list(parameters) == [
        "self", "data", "waitForResponse", "timeout", "parseError", "writeTerm",
        "expectedResponseTermSeq",
    ]  # fmt: skip
    for name in ("manufacturer", "model", "revision", "imei", "imsi", "networkName",
                 "signalStrength", "smsc", "sendUssd", "dial"):  # fmt: skip
        assert hasattr(GsmModem, name)


def test_what_a_modem_says_of_itself():
    answers = {
        "AT+CGMI": "no\x81ise\r\nhuawei\r\n\r\nOK",
        "AT+CGMM": "E173\r\n\r\nOK",
        "AT+CGSN": "356938035643809\r\n\r\nOK",
        "AT+CSQ": "+CSQ: 17,99\r\n\r\nOK",
        "AT+CIMI": "+CME ERROR: 11",
    }
    with owned(answers) as (_, library):
        found = library.describe()
    assert found == {
        "manufacturer": "huawei",
        "model": "E173",
        "imei": "356938035643809",
        "signal": "17",
    }


@pytest.mark.parametrize(
    "answer",
    [
        'OK\r\n\r\n+CUSD: 0,"Balance: 12.30",15',
        '+CUSD: 0,"Balance: 12.30",15\r\n\r\nOK',
        'OK\r\n\r\n+CUSD: 0,"Balance: 12.30"',
        'OK\r\n\r\n^RSSI: 3\r\n+CUSD: 0,"Balance: 12.30",15',
        'OK\r\n\r\n+CUSD: 0,"00420061006C0061006E00630065003A002000310032002E00330030",72',
        'OK\r\n\r\n+CUSD: 2,"Balance: 12.30",15',
    ],
)
def test_a_service_code_is_answered_in_every_form(answer):
    with owned({'AT+CUSD=1,"*100#",15': answer}) as (_, library):
        found = library.ask_service("*100#", 60.0)
    assert found.text == "Balance: 12.30"
    assert not found.waits_for_reply


def test_a_modem_that_wants_packed_codes_gets_them():
    with owned({'AT+CUSD=1,"AA180C3602",15': 'OK\r\n\r\n+CUSD: 1,"1 Yes",15'}) as (_, library):
        found = library.ask_service("*100#", 60.0)
    assert (found.text, found.waits_for_reply) == ("1 Yes", True)


@pytest.mark.parametrize("answer", ["OK\r\n\r\n+CUSD: 4", "OK\r\n\r\n+CUSD: 5", "+CME ERROR: 30"])
def test_a_refused_service_code_is_an_error_in_words(answer):
    with owned({"*": answer}) as (_, library), pytest.raises(ModemError):
        library.ask_service("*100#", 60.0)


def test_a_service_code_that_nobody_answers():
    with owned({"*": "OK"}) as (_, library), pytest.raises(ModemError, match="did not answer"):
        library.ask_service("*100#", 0.2)


def test_a_late_answer_to_one_service_code_is_not_taken_for_that_to_the_next():
    with owned({'AT+CUSD=1,"*101#",15': 'OK\r\n\r\n+CUSD: 0,"Data: 1 GB",15'}) as (modem, library):
        modem.answers['AT+CUSD=1,"*100#",15'] = "OK"
        with pytest.raises(ModemError, match="did not answer"):
            library.ask_service("*100#", 0.2)
        modem.answers["AT"] = '+CUSD: 0,"Balance: 12.30",15\r\n\r\nOK'
        assert library._library._talk.command("AT").ok
        assert library.ask_service("*101#", 60.0).text == "Data: 1 GB"


def test_a_call_is_dialled_followed_and_ended():
    states = ["+CLCC: 1,0,3,0,0\r\n\r\nOK", "+CLCC: 1,0,0,0,0\r\n\r\nOK", "OK"]
    answers = {
        "ATD+48500100201;": "OK",
        "AT+CLCC": lambda _: states.pop(0),
        "AT^DTMF=1,5": "OK",
        "ATH": "OK",
    }
    with owned(answers, huawei=True) as (modem, library):
        call = library.dial("+48500100201")
        assert not library.follow(call)
        with pytest.raises(ModemError):
            library.send_tones(call, "5")
        assert library.follow(call)
        library.send_tones(call, "5")
        assert not library.follow(call)
        library.hang_up(call)
        assert "AT^DTMF=1,5" in modem.heard


def test_call_forwarding():
    answers = {
        "AT+CCFC=0,2": '+CCFC: 1,1,"+48500100202",145\r\n\r\nOK',
        "AT+CCFC=1,2": "+CCFC: 0,7\r\n\r\nOK",
        'AT+CCFC=0,3,"+48500100202"': "OK",
        "AT+CCFC=0,4": "OK",
    }
    with owned(answers) as (_, library):
        assert library.forwarding(0) == "+48500100202"
        assert library.forwarding(1) is None
        library.set_forwarding(0, "+48500100202")
        library.set_forwarding(0, None)
        with pytest.raises(CommandFailedError):
            library.set_forwarding(2, None)


@pytest.mark.parametrize(
    ("text", "dcs", "shown"),
    [
        ("plain", 15, "plain"),
        (None, None, ""),
        ("D4F29C0E", 15, "Test"),
        ("041F04400438", 72, "При"),
        ("041F04400438", 15, "При"),
        ("D4F29C0E", None, "Test"),
        ("447700900123", 15, "447700900123"),
        ("048500100201", 15, "048500100201"),
        ("1234", 15, "1234"),
        ("2026112210", 0, "2026112210"),
        ("0031003200330034", 15, "1234"),
        ("04420410041A", 15, "тАК"),
        ("0031003220AC", 15, "12€"),
    ],
)
def test_service_texts_are_decoded(text, dcs, shown):
    assert device.decode_service_text(ServiceText(0, text, dcs)) == shown


def test_packing_a_code_of_seven_characters_leaves_no_at_sign():
    assert device.decode_service_text(ServiceText(0, device.packed("*100*1#"), 15)) == "*100*1#"
