# SPDX-License-Identifier: Apache-2.0
"""Who has the database: said rightly also in the instant in which it changes hands."""

from __future__ import annotations

import datetime as dt
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


class Still:
    """A clock that stands still until it is moved."""

    seconds = 0.0

    def now(self) -> dt.datetime:
        return dt.datetime(2026, 11, 22, tzinfo=dt.UTC)

    def monotonic(self) -> float:
        return self.seconds


def test_a_piece_ends_when_somebody_waits_for_a_turn() -> None:
    turns = locks.Turns()
    assert turns.take(1)
    with locks.Pace(turns, Still()).piece() as piece:
        assert [piece.is_over() for _ in range(100)] == [False] * 100
        thread = threading.Thread(target=turns.take, args=(60,))
        thread.start()
        while not turns.waiting:
            thread.join(0.001)
        assert piece.is_over()
        turns.give()
        thread.join()
        assert not piece.is_over()


def test_a_piece_goes_on_for_one_step_whoever_waits() -> None:
    class Busy(locks.Turns):
        waiting = 1

    with locks.Pace(Busy(), Still()).piece() as piece:
        assert not piece.is_over()
        assert piece.is_over()


def test_a_piece_ends_after_a_while() -> None:
    clock = Still()
    with locks.Pace(locks.Turns(), clock).piece() as piece:
        assert not piece.is_over()
        clock.seconds += locks.PIECE_S
        assert piece.is_over()


def test_there_is_a_gap_between_the_pieces_of_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "GAP_S", 3600.0)
    monkeypatch.setattr(locks, "LONGEST_GAP_S", 3600.0)
    pace, pauses = locks.Pace(locks.Turns(), Still()), list[float]()
    for _ in range(2):
        with pytest.raises(KeyError), pace.piece(pauses.append):
            raise KeyError
    assert len(pauses) == 1
    assert 3000 < pauses[0] <= 3600


def test_pieces_of_two_works_do_not_overlap() -> None:
    pace, inside, seen = locks.Pace(locks.Turns(), Still()), list[int](), list[int]()

    def work() -> None:
        for _ in range(5):
            with pace.piece(lambda _seconds: None):
                inside.append(1)
                seen.append(len(inside))
                threading.Event().wait(0.001)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 15
