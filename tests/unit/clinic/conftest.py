# SPDX-License-Identifier: Apache-2.0
"""The clinic that these tests are about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from clinic_support import Clinic


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    made = Clinic(tmp_path)
    yield made
    made.close()
