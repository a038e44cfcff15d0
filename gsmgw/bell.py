# SPDX-License-Identifier: Apache-2.0
"""A wake-up for a thread that waits for descriptors: a modem's port, file events.

Threads and locks: `ring` may be called by any thread; all else belongs to the one that waits. The
descriptor lives as long as the object: whoever rings late cannot write into another file that has
got its number meanwhile.
"""

from __future__ import annotations

import contextlib
import os


class Bell:
    """A descriptor that becomes readable when somebody rings; it carries no data."""

    _fd = -1

    def __init__(self) -> None:
        """Make the descriptor; OSError where there are too many."""
        self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def __del__(self) -> None:
        if self._fd != -1:
            os.close(self._fd)

    def fileno(self) -> int:
        """Return what to wait for."""
        return self._fd

    def ring(self) -> None:
        """End the wait, or the next one at once; never blocks."""
        with contextlib.suppress(BlockingIOError):  # rung 2^64 times already
            os.eventfd_write(self._fd, 1)

    def forget(self) -> None:
        """Forget the calls so far."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._fd)
