# SPDX-License-Identifier: Apache-2.0
"""Temporary directories: gone with their process, and gone at the next one's start if it died."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from cli_support import ROOT

from gsmgw.simulator import Simulator, park, scratch

KIND = "gsmgw-test-"
HOLDER = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from gsmgw.simulator import scratch
made = scratch.Scratch({KIND!r})
(made.path / "file").write_text("x")
print(made.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def hold() -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_directory_of_a_killed_process_is_removed_by_the_next(place: Path) -> None:
    process, path = hold()
    with process:
        with scratch.scratch(KIND):
            assert (path / "file").exists()  # that of a living one is left alone
        process.kill()
        process.wait()
    assert path.exists()
    with scratch.scratch(KIND) as other:
        assert list(place.iterdir()) == [other]
    assert list(place.iterdir()) == []


def test_what_is_no_directory_of_ours_stays(place: Path) -> None:
    (place / "elsewhere").mkdir()
    (place / f"{KIND}link").symlink_to(place / "elsewhere")
    (place / f"{KIND}file").write_text("x")
    (place / "gsmgw-other").mkdir()
    with scratch.scratch(KIND):
        pass
    assert len(list(place.iterdir())) == 4


def test_simulator_leaves_no_directory(place: Path) -> None:
    left = place / f"{park.SCRATCH}of-a-killed-one"
    left.mkdir()
    with Simulator({"modems": [{"name": "front"}]}) as simulator:
        folder = Path(simulator.ports["front"]).parent
        assert folder.parent == place
        assert not left.exists()
    assert list(place.iterdir()) == []
