# SPDX-License-Identifier: Apache-2.0
"""What a modem's worker asks of the gateway and hands back to it: the only way between the two.

Every call runs in the modem's own thread and may block as long as the store does. Results of parts
(`settle`, `late_answer`) are kept by the gateway until the store takes them: those calls raise only
what does not pass by itself. Other calls may raise any `StoreError`; the worker keeps what it had.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from gsmgw.errors import StoreBusyError, StoreFullError
from gsmgw.model import InboundPdu, ModemReport, PartToSend, SimIdentity, SubmitResult

#: Errors of the store that pass by themselves: keep what was to be recorded and try again.
STORE_PASSING = (StoreBusyError, StoreFullError)


@dataclass(frozen=True, slots=True)
class ModemCommand:
    """One line for a modem, run between parts."""

    command_id: int
    kind: str  #: a value of `model.CommandKind`
    line: str


class Gateway(Protocol):
    """The gateway as a worker sees it."""

    def attach(self, modem: str, report: ModemReport) -> None:
        """Learn modem and SIM; called at every initialisation, before any claim or sweep."""

    def changed(self, report: ModemReport) -> None:
        """Learn that state, signal (in steps of 5 dB), operator or storages changed."""

    def in_flight(self, modem: str) -> PartToSend | None:
        """Return the part of this modem that is still `sending` from before (crash, lost port)."""

    def claim(self, modem: str) -> PartToSend | None:
        """Return the next part this modem may send; the claim is committed."""

    def wait_begins(self, modem: str) -> None:
        """Learn that the modem's thread, which has no part, is about to wait for something to do.

        Until `wait_ends` a part may be claimed for it.
        """

    def wait_ends(self, modem: str) -> PartToSend | None:
        """Return the part that was claimed since `wait_begins`; the claim is committed."""

    def settle(self, modem: str, result: SubmitResult, *, claim_next: bool) -> PartToSend | None:
        """Record a result and, in the same commit, claim the next part if asked to.

        A busy or full store is no error: the result is kept and None returned.
        """

    def late_answer(self, modem: str, result: SubmitResult) -> None:
        """Record an answer that came after its part had been settled as uncertain; as `settle`."""

    def flush(self, modem: str) -> None:
        """Record results that the store did not take before, if there are any; as `settle`."""

    def received(self, arrival: InboundPdu) -> int:
        """Store a PDU and return its id; committed when this returns.

        Raises:
            StoreError: it is not stored, so it must not be deleted from the modem.
        """

    def deleted(self, received_id: int) -> None:
        """Learn that the modem confirmed the deletion of a stored PDU."""

    def missed_call(self, modem: str, number: str | None) -> None:
        """Record one missed call; number None when withheld."""

    def next_command(self, modem: str) -> ModemCommand | None:
        """Return a command that a person asked for, once."""

    def command_done(self, command_id: int, answer: str, error: str | None) -> None:
        """Record the answer of a command, or why there is none."""

    def may_try_pin(self, sim_key: str, pin: str) -> bool:
        """Return whether this PIN may be tried on this SIM; True only once, recorded before."""

    def pin_accepted(self, sim_key: str) -> None:
        """Learn that the SIM took the PIN."""

    def pin_refused(self, sim_key: str) -> None:
        """Learn that the SIM refused the PIN."""

    def remembered_service_centre(self, sim: SimIdentity) -> str | None:
        """Return the service centre number last seen on this SIM."""

    def modem_clock(self, modem: str, shown: dt.datetime) -> None:
        """Learn what the modem's own clock shows just now, an aware time; never blocks."""

    def smss_reading(self, modem: str, last_mr: int) -> None:
        """Learn the last TP-MR used that the SIM has stored in EF_SMSS."""
