# SPDX-License-Identifier: Apache-2.0
"""The gateway that these tests are about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alarm_support import Box, make_box
from gateway_support import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.close()


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    made = make_box(tmp_path, monkeypatch)
    yield made
    made.close()
