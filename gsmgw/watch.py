# SPDX-License-Identifier: Apache-2.0
"""File events, as hints: what has just happened to which file below a directory.

Theory of operation: watchdog reads inotify in threads of its own and calls `on_event` in one of
them. An event only says where to look; the caller also looks by itself every now and then, because
events can be lost (a full kernel queue, a network file system).

Two settings matter. Full events: a file moved in from outside is reported as just that; else it
looks like one that somebody has begun to write. No delay for moves: watchdog would hold the first
half of every rename for 0.5 s to find the second, and with it everything that happens meanwhile,
our own renames included. So a rename within the directory comes as two events, in any case.

On failure: when the kernel has no watches left, or the directory is not there, `start` warns once
and returns False; nothing raises. A directory that is deleted ends its watcher: `is_alive` turns
False, `start` begins anew.

Known limits: watchdog tells of a failed watch only for the directory itself. Where the kernel's
watches run out exactly among the directories below, those are found by the caller's scan alone.
"""

from __future__ import annotations

import errno
import logging
import os
import warnings
from collections.abc import Callable

from watchdog import events
from watchdog.observers.inotify import InotifyObserver
from watchdog.observers.inotify_move_event_grouper import InotifyMoveEventGrouper

from gsmgw import logs

log = logs.get("watch")

#: What callers of `start` do instead when it returns False.
SCAN_EVERY_S = 30

# See the docstring; read whenever a watch begins.
InotifyMoveEventGrouper.delay = 0
# While it stops, watchdog's emitter calls a normal race an error; losses are told by another
# logger.
logging.getLogger("watchdog.observers.inotify").setLevel(logging.CRITICAL)

# Left out: opened and closed unwritten, which our own reading causes, and all of directories but
# the moves and the creation that watchdog follows itself.
_FILTER: list[type[events.FileSystemEvent]] = [
    events.FileMovedEvent,
    events.FileClosedEvent,
    events.FileModifiedEvent,
    events.FileAttribEvent,
    events.FileCreatedEvent,
    events.FileDeletedEvent,
]
_KINDS = {
    events.EVENT_TYPE_CLOSED: "closed",
    events.EVENT_TYPE_MODIFIED: "changed",
    events.EVENT_TYPE_ATTRIB: "changed",
    events.EVENT_TYPE_CREATED: "created",
    events.EVENT_TYPE_DELETED: "deleted",
}
_ADVICE = {
    errno.ENOSPC: "raise fs.inotify.max_user_watches with sysctl",
    errno.EMFILE: "raise fs.inotify.max_user_instances with sysctl",
    errno.ENOENT: "create the directory",
    errno.ENOTDIR: "make it a directory",
    errno.EACCES: "let the daemon's user read the directory",
}


class Watcher:
    """Calls back for every event of a file in a directory.

    Kinds: `moved_in` (renamed to this path, complete at once), `moved` (renamed away from this
    path), `closed` (after writing), `changed` (content or permissions), `created`, `deleted`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        on_event: Callable[[str, str], None],
        *,
        recursive: bool = True,
    ) -> None:
        """Set up without watching yet.

        Args:
            path: the directory.
            on_event: called with the file's path and the kind, in the watcher's thread; must return
                at once and never raise, so best it only sets a Wake or fills a queue.
            recursive: directories below as well, also those that are made later.
        """
        self._path = os.fspath(path)
        self._on_event = on_event
        self._recursive = recursive
        self._observer: _Observer | None = None

    def start(self) -> bool:
        """Begin to watch; blocks for a moment. Tell whether events will come; warn if not."""
        self.stop()
        # A directory made while its parent is looked through is met twice, which watchdog mends and
        # warns of. Said here, not at import: where warnings are errors (-W error) each would end
        # the reader.
        warnings.filterwarnings("ignore", "Callback with id .* already exists", RuntimeWarning)
        observer: _Observer | None = None
        try:
            observer = _Observer(generate_full_events=True)
            observer.schedule(
                _Forward(self._on_event),
                self._path,
                recursive=self._recursive,
                event_filter=_FILTER,
            )
            observer.start()
        except (OSError, RuntimeError) as error:  # RuntimeError: no more threads
            if observer is not None:
                _end(observer)
            self._warn(error)
            return False
        self._observer = observer
        return True

    def is_alive(self) -> bool:
        """Tell whether events still come, as far as one can know."""
        return self._observer is not None and self._observer.is_complete()

    def stop(self) -> None:
        """Watch no more; blocks until the watcher's threads have ended. Harmless when not started.

        Never call it from `on_event`: a thread cannot wait for itself.
        """
        observer, self._observer = self._observer, None
        if observer is not None:
            _end(observer)

    def _warn(self, error: OSError | RuntimeError) -> None:
        number = error.errno if isinstance(error, OSError) else None
        log.warning(
            "watch.unavailable",
            path=self._path,
            error=str(error),
            instead=f"a scan every {SCAN_EVERY_S} s",
            advice=_ADVICE.get(number or 0, "see the error"),
        )


class _Observer(InotifyObserver):
    """Watchdog's observer, which also tells whether all of its threads live."""

    def is_complete(self) -> bool:
        """Tell whether the reader of the kernel's queue, the emitters and the caller back live."""
        return (
            self.is_alive()
            and self._inotify_fd.is_alive()
            and all(emitter.is_alive() for emitter in self.emitters)
        )


class _Forward(events.FileSystemEventHandler):
    """Translates watchdog's events into paths and kinds."""

    def __init__(self, on_event: Callable[[str, str], None]) -> None:
        self._on_event = on_event

    def dispatch(self, event: events.FileSystemEvent) -> None:
        source, target = os.fsdecode(event.src_path), os.fsdecode(event.dest_path)
        if event.event_type == events.EVENT_TYPE_MOVED:
            if source:
                self._on_event(source, "moved")
            if target:
                self._on_event(target, "moved_in")
        elif event.event_type in _KINDS:
            self._on_event(source, _KINDS[event.event_type])


def _end(observer: _Observer) -> None:
    """Stop an observer, even one whose start failed half-way, and wait for its threads."""
    observer.stop()
    if observer.is_alive():
        observer.join()
