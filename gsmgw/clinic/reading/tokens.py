# SPDX-License-Identifier: Apache-2.0
"""A reply cut into words, numbers, pairs of numbers, faces and signs."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum, auto

from gsmgw.clinic.reading import letters

#: A reply has at most 255 parts of 153 characters; nobody answers a question with more than this.
LONGEST_REPLY = 2000


class Kind(Enum):
    """What a token is."""

    WORD = auto()
    NUMBER = auto()
    PAIR = auto()  #: two numbers with a sign between them: a time, a date, a fraction
    SIGN = auto()  #: one punctuation mark, or one symbol
    GLAD = auto()  #: a friendly face, a flower: changes nothing
    SAD = auto()  #: a sad face: regret
    DOUBTFUL = auto()  #: a wink, a laugh, an unknown picture: may turn the words around


@dataclass(frozen=True, slots=True)
class Token:
    """One token."""

    kind: Kind
    text: str  #: as typed, NFKC
    forms: tuple[str, ...] = ()  #: of a word: what it is compared as
    numbers: tuple[int, ...] = ()  #: of a number or pair
    joint: str = ""  #: of a pair: the sign between


_GLAD = "😀😃😄😁😊🙂☺🤗🙏❤♥💐🌹🌷🌸🌺🌻💕💖😘🥰😇🤝👏🙌🎉✨☀🌞💪😌🧡💛💚💙💜💓💞💗🌼🍀🤍🤎🖤"
_SAD = "😞😔😢😭☹🙁😟😕😥😓😩😪💔"
_THUMBS = "👍👎👌✅✔❌🆗⭐🌟★☆"

_SKIN = re.compile("[\U0001f3fb-\U0001f3ff\ufe0e\ufe0f\u20e3\u200d]")
_INVISIBLE = re.compile("[\u00ad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_TOKEN = re.compile(
    r"""
    (?P<pair>(?<!\d)\d{1,2}\s?(?P<joint>[:./]|h(?=\d))\s?\d{1,2}(?:[./](?:20)?\d\d\b)?(?!\d))
  | (?P<number>\d+)
  | (?P<wink>;-?[)DP]|[:=]-?[PpD](?!\w)|\bx+d+\b)
  | (?P<glad>[:=]-?[)\]*3]+(?!\d)|<3|\^\^)
  | (?P<sad>[:=]'?-?[(\[/]+)
  | (?P<word>(?:[^\W\d_]|'(?=[^\W\d_]))+)
  | (?P<sign>\S)
    """,
    re.VERBOSE,
)

_SHORT_WILL = re.compile(r"'(ll)\b", re.IGNORECASE)
#: A stress mark over a letter that has no such form of its own: `жди́те`.
_STRESS = re.compile("[\u0300\u0301]")
_APOSTROPHE = re.compile("[\u2018\u2019`\u02bc\u00b4]")


def tidy(text: str) -> str:
    """Return a reply in one way of writing: NFKC, nothing invisible, at most `LONGEST_REPLY`."""
    text = _INVISIBLE.sub("", text[:LONGEST_REPLY])
    text = _STRESS.sub("", unicodedata.normalize("NFKC", _APOSTROPHE.sub("'", text)))
    text = _SHORT_WILL.sub(r" wi\1", _SKIN.sub("", text))
    return text.replace("…", "...").strip()


def tokenise(text: str, language: str) -> list[Token]:
    """Cut a tidy reply into tokens; a line end is a sign, too."""
    found: list[Token] = []
    for number, line in enumerate(text.splitlines()):
        if number and line.strip():
            found.append(Token(Kind.SIGN, "\n"))
        found += [_token(match, language) for match in _TOKEN.finditer(line)]
    return found


def _token(match: re.Match[str], language: str) -> Token:
    text = match.group()
    if match["word"]:
        plain = text.replace("'", "")
        return Token(Kind.WORD, text, letters.forms(plain, language))
    if match["pair"]:
        numbers = tuple(int(digits) for digits in re.findall(r"\d+", text))
        return Token(Kind.PAIR, text, numbers=numbers, joint=match["joint"])
    if match["number"]:
        # A longer one counts nothing that a clinic asks about; int() of very long ones is slow.
        return Token(Kind.NUMBER, text, numbers=(int(text[:9]) if len(text) < 9 else -1,))
    for name, kind in (("wink", Kind.DOUBTFUL), ("glad", Kind.GLAD), ("sad", Kind.SAD)):
        if match[name]:
            return Token(kind, text)
    return Token(_kind_of_sign(text), text)


def _kind_of_sign(char: str) -> Kind:
    if char in _GLAD:
        return Kind.GLAD
    if char in _SAD:
        return Kind.SAD
    is_picture = unicodedata.category(char) in ("So", "Sk", "Cs", "Co", "Cn")
    return Kind.DOUBTFUL if is_picture and char not in _THUMBS else Kind.SIGN
