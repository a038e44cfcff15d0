# SPDX-License-Identifier: Apache-2.0
"""Reads README.md and docs/ for tests: links, code, command lines, tables."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
#: What may stand before a command: a prompt, sudo with its options, another command and its `&&`.
_COMMAND = re.compile(r"^(?:.*&& )?(?:\$ )?(?:sudo (?:-u \w+ )?)?gsmgw (.+)$")


@dataclass(frozen=True)
class Found:
    """Something found in a document."""

    page: str  #: path from the top of the project
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"


def pages() -> dict[str, str]:
    """Return README and all documents by their path."""
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def links() -> Iterator[Found]:
    """Yield the targets of all links outside of code."""
    for page, text in pages().items():
        for target in _LINK.findall(_INLINE.sub("", _FENCE.sub("", text))):
            yield Found(page, target)


def anchors(text: str) -> set[str]:
    """Return what a page's headings are called in links."""
    plain = (heading.replace("`", "").lower() for heading in _HEADING.findall(text))
    return {re.sub(r"[^\w -]", "", heading).replace(" ", "-") for heading in plain}


def inline_code() -> Iterator[Found]:
    """Yield what stands between single backticks, outside of code blocks."""
    for page, text in pages().items():
        for code in _INLINE.findall(_FENCE.sub("", text)):
            yield Found(page, code)


def command_lines() -> Iterator[Found]:
    """Yield what follows `gsmgw` wherever a command line stands, comments cut off."""
    for page, text in pages().items():
        lines = [line for block in _FENCE.findall(text) for line in block.splitlines()]
        lines += _INLINE.findall(_FENCE.sub("", text))
        for line in lines:
            found = _COMMAND.match(line.strip())
            if found:
                yield Found(page, found.group(1))


def words_of(line: str) -> list[str]:
    """Return the words of a command line, or of a synopsis without its marks `[`, `]` and `…`.

    Ends at a comment and where another program begins (`|`, `&&`, `>`).
    """
    words = shlex.split(line.replace("…", " "), comments=True)
    own = itertools.takewhile(lambda word: not set(word) <= set("|;&<>"), words)
    return [bare for word in own if (bare := word.strip("[]"))]


def table_below(page: str, heading: str) -> list[str]:
    """Return the first column, without backticks, of the table below a heading.

    Raises:
        KeyError: there is no such heading.
    """
    pieces = re.split(r"^#{1,6} (.+)$", pages()[page], flags=re.MULTILINE)
    body = dict(zip(pieces[1::2], pieces[2::2], strict=True))[heading]
    return re.findall(r"^\| `([^`]+)`", body, re.MULTILINE)
