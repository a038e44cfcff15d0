# SPDX-License-Identifier: Apache-2.0
"""Files of the spool in which a forgotten person stands, found by what is in them, and removed.

Files are looked into whatever the store knows of them, because they outlive its rows. Whole files
are removed: what lies in the spool for longer than a moment is a copy of what somebody handed in,
or was to be picked up. The lists of the clinic are made anew without the person. What was not
taken yet (`outgoing`, `clinic/in`) is not ours and stays.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

from gsmgw.clinic.handing.lists import Lists
from gsmgw.spool import files
from gsmgw.spool.clinic.places import Places
from gsmgw.spool.layout import Layout
from gsmgw.store.clinic.persons import Person

#: A longer file is looked into so far.
_LONGEST = 64 * 1024 * 1024
#: How texts may be written in files that others hand in.
_ENCODINGS = ("utf-8", "cp1250", "cp1251", "utf-16")
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})")
_LISTS = ("replies.csv", "tasks.csv", "calls.csv", "unreachable.csv")


class Traces:
    """Finds and removes the files of a person. Blocks for reading the spool."""

    def __init__(self, spool: Path, person: Person) -> None:
        self._layout = Layout(spool)
        self._places = Places(spool)
        self._number = person.number_pattern()
        self._names = [name.casefold() for name in person.names]
        #: a cell that an acknowledgement quotes, as it quotes them
        self._quoted = [
            f"'{word.casefold()}'" for word in (*person.names, *person.patients, *person.visits)
        ]
        self._ids = [
            re.compile(rf"(?<![\w-]){re.escape(one)}(?![\w-])")
            for one in (*person.patients, *person.visits)
        ]

    def remove(self) -> list[Path]:
        """Remove the files in which the person stands, but for the lists; return which."""
        found = [path for path, handed_in in self._files() if self._is_in(path, handed_in)]
        for path in found:
            files.remove(path)
        for folder in {path.parent for path in found}:
            files.sync(folder)
        return found

    def renew_lists(self, lists: Lists, now: dt.datetime) -> None:
        """Replace the lists of the clinic that are there by new ones."""
        made = (lists.replies, lists.tasks, lists.calls, lists.unreachable)
        for name, make in zip(_LISTS, made, strict=True):
            path = self._places.out / name
            if files.look(path) is None:
                continue
            aside = self._places.out / f".{name}.tmp"
            files.write(aside, make(now))
            files.move(aside, path)
        if files.look(self._places.out) is not None:
            files.sync(self._places.out)

    def are_left(self) -> bool:
        """Tell whether the person still stands in a file, the lists included."""
        lists = ((self._places.out / name, False) for name in _LISTS)
        return any(self._is_in(path, handed_in) for path, handed_in in (*self._files(), *lists))

    def _files(self) -> Iterator[tuple[Path, bool]]:
        """Yield the files to be looked into, and whether a program of the clinic handed them in."""
        place, clinic = self._layout, self._places
        for folder, handed_in in (
            (place.sent, False),
            (place.failed, False),
            (place.incoming, False),
            (place.report, False),
            (clinic.done, True),
            (clinic.failed, True),
            (clinic.ack, False),
            (clinic.replies, False),
        ):
            if files.look(folder) is None:
                continue
            for name in sorted(files.listing(folder)):
                yield folder / name, handed_in

    def _is_in(self, path: Path, handed_in: bool) -> bool:
        try:
            content, _status = files.read(path, _LONGEST)
        except (FileNotFoundError, files.NotRegularError):
            return False  # picked up this moment, or no file of ours
        if self._number is not None and self._number.search(path.name):
            return True
        seen = set()
        for encoding in _ENCODINGS:
            text = content.decode(encoding, "replace")
            if text not in seen and self._is_in_text(_plain(text), handed_in):
                return True
            seen.add(text)
        return False

    def _is_in_text(self, text: str, handed_in: bool) -> bool:
        if self._number is not None and self._number.search(text):
            return True
        if len(self._names) > 1:
            for line in text.casefold().splitlines():
                if all(name in line for name in self._names):
                    return True
        if any(quoted in text.casefold() for quoted in self._quoted):
            return True
        # Numbers of patients may be short: only in copies, which nobody needs, are they enough.
        return handed_in and any(pattern.search(text) for pattern in self._ids)


def _plain(text: str) -> str:
    with contextlib.suppress(ValueError):
        return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return text
