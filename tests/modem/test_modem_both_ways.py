# SPDX-License-Identifier: Apache-2.0
"""Sending and receiving do not wait for one another to be healthy."""

import pytest
from modem_gateway import MemoryGateway, make_part
from modem_world import THEM, outcomes, simulated, until_ready, worked


@pytest.mark.parametrize("broken", [("+CMGL",), ("+CMGL", "+CMGR"), ("+CPMS",), ("+CMGD",)])
def test_an_error_in_receiving_does_not_stop_sending(broken):
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            modem = park._modems["front"]
            modem.commands = {
                **modem.commands,
                **{name: lambda on, _command: on.cms(302) for name in broken},
            }
            park.receive(THEM, "front", "TAK")
            for number in (1, 2, 3):
                gateway.waiting.append(make_part(number))
                runner.until(lambda number=number: len(gateway.taken) == number)
            assert outcomes(gateway) == ["taken"] * 3


@pytest.mark.parametrize("code", [302, 38, 21])
def test_refusals_do_not_stop_receiving(code):
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            park.fault("front", "refuse", code=code)
            for number in (1, 2, 3):
                gateway.waiting.append(make_part(number))
                park.receive(THEM, "front", f"Reply {number}")
                runner.until(lambda number=number: f"Reply {number}" in gateway.texts())
            assert "refused" in outcomes(gateway)
            assert not gateway.taken
