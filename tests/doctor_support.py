# SPDX-License-Identifier: Apache-2.0
"""An installation on a machine in a directory, well at first, for tests that break it."""

from __future__ import annotations

import getpass
import json
import os
import pty
import pwd
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner, Result

from gsmgw import locks
from gsmgw.cli import main
from gsmgw.cli.doctor import machine
from gsmgw.gateway.health import disks
from gsmgw.model import ModemReport, ModemState, SimState
from gsmgw.store import modems
from gsmgw.store.database import Database

#: A user of every Debian that is not the one who runs the tests.
OTHER = "daemon" if os.geteuid() == pwd.getpwnam("nobody").pw_uid else "nobody"
ROOMY = 50_000_000_000
FOLDERS = ("outgoing", "checked", "sent", "failed", "incoming", "report")


class Ward:
    """One patient: everything in it is well until a test makes it ill.

    The daemon is played by this process, which holds the database's lock; the modem by a pseudo
    terminal that nobody answers.
    """

    def __init__(self, monkeypatch: Any) -> None:
        # Not below pytest's own directory, which no other user may enter.
        self.path = Path(os.path.realpath(tempfile.mkdtemp(prefix="gsmgw-doctor-")))
        self.path.chmod(0o755)
        self.root = self.path / "root"
        self.root.mkdir()
        monkeypatch.setattr(machine, "ROOT", self.root)
        monkeypatch.setattr(machine, "log_lines", lambda _count: list(self.log))
        monkeypatch.setattr(disks, "look", self._room)
        self.log: list[str] = []
        self.room: dict[str, int] = {}
        self.database, self.spool = self.path / "db" / "gsmgw.db", self.path / "spool"
        for folder in (self.database.parent, self.spool, *(self.spool / f for f in FOLDERS)):
            folder.mkdir()
            folder.chmod(0o2770)
        self._master, slave = pty.openpty()
        self.port = os.ttyname(slave)
        self._slave = slave
        self.config = self.path / "gsmgw.yaml"
        self.settings: dict[str, Any] = {
            "database": {"path": str(self.database)},
            "spool": {"path": str(self.spool)},
            "modems": [{"name": "front", "port": self.port}],
        }
        self.configure()
        self.db = Database(self.database)
        self.db.open()
        self.know()
        self._lock = locks.Lock(locks.database_lock(self.database), "test")
        self._lock.acquire()

    def close(self) -> None:
        """Take everything away."""
        self.db.close()
        self._lock.release()
        for descriptor in (self._master, self._slave):
            os.close(descriptor)
        shutil.rmtree(self.path, ignore_errors=True)

    def _room(self, places: Mapping[str, Path]) -> list[disks.Disk]:
        return [
            disks.Disk(what, str(path), self.room.get(what, ROOMY), 2 * ROOMY, 1000)
            for what, path in places.items()
        ]

    # -- making it ill ----------------------------------------------------------------------------

    def configure(self, modem: Mapping[str, Any] | None = None, **groups: Any) -> None:
        """Write the configuration; `modem` are keys of its modem, None as value removes one."""
        for key, value in (modem or {}).items():
            self.settings["modems"][0][key] = value
        first = {key: value for key, value in self.settings["modems"][0].items() if value}
        document = self.settings | {"modems": [first]} | groups
        self.config.write_text(yaml.safe_dump(document))
        self.config.chmod(0o644)

    def stop(self) -> None:
        """End the daemon."""
        self._lock.release()

    def know(self, state: ModemState = ModemState.READY, **facts: Any) -> None:
        """Let the daemon know this of its modem, for an hour."""
        given = {"service_centre": "+48500100299", "registration": 1, "signal_dbm": -70} | facts
        with self.db.write() as tx:
            modems.write_state(tx, ModemReport("front", state, port=self.port, **given), None)
            tx.run("UPDATE modem SET since = '2026-01-01T00:00:00.000Z'")

    def sim(self, state: SimState, why: str | None = None) -> int:
        """Let the modem have a SIM in this state."""
        with self.db.write() as tx:
            sim_id = modems.ensure_sim(tx, "iccid:1", "8948010000000000001", None)
            modems.set_sim_state(tx, sim_id, state, why)
            tx.run("UPDATE modem SET sim_id = ?", (sim_id,))
        return sim_id

    def sql(self, *statements: str) -> None:
        """Change the database as only its owner may."""
        with self.db.write() as tx:
            for statement in statements:
                tx.run(statement)

    def unit(self, *lines: str, user: str | None = None) -> Path:
        """Install and enable the service's unit."""
        path = self.root / "etc/systemd/system/gsmgw.service"
        path.parent.mkdir(parents=True, exist_ok=True)
        own = user or getpass.getuser()
        start = f"ExecStart=/usr/bin/gsmgw --config '{self.config}' run"
        path.write_text("\n".join(["[Service]", start, f"User={own}", *lines, ""]))
        wants = path.parent / "multi-user.target.wants"
        wants.mkdir(exist_ok=True)
        (wants / "gsmgw.service").symlink_to(path)
        return path

    def open_for_all(self) -> None:
        """Let every user do everything."""
        for place in (self.database.parent, *self.database.parent.iterdir(), self.spool):
            place.chmod(0o2777)
        for folder in FOLDERS:
            (self.spool / folder).chmod(0o2777)

    def process(self, pid: int, name: str, *files: Path | str) -> None:
        """Let a process run that has files open."""
        place = self.root / "proc" / str(pid)
        (place / "fd").mkdir(parents=True)
        (place / "comm").write_text(f"{name}\n")
        for number, file in enumerate(files):
            (place / "fd" / str(number)).symlink_to(file)

    def mount(self, point: Path, kind: str, options: str = "rw") -> None:
        """Let a file system be mounted, besides that of the whole machine."""
        table = self.root / "proc/self/mountinfo"
        table.parent.mkdir(parents=True, exist_ok=True)
        lines = ["22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw"]
        there = str(point).replace(" ", r"\040")
        lines.append(f"40 22 0:39 / {there} {options},relatime - {kind} there:/x {options}")
        table.write_text("\n".join(lines))

    def usb(self, identity: str, *classes: str) -> None:
        """Plug in a USB device with interfaces of these classes."""
        place = self.root / "sys/bus/usb/devices/1-1"
        place.mkdir(parents=True)
        vendor, _, product = identity.partition(":")
        (place / "idVendor").write_text(f"{vendor}\n")
        (place / "idProduct").write_text(f"{product}\n")
        for number, kind in enumerate(classes):
            below = place / f"1-1:1.{number}"
            below.mkdir()
            (below / "bInterfaceClass").write_text(f"{kind}\n")

    def raw(self, path: Path, *statements: str) -> None:
        """Run SQL on a file as other software does."""
        with sqlite3.connect(path) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    # -- examining it -----------------------------------------------------------------------------

    def run(self, *words: str) -> Result:
        """Run a command in this process."""
        return CliRunner().invoke(main.cli, ["--config", str(self.config), *words])

    def findings(self, *options: str) -> list[dict[str, str]]:
        """Return what the doctor finds; no modem is asked unless `options` say so."""
        done = self.run("doctor", "--json", *(options or ("--no-modems",)))
        found: list[dict[str, str]] = json.loads(done.stdout)["findings"]
        assert done.exit_code == (1 if found else 0), done.output
        return found
