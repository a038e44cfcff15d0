# SPDX-License-Identifier: Apache-2.0
"""The rules of reading, one by one: names, days, scripts, families, marks, a clinic's own words."""

from __future__ import annotations

from pathlib import Path

import pytest
import reply_support

from gsmgw.clinic.reading import Question, ReplyReader, letters, tokens
from gsmgw.errors import ConfigError

ASKED = "Lipowa: Anna, wizyta czw. 05.03 godz. 10:15. Odpisz TAK lub NIE."
TWO = "Lipowa: wizyty czw. 05.03: 1) Anna 10:15 2) Paweł 10:35. Odpisz TAK lub NIE i numer."


def read(text: str, language: str = "pl", question: str = "confirm", asked: str = "") -> str:
    """Return a meaning, with `!` behind it if it is applied."""
    found = reply_support.reader().read(
        text, language=language, question=Question(question), asked=asked
    )
    assert found.is_applied is not bool(found.why)
    return f"{found}{'!' if found.is_applied else ''}"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Tak, czwartek 10:15", "accept!"),
        ("Tak, 5.03 o 10.15", "accept!"),
        ("Tak, 5 marca", "accept!"),
        ("Tak, o 10", "accept"),
        ("Tak, piątek", "accept"),
        ("Tak, 6 marca", "accept"),
        ("Tak, 05.04", "accept"),
        ("Tak. Anna Kowalska", "accept!"),
        ("Tak. Kowalska", "accept!"),
        ("Tak. Pozdrawiam, Jan Nowak", "accept"),
        ("Tak. Jan Nowak", "accept"),
        ("Tak. A. Kowalska", "accept!"),
        ("Tak. B. Kowalska", "accept"),
        ("Tak\nKowalska A.", "accept!"),
        ("Tak. Pani Kowalska", "accept!"),
        ("Pani Kowalska przyjdzie", "unclear"),
        ("Szanowna Lipowa, tak", "accept!"),
        ("Tak. Wysłane z iPhone'a", "accept!"),
        ("Tak, o dziesiątej piętnaście", "accept!"),
        ("Tak, kwadrans po dziesiątej", "accept!"),
        ("Tak, o dziesiątej trzydzieści", "accept"),
        ("Tak, wpół do jedenastej", "accept"),
        ("Tak, cwzartek", "accept!"),
        ("Tak, piąetk", "accept"),
        ("Anna przyjdzie", "accept!"),
        ("Anna nie przyjdzie", "decline!"),
        ("Jan przyjdzie", "unclear"),
    ],
)
def test_what_was_asked_may_come_again(text: str, meaning: str) -> None:
    assert read(text, asked=ASKED) == meaning


def test_days_and_times_that_cannot_be_checked_go_to_a_person() -> None:
    assert read("Tak, czwartek 10:15") == "accept"


def test_signature_is_anybodys_if_the_question_names_nobody() -> None:
    assert read("Tak. Pozdrawiam, Jan Nowak") == "accept!"
    assert read("Tak. Jan Nowak") == "accept!"
    assert read("Tak. Napiszę") == "accept"


@pytest.mark.parametrize(
    ("text", "language", "time", "meaning"),
    [
        ("ja um viertel nach zehn", "de", "10:15", "accept!"),
        ("ja um halb elf", "de", "10:30", "accept!"),
        ("ja um halb elf", "de", "11:30", "accept"),
        ("ja zehn Uhr fünfzehn", "de", "10:15", "accept!"),
        ("ja um 10 Uhr 15", "de", "10:15", "accept!"),
        ("si, a las diez y cuarto", "es", "10:15", "accept!"),
        ("si, a las once menos cuarto", "es", "10:45", "accept!"),
        ("si, a las cinco y veinte", "es", "17:20", "accept!"),
        ("yes, quarter past ten", "en", "10:15", "accept!"),
        ("yes, ten forty five", "en", "10:45", "accept!"),
        ("yes, half ten", "en", "10:30", "accept!"),
        ("yes, half ten", "en", "9:30", "accept"),
        ("да, в четверть одиннадцатого", "ru", "10:15", "accept!"),
        ("так, пів на одинадцяту", "uk", "10:30", "accept!"),
    ],
)
def test_times_in_words(text: str, language: str, time: str, meaning: str) -> None:
    assert read(text, language, asked=f"Clinic: 05.03 {time}.") == meaning


@pytest.mark.parametrize(
    ("text", "language", "meaning"),
    [
        ("takprzyjdę", "pl", "accept!"),
        ("do zobacenia", "pl", "accept!"),
        ("ich kan nicht komen", "de", "decline!"),
        ("Nie mówię, że nie przyjdę", "pl", "unclear"),
        ("вряд ли приду", "ru", "decline"),
        ("не ждите меня", "ru", "decline!"),
        ("будет ли врач?", "ru", "unclear"),
        ("nein, kein Problem, ich komme", "de", "unclear"),
        ("nein, kein Problem", "de", "decline!"),
        ("auf keinen Fall stornieren", "de", "unclear"),
        ("Si puedo, voy", "es", "accept"),
        ("can someone call me back?", "en", "callback!"),
        ("someone will come", "en", "accept"),
        ("proszę zadzwonić po 16", "pl", "callback!"),
        ("когда следующий приём?", "ru", "info!"),
        ("следующий", "ru", "unclear"),
        ("please tell me the date and time", "en", "info!"),
        ("please tell me the truth", "en", "unclear"),
        ("don't text me", "en", "stop!"),
        ("the bus stop is closed", "en", "unclear"),
        ("I can't come, something came up", "en", "decline!"),
        ("something came up", "en", "unclear"),
        ("буду на 10 хвилин пізніше", "uk", "late"),
        ("так, приду", "uk", "accept!"),
        ("так, приду", "ru", "accept"),
    ],
)
def test_words_that_hang_on_others(text: str, language: str, meaning: str) -> None:
    assert read(text, language) == meaning


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("nie odwołuję", "unclear"),
        ("nie będę odwoływać", "unclear"),
        ("nie mogę nie przyjść", "unclear"),
        ("Nie, odwołuję", "decline!"),
        ("nie przyjdę", "decline!"),
        ("nie, przyjdę", "unclear"),
        ("tak, ale w piątek", "accept"),
        ("tak, spóźnię się", "accept!"),
        ("tak, ale się spóźnię", "accept"),
        ("tak, ale spóźnię się 10 minut", "accept"),
        ("nie mam terminu", "unclear"),
        ("przepraszam, ale nie mogę", "decline!"),
        ("niestety tak", "accept"),
        ("jasne...", "accept"),
        ("potwierdzam...", "accept!"),
        ("tak 😂", "accept"),
        ("tak 🙂", "accept!"),
        ("nie :(", "decline!"),
        ("tak?", "accept"),
    ],
)
def test_negation_reservation_irony(text: str, meaning: str) -> None:
    assert read(text) == meaning


@pytest.mark.parametrize(
    ("text", "language", "meaning"),
    [
        ("Si, confirmo", "es", "accept!"),
        ("si puedo ir", "es", "accept!"),
        ("si puedo voy", "es", "accept"),
        ("confirmo si puedo", "es", "accept"),
        ("sage den Termin ab", "de", "decline!"),
        ("sage den Termin nicht ab", "de", "unclear"),
        ("ich kann leider nicht kommen", "de", "decline!"),
        ("HET", "ru", "decline!"),
        ("ne pridu", "ru", "decline!"),
        ("неприду", "ru", "decline!"),
        ("\u0414a", "ru", "accept!"),  # with a Latin a
        ("придут", "ru", "unclear"),
        ("\u0422\u0410\u041a", "pl", "accept!"),  # in Cyrillic letters
        ("да", "pl", "unclear"),
        ("no", "pl", "unclear"),
        ("no", "ru", "decline!"),
        ("но", "ru", "unclear"),
        ("ok", "xx", "accept!"),
        ("moechte den Termin absagen", "de", "decline!"),
    ],
)
def test_traps_of_languages(text: str, language: str, meaning: str) -> None:
    assert read(text, language) == meaning


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("TAK 1 NIE 2", "accept:1+decline:2!"),
        ("1 tak, 2 nie", "accept:1+decline:2!"),
        ("2 nie, reszta tak", "decline:2+accept:1!"),
        ("Paweł nie, Anna tak", "decline:2+accept:1!"),
        ("nie dla Pawła", "decline:2!"),
        ("10:15 nie, 10:35 tak", "decline:1+accept:2!"),
        ("tak, o 10:15", "unclear"),
        ("tak, obie", "accept!"),
        ("nikt nie przyjdzie", "decline!"),
        ("nie 0", "decline!"),
        ("nie", "decline"),
        ("tak 3", "unclear"),
        ("tak 1 nie", "unclear"),
        ("tak 1 nie 1", "unclear"),
        ("1", "unclear"),
        ("tak, ale bez Pawła", "accept:2"),
        ("Paweł jest chory", "unclear"),
        ("STOP", "stop!"),
        ("proszę o telefon", "callback!"),
        ("przełóż 2", "reschedule"),
        ("tak, oboje", "accept!"),
        ("tak, wszyscy troje", "accept"),
        ("oboje oprócz Pawła", "unclear"),
        ("1 albo 2 nie", "unclear"),
        ("jeden nie przyjdzie", "decline"),
        ("drugi nie przyjdzie", "decline:2!"),
        ("nie wszyscy przyjdą", "unclear"),
        ("nie wiem czy Anna, Paweł tak", "unclear"),
    ],
)
def test_families(text: str, meaning: str) -> None:
    assert read(text, question="family", asked=TWO) == meaning


def test_family_numbers_without_the_question() -> None:
    assert read("nie 7", question="family") == "decline:7!"
    assert read("2 nie, reszta tak", question="family") == "unclear"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("5", "rating:5!"),
        ("5️⃣", "rating:5!"),
        ("⭐⭐⭐", "rating:3!"),
        ("4/5", "rating:4!"),
        ("4 na 5", "rating:4!"),
        ("3, długo czekałam", "rating:3!"),
        ("super lekarz, 5", "rating:5!"),
        ("1 super", "unclear"),
        ("5 minut", "unclear"),
        ("5-", "unclear"),
        ("-5", "unclear"),
        ("10/10", "unclear"),
        ("5, boli mnie brzuch", "unclear"),
        ("nie, 5", "unclear"),
        ("5!!! ⭐", "rating:5!"),
        ("4 ⭐⭐⭐⭐", "rating:4!"),
        ("4 ⭐⭐", "unclear"),
        ("4 bo długo czekałam", "rating:4!"),
        ("1 bo super", "unclear"),
        ("bardzo miła obsługa", "unclear"),
        ("4, 5", "unclear"),
        ("99999999999999999999", "unclear"),
        ("tak", "accept"),
    ],
)
def test_marks(text: str, meaning: str) -> None:
    assert read(text, question="rating") == meaning


@pytest.mark.parametrize(
    ("question", "text", "meaning"),
    [
        ("offer", "biorę", "accept!"),
        ("confirm", "wzięłam", "unclear"),
        ("dose", "wzięłam", "accept!"),
        ("dose", "będę", "unclear"),
        ("dose", "nie wzięłam", "decline!"),
        ("consent", "nie wyrażam zgody", "decline!"),
        ("consent", "3", "unclear"),
        ("offer", "odwołuję", "decline"),
        ("offer", "nie, zostaję przy swoim terminie", "decline!"),
        ("offer", "zostaję przy swoim terminie", "decline"),
        ("offer", "tak, przyjdę wcześniej", "accept!"),
        ("confirm", "tak, przyjdę wcześniej", "accept"),
        ("consent", "zgadzam się na otrzymywanie informacji", "accept!"),
        ("consent", "zgadzam się na przypomnienia", "accept"),
        ("none", "tak", "accept"),
        ("none", "kiedy wizyta?", "info!"),
        ("none", "dziękuję", "thanks!"),
        ("confirm", "nie przyjdę, proszę o telefon", "decline+callback!"),
        ("confirm", "tak, kiedy wizyta?", "accept+info"),
        ("confirm", "boli mnie ząb, proszę o telefon", "callback!"),
        ("confirm", "spóźnię się", "late"),
        ("confirm", "tak, spóźnię się", "accept!"),
        ("confirm", "stop sms", "stop!"),
        ("confirm", "wypisz mi receptę", "unclear"),
        ("confirm", "", "unclear"),
        ("confirm", "-", "decline!"),
        ("confirm", "+ -", "unclear"),
    ],
)
def test_questions(question: str, text: str, meaning: str) -> None:
    assert read(text, question=question) == meaning


def test_a_clinics_own_words(tmp_path: Path) -> None:
    path = tmp_path / "words.yaml"
    path.write_text("pl:\n  accept: [gitara, no jasne]\n  filler: [kochani]\n", encoding="utf-8")
    reader = ReplyReader(path)
    for text in ("Gitara!", "No jasne", "Gitara, kochani"):
        found = reader.read(text, language="pl", question=Question.CONFIRM)
        assert (str(found), found.is_applied) == ("accept", True)


def test_every_mistake_in_a_clinics_words_is_named(tmp_path: Path) -> None:
    path = tmp_path / "words.yaml"
    path.write_text("pl:\n  accpet: [gitara]\n  accept: gitara\nes: hola\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        ReplyReader(path)
    assert len(caught.value.problems) == 3
    assert "line 2: 'accpet' is no meaning" in caught.value.problems[0]


@pytest.mark.parametrize(
    ("typed", "meant", "is_typo"),
    [
        ("potwierdzm", "potwierdzam", True),
        ("potwierdzaam", "potwierdzam", True),
        ("potweirdzam", "potwierdzam", True),
        ("potwierdzaj", "potwierdzam", False),
        ("cancer", "cancel", False),
        ("pridut", "pridu", False),
        ("optwierdzam", "potwierdzam", True),
        ("~zmogu", "~smogu", False),
        ("confirmo", "confirmo", True),
    ],
)
def test_one_slip(typed: str, meant: str, is_typo: bool) -> None:
    assert letters.is_typo_of(typed, meant) is is_typo


def test_tokens() -> None:
    found = tokens.tokenise(tokens.tidy("Can\u2019t\u200b 10:15…\n5.3.2026 :)"), "en")
    assert [token.text for token in found] == ["Can't", "10:15", *"...", "\n", "5.3.2026", ":)"]
    assert found[0].forms == ("cant",)
    assert found[6].numbers == (5, 3, 2026)
