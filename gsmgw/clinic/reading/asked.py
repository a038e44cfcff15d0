# SPDX-License-Identifier: Apache-2.0
"""What the question said as it was sent: names, visits with numbers, days and times."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from gsmgw.clinic.reading import letters, tokens
from gsmgw.clinic.reading.tokens import Kind, Token
from gsmgw.clinic.reading.vocabulary import Vocabulary

#: `1) Anna 10:15`, as the list of a family's visits is written.
_VISIT = re.compile(r"(?<!\d)(\d)\)\s*([^\W\d_]+)\.?,?\s+(\d{1,2})[:.h](\d\d)")
#: `Clinic: Anna, …`, as a text speaks to somebody.
_SPOKEN_TO = re.compile(r"(?:^|:)\s*([^\W\d_]{2,}),\s")

#: Words of a clinic's name as it stands in a text.
_CLINIC_WORDS = 4

#: Shorter forms of a weekday (`do`, `mar`) are words of their own unless a date stands behind.
SHORTEST_DAY = 4


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit of a family, as it was asked about."""

    number: int
    name: str  #: folded
    time: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """What may come again in the answer without saying anything new."""

    names: frozenset[str] = frozenset()  #: folded, without the mark of Cyrillic
    visits: tuple[Visit, ...] = ()
    times: frozenset[tuple[int, int]] = frozenset()  #: hour and minute
    dates: frozenset[tuple[int, int]] = field(default=frozenset())  #: day and month
    days: frozenset[int] = frozenset()  #: 0 Monday … 6
    clinic: frozenset[str] = frozenset()  #: words of the clinic's name, as names

    def visit_named(self, word: Token) -> int | None:
        """Return the number of the visit whose name a word is; 0 if the name has no visit."""
        for plain in (form.lstrip(letters.CYRILLIC) for form in word.forms):
            if not word.text[0].isupper() and plain not in self.names:
                continue
            found = {visit.number for visit in self.visits if is_name(plain, visit.name)}
            if len(found) == 1:
                return found.pop()
            if not self.visits and any(is_name(plain, name) for name in self.names):
                return 0
        return None

    def is_clinic(self, word: Token) -> bool:
        """Tell whether a word is of the clinic's name: `Dear Oak Surgery`."""
        plain = (form.lstrip(letters.CYRILLIC) for form in word.forms)
        return any(is_name(one, name) for one in plain for name in self.clinic)

    def visit_at(self, time: tuple[int, int]) -> int | None:
        """Return the number of the only visit at this time."""
        found = [visit.number for visit in self.visits if visit.time == time]
        return found[0] if len(found) == 1 else None


def is_name(word: str, name: str) -> bool:
    """Tell whether a word is a name, maybe inflected: `Łukasza` is `Łukasz`."""
    if word == name:
        return True
    # Slavic names lose a vowel at their end, too: Paweł, Pawła.
    stem = max(3, len(name) - 2)
    return len(name) >= stem and word[:stem] == name[:stem] and abs(len(word) - len(name)) <= 2


def read_asked(text: str, vocabulary: Vocabulary) -> Asked:
    """Return what a question says; an empty text says nothing."""
    text = tokens.tidy(text)
    visits = tuple(
        Visit(int(number), _plain(name), (int(hour), int(minute)))
        for number, name, hour, minute in _VISIT.findall(text)
    )
    names = {_plain(name) for name in _SPOKEN_TO.findall(text) if name.istitle()}
    found = tokens.tokenise(text, vocabulary.language)
    pairs = [token for token in found if token.kind is Kind.PAIR]
    return Asked(
        names=frozenset(names | {visit.name for visit in visits}),
        visits=visits,
        clinic=frozenset(map(_plain, _of_clinic(text))) - names,
        times=frozenset(filter(None, map(as_time, pairs))),
        dates=frozenset({*filter(None, map(as_date, pairs)), *_named_dates(found, vocabulary)}),
        days=frozenset(
            day
            for place in range(len(found))
            if (day := day_at(found, place, vocabulary)) is not None
        ),
    )


def _of_clinic(text: str) -> list[str]:
    """Return the words of the name that a question begins with, or ends with: `Oak Surgery: …`."""
    first, last = text.split(":")[0].split(), re.split(r"[.?!:]\s+", text)[-1].split()
    words = first if len(first) <= _CLINIC_WORDS else []
    if len(last) <= _CLINIC_WORDS and all(word.istitle() for word in last):
        words = words + last
    return [word for word in words if len(word) > 2 and word.isalpha()]


def as_time(pair: Token) -> tuple[int, int] | None:
    """Return the hour and minute that a pair of numbers may be."""
    hour, minute = pair.numbers[:2]
    is_time = len(pair.numbers) == 2 and pair.joint != "/" and hour < 24 and minute < 60
    return (hour, minute) if is_time else None


def as_date(pair: Token) -> tuple[int, int] | None:
    """Return the day and month that a pair of numbers may be."""
    day, month = pair.numbers[:2]
    return (day, month) if pair.joint in "./" and 1 <= day <= 31 and 1 <= month <= 12 else None


def day_at(found: list[Token], place: int, vocabulary: Vocabulary) -> int | None:
    """Return the weekday that stands at a place; a short form only before a date."""
    token = found[place]
    if token.kind is not Kind.WORD:
        return None
    for form in token.forms:
        day = vocabulary.days.get(form)
        if day is None:
            continue
        if len(form.lstrip(letters.CYRILLIC)) >= SHORTEST_DAY or _number_follows(
            found, place, vocabulary
        ):
            return day
    return None


def month_of(token: Token, vocabulary: Vocabulary) -> int | None:
    """Return the month that a token names."""
    numbers = (vocabulary.months.get(form) for form in token.forms)
    return next((number for number in numbers if number is not None), None)


def _number_follows(found: list[Token], place: int, vocabulary: Vocabulary) -> bool:
    """Tell whether a date or time follows a short weekday: `pon. 30.11`, `pon. o 10:15`."""
    after = [token for token in found[place + 1 : place + 4] if token.text not in ".,"]
    is_at = bool(after) and any(
        "at" in vocabulary.phrases.get((form,), ()) for form in after[0].forms
    )
    following = next(iter(after[1:] if is_at else after[:1]), None)
    return following is not None and following.kind in (Kind.PAIR, Kind.NUMBER)


def _named_dates(found: list[Token], vocabulary: Vocabulary) -> Iterable[tuple[int, int]]:
    """Yield dates such as `5 marca` and `March 5`."""
    for place, token in enumerate(found):
        month = month_of(token, vocabulary)
        if month is None:
            continue
        near = found[max(0, place - 2) : place] + found[place + 1 : place + 2]
        yield from ((one.numbers[0], month) for one in near if one.kind is Kind.NUMBER)


def _plain(name: str) -> str:
    return letters.fold(name).lstrip(letters.CYRILLIC)
