# SPDX-License-Identifier: Apache-2.0
"""An ordinary Thursday: reminders, a family, a cancellation, a riddle, and a refusal too late."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from clinic_day_support import ClinicDay, clinic_day

pytestmark = pytest.mark.slow

NAME = "Przychodnia Lipowa"
FAMILY, PIOTR, EWA, OLA = "+48601234567", "+48602000001", "+48602000002", "+48602000003"
DESK = "+48500100201"

VISITS = """\
nr_wizyty;data;godzina;lekarz;gabinet;nr_pacjenta;imię;nazwisko;telefon;zgoda_sms
A-1001;05.03.2026;10:15;dr Jan Zieliński;12;4711;Anna;Kowalska;601 234 567;T
A-1002;05.03.2026;10:35;dr Jan Zieliński;12;4712;Łukasz;Kowalski;601234567;T
A-1003;05.03.2026;11:00;dr Jan Zieliński;12;4713;Piotr;Lis;602-000-001;T
A-1004;05.03.2026;11:20;dr Jan Zieliński;12;4714;Ewa;Sowa;+48 602 000 002;T
A-1005;05.03.2026;11:40;dr Jan Zieliński;12;4715;Jan;Wilk;81 555 12 34;T
A-1006;05.03.2026;12:00;dr Jan Zieliński;12;4716;Ola;Ryś;602000003;N
"""

ASK_FAMILY = (
    f"{NAME}: wizyty czw. 05.03: 1) Anna 10:15 2) Lukasz 10:35. Odpisz TAK (wszystkie) lub NIE i"
    " numer, np. NIE 2. Tel. 815551234"
)


def ask(first: str, time: str) -> str:
    return (
        f"{NAME}: {first}, wizyta czw. 05.03 godz. {time}. Odpisz TAK, aby potwierdzic, NIE, aby"
        " odwolac. Tel. 815551234"
    )


def responses(box: ClinicDay) -> dict[str, str]:
    return {row["id"]: row["response"] for row in box.rows("appointment")}


def answers(box: ClinicDay) -> list[tuple[str, str, str]]:
    return [(row["appointment"], row["answer"], row["state"]) for row in box.table("replies.csv")]


def handed_over(box: ClinicDay, appointment: str) -> list[dict[str, str]]:
    """Return what the files say that were handed over about a visit."""
    found = map(json.loads, box.files("clinic/out/replies").values())
    return [one for one in found if one["appointment"] == appointment]


def test_an_ordinary_thursday(tmp_path: Path) -> None:
    with clinic_day(tmp_path / "box", "Mon 08:20") as box:
        monday(box)
        tuesday(box)
        wednesday(box)
        thursday(box)
        # What nobody asked for was never sent.
        assert box.phone(OLA) == []
        assert {submit.recipient for submit in box.sim.books.taken} == {
            FAMILY, PIOTR, EWA, DESK,
        }  # fmt: skip


def monday(box: ClinicDay) -> None:
    ack = box.hand_in("visits-20260305.csv", VISITS, encoding="cp1250")
    assert (ack["accepted"], ack["refused"]) == (6, 0)
    whys = {(row["row"], row["why"]) for row in ack["warnings"]}
    assert whys == {(5, "landline"), (6, "no-consent")}
    assert ack["requests"] == 8  # two for each of four visits
    box.until(lambda: len(box.table("calls.csv")) == 2)
    assert {(row["appointment"], row["why"]) for row in box.table("calls.csv")} == {
        ("A-1005", "landline"), ("A-1006", "no-consent"),
    }  # fmt: skip
    box.at("Mon 08:25")
    again = box.hand_in("visits-20260305.csv", VISITS, encoding="cp1250")
    assert (again["accepted"], again["requests"]) == (6, 0)
    assert box.sim.books.taken == []


def tuesday(box: ClinicDay) -> None:
    box.at("Tue 10:00")
    box.until_texts(FAMILY, ASK_FAMILY)
    box.until_texts(PIOTR, ask("Piotr", "11:00"))
    box.until_texts(EWA, ask("Ewa", "11:20"))
    assert len(box.sim.books.taken) == 3  # one part each

    box.at("Tue 10:07")
    box.reply(FAMILY, "Tak, potwierdzam")
    box.until(lambda: len(box.phone(FAMILY)) == 2)
    assert responses(box)["A-1001"] == responses(box)["A-1002"] == "accepted"
    box.until_row("replies.csv", appointment="A-1002", answer="accepted", state="done")
    assert sorted(answers(box)) == [("A-1001", "accepted", "done"), ("A-1002", "accepted", "done")]

    box.at("Tue 10:16")
    box.reply(PIOTR, "nie przyjdę")
    declined = (
        f"{NAME}: przyjelismy odwolanie wizyty 05.03 11:00. Nowy termin: 815551234 lub odpisz"
        " ZADZWON."
    )
    box.until_texts(PIOTR, ask("Piotr", "11:00"), declined)
    assert box.visit("A-1003")["status"] == "booked"  # only the clinic cancels
    box.until_row("replies.csv", appointment="A-1003", answer="declined", text="nie przyjdę")
    box.until(lambda: handed_over(box, "A-1003"))  # its file may come after its row
    (handed,) = handed_over(box, "A-1003")
    assert (handed["status"], handed["phone"]) == ("declined", PIOTR)
    assert handed["start"] == "2026-03-05T11:00:00+01:00"

    box.at("Tue 10:30")
    box.reply(EWA, "Kto to?")
    unclear = f"{NAME}: nie rozumiemy odpowiedzi. Odpisz tylko TAK lub NIE albo zadzwon: 815551234."
    box.until_texts(EWA, ask("Ewa", "11:20"), unclear)
    box.at("Tue 10:40")
    box.reply(EWA, "aha")
    (review,) = box.tasks(code="review", phone=EWA)
    assert "Kto to?" in review["note"]
    assert "aha" in review["note"]
    box.until_row("tasks.csv", code="review", phone=EWA)


def wednesday(box: ClinicDay) -> None:
    said = box.phone(EWA)
    box.at("Wed 10:00")
    box.until_texts(EWA, *said, ask("Ewa", "11:20"))
    box.at("Wed 11:02")
    box.reply(EWA, "TAK")
    assert responses(box)["A-1004"] == "accepted"
    assert box.tasks(code="review", phone=EWA, status="requested") == []
    assert len(box.phone(PIOTR)) == 2
    assert len(box.phone(FAMILY)) == 2  # both had answered: no second question

    box.at("Wed 15:00")
    box.reply(FAMILY, "NIE 2")
    assert responses(box)["A-1002"] == "declined"
    assert responses(box)["A-1001"] == "accepted"
    box.until_row("replies.csv", appointment="A-1002", answer="declined")
    box.until(lambda: len(box.phone(FAMILY)) == 3)


def thursday(box: ClinicDay) -> None:
    box.at("Thu 08:30")
    box.reply(FAMILY, "nie")
    late = f"{NAME}: na odwolanie SMS-em jest juz za pozno. Prosimy o telefon: 815551234."
    box.until(lambda: box.phone(FAMILY)[-1] == late)
    assert responses(box)["A-1001"] == "accepted"
    assert [task["phone"] for task in box.tasks(code="urgent")] == [FAMILY]
    box.until(lambda: len(box.phone(DESK)) == 1)
    assert FAMILY in (box.phone(DESK)[0] or "")
