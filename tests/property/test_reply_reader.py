# SPDX-License-Identifier: Apache-2.0
"""Whatever patients write, the reader gives a reading; and no slip turns a yes into a no."""

from __future__ import annotations

import reply_support
from hypothesis import given
from hypothesis import strategies as st

from gsmgw.clinic.reading import Meaning, Question, Reading

LANGUAGES = st.sampled_from((*reply_support.LANGUAGES, "fr", "tr", "xx", ""))
QUESTIONS = st.sampled_from(Question)
APPLIED = tuple(
    sample
    for language in reply_support.LANGUAGES
    for sample in reply_support.samples(language)
    if sample.is_applied
)
#: Pieces that answers are made of, put together in any order.
PIECES = st.sampled_from(
    (
        *(
            "tak",
            "nie",
            "no",
            "да",
            "нет",
            "1",
            "2",
            "5",
            ",",
            ".",
            "?",
            "!",
            "-",
            ":)",
            "👍",
            "👎",
        ),
        *("STOP", "Anna", "czwartek", "10:15", "05.03", "przyjdę", "odwołuję", "mogę", "dziękuję"),
        *("nicht", "komme", "ab", "sage", "si", "puedo", "voy", "will", "cancel", "not", "call"),
        *("me", "niestety", "...", "⭐", "4/5", "niebede", "beide", "rest", "2)", "both"),
    )
)


def read(text: str, language: str, question: Question) -> Reading:
    asked = reply_support.asked().get((language, question), "")
    return reply_support.reader().read(text, language=language, question=question, asked=asked)


@given(text=st.text(max_size=200), language=LANGUAGES, question=QUESTIONS)
def test_any_text_has_a_reading(text: str, language: str, question: Question) -> None:
    found = read(text, language, question)
    assert found.parts
    assert found.is_applied is (not found.why)


@given(pieces=st.lists(PIECES, max_size=12), language=LANGUAGES, question=QUESTIONS)
def test_any_words_have_a_reading(pieces: list[str], language: str, question: Question) -> None:
    found = read(" ".join(pieces), language, question)
    for part in found.parts:
        has_number = part.meaning is Meaning.RATING
        assert part.number is None or 1 <= part.number <= 9
        assert part.number is not None or not has_number


@given(sample=st.sampled_from(APPLIED))
def test_case_and_blanks_change_nothing(sample: reply_support.Sample) -> None:
    for text in (f"  {sample.text}\n", sample.text.replace(" ", "  ")):
        found = read(text, sample.language, sample.question)
        assert (str(found), found.is_applied) == reply_support.read(sample)


@given(sample=st.sampled_from(APPLIED))
def test_a_condition_is_never_applied(sample: reply_support.Sample) -> None:
    condition = {
        "pl": "jeśli",
        "es": "depende",
        "ru": "если",
        "en": "if",
        "uk": "якщо",
        "de": "wenn",
    }
    found = read(
        f"{sample.text} {condition[sample.language]} qwzx", sample.language, sample.question
    )
    harmless = {Meaning.RATING, Meaning.STOP}
    assert not found.is_applied or {part.meaning for part in found.parts} <= harmless


@given(sample=st.sampled_from(APPLIED), data=st.data())
def test_a_slip_never_turns_the_answer_round(
    sample: reply_support.Sample, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, max(0, len(sample.text) - 2)))
    text = sample.text
    slips = (
        text[:place] + text[place + 1 :],
        text[:place] + text[place + 1 : place + 2] + text[place : place + 1] + text[place + 2 :],
    )
    opposite = {"accept": "decline", "decline": "accept"}.get(sample.meaning)
    for slip in slips:
        # What is left of `Nie, będę mógł` may be an honest yes: only single words are judged here.
        if opposite is not None and len(text.split()) == 1 and len(text) > 3:
            found = read(slip, sample.language, sample.question)
            assert (str(found), found.is_applied) != (opposite, True)


@given(sample=st.sampled_from(APPLIED))
def test_nothing_is_applied_when_nothing_is_asked(sample: reply_support.Sample) -> None:
    found = read(sample.text, sample.language, Question.NONE)
    verdicts = {Meaning.ACCEPT, Meaning.DECLINE, Meaning.RATING, Meaning.LATE}
    assert not (found.is_applied and verdicts & {part.meaning for part in found.parts})
