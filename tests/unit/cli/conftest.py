# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the command line's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cli_support
import doctor_support
import pytest

from gsmgw import logs


@pytest.fixture
def place(tmp_path: Path) -> Iterator[cli_support.Place]:
    """A configuration and a database of its own; the log is left as it was found."""
    made = cli_support.Place(tmp_path)
    yield made
    made.database.close()
    logs.configure()


@pytest.fixture
def ward(monkeypatch: pytest.MonkeyPatch) -> Iterator[doctor_support.Ward]:
    """An installation that is well until the test breaks it; the log is left as it was found."""
    made = doctor_support.Ward(monkeypatch)
    yield made
    made.close()
    logs.configure()
