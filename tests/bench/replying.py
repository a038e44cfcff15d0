# SPDX-License-Identifier: Apache-2.0
"""A clinic's answers: how soon what a patient wrote stands where reception and programs look."""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from measuring import PATIENCE_S, Row, milliseconds, scenario
from site_support import Site, site

ANSWERS = 25
#: Patients do not write all at once.
_EVERY_S = 0.7
_LOOK_S = 0.0005
_WHOLE_WEEK = {"mon-sun": "00:00-24:00"}
_SETTINGS = {
    "clinic": {"name": "Przychodnia Lipowa", "phone": "815551234", "hours": _WHOLE_WEEK},
    "replies": {"acknowledge": "off"},
}


def replying(folder: Path) -> list[Row]:
    """From an answer in the store to its row in replies.csv, and to its file."""
    rows, documents = [], []
    with site(folder / "box", scenario(), settings=_SETTINGS) as box:
        time.sleep(3)
        for number in range(ANSWERS):
            stored_at, row_at, file_at = _answer(box, number)
            rows.append(max(0.0, row_at - stored_at))
            documents.append(max(0.0, file_at - stored_at))
            time.sleep(_EVERY_S)
    median = statistics.median
    return [
        ("a reply to its row in replies.csv, median", milliseconds(median(rows)), "50 ms"),
        (f"  slowest of {ANSWERS}", milliseconds(max(rows)), ""),
        ("  to its file in replies/, median", milliseconds(median(documents)), ""),
    ]


def _answer(box: Site, number: int) -> tuple[float, float, float]:
    """Let a patient write; return when the answer was stored, listed, and handed over."""
    text = f"Kim jest numer {number}x"
    box.sim.receive(f"+48500100{number:03d}", "front", text)
    out = box.spool / "clinic" / "out"
    connection = sqlite3.connect(box.database, timeout=60)

    def is_stored() -> bool:
        found = connection.execute("SELECT 1 FROM response WHERE text = ?", (text,)).fetchone()
        return found is not None

    try:
        stored_at = _when(is_stored)
    finally:
        connection.close()
    file_at = _when(lambda: (out / "replies" / f"{number + 1:06d}.json").exists())
    row_at = _when(lambda: f"numer {number}x" in (out / "replies.csv").read_text("utf-8-sig"))
    return stored_at, row_at, file_at


def _when(happened: Callable[[], bool]) -> float:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(_LOOK_S)
    return time.monotonic()
