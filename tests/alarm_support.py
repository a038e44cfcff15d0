# SPDX-License-Identifier: Apache-2.0
"""A gateway with two modems and the service that watches it, for tests of alarms."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import factories
import pytest
from gateway_support import Rig

from gsmgw.gateway.alarms import service
from gsmgw.gateway.health import disks, judgement, record
from gsmgw.model import MessageState, ModemState
from gsmgw.store.database import Row
from gsmgw.store.watching import alarms

TECHNICIAN, OTHER = "+48500100202", "+48500100203"
WRITER = """
import json, os, sys
with open({path!r}, "a") as book:
    keys = {{key: value for key, value in os.environ.items() if key.startswith("GSMGW_")}}
    book.write(json.dumps([sys.argv[1:], keys]) + "\\n")
{more}
"""


class Box:
    """A gateway with two modems, and the service that watches it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rig = Rig(folder)
        self.configure(sms={"to": TECHNICIAN})
        self.rig.attach("front")
        self.rig.attach("back")

    def configure(self, **keys: Any) -> None:
        """Restart with these alarms."""
        # Nobody takes the alarms themselves out of the queue.
        keys["never"] = ["queue.stuck", *keys.get("never", ())]
        config = factories.make_config(alarms={"site": "Lipowa", "level": "warning", **keys})
        self.rig.restart(config)
        self.restart()

    def restart(self) -> None:
        """Begin anew with what stands in the database."""
        rig = self.rig
        self.alarms = service.Alarms(
            rig.config, rig.db, rig.hints, rig.intake, rig.clock, lambda: record.Outgoing(0, 0.0)
        )
        self.alarms.open()

    def program(self, more: str = "", **keys: Any) -> Path:
        """Restart with a program that writes down how it was called."""
        book, script = self.folder / "book", self.folder / "alarm.py"
        script.write_text(WRITER.format(path=str(book), more=more))
        self.configure(hook=[sys.executable, "-ISs", str(script)], **keys)
        return book

    def pass_minutes(self, minutes: int) -> None:
        """Let the service look once a minute."""
        for _ in range(minutes):
            self.rig.clock.advance(60)
            self.alarms.look()

    def lose(self, modem: str = "front") -> None:
        self.rig.state(modem, ModemState.ABSENT)

    def find(self, modem: str = "front") -> None:
        self.rig.state(modem, ModemState.READY)

    def leave_a_row(self, **keys: Any) -> None:
        """Have an alarm that concerns no modem: nobody looks at a row of other software."""
        self.configure(sms={"to": TECHNICIAN}, **keys)
        self.rig.foreign(
            "INSERT INTO outbox (recipient, text, created_at) VALUES ('+48500100201', 'x', ?)",
            (self.rig.after(-600),),
        )
        self.pass_minutes(7)

    def take_the_row(self) -> None:
        """Be well again."""
        self.rig.new_rows.look()

    def refuse_alarm(self) -> None:
        """Let the network refuse the newest SMS of an alarm for good, if it waits."""
        newest = self.texts()[-1]
        if newest["state"] == MessageState.QUEUED:
            self.rig.refuse(1, newest["modem"])

    def close(self) -> None:
        self.alarms.close()
        self.rig.close()

    def health(self) -> record.Health:
        """Return how things are, as commands see it."""
        rig = self.rig
        return record.gather(rig.config, rig.db, rig.clock.now(), daemon_pid=1, outgoing=None)

    def troubles(self) -> list[str]:
        """Return what is wrong, in words."""
        found = judgement.judge(self.health())
        return [f"{one.name}: {one.what}" for one in found]

    def texts(self) -> list[Row]:
        return self.rig.db.rows("SELECT * FROM outbox WHERE source = 'alarms' ORDER BY id")

    def open_names(self) -> list[tuple[str, str]]:
        return [(row["finding"], row["place"]) for row in alarms.opened(self.rig.db)]


def make_box(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    """Return a box in which nothing is wrong."""
    plenty = [disks.Disk("database", "/db", 10**11, 2 * 10**11, 1000)]
    monkeypatch.setattr(disks, "look", lambda _places: plenty)
    # The pretended modems say nothing of a service centre.
    monkeypatch.setattr("gsmgw.gateway.health.judgement._ready", lambda _modem: ())
    return Box(folder)
