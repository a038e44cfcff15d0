# SPDX-License-Identifier: Apache-2.0
"""What an alarm says in an SMS: the box, what is wrong and where, since when, and what to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from gsmgw import pdu
from gsmgw.store.database import Row

#: As much as one SMS, or two joined ones, hold (3GPP TS 23.038 6.1.2.1.1, 23.040 9.2.3.24.1).
_ONE_PART, _TWO_PARTS = 160, 306
_MARKS = {
    "open": "ALARM",
    "worse": "WORSE",
    "again": "STILL",
    "closed": "well again",
    "test": "TEST",
}


def text(
    notices: Sequence[Row], site: str, zone: dt.tzinfo, now: dt.datetime, *, parts: int
) -> str:
    """Return one text for all that a phone has yet to be told, in letters that cost least.

    Args:
        notices: what is to be told, the oldest first.
        site: what this box is called.
        zone: of the times.
        now: the time; another day is named.
        parts: so many SMS it may need; no more than two are used.
    """
    limit = _ONE_PART if parts == 1 else _TWO_PARTS
    if len(notices) == 1:
        words = _one(notices[0], zone, now)
    else:
        words = f"{len(notices)} things: " + "; ".join(
            _short(notice, zone, now) for notice in notices
        )
    return _cut(pdu.fold(f"{site}: {words}"), limit)


def _one(notice: Row, zone: dt.tzinfo, now: dt.datetime) -> str:
    if notice["kind"] in {"closed", "test"}:
        return _short(notice, zone, now)
    return f"{_short(notice, zone, now)}. Do: {notice['advice']}"


def _short(notice: Row, zone: dt.tzinfo, now: dt.datetime) -> str:
    place = f"{notice['place']}: " if notice["place"] else ""
    since = _moment(notice["first_seen_at"], zone, now)
    if notice["kind"] == "closed":
        until = _moment(notice["last_seen_at"], zone, now)
        return f"{_MARKS['closed']} ({since} to {until}): {place}{notice['what']}"
    if notice["kind"] == "test":
        return f"{_MARKS['test']} at {since}: {notice['what']}"
    return f"{_MARKS[notice['kind']]} {place}{notice['what']} (since {since})"


def _moment(stored: str, zone: dt.tzinfo, now: dt.datetime) -> str:
    at = dt.datetime.fromisoformat(stored).astimezone(zone)
    return f"{at:%H:%M}" if at.date() == now.astimezone(zone).date() else f"{at:%d.%m. %H:%M}"


def _cut(words: str, limit: int) -> str:
    """Return as much as fits: doubled letters of the alphabet (its escapes) take two."""
    words = " ".join(words.split())
    most = 1 if limit == _ONE_PART else 2
    if pdu.measure(words).parts <= most:
        return words
    words = words[:limit]
    while pdu.measure(f"{words}...").parts > most:
        words = words[:-1]
    return f"{words.rstrip()}..."
