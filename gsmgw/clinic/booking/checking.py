# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a record of the clinic's files, in words for the person who made it."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass

from gsmgw.errors import RefusedRecordError
from gsmgw.model import Category, Priority

#: No clinic gives numbers longer than this, and no person has a longer name.
LONGEST_ID, LONGEST_NAME = 100, 100
#: A visit further away is a slip of the pen.
FURTHEST = dt.timedelta(days=3 * 366)
#: A clock that stands before this is wrong, and no reason to refuse a visit.
_FLOOR = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
#: What an own text may be long: ten parts (3GPP TS 23.040 9.2.3.24.1).
LONGEST_TEXT = 10 * 153
LONGEST_DELAY = 12 * 60
MOST_TIMES = 24

_LANGUAGE = re.compile(r"([a-z]{2})(?:[-_].*)?", re.IGNORECASE)
_CLOCK = re.compile(r"(\d\d?):(\d\d)")


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a record that was taken."""

    requests: int = 0  #: texts that are planned now and were not before
    #: codes of what will not work, for the file's acknowledgement: landline no-phone bad-number
    #: no-consent stopped sensitive inactive past too-late
    warnings: tuple[str, ...] = ()
    is_whole: bool = True  #: False: others want to write; take the same record again after that


def joined(*warnings: str) -> tuple[str, ...]:
    """Return warnings, each once; a phone that cannot be read is not also one that is missing."""
    told = dict.fromkeys(warnings)
    if "bad-number" in told:
        told.pop("no-phone", None)
    return tuple(told)


def number(found: str | None, what: str, column: str) -> str:
    """Return the clinic's own number of something; refuses what can be none.

    Raises:
        RefusedRecordError: it is empty, too long, or holds signs that no number has.
    """
    text = (found or "").strip()
    if not text:
        raise RefusedRecordError(f"{what} has no number ({column}); each needs its own", column)
    if len(text) > LONGEST_ID or any(unicodedata.category(sign) == "Cc" for sign in text):
        raise RefusedRecordError(
            f"{what} {text[:40]!r}: {column} must be at most {LONGEST_ID} letters and digits",
            column,
        )
    return text


def name(found: str | None, owner: str, column: str) -> str | None:
    """Return a name without blanks around it and signs that cannot be shown; None: not given.

    Raises:
        RefusedRecordError: it is too long for a name; columns are mixed up, perhaps.
    """
    if found is None:
        return None
    visible = "".join(" " if unicodedata.category(sign) == "Cc" else sign for sign in found)
    text = " ".join(visible.split())
    if len(text) > LONGEST_NAME:
        raise RefusedRecordError(
            f"{owner}: {column} {text[:30]!r}… has {len(text)} letters, {LONGEST_NAME} are allowed",
            column,
        )
    return text


def language(found: str | None) -> str | None:
    """Return the two letters of a language; None where they say nothing that we know."""
    match = _LANGUAGE.fullmatch((found or "").strip())
    return match[1].lower() if match else None


def start(found: dt.datetime, owner: str, now: dt.datetime) -> dt.datetime:
    """Return a start in UTC; refuses years that nobody means.

    Raises:
        RefusedRecordError: it lies before 2000 or some years ahead.
    """
    if found.tzinfo is None:
        raise ValueError(f"{owner}: a start needs its zone")
    if found.year < 2000 or found.astimezone(dt.UTC) > max(now, _FLOOR) + FURTHEST:
        raise RefusedRecordError(
            f"{owner}: start {found:%Y-%m-%d %H:%M} is not within the next three years;"
            " is the date written as the file's other dates are?",
            "start",
        )
    return found.astimezone(dt.UTC).replace(microsecond=0)


def minutes(found: int | None, owner: str, most: int) -> int | None:
    """Return a number of minutes; refuses what cannot be.

    Raises:
        RefusedRecordError: it is below 1 or above `most`.
    """
    if found is not None and not 1 <= found <= most:
        raise RefusedRecordError(
            f"{owner}: {found} minutes are not possible; allowed are 1 to {most}", "minutes"
        )
    return found


def text(found: str | None, owner: str) -> str:
    """Return an own text; refuses an empty one and one that no phone would show whole.

    Raises:
        RefusedRecordError: as said.
    """
    words = (found or "").strip()
    if not words:
        raise RefusedRecordError(f"{owner}: text is missing or empty", "text")
    if len(words) > LONGEST_TEXT:
        raise RefusedRecordError(
            f"{owner}: text has {len(words)} characters, {LONGEST_TEXT} are allowed", "text"
        )
    return words


def category(found: str | None, owner: str) -> Category:
    """Return a category; without a word it is care.

    Raises:
        RefusedRecordError: no such category.
    """
    word = (found or Category.CARE).strip().lower()
    if word not in list(Category):
        raise RefusedRecordError(
            f"{owner}: category {found!r} is unknown; allowed are {', '.join(Category)}", "category"
        )
    return Category(word)


def priority(found: str | None, owner: str, default: Priority) -> Priority:
    """Return a priority; without a word it is the default.

    Raises:
        RefusedRecordError: no such priority.
    """
    word = (found or default).strip().lower()
    if word not in list(Priority):
        raise RefusedRecordError(
            f"{owner}: priority {found!r} is unknown; allowed are {', '.join(Priority)}", "priority"
        )
    return Priority(word)


def times(found: tuple[str, ...], owner: str) -> tuple[str, ...]:
    """Return times of the day as `08:00`, in order, each once.

    Raises:
        RefusedRecordError: one of them is no time of the day, or there are too many.
    """
    read = set()
    for element in found:
        match = _CLOCK.fullmatch(element.strip())
        if match is None or int(match[1]) > 23 or int(match[2]) > 59:
            raise RefusedRecordError(
                f"{owner}: {element!r} is no time of the day; write it as 08:00", "times"
            )
        read.add(f"{int(match[1]):02d}:{match[2]}")
    if len(read) > MOST_TIMES:
        raise RefusedRecordError(
            f"{owner}: {len(read)} times a day, {MOST_TIMES} are allowed", "times"
        )
    return tuple(sorted(read))


def same_name(found: str) -> str:
    """Return a name for comparing: without case, marks on letters and blanks too many."""
    plain = unicodedata.normalize("NFKD", found.casefold().replace("ł", "l"))
    return " ".join("".join(sign for sign in plain if not unicodedata.combining(sign)).split())
