# SPDX-License-Identifier: Apache-2.0
"""The wire of a simulated modem: a pseudo terminal under a stable name, with a quality.

The simulator holds the slave side open too, so that it does not notice programs that come and go,
as a modem does not. What it writes while nobody reads waits in the terminal, as it would in a
modem; what exceeds the terminal and 4 MiB more is lost.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import tty
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gsmgw import errors
from gsmgw.simulator import loop

_HELD_MAX = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Quality:
    """How good the wire is."""

    gap_s: float | None = None  #: bytes go out one by one with this pause; None: as they come
    delay_s: float = 0.0  #: what the program writes arrives this much later
    inside: str | None = None  #: an unsolicited line put inside every answer


class Line:
    """A pty whose slave is found under `link`. Loop thread only."""

    def __init__(self, owner: loop.Loop, link: Path, quality: Quality) -> None:
        self.link = link
        self.quality = quality
        self._loop = owner
        self._master = self._slave = -1
        self._target = ""
        self._held = bytearray()
        self._byte_timer: loop.Timer | None = None
        self._on_bytes: Callable[[bytes], None] = _ignore
        self._opened = 0

    @property
    def is_plugged(self) -> bool:
        """Whether there is a device."""
        return self._master >= 0

    def plug(self, on_bytes: Callable[[bytes], None]) -> None:
        """Make the device and its link.

        Raises:
            GsmgwError: something that is no symbolic link stands under the name, or the directory
                cannot be written.
        """
        if self.is_plugged:
            return
        self._on_bytes = on_bytes
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        target = os.ttyname(slave)
        try:
            _make_link(self.link, target)
        except OSError as error:
            os.close(master)
            os.close(slave)
            raise errors.GsmgwError(f"cannot make the port {self.link}: {error}") from error
        self._master, self._slave, self._target = master, slave, target
        self._opened += 1
        self._loop.watch(master, self._read)

    def unplug(self) -> None:
        """Take the link away and the device with it; who has it open reads an end of file."""
        if not self.is_plugged:
            return
        self._loop.forget(self._master)
        with contextlib.suppress(OSError):
            if str(self.link.readlink()) == self._target:
                self.link.unlink()
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1
        self._held.clear()
        if self._byte_timer is not None:
            self._byte_timer.cancel()
            self._byte_timer = None

    def write(self, octets: bytes) -> None:
        """Send to the program; never blocks."""
        if not self.is_plugged:
            return
        if self.quality.gap_s is not None:
            self._held += octets
            if self._byte_timer is None:
                self._write_one()
            return
        if not self._held:
            octets = octets[self._write_some(octets) :]
        if octets:
            self._held += octets[: _HELD_MAX - len(self._held)]
            self._loop.watch_writable(self._master, self._write_held)

    def _write_some(self, octets: bytes | bytearray) -> int:
        try:
            return os.write(self._master, octets)
        except BlockingIOError:
            return 0

    def _write_held(self) -> None:
        del self._held[: self._write_some(self._held)]
        if not self._held:
            self._loop.watch_writable(self._master, None)

    def _write_one(self) -> None:
        self._byte_timer = None
        del self._held[: self._write_some(self._held[:1])]
        if self._held:
            self._byte_timer = self._loop.after(self.quality.gap_s or 0.0, self._write_one)

    def _read(self) -> None:
        try:
            octets = os.read(self._master, 4096)
        except BlockingIOError:
            return  # the event was meant for an earlier device with the same descriptor
        if self.quality.delay_s > 0:
            opened = self._opened
            self._loop.after(self.quality.delay_s, lambda: self._arrive(octets, opened))
        else:
            self._on_bytes(octets)

    def _arrive(self, octets: bytes, opened: int) -> None:
        if self.is_plugged and opened == self._opened:
            self._on_bytes(octets)


def _ignore(_octets: bytes) -> None:
    """Stand in for the modem until the line is plugged."""


def _make_link(link: Path, target: str) -> None:
    """Set the link in one step, so that nobody finds it half made."""
    if link.exists() and not link.is_symlink():
        raise FileExistsError(f"{link} is there and is no symbolic link")
    link.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=link.parent) as directory:
        fresh = Path(directory) / link.name
        fresh.symlink_to(target)
        fresh.replace(link)
