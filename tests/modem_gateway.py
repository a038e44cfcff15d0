# SPDX-License-Identifier: Apache-2.0
"""A gateway in memory for tests of workers, and a runner that steps a worker."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gsmgw import clock, pdu, threads
from gsmgw.errors import StoreBusyError
from gsmgw.model import InboundPdu, ModemReport, Outcome, PartToSend, SimIdentity, SubmitResult
from gsmgw.modem import settings, worker
from gsmgw.modem.gateway_port import ModemCommand

#: Long enough for a busy machine; nothing waits for it when all is well.
PATIENCE_S = 100.0


def make_part(
    part_id: int = 1, recipient: str = "+48500100201", text: str = "Test", **more: object
) -> PartToSend:
    """Return a part of one segment; `more` overrides fields of `PartToSend`."""
    segment = pdu.segment(text)[0]
    octets = pdu.encode_submit(pdu.Submit(recipient, segment, report=True, validity=167))
    part = PartToSend(part_id, part_id, 1, 1, recipient, octets)
    return dataclasses.replace(part, **more)  # type: ignore[arg-type]


class MemoryGateway:
    """What `gateway_port.Gateway` asks for, kept in lists."""

    def __init__(self) -> None:
        self.waiting: deque[PartToSend] = deque()
        self.sending: PartToSend | None = None
        self.results: list[SubmitResult] = []
        self.late: list[SubmitResult] = []
        self.arrivals: list[InboundPdu] = []
        self.deletions: list[int] = []
        self.calls: list[str | None] = []
        self.commands: deque[ModemCommand] = deque()
        self.answers: dict[int, tuple[str, str | None]] = {}
        self.attached: list[ModemReport] = []
        self.reports: list[ModemReport] = []
        self.pins: set[tuple[str, str]] = set()
        self.pin_words: list[tuple[str, str]] = []
        self.service_centre: str | None = None
        self.smss: list[int] = []
        self.clocks: list[tuple[str, dt.datetime]] = []
        self.places: dict[str, PartToSend | None] = {}  #: modems that wait, what they are given
        self.busy = 0  #: so many writes are refused
        self.owed: list[SubmitResult] = []  #: results that were not written yet

    def _write(self) -> None:
        if self.busy > 0:
            self.busy -= 1
            raise StoreBusyError

    def attach(self, modem: str, report: ModemReport) -> None:
        self._write()
        self.attached.append(report)

    def changed(self, report: ModemReport) -> None:
        self.reports.append(report)

    def in_flight(self, modem: str) -> PartToSend | None:
        return self.sending

    def claim(self, modem: str) -> PartToSend | None:
        assert self.attached, "claimed before attach"
        assert self.owed or self.sending is None, "two parts at once"
        if self.owed:
            self.flush(modem)
            return None
        try:
            self._write()
        except StoreBusyError:
            return None
        self.sending = self.waiting.popleft() if self.waiting else None
        return self.sending

    def wait_begins(self, modem: str) -> None:
        assert not self.owed, "waits for a part with a result in its hands"
        assert self.sending is None, "waits for a second part"
        self.places[modem] = None

    def wait_ends(self, modem: str) -> PartToSend | None:
        return self.places.pop(modem)

    def give(self, modem: str, part: PartToSend) -> bool:
        """Claim a part for a modem if it waits; tell whether it did."""
        if self.places.get(modem, part) is not None:
            return False
        self.places[modem] = self.sending = part
        return True

    def settle(self, modem: str, result: SubmitResult, *, claim_next: bool) -> PartToSend | None:
        self.owed.append(result)
        self.flush(modem)
        return None if self.owed or not claim_next else self.claim(modem)

    def flush(self, modem: str) -> None:
        while self.owed:
            try:
                self._write()
            except StoreBusyError:
                return
            self._record(self.owed.pop(0))

    def _record(self, result: SubmitResult) -> None:
        part, self.sending = self.sending, None
        assert part is not None
        assert part.part_id == result.part_id
        self.results.append(result)
        if result.outcome is Outcome.UNTOUCHED:
            self.waiting.appendleft(part)

    def late_answer(self, modem: str, result: SubmitResult) -> None:
        self.late.append(result)

    def received(self, arrival: InboundPdu) -> int:
        self._write()
        self.arrivals.append(arrival)
        return len(self.arrivals)

    def deleted(self, received_id: int) -> None:
        self.deletions.append(received_id)

    def missed_call(self, modem: str, number: str | None) -> None:
        self._write()
        self.calls.append(number)

    def next_command(self, modem: str) -> ModemCommand | None:
        return self.commands.popleft() if self.commands else None

    def command_done(self, command_id: int, answer: str, error: str | None) -> None:
        self.answers[command_id] = (answer, error)

    def may_try_pin(self, sim_key: str, pin: str) -> bool:
        if (sim_key, pin) in self.pins:
            return False
        self.pins.add((sim_key, pin))
        return True

    def pin_accepted(self, sim_key: str) -> None:
        self.pin_words.append(("accepted", sim_key))
        self.pins = {pair for pair in self.pins if pair[0] != sim_key}

    def pin_refused(self, sim_key: str) -> None:
        self.pin_words.append(("refused", sim_key))

    def remembered_service_centre(self, sim: SimIdentity) -> str | None:
        return self.service_centre

    def modem_clock(self, modem: str, shown: dt.datetime) -> None:
        self.clocks.append((modem, shown))

    def smss_reading(self, modem: str, last_mr: int) -> None:
        self.smss.append(last_mr)

    @property
    def taken(self) -> list[SubmitResult]:
        return [result for result in self.results if result.outcome is Outcome.TAKEN]

    def texts(self) -> list[str | None]:
        """Return the texts of what arrived; reports and the undecodable give None."""
        return [getattr(pdu.decode(arrival.pdu), "text", None) for arrival in self.arrivals]


class Runner:
    """Steps a worker in the test's own thread."""

    def __init__(self, modem: worker.Worker) -> None:
        self.worker = modem
        self.stop = threads.StopToken()
        self._clock = clock.SystemClock()

    def until(self, condition: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
        """Step until the condition holds."""
        deadline = self._clock.monotonic() + patience_s
        while not condition():
            assert self._clock.monotonic() < deadline, f"not so; modem is {self.worker.modem_state}"
            self.worker.step(self.stop)

    def for_s(self, seconds: float) -> None:
        """Step for so long."""
        deadline = self._clock.monotonic() + seconds
        waker = threading.Timer(seconds, self.worker.wake)
        waker.start()
        try:
            while self._clock.monotonic() < deadline:
                self.worker.step(self.stop)
        finally:
            waker.cancel()
            waker.join()


@contextmanager
def running(wanted: settings.Settings, gateway: MemoryGateway) -> Iterator[Runner]:
    """Open a worker, hand out its runner, close it."""
    modem = worker.Worker(wanted, gateway)
    modem.open()
    try:
        yield Runner(modem)
    finally:
        modem.close()
