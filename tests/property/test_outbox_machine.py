# SPDX-License-Identifier: Apache-2.0
"""The outbox under everything that can happen to it: nothing lost, nothing claimed twice."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import factories
import hypothesis
from gateway_support import THREE_PARTS, TWO_PARTS, Rig
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gsmgw.errors import GsmgwError
from gsmgw.model import ModemState, PartState, message_state

MODEMS = ("front", "back")
TEXTS = ("short", TWO_PARTS, THREE_PARTS)
FINAL = {"sent", "delivered", "undelivered", "rejected", "failed", "expired", "cancelled"}
CODES = (1, 8, 21, 27, 38, 42, 300, 331)


class Outbox(RuleBasedStateMachine):
    """Doors, modems, persons and time take turns; a SIM numbers what it really submits."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="gsmgw-outbox-"))
        settle_as = {"survey": "resend"}
        self.rig = Rig(
            self.folder, factories.make_config(sending={"uncertain": {"settle_as": settle_as}})
        )
        self.held: dict[str, int] = {}  # modem: the part it is busy with
        self.doubtful: dict[str, int] = {}
        self.mr = dict.fromkeys(MODEMS, 250)
        self.aired: dict[int, int] = {}  # part: how often it really went out
        self.allowed: dict[int, int] = {}  # part: how often somebody said that it may
        self.count = 0
        for modem in MODEMS:
            self.rig.attach(modem)
            self.rig.train(int(self.rig.db.row("SELECT max(id) FROM sim")[0]), 250)

    def teardown(self) -> None:
        self.rig.close()
        shutil.rmtree(self.folder)

    # -- doors and persons ------------------------------------------------------------------------

    @rule(
        text=st.sampled_from(TEXTS),
        number=st.integers(0, 4),
        category=st.sampled_from(["care", "survey"]),
        expires=st.sampled_from([None, 60, 4000]),
    )
    def accept(self, text: str, number: int, category: str, expires: int | None) -> None:
        self.count += 1
        self.rig.add(
            f"{text}{self.count}",
            recipient=factories.make_number(number),
            category=category,
            expires_at=None if expires is None else self.rig.after(expires),
        )

    def _some(self, choice: int) -> int | None:
        return choice % self.count + 1 if self.count else None

    @rule(choice=st.integers(0, 1000))
    def cancel(self, choice: int) -> None:
        message_id = self._some(choice)
        if message_id is not None:
            self.rig.foreign("UPDATE outbox SET cancel_requested = 1 WHERE id = ?", (message_id,))
            self.rig.new_rows.look()

    @rule(choice=st.integers(0, 1000))
    def retry(self, choice: int) -> None:
        message_id = self._some(choice)
        if message_id is None:
            return
        before = {row["id"]: row["state"] for row in self._parts(message_id)}
        try:
            self.rig.retry(message_id)
        except GsmgwError:
            return
        for row in self._parts(message_id):
            if before[row["id"]] != row["state"]:
                self.allowed[row["id"]] = self.allowed.get(row["id"], 1) + 1

    def _parts(self, message_id: int):
        return self.rig.db.rows("SELECT * FROM part WHERE message_id = ?", (message_id,))

    # -- modems -----------------------------------------------------------------------------------

    def _take(self, modem: str, part) -> None:
        if part is None:
            return
        assert part.part_id not in self.held.values(), "claimed twice"
        assert self.rig.part(part.part_id)["state"] == "sending"
        self.held[modem] = part.part_id

    @rule(modem=st.sampled_from(MODEMS))
    def claim(self, modem: str) -> None:
        if modem not in self.held:
            self._take(modem, self.rig.claim(modem))

    def _air(self, modem: str, part_id: int) -> int:
        self.mr[modem] = (self.mr[modem] + 1) % 256
        self.aired[part_id] = self.aired.get(part_id, 0) + 1
        return self.mr[modem]

    def _settle(self, modem: str, result, claim_next: bool) -> None:
        del self.held[modem]
        self._take(modem, self.rig.settle(result, modem, claim_next=claim_next))

    @precondition(lambda self: self.held)
    @rule(modem=st.sampled_from(MODEMS), claim_next=st.booleans())
    def taken(self, modem: str, claim_next: bool) -> None:
        if modem in self.held:
            part_id = self.held[modem]
            self._settle(modem, factories.taken(part_id, self._air(modem, part_id)), claim_next)

    @precondition(lambda self: self.held)
    @rule(modem=st.sampled_from(MODEMS), code=st.sampled_from(CODES))
    def refused(self, modem: str, code: int) -> None:
        if modem in self.held:
            self._settle(modem, factories.refused(self.held[modem], code), True)

    @precondition(lambda self: self.held)
    @rule(modem=st.sampled_from(MODEMS))
    def untouched(self, modem: str) -> None:
        if modem in self.held:
            self._settle(modem, factories.untouched(self.held[modem]), False)

    @precondition(lambda self: self.held)
    @rule(modem=st.sampled_from(MODEMS), submitted=st.booleans())
    def doubted(self, modem: str, submitted: bool) -> None:
        if modem in self.held:
            part_id = self.held[modem]
            if submitted:
                self._air(modem, part_id)
                self.doubtful[modem] = part_id
            self._settle(modem, factories.uncertain(part_id), False)

    @rule(modem=st.sampled_from(MODEMS))
    def late_answer(self, modem: str) -> None:
        part_id = self.doubtful.pop(modem, None)
        if part_id is not None and self.rig.part(part_id)["state"] == "uncertain":
            self.rig.dispatcher.late_answer(modem, factories.taken(part_id, self.mr[modem]))

    @rule(modem=st.sampled_from(MODEMS))
    def reading(self, modem: str) -> None:
        self.rig.dispatcher.smss_reading(modem, self.mr[modem])

    @rule(modem=st.sampled_from(MODEMS))
    def unplug(self, modem: str) -> None:
        if modem not in self.held:
            self.doubtful.pop(modem, None)
            self.rig.state(modem, ModemState.ABSENT)
            self.rig.attach(modem)

    # -- time and crashes -------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 60, 601, 3600]))
    def wait(self, seconds: int) -> None:
        survey = {
            row["id"] for row in self.rig.db.rows("SELECT id FROM part WHERE state = 'uncertain'")
        }
        self.rig.clock.advance(seconds)
        self.rig.housekeeping.work()
        for part_id in survey:
            if self.rig.part(part_id)["state"] == "waiting":
                self.allowed[part_id] = self.allowed.get(part_id, 1) + 1

    @rule()
    def crash(self) -> None:
        self.rig.restart()
        self.held.clear()
        self.doubtful.clear()
        for modem in MODEMS:
            self.rig.attach(modem)
            part = self.rig.dispatcher.in_flight(modem)
            if part is not None:
                self.rig.settle(factories.uncertain(part.part_id), modem)

    # -- what is always true ----------------------------------------------------------------------

    @invariant()
    def states_are_consistent(self) -> None:
        for row in self.rig.db.rows("SELECT * FROM outbox"):
            parts = [PartState(part["state"]) for part in self._parts(row["id"])]
            assert len(parts) == row["parts"]
            over = row["settled_at"] is not None
            ended = row["state"] in ("cancelled", "expired") or PartState.WAITING in parts
            if not (over and ended):
                assert row["state"] == message_state(parts), (row["state"], parts)
            if row["state"] in FINAL and PartState.SENDING not in parts:
                assert over
            if over:
                assert row["due_at"] is None
            elif PartState.WAITING in parts and PartState.FAILED not in parts:
                assert row["due_at"] is not None, "lost: nobody will ever send it"
            assert row["tries"] >= 0

    @invariant()
    def what_is_sending_is_held(self) -> None:
        sending = {
            row["id"] for row in self.rig.db.rows("SELECT id FROM part WHERE state='sending'")
        }
        assert sending == set(self.held.values())

    @invariant()
    def nothing_goes_out_twice_by_itself(self) -> None:
        for part_id, times in self.aired.items():
            row = self.rig.message(self.rig.part(part_id)["message_id"])
            assert times <= self.allowed.get(part_id, 1) + row["restarts"], part_id

    @invariant()
    def what_is_said_to_be_sent_was_sent(self) -> None:
        for row in self.rig.db.rows("SELECT id FROM part WHERE state = 'sent'"):
            assert self.aired.get(row["id"], 0) >= 1


Outbox.TestCase.settings = hypothesis.settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
TestOutbox = Outbox.TestCase
