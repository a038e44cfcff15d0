# SPDX-License-Identifier: Apache-2.0
"""Connections of threads that come and go."""

import gc
import os
import threading
from pathlib import Path

from gsmgw.store.database import Database


def open_files(path: Path) -> int:
    """Count the descriptors of this process that lead to a file."""
    count = 0
    for descriptor in os.listdir("/proc/self/fd"):  # noqa: PTH208 - links that may be gone
        try:
            count += os.readlink(f"/proc/self/fd/{descriptor}") == str(path)  # noqa: PTH115
        except FileNotFoundError:
            continue
    return count


def test_thread_that_ends_leaves_no_connection_open(tmp_path: Path) -> None:
    database = Database(tmp_path / "gsmgw.db")
    database.open()
    log = tmp_path / "gsmgw.db-wal"
    before = open_files(log)  # the database's own descriptors SQLite may keep for its locks
    gc.disable()
    try:
        for _ in range(3):
            thread = threading.Thread(target=database.version)
            thread.start()
            thread.join()
        assert open_files(log) == before > 0
    finally:
        gc.enable()
        database.close()
