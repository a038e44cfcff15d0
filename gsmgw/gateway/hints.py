# SPDX-License-Identifier: Apache-2.0
"""Wake-ups between the services of the daemon: they carry no data and may be lost.

Every service looks for work by itself every few seconds; a hint only makes it look now.
"""

from __future__ import annotations

from collections.abc import Callable

from gsmgw.threads import Wake

#: What only our own services give rise to is looked for so often, for the hint that was lost;
#: more often, and the looks are what an idle day costs.
IDLE_S = 5.0


class Hints:
    """One wake-up for each kind of work. Callable from any thread; never blocks."""

    def __init__(self) -> None:
        self.results = Wake()  #: a message was settled: its file may be put away
        self.handouts = Wake()  #: something arrived, or a report is to be told
        self.hooks = Wake()  #: the event handler is to be run
        self.housekeeping = Wake()  #: the clock jumped, or a setting changed
        self.clinic = Wake()  #: something arrived, or a file of the clinic was taken
        self.clinic_out = Wake()  #: answers or lists of the clinic have changed
        self._modems: list[Callable[[], None]] = []

    def add_modem(self, wake: Callable[[], None]) -> None:
        """Add a worker to those told of due parts."""
        self._modems.append(wake)

    def due(self) -> None:
        """Tell the modems that a part may be due, or a command waits."""
        for wake in self._modems:
            wake()
