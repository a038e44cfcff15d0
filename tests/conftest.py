# SPDX-License-Identifier: Apache-2.0
"""What all tests share: no thread is left behind, log calls format, the store is a real one."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import factories
import pytest
from fakes import FakeClock
from hypothesis import HealthCheck, settings

from gsmgw import logs
from gsmgw.config import Config
from gsmgw.model import LogLevel
from gsmgw.store.database import Database

_EVENT = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*\Z")
#: Areas in which the product speaks; tests of the log itself say what they like.
_AREAS = frozenset(
    {"store", "gateway", "intake", "modem", "spool", "daemon", "config", "threads", "watch", "cli"}
)
#: A thread that was told to end may need so long on a busy machine.
_PATIENCE_S = 60.0

# A shared machine may stop anybody for seconds: no example has a deadline, the suite has one, and
# slow data is nobody's fault. The examples are the same in every run, so that a change is judged by
# what it changes and not by chance; `make fuzz` takes new ones, for as long as one likes.
settings.register_profile(
    "suite",
    deadline=None,
    max_examples=100,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("suite")

# What tests start may keep what it compiled: a daemon then is up in two thirds of the time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + _PATIENCE_S
    left = set(threading.enumerate()) - before
    for thread in left:
        thread.join(max(0.0, deadline - time.monotonic()))
    names = sorted(thread.name for thread in left if thread.is_alive())
    assert not names, f"threads left behind: {names}"


@pytest.fixture(autouse=True)
def _log_calls_format(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    write = logs._log
    wrong: list[str] = []

    def checked(
        level: LogLevel, area: str, event: str, fields: dict[str, object], *options: Any
    ) -> None:
        try:
            logs.format_line(level, event, fields)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test is to fail
            wrong.append(f"{event}: {error!r}")
        if area in _AREAS and not _EVENT.match(event):
            wrong.append(f"{event!r} is not noun.verb")
        write(level, area, event, fields, *options)

    monkeypatch.setattr(logs, "_log", checked)
    yield
    assert not wrong


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def config() -> Config:
    return factories.make_config()


@pytest.fixture
def db(tmp_path: Path, clock: FakeClock) -> Iterator[Database]:
    database = factories.make_database(tmp_path, clock)
    yield database
    database.close()
