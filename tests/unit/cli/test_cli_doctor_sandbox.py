# SPDX-License-Identifier: Apache-2.0
"""What the service's unit keeps from the daemon, and that `gsmgw check` says so."""

from __future__ import annotations

import json
from pathlib import Path

import docs_support
import pytest
from click.testing import CliRunner, Result

from gsmgw.cli import main
from gsmgw.cli.doctor import machine, sandbox

OUR_UNIT = Path(__file__).parents[3] / "systemd" / "gsmgw.service"
OUR_CONFIG = Path(__file__).parents[3] / "config" / "gsmgw.yaml"


def lines(text: str) -> list[tuple[str, str]]:
    return [(key, value) for key, _, value in (line.partition("=") for line in text.split("\n"))]


@pytest.mark.parametrize(
    ("settings", "path", "is_writable"),
    [
        ("", "/srv/x", True),
        ("ProtectSystem=yes", "/etc/x", True),
        ("ProtectSystem=yes", "/usr/x", False),
        ("ProtectSystem=full", "/etc/x", False),
        ("ProtectSystem=full", "/srv/x", True),
        ("ProtectSystem=strict", "/srv/x", False),
        ("ProtectSystem=strict", "/dev/x", True),
        ("ProtectSystem=strict\nStateDirectory=gsmgw", "/var/lib/gsmgw", True),
        ("ProtectSystem=strict\nStateDirectory=gsmgw", "/var/lib/gsmgw2", False),
        ("ProtectSystem=strict\nLogsDirectory=a b", "/var/log/b/c", True),
        ("ProtectSystem=strict\nRuntimeDirectory=gsmgw:old", "/run/gsmgw/x", True),
        ("ProtectSystem=strict\nReadWritePaths=/srv", "/srv/x", True),
        ("ProtectSystem=strict\nReadWritePaths=-/srv +/opt/x", "/opt/x/y", True),
        ("ProtectSystem=strict\nReadWritePaths=/srv\nReadWritePaths=", "/srv/x", False),
        ("ProtectSystem=strict\nReadWritePaths=/srv\nReadOnlyPaths=/srv/x", "/srv/x/y", False),
        ("ReadOnlyPaths=/srv\nReadWritePaths=/srv/x", "/srv/x/y", True),
        ("ProtectHome=read-only", "/home/x", False),
        ("ProtectHome=read-only\nReadWritePaths=/home/x", "/home/x", True),
        ("ProtectSystem=strict\nPrivateTmp=yes", "/tmp/x", True),
        ("ProtectSystem=strict\nBindPaths=/data:/srv/x:rbind", "/srv/x", True),
        ("BindReadOnlyPaths=/srv", "/srv/x", False),
        ("ProtectSystem=strict\nProtectSystem=no", "/srv/x", True),
    ],
)
def test_where_the_daemon_may_write(settings: str, path: str, is_writable: bool) -> None:
    assert sandbox.read(lines(settings)).is_writable(Path(path)) is is_writable


@pytest.mark.parametrize(
    ("settings", "path", "is_hidden"),
    [
        ("", "/home/x", False),
        ("ProtectHome=yes", "/home/x", True),
        ("ProtectHome=yes\nReadWritePaths=/home/x", "/home/x", True),
        ("ProtectHome=yes", "/srv/home", False),
        ("ProtectHome=read-only", "/root/x", False),
        ("ProtectHome=tmpfs", "/run/user/1000", True),
        ("ProtectHome=tmpfs\nBindPaths=/home/X", "/home/X/y", False),
        ("InaccessiblePaths=-/srv", "/srv/x", True),
        ("TemporaryFileSystem=/var:ro", "/var/x", True),
    ],
)
def test_what_the_daemon_sees(settings: str, path: str, is_hidden: bool) -> None:
    assert sandbox.read(lines(settings)).is_hidden(Path(path)) is is_hidden


# -- gsmgw check ----------------------------------------------------------------------------------


def check(folder: Path, config: str, *options: str) -> Result:
    path = folder / "gsmgw.yaml"
    path.write_text(config)
    return CliRunner().invoke(main.cli, ["--config", str(path), "check", *options])


def test_the_default_configuration_fits_our_unit() -> None:
    words = ["--config", str(OUR_CONFIG), "check", "--unit", str(OUR_UNIT)]
    done = CliRunner().invoke(main.cli, words)
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("spool: {path: /srv/sms}", "ReadWritePaths=/srv/sms"),
        ("database: {path: /srv/db/gsmgw.db}", "ReadWritePaths=/srv/db;"),
        ("watching: {metrics: /var/lib/prometheus/x/gsmgw.prom}", "=/var/lib/prometheus/x;"),
        ("spool: {path: /root/sms}", "outside /root"),
        ("spool: {path: /tmp/sms}", "a /tmp of its own"),
        ("hooks: {event: [/root/handler]}", "hooks.event: the unit"),
        ("alarms: {hook: [/root/handler]}", "correct alarms.hook"),
        ("replies: {words: /root/words.yaml}", "correct replies.words"),
        (
            'clinic: {name: A, phone: "22 100", templates: /root/texts.yaml}',
            "correct clinic.templates",
        ),
        (
            "modems: [{name: front, port: /dev/ttyUSB0, pin_file: /root/pin}]",
            "modems.pin_file: the unit",
        ),
    ],
)
def test_a_place_outside_the_unit_is_an_error_with_the_way_out(
    tmp_path: Path, config: str, said: str
) -> None:
    done = check(tmp_path, config, "--unit", str(OUR_UNIT))
    assert done.exit_code == 78
    assert said in done.output
    assert str(OUR_UNIT) in done.output
    assert "Traceback" not in done.output


def test_programs_get_the_places_as_problems(tmp_path: Path) -> None:
    done = check(tmp_path, "spool: {path: /srv/sms}", "--json", "--unit", str(OUR_UNIT))
    assert done.exit_code == 78
    (problem,) = json.loads(done.stdout)["problems"]
    assert "/srv/sms" in problem


def test_a_drop_in_beside_the_unit_opens_a_place(tmp_path: Path) -> None:
    unit = tmp_path / "gsmgw.service"
    unit.write_text(OUR_UNIT.read_text())
    assert check(tmp_path, "spool: {path: /srv/sms}", "--unit", str(unit)).exit_code == 78
    drop_in = tmp_path / "gsmgw.service.d" / "override.conf"
    drop_in.parent.mkdir()
    drop_in.write_text("[Service]\nReadWritePaths=/srv/sms\n")
    done = check(tmp_path, "spool: {path: /srv/sms}", "--unit", str(unit))
    assert done.exit_code == 0, done.output


def test_the_way_out_is_right_for_a_place_with_a_blank(tmp_path: Path) -> None:
    unit = tmp_path / "gsmgw.service"
    unit.write_text(OUR_UNIT.read_text())
    done = check(tmp_path, "spool: {path: /srv/our sms}", "--unit", str(unit))
    assert 'ReadWritePaths="/srv/our sms"' in " ".join(done.output.split())
    for said, code in (('"/srv/our sms"', 0), ("/srv/our sms", 78), ('"/srv/our', 78)):
        unit.write_text(f"{OUR_UNIT.read_text()}\n[Service]\nReadWritePaths={said}\n")
        done = check(tmp_path, "spool: {path: /srv/our sms}", "--unit", str(unit))
        assert done.exit_code == code, done.output


def install(root: Path, folder: str, name: str, text: str) -> None:
    path = root / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_installed_unit_counts_with_its_drop_ins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    monkeypatch.setattr(machine, "ROOT", root)
    ours = OUR_UNIT.read_text().replace("/etc/gsmgw/gsmgw.yaml", f"'{tmp_path}/gsmgw.yaml'")
    install(root, "usr/lib/systemd/system", "gsmgw.service", ours)
    install(root, "usr/lib/systemd/system/gsmgw.service.d", "a.conf", "ReadWritePaths=/srv/sms\n")
    assert check(tmp_path, "spool: {path: /srv/sms}").exit_code == 0
    # A drop-in of the same name in /etc stands for the other.
    install(root, "etc/systemd/system/gsmgw.service.d", "a.conf", "ReadWritePaths=/srv/other\n")
    assert check(tmp_path, "spool: {path: /srv/sms}").exit_code == 78
    # And a unit there for ours.
    install(
        root,
        "etc/systemd/system",
        "gsmgw.service",
        f"ExecStart=gsmgw --config '{tmp_path}/gsmgw.yaml'",
    )
    assert check(tmp_path, "spool: {path: /srv/sms}").exit_code == 0


def test_a_unit_for_another_configuration_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "ROOT", tmp_path / "root")
    install(tmp_path / "root", "lib/systemd/system", "gsmgw.service", OUR_UNIT.read_text())
    assert check(tmp_path, "spool: {path: /srv/sms}").exit_code == 0


@pytest.mark.parametrize(
    ("port", "kind"),
    [
        ("/dev/ttyS0", "char-ttyS"),
        ("/dev/ttyAMA0", "char-ttyAMA"),
        ("/dev/ttyUSB0", None),
        ("/dev/ttyACM3", None),
        ("/dev/serial/by-id/usb-HUAWEI-if00-port0", None),
        ("/dev/pts/3", None),
    ],
)
def test_a_port_of_the_board_wants_a_drop_in(tmp_path: Path, port: str, kind: str | None) -> None:
    config = tmp_path / "gsmgw.yaml"
    config.write_text(f"modems: [{{name: front, port: {port}}}]\n")
    unit = docs_support.ROOT / "systemd/gsmgw.service"
    done = CliRunner().invoke(main.cli, ["--config", str(config), "check", "--unit", str(unit)])
    assert done.exit_code == (0 if kind is None else 78)
    if kind is not None:
        assert f"the two lines [Service] and DeviceAllow={kind} rw; then" in done.stderr
