# SPDX-License-Identifier: Apache-2.0
"""docs/reliability.md names a test for every guarantee and complaint, and each of them exists."""

from __future__ import annotations

import ast
import re

import docs_support
import pytest

PAGE = docs_support.ROOT / "docs" / "reliability.md"
NAMED = re.compile(r"`(test_\w+)`")


def existing() -> set[str]:
    """Return the name of every test there is."""
    found = set()
    for path in (docs_support.ROOT / "tests").rglob("test_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found.add(node.name)
    return found


def sections() -> dict[str, str]:
    """Return the text below each heading."""
    pieces = re.split(r"^#{2,3} (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def complaints() -> dict[str, list[str]]:
    """Return the cells of each row of the table of complaints, by its number."""
    lines = sections()["Thirty complaints"].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    return {cells[0]: cells[1:] for cells in rows[2:]}


def test_every_test_that_is_named_exists() -> None:
    named = set(NAMED.findall(PAGE.read_text(encoding="utf-8")))
    assert len(named) > 60
    assert sorted(named - existing()) == []


@pytest.mark.parametrize("number", range(1, 11))
def test_every_guarantee_says_how_it_is_kept_and_what_breaks_it(number: int) -> None:
    (text,) = [text for name, text in sections().items() if name.startswith(f"G{number} ")]
    words, _, tests = text.partition("\n- ")
    assert len(words.split()) > 20
    assert len(NAMED.findall(tests)) >= 3


def test_every_complaint_has_an_answer_and_a_test() -> None:
    found = complaints()
    assert list(found) == [str(number) for number in range(1, 31)]
    for complaint, answer, tests in found.values():
        assert complaint
        assert answer
        assert NAMED.findall(tests), complaint
