# SPDX-License-Identifier: Apache-2.0
"""Alarms told to a program, one run after the other, in the order in which they were owed.

Theory of operation: as with the event handler a run is owed in the transaction that opens or ends
the alarm and marked done when it has ended. One that was under way when the daemon was killed is
made again: `GSMGW_RUN` is the same both times.

On failure: a program that fails or is killed is logged and not run again; one that cannot be
started is tried again each minute.
"""

from __future__ import annotations

from gsmgw import logs, programs
from gsmgw.clock import Clock
from gsmgw.config import Config
from gsmgw.gateway.alarms import texting
from gsmgw.store.database import Database, Row
from gsmgw.store.watching import alarms

log = logs.get("alarms")

#: A program that cannot be started is tried again after this time.
AGAIN_S = 60.0
#: It gets so long to end by itself when the daemon stops, in seconds.
STOP_GRACE_S = 2.0


class Calling:
    """Runs the program of alarms. For one thread."""

    def __init__(self, config: Config, db: Database, clock: Clock) -> None:
        self._config = config
        self._db = db
        self._clock = clock
        self._site = texting.site(config)
        self._run: tuple[Row, programs.Running] | None = None
        self._ended: tuple[int, int | None, str | None] | None = None
        self._again_at = 0.0  #: monotonic

    @property
    def is_running(self) -> bool:
        """Whether a program runs."""
        return self._run is not None

    def work(self, seconds: float) -> None:
        """Start what is owed and wait for it, so long at most.

        Raises:
            StoreError: how a run ended could not be written; it is written at the next call.
        """
        until = self._clock.monotonic() + seconds
        while self._run is not None or self._begin():
            if not self._attend(max(0.0, until - self._clock.monotonic())):
                return

    def close(self) -> None:
        """End a program that runs; it is run again at the next start."""
        if self._run is not None and not self._run[1].wait(STOP_GRACE_S):
            log.warning("hook.interrupted", run_event=self._run[0]["kind"], again="next start")
            self._run[1].kill()
            self._run = None
        elif self._run is not None:
            self._take_end(*self._run)
            self._note()

    def _begin(self) -> bool:
        self._note()
        if self._clock.monotonic() < self._again_at:
            return False
        rows = alarms.owed(self._db, alarms.HOOK, 1)
        while rows and not self._config.alarms.hook:  # owed under another configuration
            self._ended = (rows[0]["id"], None, "no program is configured")
            self._note()
            rows = alarms.owed(self._db, alarms.HOOK, 1)
        if not rows:
            return False
        kind = rows[0]["kind"].upper()
        arguments = [*self._config.alarms.hook, kind, rows[0]["finding"], rows[0]["place"]]
        timeout_s = self._config.hooks.timeout
        try:
            program = programs.Running(
                arguments, self._environment(rows[0]), timeout_s, self._clock
            )
        except OSError as error:
            words = f"{self._config.alarms.hook[0]}: {error.strerror or error}"
            log.warning("alarm.untold", key=("via", "why"), via="hook", why=words)
            if rows[0]["kind"] == alarms.TEST:  # whoever tries it wants to know now
                self._ended = (rows[0]["id"], None, words)
                self._note()
            else:
                self._again_at = self._clock.monotonic() + AGAIN_S
            return False
        self._run = rows[0], program
        return True

    def _environment(self, row: Row) -> dict[str, str]:
        return {
            "GSMGW_EVENT": row["kind"].upper(),
            "GSMGW_RUN": str(row["id"]),
            "GSMGW_ALARM": str(row["alarm_id"]),
            "GSMGW_SITE": self._site,
            "GSMGW_LEVEL": row["level"],
            "GSMGW_FINDING": row["finding"],
            "GSMGW_WHERE": row["place"],
            "GSMGW_WHAT": row["what"],
            "GSMGW_DO": row["advice"],
            "GSMGW_SINCE": row["first_seen_at"],
            "GSMGW_UNTIL": row["last_seen_at"] if row["kind"] == "closed" else "",
        }

    def _attend(self, seconds: float) -> bool:
        """Wait for the program, so long at most; tell whether none runs any more."""
        if self._run is None:
            return True
        row, program = self._run
        if not program.wait(seconds):
            return False
        self._take_end(row, program)
        return True

    def _take_end(self, row: Row, program: programs.Running) -> None:
        self._run = None
        error = f"exit code {program.exit_code}" if program.exit_code else None
        if program.was_killed:
            error = f"killed after {self._config.hooks.timeout:g} s"
        if error is not None:
            output = f": {program.output}" if program.output else ""
            why = logs.masked(f"{error}{output}")
            log.warning("alarm.untold", key=("via", "why"), via="hook", why=why)
        self._ended = (row["id"], program.exit_code, error)

    def _note(self) -> None:
        """Write how the last run ended."""
        if self._ended is None:
            return
        notice_id, exit_code, error = self._ended
        with self._db.write() as tx:
            alarms.finish(tx, notice_id, exit_code=exit_code, error=error)
        self._ended = None
