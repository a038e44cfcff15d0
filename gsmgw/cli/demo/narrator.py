# SPDX-License-Identifier: Apache-2.0
"""Tells what happens on the demo's stage, line by line, while it waits for what was promised."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path

import click

from gsmgw.cli import display
from gsmgw.cli.demo.stage import Stage
from gsmgw.clock import Clock
from gsmgw.gateway import words
from gsmgw.simulator import books

#: How often to look at files and events, in seconds.
_LOOK_S = 0.02
#: How many lines of the daemon's log are shown when something did not happen.
_LOG_LINES = 20
#: When all this time is over nothing is waited for any longer, in seconds; some 5 are usual.
BUDGET_S = 180.0


class Narrator:
    """Prints the story; only the main thread speaks."""

    def __init__(self, stage: Stage, clock: Clock) -> None:
        self.stage = stage
        self._clock = clock
        self._begun_at = clock.monotonic()
        self._pause = threading.Event()
        self.broken: list[str] = []  #: promises that were not kept

    def title(self, text: str) -> None:
        """Begin an act."""
        click.echo()
        click.secho(display.safe(text), bold=True)

    def say(self, who: str, what: str) -> None:
        """Print what somebody did, with the seconds since the beginning."""
        elapsed = self._clock.monotonic() - self._begun_at
        click.echo(f"  {elapsed:4.1f} s  {who:<8}  {display.safe(what)}")

    def quote(self, text: str) -> None:
        """Print a file or an answer, line by line."""
        for line in display.safe_lines(text.rstrip("\n")):
            click.echo(f"                    | {line}".rstrip())

    def expect(self, promise: str, kept: Callable[[], bool], timeout_s: float) -> bool:
        """Tell what happens until a promise is kept; note it as broken if the time is over."""
        end = min(self._clock.monotonic() + timeout_s, self._begun_at + BUDGET_S)
        while True:
            done = kept()
            self.catch_up()
            if done:
                return True
            if self._clock.monotonic() >= end or not self.stage.is_running():
                self.broken.append(promise)
                self.say("MISSING", promise)
                return False
            self._pause.wait(_LOOK_S)

    def catch_up(self) -> None:
        """Tell what has happened since the last look."""
        while True:
            try:
                event = self.stage.events.get_nowait()
            except queue.Empty:
                break
            told = describe(event)
            if told is not None:
                self.say(*told)
        for path in self.stage.new_files():
            self._show_file(path)

    def _show_file(self, path: Path) -> None:
        self.say("spool", f"{path.parent.name}/{path.name}")
        self.quote(path.read_text("utf-8", "replace"))

    def show_log(self) -> None:
        """Print the end of the daemon's log."""
        self.title("The end of the daemon's log")
        lines = self.stage.log.read_text("utf-8", "replace").splitlines()
        self.quote("\n".join(lines[-_LOG_LINES:]) or "(empty)")


def describe(event: books.Event) -> tuple[str, str] | None:
    """Return who did what, None for what is not worth telling."""
    match event["event"]:
        case "submitted":
            return "modem", (
                f"{event['modem']} sends to {event['recipient']}{_part(event['concat'])}:"
                f" {event['text']}"
            )
        case "refused":
            why = words.explain("cms", str(event["code"]))
            return "network", f"refuses {event['recipient']}: {why}"
        case "delivered":
            parts = event["parts"]
            whole = "" if parts == 1 else f", put together from {parts} parts"
            return "phone", f"{event['recipient']} has it{whole}: {event['text']}"
        case "report":
            return "network", f"reports to {event['modem']}: {_fate(event)}"
        case "incoming":
            return "phone", f"{event['sender']} sends to {event['modem']}: {event['text']}"
        case "call":
            return "phone", f"{event['number']} rings modem {event['modem']}"
        case "call-ended" if event["by"] == "modem":
            return "modem", f"{event['modem']} hangs up after ring {event['rings']}"
    return None


def _fate(event: books.Event) -> str:
    """Say what a status report says of the part with that reference."""
    part = f"its message to {event['recipient']} with reference {event['mr']}"
    if event["status"] == 0:
        return f"{part} has arrived"
    return f"{part}: {words.explain('tp-st', str(event['status']))}"


def _part(concat: object) -> str:
    if not isinstance(concat, dict):
        return ""
    return f", part {concat['number']} of {concat['total']}"
