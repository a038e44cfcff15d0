# SPDX-License-Identifier: Apache-2.0
"""The whole simulator: a loop, an operator, modems on ports, books, and the day's events."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from gsmgw import clock, errors
from gsmgw.simulator import books, faults, fields, line, loop, network, plan, scenario, scratch
from gsmgw.simulator.device import (
    arrivals,
    card_commands,
    device_commands,
    message_commands,
    modem,
)

_COMMANDS = device_commands.COMMANDS | card_commands.COMMANDS | message_commands.COMMANDS

#: The links of modems lie in a directory whose name begins so.
SCRATCH = "gsmgw-modems-"


class Simulator:
    """A park of pretend modems.

    All methods may be called from any thread; they return when the thing is done, which is a
    matter of microseconds. `books` tells what came of it.
    """

    def __init__(
        self,
        layout: plan.Scenario | Mapping[str, object] | Path,
        *,
        source: clock.Clock | None = None,
        on_event: Callable[[books.Event], None] | None = None,
        directory: Path | None = None,
    ) -> None:
        """Read the scenario; nothing runs yet.

        Args:
            layout: a scenario, the same as a mapping, or the path of its file.
            source: where the time comes from; the machine's clock if not given.
            on_event: called in the simulator's thread with each event; must be quick.
            directory: for the links of modems that name none; a temporary one if not given.

        Raises:
            ConfigError: the scenario is wrong.
        """
        if isinstance(layout, Path):
            layout = scenario.read(layout)
        elif not isinstance(layout, plan.Scenario):
            layout = scenario.parse(layout)
        used = clock.SystemClock() if source is None else source
        self.layout = layout
        self.books = books.Books(used, on_event)
        self._loop = loop.Loop(used)
        self.network = network.Network(layout.network, self._loop, self.books)
        self._directory = directory
        self._own_directory: scratch.Scratch | None = None
        self._modems: dict[str, modem.Modem] = {}
        self._is_running = False
        for phone in layout.phones:
            self.network.add_phone(phone)

    @property
    def ports(self) -> dict[str, str]:
        """The path of each modem's port, by name; empty before `start`."""
        return {name: str(one.line.link) for name, one in self._modems.items()}

    @property
    def names(self) -> list[str]:
        """The names of the modems."""
        return [layout.name for layout in self.layout.modems]

    def start(self) -> None:
        """Make the ports and begin to answer; the day's steps count from now.

        Raises:
            GsmgwError: a port cannot be made; then nothing runs.
        """
        if self._is_running:
            return
        self._is_running = True
        self._loop.start()
        try:
            self._loop.call(self._build)
        except errors.GsmgwError:
            self.stop()
            raise

    def stop(self) -> None:
        """Take all ports away and end the thread; the books stay readable."""
        if not self._is_running:
            return
        self._is_running = False
        self._loop.call(self._pull_out)
        self._loop.stop()
        if self._own_directory is not None:
            self._own_directory.close()
            self._own_directory = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def receive(self, sender: str, to: str, text: str, *, flash: bool = False) -> None:
        """Send a text to a modem; `network.receive` can do more.

        Raises:
            GsmgwError: there is no such modem, or the sender's number cannot be encoded.
        """
        self.network.receive(sender, to, text, flash=flash)

    def call(self, number: str | None, to: str, rings: int = 3, *, every_s: float = 3.0) -> None:
        """Call a modem and give up after so many rings; None withholds the number.

        Raises:
            GsmgwError: there is no such modem.
        """
        self.network.call(number, to, rings, every_s=every_s)

    def fault(self, name: str, fault: str, **arguments: object) -> None:
        """Switch on a fault of a modem: `fault("front", "refuse", code=38, times=2)`.

        `for` is a Python word and is written `for_`; durations are texts (`"2s"`) or seconds.

        Raises:
            GsmgwError: there is no such modem or fault, or it has no such argument.
        """
        found = {key.rstrip("_"): _plain(value) for key, value in arguments.items()}
        problems = faults.check(fault, found)
        if problems:
            raise errors.GsmgwError("; ".join(problems))
        self._loop.call(lambda: faults.begin(self._modem(name), fault, found))

    def clear(self, name: str, fault: str | None = None) -> None:
        """Switch off one fault of a modem, or all.

        Raises:
            GsmgwError: there is no such modem.
        """
        if fault is None:
            self._loop.call(lambda: faults.end_all(self._modem(name)))
        else:
            self._loop.call(lambda: faults.end(self._modem(name), fault))

    def unplug(self, name: str, *, for_s: float | None = None) -> None:
        """Pull a modem out, for good or for some seconds.

        Raises:
            GsmgwError: there is no such modem.
        """
        arguments = {} if for_s is None else {"for": str(for_s)}
        self._loop.call(lambda: faults.begin(self._modem(name), "unplug", arguments))

    def plug(self, name: str, link: str | None = None) -> None:
        """Plug a modem in, under another name if `link` is given; harmless if it is in.

        Raises:
            GsmgwError: there is no such modem, or the port cannot be made.
        """

        def put_in() -> None:
            one = self._modem(name)
            if link is not None and not one.line.is_plugged:
                self._check_link(name, link)
                one.line.link = Path(link)
            one.faults.pop("unplug", None)
            one.return_power()

        self._loop.call(put_in)

    def quality(self, name: str, quality: line.Quality) -> None:
        """Change how good a modem's wire is.

        Raises:
            GsmgwError: there is no such modem.
        """

        def change() -> None:
            self._modem(name).line.quality = quality

        self._loop.call(change)

    def memory(self, name: str, memory: str = "SM") -> dict[int, str]:
        """Return what lies in a modem's memory: PDUs in hex by index.

        Raises:
            GsmgwError: there is no such modem.
        """

        def look() -> dict[int, str]:
            kept_in = self._modem(name).memory(memory)
            slots = {} if kept_in is None else kept_in.slots
            return {index: stored.pdu for index, stored in sorted(slots.items())}

        return self._loop.call(look)

    def state(self) -> dict[str, books.Event]:
        """Return how each modem stands: port, PIN, registration, memories, commands, faults."""
        return self._loop.call(lambda: {name: _state(one) for name, one in self._modems.items()})

    def act(self, step: plan.Step) -> None:
        """Make something happen: a step of the day, or a line of the console.

        Raises:
            GsmgwError: it cannot happen as it is written.
        """
        problems = scenario.check_step(step.action, step.fields, self.names)
        if problems:
            raise errors.GsmgwError("; ".join(problems))
        found = step.fields
        match step.action:
            case "sms":
                flash = fields.switch(found.get("flash", "no"))
                self.receive(found["from"], found["to"], found["text"], flash=flash)
            case "call":
                self.call(found.get("from") or None, found["to"], int(found.get("rings", "3")))
            case "fault":
                others = {key: value for key, value in found.items() if key not in _OWN_KEYS}
                self._loop.call(
                    lambda: faults.begin(self._modem(found["modem"]), found["name"], others)
                )
            case "clear":
                self.clear(found["modem"], found.get("name"))
            case "unplug":
                self.unplug(found["modem"], for_s=_seconds(found.get("for")))
            case "plug":
                self.plug(found["modem"], found.get("link"))
            case "phone":
                reachable = fields.switch(found["reachable"])
                self.network.set_reachable(found["number"], reachable=reachable)

    def _build(self) -> None:
        if not self._modems:
            for layout in self.layout.modems:
                port = line.Line(self._loop, self._link(layout), layout.quality)
                one = modem.Modem(
                    layout,
                    port,
                    self._loop,
                    self.network,
                    self.books,
                    _COMMANDS,
                    arrivals.take,
                )
                self._modems[layout.name] = one
                self.network.add_modem(one)
        for one in self._modems.values():
            if one.layout.plugged:
                one.plug()
        for step in self.layout.day:
            self._loop.after(step.at_s, functools.partial(self._act_by_plan, step))

    def _act_by_plan(self, step: plan.Step) -> None:
        try:
            self.act(step)
        except errors.GsmgwError as error:
            self.books.tell("step-failed", action=step.action, error=str(error))

    def _pull_out(self) -> None:
        for one in self._modems.values():
            one.unplug()

    def _link(self, layout: plan.ModemPlan) -> Path:
        if layout.link is not None:
            return Path(layout.link)
        if self._directory is None:
            self._own_directory = scratch.Scratch(SCRATCH)
            self._directory = self._own_directory.path
        return self._directory / layout.name

    def _check_link(self, name: str, link: str) -> None:
        """Refuse the port of another modem that is plugged in."""
        for other in self._modems.values():
            is_taken = other.line.is_plugged and other.line.link.absolute() == Path(link).absolute()
            if is_taken and other.name != name:
                raise errors.GsmgwError(f"{link} is the port of modem {other.name}")

    def _modem(self, name: str) -> modem.Modem:
        found = self._modems.get(name)
        if found is None:
            raise errors.GsmgwError(
                f"there is no modem {name!r}; {fields.suggest(name, self.names)}"
            )
        return found


#: Keys of a fault's step that are no arguments of the fault.
_OWN_KEYS = ("modem", "name")


def _seconds(text: str | None) -> float | None:
    return None if text is None else fields.seconds(text)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _state(one: modem.Modem) -> books.Event:
    memories = {}
    for name in ("SM", "ME", "SR"):
        kept_in = one.memory(name)
        if kept_in is not None:
            memories[name] = {"used": kept_in.used, "capacity": kept_in.capacity}
    return {
        "port": str(one.line.link),
        "plugged": one.line.is_plugged,
        "number": one.number,
        "pin_state": one.pin_state,
        "pin_tries": one.card.pin_tries,
        "registered": one.is_registered,
        "service_centre": one.card.service_centre,
        "last_mr": one.card.last_mr,
        "memories": memories,
        "commands": one.dialogue.commands,
        "faults": {name: dict(arguments) for name, arguments in one.faults.items()},
    }
