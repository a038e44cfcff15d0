# SPDX-License-Identifier: Apache-2.0
"""Tokens to tags: one letter for what each word, number or sign does in an answer.

The rules of `judgement` are patterns over these letters. What is not known becomes `u`, and an
answer with a `u` is not acted upon: so the reader errs towards asking a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gsmgw.clinic.reading import asked as asked_facts
from gsmgw.clinic.reading import letters
from gsmgw.clinic.reading.asked import Asked
from gsmgw.clinic.reading.meaning import Question
from gsmgw.clinic.reading.moments import Moments
from gsmgw.clinic.reading.tokens import Kind, Token
from gsmgw.clinic.reading.vocabulary import SHORTEST_MENDED, Vocabulary

VISITS = frozenset(Question) - {Question.RATING, Question.DOSE, Question.CONSENT}

#: Kind of word to tag; a phrase of several kinds has the first of them that the question allows.
_TAGS: Mapping[str, str] = {
    "turned": "U",
    "unsure": "B",
    "receive": "i",
    "sending": "Z",
    "earlier": "_",
    "keep": "K",
    "forgot": "K",
    "refuse": "e",
    "other": "u",
    "no_worries": "N",
    "nobody": "O",
    "if_or_yes": "Y",
    "call": "C",
    "stop": "s",
    "start": "a",
    "help": "h",
    "day_wish": "R",
    "reschedule": "r",
    "taken": "v",
    "take": "v",
    "permit": "v",
    "cannot": "x",
    "attend": "v",
    "can": "k",
    "attending": "i",
    "agree": "v",
    "giving_up": "G",
    "say": "G",
    "give_up": "g",
    "want": "w",
    "need": "o",
    "no_problem": "p",
    "decline": "d",
    "accept": "y",
    "cancel": "g",
    "callback": "c",
    "tell": "V",
    "send": "H",
    "late": "l",
    "thanks": "q",
    "not": "n",
    "not_done": "n",
    "info": "f",
    "regret": "z",
    "all": "*",
    "rest": "&",
    "close": "_",
    "self": "S",
    "they_attend": "t",
    "anymore": "Q",
    "filler": "_",
    "notice": "W",
    "medicine": "_",
    "contrast": "_",
    "and": "_",
    "at": "_",
    "minutes": "M",
    "if": "F",
    "ill": "I",
    "somebody": "L",
    "person": "P",
    "but": "B",
    "yet": "b",
    "when": "X",
    "they_can": "T",
    "later": "X",
    "reason": "J",
    "thanked": "J",
    "next": "J",
}

#: Kinds that only one question knows, and what they are elsewhere ("" for: look at the next kind).
_ONLY_FOR: Mapping[str, tuple[frozenset[Question], str]] = {
    "keep": (frozenset({Question.OFFER}), ""),
    "forgot": (frozenset({Question.DOSE}), ""),
    "refuse": (frozenset({Question.CONSENT}), ""),
    "taken": (frozenset({Question.DOSE}), ""),
    "take": (frozenset({Question.OFFER}), ""),
    "permit": (frozenset({Question.CONSENT}), ""),
    "attend": (VISITS, "u"),
    "attending": (VISITS, "u"),
    "can": (VISITS | {Question.CONSENT}, "u"),
    "agree": (VISITS | {Question.CONSENT}, "u"),
    "give_up": (VISITS | {Question.CONSENT}, "u"),
    "all": (frozenset({Question.FAMILY}), ""),
    "rest": (frozenset({Question.FAMILY}), ""),
    "nobody": (frozenset({Question.FAMILY}), ""),
    "receive": (frozenset({Question.CONSENT}), ""),
    "earlier": (frozenset({Question.OFFER}), ""),
    "sending": (frozenset({Question.CONSENT}), ""),
    "send": (frozenset(Question) - {Question.CONSENT}, ""),
    "notice": (frozenset(Question) - {Question.CONSENT}, "u"),
    "not_done": (frozenset({Question.DOSE}), "u"),
    "medicine": (frozenset({Question.DOSE}), "u"),
    "anymore": (frozenset(Question) - {Question.DOSE}, "u"),
}

#: What signs do, unless a vocabulary gives them a meaning as a whole answer.
_MARKS: Mapping[str, str] = {
    **dict.fromkeys(",-\u2010\u2011\u2013\u2014()/:;*\u2022|", ","),
    **dict.fromkeys(".!\n\u00a1\u00bf", "."),
    **dict.fromkeys("+&#\u2116", "_"),
    "?": "?",
}
#: Kinds of word that no slip makes of another one.
_NEVER_MENDED = frozenset({"not", "all", "rest", "nobody"})
#: What a yes may run into: `yesplease`, `takprzyjde`.
_BEHIND_YES = frozenset({"attend", "accept", "thanks", "take", "taken", "agree", "regret"})
#: Signs that are a whole answer, or nothing.
_LONE = frozenset("+-?")


@dataclass(slots=True)
class Element:
    """One tag and what stands behind it."""

    tag: str
    tokens: tuple[Token, ...]
    kinds: frozenset[str] = frozenset()
    #: of `#`: the number; of `@`: the visit, 0 if it has no number
    number: int = 0


@dataclass(frozen=True, slots=True)
class Tagger:
    """Finds the tags of one answer."""

    vocabulary: Vocabulary
    question: Question
    asked: Asked
    #: what words with a slip may be, found so far
    meant: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def moments(self) -> Moments:
        """What finds days and times."""
        return Moments(self.vocabulary, self.question, self.asked)

    def tag(self, found: list[Token]) -> list[Element]:
        """Return the elements of an answer, in its order."""
        elements: list[Element] = []
        place = 0
        while place < len(found):
            new = self._at(found, place)
            elements += new
            place += sum(len(element.tokens) for element in new)
        return elements

    def tag_of(self, kinds: frozenset[str]) -> str:
        """Return the tag of a phrase of these kinds."""
        if "they_can" in kinds and kinds & {"but", "want"} and self.question is Question.FAMILY:
            return "T"
        if {"info", "filler"} <= kinds and "other" not in kinds:
            return "j"
        if {"accept", "filler"} <= kinds and "other" not in kinds:
            return "A"
        for kind, tag in _TAGS.items():
            if kind not in kinds:
                continue
            allowed, elsewhere = _ONLY_FOR.get(kind, (frozenset(Question), ""))
            if self.question in allowed:
                return "m" if tag == "d" and "not" in kinds else tag
            if elsewhere:
                return elsewhere
        return "u"

    def _at(self, found: list[Token], place: int) -> list[Element]:
        """Return the elements that begin at a place; together they have at least one token."""
        token = found[place]
        if token.kind is Kind.NUMBER:
            return [self._number(found, place)]
        if token.kind is Kind.PAIR:
            after = found[place + 1 : place + 2] if self.moments.is_clock(found, place + 1) else []
            return [self._pair(token), *(Element("_", (word,)) for word in after)]
        if token.kind is not Kind.WORD:
            return [self._sign(found, place)]
        return self._words(found, place)

    def _words(self, found: list[Token], place: int) -> list[Element]:
        token = found[place]
        moment = self.moments.at_word(found, place)
        if moment is not None:
            return [Element(moment[0], tuple(found[place : place + moment[1]]))]
        named = _exactly_named(token, self.asked)
        length, kinds = self._longest_phrase(found, place)
        if length == 1 and len(token.text) == 1:
            kinds = self._lone_letter(found, kinds)
        if length > 1 and "if" in kinds and token.text.casefold() == "sí":
            length, kinds = 1, self.vocabulary.phrases[token.forms[:1]]  # `sí, no puedo` is no if
        if kinds and not (named and length == 1):
            tag = self.tag_of(kinds)
            if tag == "Y" and not token.text.isascii():
                tag = "y"  # `sí` is no if
            if tag in "dm" and length > 1:
                tag = "e"
            return [Element(tag, tuple(found[place : place + length]), kinds)]
        return self._without_kinds(found, place)

    def _without_kinds(self, found: list[Token], place: int) -> list[Element]:
        """Read a word that no vocabulary has: a name, a number, a slip."""
        token = found[place]
        visit = self.asked.visit_named(token)
        if visit is not None:
            return [Element("@", (token,), number=visit)]
        if self.asked.is_clinic(token):
            return [Element("_", (token,))]
        number = next(
            (self.vocabulary.numbers[f] for f in token.forms if f in self.vocabulary.numbers), None
        )
        if number is not None:
            if self.moments.is_hour(found, place) or self.moments.is_someone(found, place):
                return [Element("X", (token,))]
            return [Element("#", (token,), number=number)]
        return self._mended(token)

    def _lone_letter(self, found: list[Token], kinds: frozenset[str]) -> frozenset[str]:
        """Take `y` and `n` for yes and no only where they are the whole answer."""
        words = [token for token in found if token.kind is not Kind.SIGN]
        others = [self.vocabulary.phrases.get(token.forms[:1], frozenset()) for token in words[1:]]
        is_first = words[0] is found[0] and kinds <= {"accept", "decline"}
        is_polite = is_first and all(one & {"thanks", "regret"} for one in others)
        return kinds if len(words) == 1 or is_polite else kinds - {"accept", "decline"}

    def _longest_phrase(self, found: list[Token], place: int) -> tuple[int, frozenset[str]]:
        end = place
        while end < len(found) and found[end].kind is Kind.WORD:
            end += 1
        for length in range(min(self.vocabulary.longest, end - place), 0, -1):
            words = found[place : place + length]
            for form in range(max(len(word.forms) for word in words)):
                phrase = tuple(word.forms[min(form, len(word.forms) - 1)] for word in words)
                kinds = self.vocabulary.phrases.get(phrase)
                if kinds and (length == 1 or not self._is_foreign(kinds)):
                    return length, kinds
            kinds = self._mended_phrase(words)
            if kinds:
                return length, kinds
        return 0, frozenset()

    def _mended_phrase(self, words: list[Token]) -> frozenset[str]:
        """Return the kinds of a phrase with a slip in one of its words, which is no word itself."""
        if len(words) == 1:
            return frozenset()
        known = self.vocabulary.phrases
        slips = [n for n, word in enumerate(words) if not any((f,) in known for f in word.forms)]
        phrase = tuple(word.forms[0] for word in words)
        found: frozenset[str] = frozenset()
        for place in slips:
            is_noun = bool(self.vocabulary.split)  # German writes them like names
            if place and words[place].text.istitle() and not is_noun:
                return frozenset()
            for word in self._phrase_words_meant(phrase[place]):
                kinds = known.get((*phrase[:place], word, *phrase[place + 1 :]), frozenset())
                if kinds and found and kinds != found:
                    return frozenset()
                found = kinds or found
        is_taken = found and not self._is_foreign(found) and not _NEVER_MENDED & found
        return found if is_taken else frozenset()

    def _phrase_words_meant(self, form: str) -> tuple[str, ...]:
        if len(form.lstrip(letters.CYRILLIC)) < SHORTEST_MENDED:
            return ()
        if form not in self.meant:
            self.meant[form] = self.vocabulary.phrase_words_meant(form)
        return self.meant[form]

    def _is_foreign(self, kinds: frozenset[str]) -> bool:
        """Tell whether only other questions know a phrase: its words speak for themselves here."""
        return all(
            kind in _ONLY_FOR and self.question not in _ONLY_FOR[kind][0] and not _ONLY_FOR[kind][1]
            for kind in kinds
        )

    def _mended(self, token: Token) -> list[Element]:
        """Read an unknown word: letters held down, a negation stuck to it, one slip."""
        for form in token.forms:
            for shorter in letters.squeezed(form):
                kinds = self.vocabulary.phrases.get((shorter,))
                if kinds:
                    return [Element(self.tag_of(kinds), (token,), kinds)]
        for form in token.forms:
            kinds = self.vocabulary.undoubled.get(form)
            if kinds and not (token.text.istitle() and self.tag_of(kinds) == "_"):
                return [Element(self.tag_of(kinds), (token,), kinds)]
        for form in token.forms:
            stuck = self._stuck_negation(form)
            if stuck:
                return [Element("n", ()), Element(stuck, (token,))]
        kinds = self._kinds_of_typo(token)
        days = {self.vocabulary.day_of_typo(form) for form in token.forms} - {None}
        if days and not kinds:
            return [Element("_" if days <= self.asked.days else "X", (token,))]
        first, second = ("", "") if kinds else self._run_together(token.forms[0])
        if second:
            return [Element(first, ()), Element(second, (token,))]
        return [Element(self.tag_of(kinds), (token,), kinds)]

    def _run_together(self, form: str) -> tuple[str, str]:
        """Return the tags of `yesplease`: a yes or thanks without the blank behind it."""
        mark = letters.CYRILLIC if form.startswith(letters.CYRILLIC) else ""
        for end in range(len(mark) + 2, len(form) - 3):
            first = self.vocabulary.phrases.get((form[:end],), frozenset())
            second = self.vocabulary.phrases.get((mark + form[end:],), frozenset())
            if first & {"accept", "thanks"} and second & _BEHIND_YES:
                return self.tag_of(first), self.tag_of(second)
        return "", ""

    def _stuck_negation(self, form: str) -> str:
        """Return the tag of the verb in `neprijdu`, `niemoge`."""
        for end in range(2, min(6, len(form) - 3)):
            rest = form[end:]
            if form.startswith(letters.CYRILLIC):
                rest = letters.CYRILLIC + rest
            if "not" in self.vocabulary.phrases.get((form[:end],), ()):
                tag = self.tag_of(self.vocabulary.phrases.get((rest,), frozenset()))
                if tag in "vik":
                    return tag
        return ""

    def _kinds_of_typo(self, token: Token) -> frozenset[str]:
        """Return the kinds of the word meant, if one slip explains it and all readings agree."""
        meant: frozenset[str] = frozenset()
        tags = set()
        for form in token.forms:
            for meant in self.vocabulary.kinds_of_typo(form):
                tags.add(self.tag_of(meant))
        if tags == {"_", "q"}:
            return frozenset({"thanks"})
        is_name = token.text.istitle() and tags == {"_"}  # `Meier`, `Tomás`
        is_certain = len(tags) == 1 and not is_name and not _NEVER_MENDED & meant
        return meant if is_certain else frozenset()

    def _number(self, found: list[Token], place: int) -> Element:
        moment = self.moments.at_number(found, place)
        if moment is not None:
            return Element(moment[0], tuple(found[place : place + moment[1]]))
        return Element("#", (found[place],), number=found[place].numbers[0])

    def _pair(self, token: Token) -> Element:
        time = asked_facts.as_time(token)
        if time is not None:
            visit = self.asked.visit_at(time) if self.question is Question.FAMILY else None
            if visit is not None:
                return Element("@", (token,), number=visit)
            evening = (time[0] + 12, time[1])
            if time in self.asked.times or evening in self.asked.times:
                return Element("_", (token,))
        date = asked_facts.as_date(token)
        return Element("_" if date is not None and date in self.asked.dates else "X", (token,))

    def _sign(self, found: list[Token], place: int) -> Element:
        token = found[place]
        if token.kind is not Kind.SIGN:
            return Element({Kind.GLAD: ":", Kind.SAD: "z"}.get(token.kind, "E"), (token,))
        dots = place
        while dots < len(found) and found[dots].text == ".":
            dots += 1
        if dots - place > 1:
            return Element("D", tuple(found[place:dots]))
        if len(found) > 1 or token.text not in _LONE:
            mark = _MARKS.get(token.text)
            if mark is not None:
                return Element(mark, (token,))
        kinds = self.vocabulary.phrases.get((token.text,), frozenset())
        return Element(self.tag_of(kinds) if kinds else "E", (token,), kinds)


def _exactly_named(token: Token, asked: Asked) -> bool:
    plain = {form.lstrip(letters.CYRILLIC) for form in token.forms}
    return bool(plain & asked.names) and token.text[:1].isupper()
