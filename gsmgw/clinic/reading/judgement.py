# SPDX-License-Identifier: Apache-2.0
"""The rules: which things an answer says, by patterns over its tags.

Tags (see `tagging`):

    y yes    d no    e a phrase of no    m no or not    n not    k can    x cannot    w want
    o need    v I come, I agree    i to come    t he comes    T he can    g give up    r reschedule
    R another day    C call me    c a call    s stop    a start    h help    f when    l late
    q thanks    z regret    p no problem    # number    @ name    * all    & rest    M minutes
    X another day or time    F if    B maybe    b but    Y yes or if    P somebody    I illness
    O nobody    K I keep what I have, I forgot    N no worries    Q any more    W this text
    G to give up again and again    E irony    D dots    S this is    A yes, or filler
    j when, or filler    _ filler    u unknown    : a face    , . ? signs    U turned round
    H write to me    Z what is sent    V tell me    J next, or unknown    L somebody
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from gsmgw.clinic.reading.meaning import Question
from gsmgw.clinic.reading.tagging import Element


class Said(Enum):
    """One thing that is said."""

    YES = auto()
    NO = auto()
    GIVE_UP = auto()
    RESCHEDULE = auto()
    CALLBACK = auto()
    STOP = auto()
    START = auto()
    HELP = auto()
    INFO = auto()
    LATE = auto()
    THANKS = auto()
    CONFUSED = auto()  #: a negation of what is no plain yes: `nie odwołuję`
    NO_PROBLEM = auto()


@dataclass(frozen=True, slots=True)
class Statement:
    """A thing said, and the tags that say it."""

    said: Said
    start: int
    tags: str  #: without filler


#: Tags that say nothing by themselves.
SILENT = "_jqz,.:pSAZ"

#: What keeps an answer from being acted upon, and what people are told.
OBSTACLES = {
    "u": "unknown words",
    "X": "another day or time",
    "F": "a condition",
    "B": "a reservation",
    "b": "a reservation",
    "P": "another person",
    "t": "another person",
    "T": "another person",
    "I": "illness",
    "E": "maybe not meant so",
    "D": "maybe not meant so",
    "?": "a question",
    "#": "a number",
    "n": "a negation",
    "m": "a negation",
    "i": "unfinished",
    "k": "unfinished",
    "w": "unfinished",
    "o": "unfinished",
    "x": "unfinished",
    "M": "a time",
    "*": "several people",
    "O": "several people",
    "&": "several people",
}

#: In this order; the first that fits at a place wins. Filler may stand between any two tags, signs
#: may not: `nie, przyjdę` is a no and a yes, `nie przyjdę` is a no. Behind `=` it may not either.
_RULES: tuple[tuple[Said, str], ...] = (
    (Said.STOP, "[nm]w?H+"),
    (Said.CONFUSED, "[nm]w?[kv]*[grRcCas]"),
    (Said.CONFUSED, "[nm][wkvi]+[nm]"),
    (Said.CONFUSED, "[nm][wkv]*G|G[nm][wkvo]*"),
    (Said.CONFUSED, "U"),
    (Said.CONFUSED, "k*xk*[grRcCnm]"),
    (Said.CONFUSED, "[nm][yf]"),
    (Said.CONFUSED, "[de][grRcC]"),
    (Said.CONFUSED, "[nm][wk]*K"),
    (Said.NO, "[wk]*K+[kvi]*"),
    (Said.NO, "N"),
    (Said.RESCHEDULE, "[wk]+[rR]+k?"),
    (Said.RESCHEDULE, "[rR]+k"),
    (Said.NO, "[nm]w?k*[vi]+"),
    (Said.NO, "[nm]w?k+"),
    (Said.NO, "[nm][ow]"),
    (Said.NO, "[nm][tT]+[vi]*"),
    (Said.NO, "k*xk*[vio]*"),
    (Said.NO, "O[nm]?[kvitT]*"),
    (Said.CONFUSED, "k+[gc]"),
    (Said.LATE, "w?[kvi]*l+(?!_*u)"),
    (Said.CALLBACK, "[wk]*C[Cc]*"),
    (Said.YES, "w?k*v+i+"),
    (Said.YES, "w?k*v+"),
    (Said.YES, "k+i+"),
    (Said.YES, "k(?!k*[_z]*[uV])"),
    (Said.GIVE_UP, "w*g+"),
    (Said.RESCHEDULE, "[wk]*[rR]+"),
    (Said.CALLBACK, "w*c+"),
    (Said.NO, "=d[_z,]*n(?=$|[,.:qz])"),
    (Said.NO, "[de]"),
    (Said.NO, "=m(?!z*[^,.?qz:mdeED#@*&])"),
    (Said.NO, "=z[_z]*n(?=$|[,.:?q])"),
    (Said.NO, "=A_*n(?=$|[,.:q])"),
    (Said.YES, "[yY]"),
    (Said.STOP, "s"),
    (Said.START, "a"),
    (Said.HELP, "h"),
    (Said.INFO, "fo?i+|f"),
    (Said.LATE, "l"),
    (Said.THANKS, "q"),
    (Said.NO_PROBLEM, "p"),
)

#: German puts the negation behind: `komme nicht`, `kann leider nicht kommen`.
_RULES_BEHIND: tuple[tuple[Said, str], ...] = (
    (Said.CONFUSED, "[grKG]n(?!_*[ki])"),
    (Said.NO, "[vktTow]n(?![_z]*[grC])[vi]*k*"),
    (Said.NO, "[vw]d(?=_*Z)"),
)


def _compiled(rules: tuple[tuple[Said, str], ...]) -> re.Pattern[str]:
    """Return one pattern of all rules, filler allowed between the tags, a group for each rule."""
    found = []
    for number, (_, rule) in enumerate(rules):
        if rule[0] == "=":
            found.append(f"(?P<r{number}>{rule[1:]})")
            continue
        with_filler = re.sub(r"(\[[^\]]*\]|\w)(?![^(]*\))", r"(?:\1[_zjSAZ*]*?)", rule)
        found.append(f"(?P<r{number}>{with_filler})")
    return re.compile("|".join(found))


_BEFORE = (_RULES, _compiled(_RULES))
_BEHIND = (_RULES_BEHIND + _RULES, _compiled(_RULES_BEHIND + _RULES))

_LATE_BY = re.compile(r"l[_zj]*(?:[_#M][_]*)*[#M]|(?:[#M]_*)*[#M]_*[ki]*_*l")


def tags_of(elements: list[Element]) -> str:
    """Return the tags as one string, an element a letter."""
    return "".join(element.tag for element in elements)


def statements(tags: str, *, negates_behind: bool) -> tuple[list[Statement], str]:
    """Return what is said, in its order, and the tags that no rule took up, without filler."""
    rules, pattern = _BEHIND if negates_behind else _BEFORE
    found: list[Statement] = []
    rest: list[str] = []
    place = 0
    while place < len(tags):
        match = pattern.match(tags, place)
        if match is None or match.lastgroup is None:
            rest.append(tags[place])
            place += 1
            continue
        said, _ = rules[int(match.lastgroup[1:])]
        found.append(Statement(said, place, re.sub("[_zjSAZ*]", "", match.group())))
        place = match.end()
    return found, "".join(tag for tag in rest if tag not in SILENT)


def take_out_late_by(tags: str) -> tuple[str, bool]:
    """Make filler of how much later somebody comes; tell whether it was said."""

    def keep_late(match: re.Match[str]) -> str:
        return re.sub("[#M]", "_", match.group())

    changed = _LATE_BY.sub(keep_late, tags)
    return changed, changed != tags


def settle_words_of_two_minds(tags: str) -> str:
    """Decide about words whose neighbours say what they are; the length stays.

    `przepraszam, ale …` is a regret and `tak, ale spóźnię się` a yes, no reservation. Spanish `si`
    is an if where a verb stands on both sides of it (`confirmo si puedo`) or two behind it (`si
    puedo voy`), and where it is followed by nothing but a can: `si puedo`, but `sí, puedo`.
    """
    tags = re.sub("(?<=[zq])([_,]*)b", r"\1_", tags)
    tags = re.sub("N(?=.*[vyi])", "p", tags)
    # Who says no twice means it, unless `claro` stands behind.
    tags = tags if "A" in tags else re.sub("m(?=[,._]*m(?:[,._:qz]|$))", "_", tags)
    # Nobody comes or goes with a text: `cancel the reminder`, `I don't need reminders`.
    tags = re.sub("(g_*|[nm][_wo]*[ow]_*)W", r"\1u", tags)
    tags = re.sub("W(?=_*g)", "u", tags).replace("W", "_")
    # `I can't any more` may be said of more than a visit; `I can't come any more` is not.
    tags = re.sub("((?:[nm]_*k|k_*n|x)_*)Q", r"\1u", tags)
    tags = re.sub("Q(?=_*[nm]_*k(?!_*[kvi]))", "u", tags).replace("Q", "_")
    # Who cannot speak does not say who speaks: without its soft sign the Russian verb is the same.
    tags = re.sub("(?<=[nmk])S", "u", tags)
    tags = re.sub("(?<=[vikg])(_*)Y(?=_*[vikmn])", r"\1F", tags)
    tags = re.sub("Y(?=_*[km]_*[ik]*[_,]*v)", "F", tags)
    return re.sub("Y(?=_*k_*$)", "F", tags)


def stray_negation(tags: str) -> bool:
    """Tell whether a no may belong to the noun behind it: `no appointment`, `нет записи`."""
    return re.search("d[_jS]++(?!z*[nmxdtTK#@*&,.?:])", tags) is not None


def is_thought_no(tags: str) -> bool:
    """Tell whether a no is only thought: `I don't think I can`, `ich glaube nicht`."""
    return re.search("[nm]_*B|B_*n", tags) is not None


def is_all_asked(said: list[Statement], tags: str) -> bool:
    """Tell whether all that is said stands in questions: `Is it still on?` is no yes."""
    if said and all(statement.tags in ("y", "Y", "d", "m") for statement in said):
        return False  # `tak?` is a yes that is not sure
    ends = (re.search("[,.?D]", tags[statement.start :]) for statement in said)
    return all(end is not None and end.group() == "?" for end in ends)


def obstacle(rest: str) -> str:
    """Return in words what stands in the way of acting; "" if nothing does."""
    # What is meant by somebody matters more than a word that is not known.
    for tag in sorted(set(rest), key="IFPXBbTtE?".find, reverse=True):
        return OBSTACLES.get(tag, "unknown words")
    return ""


def is_medical(said: list[Statement]) -> bool:
    """Tell whether a dose was taken late, or is not wanted or needed."""
    kinds = {statement.said for statement in said}
    return Said.LATE in kinds or any(s.said is Said.NO and set("ow") & set(s.tags) for s in said)


def why_not_plain(said: list[Statement], tags: str, question: Question) -> str:
    """Return why a yes or no may be meant otherwise by its own words."""
    kinds = {statement.said for statement in said}
    is_no = any(statement.tags in ("d", "e", "m") for statement in said)
    is_offer_refused = question is Question.OFFER and is_no
    if any(set("NK") & set(s.tags) for s in said) and not is_offer_refused:
        # Who forgot may take it now, who keeps what he has may want both.
        return "no plain no"
    if "A" in tags and sum(statement.said is Said.NO for statement in said) > 1:
        return "maybe not meant so"  # `no, no, claro`
    if Said.NO_PROBLEM in kinds and not kinds & {Said.YES, Said.NO, Said.GIVE_UP}:
        return "no plain yes"
    return ""


def gives_up(said: list[Statement]) -> bool:
    """Tell whether somebody will not come, in more words than no."""
    return any(s.said in (Said.NO, Said.GIVE_UP) and s.tags not in ("m", "d") for s in said)


def says_more_than_a_wish(said: list[Statement]) -> bool:
    """Tell whether a wish for another day comes with more than itself."""
    wishes = [s for s in said if s.said is not Said.THANKS]
    return len(wishes) > 1 or any(s.tags != "R" for s in wishes)


def with_soft_words(said: list[Statement], tags: str) -> list[Statement]:
    """Let words that are filler beside others speak if nothing else does.

    `oczywiście` alone is a yes, `cita` alone asks when the visit is.
    """
    if any(statement.said is not Said.THANKS for statement in said):
        return said
    if "A" in tags:
        return [*said, Statement(Said.YES, tags.index("A"), "A")]
    if "j" in tags and not set(tags) - set("j,.:?q"):
        return [Statement(Said.INFO, tags.index("j"), "j")]
    return said
