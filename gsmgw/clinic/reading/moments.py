# SPDX-License-Identifier: Apache-2.0
"""Days and times in an answer: those that were asked about say nothing new, any other is a wish.

What is found is told as a tag of `judgement`: `_` for a moment that was asked about, `X` for any
other, `y` for leave taken until the day (`do czwartku!`).
"""

from __future__ import annotations

from dataclasses import dataclass

from gsmgw.clinic.reading import asked as asked_facts
from gsmgw.clinic.reading import letters
from gsmgw.clinic.reading.asked import Asked
from gsmgw.clinic.reading.meaning import Question
from gsmgw.clinic.reading.tokens import Kind, Token
from gsmgw.clinic.reading.vocabulary import Vocabulary

#: Tag of a moment, and how many tokens it takes.
Found = tuple[str, int]

#: `100 %`, `na 100 procent`.
_FULL = 100
_PERCENT = ("proc", "proz", "perc", "vidsotk")
#: One of them, whoever that is, where a verb follows; `the first` is the first.
_ONE = frozenset({"jeden", "jedna", "uno", "una", "one", "odin", "odna", "eins", "ein"})
#: Behind an English number in digits.
ORDINALS = frozenset({"st", "nd", "rd", "th"})
#: Behind an hour.
_O_CLOCK = frozenset({"uhr", "h", "hs", "hrs", "horas", "am", "pm", "~chasov", "oclock"})


@dataclass(frozen=True, slots=True)
class Moments:
    """Finds days and times in one answer."""

    vocabulary: Vocabulary
    question: Question
    asked: Asked

    def at_word(self, found: list[Token], place: int) -> Found | None:
        """Read a weekday, a month with the day before or behind it, or a time in words."""
        token = found[place]
        if self._is_until(found, place):
            day = asked_facts.day_at(found, place + 1, self.vocabulary)
            return ("y" if day in self.asked.days else "X"), 2
        day = asked_facts.day_at(found, place, self.vocabulary)
        if day is not None:
            length = 2 if self._is_its_date(found, place, day) else 1
            return ("_" if day in self.asked.days else "X"), length
        dated = self._dated_in_words(found, place)
        if dated is not None:
            return dated
        month = asked_facts.month_of(token, self.vocabulary)
        if month is not None and place + 1 < len(found) and found[place + 1].kind is Kind.NUMBER:
            number = found[place + 1].numbers[0]
            return ("_" if (number, month) in self.asked.dates else "X"), 2
        return self._spoken(found, place)

    def at_number(self, found: list[Token], place: int) -> Found | None:
        """Read a number that is a day of a month, or an hour; None if it only counts."""
        number = found[place].numbers[0]
        for end in range(place + 1, min(place + 4, len(found))):
            month = asked_facts.month_of(found[end], self.vocabulary)
            if month is not None:
                is_asked = (number, month) in self.asked.dates
                return ("_" if is_asked else "X"), end + 1 - place
        following = found[place + 1].text.casefold() if place + 1 < len(found) else ""
        if following in ORDINALS and self.question not in (Question.RATING, Question.FAMILY):
            return ("_" if number in self._days_of_month() else "X"), 2  # `the 30th`
        if number == _FULL and self._is_percent(found, place + 1):
            return "_", 2
        if self._is_after(found, place, "point") and number in self._days_of_month():
            return "_", 1  # `el día 5`
        if not self.is_hour(found, place) or self._is_minutes(found, place + 1):
            return None
        after = found[place + 1 : place + 4]
        if len(after) > 1 and after[0].forms[:1] == ("uhr",) and after[1].kind is Kind.NUMBER:
            return self._told((number, after[1].numbers[0])), 3
        return self._told((number, 0)), 1

    def _days_of_month(self) -> set[int]:
        return {day for day, _ in self.asked.dates}

    def is_someone(self, found: list[Token], place: int) -> bool:
        """Tell whether a number in words is how many of a family: `one of us`, `uno no va`."""
        kinds: list[frozenset[str]] = []
        for token in found[place + 1 : place + 3]:
            known = (self.vocabulary.phrases.get((f,), frozenset()) for f in token.forms)
            kinds.append(frozenset().union(*known))
        verb = next((one for one in kinds if "not" not in one), frozenset())
        is_one = any(form.lstrip(letters.CYRILLIC) in _ONE for form in found[place].forms)
        is_verb = is_one and bool({"they_attend", "they_can", "can"} & verb)
        is_of = bool(kinds) and "of" in kinds[0]
        return self.question is Question.FAMILY and (is_of or is_verb)

    def is_clock(self, found: list[Token], place: int) -> bool:
        """Tell whether a word says that an hour stands before it: `Uhr`, `h`."""
        return place < len(found) and bool(_O_CLOCK & set(found[place].forms))

    def _is_percent(self, found: list[Token], place: int) -> bool:
        after = found[place] if place < len(found) else None
        if after is None or after.kind is not Kind.WORD:
            return after is not None and after.text == "%"
        return any(form.lstrip(letters.CYRILLIC).startswith(_PERCENT) for form in after.forms)

    def _is_minutes(self, found: list[Token], place: int) -> bool:
        forms = found[place].forms if place < len(found) else ()
        kinds = (self.vocabulary.phrases.get((form,), ()) for form in forms)
        return not _O_CLOCK & set(forms) and any("minutes" in one for one in kinds)

    def is_hour(self, found: list[Token], place: int) -> bool:
        """Tell whether a number is an hour: `o 10`, `10 Uhr`."""
        if self.is_clock(found, place + 1):
            return True
        return self.question is not Question.RATING and self._is_after(found, place, "at")

    def _is_after(self, found: list[Token], place: int, kind: str) -> bool:
        before = found[place - 1] if place else None
        if before is None or before.kind is not Kind.WORD:
            return False
        return any(kind in self.vocabulary.phrases.get((form,), ()) for form in before.forms)

    def _told(self, time: tuple[int, int]) -> str:
        evening = (time[0] + 12, time[1])
        return "_" if time in self.asked.times or evening in self.asked.times else "X"

    def _dated_in_words(self, found: list[Token], place: int) -> Found | None:
        """Read a day of the month that was dictated: `treinta de noviembre`, `the thirtieth`."""
        number, length = self._clock_number(found, place)
        if number is None:
            return None
        for end in range(place + length, min(place + length + 2, len(found))):
            month = asked_facts.month_of(found[end], self.vocabulary)
            if month is not None:
                is_asked = (number, month) in self.asked.dates
                return ("_" if is_asked else "X"), end + 1 - place
        return None

    # -- days -------------------------------------------------------------------------------------

    def _is_its_date(self, found: list[Token], place: int, day: int) -> bool:
        """Tell whether the day of the month stands behind the weekday asked about: `jueves 5`."""
        after = found[place + 1 : place + 4]
        if not after or after[0].kind is not Kind.NUMBER or day not in self.asked.days:
            return False
        is_month_named = any(asked_facts.month_of(token, self.vocabulary) for token in after)
        return not is_month_named and after[0].numbers[0] in {date for date, _ in self.asked.dates}

    def _is_until(self, found: list[Token], place: int) -> bool:
        """Tell whether somebody takes leave until a day: `do czwartku!` is a yes."""
        kinds = (self.vocabulary.phrases.get((form,), ()) for form in found[place].forms)
        return (
            place + 1 < len(found)
            and any("until" in one for one in kinds)
            and asked_facts.day_at(found, place + 1, self.vocabulary) is not None
        )

    # -- times in words ---------------------------------------------------------------------------

    def _spoken(self, found: list[Token], place: int) -> Found | None:
        """Read a time that was dictated: `zehn Uhr fünfzehn`, `quarter past ten`.

        An hour alone, or two numbers without a word that speaks of the clock, may count something
        else; in the answer of a family they may be visits.
        """
        if self.question is Question.RATING or not self.vocabulary.clock:
            return None
        is_led = self._is_after(found, place, "at") or self._is_after_day(found, place)
        leading, skipped = self._offset(self.vocabulary.past, found, place)
        hour, length = self._clock_number(found, place + skipped)
        if hour is None or not 1 <= hour <= 24:
            return None
        length += skipped
        is_clock = skipped > 0
        if self.is_clock(found, place + length):
            is_clock, length = True, length + 1
        minute = leading
        if not skipped:
            minute, more = self._offset(self.vocabulary.past_behind, found, place + length)
            if not more:
                said, more = self._clock_number(found, place + length)
                minute = said or 0
            is_clock = is_clock or more > 0
            length += more
        if not is_clock or not (is_led or skipped or self.question is not Question.FAMILY):
            return None
        total = hour * 60 + minute
        return self._told((total // 60 % 24, total % 60)), length

    def _is_after_day(self, found: list[Token], place: int) -> bool:
        return place > 0 and asked_facts.day_at(found, place - 1, self.vocabulary) is not None

    def _offset(
        self, offsets: tuple[tuple[tuple[str, ...], int], ...], found: list[Token], place: int
    ) -> tuple[int, int]:
        """Return the minutes of `quarter past`, and its words; (0, 0) if it does not stand here."""
        for phrase, minutes in offsets:
            words = found[place : place + len(phrase)]
            if len(words) == len(phrase) and all(
                wanted in word.forms for wanted, word in zip(phrase, words, strict=True)
            ):
                return minutes, len(phrase)
        return 0, 0

    def _clock_number(self, found: list[Token], place: int) -> tuple[int | None, int]:
        """Return a number in words, `forty five` and `cuarenta y cinco` too, and its length."""
        first = self._one_number(found, place)
        if first is None:
            return None, 0
        if first >= 20 and first % 10 == 0:
            is_joined = place + 1 < len(found) and found[place + 1].text.casefold() == "y"
            skipped = 2 if is_joined else 1
            ones = self._one_number(found, place + skipped)
            if ones is not None and ones < 10:
                return first + ones, skipped + 1
        return first, 1

    def _one_number(self, found: list[Token], place: int) -> int | None:
        if place >= len(found) or found[place].kind is not Kind.WORD:
            return None
        numbers = (self.vocabulary.clock.get(form) for form in found[place].forms)
        return next((number for number in numbers if number is not None), None)
