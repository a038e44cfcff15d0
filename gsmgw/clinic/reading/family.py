# SPDX-License-Identifier: Apache-2.0
"""Answers about several visits: `TAK 1 NIE 2`, `Anna tak, Łukasz nie`, `NIE 2, reszta tak`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gsmgw.clinic.reading.asked import Asked
from gsmgw.clinic.reading.judgement import Said, Statement
from gsmgw.clinic.reading.meaning import Meaning, Part
from gsmgw.clinic.reading.tagging import Element
from gsmgw.clinic.reading.tokens import Kind

#: The most visits that one text lists: each has one digit.
MOST_VISITS = 9

_VERDICTS = {Said.YES: Meaning.ACCEPT, Said.NO: Meaning.DECLINE, Said.GIVE_UP: Meaning.DECLINE}
#: Verdicts before their visits, or behind them; nothing else is plain.
_BEFORE = re.compile(r"(?:[+-]I+)+")
_ONE_VERDICT = re.compile(r"(?:V+I+)+|V*(?:I+V+)+")
_BEHIND = re.compile(r"(?:I+[+-])+")
_COUNTS = {"both": 2, "three": 3}
_ALL = "*"
_REST = "&"


@dataclass(frozen=True, slots=True)
class _Step:
    """A verdict, or a visit: its number, `*` for all, `&` for the others."""

    verdict: Meaning | None = None
    visit: int | str = 0
    clause: int = 0


def parts(elements: list[Element], said: Sequence[Statement], asked: Asked) -> tuple[Part, ...]:
    """Return what an answer says about which visit, in its order; () if that is not plain.

    An answer that names no visit gives one part without a number, which is for all of them.
    """
    steps = _rest_last(list(_steps(elements, said)))
    verdicts = [step.verdict for step in steps if step.verdict is not None]
    visits = [step.visit for step in steps if step.verdict is None]
    if not verdicts or any(_is_unknown(visit, asked) for visit in visits):
        return ()
    if len(set(verdicts)) > 1 and _stands_alone(elements, said):
        return ()  # `nie, Anna będzie, Łukasz też`: the no is an answer of its own
    if _times(elements) == 1:
        return ()  # `tak, o 10:15` may say when all of them come
    if not visits:
        return (Part(verdicts[0]),) if len(set(verdicts)) == 1 else ()
    if len(set(verdicts)) == 1:
        shape = "".join("I" if step.verdict is None else "V" for step in steps)
        if not _ONE_VERDICT.fullmatch(shape):
            return ()  # `Lukas kommt nicht, Anna schon`
        pairs = [(verdicts[0], visit) for visit in visits]
    else:
        pairs = list(_paired(steps))
    return _resolved(pairs, asked)


def _stands_alone(elements: list[Element], said: Sequence[Statement]) -> bool:
    """Tell whether one verdict has no visit in its clause while another one has."""
    begins = {one.start for one in said if one.said in _VERDICTS}
    clauses = [(False, False)]
    for place, element in enumerate(elements):
        if element.tag in ",.":
            clauses.append((False, False))
        has_verdict, has_visit = clauses[-1]
        is_visit = element.tag in "#@*&"
        clauses[-1] = (has_verdict or place in begins, has_visit or is_visit)
    return (True, True) in clauses and (True, False) in clauses


def settle_counts(elements: list[Element], asked: Asked) -> None:
    """Make unknown of `both` where there are not two visits, and of `all three` likewise."""
    for element in elements:
        for kind, count in _COUNTS.items():
            if (
                kind in element.kinds
                and element.tag in "*O"
                and len(asked.visits) not in (0, count)
            ):
                element.tag = "u"


def settle_verbs(elements: list[Element]) -> None:
    """Read `Klara und Emil kommen` as a yes: the same word is an infinitive behind `können`."""
    clause = ""
    for element in elements:
        clause = "" if element.tag in ",.?" else clause + element.tag
        if element.tag == "i" and "they_attend" in element.kinds and "@" in clause:
            element.tag = "i" if set("kwxTnm") & set(clause) else "v"


def is_vague(elements: list[Element]) -> bool:
    """Tell whether visits are named as one or the other, all but one, or not known."""
    tags = "".join(element.tag for element in elements)
    kinds = frozenset().union(*(element.kinds for element in elements))
    return bool({"except", "unsure"} & kinds) or re.search("[#@]_*B_*[#@]", tags) is not None


def settle_contrasts(elements: list[Element]) -> None:
    """Make a reservation of `może` and `a` where they are not `can` and `and`.

    `Łukasz może` is a yes, `Anna i może Łukasz` is not; `Anna tak, a Łukasz nie` says two things,
    `nie Anna, a Łukasz` says who comes instead.
    """
    spoken = [one for one in elements if one.tag != "_" or "contrast" in one.kinds]
    for place, element in enumerate(spoken):
        before = "".join(one.tag for one in spoken[max(0, place - 3) : place])
        after = "".join(one.tag for one in spoken[place + 1 : place + 2])
        is_maybe = element.tag == "T" and after in tuple("@#*t")
        if is_maybe or ("contrast" in element.kinds and re.search("[mnd][@#],?$", before)):
            element.tag = "B"


def _times(elements: list[Element]) -> int:
    return sum(e.tag == "@" and e.tokens[0].kind is Kind.PAIR for e in elements)


def names_visits(tags: str) -> bool:
    """Tell whether an answer speaks of single visits, or of all expressly."""
    return any(tag in tags for tag in "#@*&O")


def _steps(elements: list[Element], said: Sequence[Statement]) -> Iterator[_Step]:
    begins = {one.start: _VERDICTS[one.said] for one in said if one.said in _VERDICTS}
    clause = 0
    last: Meaning | None = None
    for place, element in enumerate(elements):
        if place in begins:
            last = begins[place]
            yield _Step(begins[place], clause=clause)
            if element.tag == "O":
                yield _Step(visit=_ALL, clause=clause)
        elif element.tag in "#@":
            yield _Step(visit=element.number or _ALL, clause=clause)
        elif element.tag in (_ALL, _REST):
            yield _Step(visit=element.tag, clause=clause)
        elif element.tag in ",.":
            clause += 1
        elif "also" in element.kinds and last is not None and elements[place - 1].tag in "#@":
            yield _Step(last, clause=clause)  # `Anna będzie, Łukasz też`


def _rest_last(steps: list[_Step]) -> list[_Step]:
    """Write `no 2, rest yes` the way round in which the other visits are said."""
    if len(steps) > 2 and steps[-2].visit == _REST and steps[0].verdict is not None:
        return [*steps[:-2], steps[-1], steps[-2]]
    return steps


def _is_unknown(visit: int | str, asked: Asked) -> bool:
    if visit == _REST:
        return len(asked.visits) < 2
    if visit == _ALL:
        return False
    known = {one.number for one in asked.visits} or set(range(1, MOST_VISITS + 1))
    return visit not in known


def _by_clause(steps: list[_Step]) -> list[tuple[Meaning, int | str]]:
    """Pair what each clause says with the visits in it; [] if a clause does not say both."""
    found: list[tuple[Meaning, int | str]] = []
    for _, one in itertools.groupby(steps, key=lambda step: step.clause):
        clause = list(one)
        verdicts = {step.verdict for step in clause if step.verdict is not None}
        visits = [step.visit for step in clause if step.verdict is None]
        if len(verdicts) != 1 or not visits:
            return []
        found += [(next(iter(verdicts)), visit) for visit in visits]
    return found


def _paired(steps: list[_Step]) -> Iterator[tuple[Meaning, int | str]]:
    by_clause = _by_clause(steps)
    if by_clause:
        yield from by_clause
        return
    signs = {Meaning.ACCEPT: "+", Meaning.DECLINE: "-", None: "I"}
    shape = "".join(signs[step.verdict] for step in steps)
    if _BEHIND.fullmatch(shape):
        steps = steps[::-1]
    elif not _BEFORE.fullmatch(shape):
        return
    found: list[tuple[Meaning, int | str]] = []
    verdict = Meaning.UNCLEAR
    for step in steps:
        if step.verdict is not None:
            verdict = step.verdict
        else:
            found.append((verdict, step.visit))
    yield from found if _BEFORE.fullmatch(shape) else found[::-1]


def _resolved(pairs: list[tuple[Meaning, int | str]], asked: Asked) -> tuple[Part, ...]:
    """Turn all and the rest into what they stand for; () if a visit has two verdicts."""
    named = [visit for _, visit in pairs]
    if named == [_ALL]:
        return (Part(pairs[0][0]),)
    if _ALL in named or len(set(named)) < len(named):
        return ()
    others = [visit.number for visit in asked.visits if visit.number not in named]
    found: list[Part] = []
    for verdict, visit in pairs:
        if isinstance(visit, int):
            found.append(Part(verdict, visit))
        elif len(pairs) > 1 and others:
            found += [Part(verdict, number) for number in others]
        else:
            return ()
    return tuple(found)
