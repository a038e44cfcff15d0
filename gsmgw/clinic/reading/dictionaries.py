# SPDX-License-Identifier: Apache-2.0
"""Loads the words: `replies.yaml`, `grammar.yaml` and what a clinic adds, by language.

The words of a patient are those of the patient's language, those of all languages (`any`) and
English; never more, because `no` is yes to a Pole and `ne` is yes to a Greek.
"""

from __future__ import annotations

import functools
import importlib.resources
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from gsmgw import config
from gsmgw.clinic.reading import letters
from gsmgw.clinic.reading.vocabulary import SHORTEST_MENDED, Phrase, Vocabulary
from gsmgw.errors import ConfigError

#: Spoken to everybody who is sent an SMS.
EVERYWHERE = "en"
#: Spoken in one sentence with another language: many Ukrainians write `так, приду`.
MIXED_IN = {"uk": "ru"}
#: Words of no language: OK, +, thumbs.
ANY = "any"

#: What a clinic may add words to.
MEANINGS = (
    *("accept", "decline", "cancel", "reschedule", "callback", "stop", "start"),
    *("help", "info", "late", "thanks", "filler"),
)

#: `grammar.yaml`, kinds whose words are not phrases but lists by number.
_LISTS = ("numbers", "days", "months")
_SPLIT = "split"
#: Numbers of a time that is spoken, in the order of the list `clock`.
_CLOCK = (*range(1, 21), 30, 40, 50)
#: Kinds that are no phrases with a meaning.
_APART = (_SPLIT, "clock", "past", "past_behind", "given")

Words = Mapping[str, Mapping[str, object]]


class Vocabularies:
    """The words of all languages.

    Args:
        additions: a clinic's own words, shaped like `replies.yaml`; a Path is read (blocks).

    Raises:
        ConfigError: an addition is no such file; every mistake is named.
    """

    def __init__(self, additions: Path | None = None) -> None:
        self._replies = _package_words("replies.yaml")
        self._grammar = _package_words("grammar.yaml")
        self._added = {} if additions is None else _checked(config.read_yaml(additions))
        self._built: dict[str, Vocabulary] = {}

    def of(self, language: str) -> Vocabulary:
        """Return the words for a patient's language; only the common ones if it is unknown."""
        language = re.split("[-_]", language.strip().casefold())[0]
        if language not in self._built:
            self._built[language] = self._build(language)
        return self._built[language]

    def _build(self, language: str) -> Vocabulary:
        own: dict[Phrase, set[str]] = {}
        english: dict[Phrase, set[str]] = {}
        for words in (self._replies, self._added, self._grammar):
            _gather(own, words.get(language, {}))
            _gather(english, words.get(EVERYWHERE, {}))
        _leave_to_rules(own)
        _leave_to_rules(english)
        common: dict[Phrase, set[str]] = {}
        for words in (self._replies, self._added):
            _gather(common, words.get(ANY, {}))
        # What a patient's own language says counts: `on` is `he` to a Pole.
        phrases = {**common, **english, **self._neighbours(language), **own}
        for phrase, kinds in common.items():
            phrases[phrase] = phrases[phrase] | kinds if phrase in own else kinds
        grammar = self._grammar.get(language, {})
        return Vocabulary(
            language=language,
            phrases={phrase: frozenset(kinds) for phrase, kinds in phrases.items()},
            longest=max(map(len, phrases), default=1),
            negates_behind=_SPLIT in grammar,
            split=_splits(grammar),
            mendable={
                phrase[0]: frozenset(kinds)
                for phrase, kinds in own.items()
                if len(phrase) == 1 and len(phrase[0].lstrip(letters.CYRILLIC)) >= SHORTEST_MENDED
            },
            numbers=self._listed(language, "numbers", 0),
            days=self._listed(language, "days", 0),
            months=self._listed(language, "months", 1),
            mendable_words=_by_first(phrase[0] for phrase in own if len(phrase) == 1),
            phrase_words=_by_first(word for phrase in own if len(phrase) > 1 for word in phrase),
            undoubled=_undoubled(own, phrases),
            given=frozenset(map(_name, _strings(grammar.get("given", [])))),
            clock=_clock(grammar),
            past=_offsets(grammar, "past"),
            past_behind=_offsets(grammar, "past_behind"),
        )

    def _neighbours(self, language: str) -> dict[Phrase, set[str]]:
        """Return the words of a language that is mixed into this one within a sentence."""
        found: dict[Phrase, set[str]] = {}
        for words in (self._replies, self._grammar):
            _gather(found, words.get(MIXED_IN.get(language, ""), {}))
        _leave_to_rules(found)
        return found

    def _listed(self, language: str, kind: str, first: int) -> dict[str, int]:
        found: dict[str, int] = {}
        for one in (EVERYWHERE, language):
            lists = self._grammar.get(one, {}).get(kind, [])
            assert isinstance(lists, list)
            for number, words in enumerate(lists, start=first):
                found |= {letters.fold(word): number for word in words}
        return found


def phrase_of(text: str) -> Phrase:
    """Return a phrase of a vocabulary as it is compared."""
    words = re.findall(r"\w+|[^\w\s]", text.replace("'", "").replace("\u2019", ""))
    return tuple(letters.fold(word) for word in words)


def _gather(phrases: dict[Phrase, set[str]], kinds: Mapping[str, object]) -> None:
    for kind, words in kinds.items():
        if kind in _LISTS or kind in _APART:
            continue
        assert isinstance(words, list)
        for word in words:
            phrases.setdefault(phrase_of(word), set()).add(kind)


def _leave_to_rules(phrases: dict[Phrase, set[str]]) -> None:
    """Drop phrases such as `nie moge`: the rules read them, and what follows, word by word."""
    negations = {
        word
        for phrase, kinds in phrases.items()
        if kinds & {"not", "cannot"}
        for word in phrase[:1]
    }
    for phrase, kinds in list(phrases.items()):
        if len(phrase) > 1 and kinds == {"cancel"} and negations & set(phrase):
            del phrases[phrase]


def _splits(grammar: Mapping[str, object]) -> dict[tuple[str, str], str]:
    rows = grammar.get(_SPLIT, [])
    assert isinstance(rows, list)
    return {(first, last): kind for first, last, kind in rows}


def _strings(words: object) -> list[str]:
    assert isinstance(words, list)
    return words


def _name(word: str) -> str:
    return letters.fold(word).lstrip(letters.CYRILLIC)


def _clock(grammar: Mapping[str, object]) -> dict[str, int]:
    lists = grammar.get("clock", [])
    assert isinstance(lists, list)
    return {
        letters.fold(word): number
        for number, words in zip(_CLOCK, lists, strict=False)
        for word in words
    }


def _offsets(grammar: Mapping[str, object], kind: str) -> tuple[tuple[Phrase, int], ...]:
    rows = grammar.get(kind, [])
    assert isinstance(rows, list)
    found = [(phrase_of(words), int(minutes)) for words, minutes in rows]
    return tuple(sorted(found, key=lambda row: -len(row[0])))


def _by_first(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the words in which slips are mended, by their first letter."""
    found: dict[str, list[str]] = {}
    for word in sorted(set(words)):
        if len(word.lstrip(letters.CYRILLIC)) >= SHORTEST_MENDED:
            found.setdefault(letters.first_of(word), []).append(word)
    return {first: tuple(same) for first, same in found.items()}


def _undoubled(
    own: Mapping[Phrase, set[str]], phrases: Mapping[Phrase, Collection[str]]
) -> dict[str, frozenset[str]]:
    """Return the words whose doubled letter may be forgotten, unless another word is left."""
    found: dict[str, frozenset[str]] = {}
    for phrase, kinds in own.items():
        for shorter in letters.squeezed(phrase[0]) if len(phrase) == 1 else ():
            is_word = (shorter,) in phrases or len(shorter.lstrip(letters.CYRILLIC)) < 3
            if not is_word and found.get(shorter, kinds) == kinds:
                found[shorter] = frozenset(kinds)
    return found


@functools.cache
def _package_words(name: str) -> Words:
    resource = importlib.resources.files("gsmgw.clinic").joinpath(name)
    found = config.read_yaml(resource.read_text(encoding="utf-8"), name=name).mapping()
    return {language: kinds for language, kinds in found.items() if isinstance(kinds, dict)}


def _checked(document: config.Document) -> Words:
    """Return a clinic's additions if they have the shape of `replies.yaml`."""
    problems = list(_problems(document))
    if problems:
        raise ConfigError(f"{document.source}: {len(problems)} mistakes", tuple(problems))
    found = document.mapping()
    return {language: kinds for language, kinds in found.items() if isinstance(kinds, dict)}


def _problems(document: config.Document) -> Iterable[str]:
    for language, kinds in document.mapping().items():
        if not isinstance(kinds, dict):
            yield f"{document.where(language)}: meanings with lists of words are wanted here"
            continue
        for kind, words in kinds.items():
            if kind not in MEANINGS:
                yield (
                    f"{document.where(language, kind)}: {kind!r} is no meaning;"
                    f" allowed are {', '.join(MEANINGS)}"
                )
            elif not isinstance(words, list) or not all(isinstance(word, str) for word in words):
                yield f"{document.where(language, kind)}: a list of words is wanted: [word, word]"
