# SPDX-License-Identifier: Apache-2.0
"""The clinic's doors in a temporary directory: real files and store, no threads, no modems."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from clinic_support import Clinic

from gsmgw.clock import format_utc
from gsmgw.gateway.hints import Hints
from gsmgw.spool.clinic.handing import ClinicHanding
from gsmgw.spool.clinic.places import Places
from gsmgw.spool.clinic.taking import ClinicTaking
from gsmgw.spool.layout import Layout

HEADER = "nr_wizyty;data;godzina;nr_pacjenta;imię;telefon"


def table(*numbers: int, day: str = "05.03.2026", header: str = HEADER) -> str:
    """Return a table of visits, each of another patient with a phone of their own."""
    rows = [
        f"A-{n};{day};{8 + n % 10:02d}:{n // 10 % 60:02d};P-{n};Anna;+48500100{n:03d}"
        for n in numbers
    ]
    return "\n".join([header, *rows]) + "\n"


class Doors(Clinic):
    """A clinic with its folders; `start` is what a new process would see."""

    def __init__(self, folder: Path, **groups: Any) -> None:
        super().__init__(folder, spool={"path": str(folder / "spool")}, **groups)
        Layout(self.config.spool.path).make(None)
        self.places = Places(self.config.spool.path)
        self.folder = folder
        self.start()

    def start(self) -> None:
        """Make the services anew."""
        self.hints = Hints()
        self.taking = ClinicTaking(self.config, self.db, self.hints, self.clock)
        self.handing = ClinicHanding(self.config, self.db, self.hints, self.clock)
        self.taking.open()
        self.handing.open()

    def restart(self) -> None:
        """Let another process go on with the same files and store."""
        self.db.close()
        self.start()

    # -- coming in --------------------------------------------------------------------------------

    def drop(self, name: str, content: str | bytes) -> None:
        """Rename a file into clinic/in."""
        aside = self.folder / "aside"
        aside.write_bytes(content.encode() if isinstance(content, str) else content)
        aside.rename(self.places.inside / name)

    def take(self, name: str | None = None, content: str | bytes = "") -> dict[str, Any]:
        """Let what is there be taken; with a name drop it first, and return its ack."""
        if name is not None:
            self.drop(name, content)
        self.taking.take()
        self.clock.advance(2)
        self.taking.take()
        return self.ack(name) if name is not None else {}

    def ack(self, name: str) -> dict[str, Any]:
        """Return out/ack/X.json."""
        found: dict[str, Any] = json.loads((self.places.ack / f"{name}.json").read_bytes())
        return found

    def tree(self, *folders: str) -> dict[str, list[str]]:
        """Return the names in some of the clinic's folders."""
        return {
            folder: sorted(path.name for path in (self.places.root / folder).iterdir())
            for folder in folders
        }

    # -- going out --------------------------------------------------------------------------------

    def answer(self, text: str = "TAK", visit: str | None = "A-1", **fields: Any) -> int:
        """Let an answer be stored as it is after reading; return its number."""
        known = {"meaning": "accept", "applied": True, "status": "accepted", **fields}
        with self.db.write() as tx:
            return tx.insert(
                "INSERT INTO response (appointment_id, patient_id, phone, asked, meaning, applied,"
                " status, text, at, start) VALUES (?, ?, ?, 'reminder_a', ?, ?, ?, ?, ?, ?)",
                (
                    visit,
                    known.get("patient"),
                    known.get("phone", "+48500100001"),
                    known["meaning"],
                    known["applied"],
                    known["status"],
                    text,
                    format_utc(self.clock.now()),
                    self.stored("2026-03-05 10:15"),
                ),
            )

    def list(self, name: str) -> list[dict[str, str]]:
        """Return the rows of a list as a spreadsheet reads them."""
        text = (self.places.out / name).read_bytes().decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
