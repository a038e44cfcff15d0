# SPDX-License-Identifier: Apache-2.0
"""JSON in the spool: messages to send, what became of them, and arrivals.

A file is one object or a list of them. Every element is checked on its own; a wrong one is refused
with words that say what was found, where, and what is allowed, and the others go on.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from gsmgw.errors import BadFileError
from gsmgw.model import Category, Draft, Priority

_TEXTS = (
    "recipient",
    "text",
    "reference",
    "source",
    "category",
    "priority",
    "not_before",
    "expires_at",
    "modem",
)
_SWITCHES = ("report_requested", "flash")
_KEYS = (*_TEXTS, *_SWITCHES)
_WORDS: Mapping[str, tuple[str, ...]] = {
    "category": tuple(Category),
    "priority": tuple(Priority),
}
#: Longer findings are cut in messages.
_LONGEST_SHOWN = 40
#: A file of 1 MiB has room for fewer messages than this; what has more elements is something else,
#: and a row for each of half a million numbers would keep the gateway busy for hours.
MOST_ELEMENTS = 40_000
#: So many mistakes of one element are named.
_MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a file: a draft, or why it is none."""

    position: int  #: 0 is the first
    draft: Draft | None
    error: str | None = None
    reference: str | None = None
    recipient: str | None = None


def is_json(content: bytes) -> bool:
    """Tell whether a file is JSON rather than headers and text."""
    return content.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")[:1] in (b"{", b"[")


def parse(content: bytes, *, source: str, spool_file: str) -> list[Element]:
    """Read a file.

    Args:
        content: all of it.
        source: of elements that name none.
        spool_file: its name in `checked/`, as the store keeps it.

    Raises:
        BadFileError: it is no JSON, or no object and no list with anything in it, or the list is
            too long.
    """
    found = _load(content)
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list):
        raise BadFileError(f"found {_shown(found)}; allowed is one object or a list of objects")
    if not found:
        raise BadFileError("the list is empty; allowed is one object or a list of objects")
    if len(found) > MOST_ELEMENTS:
        raise BadFileError(f"the list has {len(found)} elements; allowed are {MOST_ELEMENTS}")
    return [_element(place, item, source, spool_file) for place, item in enumerate(found)]


def count(content: bytes) -> int:
    """Return how many elements `parse` makes of a file, 1 for one that it refuses."""
    try:
        found = _load(content)
    except BadFileError:
        return 1
    if not isinstance(found, list) or len(found) > MOST_ELEMENTS:
        return 1
    return max(len(found), 1)


def format_document(document: object) -> bytes:
    """Return a document as it stands in a file: UTF-8, indented, with a line end."""
    text = json.dumps(document, ensure_ascii=False, indent=1)
    return f"{text}\n".encode("utf-8", "replace")


def _load(content: bytes) -> object:
    try:
        text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadFileError(
            f"the file is no UTF-8 (octet {error.start + 1}); JSON is written in UTF-8"
        ) from error
    try:
        found: object = json.loads(text, object_pairs_hook=_Pairs)
    except json.JSONDecodeError as error:
        raise BadFileError(
            f"the file is no JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        ) from error
    except RecursionError as error:
        raise BadFileError("the file is nested too deeply") from error
    except ValueError as error:  # a number of thousands of digits
        raise BadFileError("a number in the file has thousands of digits") from error
    return found


class _Pairs(dict[str, object]):
    """An object that remembers keys that stand in it twice."""

    def __init__(self, pairs: Iterable[tuple[str, object]]) -> None:
        self.twice: list[str] = []
        for key, value in pairs:
            if key in self:
                self.twice.append(key)
            self[key] = value


def _element(place: int, item: object, source: str, spool_file: str) -> Element:
    if not isinstance(item, _Pairs):
        return Element(place, None, f"found {_shown(item)}; allowed is an object")
    reference, recipient = item.get("reference"), item.get("recipient")
    if isinstance(reference, int) and not isinstance(reference, bool):
        reference = item["reference"] = str(reference)
    known = {
        "reference": reference if _is_text(reference) else None,
        "recipient": recipient if _is_text(recipient) else None,
    }
    problems = _problems(item)
    if problems:
        return Element(place, None, "; ".join(problems), **known)
    texts = {name: _text(item, name) for name in _TEXTS}
    draft = Draft(
        recipient=texts["recipient"] or "",
        text=texts["text"] or "",
        source=texts["source"] or source,
        report_requested=item.get("report_requested") is True,
        flash=item.get("flash") is True,
        spool_file=spool_file,
        reference=texts["reference"],
        category=texts["category"],
        priority=texts["priority"],
        not_before=texts["not_before"],
        expires_at=texts["expires_at"],
        modem=texts["modem"],
    )
    return Element(place, draft, **known)


def _text(item: Mapping[str, object], name: str) -> str | None:
    value = item.get(name)
    return str(value) if value else None


def _problems(item: _Pairs) -> list[str]:
    problems = [f"key {_shown(key)} stands there twice" for key in item.twice[:_MOST_PROBLEMS]]
    for key, value in item.items():
        if len(problems) >= _MOST_PROBLEMS:
            return [*problems, "and more"]
        problem = _problem(key, value)
        if problem:
            problems.append(problem)
    problems += [
        f"key {key} is missing or empty"
        for key in ("recipient", "text")
        if item.get(key) is None or item.get(key) == ""
    ]
    return problems


def _problem(key: str, value: object) -> str | None:
    if key not in _KEYS:
        near = difflib.get_close_matches(key, _KEYS, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        return f"unknown key {_shown(key)}{hint}; allowed: {', '.join(_KEYS)}"
    if value is None:
        return None
    if key in _SWITCHES:
        return None if isinstance(value, bool) else _not(key, value, "true and false")
    if not isinstance(value, str):
        return _not(key, value, "a string in quotes")
    if not _is_text(value):
        return _not(key, value, "a string without NUL and without half characters")
    allowed = _WORDS.get(key)
    if allowed is not None and value and value not in allowed:
        return _not(key, value, ", ".join(allowed))
    return None


def _is_text(value: object) -> TypeGuard[str]:
    """Tell whether a value is a string that the store can hold."""
    return (
        isinstance(value, str)
        and "\x00" not in value
        and not any("\ud800" <= char <= "\udfff" for char in value)
    )


def _not(key: str, value: object, allowed: str) -> str:
    return f"{key}: found {_shown(value)}; allowed: {allowed}"


def _shown(value: object) -> str:
    shown = json.dumps(value) if not isinstance(value, (dict, list)) else type(value).__name__
    shown = {"_Pairs": "an object", "list": "a list"}.get(shown, shown)
    if len(shown) <= _LONGEST_SHOWN:
        return shown
    # The quote is closed again: by its quotes the log knows what it must not show.
    return f"{shown[:_LONGEST_SHOWN]}…{shown[-1] if shown.startswith(chr(34)) else ''}"
