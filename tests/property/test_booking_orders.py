# SPDX-License-Identifier: Apache-2.0
"""Whatever files say of a visit, and in whatever order: what waits is what its last state wants."""

from __future__ import annotations

import dataclasses
import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

from clinic_support import LANDLINE, OTHER_PHONE, PHONE, Clinic, make_patient, make_visit
from hypothesis import given, settings
from hypothesis import strategies as st

from gsmgw.clinic import plan
from gsmgw.clinic.model import Kind, Participation, VisitStatus
from gsmgw.clock import format_utc

_START = dt.datetime(2026, 3, 2, 7, 20, tzinfo=dt.UTC)
_PHONES = (PHONE, OTHER_PHONE, LANDLINE, "")
_HOURS = st.integers(1, 14 * 24).map(lambda hours: _START + dt.timedelta(hours=hours))

#: One thing that happens: what it is, with what, and how many minutes pass before.
_STEP = st.tuples(
    st.one_of(
        st.tuples(st.just("move"), _HOURS),
        st.tuples(st.just("status"), st.sampled_from(list(VisitStatus))),
        st.tuples(st.just("phone"), st.sampled_from(_PHONES)),
        st.tuples(st.just("consent"), st.booleans()),
        st.tuples(st.just("service"), st.sampled_from(["ZAB", "KON", "HIV"])),
        st.tuples(st.just("answer"), st.sampled_from(list(Participation))),
        st.tuples(st.just("say"), st.none()),
    ),
    st.integers(0, 600),
)


class _Story:
    """A visit to which things happen."""

    def __init__(self, folder: Path) -> None:
        self.clinic = Clinic(folder)
        self.record = make_visit()
        self.take()

    def take(self) -> None:
        self.clinic.take(self.record)

    def patient(self, **fields: Any) -> None:
        known = dataclasses.replace(self.record.patient, **fields)
        self.record = dataclasses.replace(self.record, patient=known)
        self.take()

    def visit(self, **fields: Any) -> None:
        self.record = dataclasses.replace(self.record, **fields)
        self.take()

    def happens(self, what: str, value: Any) -> None:
        if what == "move":
            self.visit(start=value)
        elif what in ("status", "service"):
            self.visit(**{what: value})
        elif what in ("phone", "consent"):
            self.patient(**{what: value})
        elif what == "answer":
            self.clinic.answered(value)
        else:
            self.say()

    def say(self) -> None:
        """Say what is due and not stale, as the part that says things does."""
        now = format_utc(self.clinic.clock.now())
        due = [row for row in self.clinic.waiting() if row["due"] <= now < row["expires"]]
        self.clinic.said(*(row["id"] for row in due))

    def look(self) -> None:
        """Compare what waits with what the visit's state wants."""
        visit = self.clinic.visit("A-1001")
        rows = self.clinic.waiting()
        reminders = [row for row in rows if row["kind"] == Kind.REMINDER]
        assert {row["same_as"] for row in reminders} <= self._wanted(visit)
        for row in rows:
            assert row["about_start"] == visit["start"], "what waits speaks of another time"
            assert row["phone"] == self.record.patient.phone
            assert row["due"] < row["expires"]
            if row["kind"] not in (Kind.CANCELLED, Kind.MISSED):
                assert visit["status"] == VisitStatus.BOOKED
            if row["kind"] != Kind.MISSED:
                assert row["expires"] <= visit["start"]
            at = dt.datetime.fromisoformat(row["due"])
            assert self.clinic.calendar.within_window(at)

    def _wanted(self, visit: Any) -> set[str | None]:
        """Return the reminders that a first look at the visit would plan."""
        if visit["status"] != VisitStatus.BOOKED:
            return set()
        facts = plan.Visit(
            id="A-1001",
            patient_id="4711",
            phone=PHONE,
            start=dt.datetime.fromisoformat(visit["start"]),
            booked_at=dt.datetime.fromisoformat(visit["booked_at"]),
            response=Participation(visit["response"]),
            service=visit["service"],
        )
        found = plan.reminders(facts, self.clinic.config.reminders, self.clinic.calendar)
        return {new.same_as for new in found.requests}


@settings(max_examples=40)
@given(steps=st.lists(_STEP, max_size=8))
def test_what_waits_is_what_the_last_state_wants(steps: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        story = _Story(Path(folder))
        try:
            for (what, value), minutes in steps:
                story.clinic.clock.advance(60 * minutes)
                story.happens(what, value)
                story.look()
            _again_changes_nothing(story)
        finally:
            story.clinic.close()


def _again_changes_nothing(story: _Story) -> None:
    before = [tuple(row) for row in story.clinic.rows("SELECT * FROM request")]
    story.take()
    story.clinic.replan()
    assert [tuple(row) for row in story.clinic.rows("SELECT * FROM request")] == before


@settings(max_examples=40)
@given(moves=st.lists(_HOURS, min_size=1, max_size=6))
def test_after_any_moves_the_reminders_are_those_of_a_visit_booked_there(moves: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as moved, tempfile.TemporaryDirectory() as fresh:
        story, plain = _Story(Path(moved)), Clinic(Path(fresh))
        try:
            for start in moves:
                story.visit(start=start)
            plain.take(make_visit("A-2", start=moves[-1], patient=make_patient()))
            found = [line for line in story.clinic.plan() if line.endswith("reminder")]
            assert found == [line for line in plain.plan("A-2") if line.endswith("reminder")]
        finally:
            story.clinic.close()
            plain.close()
