# SPDX-License-Identifier: Apache-2.0
"""What the daemon does to its own process."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from gsmgw import daemon


class _Round:
    """Something that holds itself, as the services of a configuration do."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("_thawed")
def test_what_is_loaded_is_left_out_of_the_collectors_rounds() -> None:
    here = _Round()
    daemon.spare_collector()
    assert not any(one is here for one in gc.get_objects())
    assert gc.get_freeze_count() > 0


@pytest.mark.usefixtures("_thawed")
def test_what_an_earlier_configuration_held_is_given_back_at_the_next() -> None:
    earlier = _Round()
    known = weakref.ref(earlier)
    daemon.spare_collector()
    del earlier
    assert known() is not None
    daemon.spare_collector()
    assert known() is None
