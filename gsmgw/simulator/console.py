# SPDX-License-Identifier: Apache-2.0
"""The simulator as a program: ports and events go to stdout, orders come from stdin."""

from __future__ import annotations

import json
import queue
import shlex
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TextIO

from gsmgw import errors
from gsmgw.simulator import books, faults, fields, park, plan

HELP = """\
sms NUMBER MODEM TEXT        a text comes in        sms +48500100201 front TAK
flash NUMBER MODEM TEXT      the same, class 0
call NUMBER MODEM [RINGS]    somebody calls         call +48500100201 front 2
fault MODEM NAME [K=V ...]   a fault begins         fault front refuse code=38 times=2
clear MODEM [NAME]           faults end
unplug MODEM [SECONDS]       pulled out             unplug front 2
plug MODEM [PATH]            plugged in
phone NUMBER on|off          a phone is switched on or off
faults                       lists the faults
state                        how the modems stand
books                        everything that happened, one JSON document
quit"""


class Console:
    """One running simulator with its two streams."""

    def __init__(
        self,
        layout: plan.Scenario | Mapping[str, object] | Path,
        output: TextIO,
        *,
        as_json: bool,
        directory: Path | None = None,
    ) -> None:
        self._output = output
        self._as_json = as_json
        # The simulator's thread must not wait for a slow reader of our output.
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        # Events of the first moments wait, because the ports are named before everything else.
        self._early: list[books.Event] | None = []
        self._gate = threading.Lock()
        self.simulator = park.Simulator(layout, on_event=self._event, directory=directory)

    def run(self, orders: Iterable[str], *, ends_with_input: bool) -> None:
        """Run until `quit`, or until the input ends if so asked; blocks."""
        writer = threading.Thread(target=self._write_lines, name="simulator-output", daemon=True)
        writer.start()
        try:
            with self.simulator:
                self._say_ports()
                if self._obey_all(orders) and not ends_with_input:
                    threading.Event().wait()
        finally:
            self._lines.put(None)
            writer.join()

    def _obey_all(self, orders: Iterable[str]) -> bool:
        """Carry out orders; return whether the input ended without `quit`."""
        for order in orders:
            if order.strip() == "quit":
                return False
            if order.strip():
                self._obey(order.strip())
        return True

    def _obey(self, order: str) -> None:
        try:
            words = _split(order)
            if len(words) == 1 and words[0] in _QUESTIONS:
                self._lines.put(self._answer(words[0]))
            elif words:
                self.simulator.act(read_order(words))
                self._put({"event": "done", "order": order}, f"done: {order}")
        except (errors.GsmgwError, ValueError) as error:
            self._put({"event": "error", "order": order, "error": str(error)}, f"error: {error}")

    def _answer(self, question: str) -> str:
        match question:
            case "books":
                document = self.simulator.books.as_document()
                document["modems"] = self.simulator.state()
                return json.dumps(document, ensure_ascii=False)
            case "state":
                return json.dumps(self.simulator.state(), ensure_ascii=False)
            case "faults" if self._as_json:
                known = {
                    name: {"what": fault.what, "arguments": dict(fault.arguments)}
                    for name, fault in faults.FAULTS.items()
                }
                return json.dumps({"event": "faults", "faults": known}, ensure_ascii=False)
            case "faults":
                return "\n".join(_describe_faults())
        return json.dumps({"event": "help", "help": HELP}) if self._as_json else HELP

    def _say_ports(self) -> None:
        ports = self.simulator.ports
        text = "\n".join(f"port {name} {path}" for name, path in ports.items())
        with self._gate:
            early, self._early = self._early or [], None
            self._put({"event": "ports", "ports": ports}, text)
            for event in early:
                self._put_event(event)

    def _event(self, event: books.Event) -> None:
        with self._gate:
            if self._early is not None:
                self._early.append(event)
            else:
                self._put_event(event)

    def _put_event(self, event: books.Event) -> None:
        words = " ".join(
            f"{key}={json.dumps(value, ensure_ascii=False)}"
            for key, value in event.items()
            if key not in ("event", "at") and value is not None
        )
        self._put(event, f"{event['at']} {event['event']} {words}")

    def _put(self, event: books.Event, text: str) -> None:
        self._lines.put(json.dumps(event, ensure_ascii=False) if self._as_json else text)

    def _write_lines(self) -> None:
        while (text := self._lines.get()) is not None:
            try:
                print(text, file=self._output, flush=True)
            except (OSError, ValueError):
                return  # nobody reads any more; the simulator goes on


_QUESTIONS = ("books", "state", "faults", "help")


def run(
    layout: plan.Scenario | Mapping[str, object] | Path,
    orders: Iterable[str],
    output: TextIO,
    *,
    as_json: bool = False,
    ends_with_input: bool = False,
    directory: Path | None = None,
) -> None:
    """Run a simulator from two streams; blocks until `quit` or, if so asked, the end of `orders`.

    The first output names the ports; then every event and every answer to an order is one line,
    with `as_json` one JSON document.

    Raises:
        ConfigError: the scenario is wrong.
        GsmgwError: a port cannot be made.
    """
    console = Console(layout, output, as_json=as_json, directory=directory)
    console.run(orders, ends_with_input=ends_with_input)


def read_order(words: list[str]) -> plan.Step:
    """Turn the words of an order into what is to happen.

    Raises:
        GsmgwError: there is no such order, or words are missing.
    """
    verb, rest = words[0], words[1:]
    match verb, rest:
        case "sms" | "flash", [number, modem, _, *_]:
            found = {"from": number, "to": modem, "text": " ".join(rest[2:])}
            return plan.Step("sms", found | ({"flash": "yes"} if verb == "flash" else {}))
        case "call", [number, modem, *more]:
            found = {"from": "" if number == "-" else number, "to": modem}
            return plan.Step("call", found | ({"rings": more[0]} if more else {}))
        case "fault", [modem, name, *pairs]:
            return plan.Step("fault", {"modem": modem, "name": name} | _read_pairs(pairs))
        case "clear", [modem, *more]:
            return plan.Step("clear", {"modem": modem} | ({"name": more[0]} if more else {}))
        case "unplug", [modem, *more]:
            return plan.Step("unplug", {"modem": modem} | ({"for": more[0]} if more else {}))
        case "plug", [modem, *more]:
            return plan.Step("plug", {"modem": modem} | ({"link": more[0]} if more else {}))
        case "phone", [number, switch]:
            return plan.Step("phone", {"number": number, "reachable": switch})
    usage = [text for text in HELP.splitlines() if text.split()[0] == verb]
    if usage:
        raise errors.GsmgwError(f"{' '.join(words)!r} is not complete, or too much: {usage[0]}")
    known = dict.fromkeys(text.split()[0] for text in HELP.splitlines())
    raise errors.GsmgwError(f"{' '.join(words)!r} is no order; {fields.suggest(verb, known)}, help")


def _split(order: str) -> list[str]:
    """Split an order as a shell does; what stands in quotes is one word."""
    try:
        return shlex.split(order)
    except ValueError as error:
        raise errors.GsmgwError(
            f"{error}: write a text with an apostrophe in double quotes,"
            ' such as: sms +48500100201 front "I\'m late"'
        ) from error


def _read_pairs(pairs: list[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise errors.GsmgwError(f"found {pair!r}; wanted is KEY=VALUE, such as times=2")
        found[key] = value
    return found


def _describe_faults() -> list[str]:
    lines = []
    for name, fault in faults.FAULTS.items():
        lines.append(f"{name}: {fault.what}")
        lines += [f"    {key}: {what}" for key, what in fault.arguments.items()]
    return lines
