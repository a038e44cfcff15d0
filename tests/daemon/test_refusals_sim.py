# SPDX-License-Identifier: Apache-2.0
"""A SIM that is refused everything rests and loses nothing; a bad number costs only itself."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import trouble_support as trouble
from site_support import Site, site

pytestmark = pytest.mark.slow

PATIENT = {"result_timeout": "60s"}  #: nothing here waits for it
SOON = {"sending": {"retry": {"first": "1s", "factor": "1", "longest": "1s"}}}


def end_rest(box: Site) -> None:
    """Let the time of the rest be over: it lasts a minute and more."""
    connection = sqlite3.connect(box.database, timeout=30)
    with connection:
        connection.execute(
            "UPDATE sim SET resting_until = '2026-01-01T00:00:00.000Z' WHERE state = 'resting'"
        )
    connection.close()


@pytest.mark.parametrize("code", [50, 21])
def test_sim_without_credit_rests_keeps_its_messages_and_comes_back(
    tmp_path: Path, code: int
) -> None:
    layout = trouble.plan(["front"])
    with site(tmp_path / "box", layout, settings=SOON, modem=PATIENT) as box:
        mail = trouble.Mail(box)
        box.sim.fault("front", "refuse", code=code)
        for _ in range(6):
            mail.write()
        box.until(lambda: box.lines("sim.resting"))
        box.sim.receive("+48500100299", "front", "Are you open?")
        box.until(lambda: box.rows("inbox"))
        box.until(lambda: mail.states() == {"queued": 6})
        refused = len(box.sim.books.submits)
        numbers = {submit.recipient for submit in box.sim.books.submits}
        assert len(numbers) == 3, "three different numbers are enough"
        assert {row["tries"] for row in box.rows("outbox")} == {0}
        end_rest(box)
        box.until(lambda: len(box.lines("sim.resting")) == 2)
        assert len(box.sim.books.submits) == refused + 1, "one probe"
        assert box.rows("sim")[0]["rests"] == 2
        box.sim.clear("front")
        end_rest(box)
        mail.until_arrived()
        assert len(box.lines("sim.working")) == 1
        assert not box.lines("message.failed")
        assert {row["state"] for row in box.rows("sim")} == {"working"}
        look_at_words(box, code)


def look_at_words(box: Site, code: int) -> None:
    line = box.lines("sim.resting")[0]
    for words in (
        "modem=front",
        "iccid=89480",
        f"code=cms:{code}",
        "refused 3 different numbers in a row",
        "until=20",
    ):
        assert words in line


def test_bad_number_among_twenty_good_ones_costs_only_itself(tmp_path: Path) -> None:
    bad = "+48500100900"
    layout = trouble.plan(["front"])
    layout["phones"] = {bad: {"refuse": 27}}
    with site(tmp_path / "box", layout, modem=PATIENT) as box:
        mail = trouble.Mail(box)
        for _ in range(10):
            mail.write()
        refused = box.insert(bad, "Nobody has this number")
        for _ in range(10):
            mail.write()
        mail.until_arrived()
        box.until_state(refused, "failed")
        row = box.message(refused)
        assert (row["error_code"], row["tries"]) == ("27", 1)
        assert "Destination out of order" in row["error"]
        box.until(lambda: box.lines("message.failed"))
        assert len(box.lines("message.failed")) == 1
        assert not box.lines("sim.resting")


def test_three_urgent_bad_numbers_do_not_silence_the_clinic(tmp_path: Path) -> None:
    """They let the SIM rest once; the probe goes to another number, and they fail."""
    bad = [f"+4850010090{n}" for n in range(3)]
    layout = trouble.plan(["front"])
    layout["phones"] = {number: {"refuse": 27} for number in bad}
    with site(tmp_path / "box", layout, settings=SOON, modem=PATIENT) as box:
        refused = [box.insert(number, f"To {number}", priority="urgent") for number in bad]
        box.until(lambda: box.lines("sim.resting"))
        mail = trouble.Mail(box)
        for _ in range(6):
            mail.write()
        end_rest(box)
        mail.until_arrived()
        for _ in range(3):  # good ones go on coming, as in a clinic
            mail.write()
            mail.until_arrived()
        box.until(lambda: all(box.message(i)["state"] == "failed" for i in refused))
        assert len(box.lines("sim.resting")) == 1
