# SPDX-License-Identifier: Apache-2.0
"""What the reader knows for one language: phrases with their kinds, numbers, days, months."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gsmgw.clinic.reading import letters

#: Letters of the shortest word in which a slip is mended; shorter ones are too like one another.
SHORTEST_MENDED = 5

#: Words as they are compared: folded.
Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a reader knows for one language."""

    language: str
    #: phrase to the kinds of word that it may be
    phrases: Mapping[Phrase, frozenset[str]]
    longest: int  #: words in the longest phrase
    #: whether a negation may stand behind its verb, as in German
    negates_behind: bool
    #: first word, last word: the kind that both together are
    split: Mapping[tuple[str, str], str]
    #: single words of the patient's language that a slip may be mended to
    mendable: Mapping[str, frozenset[str]]
    #: the same words, and those of phrases, by their first letter
    mendable_words: Mapping[str, tuple[str, ...]]
    phrase_words: Mapping[str, tuple[str, ...]]
    #: single words with a doubled letter, written with one: `kan` is `kann`
    undoubled: Mapping[str, frozenset[str]]
    numbers: Mapping[str, int]
    days: Mapping[str, int]  #: to 0 (Monday) … 6
    months: Mapping[str, int]  #: to 1 … 12
    given: frozenset[str]  #: given names, as names are compared
    clock: Mapping[str, int]  #: numbers of a time that is spoken, to 1 … 59
    #: `quarter past` before an hour, and `y cuarto` behind it: the minutes that they add
    past: tuple[tuple[Phrase, int], ...]
    past_behind: tuple[tuple[Phrase, int], ...]

    def kinds_of_typo(self, form: str) -> Iterator[frozenset[str]]:
        """Yield the kinds of each word that one slip makes of a word."""
        if len(form.lstrip(letters.CYRILLIC)) < SHORTEST_MENDED:
            return
        for first in letters.firsts_of(form):
            for word in self.mendable_words.get(first, ()):
                if letters.is_typo_of(form, word):
                    yield self.mendable[word]

    def day_of_typo(self, form: str) -> int | None:
        """Return the weekday that one slip makes of a word, if it is one only."""
        if len(form.lstrip(letters.CYRILLIC)) < SHORTEST_MENDED:
            return None
        days = {
            day
            for word, day in self.days.items()
            if len(word) > SHORTEST_MENDED and letters.is_typo_of(form, word)
        }
        return days.pop() if len(days) == 1 else None

    def phrase_words_meant(self, form: str) -> tuple[str, ...]:
        """Return the words of phrases that one slip makes of a word."""
        return tuple(
            word
            for first in letters.firsts_of(form)
            for word in self.phrase_words.get(first, ())
            if letters.is_typo_of(form, word)
        )
