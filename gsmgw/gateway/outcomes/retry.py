# SPDX-License-Identifier: Apache-2.0
"""When a refused part is tried again, and whether that still makes sense."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

#: An unclear refusal fails its message after so many tries over at least so long.
UNCLEAR_TRIES = 5
UNCLEAR_TRIES_OVER = dt.timedelta(minutes=30)

#: Rests of a SIM that refused several numbers in a row: the first, the second, all further ones.
RESTS = (dt.timedelta(minutes=1), dt.timedelta(minutes=5), dt.timedelta(minutes=15))

#: A part that modems could not submit so often lets the others go first for a while.
UNTOUCHED_TRIES = 3
UNTOUCHED_PAUSE = dt.timedelta(seconds=30)

#: So many different numbers refused without a success between mean that it is the SIM.
NUMBERS_REFUSED = 3


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """Pauses between tries, in seconds: the first, by what they grow, the longest."""

    first_s: float = 30.0
    factor: float = 2.0
    longest_s: float = 1800.0

    def pause(self, refusals: int) -> dt.timedelta:
        """Return the pause after so many refusals (1 is the first)."""
        # The exponent is bounded, because a float overflows long before a part gives up.
        grown = self.first_s * self.factor ** min(max(refusals, 1) - 1, 64)
        return dt.timedelta(seconds=min(grown, self.longest_s))


def rest(rests: int) -> dt.timedelta:
    """Return how long a SIM rests for the nth time in a row (0 is the first)."""
    return RESTS[min(rests, len(RESTS) - 1)]


def is_exhausted(
    tries: int, first_try: dt.datetime, now: dt.datetime, *, allowed: int = UNCLEAR_TRIES
) -> bool:
    """Tell whether unclear refusals have used up what a message gets."""
    return tries >= allowed and now - first_try >= UNCLEAR_TRIES_OVER
