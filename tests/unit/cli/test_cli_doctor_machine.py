# SPDX-License-Identifier: Apache-2.0
"""What the doctor reads of the machine: rights, units with drop-ins, mounts, processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from doctor_support import Ward

from gsmgw.cli.doctor import finding, machine, places, sandbox
from gsmgw.config import Config
from gsmgw.gateway.health.trouble import Trouble


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    return tmp_path


def write_unit(root: Path, name: str, *lines: str) -> None:
    path = root / "etc/systemd/system" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines))


def test_a_unit_is_read_with_its_drop_ins(root: Path) -> None:
    write_unit(
        root,
        "gsmgw.service",
        "[Service]",
        "ExecStart=/usr/bin/gsmgw \\",
        "  --config=/srv/gsmgw.yaml run",
        "# User=wrong",
        "User=gsmgw",
        "SupplementaryGroups=dialout",
        "StateDirectory=gsmgw",
        "ProtectSystem=strict",
        "ReadWritePaths=-/var/spool/gsmgw",
        "DeviceAllow=char-ttyUSB rw",
        "LoadCredential=pin:/etc/pin",
    )
    write_unit(root, "gsmgw.service.d/more.conf", "ReadWritePaths=/srv/a /srv/b", "Group=sms")
    found = machine.unit()
    assert found is not None
    assert (found.user, found.group, found.groups) == ("gsmgw", "sms", ["dialout"])
    assert found.config == Path("/srv/gsmgw.yaml")
    for place in ("/var/lib/gsmgw", "/var/spool/gsmgw", "/srv/a", "/srv/b"):
        assert found.sandbox.is_writable(Path(place))
    assert not found.sandbox.is_writable(Path("/srv"))
    assert (found.devices, found.credentials) == (["char-ttyUSB"], ["pin"])
    assert not found.is_enabled


def test_an_empty_value_takes_a_list_back(root: Path) -> None:
    lines = ["ReadWritePaths=/srv/a", "DeviceAllow=char-ttyUSB", "SupplementaryGroups=dialout"]
    write_unit(root, "gsmgw.service", *lines)
    empty = ["ReadWritePaths=", "DeviceAllow=", "SupplementaryGroups="]
    write_unit(root, "gsmgw.service.d/none.conf", *empty)
    found = machine.unit()
    assert found is not None
    assert (found.sandbox.lists, found.devices, found.groups) == ({"ReadWritePaths": []}, None, [])


def test_our_own_unit_fits_the_default_configuration(root: Path) -> None:
    own = Path(__file__).parents[3] / "systemd/gsmgw.service"
    write_unit(root, "gsmgw.service", own.read_text())
    found = machine.unit()
    assert found is not None
    assert list(sandbox.compare(found.path, found.sandbox, Config())) == []
    assert {"char-ttyUSB", "char-ttyACM"} <= set(found.devices or ())


def test_no_unit_is_none(root: Path) -> None:
    assert machine.unit() is None


def test_a_unit_for_another_configuration_is_not_ours(ward: Ward) -> None:
    unit = ward.unit(user="gsmgw-nosuch")
    unit.write_text(unit.read_text().replace(str(ward.config), "/etc/gsmgw/other.yaml"))
    assert ward.findings() == []


@pytest.mark.parametrize(
    ("mode", "user", "groups", "may"),
    [
        (0o600, 1, (), True),
        (0o060, 1, (9,), False),  # the owner has the owner's rights only
        (0o060, 2, (9,), True),
        (0o606, 2, (9,), False),
        (0o606, 2, (), True),
        (0o000, 0, (), True),
    ],
)
def test_rights_go_by_owner_then_group_then_others(
    mode: int, user: int, groups: tuple[int, ...], may: bool
) -> None:
    status = os.stat_result((mode, 0, 0, 1, 1, 9, 0, 0, 0, 0))
    assert machine.Account("x", user, frozenset(groups)).may(status, 6) is may


def test_what_stands_in_the_way_may_be_far_above(tmp_path: Path) -> None:
    nobody = machine.Account("nobody", 65534, frozenset())
    tmp_path.chmod(0o700)
    (tmp_path / "a").mkdir()
    found = places.lack(tmp_path / "a", machine.Account("x", 54321, frozenset()), 4)
    assert found is not None
    assert found.path in (tmp_path, *tmp_path.parents)
    assert places.lack(Path("/"), nobody, 4) is None
    assert places.lack(tmp_path, machine.Account("root", 0, frozenset()), 7) is None


def test_a_process_tells_who_it_is(root: Path) -> None:
    place = root / "proc/812"
    place.mkdir(parents=True)
    text = "Name:\tgsmgw\nUid:\t0\t12345\t0\t0\nGid:\t1\t54321\t1\t1\nGroups:\t20 \n"
    (place / "status").write_text(text)
    found = machine.account_of_process(812)
    assert found == machine.Account("12345", 12345, frozenset({54321, 20}))
    assert machine.account_of_process(813) is None


def test_mounts_within_mounts(root: Path) -> None:
    table = root / "proc/self/mountinfo"
    table.parent.mkdir(parents=True)
    table.write_text(
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        "40 22 0:39 / /no\\040such rw shared:2 - nfs4 host:/x rw\n"
        "41 40 0:40 / /no\\040such/deep ro,relatime - ext4 /dev/sdb1 rw\n"
        "broken\n"
    )
    shallow, deep = machine.mount_of(Path("/no such/x")), machine.mount_of(Path("/no such/deep/y"))
    assert shallow == machine.Mount("/no such", "nfs4", False)
    assert shallow.is_remote
    assert deep == machine.Mount("/no such/deep", "ext4", True)
    other = machine.mount_of(Path("/nowhere"))
    assert other is not None
    assert other.point == "/"


def test_a_mount_whose_name_is_not_english_is_known(root: Path) -> None:
    """A stick with a label: the kernel writes blanks in octal, and letters as they are."""
    table = root / "proc/self/mountinfo"
    table.parent.mkdir(parents=True)
    table.write_text(
        "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
        r"40 22 8:17 / /media/anna/Łódź\0402\134x rw - vfat /dev/sdb1 rw"
    )
    found = machine.mount_of(Path("/media/anna/Łódź 2\\x/spool"))
    assert found is not None
    assert (found.point, found.kind) == ("/media/anna/Łódź 2\\x", "vfat")


def test_the_journal_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert machine.log_lines(5) == []


def test_findings_are_sorted_and_told_once() -> None:
    def made(level: str, name: str, where: str = "") -> Trouble:
        return Trouble(level, name, where, "", "")

    found = [
        made("warning", "disk.low"),
        made("error", "modem.absent", "back"),
        made("error", "modem.absent", "front"),
        made("error", "port.held", "front"),
        made("error", "config.wrong"),
        made("error", "config.wrong"),
        made("warning", "doctor.blind", "a"),
        made("warning", "doctor.blind", "b"),
    ]
    assert [(one.name, one.where) for one in finding.sort(found)] == [
        ("config.wrong", ""),
        ("port.held", "front"),
        ("modem.absent", "back"),
        ("disk.low", ""),
        ("doctor.blind", "a"),
    ]
