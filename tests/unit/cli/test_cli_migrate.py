# SPDX-License-Identifier: Apache-2.0
"""`gsmgw migrate`: what becomes of every setting of smsd.conf and gammu-smsdrc."""

from __future__ import annotations

import contextlib
import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from gsmgw import config, errors, logs
from gsmgw.cli import main
from gsmgw.cli.doctor import machine
from gsmgw.cli.migrate import account, foreign, gammu, smstools, smstools_keys
from gsmgw.cli.setup import commented, guessing

DATA = Path(__file__).parents[2] / "data" / "migrate"
SMSD = DATA / "smsd.conf"
GAMMU = DATA / "gammu-smsdrc"

Move = Callable[..., Result]


@pytest.fixture
def move(monkeypatch: pytest.MonkeyPatch) -> Iterator[Move]:
    monkeypatch.setattr(machine, "has_user", lambda name: False)
    monkeypatch.setattr(guessing, "timezone", lambda: "Europe/Berlin")

    def run(*words: object) -> Result:
        return CliRunner().invoke(main.cli, ["migrate", *map(str, words)])

    yield run
    logs.configure()


def read(text: str, folder: Path) -> account.Account:
    (folder / "smsd.conf").write_text(text)
    wanted = commented.document(commented.default())
    return smstools.translate(smstools.read(folder / "smsd.conf"), wanted, Path("/etc/gsmgw"))


def fates(found: account.Account) -> dict[str, tuple[str, str]]:
    return {entry.setting.name: (entry.fate, entry.words) for entry in found.entries}


def checked(found: account.Account) -> config.Config:
    text = commented.write([commented.default()], found.wanted, found.notes)
    return config.check_document(config.read_yaml(text)).config


# -- the whole ------------------------------------------------------------------------------------


def test_a_configuration_of_smsd_becomes_ours(move: Move) -> None:
    result = move("smstools", SMSD)
    assert result.exit_code == 0, result.output
    made = config.check_document(config.read_yaml(result.stdout)).config
    assert (made.country, made.timezone) == ("DE", "Europe/Berlin")
    assert (made.spool.path, made.spool.alphabet) == (Path("/var/spool/sms"), "utf-8")
    assert made.hooks.event == ("/usr/local/bin/smsevent", "a b")
    assert made.sending.validity == 86400
    front, back = made.modems
    assert (front.name, front.port, front.baudrate) == ("GSM1", "/dev/ttyS0", 19200)
    assert (front.rtscts, front.reports) == (True, False)
    assert front.pin_file == Path("/etc/gsmgw/GSM1.pin")
    assert (front.service_centre, front.limits.per_hour) == ("+48500100299", 20)
    assert front.routes == ("+49160", "+49170")
    assert (back.name, back.rtscts, back.baudrate) == ("ELISA11", False, 19200)
    assert back.routes == tuple(f"+{digit}" for digit in range(1, 10))
    assert "  # smsd.conf, line 4: outgoing = /var/spool/sms/outgoing\n  path: " in result.stdout
    assert "7391" not in result.output
    assert "guessed from this machine; is it right?" in result.stdout


def test_every_setting_is_told(move: Move) -> None:
    told = move("smstools", SMSD).stderr
    lines = SMSD.read_text().splitlines()
    for number, line in enumerate(lines, start=1):
        if line.strip() and line[0] not in "#[":
            assert f"line {number}: " in told, line
    sections = [line for line in told.splitlines() if line in (*account.HEADINGS.values(), "")]
    assert sections == []
    headings = [line.rstrip(":") for line in told.splitlines() if not line.startswith(" ")]
    assert headings == [*account.HEADINGS.values(), "To do, and to know"]
    assert "line 16: frobnicate = 3\n      smsd 3.1.21 has no such setting there" in told
    assert "line 17: bogus line\n      sets nothing" in told
    assert "[NET1] device = @192.0.2.1:4000\n      modems are local devices" in told
    assert "[GSM9] device = /dev/ttyS9\n      no modem GSM9 is named in devices" in told
    assert "[GSM1] pin = ****" in told
    assert "files in the queue /var/spool/sms/D1: mv /var/spool/sms/D1/*" in told
    assert "[Service] and ReadWritePaths=/var/spool/sms" in told


def test_the_output_passes_check_with_its_pins(move: Move, tmp_path: Path) -> None:
    output = tmp_path / "gsmgw.yaml"
    result = move("smstools", SMSD, "-o", output, "--country", "PL")
    assert result.exit_code == 0, result.output
    assert "Carried over:" in result.stdout
    pin = tmp_path / "GSM1.pin"
    assert pin.read_text() == "7391\n"
    assert stat.S_IMODE(pin.stat().st_mode) == 0o600
    assert config.check(output).config.modems[0].pin_file == pin
    words = ["--config", str(output), "check", "--json"]
    assert json.loads(CliRunner().invoke(main.cli, words).stdout)["problems"] == []
    again = move("smstools", SMSD, "-o", output)
    assert (again.exit_code, "is there; look at it" in again.stderr) == (73, True)
    before = output.read_text()
    assert move("smstools", SMSD, "-o", output, "--force").exit_code == 0
    assert config.check(output).config.country == "DE"
    (copy,) = tmp_path.glob("gsmgw.yaml.before-*")
    assert copy.read_text() == before


def test_programs_read_json(move: Move, tmp_path: Path) -> None:
    found = json.loads(move("smstools", SMSD, "--json", "-o", tmp_path / "g.yaml").stdout)
    by_name = {(one["section"], one["name"]): one for one in found["settings"]}
    assert by_name["", "eventhandler"]["fate"] == "carried"
    assert found["faults"] == [{"line": 17, "text": "bogus line"}]
    assert found["configuration"] == (tmp_path / "g.yaml").read_text()
    assert "7391" not in json.dumps(found)


def test_what_cannot_be_read_is_said(move: Move, tmp_path: Path) -> None:
    assert move("smstools", tmp_path / "none").exit_code == 74
    (tmp_path / "binary").write_bytes(b"\0\1\2")
    result = move("smstools", tmp_path / "binary")
    assert (result.exit_code, "is no configuration" in result.stderr) == (65, True)
    assert move("smstools", SMSD, "--timezone", "Nowhere").exit_code == 64


# -- smstools, one by one -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "path", "fate"),
    [
        ("outgoing = /var/spool/sms/outgoing", "/var/spool/sms", "carried"),
        ("outgoing = /srv/out", "/var/spool/gsmgw", "otherwise"),
        ("outgoing = /outgoing", "/var/spool/gsmgw", "otherwise"),
        ("sent = /var/spool/sms/sent", "/var/spool/sms", "carried"),
        ("failed = /srv/bad", "/var/spool/sms", "otherwise"),
    ],
)
def test_folders_stay_where_programs_look(tmp_path: Path, line: str, path: str, fate: str) -> None:
    found = read(f"{line}\n", tmp_path)
    assert checked(found).spool.path == Path(path)
    assert fates(found)[line.split()[0]][0] == fate
    old = line.split()[-1]
    assert any(f"ln -s {path}/" in words and old in words for words in found.advice) == (
        fate == "otherwise"
    )


@pytest.mark.parametrize(
    ("lines", "alphabet"),
    [
        ("", "smsd"),
        ("incoming_utf8 = yes", "utf-8"),
        ("incoming_utf8 = no", "smsd"),
        ("incoming_utf8 = 1\ndecode_unicode_text = yes", "utf-8"),
        ("decode_unicode_text = yes", "smsd"),
    ],
)
def test_programs_get_the_alphabet_that_they_know(
    tmp_path: Path, lines: str, alphabet: str
) -> None:
    assert checked(read(f"{lines}\n", tmp_path)).spool.alphabet == alphabet


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 300),
        ("143", 43200),
        ("144", 45000),
        ("167", 86400),
        ("168", 172800),
        ("196", 30 * 86400),
        ("197", 5 * 604800),
        ("255", 63 * 604800),
        ("day", 86400),
        ("2 hours", 7200),
        ("1 min", 300),
        ("9 year", 63 * 604800),
    ],
)
def test_validity_is_read_as_the_network_reads_it(tmp_path: Path, value: str, seconds: int) -> None:
    assert checked(read(f"validity = {value}\n", tmp_path)).sending.validity == seconds


@pytest.mark.parametrize(
    ("handler", "event"),
    [
        ("/usr/local/bin/smsevent", ("/usr/local/bin/smsevent",)),
        ("/usr/bin/php -f /srv/h.php", ("/usr/bin/php", "-f", "/srv/h.php")),
        ("/bin/sh -c 'echo $1'", ()),
        ("/srv/a | /srv/b", ()),
        ("smsevent", ()),
        ("/srv/it's", ()),
    ],
)
def test_the_handler_is_carried_unless_it_needs_a_shell(
    tmp_path: Path, handler: str, event: tuple[str, ...]
) -> None:
    found = read(f"eventhandler = {handler}\n", tmp_path)
    assert checked(found).hooks.event == event
    fate, words = fates(found)["eventhandler"]
    assert (fate == "carried") == bool(event)
    assert event or "put this line into a script" in words


def test_handlers_of_modems_become_one(tmp_path: Path) -> None:
    modem = "[{0}]\ndevice = /dev/ttyS{1}\neventhandler = {2}\n"
    text = "devices = A, B, C\n" + "".join(
        modem.format(name, number, handler)
        for number, (name, handler) in enumerate([("A", "/h"), ("B", "/h"), ("C", "/other")])
    )
    found = read(text, tmp_path)
    assert checked(found).hooks.event == ("/h",)
    told = [(entry.setting.section, entry.fate) for entry in found.by_fate("otherwise")]
    assert ("C", "otherwise") in told
    assert ("B", "otherwise") not in told


@pytest.mark.parametrize(
    ("limit", "minutes", "limits"),
    [
        (20, 1, {"per_minute": 20}),
        (20, 60, {"per_hour": 20}),
        (20, 30, {"per_hour": 40}),
        (500, 1440, {"per_day": 500}),
        (10, 120, {"per_day": 120}),
        (1000, 43200, {"per_month": 1000}),
        (2000, 86400, {"per_month": 1000}),
    ],
)
def test_limits(tmp_path: Path, limit: int, minutes: int, limits: dict[str, int]) -> None:
    text = "devices = A\n[A]\ndevice = /dev/ttyS0\n"
    text += f"message_limit = {limit}\nmessage_count_clear = {minutes}\n"
    (modem,) = checked(read(text, tmp_path)).modems
    assert modem.limits.model_dump(exclude_none=True) == limits


@pytest.mark.parametrize(
    "lines", ["message_limit = 20", "message_count_clear = 60", "message_limit = x"]
)
def test_limits_that_say_nothing_are_told(tmp_path: Path, lines: str) -> None:
    found = read(f"devices = A\n[A]\ndevice = /dev/ttyS0\n{lines}\n", tmp_path)
    assert checked(found).modems[0].limits.model_dump(exclude_none=True) == {}
    assert fates(found)[lines.split()[0]][0] in ("nothing", "otherwise")


@pytest.mark.parametrize(
    ("line", "fate"),
    [
        ("rtscts = no", "carried"),
        ("baudrate = fast", "otherwise"),
        ("pin = ignore", "otherwise"),
        ("smsc = none", "otherwise"),
        ("report = yes", "otherwise"),
        ("report = disabled", "carried"),
        ("incoming = no", "nothing"),
        ("incoming = high", "otherwise"),
        ("outgoing = yes", "otherwise"),
        ("outgoing = no", "nothing"),
        ("mode = new", "otherwise"),
        ("mode = old", "nothing"),
        ("sending_disabled = yes", "nothing"),
        ("queues = X", "otherwise"),
        ("read_timeout_put_command = 3", "otherwise"),
        ("voicecall_cpas = yes", "nothing"),
        ("socket_connection_retries = 3", "nothing"),
    ],
)
def test_settings_of_modems(tmp_path: Path, line: str, fate: str) -> None:
    found = read(f"devices = A\n[A]\ndevice = /dev/ttyS0\n{line}\n", tmp_path)
    checked(found)
    assert fates(found)[line.split()[0]][0] == fate


def test_choices_series_groups_and_defaults(tmp_path: Path) -> None:
    text = (
        "devices = ? M* 1-3, x.y | Z\n[default]\nbaudrate = 9600\n[M*]\nbaudrate = 19200\n"
        "device = /dev/ttyS1\n[M2]\nbaudrate = 38400\ndevice = /dev/ttyS2\n"
        "[x.y]\ndevice = /dev/ttyUSB7\n"
    )
    found = read(text.replace("M* 1-3", "M* 1-2"), tmp_path)
    made = checked(found).modems
    assert [(one.name, one.baudrate, one.port) for one in made] == [
        ("M1", 19200, "/dev/ttyS1"),
        ("M2", 38400, "/dev/ttyS2"),
        ("x_y", 9600, "/dev/ttyUSB7"),
    ]
    assert "modem x.y is named x_y here" in found.advice
    assert any("/dev/ttyUSB7 may be another modem" in words for words in found.advice)


def test_routes_are_left_out_where_all_modems_serve_the_same(tmp_path: Path) -> None:
    text = (
        "devices = A, B\n[queues]\nQ = /var/spool/sms/Q\n"
        "[A]\ndevice = /dev/ttyS0\nqueues = Q\n[B]\ndevice = /dev/ttyS1\nqueues = Q\n"
    )
    assert {modem.routes for modem in checked(read(text, tmp_path)).modems} == {()}


def test_a_modem_of_its_own_queue(tmp_path: Path) -> None:
    text = (
        "devices = A, B\n[queues]\nA = /q/A\nB = /q/B\n[providers]\nA = +48 , s4321, 0\n"
        "[A]\ndevice = /dev/ttyS0\nqueues = modemname\n[B]\ndevice = /dev/ttyS1\n"
    )
    found = read(text, tmp_path)
    assert [modem.routes for modem in checked(found).modems] == [("+48", "4321"), ()]


def test_files_that_wait_are_counted(tmp_path: Path) -> None:
    spool = tmp_path / "deep" / "sms"
    for name in ("outgoing", "checked", "OTHER"):
        (spool / name).mkdir(parents=True)
        (spool / name / "one").touch()
    text = f"outgoing = {spool}/outgoing\nchecked = {spool}/checked\n[queues]\nO = {spool}/OTHER\n"
    advice = read(text, tmp_path).advice
    assert f"files in {spool}/outgoing (now 1) need not be moved: gsmgw sends them" in advice
    assert f"files in the queue {spool}/OTHER (now 1): mv {spool}/OTHER/* {spool}/outgoing/" in (
        advice
    )


def test_every_setting_of_smsd_has_words() -> None:
    known = (DATA / "smsd-settings.txt").read_text().split()
    carried = set(fates_of_everything())
    for name in known:
        part, _, setting = name.partition(":")
        told = smstools_keys.words_for(setting, is_modem=part == "modem")
        assert told is not None or name in carried, name
    for words in [*smstools_keys.GLOBAL.values(), *smstools_keys.MODEM.values()]:
        assert words[0] in ("otherwise", "nothing")


def fates_of_everything() -> Iterator[str]:
    """Yield the settings that the translation itself deals with."""
    general = [
        *smstools.FOLDERS,
        "spool",
        "devices",
        "incoming_utf8",
        "decode_unicode_text",
        "alphabet",
    ]
    yield from (f"global:{name}" for name in (*general, "validity", "eventhandler"))
    modem = "device baudrate rtscts pin smsc report incoming outgoing mode sending_disabled"
    modem += " message_limit message_count_clear queues eventhandler decode_unicode_text"
    yield from (f"modem:{name}" for name in modem.split())


NAMES = ["device", "pin", "smsc", "queues", "rtscts", "baudrate", "outgoing", "eventhandler"]
NAMES += ["validity", "message_limit", "message_count_clear", "D1"]


@settings(max_examples=80)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(["[GSM1]", "[queues]", "[providers]", "[default]", "devices = GSM1"]),
            st.builds(
                "{} = {}".format,
                st.sampled_from(NAMES),
                st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12),
            ),
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
        ),
        max_size=12,
    )
)
def test_whatever_stands_there_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("migrate")
    found = read("\n".join(lines), folder)
    assert {entry.setting for entry in found.entries} == set(found.foreign.settings)
    # Two modems may share a port there, or a path be none: the person is told with the line.
    with contextlib.suppress(errors.ConfigError):
        checked(found)


def test_old_files_are_latin(tmp_path: Path) -> None:
    (tmp_path / "smsd.conf").write_bytes("user = Jürgen\r\n".encode("iso8859-15"))
    (setting,) = foreign.read(tmp_path / "smsd.conf").settings
    assert setting.value == "Jürgen"


# -- gammu ----------------------------------------------------------------------------------------


def test_a_configuration_of_gammu_becomes_ours(move: Move, tmp_path: Path) -> None:
    result = move("gammu", GAMMU, "-o", tmp_path / "gsmgw.yaml")
    assert result.exit_code == 0, result.output
    (modem,) = config.check(tmp_path / "gsmgw.yaml").config.modems
    assert (modem.name, modem.port, modem.baudrate) == ("clinic_1", "/dev/ttyUSB2", 19200)
    assert modem.pin_file == tmp_path / "clinic_1.pin"
    assert modem.pin_file.read_text() == "4321\n"
    assert modem.service_centre == "+48500100299"
    told = result.stdout
    assert "[smsd] runonreceive = /usr/local/bin/receive\n      hooks.event is called" in told
    assert "[smsd] password = ****" in told
    assert "[exclude_numbers] number1 = 48500100203\n      everything that arrives" in told
    assert "[smsd] frobnicate = 1\n      gammu-smsd 1.44 has no such setting" in told
    assert "4321\n" not in told


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("[gammu]\nport = /dev/ttyS0\nconnection = at\n", "modem1"),
        ("[gammu]\ndevice = /dev/ttyS0\n[smsd]\nphoneid = a\nsmsc = 12\n", "a"),
        ("[gammu]\nport = com1:\nconnection = fbus\n", None),
        ("[gammu]\nport = /dev/ttyS0\nconnection = dlr3\n", "modem1"),
        ("", None),
    ],
)
def test_other_phones_of_gammu(tmp_path: Path, text: str, name: str | None) -> None:
    (tmp_path / "rc").write_text(text)
    wanted = commented.document(commented.default())
    found = gammu.translate(gammu.read(tmp_path / "rc"), wanted, tmp_path)
    assert [modem.name for modem in checked(found).modems] == ([name] if name else [])
    assert {entry.setting for entry in found.entries} == set(found.foreign.settings)


# -- alarms ---------------------------------------------------------------------------------------


def test_who_got_smsds_alerts_gets_alarms_over_the_same_modem(tmp_path: Path) -> None:
    found = read(
        "devices = GSM 1, B\nadmin_to = 48500100201\nadminmessage_device = GSM 1\n"
        "[GSM 1]\ndevice = /dev/ttyS0\nadmin_to = 48 500 100 202\nnumber = 48500100291\n"
        "[B]\ndevice = /dev/ttyS1\nadmin_to = +48500100201\nnumber = 0123\n",
        tmp_path,
    )
    made = checked(found)
    assert made.alarms.sms.to == ("+48500100201", "+48500100202")
    assert made.alarms.sms.modem == "GSM_1"
    assert [modem.number for modem in made.modems] == ["+48500100291", None]
    assert fates(found)["adminmessage_device"] == ("carried", "alarms.sms.modem")
    told = [entry.words for entry in found.entries if entry.setting.name == "number"]
    assert told == [
        "modems.number",
        "modems.number, for selftest; this is no number with its country",
    ]


@pytest.mark.parametrize("number", ["500100201", "nobody", ""])
def test_alert_number_that_is_none_is_told_and_not_carried(tmp_path: Path, number: str) -> None:
    found = read(f"admin_to = {number}\nadminmessage_device = A\nalarmhandler = /h\n", tmp_path)
    assert not checked(found).alarms.is_on
    assert fates(found)["admin_to"][1].startswith("alarms.sms: ")
    assert fates(found)["adminmessage_device"][0] == "otherwise"
    assert fates(found)["alarmhandler"][1].startswith("alarms.hook is a program like it")
