# SPDX-License-Identifier: Apache-2.0
"""Which question an answer belongs to, and whether that question still stands.

Theory of operation: an answer belongs to the newest text on its phone that asks something which
still stands; else to the newest text that asked anything, if it is no older than its matter (R13).
A text that was sent after the answer was written cannot be meant, if there is another one.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass

from gsmgw.clinic.answering.senders import Arrival
from gsmgw.clinic.model import AHEAD
from gsmgw.clinic.reading import Question
from gsmgw.clinic.reading.meaning import ABOUT_A_VISIT
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.model import MessageState
from gsmgw.store.clinic import said
from gsmgw.store.database import Row, Transaction

#: No visit is asked about earlier.
OLDEST = dt.timedelta(days=60)
#: R12: without reports, a text is taken for read so long after it was sent ...
READ_AFTER = dt.timedelta(seconds=60)
#: ... and with reports if none has come so long after: some phones never confirm.
READ_UNCONFIRMED_AFTER = dt.timedelta(minutes=10)
#: R13, for what is about no visit: so long an answer still belongs to its question.
_LATE_ANSWERS = {
    Question.DOSE: dt.timedelta(hours=12),
    Question.CONSENT: dt.timedelta(days=30),
}

_UNSAID = frozenset(
    {
        MessageState.NEW,
        MessageState.QUEUED,
        MessageState.REJECTED,
        MessageState.EXPIRED,
        MessageState.CANCELLED,
        MessageState.FAILED,
    }
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One text that asked something: the questions in it, by their numbers."""

    rows: tuple[Row, ...]
    is_open: bool  #: at least one of them waits for its answer
    #: R12: False if the answer was written before this text can have been read, while an older one
    #: asked about another time of the same visit
    is_heard: bool = True
    #: the visits by their numbers in the newest older text about a family, if any still stands
    listed: tuple[Row, ...] = ()

    @property
    def ids(self) -> list[int]:
        """The questions."""
        return [int(row["id"]) for row in self.rows]

    @property
    def question(self) -> Question:
        """What is asked, in the reader's words."""
        first = self.rows[0]
        asks = Question(first["asks"])
        # Of a family's text one question may be all that is left, if a person was forgotten.
        is_family = asks in ABOUT_A_VISIT and first["number"] is not None
        return Question.FAMILY if is_family else asks

    @property
    def is_of_visits(self) -> bool:
        """Whether the answer is about visits."""
        return all(row["asks"] in ABOUT_A_VISIT and row["about"] for row in self.rows)

    @property
    def text(self) -> str:
        """The text as it was sent; empty once its time is over."""
        return str(self.rows[0]["text"] or "")

    @property
    def template(self) -> str:
        """The template of the question, as answers name it."""
        details = json.loads(self.rows[0]["details"])
        return str(details.get("template") or self.rows[0]["kind"])


def bind(tx: Transaction, arrival: Arrival, config: Config) -> Asked | None:
    """Return what an arrival answers; None if nothing that still matters was asked."""
    since = format_utc(dt.datetime.fromisoformat(tx.now) - OLDEST)
    rows = said.questions(tx, arrival.phone, since)
    texts = [
        tuple(group)
        for _, group in itertools.groupby(rows, key=lambda row: row["outbox_id"])  # as sorted
    ]
    texts = [text for text in texts if text[0]["message_state"] not in _UNSAID]
    texts = [text for text in texts if _said_at(text[0]) <= arrival.written_at] or texts
    if not texts:
        return None
    waiting = [text for text in texts if any(_waits(row, tx.now) for row in text)]
    if waiting:
        text = waiting[0]
        older = texts[texts.index(text) + 1 :]
        return Asked(text, True, _is_heard(text, older, arrival, config), _listed(older, tx.now))
    is_open = any(_is_unanswered(row, tx.now) for row in texts[0])
    if not is_open and not any(_matters(row, tx.now) for row in texts[0]):
        return None
    return Asked(texts[0], is_open)


def _listed(older: Sequence[tuple[Row, ...]], now: str) -> tuple[Row, ...]:
    for text in older:
        if text[0]["number"] is not None:
            return text if any(stands(row, now) for row in text) else ()
    return ()


def is_moved(row: Row) -> bool:
    """Tell whether the visit of a question has another time now."""
    return not _same_time(row["visit_start"], row["about_start"])


def stands(row: Row, now: str) -> bool:
    """Tell whether the visit of a question is to take place at the time asked about."""
    if row["about"] is None:
        return True
    return is_ahead(row, now) and not is_moved(row)


def is_ahead(row: Row, now: str) -> bool:
    """Tell whether the visit of a question is to take place, whenever that is."""
    is_expected = row["visit_status"] in AHEAD and row["visit_withdrawn"] is None
    return is_expected and (row["visit_start"] or "") > now


def _is_unanswered(row: Row, now: str) -> bool:
    return row["answered"] is None and row["expires"] > now


def _waits(row: Row, now: str) -> bool:
    return _is_unanswered(row, now) and stands(row, now)


def _matters(row: Row, now: str) -> bool:
    """Tell whether a late answer to a question may still be one (R13)."""
    if row["about"] is not None:
        return bool((row["visit_start"] or row["about_start"] or "") > now)
    late = _LATE_ANSWERS.get(Question(row["asks"]), dt.timedelta())
    return _said_at(row) + late >= dt.datetime.fromisoformat(now)


def _said_at(row: Row) -> dt.datetime:
    return dt.datetime.fromisoformat(row["sent_at"] or row["message_created_at"])


def _is_heard(
    text: Sequence[Row], older: Sequence[Sequence[Row]], arrival: Arrival, config: Config
) -> bool:
    """Tell whether an answer can be meant for this text and not for an older one (R12)."""
    starts = {row["about"]: row["about_start"] for row in text if row["about"] is not None}
    is_repeated = any(
        row["about"] in starts and not _same_time(row["about_start"], starts[row["about"]])
        for before in older
        for row in before
    )
    return not is_repeated or arrival.written_at >= _read_at(text[0], config)


def _read_at(row: Row, config: Config) -> dt.datetime:
    """Return when a text can have been read."""
    if row["message_state"] == MessageState.DELIVERED and row["settled_at"]:
        return dt.datetime.fromisoformat(row["settled_at"])
    modem = config.modem(row["modem"] or "")
    has_reports = modem is None or modem.reports
    return _said_at(row) + (READ_UNCONFIRMED_AFTER if has_reports else READ_AFTER)


def _same_time(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return one == other
    return dt.datetime.fromisoformat(one) == dt.datetime.fromisoformat(other)
