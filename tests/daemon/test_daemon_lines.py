# SPDX-License-Identifier: Apache-2.0
"""The same day over good and bad lines, with modems of all vendors, all at once on one daemon."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from site_support import Site, check_log, site

VENDORS = ("generic", "huawei", "zte", "simcom", "quectel")
NETWORK = {"delivery": "20ms", "report": "20ms"}
PATIENT = {"result_timeout": "60s"}  #: nothing here waits for it
LONG = "Dzień dobry 👋🏽 prosimy przyjść na czczo " * 4


def modem(name: str, **plan: object) -> dict[str, object]:
    return {"name": name, "submit": "10ms", **plan}


def spend_day(box: Site, names: tuple[str, ...]) -> None:
    """Let every modem send, long and short, get a report, an answer and a call."""
    for index, name in enumerate(names):
        number = f"4850010020{index}"
        box.drop(f"short-{name}", f"To: {number}\nQueue: {name}\nReport: yes\n\nHello {name}")
        box.insert(f"+4850010030{index}", LONG, modem=name)
        box.sim.receive(f"+4850010040{index}", name, LONG)
        box.sim.receive(f"+4850010050{index}", name, f"TAK {name}")
        box.sim.call(f"+4850010060{index}", name, 2, every_s=60)  # hung up after the first ring
    box.until(lambda: all(box.content("sent", f"short-{name}") for name in names))
    box.until(lambda: {row["state"] for row in box.rows("outbox")} == {"delivered"})
    box.until(lambda: len(box.files("incoming")) == 3 * len(names))
    for index, name in enumerate(names):
        assert box.phone(f"+4850010020{index}") == [f"Hello {name}"]
        assert box.phone(f"+4850010030{index}") == [LONG]
        box.until(lambda name=name: box.with_line("report", f"Gsmgw_file: short-{name}"))
        rows = box.rows("inbox", "modem = ? ORDER BY sender", name)
        assert [(row["sender"], row["text"]) for row in rows] == [
            (f"+4850010040{index}", LONG),
            (f"+4850010050{index}", f"TAK {name}"),
            (f"+4850010060{index}", None),
        ]
    assert box.sim.books.duplicates() == []
    assert len(box.files("report")) == len(names)
    assert box.stop() == 0
    assert box.lines("uncertain") == []
    check_log(box)


@pytest.mark.parametrize(
    "quality",
    [
        pytest.param({}, id="good"),
        pytest.param({"gap": "0.1ms"}, id="byte-by-byte"),
        pytest.param({"inside": "^RSSI:17"}, id="line-inside-answers"),
        pytest.param({"delay": "15ms"}, id="delayed"),
    ],
)
def test_a_day_over_lines_of_every_quality(tmp_path: Path, quality: dict[str, Any]) -> None:
    modems = [modem(vendor, vendor=vendor, quality=quality) for vendor in VENDORS]
    with site(tmp_path / "box", {"modems": modems, "network": NETWORK}, modem=PATIENT) as box:
        spend_day(box, VENDORS)


def test_a_day_with_direct_delivery(tmp_path: Path) -> None:
    modems = [modem(vendor, vendor=vendor) for vendor in VENDORS]
    scenario = {"modems": modems, "network": NETWORK}
    with site(tmp_path / "box", scenario, modem={**PATIENT, "delivery": "direct"}) as box:
        spend_day(box, VENDORS)
        assert all(not box.sim.memory(name) for name in VENDORS)


def test_a_day_with_references_that_say_nothing(tmp_path: Path) -> None:
    modems = [modem("zero", references="zero"), modem("none", references="none")]
    with site(tmp_path / "box", {"modems": modems, "network": NETWORK}, modem=PATIENT) as box:
        spend_day(box, ("zero", "none"))
        sent = box.content("sent", "short-zero")
        assert "\nMessage_id: 256\n" in sent  # clients in the field take 0 for missing
