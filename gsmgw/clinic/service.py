# SPDX-License-Identifier: Apache-2.0
"""The service "clinic": reads answers, says what is due, follows what became of it, keeps hours.

Theory of operation: a step waits for a hint or a second, then works in turns, answers first, a
short transaction each, until nothing is left or a step has lasted long enough; the next one goes
on. The wall time is asked anew in every turn and no moment is kept: a clock that jumps is noticed
within a second, and while it is suspect nothing falls due.

On failure: a database that is locked or full is tried again a second later.
"""

from __future__ import annotations

from gsmgw import logs
from gsmgw.clinic import lengths
from gsmgw.clinic.answering import Answering
from gsmgw.clinic.booking import Booking
from gsmgw.clinic.calendar import Calendar
from gsmgw.clinic.reading import ReplyReader
from gsmgw.clinic.saying import Fates, Saying
from gsmgw.clinic.wording import Wording
from gsmgw.clinic.work import Work
from gsmgw.clock import Clock, JumpWatch
from gsmgw.config import Config
from gsmgw.errors import StoreBusyError, StoreFullError
from gsmgw.gateway.hints import Hints
from gsmgw.gateway.intake import Intake
from gsmgw.gateway.trust import ClockTrust
from gsmgw.store.database import Database
from gsmgw.threads import StopToken

log = logs.get("clinic")

#: Without a hint we look this often.
IDLE_S = 1.0
#: A step ends after so long, so that the daemon can stop at once.
LONGEST_STEP_S = 0.5
#: Between two transactions: other software gets to write only if it looks while nobody does.
GAP_S = 0.001
#: Doses are planned a day ahead; looked at this often.
DOSES_S = 30.0
#: Plans are made to agree with the configuration at the start: so many visits a piece at most.
REPLANNED_AT_ONCE = 40


class ClinicService:
    """Service: the clinic's day."""

    name = "clinic"

    def __init__(
        self,
        config: Config,
        db: Database,
        hints: Hints,
        intake: Intake,
        trust: ClockTrust,
        clock: Clock,
    ) -> None:
        """Build all that a clinic needs. Blocks for the reading of texts and words.

        Raises:
            ConfigError: texts, words or phones of staff are wrong.
        """
        self._db = db
        self._hints = hints
        self._trust = trust
        self._clock = clock
        calendar, wording = Calendar(config), Wording(config)
        self._work = Work(config, calendar)
        self._booking = Booking(config, calendar, self._work)
        self._answering = Answering(
            config,
            db,
            calendar=calendar,
            wording=wording,
            work=self._work,
            planner=self._booking,
            reader=ReplyReader(config.replies.words),
        )
        self._saying = Saying(config, db, intake, calendar, wording, self._work, clock, trust)
        self._fates = Fates(db, self._work, clock, trust)
        self._time = JumpWatch(clock)
        self._doses_at = clock.monotonic()
        self._doses_behind: int | None = None
        self._replan_behind: str | None = ""

    def open(self) -> None:
        """Find out how far answers were read."""
        self._answering.open()
        self._replan_behind = ""

    def step(self, stop: StopToken) -> None:
        """Wait for a hint or a second, then do what is there to be done."""
        if not stop.is_set():
            self._hints.clinic.wait(IDLE_S)
        try:
            self._rounds(stop)
        except (StoreBusyError, StoreFullError) as error:
            log.warning("store.unavailable", doing="clinic", why=str(error))

    def _rounds(self, stop: StopToken) -> None:
        ends = self._clock.monotonic() + LONGEST_STEP_S
        while self.work():
            if stop.is_set() or self._clock.monotonic() >= ends:
                self._hints.clinic.set()  # there is more
                return
            stop.wait(GAP_S)

    def work(self) -> int:
        """Do a little of everything that is due; return how much was done.

        Blocks for some short commits.
        """
        done = self._answering.step()
        said = self._saying.step()
        if said:
            self._hints.due()
            done += said
        else:  # the rest can wait until all is said
            done += self._fates.step() + self._slow_duties()
        if done:
            self._hints.clinic_out.set()
        return done

    def _slow_duties(self) -> int:
        """Do what only time brings about, while time can be believed."""
        if self._trust.is_suspect:
            return 0
        return self._work.digests(self._db) + self._replan() + self._doses()

    def _doses(self) -> int:
        """Look after some regimens; return 1 while there are more."""
        if self._time.has_jumped():
            self._doses_at = self._clock.monotonic()  # it may be another day
        if self._doses_behind is None:
            if self._clock.monotonic() < self._doses_at:
                return 0
            self._doses_at = self._clock.monotonic() + DOSES_S
            if not self._booking.has_doses(self._db):
                return 0
        behind = self._doses_behind or 0
        # It would all be planned again after a loss of power, as would what is planned anew below.
        with self._db.pace.piece() as piece, self._db.write(synced=False) as tx:
            now = self._clock.now()
            found = self._booking.dose_round(tx, now, behind, piece.is_over)
        self._doses_behind = found
        return 0 if found is None else 1

    def _replan(self) -> int:
        """Bring plans in line with the configuration, which may be another one since the start."""
        if self._replan_behind is None:
            return 0
        with self._db.pace.piece() as piece, self._db.write(synced=False) as tx:
            behind = self._booking.replan_round(
                tx, self._replan_behind, REPLANNED_AT_ONCE, piece.is_over
            )
        self._replan_behind = behind  # not before it is on disk
        return 0 if self._replan_behind is None else 1

    def close(self) -> None:
        """Close this thread's connection."""
        self._db.close()


def check(config: Config) -> list[str]:
    """Check what a configuration says of a clinic beyond its own file; return what is unwise.

    Blocks for the reading of texts and words.

    Raises:
        ConfigError: texts, words or phones of staff are wrong; `problems` names each mistake.
    """
    if config.clinic is None:
        return []
    wording = Wording(config)
    Work(config, Calendar(config))
    if config.replies.words is not None:
        ReplyReader(config.replies.words)
    return lengths.remarks(config, wording)
