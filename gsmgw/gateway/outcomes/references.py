# SPDX-License-Identifier: Apache-2.0
"""The reference counter as evidence: what the next TP-MR says of parts whose fate is unknown.

Most modems give each SMS-SUBMIT the next TP-Message-Reference, 0..255 (3GPP TS 23.040 9.2.3.6),
and the phone counts when it submits. So after a doubtful part the next reference tells: one more
than the last known one, and the doubtful part was never submitted; two more, and it was. Only a
SIM whose references have risen by one eight times running is believed, and only while nothing
else could have moved the counter: no power cycle, no refusal since.

An answer that may have been the doubtful part's own, come late, is no proof yet: it bears the
reference that either of the two would have. It is held until the next one tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: So many steps of exactly one make a counter that is believed.
STEPS_TO_TRUST = 8


class Verdict(StrEnum):
    """What the counter says of the parts in doubt."""

    NOTHING = "nothing"
    NEVER_SUBMITTED = "never-submitted"
    SUBMITTED = "submitted"


@dataclass(frozen=True, slots=True)
class Counter:
    """What is known of a SIM's references."""

    last_mr: int | None  #: of the last part taken; None after anything that may have moved it
    steps: int  #: how often in a row it rose by exactly one
    doubt_mr: int | None  #: `last_mr` when the oldest open doubt arose, if the counter can tell

    @property
    def held(self) -> int:
        """Return how many references have come since the doubt that settle nothing by themselves.

        Each may be of the part that was answered with it, or of one before.
        """
        if self.doubt_mr is None or self.last_mr is None:
            return 0
        return (self.last_mr - self.doubt_mr) % 256

    @property
    def is_trusted(self) -> bool:
        """Tell whether the next reference can be foretold."""
        return self.last_mr is not None and self.steps >= STEPS_TO_TRUST

    def after_doubt(self) -> Counter:
        """Return the counter after a part whose fate is unknown."""
        if self.doubt_mr is not None or not self.is_trusted:
            return self
        return Counter(self.last_mr, self.steps, self.last_mr)

    def after_refusal(self) -> Counter:
        """Return the counter after a refusal: some modems count it, some do not."""
        return Counter(None, self.steps, None)

    def after_power_cycle(self) -> Counter:
        """Return the counter after the modem was away: it may begin anew anywhere."""
        return Counter(None, 0, None)

    def expected_mr(self, doubts: int) -> int | None:
        """Return the reference of the next part in doubt, if there are already so many."""
        return None if self.doubt_mr is None else (self.doubt_mr + 1 + self.held + doubts) % 256

    def after_taken(
        self, mr: int | None, doubts: int, *, shared: bool = False
    ) -> tuple[Counter, Verdict]:
        """Return the counter after a part was taken, and what that says of parts in doubt.

        Args:
            mr: the reference that its answer bore, None where the modem tells none.
            doubts: how many parts before it are in doubt.
            shared: it may be the answer of one of those.
        """
        if mr is None:
            return Counter(None, 0, None), Verdict.NOTHING
        if self.doubt_mr is not None and doubts:
            verdict = self.verdict(mr, doubts, self.held)
            if verdict is Verdict.NOTHING:
                return Counter(mr, 0, None), verdict
            if verdict is Verdict.NEVER_SUBMITTED and shared:
                return Counter(mr, self.steps, self.doubt_mr), Verdict.NOTHING
            return Counter(mr, self.steps + 1, None), verdict
        if self.last_mr is None:
            return Counter(mr, self.steps, None), Verdict.NOTHING
        rose_by_one = (mr - self.last_mr) % 256 == 1
        return Counter(mr, self.steps + 1 if rose_by_one else 0, None), Verdict.NOTHING

    def after_reading(self, last_mr: int, doubts: int) -> tuple[Counter, Verdict]:
        """Return the counter after the SIM told the last reference used, and what that says."""
        if self.doubt_mr is None or not doubts:
            return self, Verdict.NOTHING
        verdict = self.verdict(last_mr + 1, doubts, self.held)
        if verdict is Verdict.NOTHING:
            return self, verdict
        return Counter(last_mr, self.steps, None), verdict

    def verdict(self, mr: int, doubts: int, held: int) -> Verdict:
        """Say what a reference means for the parts in doubt that were tried before it.

        Args:
            mr: the reference.
            doubts: how many are in doubt, of those tried before it.
            held: how many others were answered since the first of them.
        """
        if self.doubt_mr is None:
            return Verdict.NOTHING
        passed = (mr - self.doubt_mr - 1) % 256
        if passed == held:
            return Verdict.NEVER_SUBMITTED
        return Verdict.SUBMITTED if passed == held + doubts else Verdict.NOTHING
