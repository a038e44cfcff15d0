# SPDX-License-Identifier: Apache-2.0
"""Names beside an answer: who signs, or says who speaks; they change nothing, or cast doubt."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gsmgw.clinic.reading import letters
from gsmgw.clinic.reading.asked import Asked
from gsmgw.clinic.reading.tagging import Element
from gsmgw.clinic.reading.tokens import Kind

#: Given name, second name, family name.
_MOST_NAMES = 3

#: Endings of family names, folded: those of a clinic's question have the given name only.
_FAMILY_NAME = re.compile(
    r"\w{2,}(?:sk[ia]i?|ck[ia]i?|dzk[ia]|wicz|czyk|ov|ova|ev|eva|in|ina|enko|chuk|shin|iuk|ez|son)"
)


def accept_names(elements: list[Element], asked: Asked) -> None:
    """Turn the tags of names that may stand beside an answer into filler.

    A name may stand where the patient says who speaks (`Tu Anna Kowalska`), before a comma at the
    beginning, behind a greeting, or alone behind the answer. If the question spoke to somebody by
    name, another name is no signature: another person answers, or the answer is about one.
    """
    for start, end in list(_runs(elements)):
        run = elements[start:end]
        if len(run) > _MOST_NAMES or not _may_stand(elements, start, end):
            continue
        if _is_known(run, asked, is_signed=_is_introduced(elements, start)):
            for element in run:
                element.tag = "_"


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


def _is_known(run: list[Element], asked: Asked, *, is_signed: bool) -> bool:
    if any(element.tag == "@" for element in run):
        return True
    texts = [element.tokens[0].text for element in run]
    if len(texts) == 1 and _FAMILY_NAME.fullmatch(_plain(texts[0])) and texts[0].istitle():
        return True
    return is_signed and not asked.names and all(text.istitle() for text in texts)


def _plain(text: str) -> str:
    return letters.fold(text).lstrip(letters.CYRILLIC)
