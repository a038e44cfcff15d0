# SPDX-License-Identifier: Apache-2.0
"""What a million messages of the past cost: the same daemon with and without them, in one run."""

from __future__ import annotations

import datetime as dt
import sqlite3
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from measuring import Row, insert_many, milliseconds, next_submit, scenario
from site_support import Site, site

_PAST = 1_000_000
_ROUNDS = 9
_BATCH = 60
_PAUSE_S = 0.3
_SUBMIT_S = 0.020


def history(folder: Path) -> list[Row]:
    """Send and pick up by turns with an empty database and with a million sent messages."""
    plan = scenario(submit="20ms")
    with site(folder / "young", plan) as young, site(folder / "old", plan) as old:
        old.stop()
        took_s = _fill(old)
        sys.stderr.write(f"  {_PAST} rows of history written in {took_s:.0f} s\n")
        old.start()
        time.sleep(5)  # what the daemon does at its start is not measured
        sending: dict[str, list[float]] = {"young": [], "old": []}
        waking: dict[str, list[float]] = {"young": [], "old": []}
        for number in range(_ROUNDS):
            for name, box in (("young", young), ("old", old)):
                sending[name].append(_send_batch(box, number))
                waking[name].append(_pick_up(box, number))
    return [
        *_compare("a message, of that 20 ms the modem", sending),
        *_compare("row committed to AT+CMGS", waking),
    ]


def _compare(what: str, found: dict[str, list[float]]) -> list[Row]:
    young, old = (statistics.median(found[name]) for name in ("young", "old"))
    return [
        (f"{what}, empty database", milliseconds(young), ""),
        (f"  with {_PAST} messages of history", milliseconds(old), ""),
        ("  against the empty one", f"{old / young:.2f} x", "1.2 x"),
    ]


def _send_batch(box: Site, number: int) -> float:
    before = len(box.sim.books.submits)
    insert_many(box, _BATCH, label=f"Round {number}, message")
    done = box.sim.books.wait(
        lambda books: sum(one.answered_at is not None for one in books.submits) >= before + _BATCH,
        120,
    )
    assert done, box.log[-3000:]
    submits = box.sim.books.submits[before:]
    return (max(one.answered_at or 0.0 for one in submits) - submits[0].line_at) / _BATCH


def _pick_up(box: Site, number: int) -> float:
    box.until(lambda: not box.rows("outbox", "state = 'queued' LIMIT 1"))
    time.sleep(_PAUSE_S)
    before = len(box.sim.books.submits)
    box.insert("+48500100201", f"To be picked up in round {number}")
    started = time.monotonic()
    return next_submit(box, before).line_at - started


def _fill(box: Site) -> float:
    """Write a million messages, as if sent and delivered during the last 80 days."""
    started = time.monotonic()
    connection = sqlite3.connect(box.database, timeout=60)
    (sim_id,) = connection.execute("SELECT id FROM sim").fetchone()
    with connection:
        connection.execute("INSERT INTO writing (who) VALUES (1)")
        connection.executemany(
            "INSERT INTO outbox (id, recipient, text, state, parts, created_at, sent_at,"
            " settled_at, alphabet, rank, sim_id)"
            " VALUES (?, ?, ?, 'delivered', 1, ?, ?, ?, 'gsm7', 20, ?)",
            ((one, to, f"Past {one}", at, at, at, sim_id) for one, to, at in _past()),
        )
        connection.executemany(
            "INSERT INTO part (id, message_id, number, state, text, modem, sim_id, mr, claimed_at,"
            " sent_at, settled_at, proof)"
            " VALUES (?, ?, 1, 'delivered', ?, 'front', ?, ?, ?, ?, ?, 'answer')",
            ((one, one, f"Past {one}", sim_id, one % 256, at, at, at) for one, _, at in _past()),
        )
        connection.executemany(
            "INSERT INTO attempt (part_id, modem, sim_id, claimed_at, ended_at, outcome, mr)"
            " VALUES (?, 'front', ?, ?, ?, 'taken', ?)",
            ((one, sim_id, at, at, one % 256) for one, _, at in _past()),
        )
        connection.executemany(
            "INSERT INTO received_part (id, sim_id, modem, received_at, pdu, deleted_at, kind)"
            " VALUES (?, ?, 'front', ?, ?, ?, 'status-report')",
            ((one, sim_id, at, f"0006{one:050X}", at) for one, _, at in _past()),
        )
        connection.executemany(
            "INSERT INTO status_report (sim_id, modem, received_at, mr, recipient, st,"
            " received_part_id, part_id, matched_at) VALUES (?, 'front', ?, ?, ?, 0, ?, ?, ?)",
            ((sim_id, at, one % 256, to, one, one, at) for one, to, at in _past()),
        )
        connection.execute("DELETE FROM writing")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return time.monotonic() - started


def _past() -> Iterator[tuple[int, str, str]]:
    """Yield id, recipient and time of each message, the oldest first."""
    begin = dt.datetime.now(dt.UTC) - dt.timedelta(days=80)
    step = dt.timedelta(days=79) / _PAST
    for number in range(_PAST):
        at = (begin + number * step).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        yield number + 1000, f"+4850010{number % 10_000:04d}", at
