# SPDX-License-Identifier: Apache-2.0
"""A voice call to a modem: it rings, shows the number, and ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gsmgw.simulator import books


@dataclass(frozen=True, slots=True)
class Bell:
    """What a call needs of its modem."""

    say: Callable[[str], None]
    after: Callable[[float, Callable[[], None]], object]
    clip_after_s: float


class IncomingCall:
    """One call, from its first ring to its end. Loop thread only."""

    def __init__(
        self, record: books.Call, rings: int, every_s: float, bell: Bell, on_end: Callable[[], None]
    ) -> None:
        self.record = record
        self.answered = False
        self._left = rings
        self._every_s = every_s
        self._bell = bell
        self._on_end = on_end

    def ring(self, *, extended: bool, shows_number: bool) -> bool:
        """Ring once, if the caller is still there; return whether it rang.

        Args:
            extended: the program wants `+CRING: VOICE` (AT+CRC=1).
            shows_number: the program wants `+CLIP` (AT+CLIP=1).
        """
        if self.record.ended_by is not None or self.answered:
            return False
        if self._left == 0:
            self.end("caller")
            return False
        self._left -= 1
        self.record.rings += 1
        self._bell.say("+CRING: VOICE" if extended else "RING")
        if shows_number and self._bell.clip_after_s > 0:
            self._bell.after(self._bell.clip_after_s, self._show_number)
        elif shows_number:
            self._show_number()
        return True

    @property
    def every_s(self) -> float:
        """Seconds from ring to ring."""
        return self._every_s

    def end(self, who: str) -> None:
        """End it; that the caller has hung up is told to the program."""
        if self.record.ended_by is None:
            self.record.ended_by = who
            self._on_end()
            if who == "caller":
                self._bell.say("NO CARRIER")

    def _show_number(self) -> None:
        number = self.record.number
        if self.record.ended_by is not None:
            return
        shown = '"",128,"",0,"",1' if number is None else f'"{number}",145,"",0,"",0'
        self._bell.say(f"+CLIP: {shown}")
