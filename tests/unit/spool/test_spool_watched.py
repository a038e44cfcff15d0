# SPDX-License-Identifier: Apache-2.0
"""Programs that wait for file events see what is put away and handed out, as smsd's do."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from spool_support import Bench, make_deliver

from gsmgw.spool import files

IN_CLOSE_WRITE = 0x08
_HEAD = struct.Struct("iIII")


class Watch:
    """What `inotifywait -m -e close_write FOLDER` would print."""

    def __init__(self, folder: Path) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._libc.inotify_add_watch(self._descriptor, os.fsencode(folder), IN_CLOSE_WRITE)

    def names(self) -> list[str]:
        try:
            octets = os.read(self._descriptor, 65536)
        except BlockingIOError:
            return []
        found, at = [], 0
        while at < len(octets):
            *_, length = _HEAD.unpack_from(octets, at)
            at += _HEAD.size
            found.append(os.fsdecode(octets[at : at + length].rstrip(b"\0")))
            at += length
        return found

    def close(self) -> None:
        os.close(self._descriptor)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path)
    yield found
    found.close()


@pytest.fixture
def watches(bench: Bench) -> Iterator[dict[str, Watch]]:
    made = {name: Watch(bench.place.folder(name)) for name in ("sent", "failed", "incoming")}
    yield made
    for watch in made.values():
        watch.close()


def test_an_answer_is_written_and_closed(bench: Bench, watches: dict[str, Watch]) -> None:
    bench.receive(make_deliver("Tak"))
    bench.hand_out()
    assert watches["incoming"].names() == ["front.000001"]


def test_what_was_sent_and_what_was_refused(bench: Bench, watches: dict[str, Watch]) -> None:
    bench.take("X", "To: 48500100201\n\nHello\n")
    bench.take("Y", "To: nobody\n\nHello\n")
    bench.send(1, 7)
    bench.put_away()
    assert watches["sent"].names() == ["X"]
    assert watches["failed"].names() == ["Y"]


def test_a_result_document_comes_before_its_file(bench: Bench, watches: dict[str, Watch]) -> None:
    bench.take("X", '{"recipient": "+48500100201", "text": "Hello"}')
    bench.send(1, 7)
    bench.put_away()
    assert watches["sent"].names() == ["X.result.json", "X"]


def test_what_is_no_longer_there_is_no_trouble(tmp_path: Path) -> None:
    files.tell_watchers(tmp_path / "gone")
    os.mkfifo(tmp_path / "pipe")
    files.tell_watchers(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    files.tell_watchers(tmp_path / "link")
