# SPDX-License-Identifier: Apache-2.0
"""The service that writes `incoming/` and `report/`: what arrived, for programs to pick up.

Theory of operation: the file is written into `.tmp` and fsynced, its final name is committed, it is
renamed, the folder is fsynced, and the hand-out is marked done together with the event handler's
run that is owed. Once a name is committed, a missing file in `.tmp` means that it was renamed,
and perhaps picked up already; so a crash at any point neither loses a file nor makes it twice.
After power loss a file of the last seconds may come again, under the same name.

Threads and locks: one thread. On failure: what cannot be written (full disk) stays owed and is
tried again with growing pauses, while the others go on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gsmgw import logs
from gsmgw.clock import Clock
from gsmgw.config import Config
from gsmgw.gateway.hints import IDLE_S, Hints
from gsmgw.spool import files, layout, letters, names, troubles
from gsmgw.spool.layout import Layout
from gsmgw.store import spool_files
from gsmgw.store.database import Database, Row
from gsmgw.threads import StopToken

log = logs.get("spool")

#: Files that share the fsyncs and commits of one round.
AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class _Delivery:
    """A file on its way out of `.tmp`."""

    handout_id: int
    folder: Path
    name: str
    event: str
    gsmgw_id: int | None
    is_named: bool  #: the store knows the name, from before a crash


class Handouts:
    """Writes what is owed to the spool. `step` blocks for some seconds at most, plus the disk."""

    name = "spool.handouts"

    def __init__(
        self, config: Config, place: Layout, db: Database, hints: Hints, clock: Clock
    ) -> None:
        self._config = config
        self._place = place
        self._db = db
        self._hints = hints
        self._writer = letters.Writer(config, db)
        self._troubles = troubles.Troubles("files to be written into incoming and report", clock)

    def wake(self) -> None:
        """End a wait in `step`; any thread."""
        self._hints.handouts.set()

    def open(self) -> None:
        """Make the folders, if need be.

        Raises:
            GsmgwError: the spool cannot be used; the text says what to do.
        """
        self._place.make(self._config.spool.group)
        self._hints.handouts.set()

    def step(self, stop: StopToken) -> None:
        """Wait for a hint, some seconds at most; hand out what is owed."""
        self._hints.handouts.wait(1.0 if self._troubles else IDLE_S)
        while not stop.is_set() and self.hand_out():
            pass

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def hand_out(self) -> int:
        """Write a batch of what is owed; return how many are done.

        Blocks for some fsyncs and two commits, if there is anything.
        """
        if self._troubles.is_paused(troubles.STORE):
            return 0
        rows = self._troubles.choose(partial(spool_files.owed, self._db), AT_ONCE)
        return self._troubles.work(self._round, rows) if rows else 0

    def _round(self, rows: list[Row]) -> int:
        spoken_for: set[Path] = set()
        # Names from before a crash come first: they are given, the others are still to be found.
        ordered = sorted(rows, key=lambda row: row["name"] is None)
        prepared = {row["id"]: self._prepare(row, spoken_for) for row in ordered}
        deliveries = [one for row in rows if (one := prepared[row["id"]]) is not None]
        fresh = [one for one in deliveries if not one.is_named]
        if fresh and self._sync(fresh, {self._place.tmp}):
            with self._db.write() as tx:
                for one in fresh:
                    spool_files.name_handout(tx, one.handout_id, names.to_text(one.name))
        elif fresh:
            deliveries = [one for one in deliveries if one.is_named]
        moved = [
            one
            for one in deliveries
            if self._troubles.attempt(one.handout_id, partial(self._move, one))
        ]
        if not moved or not self._sync(moved, {one.folder for one in moved}):
            return 0
        with self._db.write() as tx:
            for one in moved:
                spool_files.finish_handout(tx, one.handout_id)
                if self._config.hooks.event:
                    path = names.to_text(str(one.folder / one.name))
                    spool_files.owe_hook(tx, one.event, path, gsmgw_id=one.gsmgw_id)
        self._hints.hooks.set()
        for one in moved:
            self._troubles.ended(one.handout_id)
            log.info(
                "spool.handed_out",
                routine="files handed out",
                what=one.event,
                file=names.to_text(one.name),
            )
        return len(moved)

    def _prepare(self, row: Row, spoken_for: set[Path]) -> _Delivery | None:
        """Write a file into `.tmp`, unless that was done before a crash; None: not now.

        Its name is added to those that are `spoken_for` in this round. Two of one name there are
        only where somebody has made `report` a link to `incoming`.
        """
        letter = self._writer.compose(row)
        if letter is None:
            self._drop(row)
            return None
        folder = self._place.folder(letter.folder)
        real = folder.resolve()
        if row["name"] is not None:
            name = names.from_text(row["name"])
            spoken_for.add(real / name)
            return _Delivery(row["id"], folder, name, letter.event, letter.gsmgw_id, is_named=True)
        try:
            files.write(self._tmp(row["id"]), letter.content)
            taken = {path.name for path in spoken_for if path.parent == real}
            name = layout.free_name(folder, letter.stem, taken=taken)
            spoken_for.add(real / name)
        except OSError as error:
            self._troubles.failed(row["id"], error)
            return None
        return _Delivery(row["id"], folder, name, letter.event, letter.gsmgw_id, is_named=False)

    def _drop(self, row: Row) -> None:
        """Owe no longer what retention has removed from the store."""
        with self._db.write() as tx:
            spool_files.finish_handout(tx, row["id"])

    def _move(self, one: _Delivery) -> None:
        if files.look(self._tmp(one.handout_id)) is not None:
            files.move(self._tmp(one.handout_id), one.folder / one.name)
            files.tell_watchers(one.folder / one.name)

    def _sync(self, deliveries: list[_Delivery], folders: set[Path]) -> bool:
        return self._troubles.sync((one.handout_id for one in deliveries), folders)

    def _tmp(self, handout_id: int) -> Path:
        return self._place.tmp / f"handout-{handout_id}"
