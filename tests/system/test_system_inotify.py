# SPDX-License-Identifier: Apache-2.0
"""The kernel has no file events left: files and rows are found all the same, a little later."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from machine_support import machine


@pytest.mark.parametrize("limit", ["max_inotify_instances", "max_inotify_watches"])
def test_without_file_events_everything_is_found_by_looking(tmp_path: Path, limit: str) -> None:
    with machine(tmp_path / "box", start=False) as box:
        script = f'echo 0 > /proc/sys/user/{limit}; exec "$@"'
        with box.log_path.open("ab") as log:
            box.process = subprocess.Popen(
                [
                    *("unshare", "--map-root-user", "sh", "-c", script, "sh"),
                    *(sys.executable, "-m", "gsmgw", "--config", str(box.config), "run"),
                ],
                cwd=box.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=box.environment(),
            )
        box.until(lambda: {row["state"] for row in box.rows("modem")} == {"ready"})
        box.until(lambda: box.log.count("warning watch.unavailable") >= 1)
        assert f"raise fs.inotify.{limit.replace('max_inotify_', 'max_user_')}" in box.log
        box.drop("file", "To: 48500100201\n\nby file\n")
        row = box.insert("+48500100202", "by row")
        box.sim.receive("+48500100299", "front", "an answer")
        box.until_state(row, "delivered")
        box.until(lambda: box.files("incoming"))
        box.until(lambda: box.files("sent"), 90)  # the scan comes every half minute
        assert sorted(box.texts) == ["by file", "by row"]
        assert "service.failed" not in box.log
        assert box.stop() == 0
