# SPDX-License-Identifier: Apache-2.0
"""What a modem asks of the gateway beside parts: orders of people, PINs, a lost service centre.

An order that has the modem send a message from its memory uses a reference: from then on the
SIM's counter is no evidence on parts in doubt, until it is learnt again.

Threads and locks: no state but the database; every call runs in the modem's own thread and may
block for one commit.
"""

from __future__ import annotations

from gsmgw import logs
from gsmgw.gateway.outcomes import counting
from gsmgw.model import SimIdentity
from gsmgw.modem.gateway_port import STORE_PASSING, ModemCommand
from gsmgw.store import events, modems
from gsmgw.store.database import Database, Transaction

log = logs.get("gateway")

#: Sends what lies in the modem's memory (27.005 3.5.2 and 4.7); +CMGS and +CMGC are refused, they
#: open a prompt.
_SENDS = "+CMSS"


class Desk:
    """The part of the gateway that needs to know nothing of messages."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def next_command(self, modem: str) -> ModemCommand | None:
        """Return a command that a person asked for, once."""
        try:
            if not modems.command_waits(self._db, modem):
                return None
            with self._db.write() as tx:
                row = modems.take_command(tx, modem)
                if row is not None and _SENDS in row["line"].upper():
                    _forget_references(tx, modem)
        except STORE_PASSING as error:
            log.warning("store.unavailable", doing="command", why=str(error))
            return None
        return None if row is None else ModemCommand(row["id"], row["kind"], row["line"])

    def command_done(self, command_id: int, answer: str, error: str | None) -> None:
        """Record the answer of a command, or why there is none."""
        try:
            with self._db.write() as tx:
                modems.finish_command(tx, command_id, answer, error)
        except STORE_PASSING as failure:
            log.warning("store.unavailable", doing="command", why=str(failure))

    def may_try_pin(self, sim_key: str, pin: str) -> bool:
        """Return whether this PIN may be tried on this SIM; True only once, recorded before.

        Raises StoreError: then it must not be tried.
        """
        with self._db.write() as tx:
            return modems.may_try_pin(tx, sim_key, pin)

    def pin_accepted(self, sim_key: str) -> None:
        """Learn that the SIM took the PIN."""
        with self._db.write() as tx:
            modems.clear_pin_tries(tx, sim_key)

    def pin_refused(self, sim_key: str) -> None:
        """Learn that the SIM refused the PIN: the try stays recorded, a person must act."""
        with self._db.write() as tx:
            events.add(tx, "sim.pin_refused", sim=sim_key)

    def remembered_service_centre(self, sim: SimIdentity) -> str | None:
        """Return the service centre number last seen on this SIM."""
        key = modems.sim_key(sim.iccid, sim.imsi, None)
        row = None if key is None else modems.sim_by_key(self._db, key)
        return None if row is None else row["service_centre"]


def _forget_references(tx: Transaction, modem: str) -> None:
    row = modems.get(tx, modem)
    if row is not None and row["sim_id"] is not None:
        counting.moved(tx, row["sim_id"])
