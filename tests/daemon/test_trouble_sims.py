# SPDX-License-Identifier: Apache-2.0
"""SIMs that are taken out, locked, refused by networks or full; service centres that vanish."""

from __future__ import annotations

from pathlib import Path

import pytest
import trouble_support as trouble
from site_support import Site, site

pytestmark = pytest.mark.slow

NAMES = ("taken-out", "pin-again", "wrong-pin", "puk", "no-net", "refused", "full", "keeps", "smsc")
#: Long enough not to stand by chance in a process id, a path or a time.
RIGHT, WRONG = "73105926", "40718253"
PIN = {"pin": RIGHT}
PATIENT = {"result_timeout": "60s"}  #: nothing here waits for it


def test_every_trouble_of_a_sim_is_told_once_and_ends_with_messages_flowing(tmp_path: Path) -> None:
    layout = trouble.plan(NAMES, {"pin-again": PIN, "wrong-pin": PIN})
    right, wrong = tmp_path / "right.pin", tmp_path / "wrong.pin"
    right.write_text(f"{RIGHT}\n")
    wrong.write_text(f"{WRONG}\n")
    retry = {"sending": {"retry": {"first": "1s", "factor": "1", "longest": "1s"}}}
    with site(tmp_path / "box", layout, settings=retry, modem=PATIENT, start=False) as box:
        trouble.change_modem(box, "pin-again", pin_file=str(right))
        trouble.change_modem(box, "wrong-pin", pin_file=str(wrong))
        box.sim.fault("puk", "puk")
        box.sim.fault("full", "sim-full")
        box.start(wait=False)
        able = set(NAMES) - {"wrong-pin", "puk"}
        box.until(lambda: {n for n, s in trouble.states(box).items() if s == "ready"} >= able)
        mail = trouble.Mail(box)
        begin_troubles(box)
        look_at_pins(box)
        for name in NAMES:
            mail.write(name)
        look_at_states(box)
        mend(box)
        wrong.write_text(f"{RIGHT}\n")
        mail.until_arrived()
        box.until(lambda: len(box.rows("inbox")) == 3)
        assert {row["text"] for row in box.rows("inbox")} == {"Hi full", "Hi keeps", "Hi no-net"}
        look_at_log(box, wrong)


def begin_troubles(box: Site) -> None:
    box.sim.fault("taken-out", "no-sim")
    box.sim.fault("pin-again", "power-cut", off="500ms")
    box.sim.fault("no-net", "no-network")
    box.sim.fault("refused", "no-network", stat=3)
    box.sim.fault("keeps", "deletion-refused", times=2)
    box.sim.fault("smsc", "smsc-gone")
    for name in ("full", "keeps", "no-net"):
        box.sim.receive("+48500100299", name, f"Hi {name}")


def look_at_pins(box: Site) -> None:
    """The wrong PIN was tried once, the PUK never; kill and restart change nothing about it."""
    trouble.until_modem(box, "wrong-pin", "needs_pin")
    trouble.until_modem(box, "puk", "needs_pin")
    assert box.sim.state()["wrong-pin"]["pin_tries"] == 2
    for end in (box.kill, box.stop):
        end()
        told = {name: len(box.lines("sim.unusable", f"modem={name}")) for name in NAMES}
        box.start(wait=False)
        for name, before in told.items():
            if name in ("wrong-pin", "puk"):
                until_told(box, name, before)
    assert box.sim.state()["wrong-pin"]["pin_tries"] == 2
    box.until(lambda: "was tried on this SIM before" in trouble.why(box, "wrong-pin"))
    assert box.sim._modem("puk").card.puk_tries == 10
    assert box.sim.state()["puk"]["pin_state"] == "SIM PUK"


def until_told(box: Site, name: str, before: int) -> None:
    box.until(lambda: len(box.lines("sim.unusable", f"modem={name}")) > before)


def look_at_states(box: Site) -> None:
    for name, state, words in (
        ("taken-out", "needs_pin", "no SIM is inserted"),
        ("puk", "needs_pin", "SIM PUK"),
        ("no-net", "searching", "finds no network"),
        ("refused", "searching", "refuses this SIM"),
    ):
        trouble.until_modem(box, name, state)
        box.until(lambda n=name, w=words: w in trouble.why(box, n))  # type: ignore[misc]
    for name in ("pin-again", "full", "keeps", "smsc"):
        trouble.until_modem(box, name, "ready")


def mend(box: Site) -> None:
    for name in ("taken-out", "puk", "no-net", "refused", "full"):
        box.sim.clear(name)
    box.sim.unplug("puk", for_s=0.5)  # its SIM was unlocked in a phone


def look_at_log(box: Site, wrong: Path) -> None:
    assert box.lines("sim.unusable", "modem=taken-out", "no SIM is inserted")
    assert box.lines("sim.unusable", "modem=wrong-pin", f"refused the PIN in {wrong}")
    assert box.lines("sim.unusable", "modem=puk", "unlock it in a phone")
    assert box.lines("modem.unregistered", "modem=refused", "not active, barred, or no roaming")
    assert box.lines("memory.full", "modem=full", "memory=SM", "used=20 total=20")
    assert box.lines("memory.undeletable", "modem=keeps")
    assert len(box.lines("pin.tried", "modem=wrong-pin")) == 2, "the wrong one, the right one"
    assert not box.lines("pin.tried", "modem=puk")
    assert RIGHT not in box.log
    assert WRONG not in box.log
    for name in NAMES:
        told = box.lines("sim.unusable", f"modem={name}")
        assert len({*told}) >= len(told) - 2, "once for each reason and start"


def test_service_centre_that_vanishes_is_put_back(tmp_path: Path) -> None:
    retry = {"sending": {"retry": {"first": "1s", "factor": "1", "longest": "1s"}}}
    with site(tmp_path / "box", trouble.plan(["front"]), settings=retry, modem=PATIENT) as box:
        mail = trouble.Mail(box)
        mail.write()
        mail.until_arrived()
        box.sim.fault("front", "smsc-gone")
        for _ in range(3):
            mail.write()
        mail.until_arrived()
        assert box.lines("part.refused", "code=cms:330", "whose=sim")
        assert box.lines("service_centre.restored", "modem=front")
        assert {row["tries"] for row in box.rows("outbox")} == {0}
        assert not box.lines("sim.resting")
