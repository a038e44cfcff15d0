# SPDX-License-Identifier: Apache-2.0
"""The words that clinic programs write, from `words.yaml`: columns, statuses, yes and no."""

from __future__ import annotations

import functools
import importlib.resources
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from gsmgw import config
from gsmgw.clinic.model import VisitStatus

_SIGNS = re.compile(r"[^\w№]+", re.UNICODE)
#: Letters that are no base letter with a mark; case is folded before, and ß with it.
_PLAIN = str.maketrans("łøđı", "lodi")


def key(text: str) -> str:
    """Return how a word is compared: `Nr wizyty` as `nr_wizyty`, `Дата приёма` as `дата_приема`."""
    folded = unicodedata.normalize("NFKD", text.replace("№", "\0").casefold().translate(_PLAIN))
    bare = "".join(sign for sign in folded if not unicodedata.combining(sign))
    return _SIGNS.sub("_", bare.replace("\0", "№")).strip("_")


def line(text: str) -> str:
    """Return words on one line, without what a screen or a spreadsheet would obey.

    Control characters, marks that turn the direction of writing, and halves of characters go.
    """
    if not text.isprintable():
        text = "".join(
            " " if unicodedata.category(sign) in ("Zl", "Zp", "Zs") or sign in "\n\r\t" else sign
            for sign in text
            if sign in "\n\r\t" or unicodedata.category(sign) not in ("Cc", "Cf", "Cs")
        )
    return " ".join(text.split())


def language(text: str) -> str | None:
    """Return the two letters of a language, from its letters or its name; None if unknown."""
    word = key(text)
    return load().languages.get(word) or load().languages.get(word.partition("_")[0])


@dataclass(frozen=True, slots=True)
class Words:
    """All words, each by the form in which it is compared."""

    columns: Mapping[str, tuple[str, ...]]  #: what a column is: its names, the likeliest first
    own_numbers: tuple[str, ...]  #: columns that may number visits, patients or rows
    patients: tuple[str, ...]  #: columns of patients' numbers or of their names
    names: tuple[str, ...]  #: columns of first names, or of whole ones
    family_first: tuple[str, ...]  #: beginnings of columns in which the family name comes first
    languages: Mapping[str, str]
    statuses: Mapping[str, VisitStatus]
    switches: Mapping[str, bool]
    genders: Mapping[str, str]
    guardians: frozenset[str]
    totals: frozenset[str]
    by_patient: frozenset[str]  #: reasons of a cancellation that is the patient's own


@functools.cache
def load() -> Words:
    """Return the words of the package; the first call reads them."""
    resource = importlib.resources.files("gsmgw.clinic.interchange") / "words.yaml"
    with importlib.resources.as_file(resource) as path:
        content = config.read_yaml(path).mapping()
    return Words(
        columns={name: _keys(found) for name, found in _group(content, "columns").items()},
        own_numbers=_keys(content["own_numbers"]),
        patients=_keys(content["patients"]),
        names=_keys(content["names"]),
        family_first=_keys(content["family_first"]),
        languages=_turned(_group(content, "languages")),
        statuses={
            word: VisitStatus(status)
            for status, found in _group(content, "statuses").items()
            for word in _keys(found)
        },
        switches={
            **dict.fromkeys(_keys(content["yes"]), True),
            **dict.fromkeys(_keys(content["no"]), False),
        },
        genders=_turned(_group(content, "genders")),
        guardians=frozenset(_keys(content["guardian"])),
        totals=frozenset(_keys(content["totals"])),
        by_patient=frozenset(_keys(content["by_patient"])),
    )


def _turned(group: Mapping[str, object]) -> dict[str, str]:
    return {word: name for name, found in group.items() for word in _keys(found)}


def _group(content: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = content[name]
    if not isinstance(found, dict):
        raise TypeError(f"{name} is no group of words")
    return found


def _keys(found: object) -> tuple[str, ...]:
    if not isinstance(found, list):
        raise TypeError(f"{found!r} is no list of words")
    # A sign alone (+, -) stays what it is.
    return tuple(key(str(word)) or str(word) for word in found)
