# SPDX-License-Identifier: Apache-2.0
"""Service: has modems ask for their credit and write to themselves, where that is wanted."""

from __future__ import annotations

from gsmgw import logs
from gsmgw.config import Config
from gsmgw.errors import StoreBusyError, StoreFullError
from gsmgw.gateway.health.balance import Balance
from gsmgw.gateway.health.self_test import SelfTest
from gsmgw.gateway.hints import Hints
from gsmgw.gateway.intake import Intake
from gsmgw.gateway.trust import ClockTrust
from gsmgw.store.database import Database
from gsmgw.threads import StopToken

log = logs.get("gateway")

STEP_S = 5.0


class Checkups:
    """Looks each few seconds; a look without anything due is a query for each modem."""

    name = "checkups"

    def __init__(
        self, config: Config, db: Database, hints: Hints, intake: Intake, trust: ClockTrust
    ) -> None:
        self._db = db
        self._balance = Balance(config, db, hints)
        self._self_test = SelfTest(config, db, hints, intake, trust)

    @staticmethod
    def are_wanted(config: Config) -> bool:
        """Tell whether there is anything to be done."""
        return config.selftest.at is not None or any(
            modem.balance is not None for modem in config.modems
        )

    def open(self) -> None:
        """Begin; nothing is kept but in the database."""

    def step(self, stop: StopToken) -> None:
        """Wait some seconds, then do what is due."""
        if stop.wait(STEP_S):
            return
        try:
            self._balance.work()
            self._self_test.work()
        except (StoreBusyError, StoreFullError) as error:
            log.warning("store.unavailable", doing="checkups", why=str(error))

    def close(self) -> None:
        """Close this thread's connection."""
        self._db.close()
