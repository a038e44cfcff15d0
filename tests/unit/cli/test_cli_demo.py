# SPDX-License-Identifier: Apache-2.0
"""`gsmgw demo` keeps its promises, says so if it does not, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from pathlib import Path

import pytest
from cli_support import ROOT, finish, start

from gsmgw.cli.demo import narrator
from gsmgw.simulator import scratch


def leftovers(place: Path) -> list[str]:
    return [path.name for path in place.iterdir()]


@pytest.mark.slow
def test_the_demo_does_what_it_promises(tmp_path: Path) -> None:
    code, out, err = finish(start("demo", env={"TMPDIR": str(tmp_path)}))
    assert (code, err) == (0, ""), out
    for words in (
        "| X-Clinic: 4711",
        "spool     sent/reminder",
        "spool     report/",
        "| TAK, dziękuję",
        "put together from 3 parts: Dzień dobry 👋",
        "| Fail_reason: ",
        "Unassigned (unallocated) number",
        "| Call_type: missed",
        "2) Lukasz 10:35. Odpisz TAK (wszystkie)",
        "| 2026-03-03 10:16;A-1003;2026-03-05 11:00;4713;Piotr;+48500100212;reminder_a;declined;",
        "| A-1004;2026-03-05 11:20;4714;Ewa;+48500100213;unconfirmed;0;",
        "All as promised",
    ):
        assert words in out
    assert leftovers(tmp_path) == []


@pytest.mark.slow
def test_the_demo_can_be_kept(tmp_path: Path) -> None:
    place = tmp_path / "kept"
    code, out, err = finish(start("demo", "--keep", place, env={"TMPDIR": str(tmp_path)}))
    assert (code, err) == (0, ""), out
    assert f"gsmgw --config {place}/gsmgw.yaml list" in out
    assert leftovers(tmp_path) == ["kept"]
    code, out, _ = finish(start("list", "--json", config=place / "gsmgw.yaml"))
    assert code == 0
    assert out.count('"state": "delivered"') == 3


@pytest.mark.slow
def test_a_daemon_that_does_not_start_breaks_the_promise(tmp_path: Path) -> None:
    # The demo itself does without watchdog, the daemon does not.
    hidden = tmp_path / "path"
    hidden.mkdir()
    (hidden / "watchdog.py").write_text("raise ImportError('not today')\n")
    environment = {"TMPDIR": str(tmp_path), "PYTHONPATH": f"{hidden}:{ROOT}"}
    code, out, err = finish(start("demo", env=environment))
    assert code == 1
    assert "gsmgw: missing: both modems are ready" in err
    assert "not today" in out
    assert leftovers(tmp_path) == ["path"]


@pytest.mark.slow
def test_an_interrupted_demo_stops_its_daemon(tmp_path: Path) -> None:
    process = start("demo", env={"TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"})
    assert process.stdout is not None
    for line in process.stdout:
        if b"runs as process" in line:
            daemon = int(line.split(b"process ")[1].split(b";")[0])
            break
    process.send_signal(signal.SIGTERM)
    assert finish(process)[0] == 0
    with pytest.raises(ProcessLookupError):
        os.kill(daemon, 0)
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (
            {
                "event": "submitted",
                "modem": "front",
                "recipient": "+1",
                "text": "x",
                "concat": {"number": 2, "total": 3, "ref": 1},
            },
            ("modem", "front sends to +1, part 2 of 3: x"),
        ),
        (
            {"event": "refused", "recipient": "+1", "code": 1},
            ("network", "refuses +1: +CMS ERROR 1: Unassigned (unallocated) number"),
        ),
        (
            {"event": "delivered", "recipient": "+1", "text": "x", "parts": 1},
            ("phone", "+1 has it: x"),
        ),
        (
            {"event": "report", "modem": "back", "mr": 7, "recipient": "+1", "status": 0},
            ("network", "reports to back: its message to +1 with reference 7 has arrived"),
        ),
        (
            {"event": "report", "modem": "back", "mr": 7, "recipient": "+1", "status": 70},
            (
                "network",
                "reports to back: its message to +1 with reference 7:"
                " status 70: SM validity period expired",
            ),
        ),
        ({"event": "call", "number": "+1", "modem": "back"}, ("phone", "+1 rings modem back")),
        ({"event": "call-ended", "by": "caller", "modem": "back", "rings": 1}, None),
        ({"event": "plugged", "modem": "front"}, None),
    ],
)
def test_events_become_words(event: dict[str, object], told: tuple[str, str] | None) -> None:
    assert narrator.describe(event) == told


def test_the_files_of_the_clinics_days_are_shown() -> None:
    code, out, err = finish(start("demo", "--files"))
    assert (code, err) == (0, "")
    assert "name: Przychodnia Lipowa" in out
    assert "A-1003;05.03.2026;11:00;dr Jan Zieliński" in out


@pytest.mark.slow
def test_a_killed_demo_takes_its_daemon_along_and_the_next_clears_up(tmp_path: Path) -> None:
    environment = {"TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    process = start("demo", env=environment)
    assert process.stdout is not None
    for line in process.stdout:
        if b"runs as process" in line:
            daemon = int(line.split(b"process ")[1].split(b";")[0])
            break
    process.kill()
    finish(process)
    pause = threading.Event()
    for _ in range(9000):
        if is_gone(daemon):
            break
        pause.wait(0.02)
    else:
        raise AssertionError("the daemon runs on")
    assert len(leftovers(tmp_path)) == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path))
        with scratch.scratch("gsmgw-demo-") as folder:
            assert leftovers(tmp_path) == [folder.name]


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended, even if nobody has asked for its end."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
