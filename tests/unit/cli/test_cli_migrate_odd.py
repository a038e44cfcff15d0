# SPDX-License-Identifier: Apache-2.0
"""`gsmgw migrate` on files that real boxes have: said twice, shared by modems, left over."""

from __future__ import annotations

from pathlib import Path

import pytest

from gsmgw import config
from gsmgw.cli.migrate import account, gammu, smstools
from gsmgw.cli.setup import commented


def read(text: str, folder: Path) -> account.Account:
    (folder / "smsd.conf").write_text(text)
    wanted = commented.document(commented.default())
    return smstools.translate(smstools.read(folder / "smsd.conf"), wanted, Path("/etc/gsmgw"))


def told(found: account.Account, line: int) -> tuple[str, str]:
    """Return what became of a line."""
    (entry,) = (entry for entry in found.entries if entry.setting.line == line)
    return entry.fate, entry.words


def checked(found: account.Account) -> config.Config:
    text = commented.write([commented.default()], found.wanted, found.notes)
    return config.check_document(config.read_yaml(text)).config


def test_of_a_setting_said_twice_the_last_counts(tmp_path: Path) -> None:
    found = read("incoming_utf8 = no\nincoming_utf8 = yes\nlogfile = a\nlogfile = b\n", tmp_path)
    assert checked(found).spool.alphabet == "utf-8"
    assert told(found, 1) == ("otherwise", "line 2 says it again, and counts")
    assert told(found, 2) == ("carried", "spool.alphabet")
    assert told(found, 3) == told(found, 4)


def test_ports_may_hold_the_name_of_the_modem(tmp_path: Path) -> None:
    text = "devices = USB* 0-1\n[default]\ndevice = /dev/ttymodemname\nbaudrate = 9600\n"
    found = read(text, tmp_path)
    modems = checked(found).modems
    assert [(one.name, one.port) for one in modems] == [
        ("USB0", "/dev/ttyUSB0"),
        ("USB1", "/dev/ttyUSB1"),
    ]
    assert [one.baudrate for one in modems] == [9600, 9600]
    assert told(found, 3) == ("carried", "modems.port")


def test_a_handler_that_wants_the_name_of_the_modem_becomes_a_script(tmp_path: Path) -> None:
    found = read("eventhandler = /usr/local/bin/on modemname\n", tmp_path)
    assert checked(found).hooks.event == ()
    assert "put this line into a script" in told(found, 1)[1]


def test_settings_of_a_modem_that_is_left_out_are_not_called_unknown(tmp_path: Path) -> None:
    text = "devices = net\n[net]\ndevice = @10.0.0.5:5000\npin = 1234\nincoming = yes\n"
    found = read(text, tmp_path)
    assert checked(found).modems == ()
    assert [told(found, line)[0] for line in (3, 4, 5)] == ["nothing"] * 3
    assert told(found, 4)[1] == "modem net was left out"
    assert not found.by_fate("unknown")


def test_what_every_modem_says_itself_is_not_called_unknown(tmp_path: Path) -> None:
    text = "devices = a\n[default]\nbaudrate = 9600\n[a]\ndevice = /dev/ttyS0\nbaudrate = 19200\n"
    found = read(text, tmp_path)
    assert [one.baudrate for one in checked(found).modems] == [19200]
    assert told(found, 3) == ("otherwise", "every modem that is carried over has its own")


@pytest.mark.parametrize(
    ("value", "command"),
    [
        ("/srv/in/", "mv /srv/in /srv/in.old && ln -s /var/spool/sms/incoming /srv/in"),
        ("in", None),
    ],
)
def test_advice_about_folders_can_be_typed(tmp_path: Path, value: str, command: str | None) -> None:
    found = read(f"incoming = {value}\n", tmp_path)
    moves = [words for words in found.advice if "ln -s" in words]
    assert moves == ([] if command is None else [f"programs that know /srv/in: {command}"])


def test_advice_about_the_unit_is_two_lines(tmp_path: Path) -> None:
    (words,) = (one for one in read("", tmp_path).advice if "ReadWritePaths" in one)
    assert "the two lines [Service] and ReadWritePaths=/var/spool/sms; then" in words


def test_of_two_ports_of_gammu_the_last_counts(tmp_path: Path) -> None:
    (tmp_path / "rc").write_text("[gammu]\ndevice = /dev/ttyUSB0\ndevice = /dev/ttyUSB1\n[smsd]\n")
    wanted = commented.document(commented.default())
    found = gammu.translate(gammu.read(tmp_path / "rc"), wanted, Path("/etc/gsmgw"))
    assert [one.port for one in checked(found).modems] == ["/dev/ttyUSB1"]
    assert told(found, 2) == ("otherwise", "line 3 says it again, and counts")


def test_a_port_of_the_board_wants_its_class_allowed(tmp_path: Path) -> None:
    text = "devices = a, b\n[a]\ndevice = /dev/ttyS0\n[b]\ndevice = /dev/ttyUSB0\n"
    (words,) = (one for one in read(text, tmp_path).advice if "DeviceAllow" in one)
    assert "[Service] and DeviceAllow=char-ttyS rw; then" in words
