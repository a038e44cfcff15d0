# SPDX-License-Identifier: Apache-2.0
"""A clinic's morning: a table of ten thousand visits, and whether an urgent message feels it.

An urgent row of other software is timed at rest, behind a modem that is busy with ordinary rows,
while the table is read (the modem rests), and while its texts are said (the modem is busy).
"""

from __future__ import annotations

import datetime as dt
import sqlite3
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from measuring import PATIENCE_S, Row, cpu_seconds, insert_many, milliseconds, scenario
from site_support import Site, site

VISITS = 10_000
#: Of five visits two belong to one family, on one day.
FAMILIES = 5
#: Behind each urgent row so much time passes until the next one.
_EVERY_S = 0.1
#: Urgent rows at rest, and behind a modem that is busy.
_BEFORE = 40
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


@dataclass(frozen=True, slots=True)
class _Urgent:
    """What happened to an urgent row of other software; times in seconds."""

    inserted_at: float
    waited: float  #: until its INSERT was committed
    to_wire: float  #: from there to AT+CMGS


def clinic(folder: Path) -> list[Row]:
    """A table with 10,000 visits: until all of it is in the queue; urgent rows meanwhile."""
    with site(folder / "box", scenario(submit="20ms"), settings=_SETTINGS) as box:
        resting = _Meanwhile(box, 1000)
        resting.end(_BEFORE)
        insert_many(box, 20 * _BEFORE)
        _until(box, lambda: _look(box, "SELECT count(*) FROM outbox WHERE state = 'new'") == 0)
        busy = _Meanwhile(box, 2000)
        busy.end(_BEFORE)
        _rest(box)
        aside = box.folder / "aside.csv"
        aside.write_text(_table(), encoding="utf-8")
        assert box.process is not None
        used_s = cpu_seconds(box.process.pid)
        started = time.monotonic()
        aside.rename(box.spool / "clinic" / "in" / "visits.csv")
        meanwhile = _Meanwhile(box, 3000)
        ack = box.spool / "clinic" / "out" / "ack" / "visits.csv.json"
        _until(box, ack.exists)
        taken_at = time.monotonic()
        _until(box, lambda: _is_all_said(box))
        said_at = time.monotonic()
        meanwhile.end()
        used_s = cpu_seconds(box.process.pid) - used_s
    done = [one for one in meanwhile.rows if one.inserted_at < said_at]
    return [
        ("10,000 visits: renamed in, all texts queued", f"{said_at - started:.1f} s", "20 s"),
        ("  processor time of the daemon in it", f"{used_s:.1f} s", ""),
        ("  of it until the acknowledgement", f"{taken_at - started:.1f} s", ""),
        *_told("at rest", resting.rows),
        *_told("while the table is read", [one for one in done if one.inserted_at < taken_at]),
        *_told("behind ordinary rows", busy.rows),
        *_told("while its texts are said", [one for one in done if one.inserted_at >= taken_at]),
    ]


def _told(when: str, rows: Sequence[_Urgent]) -> list[Row]:
    """Return what became of urgent rows: how long their INSERT waited, and they themselves."""
    if not rows:
        return [(f"  urgent rows {when}", "none", "")]
    found: list[Row] = [(f"  {len(rows)} urgent rows {when}", "", "")]
    for what, times in (
        ("their INSERT waits", [one.waited for one in rows]),
        ("from there to AT+CMGS", [one.to_wire for one in rows]),
    ):
        found.append((f"    {what}: median", milliseconds(statistics.median(times)), ""))
        found.append(("      slowest", milliseconds(max(times)), ""))
    return found


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


def _until(box: Site, condition: Callable[[], object]) -> None:
    """Wait until something holds; look seldom, lest the looking is measured."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, box.log[-3000:]
        time.sleep(0.1)


def _rest(box: Site) -> None:
    """Wait until nothing is left to be sent."""

    def is_resting() -> bool:
        return _look(box, "SELECT count(*) FROM outbox WHERE due_at IS NOT NULL") == 0

    _until(box, is_resting)


def _is_all_said(box: Site) -> bool:
    """Tell whether no text of the table is due that is not in the queue yet."""
    now = f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%S.999Z}"
    due = _look(box, "SELECT min(due) FROM request WHERE status IN ('active', 'on-hold')")
    return due is not None and str(due) > now


def _look(box: Site, sql: str) -> object:
    """Return one value, as other software reads it."""
    connection = sqlite3.connect(box.database, timeout=60)
    try:
        return connection.execute(sql).fetchone()[0]
    finally:
        connection.close()


def _urgent(box: Site, number: int) -> _Urgent:
    """Insert an urgent row; return what happened to it."""
    recipient = f"+4851{number:07d}"
    began = time.monotonic()
    box.insert(recipient, f"Urgent {number}", priority="stat")
    started = time.monotonic()
    found = box.sim.books.wait(
        lambda books: any(one.recipient == recipient for one in books.submits[-50:]), PATIENCE_S
    )
    assert found, box.log[-3000:]
    line_at = next(
        one.line_at for one in reversed(box.sim.books.submits) if one.recipient == recipient
    )
    return _Urgent(began, started - began, line_at - started)


class _Meanwhile:
    """Inserts urgent rows until told to end."""

    def __init__(self, box: Site, first: int) -> None:
        self._box = box
        self._next = first
        self._ends = threading.Event()
        self.rows: list[_Urgent] = []
        self._thread = threading.Thread(target=self._insert)
        self._thread.start()

    def _insert(self) -> None:
        while not self._ends.wait(_EVERY_S):
            self._next += 1
            self.rows.append(_urgent(self._box, self._next))

    def end(self, enough: int = 0) -> None:
        """End it, as soon as there are enough rows."""
        while len(self.rows) < enough and self._thread.is_alive():
            self._thread.join(_EVERY_S)
        self._ends.set()
        self._thread.join()
