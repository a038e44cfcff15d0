# SPDX-License-Identifier: Apache-2.0
"""The service that runs the event handler, one run after the other, in the order of the events.

Theory of operation: a run is owed in the transaction that finishes its file; here it is started as
an argument list, without a shell, with a small environment, in a process group of its own, and
marked done when it has ended. A run that was under way when the daemon was killed is run again: the
handler is told at least once, and `GSMGW_RUN` is the same both times.

Threads and locks: one thread; a slow handler delays handlers and nothing else.

On failure: a handler that fails, or is killed because its time is up, is logged and not run again.
One that cannot be started at all (it is missing) is tried again with growing pauses: no event is
lost while a technician mends it.
"""

from __future__ import annotations

from dataclasses import dataclass

from gsmgw import logs, programs
from gsmgw.clock import Clock
from gsmgw.config import Config
from gsmgw.gateway.hints import IDLE_S, Hints
from gsmgw.spool import names, troubles
from gsmgw.store import spool_files
from gsmgw.store.database import Database, Row
from gsmgw.threads import StopToken

log = logs.get("hooks")

#: A handler gets so long to end by itself when the daemon stops, in seconds.
STOP_GRACE_S = 2.0


@dataclass(slots=True)
class _Run:
    """A handler that is running."""

    row: Row
    program: programs.Running


class Hooks:
    """Runs the event handler. `step` blocks for at most some seconds."""

    name = "spool.hooks"

    def __init__(self, config: Config, db: Database, hints: Hints, clock: Clock) -> None:
        self._config = config
        self._db = db
        self._hints = hints
        self._clock = clock
        self._troubles = troubles.Troubles("runs of the event handler", clock)
        self._run: _Run | None = None
        self._finished: tuple[int, int | None, str | None] | None = None

    def wake(self) -> None:
        """End a wait in `step`; any thread."""
        self._hints.hooks.set()

    def open(self) -> None:
        """Look for runs that are owed since before the start."""
        self._hints.hooks.set()

    def step(self, stop: StopToken) -> None:
        """Wait for a hint or for the running handler, some seconds at most; start what is owed."""
        if self._run is None:
            self._hints.hooks.wait(1.0 if self._troubles else IDLE_S)
        while not stop.is_set() and (self._run is not None or self._begin_next()):
            if not self._attend(1.0):
                return

    def close(self) -> None:
        """End a running handler, which is run again later; close the connection."""
        if self._run is not None and not self._attend(STOP_GRACE_S):
            log.warning("hook.interrupted", run_event=self._run.row["event"], again="next start")
            self._run.program.kill()
        self._run = None
        self._db.close()

    # -- one run ----------------------------------------------------------------------------------

    def _begin_next(self) -> bool:
        """Start the oldest run that is owed; tell whether one runs now."""
        if self._troubles.is_paused("store") or self._troubles.is_paused("start"):
            return False
        if self._finished is not None and not self._store(*self._finished):
            return False
        rows = spool_files.owed_hooks(self._db, 1)
        while rows and not self._config.hooks.event:
            # Owed under another configuration; nobody wants to hear of it any more.
            if not self._store(rows[0]["id"], None, "no event handler is configured"):
                return False
            rows = spool_files.owed_hooks(self._db, 1)
        if not rows:
            return False
        try:
            self._run = self._start(rows[0])
        except OSError as error:
            self._troubles.failed("start", error)
            return False
        self._troubles.ended("start")
        return True

    def _start(self, row: Row) -> _Run:
        path = names.from_text(row["path"])
        arguments = [*self._config.hooks.event, row["event"], path]
        if row["message_ref"]:
            arguments.append(row["message_ref"])
        timeout_s = self._config.hooks.timeout
        return _Run(
            row, programs.Running(arguments, _environment(row, path), timeout_s, self._clock)
        )

    def _attend(self, seconds: float) -> bool:
        """Wait for the running handler, so long at most; tell whether it has ended."""
        run = self._run
        if run is None:
            return True
        if not run.program.wait(seconds):
            return False
        killed = f"killed after {self._config.hooks.timeout:g} s"
        self._end(run, run.program.exit_code, killed if run.program.was_killed else None)
        return True

    def _end(self, run: _Run, exit_code: int | None, error: str | None) -> None:
        self._run = None
        output = run.program.output
        if error is None and exit_code:
            error = f"exit code {exit_code}"
        if error is not None:
            log.warning(
                "hook.failed",
                key=("run_event", "exit_code"),
                run_event=run.row["event"],
                file=logs.masked(run.row["path"]),
                exit_code=exit_code,
                error=logs.masked(error),
                # What a handler prints may be the text of the message that it was given.
                output=logs.text(output),
            )
        told = f"{error}: {output}" if error is not None and output else error
        self._store(run.row["id"], exit_code, told)

    def _store(self, run_id: int, exit_code: int | None, error: str | None) -> bool:
        """Note how a run ended; while the store cannot, no other one is started."""
        self._finished = (run_id, exit_code, error)
        try:
            with self._db.write() as tx:
                spool_files.finish_hook(tx, run_id, exit_code, error)
        except troubles.PASSING as problem:
            self._troubles.failed("store", problem)
            return False
        self._troubles.ended("store")
        self._finished = None
        return True


def _environment(row: Row, path: str) -> dict[str, str]:
    environment = {
        "GSMGW_EVENT": row["event"],
        "GSMGW_FILE": path,
        "GSMGW_RUN": str(row["id"]),
    }
    if row["gsmgw_id"] is not None:
        environment["GSMGW_ID"] = str(row["gsmgw_id"])
    return environment
