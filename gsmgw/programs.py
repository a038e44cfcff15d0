# SPDX-License-Identifier: Apache-2.0
"""Programs that the configuration names, run without a shell, in small surroundings, for some time.

Theory of operation: a program is an argument list, never a line for a shell. It gets a small
environment, no input, the root as its directory and a process group of its own, so that what it
starts can be ended with it.

Threads and locks: none; a run belongs to the thread that began it.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence

from gsmgw.clock import Clock

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: So much of what a program prints is kept for the log, in octets.
LONGEST_OUTPUT = 2000

#: They end with the children that they read from; kept so that they are waited for.
_readers: list[subprocess.Popen[bytes]] = []


class Running:
    """A program that was started."""

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        timeout_s: float,
        clock: Clock,
    ) -> None:
        """Start it; blocks for the start only.

        Args:
            arguments: the program's full path, and what it is given.
            environment: what it is told beside `PATH`, `LANG` and `HOME`.
            timeout_s: it is killed when it runs for longer.
            clock: measures that time.

        Raises:
            OSError: it cannot be started.
        """
        self._clock = clock
        self._process = subprocess.Popen(  # noqa: S603 - an argument list from the configuration, no shell
            list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**_surroundings(), **environment},
            cwd="/",
            start_new_session=True,
        )
        if self._process.stdout is not None:
            os.set_blocking(self._process.stdout.fileno(), False)
        self._deadline = clock.monotonic() + timeout_s
        self._ended = os.pidfd_open(self._process.pid)  # readable when it has ended
        self._output = bytearray()
        self.exit_code: int | None = None  #: None while it runs, and of one that was killed
        self.was_killed = False  #: its time was up

    @property
    def output(self) -> str:
        """What it has printed, the beginning of it; octets that are no UTF-8 are shown as such."""
        return bytes(self._output).decode("utf-8", "backslashreplace").strip()

    def wait(self, seconds: float) -> bool:
        """Wait for its end, so long at most; tell whether it has ended. Kills it at its time."""
        until = self._clock.monotonic() + seconds
        while True:
            now = self._clock.monotonic()
            if now >= self._deadline:
                self.kill()
                self.was_killed = True
                return True
            if self._has_ended(max(min(until, self._deadline) - now, 0.0)):
                self.exit_code = self._process.wait()
                if self._drain():
                    self._leave_output()
                self._release()
                return True
            if self._clock.monotonic() >= until:
                return False

    def kill(self) -> None:
        """Kill it and all that it has started in its process group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._drain()
        self._release()

    def _has_ended(self, seconds: float) -> bool:
        """Wait for output or the end, so long at most; tell whether it has ended.

        The end of the process counts, not that of its output: it may leave a child behind.
        """
        pipe = self._process.stdout
        poll = select.poll()
        poll.register(self._ended, select.POLLIN)
        if pipe is not None and not pipe.closed:
            poll.register(pipe.fileno(), select.POLLIN)
        readable = [descriptor for descriptor, _ in poll.poll(math.ceil(seconds * 1000))]
        if self._ended in readable:
            return True
        if readable and not self._drain() and pipe is not None:
            pipe.close()  # it says no more; without this the wait would spin
        return False

    def _drain(self) -> bool:
        """Read what it has printed, keeping the beginning; False at the end of its output."""
        pipe = self._process.stdout
        if pipe is None or pipe.closed:
            return False
        for _ in range(64):
            try:
                piece = os.read(pipe.fileno(), 65536)
            except BlockingIOError:
                return True
            if not piece:
                return False
            self._output += piece[: LONGEST_OUTPUT - len(self._output)]
        return True

    def _leave_output(self) -> None:
        """Have somebody read what a child prints that it left behind: else SIGPIPE would end it."""
        pipe = self._process.stdout
        if pipe is None:
            return
        os.set_blocking(pipe.fileno(), True)
        _readers[:] = [reader for reader in _readers if reader.poll() is None]
        with contextlib.suppress(OSError):
            _readers.append(
                subprocess.Popen(
                    ["/bin/cat"],
                    stdin=pipe,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )

    def _release(self) -> None:
        os.close(self._ended)
        if self._process.stdout is not None:
            self._process.stdout.close()


def _surroundings() -> dict[str, str]:
    return {
        "PATH": PATH,
        "LANG": "C.UTF-8",
        "HOME": os.path.expanduser("~"),  # noqa: PTH111 - Path.home() raises for a user without one
    }
