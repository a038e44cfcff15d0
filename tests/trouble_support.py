# SPDX-License-Identifier: Apache-2.0
"""Boxes with many simulated modems, each with a trouble of its own, and what is said of them."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml
from site_support import PATIENCE_S, Site

#: The network took it; whether its report has come does not matter here.
ARRIVED = ("sent", "delivered")


def plan(names: Sequence[str], each: Mapping[str, Mapping[str, Any]] | None = None) -> Any:
    """Return a scenario: fast modems of these names; `each` adds to single ones."""
    special = each or {}
    return {
        "modems": [{"name": name, "submit": "20ms", **special.get(name, {})} for name in names],
        "network": {"delivery": "50ms", "report": "50ms"},
    }


def change_modem(box: Site, name: str, **settings: Any) -> None:
    """Change the configuration of one modem, or add one; before the start."""
    document = yaml.safe_load(box.config.read_text())
    found = [modem for modem in document["modems"] if modem["name"] == name]
    if not found:
        found = [{"name": name, "result_timeout": "2s"}]
        document["modems"].append(found[0])
    found[0].update(settings)
    box.config.write_text(yaml.safe_dump(document))


class Mail:
    """Messages that a test has written, each with a text and a recipient of its own."""

    def __init__(self, box: Site) -> None:
        self.box = box
        self.written: dict[int, tuple[str, str]] = {}  #: id: recipient, text

    def write(self, modem: str | None = None, **columns: Any) -> int:
        """Write one, to be sent by this modem if one is named; return its id."""
        number = len(self.written)
        recipient = columns.pop("recipient", f"+48500100{number:03d}")
        text = columns.pop("text", f"Message {number} for {modem or 'any'}")
        if modem is not None:
            columns["modem"] = modem
        message_id = self.box.insert(recipient, text, **columns)
        self.written[message_id] = (recipient, text)
        return message_id

    def write_at_once(self, count: int) -> None:
        """Write so many in one commit: from the first on, nobody waits for what is still written.

        One by one, a slow disk would have few modems share the work: whoever is free first.
        """
        number = len(self.written)
        rows = [
            (f"+48500100{number:03d}", f"Message {number} for any")
            for number in range(number, number + count)
        ]
        connection = sqlite3.connect(self.box.database, timeout=PATIENCE_S)
        with connection:
            for row in rows:
                insert = "INSERT INTO outbox (recipient, text) VALUES (?, ?)"
                self.written[int(connection.execute(insert, row).lastrowid or 0)] = row
        connection.close()

    def states(self) -> Counter[str]:
        """Count the states of what was written."""
        rows = self.box.rows("outbox")
        return Counter(row["state"] for row in rows if row["id"] in self.written)

    def until_arrived(self) -> None:
        """Wait until the network has taken everything, and look that no phone got it twice."""

        def arrived() -> bool:
            return sum(self.states()[state] for state in ARRIVED) == len(self.written)

        self.box.until(arrived)
        self.box.sim.books.wait(lambda books: len(books.delivered) >= len(self.written), PATIENCE_S)
        self.look_once()

    def look_once(self) -> None:
        """Look that every phone got exactly what was written to it."""
        got = Counter((note.recipient, note.text) for note in self.box.sim.books.delivered)
        wanted = Counter(self.written.values())
        assert got == wanted, f"missing {wanted - got}, too many {got - wanted}\n{self.box.log}"


def states(box: Site) -> dict[str, str]:
    """Return the state of each modem."""
    return {row["name"]: row["state"] for row in box.rows("modem")}


def why(box: Site, modem: str) -> str:
    """Return what is said of a modem's state; "" while nothing is known of it."""
    return next((str(row["why"]) for row in box.rows("modem") if row["name"] == modem), "")


def until_modem(box: Site, modem: str, state: str) -> None:
    """Wait until a modem is in a state."""
    box.until(lambda: states(box).get(modem) == state)


def fields(line: str, name: str) -> str:
    """Return the value of a field of a log line that has no blanks in it."""
    return next(
        (word.partition("=")[2] for word in line.split() if word.startswith(f"{name}=")), ""
    )


def sent_by(box: Site) -> Counter[str]:
    """Count the parts that the network took from each modem."""
    return Counter(submit.modem for submit in box.sim.books.taken)


def steadily(box: Site, write: Callable[[], object], count: int, every_s: float) -> None:
    """Write so many messages, one after the other."""
    for _ in range(count):
        write()
        time.sleep(every_s)
