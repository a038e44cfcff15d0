# SPDX-License-Identifier: Apache-2.0
"""Driver and worker against the simulator, each test over lines of every quality."""

import pytest
from modem_gateway import MemoryGateway, make_part
from modem_world import THEM, outcomes, simulated, until_ready, worked

from gsmgw.modem.gateway_port import ModemCommand
from gsmgw.simulator.line import Quality

#: How good the line is; noise is the simulator's own fault.
LINES = {
    "good": Quality(),
    "bytes": Quality(gap_s=0.0001),
    "inside": Quality(inside="^RSSI: 17"),
    "delay": Quality(delay_s=0.01),
    "noise": None,
}


@pytest.fixture(params=LINES)
def world(request):
    """A simulator, a gateway and a worker on a line of some quality, ready."""
    quality = LINES[request.param]
    with simulated() as park:
        if quality is None:
            park.fault("front", "garbage")
        else:
            park.quality("front", quality)
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            yield park, gateway, runner


def test_parts_are_sent_and_their_reports_come(world):
    park, gateway, runner = world
    gateway.waiting.extend(make_part(number, text=f"Part {number}") for number in range(1, 6))
    runner.until(lambda: len(gateway.results) == 5)
    assert outcomes(gateway) == ["taken"] * 5
    assert [result.mr for result in gateway.results] == [0, 1, 2, 3, 4]
    runner.until(lambda: len(gateway.arrivals) == 5)
    runner.until(lambda: len(gateway.deletions) == 5)
    assert park.books.counts()["taken"] == 5


def test_messages_are_stored_then_deleted(world):
    park, gateway, runner = world
    for number in range(8):
        park.receive(THEM, "front", f"In {number}")
    runner.until(lambda: len(gateway.deletions) == 8)
    assert sorted(filter(None, gateway.texts())) == [f"In {number}" for number in range(8)]
    assert park.memory("front") == {}


def test_a_missed_call_is_one_missed_call(world):
    park, gateway, runner = world
    park.call(THEM, "front", 3, every_s=0.5)
    runner.until(lambda: gateway.calls)
    runner.for_s(1.5)
    assert gateway.calls == [THEM]


def test_orders_are_answered(world):
    _park, gateway, runner = world
    gateway.commands.append(ModemCommand(1, "at", "AT+CSQ"))
    gateway.commands.append(ModemCommand(2, "ussd", "*100#"))
    gateway.commands.append(ModemCommand(3, "probe", ""))
    gateway.commands.append(ModemCommand(4, "at", "AT+CMGS=20"))
    runner.until(lambda: len(gateway.answers) == 4)
    assert gateway.answers[1][0].endswith("OK")
    assert "+CSQ: 17,99" in gateway.answers[1][0]
    assert gateway.answers[2] == ("Balance: 12.30", None)
    assert "imei: 356938035643809" in gateway.answers[3][0]
    assert gateway.answers[4][1] is not None
