# SPDX-License-Identifier: Apache-2.0
"""A clean Debian, the packages built from this tree, and the guard that keeps both from harm."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from debian_support import ROOT, Box, build, image


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse to run where a mount would be everybody's; `unshare --pid` makes us number 1."""
    here = [item for item in items if "tests/package" in item.nodeid]
    if here and os.getpid() != 1:
        raise pytest.UsageError(
            "tests/package wants a namespace of its own; run: make test-package"
        )


@pytest.fixture(scope="session")
def debian() -> Path:
    """Return a clean Debian 12 that nobody changes."""
    return image(ROOT / ".cache")


@pytest.fixture
def box(debian: Path, tmp_path: Path) -> Iterator[Box]:
    """Make a machine of one's own."""
    made = Box(debian, tmp_path / "box")
    yield made
    made.close()


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build the Debian package twice, as two versions: old and new."""
    folder = tmp_path_factory.mktemp("packages")
    versions = {"old": "0.0.1", "new": "99.0"}
    return {
        name: build("deb", "--fast", "--version", version, "--output", str(folder))
        for name, version in versions.items()
    }


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the archive for other systems."""
    return build("dist", "--output", str(tmp_path_factory.mktemp("archive")))
