# SPDX-License-Identifier: Apache-2.0
import pytest

from gsmgw.model import ModemState
from gsmgw.modem import state
from gsmgw.modem.state import Event


def test_every_state_has_a_way_on_and_every_target_exists():
    assert set(state.TABLE) == set(ModemState)
    for row in state.TABLE.values():
        assert row
        assert set(row.values()) <= set(ModemState)


def test_every_state_can_be_reached_from_absent_and_lost_leads_back():
    reached, fresh = {ModemState.ABSENT}, {ModemState.ABSENT}
    while fresh:
        fresh = {to for at in fresh for to in state.TABLE[at].values()} - reached
        reached |= fresh
    assert reached == set(ModemState)
    for at in set(ModemState) - {ModemState.STUCK}:
        assert state.follow(at, Event.LOST) is ModemState.ABSENT


def test_a_life():
    at = ModemState.ABSENT
    for event, expected in [
        (Event.FOUND, "opening"),
        (Event.INITIALISED, "searching"),
        (Event.UNREGISTERED, "searching"),
        (Event.REGISTERED, "ready"),
        (Event.REGISTERED, "ready"),
        (Event.SILENT, "unresponsive"),
        (Event.SILENT, "unresponsive"),
        (Event.PIN_NEEDED, "needs_pin"),
        (Event.PIN_NEEDED, "needs_pin"),
        (Event.INITIALISED, "searching"),
        (Event.RESTARTED, "opening"),
        (Event.HUNG, "stuck"),
        (Event.BACK, "absent"),
    ]:
        at = state.follow(at, event)
        assert at == expected


def test_what_cannot_happen_is_a_mistake():
    with pytest.raises(ValueError, match="registered cannot happen"):
        state.follow(ModemState.ABSENT, Event.REGISTERED)
