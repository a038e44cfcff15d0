# SPDX-License-Identifier: Apache-2.0
"""Several modems in one daemon: who sends what, who takes over, who disturbs whom."""

from __future__ import annotations

from pathlib import Path

import pytest
import trouble_support as trouble
from site_support import Site, site

pytestmark = pytest.mark.slow

PATIENT = {"result_timeout": "60s"}  #: nothing here waits for it


def test_messages_go_by_wish_by_prefix_and_to_whoever_is_free(tmp_path: Path) -> None:
    layout = trouble.plan(["front", "back", "abroad"], {"front": {"submit": "1s"}})
    with site(tmp_path / "box", layout, modem=PATIENT, start=False) as box:
        trouble.change_modem(box, "abroad", routes=["+44"])
        box.start()
        mail = trouble.Mail(box)
        for number in range(5):
            mail.write(recipient=f"+4477009001{number:02d}")
        wished = mail.write("front", recipient="+447700900199")
        mail.until_arrived()
        assert trouble.sent_by(box) == {"abroad": 5, "front": 1}
        assert box.rows("part", "message_id = ?", wished)[0]["modem"] == "front"
        mail.write_at_once(30)
        mail.until_arrived()
        by = trouble.sent_by(box)
        assert by["abroad"] == 5, "it serves its prefix only"
        assert by["front"] + by["back"] == 31
        assert by["back"] > by["front"] >= 2, "whoever is free takes the next"


def test_waiting_parts_go_over_another_modem_at_once_when_one_goes_away(tmp_path: Path) -> None:
    layout = trouble.plan(["front", "back"], {"front": {"submit": "1s"}, "back": {"submit": "1s"}})
    with site(tmp_path / "box", layout, modem=PATIENT) as box:
        mail = trouble.Mail(box)
        mail.write_at_once(6)
        box.until(lambda: trouble.sent_by(box)["front"] >= 1)
        box.sim.unplug("front")
        over = {*trouble.ARRIVED, "uncertain"}
        box.until(lambda: set(mail.states()) <= over)
        trouble.until_modem(box, "front", "absent")
        assert len(box.lines("part.uncertain")) <= 1, "only what was in flight is in doubt"
        assert trouble.sent_by(box)["back"] >= 3
        assert box.sim.books.duplicates() == []
        assert {row["tries"] for row in box.rows("outbox")} == {0}


def test_parts_of_one_message_stay_together_while_their_sim_is_away(tmp_path: Path) -> None:
    layout = trouble.plan(["front", "back"], {"front": {"submit": "500ms"}})
    with site(tmp_path / "box", layout, modem=PATIENT, start=False) as box:
        box.sim.unplug("back")
        box.start(wait=False)
        trouble.until_modem(box, "front", "ready")
        mail = trouble.Mail(box)
        mail.write(text="A long message for one patient. " * 12)
        box.until(lambda: box.lines("part.sent", "part=1/3"))
        box.sim.plug("back")
        box.sim.unplug("front")
        trouble.until_modem(box, "back", "ready")
        other = mail.write(text="Short")
        box.until_state(other, *trouble.ARRIVED)
        assert trouble.sent_by(box)["back"] == 1, "the long one waits for its SIM"
        box.sim.plug("front")
        box.until(lambda: mail.states()["sending"] == 0)
        if mail.states()["uncertain"] == 0:
            mail.until_arrived()
        refs = {submit.concat["ref"] for submit in box.sim.books.taken if submit.concat}
        assert len(refs) == 1


def test_sim_that_moves_to_another_stick_takes_its_reports_with_it(tmp_path: Path) -> None:
    """Reports are matched by SIM: they come to whatever modem the SIM is in by then."""
    card = {"iccid": "89480100000000000077", "imsi": "260010000000077", "number": "+48500100977"}
    layout = trouble.plan(["old", "new"], {"old": card, "new": {"plugged": "no"}})
    layout["phones"] = {"+48500100201": {"unreachable": "yes"}}
    with site(tmp_path / "box", layout, modem=PATIENT, start=False) as box:
        box.start(wait=False)
        trouble.until_modem(box, "old", "ready")
        message_id = box.insert("+48500100201", "When you are back")
        box.until_state(message_id, "sent")
        box.sim.unplug("old")
        trouble.until_modem(box, "old", "absent")
        swap_sims(box)
        box.sim.plug("new")
        trouble.until_modem(box, "new", "ready")
        assert len(box.rows("sim")) == 1, "it is the same SIM"
        box.sim.network.set_reachable("+48500100201", reachable=True)
        box.until_state(message_id, "delivered")
        assert box.rows("status_report", "1 ORDER BY id")[-1]["modem"] == "new"


def swap_sims(box: Site) -> None:
    """Put the SIM of each stick into the other; the network finds a subscription by its SIM."""
    old, new = box.sim._modem("old"), box.sim._modem("new")
    ways = box.sim.network._ways

    def swap() -> None:
        old.card, new.card = new.card, old.card
        ways["old"].modem, ways["new"].modem = new, old

    box.sim._loop.call(swap)
