# SPDX-License-Identifier: Apache-2.0
"""Ports that vanish, come back under other names, are held by others, or are never there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trouble_support as trouble
from site_support import site

pytestmark = pytest.mark.slow

PATIENT = {"result_timeout": "60s"}  #: nothing here waits for it

#: Holds a port the way pyserial does, until its standard input ends.
_HOLD = """
import fcntl, sys
port = open(sys.argv[1], "rb+", buffering=0)
fcntl.flock(port, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(port: str) -> Iterator[None]:
    """Let another program have a port open for itself alone."""
    command = [sys.executable, "-c", _HOLD, port]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        try:
            yield
        finally:
            other.communicate()


def test_pulled_out_and_put_back_while_idle_and_while_sending(tmp_path: Path) -> None:
    layout = trouble.plan(["front"], {"front": {"submit": "3s"}})
    with site(tmp_path / "box", layout, modem=PATIENT) as box:
        mail = trouble.Mail(box)
        box.sim.unplug("front")
        trouble.until_modem(box, "front", "absent")
        mail.write()
        box.sim.plug("front")
        box.until(lambda: box.sim.books.submits)  # Ctrl-Z was written
        box.sim.unplug("front")
        trouble.until_modem(box, "front", "absent")
        mail.write()
        box.sim.plug("front")
        box.until(lambda: len(box.sim.books.taken) >= 1)
        box.until(lambda: set(mail.states()) <= {*trouble.ARRIVED, "uncertain"})
        doubted = box.lines("part.uncertain", "the device is gone")
        assert len(doubted) == 1
        assert box.sim.books.duplicates() == []
        assert box.sim.books.submits[0].outcome != "taken", "it was pulled out before"
        assert mail.states()["uncertain"] == 1
        assert box.lines("modem.lost", "the device is gone")


def test_path_that_is_not_there_appears_and_one_that_is_held_is_let_go(tmp_path: Path) -> None:
    layout = trouble.plan(["front", "later", "held"], {"later": {"plugged": "no"}})
    with site(tmp_path / "box", layout, modem=PATIENT, start=False) as box:
        mail = trouble.Mail(box)
        with held(box.sim.ports["held"]):
            box.start(wait=False)
            trouble.until_modem(box, "front", "ready")
            for name in ("front", "later", "held"):
                mail.write(name)
            box.until(lambda: "held by another program" in trouble.why(box, "held"))
            box.until(lambda: "is not there" in trouble.why(box, "later"))
            box.sim.plug("later")
            trouble.until_modem(box, "later", "ready")
        mail.until_arrived()
        assert len(box.lines("modem.lost", "modem=held", "is held by another program")) == 1
        assert len(box.lines("modem.lost", "modem=later", "is not there")) == 1
        assert {row["tries"] for row in box.rows("outbox")} == {0}


def test_port_under_a_stable_name_may_lead_to_another_device_file(tmp_path: Path) -> None:
    """/dev/serial/by-id keeps its name while ttyUSB0 becomes ttyUSB1."""
    stable = tmp_path / "usb-modem-if00"
    with site(tmp_path / "box", trouble.plan(["front"]), modem=PATIENT, start=False) as box:
        stable.symlink_to(box.sim.ports["front"])
        trouble.change_modem(box, "front", port=str(stable))
        box.start()
        mail = trouble.Mail(box)
        mail.write()
        mail.until_arrived()
        box.sim.unplug("front")
        stable.unlink()
        trouble.until_modem(box, "front", "absent")
        mail.write()
        stable.symlink_to(tmp_path / "ttyUSB1")
        box.sim.plug("front", str(tmp_path / "ttyUSB1"))
        mail.until_arrived()


def test_modem_that_stays_away_costs_its_messages_nothing(tmp_path: Path) -> None:
    layout = trouble.plan(["front", "back"])
    with site(tmp_path / "box", layout, modem=PATIENT, start=False) as box:
        box.sim.unplug("back")
        box.start(wait=False)
        trouble.until_modem(box, "front", "ready")
        mail = trouble.Mail(box)
        waiting = mail.write("back")
        for _ in range(10):
            mail.write()
        box.until(lambda: mail.states()["delivered"] + mail.states()["sent"] == 10)
        box.until_state(waiting, "queued")
        row = box.message(waiting)
        assert (row["state"], row["tries"], row["error_code"]) == ("queued", 0, None)
        assert box.stop() == 0
        box.sim.plug("back")
        box.start()
        mail.until_arrived()


def test_second_port_of_one_stick_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    """The same SIM twice: each would delete what the other has not read yet."""
    same = {"iccid": "8948010000000000017", "imei": "356938035643809"}
    layout = trouble.plan(["front", "back"], {"front": same, "back": same})
    with site(tmp_path / "box", layout, modem=PATIENT, start=False) as box:
        mail = trouble.Mail(box)
        box.sim.unplug("back")
        box.start(wait=False)
        box.until(lambda: box.rows("modem", "name = 'front' AND state = 'ready'"))
        box.sim.plug("back")
        box.until(lambda: box.lines("sim.unusable", "modem=back", "two ports of one device"))
        mail.write_at_once(3)
        mail.until_arrived()
        assert {part["modem"] for part in box.rows("part")} == {"front"}
        box.sim.unplug("front")
        box.until(lambda: box.rows("modem", "name = 'back' AND state = 'ready'"), timeout_s=60)
        mail.write_at_once(2)
        mail.until_arrived()
