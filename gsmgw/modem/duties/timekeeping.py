# SPDX-License-Identifier: Apache-2.0
"""Reads the modem's own clock, where a network sets it: it may judge ours after a jump."""

from __future__ import annotations

import datetime as dt

from gsmgw.at import network
from gsmgw.clock import JumpWatch
from gsmgw.modem.duties.station import Station

#: How often it is read without a reason, in seconds.
EVERY_S = 3600.0


class Timekeeping:
    """One modem's clock; belongs to the modem's thread."""

    def __init__(self, at: Station) -> None:
        self._at = at
        self._jumps = JumpWatch(at.clock)
        self._due_at = 0.0  #: monotonic
        self._has_clock = True

    def begin_anew(self) -> None:
        """The modem was initialised: it may be another one, or know the time by now."""
        self._due_at, self._has_clock = 0.0, True

    def read_if_due(self) -> None:
        """Read it once an hour, and at once when our wall time has jumped; one command.

        Raises:
            ModemSilentError, PortLostError: as any command.
        """
        now = self._at.clock.monotonic()
        if not self._jumps.has_jumped() and now < self._due_at:
            return
        self._due_at = now + EVERY_S
        shown = self._shown()
        if shown is not None:
            self._at.gateway.modem_clock(self._at.name, shown)

    def _shown(self) -> dt.datetime | None:
        if not self._has_clock:
            return None
        reply = self._at.talk.command("AT+CCLK?", prefixes=("+CCLK:",))
        # A modem that knows no clock is not asked again until it is initialised anew.
        self._has_clock = reply.ok
        return network.parse_clock(reply.first or "") if reply.ok else None
