# SPDX-License-Identifier: Apache-2.0
"""Simulated modems with a worker on them, and what tests ask about the outcome."""

from contextlib import contextmanager

from modem_gateway import MemoryGateway, Runner, running

from gsmgw.model import ModemState
from gsmgw.modem.settings import Settings
from gsmgw.simulator import Simulator

THEM = "+48500100201"


def scenario(vendor="generic", **more):
    modem = {
        "name": "front",
        "number": "+48500100200",
        "imei": "356938035643809",
        "imsi": "260011234567890",
        "iccid": "8948010000000000001",
        "vendor": vendor,
        "latency": "2ms",
        "submit": "10ms",
        **more,
    }
    return {"modems": [modem], "network": {"delivery": "10ms", "report": "20ms"}}


@contextmanager
def simulated(**more):
    park = Simulator(scenario(**more))
    park.start()
    try:
        yield park
    finally:
        park.stop()


@contextmanager
def worked(park, gateway, **more):
    """Run a worker; a test that waits for a result in vain says how long."""
    wanted = {"port": park.ports["front"], "result_timeout_s": 60.0, **more}
    with running(Settings("front", **wanted), gateway) as runner:
        yield runner


def until_ready(runner: Runner) -> None:
    runner.until(lambda: runner.worker.modem_state is ModemState.READY)


def outcomes(gateway: MemoryGateway) -> list[str]:
    return [result.outcome.value for result in gateway.results]
