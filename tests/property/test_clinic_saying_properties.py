# SPDX-License-Identifier: Apache-2.0
"""Whatever is booked, moved, cancelled and answered in whatever order: what phones get holds."""

from __future__ import annotations

import collections
import datetime as dt
import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
from clinic_saying_support import Desk
from clinic_support import OTHER_PHONE, PHONE
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gsmgw.clinic.model import Kind, VisitStatus
from gsmgw.clinic.saying.verdicts import CAPPED, COUNTED
from gsmgw.model import MessageState
from gsmgw.store.clinic import requests, visits

_VISITS = st.sampled_from(["A-1", "A-2", "A-3", "B-1"])
_DAYS = st.integers(2, 9)
_HOURS = st.sampled_from(["08:00", "10:15", "10:35", "15:00"])


class Phones(RuleBasedStateMachine):
    """A week of a clinic with two phones; nothing is settled by itself."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.desk = Desk(self.folder, reminders={"booked": True})
        self.desk.it_is("2026-03-02 08:20")
        self.said_at: dict[int, dt.datetime] = {}

    @rule(visit=_VISITS, day=_DAYS, hour=_HOURS)
    def book(self, visit: str, day: int, hour: str) -> None:
        """Book a visit, or move it."""
        phone = OTHER_PHONE if visit == "B-1" else PHONE
        self.desk.book(visit, f"2026-03-{day:02d} {hour}", patient_id=f"P-{visit}", phone=phone)

    @rule(visit=_VISITS, status=st.sampled_from([VisitStatus.CANCELLED, VisitStatus.NOSHOW]))
    def end(self, visit: str, status: VisitStatus) -> None:
        found = visits.get(self.desk.db, visit)
        if found is not None:
            at = self.desk.shown(found["start"])
            self.desk.book(visit, at, patient_id=found["patient_id"], status=status)

    @rule(visit=_VISITS, response=st.sampled_from(["accepted", "declined"]))
    def answer(self, visit: str, response: str) -> None:
        with self.desk.db.write() as tx:
            for row in tx.rows(
                "SELECT id, phone FROM request WHERE about = ? AND asks IS NOT NULL"
                " AND status = 'completed' AND answered IS NULL",
                (visit,),
            ):
                requests.answer(tx, row["id"])
                requests.release(tx, row["phone"])
                visits.answered(tx, visit, response)
                self.desk.booking.replan(tx, visit)

    @rule(hours=st.integers(0, 30), seconds=st.integers(1, 3599))
    def time_passes(self, hours: int, seconds: int) -> None:
        """Let time pass; more than an hour of it is an outage."""
        self.desk.clock.advance(hours * 3600 + seconds)

    @rule()
    def say(self) -> None:
        known = set(self.said_at)
        self.desk.say()
        for row in self.desk.rows("SELECT id FROM outbox"):
            if row["id"] not in known:
                self.said_at[row["id"]] = self.desk.clock.now()

    @rule(state=st.sampled_from([MessageState.FAILED, MessageState.DELIVERED]))
    def settle(self, state: MessageState) -> None:
        self.desk.settle(state)
        while self.desk.fates.step():
            pass

    # -- what always holds ------------------------------------------------------------------------

    @invariant()
    def one_question_is_open(self) -> None:
        for phone in (PHONE, OTHER_PHONE):
            opened = requests.open_questions(self.desk.db, phone, self.desk.now)
            assert len({row["outbox_id"] for row in opened}) <= 1

    @invariant()
    def nothing_is_stale_or_at_night(self) -> None:
        for row in self.desk.rows(
            "SELECT request.*, outbox.created_at AS said_at, outbox.expires_at AS ends_at"
            " FROM request JOIN outbox ON outbox.id = outbox_id WHERE request.category = 'care'"
        ):
            assert row["said_at"] < row["expires"]
            assert row["ends_at"] <= row["expires"]
            at = dt.datetime.fromisoformat(row["said_at"])
            assert self.desk.calendar.within_window(at), (row["kind"], row["said_at"])
            if row["about_start"] is not None and row["kind"] != Kind.MISSED:
                assert row["said_at"] < row["about_start"]

    @invariant()
    def caps_hold(self) -> None:
        days: collections.Counter[tuple[str, dt.date]] = collections.Counter()
        seen = set()
        for row in self.desk.rows(
            "SELECT request.*, outbox.created_at AS said_at FROM request"
            " JOIN outbox ON outbox.id = outbox_id WHERE request.category = 'care'"
            " ORDER BY outbox_id"
        ):
            if row["outbox_id"] in seen or row["kind"] not in COUNTED:
                continue
            seen.add(row["outbox_id"])
            day = self.desk.calendar.day(dt.datetime.fromisoformat(row["said_at"]))
            days[row["phone"], day] += 1
            assert row["kind"] not in CAPPED or days[row["phone"], day] <= 3

    def teardown(self) -> None:
        if hasattr(self, "desk"):
            self.desk.close()
            shutil.rmtree(self.folder)


TestPhones = Phones.TestCase
TestPhones.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
