# SPDX-License-Identifier: Apache-2.0
"""Looks for a modem's device again and again: fast when it was pulled out, slower in vain.

Threads and locks. None; belongs to the modem's thread.
"""

from __future__ import annotations

from pathlib import Path

from gsmgw import clock
from gsmgw.modem import discovery, settings

#: How soon an absent device is looked for again: after unplug and replug sending goes on at once.
LOOK_AGAIN_S = 0.5
#: The same while device files are there and none can be used; doubles up to this.
LONGEST_LOOK_S = 30.0


class Finder:
    """Where the device of one modem is, and when to look again."""

    def __init__(self, wanted: settings.Settings, now: clock.Clock, sysfs: Path) -> None:
        self._wanted = wanted
        self._clock = now
        self._sysfs = sysfs
        self._seen: list[str] | None = None  #: device files when it failed last
        self._pause_s = LOOK_AGAIN_S
        self._next_at = float("-inf")
        self.path: str | None = None  #: where the modem was found last

    @property
    def wanted_words(self) -> str:
        """Return what is looked for, for people."""
        if self._wanted.port is not None:
            return self._wanted.port
        if self._wanted.match_imei is not None:
            return f"a modem with IMEI {self._wanted.match_imei}"
        return f"USB device {self._wanted.match_usb}"

    @property
    def asks_imei(self) -> bool:
        """Return whether looking means to write to ports."""
        return self._wanted.port is None and self._wanted.match_imei is not None

    def left_s(self) -> float:
        """Return the seconds until the next look."""
        return max(0.0, self._next_at - self._clock.monotonic())

    def look(self, *, listen_s: float = 0.0) -> discovery.Found | None:
        """Look once; may block some seconds for each port that is asked and does not answer."""
        found = discovery.find(
            self._wanted, self._clock, sysfs=self._sysfs, last=self.path, listen_s=listen_s
        )
        if found is None:
            self.failed()
        else:
            self.path = found.path
        return found

    def failed(self) -> None:
        """Look again soon; more slowly while the same device files are there in vain."""
        seen = discovery.candidates(self._wanted, self._sysfs)
        in_vain = bool(seen) and seen == self._seen
        self._pause_s = min(2 * self._pause_s, LONGEST_LOOK_S) if in_vain else LOOK_AGAIN_S
        self._seen = seen
        self.postpone(self._pause_s)

    def postpone(self, pause_s: float) -> None:
        """Look again after so long."""
        self._next_at = self._clock.monotonic() + pause_s

    def succeeded(self) -> None:
        """Look fast again next time: the modem works."""
        self._seen = None
        self._pause_s = LOOK_AGAIN_S

    def usb_device(self) -> discovery.UsbDevice | None:
        """Return the USB device of the modem, None if it has none or is not found yet."""
        return discovery.usb_device(self.path, self._sysfs) if self.path is not None else None
