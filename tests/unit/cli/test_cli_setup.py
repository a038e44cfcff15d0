# SPDX-License-Identifier: Apache-2.0
"""`gsmgw setup` on pretend modems: what it finds, asks, writes, starts and tests."""

from __future__ import annotations

import json
import os
import shlex
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli_support import ROOT, finish, start
from click.testing import CliRunner, Result
from site_support import Site

from gsmgw import config, locks, logs
from gsmgw.cli import main, probing
from gsmgw.cli.doctor import machine
from gsmgw.cli.doctor import sticks as usb_sticks
from gsmgw.cli.setup import finding, guessing
from gsmgw.gateway.health.trouble import Trouble
from gsmgw.modem import discovery
from gsmgw.simulator import Simulator

Setup = Callable[..., Result]

SHORT = "country: PL\ntimezone: Europe/Warsaw\ndatabase: {path: gsmgw.db}\nspool: {path: spool}\n"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    layout = {
        "modems": [
            {"name": "front", "vendor": "huawei", "submit": "20ms", "latency": "1ms"},
            {"name": "back", "vendor": "zte", "pin": "1234", "submit": "20ms", "latency": "1ms"},
        ],
        "network": {"delivery": "10ms", "report": "10ms"},
    }
    with Simulator(layout) as running:
        yield running


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Setup]:
    """Run the command in a place of its own, where there is no service and no user gsmgw."""
    monkeypatch.setattr(machine, "has_user", lambda name: False)
    monkeypatch.setattr(machine, "unit", lambda file=None: None)
    monkeypatch.setattr(probing, "candidate_ports", list)
    monkeypatch.setattr(probing, "SILENT_S", 20.0)  # a busy machine is no silent modem
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def run(*words: object, answers: str | None = None) -> Result:
        given = ["--config", str(tmp_path / "gsmgw.yaml"), "setup", *map(str, words)]
        return CliRunner().invoke(main.cli, given, input=answers)

    yield run
    logs.configure()


def loaded(folder: Path) -> config.Config:
    return config.check(folder / "gsmgw.yaml").config


# -- from nothing to a message --------------------------------------------------------------------


@pytest.mark.slow
def test_from_nothing_to_a_delivered_message(
    setup: Setup, tmp_path: Path, simulator: Simulator
) -> None:
    (tmp_path / "gsmgw.yaml").write_text(SHORT)
    (tmp_path / "pin").write_text("1234\n")
    found = simulator.ports
    words = ["--yes", "--port", found["front"], "--port", found["back"], "--pin-file"]
    result = setup(
        *words, tmp_path / "pin", "--name", "desk", "--to", "500 100 201", "--wait", "100"
    )
    assert result.exit_code == 0, result.output
    made = loaded(tmp_path)
    assert [(modem.name, modem.port) for modem in made.modems] == [
        ("desk", found["front"]),
        ("modem1", found["back"]),
    ]
    assert [modem.pin_file for modem in made.modems] == [None, tmp_path / "pin"]
    assert "Found huawei E173, IMEI 356938035600001" in result.output
    assert "SIM: wants its PIN, 3 tries left" in result.output
    assert result.output.count("delivered: the phone has it") == 2
    texts = [message.text for message in simulator.books.inbox("+48500100201")]
    assert [text[:26] for text in texts] == [
        "Test of gsmgw, modem desk,",
        "Test of gsmgw, modem modem",
    ]
    assert locks.holder(locks.database_lock(tmp_path / "gsmgw.db")) is None  # it is gone again


def test_without_a_configuration_the_commented_default_is_written(
    setup: Setup, tmp_path: Path, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guessing, "timezone", lambda: "Europe/Berlin")
    shown = setup("--dry-run", "--yes", "--port", simulator.ports["front"])
    assert (
        "timezone: Europe/Berlin (as this machine has it; another one: --timezone)" in shown.output
    )
    assert "country: DE (as this machine has it" in shown.output
    assert f"$ install -m 0640 NEW {shlex.quote(str(tmp_path / 'gsmgw.yaml'))}" in shown.output
    assert shown.output.endswith("Nothing was done.\n")
    assert list(tmp_path.iterdir()) == []
    if os.access("/var/lib", os.W_OK):
        return  # what is not dry would make the directories of this machine
    assert setup("--yes", "--port", simulator.ports["front"]).exit_code == 73


def test_questions_are_answered(setup: Setup, tmp_path: Path, simulator: Simulator) -> None:
    (tmp_path / "gsmgw.yaml").write_text(SHORT)
    ports_ = ("--port", simulator.ports["front"], "--port", simulator.ports["back"])
    answers = ["y", "fr ont", "front", "y", "back", "Europe/Nowhere", "Europe/London", "GB"]
    answers += ["12", "1234", "0", "", "y"]
    result = setup(*ports_, answers="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    assert "allowed is a name of 1 to 32 letters" in result.output
    assert "allowed is a time zone's name" in result.output
    assert "a PIN has 4 to 8 digits" in result.output
    assert "1234" not in result.output
    made = loaded(tmp_path)
    assert (made.country, made.timezone) == ("GB", "Europe/London")
    pin_file = made.modems[1].pin_file
    assert pin_file == tmp_path / "back.pin"
    assert pin_file.read_text() == "1234\n"
    assert stat.S_IMODE(pin_file.stat().st_mode) == 0o600
    assert simulator.state()["back"]["pin_tries"] == 3


def test_nothing_is_done_where_a_person_says_no(
    setup: Setup, tmp_path: Path, simulator: Simulator
) -> None:
    (tmp_path / "gsmgw.yaml").write_text(SHORT)
    answers = "y\nfront\n\n\n\nn\n"
    result = setup("--port", simulator.ports["front"], answers=answers)
    assert (result.exit_code, result.stderr) == (0, "gsmgw: nothing was changed\n")
    assert (tmp_path / "gsmgw.yaml").read_text() == SHORT


def test_where_nobody_answers(setup: Setup, simulator: Simulator) -> None:
    result = setup("--port", simulator.ports["front"], answers="")
    assert (result.exit_code, "--yes asks nothing" in result.stderr) == (64, True)


# -- a configuration that is there ----------------------------------------------------------------


def test_a_configuration_keeps_what_it_says(
    setup: Setup, tmp_path: Path, simulator: Simulator
) -> None:
    before = (
        f"{SHORT}# ours\nmodems:\n  - name: old  # in the cellar\n    port: /dev/pretend\n"
        f"    limits: {{per_day: 300}}\n"
    )
    path = tmp_path / "gsmgw.yaml"
    path.write_text(before)
    path.chmod(0o600)
    assert setup("--yes", "--port", simulator.ports["front"], "--country", "DE").exit_code == 0
    after = path.read_text()
    port = simulator.ports["front"]
    port = port if port.replace("/", "").replace("-", "").isidentifier() else f'"{port}"'
    assert after == before.replace("PL", "DE") + f"\n  - name: modem1\n    port: {port}\n"
    (copy,) = tmp_path.glob("gsmgw.yaml.before-*")
    assert copy.read_text() == before
    assert {stat.S_IMODE(one.stat().st_mode) for one in (path, copy)} == {0o600}


def test_the_second_run_changes_nothing(setup: Setup, tmp_path: Path, simulator: Simulator) -> None:
    (tmp_path / "gsmgw.yaml").write_text(SHORT)
    words = ("--yes", "--port", simulator.ports["front"])
    setup(*words)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    result = setup(*words)
    assert "(configured as modem1)" in result.output
    assert "says all that already; it stays as it is" in result.output
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == files
    (tmp_path / "spool").rmdir()
    assert "install -d -m 2770" in setup(*words).output
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o2770


def test_a_wrong_configuration_is_not_touched(setup: Setup, tmp_path: Path) -> None:
    (tmp_path / "gsmgw.yaml").write_text("cuontry: PL\n")
    result = setup("--yes")
    assert result.exit_code == 78
    assert "did you mean 'country'" in result.stderr
    assert "mv " in result.stderr
    assert (tmp_path / "gsmgw.yaml").read_text() == "cuontry: PL\n"


@pytest.mark.slow
def test_a_daemon_that_runs_goes_on(setup: Setup, tmp_path: Path) -> None:
    layout = {"modems": [{"name": "front"}, {"name": "back"}], "network": {"delivery": "0s"}}
    box = Site(tmp_path, layout)
    try:
        box.configure(names=["front"])
        box.start()
        first = box.insert("+48500100202", "before")
        words = ["--yes", "--port", box.sim.ports["front"], "--port", box.sim.ports["back"]]
        result = setup(*words, "--name", "back", "--to", "+48500100201", "--wait", "100")
        assert result.exit_code == 0, result.output
        assert box.process is not None
        assert f"The daemon runs (process {box.process.pid})" in result.output
        assert f"$ kill -HUP {box.process.pid}" in result.output
        assert "a daemon for the time of the test" not in result.output
        assert len(box.phone("+48500100201")) == 2
        box.until_state(first, "sent", "delivered")
        assert box.process.poll() is None
    finally:
        box.close()


# -- what is in the way ---------------------------------------------------------------------------


def test_no_modem_at_all(setup: Setup, tmp_path: Path) -> None:
    result = setup("--yes")
    assert result.exit_code == 69
    assert "No port that could be a modem's is there." in result.stdout
    assert "lsusb" in result.stdout
    assert "no modem was found; nothing was changed" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_stick_that_is_a_disk(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Trouble("error", "usb.mode", "", "a stick shows itself as a disk", "apt install it")
    monkeypatch.setattr(usb_sticks, "check", lambda: iter([disk]))
    assert "a stick shows itself as a disk: apt install it" in setup("--yes").stdout


def test_ports_that_are_no_modems(setup: Setup, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    words = ("--port", tmp_path / "none", "--port", tmp_path / "file", "--port", "/dev/null")
    result = setup("--yes", *words)
    assert result.exit_code == 69
    assert "none: there is no such device file" in result.stdout
    assert "file: is no serial port" in result.stdout
    assert "/dev/null: is no serial port" in result.stdout


def test_a_port_that_says_nothing(
    setup: Setup, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "SILENT_S", 0.3)
    simulator.fault("front", "hang")
    result = setup("--yes", "--port", simulator.ports["front"])
    assert result.exit_code == 69
    assert "no modem answers here" in result.stdout
    assert "another speed: --baudrate" in result.stdout


def test_a_port_that_another_program_holds(simulator: Simulator) -> None:
    path = simulator.ports["front"]
    shown = finding.explain(path, f"{path} is held by another program")
    assert shown.what.startswith("is held by another program")
    assert "fuser" in shown.do or "end that program" in shown.do


@pytest.mark.parametrize(
    ("name", "words"),
    [("smsd", "gsmgw migrate smstools"), ("gammu-smsd", "gsmgw migrate gammu"), ("gsmgw", "stop")],
)
def test_another_gateway_is_named(name: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "holders", lambda path: [machine.Process(612, name)])
    shown = finding.explain("/dev/ttyUSB0", "/dev/ttyUSB0 is held by another program")
    assert f"{name}[612]" in shown.what
    assert words in shown.do


def test_no_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    found = finding.survey(["/dev/null"], lambda path: pytest.fail("must not be opened"))
    assert found.useless[0].what.startswith("you may not use it (/dev/null: crw")
    assert "sudo gsmgw setup" in found.useless[0].do


def test_a_place_that_may_not_be_written(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    result = setup("--yes")
    assert result.exit_code == 73
    assert "sudo gsmgw setup" in result.stderr


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["--country", "XX"], 64, "--country XX: allowed is the two-letter code"),
        (["--to", "12x"], 64, "--to 12x:"),
        (["--name", "a b"], 64, "--name a b: allowed is a name"),
        (["--pin-file", "/nowhere"], 64, "--pin-file /nowhere: No such file"),
        (["--pin-file", "/dev/null"], 65, "a PIN has 4 to 8 digits"),
    ],
)
def test_wrong_options_change_nothing(
    setup: Setup, tmp_path: Path, simulator: Simulator, words: list[str], code: int, error: str
) -> None:
    (tmp_path / "gsmgw.yaml").write_text(SHORT)
    result = setup("--yes", "--port", simulator.ports["front"], *words)
    assert (result.exit_code, error in result.stderr) == (code, True), result.stderr
    assert (tmp_path / "gsmgw.yaml").read_text() == SHORT


def test_a_sim_with_one_try_left_is_for_a_phone(
    setup: Setup, tmp_path: Path, simulator: Simulator
) -> None:
    (tmp_path / "gsmgw.yaml").write_text(SHORT)
    simulator.fault("back", "pin", tries=1)
    answers = "y\nback\n\n\n\ny\n"
    result = setup("--port", simulator.ports["back"], answers=answers)
    assert "only 1 PIN tries are left. Put the SIM into a phone" in result.output
    assert loaded(tmp_path).modems[0].pin_file is None


@pytest.mark.slow
def test_a_test_that_fails_says_why(setup: Setup, tmp_path: Path, simulator: Simulator) -> None:
    (tmp_path / "gsmgw.yaml").write_text(SHORT)
    simulator.fault("front", "refuse", code=1)
    words = ("--yes", "--port", simulator.ports["front"], "--to", "+48500100201")
    result = setup(*words, "--wait", "100")
    assert result.exit_code == 69
    assert "failed (" in result.output
    path = shlex.quote(str(tmp_path / "gsmgw.yaml"))
    assert f"gsmgw --config {path} show 1" in result.output
    assert "gsmgw doctor says what is wrong" in result.stderr


# -- sticks ---------------------------------------------------------------------------------------


def told(port: str, **facts: object) -> probing.Finding:
    return probing.Finding(port, manufacturer="huawei", model="E173", sim="READY", **facts)


def sticks(monkeypatch: pytest.MonkeyPatch, **buses: tuple[str, int]) -> None:
    """Let ports be of USB devices: name of the port: bus path and interface."""

    def device(path: str, *_: object) -> discovery.UsbDevice | None:
        found = buses.get(Path(path).name)
        if found is None:
            return None
        return discovery.UsbDevice("12d1", "1506", "", found[0], Path("/dev/bus/usb/1"), found[1])

    monkeypatch.setattr(discovery, "usb_device", device)
    monkeypatch.setattr(finding, "_fault_of_file", lambda path: None)


def test_of_a_stick_with_several_ports_one_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    sticks(monkeypatch, ttyUSB0=("1-1", 0), ttyUSB1=("1-1", 1), ttyUSB2=("1-1", 2))

    def ask(path: str) -> probing.Finding:
        if path.endswith("1"):
            return probing.Finding(path, error="does not answer")
        return told(path, imei="350000000000017", profile="huawei")

    found = finding.survey([f"/dev/ttyUSB{number}" for number in range(3)], ask)
    (modem,) = found.modems
    assert (modem.port, modem.others) == ("/dev/ttyUSB2", ("/dev/ttyUSB0",))
    assert found.useless == []
    assert "the same stick also answers at /dev/ttyUSB0; one port is enough" in list(
        finding.describe(modem)
    )


@pytest.mark.parametrize(
    ("port", "second", "entry"),
    [
        ("/dev/serial/by-id/usb-x", None, {"port": "/dev/serial/by-id/usb-x"}),
        ("/dev/ttyUSB0", None, {"match": {"usb": "12d1:1506"}}),
        ("/dev/ttyUSB0", "ttyUSB4", {"match": {"imei": "350000000000017", "usb": "12d1:1506"}}),
    ],
)
def test_a_stick_is_named_so_that_it_is_found_again(
    setup: Setup,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    port: str,
    second: str | None,
    entry: dict[str, object],
) -> None:
    (tmp_path / "gsmgw.yaml").write_text(SHORT)
    sticks(monkeypatch, **{Path(port).name: ("1-1", 0), "ttyUSB4": ("1-2", 0)})
    imeis = {port: "350000000000017", "/dev/ttyUSB4": "350000000000025"}
    monkeypatch.setattr(
        probing, "ask_port", lambda path, clock, baudrate: told(path, imei=imeis[path])
    )
    more = ["--port", f"/dev/{second}"] if second else []
    result = setup("--yes", "--port", port, *more)
    assert result.exit_code == 0, result.output
    written = loaded(tmp_path).modems[0].model_dump(exclude_unset=True, exclude={"name"})
    assert json.loads(json.dumps(written)) == entry


def test_a_missing_service_centre_and_a_blocked_sim_are_said() -> None:
    modem = finding.Found(told("/dev/ttyUSB0", registration=1, signal_dbm=-110), None)
    assert "the SIM has no service centre number" in "\n".join(finding.describe(modem))
    assert "signal -110 dBm (weak: move the antenna)" in "\n".join(finding.describe(modem))
    blocked = finding.Found(probing.Finding("/dev/ttyUSB0", sim="SIM PUK"), None)
    assert "wants its PUK: put it into a phone" in "\n".join(finding.describe(blocked))


# -- the machine ----------------------------------------------------------------------------------


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with systemd and our unit; systemctl writes down what it is asked."""
    unit = machine.Unit(Path("/gsmgw.service"), config=tmp_path / "gsmgw.yaml")
    monkeypatch.setattr(machine, "unit", lambda file=None: unit)
    root = tmp_path / "root"
    (root / "run/systemd/system").mkdir(parents=True)
    (root / "systemctl").write_text(
        '#!/bin/sh\ncd "${0%/*}" && echo "$@" >> asked\nexit $(cat code)\n'
    )
    (root / "systemctl").chmod(0o755)
    (root / "code").write_text("0")
    monkeypatch.setattr(machine, "ROOT", root)
    monkeypatch.setenv("PATH", f"{root}:{os.environ['PATH']}")
    (tmp_path / "gsmgw.yaml").write_text(SHORT)
    return root


def test_the_service_is_started(setup: Setup, systemd: Path, simulator: Simulator) -> None:
    result = setup("--yes", "--port", simulator.ports["front"])
    assert result.exit_code == 0, result.output
    assert (systemd / "asked").read_text() == "enable --now gsmgw\n"


def test_a_service_that_does_not_start(setup: Setup, systemd: Path, simulator: Simulator) -> None:
    (systemd / "code").write_text("1")
    result = setup("--yes", "--port", simulator.ports["front"])
    assert result.exit_code == 69
    assert "the service did not start; why: gsmgw doctor" in result.stderr


def test_a_unit_that_keeps_the_spool_away_is_not_started(
    setup: Setup, systemd: Path, simulator: Simulator
) -> None:
    unit = machine.unit()
    assert unit is not None
    unit.sandbox.system = "strict"
    result = setup("--yes", "--port", simulator.ports["front"])
    assert result.exit_code == 78
    assert "ReadWritePaths" in result.stderr
    assert not (systemd / "asked").exists()


def test_no_service_is_started_unasked(setup: Setup, systemd: Path, simulator: Simulator) -> None:
    result = setup("--yes", "--no-service", "--port", simulator.ports["front"])
    assert "$ systemctl enable --now gsmgw" in result.output
    assert not (systemd / "asked").exists()


def test_a_service_with_another_configuration_is_left_alone(
    setup: Setup, systemd: Path, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "unit", lambda file=None: machine.Unit(Path("/gsmgw.service")))
    result = setup("--yes", "--port", simulator.ports["front"])
    assert "it reads /etc/gsmgw/gsmgw.yaml, not" in result.output
    assert not (systemd / "asked").exists()


@pytest.mark.parametrize(
    ("files", "zone", "country"),
    [
        ({"etc/timezone": "Europe/Warsaw\n"}, "Europe/Warsaw", "PL"),
        ({"etc/timezone": "Etc/UTC\n", "etc/default/locale": "LANG=de_AT.UTF-8\n"}, None, "AT"),
        ({}, None, None),
    ],
)
def test_country_and_zone_are_guessed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: dict[str, str],
    zone: str | None,
    country: str | None,
) -> None:
    files["usr/share/zoneinfo/zone.tab"] = "# zones\nPL\t+5215+02100\tEurope/Warsaw\n"
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    for name in ("LC_ALL", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert (guessing.timezone(), guessing.country(guessing.timezone())) == (zone, country)


def test_the_real_command_shows_what_it_would_do(tmp_path: Path, simulator: Simulator) -> None:
    (tmp_path / "gsmgw.yaml").write_text(SHORT)
    words = ("setup", "--dry-run", "--yes", "--port", simulator.ports["front"], "--to", "500100201")
    code, out, err = finish(start(*words, config=tmp_path / "gsmgw.yaml"))
    assert (code, err) == (0, ""), out
    assert "$ gsmgw send --modem modem1 --report +48500100201 'Test of gsmgw'" in out
    assert (tmp_path / "gsmgw.yaml").read_text() == SHORT
