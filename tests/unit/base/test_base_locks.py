# SPDX-License-Identifier: Apache-2.0
"""Who has the database: said rightly also in the instant in which it changes hands."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gsmgw import errors, locks


def between(monkeypatch: pytest.MonkeyPatch, then: Callable[[], object]) -> None:
    """Let something happen between the first try for a lock and the second."""

    class Moment(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            then()
            return False

    monkeypatch.setattr(locks.threading, "Event", Moment)


def test_a_lock_names_its_holder_until_it_is_released(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert locks.holder(path) is None
    held = locks.Lock(path, "the test")
    held.acquire()
    assert locks.holder(path) == os.getpid()
    with pytest.raises(errors.GsmgwError, match=f"process {os.getpid()}"):
        locks.Lock(path, "the test").acquire()
    held.release()
    assert locks.holder(path) is None


def test_a_daemon_starts_though_somebody_looks_at_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    path.write_text("1\n")
    looking = os.open(path, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    between(monkeypatch, lambda: os.close(looking))
    held = locks.Lock(path, "the test")
    held.acquire()
    assert path.read_text() == f"{os.getpid()}\n"
    held.release()


def test_a_holder_that_has_not_signed_yet_is_named_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    path.write_text("1\n")  # whoever had it before
    taking = os.open(path, os.O_RDWR)
    fcntl.flock(taking, fcntl.LOCK_EX)
    between(monkeypatch, lambda: path.write_text("4711\n"))
    assert locks.holder(path) == 4711
    os.close(taking)


def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    turns, came = locks.Turns(), list[int]()
    assert turns.take(1)

    def ask(number: int) -> None:
        assert turns.take(60)
        came.append(number)
        turns.give()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
    for waiting, thread in enumerate(threads, start=1):
        thread.start()
        while turns.waiting < waiting:
            thread.join(0.001)
    turns.give()
    for thread in threads:
        thread.join()
    assert came == [0, 1, 2]
    assert not turns.is_taken


def test_a_turn_that_does_not_come_in_time_is_given_up() -> None:
    turns = locks.Turns()
    assert turns.take(0)
    assert not turns.take(0.01)
    assert turns.waiting == 0
    turns.give()
    assert turns.take(0)
