# SPDX-License-Identifier: Apache-2.0
"""Evening and night: missed calls, strangers who write, machines that answer, the Monday after."""

from __future__ import annotations

from pathlib import Path

import pytest
from clinic_day_support import SETTINGS, clinic_day

pytestmark = pytest.mark.slow

CALLER, STRANGER, PARROT, DESK = "+48602000009", "+48500100221", "+48500100222", "+48500100201"
RECEPTION = {
    "reception": {
        **SETTINGS["staff"]["reception"],
        "hours": {"mon-fri": "08:00-18:00"},
        "digest": "08:00",
    }
}


def test_evening_night_and_the_monday_after(tmp_path: Path) -> None:
    with clinic_day(tmp_path / "box", "Fri 19:30", settings={"staff": RECEPTION}) as box:
        box.ring(CALLER)
        (task,) = box.tasks(code="callback", phone=CALLER)
        assert (task["due"], task["attempts"]) == ("2026-03-09T07:00:00.000Z", 1)
        box.until(lambda: len(box.phone(CALLER)) == 1)
        assert "zamknieci" in (box.phone(CALLER)[0] or "")
        assert "112" in (box.phone(CALLER)[0] or "")

        box.at("Fri 19:40")
        box.ring(CALLER)
        (task,) = box.tasks(code="callback", phone=CALLER)
        assert task["attempts"] == 2

        box.at("Fri 22:10")
        box.reply(STRANGER, "Boli mnie ząb, proszę o kontakt")
        assert len(box.tasks(code="callback", phone=STRANGER)) == 1

        box.at("Fri 22:11")
        box.reply("ORANGE", "Doladuj konto")
        box.reply("80870", "Wygrales")

        box.at("Sat 03:00")
        box.sim.call(None, "front")
        box.until(lambda: box.rows("inbox", "sender = '' AND kind = 'missed_call'"))

        box.at("Sat 08:00:05")
        box.until(lambda: len(box.phone(STRANGER)) == 1)  # nobody is written to in the night
        assert "112" in (box.phone(STRANGER)[0] or "")
        assert len(box.phone(CALLER)) == 1

        box.at("next Mon 08:00:01")
        box.until(lambda: len(box.phone(DESK)) == 1)
        box.until(lambda: [row["phone"] for row in box.table("tasks.csv")] == [CALLER, STRANGER])
        assert {submit.recipient for submit in box.sim.books.taken} == {CALLER, STRANGER, DESK}


def test_a_number_that_answers_everything_is_answered_three_times_and_then_no_more(
    tmp_path: Path,
) -> None:
    with clinic_day(tmp_path / "box", "Wed 10:00") as box:
        for number, word in enumerate(("HELP", "ZADZWOŃ", "Kto to?", "HELP", "no i co", "Kto to?")):
            box.at(f"Wed 10:0{number}")
            box.reply(PARROT, word)
        box.until(lambda: len(box.phone(PARROT)) == 3)
        box.at("Wed 10:30")
        box.reply(PARROT, "Kto to?")
        box.until(lambda: box.rows("outbox", "state IN ('new', 'queued', 'sending')") == [])
        assert len(box.phone(PARROT)) == 3
        assert len(set(box.phone(PARROT))) == 3  # never the same text twice
