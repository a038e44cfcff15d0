# SPDX-License-Identifier: Apache-2.0
"""The simulator as a program between two streams."""

from __future__ import annotations

import io
import json
import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import simulator_support as support

from gsmgw import errors
from gsmgw.simulator import console

PATIENT = "+48500100201"


class Orders:
    """Orders that the test types while the console runs."""

    def __init__(self) -> None:
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def type(self, line: str) -> None:
        self._lines.put(f"{line}\n")

    def end(self) -> None:
        self._lines.put(None)

    def __iter__(self) -> Iterator[str]:
        while (line := self._lines.get()) is not None:
            yield line


class Screen(io.StringIO):
    """Output that a test waits for, line by line."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def write(self, text: str) -> int:
        if text.strip():
            self.lines.put(text)
        return len(text)

    def wait(self, wanted: str) -> str:
        while True:
            line = self.lines.get(timeout=support.PATIENCE_S)
            if wanted in line:
                return line


class Running:
    """A console in a thread."""

    def __init__(self, *, as_json: bool = False, ends_with_input: bool = True) -> None:
        self.orders, self.screen = Orders(), Screen()
        self._thread = threading.Thread(
            target=console.run,
            args=(support.scenario(), self.orders, self.screen),
            kwargs={"as_json": as_json, "ends_with_input": ends_with_input},
        )

    def __enter__(self) -> Running:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.orders.type("quit")
        self.orders.end()
        self._thread.join(support.PATIENCE_S)
        assert not self._thread.is_alive()


def test_ports_first_then_events() -> None:
    with Running() as running:
        path = running.screen.wait("port front ").rstrip("\n").partition("port front ")[2].strip()
        client = support.Client(path)
        client.at("ATE0")
        client.submit(PATIENT, "Hi", report=True)
        assert f'recipient="{PATIENT}" text="Hi" mr=0' in running.screen.wait(" submitted ")
        running.screen.wait(" delivered ")
        running.screen.wait(" report ")
        running.orders.type(f"sms {PATIENT} front Tak, bede")
        assert 'text="Tak, bede"' in running.screen.wait(" incoming ")
        client.close()


def test_json_lines_and_books() -> None:
    with Running(as_json=True) as running:
        ports = json.loads(running.screen.wait('"ports"'))
        assert ports["event"] == "ports"
        running.orders.type(f"flash {PATIENT} front Zażółć")
        event = json.loads(running.screen.wait('"incoming"'))
        assert (event["text"], event["modem"]) == ("Zażółć", "front")
        running.orders.type("books")
        books: dict[str, Any] = json.loads(running.screen.wait('"counts"'))
        assert books["counts"]["incoming"] == 1
        assert books["modems"]["front"]["memories"]["SM"]["used"] == 1
        running.orders.type("state")
        assert json.loads(running.screen.wait('"pin_state"'))["front"]["registered"] is True


def test_ports_come_before_all_events() -> None:
    layout = support.scenario()
    layout["day"] = [{"at": "0s", "sms": {"from": PATIENT, "to": "front", "text": "TAK"}}] * 5
    output = io.StringIO()
    console.run(layout, ["state"], output, ends_with_input=True)
    assert output.getvalue().startswith("port front ")


@pytest.mark.parametrize(
    ("order", "event"),
    [
        ("fault front hang", " fault "),
        ("fault front refuse code=38 times=2 for=1h", 'code="38"'),
        ("clear front", "done: clear front"),
        ("clear front hang", "done: clear front hang"),
        ("unplug front", " unplugged "),
        ("unplug front 10ms", " plugged "),
        ("plug front", "done: plug front"),
        (f"call {PATIENT} front 1", " call "),
        ("call - front", " call "),
        (f"phone {PATIENT} off", f"done: phone {PATIENT} off"),
        ("faults", "answer-lost: "),
        ("help", "sms NUMBER MODEM TEXT"),
        ("jump front", "'jump front' is no order"),
        ("fault front hagn", "did you mean hang?"),
        ("fault front refuse code", "found 'code'; wanted is KEY=VALUE"),
        ("sms x frnot Hi", "there is no modem 'frnot'"),
        ('sms "', "error: No closing quotation"),
    ],
)
def test_orders(order: str, event: str) -> None:
    with Running() as running:
        running.orders.type("")
        running.orders.type(order)
        assert event in running.screen.wait(event)


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ("jump front", "'jump front' is no order; allowed: sms, flash, call, fault,"),
        ("Fault front hang", "'Fault front hang' is no order; did you mean fault? allowed: sms,"),
        ("fault front", "'fault front' is not complete, or too much: fault MODEM NAME [K=V ...] "),
        ("quit now", "'quit now' is not complete, or too much: quit"),
        ("sms 2580 front I'm late", "No closing quotation: write a text with an apostrophe in dou"),
        ("call Anna front", "from: found 'Anna'; allowed: a number"),
    ],
)
def test_a_wrong_order_is_told_in_one_line(order: str, error: str) -> None:
    output = io.StringIO()
    console.run(support.scenario(), [order], output, ends_with_input=True)
    told = [line for line in output.getvalue().splitlines() if line.startswith("error: ")]
    assert told == output.getvalue().splitlines()[1:]
    assert told[0].startswith(f"error: {error}")


def test_with_json_every_line_is_a_document() -> None:
    orders = ["help", "faults", "state", "books", "jump", f"sms {PATIENT} front TAK", "quit now"]
    output = io.StringIO()
    console.run(support.scenario(), orders, output, as_json=True, ends_with_input=True)
    documents = [json.loads(line) for line in output.getvalue().splitlines()]
    named = {one["event"]: one for one in documents if "event" in one}
    assert "sms NUMBER MODEM TEXT" in named["help"]["help"]
    assert named["faults"]["faults"]["refuse"]["arguments"].keys() == {
        "code",
        "to",
        "taken",
        "times",
    }


def test_a_modem_is_plugged_in_once() -> None:
    output = io.StringIO()
    orders = ["plug front", "unplug front", "plug front", "plug front"]
    console.run(support.scenario(), orders, output, ends_with_input=True)
    assert output.getvalue().count(" plugged ") == 1


def test_the_end_of_the_input_is_the_end_only_if_so_asked() -> None:
    with Running(ends_with_input=True) as running:
        running.orders.end()


def test_wrong_scenarios_are_told_before_anything_runs() -> None:
    with pytest.raises(errors.ConfigError, match="at least one modem"):
        console.run({}, [], io.StringIO())


def test_a_reader_that_goes_away_does_not_stop_it() -> None:
    output = io.StringIO()
    output.close()
    console.run(support.scenario(), ["state", "books"], output, ends_with_input=True)
