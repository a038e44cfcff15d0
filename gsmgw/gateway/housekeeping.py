# SPDX-License-Identifier: Apache-2.0
"""What must happen although nothing happens: expiry, doubts that nobody can settle, retention.

Theory of operation: one step every five seconds. Each duty is one indexed query that finds
nothing most of the time; a transaction is begun only when there is something to write.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import itertools
from pathlib import Path

from gsmgw import logs
from gsmgw.clock import Clock, JumpWatch, format_utc
from gsmgw.config import Config
from gsmgw.errors import StoreBusyError, StoreDamagedError, StoreError, StoreFullError
from gsmgw.gateway import routing
from gsmgw.gateway.dispatcher import Dispatcher
from gsmgw.gateway.hints import Hints
from gsmgw.gateway.outcomes import counting, endings, settling
from gsmgw.gateway.trust import ClockTrust
from gsmgw.model import Category, ErrorFamily, MessageState, PartState
from gsmgw.store import backup, entry, events, outbox, tries, upkeep
from gsmgw.store.clinic import erasing
from gsmgw.store.database import Database, Row, Transaction
from gsmgw.store.outbox import PartChange
from gsmgw.threads import StopToken

log = logs.get("gateway")

STEP_S = 5.0
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
#: Retention and the size of the write-ahead log are looked at this often.
SLOW_DUTIES_S = 600.0
#: ... and so long after the clock was set: one that is set wrongly is put right soon.
AFTER_JUMP_S = 15.0
#: Rows handled in one transaction.
AT_ONCE = 100
#: A message whose SIM is away this long starts anew on another.
SIM_AWAY = dt.timedelta(minutes=10)
#: With settle_as: resend, a part that was in doubt so often is given up all the same: a modem that
#: sends but never answers would write to one patient for ever.
MOST_DOUBTS = 3
#: A part in flight whose modem never came back is uncertain after its result time-out and this.
NOBODY_LISTENS = dt.timedelta(seconds=30)


class Housekeeping:
    """Service: everything that time alone brings about."""

    name = "housekeeping"

    def __init__(
        self,
        config: Config,
        db: Database,
        hints: Hints,
        dispatcher: Dispatcher,
        trust: ClockTrust,
        clock: Clock,
    ) -> None:
        self._config = config
        self._db = db
        self._hints = hints
        self._dispatcher = dispatcher
        self._trust = trust
        self._clock = clock
        self._arrivals = dispatcher.arrivals
        self._settling = settling.Settling(config)
        self._time = JumpWatch(clock)
        self._slow_at = 0.0
        self._opened_at = clock.monotonic()
        self._fold_owed = False
        self._file: tuple[int, int] | None = None  #: which file the database is
        self._served = {
            route
            for modem in config.modems
            for route in routing.routes_served(modem, config.modems)
        }
        self._stranded: set[str] = set()  #: modems that are wished for and not configured

    def open(self) -> None:
        """Judge the clock before anything is sent or expires."""
        self._file = _file_at(self._db.path)
        self._trust.look(self._db)
        self._opened_at = self._clock.monotonic()
        self._slow_at = self._opened_at + STEP_S
        self._stranded.clear()
        self._route_anew()

    def step(self, stop: StopToken) -> None:
        """Wait for a while or for a hint, then do what is due."""
        if not stop.is_set():
            self._hints.housekeeping.wait(STEP_S)
        try:
            self.work()
        except (StoreBusyError, StoreFullError) as error:
            log.warning("store.unavailable", doing="housekeeping", why=str(error))

    def work(self) -> None:
        """Do what is due now."""
        self._check_file()
        self._trust.look(self._db)
        self._orphans()
        self._start_anew()
        self._route_anew()
        if self._trust.is_suspect:
            return  # nobody knows how much time has passed
        self._give_up_doubts()
        self._arrivals.hand_over_incomplete()
        self._arrivals.flush()
        self._expire()
        if self._time.has_jumped():  # there may be days to make up for, if it stays so
            self._slow_at = min(self._slow_at, self._clock.monotonic() + AFTER_JUMP_S)
        if self._clock.monotonic() >= self._slow_at:
            self._slow_at = self._clock.monotonic() + SLOW_DUTIES_S
            self._retain()
            self._db.check_wal()

    def close(self) -> None:
        """Write what is left to write, and close this thread's connection."""
        with contextlib.suppress(StoreError):  # what stays unnoted does no harm
            self._arrivals.flush()
        self._db.close()

    def _ago(self, span: dt.timedelta) -> str:
        return format_utc(self._clock.now() - span)

    # -- duties -----------------------------------------------------------------------------------

    def _check_file(self) -> None:
        """Stop if the file that we have open is not the one that others find any more.

        What is written then is gone with this process, so it is saved beside the database first.

        Raises:
            StoreDamagedError: it was removed, moved away, or another was put in its place.
            StoreFullError: so it was, and there is no room to save it: it is tried again, for with
                this process it would be gone.
        """
        if self._file is None or _file_at(self._db.path) == self._file:
            return
        path = self._db.path
        names = (path.with_name(f"{path.name}.rescued-{n}") for n in itertools.count(1))
        aside = next(name for name in names if not name.exists())
        what = f"database {path} was removed or replaced while gsmgw ran"
        try:
            backup.make(self._db, aside)
        except (OSError, StoreError) as error:
            if isinstance(error, OSError) and error.errno in _NO_ROOM:
                raise StoreFullError(
                    f"{what}, and there is no room to save what was in it ({error}): make room"
                    f" in {path.parent}; until then do not stop gsmgw, or it is lost"
                ) from error
            raise StoreDamagedError(
                f"{what}; what was in it could not be saved: {error}"
            ) from error
        raise StoreDamagedError(
            f"{what}; what was in it stands in {aside}. To go on with that:"
            f" gsmgw restore {aside}; else move it away"
        )

    def _expire(self) -> None:
        now = format_utc(self._clock.now())
        if not outbox.expired(self._db, now, 1):
            return
        with self._db.write() as tx:
            for message in outbox.expired(tx, now, AT_ONCE):
                words = f"expired at {message['expires_at']} before it could be sent"
                endings.expire(tx, message, words)
        self._hints.results.set()

    def _orphans(self) -> None:
        """Doubt parts in flight whose modem is configured no longer or did not come back.

        Not sooner than that after the start either: the wall clock may have been set meanwhile.
        """
        held = self._dispatcher.held_parts()
        up_s = self._clock.monotonic() - self._opened_at
        for part in outbox.sending_parts(self._db):
            modem = self._config.modem(part["modem"] or "")
            patience = NOBODY_LISTENS + dt.timedelta(seconds=modem.result_timeout if modem else 0)
            if part["id"] in held or part["claimed_at"] > self._ago(patience):
                continue
            if up_s < patience.total_seconds():
                continue
            with self._db.write() as tx:
                self._settling.doubt(
                    tx, part, f"sent by modem {part['modem']}, which did not come back to answer"
                )

    def _give_up_doubts(self) -> None:
        wait = dt.timedelta(seconds=self._config.sending.uncertain.wait)
        before = self._ago(wait)
        if not tries.open_uncertain(self._db, before, 1):
            return
        with self._db.write() as tx:
            for part in tries.open_uncertain(tx, before, AT_ONCE):
                settle_as = self._config.sending.uncertain.settle_as[Category(part["category"])]
                if settle_as == "resend" and tries.count_doubts(tx, part["id"]) < MOST_DOUBTS:
                    self._resend(tx, part)
                else:
                    self._give_up(tx, part["message_id"])
        self._hints.results.set()
        self._hints.due()

    def _resend(self, tx: Transaction, part: Row) -> None:
        message_id = part["message_id"]
        change = PartChange(PartState.WAITING, proof="resend")
        counting.settled_otherwise(tx, part)
        outbox.change_part(tx, part["id"], change)
        outbox.mirror(tx, message_id, due_at=tx.now)
        events.add(tx, "part.resent", message_id=message_id)
        tx.after_commit(lambda: log.warning("part.resent", id=message_id))

    def _give_up(self, tx: Transaction, message_id: int) -> None:
        outbox.settle(
            tx,
            message_id,
            MessageState.UNCERTAIN,
            ErrorFamily.GSMGW,
            "uncertain",
            f"may have arrived: no evidence came within the wait; see gsmgw show {message_id}",
        )
        events.add(tx, "message.uncertain", message_id=message_id)
        tx.after_commit(lambda: log.warning("message.uncertain", id=message_id))

    def _start_anew(self) -> None:
        """Send a message anew from another SIM when the one that began it stays away."""
        before = self._ago(SIM_AWAY)
        for message in tries.split_messages(self._db, before, AT_ONCE):
            if not self._dispatcher.is_sim_away(message["sim_id"], SIM_AWAY.total_seconds()):
                continue
            if not self._dispatcher.others_ready(message):
                continue
            route = routing.route_of(message["recipient"], message["modem"], self._config.modems)
            with self._db.write() as tx:
                if tries.start_anew(tx, message["id"], route):
                    message_id = message["id"]
                    events.add(tx, "message.restarted", message_id=message_id)
                    tx.after_commit(lambda: log.warning("message.restarted", id=message_id))  # noqa: B023 - runs within this round
            self._hints.due()

    def _route_anew(self) -> None:
        """Give what waits on a route that is configured no longer to those who may send it now.

        A route is decided when a message is accepted; modems and their prefixes change. A wish for
        a modem stays one: it may only be away for repair.
        """
        for route in entry.waiting_routes(self._db):
            if route in self._served | self._stranded or routing.is_of_sim(route):
                continue
            while entry.unwished(self._db, route, 1):
                with self._db.write() as tx:
                    for message in entry.unwished(tx, route, AT_ONCE):
                        wish, recipient = message["modem"], message["recipient"]
                        new = routing.route_of(recipient, wish, self._config.modems)
                        entry.route_anew(tx, message["id"], new)
                self._hints.due()
            waiting = entry.count_wishes(self._db, route)
            if waiting:
                self._stranded.add(route)
                log.warning("message.stranded", key=("modem",), modem=route, messages=waiting)

    def _retain(self) -> None:
        removed = self._retain_clinic()
        retention = self._config.retention
        for span, duty in (
            (retention.text, upkeep.empty_texts),
            (retention.person, upkeep.forget_persons),
        ):
            if span is None:
                continue
            removed += duty(self._db, self._ago(dt.timedelta(seconds=span)))
        if removed:
            log.info("retention.done", rows=removed)
        if removed >= upkeep.MOST:
            self._slow_at = self._clock.monotonic()  # there is more, behind what else is due
        if removed or self._fold_owed:
            self._fold_owed = not upkeep.fold_back(self._db)

    def _retain_clinic(self) -> int:
        """Let go of a clinic's texts and persons; before their numbers are hashed elsewhere."""
        removed = 0
        for span, duty in (
            (self._config.retention.text, erasing.empty_old_texts),
            (self._config.retention.person, erasing.forget_old_persons),
        ):
            if span is not None:
                removed += duty(self._db, self._ago(dt.timedelta(seconds=span)))
        late = erasing.late_reports(self._db)
        if late:
            with self._db.write() as tx:
                erasing.empty_reports(tx, late)
        return removed + len(late)


def _file_at(path: Path) -> tuple[int, int] | None:
    """Return which file stands under a name; None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
