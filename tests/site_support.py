# SPDX-License-Identifier: Apache-2.0
"""A clinic's box in a temporary directory: the real `gsmgw run`, simulated modems, real files."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import mortal_launcher
import yaml

from gsmgw.clock import Clock
from gsmgw.simulator import Simulator

ROOT = Path(__file__).resolve().parent.parent

#: For waits that end much earlier; only a broken thing waits so long, however slow the machine is.
PATIENCE_S = 100.0
#: After a look that found nothing, a test rests so many times as long as the look took.
_REST = 4.0
#: What SQLite says of a database that is not there yet, or is just being made.
_NOT_THERE = ("no such table", "unable to open", "readonly database")

_VALUE = r'(?:[^\s"=]+|"(?:[^"\\]|\\.)*")'
#: A line of the log: level, event, fields.
LOG_LINE = re.compile(rf"(?:error|warning|info) [a-z_]+\.[a-z_]+(?: [a-z_]+={_VALUE})*")


class Site:
    """One box. `start` and `kill` as often as wanted; the simulator's books go on counting."""

    def __init__(
        self,
        folder: Path,
        scenario: Mapping[str, object] | None = None,
        *,
        settings: Mapping[str, Any] | None = None,
        modem: Mapping[str, Any] | None = None,
        source: Clock | None = None,
    ) -> None:
        self.folder = folder
        self.spool = folder / "spool"
        self.database = folder / "db" / "gsmgw.db"
        self.database.parent.mkdir(parents=True)
        self.spool.mkdir()
        self.sim = Simulator(scenario or {"modems": [{"name": "front"}]}, source=source)
        self.sim.start()
        self.config = folder / "gsmgw.yaml"
        self.log_path = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None
        self.configure(settings, modem)

    def configure(
        self,
        settings: Mapping[str, Any] | None = None,
        modem: Mapping[str, Any] | None = None,
        *,
        names: Sequence[str] | None = None,
    ) -> None:
        """Write the configuration: all simulated modems, or those named, and what a test wants."""
        self.names = list(self.sim.ports if names is None else names)
        document: dict[str, Any] = {
            "database": {"path": str(self.database)},
            "spool": {"path": str(self.spool), "settle": "100ms"},
            "logs": {"messages": "each"},
            "modems": [
                {"name": name, "port": port, "result_timeout": "2s", **(modem or {})}
                for name, port in self.sim.ports.items()
                if name in self.names
            ],
        }
        for key, value in (settings or {}).items():
            if isinstance(value, Mapping) and isinstance(document.get(key), dict):
                document[key].update(value)
            else:
                document[key] = value
        self.config.write_text(yaml.safe_dump(document, default_flow_style=False))

    # -- the process --------------------------------------------------------------------------

    def start(self, *, wait: bool = True, env: Mapping[str, str] | None = None) -> None:
        """Start the daemon; wait until its modems are ready unless told not to."""
        before = len(self.log)
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                mortal_launcher.command(
                    [sys.executable, "-m", "gsmgw", "--config", str(self.config), "run"]
                ),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
            )
        if wait:
            self.until_up(before)

    def until_up(self, before: int) -> None:
        """Wait until the modems can send of a daemon that was started when the log was so long.

        The table of modems is not enough: there, they are as ready as the daemon before left them.
        """
        told = [f"info modem.state modem={name} state=ready" for name in self.names]
        self.until(lambda: all(line in self.log[before:] for line in told) and self.is_ready())

    def is_ready(self) -> bool:
        """Tell whether all modems of the configuration can send."""
        ready = {row["name"] for row in self.rows("modem") if row["state"] == "ready"}
        return set(self.names) <= ready

    def stop(self, timeout_s: float = PATIENCE_S) -> int:
        """End the daemon with SIGTERM; return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout_s)
        self.process = None
        return code

    def reload(self) -> None:
        """Send SIGHUP; the daemon reads its configuration again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        """End the daemon with SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None

    def close(self) -> None:
        """End everything."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            self.process.wait()
        self.sim.stop()

    @property
    def log(self) -> str:
        """All that the daemon has logged."""
        return self.log_path.read_text("utf-8", "replace") if self.log_path.exists() else ""

    def run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line."""
        return subprocess.run(
            [sys.executable, "-m", "gsmgw", "--config", str(self.config), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            timeout=PATIENCE_S,
        )

    # -- the doors ------------------------------------------------------------------------------

    def drop(self, name: str, content: str | bytes) -> Path:
        """Put a file into outgoing the right way: written elsewhere, renamed in."""
        aside = self.folder / f"aside-{time.monotonic_ns()}"
        aside.write_bytes(content.encode() if isinstance(content, str) else content)
        target = self.spool / "outgoing" / name
        aside.rename(target)
        return target

    def insert(self, recipient: str, text: str, **columns: object) -> int:
        """Insert a row as other software does; return its id."""
        names = ["recipient", "text", *columns]
        marks = ", ".join("?" * len(names))
        connection = sqlite3.connect(self.database, timeout=30)
        try:
            with connection:
                cursor = connection.execute(
                    f"INSERT INTO outbox ({', '.join(names)}) VALUES ({marks})",
                    [recipient, text, *columns.values()],
                )
            return int(cursor.lastrowid or 0)
        finally:
            connection.close()

    def rows(self, table: str, where: str = "1", *params: object) -> list[dict[str, Any]]:
        """Read rows as other software does; [] while there is no database yet."""
        try:
            connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30)
        except sqlite3.OperationalError:
            return []
        try:
            connection.row_factory = sqlite3.Row
            sql = f"SELECT * FROM {table} WHERE {where}"
            return [dict(row) for row in connection.execute(sql, params)]
        except sqlite3.OperationalError as error:
            if any(words in str(error) for words in _NOT_THERE):
                return []
            raise
        finally:
            connection.close()

    def message(self, message_id: int) -> dict[str, Any]:
        """Return one row of the outbox."""
        return self.rows("outbox", "id = ?", message_id)[0]

    def files(self, folder: str) -> dict[str, str]:
        """Return the files of a spool folder: name and content."""
        place = self.spool / folder
        found = {}
        for path in place.iterdir() if place.is_dir() else ():
            with contextlib.suppress(FileNotFoundError):
                if path.is_file():
                    found[path.name] = path.read_text("utf-8", "replace")
        return found

    def content(self, folder: str, name: str) -> str:
        """Return what a file of the spool holds; "" while it is not there."""
        try:
            return (self.spool / folder / name).read_bytes().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""

    def with_line(self, folder: str, line: str) -> list[str]:
        """Return the contents of the files in a folder that have a certain line."""
        return [text for text in self.files(folder).values() if line in text.splitlines()]

    def lines(self, *words: str) -> list[str]:
        """Return the lines of the log that have all these words."""
        return [line for line in self.log.splitlines() if all(word in line for word in words)]

    def phone(self, number: str) -> list[str | None]:
        """Return the texts that one phone got."""
        return [message.text for message in self.sim.books.inbox(number)]

    def result(self, name: str, folder: str = "sent") -> Any:
        """Return the result document of a JSON file."""
        return json.loads((self.spool / folder / f"{name}.result.json").read_text())

    # -- waiting --------------------------------------------------------------------------------

    def until(self, condition: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
        """Wait until something holds; fail with the log if it never does."""
        deadline = time.monotonic() + timeout_s
        while True:
            has_ended = self.process is not None and self.process.poll() is not None
            began_at = time.monotonic()
            if condition():
                return
            if has_ended and self.process is not None:
                raise AssertionError(f"the daemon ended: {self.process.returncode}\n{self.log}")
            if time.monotonic() > deadline:
                raise AssertionError(f"it never came about; the log:\n{self.log[-6000:]}")
            # A look takes time from the daemon and from the modems, which live in this process.
            time.sleep(max(0.01, _REST * (time.monotonic() - began_at)))

    def until_state(self, message_id: int, *states: str, timeout_s: float = PATIENCE_S) -> None:
        """Wait until a message is in one of these states."""
        self.until(lambda: self.message(message_id)["state"] in states, timeout_s)


def check_log(box: Site) -> None:
    """Read the log as a technician, or a stranger: whole lines, no number, no text, no echo."""
    lines = box.log.splitlines()
    broken = [line for line in lines if not LOG_LINE.fullmatch(line)]
    assert broken == []
    books = box.sim.books
    numbers = {submit.recipient for submit in books.submits}
    numbers |= {one.sender for one in books.incoming} | {one.number for one in books.calls}
    texts = {submit.text for submit in books.submits} | {one.text for one in books.incoming}
    log = "\n".join(line for line in lines if "spool." not in line)
    told = [word for word in numbers | texts if word and len(word) > 5 and word.lstrip("+") in log]
    assert told == []
    for event in ("message.accepted", "part.sent", "sms.received", "call.missed"):
        told = [line for line in lines if line.startswith(f"info {event} ")]
        assert sorted(told) == sorted(set(told)), f"{event} is told twice"


@contextlib.contextmanager
def site(folder: Path, *args: Any, start: bool = True, **more: Any) -> Iterator[Site]:
    """Set up a box, start it, and take it down whatever happens."""
    box = Site(folder, *args, **more)
    try:
        if start:
            box.start()
        yield box
    finally:
        box.close()
