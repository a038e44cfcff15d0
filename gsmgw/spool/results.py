# SPDX-License-Identifier: Apache-2.0
"""The service that puts taken files into `sent/` or `failed/` once their messages are settled.

Theory of operation, step by step, for a batch of files; a crash between any two leads to the same
end:

1. What is new is written into `.tmp` and fsynced: the smstools file with its headers, or the result
   document of a JSON file.
2. Folder and name are committed. From now on a missing file in `.tmp` means that it was renamed.
3. It is renamed to its place. A JSON file itself is renamed there from `checked/`; a smstools file
   in `checked/` is removed, because the new one holds all of it.
4. The folders are fsynced; then the file is marked finished, and the event handler's run is owed.

Threads and locks: one thread. On failure: a file that cannot be put away (full disk) stays owed
and is tried again with growing pauses, while the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gsmgw import logs
from gsmgw.clock import Clock
from gsmgw.config import Config
from gsmgw.gateway.hints import IDLE_S, Hints
from gsmgw.spool import files, layout, names, stories, troubles
from gsmgw.spool.formats import json_format, outcomes
from gsmgw.spool.layout import Layout
from gsmgw.spool.stories import Story
from gsmgw.spool.updates import Updates
from gsmgw.store import spool_files
from gsmgw.store.database import Database, Row, Transaction
from gsmgw.threads import StopToken

log = logs.get("spool")

#: Files that share the fsyncs and commits of one round.
AT_ONCE = 20
#: After a hint: the modem is given its next part first, and what is settled within this time shares
#: fsyncs and commits. Nobody waits for a file in `sent/` by the millisecond.
GATHER_S = 0.1


@dataclass(frozen=True, slots=True)
class _Move:
    """A file on its way out of `checked/`."""

    row: Row
    story: Story
    folder: str
    final_name: str

    @property
    def file_id(self) -> int:
        """Its id in the store."""
        return int(self.row["id"])


class Results:
    """Puts files away. `step` blocks for some seconds at most, plus the disk."""

    name = "spool.results"

    def __init__(
        self, config: Config, place: Layout, db: Database, hints: Hints, clock: Clock
    ) -> None:
        self._config = config
        self._place = place
        self._db = db
        self._hints = hints
        self._clock = clock
        self._troubles = troubles.Troubles("files to be put into sent and failed", clock)
        self._updates = Updates(place, db, clock)
        #: folders and names that are decided, of files that may not stand there yet
        self._decided: set[tuple[str, str]] = set()

    def wake(self) -> None:
        """End a wait in `step`; any thread."""
        self._hints.results.set()

    def open(self) -> None:
        """Make the folders, if need be; find result documents that may change.

        Raises:
            GsmgwError: the spool cannot be used; the text says what to do.
        """
        self._place.make(self._config.spool.group)
        self._decided = {
            (row["folder"], names.from_text(row["final_name"]))
            for row in spool_files.unfinished(self._db)
            if row["folder"] is not None
        }
        self._updates.open()
        self._hints.results.set()

    def step(self, stop: StopToken) -> None:
        """Wait for a hint, some seconds at most; put away what is settled."""
        is_soon = self._troubles or self._updates.is_due()
        hinted = self._hints.results.wait(1.0 if is_soon else IDLE_S)
        if stop.is_set() or (hinted and stop.wait(GATHER_S)):
            return
        while self.put_away() and not stop.is_set():
            pass
        self._updates.look(hinted=hinted)
        if hinted:  # a report may have come before the answer, and now it is known whose it is
            self._hints.handouts.set()

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def put_away(self) -> int:
        """Put away a batch of files whose messages are settled; return how many.

        Blocks for some fsyncs and two commits, if there is anything.
        """
        if self._troubles.is_paused(troubles.STORE):
            return 0
        rows = self._troubles.choose(partial(spool_files.ready, self._db), AT_ONCE)
        return self._troubles.work(self._round, rows) if rows else 0

    # -- the four steps ---------------------------------------------------------------------------

    def _round(self, rows: list[Row]) -> int:
        moves = self._decide(rows)
        moved = [move for move in moves if self._try(move, self._rename)]
        targets = {self._place.folder(move.folder) for move in moved}
        if not moved or not self._sync(moved, targets):
            return 0
        cleared = [move for move in moved if self._try(move, self._clear)]
        if not cleared or not self._sync(cleared, [self._place.checked]):
            return 0
        with self._db.write() as tx:
            for move in cleared:
                spool_files.finish(tx, move.file_id)
                self._owe_hook(tx, move)
        for move in cleared:
            self._finished(move)
        self._hints.hooks.set()
        return len(cleared)

    def _decide(self, rows: list[Row]) -> list[_Move]:
        """Write what is new into `.tmp`, and where each file goes into the store."""
        moves: list[_Move] = []
        fresh: list[_Move] = []
        for row in rows:
            story = stories.tell(self._db, row)
            if row["folder"] is not None:  # decided before a crash
                name = names.from_text(row["final_name"])
                moves.append(_Move(row, story, row["folder"], name))
                continue
            move = _Move(row, story, story.folder, self._free_name(row, story.folder, fresh))
            if self._is_still_taken(move):
                continue
            if self._try(move, self._write):
                fresh.append(move)
        if not fresh or not self._sync(fresh, [self._place.tmp]):
            return moves
        with self._db.write() as tx:
            for move in fresh:
                stored = names.to_text(move.final_name)
                spool_files.decide(tx, move.file_id, move.folder, stored)
        self._decided |= {(move.folder, move.final_name) for move in fresh}
        return moves + fresh

    def _is_still_taken(self, move: _Move) -> bool:
        """Tell whether a long list is still being stored: it has more elements than the store."""
        if move.row["format"] != "json":
            return False
        try:
            content, _ = files.read(self._checked(move))
        except OSError:
            return False
        return len(move.story.entries) < json_format.count(content)

    def _free_name(self, row: Row, folder: str, others: list[_Move]) -> str:
        """Return a name that is free, and whose result document's name is free as well."""
        taken = {other.final_name for other in others if other.folder == folder}
        taken |= {name for place, name in self._decided if place == folder}
        wished = stories.original_name(row)
        while True:
            name = layout.free_name(self._place.folder(folder), wished, taken=taken)
            result = self._place.folder(folder) / names.result_name(name, row["id"])
            if row["format"] == "smstools" or files.look(result) is None:
                return name
            taken = taken | {name}

    def _write(self, move: _Move) -> None:
        if move.row["format"] != "smstools":
            files.write(
                self._tmp(move), json_format.format_document(stories.result_document(move.story))
            )
            return
        try:
            content, _ = files.read(self._checked(move))
        except (FileNotFoundError, files.NotRegularError, PermissionError):
            content = b""  # taken away under us: what became of the message is told all the same
        outcome = move.story.outcome(content, self._config.zone, self._clock.now())
        files.write(self._tmp(move), outcomes.add_outcome(content, outcome))

    def _rename(self, move: _Move) -> None:
        folder = self._place.folder(move.folder)
        is_smstools = move.row["format"] == "smstools"
        target = move.final_name if is_smstools else self._result_name(move)
        if files.look(self._tmp(move)) is not None:
            files.move(self._tmp(move), folder / target)
            files.tell_watchers(folder / target)
        if not is_smstools and files.look(self._checked(move)) is not None:
            files.move(self._checked(move), folder / move.final_name)
            files.tell_watchers(folder / move.final_name)

    def _clear(self, move: _Move) -> None:
        if move.row["format"] == "smstools":
            files.remove(self._checked(move))

    def _owe_hook(self, tx: Transaction, move: _Move) -> None:
        if self._config.hooks.event:
            path = names.to_text(str(self._place.folder(move.folder) / move.final_name))
            event = "SENT" if move.folder == "sent" else "FAILED"
            story = move.story
            spool_files.owe_hook(tx, event, path, story.message_ref, gsmgw_id=story.gsmgw_id)

    def _finished(self, move: _Move) -> None:
        self._decided.discard((move.folder, move.final_name))
        self._troubles.ended(move.file_id)
        log.info(
            "spool.put_away",
            routine="files put away",
            file=logs.masked(move.row["original_name"]),
            folder=move.folder,
            name=names.shown(move.final_name),
            messages=len(move.story.entries),
        )
        if move.row["format"] == "json":
            folder = self._place.folder(move.folder)
            content = json_format.format_document(stories.result_document(move.story))
            self._updates.follow(move.row, folder / self._result_name(move), content)

    def _tmp(self, move: _Move) -> Path:
        return self._place.tmp / f"file-{move.file_id}"

    def _checked(self, move: _Move) -> Path:
        return self._place.checked / names.from_text(move.row["name"])

    def _result_name(self, move: _Move) -> str:
        return names.result_name(move.final_name, move.file_id)

    # -- on failure -------------------------------------------------------------------------------

    def _try(self, move: _Move, action: Callable[[_Move], None]) -> bool:
        return self._troubles.attempt(move.file_id, partial(action, move))

    def _sync(self, moves: list[_Move], folders: Iterable[Path]) -> bool:
        return self._troubles.sync((move.file_id for move in moves), folders)
