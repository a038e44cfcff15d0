# SPDX-License-Identifier: Apache-2.0
"""What a modem may send at this moment, and the first message of it that is due."""

from __future__ import annotations

from dataclasses import dataclass

from gsmgw.store import outbox
from gsmgw.store.database import Database, Row, Transaction


@dataclass(frozen=True, slots=True)
class Choice:
    """What a modem may send at this moment."""

    routes: tuple[str, ...]
    barred: frozenset[int]  #: ranks that must wait
    now: str
    unscheduled_after: str | None  #: see `outbox.pick`; None while the clock is trusted
    latest: str | None  #: likewise
    unrefused_first: bool  #: what was refused before is taken only if there is nothing else

    def pick(self, db: Database | Transaction) -> Row | None:
        """Return the first message of the choice that is due."""
        found = self._pick(db, unrefused=True) if self.unrefused_first else None
        return self._pick(db, unrefused=False) if found is None else found

    def _pick(self, db: Database | Transaction, *, unrefused: bool) -> Row | None:
        return outbox.pick(
            db,
            self.routes,
            self.barred,
            self.now,
            unscheduled_after=self.unscheduled_after,
            latest=self.latest,
            unrefused=unrefused,
        )
