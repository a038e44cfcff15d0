# SPDX-License-Identifier: Apache-2.0
"""Support for tests of the base modules: a clock that only the test moves, services that obey."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

from gsmgw.threads import StopToken

#: For waits that end much earlier; only a broken thing waits so long.
LONG_S = 100.0


class HandClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.at = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
        self.seconds = 1000.0

    def now(self) -> dt.datetime:
        return self.at

    def monotonic(self) -> float:
        return self.seconds

    def move(self, seconds: float) -> None:
        self.at += dt.timedelta(seconds=seconds)
        self.seconds += seconds


class ObedientService:
    """A service that writes down what is done with it, and fails where it is told to."""

    def __init__(self, name: str, diary: list[str] | None = None) -> None:
        self.name = name
        self.diary = diary if diary is not None else []
        self.open_error: Exception | None = None
        self.step_errors: list[Exception] = []
        self.close_error: Exception | None = None
        self.stepped = threading.Semaphore(0)
        self.hold: threading.Event | None = None
        self.held = threading.Event()  #: it has come to where it is held

    def open(self) -> None:
        self.diary.append(f"{self.name} open")
        if self.open_error is not None:
            raise self.open_error

    def step(self, stop: StopToken) -> None:
        if self.hold is not None:
            self.held.set()
            self.hold.wait(LONG_S)
        if self.step_errors:
            raise self.step_errors.pop(0)
        self.stepped.release()
        stop.wait(0.01)

    def close(self) -> None:
        self.diary.append(f"{self.name} close")
        if self.close_error is not None:
            raise self.close_error


def eventually(condition: Callable[[], bool]) -> bool:
    """Wait until the condition holds, at most LONG_S; tell whether it does."""
    pause = threading.Event()
    for _ in range(int(LONG_S / 0.005)):
        if condition():
            return True
        pause.wait(0.005)
    return condition()
