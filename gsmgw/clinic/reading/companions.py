# SPDX-License-Identifier: Apache-2.0
"""Words whose meaning hangs on others in the answer, settled before anything is judged.

`tell me` asks for the visit if a date or time is named behind it; `next` says nothing where the
visit is asked for; `someone` is nobody else where a call is wanted; what a telephone adds at the
end (`Sent from my …`) is not the patient's.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from gsmgw.clinic.reading.tagging import Element, Tagger
from gsmgw.clinic.reading.tokens import Kind
from gsmgw.clinic.reading.vocabulary import Vocabulary

#: Words between `which` and the day or time that it asks for.
_NEAR = 3
#: A telephone says its name in no more words than these.
_LONGEST_FOOTER = 8
#: Tags that a request to be called has.
_CALLS = "Cc"
#: Tags that a no has; the reason for one needs no judging.
_NOES = "nmxdeg"


def settle(elements: list[Element]) -> None:
    """Change the tags of such words in place."""
    _drop_footer(elements)
    _settle_minutes(elements)
    _settle_asking(elements)
    if any(element.tag in _CALLS for element in elements):
        _settle_callers(elements)
    has_info, has_send = _has(elements, "f"), _has(elements, "H") or _has(elements, "s")
    has_no = any(element.tag in _NOES for element in elements)
    for element in elements:
        is_beside_info = has_info and "next" in element.kinds and element.tag in "JuyAG"
        is_beside_send = has_send and "sending" in element.kinds and element.tag in "uW"
        is_beside_no = has_no and "reason" in element.kinds and element.tag == "J"
        is_thanked = _has(elements, "q") and "thanked" in element.kinds and element.tag in "Ju"
        if is_beside_info or is_beside_send or is_beside_no or is_thanked:
            element.tag = "_"
        elif element.tag in "JL":
            element.tag = "u" if element.tag == "J" else "P"


def _settle_callers(elements: list[Element]) -> None:
    """Read `can someone call me` as a request to the clinic, not as somebody else who calls."""
    for place, element in enumerate(elements):
        if element.tag != "L":
            continue
        element.tag = "_"
        for before in elements[max(0, place - _NEAR) : place]:
            if before.tag in "kwT":
                before.tag = "_"


def _drop_footer(elements: list[Element]) -> None:
    """Make filler of `Sent from my …`, to the end of the line."""
    for place, element in enumerate(elements):
        is_begin = place and elements[place - 1].tag in ",.:D"
        if not is_begin or "footer" not in element.kinds:
            continue
        line = []
        for following in elements[place:]:
            if following.tokens and following.tokens[0].text == "\n":
                break
            line.append(following)
        if len(line) <= _LONGEST_FOOTER and not any(one.tag in "?#XFBbPInmdE" for one in line):
            for one in line:
                one.tag = "_"


def _settle_minutes(elements: list[Element]) -> None:
    """Make a delay of `10 minutes later`, and no yes of the `ok.` in `ok. 10 min`."""
    for place, element in enumerate(elements):
        before = _spoken_before(elements, place)
        after = next((one for one in elements[place + 1 :] if one.tag not in "_.,"), None)
        is_counted = before is not None and before.tag in "M#"
        if "later" in element.kinds and is_counted and element.tag in "Xu":
            element.tag = "l"
        elif "minutes" in element.kinds and after is not None and after.tag in "M#":
            element.tag = "M" if element.tag in "yM" and _has(elements, "M") else element.tag


def _has(elements: list[Element], tag: str) -> bool:
    return any(element.tag == tag for element in elements)


def _spoken_before(elements: list[Element], place: int) -> Element | None:
    return next((one for one in reversed(elements[:place]) if one.tag != "_"), None)


def _settle_asking(elements: list[Element]) -> None:
    """Read `tell me the date`, `which day and what time` as asking for the visit."""
    is_asked = _has(elements, "?")
    for place, element in enumerate(elements):
        if element.tag == "V":
            is_refused = place > 0 and elements[place - 1].tag in "nm"
            if not is_refused and _names_moment(elements, place, len(elements)):
                element.tag = "f"
            else:
                element.tag = "H" if "send" in element.kinds else "u"
        elif (
            "which" in element.kinds
            and (element.tag in "uJ" or (is_asked and element.tag == "_"))
            and _names_moment(elements, place, place + _NEAR + 1)
        ):
            element.tag = "f"


def _names_moment(elements: list[Element], place: int, end: int) -> bool:
    """Tell whether a day or time is named in the same sentence; make filler of its name."""
    found = False
    for element in elements[place + 1 : end]:
        if element.tag in ".?" and element.tokens and element.tokens[0].kind is Kind.SIGN:
            break
        if "point" in element.kinds or element.tag == "f":
            found = True
            element.tag = "_"
    return found


def join_split_verbs(elements: list[Element], vocabulary: Vocabulary, tagger: Tagger) -> None:
    """Make one verb of `sage … ab`: the first word takes the tag, the last one says no more."""
    firsts = {first for first, _ in vocabulary.split}
    for place, element in enumerate(elements):
        # `ich habe` is one phrase, its last word is the verb.
        first = element.tokens[-1].forms[0] if element.tokens and element.tokens[-1].forms else ""
        if first not in firsts:
            continue
        for end in _same_clause(elements, place):
            kind = vocabulary.split.get((first, _only_form(elements[end])))
            if kind is not None:
                element.kinds = frozenset({kind})
                element.tag = tagger.tag_of(element.kinds)
                elements[end].tag = "_"
                for between in elements[place + 1 : end]:
                    # `sagen Sie … ab` speaks to the clinic; `sie` elsewhere is somebody else.
                    between.tag = "_" if between.tag == "P" else between.tag
                break


def _same_clause(elements: list[Element], place: int) -> Iterator[int]:
    places = range(place + 1, len(elements))
    return itertools.takewhile(lambda end: elements[end].tag not in ",.?", places)


def _only_form(element: Element) -> str:
    forms = element.tokens[0].forms if len(element.tokens) == 1 else ()
    return next(iter(forms), "")
