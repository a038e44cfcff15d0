# SPDX-License-Identifier: Apache-2.0
"""Service: takes files from clinic/in, has them applied, and tells what became of each.

Theory of operation: the rename `in/X` to `done/YYYYMMDD-X` is the claim; then a row in
`import_file`, then its rows in pieces, then the acknowledgement, and only then the row is finished.
A file in done/ that the store does not know was claimed just before a crash, and is read. The
folder is looked at, not watched: a table a day, or a message a second, needs no more.

On failure: what disk or store cannot do now is tried again at the next look; nothing is lost.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from gsmgw import logs
from gsmgw.clinic.booking import Booking
from gsmgw.clinic.calendar import Calendar
from gsmgw.clinic.interchange import hl7_acks
from gsmgw.clinic.work import Work
from gsmgw.clock import Clock, JumpWatch
from gsmgw.config import Config
from gsmgw.gateway.hints import Hints
from gsmgw.spool import files, layout, names, troubles
from gsmgw.spool.clinic import acks
from gsmgw.spool.clinic.importing import LONGEST_S, Importing, Outcome
from gsmgw.spool.clinic.places import Places
from gsmgw.store.clinic import imports
from gsmgw.store.database import Database, Row
from gsmgw.threads import StopToken, Wake

log = logs.get("clinic")

#: How often clinic/in is looked at, in seconds.
LOOK_S = 0.5
#: Some fifty thousand visits.
LONGEST_FILE = 20 * 1024 * 1024
#: Files in done/ are kept so long.
KEPT = dt.timedelta(days=14)
#: How often old files are looked for, in seconds.
SWEEP_EVERY_S = 3600.0

_DAY = re.compile(r"(\d{8})-")
#: What `free_name` adds to a name that is there already.
_AGAIN = re.compile(r"(\.(?:csv|txt|json|hl7))\.\d+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Look:
    """How a file stood at a look: it is complete once it has stood so for `spool.settle`."""

    inode: int
    size: int
    changed_ns: int
    since: float


class ClinicTaking:
    """The clinic's door for files."""

    name = "clinic.files"

    def __init__(self, config: Config, db: Database, hints: Hints, clock: Clock) -> None:
        self._config = config
        self._db = db
        self._hints = hints
        self._clock = clock
        self._places = Places(config.spool.path)
        calendar = Calendar(config)
        booking = Booking(config, calendar, Work(config, calendar))
        self._importing = Importing(config, db, booking)
        self._troubles = troubles.Troubles("files of the clinic", clock)
        self._looks: dict[str, _Look] = {}
        self._told: set[tuple[str, str]] = set()
        self._time = JumpWatch(clock)
        self._sweep_at = 0.0
        self._is_claim_open = False  # a file may lie in done/ that the store does not know
        self._wake = Wake()

    def wake(self) -> None:
        """End a wait in `step`; any thread."""
        self._wake.set()

    def open(self) -> None:
        """Make the folders and remember what a crash has left in done/.

        Raises:
            GsmgwError: a folder cannot be used; the text says what to do.
        """
        self._places.make(self._config.spool.group)
        self._looks, self._sweep_at = {}, self._clock.monotonic()
        self._adopt()

    def step(self, stop: StopToken) -> None:
        """Look into the folder, half a second at most, and take what is there."""
        if not stop.is_set():
            self._wake.wait(LOOK_S)
        self.take(stop)

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def take(self, stop: StopToken | None = None) -> int:
        """Claim what is complete and apply what is claimed; return how many files were finished.

        Blocks for the disk, half a minute or so at most; once `stop` is set it ends soon.
        """
        stop = stop or StopToken()
        if self._troubles.is_paused("disk"):
            return 0
        try:
            if self._is_claim_open:
                self._adopt()
            for name in self._complete():
                self._claim(name)
            finished = self._finish_some(stop)
            self._sweep()
        except (OSError, *troubles.PASSING) as error:
            self._troubles.failed("disk", error)
            return 0
        self._troubles.ended("disk")
        return finished

    # -- claiming ---------------------------------------------------------------------------------

    def _adopt(self) -> None:
        """Remember the files in done/ that were claimed just before a crash, or a full disk."""
        for name in sorted(files.listing(self._places.done)):
            if names.is_ignored(name) or imports.known(self._db, names.to_text(name)) is not None:
                continue
            original = _AGAIN.sub(r"\1", _DAY.sub("", name, count=1))
            with self._db.write() as tx:
                imports.begin(tx, names.to_text(original), names.to_text(name))
        self._is_claim_open = False

    def _complete(self) -> list[str]:
        """Return the files that nobody has written to since `spool.settle`, the oldest first."""
        now, found = self._clock.monotonic(), set(files.listing(self._places.inside))
        looks: dict[str, _Look] = {}
        ready: list[tuple[int, str]] = []
        for name in found:
            if names.is_ignored(name) or name + names.LOCK_SUFFIX in found:
                continue
            status = files.look(self._places.inside / name)
            if status is None:
                continue
            if not stat.S_ISREG(status.st_mode):
                self._tell_once(name, "it is no regular file; copy the file itself here")
                continue
            look = self._look(name, status, now)
            looks[name] = look
            if now - look.since >= self._config.spool.settle:
                ready.append((status.st_mtime_ns, name))
        self._looks = looks
        return [name for _, name in sorted(ready)]

    def _look(self, name: str, status: os.stat_result, now: float) -> _Look:
        before = self._looks.get(name)
        facts = (status.st_ino, status.st_size, status.st_mtime_ns)
        if before is not None and (before.inode, before.size, before.changed_ns) == facts:
            return before
        return _Look(*facts, since=now)

    def _claim(self, name: str) -> None:
        path = self._places.inside / name
        try:
            files.check_readable(path)
        except FileNotFoundError:
            return
        except (PermissionError, files.NotRegularError) as error:
            self._tell_once(name, f"{error.strerror or error}; let the group read it (chmod g+r)")
            return
        day = self._clock.now().astimezone(self._config.zone)
        stem, dot, ending = name.rpartition(".")
        # A name as long as names can be loses letters before its ending.
        wished = names.with_suffix(f"{day:%Y%m%d}-{stem}", f"{dot}{ending}")
        target = layout.free_name(self._places.done, wished, taken=set())
        files.move(path, self._places.done / target)
        self._is_claim_open = True
        files.sync(self._places.done)
        files.sync(self._places.inside)
        with self._db.write() as tx:
            imports.begin(tx, names.to_text(name), names.to_text(target))
        self._is_claim_open = False

    def _tell_once(self, name: str, why: str) -> None:
        if (name, why) not in self._told:
            self._told.add((name, why))
            log.warning("clinic.file_unreadable", file=names.shown(name), why=why)

    # -- applying ---------------------------------------------------------------------------------

    def _finish_some(self, stop: StopToken) -> int:
        """Finish files in order, behind a long one none; return how many."""
        ends, finished = self._clock.monotonic() + LONGEST_S, 0
        for row in imports.unfinished(self._db):
            finished += self._try_finish(row, stop)
            if stop.is_set() or self._clock.monotonic() >= ends:
                break
        return finished

    def _try_finish(self, row: Row, stop: StopToken) -> bool:
        """Finish a file, unless the disk cannot do it now; the other files go on."""
        key = int(row["id"])
        if self._troubles.is_paused(key):
            return False
        try:
            is_finished = self._finish(row, stop)
        except OSError as error:
            self._troubles.failed(key, error)
            return False
        self._troubles.ended(key)
        return is_finished

    def _finish(self, row: Row, stop: StopToken) -> bool:
        """Apply a claimed file and acknowledge it; False if some of it is left."""
        claimed = self._places.done / names.from_text(row["done_name"])
        outcome = self._apply(row, claimed, stop)
        if not outcome.is_whole:
            return False
        self._acknowledge(row, outcome)
        if outcome.unreadable is not None or not outcome.progress.accepted:
            self._put_into_failed(row, claimed, outcome)
        else:
            self._keep_refused_messages(row, outcome)
        with self._db.write() as tx:
            imports.finish(tx, row["id"])
        self._tell(row, outcome)
        self._hints.clinic.set()
        self._hints.clinic_out.set()
        return True

    def _apply(self, row: Row, claimed: Path, stop: StopToken) -> Outcome:
        progress = imports.progress_of(row)
        try:
            content, status = files.read(claimed, LONGEST_FILE)
        except FileNotFoundError:
            return Outcome(progress, None, "somebody has removed it from clinic/done")
        if status.st_size > LONGEST_FILE:
            return Outcome(progress, None, f"it is longer than {LONGEST_FILE // 1024**2} MB")
        return self._importing.apply(row, content, stop)

    def _acknowledge(self, row: Row, outcome: Outcome) -> None:
        name = names.from_text(row["name"])
        replies = _replies(outcome)
        if outcome.unreadable is not None and name.casefold().endswith(".hl7"):
            replies = [("AE", outcome.unreadable, hl7_acks.NO_HEAD)]
        if replies:
            now = self._clock.now().astimezone(self._config.zone)
            texts = (
                hl7_acks.ack(head, code, why, now, f"G{row['id']:04d}-{number}")
                for number, (code, why, head) in enumerate(replies, 1)
            )
            content = "".join(texts).encode("utf-8", "replace")
            acks.write(self._places, f"ack-{row['id']}.hl7", name, content)
        document = acks.document(name, outcome.progress, outcome.unreadable)
        json_name = names.with_suffix(name, ".json")
        acks.write(self._places, f"ack-{row['id']}", json_name, acks.as_bytes(document))

    def _put_into_failed(self, row: Row, claimed: Path, outcome: Outcome) -> None:
        name = names.from_text(row["name"])
        words = acks.explain(name, outcome.progress, outcome.unreadable)
        target = self._places.failed / names.with_suffix(name, ".err")
        acks.place(self._places, f"err-{row['id']}", target, words.encode("utf-8", "replace"))
        if files.look(claimed) is not None:
            files.move(claimed, self._places.failed / name)
        files.sync(self._places.failed)
        files.sync(self._places.done)

    def _keep_refused_messages(self, row: Row, outcome: Outcome) -> None:
        """Copy the messages of an HL7 file that were refused, with the reasons, to failed/."""
        if outcome.parsed is None or outcome.parsed.kind != "hl7" or not outcome.progress.errors:
            return
        name = names.from_text(row["name"])
        refused = {error["row"] for error in outcome.progress.errors}
        messages = [found.raw for found in outcome.parsed.rows if found.number in refused]
        words = acks.explain(name, outcome.progress, None)
        err_name = names.with_suffix(name, ".err")
        for target, text in ((name, "".join(messages)), (err_name, words)):
            content = text.encode("utf-8", "replace")
            acks.place(self._places, f"err-{row['id']}", self._places.failed / target, content)
        files.sync(self._places.failed)

    def _tell(self, row: Row, outcome: Outcome) -> None:
        progress, name = outcome.progress, names.shown(names.from_text(row["name"]))
        if outcome.unreadable is not None:
            log.warning("clinic.file_refused", file=name, why=logs.masked(outcome.unreadable))
        elif progress.refused:
            log.warning(
                "clinic.rows_refused",
                file=name,
                accepted=progress.accepted,
                refused=progress.refused,
            )
        else:
            log.info(
                "clinic.file_taken",
                routine="clinic files",
                file=name,
                accepted=progress.accepted,
                requests=progress.requests,
            )

    # -- old files --------------------------------------------------------------------------------

    def _sweep(self) -> None:
        """Remove files that were taken long ago; their names say when."""
        if not self._time.has_jumped() and self._clock.monotonic() < self._sweep_at:
            return
        self._sweep_at = self._clock.monotonic() + SWEEP_EVERY_S
        oldest = f"{self._clock.now().astimezone(self._config.zone) - KEPT:%Y%m%d}"
        gone = False
        for name in files.listing(self._places.done):
            match = _DAY.match(name)
            if match is not None and match[1] < oldest:
                known = imports.known(self._db, names.to_text(name))
                if known is not None and known["finished_at"] is not None:
                    files.remove(self._places.done / name)
                    gone = True
        if gone:
            files.sync(self._places.done)


def _replies(outcome: Outcome) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return what each HL7 message of a file is told: code, words, and its head."""
    if outcome.parsed is None:
        return []
    refused = {place: (code, why) for place, code, why in outcome.progress.acks}
    return [
        (*refused.get(place, (hl7_acks.ACCEPTED, "")), row.ack_head)
        for place, row in enumerate(outcome.parsed.rows)
        if row.ack_head
    ]
