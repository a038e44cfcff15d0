# SPDX-License-Identifier: Apache-2.0
"""Start, reload and stop: configurations right and wrong, signals, two daemons, systemd."""

from __future__ import annotations

import datetime as dt
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from site_support import PATIENCE_S, Site, site

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WRONG = """\
country: Poland
database: {path: db/gsmgw.db}
spool: {path: spool, setle: 1s}
modems:
  - {name: front, port: /dev/null, result_timeout: 60}
  - {name: front, port: /dev/zero}
sending: {hours: {mon-sun: "20:00-08:00"}}
"""


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Site]:
    scenario = {
        "modems": [{"name": "front", "submit": "500ms"}, {"name": "back", "submit": "500ms"}],
        "network": {"delivery": "0s", "report": "0s"},
    }
    with site(tmp_path / "box", scenario, modem={"result_timeout": "60s"}, start=False) as closed:
        closed.configure(modem={"result_timeout": "60s"}, names=["front"])
        yield closed


def is_pending(box: Site) -> bool:
    """Tell whether a part is on its way from the modem to the network."""
    return any(submit.outcome == "pending" for submit in box.sim.books.submits)


# -- configuration --------------------------------------------------------------------------------


def test_a_wrong_configuration_ends_with_78_and_every_mistake_on_its_line(box: Site) -> None:
    box.config.write_text(WRONG)
    done = box.run("run")
    assert done.returncode == 78
    told = done.stderr.splitlines()
    assert [line.split("line ")[1].split(":")[0] for line in told] == ["1", "3", "5", "6", "7"]
    for line, word in zip(told, ("country", "settle", "60", "front", "hours"), strict=True):
        assert line.startswith(f"{box.config}, line ")
        assert word in line
    assert not box.database.exists()
    assert not (box.spool / "outgoing").exists()


def test_a_missing_configuration_ends_with_78(box: Site) -> None:
    box.config.unlink()
    done = box.run("run")
    assert done.returncode == 78
    assert str(box.config) in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_wrong_reload_keeps_the_old_configuration(box: Site) -> None:
    box.start()
    box.config.write_text(WRONG)
    box.reload()
    box.until(lambda: len(box.lines("error config.refused")) == 5)
    box.drop("after", "To: 48500100201\n\nstill here\n")
    box.until(lambda: box.phone("+48500100201") == ["still here"])
    assert box.stop() == 0


def test_a_reload_takes_over_and_loses_nothing_in_flight(box: Site) -> None:
    box.start()
    for number in range(4):
        box.insert(f"+4850010020{number}", "over the reload")
    box.until(lambda: is_pending(box))
    hours = {DAYS[(dt.datetime.now().astimezone().weekday() + 3) % 7]: "08:00-09:00"}
    box.configure(
        {"sending": {"hours": hours}, "logs": {"private": "yes"}}, {"result_timeout": "60s"}
    )
    box.reload()
    box.until(lambda: box.lines("info config.reloaded"))
    assert "modems,sending,logs" in box.lines("info config.reloaded")[0]
    box.until(box.is_ready)  # the second modem as well
    wished = box.insert("+48500100210", "by the new modem", modem="back")
    survey = box.insert("+48500100211", "not at this hour", category="survey")
    box.until_state(wished, "delivered")
    for number in range(4):
        box.until(lambda n=number: box.phone(f"+4850010020{n}") == ["over the reload"])
    assert box.sim.books.duplicates() == []
    assert box.lines("uncertain") == []
    box.until_state(survey, "queued")
    box.until(lambda: box.lines("part.sent", "recipient=+48500100210"))  # no longer masked
    box.reload()
    box.until(lambda: box.lines("info config.unchanged"))
    assert box.stop() == 0


def test_database_and_spool_wait_for_a_restart(box: Site) -> None:
    box.start()
    box.configure({"spool": {"settle": "900ms"}}, {"result_timeout": "60s"}, names=["front"])
    box.reload()
    box.until(lambda: box.lines("warning config.needs_restart", "keys=spool"))
    assert box.stop() == 0


# -- stopping -------------------------------------------------------------------------------------


def test_sigterm_in_the_middle_of_a_submit_finishes_the_part(tmp_path: Path) -> None:
    scenario = {"modems": [{"name": "front"}], "network": {"reports": "no"}}
    with site(tmp_path / "box", scenario, modem={"result_timeout": "60s"}) as box:
        box.sim.fault("front", "late-answer", after="6s", times=1)  # time enough to stop meanwhile
        first = box.insert("+48500100201", "in flight")
        box.until(lambda: box.sim.books.submits)
        second = box.insert("+48500100202", "waits")
        assert box.stop() == 0
        assert box.message(first)["state"] == "sent"
        assert box.message(second)["state"] in ("new", "queued")
        assert [submit.text for submit in box.sim.books.submits] == ["in flight"]
        assert box.log.splitlines()[-1] == "info daemon.stopped code=0"
        box.start()
        box.until_state(second, "sent")
        assert [submit.text for submit in box.sim.books.submits] == ["in flight", "waits"]


def test_sigint_stops_as_well(box: Site) -> None:
    box.start()
    assert box.process is not None
    box.process.send_signal(2)
    assert box.process.wait(PATIENCE_S) == 0
    box.process = None


# -- two daemons ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shared", ["database", "spool"])
def test_a_second_daemon_is_refused_and_told_who_runs(box: Site, shared: str) -> None:
    box.start()
    assert box.process is not None
    pid = box.process.pid
    settings = yaml.safe_load(box.config.read_text())
    if shared == "database":
        settings["spool"]["path"] = str(box.folder / "other-spool")
        (box.folder / "other-spool").mkdir()
    else:
        (box.folder / "other-db").mkdir()
        settings["database"]["path"] = str(box.folder / "other-db" / "gsmgw.db")
    other = box.folder / "other.yaml"
    other.write_text(yaml.safe_dump(settings))
    done = box.run("--config", str(other), "run")
    assert done.returncode == 69
    line = done.stderr.splitlines()[-1]
    assert line.startswith("error daemon.refused ")
    assert f"another gsmgw (process {pid}) already works on {shared}" in line
    box.drop("goes-on", "To: 48500100201\n\nthe first goes on\n")
    box.until(lambda: box.phone("+48500100201") == ["the first goes on"])


# -- systemd --------------------------------------------------------------------------------------


def test_systemd_is_told_of_every_turn(box: Site, tmp_path: Path) -> None:
    address = tmp_path / "notify"
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(address))
        channel.setblocking(False)

        def has_heard(*words: str) -> bool:
            while True:
                try:
                    heard.extend(channel.recv(4096).decode().splitlines())
                except BlockingIOError:
                    return all(word in heard for word in words)

        limit = {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "1000000"}
        box.start(env=limit)
        box.until(lambda: has_heard("READY=1", "WATCHDOG=1"))
        assert heard[0] == "READY=1"
        assert any(line.startswith("STATUS=") for line in heard)
        assert "RELOADING=1" not in heard
        heard.clear()
        box.configure({"logs": {"private": "yes"}}, {"result_timeout": "60s"}, names=["front"])
        box.reload()
        box.until(lambda: has_heard("RELOADING=1", "READY=1"))
        assert heard.index("RELOADING=1") < heard.index("READY=1")
        assert any(line.startswith("MONOTONIC_USEC=") for line in heard)
        heard.clear()
        box.until(lambda: has_heard("WATCHDOG=1"))
        assert box.stop() == 0
        assert has_heard("STOPPING=1")


def test_what_is_on_a_messages_way_shares_a_processor_and_the_rest_is_free(box: Site) -> None:
    box.start()
    assert box.process is not None
    allowed = os.sched_getaffinity(0)
    threads = [int(task.name) for task in Path(f"/proc/{box.process.pid}/task").iterdir()]
    where = [os.sched_getaffinity(thread) for thread in threads]
    assert where.count({max(allowed)}) >= 3, "files, rows and one modem"
    assert os.sched_getaffinity(box.process.pid) == allowed


def test_nothing_of_the_daemon_is_left_running(box: Site) -> None:
    sleeper = ["/bin/sh", "-c", "sleep 600 & sleep 600", "handler"]
    box.configure({"hooks": {"event": sleeper}}, {"result_timeout": "60s"}, names=["front"])
    box.start()
    box.drop("hook", "To: 48500100201\n\nx\n")
    box.until(lambda: box.content("sent", "hook"))
    assert box.process is not None
    pid = box.process.pid
    box.until(lambda: children_of(pid))
    (child,) = children_of(pid)
    assert box.stop() == 0
    box.until(lambda: not members_of(child))
    assert box.lines("hook.interrupted")


def children_of(pid: int) -> list[int]:
    return [child for child, _, parent, _ in processes() if parent == pid]


def members_of(group: int) -> list[int]:
    """Return the processes of a group that still run; where nobody buries the dead they stay."""
    return [pid for pid, state, _, own in processes() if own == group and state != "Z"]


def processes() -> Iterator[tuple[int, str, int, int]]:
    """Yield pid, state, parent and group of all processes."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent, group = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        yield int(folder.name), state, int(parent), int(group)


# -- rehearsals -----------------------------------------------------------------------------------


def test_a_moved_clock_moves_what_is_due(box: Site) -> None:
    moved = box.folder / "clock"
    moved.write_text("0\n")
    box.start(env={"GSMGW_CLOCK": str(moved)})
    later = box.insert("+48500100201", "tomorrow", not_before="2099-01-01T00:00:00Z")
    box.until_state(later, "queued")
    aside = box.folder / "clock.new"
    aside.write_text(f"{80 * 365 * 86400}\n")
    aside.rename(moved)
    box.until(lambda: box.message(later)["sent_at"])
    assert "warning clock.moved file=" in box.log


def test_a_moved_clock_is_refused_with_a_modem_that_is_not_simulated(box: Site) -> None:
    moved = box.folder / "clock"
    moved.write_text("0\n")
    box.configure({"modems": [{"name": "front", "port": "/dev/null"}]}, names=["front"])
    box.start(wait=False, env={"GSMGW_CLOCK": str(moved)})
    assert box.process is not None
    assert box.process.wait(PATIENCE_S) == 69
    box.process = None
    assert "modem front is no simulated one" in box.log
