# SPDX-License-Identifier: Apache-2.0
"""How long things take when nothing else is to do: from a door to the air, and back."""

from __future__ import annotations

import queue
import threading
import time
from pathlib import Path

from measuring import Row, answered, median_of, milliseconds, next_submit, scenario
from site_support import Site, site

from gsmgw import watch

_TIMES = 20
_PAUSE_S = 0.3


def latency(folder: Path) -> list[Row]:
    """Idle: a file or a row to AT+CMGS, a message in the modem to the reply file."""
    with site(folder / "box", scenario(submit="20ms")) as box:
        time.sleep(2)
        by_file, slowest = median_of(_TIMES, lambda number: _file_to_wire(box, number))
        by_row, _ = median_of(_TIMES, lambda number: _row_to_wire(box, number))
        to_file, _ = median_of(_TIMES, lambda number: _modem_to_file(box, number))
    return [
        ("file renamed in to AT+CMGS, idle, median", milliseconds(by_file), "3.4 ms"),
        ("  slowest of 20", milliseconds(slowest), ""),
        ("row committed to AT+CMGS, idle, median", milliseconds(by_row), ""),
        ("message in the modem to the reply file, median", milliseconds(to_file), "10 ms"),
    ]


def _file_to_wire(box: Site, number: int) -> float:
    time.sleep(_PAUSE_S)
    before = len(box.sim.books.submits)
    aside = box.folder / f"aside{number}"
    aside.write_text(f"To: 4850010{number:04d}\n\nFile {number}")
    started = time.monotonic()
    aside.rename(box.spool / "outgoing" / f"f{number}")
    return next_submit(box, before).line_at - started


def _row_to_wire(box: Site, number: int) -> float:
    time.sleep(_PAUSE_S)
    before = len(box.sim.books.submits)
    box.insert(f"+4850020{number:04d}", f"Row {number}")
    started = time.monotonic()
    return next_submit(box, before).line_at - started


def _modem_to_file(box: Site, number: int) -> float:
    time.sleep(_PAUSE_S)
    incoming = box.spool / "incoming"
    before = len(list(incoming.iterdir()))
    box.sim.receive(f"+4850030{number:04d}", "front", f"Reply {number}")
    while len(list(incoming.iterdir())) <= before:
        time.sleep(0.0005)
    arrived = time.monotonic()
    return arrived - (box.sim.books.incoming[-1].received_at or arrived)


def watching(folder: Path) -> list[Row]:
    """20 files renamed in, one after the other: from the rename to the watcher's word of it."""
    heard: queue.SimpleQueue[tuple[float, watch.Event]] = queue.SimpleQueue()
    stop = threading.Event()

    def listen() -> None:
        while not stop.is_set():
            for event in watcher.wait(10):
                heard.put((time.monotonic(), event))

    place, aside = folder / "watched", folder / "aside"
    place.mkdir()
    watcher = watch.Watcher(place)
    watcher.start()
    listener = threading.Thread(target=listen)
    listener.start()

    def once(number: int) -> float:
        aside.write_text("x")
        started = time.monotonic()
        aside.rename(place / f"f{number}")
        heard_at, event = heard.get(timeout=10)
        assert event == (f"f{number}", "moved_in")
        return heard_at - started

    median, slowest = median_of(_TIMES, once)
    stop.set()
    watcher.wake()
    listener.join()
    watcher.stop()
    return [
        ("rename to the watcher's event, median", milliseconds(median), ""),
        ("  slowest of 20", milliseconds(slowest), ""),
    ]


def replug(folder: Path) -> list[Row]:
    """A modem is pulled out and put back with a message waiting: until that is on the wire."""
    times = []
    with site(folder / "box", scenario(submit="20ms")) as box:
        for number in range(3):
            box.sim.unplug("front")
            box.until(lambda: box.rows("modem", "state = 'absent'"))
            box.insert("+48500100201", f"Waiting {number}")
            time.sleep(5)
            before = len(box.sim.books.submits)
            started = time.monotonic()
            box.sim.plug("front")
            times.append(next_submit(box, before).line_at - started)
            box.until(box.is_ready)
    return [("modem put back to the next AT+CMGS, slowest of 3", f"{max(times):.2f} s", "3 s")]


def lost_answer(folder: Path) -> list[Row]:
    """The answer of one part never comes: until the next one is on the wire, after the time-out."""
    with site(folder / "box", scenario(submit="20ms"), modem={"result_timeout": "3s"}) as box:
        box.insert("+48500100201", "first")
        answered(box, 1)
        box.sim.fault("front", "answer-lost", times=1)
        for number in range(2, 6):
            box.insert(f"+4850010020{number}", "next")
        lost, after = next_submit(box, 1), next_submit(box, 2)
        box.until(lambda: len(box.rows("outbox", "state IN ('sent', 'delivered')")) == 5)
        twice = len(box.sim.books.duplicates())
    waited = after.line_at - lost.written_at - 3.0
    return [
        ("answer lost: to the next AT+CMGS after the time-out", f"{waited:.2f} s", "10 s"),
        ("  sent twice", str(twice), "0"),
    ]
