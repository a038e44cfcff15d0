# SPDX-License-Identifier: Apache-2.0
"""Reads an answer in the languages of its phone: several people may share one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from gsmgw import pdu
from gsmgw.clinic.answering.binding import Asked
from gsmgw.clinic.answering.senders import Arrival
from gsmgw.clinic.reading import Meaning, Question, Reading, ReplyReader
from gsmgw.clinic.reading.meaning import Part, one
from gsmgw.clinic.wording import Wording
from gsmgw.config import Config
from gsmgw.store.database import Row

#: What is tried beside a patient's own languages if an answer is in letters that these do not use.
_CYRILLIC_LANGUAGES = ("uk", "ru")

#: `2`, `1 i 2`, `0`: after "which one?" no more is needed.
_NUMBERS = re.compile(r"\W*\d\b(?:\W*(?:i|y|e|and|und|и|та|\u0456)?\W*\b\d\b)*\W*", re.IGNORECASE)
_LONGEST_NUMBERS = 30


@dataclass(frozen=True, slots=True)
class Understood:
    """How an answer is read, and in which language."""

    reading: Reading
    language: str


class Understanding:
    """Reads answers. Immutable; nothing blocks."""

    def __init__(self, config: Config, reader: ReplyReader, wording: Wording) -> None:
        """Hold the reader and what is needed to know the languages."""
        self._country_language = "en" if config.clinic is None else config.clinic.language
        self._reader = reader
        self._wording = wording

    def read(self, arrival: Arrival, asked: Asked | None, *, is_which: bool) -> Understood:
        """Return what an answer means.

        Args:
            arrival: the answer.
            asked: the question.
            is_which: whether we have just asked which visit of a family a no is for.
        """
        languages = self.languages(arrival)
        if asked is not None and is_which:
            found = _which(arrival.text, asked)
            if found is not None:
                return Understood(found, languages[0])
        best = self._best(arrival.text, asked, languages)
        if best.reading.is_applied or not _is_cyrillic(arrival.text):
            return best
        # People write in their own letters whatever language the clinic has noted down; these
        # letters leave no doubt that it is none of the Latin ones.
        more = [language for language in _CYRILLIC_LANGUAGES if language not in languages]
        other = self._best(arrival.text, asked, more) if more else best
        return other if other.reading.is_applied else best

    def numbers_in(self, arrival: Arrival, listed: Sequence[Row]) -> set[int]:
        """Return which visits of a family's text an answer names by their numbers."""
        asked = Asked(tuple(listed), True)
        reading = self._best(arrival.text, asked, self.languages(arrival)).reading
        return {part.number for part in reading.parts if part.number is not None}

    def plain_yes(self, arrival: Arrival, language: str) -> bool:
        """Tell whether an answer would be a plain yes, were anything asked."""
        reading = self._reader.read(arrival.text, language=language, question=Question.CONFIRM)
        return reading.is_applied and {part.meaning for part in reading.parts} <= {
            Meaning.ACCEPT,
            Meaning.THANKS,
        }

    def has_asked_word(self, arrival: Arrival) -> bool:
        """Tell whether an answer holds the very word that questions ask for: `TAK`."""
        words = re.findall(r"\w+", pdu.fold(arrival.text).casefold())
        asked = (self._wording.word("word_yes", language) for language in self.languages(arrival))
        return any(pdu.fold(word).casefold() in words for word in asked)

    def languages(self, arrival: Arrival) -> list[str]:
        """Return the languages of a phone: its patients', and those that they are written to in."""
        found = []
        for patient in arrival.patients:
            own = str(patient["language"] or self._country_language)
            found += [own, self._wording.language("reminder_a", own)]
        return list(dict.fromkeys(found or [self._country_language]))

    def _best(self, text: str, asked: Asked | None, languages: Sequence[str]) -> Understood:
        """Return what is certain in one language; unclear if languages speak against each other."""
        question = Question.NONE if asked is None else asked.question
        sent = "" if asked is None else asked.text
        found = [
            Understood(
                self._reader.read(text, language=language, question=question, asked=sent), language
            )
            for language in languages
        ]
        certain = [one_found for one_found in found if one_found.reading.is_applied]
        if len({str(one_found.reading) for one_found in certain}) > 1:
            return Understood(one(Meaning.UNCLEAR, why="two languages disagree"), languages[0])
        if certain:
            return certain[0]
        spoken = [each for each in found if each.reading.parts[0].meaning is not Meaning.UNCLEAR]
        return (spoken or found)[0]


def _which(text: str, asked: Asked) -> Reading | None:
    """Read an answer to "which one?" that is just numbers; 0 stands for all (R14)."""
    if len(text) > _LONGEST_NUMBERS or not _NUMBERS.fullmatch(text):
        return None
    numbers = [unicodedata.digit(digit) for digit in re.findall(r"\d", text)]
    if numbers == [0]:
        return Reading((Part(Meaning.DECLINE),), True)
    if not set(numbers) <= {row["number"] for row in asked.rows}:
        return None
    return Reading(tuple(Part(Meaning.DECLINE, number) for number in dict.fromkeys(numbers)), True)


def _is_cyrillic(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    return bool(letters) and all(
        unicodedata.name(char, "").startswith("CYRILLIC") for char in letters
    )
