# SPDX-License-Identifier: Apache-2.0
"""Replies with the reading that a careful receptionist gives them, from tests/data/replies."""

from __future__ import annotations

import csv
import functools
import zlib
from dataclasses import dataclass
from pathlib import Path

from gsmgw.clinic.reading import Question, ReplyReader

REPLIES = Path(__file__).parent / "data" / "replies"
LANGUAGES = ("pl", "es", "ru", "en", "uk", "de")


@dataclass(frozen=True, slots=True)
class Sample:
    """One reply and how it is to be read."""

    language: str
    question: Question
    text: str
    meaning: str  #: `-`: of no account, because it is not applied
    is_applied: bool

    @property
    def is_held_out(self) -> bool:
        """Whether no rule was made with this reply in view: one in three, by its text."""
        return zlib.crc32(self.text.encode()) % 3 == 0


@functools.cache
def asked() -> dict[tuple[str, str], str]:
    """Return the questions as they were sent, by language and question."""
    lines = (REPLIES / "asked.tsv").read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    return {(row["language"], row["question"]): row["text"] for row in rows}


@functools.cache
def samples(language: str) -> tuple[Sample, ...]:
    """Return the replies in a language."""
    found: list[Sample] = []
    question, meaning, applied = Question.NONE, "-", "no"
    for line in (REPLIES / f"{language}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            word, meaning, applied = line[2:].split()
            question = Question(word)
        elif line:
            text = line.replace("\\n", "\n")
            found.append(Sample(language, question, text, meaning, applied == "yes"))
    return tuple(found)


@functools.cache
def reader() -> ReplyReader:
    """Return one reader for all tests."""
    return ReplyReader()


def read(sample: Sample) -> tuple[str, bool]:
    """Return what the reader makes of a sample: the meaning in words, and whether it is applied."""
    found = reader().read(
        sample.text,
        language=sample.language,
        question=sample.question,
        asked=asked().get((sample.language, sample.question), ""),
    )
    return str(found), found.is_applied
