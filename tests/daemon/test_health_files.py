# SPDX-License-Identifier: Apache-2.0
"""The real daemon tells watchers how it is, and the doctor has nothing to say of a sound box."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from site_support import Site, site

from gsmgw import locks

pytestmark = pytest.mark.slow


def status(box: Site) -> dict[str, Any]:
    """Return what status.json says; {} while it is not there."""
    content = box.content(".", "status.json")
    found: dict[str, Any] = json.loads(content) if content else {}
    return found


def examine(box: Site, *options: str) -> tuple[int, list[dict[str, str]]]:
    """Return exit code and findings, without those that are this machine's (room on its disks)."""
    done = box.run("doctor", "--json", *options)
    assert not done.stderr, done.stderr
    found: list[dict[str, str]] = json.loads(done.stdout)["findings"]
    others = ("disk.low", "modem_manager.running", "gateway.other", "config.unwise")
    return done.returncode, [one for one in found if one["name"] not in others]


def test_daemon_writes_its_files_and_the_doctor_is_content(tmp_path: Path) -> None:
    prom = tmp_path / "metrics" / "gsmgw.prom"
    prom.parent.mkdir()
    with site(tmp_path, settings={"watching": {"metrics": str(prom)}}, start=False) as box:
        box.database.parent.chmod(0o2770)
        box.spool.chmod(0o2770)
        box.start()
        assert box.process is not None
        box.until(lambda: status(box) and prom.exists())
        assert status(box)["daemon"] == {"running": True, "pid": box.process.pid}
        assert "gsmgw_daemon_running 1\n" in prom.read_text()
        assert examine(box) == (1, [])  # its short result time-out is unwise
        assert box.run("status", "--monitor").returncode in (0, 1)

        box.kill()
        _, (first, *_) = examine(box, "--no-modems")
        assert first["name"] == "daemon.stopped"
        assert box.run("status", "--monitor").returncode == 2


def test_doctor_names_the_modem_that_was_pulled_out(tmp_path: Path) -> None:
    with site(tmp_path) as box:
        box.sim.unplug("front")
        box.until(lambda: not box.is_ready())
        code, found = examine(box)
        names = [one["name"] for one in found if one["name"][:6] != "rights"]
        assert (code, names[0]) == (1, "port.missing")


def test_doctor_knows_what_the_daemon_has_read(tmp_path: Path) -> None:
    with site(tmp_path) as box:
        lock = locks.database_lock(box.database)
        os.utime(lock, (1_700_000_000, 1_700_000_000))  # as if it had started long ago
        _, found = examine(box, "--no-modems")
        assert "config.pending" in [one["name"] for one in found]
        box.reload()
        box.until(lambda: lock.stat().st_mtime > 1_700_000_000)
        _, found = examine(box, "--no-modems")
        assert "config.pending" not in [one["name"] for one in found]
