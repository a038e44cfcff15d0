# SPDX-License-Identifier: Apache-2.0
"""The gateway as modems see it: gives a free modem its next part and takes back what came of it.

Theory of operation: a modem's thread asks `claim`; the first due part it may send is marked as
being sent, committed, and handed out. `settle` writes the outcome and claims the next part in the
same commit, so a busy modem costs one commit a part. For one that waits, whoever puts a message
into the outbox claims in that commit (`writing`), so an idle modem costs one commit too. There is
no scheduler: whoever is free takes what is due, in the order of priority, category and time.

Threads and locks: every call runs in the modem's own thread, `writing` in that of a door. A session
belongs to its modem's thread, while its place is reserved to the thread that writes (see
`waiting`); others read only whole values of it. The outcome of a try that cannot be stored is kept
here and tried again before anything else is claimed.

On failure: a claim that meets a busy database or a full disk is no claim (None); a settlement waits
as said. Other errors of the store go up through the modem's thread to the supervisor, which ends
the process where the database is damaged.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Iterator

from gsmgw import logs
from gsmgw.at import codes
from gsmgw.clock import Clock, SystemClock
from gsmgw.config import Config, Modem
from gsmgw.errors import StoreError
from gsmgw.gateway import routing, sims
from gsmgw.gateway.arrivals import Arrivals
from gsmgw.gateway.claims import outgoing
from gsmgw.gateway.claims.claiming import Claiming
from gsmgw.gateway.claims.session import Session
from gsmgw.gateway.claims.waiting import Reservation, Waiting
from gsmgw.gateway.desk import Desk
from gsmgw.gateway.hints import Hints
from gsmgw.gateway.outcomes import counting, settling
from gsmgw.gateway.trust import ClockTrust
from gsmgw.model import (
    ErrorFamily,
    InboundPdu,
    ModemReport,
    ModemState,
    Outcome,
    PartToSend,
    SimIdentity,
    SubmitResult,
    Whose,
)
from gsmgw.modem.gateway_port import STORE_PASSING
from gsmgw.store import events, modems, outbox
from gsmgw.store.database import Database, Row, Transaction

log = logs.get("gateway")

#: After the network refused, the next part waits so long, growing, so that ten thousand messages
#: are not run against a wall. What the modem itself refuses is held back by its worker.
FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 60.0


class Dispatcher(Desk):
    """Implements the Protocol that modem workers are given."""

    def __init__(
        self,
        config: Config,
        db: Database,
        hints: Hints,
        trust: ClockTrust,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(db)
        self._config = config
        self._hints = hints
        self._trust = trust
        self._clock = clock or SystemClock()
        self._settling = settling.Settling(config)
        self._claiming = Claiming(config, db, trust, self._clock)
        self._waiting = Waiting([modem.name for modem in config.modems])
        self.arrivals = Arrivals(config, db, hints, trust)
        self._sessions = {modem.name: Session() for modem in config.modems}
        self._modems: dict[str, Modem] = {modem.name: modem for modem in config.modems}
        self._started_at = self._clock.monotonic()
        self._last_ready: dict[int, float] = {}  # SIM: when its modem was last ready, monotonic

    def held_parts(self) -> frozenset[int]:
        """Return the parts that some modem's thread is busy with."""
        return frozenset(
            part_id
            for session in self._sessions.values()
            if (part_id := session.in_flight) is not None
        )

    def is_sim_away(self, sim_id: int, seconds: float) -> bool:
        """Tell whether a SIM has been in no modem that can send for so long."""
        if any(s.sim_id == sim_id and s.state is ModemState.READY for s in self._sessions.values()):
            return False
        since = self._last_ready.get(sim_id, self._started_at)
        return self._clock.monotonic() - since >= seconds

    def others_ready(self, message: Row) -> bool:
        """Tell whether a modem with another SIM could send a message that one SIM began."""
        route = routing.route_of(message["recipient"], message["modem"], self._config.modems)
        return any(
            session.state is ModemState.READY
            and session.sim_id != message["sim_id"]
            and route in routing.routes_served(self._modems[name], self._config.modems)
            for name, session in self._sessions.items()
        )

    # -- what a worker tells of its modem --------------------------------------------------------

    def attach(self, modem: str, report: ModemReport) -> None:
        """Learn modem and SIM; called at every initialisation, before any claim or sweep.

        Raises SimError if another modem has this SIM; StoreError.
        """
        session = self._sessions[modem]
        sim = report.sim or SimIdentity(None, None)
        key = modems.sim_key(sim.iccid, sim.imsi, report.imei)
        with self._db.write() as tx:
            sim_id = None if key is None else modems.ensure_sim(tx, key, sim.iccid, sim.imsi)
            if session.cycled_sim is not None:
                counting.power_cycled(tx, session.cycled_sim)
            before = modems.get(tx, modem)
            if sim_id is not None and sims.may_count_anew(before, report, sim_id):
                counting.power_cycled(tx, sim_id)
            if sim_id is not None and report.service_centre:
                modems.set_service_centre(tx, sim_id, report.service_centre)
            sims.refuse_second_port(modem, sim_id, sim, self._held_sims())
            sims.unblock(tx, sim_id)
            modems.write_state(tx, report, sim_id)
            # While it is our turn to write: the second of two ports of one stick finds the first.
            self._note_ready(session)
            session.sim_id, session.sim_key = sim_id, key
            session.attached, session.state = True, report.state
        session.cycled_sim = None

    def _held_sims(self) -> dict[str, int | None]:
        """Return the SIMs of modems that have answered a moment ago."""
        return {
            name: session.sim_id
            for name, session in self._sessions.items()
            if session.attached and session.state in sims.UP
        }

    def _note_ready(self, session: Session) -> None:
        """Keep when a SIM could last send, before its modem's state changes."""
        if session.state is ModemState.READY and session.sim_id is not None:
            self._last_ready[session.sim_id] = self._clock.monotonic()

    def changed(self, report: ModemReport) -> None:
        """Learn that something about a modem changed; a lost device forgets its counter."""
        session = self._sessions[report.name]
        lost = report.state is ModemState.ABSENT and session.attached
        was = session.state
        self._note_ready(session)
        session.state = report.state
        if lost:
            session.cycled_sim = session.sim_id
        try:
            with self._db.write() as tx:
                if session.cycled_sim is not None:
                    counting.power_cycled(tx, session.cycled_sim)
                # Of its power only `attach` hears, which draws the conclusion.
                modems.write_state(tx, dataclasses.replace(report, power=None), session.sim_id)
                sims.block(tx, report, self._held_sims())
                if was is not report.state:
                    events.add(
                        tx, "modem.state", modem=report.name, state=report.state, why=report.why
                    )
            session.cycled_sim = None
        except StoreError as error:
            log.warning("store.unavailable", doing="modem.state", why=str(error))
        if lost:
            session.attached = False

    def in_flight(self, modem: str) -> PartToSend | None:
        """Return the part of this modem that is still `sending` from before."""
        for part in outbox.sending_parts(self._db, modem):
            message = outbox.get(self._db, part["message_id"])
            if message is not None and not self._is_unsettled(modem, part["id"]):
                self._sessions[modem].in_flight = part["id"]
                claimed_at = dt.datetime.fromisoformat(part["claimed_at"])
                return outgoing.make_part(message, part, claimed_at=claimed_at, report=True)
        return None

    def _is_unsettled(self, modem: str, part_id: int) -> bool:
        return any(result.part_id == part_id for result in self._sessions[modem].unsettled)

    # -- sending ---------------------------------------------------------------------------------

    def claim(self, modem: str) -> PartToSend | None:
        """Return the next part this modem may send, its claim committed; None if there is none."""
        session = self._sessions[modem]
        try:
            if session.unsettled:
                return self._store(modem, claim_next=True)
            if not self._may_claim(session) or not self._claiming.is_due(modem, session):
                return None
            with self._db.write() as tx:
                part = self._claiming.claim(tx, modem, session)
        except STORE_PASSING as error:
            log.warning("store.unavailable", doing="claim", why=str(error))
            return None
        session.in_flight = None if part is None else part.part_id
        return part

    def wait_begins(self, modem: str) -> None:
        """Let a part be claimed for a modem whose thread is about to wait and has none."""
        session = self._sessions[modem]
        if not session.unsettled and self._may_claim(session):
            self._waiting.begin(modem)

    def wait_ends(self, modem: str) -> PartToSend | None:
        """Return the part that was claimed meanwhile, its claim committed; None if none was."""
        return self._waiting.end(modem)

    @contextlib.contextmanager
    def writing(self, *, synced: bool = True) -> Iterator[Transaction]:
        """Write messages into the outbox and, in the same commit, claim them for waiting modems.

        As `Database.write`; blocks for an fsync also where `synced` is False, if a modem waits:
        a claim must be on disk before the first octet. Any thread but a modem's.
        """
        with (
            self._waiting.reserve() as places,
            self._db.write(synced=synced or bool(places.modems)) as tx,
        ):
            tx.after_commit(lambda: self._give(places))  # before others wake the modems
            yield tx
            for modem in places.modems:
                # It waits, so nothing else was due a moment ago.
                part = self._claiming.claim(tx, modem, self._sessions[modem], looks_ahead=False)
                if part is not None:
                    places.parts[modem] = part

    def _give(self, places: Reservation) -> None:
        for modem, part in places.parts.items():
            self._sessions[modem].in_flight = part.part_id
        places.give()

    def settle(self, modem: str, result: SubmitResult, *, claim_next: bool) -> PartToSend | None:
        """Record a result and, in the same commit, claim the next part if asked to."""
        session = self._sessions[modem]
        session.unsettled.append(result)
        self._pause_after(session, result)
        try:
            return self._store(modem, claim_next=claim_next)
        except STORE_PASSING as error:
            log.warning("store.unavailable", doing="settle", why=str(error))
            return None

    def flush(self, modem: str) -> None:
        """Record results that the store did not take before, if there are any."""
        if not self._sessions[modem].unsettled:
            return
        try:
            self._store(modem, claim_next=False)
        except STORE_PASSING as error:
            log.warning("store.unavailable", doing="settle", why=str(error))

    def late_answer(self, modem: str, result: SubmitResult) -> None:
        """Record an answer that came after its part had been settled as uncertain."""
        self.settle(modem, result, claim_next=False)

    def _store(self, modem: str, *, claim_next: bool) -> PartToSend | None:
        session = self._sessions[modem]
        part = None
        with self._db.write() as tx:
            self.arrivals.note_deleted(tx)
            for result in session.unsettled:
                self._settling.record(tx, modem, session.sim_id, result)
            if claim_next and self._may_claim(session):
                part = self._claiming.claim(tx, modem, session)
        # A late answer is about an earlier part than the one that is in flight.
        if part is not None:
            session.in_flight = part.part_id
        elif session.in_flight in {result.part_id for result in session.unsettled}:
            session.in_flight = None
        session.unsettled.clear()
        self._hints.results.set()
        return part

    def _may_claim(self, session: Session) -> bool:
        return self._clock.monotonic() >= session.pause_until

    def _pause_after(self, session: Session, result: SubmitResult) -> None:
        """Slow down while the network refuses; after an unclear refusal try another number.

        Without that, a few dead numbers of high priority would be all that a SIM ever tries, also
        as its probes, and nothing else would go out for as long as they live.
        """
        if result.outcome is Outcome.TAKEN:
            session.pause_s, session.wary = 0.0, False
            return
        if result.outcome is not Outcome.REFUSED:
            return
        code = codes.cms(None if result.family is ErrorFamily.CME else result.code)
        session.wary = code.whose in (Whose.SIM, Whose.UNCLEAR)
        if code.whose is Whose.NETWORK:
            session.pause_s = min(max(session.pause_s * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)
            session.pause_until = self._clock.monotonic() + session.pause_s

    # -- receiving -------------------------------------------------------------------------------

    def received(self, arrival: InboundPdu) -> int:
        """Store a PDU and return its id; committed when this returns. Raises StoreError."""
        return self.arrivals.receive(arrival, self._sessions[arrival.modem].sim_id)

    def deleted(self, received_id: int) -> None:
        """Learn that the modem confirmed the deletion of a stored PDU; does not block."""
        self.arrivals.confirm_deleted(received_id)

    def missed_call(self, modem: str, number: str | None) -> None:
        """Record one missed call; number None when withheld. Raises StoreError."""
        self.arrivals.missed_call(modem, number, self._sessions[modem].sim_id)

    def modem_clock(self, modem: str, shown: dt.datetime) -> None:
        """Learn what the modem's own clock shows just now; never blocks."""
        self._trust.hear_modem_clock(modem, shown)
        self._hints.housekeeping.set()  # which judges a jump of our own clock by it

    def smss_reading(self, modem: str, last_mr: int) -> None:
        """Learn the last TP-MR that the SIM has stored in EF_SMSS (3GPP TS 31.102 4.2.9).

        It says what the next reference would have said, only earlier: the phone counts when it
        submits.
        """
        session = self._sessions[modem]
        if session.sim_id is None:
            return
        with self._db.write() as tx:
            self._settling.read_counter(tx, session.sim_id, last_mr)
