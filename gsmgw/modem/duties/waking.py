# SPDX-License-Identifier: Apache-2.0
"""Lets any thread end the wait of a modem's thread, which waits for its port.

Threads and locks. `wake` may be called by any thread; all else belongs to the modem's thread.
"""

from __future__ import annotations

import contextlib
import os


class Waker:
    """A pipe to oneself: its reading end is waited for beside the port."""

    def __init__(self) -> None:
        self._fds: tuple[int, int] | None = None

    def open(self) -> None:
        """Make the pipe."""
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)
        self._fds = (reading, writing)

    def close(self) -> None:
        """Give the pipe back; does nothing if there is none."""
        fds, self._fds = self._fds, None
        for fd in fds or ():
            os.close(fd)

    def wake(self) -> None:
        """End a wait; may be lost."""
        fds = self._fds
        if fds is not None:
            with contextlib.suppress(OSError):
                os.write(fds[1], b"w")

    @property
    def fd(self) -> int | None:
        """Return what to wait for."""
        return self._fds[0] if self._fds is not None else None

    def forget(self) -> None:
        """Forget the calls so far."""
        if self._fds is not None:
            with contextlib.suppress(BlockingIOError):
                os.read(self._fds[0], 4096)
