# SPDX-License-Identifier: Apache-2.0
"""A program that always writes the same name loses none of its files."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from spool_support import Bench, Killed, kill_at

from gsmgw.spool import files


def told(bench: Bench) -> list[str]:
    """Return the texts of the files in `failed/`."""
    found = bench.content("failed").values()
    return sorted(content.rpartition(b"\n\n")[2].decode() for content in found)


@pytest.mark.parametrize("number", range(12))
def test_killed_before_the_next_file_of_that_name(tmp_path: Path, number: int) -> None:
    bench = Bench(tmp_path)
    bench.take("X", "To: nobody\n\nfirst")
    bench.take("X", "To: nobody\n\nsecond")
    try:
        with files.recording(kill_at(number)):
            bench.put_away()
    except Killed:
        pass
    bench.db.close()
    bench.start()
    bench.take("X", "To: nobody\n\nthird")
    bench.put_away()
    assert told(bench) == ["first", "second", "third"]
    assert set(bench.tree()) == {"failed"}
    bench.close()


def test_the_disk_fails_at_the_first_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.take("X", "To: nobody\n\nfirst")
    broken = True

    def fail(change: str, paths: tuple[Path, ...]) -> None:
        if broken and change == "move":
            raise OSError(errno.EROFS, "Read-only file system")

    with files.recording(fail):
        bench.put_away()
        broken = False
        bench.take("X", "To: nobody\n\nsecond")
        bench.put_away()
        bench.clock.advance(60)
        bench.put_away()
    assert told(bench) == ["first", "second"]
    assert set(bench.tree()) == {"failed"}
    bench.close()
