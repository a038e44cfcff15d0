# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
from modem_gateway import MemoryGateway, make_part
from modem_support import PlayedModem

from gsmgw import clock
from gsmgw.at.replies import parse_final
from gsmgw.errors import ModemError, SimError
from gsmgw.model import ErrorFamily, Outcome
from gsmgw.modem import (
    dialogue,
    discovery,
    driver,
    exchange,
    initialise,
    pin,
    port,
    profiles,
    settings,
)
from gsmgw.modem.duties import finding, recovery
from gsmgw.modem.duties.recovery import Stage

ICCID = "8948010000000000001"


# -- recovery --------------------------------------------------------------------------------------


def test_recovery_goes_from_mild_to_rough_ever_more_slowly():
    plan = recovery.Recovery()
    found = [plan.next_stage(can_reset=True, can_reset_usb=True) for _ in range(12)]
    assert [stage for stage, _ in found[:7]] == [
        Stage.RESYNCHRONISE,
        Stage.INITIALISE,
        Stage.REOPEN,
        Stage.REOPEN,
        Stage.RESET,
        Stage.USB_RESET,
        Stage.REOPEN,
    ]
    pauses = [pause for _, pause in found]
    assert pauses[0] == 0
    assert pauses == sorted(pauses)
    assert pauses[-1] == 300
    plan.succeeded()
    assert plan.next_stage(can_reset=True, can_reset_usb=True) == (Stage.RESYNCHRONISE, 0)


def test_rough_stages_only_where_they_can_be():
    plan = recovery.Recovery()
    stages = {plan.next_stage(can_reset=False, can_reset_usb=False)[0] for _ in range(9)}
    assert stages == {Stage.RESYNCHRONISE, Stage.INITIALISE, Stage.REOPEN}


def test_a_usb_reset_that_cannot_be_is_told(tmp_path):
    with pytest.raises(ModemError, match="cannot be reset"):
        recovery.reset_usb(tmp_path / "none")
    plain = tmp_path / "plain"
    plain.write_text("")
    with pytest.raises(ModemError, match="cannot be reset"):
        recovery.reset_usb(plain)


# -- profiles --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("manufacturer", "model", "forced", "name"),
    [
        ("huawei", "E173", None, "huawei"),
        ("ZTE CORPORATION", "MF190", None, "zte"),
        ("SIMCOM_Ltd", "SIMCOM_SIM800L", None, "simcom"),
        (None, "SIM7600E", None, "simcom"),
        ("Quectel", "EC25", None, "quectel"),
        ("Acme", "X1", None, "generic"),
        (None, None, None, "generic"),
        ("huawei", "E173", "generic", "generic"),
        ("huawei", "E173", "none such", "huawei"),
    ],
)
def test_a_profile_is_chosen_by_maker_and_model(manufacturer, model, forced, name):
    assert profiles.choose(manufacturer, model, forced).name == name


def test_profiles_are_whole():
    assert len({profile.name for profile in profiles.PROFILES}) == len(profiles.PROFILES)
    for profile in profiles.PROFILES:
        assert profile.iccid
        assert profile.hang_up
        assert all(vendor == vendor.lower() for vendor in profile.usb_vendors)


# -- discovery -------------------------------------------------------------------------------------


def _stick(sysfs: Path, dev: Path, bus_path: str, first: int, vendor: str = "12d1") -> None:
    """Make a USB device with three ttys, as sysfs shows it."""
    device = sysfs / "devices" / "usb1" / bus_path
    for number in range(3):
        tty = device / f"{bus_path}:1.{number}" / f"ttyUSB{first + number}"
        tty.mkdir(parents=True)
        (tty.parent / "bInterfaceNumber").write_text(f"{number:02x}\n")
        (dev / tty.name).write_text("")
        link = sysfs / "class" / "tty" / tty.name
        link.mkdir(parents=True)
        (link / "device").symlink_to(tty)
    for name, content in {
        "idVendor": vendor, "idProduct": "1506", "serial": f"S{first}", "busnum": "1",
        "devnum": "4",
    }.items():  # fmt: skip
        (device / name).write_text(content + "\n")


@pytest.fixture
def machine(tmp_path):
    sysfs, dev = tmp_path / "sys", tmp_path / "dev"
    dev.mkdir()
    _stick(sysfs, dev, "1-1", 0)
    _stick(sysfs, dev, "1-1.4", 3)
    _stick(sysfs, dev, "1-2", 6, vendor="2c7c")
    (dev / "ttyUSB9").write_text("")
    return sysfs, dev


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("12d1:1506", ["ttyUSB2", "ttyUSB1", "ttyUSB0", "ttyUSB5", "ttyUSB4", "ttyUSB3"]),
        ("12d1:1506:s3", ["ttyUSB5", "ttyUSB4", "ttyUSB3"]),
        ("1-1.4", ["ttyUSB5", "ttyUSB4", "ttyUSB3"]),
        ("2C7C:1506", ["ttyUSB6", "ttyUSB7", "ttyUSB8"]),
        ("dead:beef", []),
    ],
)
def test_ports_of_a_usb_identity_best_first(machine, wanted, names):
    sysfs, dev = machine
    found = discovery.candidates(
        settings.Settings("front", match_usb=wanted, candidates=(f"{dev}/ttyUSB*",)), sysfs
    )
    assert [Path(path).name for path in found] == names


def test_a_device_and_its_reset_node(machine):
    sysfs, dev = machine
    device = discovery.usb_device(str(dev / "ttyUSB4"), sysfs)
    assert device is not None
    assert (device.vendor, device.interface, device.bus_path) == ("12d1", 1, "1-1.4")
    assert device.node == Path("/dev/bus/usb/001/004")
    assert discovery.usb_device(str(dev / "ttyUSB9"), sysfs) is None


def test_a_path_is_taken_as_it_stands(machine):
    sysfs, dev = machine
    now = clock.SystemClock()
    there = settings.Settings("front", port=str(dev / "ttyUSB0"))
    found = discovery.find(there, now, sysfs=sysfs)
    assert found is not None
    assert found.path == str(dev / "ttyUSB0")
    assert discovery.find(settings.Settings("front", port=str(dev / "none")), now) is None


def test_two_names_of_one_device_are_one_candidate(machine):
    sysfs, dev = machine
    (dev / "by-id").symlink_to(dev / "ttyUSB0")
    found = discovery.candidates(
        settings.Settings("f", match_imei="1", candidates=(f"{dev}/ttyUSB0", f"{dev}/by-id")), sysfs
    )
    assert len(found) == 1


def test_a_modem_is_found_by_its_imei_and_its_late_answer_is_heard():
    imei = {"AT+CGSN": "356938035643809\r\n\r\nOK"}
    now = clock.SystemClock()
    with PlayedModem(imei) as modem, PlayedModem({"AT": None}) as silent:
        wanted = settings.Settings(
            "front", match_imei="356938035643801", candidates=(silent.path, modem.path)
        )
        modem.say("\r\n+CMGS: 5\r\n\r\nOK\r\n")
        found = discovery.find(wanted, now, last=modem.path, listen_s=5.0)
        assert found is not None
        assert found.path == modem.path
        assert [answer.reference for answer in found.late] == [5]


def test_looking_slows_down_only_while_the_same_files_are_there_in_vain(machine):
    sysfs, dev = machine
    wanted = settings.Settings("front", match_imei="1", candidates=(f"{dev}/ttyUSB9",))
    finder = finding.Finder(wanted, clock.SystemClock(), sysfs)
    pauses = []
    for _ in range(9):
        finder.failed()
        pauses.append(finder.left_s())
    assert pauses[0] <= 0.5 < pauses[1] < pauses[2]
    assert 15 < pauses[-1] <= 30
    (dev / "ttyUSB9").unlink()
    finder.failed()
    assert finder.left_s() <= 0.5
    assert finder.asks_imei
    assert finder.usb_device() is None


# -- outcomes --------------------------------------------------------------------------------------


def _answer(text, *, submitted=True, reference=None):
    final = parse_final(text) if text else None
    return exchange.Answer(submitted=submitted, reference=reference, final=final)


@pytest.mark.parametrize(
    ("answer", "outcome", "family", "code"),
    [
        (_answer("OK", reference=7), Outcome.TAKEN, None, None),
        (_answer("OK"), Outcome.TAKEN, None, None),
        (_answer(None), Outcome.UNCERTAIN, None, None),
        (_answer(None, submitted=False), Outcome.UNTOUCHED, None, None),
        (_answer("ERROR"), Outcome.UNCERTAIN, None, None),
        (_answer("ERROR", submitted=False), Outcome.UNTOUCHED, None, None),
        (_answer("NO CARRIER"), Outcome.UNCERTAIN, None, None),
        (_answer("+CMS ERROR: 38"), Outcome.REFUSED, ErrorFamily.CMS, 38),
        (_answer("+CMS ERROR: 38", submitted=False), Outcome.REFUSED, ErrorFamily.CMS, 38),
        (_answer("+CMS ERROR: 500"), Outcome.UNCERTAIN, ErrorFamily.CMS, 500),
        (_answer("+CMS ERROR: 500", submitted=False), Outcome.UNTOUCHED, ErrorFamily.CMS, 500),
        (_answer("+CMS ERROR: 332"), Outcome.UNCERTAIN, ErrorFamily.CMS, 332),
        (_answer("+CMS ERROR: 777"), Outcome.UNCERTAIN, ErrorFamily.CMS, 777),
        (_answer("+CMS ERROR: 197"), Outcome.TAKEN, ErrorFamily.CMS, 197),
        (_answer("+CMS ERROR: 197", submitted=False), Outcome.UNTOUCHED, ErrorFamily.CMS, 197),
        (_answer("+CMS ERROR"), Outcome.UNCERTAIN, ErrorFamily.CMS, None),
        (_answer("+CME ERROR: 30"), Outcome.UNCERTAIN, ErrorFamily.CME, 30),
    ],
)
def test_what_an_answer_means_for_its_part(answer, outcome, family, code):
    result = driver.result_of(5, answer)
    assert (result.part_id, result.outcome) == (5, outcome)
    assert (result.family, result.code) == (family, code)


# -- PIN -------------------------------------------------------------------------------------------


@pytest.fixture
def unlocking(tmp_path):
    """Return a function that runs the unlocker against answers; gives gateway and modem."""
    pin_file = tmp_path / "pin"
    pin_file.write_text("1234")

    def unlock(answers, *, text="1234", iccid=ICCID, imei="356938035643809", file=str(pin_file)):
        pin_file.write_text(text)
        gateway = MemoryGateway()
        now = clock.SystemClock()
        facts = initialise.Facts(iccid=iccid, imei=imei)
        with PlayedModem(answers) as modem:
            line = port.Port(modem.path)
            line.open()
            talk = dialogue.Dialogue(line)
            unlocker = pin.Unlocker(talk, gateway, name="front", pin_file=file, now=now)
            error = None
            try:
                unlocker.unlock(initialise.Initialiser(talk, now), facts)
            except SimError as caught:
                error = caught
            line.close()
            return error, gateway, [one for one in modem.heard if one.startswith("AT+CPIN=")]

    return unlock


@pytest.mark.parametrize(
    "state",
    ["SIM PUK", "SIM PIN2", "PH-NET PIN", "PH-SIM PIN", "SIM PUK2", "", "PH-FSIM PIN", "SIM PINX"],
)
def test_no_pin_is_sent_in_any_other_state(unlocking, state):
    error, gateway, sent = unlocking({"AT+CPIN?": f"+CPIN: {state}\r\n\r\nOK"})
    assert error is not None
    assert sent == []
    assert gateway.pins == set()


@pytest.mark.parametrize("answer", ["+CME ERROR: 10", "+CME ERROR: 13", "ERROR", "OK"])
def test_no_pin_is_sent_when_the_state_is_not_told(unlocking, answer):
    error, _, sent = unlocking({"AT+CPIN?": answer})
    assert error is not None
    assert sent == []


@pytest.mark.parametrize("form", ["+CPIN: READY", "+CPIN:READY", '+CPIN: "READY"'])
def test_a_ready_sim_needs_nothing(unlocking, form):
    error, gateway, sent = unlocking({"AT+CPIN?": f"{form}\r\n\r\nOK"})
    assert error is None
    assert sent == []
    assert gateway.pin_words == []


def test_the_last_try_is_left_to_a_person(unlocking):
    answers = {
        "AT+CPIN?": "+CPIN: SIM PIN\r\n\r\nOK",
        "AT+CPINR": "+CPINR: SIM PIN,1,3\r\n\r\nOK",
    }
    error, _, sent = unlocking(answers)
    assert "1 tries left" in str(error)
    assert sent == []


@pytest.mark.parametrize("text", ["", "12", "123456789", "12a4", "١٢٣٤"])
def test_what_is_no_pin_is_not_sent(unlocking, text):
    error, _, sent = unlocking({"AT+CPIN?": "+CPIN: SIM PIN\r\n\r\nOK"}, text=text)
    assert error is not None
    assert sent == []


def test_without_a_file_or_a_name_for_the_sim_nothing_is_tried(unlocking, tmp_path):
    answers = {"AT+CPIN?": "+CPIN: SIM PIN\r\n\r\nOK"}
    assert "none is configured" in str(unlocking(answers, file=None)[0])
    assert "cannot be read" in str(unlocking(answers, file=str(tmp_path / "none"))[0])
    assert "neither ICCID nor IMEI" in str(unlocking(answers, iccid=None, imei=None)[0])


def test_a_refused_pin_is_told_and_the_error_does_not_show_it(unlocking):
    error, gateway, sent = unlocking({"AT+CPIN?": "+CPIN: SIM PIN\r\n\r\nOK"}, iccid=None)
    assert "1234" not in str(error)
    assert len(sent) == 1
    assert gateway.pin_words == [("refused", "356938035643809")]


# -- initialisation --------------------------------------------------------------------------------


def test_a_modem_that_refuses_nearly_everything_comes_up():
    answers = {
        "AT+CPIN?": "+CPIN:READY\r\n\r\nOK",
        "AT+CMGF=0": "OK",
        "AT+CSCA?": '+CSCA: "",129\r\n\r\nOK',
    }
    gateway = MemoryGateway()
    gateway.service_centre = "+48500100900"
    with PlayedModem(answers) as modem:
        line = port.Port(modem.path)
        line.open()
        talk = dialogue.Dialogue(line)
        drive = driver.Driver(talk, gateway, settings.Settings("front"), clock.SystemClock())
        drive.initialise()
        assert drive.registered
        assert drive.memories.names == ("",)
        assert drive.facts.profile.name == "generic"
        assert 'AT+CSCA="+48500100900",145' in modem.heard
        drive.look()
        drive.hang_up()
        part = make_part(1, more_follow=True, service_centre="+48500100901")
        assert drive.submit(part).outcome is Outcome.TAKEN
        assert modem.submitted[0].startswith("07918405100009F1")
        assert drive.last_reference() is None
        line.close()


@pytest.mark.parametrize(
    ("offered", "swept"),
    [
        ('("SM","ME","MT"),("SM","ME"),("SM","ME")', ("SM", "ME")),
        ('("MT","SR"),("MT"),("MT")', ("MT", "SR")),
        ('("BM","SR","SM"),("SM"),("SM")', ("SM", "SR")),
        ('("BM"),("BM"),("BM")', ()),
    ],
)
def test_each_memory_is_swept_once_under_whatever_name_it_is_offered(offered, swept):
    facts = initialise.Facts()
    (step,) = [one for one in initialise.MESSAGES if one.commands == ("AT+CPMS=?",)]
    step.take(facts, (f"+CPMS: {offered}",))
    assert facts.memories == swept


def test_a_busy_sim_is_waited_for():
    busy = ["+CME ERROR: 14", "+CME ERROR: 14", "+CPIN: READY\r\n\r\nOK"]
    with PlayedModem({"AT+CPIN?": lambda _: busy.pop(0)}) as modem:
        line = port.Port(modem.path)
        line.open()
        run = initialise.Initialiser(dialogue.Dialogue(line), clock.SystemClock())
        assert run.ask(initialise.Step(("AT+CPIN?",), prefixes=("+CPIN:",))).ok
        line.close()
