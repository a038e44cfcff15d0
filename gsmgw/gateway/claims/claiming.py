# SPDX-License-Identifier: Apache-2.0
"""Which part a modem sends next: chosen, marked as being sent, and encoded.

Theory of operation: what a modem may send follows from its routes, from the state and the limits of
its SIM, and from how far the clock is to be trusted. The first such message that is due is taken;
one whose time is over is ended on the way, and one that cannot be encoded fails.

Threads and locks: no state of its own; the caller brings the modem's session and a transaction.
"""

from __future__ import annotations

import datetime as dt

from gsmgw.clock import Clock, format_utc
from gsmgw.config import Config, Modem
from gsmgw.errors import BadNumberError, BadTextError
from gsmgw.gateway import routing
from gsmgw.gateway.claims import choosing, limits, outgoing
from gsmgw.gateway.claims.session import Session
from gsmgw.gateway.outcomes import endings
from gsmgw.gateway.trust import ClockTrust
from gsmgw.model import ErrorFamily, Outcome, PartState, PartToSend, SimState
from gsmgw.store import modems, outbox
from gsmgw.store.database import Database, Row, Transaction
from gsmgw.store.outbox import PartChange


class Claiming:
    """Chooses and claims parts for modems."""

    def __init__(self, config: Config, db: Database, trust: ClockTrust, clock: Clock) -> None:
        self._config = config
        self._db = db
        self._trust = trust
        self._clock = clock
        self._modems: dict[str, Modem] = {modem.name: modem for modem in config.modems}

    def is_due(self, modem: str, session: Session) -> bool:
        """Tell whether there is something to claim; an idle modem must not write to find out."""
        choice = self._choice(self._db, modem, session, self._clock.now())
        return choice is not None and choice.pick(self._db) is not None

    def claim(
        self, tx: Transaction, modem: str, session: Session, *, looks_ahead: bool = True
    ) -> PartToSend | None:
        """Mark the next part of a modem as being sent and return it; None if nothing is due.

        Args:
            tx: what it is written in.
            modem: which.
            session: the modem's.
            looks_ahead: look for other messages for which the radio link is worth keeping, beside
                the parts of this one.
        """
        choice = self._choice(tx, modem, session, dt.datetime.fromisoformat(tx.now))
        while choice is not None and (message := choice.pick(tx)) is not None:
            part = outbox.first_waiting_part(tx, message["id"])
            if part is None or self._is_over(tx, message):
                outbox.mirror(tx, message["id"])
                continue
            if message["parts"] > 1 and message["sim_id"] is None and session.sim_id is not None:
                _bind(tx, message["id"], session.sim_id)
                message = outbox.get(tx, message["id"]) or message
            outbox.claim(tx, part["id"], modem, session.sim_id)
            outbox.mirror(tx, message["id"])
            more = part["number"] < message["parts"]
            more = more or (looks_ahead and choice.pick(tx) is not None)
            made = self._make(tx, modem, message, part, more_follow=more)
            if made is not None:
                return made
        return None

    def _choice(
        self, db: Database | Transaction, modem: str, session: Session, now: dt.datetime
    ) -> choosing.Choice | None:
        """Return what a modem may send; None if its SIM must not send at all."""
        settings = self._modems[modem]
        routes = routing.routes_served(settings, self._config.modems)
        suspect, wary = self._trust.is_suspect, session.wary
        if session.sim_id is not None:
            sim = modems.get_sim(db, session.sim_id)
            if sim is not None and sim["state"] == SimState.BLOCKED:
                return None
            if sim is not None and sim["resting_until"] and sim["resting_until"] > format_utc(now):
                return None
            wary = wary or (sim is not None and sim["state"] == SimState.RESTING)
            routes = (*routes, routing.route_of_sim(session.sim_id))
        barred = limits.barred_ranks(
            self._config, settings.limits, db, session.sim_id, now, is_suspect=suspect
        )
        pause = dt.timedelta(seconds=self._config.sending.retry.longest)
        after = format_utc(now + pause) if suspect else None
        latest = format_utc(self._trust.latest()) if suspect else None
        return choosing.Choice(routes, barred, format_utc(now), after, latest, wary)

    def _is_over(self, tx: Transaction, message: Row) -> bool:
        if message["expires_at"] is None or message["expires_at"] > tx.now:
            return False
        if self._trust.is_suspect:
            return False
        endings.expire(tx, message, f"expired at {message['expires_at']} before it could be sent")
        return True

    def _make(
        self, tx: Transaction, modem: str, message: Row, part: Row, *, more_follow: bool
    ) -> PartToSend | None:
        try:
            return outgoing.make_part(
                message,
                part,
                claimed_at=dt.datetime.fromisoformat(tx.now),
                report=self._modems[modem].reports,
                validity_s=self._config.sending.validity,
                more_follow=more_follow,
            )
        except (BadNumberError, BadTextError) as error:
            code, words = error.reason, str(error)
        except (TypeError, ValueError) as error:
            code, words = "bad-row", f"its row was changed into no message: {error}"
        # Intake lets nothing through that cannot be encoded; a row changed by force can.
        change = PartChange(PartState.FAILED, family=ErrorFamily.GSMGW, code=code, error=words)
        outbox.end_attempt(tx, part["id"], outcome=Outcome.UNTOUCHED, change=change)
        endings.fail_part(tx, part, change)
        return None


def _bind(tx: Transaction, message_id: int, sim_id: int) -> None:
    """Keep the parts of a message on one SIM, under one reference."""
    ref = modems.next_concat_ref(tx, sim_id)
    outbox.bind(tx, message_id, route=routing.route_of_sim(sim_id), sim_id=sim_id, concat_ref=ref)
