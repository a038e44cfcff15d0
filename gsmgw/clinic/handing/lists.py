# SPDX-License-Identifier: Apache-2.0
"""The lists that reception opens: answers, work, whom to ring up, whom no text reached."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from gsmgw.clinic.booking import Reach
from gsmgw.clinic.handing import cells
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.store.clinic import lists
from gsmgw.store.database import Database, Row

#: Visits of so many days are on the list of calls.
CALLED_AHEAD = dt.timedelta(days=7)
#: What did not arrive is listed for so long.
LOST_KEPT = dt.timedelta(days=30)

REPLIES = ("at", "appointment", "start", "patient", "first", "phone", "asked", "answer", "text")
TASKS = (
    *("id", "created", "due", "code", "phone", "patient", "first", "appointment", "start", "note"),
    *("attempts", "state", "owner"),
)
CALLS = ("appointment", "start", "patient", "first", "phone", "why", "attempts", "outcome")
UNREACHABLE = ("at", "appointment", "start", "patient", "first", "phone", "reason", "text")

#: Calls after which nobody has to ring again.
_REACHED = frozenset({"answered", "accepted", "declined", "wrong"})
#: Refusals of the network that say that there is no such number (3GPP TS 24.011 E-2).
_NO_SUCH_NUMBER = frozenset({"1", "28"})
_NOT_SAID = frozenset({"expired", "too-late", "cap", "error"})
#: What stands in the column `why`, by the hindrance that booking finds.
_WHY = {"landline": "landline", "no-phone": "no-phone", "no-consent": "no-consent"} | {
    "stopped": "stopped"
}


class Lists:
    """Makes the lists from the store. Reads only; blocks for some queries."""

    def __init__(self, config: Config, db: Database) -> None:
        self._config = config
        self._db = db
        self._zone = config.zone
        self._reach = Reach(config)

    def replies(self, now: dt.datetime) -> bytes:
        """Return replies.csv: the answers of `export.keep`, the oldest first."""
        since = format_utc(now - dt.timedelta(seconds=self._config.exports.keep))
        rows = [
            (
                cells.local(row["at"], self._zone),
                cells.foreign(row["appointment_id"]),
                cells.local(row["start"], self._zone),
                cells.foreign(row["patient_id"]),
                cells.foreign(row["first"]),
                row["phone"],
                row["asked"] or "",
                _answer(row),
                cells.foreign(row["text"]),
                _state(row),
            )
            for row in lists.answers(self._db, since)
        ]
        return cells.document((*REPLIES, "state"), rows)

    def tasks(self, now: dt.datetime) -> bytes:
        """Return tasks.csv: open work, and what was closed today."""
        midnight = dt.datetime.combine(now.astimezone(self._zone).date(), dt.time(), self._zone)
        rows = [
            (
                str(row["id"]),
                cells.local(row["created_at"], self._zone),
                cells.local(row["due"], self._zone),
                row["code"],
                row["phone"] or "",
                cells.foreign(row["patient_id"]),
                cells.foreign(row["first"]),
                cells.foreign(row["about"]),
                cells.local(row["start"], self._zone),
                cells.foreign(row["note"]),
                str(row["attempts"]),
                row["status"],
                cells.foreign(row["owner"]),
            )
            for row in lists.work(self._db, format_utc(midnight))
        ]
        return cells.document(TASKS, rows)

    def unreachable(self, now: dt.datetime) -> bytes:
        """Return unreachable.csv: what was said in 30 days and did not arrive."""
        rows = [
            (
                cells.local(row["at"], self._zone),
                cells.foreign(row["about"]),
                cells.local(row["start"], self._zone),
                cells.foreign(row["patient_id"]),
                cells.foreign(row["first"]),
                row["phone"],
                _reason(row),
                cells.foreign(f"{row['kind']}: {row['error'] or row['state']}"),
            )
            for row in lists.lost(self._db, format_utc(now - LOST_KEPT))
        ]
        return cells.document(UNREACHABLE, rows)

    def calls(self, now: dt.datetime) -> bytes:
        """Return calls.csv: whom people should ring up, the next visit first."""
        rows = [
            (
                cells.foreign(visit["id"]),
                cells.local(visit["start"], self._zone),
                cells.foreign(visit["patient_id"]),
                cells.foreign(visit["given"]),
                visit["phone"] or "",
                why,
                str(visit["tries"]),
                visit["outcome"] or "",
            )
            for visit, why in self.to_call(now)
        ]
        return cells.document(CALLS, rows)

    def to_call(self, now: dt.datetime) -> list[tuple[Row, str]]:
        """Return the visits whose patients are to be rung up, with the reason of each."""
        after, before = format_utc(now), format_utc(now + CALLED_AHEAD)
        questions: dict[str, list[Row]] = defaultdict(list)
        for row in lists.questions_of(self._db, after, before):
            questions[row["about"]].append(row)
        found = []
        for visit in lists.unanswered_visits(self._db, after, before):
            if visit["outcome"] in _REACHED or visit["tries"] >= self._config.calls.tries:
                continue
            why = self._why(visit, questions[visit["id"]], now)
            if why is not None:
                found.append((visit, why))
        return found

    def _why(self, visit: Row, questions: Sequence[Row], now: dt.datetime) -> str | None:
        hindrance = self._reach.hindrance(self._db, visit, visit["service"])
        if hindrance is not None:
            return _WHY.get(hindrance)
        asked = [question for question in questions if question["status"] == "completed"]
        if asked and asked[-1]["message_state"] in lists.LOST:
            return "undelivered"
        if any(question["status"] in ("active", "on-hold") for question in questions):
            return None  # it will be asked again
        if not asked:
            missed = any(question["reason"] in _NOT_SAID for question in questions)
            return "undelivered" if missed else None
        if visit["variant"] == "b":
            return None  # silence means that the visit stands
        patience = dt.timedelta(seconds=self._config.reminders.call_after)
        is_over = asked[-1]["sent_at"] is not None and asked[-1]["sent_at"] <= format_utc(
            now - patience
        )
        return "unconfirmed" if is_over else None


def _answer(row: Row) -> str:
    if row["status"]:
        return str(row["status"])
    return str(row["meaning"]) if row["applied"] else "unclear"


def _state(row: Row) -> str:
    """Return whether somebody still has to deal with an answer."""
    if row["task_status"] in ("requested", "in-progress"):
        return "open"
    return "done" if row["applied"] else "closed"


def _reason(row: Row) -> str:
    """Return why a text did not arrive, in FHIR communication-not-done-reason where that fits."""
    state, family, code = row["state"], row["error_family"], str(row["error_code"] or "")
    if state == "expired":
        return "expired"
    if state == "rejected":
        return "patient-objection" if code == "stopped" else "invalid-phone-number"
    if family == "cms" and code in _NO_SUCH_NUMBER:
        return "invalid-phone-number"
    if state == "undelivered":
        return "recipient-unavailable"
    return "system-error"
