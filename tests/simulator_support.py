# SPDX-License-Identifier: Apache-2.0
"""A bare client for simulated modems: descriptors and select, nothing of our own driver."""

from __future__ import annotations

import errno
import os
import re
import select
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gsmgw import clock, pdu
from gsmgw.simulator import Simulator

FINAL = re.compile(rb"(?:OK|ERROR|\+CM[ES] ERROR: ?[^\r\n]+|NO CARRIER|COMMAND NOT SUPPORT)\r+\n")

#: Long enough for a busy machine; nothing waits for it when all is well.
PATIENCE_S = 100.0


class Client:
    """One open port."""

    def __init__(self, path: str | Path) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.received = b""
        self._clock = clock.SystemClock()

    def close(self) -> None:
        """Close the port; twice does no harm."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def write(self, octets: bytes) -> None:
        """Write without waiting for an answer."""
        os.write(self.fd, octets)

    def read_some(self, timeout_s: float) -> bool:
        """Read what there is, waiting at most so long; return whether anything came.

        Raises OSError when the device is gone, by an end of file too.
        """
        ready, _, _ = select.select([self.fd], [], [], timeout_s)
        if not ready:
            return False
        octets = os.read(self.fd, 65536)
        if not octets:
            raise OSError(errno.EIO, "end of file")
        self.received += octets
        return True

    def read_until(self, end: bytes | re.Pattern[bytes], timeout_s: float = PATIENCE_S) -> str:
        """Read until a text or pattern is there; return all up to and with it."""
        pattern = re.compile(re.escape(end)) if isinstance(end, bytes) else end
        until = self._clock.monotonic() + timeout_s
        while True:
            match = pattern.search(self.received)
            if match is not None:
                found, self.received = match.string[: match.end()], match.string[match.end() :]
                return found.decode("latin-1")
            left_s = until - self._clock.monotonic()
            if left_s <= 0:
                raise AssertionError(f"waited for {pattern.pattern!r}, got {self.received!r}")
            self.read_some(left_s)

    def at(self, command: str, timeout_s: float = PATIENCE_S) -> str:
        """Write a command and return its whole answer."""
        self.write(command.encode("latin-1") + b"\r")
        return self.read_until(FINAL, timeout_s).strip()

    def lines(self, command: str) -> list[str]:
        """Write a command and return the lines of its answer without empty ones."""
        return [line for line in self.at(command).splitlines() if line]

    def begin(self, tpdu: bytes) -> None:
        """Write a submit up to its Ctrl-Z, without waiting for the answer."""
        self.write(f"AT+CMGS={len(tpdu)}\r".encode())
        self.read_until(re.compile(rb"\r\n> ?"))
        front = pdu.encode_service_centre(None)
        self.write((front + tpdu).hex().upper().encode() + b"\x1a")

    def submit(self, number: str, text: str, *, report: bool = False) -> str:
        """Send a short text and return the answer."""
        self.begin(make_submit(number, text, report=report))
        return self.read_until(FINAL).strip()

    def wait_for_end(self) -> None:
        """Wait until the device goes away, as a pulled stick does; answers before are dropped."""
        try:
            while self.read_some(PATIENCE_S):
                pass
        except OSError:
            return
        raise AssertionError("the device is still there")

    def quiet(self, for_s: float = 0.15) -> bool:
        """Return whether nothing comes for so long."""
        return not self.read_some(for_s)


def make_submit(number: str, text: str, *, report: bool = False, **fields: object) -> bytes:
    """Encode a text of one part."""
    segment = pdu.segment(text, one_part=True)[0]
    return pdu.encode_submit(pdu.Submit(number, segment, report=report, **fields))  # type: ignore[arg-type]


def scenario(**modem: object) -> dict[str, object]:
    """Return a scenario with one modem named front and a fast network."""
    return {
        "modems": [{"name": "front", **modem}],
        "network": {"delivery": "0s", "report": "0s", "retry": "50ms"},
    }


@contextmanager
def one_modem(
    layout: dict[str, object] | None = None, *, quiet: bool = True
) -> Iterator[tuple[Simulator, Client]]:
    """Run a simulator and open its first modem, its echo off."""
    with Simulator(scenario() if layout is None else layout) as simulator:
        client = Client(next(iter(simulator.ports.values())))
        try:
            if quiet:
                client.at("ATE0")
            yield simulator, client
        finally:
            client.close()
