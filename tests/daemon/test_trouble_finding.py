# SPDX-License-Identifier: Apache-2.0
"""A modem known by its IMEI, whatever its ports are called; through its worker, for /dev is ours.

The daemon looks under /dev only; here the worker is told to look in a directory of the test.
"""

from __future__ import annotations

import os
import pty
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from modem_gateway import MemoryGateway, Runner, make_part, running

from gsmgw.model import ModemState
from gsmgw.modem import settings
from gsmgw.simulator import Simulator

pytestmark = pytest.mark.slow

IMEI = "356938035643809"


@contextmanager
def box(devices: Path, name: str, gateway: MemoryGateway) -> Iterator[tuple[Simulator, Runner]]:
    devices.mkdir()
    layout = {"modems": [{"name": "front", "imei": IMEI, "link": str(devices / name)}]}
    wanted = settings.Settings(
        "front", match_imei=IMEI, candidates=(str(devices / "ttyUSB*"),), result_timeout_s=60.0
    )
    with Simulator(layout) as park, running(wanted, gateway) as runner:
        yield park, runner


def send(runner: Runner, gateway: MemoryGateway, number: int) -> None:
    gateway.waiting.append(make_part(number))
    runner.until(lambda: len(gateway.taken) == number)


def test_stick_that_comes_back_under_another_name_is_found_by_its_imei(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    with box(tmp_path / "dev", "ttyUSB0", gateway) as (park, runner):
        send(runner, gateway, 1)
        park.unplug("front")
        runner.until(lambda: runner.worker.modem_state is ModemState.ABSENT)
        park.plug("front", str(tmp_path / "dev" / "ttyUSB3"))
        send(runner, gateway, 2)
        assert gateway.reports[-1].port == str(tmp_path / "dev" / "ttyUSB3")


def test_of_two_ports_of_a_stick_the_one_that_answers_is_taken(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    master, slave = pty.openpty()
    tty.setraw(slave)
    try:
        with box(tmp_path / "dev", "ttyUSB1", gateway) as (park, runner):
            (tmp_path / "dev" / "ttyUSB0").symlink_to(os.ttyname(slave))
            send(runner, gateway, 1)
            assert gateway.reports[-1].port == str(tmp_path / "dev" / "ttyUSB1")
            assert park.books.counts()["taken"] == 1
    finally:
        os.close(master)
        os.close(slave)


def test_port_of_another_modem_is_left_alone(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    with box(tmp_path / "dev", "ttyUSB0", gateway) as (park, runner):
        send(runner, gateway, 1)
        other = MemoryGateway()
        wanted = settings.Settings(
            "back", match_imei="350000000000006", candidates=(str(tmp_path / "dev" / "ttyUSB*"),)
        )
        with running(wanted, other) as looking:
            looking.until(lambda: other.reports and other.reports[-1].why)
            assert other.reports[-1].why == "a modem with IMEI 350000000000006 is not there"
        send(runner, gateway, 2)
        assert park.books.counts()["taken"] == 2
