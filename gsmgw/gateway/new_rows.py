# SPDX-License-Identifier: Apache-2.0
"""Watches the database for what other software writes: new rows, and wishes to cancel.

Theory of operation: an event on the database's directory comes before the commit is visible, so
it starts a series of looks at 0, 5, 20, 80, 320 ms and 1 s, ended by the first that finds a
change; without any event there is one look a second. A look is PRAGMA data_version (4 µs), which
tells whether another connection has committed, then one indexed query.
"""

from __future__ import annotations

from gsmgw import logs
from gsmgw.errors import StoreBusyError, StoreFullError
from gsmgw.gateway import decisions
from gsmgw.gateway.hints import Hints
from gsmgw.gateway.intake import Intake
from gsmgw.store import outbox
from gsmgw.store.database import Database
from gsmgw.threads import StopToken

log = logs.get("intake")

#: Pauses between looks after a hint, in seconds: together 0, 5, 20, 80, 320 ms and 1 s.
LOOKS_S = (0.005, 0.015, 0.060, 0.240, 0.680)
IDLE_LOOK_S = 1.0


class NewRows:
    """Service: takes what other software inserted into the outbox."""

    name = "intake"

    def __init__(self, db: Database, intake: Intake, hints: Hints) -> None:
        self._db = db
        self._intake = intake
        self._hints = hints
        self._version = -1
        self._looks_left: tuple[float, ...] = ()

    def open(self) -> None:
        """Look at everything once: rows may have come while nobody ran."""
        self._version = -1
        self._looks_left = ()

    def step(self, stop: StopToken) -> None:
        """Wait for a hint or the next look, then take what is there."""
        if not stop.is_set():
            pause = self._looks_left[0] if self._looks_left else IDLE_LOOK_S
            if self._hints.new_rows.wait(pause):
                self._looks_left = LOOKS_S
            else:
                self._looks_left = self._looks_left[1:]
        self.look()

    def look(self) -> int:
        """Take new rows and wishes to cancel, if another connection has committed.

        Returns: how many rows were taken or cancelled. Blocks for one commit if there are any.
        """
        version = self._db.version()
        if version == self._version:
            return 0
        try:
            taken = self._take()
        except (StoreBusyError, StoreFullError) as error:
            log.warning("store.unavailable", doing="intake", why=str(error))
            return 0
        self._version = version
        if taken:
            self._looks_left = ()
        return taken

    def _take(self) -> int:
        taken = 0
        while count := self._intake.accept_new_rows():
            taken += count
            self._hints.due()
        # Commands of the command line wait in this database too.
        self._hints.due()
        for row in outbox.cancel_asked(self._db, 100):
            with self._db.write() as tx:
                decisions.cancel(tx, row["id"])
            taken += 1
        if taken:
            self._hints.results.set()
        return taken

    def close(self) -> None:
        """Close this thread's connection."""
        self._db.close()
