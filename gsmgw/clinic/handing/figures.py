# SPDX-License-Identifier: Apache-2.0
"""Figures of a day and of a month: texts, answers, visits, calls, call-backs."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from gsmgw.clinic.handing import cells
from gsmgw.clock import format_utc
from gsmgw.store.clinic import counts
from gsmgw.store.clinic.counts import Key
from gsmgw.store.database import Database, Row

#: In the order of the file; what a row's kind does not count is empty.
COLUMNS = (
    *("planned", "sent", "delivered", "failed", "unknown", "expired", "segments", "cost"),
    *("asked", "accepted", "declined", "unclear", "silent"),
    *("minutes_to_deliver", "minutes_to_answer"),
    *("visits", "noshows", "noshows_accepted", "noshows_silent", "noshows_not_asked"),
    *("noshows_a", "noshows_b"),
    *("calls", "reached_at_1", "reached_at_2", "reached_at_3", "busy", "noanswer"),
    *("callbacks", "callbacks_done", "minutes_to_call_back", "stops"),
)
#: Kinds of rows beside the kinds of texts.
VISITS, CALLS, CALLBACKS = "visits", "calls", "callbacks"
#: Figures of a day that say nothing when they are added up: of a month their mean is taken.
_MEDIANS = frozenset({"minutes_to_deliver", "minutes_to_answer", "minutes_to_call_back"})

_FAILED = frozenset({"failed", "undelivered", "rejected"})
_REACHED = frozenset({"answered", "accepted", "declined"})
_THIRD = 3

Figures = dict[Key, float]


def of_day(db: Database, day: dt.date, zone: dt.tzinfo, segment_price: float) -> Figures:
    """Return the figures of a day of the clinic. Reads only; blocks for four queries."""
    begin, end = (
        format_utc(dt.datetime.combine(date, dt.time(), zone))
        for date in (day, day + dt.timedelta(days=1))
    )
    figures: Figures = {}
    for place, rows in _grouped(counts.texts(db, begin, end), "location", "kind"):
        figures |= _named(place, _of_texts(rows, segment_price))
    for place, rows in _grouped(counts.visits(db, begin, end), "location"):
        figures |= _named((*place, VISITS), _of_visits(rows))
    if calls := counts.calls(db, begin, end):
        figures |= _named(("", CALLS), _of_calls(calls))
    if tasks := counts.tasks(db, begin, end):
        figures |= _named(("", CALLBACKS), _of_tasks(tasks))
    return figures


def document(figures: Iterable[Row], *, day: str) -> bytes:
    """Return figures as a table: one row for each location and kind."""
    rows: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for figure in figures:
        rows[figure["location"], figure["kind"]][figure["name"]].append(figure["value"])
    lines = [
        (day, cells.foreign(location), kind, *(_cell(name, found.get(name)) for name in COLUMNS))
        for (location, kind), found in sorted(rows.items())
    ]
    return cells.document(("day", "location", "kind", *COLUMNS), lines)


def _cell(name: str, values: list[float] | None) -> str:
    if values is None:
        return ""
    value = statistics.fmean(values) if name in _MEDIANS else sum(values)
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _grouped(rows: Iterable[Row], *columns: str) -> Iterator[tuple[tuple[str, ...], list[Row]]]:
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[column] for column in columns)].append(row)
    yield from groups.items()


def _named(place: tuple[str, ...], found: Mapping[str, float | None]) -> Figures:
    location, kind = place
    return {
        (location, kind, name): value
        for name, value in found.items()
        if value is not None  # a 0 counts too: it replaces what the figure was before
    }


def _of_texts(rows: list[Row], segment_price: float) -> dict[str, float | None]:
    said = [row for row in rows if row["outbox_id"] is not None]
    # A family's text is one message for several requests.
    messages = {row["outbox_id"]: row for row in said}
    segments = sum(row["parts"] or 0 for row in messages.values() if row["sent_at"])
    asked = [row for row in said if row["asks"] is not None and row["sent_at"]]
    verdicts = [row["verdict"] for row in asked]
    open_ones = [row for row in asked if row["verdict"] is None]
    return {
        "planned": sum(row["reason"] not in ("moved", "cancelled", "replaced") for row in rows),
        "sent": sum(row["sent_at"] is not None for row in said),
        "delivered": sum(row["state"] == "delivered" for row in said),
        "failed": sum(row["state"] in _FAILED for row in said),
        "unknown": sum(row["state"] in ("sent", "uncertain") for row in said),
        "expired": sum(
            row["state"] == "expired" or row["reason"] in ("expired", "too-late") for row in rows
        ),
        "segments": segments,
        "cost": segments * segment_price,
        "asked": len(asked),
        "accepted": verdicts.count("accepted"),
        "declined": verdicts.count("declined"),
        "unclear": sum(bool(row["is_unclear"]) for row in open_ones),
        "silent": sum(not row["is_unclear"] and row["answered"] is None for row in open_ones),
        "minutes_to_deliver": _median(
            _minutes(row["sent_at"], row["delivered_at"])
            for row in messages.values()
            if row["state"] == "delivered"
        ),
        "minutes_to_answer": _median(_minutes(row["sent_at"], row["answered"]) for row in asked),
    }


def _of_visits(rows: list[Row]) -> dict[str, float | None]:
    missed = [row for row in rows if row["status"] == "noshow"]
    silent = [row for row in missed if row["response"] == "needs-action"]
    return {
        "visits": len(rows),
        "noshows": len(missed),
        "noshows_accepted": sum(row["response"] == "accepted" for row in missed),
        "noshows_silent": sum(bool(row["is_asked"]) for row in silent),
        "noshows_not_asked": sum(not row["is_asked"] for row in silent),
        "noshows_a": sum(row["variant"] == "a" for row in missed),
        "noshows_b": sum(row["variant"] == "b" for row in missed),
    }


def _of_calls(rows: list[Row]) -> dict[str, float | None]:
    reached = [min(row["number"], _THIRD) for row in rows if row["outcome"] in _REACHED]
    outcomes = [row["outcome"] for row in rows]
    return {
        "calls": len(rows),
        "reached_at_1": reached.count(1),
        "reached_at_2": reached.count(2),
        "reached_at_3": reached.count(_THIRD),
        "busy": outcomes.count("busy"),
        "noanswer": outcomes.count("noanswer") + outcomes.count("machine"),
    }


def _of_tasks(rows: list[Row]) -> dict[str, float | None]:
    wishes = [row for row in rows if row["code"] == "callback"]
    done = [row for row in wishes if row["status"] == "completed"]
    return {
        "callbacks": len(wishes),
        "callbacks_done": len(done),
        "minutes_to_call_back": _median(
            _minutes(row["created_at"], row["closed_at"]) for row in done
        ),
        "stops": sum(row["code"] == "stopped" for row in rows),
    }


def _minutes(begin: str | None, end: str | None) -> float | None:
    if not begin or not end:
        return None
    passed = dt.datetime.fromisoformat(end) - dt.datetime.fromisoformat(begin)
    return max(0.0, passed.total_seconds() / 60)


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
