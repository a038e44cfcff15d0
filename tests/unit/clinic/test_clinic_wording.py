# SPDX-License-Identifier: Apache-2.0
"""Texts: ours in four languages, the clinic's own before them, and what a hostile value does."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import factories
import pytest

from gsmgw import pdu
from gsmgw.clinic import dates, wording
from gsmgw.clinic.model import Kind
from gsmgw.clinic.wording import Wording
from gsmgw.config import parse_hours
from gsmgw.errors import ConfigError

#: Thursday 5 March 2026, 10:15 in Warsaw.
START = dt.datetime(2026, 3, 5, 9, 15, tzinfo=dt.UTC)
LATER = START + dt.timedelta(minutes=20)
#: Monday, when the clinic opens.
OPENS = dt.datetime(2026, 3, 9, 7, 0, tzinfo=dt.UTC)
LANGUAGES = ("pl", "es", "ru", "en")
#: Names of clinics as they are usual; Cyrillic has 70 characters for all of a text.
CLINICS = dict.fromkeys(LANGUAGES, "Przychodnia Lipowa") | {"ru": "Клиника №1"}
SENT = {"pl": "Anna", "es": "Ana", "ru": "Анна", "en": "Anna"}


def make(clinic: dict[str, Any] | None = None, **groups: Any) -> Wording:
    keys = {"name": "Przychodnia Lipowa", "phone": "815551234", **(clinic or {})}
    return Wording(factories.make_config(clinic=keys, **groups))


def sample(texts: Wording, name: str, language: str) -> str:
    first = SENT[language]
    visits = texts.listing([(first, START), (first, LATER)], language)
    listed = {
        "ack_several": f"{first} 10:15 {texts.word('word_yes', language)}",
        "info": texts.word("word_at", language, start=START),
        "digest": ", ".join(
            texts.word(f"word_{code}", language, count=2)
            for code in ("callback", "reschedule", "urgent")
        ),
    }
    return texts.text(
        name,
        language,
        start=START,
        when=OPENS,
        first=first,
        list=listed.get(name, visits),
        minutes=30,
        patient_phone="+48500100201",
        visit=texts.text("staff_visit", language, start=START),
        count=3,
        number=17,
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(wording.SHAPES))
def test_each_text_is_one_sms_in_each_language(name: str, language: str) -> None:
    texts = make({"name": CLINICS[language]})
    assert texts.source(name, language) is not None
    text = sample(texts, name, language)
    measured = pdu.measure(text)
    assert measured.parts == 1, (text, measured)
    assert "{" not in text
    if language != "ru" and not name.startswith(("word_", "staff_visit")):
        assert measured.alphabet is pdu.Alphabet.GSM7, text


def test_every_kind_has_a_text_of_its_name_or_one_that_begins_with_it() -> None:
    ours = {kind for kind in Kind if kind not in (Kind.TEXT, Kind.STAFF_TASK)}
    assert all(any(name.startswith(kind) for name in wording.SHAPES) for kind in ours)
    assert "staff_callback" in wording.SHAPES


def test_scenario_texts() -> None:
    texts = make()
    visits = texts.listing([("Anna", START), ("Łukasz", LATER)], "pl")
    assert texts.text("reminder_family", "pl", start=START, list=visits) == (
        "Przychodnia Lipowa: wizyty czw. 05.03: 1) Anna 10:15 2) Lukasz 10:35. Odpisz TAK"
        " (wszystkie) lub NIE i numer, np. NIE 2. Tel. 815551234"
    )
    assert texts.text("reminder_a", "pl", start=START, first="Ewa") == (
        "Przychodnia Lipowa: Ewa, wizyta czw. 05.03 godz. 10:15. Odpisz TAK, aby potwierdzic, NIE,"
        " aby odwolac. Tel. 815551234"
    )
    assert texts.text(
        "staff_callback", "pl", patient_phone="+48500100202", first="Anna", time="08:05"
    ) == ("Oddzwonic: +48500100202 (Anna), 08:05.")


def test_a_name_that_nobody_knows_leaves_no_gap() -> None:
    texts = make()
    text = texts.text("reminder_a", "en", start=START, first="")
    assert text.startswith("Przychodnia Lipowa: appointment Thu 5 Mar at 10:15.")
    told = texts.text("staff_urgent", "pl", patient_phone="+48500100202", time="08:30")
    assert told == "PILNE, zadzwonic: +48500100202, 08:30."


def test_values_of_foreign_files_stay_on_one_line_and_are_no_templates() -> None:
    texts = make()
    text = texts.text("reminder_b", "en", start=START, first="A\n{phone}\x1b " + "x" * 90)
    assert "\n" not in text
    assert "A {phone} xxx" in text
    assert "x" * 40 not in text


def test_a_language_without_text_gets_the_clinics_then_english() -> None:
    assert make({"language": "es"}).text("stop_ack", "hu").startswith("Przychodnia Lipowa: no le")
    assert make({"language": "hu"}).text("stop_ack", "cs").startswith("Przychodnia Lipowa: no more")
    assert make().text("stop_ack", "ru-RU").endswith("СТАРТ")  # noqa: RUF001 - Cyrillic


def test_full_charset_is_kept_where_it_is_asked_for_expressly() -> None:
    said = {"start": START, "first": "Łucja"}
    assert "potwierdzić" in make(sending={"charset": "full"}).text("reminder_a", "pl", **said)
    assert "potwierdzic" in make(sending={"charset": "plain"}).text("reminder_a", "pl", **said)
    assert "potwierdzic" in make(sending={"max_parts": 3}).text("reminder_a", "pl", **said)
    # Cyrillic cannot be written in the cheap alphabet: nothing of it is folded.
    assert "Łucja" in make().text("reminder_family", "ru", start=START, list="1) Łucja 10:15")


def test_a_site_has_its_own_name_and_phone() -> None:
    texts = make({"locations": {"POR1": {"name": "Lipowa Zana", "phone": "815551299"}, "X": {}}})
    text = texts.text("results", "en", location="POR1")
    assert text == "Lipowa Zana: your results are ready to collect at reception. Tel. 815551299"
    assert texts.text("results", "en", location="X").startswith("Przychodnia Lipowa: your")
    assert texts.text("results", "en", location="elsewhere").startswith("Przychodnia Lipowa: your")


def test_when_names_the_day_and_the_end_or_the_beginning_of_the_hours() -> None:
    texts = make({"hours": {"mon-fri": "08:00-12:00, 14:00-18:00"}})
    assert texts.when(START, "pl") == "czw. 05.03 do 12:00"
    assert texts.when(OPENS, "es") == "el lun 09/03 desde las 08:00"
    assert texts.when(dt.datetime(2026, 3, 8, 12, tzinfo=dt.UTC), "en") == "Sun 8 Mar 13:00"


def test_lists_use_one_word_for_each_name_as_the_reader_looks_for() -> None:
    visits = [("Anna Maria", START), ("", START), ("Jean-Luc", LATER), ("=HYPERLINK()", LATER)]
    assert make().listing(visits, "en") == (
        "1) Anna 10:15 2) visit 10:15 3) Jean 10:35 4) HYPERLINK 10:35"
    )


def test_hours_in_short() -> None:
    hours = parse_hours(
        {"mon-wed": "08:00-18:30", "thu": "08:00-12:00, 14:00-18:00", "sat": "9:00-13:00"}
    )
    assert dates.hours(hours, "pl") == "pon.-śr. 8-18:30, czw. 8-12/14-18, sob. 9-13"
    assert dates.moment(START, "xx") == {"weekday": "", "date": "05.03", "time": "09:15"}


# -- the clinic's own texts -----------------------------------------------------------------------


def write(tmp_path: Path, text: str) -> dict[str, Any]:
    path = tmp_path / "our-texts.yaml"
    path.write_text(text, encoding="utf-8")
    return {"templates": str(path)}


def test_own_texts_go_before_ours(tmp_path: Path) -> None:
    own = write(
        tmp_path,
        'dose:\n  pl: "Lek {time}"\n  de: "Zeit {time}"\npreop: {en: "Hi {first}, {time}"}\n',
    )
    texts = make(own, reminders={"plan": [{"template": "preop", "at": "3h"}]})
    assert texts.text("dose", "pl", time="08:00") == "Lek 08:00"
    assert texts.text("dose", "de", time="08:00") == "Zeit 08:00"
    assert texts.text("dose", "en", time="08:00").startswith("Reminder: ")
    assert texts.text("preop", "pl", first="Ewa", time="9:00") == "Hi Ewa, 9:00"
    assert texts.has("preop")
    assert texts.overridden == {("dose", "pl"), ("dose", "de"), ("preop", "en")}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('booked:\n  pl: "{nam}, {date} {time}"', "line 2: booked, pl: {nam} is unknown here"),
        ('booked:\n  pl: "{date}"', "booked, pl: it lacks {time}"),
        ('booked:\n  pl: "{date {time}"', "booked, pl: "),
        ('booked:\n  pl: "} {date} {time}"', "booked, pl: a brace stands alone"),
        ('booked:\n  pl: "{date!r} {time:>5}"', "names stand alone in their braces"),
        ('booked:\n  pl: "{date.year} {date} {time}"', "{date.year} is unknown"),
        ('booked:\n  pl: "{} {date} {time}"', "{} is unknown"),
        ('booked:\n  polish: "{date} {time}"', "'polish' is no language"),
        ("booked:\n  pl: [a, b]", "a text is wanted here"),
        ('booked: "text"', "allowed are languages with texts"),
        ('Booked: {pl: "{date}"}', "small letters"),
        ('extra:\n  de: "Hallo"', "extra has no text in pl"),
    ],
)
def test_mistakes_are_named_with_line_template_and_language(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        make(write(tmp_path, text))
    assert len(caught.value.problems) == 1
    assert words in caught.value.problems[0]
    assert "our-texts.yaml" in caught.value.problems[0]


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    own = write(tmp_path, 'dose: {pl: "x"}\nmissed: {pl: "{x} {y}"}\n')
    with pytest.raises(ConfigError) as caught:
        make(own, reminders={"plan": [{"template": "remind", "at": "3h"}]})
    assert len(caught.value.problems) == 5
    assert "reminders.plan[0].template: there is no template 'remind'" in caught.value.problems[4]
