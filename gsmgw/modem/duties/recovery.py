# SPDX-License-Identifier: Apache-2.0
"""Says what to try next with a modem that does not answer: from mild to rough, ever more slowly.

Theory of operation. Stages in order: get the dialogue into step, initialise, reopen the port, let
the modem reset itself, reset its USB device. Each is tried a limited number of times, with a pause
before it that grows from try to try; after the last stage the port is reopened again and again at
the longest pause. Rough stages are taken only where they can be: AT+CFUN=1,1 only where the profile
says that the modem comes back from it, a USB reset only where the device node may be written.

Threads and locks. None; pure but for the one USB call at the end.
"""

from __future__ import annotations

import fcntl
import os
from enum import StrEnum
from pathlib import Path

from gsmgw.errors import ModemError


class Stage(StrEnum):
    """One kind of attempt."""

    RESYNCHRONISE = "resynchronise"
    INITIALISE = "initialise"
    REOPEN = "reopen"
    RESET = "reset"  #: AT+CFUN=1,1
    USB_RESET = "usb_reset"


#: Stage and how often it is tried.
_LIMITS = (
    (Stage.RESYNCHRONISE, 1),
    (Stage.INITIALISE, 1),
    (Stage.REOPEN, 2),
    (Stage.RESET, 1),
    (Stage.USB_RESET, 1),
)
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 300.0

#: _IO('U', 20) of linux/usbdevice_fs.h.
_USBDEVFS_RESET = 0x5514


class Recovery:
    """Where one modem is in its recovery."""

    def __init__(self) -> None:
        self.attempts = 0  #: since it last worked

    def next_stage(self, *, can_reset: bool, can_reset_usb: bool) -> tuple[Stage, float]:
        """Return the next stage and the pause before it in seconds; counts as an attempt."""
        stages = [
            stage
            for stage, times in _LIMITS
            for _ in range(times)
            if (stage is not Stage.RESET or can_reset)
            and (stage is not Stage.USB_RESET or can_reset_usb)
        ]
        stage = stages[self.attempts] if self.attempts < len(stages) else Stage.REOPEN
        pause_s = 0.0
        if self.attempts > 0:
            pause_s = min(_FIRST_PAUSE_S * 2 ** min(self.attempts - 1, 10), _LONGEST_PAUSE_S)
        self.attempts += 1
        return stage, pause_s

    def succeeded(self) -> None:
        """Begin from the mild end next time: the modem works."""
        self.attempts = 0


def reset_usb(node: Path) -> None:
    """Reset the USB device behind a node such as /dev/bus/usb/001/004; blocks some 100 ms.

    Raises:
        ModemError: the node is not there or not ours to write.
    """
    try:
        fd = os.open(node, os.O_WRONLY | os.O_CLOEXEC)
        try:
            fcntl.ioctl(fd, _USBDEVFS_RESET)
        finally:
            os.close(fd)
    except OSError as error:
        raise ModemError(f"{node} cannot be reset: {error.strerror}") from error
