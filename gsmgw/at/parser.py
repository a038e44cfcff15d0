# SPDX-License-Identifier: Apache-2.0
"""Turns the bytes that a modem sends into lines and prompts.

Theory of operation. Modems frame their answers as CR LF text CR LF (ITU-T V.250 5.7.1), and nearly
all of them break that somewhere. The rules, all independent of how the bytes are cut into reads:

- CR, LF, Ctrl-Z and ESC each end a line; an empty line is nothing. So doubled ends, a missing CR or
  LF, and an echo of our own Ctrl-Z or ESC right before the answer need no case of their own.
- NUL and the other control bytes are dropped wherever they stand (some USB sticks send NULs while
  they start).
- Blanks, and bytes over 0x7E, are dropped where a line would begin: no answer begins with one, and
  line noise must not hide the answer behind it.
- `>` where a line would begin is the prompt of 3GPP TS 27.005 3.5.1, reported at once: some modems
  send a blank behind it, some do not, and waiting for the blank would hang with the latter.
- A line longer than `MAX_LINE` is cut; the rest of it is dropped up to its end.

Threads and locks. None; a parser belongs to the thread that owns the port.

Known limits. A line whose end never comes stays in `pending`; the port decides by silence when to
call `flush()`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Longest line kept, in bytes. The longest in practice is an answer to AT+CLAC of about 5 kB.
MAX_LINE = 16384

_CTRL_Z = 0x1A
_ESC = 0x1B
_KEPT_CONTROLS = frozenset((0x0A, 0x0D, _CTRL_Z, _ESC))
_DROPPED = bytes(b for b in range(0x20) if b not in _KEPT_CONTROLS)
_NOISE = b" " + bytes(range(0x7F, 0x100))
_PIECE = re.compile(rb"[\r\n\x1a\x1b]|[^\r\n\x1a\x1b]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end, each byte one character (Latin-1), trailing blanks removed."""

    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """The modem waits for a PDU."""


Event = Line | Prompt

_PROMPT = Prompt()


class Parser:
    """Collects bytes and gives lines; see the rules on top of this file."""

    def __init__(self) -> None:
        self._line = bytearray()

    @property
    def pending(self) -> str:
        """Return the line begun and not yet ended."""
        return self._line.decode("latin-1").rstrip()

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes as they were read and return what they complete; never raises."""
        events: list[Event] = []
        for piece in _PIECE.findall(data.translate(None, _DROPPED)):
            if piece[0] < 0x20:
                self._end_line(events)
            else:
                self._add(piece, events)
        return events

    def flush(self) -> list[Event]:
        """End the pending line now, because its end does not come."""
        events: list[Event] = []
        self._end_line(events)
        return events

    def reset(self) -> None:
        """Forget the pending line."""
        self._line.clear()

    def _add(self, piece: bytes, events: list[Event]) -> None:
        if not self._line:
            begun = piece.lstrip(_NOISE + b">")
            events.extend([_PROMPT] * piece.count(b">", 0, len(piece) - len(begun)))
            piece = begun
        self._line += piece[: MAX_LINE - len(self._line)]

    def _end_line(self, events: list[Event]) -> None:
        if self._line:
            events.append(Line(self._line.decode("latin-1").rstrip()))
            self._line.clear()
