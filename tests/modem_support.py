# SPDX-License-Identifier: Apache-2.0
"""A modem played from a table over a real pty, for tests of port, dialogue and driver.

`PlayedModem({"AT+CSQ": "+CSQ: 17,99\r\nOK"})` answers what stands in the table, ERROR to the rest,
and keeps what it was sent in `heard`. An answer may be a callable of the command, or None for
silence. Submits take the next entry of `results`.
"""

from __future__ import annotations

import os
import pty
import select
import threading
import time
import tty
from collections.abc import Callable

Answer = str | bytes | None | Callable[[str], "str | bytes | None"]


class PlayedModem:
    """The other end of a pty, in a thread of its own until `close`."""

    def __init__(
        self,
        answers: dict[str, Answer] | None = None,
        *,
        results: list[Answer] | None = None,
        prompt: bytes = b"\r\n> ",
        echo: bool = False,
        piece: int = 0,
        delay_s: float = 0.0,
    ) -> None:
        self.answers: dict[str, Answer] = {"AT": "OK", **(answers or {})}
        self.results = list(results or [])
        self.prompt = prompt
        self.echo = echo
        self.piece = piece
        self.delay_s = delay_s
        self.heard: list[str] = []
        self.submitted: list[str] = []
        self.escapes = 0
        self._in_prompt = False
        self._typed = bytearray()
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._stop_r, self._stop_w = os.pipe()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="played-modem", daemon=True)
        self._thread.start()

    def __enter__(self) -> PlayedModem:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def say(self, octets: bytes | str) -> None:
        """Send bytes now."""
        octets = octets.encode("latin-1") if isinstance(octets, str) else octets
        step = self.piece or len(octets) or 1
        with self._lock:
            for at in range(0, len(octets), step):
                os.write(self.master, octets[at : at + step])
                if self.piece:
                    time.sleep(0.0002)

    def unplug(self) -> None:
        """Let the device vanish, as a pulled stick does."""
        self._end_thread()
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def close(self) -> None:
        self.unplug()
        if self._slave >= 0:
            os.close(self._slave)
            os.close(self._stop_r)
            os.close(self._stop_w)
            self._slave = -1

    def _end_thread(self) -> None:
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            os.write(self._stop_w, b"x")
            self._thread.join()

    def _run(self) -> None:
        while True:
            ready, _, _ = select.select([self.master, self._stop_r], [], [])
            if self._stop_r in ready:
                return
            for octet in os.read(self.master, 4096):
                self._hear(octet)

    def _hear(self, octet: int) -> None:
        if self.echo:
            self.say(bytes([octet]))
        if octet == 0x1B:
            self.escapes += 1
            self._typed.clear()
            if self._in_prompt:
                self._in_prompt = False
                self.say("\r\nOK\r\n")
        elif self._in_prompt:
            if octet == 0x1A:
                self._in_prompt = False
                self._result(self._typed.decode())
                self._typed.clear()
            else:
                self._typed.append(octet)
        elif octet == 0x0D:
            command = self._typed.decode("latin-1").strip()
            self._typed.clear()
            self._obey(command)
        else:
            self._typed.append(octet)

    def _obey(self, command: str) -> None:
        self.heard.append(command)
        if self.delay_s:
            time.sleep(self.delay_s)
        if command.startswith("AT+CMGS=") and command not in self.answers:
            self._in_prompt = True
            self.say(self.prompt)
            return
        answer = self.answers.get(command, self.answers.get("*", "ERROR"))
        self._say_answer(answer(command) if callable(answer) else answer)

    def _result(self, pdu: str) -> None:
        self.submitted.append(pdu)
        if self.delay_s:
            time.sleep(self.delay_s)
        answer = self.results.pop(0) if self.results else "+CMGS: 1\r\n\r\nOK"
        self._say_answer(answer(pdu) if callable(answer) else answer)

    def _say_answer(self, answer: str | bytes | None) -> None:
        if isinstance(answer, str):
            self.say(f"\r\n{answer}\r\n")
        elif answer is not None:
            self.say(answer)
