# SPDX-License-Identifier: Apache-2.0
"""The credit of prepaid SIMs: asked of the network now and then, and how long it will last.

Theory of operation: the service code is left for the modem as a line that a person asks for, and so
is run between two parts; the answer is fetched from there. A SIM that is new in its modem is asked
for at once; what came to nothing is asked again an hour later.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

from gsmgw import logs
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.config.alarms import Balance as BalanceConfig
from gsmgw.gateway.hints import Hints
from gsmgw.model import CommandKind, ModemState
from gsmgw.store import modems
from gsmgw.store.database import Database, Row
from gsmgw.store.watching import balances

log = logs.get("gateway")

#: A line that no modem has run by then is given up.
PATIENCE = dt.timedelta(minutes=5)
#: What came to nothing is asked again after this time, if not sooner.
AGAIN = dt.timedelta(hours=1)
#: Of so many days it is reckoned what a SIM uses up; of fewer than the second, nothing.
_LOOK_BACK, _SHORTEST = dt.timedelta(days=30), dt.timedelta(days=3)
_ANSWERS = 100


@dataclass(frozen=True, slots=True)
class Credit:
    """What is known of the credit of a SIM."""

    amount: float | None  #: None: it was never read
    at: str | None  #: when that was
    errors: int  #: answers since then without an amount
    error: str | None  #: why the newest has none
    per_day: float | None  #: used up of late; None where that is not known yet
    days_left: float | None
    warn_below: float | None

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return asdict(self)


class Balance:
    """Asks for credit. For one thread."""

    def __init__(self, config: Config, db: Database, hints: Hints) -> None:
        self._db = db
        self._hints = hints
        self._asked = {
            modem.name: modem.balance for modem in config.modems if modem.balance is not None
        }

    def work(self) -> None:
        """Fetch answers, and ask where it is time; blocks for a few queries, a commit at most each.

        Raises:
            StoreError: nothing was asked or noted.
        """
        for name, wanted in self._asked.items():
            newest = balances.newest(self._db, name)
            if newest is not None and newest["answered_at"] is None:
                self._fetch(name, wanted, newest)
            elif self._is_due(name, wanted, newest):
                self._ask(name, wanted)

    def _is_due(self, name: str, wanted: BalanceConfig, newest: Row | None) -> bool:
        modem = modems.get(self._db, name)
        if modem is None or modem["state"] != ModemState.READY:
            return False
        if newest is None or newest["sim_id"] != modem["sim_id"]:
            return True
        pause = dt.timedelta(seconds=wanted.every)
        if newest["amount"] is None:
            pause = min(pause, AGAIN)
        now = self._db.clock.now()
        # A time to come: the clock was wrong when it was asked.
        return not format_utc(now - pause) < newest["asked_at"] <= format_utc(now)

    def _ask(self, name: str, wanted: BalanceConfig) -> None:
        expires_at = format_utc(self._db.clock.now() + PATIENCE)
        with self._db.write() as tx:
            modem = modems.get(tx, name)
            command_id = modems.ask(tx, name, CommandKind.USSD, wanted.ussd, expires_at)
            balances.add(tx, name, None if modem is None else modem["sim_id"], command_id)
        self._hints.due()

    def _fetch(self, name: str, wanted: BalanceConfig, newest: Row) -> None:
        finished = newest["command_finished_at"]
        now = self._db.clock.now()
        waits_until = format_utc(now - PATIENCE)
        if finished is None and waits_until < newest["asked_at"] <= format_utc(now):
            return
        amount, error = None, newest["command_error"] or "the modem has not run the service code"
        if finished is not None and newest["command_error"] is None:
            amount = read_amount(newest["command_answer"] or "", wanted.pattern)
            error = None if amount is not None else "no amount is found in the answer"
        with self._db.write() as tx:
            balances.answer(tx, newest["id"], amount, error)
        if error is not None:
            log.warning("balance.unread", key=("modem",), modem=name, why=logs.masked(error))
        else:
            log.info("balance.read", limit=True, key=("modem",), modem=name, amount=amount)


def read_amount(answer: str, pattern: str) -> float | None:
    """Return the amount that stands in an answer; None if there is none. Pure.

    Args:
        answer: the network's words.
        pattern: finds it: its first group, or all of it. Blanks and marks between thousands, and a
            comma for the point, are understood.
    """
    match = re.search(pattern, answer, re.IGNORECASE)
    if match is None:
        return None
    found = re.sub(r"\s", "", match[1] if match.re.groups else match[0])
    whole, mark, fraction = _split(found)
    try:
        return float(f"{re.sub(r'[.,]', '', whole)}{'.' if mark else ''}{fraction}")
    except ValueError:
        return None


def _split(found: str) -> tuple[str, str, str]:
    """Return what stands before the last mark, the mark, and what stands behind it."""
    at = max(found.rfind("."), found.rfind(","))
    return (found, "", "") if at < 0 else (found[:at], found[at], found[at + 1 :])


def credit(
    db: Database, wanted: BalanceConfig, modem: str, sim_id: int | None, now: dt.datetime
) -> Credit:
    """Return what is known of the credit of the SIM that is in a modem; one short query."""
    rows = balances.answers(db, modem, sim_id, _ANSWERS)
    read = [row for row in rows if row["amount"] is not None]
    unread = rows.index(read[0]) if read else len(rows)
    per_day = _per_day(read, format_utc(now - _LOOK_BACK))
    amount = read[0]["amount"] if read else None
    return Credit(
        amount,
        read[0]["answered_at"] if read else None,
        unread,
        rows[0]["error"] if rows else None,
        per_day,
        max(0.0, amount / per_day) if per_day and amount is not None else None,
        wanted.warn_below,
    )


def _per_day(read: Sequence[Row], since: str) -> float | None:
    """Return what is used up a day, whatever was paid in between; None if it is too early."""
    rows = [row for row in read if row["answered_at"] >= since]
    if len(rows) < 2:
        return None
    span = dt.datetime.fromisoformat(rows[0]["answered_at"]) - dt.datetime.fromisoformat(
        rows[-1]["answered_at"]
    )
    if span < _SHORTEST:
        return None
    amounts = [float(row["amount"]) for row in rows]
    falls = (max(0.0, older - newer) for newer, older in pairwise(amounts))
    return sum(falls) / (span / dt.timedelta(days=1))
