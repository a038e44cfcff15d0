# SPDX-License-Identifier: Apache-2.0
"""The exchange of lines with a modem: reads, sorts and keeps account of who still owes an answer.

Theory of operation. Bytes are read from the port, cut into lines (`at.parser`) and sorted
(`at.sorting`): answer of the command that waits, or unsolicited. Beside that the exchange keeps
account: how many final results are owed by commands that were given up, whether the result of a
submit is among them, and what of it came late. `Dialogue` builds commands and submits on this.

Threads and locks. None; one thread owns an exchange. `heartbeat_at` may be read by others.

On failure. `PortLostError` when the port is gone; everything else is a value.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from gsmgw import clock, logs
from gsmgw.at import masking, parser, replies, sorting, storage
from gsmgw.errors import ModemError
from gsmgw.modem import port

_log = logs.get("modem")

#: A line without an end counts as ended after so much silence, if it reads as a final result.
_SILENCE_ENDS_LINE_S = 0.2
#: Longest single wait, so that `heartbeat_at` shows that this thread is not caught in the kernel.
_LONGEST_WAIT_S = 1.0
#: So many late results are kept until somebody looks: one is owed, more are a modem gone mad.
_KEPT_LATE = 20
#: Longest search for a silent moment.
_LONGEST_QUIET_S = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a submit, as far as the dialogue can tell."""

    submitted: bool  #: Ctrl-Z has been written
    reference: int | None = None  #: TP-MR of +CMGS
    final: replies.Final | None = None  #: None: none came
    error: ModemError | None = None  #: why there is no answer

    @property
    def taken(self) -> bool:
        """Return whether the modem says that the network took it."""
        told = self.reference is not None or (self.final is not None and self.final.ok)
        return self.submitted and told


class Exchange:
    """Lines to and from one modem."""

    def __init__(self, line: port.Port, *, name: str = "", now: clock.Clock | None = None) -> None:
        self._port = line
        self._name = name
        self._clock = now or clock.SystemClock()
        self._parser = parser.Parser()
        self._sorter = sorting.Sorter()
        self._waiting: sorting.Expectation | None = None
        self._offering = False  #: a prompt is awaited
        self._prompted = False
        self._in_step = False
        self._owed = 0  #: final results of commands that we gave up
        self._strays = 0  #: final results so far that nobody waited for
        self._unsettled = False  #: the result of a submit is among them
        self._reference: int | None = None  #: of +CMGS, while a submit waits for it
        #: what was heard beyond one result while a submit waits for it
        self._spare: list[int | replies.Final] = []
        self._untold = 0  #: submits in a row that were answered without a reference
        self._last_reference: int | None = None  #: of the last submit that was answered
        self._unanswered = 0  #: submits since then whose result did not come
        self._longest_s: float | None = None  #: the longest time that a result took
        self._submitting = False
        self.is_quiet = False  #: it has obeyed ATE0: an echo means that it has begun anew
        self.late: deque[Answer] = deque()  #: results of submits that came after we gave up
        self.heartbeat_at = self._clock.monotonic()  #: monotonic; when this thread last went on

    @property
    def unsolicited(self) -> deque[sorting.Unsolicited]:
        """Return what came unasked and was not looked at yet, oldest first; the reader pops it."""
        return self._sorter.unsolicited

    @property
    def in_step(self) -> bool:
        """Return whether the next final result will belong to the next command."""
        return self._in_step

    def opened(self) -> None:
        """Begin anew on a port that was just opened; the first command resynchronises.

        What came with a PDU stays: it stands nowhere else.
        """
        self._parser.reset()
        self._sorter.clear()
        self.drop_unsolicited(lambda one: one.pdu is None)
        self._in_step = False
        self._owed = 0
        self._untold = 0
        self._last_reference = None
        self._unanswered = 0
        self._unsettled = False

    def drop_unsolicited(self, unwanted: Callable[[sorting.Unsolicited], bool]) -> None:
        """Forget what came unasked and has no meaning any more."""
        for one in [one for one in self.unsolicited if unwanted(one)]:
            self.unsolicited.remove(one)

    def doubt(self) -> None:
        """Declare the dialogue out of step: an answer did not fit its command."""
        self._in_step = False

    def take_echoed(self) -> bool:
        """Return whether the modem has echoed since the last call."""
        echoed, self._sorter.echoed = self._sorter.echoed, False
        return echoed

    def await_unsolicited(self, head: str, timeout_s: float) -> sorting.Unsolicited | None:
        """Take the first unsolicited code of that name (`+CUSD`), waiting for it, else None.

        The others stay where they are.

        Raises:
            PortLostError: the port is gone.
        """
        deadline = self._clock.monotonic() + timeout_s
        while True:
            for one in self.unsolicited:
                if replies.head(one.text) == head:
                    self.unsolicited.remove(one)
                    return one
            left_s = deadline - self._clock.monotonic()
            if left_s <= 0:
                return None
            self._pump(left_s)

    def write_blind(self, line: str) -> None:
        """Write a line and await nothing: for a modem that does not answer any more.

        Raises:
            PortLostError, ModemSilentError: it could not be written.
        """
        self._in_step = False
        self._write_line(line, masking.mask(line))

    def end_call(self) -> None:
        """Forget the call that was announced: it is over or hung up."""
        self._sorter.ringing = False

    def _write_line(self, line: str, shown: str) -> None:
        _log.debug("modem.wrote", modem=self._name, line=shown)
        self._sorter.wrote(line)
        self._port.write(line.encode("latin-1", "replace") + b"\r")

    def _await_final(self, deadline: float) -> replies.Final | None:
        waiting = self._waiting
        assert waiting is not None
        while waiting.final is None:
            left_s = deadline - self._clock.monotonic()
            if left_s <= 0:
                return None
            self._pump_or_flush(left_s)
        return waiting.final

    def _quiet(self, silence_s: float) -> None:
        """Read until nothing comes for a moment, a second at most."""
        deadline = self._clock.monotonic() + _LONGEST_QUIET_S
        while self._clock.monotonic() < deadline and self._pump(silence_s):
            pass

    # -- bytes to lines ---------------------------------------------------------------------------

    def _pump_or_flush(self, left_s: float) -> None:
        pending = self._parser.pending
        if pending and _is_whole(pending):
            if not self._pump(min(left_s, _SILENCE_ENDS_LINE_S)):
                self._sort(self._parser.flush())
            return
        self._pump(left_s)

    def _pump(self, timeout_s: float, wake_fd: int | None = None) -> bool:
        """Read once and sort what came; return whether anything came."""
        octets = self._port.read(min(timeout_s, _LONGEST_WAIT_S), wake_fd)
        self.heartbeat_at = self._clock.monotonic()
        if octets:
            self._sort(self._parser.feed(octets))
        return bool(octets)

    def _sort(self, events: list[parser.Event]) -> None:
        for event in events:
            if isinstance(event, parser.Prompt):
                self._take_prompt()
            else:
                self._take_line(event.text)

    def _take_prompt(self) -> None:
        if not self._offering:
            # A prompt that nobody waits for: commands would end in a message. ESC closes it.
            self._in_step = False
        self._prompted = True

    def _take_line(self, text: str) -> None:
        _log.debug("modem.read", modem=self._name, line=masking.Masked(text))
        reference = storage.parse_reference(text)
        if reference is not None:
            self._take_reference(reference)
            return
        final = self._sorter.take(text, self._waiting)
        if final is None:
            return
        self._strays += 1
        self._owed = max(0, self._owed - 1)
        if self._submitting and len(self._spare) < _KEPT_LATE:
            self._spare.append(final)
        elif self._is_late(final):
            self._keep_late(final)

    def _take_reference(self, reference: int) -> None:
        if self._submitting:
            refused = self._waiting and self._waiting.final and not self._waiting.final.ok
            if self._reference is None and not refused:
                self._reference = reference
            elif len(self._spare) < _KEPT_LATE:
                self._spare.append(reference)
            return
        self._add_late(Answer(submitted=True, reference=reference))
        if self._waiting is not None:
            self._in_step = False  # its OK will be taken for the answer of the command that waits

    def _is_late(self, final: replies.Final) -> bool:
        return self._unsettled and final.kind is replies.FinalKind.CMS

    def _keep_late(self, final: replies.Final) -> None:
        self._add_late(Answer(submitted=True, final=final))

    def _add_late(self, answer: Answer) -> None:
        self._unsettled = False
        if len(self.late) < _KEPT_LATE:
            self.late.append(answer)


def _is_whole(line: str) -> bool:
    """Return whether a line without its end reads as one that ends a command."""
    return replies.parse_final(line) is not None or storage.parse_reference(line) is not None
