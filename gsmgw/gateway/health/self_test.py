# SPDX-License-Identifier: Apache-2.0
"""The nightly test: each modem writes to its own SIM, and the message must come back.

Theory of operation: at its hour a modem that is ready gets a message to its own number, with a text
that was never used before and is kept with it. What comes in with exactly that text from exactly
that number is its arrival: `gateway/arrivals` hands it to nobody. One message a modem and day, and
none while the clock is suspect, when nobody knows the hour; the limits of the SIM bind it.

Known limits: a modem that is not ready within an hour of its time is not tested that night; that it
is not ready is a finding of its own.
"""

from __future__ import annotations

import datetime as dt
import secrets

from gsmgw import logs, phone
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.errors import RejectedError
from gsmgw.gateway.hints import Hints
from gsmgw.gateway.intake import Intake
from gsmgw.gateway.trust import ClockTrust
from gsmgw.model import Category, Draft, MessageState, ModemState
from gsmgw.store import events, modems
from gsmgw.store.database import Database, Row
from gsmgw.store.watching import self_tests

log = logs.get("gateway")

SOURCE = "self-test"
#: The text of a test begins so; behind it stands what makes it the only one.
MARK = "gsmgw self-test "
#: A test that could not begin at its time begins until then.
_WINDOW = dt.timedelta(hours=1)
_TAKEN = (MessageState.SENT, MessageState.DELIVERED, MessageState.UNDELIVERED)


class SelfTest:
    """Begins tests and ends those that do not arrive. For one thread."""

    def __init__(
        self, config: Config, db: Database, hints: Hints, intake: Intake, trust: ClockTrust
    ) -> None:
        self._config = config
        self._db = db
        self._hints = hints
        self._intake = intake
        self._trust = trust
        self._numbers = {modem.name: modem.number for modem in config.modems if modem.number}

    def work(self) -> None:
        """Do what is due; blocks for a few queries, and a commit for each test.

        Raises:
            StoreError: it was not done.
        """
        if self._config.selftest.at is None or self._trust.is_suspect:
            return
        now = self._db.clock.now()
        for test in self_tests.awaited(self._db):
            if test["until"] <= format_utc(now):
                self._fail(test)
        begins = self._begins(now)
        if begins is not None:
            for name, number in self._numbers.items():
                self._begin(name, number, begins, now)

    def _begins(self, now: dt.datetime) -> dt.datetime | None:
        """Return when the tests of this hour were to begin; None at other hours."""
        at = self._config.selftest.at
        if at is None:
            return None
        local = now.astimezone(self._config.zone)
        # The hour after 23:30 ends on the next day.
        for date in (local.date(), local.date() - dt.timedelta(days=1)):
            begins = dt.datetime.combine(date, at, self._config.zone)
            if begins <= local < begins + _WINDOW:
                return begins
        return None

    def _begin(self, name: str, number: str, begins: dt.datetime, now: dt.datetime) -> None:
        newest = self_tests.newest(self._db, name)
        if newest is not None and format_utc(begins) <= newest["begun_at"] <= format_utc(now):
            return
        modem = modems.get(self._db, name)
        if modem is None or modem["state"] != ModemState.READY:
            return
        until = format_utc(now + dt.timedelta(seconds=self._config.selftest.within))
        text = f"{MARK}{secrets.token_hex(8)}"
        own = phone.parse_recipient(number, country=self._config.country)
        draft = Draft(
            recipient=own,
            text=text,
            source=SOURCE,
            category=Category.STAFF,
            expires_at=until,
            modem=name,
        )
        with self._db.write() as tx:
            test_id = self_tests.add(tx, name, modem["sim_id"], number=own, text=text, until=until)
            try:
                accepted = self._intake.accept(tx, draft)
                self_tests.sent_by(tx, test_id, accepted.message_id)
            except RejectedError as error:
                self_tests.fail(tx, test_id, logs.masked(error))
        self._hints.due()

    def _fail(self, test: Row) -> None:
        name, why = test["modem"], _words(test)
        with self._db.write() as tx:
            self_tests.fail(tx, test["id"], why)
            events.add(tx, "selftest.failed", modem=name, message_id=test["message_id"], why=why)
        log.warning("selftest.failed", modem=name, id=test["message_id"], why=logs.masked(why))


def _words(test: Row) -> str:
    state = test["message_state"]
    if state in _TAKEN:
        return "it was sent, and did not come back"
    if state is None:
        return "its message is gone"
    error = f": {test['message_error']}" if test["message_error"] else ""
    return f"it was not sent in time, its message is {state}{error}"


def result(db: Database, modem: str, sim_id: int | None) -> dict[str, object] | None:
    """Return how the last test of the SIM in a modem went, for the health record; None: no test."""
    row = self_tests.newest_of_sim(db, modem, sim_id)
    if row is None:
        return None
    begun = dt.datetime.fromisoformat(row["begun_at"])
    arrived = row["arrived_at"] and dt.datetime.fromisoformat(row["arrived_at"])
    return {
        "at": row["begun_at"],
        "passed": row["arrived_at"] is not None,
        "seconds": (arrived - begun).total_seconds() if arrived else None,
        "error": row["error"],
    }
