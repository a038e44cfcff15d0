# SPDX-License-Identifier: Apache-2.0
"""What the daemon tells systemd: ready, reloading, stopping, a line of status, and that it lives.

The protocol of sd_notify(3): a datagram of `NAME=value` lines to the socket in NOTIFY_SOCKET.
Without that variable nothing is sent. Nothing here raises or blocks for longer than a full socket
buffer takes, and that at most a second.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time

# A datagram waits only while systemd's buffer is full; better lose a notice than hang with it.
_SEND_TIMEOUT_S = 1.0


def notify(*assignments: str) -> bool:
    """Send assignments such as "READY=1" in one datagram; tell whether it could be sent."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    # "@" stands for the NUL byte of Linux' abstract names, unix(7).
    path = f"\0{address[1:]}" if address.startswith("@") else address
    payload = "\n".join(assignments).encode("utf-8", "backslashreplace")
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.settimeout(_SEND_TIMEOUT_S)
        channel.sendto(payload, path)
        return True
    return False


def ready(words: str = "") -> None:
    """Say that the start, or a reload, is complete, with a line for `systemctl status`."""
    notify("READY=1", *_status(words))


def reloading() -> None:
    """Say that the configuration is being read again; `ready` must follow."""
    # Type=notify-reload wants CLOCK_MONOTONIC itself here, not a clock that tests can set.
    now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    notify("RELOADING=1", f"MONOTONIC_USEC={now_us}")


def stopping() -> None:
    """Say that the daemon is going down by itself or by request."""
    notify("STOPPING=1")


def status(words: str) -> None:
    """Set the line that `systemctl status` shows."""
    notify(*_status(words))


def watchdog() -> None:
    """Say that the daemon lives; to be said at least once in `interval_s`."""
    notify("WATCHDOG=1")


def interval_s() -> float | None:
    """Return how often `watchdog` is to be called, half of systemd's limit; None: not at all."""
    limit = os.environ.get("WATCHDOG_USEC", "")
    process = os.environ.get("WATCHDOG_PID", "")
    if not (limit.isascii() and limit.isdecimal() and int(limit) > 0):
        return None
    if process and process != str(os.getpid()):
        return None
    return int(limit) / 2_000_000


def _status(words: str) -> tuple[str, ...]:
    return (f"STATUS={' '.join(words.split())}",) if words else ()
