# SPDX-License-Identifier: Apache-2.0
"""A clinic's morning: a table of ten thousand visits, and whether an urgent message feels it."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
import time
from pathlib import Path

from measuring import PATIENCE_S, Row, cpu_seconds, milliseconds, scenario
from site_support import Site, site

VISITS = 10_000
#: Of five visits two belong to one family, on one day.
FAMILIES = 5
#: An urgent row comes so often while the table is worked on.
_EVERY_S = 0.25
_HEADER = "appointment;date;time;patient;first;phone\n"
_COLUMNS = {name: name for name in _HEADER.strip().split(";")}
_WHOLE_WEEK = {"mon-sun": "00:00-24:00"}
_SETTINGS = {
    "logs": {"messages": "counted"},
    "clinic": {"name": "Przychodnia Lipowa", "phone": "815551234", "hours": _WHOLE_WEEK},
    # Each booking is said back at once: so all of the texts are due while the table is read.
    "reminders": {"hours": _WHOLE_WEEK, "booked": "on"},
    "import": {"visits": {"columns": _COLUMNS, "dates": ["%d.%m.%Y"]}},
}


def clinic(folder: Path) -> list[Row]:
    """A table with 10,000 visits: until all of it is in the queue; urgent rows meanwhile."""
    with site(folder / "box", scenario(submit="20ms"), settings=_SETTINGS) as box:
        calm = [_urgent(box, number) for number in range(20)]
        aside = box.folder / "aside.csv"
        aside.write_text(_table(), encoding="utf-8")
        assert box.process is not None
        used_s = cpu_seconds(box.process.pid)
        started = time.monotonic()
        aside.rename(box.spool / "clinic" / "in" / "visits.csv")
        meanwhile = _Meanwhile(box)
        ack = box.spool / "clinic" / "out" / "ack" / "visits.csv.json"
        box.until(ack.exists, PATIENCE_S)
        taken_s = time.monotonic() - started
        box.until(lambda: _waiting(box) == 0, PATIENCE_S)
        all_s = time.monotonic() - started
        waits = meanwhile.end()
        used_s = cpu_seconds(box.process.pid) - used_s
    calm.sort()
    waits.sort()
    return [
        ("10,000 visits: file renamed in to all texts queued", f"{all_s:.1f} s", "20 s"),
        ("  processor time of the daemon in it", f"{used_s:.1f} s", ""),
        ("  of it until the acknowledgement", f"{taken_s:.1f} s", ""),
        ("  urgent row to AT+CMGS meanwhile, median", milliseconds(waits[len(waits) // 2]), ""),
        (f"  slowest of {len(waits)}", milliseconds(waits[-1]), ""),
        ("  urgent row to AT+CMGS before, median", milliseconds(calm[len(calm) // 2]), ""),
    ]


def _table() -> str:
    """Return the table; numbers of phones and patients are made up."""
    day = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=4)
    rows = []
    for number in range(VISITS):
        phone = number - 1 if number % FAMILIES == 1 else number
        minute = 8 * 60 + number % 600
        rows.append(
            f"A-{number};{day:%d.%m.%Y};{minute // 60:02d}:{minute % 60:02d};P-{number};Anna;"
            f"+4850{phone:07d}\n"
        )
    return _HEADER + "".join(rows)


def _waiting(box: Site) -> int:
    """Count the texts that are due and not in the queue yet."""
    with _opened(box) as connection:
        due = connection.execute(
            "SELECT count(*) FROM request WHERE kind = 'booked' AND status <> 'completed'"
        ).fetchone()
        said = connection.execute("SELECT count(*) FROM request WHERE kind = 'booked'").fetchone()
    return int(due[0]) if said[0] else 1


class _opened:  # noqa: N801 - used as a function
    """A connection of other software, closed at the end."""

    def __init__(self, box: Site) -> None:
        self._connection = sqlite3.connect(box.database, timeout=60)

    def __enter__(self) -> sqlite3.Connection:
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def _urgent(box: Site, number: int) -> float:
    """Insert an urgent row; return how long it takes to the wire."""
    recipient = f"+4851{number:07d}"
    box.insert(recipient, f"Urgent {number}", priority="stat")
    started = time.monotonic()
    found = box.sim.books.wait(
        lambda books: any(one.recipient == recipient for one in books.submits), PATIENCE_S
    )
    assert found, box.log[-3000:]
    return (
        next(one.line_at for one in box.sim.books.submits if one.recipient == recipient) - started
    )


class _Meanwhile:
    """Inserts urgent rows until told to end."""

    def __init__(self, box: Site) -> None:
        self._box = box
        self._ends = threading.Event()
        self._waits: list[float] = []
        self._thread = threading.Thread(target=self._insert)
        self._thread.start()

    def _insert(self) -> None:
        number = 1000
        while not self._ends.wait(_EVERY_S):
            number += 1
            self._waits.append(_urgent(self._box, number))

    def end(self) -> list[float]:
        self._ends.set()
        self._thread.join()
        return self._waits
