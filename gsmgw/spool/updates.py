# SPDX-License-Identifier: Apache-2.0
"""Result documents of JSON files, rewritten when a state changes after the file was put away.

Theory of operation: the documents on disk say which messages are not final; at the start they are
read, later each file that is put away is added. A look compares what the document would say now
with what it says. A document that somebody has taken away is not made again.

Known limits: a document is followed for a week after it was written, and the newest 2000 are.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from gsmgw.clock import Clock
from gsmgw.spool import files, names, stories, troubles
from gsmgw.spool.formats import json_format
from gsmgw.spool.layout import Layout
from gsmgw.store import spool_files
from gsmgw.store.database import Database, Row

#: Networks report within days, if at all.
FOLLOWED_S = 7 * 86400.0
MOST_FOLLOWED = 2000
#: Looks take at most this share of the time, and come not oftener than this.
_LOOK_SHARE = 0.02
_LOOK_EVERY_S = 1.0
#: Without any hint there is a look this often.
_LOOK_ANYWAY_S = 30.0


@dataclass(slots=True)
class _Followed:
    file: Row
    path: Path
    content: bytes
    until: float  #: monotonic


class Updates:
    """The result documents that may still change; of one service, in its thread."""

    def __init__(self, place: Layout, db: Database, clock: Clock) -> None:
        self._place = place
        self._db = db
        self._clock = clock
        self._troubles = troubles.Troubles("result documents to be renewed", clock)
        self._followed: dict[int, _Followed] = {}
        self._is_hinted = False
        self._looked_at = 0.0
        self._pause_s = 0.0

    def open(self) -> None:
        """Find the documents that may still change."""
        self._followed = {}
        self._is_hinted = True
        self._looked_at = self._pause_s = 0.0
        for folder in (self._place.sent, self._place.failed):
            for name in files.listing(folder):
                if name.endswith(names.RESULT_SUFFIX):
                    self._find(folder / name)

    def follow(self, file: Row, path: Path, content: bytes) -> None:
        """Follow a document that has just been written."""
        until = self._clock.monotonic() + FOLLOWED_S
        self._followed[file["id"]] = _Followed(file, path, content, until)
        while len(self._followed) > MOST_FOLLOWED:
            del self._followed[next(iter(self._followed))]

    def is_due(self) -> bool:
        """Tell whether a document may have to be renewed that could not be looked at yet."""
        return self._is_hinted and bool(self._followed)

    def look(self, *, hinted: bool) -> None:
        """Renew what has changed, if it is time to look; `hinted`: something may have."""
        self._is_hinted = self._is_hinted or hinted
        began = self._clock.monotonic()
        pause_s = max(self._pause_s, _LOOK_EVERY_S) if self._is_hinted else _LOOK_ANYWAY_S
        if not self._followed or began - self._looked_at < pause_s:
            return
        self._is_hinted = False
        for followed in list(self._followed.values()):
            if not self._troubles.is_paused(followed.path):
                self._renew(followed)
        self._looked_at = self._clock.monotonic()
        self._pause_s = (self._looked_at - began) / _LOOK_SHARE

    def _renew(self, followed: _Followed) -> None:
        story = stories.tell(self._db, followed.file)
        content = json_format.format_document(stories.result_document(story))
        is_over = story.is_final() or self._clock.monotonic() >= followed.until
        if content != followed.content:
            if files.look(followed.path) is None:
                is_over = True
            elif self._write(followed, content):
                followed.content = content
            else:
                return
        if is_over:
            self._troubles.ended(followed.path)
            del self._followed[followed.file["id"]]

    def _write(self, followed: _Followed, content: bytes) -> bool:
        written = self._place.tmp / f"update-{followed.file['id']}"
        try:
            files.write(written, content)
            if files.look(followed.path) is None:  # taken away while we wrote
                files.remove(written)
            else:
                files.move(written, followed.path)
                files.sync(followed.path.parent)
        except OSError as error:
            self._troubles.failed(followed.path, error)
            return False
        self._troubles.ended(followed.path)
        return True

    def _find(self, path: Path) -> None:
        """Follow a document on disk, if it is one of ours and a message in it is not final."""
        try:
            content, _ = files.read(path)
            document = json.loads(content)
            results = [(item["id"], item["state"]) for item in document["messages"]]
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return
        ids = [
            message_id
            for message_id, state in results
            if isinstance(message_id, int) and state not in stories.FINAL
        ]
        for file in spool_files.of_message(self._db, ids[0]) if ids else []:
            name = names.from_text(file["final_name"] or "")
            is_ours = file["format"] == "json" and file["finished_at"] is not None
            if is_ours and names.result_name(name, file["id"]) == path.name:
                self.follow(file, path, content)
                return
