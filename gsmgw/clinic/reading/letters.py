# SPDX-License-Identifier: Apache-2.0
"""Letters as people type them: without accents, in the other alphabet, or in look-alikes.

Words are compared folded: lower case, no accents, no apostrophes. Cyrillic words are compared in a
plain Latin spelling behind a mark, so that `приду` and `pridu` meet, while the
Russian `но` (but) never meets the English `no`.
"""

from __future__ import annotations

import functools
import re
import unicodedata

#: Stands before the Latin spelling of a Cyrillic word.
CYRILLIC = "~"

#: Languages written in Cyrillic, whose patients often type Latin letters.
CYRILLIC_LANGUAGES = frozenset({"ru", "uk", "be", "bg"})

#: Letters that no decomposition turns into a plain one.
_PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "\u0131": "i", "ß": "ss", "æ": "ae", "œ": "oe"}
)

_LATIN_SPELLING = {
    "а": "a", "б": "b", "в": "v", "г": "g", "ґ": "g", "д": "d", "е": "e", "є": "e", "ж": "zh",  # noqa: RUF001 - meant so
    "з": "z", "и": "i", "і": "i", "ї": "i", "й": "i", "к": "k", "л": "l", "м": "m", "н": "n",  # noqa: RUF001 - meant so
    "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "h", "ц": "c",  # noqa: RUF001 - meant so
    "ч": "ch", "ш": "sh", "щ": "sh", "ъ": "", "ы": "i", "ь": "", "э": "e", "ю": "u", "я": "a",
}  # fmt: skip

#: Cyrillic letters that look like Latin ones.
_CYRILLIC_TWINS = dict(
    zip("АВЕКМНОРСТУХІаеорсухі", "ABEKMHOPCTYXIaeopcyxi", strict=True)  # noqa: RUF001 - meant so
)
_LATIN_TWINS = {latin: cyrillic for cyrillic, latin in _CYRILLIC_TWINS.items()}

#: The many ways of writing Cyrillic in Latin letters, brought to the one of `_LATIN_SPELLING`.
_SPELLINGS = (
    (re.compile("shch|sch|shh"), "sh"),
    (re.compile("kh|x"), "h"),
    (re.compile("t[sz]"), "c"),
    (re.compile("w"), "v"),
    (re.compile("[yj](?=[aeou])"), ""),
    (re.compile("[yj]"), "i"),
    (re.compile("'"), ""),
)

_IS_CYRILLIC = re.compile("[Ѐ-ӿ]")
_IS_LATIN = re.compile("[A-Za-z]")
_RUN = re.compile(r"(.)\1{2,}")
_DOUBLE = re.compile(r"(.)\1")


def is_cyrillic(word: str) -> bool:
    """Tell whether a word has Cyrillic letters."""
    return _IS_CYRILLIC.search(word) is not None


@functools.lru_cache(maxsize=8192)
def fold(word: str) -> str:
    """Return a word as it is compared: see above."""
    word = unicodedata.normalize("NFKD", word.casefold()).translate(_PLAIN)
    word = "".join(char for char in word if not unicodedata.combining(char))
    if not is_cyrillic(word):
        return word
    return CYRILLIC + "".join(_LATIN_SPELLING.get(char, char) for char in word)


def forms(word: str, language: str) -> tuple[str, ...]:
    """Return what a word as typed may stand for, folded; the likeliest first, none twice."""
    found = [fold(_in_one_script(word, language))]
    if language in CYRILLIC_LANGUAGES:
        if word.isupper() and all(char in _LATIN_TWINS for char in word):
            found.append(fold(_to_cyrillic(word)))
        if not is_cyrillic(word):
            found.append(_latin_as_cyrillic(word))
            if "j" in word.casefold():  # as in French, `podtverjdayu`
                found.append(_latin_as_cyrillic(word.casefold().replace("j", "zh")))
    elif is_cyrillic(word) and all(char in _CYRILLIC_TWINS for char in word):
        found.insert(0, fold(_to_latin(word)))
    if language == "de":
        found.append(_without_umlaut_e(found[0]))
    return tuple(dict.fromkeys(found))


def squeezed(form: str) -> tuple[str, ...]:
    """Return what is left of a word with letters held down, `taaak`: one or two of each run."""
    if _RUN.search(form):
        return (_RUN.sub(r"\1", form), _RUN.sub(r"\1\1", form))
    return (_DOUBLE.sub(r"\1", form),) if _DOUBLE.search(form) else ()


def _in_one_script(word: str, language: str) -> str:
    """Mend a word that mixes both alphabets, such as `Дa` with a Latin a."""
    if not (is_cyrillic(word) and _IS_LATIN.search(word)):
        return word
    return _to_cyrillic(word) if language in CYRILLIC_LANGUAGES else _to_latin(word)


def _to_cyrillic(word: str) -> str:
    return "".join(_LATIN_TWINS.get(char, char) for char in word)


def _to_latin(word: str) -> str:
    return "".join(_CYRILLIC_TWINS.get(char, char) for char in word)


def _latin_as_cyrillic(word: str) -> str:
    spelt = fold(word)
    for pattern, plain in _SPELLINGS:
        spelt = pattern.sub(plain, spelt)
    return CYRILLIC + spelt


def _without_umlaut_e(form: str) -> str:
    """Read `moechte` as `möchte`, folded: umlauts spelt with an e lose it."""
    return re.sub("(?<=[aou])e", "", form)


def first_of(form: str) -> str:
    """Return the first letter of a folded word, with the mark of Cyrillic."""
    return form[:2] if form.startswith(CYRILLIC) else form[:1]


def firsts_of(form: str) -> tuple[str, ...]:
    """Return with which letters a word may begin that one slip makes of this one."""
    mark = CYRILLIC if form.startswith(CYRILLIC) else ""
    return tuple(dict.fromkeys(mark + letter for letter in form[len(mark) : len(mark) + 2]))


def is_typo_of(typed: str, meant: str) -> bool:
    """Tell whether one slip makes one word of the other.

    First and last letter must stand, unless the first or the last two changed places: in Slavic and
    Romance languages the last one says who does it (`приду` I come, `придут` they come), and the
    first one often carries the negation.
    """
    if typed.startswith(CYRILLIC) and meant.startswith(CYRILLIC):
        typed, meant = typed[1:], meant[1:]
    if len(typed) > 2 and typed[:2] == meant[1::-1] and typed[2:] == meant[2:]:
        return True
    if typed[:1] != meant[:1]:
        return False
    if typed[:-2] == meant[:-2] and typed[-2:] == meant[:-3:-1]:
        return True
    if typed[-1] != meant[-1] or abs(len(typed) - len(meant)) > 1:
        return False
    start = 0
    while start < min(len(typed), len(meant)) and typed[start] == meant[start]:
        start += 1
    rest, wanted = typed[start:], meant[start:]
    return (
        rest[1:] == wanted[1:]
        or rest[1:] == wanted
        or rest == wanted[1:]
        or (rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:])
    )
