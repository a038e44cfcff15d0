# SPDX-License-Identifier: Apache-2.0
"""Parts that a modem is given while it waits; against the simulator."""

import contextlib
import threading

from modem_gateway import PATIENCE_S, MemoryGateway, make_part
from modem_world import outcomes, simulated, until_ready, worked

from gsmgw.model import ModemState


@contextlib.contextmanager
def when_it_waits(gateway, action):
    """Give the modem a part at its next wait and then do something, in another thread."""
    ended = threading.Event()

    def give() -> None:
        while not gateway.give("front", make_part(1)):
            if ended.wait(0.001):
                return
        action()

    other = threading.Thread(target=give)
    other.start()
    try:
        yield
    finally:
        ended.set()
        other.join(PATIENCE_S)


def test_a_part_that_is_given_goes_out():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            with when_it_waits(gateway, runner.worker.wake):
                runner.until(lambda: gateway.results)
            assert outcomes(gateway) == ["taken"]
            gateway.waiting.append(make_part(2))
            runner.until(lambda: len(gateway.results) == 2)
            assert [result.part_id for result in gateway.results] == [1, 2]
            assert park.books.counts()["taken"] == 2


def test_a_modem_pulled_out_gives_back_what_it_was_given():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            with when_it_waits(gateway, lambda: park.unplug("front")):
                runner.until(lambda: runner.worker.modem_state is ModemState.ABSENT)
            assert outcomes(gateway) == ["untouched"]
            park.plug("front")
            runner.until(lambda: gateway.taken)
            assert park.books.counts()["taken"] == 1


def test_a_daemon_that_stops_gives_back_what_it_was_given():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)

            def stop() -> None:
                runner.stop.set()
                runner.worker.wake()

            with when_it_waits(gateway, stop):
                while not runner.stop.is_set():
                    runner.worker.step(runner.stop)
        assert outcomes(gateway) == ["untouched"]
        assert park.books.counts()["submits"] == 0


def test_a_modem_that_may_not_send_waits_for_no_part():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            park.fault("front", "no-network")
            runner.until(lambda: runner.worker.modem_state is ModemState.SEARCHING)
            with when_it_waits(gateway, lambda: None):
                runner.for_s(0.3)
            assert gateway.sending is None


def test_a_modem_held_back_after_a_failure_waits_for_no_part():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            park.fault("front", "refuse", code=313, times=1)
            gateway.waiting.append(make_part(2))
            runner.until(lambda: gateway.results)
            with when_it_waits(gateway, lambda: None):
                runner.for_s(0.3)
            assert gateway.sending is None


def test_what_a_modem_says_while_it_is_given_a_part_is_heard_first():
    with simulated() as park:
        gateway = MemoryGateway()
        with worked(park, gateway) as runner:
            until_ready(runner)
            with when_it_waits(gateway, lambda: park.receive("+48500100201", "front", "TAK")):
                runner.until(lambda: gateway.results and gateway.arrivals)
            assert outcomes(gateway) == ["taken"]
            assert gateway.texts()[0] == "TAK"
