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
#: Letters that are no base letter with a mark.
_PLAIN = str.maketrans("łøđıßё", "lodise")


def key(text: str) -> str:
    """Return how a word is compared: `Nr wizyty` as `nr_wizyty`, `Дата приёма` as `дата_приема`."""
    folded = unicodedata.normalize("NFKD", text.replace("№", "\0").casefold().translate(_PLAIN))
    bare = "".join(sign for sign in folded if not unicodedata.combining(sign))
    return _SIGNS.sub("_", bare.replace("\0", "№")).strip("_")


@dataclass(frozen=True, slots=True)
class Words:
    """All words, each by the form in which it is compared."""

    columns: Mapping[str, tuple[str, ...]]  #: what a column is: its names, the likeliest first
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
        statuses={
            word: VisitStatus(status)
            for status, found in _group(content, "statuses").items()
            for word in _keys(found)
        },
        switches={
            **dict.fromkeys(_keys(content["yes"]), True),
            **dict.fromkeys(_keys(content["no"]), False),
        },
        genders={
            word: gender
            for gender, found in _group(content, "genders").items()
            for word in _keys(found)
        },
        guardians=frozenset(_keys(content["guardian"])),
        totals=frozenset(_keys(content["totals"])),
        by_patient=frozenset(_keys(content["by_patient"])),
    )


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
