# SPDX-License-Identifier: Apache-2.0
"""The loop guard: how often a phone is answered by itself (R18), and how an answer is ordered."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field

from gsmgw.clinic.answering.senders import Arrival
from gsmgw.clinic.model import Kind
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.model import Category
from gsmgw.store.clinic import requests, said
from gsmgw.store.database import Row, Transaction

#: R18 counts the answers of so long.
COUNTED = dt.timedelta(hours=24)
#: R4: an answer that could not be sent by then is not sent any more.
EXPIRES = dt.timedelta(hours=12)
#: No closed time of a clinic is longer: an answer that named its end is looked for so far back.
_LONGEST_CLOSED = dt.timedelta(days=30)

#: Texts that are the same for everybody: one kind of them is one text.
_FORMS = frozenset(
    {Kind.CALLBACK_ACK, Kind.RESCHEDULE_ACK, Kind.AFTER_HOURS, Kind.RECEIVED, Kind.HELP}
)
#: What stands in a request's details that its text does not hold.
_NOT_SAID = frozenset({"language", "template"})
#: What a person is owed, whatever else was said: the end of all texts (2.6).
_OWED = frozenset({Kind.STOP_ACK})


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to be answered; the text comes from the template of its kind."""

    kind: Kind
    language: str
    about: Row | None = None  #: a visit, with id, start and patient_id
    asks: str | None = None
    details: dict[str, object] = field(default_factory=dict)


class Guard:
    """Orders answers as requests, unless a phone has had enough."""

    def __init__(self, config: Config) -> None:
        """Read the limits."""
        self._most = config.replies.most
        self._loop = dt.timedelta(hours=config.replies.loop_hours)

    def say(self, tx: Transaction, arrival: Arrival, answer: Answer) -> bool:
        """Order an answer; return False if the phone has had so many that silence is better.

        What it has just been told is not said again; that is no silence (True).
        """
        now = dt.datetime.fromisoformat(tx.now)
        if now - arrival.written_at > EXPIRES:
            return True
        if answer.kind not in _OWED:
            recent = said.answers(tx, arrival.phone, format_utc(now - _LONGEST_CLOSED))
            if self._is_repeated(recent, answer, now):
                return True
            since = format_utc(now - COUNTED)
            counted = [row for row in recent if row["created_at"] >= since]
            if len(counted) >= self._most:
                return False
        requests.add(tx, self._request(tx, arrival, answer, now))
        return True

    def _request(
        self, tx: Transaction, arrival: Arrival, answer: Answer, now: dt.datetime
    ) -> requests.NewRequest:
        visit = answer.about
        expires = format_utc(now + EXPIRES)
        if answer.asks is not None and visit is not None:
            expires = max(expires, str(visit["start"]))
        return requests.NewRequest(
            kind=answer.kind,
            phone=arrival.phone,
            due=tx.now,
            expires=expires,
            same_as=f"ack:{arrival.inbox_id}",
            # Whoever says STOP is told so: intake lets nothing else through from now on.
            category=Category.STAFF if answer.kind in _OWED else Category.CARE,
            patient_id=arrival.patient_id if visit is None else visit["patient_id"],
            about=None if visit is None else visit["id"],
            about_start=None if visit is None else visit["start"],
            asks=answer.asks,
            details={"language": answer.language, **answer.details},
        )

    def _is_repeated(self, recent: list[Row], answer: Answer, now: dt.datetime) -> bool:
        """Tell whether a phone has just been told this (R18)."""
        since = format_utc(now - self._loop)
        when = str(answer.details.get("when") or "")
        for row in recent:
            details = _details(row)
            if when > format_utc(now) and details.get("when") == when:
                return True  # once a closed time: both name the same opening
            if row["kind"] == answer.kind and row["created_at"] > since:
                is_same = details == answer.details and _about(row) == _about_of(answer)
                if is_same or answer.kind in _FORMS:
                    return True
        return False


def _details(row: Row) -> dict[str, object]:
    found = dict(json.loads(row["details"]))
    return {name: value for name, value in found.items() if name not in _NOT_SAID}


def _about(row: Row) -> tuple[object, object]:
    return row["about"], row["about_start"]


def _about_of(answer: Answer) -> tuple[object, object]:
    visit = answer.about
    return (None, None) if visit is None else (visit["id"], visit["start"])
