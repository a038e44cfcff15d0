# SPDX-License-Identifier: Apache-2.0
"""Tells the gateway how a modem is, when that has changed.

Threads and locks. `stuck_report` may be called by any thread; all else belongs to the modem's.
"""

from __future__ import annotations

import dataclasses

from gsmgw.model import ModemReport, ModemState
from gsmgw.modem.duties import finding, station

#: Changes of signal are told in steps of so many dB.
_SIGNAL_STEP_DB = 5


class Teller:
    """The words about one modem."""

    def __init__(self, at: station.Station, finder: finding.Finder) -> None:
        self._at = at
        self._finder = finder
        self._told: ModemReport | None = None

    def begin(self) -> None:
        """Tell all anew."""
        self._told = None

    def report(self, state: ModemState, why: str, power: str | None) -> ModemReport:
        """Return how the modem is.

        Args:
            state: where it is in its life.
            why: a reason, for people.
            power: another value than before: it was without power meanwhile.
        """
        signal = self._at.drive.report.signal_dbm
        if signal is not None:
            signal = round(signal / _SIGNAL_STEP_DB) * _SIGNAL_STEP_DB
        return dataclasses.replace(
            self._at.drive.report,
            state=state,
            why=why,
            port=self._finder.path,
            signal_dbm=signal,
            power=power,
        )

    def tell(self, report: ModemReport) -> None:
        """Tell what is new.

        Raises:
            StoreError: it was not taken; told again the next time.
        """
        if report != self._told:
            self._at.gateway.changed(report)
            self._told = report

    def stuck_report(self) -> ModemReport:
        """Return what to tell of a modem whose thread does not come back."""
        return dataclasses.replace(
            self._at.drive.report,
            state=ModemState.STUCK,
            why="its thread is caught in the kernel",
            port=self._finder.path,
        )
