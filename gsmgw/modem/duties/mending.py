# SPDX-License-Identifier: Apache-2.0
"""Carries out what is tried with a modem that does not answer, stage by stage.

Threads and locks. None; belongs to the modem's thread.
"""

from __future__ import annotations

import contextlib
import os

from gsmgw import logs
from gsmgw.at import replies
from gsmgw.errors import ModemSilentError
from gsmgw.modem import port
from gsmgw.modem.duties import finding, recovery, station

_log = logs.get("modem")


class Mender:
    """The attempts at one modem; `plan` says which, `recovery` in which order."""

    def __init__(
        self,
        at: station.Station,
        line: port.Port,
        finder: finding.Finder,
        plan: recovery.Recovery,
    ) -> None:
        self._at = at
        self._port = line
        self._finder = finder
        self._plan = plan
        self._stage = recovery.Stage.RESYNCHRONISE

    def choose(self, why: str) -> float:
        """Choose the next stage; return the pause before it in seconds."""
        device = self._finder.usb_device()
        self._stage, pause_s = self._plan.next_stage(
            can_reset=self._at.drive.facts.profile.reset_returns,
            can_reset_usb=device is not None and os.access(device.node, os.W_OK),
        )
        _log.warning(
            "modem.silent",
            key=("modem",),
            first=6,
            modem=self._at.name,
            why=why,
            attempt=self._plan.attempts,
            next=self._stage,
            pause_s=pause_s,
        )
        return pause_s

    def attempt(self) -> str | None:
        """Do what was chosen; return why the device is away now, None if it should answer.

        Raises:
            ModemSilentError: it still does not answer.
            PortLostError, ModemError: the port is gone, or could not be reset.
        """
        _log.info(
            "modem.recovering",
            limit=True,
            key=("modem",),
            first=6,
            modem=self._at.name,
            stage=self._stage,
        )
        if self._stage is recovery.Stage.RESYNCHRONISE:
            self._at.talk.resynchronise()
        elif self._stage is recovery.Stage.REOPEN:
            self._port.close()
        elif self._stage is recovery.Stage.RESET:
            with contextlib.suppress(ModemSilentError):
                self._at.talk.write_blind("AT+CFUN=1,1")
            return "the modem was told to reset itself"
        elif self._stage is recovery.Stage.USB_RESET:
            device = self._finder.usb_device()
            self._port.close()
            if device is not None:
                recovery.reset_usb(device.node)
            return "its USB device was reset"
        return None

    def hears_restart(self) -> bool:
        """Return whether the modem says that it starts: somebody has switched it off and on."""
        talk = self._at.talk
        if not any(replies.is_restart(one.text) for one in talk.unsolicited):
            return False
        talk.drop_unsolicited(lambda one: one.pdu is None)
        return True
