# SPDX-License-Identifier: Apache-2.0
"""Marks from 1 to 5, alone or beside a remark that does not speak against them."""

from __future__ import annotations

import re

from gsmgw.clinic.reading.moments import ORDINALS
from gsmgw.clinic.reading.tagging import Element
from gsmgw.clinic.reading.tokens import Kind, Token
from gsmgw.clinic.reading.vocabulary import Phrase, Vocabulary

LOWEST, HIGHEST = 1, 5


_STARS = frozenset("⭐🌟★")
#: Marks that are bad, and those that are good: a remark of the other side makes them doubtful.
_BAD, _GOOD = range(1, 3), range(4, 6)
#: Kinds of word with which a remark is no remark on the visit alone.
_SERIOUS = frozenset({"ill", "if", "person"})


def mark(elements: list[Element], vocabulary: Vocabulary) -> tuple[int | None, str]:
    """Return the mark that an answer gives, None if it gives none, and why it is uncertain.

    A remark of free words is allowed if a sign stands between it and the mark, or if it begins with
    a word of praise or blame: `5 minutes` is no mark.
    """
    stars = _stars(elements)
    numbers = [place for place, element in enumerate(elements) if element.tag == "#"]
    fraction = _fraction(elements)
    if fraction is not None:
        return fraction, ""
    if stars is not None and not numbers:
        return stars, ""
    elements = _without_scale(elements, numbers, vocabulary)
    numbers = [place for place, element in enumerate(elements) if element.tag == "#"]
    if len(numbers) != 1 or any(e.tokens and e.tokens[0].kind is Kind.PAIR for e in elements):
        return None, "no single mark" if numbers else ""
    place = numbers[0]
    numbered = elements[place]
    number = numbered.number
    if not LOWEST <= number <= HIGHEST:
        return None, "not a mark from 1 to 5"
    drawn = _drawn(elements)
    if len(drawn) in (1, number):
        elements = [element for element in elements if element not in drawn]
    why = _doubt(elements, elements.index(numbered), vocabulary)
    return number, why


def _doubt(elements: list[Element], place: int, vocabulary: Vocabulary) -> str:
    """Return why a mark at a place is not certain."""
    others = elements[:place] + elements[place + 1 :]
    if any(element.tag in "?E" for element in others):
        return (
            "a question" if any(element.tag == "?" for element in others) else "maybe not meant so"
        )
    words = _kinds_of_words(others, vocabulary)
    if any(kinds & _SERIOUS for kinds in words):
        return "a remark that a person should read"
    if _counts_something(elements, place, vocabulary):
        return "unknown words"
    if "".join(e.tag for e in elements[place + 1 :]) == "," or _is_below_zero(elements, place):
        return "a mark with a sign"
    number = elements[place].number
    praised = any("good" in kinds for kinds in words)
    blamed = any("bad" in kinds for kinds in words)
    # `4, because I waited long` gives its reason, `1 because it was great` took the wrong end.
    is_reasoned = number not in (LOWEST, HIGHEST) and "because" in _behind(
        elements, place, vocabulary
    )
    if not is_reasoned and ((number in _BAD and praised) or (number in _GOOD and blamed)):
        return "the remark speaks against the mark"
    if all(_says_nothing(element, vocabulary) for element in others):
        return ""
    return "" if _stands_apart(elements, place, vocabulary) else "unknown words"


def _counts_something(elements: list[Element], place: int, vocabulary: Vocabulary) -> bool:
    """Tell whether a number in words, or `1st`, counts what stands behind: `first time here`."""
    if place + 1 == len(elements):
        return False
    following = elements[place + 1]
    is_ordinal = bool(following.tokens) and following.tokens[0].text in ORDINALS
    is_word = elements[place].tokens[0].kind is Kind.WORD
    is_said_of_it = following.tag in "q,.:" or "score" in _kinds_of(following.tokens, vocabulary)
    return is_ordinal or (is_word and not is_said_of_it)


def _is_below_zero(elements: list[Element], place: int) -> bool:
    return place == 1 and [token.text for token in elements[0].tokens] == ["-"]


def _stands_apart(elements: list[Element], place: int, vocabulary: Vocabulary) -> bool:
    """Tell whether words stand on one side only, and a sign or a judging word between."""
    before = [e for e in elements[:place] if not _says_nothing(e, vocabulary)]
    after = [e for e in elements[place + 1 :] if not _says_nothing(e, vocabulary)]
    if (before and after) or any(element.tag in "dmnx" for element in before):
        return False
    if after:
        following = elements[place + 1]
        kinds = _kinds_of(following.tokens, vocabulary)
        is_cut_off = bool(following.tokens) and following.tokens[0].text in ",.-\u2013\u2014!\n:("
        return is_cut_off or bool(kinds & {"good", "bad", "because"})
    previous = elements[place - 1]
    return previous.tag in ",." or bool(_kinds_of(previous.tokens, vocabulary) & {"score", "good"})


def _behind(elements: list[Element], place: int, vocabulary: Vocabulary) -> frozenset[str]:
    after = elements[place + 1 : place + 2]
    return _kinds_of(after[0].tokens, vocabulary) if after else frozenset()


def _says_nothing(element: Element, vocabulary: Vocabulary) -> bool:
    if element.tag in "_jqz,.:ySQW":
        return True
    return "score" in _kinds_of(element.tokens, vocabulary)


def _kinds_of(words: tuple[Token, ...], vocabulary: Vocabulary) -> frozenset[str]:
    """Return the kinds of a phrase, and of its words where they stand for themselves."""
    found: set[str] = set()
    for word in words:
        for form in word.forms:
            found |= vocabulary.phrases.get((form,), frozenset())
    if words and all(word.forms for word in words):
        phrase: Phrase = tuple(word.forms[0] for word in words)
        found |= vocabulary.phrases.get(phrase, frozenset())
    return frozenset(found)


def _kinds_of_words(elements: list[Element], vocabulary: Vocabulary) -> list[frozenset[str]]:
    return [_kinds_of(element.tokens, vocabulary) for element in elements]


def _stars(elements: list[Element]) -> int | None:
    """Return how many stars an answer draws, if it says nothing else."""
    drawn = _drawn(elements)
    others = [e for e in elements if e not in drawn and e.tag not in "_q,.:"]
    return len(drawn) if LOWEST <= len(drawn) <= HIGHEST and not others else None


def _drawn(elements: list[Element]) -> list[Element]:
    return [e for e in elements if e.tokens and e.tokens[0].text in _STARS]


def _fraction(elements: list[Element]) -> int | None:
    """Return the mark of `4/5`, if it is the whole answer."""
    said = [element for element in elements if element.tag not in "_q,.:"]
    match = re.fullmatch(r"([1-5])\s?/\s?5", said[0].tokens[0].text) if len(said) == 1 else None
    return int(match[1]) if match else None


def _without_scale(
    elements: list[Element], numbers: list[int], vocabulary: Vocabulary
) -> list[Element]:
    """Drop the end of `4 out of 5`."""
    if len(numbers) != 2 or elements[numbers[1]].number != HIGHEST:
        return elements
    between = elements[numbers[0] + 1 : numbers[1]]
    if len(between) == 1 and "of" in _kinds_of(between[0].tokens, vocabulary):
        return elements[: numbers[0] + 1] + elements[numbers[1] + 1 :]
    return elements
