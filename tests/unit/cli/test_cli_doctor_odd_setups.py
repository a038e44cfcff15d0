# SPDX-License-Identifier: Apache-2.0
"""`gsmgw doctor` on set-ups that go wrong more rarely: masked units, forgotten locks and such."""

from __future__ import annotations

import grp
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from doctor_support import OTHER, Ward

from gsmgw import locks
from gsmgw.cli.doctor import machine
from gsmgw.model import ModemState
from gsmgw.spool.clinic import places as clinic_places
from gsmgw.store.database import Database

# -- configuration, accounts, unit ----------------------------------------------------------------


def configuration_is_a_directory(ward: Ward) -> None:
    ward.config.unlink()
    ward.config.mkdir()


def pin_in_the_configuration(ward: Ward) -> None:
    ward.configure(modem={"pin": "1234"})


def texts_missing(ward: Ward) -> None:
    clinic = {"name": "Lipowa", "phone": "815551234", "templates": str(ward.path / "none.yaml")}
    ward.configure(clinic=clinic, retention={"person": "400d"})


def group_of_the_spool_missing(ward: Ward) -> None:
    ward.configure(spool={"path": str(ward.spool), "group": "gsmgw-nosuch"})


def daemon_outside_the_spools_group(ward: Ward) -> None:
    closed_to_strangers(ward)
    group = grp.getgrgid(0).gr_name
    ward.configure(spool={"path": str(ward.spool), "group": group})


def masked_unit(ward: Ward) -> None:
    own = ward.unit()
    packaged = ward.root / "usr/lib/systemd/system/gsmgw.service"
    packaged.parent.mkdir(parents=True)
    packaged.write_text(own.read_text())
    own.unlink()
    own.symlink_to("/dev/null")
    ward.stop()


# -- places ---------------------------------------------------------------------------------------


def spool_is_a_file(ward: Ward) -> None:
    shutil.rmtree(ward.spool)
    ward.spool.write_text("")
    ward.spool.chmod(0o600)


def folder_is_a_link_to_nothing(ward: Ward) -> None:
    (ward.spool / "outgoing").rmdir()
    (ward.spool / "outgoing").symlink_to("/gsmgw-nosuch")


def database_on_a_disk_that_is_not_mounted(ward: Ward) -> None:
    (ward.path / "link").symlink_to("/mnt/gsmgw-nosuch/db")
    ward.configure(database={"path": str(ward.path / "link" / "gsmgw.db")})


def folder_is_a_file(ward: Ward) -> None:
    (ward.spool / "outgoing").rmdir()
    (ward.spool / "outgoing").write_text("")


def closed_to_strangers(ward: Ward) -> None:
    """Let another user run the daemon, who may use all but what a test takes away."""
    ward.unit(user=OTHER)
    ward.open_for_all()
    for file in (*ward.database.parent.iterdir(), Path(ward.port)):
        file.chmod(0o666)


def private_folder_of_root(ward: Ward) -> None:
    closed_to_strangers(ward)
    (ward.spool / ".tmp").mkdir(mode=0o700)


def clinics_folder_of_root(ward: Ward) -> None:
    closed_to_strangers(ward)
    clinic = {"name": "Lipowa", "phone": "815551234"}
    ward.configure(clinic=clinic, retention={"person": "400d"})
    for folder in clinic_places.Places(ward.spool).folders():
        folder.mkdir()
        folder.chmod(0o2777)
    (ward.spool / "clinic/in").chmod(0o700)


def log_of_the_database_of_root(ward: Ward) -> None:
    closed_to_strangers(ward)
    Path(f"{ward.database}-wal").chmod(0o600)


def spool_on_a_stick(ward: Ward) -> None:
    ward.mount(ward.spool, "vfat")


def database_in_memory(ward: Ward) -> None:
    ward.unit(f"ReadWritePaths={ward.path}")
    ward.mount(ward.database.parent, "tmpfs")


def forgotten_lock(ward: Ward) -> None:
    for name in ("17", "17.LOCK"):
        (ward.spool / "outgoing" / name).write_text("To: 48500100201\n\nx")
    os.utime(ward.spool / "outgoing/17.LOCK", (1_700_000_000, 1_700_000_000))


# -- programs -------------------------------------------------------------------------------------


def handler(ward: Ward, content: bytes, mode: int = 0o755) -> None:
    program = ward.path / "handler"
    program.write_bytes(content)
    program.chmod(mode)
    ward.configure(hooks={"event": [str(program)]})


def handler_not_executable(ward: Ward) -> None:
    handler(ward, b"#!/bin/sh\n", 0o644)


def handler_from_windows(ward: Ward) -> None:
    handler(ward, b"#!/bin/sh\r\necho\r\n")


def handler_without_interpreter(ward: Ward) -> None:
    handler(ward, b"echo $1\n")


def handler_of_a_missing_language(ward: Ward) -> None:
    handler(ward, b"#!/usr/bin/gsmgw-nosuch -u\n")


def handler_of_a_missing_language_by_env(ward: Ward) -> None:
    handler(ward, b"#!/usr/bin/env -S gsmgw-nosuch\n")


def handler_is_a_directory(ward: Ward) -> None:
    (ward.path / "handlers").mkdir()
    ward.configure(hooks={"event": [str(ward.path / "handlers")]})


def old_gateway_runs(ward: Ward) -> None:
    ward.process(700, "gammu-smsd")
    ward.process(701, "gammu-smsd")


def old_gateway_has_the_port(ward: Ward) -> None:
    ward.process(700, "smsd", ward.port)
    ward.know(ModemState.ABSENT, why="held by another program")


# -- modems ---------------------------------------------------------------------------------------


def modem_manager_had_it_before_the_rules(ward: Ward) -> None:
    rules = ward.root / "usr/lib/udev/rules.d/60-gsmgw.rules"
    rules.parent.mkdir(parents=True)
    rules.write_text('ATTRS{idVendor}=="12d1", ENV{ID_MM_DEVICE_IGNORE}="1"\n')
    ward.process(612, "ModemManager", ward.port)
    ward.know(ModemState.ABSENT, why="held by another program")


def stick_without_driver(ward: Ward) -> None:
    ward.configure(modem={"port": "/dev/gsmgw-nosuch"})
    ward.know(ModemState.ABSENT)
    ward.usb("12d1:1506", "ff", "ff", "08")


def stick_that_is_a_router(ward: Ward) -> None:
    ward.configure(modem={"port": "/dev/gsmgw-nosuch"})
    ward.usb("12d1:14dc", "02", "0a", "08")


def pin_file_is_a_directory(ward: Ward) -> None:
    (ward.path / "pin").mkdir(mode=0o700)
    ward.configure(modem={"pin_file": str(ward.path / "pin")})


def link_of_the_port_leads_nowhere(ward: Ward) -> None:
    (ward.path / "usb-HUAWEI").symlink_to("/dev/gsmgw-nosuch")
    ward.configure(modem={"port": str(ward.path / "usb-HUAWEI")})
    ward.know(ModemState.ABSENT)


def sim_slipped(ward: Ward) -> None:
    ward.know(ModemState.NEEDS_PIN, why="no SIM is inserted (+CME ERROR: 10)")


def pin_refused(ward: Ward) -> None:
    why = "the SIM refused the PIN in /etc/gsmgw/front.pin; write the right one there"
    ward.know(ModemState.NEEDS_PIN, why=why)


def sim_not_active(ward: Ward) -> None:
    ward.know(ModemState.SEARCHING, registration=3)


#: What is broken: what must stand first, and words that it must say, what to do among them.
SETUPS: list[tuple[Callable[[Ward], None], str, str, str]] = [
    (configuration_is_a_directory, "config.unreadable", "a directory stands", "sudo mv"),
    (pin_in_the_configuration, "config.wrong", "did you mean 'pin_file'?", "check"),
    (texts_missing, "config.wrong", "none.yaml", "check"),
    (group_of_the_spool_missing, "account.missing", "gsmgw-nosuch", "addgroup --system"),
    (daemon_outside_the_spools_group, "account.not_member", OTHER, f"adduser {OTHER}"),
    (masked_unit, "unit.masked", "/dev/null", "systemctl unmask gsmgw"),
    (spool_is_a_file, "folder.missing", "this is no directory", ".aside"),
    (folder_is_a_link_to_nothing, "folder.missing", "a link to /gsmgw-nosuch", ".aside"),
    (
        *(database_on_a_disk_that_is_not_mounted, "store.directory_missing"),
        *("/mnt/gsmgw-nosuch/db, to which a link leads", "mount -a"),
    ),
    (folder_is_a_file, "folder.missing", "this is no directory", ".aside"),
    (private_folder_of_root, "path.forbidden", ".tmp", "chmod 2700"),
    (clinics_folder_of_root, "path.forbidden", "clinic/in", "chmod 2770"),
    (log_of_the_database_of_root, "path.forbidden", "gsmgw.db-wal", "chmod 0660"),
    (spool_on_a_stick, "path.unfit", "vfat", "spool.path"),
    (database_in_memory, "path.unfit", "lost with the power", "database.path"),
    (forgotten_lock, "files.stuck", "1 file in outgoing held back", "17.LOCK'"),
    (handler_not_executable, "hook.unusable", "run it", "chmod a+rx"),
    (handler_from_windows, "hook.unusable", "Windows", r"sed -i 's/\r$//'"),
    (handler_without_interpreter, "hook.unusable", "does not begin with #!", "#!/bin/sh"),
    (handler_of_a_missing_language, "hook.unusable", "wants /usr/bin/gsmgw-nosuch", "install"),
    (handler_of_a_missing_language_by_env, "hook.unusable", "wants gsmgw-nosuch", "install"),
    (handler_is_a_directory, "hook.unusable", "is no file", "hooks.event"),
    (old_gateway_runs, "gateway.other", "gammu-smsd[700]", "disable --now gammu-smsd"),
    (old_gateway_has_the_port, "port.held", "smsd[700]", "disable --now smstools"),
    (
        *(modem_manager_had_it_before_the_rules, "port.held"),
        *("ModemManager[612]", "systemctl restart ModemManager"),
    ),
    (stick_without_driver, "usb.driver", "12d1:1506", "modprobe option"),
    (stick_that_is_a_router, "usb.mode", "network card", "docs/modems.md"),
    (pin_file_is_a_directory, "pin.unusable", "is no file", "modems.pin_file"),
    (link_of_the_port_leads_nowhere, "port.missing", "usb-HUAWEI does not exist", ""),
    (sim_slipped, "sim.unusable", "no SIM is inserted", "push the SIM in"),
    (pin_refused, "sim.unusable", "refused the PIN", "write the right PIN"),
    (sim_not_active, "modem.unregistered", "refuses this SIM", "ring the operator"),
]


@pytest.mark.parametrize(
    ("breaks", "name", "what", "do"), SETUPS, ids=[one[0].__name__ for one in SETUPS]
)
def test_the_rarer_cause_stands_first_too(
    ward: Ward, breaks: Callable[[Ward], None], name: str, what: str, do: str
) -> None:
    breaks(ward)
    beside = ("rights.open", "daemon.stopped")
    found = [one for one in ward.findings() if one["name"] not in beside]
    first = found[0]
    assert first["name"] == name, found
    assert what in first["what"]
    assert do in first["do"]
    assert len(found) == 1, found  # what follows from it is not told beside it


def test_a_fresh_installation_is_sent_to_setup(ward: Ward) -> None:
    ward.stop()
    ward.sql("DELETE FROM modem")
    ward.configure(modems=[])
    assert [one["name"] for one in ward.findings()] == ["modem.none", "daemon.stopped"]


def test_another_gateway_on_the_same_spool_is_an_error(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gsmgw.cli.doctor import rivals

    monkeypatch.setattr(rivals, "_SMSD_SPOOL", ward.spool)
    ward.process(700, "smsd")
    (found,) = ward.findings()
    assert (found["level"], found["name"]) == ("error", "gateway.other")
    assert "takes files from" in found["what"]


def test_a_program_of_the_kernels_own_kind_is_well(ward: Ward) -> None:
    handler(ward, b"\x7fELF\x02")
    assert ward.findings() == []
    handler(ward, b"#!/usr/bin/env sh\n")
    assert ward.findings() == []


def test_a_configuration_that_the_daemon_has_not_read_is_told(ward: Ward) -> None:
    os.utime(locks.database_lock(ward.database), (1_700_000_000, 1_700_000_000))
    (found,) = ward.findings()
    assert (found["level"], found["name"]) == ("warning", "config.pending")
    assert "has not read it since" in found["what"]
    assert "systemctl reload gsmgw" in found["do"]
    ward.know(ModemState.ABSENT, why="it is gone")
    assert [one["name"] for one in ward.findings()] == ["config.pending", "modem.absent"]
    ward.stop()
    assert "config.pending" not in [one["name"] for one in ward.findings()]


def test_a_daemon_on_another_database_is_not_called_stopped(ward: Ward) -> None:
    other = ward.database.parent / "other.db"
    ward.process(812, "gsmgw", f"{ward.database}.lock", ward.spool / ".gsmgw.lock")
    words = [
        "/usr/lib/gsmgw/bin/python3",
        "-I",
        "/usr/bin/gsmgw",
        "--config",
        str(ward.config),
        "run",
    ]
    (ward.root / "proc/812/cmdline").write_text("\0".join(words) + "\0")
    ward.configure(database={"path": str(other)})
    found = [one for one in ward.findings() if one["name"] != "rights.open"]
    assert [one["name"] for one in found] == ["config.pending"]
    assert f"works on {ward.database}: database.path was changed" in found[0]["what"]
    assert found[0]["do"] == "sudo systemctl restart gsmgw"
    second = Database(other)  # it makes no difference whether there is one already
    second.open()
    second.close()
    other.chmod(0o660)
    assert "daemon.stopped" not in [one["name"] for one in ward.findings()]


def test_a_daemon_that_hangs_is_no_fault_of_its_modems(ward: Ward) -> None:
    for path in (locks.database_lock(ward.database), ward.spool / "status.json"):
        path.touch(mode=0o660)
        os.utime(path, (1_700_000_000, 1_700_000_000))
    os.utime(ward.config, (1_700_000_000, 1_700_000_000))
    (found,) = ward.findings("--json")  # its modems are not asked through it
    assert (found["level"], found["name"]) == ("error", "daemon.hangs")
    assert "has done nothing for" in found["what"]
    ward.room["spool"] = 1_000_000  # it cannot be written
    assert [one["name"] for one in ward.findings()] == ["disk.full"]
    del ward.room["spool"]
    (ward.spool / "status.json").unlink()  # one that has just begun has written nothing yet
    assert ward.findings() == []


def test_a_lock_of_this_moment_is_no_trouble(ward: Ward) -> None:
    for name in ("17", "17.LOCK", "18.LOCK"):
        (ward.spool / "outgoing" / name).write_text("To: 48500100201\n\nx")
    assert ward.findings() == []


def test_a_stick_with_a_port_is_not_blamed(ward: Ward) -> None:
    ward.configure(modem={"port": "/dev/gsmgw-nosuch"})
    ward.usb("12d1:1506", "ff", "08")
    (ward.root / "sys/bus/usb/devices/1-1/1-1:1.0/ttyUSB0").mkdir()
    assert [one["name"] for one in ward.findings()] == ["port.missing"]


def test_root_runs_nothing_that_nobody_may_run(tmp_path: Path) -> None:
    root = machine.Account("root", 0, frozenset({0}))
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o600)
    assert root.may(program.stat(), 6)
    assert not root.may(program.stat(), 5)
    program.chmod(0o610)
    assert root.may(program.stat(), 5)
    tmp_path.chmod(0o600)
    assert root.may(tmp_path.stat(), 1)
    tmp_path.chmod(0o700)
