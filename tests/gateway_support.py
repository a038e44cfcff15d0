# SPDX-License-Identifier: Apache-2.0
"""A whole gateway without modems: the test plays the workers, and moves the clock."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path
from typing import Any

import factories
from fakes import FakeClock

from gsmgw import pdu
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.gateway import decisions
from gsmgw.gateway.dispatcher import Dispatcher
from gsmgw.gateway.hints import Hints
from gsmgw.gateway.housekeeping import Housekeeping
from gsmgw.gateway.intake import Accepted, Intake
from gsmgw.gateway.new_rows import NewRows
from gsmgw.gateway.trust import ClockTrust
from gsmgw.model import InboundPdu, ModemReport, ModemState, PartToSend, SimIdentity, SubmitResult
from gsmgw.store import events, inbox, modems, outbox
from gsmgw.store.database import Row

#: Needs two, three parts.
TWO_PARTS = "two " * 60
THREE_PARTS = "three " * 60


class Rig:
    """Everything between the doors and the modems."""

    def __init__(self, folder: Path, config: Config | None = None, **options: Any) -> None:
        self.clock = FakeClock()
        self.db = factories.make_database(folder, self.clock, **options)
        self.restart(config or factories.make_config())

    def restart(self, config: Config | None = None) -> None:
        """Begin anew with what stands on disk, as after `kill -9`."""
        self.config = config or self.config
        self.hints = Hints()
        self.trust = ClockTrust(self.clock)
        self.dispatcher = Dispatcher(self.config, self.db, self.hints, self.trust, self.clock)
        self.intake = Intake(
            self.config,
            self.db,
            self.clock,
            trust=self.trust,
            writing=self.dispatcher.writing,
        )
        self.housekeeping = Housekeeping(
            self.config, self.db, self.hints, self.dispatcher, self.trust, self.clock
        )
        self.new_rows = NewRows(self.db, self.intake, self.hints)
        self.housekeeping.open()

    def close(self) -> None:
        self.db.close()

    # -- doors ------------------------------------------------------------------------------------

    def accept(self, text: str = "Your visit is on Monday.", **fields: Any) -> Accepted:
        with self.db.write() as tx:
            return self.intake.accept(tx, factories.make_draft(text, **fields))

    def add(self, text: str = "Your visit is on Monday.", **fields: Any) -> int:
        return self.accept(text, **fields).message_id

    def foreign(self, sql: str, params: Any = ()) -> int:
        """Write as other software does; return the last id."""
        connection = sqlite3.connect(self.db.path, timeout=5)
        try:
            with connection:
                return connection.execute(sql, params).lastrowid or 0
        finally:
            connection.close()

    def cancel(self, message_id: int) -> str:
        with self.db.write() as tx:
            return decisions.cancel(tx, message_id)

    def retry(self, message_id: int) -> str:
        with self.db.write() as tx:
            return decisions.retry(tx, message_id)

    # -- modems -----------------------------------------------------------------------------------

    def attach(self, modem: str = "front", *, sim: str | None = None, imei: str = "") -> int:
        """Bring a modem up with a SIM; return the SIM's id."""
        iccid = sim or f"8948000000000000{sum(map(ord, modem)):03d}"
        self.dispatcher.attach(
            modem,
            ModemReport(
                modem,
                ModemState.SEARCHING,
                imei=imei or f"35000000000{sum(map(ord, modem)):04d}",
                sim=SimIdentity(iccid, None),
            ),
        )
        self.state(modem, ModemState.READY)
        return int(modems.get(self.db, modem)["sim_id"])

    def set_clock_ahead(self, seconds: float, *, wrongly: bool) -> None:
        """Let somebody set the clock ahead; the network's time and a modem's clock are known."""
        self.trust.learn_network_time(self.clock.now())
        self.trust.hear_modem_clock("front", self.clock.now())
        self.clock.jump(seconds)
        self.trust.look(self.db)
        right = self.clock.now() - dt.timedelta(seconds=seconds if wrongly else 0)
        self.trust.hear_modem_clock("front", right)

    def state(self, modem: str, state: ModemState) -> None:
        self.dispatcher.changed(ModemReport(modem, state))

    def claim(self, modem: str = "front") -> PartToSend | None:
        return self.dispatcher.claim(modem)

    def must_claim(self, modem: str = "front") -> PartToSend:
        part = self.dispatcher.claim(modem)
        assert part is not None
        return part

    def settle(
        self, result: SubmitResult, modem: str = "front", *, claim_next: bool = False
    ) -> PartToSend | None:
        return self.dispatcher.settle(modem, result, claim_next=claim_next)

    def send(self, mr: int | None = 17, modem: str = "front", **fields: Any) -> int:
        """Claim a part and let the network take it; return its id."""
        part = self.must_claim(modem)
        self.settle(factories.taken(part.part_id, mr, **fields), modem)
        return part.part_id

    def refuse(self, code: int, modem: str = "front") -> int:
        part = self.must_claim(modem)
        self.settle(factories.refused(part.part_id, code), modem)
        return part.part_id

    def doubt(self, modem: str = "front") -> int:
        part = self.must_claim(modem)
        self.settle(factories.uncertain(part.part_id), modem)
        return part.part_id

    def train(self, sim_id: int, last_mr: int) -> None:
        """Let the SIM have a counter that is believed."""
        with self.db.write() as tx:
            modems.set_counter(tx, sim_id, last_mr=last_mr, mr_steps=8, doubt_mr=None)

    def receive(self, octets: bytes | str, modem: str = "front", **fields: Any) -> int:
        text = octets if isinstance(octets, str) else octets.hex().upper()
        return self.dispatcher.received(InboundPdu(modem, text, **fields))

    def report(
        self,
        mr: int,
        recipient: str = factories.RECIPIENT,
        *,
        status: int = 0,
        modem: str = "front",
        at: dt.datetime | None = None,
        centre: str = "+48501200777",
        toa: int = 0x91,
    ) -> int:
        """Let a status report arrive; `at` is when the service centre took the part."""
        report = pdu.StatusReport(
            mr=mr,
            recipient=pdu.Address(recipient, toa),
            service_centre_at=at or self.clock.now(),
            discharged_at=self.clock.now(),
            status=status,
            service_centre=centre,
        )
        return self.receive(pdu.encode_status_report(report), modem)

    # -- what stands there ------------------------------------------------------------------------

    def message(self, message_id: int) -> Row:
        row = outbox.get(self.db, message_id)
        assert row is not None
        return row

    def state_of(self, message_id: int) -> str:
        return str(self.message(message_id)["state"])

    def part(self, part_id: int) -> Row:
        row = outbox.get_part(self.db, part_id)
        assert row is not None
        return row

    def parts(self, message_id: int) -> list[str]:
        return [row["state"] for row in outbox.parts(self.db, message_id)]

    def sim(self, sim_id: int) -> Row:
        row = modems.get_sim(self.db, sim_id)
        assert row is not None
        return row

    def inbox(self) -> list[Row]:
        return inbox.listing(self.db, limit=10_000)

    def event_names(self, message_id: int) -> list[str]:
        return [row["name"] for row in events.of_message(self.db, message_id)]

    def after(self, seconds: float) -> str:
        """Return a time from now, as the store writes it."""
        return format_utc(self.clock.now() + dt.timedelta(seconds=seconds))
