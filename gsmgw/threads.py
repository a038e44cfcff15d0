# SPDX-License-Identifier: Apache-2.0
"""Threads: the stop token, the wake-up hint, and the supervisor that keeps services running.

Theory of operation: a service is an object with `open`, `step` and `close`. The supervisor gives
each a thread of its own: open, step until told to stop, close. Tests call `step` without a thread.

Threads and locks: `StopToken` and `Wake` may be set from any thread and from a signal handler. A
service is only ever touched by its own thread; the supervisor's main thread reads plain fields that
the other writes whole.

On failure: a service that raises is closed and opened again after 1 s, 2 s, 4 s ... 60 s; a minute
of health starts the count anew. An error that no restart can mend (configuration, a damaged
database or one that is too new) ends the whole process, by `Supervisor.run`, with the exit code
that says so. A watched service that hangs stops the feeding of systemd's watchdog, which then
restarts the process; one not watched (a modem, caught in the kernel) is reported once and left
alone while the others go on.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from gsmgw import logs, systemd
from gsmgw.clock import Clock, SystemClock
from gsmgw.errors import ConfigError, StoreDamagedError, StoreTooNewError

log = logs.get("threads")

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
#: After so long without a fault the next pause is short again.
HEALTHY_AFTER_S = 60.0
#: A step takes a second or so; one that takes this long hangs.
STUCK_AFTER_S = 120.0
#: How long `start` waits for a watched service to open before it starts the next one.
OPEN_WAIT_S = 30.0
#: What a service still gets when the deadline of `stop` has passed before its turn.
GRACE_S = 0.5
#: How often `run` looks, at least: often enough for what takes `STUCK_AFTER_S` to be noticed.
LOOK_S = 5.0

# For errors that a restart cannot mend, from sysexits.h: EX_CONFIG and EX_DATAERR.
_FATAL: tuple[tuple[type[Exception], int], ...] = (
    (ConfigError, 78),
    (StoreTooNewError, 78),
    (StoreDamagedError, 65),
)


class StopToken:
    """Says, once and for ever, that it is time to end.

    A lock serves as a gate that opens once: unlike threading.Event it can be set from a signal
    handler that interrupts a wait on the same token.
    """

    __slots__ = ("_gate", "_is_set")

    def __init__(self) -> None:
        self._is_set = False
        self._gate = threading.Lock()
        self._gate.acquire()

    def set(self) -> None:
        """End all waits on this token, now and later; any thread, any number of times."""
        self._is_set = True
        _release(self._gate)

    def is_set(self) -> bool:
        """Tell whether it is time to end."""
        return self._is_set

    def wait(self, seconds: float) -> bool:
        """Pause for so many monotonic seconds or until set; tell whether it is set."""
        if not self._is_set and self._gate.acquire(timeout=_bounded(seconds)):
            _release(self._gate)
        return self._is_set


class Wake:
    """A hint that there may be work; carries no data, may come for nothing or be lost.

    Any number of setters, one waiter. The waiter looks for work after every wait, hint or not.
    """

    __slots__ = ("_gate",)

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._gate.acquire()

    def set(self) -> None:
        """Wake the waiter, or end its next wait at once; never blocks."""
        _release(self._gate)

    def wait(self, seconds: float) -> bool:
        """Pause until a hint comes, at most so long; tell whether one came, and forget it."""
        return self._gate.acquire(timeout=_bounded(seconds))


class Service(Protocol):
    """What the supervisor runs in a thread."""

    @property
    def name(self) -> str:
        """The name of its thread, and of the service in the log."""

    def open(self) -> None:
        """Acquire what it needs (its own connections); may be called again after `close`."""

    def step(self, stop: StopToken) -> None:
        """Do one round of work, waiting about a second at most, less once `stop` is set."""

    def close(self) -> None:
        """Give everything back; also called when `open` failed half-way. Must not raise."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a service is doing."""

    alive: bool  #: it is open and stepping; False while it waits for its restart
    since_step_s: float  #: seconds since its last step ended, or since it began to open
    restarts: int
    last_error: str  #: in words, masked; "" if it never fell


@dataclass(slots=True, eq=False)
class _Run:
    """One service under supervision."""

    service: Service
    watched: bool
    wake: Callable[[], None] | None
    together: str | None
    is_near: bool
    stop: StopToken = field(default_factory=StopToken)
    first_open: StopToken = field(default_factory=StopToken)  # set when it succeeded or failed
    thread: threading.Thread | None = None
    alive: bool = False
    busy: bool = False  # in open, step or close, where it could hang; not in its pause
    stepped_at: float = 0.0
    opened_at: float = 0.0
    restarts: int = 0
    last_error: str = ""
    reported_stuck: bool = False


class Supervisor:
    """Runs services, restarts the fallen, notices those that hang, stops all in reverse order."""

    def __init__(
        self,
        *,
        time: Clock | None = None,
        on_stuck: Callable[[str], None] | None = None,
        stuck_after_s: float = STUCK_AFTER_S,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        """Set up without starting anything.

        Args:
            time: measures steps and health; None takes the machine's.
            on_stuck: called by `check`, once each time, with the name of a service that is not
                watched and hangs.
            stuck_after_s: a step that lasts longer than this hangs.
            first_pause_s: before the first restart; it doubles each time, to a minute.
        """
        self._clock = time or SystemClock()
        self._on_stuck = on_stuck
        self._stuck_after_s = stuck_after_s
        self._first_pause_s = first_pause_s
        self._runs: list[_Run] = []
        self._started = False
        self._fatal: Exception | None = None
        self._running: StopToken | None = None  # what `run` waits for

    @property
    def fatal(self) -> Exception | None:
        """The error that ends the process, if one came."""
        return self._fatal

    def add(
        self,
        service: Service,
        *,
        watched: bool = True,
        wake: Callable[[], None] | None = None,
        together: str | None = None,
        is_near: bool = False,
    ) -> None:
        """Take a service under supervision; once `start` has run it is started at once.

        Args:
            service: what to run; its name must be new.
            watched: its hanging must restart the process. False for what may be caught in the
                kernel.
            wake: ends a wait inside its step, called when it is to stop.
            together: neighbours with the same word are told to stop at the same moment.
            is_near: it is on a message's way; its thread shares a processor with the others.

        Raises:
            ValueError: a service of this name is there already.
        """
        if any(run.service.name == service.name for run in self._runs):
            raise ValueError(f"there is a service named {service.name} already")
        run = _Run(service, watched, wake, together, is_near)
        self._runs.append(run)
        if self._started:
            self._begin(run)

    def start(self) -> None:
        """Start all services in the order added.

        Blocks until each watched one is open or has failed to (at most 30 s each); a failed one is
        tried again in its thread while the others start. Stops starting after a fatal error.
        """
        self._started = True
        for run in list(self._runs):
            if self._fatal is not None:
                return
            self._begin(run)
            if run.watched:
                run.first_open.wait(OPEN_WAIT_S)

    def run(self, stop: StopToken) -> int:
        """Block until `stop` is set or a fatal error comes; return the exit code of the process.

        Looks after the services every few seconds, or twice in systemd's watchdog time. A fatal
        error sets `stop`.
        """
        self._running = stop
        pause_s = min(systemd.interval_s() or LOOK_S, LOOK_S)
        while not stop.is_set() and self._fatal is None:
            self.check()
            stop.wait(pause_s)
        return 0 if self._fatal is None else exit_code(self._fatal)

    def check(self) -> bool:
        """Look once for services that hang; feed systemd's watchdog if no watched one does.

        Returns:
            Whether all watched services are moving.
        """
        healthy = True
        for run in list(self._runs):
            if self._is_stuck(run):
                healthy = healthy and not run.watched
                self._report_stuck(run)
            elif run.reported_stuck:
                run.reported_stuck = False
                log.info("service.recovered", service=run.service.name)
        if healthy:
            systemd.watchdog()
        return healthy

    def health(self) -> dict[str, Health]:
        """Return how each service is doing, by name."""
        now = self._clock.monotonic()
        return {
            run.service.name: Health(run.alive, now - run.stepped_at, run.restarts, run.last_error)
            for run in self._runs
        }

    def stop(self, deadline_s: float) -> list[str]:
        """Stop all services in reverse order of their start; blocks until they have ended.

        Returns:
            The names of those that did not end in time; they do not keep the process alive.
        """
        left_over = self._stop_runs(self._runs, deadline_s)
        self._runs = []
        self._started = False
        return left_over

    def remove(self, name: str, deadline_s: float) -> bool:
        """Stop one service and forget it; tell whether it ended in time (or was not there)."""
        chosen = [run for run in self._runs if run.service.name == name]
        left_over = self._stop_runs(chosen, deadline_s)
        self._runs = [run for run in self._runs if run not in chosen]
        return not left_over

    def _begin(self, run: _Run) -> None:
        run.stepped_at = self._clock.monotonic()
        run.thread = threading.Thread(
            target=self._supervise, args=(run,), name=run.service.name, daemon=True
        )
        run.thread.start()

    def _supervise(self, run: _Run) -> None:
        pause_s = self._first_pause_s
        if run.is_near:
            _share_processor()
        while not run.stop.is_set() and self._fatal is None:
            error = self._live(run)
            if error is not None and exit_code(error):
                self._end_all(run, error)
            run.first_open.set()
            if error is None or exit_code(error):
                return
            if self._clock.monotonic() - run.opened_at >= HEALTHY_AFTER_S:
                pause_s = self._first_pause_s
            self._report_failure(run, error, pause_s)
            run.stop.wait(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def _live(self, run: _Run) -> Exception | None:
        """Open, step until told to stop, close; return what went wrong."""
        run.opened_at = run.stepped_at = self._clock.monotonic()
        run.busy = True
        failure: Exception | None = None
        try:
            run.service.open()
            run.alive = True
            run.first_open.set()
            while not run.stop.is_set():
                run.stepped_at = self._clock.monotonic()
                run.service.step(run.stop)
        except Exception as error:  # noqa: BLE001 - the supervisor's border
            failure = error
        try:
            run.service.close()
        except Exception as error:  # noqa: BLE001 - the supervisor's border
            failure = failure or error
        run.alive = run.busy = False
        return failure

    def _end_all(self, run: _Run, error: Exception) -> None:
        run.last_error = logs.masked(error)
        if self._fatal is None:
            self._fatal = error
            if self._running is not None:
                self._running.set()
        code, name = exit_code(error), run.service.name
        log.error("service.fatal", service=name, error=run.last_error, exit_code=code)

    def _report_failure(self, run: _Run, error: Exception, pause_s: float) -> None:
        run.restarts += 1
        run.last_error = logs.masked(f"{type(error).__name__}: {error}")
        log.error(
            "service.failed",
            key=("service", "error"),
            service=run.service.name,
            error=run.last_error,
            restart_in_s=pause_s,
        )
        trace = "".join(traceback.format_exception(error))
        log.debug("service.traceback", service=run.service.name, trace=logs.masked(trace))

    def _is_stuck(self, run: _Run) -> bool:
        return run.busy and self._clock.monotonic() - run.stepped_at > self._stuck_after_s

    def _report_stuck(self, run: _Run) -> None:
        if run.reported_stuck:
            return
        run.reported_stuck = True
        since_s = self._clock.monotonic() - run.stepped_at
        log.error("service.stuck", service=run.service.name, since_s=since_s, watched=run.watched)
        if self._on_stuck is not None and not run.watched:
            self._on_stuck(run.service.name)

    def _stop_runs(self, runs: list[_Run], deadline_s: float) -> list[str]:
        ends_at = self._clock.monotonic() + deadline_s
        left_over: list[str] = []
        for _, group in itertools.groupby(reversed(runs), lambda run: run.together or id(run)):
            neighbours = list(group)
            for run in neighbours:
                self._tell_to_stop(run)
            for run in neighbours:
                remaining_s = max(ends_at - self._clock.monotonic(), GRACE_S)
                if not self._join(run, remaining_s):
                    left_over.append(run.service.name)
        return left_over

    def _tell_to_stop(self, run: _Run) -> None:
        run.stop.set()
        if run.wake is not None:
            # The service may close its wake-up (a pipe) just now; it is ending then, as asked.
            with contextlib.suppress(OSError, ValueError):
                run.wake()

    def _join(self, run: _Run, seconds: float) -> bool:
        if run.thread is not None:
            run.thread.join(seconds)
        if run.thread is None or not run.thread.is_alive():
            return True
        log.warning("service.left", service=run.service.name, waited_s=seconds)
        return False


def _share_processor() -> None:
    """Let this thread run on the last of the processors that we may use, with its neighbours.

    Python runs one thread at a time anyway. Handing work to a thread on a processor that sleeps
    costs 0.1 ms each time on an idle machine, and finds nothing in its caches. What another thread
    starts (a handler of events) may run anywhere.
    """
    with contextlib.suppress(OSError):  # forbidden, or it has just gone: slower, no worse
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def exit_code(error: Exception) -> int:
    """Return the exit code (sysexits) of an error that no restart can mend, 0 for all others."""
    return next((code for kind, code in _FATAL if isinstance(error, kind)), 0)


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), threading.TIMEOUT_MAX)


def _release(gate: threading.Lock) -> None:
    # An open gate is as good as one that we open: another thread was faster.
    with contextlib.suppress(RuntimeError):
        gate.release()
