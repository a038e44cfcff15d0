# SPDX-License-Identifier: Apache-2.0
"""The clinics that these tests are about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clinic_saying_support import Desk, Make
from clinic_support import Clinic


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    made = Clinic(tmp_path)
    yield made
    made.close()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make clinics that say what is due, each with its own configuration."""
    made: list[Desk] = []

    def desk(**groups: Any) -> Desk:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Desk(folder, **groups))
        return made[-1]

    yield desk
    for one in made:
        one.close()


@pytest.fixture
def desk(make: Make) -> Desk:
    """Make the clinic of the specification's examples."""
    return make()
