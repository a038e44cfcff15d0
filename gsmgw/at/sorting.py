# SPDX-License-Identifier: Apache-2.0
"""Decides for every line of a modem whether it answers the command or came unasked.

Theory of operation. The one who sends a command says how its answer lines begin. A line that begins
otherwise is unsolicited, wherever it stands. So a +CMTI inside the answer of AT+CSQ is neither lost
nor read as a signal strength. Rules, first match wins:

1. A line equal to one of the last lines that we wrote is an echo and is dropped.
2. Inside an unfinished quote of +CUSD it continues that text, unless it is the final result that
   the command waits for.
3. A line of hexadecimal digits belongs to the newest header that still lacks its PDU: +CMGL and
   +CMGR of the command, or +CMT, +CDS, +CBM. The two lines may come in separate reads.
4. While a command waits: a final result ends it. NO CARRIER and BUSY do not while a call rings:
   they tell of that call.
5. While a command waits: a line with one of its prefixes is its answer; where the command's answer
   has no prefix (AT+CGMI), any line that is no known unsolicited code.
6. Everything else is unsolicited.

Threads and locks. None.

Known limits. A line that is damaged on the way is unsolicited and unknown; what it meant is found
again by the next sweep or poll.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from gsmgw.at import replies

#: Unsolicited codes kept until somebody looks; more are noise, and the sweep is the truth.
KEPT_UNSOLICITED = 1000

#: An answer longer than this, in characters, is cut: a modem that never stops must not fill the
#: memory. The listing of a full memory with 500 places has 200 000; the next sweep reads the rest.
LONGEST_ANSWER = 1_000_000
#: What a line takes beside its characters.
_LINE_COST = 100

#: Shortest hexadecimal line that can be the PDU of +CMT, +CDS: service centre 1 octet, first octet,
#: an empty sender 2, PID, DCS, time stamp 7, length (3GPP TS 23.040 9.2.2.1). Longer than an IMEI,
#: an IMSI and an ICCID, which consist of hexadecimal digits too.
SHORTEST_PDU = 2 * 14

_WITH_PDU = ("+CMGL", "+CMGR")


@dataclass(frozen=True, slots=True)
class Unsolicited:
    """What a modem says unasked."""

    text: str
    pdu: str | None = None  #: second line of +CMT, +CDS, +CBM, hexadecimal


@dataclass(slots=True)
class Expectation:
    """What the command that waits wants to see."""

    prefixes: tuple[str, ...] | None  #: in capitals; None: the answer has no prefix
    lines: list[str] = field(default_factory=list)
    final: replies.Final | None = None
    room: int = LONGEST_ANSWER

    def add(self, line: str) -> None:
        """Take a line of the answer, unless it has become too long."""
        self.room -= len(line) + _LINE_COST
        if self.room >= 0:
            self.lines.append(line)


class Sorter:
    """Sorts lines by the rules on top of this file."""

    def __init__(self) -> None:
        self.unsolicited: deque[Unsolicited] = deque(maxlen=KEPT_UNSOLICITED)
        self.ringing = False  #: a call is announced and not yet ended
        self.echoed = False  #: the modem has repeated what we wrote; the reader sets it back
        self._written: deque[str] = deque(maxlen=4)
        self._header: str | None = None  #: unsolicited, its PDU not there yet
        self._header_in_answer = False  #: the same for a header of the command's own answer
        self._quote: list[str] = []  #: lines of an unfinished +CUSD

    def wrote(self, line: str) -> None:
        """Remember a line, to know its echo."""
        self._written.append(line)

    def clear(self) -> None:
        """Forget what is unfinished: the port was opened anew."""
        self._written.clear()
        self._header = None
        self._header_in_answer = False
        self._quote.clear()
        self.ringing = False
        self.echoed = False

    def take(self, text: str, waiting: Expectation | None) -> replies.Final | None:
        """Sort one line; returns it as final result if it is one that nobody waits for."""
        if text in self._written:
            self.echoed = True
            return None
        final = replies.parse_final(text)
        if self._continues_quote(text, final if waiting else None):
            return None
        if self._completes_header(text, waiting):
            return None
        if final is not None:
            return self._end(text, final, waiting)
        if waiting is not None and self._answers(text, waiting):
            waiting.add(text)
            self._header_in_answer = replies.head(text) in _WITH_PDU
            if self._header_in_answer:
                self._header = None
            return None
        self._add_unsolicited(text)
        return None

    def _end(
        self, text: str, final: replies.Final, waiting: Expectation | None
    ) -> replies.Final | None:
        if final.kind is replies.FinalKind.CALL and self.ringing:
            self.ringing = False
            self.unsolicited.append(Unsolicited(text))
            return None
        self._header_in_answer = False
        if waiting is None or waiting.final is not None:
            return final
        waiting.final = final
        return None

    def _continues_quote(self, text: str, final: replies.Final | None) -> bool:
        if not self._quote:
            return False
        if final is None:
            self._quote.append(text)
            if text.count('"') % 2 == 0 and len(self._quote) < 20:
                return True
        self.unsolicited.append(Unsolicited("\n".join(self._quote)))
        self._quote.clear()
        return final is None

    def _completes_header(self, text: str, waiting: Expectation | None) -> bool:
        # An unsolicited header that is there came after the answer's: an answer's header clears it.
        if self._header is not None and replies.is_hex(text, SHORTEST_PDU):
            self.unsolicited.append(Unsolicited(self._header, text))
            self._header = None
            return True
        if self._header_in_answer and waiting is not None and replies.is_hex(text):
            waiting.add(text)
            self._header_in_answer = False
            return True
        return False

    def _answers(self, text: str, waiting: Expectation) -> bool:
        if waiting.prefixes is None:
            return not replies.unsolicited_lines(text)
        return replies.matches(text, waiting.prefixes)

    def _add_unsolicited(self, text: str) -> None:
        if replies.unsolicited_lines(text) == 2:
            self._header = text
            return
        if replies.head(text) == "+CUSD" and text.count('"') % 2:
            self._quote.append(text)
            return
        if replies.is_ringing(text):
            self.ringing = True
        self.unsolicited.append(Unsolicited(text))
