# SPDX-License-Identifier: Apache-2.0
"""One record for all who watch: its verdict, the line for Nagios, the metrics, the files."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import replace
from pathlib import Path

import docs_support
import factories
import pytest
from fakes import FakeClock

from gsmgw import __version__, logs
from gsmgw.gateway.health import disks, judgement, metrics, monitor, record
from gsmgw.gateway.health.trouble import Trouble
from gsmgw.gateway.health.watching import Watching
from gsmgw.model import ModemReport, ModemState
from gsmgw.store import modems
from gsmgw.store.database import Database
from gsmgw.store.figures import Owed
from gsmgw.threads import StopToken

NOW = "2026-11-23T08:00:00.000Z"
LONG_AGO = "2026-11-23T06:00:00.000Z"


@pytest.fixture
def health(db: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> record.Health:
    """A record in which all is well."""
    plenty = [disks.Disk("database", "/db", 10**11, 2 * 10**11, 1000)]
    monkeypatch.setattr(disks, "look", lambda _places: plenty)
    with db.write() as tx:
        for name in ("front", "back"):
            report = ModemReport(
                name,
                ModemState.READY,
                service_centre="+48500100299",
                signal_dbm=-71,
                registration=1,
            )
            modems.write_state(tx, report, None)
    return gather(db, clock)


def gather(db: Database, clock: FakeClock) -> record.Health:
    return record.gather(
        factories.make_config(), db, clock.now(), daemon_pid=812, outgoing=record.Outgoing(0, 0.0)
    )


def names(health: record.Health) -> list[str]:
    return [trouble.name for trouble in judgement.judge(health)]


def line(category: str, *, now: int = 1, parts: int = 1) -> record.QueueLine:
    return record.QueueLine(category, now, 0, LONG_AGO, parts)


# -- the verdict ----------------------------------------------------------------------------------


def test_all_is_well(health: record.Health) -> None:
    assert names(health) == []
    assert health.parts_per_hour == 2 * 900


def test_queue_that_stands_still_is_told(health: record.Health) -> None:
    assert names(replace(health, queue=[line("care")])) == ["queue.stuck"]


def test_surveys_may_wait_for_their_hours(health: record.Health) -> None:
    waiting = replace(health, queue=[line("survey", now=5000, parts=90_000)])
    assert names(replace(waiting, surveys_wait=True)) == []
    assert names(waiting) == ["queue.long"]


def test_long_queue_is_measured_by_what_the_modems_can_send(health: record.Health) -> None:
    (found,) = judgement.judge(replace(health, queue=[line("care", now=9000, parts=18_000)]))
    assert found.name == "queue.long"
    assert "18000 SMS wait, which these modems send in 10 hours" in found.what


def test_limits_count_for_what_the_modems_can_send(db: Database, clock: FakeClock) -> None:
    config = factories.make_config(
        modems=[factories.make_modem("front", limits={"per_minute": 2, "per_hour": 100})]
    )
    with db.write() as tx:
        modems.write_state(tx, ModemReport("front", ModemState.READY), None)
    found = record.gather(config, db, clock.now(), daemon_pid=1, outgoing=None)
    assert found.parts_per_hour == 100


def test_what_waits_because_nobody_runs_is_not_told(health: record.Health) -> None:
    dead = replace(health, daemon_pid=None, queue=[line("care")], outgoing=record.Outgoing(9, 999))
    assert names(dead) == ["daemon.stopped"]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"clock_suspect": "it shows 1970"}, "clock.suspect"),
        ({"uncertain_given_up": 2}, "messages.uncertain"),
        ({"unchecked": 3, "unchecked_since": LONG_AGO}, "rows.stuck"),
        ({"outgoing": record.Outgoing(1, 600.0)}, "files.stuck"),
        ({"owed_files": Owed(4, LONG_AGO)}, "files.owed"),
        ({"owed_hooks": Owed(4, LONG_AGO)}, "files.owed"),
        ({"failed_hooks": 10}, "hook.failing"),
        ({"messages_today": {"failed": 8, "sent": 2}}, "messages.failed"),
        ({"wal_octets": 10**8}, "store.wal_large"),
        ({"disks": [disks.Disk("spool", "/s", 0, 10**11, 5)]}, "disk.full"),
        ({"disks": [disks.Disk("spool", "/s", 10**10, 10**11, 0)]}, "disk.full"),
        ({"disks": [disks.Disk("spool", "/s", 10**8, 10**11, 5)]}, "disk.low"),
        ({"modems": []}, "modem.none"),
    ],
)
def test_each_trouble_is_found_alone(
    health: record.Health, change: dict[str, object], name: str
) -> None:
    assert names(replace(health, **change)) == [name]


@pytest.mark.parametrize(
    "change",
    [
        {"unchecked": 3, "unchecked_since": NOW},
        {"unchecked": 3, "unchecked_since": "yesterday"},  # other software writes what it likes
        {"outgoing": None},
        {"owed_files": Owed(4, NOW)},
        {"failed_hooks": 3},
        {"messages_today": {"failed": 8, "sent": 92}},
        {"disks": [disks.Disk("spool", "/s", 4 * 10**7, 10**8, None)]},  # small, and roomy
    ],
)
def test_what_is_in_order_is_not_told(health: record.Health, change: dict[str, object]) -> None:
    assert names(replace(health, **change)) == []


def test_modem_that_comes_up_is_given_time(
    health: record.Health, db: Database, clock: FakeClock
) -> None:
    with db.write() as tx:
        report = ModemReport("front", ModemState.SEARCHING, registration=2)
        modems.write_state(tx, report, None)
    assert names(gather(db, clock)) == []
    clock.advance(600)
    assert names(gather(db, clock)) == ["modem.unregistered"]


def test_refusal_of_the_network_is_told_at_once(
    health: record.Health, db: Database, clock: FakeClock
) -> None:
    with db.write() as tx:
        report = ModemReport("front", ModemState.SEARCHING, registration=3)
        modems.write_state(tx, report, None)
    (found,) = judgement.judge(gather(db, clock))
    assert (found.level, found.name) == ("warning", "modem.unregistered")
    assert "the network refuses this SIM" in found.what


def test_errors_stand_before_warnings(health: record.Health) -> None:
    both = replace(health, wal_octets=10**8, clock_suspect="it shows 1970", uncertain_given_up=1)
    levels = [trouble.level for trouble in judgement.judge(both)]
    assert levels == ["error", "warning", "warning"]


# -- Nagios ---------------------------------------------------------------------------------------


def test_monitor_says_ok_with_figures(health: record.Health) -> None:
    shown = monitor.format_line(health, [])
    assert shown.startswith(
        "GSMGW OK - 2 of 2 modems ready, 0 messages wait | modems_ready=2;;;0;2 "
    )
    figures = shown.partition(" | ")[2].split(" ")
    assert all(re.fullmatch(r"[a-z_]+=\d+B?;;;0(;\d+)?", figure) for figure in figures)


def test_monitor_tells_the_worst_first_on_one_line(health: record.Health) -> None:
    ill = replace(health, clock_suspect="it | shows\n1970", uncertain_given_up=1)
    troubles = judgement.judge(ill)
    shown = monitor.format_line(ill, troubles)
    assert shown.startswith(
        "GSMGW CRITICAL - this machine's clock cannot be right: it / shows 1970;"
    )
    assert "\n" not in shown
    assert shown.count("|") == 1
    assert monitor.code(troubles) == 2
    assert monitor.code(troubles[1:]) == 1
    assert monitor.code([]) == 0


# -- metrics --------------------------------------------------------------------------------------


def test_metrics_are_in_the_text_format(health: record.Health) -> None:
    ill = replace(health, queue=[line("care", now=3)], clock_suspect="it shows 1970")
    text = metrics.format_metrics(ill, judgement.judge(ill))
    sample = re.compile(r'gsmgw_\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? -?[0-9.e+]+')
    lines = text.splitlines()
    assert text.endswith("\n")
    assert not [one for one in lines if not one.startswith("#") and not sample.fullmatch(one)]
    assert len(set(lines)) == len(lines)
    for expected in (
        "gsmgw_daemon_running 1",
        "gsmgw_clock_suspect 1",
        'gsmgw_troubles{level="error"} 1',
        'gsmgw_modem_state{modem="front",state="ready"} 1',
        'gsmgw_modem_state{modem="front",state="absent"} 0',
        'gsmgw_modem_signal_dbm{modem="back"} -71',
        'gsmgw_queue_messages{category="care",due="now"} 3',
        'gsmgw_queue_oldest_seconds{category="care"} 7200',
        'gsmgw_disk_free_bytes{for="database"} 100000000000',
    ):
        assert expected in lines


def test_metrics_name_what_is_wrong_and_how_much_of_a_limit_is_used(health: record.Health) -> None:
    modem = {**health.modems[0], "sent_today": 7}
    modem["limits"] = [{"per": "day", "limit": 500, "used": 7}]
    ill = replace(health, modems=[modem])
    trouble = Trouble("warning", "signal.weak", 'a "b"', "weak", "move it")
    lines = metrics.format_metrics(ill, [trouble, trouble]).splitlines()
    name = modem["name"]
    for expected in (
        r'gsmgw_trouble{name="signal.weak",where="a \"b\"",level="warning"} 1',
        f'gsmgw_build_info{{version="{__version__}"}} 1',
        f'gsmgw_modem_sent_today{{modem="{name}"}} 7',
        f'gsmgw_modem_limit{{modem="{name}",per="day"}} 500',
        f'gsmgw_modem_limit_used{{modem="{name}",per="day"}} 7',
    ):
        assert lines.count(expected) == 1, lines


def test_every_metric_is_documented(health: record.Health) -> None:
    text = metrics.format_metrics(health, [])
    written = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    told = re.findall(r"`(gsmgw_\w+)`", (docs_support.ROOT / "docs/operate.md").read_text())
    assert written == set(told)


# -- files ----------------------------------------------------------------------------------------


def watching(folder: Path, db: Database, clock: FakeClock, **groups: object) -> Watching:
    (folder / "spool").mkdir(exist_ok=True)
    config = factories.make_config(spool={"path": str(folder / "spool")}, **groups)
    return Watching(config, db, clock, lambda: record.Outgoing(0, 0.0))


def test_files_are_replaced_whole(
    health: record.Health, db: Database, clock: FakeClock, tmp_path: Path
) -> None:
    prom = tmp_path / "gsmgw.prom"
    service = watching(tmp_path, db, clock, watching={"metrics": str(prom)})
    service.write()
    status = tmp_path / "spool" / "status.json"
    first = json.loads(status.read_text())
    assert (first["at"], first["troubles"]) == (NOW, [])
    clock.advance(60)
    service.write()
    assert json.loads(status.read_text())["at"] == "2026-11-23T08:01:00.000Z"
    assert "gsmgw_daemon_running 1\n" in prom.read_text()
    assert stat.S_IMODE(status.stat().st_mode) == 0o640
    assert stat.S_IMODE(prom.stat().st_mode) == 0o644
    assert sorted(path.name for path in status.parent.iterdir()) == ["status.json"]


def test_they_are_written_once_a_minute(db: Database, clock: FakeClock, tmp_path: Path) -> None:
    service = watching(tmp_path, db, clock)
    status, stop = tmp_path / "spool" / "status.json", StopToken()
    service.open()
    clock.advance(1)
    service.step(stop)
    status.unlink()
    clock.advance(50)
    stop.set()
    service.step(stop)
    assert not status.exists()
    clock.advance(10)
    service.step(StopToken())
    assert status.exists()
    service.close()


def test_file_that_cannot_be_written_is_told_and_stops_nothing(
    db: Database, clock: FakeClock, tmp_path: Path
) -> None:
    nowhere = tmp_path / "nowhere" / "gsmgw.prom"
    service = watching(tmp_path, db, clock, watching={"metrics": str(nowhere)})
    with logs.capture() as records:
        service.write()
    assert [one.event for one in records] == ["watching.failed"]
    assert (tmp_path / "spool" / "status.json").exists()


def test_database_that_is_gone_is_told(db: Database, clock: FakeClock, tmp_path: Path) -> None:
    service = watching(tmp_path, db, clock)
    with db.write() as tx:
        tx.run("ALTER TABLE event RENAME TO elsewhere")
    with logs.capture() as records:
        service.write()
    assert [one.event for one in records] == ["store.unavailable"]
