# SPDX-License-Identifier: Apache-2.0
"""The journal's end of its socket, for tests of what is sent there."""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from pathlib import Path


def parse(datagram: bytes) -> dict[str, str]:
    """Read the native form: NAME=value lines, or NAME, length and octets."""
    found: dict[str, str] = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        if b"=" in line:
            name, _, value = line.partition(b"=")
        else:
            (length,) = struct.unpack_from("<Q", rest)
            name, value, rest = line, rest[8 : 8 + length], rest[8 + length + 1 :]
        found[name.decode()] = value.decode()
        datagram = rest
    return found


class Listener:
    """journald's end of the socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)

    def next(self) -> dict[str, str]:
        """Return the next event, also one that came as a sealed file."""
        octets, [*files], _, _ = socket.recv_fds(self._socket, 1 << 20, 1)
        if files:
            with os.fdopen(files[0], "rb") as large:
                large.seek(0)
                octets = large.read()
        return parse(octets)

    def is_empty(self) -> bool:
        """Tell whether nothing waits."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        return False

    def until(self, event: str, timeout_s: float = 60) -> dict[str, str]:
        """Wait for an event and return it; those before it are passed over."""
        deadline = time.monotonic() + timeout_s
        while True:
            ready, _, _ = select.select([self._socket], [], [], deadline - time.monotonic())
            assert ready, f"{event} did not come"
            found = self.next()
            if found["GSMGW_EVENT"] == event:
                return found

    def close(self) -> None:
        """Take the socket away."""
        self._socket.close()
        self.path.unlink(missing_ok=True)
