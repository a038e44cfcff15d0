# SPDX-License-Identifier: Apache-2.0
"""A box whose machine misbehaves: clock, disk, users, other programs in its database."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import libfaketime
import mortal_launcher
from site_support import PATIENCE_S, ROOT, Site

LAUNCHER = ROOT / "tests" / "machine_launcher.py"
#: So long, in seconds, a process keeps the time shift that it has read.
_CACHED_S = 1
#: A user that owns nothing.
NOBODY = 65534


class Machine(Site):
    """A box whose wall clock can be moved, whose disk can be full, whose daemon can be refused."""

    offset_s: float | None = None  #: of the daemon's wall clock; None leaves it alone

    # -- time -------------------------------------------------------------------------------------

    def move_clock(self, offset_s: float) -> None:
        """Move the wall clock of the daemon and of commands: so far from the right time.

        A daemon that runs sees it when this returns.
        """
        aside = self.folder / "faketime.new"
        aside.write_text(f"{offset_s:+.0f}\n")
        aside.rename(self.folder / "faketime")
        self.offset_s = offset_s
        if self.process is not None:
            quiet(_CACHED_S + 0.2)

    def now(self, plus_s: float = 0) -> str:
        """Return the time that the box has, as the store writes it."""
        at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=plus_s + (self.offset_s or 0))
        return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def environment(self) -> dict[str, str]:
        """Return what a process of the box is started with."""
        found = {**os.environ, "PYTHONPATH": str(ROOT)}
        if self.offset_s is not None:
            found |= {
                "LD_PRELOAD": _library(),
                "FAKETIME_TIMESTAMP_FILE": str(self.folder / "faketime"),
                # Without it each look at the time reads the file anew, and another thread that
                # looks in the midst of that gets the machine's own time.
                "FAKETIME_CACHE_DURATION": str(_CACHED_S),
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "FAKETIME_DISABLE_SHM": "1",
                "NO_FAKE_STAT": "1",
            }
        return found

    # -- processes --------------------------------------------------------------------------------

    def start(self, *, wait: bool = True, env: Mapping[str, str] | None = None) -> None:
        """Start the daemon in the box's time."""
        super().start(wait=wait, env={**self.environment(), **(env or {})})

    def start_failing(self) -> Path:
        """Start the daemon on a machine that fails on demand; return the directory of flags."""
        flags = self.folder / "flags"
        flags.mkdir(exist_ok=True)
        before = len(self.log)
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                mortal_launcher.command(
                    [sys.executable, str(LAUNCHER), str(self.config), str(flags)]
                ),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment(),
            )
        self.until_up(before)
        return flags

    def run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line, in the box's time."""
        return subprocess.run(
            [sys.executable, "-m", "gsmgw", "--config", str(self.config), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=self.environment(),
            timeout=PATIENCE_S,
        )

    def refused(self) -> tuple[int, str]:
        """Start a daemon that must not start; return its exit code and what it says."""
        before = len(self.log)
        self.start(wait=False)
        assert self.process is not None
        code = self.process.wait(PATIENCE_S)
        self.process = None
        return code, self.log[before:]

    # -- other programs ---------------------------------------------------------------------------

    def foreign(self) -> sqlite3.Connection:
        """Open the database as other software does, without transactions of its own making."""
        return sqlite3.connect(self.database, timeout=30, isolation_level=None)

    @property
    def texts(self) -> list[str]:
        """What the network took, in order."""
        return [submit.text or "" for submit in self.sim.books.taken]


@contextlib.contextmanager
def machine(folder: Path, *args: Any, start: bool = True, **more: Any) -> Iterator[Machine]:
    """Set up a box, start it, and take it down whatever happens."""
    box = Machine(folder, *args, **more)
    try:
        if start:
            box.start()
        yield box
    finally:
        box.close()


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """Make a temporary directory that any user may enter and only root writes into."""
    folder = Path(tempfile.mkdtemp(prefix="gsmgw-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def quiet(seconds: float) -> None:
    """Let time pass in which nothing is to happen."""
    time.sleep(seconds)


def _library() -> str:
    folder = Path(libfaketime.__file__).parent
    return str(next(folder.rglob("libfaketime.so.1")))
