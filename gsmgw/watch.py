# SPDX-License-Identifier: Apache-2.0
"""File events, as hints: what has just happened to which file in a directory.

Theory of operation: the thread that is to act on an event waits for it itself, on the kernel's
inotify queue (inotify(7)). An event only says where to look; the caller also looks by itself every
now and then, because events can be lost (a full queue, a network file system).

Of watchdog only its calls of the kernel are used. Its observers hand each event through three
threads before they call back, which costs more than the rest of a file's way to us while the
machine is idle, and hold the first half of every rename for 0.5 s to find the second. Here a rename
within the directory comes as two events, and a file moved in from outside as just that.

Threads and locks: `wake` may be called by any thread; all else belongs to the one that waits.

On failure: when the kernel has no watches left, or the directory is not there, `start` warns once
and returns False; nothing raises, and `wait` still waits. A directory that is deleted ends its
watching: `is_alive` turns False, `start` begins anew.
"""

from __future__ import annotations

import ctypes
import errno
import math
import os
import select
import struct
from typing import TypeAlias

from watchdog.observers.inotify_c import InotifyConstants, Mask, inotify_add_watch, inotify_init

from gsmgw import logs
from gsmgw.bell import Bell

log = logs.get("watch")

#: What callers of `start` do instead when it returns False.
SCAN_EVERY_S = 30

#: A file's name and what has happened to it.
Event: TypeAlias = tuple[str, str]

#: Of events there were more than the kernel keeps.
LOST = "lost"
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
_MASK = Mask(sum(bit for bit, _ in _KINDS) | InotifyConstants.IN_ONLYDIR)
#: Of `struct inotify_event` what stands before the name: wd, mask, cookie, length of the name.
_HEAD = struct.Struct("iIII")
#: Octets that are read at once; the kernel's whole queue is some 0.5 MB.
_READ_AT_ONCE = 1 << 16
_ADVICE = {
    errno.ENOSPC: "raise fs.inotify.max_user_watches with sysctl",
    errno.EMFILE: "raise fs.inotify.max_user_instances with sysctl",
    errno.ENOENT: "create the directory",
    errno.ENOTDIR: "make it a directory",
    errno.EACCES: "let the daemon's user read the directory",
}


class Watcher:
    """Waits for events of the files in a directory, not of those in directories below it.

    Kinds: `moved_in` (renamed to this path, complete at once), `moved` (renamed away from this
    path), `closed` (after writing), `changed` (content or permissions), `created`, `deleted`.
    `LOST` comes without a name when the kernel's queue was full: look at the directory itself.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Set up without watching yet.

        Args:
            path: the directory.
        """
        self._path = os.fspath(path)
        self._bell = Bell()
        self._fd: int | None = None

    def start(self) -> bool:
        """Begin to watch, anew if need be. Tell whether events will come; warn if not."""
        self.stop()
        fd = inotify_init()
        if fd != -1:
            os.set_blocking(fd, False)
            os.set_inheritable(fd, False)
            if inotify_add_watch(fd, os.fsencode(self._path), _MASK) != -1:
                self._fd = fd
                return True
        number = ctypes.get_errno()
        if fd != -1:
            os.close(fd)
        log.warning(
            "watch.unavailable",
            path=self._path,
            error=os.strerror(number),
            instead=f"a scan every {SCAN_EVERY_S} s",
            advice=_ADVICE.get(number, "see the error"),
        )
        return False

    def is_alive(self) -> bool:
        """Tell whether events still come, as far as one can know."""
        return self._fd is not None

    def stop(self) -> None:
        """Watch no more; `wait` then waits for `wake` alone. Harmless when not started."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def wake(self) -> None:
        """End a wait, or the next one at once; any thread, never blocks."""
        self._bell.ring()

    def wait(self, seconds: float) -> list[Event]:
        """Wait until something happens to a file, `wake` is called, or the time is over.

        Returns:
            All that has happened, in that order; [] after `wake`, or when nothing came.
        """
        poller = select.poll()
        poller.register(self._bell, select.POLLIN)
        if self._fd is not None:
            poller.register(self._fd, select.POLLIN)
        ready = {fd for fd, _ in poller.poll(math.ceil(max(seconds, 0.0) * 1000))}
        if self._bell.fileno() in ready:
            self._bell.forget()
        return self._read() if self._fd in ready else []

    def _read(self) -> list[Event]:
        """Take all out of the kernel's queue: an event of which it is full is not repeated."""
        found: list[Event] = []
        while self._fd is not None:
            try:
                octets = os.read(self._fd, _READ_AT_ONCE)
            except BlockingIOError:
                break
            at = 0
            while at < len(octets):
                _, mask, _, length = _HEAD.unpack_from(octets, at)
                at += _HEAD.size + length
                name = octets[at - length : at].rstrip(b"\0")
                found += _events(mask, os.fsdecode(name))
                if mask & InotifyConstants.IN_IGNORED:
                    self.stop()
        return found


def _events(mask: int, name: str) -> list[Event]:
    if mask & InotifyConstants.IN_Q_OVERFLOW:
        return [("", LOST)]
    if mask & InotifyConstants.IN_ISDIR or not name:
        return []
    return [(name, kind) for bit, kind in _KINDS if mask & bit]
