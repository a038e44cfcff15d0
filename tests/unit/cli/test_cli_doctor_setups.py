# SPDX-License-Identifier: Apache-2.0
"""`gsmgw doctor` on broken set-ups: it names the right cause first, in words, with what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import docs_support
import pytest
from doctor_support import FOLDERS, OTHER, Ward

from gsmgw import locks
from gsmgw.cli.doctor import finding, installation
from gsmgw.model import ModemState, SimState
from gsmgw.store import backup


def test_nothing_is_found_where_all_is_well(ward: Ward) -> None:
    assert ward.findings() == []
    assert "All is well." in ward.run("doctor", "--no-modems").stdout


# -- configuration and accounts -------------------------------------------------------------------


def no_configuration(ward: Ward) -> None:
    ward.config.unlink()


def misspelt_key(ward: Ward) -> None:
    ward.configure(modem={"prot": ward.port, "port": None})


def broken_yaml(ward: Ward) -> None:
    ward.config.write_text("modems:\n\t- name: front\n")


def configuration_of_somebody_else(ward: Ward) -> None:
    ward.unit(user=OTHER)
    ward.open_for_all()
    ward.config.chmod(0o600)


def unknown_user(ward: Ward) -> None:
    ward.unit(user="gsmgw-nosuch")


def unknown_group(ward: Ward) -> None:
    ward.unit("SupplementaryGroups=gsmgw-nosuch")


# -- places ---------------------------------------------------------------------------------------


def no_database_directory(ward: Ward) -> None:
    ward.configure(database={"path": str(ward.path / "elsewhere" / "gsmgw.db")})


def read_only_disk(ward: Ward) -> None:
    ward.mount(ward.path, "ext4", "ro")


def full_disk(ward: Ward) -> None:
    ward.room["spool"] = 1_000_000


def database_of_another_user(ward: Ward) -> None:
    ward.unit(user=OTHER)
    ward.open_for_all()
    ward.database.chmod(0o600)


def closed_outgoing(ward: Ward) -> None:
    ward.unit(user=OTHER)
    ward.open_for_all()
    (ward.spool / "outgoing").chmod(0o700)


def unit_without_the_spool(ward: Ward) -> None:
    ward.unit("ProtectSystem=strict", f"ReadWritePaths='{ward.database.parent}'")


def no_spool(ward: Ward) -> None:
    ward.unit("ProtectSystem=strict", f"ReadWritePaths='{ward.path}'")
    for folder in FOLDERS:
        (ward.spool / folder).rmdir()
    ward.spool.rmdir()


def folder_removed(ward: Ward) -> None:
    (ward.spool / "sent").rmdir()


def network_share(ward: Ward) -> None:
    ward.mount(ward.database.parent, "nfs4")


# -- database -------------------------------------------------------------------------------------


def lost_database(ward: Ward) -> None:
    ward.db.close()
    ward.database.unlink()
    Path(f"{ward.database}-wal").write_bytes(b"log")


def damaged_database(ward: Ward) -> None:
    ward.db.close()
    content = bytearray(ward.database.read_bytes())
    content[5000:30000] = b"\xff" * 25000
    ward.database.write_bytes(content)


def no_database_at_all(ward: Ward) -> None:
    ward.db.close()
    ward.database.write_bytes(b"this was a letter once" * 500)


def newer_database(ward: Ward) -> None:
    ward.db.close()
    ward.raw(ward.database, "PRAGMA user_version = 99")


def foreign_database(ward: Ward) -> None:
    other = ward.database.with_name("other.db")
    ward.raw(other, "CREATE TABLE patient (name TEXT)")
    other.chmod(0o660)
    ward.configure(database={"path": str(other)})


def stopped_daemon(ward: Ward) -> None:
    ward.know(ModemState.ABSENT, why="/dev/x: it is gone")
    ward.stop()


def clock_fell_back(ward: Ward) -> None:
    ward.sql("INSERT INTO event (at, name) VALUES ('2099-01-01T00:00:00.000Z', 'modem.state')")


# -- ports ----------------------------------------------------------------------------------------


def no_modem(ward: Ward) -> None:
    ward.sql("DELETE FROM modem")
    ward.configure(modems=[])


def stick_that_is_a_disk(ward: Ward) -> None:
    ward.configure(modem={"port": "/dev/gsmgw-nosuch"})
    ward.know(ModemState.ABSENT)
    ward.usb("12d1:1446", "08", "08")


def modem_manager_has_it(ward: Ward) -> None:
    ward.process(612, "ModemManager", ward.port)
    ward.know(ModemState.ABSENT, why="held by another program")


def port_of_another_group(ward: Ward) -> None:
    ward.unit(user=OTHER)
    ward.open_for_all()
    Path(ward.port).chmod(0o600)


def unit_without_the_device(ward: Ward) -> None:
    ward.unit("DeviceAllow=char-ttyUSB rw")


def no_such_port(ward: Ward) -> None:
    ward.configure(modem={"port": "/dev/gsmgw-nosuch"})
    ward.know(ModemState.ABSENT)


def port_that_is_a_file(ward: Ward) -> None:
    ward.configure(modem={"port": str(ward.config)})


def nothing_that_fits(ward: Ward) -> None:
    ward.configure(modem={"port": None, "match": {"usb": "ffff:ffff"}})


def no_pin_file(ward: Ward) -> None:
    ward.configure(modem={"pin_file": str(ward.path / "front.pin")})
    ward.know(ModemState.NEEDS_PIN, why="the PIN file cannot be read")


def pin_file_with_a_word(ward: Ward) -> None:
    (ward.path / "front.pin").write_text("PIN: 1234\n")
    (ward.path / "front.pin").chmod(0o600)
    ward.configure(modem={"pin_file": str(ward.path / "front.pin")})


# -- modems and messages --------------------------------------------------------------------------


def locked_sim(ward: Ward) -> None:
    ward.know(ModemState.NEEDS_PIN, why="the SIM is locked: SIM PUK; unlock it in a phone")


def modem_pulled_out(ward: Ward) -> None:
    ward.know(ModemState.ABSENT, why="it is gone")


def modem_hangs(ward: Ward) -> None:
    ward.know(ModemState.UNRESPONSIVE, why="AT was not answered within 10 s")


def no_network(ward: Ward) -> None:
    ward.know(ModemState.SEARCHING, registration=2)


def no_credit(ward: Ward) -> None:
    ward.sim(SimState.RESTING, "refused 3 different numbers in a row")
    waiting(ward)


def waiting(ward: Ward) -> None:
    """Let a message wait since long ago."""
    ward.sql(
        "INSERT INTO outbox (recipient, text, state, parts, due_at, created_at)"
        " VALUES ('+48500100201', 'x', 'queued', 1, '2026-01-01T00:00:00.000Z',"
        " '2026-01-01T00:00:00.000Z')"
    )


def full_sim(ward: Ward) -> None:
    ward.know(storages={"SM": (20, 20)})


def limit_used_up(ward: Ward) -> None:
    ward.configure(modem={"limits": {"per_month": "1"}})
    sim_id = ward.sim(SimState.WORKING)
    waiting(ward)
    ward.sql(
        "INSERT INTO part (message_id, number, state, sim_id, sent_at)"
        f" VALUES (1, 1, 'sent', {sim_id}, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"
    )


def rows_not_looked_at(ward: Ward) -> None:
    ward.raw(
        ward.database,
        "INSERT INTO outbox (recipient, text, created_at)"
        " VALUES ('+48500100201', 'x', '2026-01-01T00:00:00.000Z')",
    )


def message_in_doubt(ward: Ward) -> None:
    ward.sql(
        "INSERT INTO outbox (recipient, text, state, parts, settled_at)"
        " VALUES ('+48500100201', 'x', 'uncertain', 1, '2026-01-01T00:00:00.000Z')"
    )


def handler_missing(ward: Ward) -> None:
    ward.configure(hooks={"event": ["/usr/local/bin/gsmgw-nosuch"]})


def alarm_program_missing(ward: Ward) -> None:
    ward.configure(alarms={"hook": ["/usr/local/bin/gsmgw-nosuch"]})


def finding_misspelt(ward: Ward) -> None:
    ward.configure(alarms={"also": ["signal.week"]})


def metrics_nowhere(ward: Ward) -> None:
    ward.configure(watching={"metrics": str(ward.path / "nowhere" / "gsmgw.prom")})


def open_to_everybody(ward: Ward) -> None:
    (ward.spool / "incoming").chmod(0o2777)


def no_setgid(ward: Ward) -> None:
    (ward.spool / "incoming").chmod(0o770)


#: What is broken: what must stand first, and words that it must say, what to do among them.
SETUPS: list[tuple[Callable[[Ward], None], str, str, str]] = [
    (no_configuration, "config.missing", "is not there", "sudo gsmgw setup"),
    (misspelt_key, "config.wrong", "", "check"),
    (broken_yaml, "config.wrong", "not with tabs", "check"),
    (configuration_of_somebody_else, "config.unreadable", f"user {OTHER}", "chmod g+r"),
    (unknown_user, "account.missing", "gsmgw-nosuch", "adduser --system"),
    (unknown_group, "account.missing", "gsmgw-nosuch", "addgroup --system"),
    (no_database_directory, "store.directory_missing", "does not exist", "install -d -m 2770"),
    (read_only_disk, "path.read_only", "read-only", "dmesg"),
    (full_disk, "disk.full", "1 MB free", "df -h"),
    (lost_database, "store.remains", "gsmgw.db-wal is there", "gsmgw restore"),
    (damaged_database, "store.damaged", "is damaged", "gsmgw restore"),
    (no_database_at_all, "store.damaged", "is damaged", "gsmgw restore"),
    (newer_database, "store.too_new", "schema 99", "newer gsmgw"),
    (foreign_database, "store.foreign", "another program", "database.path"),
    (database_of_another_user, "path.forbidden", "may not read and write", f"chown {OTHER}"),
    (closed_outgoing, "path.forbidden", "drwx------", f"chown {OTHER}"),
    (unit_without_the_spool, "unit.paths", "write there", "ReadWritePaths="),
    (no_spool, "folder.missing", "does not exist", "install -d -m 2770"),
    (folder_removed, "folder.missing", "has gone", "systemctl restart gsmgw"),
    (network_share, "store.remote", "nfs4", "database.path"),
    (stopped_daemon, "daemon.stopped", "does not run", "systemctl start gsmgw"),
    (clock_fell_back, "clock.suspect", "2099", "timedatectl"),
    (no_modem, "modem.none", "no modem", "sudo gsmgw setup"),
    (stick_that_is_a_disk, "usb.mode", "12d1:1446", "usb-modeswitch"),
    (modem_manager_has_it, "port.held", "ModemManager[612]", "60-gsmgw.rules"),
    (port_of_another_group, "port.forbidden", OTHER, f"adduser {OTHER}"),
    (unit_without_the_device, "unit.devices", "does not let", "DeviceAllow=char-pts"),
    (no_such_port, "port.missing", "/dev/gsmgw-nosuch does not exist", ""),
    (port_that_is_a_file, "port.wrong", "no serial port", "modems.port"),
    (nothing_that_fits, "port.missing", "no device fits ffff:ffff", ""),
    (no_pin_file, "pin.unusable", "is not there", "chmod 0600"),
    (pin_file_with_a_word, "pin.unusable", "4 to 8 digits", "write the PIN"),
    (locked_sim, "sim.unusable", "PUK", "SIM"),
    (modem_pulled_out, "modem.absent", "not there", "lsusb"),
    (modem_hangs, "modem.silent", "does not answer", "plug it in"),
    (no_network, "modem.unregistered", "finds no network", "antenna"),
    (no_credit, "sim.resting", "operator refuses", "gsmgw modem ussd front"),
    (full_sim, "memory.full", "SM is full (20 of 20)", "phone"),
    (limit_used_up, "limit.reached", "month is used up: 1 of 1", "modems.limits"),
    (waiting, "queue.stuck", "1 message", "gsmgw status"),
    (rows_not_looked_at, "rows.stuck", "1 row", "systemctl restart"),
    (message_in_doubt, "messages.uncertain", "1 message", "gsmgw list --state uncertain"),
    (handler_missing, "hook.unusable", "is not there", "hooks.event"),
    (alarm_program_missing, "hook.unusable", "program of alarms is not there", "alarms.hook"),
    (finding_misspelt, "config.unwise", "signal.weak is meant?", "docs/operate.md"),
    (metrics_nowhere, "metrics.unwritable", "does not exist", "watching.metrics"),
    (open_to_everybody, "rights.open", "everybody", "chmod o="),
    (no_setgid, "rights.setgid", "setgid", "chmod g+s"),
]


@pytest.mark.parametrize(
    ("breaks", "name", "what", "do"), SETUPS, ids=[one[0].__name__ for one in SETUPS]
)
def test_the_cause_stands_first(
    ward: Ward, breaks: Callable[[Ward], None], name: str, what: str, do: str
) -> None:
    breaks(ward)
    found = ward.findings()
    first = found[0]
    assert first["name"] == name, found
    assert what in first["what"]
    assert do in first["do"]
    assert "Traceback" not in ward.run("doctor", "--no-modems").output


def test_a_locked_database_names_who_has_it(ward: Ward) -> None:
    other = sqlite3.connect(ward.database, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        ward.process(4711, "sqlitebrowser", ward.database)
        (first, *_) = ward.findings()
    finally:
        other.close()
    assert first["name"] == "store.locked"
    assert "sqlitebrowser[4711]" in first["what"]


def test_what_follows_from_a_cause_is_not_told_as_well(ward: Ward) -> None:
    modem_manager_has_it(ward)
    names = [one["name"] for one in ward.findings()]
    assert names == ["port.held", "modem_manager.running"]


def test_a_simulator_is_the_modem_and_no_intruder(ward: Ward) -> None:
    ward.process(613, "python3", ward.port, "/dev/ptmx")
    assert ward.findings() == []


def test_a_rule_of_udev_keeps_modem_manager_away(ward: Ward) -> None:
    ward.process(612, "ModemManager")
    rules = ward.root / "etc/udev/rules.d/60-gsmgw.rules"
    rules.parent.mkdir(parents=True)
    rules.write_text('ATTRS{idVendor}=="12d1", ENV{ID_MM_DEVICE_IGNORE}="1"\n')
    assert ward.findings() == []


def test_a_modem_less_is_a_warning_where_another_works(ward: Ward) -> None:
    with ward.db.write() as tx:
        tx.run(
            "INSERT INTO modem (name, state, since, updated_at)"
            " VALUES ('back', 'absent', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z')"
        )
    (found,) = ward.findings()
    assert (found["level"], found["name"], found["where"]) == ("warning", "modem.absent", "back")
    second = {"name": "back", "port": "/dev/gsmgw-nosuch"}
    ward.configure(modems=[ward.settings["modems"][0], second])
    (found,) = ward.findings()
    assert (found["level"], found["name"], found["where"]) == ("warning", "port.missing", "back")


def test_files_that_nobody_takes_are_told(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    from gsmgw.gateway.health.record import Outgoing
    from gsmgw.spool import layout

    monkeypatch.setattr(layout, "outgoing", lambda *_: Outgoing(3, 7200.0))
    (found,) = ward.findings()
    assert found["name"] == "files.stuck"
    assert "3 files in outgoing, the oldest for 2 h 0 min" in found["what"]


def test_with_a_wrong_configuration_the_rest_is_looked_at(ward: Ward) -> None:
    misspelt_key(ward)
    damaged_database(ward)
    names = [one["name"] for one in ward.findings()]
    assert names[0] == "config.wrong"
    assert "store.damaged" in names


def test_who_may_not_look_is_sent_for_root_and_frightens_nobody(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As seen by somebody who is not in the group: neither lock nor database can be read."""
    denied = PermissionError(13, "Permission denied", str(ward.database))

    def refuse(*_: object) -> None:
        raise denied

    monkeypatch.setattr(locks, "holder", lambda _path: None)
    monkeypatch.setattr(installation, "_may_look", lambda _config: False)
    monkeypatch.setattr(backup, "examine", refuse)
    (found,) = ward.findings("--json")
    assert (found["name"], found["do"]) == ("doctor.blind", "sudo gsmgw doctor")


def test_one_closed_directory_is_one_finding(ward: Ward) -> None:
    ward.unit(user=OTHER)
    ward.open_for_all()
    ward.spool.chmod(0o2700)
    found = [one for one in ward.findings() if one["name"] == "path.forbidden"]
    assert [one["where"] for one in found] == [str(ward.spool)]


def test_nothing_is_made_or_changed(ward: Ward) -> None:
    ward.stop()
    ward.db.close()
    ward.configure(database={"path": str(ward.path / "db" / "new.db")}, spool={"path": "new"})
    before = sorted(ward.path.rglob("*"))
    ward.findings()
    assert sorted(ward.path.rglob("*")) == before


def test_a_terminal_gets_no_escapes_from_what_is_found(ward: Ward) -> None:
    ward.know(ModemState.NEEDS_PIN, why="\x1b[2J locked")
    shown = ward.run("doctor", "--no-modems").stdout
    assert "\x1b" not in shown
    assert "\\x1b[2J locked" in shown


def test_the_newest_lines_of_the_log_are_shown(ward: Ward) -> None:
    ward.log = ["2026-11-22T08:15:10+0100 box gsmgw[812]: warning modem.lost modem=front"]
    assert "warning modem.lost modem=front" in ward.run("doctor", "--no-modems").stdout


def test_all_findings_are_explained_in_their_order() -> None:
    assert docs_support.table_below("docs/operate.md", "What the doctor finds") == [*finding.ORDER]
