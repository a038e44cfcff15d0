# SPDX-License-Identifier: Apache-2.0
"""What patients receive for what they write: answering and saying together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from clinic_answering_support import AnswerDesk, family, one_visit
from clinic_support import PHONE

from gsmgw.clinic.saying import Saying
from gsmgw.clinic.work import Work
from gsmgw.gateway.intake import Intake
from gsmgw.gateway.trust import ClockTrust

NAME = "Przychodnia Lipowa"


def say(desk: AnswerDesk) -> list[str]:
    """Say what is due; return what patients get of it, answers only."""
    trust = ClockTrust(desk.clock)
    intake = Intake(desk.config, desk.db, desk.clock, trust=trust)
    work = Work(desk.config, desk.calendar)
    saying = Saying(
        desk.config, desk.db, intake, desk.calendar, desk.wording, work, desk.clock, trust
    )
    newest = desk.rows("SELECT coalesce(max(id), 0) AS id FROM outbox")[0]["id"]
    while saying.step():
        pass
    rows = desk.rows(
        "SELECT text, state FROM outbox WHERE id > ? AND recipient = ? ORDER BY id", newest, PHONE
    )
    assert {row["state"] for row in rows} <= {"queued"}
    return [row["text"] for row in rows]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[AnswerDesk]:
    desk = AnswerDesk(tmp_path)
    one_visit(desk)
    yield desk
    desk.close()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("TAK", "dziekujemy, wizyta 05.03 10:15 potwierdzona."),
        (
            "NIE",
            "przyjelismy odwolanie wizyty 05.03 10:15. Nowy termin: 815551234 lub odpisz ZADZWON.",
        ),
        ("Kto to?", "nie rozumiemy odpowiedzi. Odpisz tylko TAK lub NIE albo zadzwon: 815551234."),
        ("Zadzwoń", "oddzwonimy wt. 03.03 do 18:00. W naglym przypadku dzwon 112."),
        ("kiedy wizyta?", "najblizsze wizyty: czw. 05.03 10:15. Tel. 815551234"),
        ("STOP", "nie bedziemy juz wysylac SMS. Powrot: START."),
    ],
)
def test_a_patient_gets(desk: AnswerDesk, text: str, answer: str) -> None:
    desk.answer(text)
    assert say(desk) == [f"{NAME}: {answer}"]


@pytest.mark.parametrize("text", ["HELP", "zmiana terminu"])
def test_a_patient_gets_one_text_in_one_part(desk: AnswerDesk, text: str) -> None:
    desk.answer(text)
    (sent,) = say(desk)
    assert sent.startswith(NAME)
    assert [
        row["parts"] for row in desk.rows("SELECT * FROM outbox WHERE source = 'clinic' AND id = 2")
    ] == [1]


def test_stop_is_the_last_word(desk: AnswerDesk) -> None:
    desk.answer("STOP")
    assert len(say(desk)) == 1
    desk.answer("Zadzwoń")
    assert say(desk) == []
    assert [code for code, _ in desk.tasks()] == ["stopped", "callback"]
    desk.answer("START")
    assert say(desk) == [f"{NAME}: SMS-y sa znow wlaczone. Rezygnacja: STOP."]


def test_after_the_cut_off(desk: AnswerDesk) -> None:
    desk.it_is("2026-03-05 08:30")
    desk.answer("NIE")
    assert say(desk) == [
        f"{NAME}: na odwolanie SMS-em jest juz za pozno. Prosimy o telefon: 815551234."
    ]


def test_a_family_is_told_what_was_understood(tmp_path: Path) -> None:
    desk = family(tmp_path)
    desk.answer("NIE")
    assert "TAK 1 lub NIE 2" in say(desk)[0]
    desk.answer("TAK 1 NIE 2")
    assert "Anna 10:15 TAK, Lukasz 10:35 NIE" in say(desk)[0]
    desk.close()


def test_the_new_time_is_asked_about_and_answered(desk: AnswerDesk) -> None:
    desk.book("A-1001", "4711", "2026-03-06 09:00", version=2)
    desk.answer("TAK")
    assert say(desk) == [
        f"{NAME}: ten termin juz sie zmienil. Nowa wizyta: pt. 06.03 godz. 09:00. Odpisz TAK lub"
        " NIE. Tel. 815551234"
    ]
    with desk.db.write() as tx:
        tx.run(
            "UPDATE outbox SET state = 'delivered', sent_at = ?, settled_at = ? WHERE id > 1",
            (tx.now, tx.now),
        )
    desk.clock.advance(60)
    (row,) = desk.answer("TAK")
    assert (row["asked"], row["status"]) == ("moved", "accepted")
    assert desk.response("A-1001") == "accepted"


@pytest.mark.parametrize(
    ("written", "said", "answer"),
    [
        # The clinic is open when the answer goes out, so it does not say that it is closed.
        (
            "2026-03-03 22:10", "2026-03-04 08:00",
            "oddzwonimy sr. 04.03 od 08:00. W naglym przypadku dzwon 112.",
        ),
        (
            "2026-03-06 22:10", "2026-03-07 08:00",
            "jestesmy zamknieci, czynne pon.-pt. 8-18. Oddzwonimy pon. 09.03 od 08:00."
            " Nagly przypadek: 112.",
        ),
    ],
)  # fmt: skip
def test_at_night_nobody_is_written_to_before_the_morning(
    tmp_path: Path, written: str, said: str, answer: str
) -> None:
    desk = AnswerDesk(tmp_path)
    desk.it_is(written)
    desk.answer("Boli mnie ząb, proszę o kontakt")
    assert say(desk) == []
    desk.it_is(said)
    assert say(desk) == [f"{NAME}: {answer}"]
    desk.close()


def test_an_answer_that_could_go_out_only_when_it_is_stale_is_not_ordered(tmp_path: Path) -> None:
    desk = AnswerDesk(tmp_path)
    desk.it_is("2026-03-07 20:30")  # Saturday; the next text may go out on Monday
    desk.ring()
    assert desk.said() == []
    assert [code for code, _ in desk.tasks()] == ["callback"]
    desk.close()


def test_answers_at_night_can_be_wanted(tmp_path: Path) -> None:
    desk = AnswerDesk(tmp_path, replies={"auto_reply_night": True})
    desk.it_is("2026-03-03 22:10")
    desk.ring()
    assert len(say(desk)) == 1
    desk.close()
