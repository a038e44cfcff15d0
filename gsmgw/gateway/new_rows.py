# SPDX-License-Identifier: Apache-2.0
"""Watches the database for what other software writes: new rows, wishes to cancel, commands.

Theory of operation: an event on the database's directory comes before the commit is visible, so
it starts a series of looks at 0, 5, 20, 80, 320 ms and 1 s, ended by the first that finds a
change; without any event there is one look a second. A look is PRAGMA data_version (4 µs), which
tells whether another connection has committed, then three indexed queries.

Our own commits raise such events too, several each. An event that comes while we write is followed
up a moment later: a modem that goes on after its commit is not to wait for our look, and the other
events of the commit come in one piece. While we write a lot, the events cost more than all the rest
of a message's way; then nothing is watched, and there is a look every 5 ms.
"""

from __future__ import annotations

from gsmgw import logs
from gsmgw.errors import StoreBusyError, StoreFullError
from gsmgw.gateway import decisions
from gsmgw.gateway.hints import Hints
from gsmgw.gateway.intake import Intake
from gsmgw.store import modems, outbox
from gsmgw.store.database import Database
from gsmgw.threads import StopToken
from gsmgw.watch import Watcher

log = logs.get("intake")

#: Pauses between looks after a hint, in seconds: together 0, 5, 20, 80, 320 ms and 1 s.
LOOKS_S = (0.005, 0.015, 0.060, 0.240, 0.680)
IDLE_LOOK_S = 1.0
BUSY_LOOK_S = 0.005
#: After an event while we write ourselves; no commit of others can come before our own has ended.
OWN_WRITE_S = 0.003
#: Own commits a second from which on nothing is watched, and below which it is again.
BUSY_FROM, BUSY_UNTIL = 60.0, 30.0
#: The rate is taken over this time, in seconds.
RATE_OVER_S = 0.5


class NewRows:
    """Service: takes what other software inserted into the outbox."""

    name = "intake"

    def __init__(self, db: Database, intake: Intake, hints: Hints) -> None:
        self._db = db
        self._intake = intake
        self._hints = hints
        self._watcher = Watcher(db.path.parent)
        self._pause = StopToken()  # never set: its wait is a pause
        self._is_busy = False
        self._counted_at, self._commits = 0.0, 0
        self._version = -1
        self._looks_left: tuple[float, ...] = ()

    def open(self) -> None:
        """Look at everything once: rows may have come while nobody ran."""
        self._intake.warm_up()
        self._version = -1
        self._looks_left = ()
        self._is_busy = False
        self._counted_at, self._commits = self._db.clock.monotonic(), self._db.commits
        self._watcher.start()

    def step(self, stop: StopToken) -> None:
        """Wait for a hint or the next look, then take what is there."""
        if not stop.is_set():
            pause = self._looks_left[0] if self._looks_left else IDLE_LOOK_S
            self._wait(BUSY_LOOK_S if self._is_busy else pause)
        self.look()
        self._watch_or_not()

    def wake(self) -> None:
        """End a wait in `step`; any thread."""
        self._watcher.wake()

    def _wait(self, seconds: float) -> None:
        """Wait for events, or the next look; what is our own is taken out in one piece."""
        if not self._watcher.wait(seconds):
            self._looks_left = self._looks_left[1:]
            return
        self._looks_left = LOOKS_S
        if self._db.is_writing:
            self._pause.wait(OWN_WRITE_S)
            self._watcher.wait(0)

    def _watch_or_not(self) -> None:
        """Stop watching while most events are our own, begin again afterwards."""
        elapsed = self._db.clock.monotonic() - self._counted_at
        if elapsed < RATE_OVER_S:
            return
        rate = (self._db.commits - self._commits) / elapsed
        self._counted_at, self._commits = self._db.clock.monotonic(), self._db.commits
        if not self._is_busy and rate > BUSY_FROM:
            self._is_busy = True
            self._watcher.stop()
        elif self._is_busy and rate < BUSY_UNTIL:
            self._is_busy = False
            self._watcher.start()
        elif not self._is_busy and not self._watcher.is_alive():
            self._watcher.start()

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
        if modems.command_waits(self._db):
            self._hints.due()
        for row in outbox.cancel_asked(self._db, 100):
            with self._db.write() as tx:
                decisions.cancel(tx, row["id"])
            taken += 1
        if taken:
            self._hints.results.set()
        return taken

    def close(self) -> None:
        """Stop watching and close this thread's connection."""
        self._watcher.stop()
        self._db.close()
