# SPDX-License-Identifier: Apache-2.0
"""The one thread that drives all simulated modems: readable ports and a heap of timers.

Threads and locks: everything of the simulator but the books is touched by this thread alone.
Other threads hand in functions with `call`, which waits for the result.

select(2) and not epoll, because epoll counts its time-out in whole milliseconds, and latencies
are to be exact within 0.2 ms. Known limit: file descriptors above 1023 cannot be watched.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import select
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from gsmgw import clock, errors

T = TypeVar("T")

#: The longest sleep without any timer; only a bound, everything wakes the loop by itself.
_IDLE_S = 60.0


class Timer:
    """One planned call; `cancel` makes it do nothing."""

    __slots__ = ("cancelled", "function")

    def __init__(self, function: Callable[[], object]) -> None:
        self.function = function
        self.cancelled = False

    def cancel(self) -> None:
        """Forget the call; harmless after it was made. Loop thread only."""
        self.cancelled = True


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self, source: clock.Clock) -> None:
        self._clock = source
        self._readers: dict[int, Callable[[], None]] = {}
        self._writers: dict[int, Callable[[], None]] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._posted: deque[Callable[[], None]] = deque()
        self._wake_read = self._wake_write = -1
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._gate = threading.Lock()

    def start(self) -> None:
        """Start the thread; returns at once."""
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._readers[self._wake_read] = self._drain_wake
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it; planned calls are forgotten."""
        thread = self._thread
        if thread is None:
            return
        self._post(self._end)
        thread.join()
        with self._gate:
            self._thread = None
            os.close(self._wake_read)
            os.close(self._wake_write)
        self._readers.clear()
        self._writers.clear()
        self._timers.clear()

    def monotonic(self) -> float:
        """Return the clock's monotonic seconds."""
        return self._clock.monotonic()

    def call(self, function: Callable[[], T]) -> T:
        """Run the function in the loop thread and return what it returns or raises.

        Callable from any thread; blocks until the loop gets to it, some microseconds as a rule.
        While the loop does not run, the function runs in the calling thread.
        """
        if self._thread is threading.current_thread():
            return function()
        future: Future[T] = Future()
        with self._gate:
            running = self._thread is not None and not self._stopping
            if running:
                self._posted.append(lambda: _settle(future, function))
                self._wake()
        return future.result() if running else function()

    def at(self, when: float, function: Callable[[], object]) -> Timer:
        """Plan a call at a monotonic time; a time gone by means as soon as possible."""
        timer = Timer(function)
        heapq.heappush(self._timers, (when, next(self._order), timer))
        return timer

    def after(self, delay_s: float, function: Callable[[], object]) -> Timer:
        """Plan a call so many seconds from now."""
        return self.at(self._clock.monotonic() + delay_s, function)

    def watch(self, fd: int, on_readable: Callable[[], None]) -> None:
        """Call the function whenever the descriptor has something to read."""
        self._readers[fd] = on_readable

    def watch_writable(self, fd: int, on_writable: Callable[[], None] | None) -> None:
        """Call the function while the descriptor takes bytes; None ends that."""
        if on_writable is None:
            self._writers.pop(fd, None)
        else:
            self._writers[fd] = on_writable

    def forget(self, fd: int) -> None:
        """Watch the descriptor no more; call it before closing the descriptor."""
        self._readers.pop(fd, None)
        self._writers.pop(fd, None)

    def _end(self) -> None:
        self._stopping = True

    def _post(self, function: Callable[[], None]) -> None:
        with self._gate:
            self._posted.append(function)
            self._wake()

    def _wake(self) -> None:
        try:
            os.write(self._wake_write, b"!")
        except BlockingIOError:
            return  # the pipe is full of wake-ups already

    def _drain_wake(self) -> None:
        os.read(self._wake_read, 4096)
        while self._posted:
            self._posted.popleft()()

    def _run(self) -> None:
        _ask_for_exact_timers()
        try:
            while not self._stopping:
                self._turn()
        finally:
            self._give_up()

    def _give_up(self) -> None:
        """Run what is still asked for, so that nobody waits for a thread that has ended."""
        with self._gate:
            self._stopping = True
            posted, self._posted = list(self._posted), deque()
        for function in posted:
            function()

    def _turn(self) -> None:
        """Wait for the next thing to do, and do it."""
        readable, writable, _ = select.select(
            list(self._readers), list(self._writers), [], self._pause_s()
        )
        for fd in readable:
            # An earlier callback of this round may have closed the port.
            reader = self._readers.get(fd)
            if reader is not None:
                reader()
        for fd in writable:
            writer = self._writers.get(fd)
            if writer is not None:
                writer()
        self._run_due()

    def _pause_s(self) -> float:
        while self._timers and self._timers[0][2].cancelled:
            heapq.heappop(self._timers)
        if not self._timers:
            return _IDLE_S
        return min(_IDLE_S, max(0.0, self._timers[0][0] - self._clock.monotonic()))

    def _run_due(self) -> None:
        now = self._clock.monotonic()
        while self._timers and self._timers[0][0] <= now:
            _, _, timer = heapq.heappop(self._timers)
            if not timer.cancelled:
                timer.cancelled = True
                timer.function()


def _ask_for_exact_timers() -> None:
    """Take the slack of 50 µs off this thread's sleeps, see proc(5); do without where it is not."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{threading.get_native_id()}/timerslack_ns").write_text("1")


def _settle(future: Future[T], function: Callable[[], T]) -> None:
    try:
        future.set_result(function())
    except (errors.GsmgwError, ValueError, TypeError, LookupError, OSError) as error:
        future.set_exception(error)
    finally:
        # Anything else ends the loop with its traceback; the caller must not wait for ever.
        future.cancel()
