# SPDX-License-Identifier: Apache-2.0
"""Alarms as SMS: through intake as any message, over a modem that is not the one in trouble.

Theory of operation: what a phone has yet to be told goes out in one text. The message is accepted
in the transaction that notes the notices as told, so a crash loses none and tells none twice. It
is bound to a modem that can send, and expires soon: where it comes to nothing, or nobody knows what
it came to, its notices are owed again and go out over another modem, a few times at most. An alarm
that is heard twice does no harm; one that nobody hears does.

On failure: without a modem that can send, or above the limit of a day, notices wait, and what is
over meanwhile is told as over. Whom nothing reaches, `gsmgw doctor` and `status` name as long as
the alarm is open.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence, Set

from gsmgw import logs
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.errors import RejectedError
from gsmgw.gateway.alarms import wording
from gsmgw.gateway.hints import Hints
from gsmgw.gateway.intake import Intake
from gsmgw.model import Category, Draft, Priority
from gsmgw.store.database import Database, Row, Transaction
from gsmgw.store.watching import alarms

log = logs.get("alarms")

SOURCE = "alarms"
#: An SMS that has not gone out by then is made anew, over another modem.
EXPIRES_AFTER = dt.timedelta(minutes=30)
#: So many SMS are made of a notice.
MOST_TRIES = 3
#: So much of what is owed stands in one text.
AT_ONCE = 12
_DAY = dt.timedelta(days=1)


class Texting:
    """Makes messages of notices. For one thread."""

    def __init__(self, config: Config, db: Database, intake: Intake, hints: Hints) -> None:
        self._config = config
        self._db = db
        self._intake = intake
        self._hints = hints
        self._site = site(config)

    def work(self, usable: Sequence[str], troubled: frozenset[str]) -> None:
        """Tell phones what they have yet to be told; blocks for a few queries and a commit.

        Args:
            usable: the modems that can send now.
            troubled: those of which something is wrong.

        Raises:
            StoreError: nothing was told.
        """
        now = self._db.clock.now()
        yesterday = format_utc(now - _DAY)
        if alarms.in_vain(self._db, yesterday):
            with self._db.write() as tx:
                for notice in alarms.in_vain(tx, yesterday):
                    self._take_back(tx, notice)
        for phone in alarms.owed_phones(self._db):
            self._tell(phone, usable, troubled, now)

    def _take_back(self, tx: Transaction, notice: Row) -> None:
        """Owe a notice again whose SMS came to nothing, or give it up."""
        words = f"SMS {notice['message_id']} over {notice['modem']} is {notice['message_state']}"
        if notice["message_error"]:
            words = f"{words}: {notice['message_error']}"
        if notice["tries"] < MOST_TRIES:
            alarms.owe_again(tx, notice["id"])
        else:
            words = f"{MOST_TRIES} SMS came to nothing; {words}"
            alarms.give_up(tx, notice["id"], words)
        tx.after_commit(lambda: self._untold(logs.masked(words)))

    def _tell(
        self, phone: str, usable: Sequence[str], troubled: frozenset[str], now: dt.datetime
    ) -> None:
        if phone not in self._config.alarms.sms.to:
            # Owed under another configuration.
            with self._db.write() as tx:
                for notice in alarms.owed(tx, phone, AT_ONCE):
                    alarms.finish(tx, notice["id"], error="this number gets no alarms any more")
            return
        notices = alarms.owed(self._db, phone, AT_ONCE)
        tried = {notice["tried_over"] for notice in notices}
        modem = self._choose(usable, troubled, tried)
        if modem is None:
            self._let_wait(notices, "no modem can send")
            return
        limit = self._config.alarms.sms.per_day
        if alarms.count_messages(self._db, phone, format_utc(now - _DAY)) >= limit:
            words = f"{limit} SMS in 24 hours are allowed (alarms.sms.per_day)"
            self._let_wait(notices, words)
            return
        with self._db.write() as tx:
            self._send(tx, phone, modem, now)
        self._hints.due()

    def _let_wait(self, notices: Sequence[Row], why: str) -> None:
        """Say that these wait; but whoever tries it wants to know now."""
        tests = [notice["id"] for notice in notices if notice["kind"] == alarms.TEST]
        if tests:
            with self._db.write() as tx:
                for notice_id in tests:
                    alarms.finish(tx, notice_id, error=why)
        self._untold(why)

    def _send(self, tx: Transaction, phone: str, modem: str, now: dt.datetime) -> None:
        notices = alarms.owed(tx, phone, AT_ONCE)
        if not notices:
            return
        draft = Draft(
            recipient=phone,
            text=self._text(notices, now),
            source=SOURCE,
            reference=f"alarm-{notices[0]['id']}-{notices[0]['tries']}",
            category=Category.STAFF,
            priority=Priority.URGENT,
            expires_at=format_utc(now + EXPIRES_AFTER),
            modem=modem,
        )
        try:
            accepted = self._intake.accept(tx, draft)
        except RejectedError as error:
            for notice in notices:
                alarms.finish(tx, notice["id"], error=str(error))
            words = logs.masked(error)
            tx.after_commit(lambda: self._untold(words))
            return
        for notice in notices:
            alarms.finish(tx, notice["id"], message_id=accepted.message_id)

    def _text(self, notices: Sequence[Row], now: dt.datetime) -> str:
        parts = self._config.sending.max_parts
        return wording.text(notices, self._site, self._config.zone, now, parts=parts)

    def _choose(
        self, usable: Sequence[str], troubled: frozenset[str], tried: Set[str | None]
    ) -> str | None:
        """Return the modem that is to send: not yet tried, healthy, the one wished for, or any."""
        wished = self._config.alarms.sms.modem
        known = [modem.name for modem in self._config.modems if modem.name in usable]
        order = sorted(known, key=lambda name: (name in tried, name in troubled, name != wished))
        return order[0] if order else None

    def _untold(self, why: str) -> None:
        log.warning("alarm.untold", key=("via", "why"), via="sms", why=why)


def site(config: Config) -> str:
    """Return what this box is called."""
    return config.alarms.site or os.uname().nodename.partition(".")[0] or "gsmgw"
