# SPDX-License-Identifier: Apache-2.0
"""File events, as hints: what has just happened to which file in a directory.

Theory of operation: watchdog reads the kernel's inotify queue in one thread and calls `on_event` in
it. An event only says where to look; the caller also looks by itself every now and then, because
events can be lost (a full kernel queue, a network file system).

Of watchdog only the reader of that queue is used. Its observers hand each event through two more
threads before they call back, which costs more than the rest of a file's way to us while the
machine is idle, and hold the first half of every rename for 0.5 s to find the second. Here a rename
within the directory comes as two events, and a file moved in from outside as just that.

On failure: when the kernel has no watches left, or the directory is not there, `start` warns once
and returns False; nothing raises. A directory that is deleted ends its watcher: `is_alive` turns
False, `start` begins anew.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchDescriptor,
)

from gsmgw import logs

log = logs.get("watch")

#: What callers of `start` do instead when it returns False.
SCAN_EVERY_S = 30

#: What an event means; left out are opening and closing unwritten, which our own reading causes.
_KINDS: tuple[tuple[int, str], ...] = (
    (InotifyConstants.IN_MOVED_TO, "moved_in"),
    (InotifyConstants.IN_MOVED_FROM, "moved"),
    (InotifyConstants.IN_CLOSE_WRITE, "closed"),
    (InotifyConstants.IN_MODIFY, "changed"),
    (InotifyConstants.IN_ATTRIB, "changed"),
    (InotifyConstants.IN_CREATE, "created"),
    (InotifyConstants.IN_DELETE, "deleted"),
)
_MASK = Mask(sum(bit for bit, _ in _KINDS))
#: A watcher has one directory, and so one callback.
_ONLY = CallbackId(0)
_ADVICE = {
    errno.ENOSPC: "raise fs.inotify.max_user_watches with sysctl",
    errno.EMFILE: "raise fs.inotify.max_user_instances with sysctl",
    errno.ENOENT: "create the directory",
    errno.ENOTDIR: "make it a directory",
    errno.EACCES: "let the daemon's user read the directory",
}


class Watcher:
    """Calls back for every event of a file in a directory, not of those in directories below it.

    Kinds: `moved_in` (renamed to this path, complete at once), `moved` (renamed away from this
    path), `closed` (after writing), `changed` (content or permissions), `created`, `deleted`.
    """

    def __init__(self, path: str | os.PathLike[str], on_event: Callable[[str, str], None]) -> None:
        """Set up without watching yet.

        Args:
            path: the directory.
            on_event: called with the file's name and the kind, in the watcher's thread; the next
                events wait until it returns. Must never raise, so best it only sets a Wake or
                fills a queue.
        """
        self._path = os.fspath(path)
        self._on_event = on_event
        self._queue: InotifyFD | None = None
        self._forward: _Forward | None = None

    def start(self) -> bool:
        """Begin to watch; blocks for a moment. Tell whether events will come; warn if not."""
        self.stop()
        queue: InotifyFD | None = None
        try:
            queue = InotifyFD()
            queue.start()
            forward = _Forward(self._on_event)
            mask = Mask(_MASK | InotifyConstants.IN_ONLYDIR)
            watched = queue.add_callback(os.fsencode(self._path), mask, forward, _ONLY)
            if watched == -1:  # watchdog keeps this error to itself
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except (OSError, RuntimeError) as error:  # RuntimeError: no more threads
            if queue is not None:
                _end(queue)
            self._warn(error)
            return False
        self._queue, self._forward = queue, forward
        return True

    def is_alive(self) -> bool:
        """Tell whether events still come, as far as one can know."""
        queue, forward = self._queue, self._forward
        return queue is not None and queue.is_alive() and forward is not None and forward.is_alive

    def stop(self) -> None:
        """Watch no more; blocks until the watcher's thread has ended. Harmless when not started.

        Never call it from `on_event`: a thread cannot wait for itself.
        """
        queue, self._queue, self._forward = self._queue, None, None
        if queue is not None:
            _end(queue)

    def _warn(self, error: OSError | RuntimeError) -> None:
        number = error.errno if isinstance(error, OSError) else None
        log.warning(
            "watch.unavailable",
            path=self._path,
            error=str(error),
            instead=f"a scan every {SCAN_EVERY_S} s",
            advice=_ADVICE.get(number or 0, "see the error"),
        )


class _Forward:
    """What watchdog calls: translates the kernel's events into names and kinds."""

    def __init__(self, on_event: Callable[[str, str], None]) -> None:
        self._on_event = on_event
        self.is_alive = True  #: the directory is there

    def on_event(self, event: InotifyEvent) -> None:
        if event.mask & InotifyConstants.IN_ISDIR or not event.name:
            return
        for bit, kind in _KINDS:
            if event.mask & bit:
                self._on_event(os.fsdecode(event.name), kind)

    def on_watch_deleted(self, _wd: WatchDescriptor) -> None:
        self.is_alive = False

    def on_queue_overflow(self) -> None:
        """Do nothing: events are hints."""


def _end(queue: InotifyFD) -> None:
    """Stop a reader, even one whose start failed half-way, and wait for its thread."""
    queue.stop()
    if queue.is_alive():
        queue.join()
