# SPDX-License-Identifier: Apache-2.0
"""What became of texts that were said: somebody is told of those that did not arrive."""

from __future__ import annotations

import datetime as dt

from gsmgw import logs
from gsmgw.clinic.model import Kind, TaskCode
from gsmgw.clinic.saying.verdicts import ANSWERS, STAFF
from gsmgw.clinic.work import Work
from gsmgw.clock import Clock, format_utc
from gsmgw.gateway.trust import ClockTrust
from gsmgw.model import MessageState
from gsmgw.store.clinic import requests, tasks
from gsmgw.store.database import Database, Row, Transaction

log = logs.get("clinic")

#: Requests in one transaction at most.
AT_ONCE = 30
#: A report that has not come by then does not come: networks try for a few days.
REPORTED_WITHIN = dt.timedelta(days=7)
#: What has arrived is put away this often; nobody waits for it.
PUT_AWAY_S = 30.0
_PUT_AWAY_AT_ONCE = 200


class Fates:
    """Follows what was said to its end. One thread at a time."""

    def __init__(self, db: Database, work: Work, clock: Clock, trust: ClockTrust) -> None:
        self._db = db
        self._work = work
        self._clock = clock
        self._trust = trust
        self._put_away_at = clock.monotonic()

    def step(self) -> int:
        """Act upon texts that did not arrive, or may not have; return how many requests.

        Blocks for one commit, if there are any.
        """
        self._put_away()
        if not requests.ended(self._db, 1):
            return 0
        done = 0
        # It stays owed if it is lost with power.
        with self._db.pace.piece() as piece, self._db.write(synced=False) as tx:
            texts: dict[int, list[Row]] = {}
            for row in requests.ended(tx, AT_ONCE):
                texts.setdefault(row["outbox_id"], []).append(row)
            for family in texts.values():
                if piece.is_over():
                    break
                for row in family:
                    requests.told(tx, row["id"])
                self._end(tx, family[0])  # a family's text is one piece of work
                done += len(family)
        return done

    def _end(self, tx: Transaction, row: Row) -> None:
        kind, state = Kind(row["kind"]), MessageState(row["message_state"])
        if state is MessageState.CANCELLED or kind in ANSWERS:
            return
        if kind in STAFF:
            details = row["id"], state.value
            tx.after_commit(
                lambda: log.warning("notice.lost", request=details[0], state=details[1])
            )
            return
        if row["about"] is None and row["patient_id"] is None:
            return
        self._work.add(
            tx,
            tasks.NewTask(
                code=self._code(tx, row, kind, state),
                phone=row["phone"],
                patient_id=row["patient_id"],
                about=row["about"],
                request_id=row["id"],
                note=f"{kind}: {state}" + (f" ({row['error']})" if row["error"] else ""),
            ),
        )

    def _code(self, tx: Transaction, row: Row, kind: Kind, state: MessageState) -> TaskCode:
        is_ahead = row["about_start"] is not None and row["about_start"] > tx.now
        if kind in (Kind.CANCELLED, Kind.CHANGED) and is_ahead:
            return TaskCode.URGENT  # somebody would come for nothing
        if state is MessageState.UNCERTAIN:
            return TaskCode.UNCERTAIN
        return TaskCode.UNREACHABLE

    def _put_away(self) -> None:
        now = self._clock.monotonic()
        if now < self._put_away_at or self._trust.is_suspect:
            return
        before = format_utc(self._clock.now() - REPORTED_WITHIN)
        found = requests.arrived(self._db, before, _PUT_AWAY_AT_ONCE)
        if found:
            with self._db.pace.piece(), self._db.write(synced=False) as tx:
                for request_id in found:
                    requests.told(tx, request_id)
        if len(found) < _PUT_AWAY_AT_ONCE:
            self._put_away_at = now + PUT_AWAY_S
