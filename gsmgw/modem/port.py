# SPDX-License-Identifier: Apache-2.0
"""The device file of a modem: opens it for us alone, reads, writes, waits; knows bytes, not AT.

Theory of operation. pyserial opens and configures the device; reading and writing then go to its
descriptor directly, which is never blocking, with `poll` for every wait. So no call here can hang
longer than it was told to, save in the kernel itself (a driver that never returns from `open` or
`close`), and nothing stands between the modem's byte and us.

Differences from what pyserial does by itself:

- exclusive, so that two programs never share a modem;
- HUPCL is cleared: closing the port must not hang up on an answer that is on its way;
- input waiting in the device is not thrown away when the port is opened: it may be the late answer
  that decides about a part;
- output still waiting is thrown away before closing: the kernel would else wait 30 s for it;
- what was written is awaited by asking how much is still to go (TIOCOUTQ): tcdrain has no limit.

Threads and locks. None; one thread owns a port.

On failure. Everything that the system reports becomes `PortLostError`; the port is then closed and
may be opened again.
"""

from __future__ import annotations

import array
import contextlib
import errno
import fcntl
import os
import select
import termios

import serial

from gsmgw import clock
from gsmgw.errors import ModemSilentError, PortLostError

_READ_SIZE = 4096
#: First and longest pause between two looks at the output queue, seconds.
_DRAIN_FIRST_S = 0.0005
_DRAIN_LONGEST_S = 0.01
_READABLE = select.POLLIN | select.POLLHUP | select.POLLERR | select.POLLNVAL


class _Serial(serial.Serial):
    """pyserial without its flush of what waits in the device when it is opened."""

    def _reset_input_buffer(self) -> None:
        """Keep the input: a late answer may be in it."""


class Port:
    """One device file. All times are in seconds."""

    def __init__(
        self,
        path: str,
        *,
        baudrate: int = 115200,
        rtscts: bool = False,
        write_timeout_s: float = 5.0,
        now: clock.Clock | None = None,
    ) -> None:
        self.path = path
        self._baudrate = baudrate
        self._rtscts = rtscts
        self._write_timeout_s = write_timeout_s
        self._clock = now or clock.SystemClock()
        self._serial: _Serial | None = None
        self._fd = -1
        self._reader = select.poll()

    @property
    def is_open(self) -> bool:
        """Return whether the port is open and not known to be lost."""
        return self._serial is not None

    def fileno(self) -> int:
        """Return the descriptor, -1 when closed."""
        return self._fd

    def device(self) -> str | None:
        """Return a name of the open device that changes when it was away; None if unknown.

        The node under /dev is made anew when a device is plugged in or the machine starts; reading
        and writing change the other times of a node, but not this one.
        """
        try:
            status = os.fstat(self._fd)
        except OSError:
            return None
        return f"{status.st_rdev:x}-{status.st_ino}-{status.st_ctime_ns}"

    def open(self) -> None:
        """Open and lock the device; a second call does nothing.

        Raises:
            PortLostError: it is not there, not ours to use, or held by another program.
        """
        if self._serial is not None:
            return
        try:
            opened = _Serial(
                port=self.path,
                baudrate=self._baudrate,
                rtscts=self._rtscts,
                timeout=0,
                write_timeout=self._write_timeout_s,
                exclusive=True,
            )
        except (OSError, ValueError, termios.error) as error:
            raise PortLostError(_reason_to_open(self.path, error)) from error
        self._serial = opened
        self._fd = opened.fileno()
        self._reader = select.poll()
        self._reader.register(self._fd, select.POLLIN)
        self._keep_lines_up()

    def _keep_lines_up(self) -> None:
        try:
            settings = termios.tcgetattr(self._fd)
            settings[2] &= ~termios.HUPCL
            termios.tcsetattr(self._fd, termios.TCSANOW, settings)
        except (OSError, termios.error) as error:
            raise self._lost(error) from error

    def close(self) -> None:
        """Close the device and unlock it; never raises, a second call does nothing."""
        opened, self._serial, self._fd = self._serial, None, -1
        if opened is None:
            return
        with contextlib.suppress(OSError, termios.error):
            if _waiting_to_leave(opened.fileno()):
                termios.tcflush(opened.fileno(), termios.TCOFLUSH)
        with contextlib.suppress(OSError, termios.error):
            opened.close()

    def read(self, timeout_s: float, wake_fd: int | None = None) -> bytes:
        """Return what is there, waiting at most so long for a first byte; b"" if none came.

        With `wake_fd` the wait also ends when that descriptor is readable; it is not read.

        Raises:
            PortLostError: the port is gone.
        """
        if self._serial is None:
            raise PortLostError(f"{self.path} is not open")
        if wake_fd is not None:
            self._reader.register(wake_fd, select.POLLIN)
        try:
            ready = self._reader.poll(max(0.0, timeout_s) * 1000)
        finally:
            if wake_fd is not None:
                self._reader.unregister(wake_fd)
        for fd, events in ready:
            if fd == self._fd and events & _READABLE:
                return self._read_now()
        return b""

    def _read_now(self) -> bytes:
        try:
            got = os.read(self._fd, _READ_SIZE)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._lost(error) from error
        if not got:  # readable and nothing there: the end of a device that was unplugged
            raise self._lost(None)
        return got

    def write(self, octets: bytes) -> None:
        """Hand all octets to the kernel.

        Raises:
            PortLostError: the port is gone.
            ModemSilentError: the modem does not take them within the time for writing.
        """
        if self._serial is None:
            raise PortLostError(f"{self.path} is not open")
        deadline = self._clock.monotonic() + self._write_timeout_s
        rest = memoryview(octets)
        while rest:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:
                self._wait_writable(deadline)
            except OSError as error:
                raise self._lost(error) from error

    def _wait_writable(self, deadline: float) -> None:
        left_s = deadline - self._clock.monotonic()
        writer = select.poll()
        writer.register(self._fd, select.POLLOUT)
        if left_s <= 0 or not writer.poll(left_s * 1000):
            raise ModemSilentError(f"{self.path} takes no bytes")

    def drain(self) -> None:
        """Wait until what was written has left the kernel, as long as writing may take.

        Raises:
            PortLostError: the port is gone.
            ModemSilentError: bytes are still waiting after the time for writing.
        """
        deadline = self._clock.monotonic() + self._write_timeout_s
        pause_s = _DRAIN_FIRST_S
        while self._is_leaving():
            if self._clock.monotonic() >= deadline:
                raise ModemSilentError(f"{self.path} takes no bytes")
            select.select([], [], [], pause_s)
            pause_s = min(2 * pause_s, _DRAIN_LONGEST_S)

    def _is_leaving(self) -> bool:
        try:
            return _waiting_to_leave(self._fd) > 0
        except OSError as error:
            if error.errno in (errno.ENOTTY, errno.EINVAL):
                return False  # a device without this question has no queue that we could await
            raise self._lost(error) from error

    def _lost(self, error: BaseException | None) -> PortLostError:
        self.close()
        reason = "the device is gone" if error is None else _reason(error)
        return PortLostError(f"{self.path}: {reason}")


def _waiting_to_leave(fd: int) -> int:
    """Return how many written bytes are still in the kernel."""
    count = array.array("i", [0])
    fcntl.ioctl(fd, termios.TIOCOUTQ, count)
    return count[0]


def _reason(error: BaseException) -> str:
    number = getattr(error, "errno", None)
    return os.strerror(number) if isinstance(number, int) else str(error)


def _reason_to_open(path: str, error: BaseException) -> str:
    number = getattr(error, "errno", None)
    if number in (errno.EAGAIN, errno.EBUSY):
        return f"{path} is held by another program"
    return f"{path} cannot be opened: {_reason(error)}"
