# SPDX-License-Identifier: Apache-2.0
"""The modem's side of the dialogue on a port: echo, command lines, prompts, answers, held lines.

It knows what is said when, not what commands mean. While a command runs nothing more is read, and
unsolicited lines wait; while a prompt stands everything is text up to Ctrl-Z or ESC.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gsmgw.simulator import line, loop
from gsmgw.simulator.device import habits, syntax

_CTRL_Z = 0x1A
_ESCAPE = 0x1B
_CR = 0x0D
#: Longer input without an end is thrown away, as modems do.
_INPUT_MAX = 4096

#: Octets that a bad cable or another program makes: no UTF-8, NULs, half characters, no line ends.
GARBAGE = b"\x00\xff\xfe\x80\xc3(\x07\xe2\x82\x00ATx\xf0\x9f"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A command that waits for its text or PDU."""

    on_body: Callable[[bytes], None]  #: gets what stood before Ctrl-Z; answers when it can


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answers; a line with its PDU is one text with a line feed between."""

    lines: tuple[str, ...] = ()
    final: str = "OK"  #: empty: no final result
    prompt: Prompt | None = None
    then: Callable[[], None] | None = None  #: done once the answer is out
    detached: Callable[[], None] | None = None  #: begins what answers by itself when it is done


OK = Answer()
ERROR = Answer(final="ERROR")


class Dialogue:
    """One port's dialogue. Loop thread only."""

    def __init__(
        self,
        port: line.Line,
        owner: loop.Loop,
        vendor: habits.Habits,
        faults: dict[str, dict[str, str]],
        execute: Callable[[list[syntax.Command]], None],
    ) -> None:
        self.echo = True
        self.is_open = False  #: the modem is up; what comes before waits
        self.line_at = 0.0  #: monotonic: when the last command line was complete
        self.commands = 0  #: command lines so far, through all power-ups
        self._line = port
        self._loop = owner
        self._habits = vendor
        self._faults = faults
        self._execute = execute
        self._is_busy = False
        self._prompt: Prompt | None = None
        self._input = bytearray()
        self._collected = bytearray()
        self._held: list[str] = []

    def reset(self) -> None:
        """Forget everything half done: input, prompt, the command that runs, held lines."""
        self._input.clear()
        self._collected.clear()
        self._held.clear()
        self._prompt = None
        self._is_busy = False

    def open(self) -> None:
        """Begin to answer."""
        self.is_open = True
        self.work()

    def close(self) -> None:
        """Fall silent and forget everything."""
        self.is_open = False
        self.echo = True
        self.reset()

    def feed(self, octets: bytes) -> None:
        """Take what the program wrote; a modem that hangs loses it."""
        if "hang" in self._faults:
            return
        self._input += octets
        if len(self._input) > _INPUT_MAX:
            self._input.clear()
        self.work()

    def say(self, text: str) -> None:
        """Send an unsolicited line, after the command that runs."""
        if not self.is_open:
            return
        if self._is_busy or self._prompt is not None:
            self._held.append(text)
        else:
            self._write(self._frame(text))

    def answer(self, answer: Answer) -> None:
        """End the command that runs."""
        texts = [*answer.lines, answer.final] if answer.final else list(answer.lines)
        if self._line.quality.inside is not None and texts:
            texts.insert(len(texts) // 2, self._line.quality.inside)
        if "garbage" in self._faults:
            self.write_garbage()
        self._write(b"".join(self._frame(text) for text in texts))
        if answer.then is not None:
            answer.then()
        self.become_idle()

    def become_idle(self) -> None:
        """Go on with what came in while the command ran; after its answer, or for lack of one."""
        self._is_busy = False
        held, self._held = self._held, []
        for text in held:
            self.say(text)
        self.work()

    def wait_for_body(self, prompt: Prompt, *, shown: bool) -> None:
        """Let what comes be the text of a command; a lost prompt is not shown."""
        self._prompt = prompt
        self._is_busy = False
        if shown:
            self.show_prompt()
        self.work()

    def show_prompt(self) -> None:
        """Write the prompt, if one still stands."""
        if self._prompt is not None:
            self._write(f"{self._habits.line_end}{self._habits.prompt}".encode("latin-1"))

    def write_garbage(self) -> None:
        """Write some octets that mean nothing."""
        self._write(GARBAGE)

    def work(self) -> None:
        """Handle what has come in, as far as it may be."""
        while self._input and self.is_open and not self._is_busy:
            if self._prompt is not None:
                self._collect_body(self._prompt)
            else:
                self._collect_line()

    def _collect(self, end: int) -> None:
        """Move input up to a position, echoed if asked for."""
        chunk = bytes(self._input[:end])
        del self._input[:end]
        self._collected += chunk
        if len(self._collected) > _INPUT_MAX:
            self._collected.clear()
        if self.echo or not self._habits.echo_stops or "echo" in self._faults:
            self._write(chunk)

    def _collect_line(self) -> None:
        end = self._input.find(_CR)
        self._collect(len(self._input) if end < 0 else end + 1)
        if end < 0:
            return
        text = self._collected.decode("latin-1").strip("\r\n\x00\x1a\x1b ")
        self._collected.clear()
        commands = syntax.split_line(text)
        if commands is not None:  # a modem says nothing to garbage
            self.line_at = self._loop.monotonic()
            self.commands += 1
            self._is_busy = True
            self._execute(commands)

    def _collect_body(self, prompt: Prompt) -> None:
        ends = [end for end in (self._input.find(_CTRL_Z), self._input.find(_ESCAPE)) if end >= 0]
        if not ends:
            self._collect(len(self._input))
            return
        end = min(ends)
        is_escape = self._input[end] == _ESCAPE
        self._collect(end)
        del self._input[:1]
        body = bytes(self._collected)
        self._collected.clear()
        self._prompt = None
        self._is_busy = True
        if is_escape:
            self.answer(OK)
        else:
            prompt.on_body(body)

    def _frame(self, text: str) -> bytes:
        end = self._habits.line_end
        start = "" if self._habits.missing_start else end
        return f"{start}{text.replace(chr(10), end)}{end}".encode("latin-1", "replace")

    def _write(self, octets: bytes) -> None:
        if self.is_open and "hang" not in self._faults:
            self._line.write(octets)
