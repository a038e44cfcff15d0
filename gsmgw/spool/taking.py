# SPDX-License-Identifier: Apache-2.0
"""The service that takes files out of `outgoing/` and hands their messages to intake.

Theory of operation: a file is claimed by renaming it to `checked/` (`X.1` if X is taken) and
fsyncing both folders; from then on it is ours to answer for. It is read, and one transaction stores
the file, what stood in it, and its messages. What is wrong with a file is stored in the same way,
and the results service puts the file into `failed/`. Many ready files share the fsyncs, some of
them the transaction. At the start every file in `checked/` that the store does not know as
unfinished was claimed just before a crash, and is read.

Threads and locks: one thread; others may wake it.

On failure: a file that makes our own code stumble is refused with that reason, alone. While the
store is busy or full, claimed files wait. Files that are no files, or that we may not read, stay
and are named once in the log.

Known limits: two daemons on one spool would take each other's files; the daemon's lock is there for
that.
"""

from __future__ import annotations

import itertools
import os
import stat
from pathlib import Path

from gsmgw import logs, watch
from gsmgw.clock import Clock
from gsmgw.config import Config
from gsmgw.gateway.hints import IDLE_S, Hints
from gsmgw.gateway.intake import Intake
from gsmgw.spool import files, layout, names, troubles
from gsmgw.spool.layout import Layout
from gsmgw.spool.readiness import Look, Readiness
from gsmgw.spool.recording import Claim, Recorder, Taken
from gsmgw.store import spool_files
from gsmgw.store.database import Database
from gsmgw.threads import StopToken

log = logs.get("spool")

SCAN_EVERY_S = float(watch.SCAN_EVERY_S)
#: Files that are claimed together and share two fsyncs.
TAKEN_AT_ONCE = 50
#: Of those so many share a transaction of some 4 ms: a modem that has an answer to write down waits
#: no longer.
RECORDED_AT_ONCE = 8
#: Between two pieces of a long list, for other writers: SQLite lets them look every 10 ms or so.
BREATH_S = 0.02
#: smsd leaves shorter files alone for ever; they are somebody's that is just begun.
SHORTEST_FILE = 8


class Taking:
    """Takes files. `step` blocks for some seconds at most, plus the disk."""

    name = "spool.taking"

    def __init__(
        self,
        config: Config,
        place: Layout,
        db: Database,
        intake: Intake,
        hints: Hints,
        clock: Clock,
    ) -> None:
        self._config = config
        self._place = place
        self._outgoing, self._checked = place.outgoing, place.checked
        self._db = db
        self._recorder = Recorder(config, place, db, intake, hints, clock)
        self._clock = clock
        self._watcher = watch.Watcher(place.outgoing)
        self._readiness = Readiness(config.spool.settle)
        self._troubles = troubles.Troubles("files to be taken", clock)
        self._unrecorded: list[Claim] = []
        self._long_lists: dict[Claim, Taken] = {}  # of which a piece is stored
        self._named: set[tuple[str, str]] = set()
        self._scan_at = 0.0

    def wake(self) -> None:
        """End a wait in `step`; any thread."""
        self._watcher.wake()

    def open(self) -> None:
        """Make the folders, begin to watch, read what a crash has left in `checked/`.

        Raises:
            GsmgwError: the spool cannot be used; the text says what to do.
        """
        self._place.make(self._config.spool.group)
        self._readiness = Readiness(self._config.spool.settle)
        self._watcher.start()
        self._scan_at = self._clock.monotonic()
        self._unrecorded, self._long_lists = self._orphans(), {}
        if self._unrecorded:
            self._sync()  # a kill may have come between the rename and this

    def step(self, stop: StopToken) -> None:
        """Wait for something to do, some seconds at most, and do it."""
        now = self._clock.monotonic()
        if now >= self._scan_at:
            self._scan(now)
        if not stop.is_set():
            self._gather(self._patience(now))
        self.take_ready()

    def close(self) -> None:
        """Stop watching and close the connection."""
        self._watcher.stop()
        self._db.close()

    # -- finding files ----------------------------------------------------------------------------

    def _patience(self, now: float) -> float:
        if self._to_record():
            return BREATH_S if self._long_lists else 0.0
        seconds = self._readiness.seconds_to_next(now)
        longest = 1.0 if self._troubles else IDLE_S
        return longest if seconds is None else min(seconds, longest)

    def _gather(self, seconds: float) -> None:
        """Take in events: wait for the first one, then all that are there."""
        for name, kind in self._watcher.wait(seconds):
            if kind == watch.LOST:
                self._scan_at = self._clock.monotonic()
            else:
                self._readiness.notice(name, kind, self._clock.monotonic())

    def _scan(self, now: float) -> None:
        """Look at the folder itself: events can be lost, and there are none of before the start."""
        self._scan_at = now + SCAN_EVERY_S
        if not self._place.is_whole():
            self._place.make(self._config.spool.group)
        if not self._watcher.is_alive():
            self._watcher.start()
        found = set(files.listing(self._outgoing))
        looks: list[tuple[int, str, Look]] = []
        for name in found:
            if names.is_ignored(name) or name + names.LOCK_SUFFIX in found:
                continue
            status = files.look(self._outgoing / name)
            if status is None or not self._is_worth_opening(name, status):
                continue
            looks.append((status.st_mtime_ns, name, _look(status)))
        for _, name, look in sorted(looks):
            self._readiness.found(name, look, now)

    def _is_worth_opening(self, name: str, status: os.stat_result) -> bool:
        if stat.S_ISDIR(status.st_mode):
            return False  # as smsd: directories are nobody's message
        if stat.S_ISREG(status.st_mode) and status.st_size < SHORTEST_FILE:
            self._name_once("spool.ignored", name, f"it is shorter than {SHORTEST_FILE} octets")
            return False
        return True

    # -- claiming ---------------------------------------------------------------------------------

    def take_ready(self) -> int:
        """Take what is ready, a batch; return how many files were claimed.

        Blocks for two fsyncs and a commit, if there is anything.
        """
        claims: list[Claim] = []
        for name in self._oldest_first(
            self._readiness.ready(self._clock.monotonic(), TAKEN_AT_ONCE)
        ):
            claim = self._claim(name, {claim.name for claim in claims})
            if claim is not None:
                claims.append(claim)
        if claims:
            self._unrecorded += claims
            self._sync()
        self._record_left_over()
        return len(claims)

    def _sync(self) -> None:
        """Put renames on disk: a file that came back with power would be sent a second time."""
        files.sync(self._checked)
        files.sync(self._outgoing)

    def _oldest_first(self, ready: list[str]) -> list[str]:
        if len(ready) < 2:
            return ready
        looks = ((files.look(self._outgoing / name), name) for name in ready)
        return [
            name
            for _, name in sorted(
                (status.st_mtime_ns if status is not None else 0, name) for status, name in looks
            )
        ]

    def _claim(self, name: str, taken: set[str]) -> Claim | None:
        """Rename a file to `checked/`, unless it is not for us, not complete, or not readable."""
        path = self._outgoing / name
        if files.look(Path(f"{path}{names.LOCK_SUFFIX}")) is not None:
            self._readiness.forget(name)  # its producer lets go of it later; that is an event
            return None
        try:
            status = files.check_readable(path)
            if not self._readiness.is_steady(name, _look(status), self._clock.monotonic()):
                return None
            self._readiness.forget(name)
            return None if status.st_size < SHORTEST_FILE else self._move(path, taken)
        except FileNotFoundError:
            self._readiness.forget(name)
        except files.NotRegularError as error:
            self._readiness.forget(name)
            self._name_once("spool.ignored", name, f"it is {error.kind}, not a file")
        except PermissionError as error:
            self._readiness.forget(name)
            self._tell_unreadable(name, path, error)
        return None

    def _move(self, path: Path, taken: set[str]) -> Claim | None:
        target = layout.free_name(self._checked, path.name, taken=taken)
        while spool_files.get_open(self._db, names.to_text(target)) is not None:
            # Its file has just been put away, and the store is about to hear of it.
            taken = taken | {target}
            target = layout.free_name(self._checked, path.name, taken=taken)
        try:
            files.move(path, self._checked / target)
        except FileNotFoundError:
            return None  # its producer took it back
        except OSError as error:  # sticky, immutable, read-only: the next scan tries again
            self._name_once(
                "spool.unreadable", path.name, f"cannot be moved to checked/: {error.strerror}"
            )
            return None
        return Claim(target, path.name)

    def _tell_unreadable(self, name: str, path: Path, error: OSError) -> None:
        status = files.look(path)
        if status is None:
            return
        self._name_once(
            "spool.unreadable",
            name,
            f"{error.strerror}: owner {self._recorder.owner(status.st_uid)},"
            f" mode {stat.S_IMODE(status.st_mode):o}; let the group read it (chmod g+r)",
        )

    def _name_once(self, event: str, name: str, why: str) -> None:
        if (name, why) in self._named:
            return
        if len(self._named) >= 1000:
            self._named.clear()
        self._named.add((name, why))
        if event == "spool.unreadable":
            log.warning("spool.unreadable", file=names.shown(name), why=why)
        else:
            log.warning("spool.ignored", file=names.shown(name), why=why)

    # -- recording --------------------------------------------------------------------------------

    def _orphans(self) -> list[Claim]:
        """Return the files in `checked/` that were not recorded, or not all of them, at a crash."""
        known = {
            names.from_text(row["name"])
            for row in spool_files.unfinished(self._db)
            if row["format"] != "json" or row["folder"] is not None
        }
        found: list[tuple[int, str]] = []
        for name in files.listing(self._checked):
            status = files.look(self._checked / name)
            if name in known or names.is_ignored(name) or status is None:
                continue
            if stat.S_ISREG(status.st_mode):
                found.append((status.st_mtime_ns, name))
            else:
                self._name_once("spool.ignored", name, "it is no file, in checked/")
        return [Claim(name, name) for _, name in sorted(found)]

    def _to_record(self) -> list[Claim]:
        """Return claims to be stored now."""
        if not self._unrecorded or self._troubles.is_paused("store"):
            return []
        waiting = (claim for claim in self._unrecorded if not self._troubles.is_paused(claim))
        batch = list(itertools.islice(waiting, RECORDED_AT_ONCE))
        return sorted(batch, key=lambda claim: claim in self._long_lists)

    def _record_left_over(self) -> None:
        """Read and store what is claimed; what the disk or the store cannot do now waits."""
        while batch := self._to_record():
            taken = [one for claim in batch if (one := self._read(claim)) is not None]
            try:
                complete = self._recorder.record(taken)
            except troubles.PASSING as error:
                self._troubles.failed("store", error)
                return
            self._troubles.ended("store")
            for claim in complete:
                self._troubles.ended(claim)
                self._unrecorded.remove(claim)
            self._long_lists = {
                one.claim: one for one in taken if one.claim in set(self._unrecorded)
            }
            if self._long_lists:
                return  # others may write now, and newer files come in between

    def _read(self, claim: Claim) -> Taken | None:
        """Read a claimed file; None if the disk cannot now."""
        if claim in self._long_lists:
            return self._long_lists[claim]
        try:
            return self._recorder.read(claim)
        except OSError as error:
            self._troubles.failed(claim, error)
            return None


def _look(status: os.stat_result) -> Look:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
