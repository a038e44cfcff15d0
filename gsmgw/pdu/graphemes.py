# SPDX-License-Identifier: Apache-2.0
"""Graphemes: which characters stand together as one sign for the reader and are never cut apart.

The rules of Unicode Standard Annex 29, reduced to what the standard library can tell: combining
marks, joiners and what they join, variation selectors, skin tones, tags, flags, Korean syllables
written in letters, and CR LF. Where in doubt characters stay together; that costs at most a
character or two of a part.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

_JOINER = "\u200d"
#: All of Latin comes before the first mark.
_FIRST_FOLLOWER = "\u0300"

#: Characters that belong to the one before them though Unicode does not call them marks:
#: zero width non-joiner and joiner, skin tones, tags of the flags of regions, the two vowel signs
#: of Thai and Lao that are letters, and the vowels and finals of Korean.
_FOLLOWERS = (
    ("\u200c", "\u200d"),
    ("\U0001f3fb", "\U0001f3ff"),
    ("\U000e0020", "\U000e007f"),
    ("\u0e33", "\u0e33"),
    ("\u0eb3", "\u0eb3"),
    ("\u1160", "\u11ff"),
    ("\ud7b0", "\ud7fb"),
)


def _follows(character: str) -> bool:
    """Say whether a character always belongs to the one before it."""
    if unicodedata.category(character).startswith("M"):
        return True
    return any(first <= character <= last for first, last in _FOLLOWERS)


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def split_graphemes(text: str) -> Iterator[str]:
    """Yield the graphemes of a text in order; joined together they are the text."""
    start = 0
    flag_letters = 0  # regional indicators at the end of the grapheme so far
    before = ""
    for at, character in enumerate(text):
        if at and not _is_together(before, character, flag_letters):
            yield text[start:at]
            start = at
        flag_letters = flag_letters + 1 if _is_flag_letter(character) else 0
        before = character
    if text:
        yield text[start:]


def _is_together(before: str, character: str, flag_letters: int) -> bool:
    if character < _FIRST_FOLLOWER:  # nearly all of most texts, without a look into tables
        return before == _JOINER or (character == "\n" and before == "\r")
    return (
        _follows(character)
        or before == _JOINER
        or (_is_flag_letter(character) and flag_letters % 2 == 1)
    )
