# SPDX-License-Identifier: Apache-2.0
"""What the clinic's texts cost at worst, and what in them is unwise: remarks for `gsmgw check`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from gsmgw import pdu
from gsmgw.clinic import wording
from gsmgw.clinic.wording import Wording
from gsmgw.config import Config

#: Given names as long as nearly all are; Cyrillic ones for languages that are written so.
_LONG_NAME, _LONG_CYRILLIC = "Aleksandra", "Александра"
_CYRILLIC = frozenset({"be", "bg", "kk", "mk", "ru", "sr", "uk"})
#: A Wednesday late in the year: days and months are long, as are the hours of the day.
_START = dt.datetime(2026, 9, 23, 10, 35, tzinfo=dt.UTC)
_VISITS = 2

#: Words that are wrong once a text is read on another day.
_RELATIVE = re.compile(
    r"\b(?:jutro|pojutrze|dziś|dzisiaj|mañana|hoy|завтра|сегодня|сьогодні|tomorrow|today|tonight"
    r"|morgen|heute|demain|domani)\b",
    re.IGNORECASE,
)
_LINK = re.compile(r"https?://|\bwww\.", re.IGNORECASE)


def remarks(config: Config, texts: Wording) -> list[str]:
    """Return what is unwise in the texts, one line for each template and language.

    Spoken languages alone: the clinic's, its staff's, and those of its own file of texts.
    """
    return [
        f"clinic.templates: {name}, {language}: {words}"
        for name in texts.names()
        for language in texts.languages(name)
        if language in _spoken(config, texts) and not name.startswith("word_")
        for words in _of_text(config, texts, name, language)
    ] + list(_untranslated(texts))


def _spoken(config: Config, texts: Wording) -> set[str]:
    spoken = {member.language for member in config.staff.values() if member.language}
    spoken |= {language for _, language in texts.overridden}
    return spoken | ({config.clinic.language} if config.clinic is not None else set())


def _of_text(config: Config, texts: Wording, name: str, language: str) -> Iterator[str]:
    source = texts.source(name, language) or ""
    found = _RELATIVE.search(source)
    if found and name in wording.SHAPES:
        yield f"it says {found[0]!r}, which is wrong once it is read on another day"
    if _LINK.search(source):
        yield "it holds a link; patients are warned of links in texts"
    text = longest(config, texts, name, language)
    measured = pdu.measure(text)
    if measured.parts > 1:
        room = pdu.capacity(measured.alphabet)
        dear = "".join(measured.because[:10])
        yield (
            f"{measured.parts} SMS with long values: {measured.units} of {room} characters"
            + (f", because of {dear}" if dear and measured.alphabet is pdu.Alphabet.UCS2 else "")
        )


def longest(config: Config, texts: Wording, name: str, language: str) -> str:
    """Return a text with long values: the clinic's longest name and phone, long names of people."""
    assert config.clinic is not None
    sites = config.clinic.locations.values()
    first = _LONG_CYRILLIC if language in _CYRILLIC else _LONG_NAME
    visits = [(first, _START)] * _VISITS
    lists = {
        "info": ", ".join([texts.word("word_at", language, start=_START)] * _VISITS),
        "ack_several": ", ".join([f"{first} 12:35 {texts.word('word_yes', language)}"] * _VISITS),
        "digest": ", ".join(
            texts.word(f"word_{code}", language, count=10)
            for code in ("urgent", "callback", "reschedule", "unreachable")
        ),
    }
    values = {
        "clinic": max([config.clinic.name, *(site.name or "" for site in sites)], key=len),
        "phone": max([config.clinic.phone, *(site.phone or "" for site in sites)], key=len),
        "list": lists.get(name, texts.listing(visits, language)),
        "patient_phone": "+48500100201",
        "visit": texts.word("staff_visit", language, start=_START),
    }
    return texts.text(
        name,
        language,
        first=first,
        start=_START,
        when=_START,
        minutes=120,
        count=10,
        number=1000,
        **values,
    )


def _untranslated(texts: Wording) -> Iterator[str]:
    """Name what a language of the clinic's own file still lacks."""
    for language in sorted({language for _, language in texts.overridden}):
        lacking = [name for name in texts.names() if texts.source(name, language) is None]
        if lacking and any(name in wording.SHAPES for name in lacking):
            yield (
                f"clinic.templates: no text in {language} for {', '.join(lacking)}; there the"
                " clinic's language is used"
            )
