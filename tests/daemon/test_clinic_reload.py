# SPDX-License-Identifier: Apache-2.0
"""A clinic's own texts are read at the start and at SIGHUP; wrong ones change nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from site_support import Site, site

pytestmark = pytest.mark.slow

PHONE = "+48500100211"
#: At any hour, so that the test may run at any.
SETTINGS = {
    "clinic": {"name": "Lipowa", "phone": "815551234", "templates": "texts.yaml"},
    "reminders": {"hours": {"mon-sun": "00:00-24:00"}},
}


def ask_for_help(box: Site) -> None:
    box.sim.receive(PHONE, "front", "POMOC")


def test_own_texts_are_read_again(tmp_path: Path) -> None:
    texts = tmp_path / "box" / "texts.yaml"
    with site(tmp_path / "box", settings=SETTINGS, start=False) as box:
        texts.write_text('help: {pl: "{clinic}: dzwon {phon}"}')
        box.start(wait=False)
        box.until(lambda: box.process is not None and box.process.poll() is not None)
        assert box.process is not None
        assert box.process.returncode == 78
        assert "help, pl: {phon} is unknown here" in box.log

        texts.write_text('help: {pl: "{clinic}: pierwszy {phone}"}')
        box.start()
        texts.write_text('help: {pl: "{clinic}: drugi {phon}"}')
        box.reload()
        box.until(lambda: box.lines("config.refused"))
        ask_for_help(box)
        box.until(lambda: box.phone(PHONE) == ["Lipowa: pierwszy 815551234"])

        texts.write_text('stop_ack: {pl: "{clinic}: koniec"}')
        before = len(box.log)
        box.reload()
        box.until(lambda: box.lines("config.reloaded"))
        box.until_up(before)  # until then the daemon still works as it did
        box.sim.receive(PHONE, "front", "STOP")
        box.until(lambda: box.phone(PHONE)[1:] == ["Lipowa: koniec"])
