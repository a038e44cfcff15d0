# SPDX-License-Identifier: Apache-2.0
"""Whether this machine's clock can be believed; while it cannot, nothing expires or falls due.

A box without a battery starts in the past: yesterday's reminders would look current and every
planned message would wait for ever, or go out at once. The clock is suspect while it stands before
the newest row in the database, or more than five minutes from the network's time.

Somebody may also set a clock right while the daemon runs. A jump ahead is believed, unless the
clock of a modem (AT+CCLK?, 3GPP TS 27.007 8.15) speaks against it: one that is known to follow the
network's time, up to a zone, since many show their firmware's birthday or none at all. What the
network told before a jump that is believed counts no more. A jump back is found by the newest row.

Theory of operation: the network's time comes with what is received. A status report names the
second in which the service centre took a part that we have just sent. A message names the second in
which it was sent: if that is ours, it confirms our clock; it may have waited for long, so if it is
earlier it says nothing, and if it is later we are late at least by so much. Service centres that
take local time for UTC are common, so a difference of whole half hours says nothing either.

Where the network confirms our clock, rows from the future are no evidence against it: the clock was
ahead when they were written. Where no network speaks, a person does: `gsmgw clock --trust`.

Threads and locks: `look` belongs to one service; what was heard may come from any thread.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from gsmgw import logs
from gsmgw.clock import Clock, format_utc
from gsmgw.store import events, upkeep
from gsmgw.store.database import Database

log = logs.get("gateway")

#: Network time and ours may differ by this much.
TOLERANCE = dt.timedelta(minutes=5)
#: Rows written at the same moment by another process may be ahead by this much.
SLACK = dt.timedelta(seconds=5)
#: Zones lie within this, on whole half hours (Nepal and the Chatham Islands are not considered); a
#: report's times are exact to so much.
ZONES, ZONE_STEP, EXACT = dt.timedelta(hours=15), dt.timedelta(minutes=30), dt.timedelta(minutes=1)
#: So long is waited for the word of a modem's clock after a jump.
JUDGED_WITHIN_S = 10.0
#: Zones of modems' clocks are whole quarters of an hour.
QUARTER = dt.timedelta(minutes=15)
#: Later reports say nothing: the clock may have been set between sending and report.
FRESH = dt.timedelta(minutes=10)

_NONE = dt.timedelta()


class ClockTrust:
    """Holds the verdict; written by one service, read by all threads."""

    def __init__(self, clock: Clock, *, elapsed: Callable[[], float] | None = None) -> None:
        """Believe the clock until `look` finds something against it.

        Args:
            clock: the one to be judged.
            elapsed: seconds that never jump and go on while the machine sleeps; None takes the
                clock's monotonic ones, which stand still then.
        """
        self._clock = clock
        self._elapsed = elapsed or clock.monotonic
        self._newest: dt.datetime | None = None
        #: what the network told, and when by the clock that never jumps
        self._network: tuple[dt.datetime, float] | None = None
        self._earliest: tuple[dt.datetime, float] | None = None  #: it is at least so late
        self._trusted_at: str | None = None
        self._offsets: tuple[dt.timedelta, ...] = (_NONE,)
        self._is_found = False  #: suspect, and the log knows it
        #: what modems' clocks showed, when by the clock that never jumps, and by ours
        self._shown: dict[str, tuple[dt.datetime, float, dt.datetime]] = {}
        self._zones: dict[str, dt.timedelta] = {}  #: how far a modem's clock is ahead; it is right
        self._anchor = (clock.now(), self._elapsed())  #: the last time that was not a jump
        self._jumped_at: float | None = None  #: a jump ahead that no modem's clock has judged yet

    @property
    def is_suspect(self) -> bool:
        """Whether the clock is not to be believed, also if it has jumped since the last look."""
        now = self._clock.now()
        if self._is_found:
            return True
        if self._jump(now) > TOLERANCE:
            return bool(self._zones)  # not judged yet; without modems' clocks it is believed
        return self._against(now) is not None

    def _jump(self, now: dt.datetime) -> dt.timedelta:
        """Return how far the clock has jumped ahead since the last look; negative: back."""
        at, elapsed = self._anchor
        return now - at - dt.timedelta(seconds=self._elapsed() - elapsed)

    def _judge_jump(self, now: dt.datetime) -> bool:
        """Deal with a jump ahead; return whether the verdict about it has to be waited for."""
        ahead = self._jump(now)
        if ahead <= TOLERANCE:
            self._anchor, self._jumped_at = (now, self._elapsed()), None
            return False
        if self._jumped_at is None:
            self._jumped_at = self._elapsed()
        word = self._word_of_modems(now)
        if word is None and self._elapsed() - self._jumped_at < JUDGED_WITHIN_S and self._zones:
            return True
        self._anchor, self._jumped_at = (now, self._elapsed()), None
        if word is None or abs(word) <= TOLERANCE:
            self._network = self._earliest = None
            log.warning("clock.jumped", seconds=round(ahead.total_seconds()))
        else:
            self._network = (now + word, self._elapsed())
        return False

    def _word_of_modems(self, now: dt.datetime) -> dt.timedelta | None:
        """Return how far modems' clocks are ahead of ours; None if none was read since a jump."""
        found = []
        for modem, zone in list(self._zones.items()):
            shown, at, ours = self._shown[modem]
            passed = dt.timedelta(seconds=self._elapsed() - at)
            if abs(now - ours - passed) <= TOLERANCE:
                found.append(shown - zone + passed - now)
        return min(found, key=abs, default=None)

    def look(self, db: Database) -> bool:
        """Compare the clock with the newest row and the network; return whether it is suspect.

        Blocks for a commit when the verdict changes. Raises StoreError.
        """
        found = upkeep.newest(db)
        now = self._clock.now()
        self._newest = None if found.at is None else dt.datetime.fromisoformat(found.at)
        self._offsets = (_NONE, *(dt.timedelta(seconds=offset) for offset in found.offsets))
        if found.trusted_at != self._trusted_at:
            self._trusted_at, self._network, self._earliest = found.trusted_at, None, None
            self._anchor, self._jumped_at = (now, self._elapsed()), None
        if self._judge_jump(now):
            return True
        why = self._against(now)
        if why is None and self._newest is not None and now < self._newest - SLACK:
            with db.write() as tx:  # the network has confirmed our clock
                upkeep.hold_newest(tx, tx.now)
        if (why is not None) != self._is_found:
            self._change(db, why, now)
        return self._is_found

    def latest(self) -> dt.datetime:
        """Return the time as the network tells it, else the latest of all that is known of it."""
        now = self._clock.now()
        network, late = self._ahead(self._network, now), self._ahead(self._earliest, now)
        if network is not None:
            return now + network
        return max(now, self._newest or now, now + (late or _NONE))

    def _against(self, now: dt.datetime) -> str | None:
        """Say what speaks against the clock; None if it can be believed."""
        network, late = self._ahead(self._network, now), self._ahead(self._earliest, now)
        if network is not None and abs(network) > TOLERANCE:
            where = "ahead of" if network < _NONE else "behind"
            return f"it is {abs(network.total_seconds()):.0f} s {where} the network's time"
        if late is not None and late > TOLERANCE:
            return f"a message was sent {late.total_seconds():.0f} s after the present time"
        if network is None and self._newest is not None and now < self._newest - SLACK:
            return (
                f"it shows {format_utc(now)}, but the newest row was written at"
                f" {format_utc(self._newest)}"
            )
        return None

    def _change(self, db: Database, why: str | None, now: dt.datetime) -> None:
        with db.write() as tx:
            if why is not None:
                # Rows that are written from now on prove nothing, however many there will be.
                upkeep.hold_newest(tx, format_utc(self._newest or now))
                events.add(tx, "clock.suspect", why=why)
                tx.after_commit(lambda: log.error("clock.suspect", why=why))
            else:
                events.add(tx, "clock.trusted")
                tx.after_commit(lambda: log.info("clock.trusted", now=format_utc(now)))
        self._is_found = why is not None

    # -- what the network tells -------------------------------------------------------------------

    def learn_network_time(self, network: dt.datetime) -> None:
        """Take note of the time that the network told just now. Callable from any thread."""
        self._network = (network, self._elapsed())
        for modem in list(self._shown):
            self._compare(modem)

    def hear_modem_clock(self, modem: str, shown: dt.datetime) -> None:
        """Take note of what a modem's own clock shows just now. Callable from any thread."""
        elapsed, zone = self._elapsed(), self._zones.get(modem)
        before = self._shown.get(modem)
        self._shown[modem] = (shown, elapsed, self._clock.now())
        if zone is not None and abs(shown - zone - self._clock.now()) <= TOLERANCE:
            return  # it agrees with our clock, also with one that was just set
        if before is not None:
            ran = shown - before[0] - dt.timedelta(seconds=elapsed - before[1])
            if abs(ran) > TOLERANCE:  # it stood still, or was set: it has to be compared anew
                self._zones.pop(modem, None)
        self._compare(modem)

    def _compare(self, modem: str) -> None:
        """Learn whether a modem's clock follows the network's time, and in which zone."""
        heard = self._network
        if heard is None or self._jumped_at is not None:
            return
        (shown, shown_at, _ours), (network, network_at) = self._shown[modem], heard
        ahead = shown - network - dt.timedelta(seconds=shown_at - network_at)
        zone = round(ahead / QUARTER) * QUARTER
        if abs(zone) <= ZONES and abs(ahead - zone) <= EXACT:
            self._zones[modem] = zone
        else:
            self._zones.pop(modem, None)

    def hear_report(self, taken_at: dt.datetime, sent_at: dt.datetime) -> None:
        """Take note of when a service centre took a part, and when that was by our clock."""
        now = self._clock.now()
        ahead = self._without_known(taken_at - sent_at)
        if _NONE <= now - sent_at <= FRESH and not _is_of_a_zone(ahead):
            self.learn_network_time(now + ahead)

    def hear_message(self, sent_at: dt.datetime) -> None:
        """Take note of when a message that came just now was sent."""
        now = self._clock.now()
        ahead = self._without_known(sent_at - now)
        if ahead < -TOLERANCE or _is_of_a_zone(ahead):
            return
        if ahead <= TOLERANCE:
            self.learn_network_time(now + ahead)
        else:
            self._earliest = (now + ahead, self._elapsed())

    def _without_known(self, ahead: dt.timedelta) -> dt.timedelta:
        """Take off what a person has found to be the network's fault, as far as it explains."""
        return min((ahead - offset for offset in self._offsets), key=abs)

    def _ahead(
        self, heard: tuple[dt.datetime, float] | None, now: dt.datetime
    ) -> dt.timedelta | None:
        """Return how far a time that was heard is ahead of ours, also after ours was set."""
        if heard is None:
            return None
        told, at = heard
        return told + dt.timedelta(seconds=self._elapsed() - at) - now


def _is_of_a_zone(ahead: dt.timedelta) -> bool:
    """Tell whether a difference looks like local time that was taken for another zone's."""
    if not TOLERANCE < abs(ahead) <= ZONES:
        return False
    beyond = ahead % ZONE_STEP
    return min(beyond, ZONE_STEP - beyond) <= EXACT
