# SPDX-License-Identifier: Apache-2.0
"""What the gateway remembers of a modem while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from gsmgw.model import ModemState, SubmitResult


@dataclass
class Session:
    """One modem's; of its thread, or of the one that has reserved its place (see `waiting`)."""

    sim_id: int | None = None
    sim_key: str | None = None
    state: ModemState = ModemState.ABSENT
    attached: bool = False
    cycled_sim: int | None = None  #: its modem was lost, and the store does not know yet
    in_flight: int | None = None  #: the part that its thread holds
    unsettled: list[SubmitResult] = field(default_factory=list)
    wary: bool = False  #: the last part was refused, and nobody knows whether for its number
    pause_until: float = 0.0  #: monotonic
    pause_s: float = 0.0
