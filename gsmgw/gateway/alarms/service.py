# SPDX-License-Identifier: Apache-2.0
"""Service: looks at the health record each minute, opens and ends alarms, and has them told.

Theory of operation: what is wrong is what `gsmgw doctor` and `status` find in the same record. An
alarm, and what is owed to those who are to hear of it, is one commit; telling comes after it. So an
alarm that is open survives a restart, none is lost by a crash, and no SMS is made twice.

On failure: while the record cannot be had or written nothing changes; the log says so.

Known limits: of a daemon that does not run, or a box without power, only others can tell: see
docs/operate.md.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections.abc import Callable, Sequence

from gsmgw import logs
from gsmgw.clock import Clock, format_utc
from gsmgw.config import Config
from gsmgw.errors import StoreBusyError, StoreError, StoreFullError
from gsmgw.gateway.alarms import calling, course, texting
from gsmgw.gateway.health import judgement, record
from gsmgw.gateway.health.trouble import Trouble
from gsmgw.gateway.hints import Hints
from gsmgw.gateway.intake import Intake
from gsmgw.store.database import Database
from gsmgw.store.watching import alarms
from gsmgw.threads import StopToken

log = logs.get("alarms")

EVERY_S = 60.0
#: A wait in `step` lasts so long at most: somebody may wait for a test. Less while a program runs.
STEP_S, RUN_STEP_S = 2.0, 1.0
#: A test that has not been told by then is not told any more: nobody waits for it.
TEST_VALID = dt.timedelta(hours=1)


class Alarms:
    """Watches. `step` blocks for some seconds at most."""

    name = "alarms"

    def __init__(
        self,
        config: Config,
        db: Database,
        hints: Hints,
        intake: Intake,
        clock: Clock,
        outgoing: Callable[[], record.Outgoing | None],
    ) -> None:
        self._config = config
        self._db = db
        self._clock = clock
        self._outgoing = outgoing
        self._course = course.Course(config.alarms)
        self._texting = texting.Texting(config, db, intake, hints)
        self._calling = calling.Calling(config, db, clock)
        self._looked_at = 0.0  #: monotonic

    def open(self) -> None:
        """Begin to count; what was open before stays so."""
        self._looked_at = self._clock.monotonic()

    def step(self, stop: StopToken) -> None:
        """Wait until a minute is over, some seconds at most, and look if it is."""
        left_s = max(0.0, self._looked_at + EVERY_S - self._clock.monotonic())
        try:
            self._end_late_tests()
            self._calling.work(RUN_STEP_S)
            if not self._calling.is_running:
                stop.wait(min(left_s, STEP_S))
            is_due = self._clock.monotonic() >= self._looked_at + EVERY_S
            if not stop.is_set() and (is_due or alarms.test_waits(self._db)):
                self.look()
        except (StoreBusyError, StoreFullError) as error:
            log.warning("store.unavailable", doing="alarms", why=str(error))
            stop.wait(RUN_STEP_S)

    def look(self) -> None:
        """Look at everything once, and tell what is to be told.

        Raises:
            StoreError: it could not be read or written.
        """
        now = self._clock.monotonic()
        # A process that was held up for long has not looked meanwhile.
        passed_s = min(now - self._looked_at, 2 * EVERY_S)
        self._looked_at = now
        health = record.gather(
            self._config,
            self._db,
            self._clock.now(),
            daemon_pid=os.getpid(),
            outgoing=self._outgoing(),
        )
        troubles = judgement.judge(health)
        self._follow(troubles, passed_s)
        troubled = frozenset(trouble.where for trouble in troubles)
        self._texting.work(judgement.usable_modems(health), troubled)

    def _end_late_tests(self) -> None:
        """End what a command left that was killed, or that found the disk full when it gave up."""
        before = format_utc(self._clock.now() - TEST_VALID)
        if late := alarms.tests_before(self._db, before):
            with self._db.write() as tx:
                for row in late:
                    alarms.finish(tx, row["id"], error="it was too late for a test")

    def _follow(self, troubles: Sequence[Trouble], passed_s: float) -> None:
        if self._course.is_idle(alarms.unclosed(self._db), troubles):
            return
        with self._db.write() as tx:
            self._course.follow(tx, troubles, passed_s)

    def close(self) -> None:
        """End a program that runs; close this thread's connection."""
        with contextlib.suppress(StoreError):  # it is run again
            self._calling.close()
        self._db.close()
