# SPDX-License-Identifier: Apache-2.0
"""Names beside an answer: who signs, or says who speaks; they change nothing, or cast doubt."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gsmgw.clinic.reading import letters
from gsmgw.clinic.reading.asked import Asked
from gsmgw.clinic.reading.tagging import Element
from gsmgw.clinic.reading.tokens import Kind
from gsmgw.clinic.reading.vocabulary import Vocabulary

#: Given name, second name, family name.
_MOST_NAMES = 3

#: Endings of family names, folded: those of a clinic's question have the given name only.
_FAMILY_NAME = re.compile(
    r"\w{2,}(?:sk[ia]i?|ck[ia]i?|dzk[ia]|wicz|czyk|ov|ova|ev|eva|in|ina|enko|chuk|shin|iuk|ez|son)"
)


def accept_names(elements: list[Element], asked: Asked, vocabulary: Vocabulary) -> None:
    """Turn the tags of names that may stand beside an answer into filler.

    A name may stand where the patient says who speaks (`Tu Anna Kowalska`), before a comma at the
    beginning, behind a greeting, or alone behind the answer. If the question spoke to somebody by
    name, another name is no signature: another person answers, or the answer is about one.
    """
    _accept_titles(elements, asked)
    _join_initials(elements, asked)
    for start, end in list(_runs(elements)):
        run = elements[start:end]
        if len(run) > _MOST_NAMES or not _may_stand(elements, start, end):
            continue
        if _is_known(run, asked, vocabulary, is_signed=_is_introduced(elements, start)):
            for element in run:
                element.tag = "_"


def _accept_titles(elements: list[Element], asked: Asked) -> None:
    """Read `Frau Schmidt` behind an answer: a family name, of which the question knows nothing."""
    for place, element in enumerate(elements[:-1]):
        if "honorific" not in element.kinds or not element.tokens[0].text.istitle():
            continue
        end = place + 1
        while end < len(elements) and _is_part_of_name(elements[end]):
            end += 1
        names = [one for one in elements[place + 1 : end] if one.tokens[0].text.istitle()]
        is_last = all(one.tag in ".,_:" for one in elements[end:])
        is_apart = place == 0 or elements[place - 1].tag in ".,_:qS"
        initials = [one for one in elements[place + 1 : end] if _is_initial(one)]
        if names and is_last and is_apart and place and _may_be_theirs(initials, asked):
            for one in elements[place:end]:
                one.tag = "_"


def _is_part_of_name(element: Element) -> bool:
    if not element.tokens:
        return False
    text = element.tokens[0].text
    return text == "." or _is_initial(element) or _is_name_like(element, is_inside=True)


def _is_initial(element: Element) -> bool:
    text = element.tokens[0].text if element.tokens else ""
    return len(text) == 1 and text.isalpha() and text.isupper()


def _join_initials(elements: list[Element], asked: Asked) -> None:
    """Read `A. Kowalska` and `Kowalska A.B.` at the end, if no other name was asked for."""
    end = len(elements)
    while end and elements[end - 1].tag in ".,_:" and not _is_initial(elements[end - 1]):
        end -= 1
    start = end
    while start and (_is_part_of_name(elements[start - 1]) or _is_dot(elements, start - 1)):
        start -= 1
    while start < end and elements[start].tag in ".,":
        start += 1
    run = elements[start:end]
    initials = [one for one in run if _is_initial(one)]
    names = [one for one in run if one.tag == "u" and not _is_initial(one)]
    is_known = _may_be_theirs(initials, asked)
    is_apart = start > 0 and elements[start - 1].tag in ".,_:q"
    if initials and is_apart and len(names) == 1 and _is_title(names[0]):
        for one in run:
            one.tag = "_" if is_known else "P"


def _may_be_theirs(initials: list[Element], asked: Asked) -> bool:
    """Tell whether initials are those of somebody asked, or nobody was asked by name."""
    known = {name[:1] for name in asked.names}
    found = [_plain(one.tokens[0].text) for one in initials]
    return not known or not found or bool(known & set(found))


def _is_dot(elements: list[Element], place: int) -> bool:
    """Tell whether a dot belongs to an initial before it."""
    is_dot = bool(elements[place].tokens) and elements[place].tokens[0].text == "."
    return is_dot and place > 0 and _is_initial(elements[place - 1])


def _is_title(element: Element) -> bool:
    return element.tokens[0].text.istitle()


def _runs(elements: list[Element]) -> Iterator[tuple[int, int]]:
    """Yield begin and end of words that are unknown or are names of the question."""
    start: int | None = None
    for place, element in enumerate([*elements, Element(".", ())]):
        if _is_name_like(element, is_inside=start is not None):
            start = place if start is None else start
        elif start is not None:
            yield start, place
            start = None


def _is_name_like(element: Element, *, is_inside: bool) -> bool:
    if element.tag == "@":
        return element.tokens[0].kind is Kind.WORD
    if element.tag == "." and is_inside and element.tokens and element.tokens[0].text == ".":
        return False
    return element.tag == "u" and not element.kinds and len(element.tokens) == 1


def _may_stand(elements: list[Element], start: int, end: int) -> bool:
    is_first = start == 0 and end < len(elements) and elements[end].tag in ",."
    is_last = all(element.tag in ".,_" for element in elements[end:])
    before = elements[start - 1] if start else None
    behind_answer = is_last and before is not None and before.tag in ".,"
    return is_first or behind_answer or _is_introduced(elements, start)


def _is_introduced(elements: list[Element], start: int) -> bool:
    """Tell whether a greeting or `this is` stands before, signs apart."""
    place = start - 1
    while place >= 0 and elements[place].tag in ",.":
        place -= 1
    return place >= 0 and bool({"close", "self"} & elements[place].kinds)


def _is_known(run: list[Element], asked: Asked, vocabulary: Vocabulary, *, is_signed: bool) -> bool:
    if any(element.tag == "@" for element in run):
        return True
    texts = [element.tokens[0].text for element in run]
    if len(texts) == 1 and _FAMILY_NAME.fullmatch(_plain(texts[0])) and texts[0].istitle():
        return True
    is_signed = is_signed or any(_plain(text) in vocabulary.given for text in texts)
    return is_signed and not asked.names and all(text.istitle() for text in texts)


def _plain(text: str) -> str:
    return letters.fold(text).lstrip(letters.CYRILLIC)
