# SPDX-License-Identifier: Apache-2.0
"""A place with a configuration and a database, in which commands are run as a person would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import mortal_launcher
from click.testing import CliRunner, Result

from gsmgw.cli import main
from gsmgw.model import ErrorFamily, InboundPdu, InboxKind, ModemReport, ModemState, PartState
from gsmgw.store import modems, outbox, reports
from gsmgw.store.database import Database
from gsmgw.store.inbox import Arrival, RawPart, add, add_raw

ROOT = Path(__file__).parent.parent

CONFIG = """\
country: PL
timezone: Europe/Warsaw
database: {path: gsmgw.db}
spool: {path: spool}
modems:
  - {name: front, port: /dev/pretend-front}
  - {name: back, port: /dev/pretend-back}
"""


@dataclass
class Place:
    """A directory with everything in it."""

    path: Path
    database: Database = field(init=False)

    def __post_init__(self) -> None:
        self.config = self.path / "gsmgw.yaml"
        self.config.write_text(CONFIG)
        self.database = Database(self.path / "gsmgw.db")
        self.database.open()

    def run(self, *args: object, stdin: bytes | str | None = None) -> Result:
        """Run a command in this process."""
        words = ["--config", str(self.config), *map(str, args)]
        return CliRunner().invoke(main.cli, words, input=stdin)

    def good(self, *args: object, stdin: bytes | str | None = None) -> str:
        """Run a command that must succeed; return what it printed."""
        result = self.run(*args, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *args: object, stdin: bytes | str | None = None) -> object:
        """Run a command with --json; return the document."""
        result = self.run(*args, "--json", stdin=stdin)
        return json.loads(result.stdout)

    def message(self, text: str = "Hello", to: str = "+48500100201", **options: str) -> int:
        """Queue a message; return its id."""
        words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        return int(self.good("send", *words, "--", to, text))

    def take(self, message_id: int, **change: object) -> int:
        """Let modem front claim the first part and end the attempt; return the part's id."""
        with self.database.write() as tx:
            modems.write_state(tx, ModemReport("front", ModemState.READY), None)
            part = outbox.first_waiting_part(tx, message_id)
            assert part is not None
            outbox.claim(tx, part["id"], "front", None)
            what = outbox.PartChange(
                **{"state": PartState.SENT, "mr": 17, "proof": "answer"} | change
            )
            outcome = {PartState.SENT: "taken", PartState.UNCERTAIN: "uncertain"}
            outbox.end_attempt(
                tx, part["id"], outcome=outcome.get(what.state, "refused"), change=what
            )
            outbox.change_part(tx, part["id"], what)
            outbox.mirror(tx, message_id)
            return int(part["id"])

    def refuse(self, message_id: int) -> None:
        """Let the network refuse the first part for good."""
        self.take(
            message_id,
            state=PartState.FAILED,
            mr=None,
            proof=None,
            family=ErrorFamily.CMS,
            code="1",
            error="+CMS ERROR: 1",
        )

    def report(self, part_id: int, status: int) -> None:
        """Bring a status report for a part."""
        with self.database.write() as tx:
            raw = RawPart(InboundPdu("front", "00"), None, "status-report")
            new = reports.NewReport(
                None,
                "front",
                17,
                "+48500100201",
                145,
                None,
                None,
                "2026-11-22T07:31:00.000Z",
                status,
                add_raw(tx, raw),
            )
            reports.match(tx, reports.add(tx, new), part_id)

    def arrive(self, text: str | None, **fields: object) -> int:
        """Put a row into the inbox."""
        given = {
            "sender": "+48500100201",
            "text": text,
            "kind": InboxKind.SMS,
            "modem": "front",
            "sim_id": None,
        }
        with self.database.write() as tx:
            return add(tx, Arrival(**(given | fields)), [], "2000")


def start(*args: object, config: Path | None = None, **options: object) -> subprocess.Popen:
    """Start the real command as a process of its own, which is told to end when this one has."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if config is not None:
        environment["GSMGW_CONFIG"] = str(config)
    return subprocess.Popen(
        mortal_launcher.command([sys.executable, "-m", "gsmgw", *map(str, args)], signal.SIGTERM),
        env=environment | options.pop("env", {}),
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
    )


def finish(process: subprocess.Popen, stdin: bytes | None = None) -> tuple[int, str, str]:
    """Wait for a process; return exit code, output, errors."""
    try:
        out, err = process.communicate(stdin, timeout=250)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, (out or b"").decode(), (err or b"").decode()
