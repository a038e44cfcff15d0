# SPDX-License-Identifier: Apache-2.0
"""One simulated modem: power, memories, its place in the network, and what it makes of commands.

All timers carry the number of the power-up they belong to: what was planned before the power went
never happens. What commands mean stands in the tables handed in, see `device_commands` and
`message_commands`; how it is said on the port, in `dialogue`.

Loop thread only.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gsmgw import errors
from gsmgw.at import codes
from gsmgw.simulator import books, line, loop, network, plan
from gsmgw.simulator.device import calls, dialogue, habits, memory, syntax
from gsmgw.simulator.device.dialogue import Answer

#: A USB stick that resets itself: from its OK until it leaves, and how long it is away at least.
_LEAVES_AFTER_S = 0.05
_AWAY_S = 0.2

Handler = Callable[["Modem", syntax.Command], Answer]


@dataclass(slots=True)
class Settings:
    """What a modem forgets when the power goes."""

    cmee: int = 0
    keep_link: int = 0  #: <n> of +CMMS
    phase: int = 0  #: <service> of +CSMS; 1: direct messages must be acknowledged
    cnmi: list[int] = field(default_factory=lambda: [0, 0, 0, 0, 0])
    memories: list[str] = field(default_factory=lambda: ["SM", "SM", "SM"])
    registration: dict[str, int] = field(
        default_factory=lambda: {"+CREG": 0, "+CGREG": 0, "+CEREG": 0}
    )
    clip: bool = False
    crc: bool = False
    noise: bool = True
    operator_format: int = 0
    charset: str = "IRA"
    functionality: int = 1  #: <fun> of +CFUN
    pin_entered: bool = False
    understood: bool = False  #: a command other than a bare AT has been understood


class Modem:
    """A modem with its SIM on a port."""

    def __init__(
        self,
        layout: plan.ModemPlan,
        port: line.Line,
        owner: loop.Loop,
        operator: network.Network,
        ledger: books.Books,
        commands: Mapping[str, Handler],
        take: Callable[[Modem, network.Arrival, Callable[[bool], None]], None],
    ) -> None:
        self.layout = layout
        self.line = port
        self.loop = owner
        self.network = operator
        self.books = ledger
        vendor = habits.VENDORS[layout.vendor]
        self.habits: habits.Habits = dataclasses.replace(vendor, **layout.habits)  # type: ignore[arg-type]  # checked by the scenario's reader
        first = self.habits.first_index
        capacity = {"SM": 20, "ME": 0, "SR": 10} | layout.capacity
        self.card = memory.Card(
            number=layout.number,
            imsi=layout.imsi,
            iccid=layout.iccid,
            pin=layout.pin,
            puk=layout.puk,
            service_centre=operator.layout.service_centre,
            sms=memory.Memory("SM", capacity["SM"], first=first),
        )
        self._own_memories = {
            name: memory.Memory(name, capacity[name], first=first)
            for name in ("ME", "SR")
            if capacity[name] > 0
        }
        self.faults: dict[str, dict[str, str]] = {}  #: name: arguments, while it is on
        self.fault_terms: dict[str, object] = {}  #: which of its beginnings ends it by time
        self.settings = Settings()
        self.call: calls.IncomingCall | None = None
        #: an arrival shown directly that waits for +CNMA
        self.unacknowledged: tuple[loop.Timer, Callable[[bool], None]] | None = None
        self.dialogue = dialogue.Dialogue(port, owner, self.habits, self.faults, self._on_line)
        self.commands = commands
        self._take = take
        self._power_up = 0
        self._restart: loop.Timer | None = None
        self.has_power = False
        self.is_registered = False

    # -- power ---------------------------------------------------------------------------------

    def plug(self) -> None:
        """Give it power and a port.

        Raises:
            GsmgwError: the port's link cannot be made.
        """
        self.line.plug(self.dialogue.feed)
        self._switch_on()

    def unplug(self) -> None:
        """Take power and port away."""
        if self._restart is not None:
            self._restart.cancel()
        self._switch_off()
        self.line.unplug()

    def lose_power(self, off_s: float) -> None:
        """Be without power and port for so many seconds."""
        self.unplug()
        self.books.tell("unplugged", modem=self.name)
        self._restart = self.loop.after(off_s, self.come_back)

    def come_back(self) -> None:
        """Return by itself: what is in the way is told, because nobody waits for an answer."""
        try:
            self.return_power()
        except errors.GsmgwError as error:
            self.books.tell("step-failed", action="plug", modem=self.name, error=str(error))

    def return_power(self) -> None:
        """Be plugged in again after a loss of power; nothing happens if it is."""
        if self.line.is_plugged:
            return
        self.plug()
        self.books.tell("plugged", modem=self.name)

    def restart(self) -> None:
        """Start anew as AT+CFUN=1,1 does, with or without the port, as the vendor does it."""
        if self.habits.reset_drops_port:
            # The OK gets through before the device leaves the bus.
            self.after(_LEAVES_AFTER_S, lambda: self.lose_power(_AWAY_S))
        else:
            self._switch_off()
            self._switch_on()

    def _switch_on(self) -> None:
        if self.has_power:
            return
        self.has_power = True
        self.faults.pop("hang", None)  # a power cycle helps
        self.settings = Settings()
        boot_s = self.habits.boot_s if self.layout.boot_s is None else self.layout.boot_s
        self.after(boot_s, self._booted)

    def _switch_off(self) -> None:
        self.has_power = self.is_registered = False
        self._power_up += 1
        self.dialogue.close()
        if self.call is not None:
            self.call.end("nobody")
        if self.unacknowledged is not None:
            timer, done = self.unacknowledged
            self.unacknowledged = None
            timer.cancel()
            done(False)

    def _booted(self) -> None:
        self.dialogue.is_open = True
        for text in self.habits.boot:
            # Some say at once how the card stands.
            self.say(text.replace("+CPIN: READY", f"+CPIN: {self.pin_state or 'NOT INSERTED'}"))
        if self.habits.noise and self.habits.noise_every_s > 0:
            self.after(self.habits.noise_every_s, lambda: self._make_noise(0))
        self.search()
        self.dialogue.work()

    def _make_noise(self, turn: int) -> None:
        if self.settings.noise:
            self.say(self.habits.noise[turn % len(self.habits.noise)])
        self.after(self.habits.noise_every_s, lambda: self._make_noise(turn + 1))

    def after(self, delay_s: float, function: Callable[[], None]) -> loop.Timer:
        """Plan a call that is forgotten when the power goes."""
        return self.at(self.loop.monotonic() + delay_s, function)

    def at(self, when: float, function: Callable[[], None]) -> loop.Timer:
        """Plan a call at a monotonic time that is forgotten when the power goes."""
        power_up = self._power_up

        def run() -> None:
            if power_up == self._power_up:
                function()

        return self.loop.at(when, run)

    # -- network -------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The modem's name."""
        return self.layout.name

    @property
    def number(self) -> str:
        """The number of its SIM."""
        return self.card.number

    @property
    def reports(self) -> bool:
        """Whether status reports are made for its SIM."""
        return self.layout.reports

    @property
    def is_reachable(self) -> bool:
        """Whether the network can reach it."""
        return self.dialogue.is_open and self.is_registered and "hang" not in self.faults

    @property
    def stat(self) -> int:
        """The <stat> of +CREG (3GPP 27.007 7.2)."""
        if self.is_registered:
            return 1
        if "no-network" in self.faults:
            return int(self.faults["no-network"].get("stat", "2"))
        return 2 if self.can_register else 0

    @property
    def can_register(self) -> bool:
        """Whether card and radio are on and only the network is missing."""
        return (
            self.dialogue.is_open and self.pin_state == "READY" and self.settings.functionality == 1
        )

    @property
    def pin_state(self) -> str:
        """What AT+CPIN? says; "" without a card."""
        if not self.card.is_present:
            return ""
        if self.card.pin_tries == 0:
            return "SIM PUK"
        if self.card.pin is not None and not self.settings.pin_entered:
            return "SIM PIN"
        return "READY"

    def search(self) -> None:
        """Look for the network: registered after a while, if nothing is in the way."""
        self.after(self.layout.registration_s, self.check_registration)

    def check_registration(self) -> None:
        """Register or fall off as things stand, and tell the program and the network."""
        should = self.can_register and "no-network" not in self.faults
        if should == self.is_registered:
            return
        self.is_registered = should
        for name, mode in self.settings.registration.items():
            if mode:
                self.say(f"{name}: {self.stat}{self.cell(mode)}")
        if should:
            self.network.ready(self.name)

    def cell(self, mode: int) -> str:
        """Return the location fields of +CREG with mode 2, with a comma in front."""
        return ',"00A1","0000B2"' if mode >= 2 and self.is_registered else ""

    def take(self, arrival: network.Arrival, done: Callable[[bool], None]) -> None:
        """Take a message or report from the network."""
        self._take(self, arrival, done)

    def ring(self, number: str | None, rings: int, every_s: float) -> None:
        """Be called; an engaged or unreachable modem is not."""
        record = books.Call(self.books.now(), self.name, number)
        self.books.add(record)
        if not self.is_reachable or self.call is not None:
            record.ended_by = "nobody"
            return
        bell = calls.Bell(self.say, self.after, self.habits.clip_after_s)
        self.call = calls.IncomingCall(record, rings, every_s, bell, self._call_ended)
        self.books.tell("call", modem=self.name, number=number)
        self._ring_once(self.call)

    def _ring_once(self, call: calls.IncomingCall) -> None:
        if call.ring(extended=self.settings.crc, shows_number=self.settings.clip):
            self.after(call.every_s, lambda: self._ring_once(call))

    def _call_ended(self) -> None:
        if self.call is not None:
            record, self.call = self.call.record, None
            self.books.tell("call-ended", modem=self.name, by=record.ended_by, rings=record.rings)

    # -- memories ------------------------------------------------------------------------------

    def memory(self, name: str) -> memory.Memory | None:
        """Return a message memory, None if the modem has none of that name."""
        return self.card.sms if name == "SM" else self._own_memories.get(name)

    @property
    def memory_names(self) -> list[str]:
        """The memories that messages can be kept in; SR holds reports only."""
        return ["SM", *(name for name in self._own_memories if name == "ME")]

    # -- commands ------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Send an unsolicited line, after the command that runs."""
        self.dialogue.say(text)

    def uses_up(self, fault: str) -> dict[str, str] | None:
        """Return a fault's arguments if it is on, and count it down if it holds some times only."""
        arguments = self.faults.get(fault)
        if arguments is None:
            return None
        left = int(arguments.get("times", "0"))
        if left == 1:
            del self.faults[fault]
        elif left > 1:
            self.faults[fault] = arguments | {"times": str(left - 1)}
        return arguments

    def cms(self, code: int) -> Answer:
        """Return a `+CMS ERROR` in the form asked for by AT+CMEE."""
        text = codes.cms(code).text if self.settings.cmee == 2 else code
        return Answer(final=f"+CMS ERROR: {text}")

    def cme(self, code: int) -> Answer:
        """Return a `+CME ERROR` in the form asked for by AT+CMEE."""
        if self.settings.cmee == 0:
            return dialogue.ERROR
        text = codes.cme(code).text if self.settings.cmee == 2 else code
        return Answer(final=f"+CME ERROR: {text}")

    def _on_line(self, commands: list[syntax.Command]) -> None:
        if self.layout.latency_s > 0:
            when = self.dialogue.line_at + self.layout.latency_s
            self.at(when, lambda: self._execute(commands))
        else:
            self._execute(commands)

    def _execute(self, commands: list[syntax.Command]) -> None:
        lines: list[str] = []
        answer = self._answer_bare() if not commands else dialogue.OK
        for command in commands:
            handler = self.commands.get(command.name)
            answer = self._unknown() if handler is None else handler(self, command)
            lines += answer.lines
            if answer.prompt is not None:
                self._ask(answer.prompt)
                return
            if answer.detached is not None:
                answer.detached()
                return
            if answer.final != "OK":
                break
            self.settings.understood = True
        self.dialogue.answer(dataclasses.replace(answer, lines=tuple(lines)))

    def _unknown(self) -> Answer:
        return Answer(final=self.habits.unknown)

    def _answer_bare(self) -> Answer:
        stubborn = self.habits.first_at_fails and not self.settings.understood
        return dialogue.ERROR if stubborn else dialogue.OK

    def _ask(self, prompt: dialogue.Prompt) -> None:
        lost = self.uses_up("prompt-lost")
        self.dialogue.wait_for_body(prompt, shown=lost is None)
        if lost is not None and "after" in lost:
            self.after(float(lost["after"]), self.dialogue.show_prompt)
