# SPDX-License-Identifier: Apache-2.0
"""Fold letters outside GSM 7-bit into the nearest ones inside, so that a text costs one part.

Only where a reader loses nothing but an accent or the shape of a quotation mark. Letters of other
scripts stay, and so do signs whose replacement could change the meaning (a raised 2, a half, the
sign for micro: "10²" is not "102").
"""

# ruff: noqa: RUF001 (characters that look alike are what this module is about)

from __future__ import annotations

import itertools
import unicodedata
from types import MappingProxyType

from gsmgw.pdu import alphabet as alphabets

#: Letters that Unicode does not take apart, and those whose nearest letter has another accent.
_LETTERS = {
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "ð": "d",
    "Ð": "D",
    "ħ": "h",
    "Ħ": "H",
    "ı": "i",
    "ŀ": "l",
    "Ŀ": "L",
    "ŧ": "t",
    "Ŧ": "T",
    "ŋ": "n",
    "Ŋ": "N",
    "ĸ": "k",
    "ſ": "s",
    "þ": "th",
    "Þ": "TH",
    "œ": "oe",
    "Œ": "OE",
    "ĳ": "ij",
    "Ĳ": "IJ",
    "ŉ": "'n",
    "ə": "e",
    "Ə": "E",
    "ẞ": "SS",
    "ő": "ö",
    "Ő": "Ö",
    "ű": "ü",
    "Ű": "Ü",
    "ª": "a",
    "º": "o",
}

#: Runs of signs that become the same.
_SIGNS = {
    "'": "‘’‚‛′ʹʻʼ´`",
    '"': "“”„‟″«»",
    "<": "‹",
    ">": "›",
    "-": "‐‑‒–—―−•",
    "...": "…",
    # All blanks of one width or another, and the tabulator, which GSM 7-bit does not have.
    " ": "\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f",
    # Nothing to see: soft hyphen, zero width blank, word joiner, byte order mark.
    "": "\u00ad\u200b\u2060\ufeff",
}

_NEAREST = MappingProxyType(
    _LETTERS | {sign: nearest for nearest, signs in _SIGNS.items() for sign in signs}
)


def fold(text: str) -> str:
    """Return the text with its letters, quotation marks and dashes as near to GSM 7-bit as can be.

    What has no fitting letter stays as it is, so the result may still need UCS-2. Folding twice
    changes nothing more.
    """
    if alphabets.is_gsm7(text):
        return text
    return "".join(map(_fold_cluster, _clusters(text)))


def _clusters(text: str) -> list[str]:
    """Split into characters, each with the combining accents that follow it."""
    clusters: list[str] = []
    for character in text:
        if clusters and unicodedata.combining(character):
            clusters[-1] += character
        else:
            clusters.append(character)
    return clusters


def _fold_cluster(cluster: str) -> str:
    """Fold one character with its accents; keep it whole if no letter fits."""
    if alphabets.is_gsm7(cluster):
        return cluster
    composed = unicodedata.normalize("NFC", cluster)
    if alphabets.is_gsm7(composed):
        return composed
    folded = "".join(map(_fold_character, composed))
    # An accent that is left over goes only where a letter of ours stands before it.
    letters = "".join(itertools.filterfalse(unicodedata.combining, folded))
    if alphabets.is_gsm7(letters) and (letters or not unicodedata.combining(cluster[0])):
        return letters
    return cluster


def _fold_character(character: str) -> str:
    if character in alphabets.GSM7_CHARACTERS:
        return character
    nearest = _NEAREST.get(character)
    if nearest is not None:
        return nearest
    decomposed = unicodedata.normalize("NFD", character)
    # One of several accents may give a letter of ours: "ǟ" is "ä".
    for accent in decomposed[1:]:
        composed = unicodedata.normalize("NFC", decomposed[0] + accent)
        if composed in alphabets.GSM7_CHARACTERS:
            return composed
    # The base letter may be one of ours or of the list above: "ą" is "a", "ǽ" stays "æ".
    letter = _NEAREST.get(decomposed[0], decomposed[0])
    return letter if alphabets.is_gsm7(letter) else character
