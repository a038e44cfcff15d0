# SPDX-License-Identifier: Apache-2.0
"""What all duties of one modem work with."""

from __future__ import annotations

from dataclasses import dataclass

from gsmgw import clock
from gsmgw.modem import dialogue, driver, gateway_port, settings


@dataclass(frozen=True, slots=True)
class Station:
    """One modem and whom it works for; belongs to the modem's thread."""

    wanted: settings.Settings
    drive: driver.Driver
    talk: dialogue.Dialogue
    gateway: gateway_port.Gateway
    clock: clock.Clock

    @property
    def name(self) -> str:
        """Return the modem's name."""
        return self.wanted.name
