# SPDX-License-Identifier: Apache-2.0
"""The words of the reply reader: what is asked, what an answer may mean, and the record of one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Question(StrEnum):
    """What the newest open question on a phone asks for."""

    CONFIRM = "confirm"  #: will you come? reply YES or NO
    OBJECT = "object"  #: we expect you; reply NO if you cannot come
    FAMILY = "family"  #: several visits with numbers
    OFFER = "offer"  #: an earlier time is free, do you want it?
    RATING = "rating"  #: how was it, from 1 to 5?
    DOSE = "dose"  #: have you taken the medicine?
    CONSENT = "consent"  #: may we write to you?
    NONE = "none"  #: nothing is asked


class Meaning(StrEnum):
    """What an answer, or one part of it, means."""

    ACCEPT = "accept"
    DECLINE = "decline"  #: no, and also: I give the visit up
    RESCHEDULE = "reschedule"
    CALLBACK = "callback"
    STOP = "stop"
    START = "start"
    HELP = "help"
    INFO = "info"  #: when is my visit?
    THANKS = "thanks"
    LATE = "late"
    RATING = "rating"  #: with a number from 1 to 5
    UNCLEAR = "unclear"


#: Questions about a visit that a yes or a no answers.
ABOUT_A_VISIT = frozenset({Question.CONFIRM, Question.OBJECT})
#: What is a yes or a no.
VERDICTS = frozenset({Meaning.ACCEPT, Meaning.DECLINE})


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that an answer says."""

    meaning: Meaning
    #: rating: the mark; accept and decline: which visit of a family, None for all of them
    number: int | None = None

    def __str__(self) -> str:
        return str(self.meaning) if self.number is None else f"{self.meaning}:{self.number}"


@dataclass(frozen=True, slots=True)
class Reading:
    """How an answer is read."""

    parts: tuple[Part, ...]  #: in the order said; never empty
    #: whether the gateway acts on it by itself; if not, a person decides
    is_applied: bool
    #: why only a person may decide, for people; "" if `is_applied`
    why: str = ""
    #: whether a decline is said in words of giving the visit up: `nie przyjdę`, not a bare no
    gives_up: bool = False

    def __str__(self) -> str:
        """Return it as commands print it: `accept`, `rating:4`, `accept:1+decline:2`."""
        return "+".join(map(str, self.parts))


def one(meaning: Meaning, *, why: str = "", number: int | None = None) -> Reading:
    """Return a reading of one part, applied unless there is a `why`."""
    return Reading((Part(meaning, number),), not why, why)
