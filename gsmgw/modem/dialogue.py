# SPDX-License-Identifier: Apache-2.0
"""Speaks AT with a modem: a command and its answer, a submit and its outcome, back into step.

Theory of operation. One command at a time. While it waits, everything that comes is sorted
(`sorting`): its answer, its final result, and what came unasked, which waits in `unsolicited`.

*In step* means that the next final result belongs to the next command. A time-out ends that: the
answer may come late and would be taken for the answer to the next command, from then on for ever.
So after a time-out nothing is asked before `resynchronise` has run: ESC ends a prompt that may
stand open (the modem would swallow every command as message text), then AT is sent until every
answer has come that is still owed, or until two in a row were answered exactly once with silence
after them.

A *submit* has one instant that matters: Ctrl-Z. The PDU is written and has left the kernel before
Ctrl-Z is written alone. What fails before it was surely not sent (`submitted` is False); what is
unclear after it may have been sent. An answer that comes after we gave up is kept in `late`. It may
even come in the middle of the next submit and would be taken for its answer, so that one is sent
twice or lost: a result that need not be our own is believed only if no second one follows it.

Threads and locks. None; one thread owns a dialogue. `heartbeat_at` may be read by others.

On failure. `PortLostError`: close and open again. `ModemSilentError`: the dialogue is out of step
and gets into step by itself at the next command, or raises again. A refused command is a value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gsmgw import logs
from gsmgw.at import masking, replies, sorting
from gsmgw.errors import CommandFailedError, ModemError, ModemSilentError
from gsmgw.modem import exchange

_log = logs.get("modem")

#: For commands that the modem answers by itself. 27.007 gives no times; Huawei, SIMCom and Quectel
#: manuals give 0.3 to 5 s for those that ask the SIM.
COMMAND_TIMEOUT_S = 10.0
#: How long the prompt of AT+CMGS may take. Some modems ask the SIM for the service centre first.
PROMPT_TIMEOUT_S = 10.0
#: How long OK may come after +CMGS, and +CMGS after OK (Huawei E173: OK comes first).
_OTHER_HALF_S = 2.0
#: So many OK in a row without +CMGS, and it is awaited no longer: some modems never tell one.
_UNTOLD_MAX = 3
#: Resynchronising: time for one answer to AT; silence before it; silence after it, to which the
#: time is added that the modem took, because a late answer comes with the same delay.
_ROUND_S = 1.0
_QUIET_BEFORE_S = 0.05
_QUIET_AFTER_S = 0.1


@dataclass(frozen=True, slots=True)
class Reply:
    """What a modem answered to a command."""

    command: str  #: masked
    lines: tuple[str, ...]
    final: replies.Final

    @property
    def ok(self) -> bool:
        """Return whether the command succeeded."""
        return self.final.ok

    @property
    def first(self) -> str | None:
        """Return the first line of information, None if there is none."""
        return self.lines[0] if self.lines else None

    def raise_for_error(self) -> Reply:
        """Return self if the command succeeded.

        Raises:
            CommandFailedError: it did not; with kind and code.
        """
        if not self.final.ok:
            kind = self.final.kind.value
            raise CommandFailedError(
                self.command, kind if kind in ("CME", "CMS") else "ERROR", self.final.code
            )
        return self


class Dialogue(exchange.Exchange):
    """The AT dialogue over one open port."""

    # -- commands ---------------------------------------------------------------------------------

    def command(
        self,
        line: str,
        *,
        prefixes: tuple[str, ...] | None = (),
        timeout_s: float = COMMAND_TIMEOUT_S,
        secret: bool = False,
    ) -> Reply:
        """Send one command line and return its answer; blocks until then.

        Args:
            line: without its end.
            prefixes: how its lines of information begin, in capitals; None if they have no prefix.
            timeout_s: until the final result.
            secret: keep the line out of logs and errors altogether.

        Raises:
            ModemSilentError: no final result in time, or the modem does not get into step.
            PortLostError: the port is gone.
        """
        if not self._in_step:
            self.resynchronise()
        shown = line.partition("=")[0] + "=***" if secret else masking.mask(line)
        self._pump(0)
        self._waiting = sorting.Expectation(prefixes)
        try:
            self._write_line(line, shown)
            final = self._await_final(self._clock.monotonic() + timeout_s)
            lines = tuple(self._waiting.lines)
        finally:
            self._waiting = None
        if final is None:
            self._give_up()
            raise ModemSilentError(f"{shown} was not answered within {timeout_s:g} s")
        if not self._in_step:
            raise ModemSilentError(f"{shown}: another answer came in between")
        return Reply(shown, lines, final)

    def _give_up(self) -> None:
        self._in_step = False
        self._owed += 1

    # -- submit -----------------------------------------------------------------------------------

    def submit(
        self,
        pdu: str,
        length: int,
        *,
        timeout_s: float,
        prompt_timeout_s: float = PROMPT_TIMEOUT_S,
        on_written: Callable[[], None] | None = None,
    ) -> exchange.Answer:
        """Submit one PDU with AT+CMGS (27.005 4.3); blocks until the result or the time-out.

        Never raises: what went wrong is in the answer, with whether Ctrl-Z was written.

        Args:
            pdu: hexadecimal, with service centre address.
            length: octets of the TPDU, without service centre address.
            timeout_s: from Ctrl-Z to the result.
            prompt_timeout_s: from AT+CMGS to the prompt.
            on_written: called right after Ctrl-Z was written.
        """
        try:
            refused = self._offer(pdu, length, prompt_timeout_s)
        except ModemError as error:
            self._in_step = False
            return exchange.Answer(submitted=False, error=error)
        finally:
            self._waiting = None
            self._offering = False
        if refused is not None:
            return exchange.Answer(submitted=False, final=refused)
        if on_written is not None:
            on_written()
        others, self._unsettled = self._unsettled and self._may_still_come(), False
        self._submitting = True
        self._spare.clear()
        began_at = self._clock.monotonic()
        try:
            answer = self._await_outcome(timeout_s)
            if others and answer.error is None and not self._is_next(answer.reference):
                answer = self._sift(answer, began_at, timeout_s)
            elif others and answer.error is None:
                self._unsettled = True  # the earlier result may still come, into a later submit
        except ModemError as error:
            answer = self._unknown(error)
        finally:
            self._waiting = None
            self._submitting = False
        self._keep_count(answer, began_at)
        return answer

    def _offer(self, pdu: str, length: int, prompt_timeout_s: float) -> replies.Final | None:
        """Do all up to Ctrl-Z; return the final result that came in place of the prompt."""
        if not self._in_step:
            self.resynchronise()
        self._pump(0)
        self._prompted = False
        self._offering = True
        self._waiting = sorting.Expectation(())
        command = f"AT+CMGS={length}"
        self._write_line(command, command)
        refused = self._await_prompt(self._clock.monotonic() + prompt_timeout_s)
        self._offering = False
        if refused is not None:
            return refused
        if self.is_quiet and self._sorter.echoed:
            # As after power-up it may be in text mode: it would send the PDU as a text.
            raise ModemSilentError("the modem echoes again: it has restarted")
        _log.debug("modem.wrote", modem=self._name, line=masking.Masked(pdu))
        self._sorter.wrote(pdu)
        self._port.write(pdu.encode("ascii"))
        self._port.drain()
        self._pump(0)
        if self._waiting.final is not None:
            # The modem left the prompt by itself; Ctrl-Z would submit nothing, or something else.
            self._in_step = False
            if self._waiting.final.ok:
                raise ModemSilentError("AT+CMGS was answered before its end was written")
            return self._waiting.final
        self._port.write(b"\x1a")
        return None

    def _await_prompt(self, deadline: float) -> replies.Final | None:
        waiting = self._waiting
        assert waiting is not None
        while not self._prompted:
            if waiting.final is not None:
                if not waiting.final.ok:
                    return waiting.final
                waiting.final = None  # an OK too many, left over from before; the prompt follows
            left_s = deadline - self._clock.monotonic()
            if left_s <= 0:
                raise ModemSilentError("AT+CMGS brought no prompt")
            self._pump_or_flush(left_s)
        return None

    def _await_outcome(self, timeout_s: float) -> exchange.Answer:
        began_at = self._clock.monotonic()
        answer = self._await_result(timeout_s)
        if answer is None:
            self._owed += 1
            return self._unknown(ModemSilentError(f"no result of AT+CMGS within {timeout_s:g} s"))
        self._longest_s = max(self._longest_s or 0.0, self._clock.monotonic() - began_at)
        return answer

    def _await_result(self, timeout_s: float) -> exchange.Answer | None:
        """Return the result of a submit that comes next, None if none comes in time."""
        waiting = self._waiting = sorting.Expectation(())
        self._reference, waiting.final = self._take_spare()
        deadline = self._clock.monotonic() + timeout_s
        left_s = 1.0
        while waiting.final is None and self._reference is None:
            if left_s <= 0:
                return None
            left_s = deadline - self._clock.monotonic()
            # Also when the time is over: what is there by then is late because of us.
            self._pump_or_flush(max(left_s, 0.0))
        if waiting.final is not None and not waiting.final.ok:
            if waiting.final.code is None:
                self._unsettled = True  # ERROR, NO CARRIER: the real result may still come
            return exchange.Answer(submitted=True, reference=self._reference, final=waiting.final)
        return self._await_other_half(waiting)

    def _await_other_half(self, waiting: sorting.Expectation) -> exchange.Answer:
        """The network took it: +CMGS or OK is there. Await the other to stay in step."""
        deadline = self._clock.monotonic() + _OTHER_HALF_S
        tells = self._untold < _UNTOLD_MAX
        while waiting.final is None or (tells and self._reference is None):
            left_s = deadline - self._clock.monotonic()
            if left_s <= 0:
                self._in_step = False
                break
            self._pump_or_flush(left_s)
        self._untold = self._untold + 1 if self._reference is None else 0
        return exchange.Answer(submitted=True, reference=self._reference, final=waiting.final)

    def _sift(self, first: exchange.Answer, began_at: float, timeout_s: float) -> exchange.Answer:
        """Return the result of this submit: the last of as many as are owed.

        If the modem itself refused one of them, their order proves nothing: it does so while the
        network still thinks about the one before. Guessed wrongly, one message would go out twice
        and the other never.
        """
        heard = [first]
        while len(heard) <= max(1, self._unanswered) and not self._is_next(heard[-1].reference):
            until = self._second_until(heard[-1], began_at, timeout_s)
            found = self._await_result(max(0.0, until - self._clock.monotonic()))
            if found is None:
                break
            heard.append(found)
        if len(heard) == 1:
            return replace(first, shared=self._gave_up_on is not None)
        own = heard[-1]
        in_order = len({one.taken for one in heard}) == 1 or all(one.is_networks for one in heard)
        if not in_order and not self._is_next(own.reference):
            why = "two results came, and nothing tells which is of which submit"
            return exchange.Answer(submitted=True, error=ModemSilentError(why))
        for late in exchange.in_order(heard)[:-1]:
            self._add_late(late)
        return exchange.in_order(heard)[-1]

    def _unknown(self, error: ModemError) -> exchange.Answer:
        self._in_step = False
        self._unsettled = True
        return exchange.Answer(submitted=True, reference=self._reference, error=error)

    # -- waiting and coming back into step --------------------------------------------------------

    def wait(self, timeout_s: float, wake_fd: int | None = None) -> None:
        """Wait until the modem says something, `wake_fd` is readable, or the time is over.

        Raises:
            PortLostError: the port is gone.
        """
        self._pump(timeout_s, wake_fd)

    def listen(self, seconds: float) -> None:
        """Read for so long without writing a byte: the result of an older submit may come.

        Ends early with the result, which then is in `late`.

        Raises:
            PortLostError: the port is gone.
        """
        self._unsettled = True
        deadline = self._clock.monotonic() + seconds
        while not self.late and (left_s := deadline - self._clock.monotonic()) > 0:
            self._pump(left_s)

    def resynchronise(self, timeout_s: float = 6.0) -> None:
        """Get into step, discarding late answers; only the result of a submit is kept, in `late`.

        Blocks up to `timeout_s` and two seconds.

        Raises:
            ModemSilentError: the modem did not get into step.
            PortLostError: the port is gone.
        """
        deadline = self._clock.monotonic() + timeout_s
        self._in_step = False
        clean = rounds = 0
        while self._clock.monotonic() < deadline:
            # Some modems take ESC outside a prompt as the first letter of the next command.
            clean = clean + 1 if self._round(escape=rounds % 2 == 0) else 0
            rounds += 1
            if clean >= (1 if self._owed == 0 else 2):
                self._in_step = True
                self._owed = 0
                return
        raise ModemSilentError("the modem does not answer AT")

    def _round(self, *, escape: bool) -> bool:
        """Return whether AT was answered by exactly one final result, with silence after it."""
        if escape:
            self._port.write(b"\x1b")
        self._quiet(_QUIET_BEFORE_S)
        began_at = self._clock.monotonic()
        strays = self._strays
        self._waiting = sorting.Expectation(())
        try:
            self._write_line("AT", "AT")
            final = self._await_final(began_at + _ROUND_S)
        finally:
            self._waiting = None
        if final is None:
            self._owed += 1
            return False
        if self._is_late(final):
            self._keep_late(final)
        self._quiet(_QUIET_AFTER_S + self._clock.monotonic() - began_at)
        return self._strays == strays
