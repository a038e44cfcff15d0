# SPDX-License-Identifier: Apache-2.0
"""The text of a message from the requests that it says: template, language, and what fills it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass

from gsmgw.clinic import wording
from gsmgw.clinic.calendar import Calendar
from gsmgw.clinic.model import Kind, Participation
from gsmgw.clinic.saying.verdicts import ANSWERS
from gsmgw.clinic.wording import Wording
from gsmgw.clinic.work import Work
from gsmgw.store.clinic import people, tasks, visits
from gsmgw.store.database import Row, Transaction

#: Kinds of which several visits of one day are said in one text (R5).
FAMILIES = frozenset({Kind.BOOKED, Kind.REMINDER, Kind.CHANGED, Kind.CANCELLED, Kind.DELAYED})


@dataclass(frozen=True, slots=True)
class Said:
    """What a message says."""

    text: str
    template: str | None  #: None: a text of the clinic's own


def details_of(row: Row) -> dict[str, object]:
    """Return what a request's text needs beside patient and visit."""
    found = json.loads(row["details"])
    return found if isinstance(found, dict) else {}


def template_of(row: Row, *, several: bool, asks: bool) -> str:
    """Return the template of a request's kind, alone or with others of its family."""
    kind, details = Kind(row["kind"]), details_of(row)
    own = details.get("template")
    if several:
        family = ("reminder_family" if asks else "reminder_plain_family", f"{kind}_family")
        return family[0] if kind == Kind.REMINDER else family[1]
    if isinstance(own, str):
        return own
    if kind == Kind.REMINDER:
        by_question = {"confirm": "reminder_a", "object": "reminder_b"}
        return by_question.get(row["asks"] or "", "reminder_a") if asks else "reminder_plain"
    if kind == Kind.UNCLEAR and details.get("which"):
        return "unclear_family"
    if kind == Kind.INFO and not details.get("visits"):
        return "info_none"
    return kind


class Texts:
    """Composes texts. Immutable; callable from any thread."""

    def __init__(self, templates: Wording, calendar: Calendar, work: Work) -> None:
        self._wording = templates
        self._calendar = calendar
        self._work = work

    def compose(self, tx: Transaction, rows: Sequence[Row], *, asks: bool) -> Said:
        """Return the text of requests that are said together, in the order of their numbers.

        Raises:
            KeyError, ValueError: what its details promise is not there.
        """
        first, details = rows[0], details_of(rows[0])
        kind = Kind(first["kind"])
        if kind == Kind.STAFF_TASK:
            return self._notice(tx, details)
        if kind == Kind.DIGEST:
            return self._digest(tx, details)
        if isinstance(details.get("text"), str):  # the clinic's own words
            return Said(str(details["text"]), None)
        template = template_of(first, several=len(rows) > 1, asks=asks)
        if not self._wording.has(template):  # of a configuration that has changed since
            template = "reminder_plain" if kind == Kind.REMINDER else kind
        chosen, usual = details.get("language"), first["language"]
        wished = chosen or usual if kind in ANSWERS else usual or chosen
        language = self._wording.language(template, str(wished) if wished else None)
        values = self._values(tx, rows, details, language)
        return Said(self._wording.text(template, language, **values), template)

    def _values(
        self, tx: Transaction, rows: Sequence[Row], details: dict[str, object], language: str
    ) -> dict[str, object]:
        row = rows[0]
        values: dict[str, object] = {
            name: value
            for name, value in details.items()
            if name in wording.NAMES and isinstance(value, str | int)
        }
        values["first"] = row["given"] if row["patient_id"] is not None else details.get("first")
        places = {one["location"] for one in rows}
        values["location"] = places.pop() if len(places) == 1 else None
        if row["about_start"] is not None:
            values["start"] = dt.datetime.fromisoformat(row["about_start"])
        if isinstance(details.get("when"), str):
            values["when"] = dt.datetime.fromisoformat(str(details["when"]))
        if row["kind"] == Kind.DOSE and "time" not in details:
            due = dt.datetime.fromisoformat(row["due"])
            values["time"] = f"{self._calendar.local(due):%H:%M}"
        if row["kind"] == Kind.DELAYED:
            values["time"] = ", ".join(dict.fromkeys(self._hour(one) for one in rows))
        elif len(rows) > 1:
            values["list"] = self._family(rows, language)
        elif row["kind"] == Kind.INFO:
            values["list"] = self._next_visits(tx, details, language)
        elif row["kind"] == Kind.ACK_SEVERAL:
            values |= self._answered(tx, details, language)
        return values

    # -- lists ------------------------------------------------------------------------------------

    def _hour(self, row: Row) -> str:
        return f"{self._calendar.local(dt.datetime.fromisoformat(row['about_start'])):%H:%M}"

    def _family(self, rows: Sequence[Row], language: str) -> str:
        """List visits by first names (R6); two of one name at one time get an initial."""
        named = []
        for row in rows:
            name = self._wording.call(row["given"] or "", language)
            alike = [
                other
                for other in rows
                if other["patient_id"] != row["patient_id"]
                and (other["given"] or "") == (row["given"] or "")
                and other["about_start"] == row["about_start"]
            ]
            if alike and row["family"]:
                name += str(row["family"]).strip()[:1].upper()
            named.append((name, dt.datetime.fromisoformat(row["about_start"])))
        return self._wording.listing(named, language)

    def _next_visits(self, tx: Transaction, details: dict[str, object], language: str) -> str:
        found = details.get("visits")
        rows = [visits.get(tx, str(one)) for one in found] if isinstance(found, list) else []
        return ", ".join(
            self._wording.word("word_at", language, start=dt.datetime.fromisoformat(row["start"]))
            for row in rows
            if row is not None and row["start"] is not None
        )

    def _answered(
        self, tx: Transaction, details: dict[str, object], language: str
    ) -> dict[str, object]:
        """List visits with what was understood: `Anna 10:15 TAK, Lukasz 10:35 NIE`."""
        found = details.get("visits")
        said, starts = [], []
        for one in found if isinstance(found, list) else []:
            visit = visits.get(tx, str(one["appointment"]))
            if visit is None or visit["start"] is None:
                continue
            patient = people.get(tx, visit["patient_id"])
            starts.append(dt.datetime.fromisoformat(visit["start"]))
            is_yes = one["response"] == Participation.ACCEPTED
            word = self._wording.word("word_yes" if is_yes else "word_no", language)
            name = self._wording.call((patient and patient["given"]) or "", language)
            said.append(f"{name} {self._calendar.local(starts[-1]):%H:%M} {word}")
        return {"list": ", ".join(said), "start": min(starts)}

    # -- people of the clinic ---------------------------------------------------------------------

    def _notice(self, tx: Transaction, details: dict[str, object]) -> Said:
        task = tasks.get(tx, int(str(details["task"])))
        if task is None:
            raise KeyError("task")
        template = f"staff_{task['code']}"
        language = self._wording.language(template, self._work.language(str(details["staff"])))
        patient = None if task["patient_id"] is None else people.get(tx, task["patient_id"])
        visit = None if task["about"] is None else visits.get(tx, task["about"])
        text = self._wording.text(
            template,
            language,
            patient_phone=task["phone"],
            first=patient and patient["given"],
            time=self._time(tx, task["created_at"], language),
            visit=self._visit(visit, language),
            number=task["id"],
        )
        return Said(text, template)

    def _visit(self, visit: Row | None, language: str) -> str:
        if visit is None or visit["start"] is None:
            return ""
        start = dt.datetime.fromisoformat(visit["start"])
        return self._wording.word("staff_visit", language, start=start)

    def _time(self, tx: Transaction, stored: str, language: str) -> str:
        """Return a time of today alone, of another day with its date."""
        at = dt.datetime.fromisoformat(stored)
        if self._calendar.day(at) == self._calendar.day(dt.datetime.fromisoformat(tx.now)):
            return f"{self._calendar.local(at):%H:%M}"
        return self._wording.word("word_at", language, start=at)

    def _digest(self, tx: Transaction, details: dict[str, object]) -> Said:
        language = self._wording.language("digest", self._work.language(str(details["staff"])))
        counts = details["counts"]
        if not isinstance(counts, dict):
            raise TypeError("counts")
        listed = ", ".join(
            self._wording.word(f"word_{code}", language, count=count)
            for code, count in counts.items()
        )
        now = dt.datetime.fromisoformat(tx.now)
        return Said(self._wording.text("digest", language, list=listed, start=now), "digest")
