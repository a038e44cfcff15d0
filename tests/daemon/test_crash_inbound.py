# SPDX-License-Identifier: Apache-2.0
"""Messages that come again: one row and one file each; equal texts of two messages stay two."""

from __future__ import annotations

from pathlib import Path

import pytest
from crash_support import CrashSite, crash_site, scenario

from gsmgw.simulator.device import arrivals

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SENDER = "+48500100201"


def texts(box: CrashSite) -> list[str]:
    return [row["text"] for row in box.rows("inbox")]


def files(box: CrashSite) -> list[str]:
    found = box.files("incoming").values()
    return sorted(content.partition("\n\n")[2].strip() for content in found)


def next_second(box: CrashSite) -> None:
    """Wait until the network stamps another second on what is sent now."""
    stamp = box.sim.network.local_time().replace(microsecond=0)
    box.until(lambda: box.sim.network.local_time().replace(microsecond=0) != stamp)


def test_what_will_not_be_deleted_is_one_message_through_restarts(tmp_path: Path) -> None:
    with crash_site(tmp_path / "box") as box:
        box.start()
        box.sim.fault("front", "deletion-refused")
        box.sim.receive(SENDER, "front", "TAK")
        box.until(lambda: files(box) == ["TAK"])
        for _ in range(2):
            box.kill()
            box.start()
            box.until(lambda: box.log.count("sms.repeated") > 0)
        next_second(box)
        box.sim.receive(SENDER, "front", "TAK")
        box.until(lambda: files(box) == ["TAK", "TAK"])
        box.sim.clear("front")
        box.kill()
        box.start()
        box.until(box.is_at_rest)
        assert texts(box) == files(box) == ["TAK", "TAK"]


def test_equal_texts_of_two_messages_are_two_though_the_daemon_dies(tmp_path: Path) -> None:
    with crash_site(tmp_path / "box") as box:
        box.start()
        box.stop()
        for step in ("message.stored", "arrival.deleted", "arrival.deleting"):
            box.sim.receive(SENDER, "front", "TAK")
            box.crash(step)
            next_second(box)
        box.rest()
        assert texts(box) == files(box) == ["TAK"] * 3


def test_the_network_repeats_what_it_thinks_was_lost(tmp_path: Path) -> None:
    with crash_site(tmp_path / "box") as box:
        box.start()
        box.sim.receive(SENDER, "front", "TAK")
        box.until(lambda: files(box) == ["TAK"])
        box.until(lambda: not box.sim.memory("front"))
        again = box.sim.books.incoming[0].pdu
        box.sim.network.receive(SENDER, "front", raw=again)
        box.until(lambda: "sms.repeated" in box.log)
        box.kill()
        box.start()
        box.sim.network.receive(SENDER, "front", raw=again)
        box.until(lambda: box.log.count("sms.repeated") == 2)
        box.until(lambda: not box.sim.memory("front"))
        assert texts(box) == files(box) == ["TAK"]


@pytest.mark.parametrize("step", ["message.committing", "message.stored"])
def test_what_was_not_acknowledged_comes_again_and_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr(arrivals, "ACKNOWLEDGE_S", 3.0)  # the network's 15 s
    layout = scenario()
    layout["network"]["retry"] = "200ms"
    with crash_site(tmp_path / "box", layout, delivery="direct") as box:
        box.begin_crash(step)
        box.until(lambda: box.rows("modem", "state = 'ready'"))
        box.sim.receive(SENDER, "front", "TAK")
        box.await_death()
        assert box.sim.books.incoming[0].received_at is None
        box.start()
        box.until(lambda: box.sim.books.incoming[0].received_at is not None)
        box.until(lambda: files(box) == ["TAK"])
        assert box.sim.books.incoming[0].tries >= 2
        assert texts(box) == ["TAK"]


def test_a_long_message_is_put_together_though_the_daemon_dies_with_each_part(
    tmp_path: Path,
) -> None:
    long = "Długa odpowiedź z wieloma słowami, której nie da się zmieścić w jednej części. " * 3
    with crash_site(tmp_path / "box") as box:
        box.start()
        box.stop()
        box.sim.receive(SENDER, "front", long)
        for step in ("message.stored", "arrival.deleted@1", "message.committing", "message.read"):
            box.crash(step)
        box.start()
        box.until(
            lambda: box.files("incoming")
        )  # the parts may be read after a first moment's rest
        box.rest()
        assert texts(box) == [long]
        assert len(box.files("incoming")) == 1
