# SPDX-License-Identifier: Apache-2.0
"""A temporary directory that is removed even if its process is killed: by the next one of its kind.

Theory of operation: who uses the directory holds a lock on it, which the kernel gives back at any
death. Whoever makes a new one removes those of the same kind and user that nobody holds.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Scratch:
    """A directory for as long as this is open."""

    def __init__(self, kind: str) -> None:
        """Make the directory, and remove what others of its kind left behind.

        Args:
            kind: its name begins so.

        Raises:
            OSError: it cannot be made.
        """
        _remove_left(kind)
        self._held: int | None = None
        while self._held is None:
            self.path = Path(tempfile.mkdtemp(prefix=kind))
            self._held = _hold(self.path)

    def close(self) -> None:
        """Remove it with all that is in it."""
        if self._held is not None:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._held)
            self._held = None


@contextlib.contextmanager
def scratch(kind: str) -> Iterator[Path]:
    """Give a directory for the time of a block."""
    made = Scratch(kind)
    try:
        yield made.path
    finally:
        made.close()


def _hold(path: Path) -> int | None:
    """Lock a directory; None if somebody has it, or has removed it before it was locked."""
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_uid == os.geteuid() and path.is_dir():
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def _remove_left(kind: str) -> None:
    for path in Path(tempfile.gettempdir()).glob(f"{kind}*"):
        descriptor = _hold(path)
        if descriptor is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(descriptor)
