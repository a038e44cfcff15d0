# SPDX-License-Identifier: Apache-2.0
"""The modem's own clock: read at the start and after a jump of ours, not where there is none."""

from __future__ import annotations

import datetime as dt

import modem_world
from modem_gateway import MemoryGateway, Runner

from gsmgw.clock import SystemClock
from gsmgw.modem.settings import Settings
from gsmgw.modem.worker import Worker
from gsmgw.simulator import Simulator


class MovedClock(SystemClock):
    """The machine's clock, set ahead at will."""

    ahead = dt.timedelta()

    def now(self) -> dt.datetime:
        return super().now() + self.ahead


def test_the_clock_is_read_at_the_start_and_after_a_jump_of_ours() -> None:
    gateway, ours = MemoryGateway(), MovedClock()
    with modem_world.simulated() as park:
        worker = Worker(Settings("front", port=park.ports["front"]), gateway, now=ours)
        runner = Runner(worker)
        worker.open()
        try:
            runner.until(lambda: len(gateway.clocks) == 1)
            runner.for_s(0.5)
            assert len(gateway.clocks) == 1
            ours.ahead = dt.timedelta(hours=26)
            worker.wake()
            runner.until(lambda: len(gateway.clocks) == 2)
        finally:
            worker.close()
    name, shown = gateway.clocks[0]
    assert name == "front"
    assert abs(shown - SystemClock().now()) < dt.timedelta(minutes=5)


def test_a_clock_that_no_network_has_set_is_not_handed_on() -> None:
    gateway = MemoryGateway()
    layout = modem_world.scenario()
    layout["network"]["nitz"] = "no"
    with Simulator(layout) as park:
        worker = Worker(Settings("front", port=park.ports["front"]), gateway)
        runner = Runner(worker)
        worker.open()
        try:
            modem_world.until_ready(runner)
            runner.for_s(1.5)
        finally:
            worker.close()
    assert gateway.clocks == []
