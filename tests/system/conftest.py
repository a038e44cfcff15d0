# SPDX-License-Identifier: Apache-2.0
"""The tests of the system run in a namespace of their own, and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse to run where a mount would be everybody's."""
    here = [item for item in items if "tests/system" in item.nodeid]
    if here and not _is_alone():
        raise pytest.UsageError("tests/system wants a namespace of its own; run: make test-system")


def _is_alone() -> bool:
    """Tell whether we are root of a user namespace other than the first one."""
    mapping = Path("/proc/self/uid_map").read_text(encoding="ascii").split()
    whole = mapping == ["0", "0", "4294967295"]
    return os.geteuid() == 0 and not whole
