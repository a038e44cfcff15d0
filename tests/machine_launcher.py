# SPDX-License-Identifier: Apache-2.0
"""Runs the daemon on a machine that fails on demand: `machine_launcher.py CONFIG FLAGS`.

As long as a file of this name lies in the directory FLAGS:

- `spool-full`, `spool-read-only`: whatever is written, moved or made in the spool fails so;
- `database-full`: the database cannot grow by a page;
- `database-read-only`: nothing can be written into it.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from pathlib import Path

from gsmgw import daemon
from gsmgw.spool import files
from gsmgw.store.database import Database

#: No limit, as SQLite has it.
_MANY_PAGES = 0x3FFFFFFE


def main() -> int:
    config, flags = Path(sys.argv[1]), Path(sys.argv[2])
    begin = Database._begin

    def limited(self: Database, connection: sqlite3.Connection) -> None:
        pages = 1 if (flags / "database-full").exists() else _MANY_PAGES
        connection.execute(f"PRAGMA max_page_count = {pages:d}").fetchall()
        is_read_only = (flags / "database-read-only").exists()
        connection.execute(f"PRAGMA query_only = {is_read_only:d}")
        begin(self, connection)

    def broken(change: str, paths: tuple[Path, ...]) -> None:
        number = 0
        if (flags / "spool-full").exists() and change in ("write", "folder"):
            number = errno.ENOSPC
        if (flags / "spool-read-only").exists() and change != "sync":  # fsync works there
            number = errno.EROFS
        if number:
            raise OSError(number, os.strerror(number), str(paths[0]))

    Database._begin = limited  # type: ignore[method-assign]
    with files.recording(broken):
        return daemon.run(config)


if __name__ == "__main__":
    sys.exit(main())
