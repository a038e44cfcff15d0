# SPDX-License-Identifier: Apache-2.0
"""Replies are read as a careful receptionist reads them, also those that no rule was made for."""

from __future__ import annotations

import csv

import pytest
import reply_support

from gsmgw.clinic.reading import Question

#: Of the replies that a receptionist acts upon; the others go to a person, which costs her time.
LEAST_APPLIED = 0.97

#: Of the replies that are left to a person with a meaning: it is a hint, she reads the words.
LEAST_GUESSED = 0.85

#: How `samples.tsv` calls them.
_MEANINGS = {"cancel": "decline", "-": "unclear"}


def _given() -> list[dict[str, str]]:
    lines = (reply_support.REPLIES / "samples.tsv").read_text(encoding="utf-8").split("\n")
    return list(csv.DictReader(filter(None, lines), delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.mark.parametrize("row", _given(), ids=lambda row: f"{row['languages']}-{row['text']}")
def test_samples_are_read_as_given(row: dict[str, str]) -> None:
    meaning = _MEANINGS.get(row["meaning"], row["meaning"])
    sample = reply_support.Sample(
        row["languages"], Question.CONFIRM, row["text"], meaning, row["certain"] == "yes"
    )
    assert reply_support.read(sample) == (meaning, sample.is_applied)


def test_samples_are_all_there() -> None:
    assert len(_given()) == 70


@pytest.mark.parametrize("language", reply_support.LANGUAGES)
def test_nothing_is_applied_that_a_person_should_see(language: str) -> None:
    wrong = [
        (sample.question, sample.text, reply_support.read(sample)[0])
        for sample in reply_support.samples(language)
        if not sample.is_applied and reply_support.read(sample)[1]
    ]
    assert not wrong


@pytest.mark.parametrize("language", reply_support.LANGUAGES)
def test_what_is_applied_means_what_was_said(language: str) -> None:
    wrong = []
    for sample in reply_support.samples(language):
        meaning, is_applied = reply_support.read(sample)
        if sample.is_applied and is_applied and meaning != sample.meaning:
            wrong.append((sample.question, sample.text, sample.meaning, meaning))
    assert not wrong


@pytest.mark.parametrize("held_out", [False, True], ids=["seen", "held-out"])
@pytest.mark.parametrize("language", reply_support.LANGUAGES)
def test_plain_answers_are_applied(language: str, held_out: bool) -> None:
    wanted = [
        sample
        for sample in reply_support.samples(language)
        if sample.is_applied and sample.is_held_out is held_out
    ]
    missed = [sample.text for sample in wanted if not reply_support.read(sample)[1]]
    assert len(wanted) > 40
    assert len(missed) <= (1 - LEAST_APPLIED) * len(wanted), missed


@pytest.mark.parametrize("language", reply_support.LANGUAGES)
def test_person_is_told_the_likely_meaning(language: str) -> None:
    left = [s for s in reply_support.samples(language) if not s.is_applied and s.meaning != "-"]
    wrong = [(s.text, s.meaning) for s in left if reply_support.read(s)[0] != s.meaning]
    assert len(left) > 10
    assert len(wrong) <= (1 - LEAST_GUESSED) * len(left), wrong


@pytest.mark.parametrize("language", reply_support.LANGUAGES)
def test_without_the_question_as_sent_nothing_more_is_applied(language: str) -> None:
    reader = reply_support.reader()
    wrong = []
    for sample in reply_support.samples(language):
        found = reader.read(sample.text, language=language, question=sample.question)
        # Without names, a signature may be anybody's: that it is another's cannot be seen.
        if found.is_applied and not sample.is_applied:
            wrong.append((sample.question, sample.text, str(found)))
    assert not [case for case in wrong if case[0] is not Question.FAMILY]


@pytest.mark.parametrize("language", reply_support.LANGUAGES)
def test_question_itself_is_no_answer(language: str) -> None:
    reader = reply_support.reader()
    for question in Question:
        text = reply_support.asked().get((language, question), "")
        for quoted in (text, f"> {text}", f'"{text}"', f"{text}\n"):
            found = reader.read(quoted, language=language, question=question, asked=text)
            assert not found.is_applied
