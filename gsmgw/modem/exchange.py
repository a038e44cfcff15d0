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
from gsmgw.at import codes, masking, parser, replies, sorting, storage
from gsmgw.errors import ModemError
from gsmgw.model import Whose
from gsmgw.modem import port

_log = logs.get("modem")

#: A line without an end counts as ended after so much silence, if it reads as a final result.
_SILENCE_ENDS_LINE_S = 0.2
#: Longest single wait, so that `heartbeat_at` shows that this thread is not caught in the kernel.
_LONGEST_WAIT_S = 5.0
#: So many late results are kept until somebody looks: one is owed, more are a modem gone mad.
_KEPT_LATE = 20
#: How long a second result may come after the one that may belong to an earlier submit: twice the
#: longest time that this modem took, at first 2.5 s.
_USUAL_SUBMIT_S = 2.5
_SECOND_RESULT_MIN_S = 1.0
#: A result that may be the earlier submit's shows that the network is slow now: our own is awaited
#: so many times as long as results are otherwise. Stopping must not take longer than systemd waits.
_PATIENTLY = 1.25
#: So long after a submit its result is not expected any more.
_LATE_FOR_S = 300.0
#: Longest search for a silent moment.
_LONGEST_QUIET_S = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a submit, as far as the dialogue can tell."""

    submitted: bool  #: Ctrl-Z has been written
    reference: int | None = None  #: TP-MR of +CMGS
    final: replies.Final | None = None  #: None: none came
    error: ModemError | None = None  #: why there is no answer
    #: it may be the result of the submit before, whose own has not come
    shared: bool = False

    @property
    def taken(self) -> bool:
        """Return whether the modem says that the network took it."""
        told = self.reference is not None or (self.final is not None and self.final.ok)
        return self.submitted and told

    @property
    def is_networks(self) -> bool:
        """Return whether it is the network's word, and not the modem's own.

        A modem lets the network have one submit after the other, so its words come in order; it
        refuses some by itself meanwhile. 27.005 3.2.5: causes of 24.011 and TP-FCS lie below 256.
        """
        if self.taken:
            return True
        final = self.final
        is_cms = final is not None and final.kind is replies.FinalKind.CMS
        return is_cms and final is not None and final.code is not None and final.code < 256

    @property
    def blames_message(self) -> bool:
        """Return whether it was refused for its message's own fault, and for good."""
        final = self.final
        if self.taken or final is None or final.kind is not replies.FinalKind.CMS:
            return False
        return codes.cms(final.code).whose is Whose.MESSAGE


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
        self._overdue = 0  #: results of submits that may come as late as they like
        self._gave_up_on: float | None = None  #: monotonic: when such a submit was made
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
        self._overdue = 0
        self._gave_up_on = None

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
        left_s = 1.0
        while waiting.final is None and left_s > 0:
            left_s = deadline - self._clock.monotonic()
            # Also when the time is over: what is there by then is late because of us.
            self._pump_or_flush(max(left_s, 0.0))
        return waiting.final

    def _quiet(self, silence_s: float) -> None:
        """Read until nothing comes for a moment, a second at most."""
        deadline = self._clock.monotonic() + _LONGEST_QUIET_S
        while self._clock.monotonic() < deadline and self._pump(silence_s):
            pass

    # -- whose result is it ------------------------------------------------------------------------

    def _is_next(self, reference: int | None) -> bool:
        """Return whether a reference counts on as if all submits without a result were taken."""
        last = self._last_reference
        return last is not None and reference == (last + 1 + self._unanswered) % 256

    def _may_still_come(self) -> bool:
        since = self._gave_up_on
        return since is None or self._clock.monotonic() - since < _LATE_FOR_S

    def _second_until(self, heard: Answer, began_at: float, timeout_s: float) -> float:
        """Return until when another result is awaited (monotonic).

        A refusal by the network, and a reference that an earlier submit must have, are that one's
        if the network is slow. Taken for our own, they would have the wrong message sent again.
        """
        now = self._clock.monotonic()
        usual_s = max(2 * (self._longest_s or _USUAL_SUBMIT_S), _SECOND_RESULT_MIN_S)
        until = now + min(timeout_s, usual_s)
        if self._gave_up_on is None:
            return until
        last, reference = self._last_reference, heard.reference
        is_others = (
            last is not None
            and reference is not None
            and (reference - last) % 256 in range(1, self._unanswered + 1)
        )
        if not (is_others if heard.taken else heard.is_networks):
            return until
        return max(until, began_at + _PATIENTLY * timeout_s)

    def _take_spare(self) -> tuple[int | None, replies.Final | None]:
        """Return reference and final result of the next result that was heard beyond one."""
        first = self._spare.pop(0) if self._spare else None
        reference = first if isinstance(first, int) else None
        final = first if isinstance(first, replies.Final) else None
        other = self._spare[0] if self._spare else None
        if reference is not None and isinstance(other, replies.Final) and other.ok:
            self._spare.pop(0)
            return reference, other
        if final is not None and final.ok and isinstance(other, int):
            self._spare.pop(0)  # Huawei E173: OK comes first
            return other, final
        return reference, final

    def _keep_count(self, answer: Answer, began_at: float) -> None:
        if answer.error is not None:
            self._unanswered += 1
            if self._unsettled:
                self._overdue += 1
                if self._gave_up_on is None:
                    self._gave_up_on = began_at
            return
        self._last_reference = answer.reference
        self._unanswered = 0
        if answer.shared:  # this submit's own result may come into the next one
            self._unsettled, self._gave_up_on = True, None
            self._unanswered = int(answer.taken)
        elif not self._unsettled:
            self._gave_up_on = None

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
        is_awaited = self._unsettled or self._overdue > 0
        return is_awaited and final.kind is replies.FinalKind.CMS

    def _keep_late(self, final: replies.Final) -> None:
        self._add_late(Answer(submitted=True, final=final))

    def _add_late(self, answer: Answer) -> None:
        self._unsettled = False
        self._overdue = max(0, self._overdue - 1)
        if len(self.late) < _KEPT_LATE:
            self.late.append(answer)


def in_order(heard: list[Answer]) -> list[Answer]:
    """Return results in the order of their submits, the last one's last."""
    if len(heard) != 2:
        return heard
    first, second = heard
    if first.blames_message != second.blames_message and not (first.taken or second.taken):
        # Both were refused, one for its own fault: the next try tells which.
        return [second, second] if first.blames_message else [first, first]
    if first.reference is not None and second.reference is not None:
        falls = (first.reference - second.reference) % 256 == 1
        return [second, first] if falls else [first, second]
    return [first, second]


def _is_whole(line: str) -> bool:
    """Return whether a line without its end reads as one that ends a command."""
    return replies.parse_final(line) is not None or storage.parse_reference(line) is not None
