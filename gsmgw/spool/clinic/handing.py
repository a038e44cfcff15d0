# SPDX-License-Identifier: Apache-2.0
"""Service: hands answers back as files, and keeps the lists that people open.

Theory of operation: a file for an answer is written in .tmp and synced, the answer is marked, and
then the file is renamed: a marked answer whose file still lies in .tmp was not renamed before a
crash, any other was. So a program that takes its files away gets each once. A list is made anew
when something has changed, replaced whole, and only if it differs from what lies there. Making the
lists takes at most a twentieth of the time.

On failure: what the disk cannot take now stays owed and is tried again; the log hears of it once.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gsmgw.clinic.handing import answers, figures
from gsmgw.clinic.handing.lists import Lists
from gsmgw.clock import Clock, JumpWatch
from gsmgw.config import Config
from gsmgw.gateway.hints import Hints
from gsmgw.spool import files, troubles
from gsmgw.spool.clinic.places import Places
from gsmgw.store.clinic import counts, lists
from gsmgw.store.database import Database
from gsmgw.threads import StopToken

#: Without a hint everything is looked at this often, in seconds.
IDLE_S = 2.0
REFRESH_S = 30.0
FIGURES_S = 60.0
#: ... and where something has happened, after so long.
FIGURES_SOON_S = 10.0
#: Days are counted that nobody has counted yet: of an outage, this many at most.
UNCOUNTED = dt.timedelta(days=7)
#: Lists are made again after at least so many times the time that making them took.
PAUSE_FACTOR = 20
#: Files of answers that share a sync and a commit.
ANSWERS_AT_ONCE = 50
#: How an answer's file is called in .tmp.
_ASIDE = "answer-"


@dataclass(frozen=True, slots=True)
class _Written:
    """A list as we left it; as soon as anything differs, somebody has taken or changed it."""

    digest: bytes
    inode: int
    size: int
    changed_ns: int


class ClinicHanding:
    """The clinic's door for what goes out."""

    name = "clinic.lists"

    def __init__(self, config: Config, db: Database, hints: Hints, clock: Clock) -> None:
        self._config = config
        self._db = db
        self._hints = hints
        self._clock = clock
        self._places = Places(config.spool.path)
        self._lists = Lists(config, db)
        self._troubles = troubles.Troubles("answers and lists of the clinic", clock)
        self._written: dict[Path, _Written] = {}
        self._is_unsure = True  #: whether marked answers may still lie in .tmp
        self._lists_at = self._figures_at = self._figures_soon_at = 0.0
        self._is_changed = self._is_uncounted = True
        self._counted: dt.date | None = None  #: the newest day whose figures are written
        self._time = JumpWatch(clock)

    def wake(self) -> None:
        """End a wait in `step`; any thread."""
        self._hints.clinic_out.set()

    def open(self) -> None:
        """Make the folders.

        Raises:
            GsmgwError: a folder cannot be used; the text says what to do.
        """
        self._places.make(self._config.spool.group)
        self._written, self._is_changed, self._is_unsure = {}, True, True
        self._lists_at = self._figures_at = self._figures_soon_at = self._clock.monotonic()

    def step(self, stop: StopToken) -> None:
        """Wait for a hint or two seconds, then write what is owed."""
        if not stop.is_set() and self._hints.clinic_out.wait(self._patience()):
            self._is_changed = True
        self.hand_over()

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def hand_over(self) -> int:
        """Write what is owed; return how many answers were handed over. Blocks for the disk."""
        if self._troubles.is_paused(troubles.STORE):
            return 0
        try:
            handed = self._hand_answers()
            self._is_changed = self._time.has_jumped() or self._is_changed or bool(handed)
            self._is_uncounted = self._is_uncounted or self._is_changed
            now = self._clock.monotonic()
            if now >= self._lists_at and (self._is_changed or now >= self._lists_at + REFRESH_S):
                self._write_lists(now)
            if now >= (self._figures_soon_at if self._is_uncounted else self._figures_at):
                self._figures_at = now + FIGURES_S
                self._write_figures(now)
        except troubles.PASSING as error:
            self._troubles.failed(troubles.STORE, error)
            return 0
        self._troubles.ended(troubles.STORE)
        return handed

    def _patience(self) -> float:
        if self._is_changed:
            return min(IDLE_S, max(0.0, self._lists_at - self._clock.monotonic()))
        return IDLE_S

    # -- answers ----------------------------------------------------------------------------------

    def _hand_answers(self) -> int:
        """Hand over what is owed; return how many answers were."""
        key = self._places.replies
        if self._troubles.is_paused(key):
            return 0
        try:
            handed = self._answers()
        except OSError as error:
            self._troubles.failed(key, error)
            return 0
        self._troubles.ended(key)
        return handed

    def _answers(self) -> int:
        handed = self._move_marked() if self._is_unsure else 0
        while rows := lists.owed_answers(self._db, ANSWERS_AT_ONCE):
            for row in rows:
                content = answers.document(row, self._config.exports.format, self._config.zone)
                files.write(self._tmp / f"{_ASIDE}{row['id']}", content)
            files.sync(self._tmp)
            self._is_unsure = True
            with self._db.write() as tx:
                lists.handed_over(tx, [row["id"] for row in rows])
            handed += self._move([row["id"] for row in rows])
            self._is_unsure = False
        return handed

    def _move_marked(self) -> int:
        """Move the files of answers that were marked and not moved before a crash."""
        found = [name.removeprefix(_ASIDE) for name in files.listing(self._tmp)
                 if name.startswith(_ASIDE)]  # fmt: skip
        numbers = [int(number) for number in found if number.isdigit()]
        handed = self._move(sorted(lists.marked(self._db, numbers)))
        self._is_unsure = False
        return handed

    def _move(self, numbers: Sequence[int]) -> int:
        for number in numbers:
            files.move(self._tmp / f"{_ASIDE}{number}", self._places.replies / answers.name(number))
        if numbers:
            files.sync(self._places.replies)
        return len(numbers)

    @property
    def _tmp(self) -> Path:
        return self._places.spool / ".tmp"

    # -- lists ------------------------------------------------------------------------------------

    def _write_lists(self, began_at: float) -> None:
        now, is_whole = self._clock.now(), True
        for name, make in (
            ("replies.csv", self._lists.replies),
            ("tasks.csv", self._lists.tasks),
            ("calls.csv", self._lists.calls),
            ("unreachable.csv", self._lists.unreachable),
        ):
            is_whole = self._replace(self._places.out / name, make(now)) and is_whole
        self._is_changed = not is_whole
        took = self._clock.monotonic() - began_at
        pause_s = PAUSE_FACTOR * took
        if not is_whole:
            pause_s = max(pause_s, troubles.FIRST_PAUSE_S)
        self._lists_at = self._clock.monotonic() + pause_s

    def _write_figures(self, began_at: float) -> None:
        """Write the figures of today, and of yesterday, whose last reports come today.

        After an outage those of the day on which it began are made up for.
        """
        zone = self._config.zone
        today = self._clock.now().astimezone(zone).date()
        self._is_uncounted = False
        for day in self._uncounted(today):
            price = self._config.reminders.budget.segment_price
            found = figures.of_day(self._db, day, zone, price)
            known = counts.figures_of(self._db, day.isoformat())
            changed = {key: value for key, value in found.items() if known.get(key) != value}
            if changed:
                with self._db.write() as tx:
                    counts.keep(tx, day.isoformat(), changed)
            first = day.replace(day=1).isoformat()
            of_day = counts.kept(self._db, day.isoformat(), day.isoformat())
            of_month = counts.kept(self._db, first, day.isoformat())
            if of_day:
                self._replace_figures(f"{day}.csv", figures.document(of_day, day=str(day)))
            if of_month:
                month = f"{day:%Y-%m}"
                self._replace_figures(f"{month}.csv", figures.document(of_month, day=month))

        self._counted = today
        took = self._clock.monotonic() - began_at
        self._figures_soon_at = self._clock.monotonic() + max(FIGURES_SOON_S, PAUSE_FACTOR * took)

    def _uncounted(self, today: dt.date) -> list[dt.date]:
        if self._counted is None:
            newest = counts.newest_day(self._db)
            self._counted = None if newest is None else dt.date.fromisoformat(newest)
        first = min(today - dt.timedelta(days=1), self._counted or today)
        first = max(first, today - UNCOUNTED)
        return [first + dt.timedelta(days=ago) for ago in range((today - first).days + 1)]

    def _replace_figures(self, name: str, content: bytes) -> None:
        self._replace(self._places.stats / name, content)

    def _replace(self, path: Path, content: bytes) -> bool:
        """Replace a list whole, if it is not as we left it; tell whether it is as it should be."""
        digest = hashlib.sha256(content).digest()
        found = self._found(path, digest)
        if found is not None and self._written.get(path) == found:
            return True
        if self._troubles.is_paused(path):
            return False
        if not self._troubles.attempt(path, lambda: self._put(path, content)):
            return False
        self._troubles.ended(path)
        found = self._found(path, digest)
        if found is not None:
            self._written[path] = found
        return True

    def _put(self, path: Path, content: bytes) -> None:
        aside = self._tmp / f"list-{path.name}"
        files.write(aside, content)
        files.move(aside, path)
        files.sync(path.parent)

    def _found(self, path: Path, digest: bytes) -> _Written | None:
        status = files.look(path)
        if status is None:
            return None
        return _Written(digest, status.st_ino, status.st_size, status.st_mtime_ns)
