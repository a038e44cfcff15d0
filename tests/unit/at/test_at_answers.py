# SPDX-License-Identifier: Apache-2.0
import datetime as dt

import pytest

from gsmgw.at import fields, network, sim, storage
from gsmgw.at.network import Call, Caller, Registration, ServiceText


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+CREG: 1", Registration(1)),
        ("+CREG:5", Registration(5)),
        ("+CREG: 0,1", Registration(1)),
        ("+CREG: 2,10", Registration(10)),
        ('+CREG: 1,"00A1","00B2"', Registration(1, 0xA1, 0xB2)),
        ("+CREG: 1,00A1,00B2", Registration(1, 0xA1, 0xB2)),
        ('+CREG: 2,1,"00A1","00B2"', Registration(1, 0xA1, 0xB2)),
        ("+CREG: 2,1,00A1,00B2", Registration(1, 0xA1, 0xB2)),
        ('+CREG: 2,2,"0000","00000000",0', Registration(2, 0, 0, 0)),
        ('+CREG: 1,"00A1","0AB2C3D4",7', Registration(1, 0xA1, 0x0AB2C3D4, 7)),
        ('+CEREG: 2,5,"76C1","0102B50C",7', Registration(5, 0x76C1, 0x0102B50C, 7)),
        ('+CGREG: 2,1,"00A1","00B2",7,"01"', Registration(1, 0xA1, 0xB2, 7)),
        ('+CREG: 2,3,"","",0,3,15', Registration(3, None, None, 0)),
        ("+CREG: ", None),
        ("+CREG: x,y", None),
    ],
)
def test_registration_in_all_forms(text, expected):
    assert network.parse_registration(text) == expected


def test_registered_is_home_roaming_and_sms_only():
    registered = {status for status in range(12) if Registration(status).registered}
    assert registered == {1, 5, 6, 7, 9, 10}


@pytest.mark.parametrize(
    ("text", "dbm"),
    [
        ("+CSQ: 17,99", -79),
        ("+CSQ:0,0", -113),
        ("+CSQ: 31,99", -51),
        ("+CSQ: 99,99", None),
        ("+CSQ: 150,99", -66),
        ("+CSQ: 199,99", None),
        ("+CSQ: ", None),
        ("+CESQ: 30,3,255,255,255,255", -81),
        ("+CESQ: 99,99,40,10,255,255", -81),
        ("+CESQ: 99,99,255,255,20,60", -81),
        ("+CESQ: 99,99,255,255,255,255", None),
    ],
)
def test_signal_in_dbm(text, dbm):
    assert network.parse_signal(text) == dbm


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('+COPS: 0,0,"Orange PL",2', "Orange PL"),
        ('+COPS: 0,2,"26003"', "26003"),
        ('+COPS: 0,0,"A, B"', "A, B"),
        ("+COPS: 0", None),
        ("+COPS:", None),
    ],
)
def test_operator(text, name):
    assert network.parse_operator(text) == name


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ('+CLIP: "+48500100201",145,"",0,"",0', "+48500100201"),
        ('+CLIP: "48500100201",145', "+48500100201"),
        ('+CLIP: "500100201",129', "500100201"),
        ("+CLIP: 500100201,129", "500100201"),
        ('+CLIP: "",128', None),
        ('+CLIP: "",128,,,,1', None),
        ("+CLIP: ", None),
        ('+CLIP: "Anonymous",128', None),
    ],
)
def test_caller(text, number):
    assert network.parse_caller(text) == Caller(number)


def test_call_list():
    assert network.parse_call('+CLCC: 1,1,4,0,0,"+48500100201",145') == Call(
        1, True, 4, True, "+48500100201"
    )
    assert network.parse_call("+CLCC: 2,0,0,1,0") == Call(2, False, 0, False, None)
    assert network.parse_call("+CLCC:") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('+CUSD: 0,"Balance: 12.30",15', ServiceText(0, "Balance: 12.30", 15)),
        ('+CUSD: 1,"1 Yes\n2 No",72', ServiceText(1, "1 Yes\n2 No", 72)),
        ('+CUSD:0,"text"', ServiceText(0, "text", None)),
        ("+CUSD: 0,AA18,15", ServiceText(0, "AA18", 15)),
        ("+CUSD: 2", ServiceText(2, None, None)),
        ("+CUSD: 4,", ServiceText(4, None, None)),
        ('+CUSD: 0,"",', ServiceText(0, None, None)),
        ("+CUSD: x", None),
    ],
)
def test_service_texts_with_any_part_missing(text, expected):
    assert network.parse_service_text(text) == expected


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ('+CCLK: "26/11/22,12:34:56+04"', dt.datetime(2026, 11, 22, 11, 34, 56, tzinfo=dt.UTC)),
        ('+CCLK: "26/11/22,12:34:56-14"', dt.datetime(2026, 11, 22, 16, 4, 56, tzinfo=dt.UTC)),
        ("+CCLK: 26/11/22,12:34:56+00", dt.datetime(2026, 11, 22, 12, 34, 56, tzinfo=dt.UTC)),
        ('+CCLK: "26/11/22,12:34:56"', None),
        ('+CCLK: "80/01/06,00:00:00+00"', None),
        ('+CCLK: "04/01/01,00:00:00+00"', None),
        ('+CCLK: "26/13/40,99:00:00+00"', None),
        ('+CCLK: "26/11/22,12:34:56+96"', None),
        ('+CCLK: "26/11/22,12:34:56-99"', None),
        ("+CCLK: ", None),
    ],
)
def test_clock(text, utc):
    assert network.parse_clock(text) == utc


PDU = "07918405100092F0040B918405100002F00000621122010354400861F1985C369F01"


def test_listing_pairs_headers_with_pdus():
    found = storage.parse_list(
        ["+CMGL: 1,1,,25", PDU, '+CMGL: 2,0,"",25', PDU, "+CMGL:3,3,18", "0011", "+CMGL: 4,0,,9"]
    )
    assert [(one.index, one.status, one.length, one.received) for one in found] == [
        (1, 1, 25, True),
        (2, 0, 25, True),
        (3, 3, 18, False),
    ]
    assert found[0].pdu == PDU


def test_a_damaged_header_takes_nobody_elses_pdu():
    assert storage.parse_list(["+CMGL: x", PDU, "+CMGL: 2,1,,25", PDU])[0].index == 2


def test_reading_one():
    found = storage.parse_read(["+CMGR: 0,,25", PDU])
    assert found is not None
    assert (found.index, found.status, found.length) == (None, 0, 25)
    assert storage.parse_read(["+CMGR: 1,25", PDU]) is not None
    assert storage.parse_read(["+CMGR: 0,,0"]) is None
    assert storage.parse_read(["+CMGR: ", PDU]) is None
    assert storage.parse_read([]) is None


REPORT = "07918405100092F006400B918405100002F16211228022854062112280228540" + "00"
SUBMIT = "0011000B918405100002F10000AA02E834"


@pytest.mark.parametrize(
    ("header", "pdu", "length", "received"),
    [
        ("+CMGR: ,,25", REPORT, 25, True),  # ZTE, of the memory of reports
        ("+CMGR: 25", REPORT, 25, True),
        ("+CMGR: ,,25", PDU, 25, True),
        ("+CMGR: ,,16", SUBMIT, 16, False),
        ("+CMGR: ,,4", "0791", 4, True),
        ("+CMGL: 50,,,25", REPORT, 25, True),
        ("+CMGL: 50,,25", REPORT, 25, True),
        ('+CMGL: 50,"STO SENT",,16', SUBMIT, 16, False),
    ],
)
def test_a_message_without_a_status_is_told_by_its_kind(header, pdu, length, received):
    read = storage.parse_read if header.startswith("+CMGR") else storage.parse_list
    found = read([header, pdu])
    one = found[0] if isinstance(found, list) else found
    assert (one.length, one.received, one.pdu) == (length, received, pdu)
    assert one.index == (50 if isinstance(found, list) else None)


@pytest.mark.parametrize("header", ["+CMGL: 50", "+CMGL: 50,", "+CMGL: ,1,,25", "+CMGL: 50,,,"])
def test_a_header_that_says_too_little_is_left_out(header):
    assert storage.parse_list([header, PDU]) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('+CPMS: "SM",3,20,"SM",3,20,"SM",3,20', [("SM", 3, 20)]),
        ('+CPMS: "SM",3,20,"ME",0,23,"SR",1,10', [("SM", 3, 20), ("ME", 0, 23), ("SR", 1, 10)]),
        ("+CPMS: 3,20,3,20,3,20", [("", 3, 20)] * 3),
        ("+CPMS: 3,20,0,23,1,10", [("", 3, 20), ("", 0, 23), ("", 1, 10)]),
        ("+CPMS:", []),
    ],
)
def test_memories(text, expected):
    assert [(m.name, m.used, m.total) for m in storage.parse_memories(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('+CPMS: ("SM","ME"),("SM"),("SM")', ("SM", "ME")),
        ('+CPMS: (("SM","BM","SR"),("SM"))', ("SM", "BM", "SR")),
        ('+CPMS: (("SM","BM","SR"))', ("SM", "BM", "SR")),
        ('+CPMS: "SM","SM","SM"', ("SM",)),
        ('+CPMS:("ME","MT"),("ME")', ("ME", "MT")),
        ("+CPMS: (),(),()", ()),
        ("+CPMS:", ()),
        ("+CPMS: (SM,ME),(SM)", ("SM", "ME")),
    ],
)
def test_memory_choices_flat_nested_and_empty(text, expected):
    assert storage.parse_memory_choices(text) == expected


@pytest.mark.parametrize(
    ("text", "mr"),
    [
        ("+CMGS: 7", 7),
        ("+CMGS:12", 12),
        ('+CMGS: 7,"26/11/22,12:00:00+04"', 7),
        ("+CMGS: 0", 0),
        ("+CMGS: 256", 0),
        ("+CMGS: ", None),
        ("+CMTI: 7", None),
    ],
)
def test_reference(text, mr):
    assert storage.parse_reference(text) == mr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('+CMTI: "SM",3', ("SM", 3)),
        ('+CDSI: "SR", 1', ("SR", 1)),
        ('+CMTI:"MT",0', ("MT", 0)),
        ("+CMTI: ME,12", ("ME", 12)),
        ("+CMTI: x", None),
    ],
)
def test_notices(text, expected):
    found = storage.parse_notice(text)
    assert (found and (found.memory, found.index)) == expected


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ('+CSCA: "+48500100900",145', "+48500100900"),
        ('+CSCA: "48500100900",145', "+48500100900"),
        ('+CSCA: "500100900",129', "500100900"),
        ('+CSCA: "002B00340038",145', "+48"),
        ('+CSCA: "",129', None),
        ("+CSCA:", None),
    ],
)
def test_service_centre(text, number):
    assert storage.parse_service_centre(text) == number


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("+CPIN: READY", "READY"),
        ("+CPIN:READY", "READY"),
        ('+CPIN: "SIM PIN"', "SIM PIN"),
        ("+CPIN: sim puk", "SIM PUK"),
        ("+CPIN: PH-NET PIN", "PH-NET PIN"),
    ],
)
def test_pin_state(text, state):
    assert sim.parse_pin_state(text) == state


@pytest.mark.parametrize(
    ("text", "tries"),
    [
        ("^CPIN: SIM PIN,,10,3,10,3", 3),
        ("+CPINR: SIM PIN,2,3", 2),
        ('+QPINC: "SC",1,10', 1),
        ("+SPIC: 3,10,0,10", 3),
        ("+ZPINPUK: 2,10", 2),
        ("+CPINR: SIM PIN", None),
        ("+CSQ: 3,99", None),
    ],
)
def test_pin_tries(text, tries):
    assert sim.parse_pin_tries(text) == tries


@pytest.mark.parametrize(
    "text",
    [
        "+CCID: 8948010000000000001",
        '+CCID: "8948010000000000001F"',
        "^ICCID: 8948010000000000001F",
        "+QCCID: 8948010000000000001",
        "+ICCID: 8948010000000000001",
        "8948010000000000001f",
        "^ICCID: 988410000000000000F1",
    ],
)
def test_iccid_in_all_forms(text):
    assert sim.parse_iccid(text) == "8948010000000000001"


def test_what_is_no_iccid():
    assert sim.parse_iccid("260011234567890") is None
    assert sim.parse_iccid("+CCID: ") is None


def test_identity_lines():
    assert sim.parse_imei(["356938035643809"]) == "356938035643809"
    assert sim.parse_imei(["^RSSI: 17", '+CGSN: "356938035643809"']) == "356938035643809"
    assert sim.parse_imei(["nothing"]) is None
    assert sim.parse_imsi(["+CIMI: 260011234567890"]) == "260011234567890"
    assert sim.parse_name(["+CGMI: Acme Ltd"], "+CGMI") == "Acme Ltd"
    assert sim.parse_name(["^RSSI: 17", "huawei"], "+CGMI") == "huawei"
    assert sim.parse_name(["+CREG: 1"], "+CGMI") is None
    assert sim.parse_name(['""'], "+CGMI") is None


def test_files_on_the_sim():
    file = sim.parse_sim_file('+CRSM: 144,0,"07FF"')
    assert file is not None
    assert sim.last_reference(file) == 7
    refused = sim.parse_sim_file("+CRSM: 106,130")
    assert refused is not None
    assert sim.last_reference(refused) is None
    damaged = sim.parse_sim_file('+CRSM: 144,0,"07F"')
    assert damaged is not None
    assert damaged.content == b""
    assert sim.parse_sim_file("+CRSM:") is None


def test_fields():
    assert fields.split('"a,b",(1,2),3') == ['"a,b"', "(1,2)", "3"]
    assert fields.number('"12"') == 12
    assert fields.number("٣") is None
    assert fields.hexadecimal("0x1F") == 31
