# SPDX-License-Identifier: Apache-2.0
"""What becomes of the spool's files when the database is restored from a copy: none is sent twice.

Theory of operation: a file in `checked/` was accepted; whether its messages have been sent since
the copy was made, nobody knows. So each becomes, or stays, a file that the results service puts
into `failed/` with that reason. Files that the copy knows and that are no longer in `checked/` were
put away since, and are closed.

Known limits: a file taken since under the same name as one that was open in the copy is put away
with that one's id.
"""

from __future__ import annotations

import stat

from gsmgw.config import Config
from gsmgw.spool import files, names
from gsmgw.spool.formats import json_format
from gsmgw.spool.layout import Layout
from gsmgw.store import restoring, spool_files
from gsmgw.store.database import Row, Transaction

_WORDS = "Database was restored from a copy, may have been sent"


def close_files(tx: Transaction, config: Config) -> None:
    """Close what the copy holds open, and refuse what it does not know; blocks for the disk.

    Call it in the transaction in which the messages are closed, after that.

    Raises:
        OSError: a folder or file cannot be read.
    """
    place = Layout(config.spool.path)
    there = _checked(place)
    kept: set[str] = set()
    for row in spool_files.unfinished(tx):
        name = names.from_text(row["name"])
        if name in there and row["folder"] is None and _was_cancelled(tx, row):
            kept.add(name)
            # Else a list of which only a part was stored would be read on, and sent.
            spool_files.change_format(tx, row["id"], _format(place, name))
        else:
            spool_files.finish(tx, row["id"])
    for name in sorted(there - kept):
        stored = names.to_text(name)
        file_id = spool_files.add(
            tx, name=stored, original_name=stored, file_format=_format(place, name)
        )
        entry = spool_files.Entry(0, None, error_code=restoring.CODE, error=_WORDS)
        spool_files.add_entry(tx, file_id, entry)


def _checked(place: Layout) -> set[str]:
    """Return the names of the files in `checked/`."""
    if files.look(place.checked) is None:
        return set()
    found = set()
    for name in files.listing(place.checked):
        status = files.look(place.checked / name)
        if status is not None and stat.S_ISREG(status.st_mode) and not names.is_ignored(name):
            found.add(name)
    return found


def _was_cancelled(tx: Transaction, row: Row) -> bool:
    """Tell whether restoring has ended one of a file's messages, or left it in doubt.

    If not, all were settled when the copy was made, and the file was just being put away.
    """
    return any(
        entry["error_code"] == restoring.CODE or entry["state"] == "uncertain"
        for entry in spool_files.entries(tx, row["id"])
    )


def _format(place: Layout, name: str) -> str:
    """Return how a file is to be put away: a list as it stands, with a result document."""
    content, _ = files.read(place.checked / name)
    if len(content) > files.LONGEST_FILE or json_format.is_json(content):
        return "unread"
    return "smstools"
