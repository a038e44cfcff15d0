# SPDX-License-Identifier: Apache-2.0
"""Where the demo takes place: a directory, pretend modems in this process, the daemon beside it."""

from __future__ import annotations

import importlib.resources
import os
import queue
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import gsmgw
from gsmgw.clock import MOVED_BY, SystemClock
from gsmgw.errors import GsmgwError
from gsmgw.model import ModemState
from gsmgw.simulator import Simulator, books
from gsmgw.store import modems, outbox
from gsmgw.store.database import Database

#: Folders in which other software finds what came of its files, and what arrived.
WATCHED = ("sent", "failed", "incoming", "report")

#: How long the daemon may take to stop, in seconds.
_STOP_S = 60.0

_CONFIG = """\
# Made by gsmgw demo.
country: PL
timezone: Europe/Warsaw
database: {{path: gsmgw.db}}
spool: {{path: spool}}
modems:
{modems}
{settings}"""

# What any other program would do: no part of gsmgw is in it.
_ROW_WRITER = """\
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=5)
with database:
    database.execute("INSERT INTO outbox (recipient, text, source) VALUES (?, ?, 'demo')",
                     sys.argv[2:])
database.close()
"""


class Stage:
    """Everything that runs for the demo; entering starts it, leaving stops it."""

    def __init__(self, folder: Path, play: str = "", *, moved: Path | None = None) -> None:
        """Set the stage; nothing runs yet.

        Args:
            folder: where everything lies; empty.
            play: the package's folder with this play's files; "" for the messages' play.
            moved: the file by which the time of daemon, commands and network is moved.
        """
        self.folder = folder
        self.spool = folder / "spool"
        self.config = folder / "gsmgw.yaml"
        self.log = folder / "daemon.log"
        self.database = Database(folder / "gsmgw.db")
        self.exit_code: int | None = None
        #: what happens on the air, in order, from the simulator's thread
        self.events: queue.SimpleQueue[books.Event] = queue.SimpleQueue()
        links = folder / "modems"
        links.mkdir()
        self._settings = read(f"{play}/gsmgw.yaml") if play else ""
        self._moved = moved
        scenario = importlib.resources.files("gsmgw.cli.demo") / play / "scenario.yaml"
        with importlib.resources.as_file(scenario) as path:
            self.simulator = Simulator(
                path, source=SystemClock(moved), on_event=self.events.put, directory=links
            )
        self._daemon: subprocess.Popen[bytes] | None = None
        self._seen: set[Path] = set()

    def __enter__(self) -> Self:
        self.simulator.start()
        ports = "\n".join(
            f"  - {{name: {name}, port: {port}}}" for name, port in self.simulator.ports.items()
        )
        self.config.write_text(
            _CONFIG.format(modems=ports, settings=self._settings), encoding="utf-8"
        )
        with self.log.open("wb") as log:
            self._daemon = subprocess.Popen(  # noqa: S603 - our own program
                [*self._command(), "run", "--ends-with", str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=self._environment(),
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop daemon and modems; blocks for some seconds at most. Harmless if they are stopped."""
        self.database.close()
        if self._daemon is not None:
            self._daemon.terminate()
            try:
                self.exit_code = self._daemon.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._daemon.kill()
                self.exit_code = self._daemon.wait()
            self._daemon = None
        self.simulator.stop()

    @property
    def pid(self) -> int | None:
        """The daemon's process id."""
        return None if self._daemon is None else self._daemon.pid

    def is_running(self) -> bool:
        """Tell whether the daemon still runs."""
        return self._daemon is not None and self._daemon.poll() is None

    def is_ready(self) -> bool:
        """Tell whether all modems can send."""
        if not self.database.path.exists() or not (self.spool / "outgoing").is_dir():
            return False
        try:
            rows = modems.listing(self.database)
        except GsmgwError:
            return False  # the daemon is just making the database
        ready = [row for row in rows if row["state"] == ModemState.READY]
        return len(ready) == len(self.simulator.names)

    def is_sending(self) -> bool:
        """Tell whether the result of some part is still to be written down."""
        return bool(outbox.sending_parts(self.database))

    def drop(self, name: str, content: str, folder: str = "outgoing") -> None:
        """Drop a file as other software does: write it elsewhere, then rename it in."""
        hidden = self.spool / folder / f".{name}"
        hidden.write_text(content, encoding="utf-8")
        hidden.rename(self.spool / folder / name)

    def insert(self, recipient: str, text: str) -> None:
        """Insert a row as other software does, in a process of its own.

        Raises:
            GsmgwError: it could not.
        """
        command = [sys.executable, "-c", _ROW_WRITER, str(self.database.path), recipient, text]
        _run(command, self._environment())

    def type(self, *words: str) -> str:
        """Run a command of gsmgw; return what it printed.

        Raises:
            GsmgwError: it failed.
        """
        return _run([*self._command(), *words], self._environment())

    def new_files(self) -> list[Path]:
        """Return the files that have appeared since the last call, in `WATCHED`."""
        found = []
        for name in WATCHED:
            folder = self.spool / name
            for path in sorted(folder.iterdir()) if folder.is_dir() else ():
                if path not in self._seen and not path.name.startswith("."):
                    self._seen.add(path)
                    found.append(path)
        return found

    def files(self, folder: str) -> list[str]:
        """Return the content of all files in a folder of the spool."""
        place = self.spool / folder
        paths = sorted(place.iterdir()) if place.is_dir() else []
        return [path.read_text("utf-8", "replace") for path in paths if path.is_file()]

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "gsmgw", "--config", str(self.config)]

    def _environment(self) -> dict[str, str]:
        """Return our environment, in which this very gsmgw is found even if not installed."""
        here = str(Path(gsmgw.__file__).parent.parent)
        paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
        found = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUTF8": "1"}
        found.pop(MOVED_BY, None)
        return found if self._moved is None else {**found, MOVED_BY: str(self._moved)}


def read(name: str) -> str:
    """Return a file of the demo, as it lies in the package."""
    return (importlib.resources.files("gsmgw.cli.demo") / name).read_text(encoding="utf-8")


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - our own program and Python
        command, env=environment, capture_output=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode != 0:
        words = done.stderr.decode("utf-8", "replace").strip()
        raise GsmgwError(f"{command[-2]} exited with {done.returncode}: {words}")
    return done.stdout.decode("utf-8", "replace")
