# SPDX-License-Identifier: Apache-2.0
"""Power that is off, a STOP, a dead number, a person to be forgotten, and a night of the clock."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from clinic_day_support import ClinicDay, clinic_day

pytestmark = pytest.mark.slow

HEAD = "nr_wizyty;data;godzina;lekarz;gabinet;nr_pacjenta;imię;nazwisko;telefon;zgoda_sms\n"
ANNA, PIOTR, EWA = "+48500100211", "+48500100212", "+48500100213"


def row(visit: str, day: str, time: str, patient: str, first: str, last: str, phone: str) -> str:
    return f"{visit};{day};{time};dr Jan Zieliński;12;{patient};{first};{last};{phone};T\n"


def test_power_was_off_when_reminders_were_due(tmp_path: Path) -> None:
    with clinic_day(tmp_path / "box", "Mon 08:00", faked=True) as box:
        visits = (
            row("A-1", "03.03.2026", "15:00", "1", "Anna", "Lipa", ANNA)
            + row("A-2", "04.03.2026", "15:00", "2", "Piotr", "Dąb", PIOTR)
            + row("A-3", "03.03.2026", "17:30", "3", "Ewa", "Klon", EWA)
        )
        box.hand_in("visits-1.csv", HEAD + visits)
        regimen = (
            '{"kind": "regimen", "patient": "3", "times": ["12:00"], "from": "2026-03-03",'
            ' "to": "2026-03-03", "ask": true}'
        )
        box.hand_in("dose.json", regimen)
        # Monday's questions to those of Tuesday were due at 10:00 already.
        box.at("Mon 10:00")
        box.until(lambda: len(box.phone(ANNA)) == 1 and len(box.phone(EWA)) == 1)
        box.stop()
        box.at("Tue 14:00")
        box.start()
        box.until(lambda: len(box.phone(PIOTR)) == 1)
        box.until(lambda: not box.rows("request", "status = 'active' AND due < '2026-03-03T13:00'"))
        assert len(box.phone(ANNA)) == 1
        assert len(box.phone(EWA)) == 1
        (dose,) = box.rows("request", "kind = 'dose'")
        assert (dose["status"], dose["reason"]) == ("revoked", "expired")


def test_stop_ends_all_and_is_told_once(tmp_path: Path) -> None:
    with clinic_day(tmp_path / "box", "Mon 08:00", faked=True) as box:
        box.hand_in(
            "visits-1.csv",
            HEAD
            + row("A-1", "05.03.2026", "10:00", "1", "Anna", "Lipa", ANNA)
            + row("A-2", "06.03.2026", "10:00", "2", "Ola", "Lipa", ANNA),
        )
        box.at("Mon 10:20")
        box.reply(ANNA, "STOP")
        box.until(lambda: len(box.phone(ANNA)) == 1)
        (task,) = box.tasks(code="stopped", phone=ANNA)
        assert "Anna" in task["note"]
        assert "Ola" in task["note"]
        assert {r["reason"] for r in box.rows("request", "kind = 'reminder'")} == {"stopped"}
        box.at("Mon 10:25")
        box.reply(ANNA, "STOP")
        box.at("Tue 10:00:05")
        box.until(lambda: {r["why"] for r in box.table("calls.csv")} == {"stopped"})
        assert len(box.phone(ANNA)) == 1
        box.at("Tue 11:00")
        box.reply(ANNA, "START")
        box.until(lambda: len(box.phone(ANNA)) == 2)
        box.at("Wed 10:00:05")
        box.until(lambda: any("czw. 05.03" in (text or "") for text in box.phone(ANNA)))


def test_a_number_that_does_not_exist_is_on_the_list_of_those_not_reached(tmp_path: Path) -> None:
    scenario = {"modems": [{"name": "front"}], "phones": {PIOTR: {"refuse": 1}}}
    with clinic_day(tmp_path / "box", "Mon 08:00", scenario=scenario) as box:
        box.hand_in(
            "visits-1.csv", HEAD + row("A-1", "05.03.2026", "10:00", "1", "Piotr", "Dąb", PIOTR)
        )
        box.at("Tue 10:00")
        box.until_row("unreachable.csv", appointment="A-1", phone=PIOTR)
        box.until_row("calls.csv", appointment="A-1", why="undelivered")
        box.at("Wed 10:00:05")
        box.until(lambda: box.tasks(code="unreachable", phone=PIOTR))
        refused = [s for s in box.sim.books.submits if s.recipient == PIOTR]
        assert 1 <= len(refused) <= 2


def test_a_forgotten_person_is_nowhere(tmp_path: Path) -> None:
    with clinic_day(tmp_path / "box", "Mon 08:00") as box:
        box.hand_in(
            "visits-1.csv",
            HEAD + row("A-1", "05.03.2026", "10:00", "77123", "Gertruda", "Zimorodek", ANNA),
        )
        box.at("Tue 10:00")
        box.until(lambda: len(box.phone(ANNA)) == 1)
        box.reply(ANNA, "nie przyjdę, boli mnie kolano")
        box.reply(ANNA, "STOP")
        box.until(lambda: box.tasks(code="stopped", phone=ANNA))
        box.until(lambda: box.rows("outbox", "state IN ('new', 'queued', 'sending', 'sent')") == [])
        box.at("Tue 12:00")
        gone = box.run("clinic", "forget", ANNA, "--yes")
        assert gone.returncode == 0, gone.stderr
        # A list that the daemon was about to write is made anew without the person.
        box.until(lambda: traces(box) == [])
        # A new visit under the same number is not texted: the objection outlives the person.
        ack = box.hand_in(
            "visits-2.csv", HEAD + row("A-9", "09.03.2026", "10:00", "1", "Anna", "Lipa", ANNA)
        )
        assert [found["why"] for found in ack["warnings"]] == ["stopped"]


def traces(box: ClinicDay) -> list[str]:
    """Return the files under database and spool that still hold something of the person."""
    national, swapped = ANNA.removeprefix("+48"), "8405100012"
    words = [ANNA, national, swapped, "Gertruda", "Zimorodek", "kolano"]
    found = []
    for folder in (box.database.parent, box.spool):
        for path in folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError, IsADirectoryError):  # written aside
                content = path.read_bytes() + path.name.encode()
                found += [f"{path.name}: {word}" for word in words if word.encode() in content]
    return found


def test_a_visit_after_the_night_of_the_clock_is_reminded_at_ten_on_the_wall(
    tmp_path: Path,
) -> None:
    settings = {"reminders": {"hours": {"mon-sun": "08:00-20:00"}, "booked": "off"}}
    with clinic_day(tmp_path / "box", "Mon 08:00", settings=settings, faked=True) as box:
        box.hand_in(
            "visits-1.csv", HEAD + row("A-1", "30.03.2026", "10:00", "1", "Anna", "Lipa", ANNA)
        )
        # Summer time begins on Sunday, 29 March 2026, at 02:00.
        dues = sorted(found["due"] for found in box.rows("request", "kind = 'reminder'"))
        assert dues == ["2026-03-28T09:00:00.000Z", "2026-03-29T08:00:00.000Z"]
        box.at_date("2026-03-29 09:59:55")
        box.until(lambda: len(box.phone(ANNA)) >= 1)  # Saturday's, late
        box.at_date("2026-03-30 07:00")
        assert all("pon. 30.03" in (text or "") for text in box.phone(ANNA))
