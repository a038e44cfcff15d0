# SPDX-License-Identifier: Apache-2.0
"""Modems that fall silent, answer late, babble or lose power, at every point of a dialogue."""

from __future__ import annotations

import os
import pty
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trouble_support as trouble
from site_support import Site, site

pytestmark = pytest.mark.slow

SICK = (
    "idle",
    "init",
    "prompt",
    "after",
    "late",
    "garbage",
    "echo",
    "boot",
    "brown",
    "pulled",
)


def test_whatever_falls_silent_comes_back_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    """Ten modems, each with a trouble; an eleventh that is well is never slowed down."""
    names = (*SICK, "well")
    noisy = {
        "vendor": "huawei",
        "habits": {"boot": ["^BOOT:1,0"], "noise": ["^RSSI:17"], "noise_every_s": "300ms"},
    }
    with site(tmp_path / "box", trouble.plan(names, {"boot": noisy}), start=False) as box:
        for name in set(names) - {"after", "late"}:  # nothing of theirs waits for it
            trouble.change_modem(box, name, result_timeout="60s")
        box.sim.fault("init", "hang")
        box.start(wait=False)
        others = set(names) - {"init"}
        box.until(lambda: {n for n, s in trouble.states(box).items() if s == "ready"} >= others)
        mail = trouble.Mail(box)
        begin_troubles(box)
        for name in (*SICK, *SICK):
            mail.write(name)
        box.sim.unplug("pulled")
        trouble.steadily(box, lambda: mail.write("well"), 80, 0.1)
        box.until(lambda: trouble.sent_by(box)["well"] == 80)
        box.until(lambda: box.lines("modem.silent", "modem=init"))
        box.until(lambda: box.lines("modem.refuses", "modem=prompt"))
        box.until(lambda: box.lines("part.sent", "modem=late", "proof=late-answer"))
        assert trouble.sent_by(box)["idle"] == trouble.sent_by(box)["init"] == 0
        box.sim.clear("idle")
        box.sim.clear("init")
        box.sim.plug("pulled")
        mail.until_arrived()
        look_at_log(box)


def begin_troubles(box: Site) -> None:
    box.sim.fault("idle", "hang")
    box.sim.fault("prompt", "prompt-lost", times=1)
    box.sim.fault("after", "answer-lost", times=1)
    box.sim.fault("late", "late-answer", after="6s", times=1)
    box.sim.fault("garbage", "garbage", every="200ms")
    box.sim.fault("echo", "echo")
    box.sim.fault("boot", "power-cut", off="1s")
    box.sim.fault("brown", "brown-out", off="1s")


def look_at_log(box: Site) -> None:
    doubted = {trouble.fields(line, "modem") for line in box.lines("part.uncertain")}
    assert doubted == {"after", "late", "brown"}, "only what came after Ctrl-Z is in doubt"
    assert box.lines("modem.refuses", "modem=prompt", "brought no prompt")
    assert box.lines("modem.silent", "modem=init", "does not answer AT", "next=resynchronise")
    for name in ("boot", "brown", "pulled"):
        assert len(box.lines("modem.lost", f"modem={name}", "the device is gone")) == 1
    assert box.lines("part.sent", "modem=late", "proof=late-answer")
    assert box.lines("modem.restarted", "modem=echo"), "an echo means settings that are gone"
    for name in ("well", "garbage"):
        assert not box.lines("warning", f"modem={name}")


# -- what is no modem ---------------------------------------------------------------------------


@contextmanager
def device(kind: str) -> Iterator[str]:
    """A device that echoes, is silent, or babbles; its path."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    stop = threading.Event()

    def play() -> None:
        os.set_blocking(master, False)
        while not stop.wait(0.05):
            try:
                if kind == "babbles":
                    os.write(master, bytes(range(7, 250, 9)))
                heard = os.read(master, 4096)
                if kind == "echoes":
                    os.write(master, heard)
            except BlockingIOError:
                continue

    thread = threading.Thread(target=play, daemon=True)
    thread.start()
    try:
        yield os.ttyname(slave)
    finally:
        stop.set()
        thread.join()
        os.close(master)
        os.close(slave)


def test_what_is_no_modem_is_tried_in_stages_ever_more_slowly(tmp_path: Path) -> None:
    kinds = ("echoes", "is-silent", "babbles")
    with (
        device(kinds[0]) as echoes,
        device(kinds[1]) as silent,
        device(kinds[2]) as babbles,
        site(tmp_path / "box", trouble.plan(["front"]), start=False) as box,
    ):
        for name, port in zip(kinds, (echoes, silent, babbles), strict=True):
            trouble.change_modem(box, name, port=port)
        box.start()
        mail = trouble.Mail(box)
        mail.write("front")
        mail.until_arrived()
        for name in kinds:
            box.until(lambda name=name: len(box.lines("modem.silent", f"modem={name}")) >= 3)  # type: ignore[misc]
            told = box.lines("modem.silent", f"modem={name}")[:3]
            assert [trouble.fields(line, "next") for line in told] == [
                "resynchronise",
                "initialise",
                "reopen",
            ]
            assert [trouble.fields(line, "pause_s") for line in told] == ["0", "1", "2"]
            assert all("does not answer AT" in line for line in told)
            assert trouble.states(box)[name] == "unresponsive"
            changes = box.lines("modem.state", f"modem={name}")
            assert len(changes) == 2, "its state does not go to and fro with each try"
        steps = box.lines("modem.recovering", "modem=is-silent")
        assert [trouble.fields(line, "stage") for line in steps][:2] == [
            "resynchronise",
            "initialise",
        ]
