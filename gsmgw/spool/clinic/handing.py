# SPDX-License-Identifier: Apache-2.0
"""Service: hands answers back as files, and keeps the lists that people open.

Theory of operation: a file for an answer is written in .tmp, renamed, its folder synced, and only
then is the answer marked: a crash between the two writes the same file under the same name again.
A list is made anew when something has changed, replaced whole, and only if it differs. Making the
lists takes at most a twentieth of the time.

On failure: what the disk cannot take now stays owed and is tried again; the log hears of it once.
"""

from __future__ import annotations

import datetime as dt
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
#: Lists are made again after at least so many times the time that making them took.
PAUSE_FACTOR = 20
#: Files of answers that share a sync and a commit.
ANSWERS_AT_ONCE = 50


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
        self._written: dict[Path, bytes] = {}
        self._lists_at = self._figures_at = 0.0
        self._is_changed = True
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
        self._written, self._is_changed = {}, True
        self._lists_at = self._figures_at = self._clock.monotonic()

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
        if self._troubles.is_paused("disk"):
            return 0
        try:
            handed = self._answers()
            self._is_changed = self._is_changed or bool(handed) or self._time.has_jumped()
            now = self._clock.monotonic()
            if now >= self._lists_at and (self._is_changed or now >= self._lists_at + REFRESH_S):
                self._write_lists(now)
            if now >= self._figures_at:
                self._figures_at = now + FIGURES_S
                self._write_figures()
        except (OSError, *troubles.PASSING) as error:
            self._troubles.failed("disk", error)
            return 0
        self._troubles.ended("disk")
        return handed

    def _patience(self) -> float:
        if self._is_changed:
            return min(IDLE_S, max(0.0, self._lists_at - self._clock.monotonic()))
        return IDLE_S

    # -- answers ----------------------------------------------------------------------------------

    def _answers(self) -> int:
        handed = 0
        while rows := lists.owed_answers(self._db, ANSWERS_AT_ONCE):
            for row in rows:
                content = answers.document(row, self._config.exports.format, self._config.zone)
                aside = self._places.spool / ".tmp" / f"answer-{row['id']}"
                files.write(aside, content)
                files.move(aside, self._places.replies / answers.name(row))
            files.sync(self._places.replies)
            with self._db.write() as tx:
                lists.handed_over(tx, [row["id"] for row in rows])
            handed += len(rows)
        return handed

    # -- lists ------------------------------------------------------------------------------------

    def _write_lists(self, began_at: float) -> None:
        self._is_changed = False
        now = self._clock.now()
        for name, make in (
            ("replies.csv", self._lists.replies),
            ("tasks.csv", self._lists.tasks),
            ("calls.csv", self._lists.calls),
            ("unreachable.csv", self._lists.unreachable),
        ):
            self._replace(self._places.out / name, make(now))
        took = self._clock.monotonic() - began_at
        self._lists_at = self._clock.monotonic() + PAUSE_FACTOR * took

    def _write_figures(self) -> None:
        """Write the figures of today and of yesterday, whose last reports come today."""
        zone = self._config.zone
        today = self._clock.now().astimezone(zone).date()
        for day in (today - dt.timedelta(days=1), today):
            price = self._config.reminders.budget.segment_price
            found = figures.of_day(self._db, day, zone, price)
            if found:
                with self._db.write() as tx:
                    counts.keep(tx, day.isoformat(), found)
            first = day.replace(day=1).isoformat()
            of_day = counts.kept(self._db, day.isoformat(), day.isoformat())
            of_month = counts.kept(self._db, first, day.isoformat())
            if of_day:
                self._replace_figures(f"{day}.csv", figures.document(of_day, day=str(day)))
            if of_month:
                month = f"{day:%Y-%m}"
                self._replace_figures(f"{month}.csv", figures.document(of_month, day=month))

    def _replace_figures(self, name: str, content: bytes) -> None:
        self._replace(self._places.stats / name, content)

    def _replace(self, path: Path, content: bytes) -> None:
        """Replace a list whole, if it differs or somebody has taken it away."""
        if self._written.get(path) == content and files.look(path) is not None:
            return
        aside = self._places.spool / ".tmp" / f"list-{path.name}"
        files.write(aside, content)
        files.move(aside, path)
        files.sync(path.parent)
        self._written[path] = content
