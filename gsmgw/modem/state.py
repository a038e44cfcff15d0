# SPDX-License-Identifier: Apache-2.0
"""The table of a modem's life: which event leads from which state to which.

Theory of operation. The worker names what happened; this table alone says what state follows. An
event that a state does not list leaves the state as it is, if it stands in `_IGNORED`, and is a
mistake of the worker otherwise.

Threads and locks. None; pure.
"""

from __future__ import annotations

from enum import StrEnum

from gsmgw.model import ModemState


class Event(StrEnum):
    """What happens to a modem."""

    FOUND = "found"  #: its device file is there
    LOST = "lost"  #: the port is gone, or was never there
    PIN_NEEDED = "pin_needed"  #: the SIM is locked or missing, and a person must act
    INITIALISED = "initialised"  #: all required steps went through; registration unknown
    REGISTERED = "registered"
    UNREGISTERED = "unregistered"
    SILENT = "silent"  #: it did not answer, or its initialisation failed
    RESTARTED = "restarted"  #: it has forgotten its settings, or lost its SIM: initialise it anew
    HUNG = "hung"  #: its thread does not come back from the kernel
    BACK = "back"  #: the thread came back after all


_S = ModemState

#: state: {event: next state}
TABLE: dict[ModemState, dict[Event, ModemState]] = {
    _S.ABSENT: {
        Event.FOUND: _S.OPENING,
    },
    _S.OPENING: {
        Event.PIN_NEEDED: _S.NEEDS_PIN,
        Event.INITIALISED: _S.SEARCHING,
        Event.SILENT: _S.UNRESPONSIVE,
    },
    _S.NEEDS_PIN: {
        Event.INITIALISED: _S.SEARCHING,
        Event.SILENT: _S.UNRESPONSIVE,
    },
    _S.SEARCHING: {
        Event.REGISTERED: _S.READY,
        Event.SILENT: _S.UNRESPONSIVE,
        Event.RESTARTED: _S.OPENING,
    },
    _S.READY: {
        Event.UNREGISTERED: _S.SEARCHING,
        Event.SILENT: _S.UNRESPONSIVE,
        Event.RESTARTED: _S.OPENING,
    },
    _S.UNRESPONSIVE: {
        Event.INITIALISED: _S.SEARCHING,
        Event.PIN_NEEDED: _S.NEEDS_PIN,
    },
    _S.STUCK: {
        Event.BACK: _S.ABSENT,
    },
}
for _state, _row in TABLE.items():
    if _state is not _S.STUCK:
        _row[Event.LOST] = _S.ABSENT
        _row[Event.HUNG] = _S.STUCK

#: Events that say what is so already.
_IGNORED = frozenset(
    {
        (_S.SEARCHING, Event.UNREGISTERED),
        (_S.READY, Event.REGISTERED),
        (_S.UNRESPONSIVE, Event.SILENT),
        (_S.NEEDS_PIN, Event.PIN_NEEDED),
    }
)


def follow(state: ModemState, event: Event) -> ModemState:
    """Return the state after an event.

    Raises:
        ValueError: the event cannot happen in this state.
    """
    following = TABLE[state].get(event)
    if following is not None:
        return following
    if (state, event) in _IGNORED:
        return state
    raise ValueError(f"{event} cannot happen in state {state}")
