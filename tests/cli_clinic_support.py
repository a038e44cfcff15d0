# SPDX-License-Identifier: Apache-2.0
"""A clinic's reception: a configuration with a clinic, and its commands."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import cli_support

ANNA = "+48500100211"
CLINIC = """\
clinic:
  name: Przychodnia Lipowa
  phone: "815551234"
  language: pl
  hours: {mon-sun: "00:00-24:00"}
reminders: {hours: {mon-sun: "00:00-24:00"}, booked: off, never_text: [HIV]}
staff: {reception: {phone: "+48500100299", gets: [callback, unreachable]}}
"""
#: Some days ahead, at 10:15.
DAY = (dt.date.today() + dt.timedelta(days=5)).isoformat()  # noqa: DTZ011 - any day ahead will do


class Office(cli_support.Place):
    """A clinic's reception."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.config.write_text(cli_support.CONFIG + CLINIC)

    def clinic(self, *words: object) -> str:
        return self.good("clinic", *words)

    def rows(self, *words: object) -> Any:
        return self.json("clinic", *words)

    def fails(self, code: int, *words: object) -> None:
        result = self.run("clinic", *words)
        assert result.exit_code == code, result.output

    def book(
        self, visit: str = "A-1", patient: str = "4711", phone: str = ANNA, **more: str
    ) -> str:
        words = [f"--{name}={value}" for name, value in {"first": "Anna", **more}.items()]
        start = f"{DAY} 10:15"
        return self.clinic(
            "visit", "add", visit, start, f"--patient={patient}", f"--phone={phone}", *words
        )

    def events(self, name: str) -> list[dict[str, Any]]:
        found = self.database.rows("SELECT detail FROM event WHERE name = ?", (name,))
        return [json.loads(row["detail"]) for row in found]
