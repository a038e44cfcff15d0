# SPDX-License-Identifier: Apache-2.0
"""The reply reader: from an answer and the question before it to what it means.

Theory of operation: the answer is cut into tokens, each gets a tag by the words of the patient's
language, patterns over the tags find what is said. It is applied only if everything in it is
understood and says one thing, or two that go together; everything else goes to a person, with the
meaning that it most likely has. Pure: no I/O after the vocabularies are loaded.
"""

from __future__ import annotations

import re
from pathlib import Path

from gsmgw.clinic.reading import asked as asked_facts
from gsmgw.clinic.reading import companions, family, judgement, rating, signature, tokens
from gsmgw.clinic.reading.asked import Asked
from gsmgw.clinic.reading.dictionaries import Vocabularies
from gsmgw.clinic.reading.judgement import Said, Statement
from gsmgw.clinic.reading.meaning import (
    ABOUT_A_VISIT,
    VERDICTS,
    Meaning,
    Part,
    Question,
    Reading,
    one,
)
from gsmgw.clinic.reading.tagging import Element, Tagger
from gsmgw.clinic.reading.vocabulary import Vocabulary

_MEANINGS = {
    Said.YES: Meaning.ACCEPT,
    Said.NO: Meaning.DECLINE,
    Said.GIVE_UP: Meaning.DECLINE,
    Said.RESCHEDULE: Meaning.RESCHEDULE,
    Said.CALLBACK: Meaning.CALLBACK,
    Said.STOP: Meaning.STOP,
    Said.START: Meaning.START,
    Said.HELP: Meaning.HELP,
    Said.INFO: Meaning.INFO,
    Said.LATE: Meaning.LATE,
    Said.THANKS: Meaning.THANKS,
    Said.NO_PROBLEM: Meaning.ACCEPT,
}

#: Two meanings that are one.
_PAIRS = {
    frozenset({Meaning.DECLINE, Meaning.RESCHEDULE}): Meaning.RESCHEDULE,
    frozenset({Meaning.CALLBACK, Meaning.RESCHEDULE}): Meaning.RESCHEDULE,
    frozenset({Meaning.DECLINE, Meaning.CALLBACK, Meaning.RESCHEDULE}): Meaning.RESCHEDULE,
    frozenset({Meaning.ACCEPT, Meaning.LATE}): Meaning.ACCEPT,
    # Never applied: yes, but at another time.
    frozenset({Meaning.ACCEPT, Meaning.RESCHEDULE}): Meaning.ACCEPT,
}
#: Two meanings that stand side by side.
_DOUBLES = (
    frozenset({Meaning.ACCEPT, Meaning.CALLBACK}),
    frozenset({Meaning.DECLINE, Meaning.CALLBACK}),
    frozenset({Meaning.ACCEPT, Meaning.INFO}),
)

_NUMBERS = {1: Meaning.ACCEPT, 2: Meaning.DECLINE, 3: Meaning.RESCHEDULE}
_WITH_NUMBERS = frozenset(
    {Question.CONFIRM, Question.OBJECT, Question.OFFER, Question.DOSE, Question.CONSENT}
)
#: STOP is honoured when it comes first, whatever follows; other words of this kind stand alone.
_STOP_FIRST = frozenset({"stop", "stopall", "stopp", "unsubscribe", "~stop"})
#: What may stand before STOP.
_POLITE = frozenset(
    {"please", "pls", "plz", "bitte", "prosze", "por", "favor", "~pozhaluista", "~bud", "~laska"}
)
#: What cannot stand beside a request to be called, if that request is to be believed.
_NO_CALL = frozenset("nmFPEB")
#: Kinds of words that are unknown where they stand, and do not change a request to be called.
_HARMLESS = frozenset(
    {"because", "next", "point", "which", "rather", "sending", "score", "good", "bad", "reason"}
)


class ReplyReader:
    """Reads answers with the words of all languages and those that a clinic adds.

    Args:
        additions: a file like `replies.yaml` with more words; reading it blocks.

    Raises:
        ConfigError: the file is wrong; the problems name the lines.
    """

    def __init__(self, additions: Path | None = None) -> None:
        self._vocabularies = Vocabularies(additions)

    def read(self, text: str, *, language: str, question: Question, asked: str = "") -> Reading:
        """Return what an answer means.

        Args:
            text: the answer as it came.
            language: of the patient, ISO 639-1; an unknown one knows the common and English words.
            question: what is asked; `NONE` if nothing is.
            asked: the question's text as it was sent, for names, days and times; may be empty.
        """
        vocabulary = self._vocabularies.of(language)
        facts = asked_facts.read_asked(asked, vocabulary)
        found = tokens.tokenise(_without_quotes(tokens.tidy(text)), vocabulary.language)
        if not found:
            return one(Meaning.UNCLEAR, why="empty")
        tagger = Tagger(vocabulary, question, facts)
        elements = tagger.tag(found)
        if vocabulary.split:
            companions.join_split_verbs(elements, vocabulary, tagger)
        return _Answer(elements, question, facts, vocabulary).reading()


def _without_quotes(text: str) -> str:
    """Take away quotation marks around the whole of an answer."""
    marks = "\"'„”“«»`"
    inside = text.strip(marks)
    return inside if inside and not any(mark in inside for mark in '"„”“«»') else text


class _Answer:
    """One answer while it is judged."""

    def __init__(
        self, elements: list[Element], question: Question, asked: Asked, vocabulary: Vocabulary
    ) -> None:
        self.elements = elements
        self.question = question
        self.asked = asked
        self.vocabulary = vocabulary

    def reading(self) -> Reading:
        """Return what the answer means."""
        if self.question is Question.RATING:
            number, why = rating.mark(self.elements, self.vocabulary)
            if number is not None:
                return one(
                    Meaning.RATING if not why else Meaning.UNCLEAR,
                    why=why,
                    number=number if not why else None,
                )
        companions.settle(self.elements)
        is_family = self.question is Question.FAMILY
        if is_family and re.search(r"[mn]_*\*", judgement.tags_of(self.elements)):
            return one(Meaning.UNCLEAR, why="not plain which visit")  # `not all of us`
        self._settle_names()
        tags = judgement.settle_words_of_two_minds(self._tags())
        tags, is_late_by = judgement.take_out_late_by(tags)
        said, rest = judgement.statements(tags, negates_behind=self.vocabulary.negates_behind)
        said = judgement.with_soft_words(said, tags)
        if self._begins_with_stop(said):
            return one(Meaning.STOP)
        if self.question is Question.FAMILY and family.names_visits(tags):
            return self._of_visits(said, rest, tags)
        numbered = self._numbered(said, rest, tags)
        if numbered is not None:
            return numbered
        return self._judged(said, rest, tags, is_late_by=is_late_by)

    def _tags(self) -> str:
        """Return the tags; of a family's answer, so that filler does not part word and visit."""
        tags = judgement.tags_of(self.elements)
        if self.question is not Question.FAMILY:
            return tags
        tags = re.sub("(?<=m)_(?=_*[#@*&])", ".", tags)
        # `Anna tak, ale Łukasz nie`: a second visit is no reservation.
        tags = re.sub("b(?=_*[#@&][_z]*[mdnxvkTtyg])", "_", tags)
        # Not all of them is not none of them.
        tags = re.sub(r"(?<=[mn])(_*)\*", r"\1u", tags)
        return re.sub("([#@*]_*)n(?=[,.]|$)", r"\1d", tags)

    def _settle_names(self) -> None:
        """Make filler of names that change nothing, and of third persons if they are the asked."""
        is_family = self.question is Question.FAMILY
        if not is_family:
            signature.accept_names(self.elements, self.asked, self.vocabulary)
        is_named = any(element.tag == "@" for element in self.elements)
        if is_family:
            family.settle_contrasts(self.elements)
            family.settle_counts(self.elements, self.asked)
            family.settle_verbs(self.elements)
        is_named = is_named or (is_family and any(e.tag in "*#" for e in self.elements))
        for element in self.elements:
            if element.tag == "t" and is_named:
                element.tag = "v"
            elif element.tag == "T" and is_named:
                element.tag = "k"
            elif element.tag == "@" and not is_family:
                element.tag = "_"

    def _begins_with_stop(self, said: list[Statement]) -> bool:
        words = [element for element in self.elements if element.tag not in ",.:"]
        if not words or not words[0].tokens:
            return False
        is_stop = bool(_STOP_FIRST & set(words[0].tokens[0].forms)) and words[0].tag == "s"
        others = {statement.said for statement in said} - {Said.STOP, Said.THANKS}
        return is_stop and not others and not any(e.tag in "?#X@FEI" for e in words)

    def _is_stop_by_chance(self, tags: str) -> bool:
        """Tell whether stop is a word among others: `the bus stop is closed`."""
        before = self.elements[: tags.index("s")] if "s" in tags else []
        words = {form for element in before for token in element.tokens for form in token.forms}
        after = set(tags[len(before) :])
        return bool(words - _POLITE) and bool(
            {"u", "I", "X", "n"} & (set(tags[: len(before)]) | after)
        )

    def _of_visits(self, said: list[Statement], rest: str, tags: str) -> Reading:
        """Judge an answer that names visits of a family."""
        meanings = {_MEANINGS.get(one_said.said, Meaning.UNCLEAR) for one_said in said}
        verdicts = [s for s in said if _MEANINGS.get(s.said) in VERDICTS]
        obstacle = judgement.obstacle("".join(tag for tag in rest if tag not in "#@*&"))
        if not meanings - {Meaning.THANKS} <= VERDICTS:
            meaning = next(iter(meanings - {Meaning.THANKS}), Meaning.UNCLEAR)
            return one(
                meaning if len(meanings) == 1 else Meaning.UNCLEAR, why="more than a yes or no"
            )
        parts = family.parts(self.elements, verdicts, self.asked)
        if not parts or family.is_vague(self.elements):
            return one(Meaning.UNCLEAR, why=obstacle or "not plain which visit")
        if len(parts) > 1 and "B" in tags:
            return one(Meaning.UNCLEAR, why="a reservation")
        if "z" in tags and all(part.meaning is Meaning.ACCEPT for part in parts):
            obstacle = obstacle or "maybe not meant so"
        return Reading(parts, not obstacle, obstacle, judgement.gives_up(said))

    def _numbered(self, said: list[Statement], rest: str, tags: str) -> Reading | None:
        """Judge an answer that is a number, or a yes or no with one."""
        numbers = [element.number for element in self.elements if element.tag == "#"]
        if rest != "#" or self.question not in _WITH_NUMBERS:
            return None
        meanings = {_MEANINGS.get(s.said, Meaning.UNCLEAR) for s in said} - {Meaning.THANKS}
        if meanings in ({Meaning.ACCEPT}, {Meaning.DECLINE}):
            # `TAK 2`: a habit from texts about a family; the number asks for nothing here.
            is_word = len(said) == 1 and said[0].tags in ("y", "Y", "d", "m")
            is_visit = self.question in ABOUT_A_VISIT and 1 <= numbers[0] <= family.MOST_VISITS
            if is_word and is_visit:
                return one(meanings.pop())
            return None
        meaning = _NUMBERS.get(numbers[0])
        if meanings or meaning is None or "z" in tags:
            return None
        if meaning is Meaning.RESCHEDULE and self.question in (Question.DOSE, Question.CONSENT):
            return None
        return one(meaning)

    def _judged(self, said: list[Statement], rest: str, tags: str, *, is_late_by: bool) -> Reading:
        parts = _parts(said)
        meanings = frozenset(part.meaning for part in parts)
        if meanings <= {Meaning.ACCEPT} and self._is_thought_no(tags):
            return one(Meaning.DECLINE, why="a reservation")
        if meanings <= VERDICTS and self._asks_for_another_day(said, tags):
            return one(Meaning.RESCHEDULE, why="another day or time")
        if not parts:
            return one(Meaning.UNCLEAR, why=judgement.obstacle(rest) or "nothing is said")
        if Meaning.UNCLEAR in meanings:
            return one(Meaning.UNCLEAR, why="it contradicts itself")
        if self.question is Question.RATING and self._only_praises(meanings):
            return one(Meaning.UNCLEAR, why="not a mark from 1 to 5")
        if meanings == {Meaning.STOP} and self._is_stop_by_chance(tags):
            return one(Meaning.UNCLEAR, why="unknown words")
        if meanings == {Meaning.CALLBACK} and "C" in tags and self._is_plain_call(tags):
            return one(Meaning.CALLBACK)
        why = (
            self._why_not(said, tags, meanings)
            or judgement.obstacle(_obstacles(said, rest, meanings))
            or ("how late is for people" if is_late_by else "")
        )
        if why and meanings <= VERDICTS and judgement.is_all_asked(said, tags):
            return one(Meaning.UNCLEAR, why="a question")
        return Reading(parts, not why, why, judgement.gives_up(said))

    def _asks_for_another_day(self, said: list[Statement], tags: str) -> bool:
        """Tell whether another day is asked about: `can I come on Friday?`, `no, maybe Friday?`."""
        if self.question not in ABOUT_A_VISIT or "X" not in tags:
            return False
        is_no = any(s.said in (Said.NO, Said.GIVE_UP) for s in said)
        is_yes = any(s.said is Said.YES for s in said)
        wishes = any("rather" in element.kinds for element in self.elements)
        if is_no and is_yes and "y" in tags:
            return True  # `no a las 12, sí a las 13`
        if wishes and "y" not in tags and "b" not in tags:
            return True
        if "?" not in tags:
            return False
        if not said:
            return True
        return is_no or (judgement.is_all_asked(said, tags) and bool(set("kwvi") & set(tags)))

    def _is_thought_no(self, tags: str) -> bool:
        """Tell whether a yes is doubted: `I don't think I can`, `I doubt I can`."""
        is_doubted = any("hardly" in element.kinds for element in self.elements)
        return is_doubted or judgement.is_thought_no(tags)

    def _only_praises(self, meanings: frozenset[Meaning]) -> bool:
        """Tell whether a yes or no is but praise or blame, without a mark: `great doctor`."""
        is_remark = any({"good", "bad", "of"} & element.kinds for element in self.elements)
        return meanings <= VERDICTS and is_remark

    def _is_plain_call(self, tags: str) -> bool:
        """Tell whether nothing beside a request to be called puts it in doubt."""
        guarded = any(e.tag == "u" and e.kinds - _HARMLESS for e in self.elements)
        return not guarded and not _NO_CALL & set(tags)

    def _why_not(self, said: list[Statement], tags: str, meanings: frozenset[Meaning]) -> str:
        """Return why what is understood is not acted upon all the same."""
        if meanings & VERDICTS:
            why = self._why_no_verdict(said, tags, meanings)
            if why:
                return why
        if meanings == {Meaning.LATE}:
            return "for people"
        is_wish = meanings == {Meaning.RESCHEDULE} and "R" in tags
        wishes = any("rather" in element.kinds for element in self.elements)
        if is_wish and (wishes or judgement.says_more_than_a_wish(said)):
            return "which other day"
        return ""

    def _why_no_verdict(
        self, said: list[Statement], tags: str, meanings: frozenset[Meaning]
    ) -> str:
        kinds = {statement.said for statement in said}
        why = self._why_not_here(kinds, meanings)
        if why:
            return why
        if Meaning.ACCEPT in meanings and Said.RESCHEDULE in kinds:
            return "another day or time"
        if Meaning.INFO in meanings:
            return "a question"
        if judgement.stray_negation(tags):
            return "a negation"
        if Said.LATE in kinds and "b" in tags:
            return "a reservation"
        if Meaning.ACCEPT in meanings and "z" in tags:
            return "maybe not meant so"
        if self.question is Question.DOSE and judgement.is_medical(said):
            return "for people"
        return judgement.why_not_plain(said, tags, self.question)

    def _why_not_here(self, kinds: set[Said], meanings: frozenset[Meaning]) -> str:
        """Return why this question takes no such yes or no."""
        if self.question is Question.NONE:
            return "nothing is asked"
        if self.question is Question.RATING:
            return "not a mark from 1 to 5"
        gives_up = self.question is Question.OFFER and Said.GIVE_UP in kinds
        is_of_one = self.question is Question.FAMILY and Meaning.DECLINE in meanings
        return "which visit" if gives_up or is_of_one else ""


def _parts(said: list[Statement]) -> tuple[Part, ...]:
    """Return the parts of an answer in the order said; thanks count if nothing else is said."""
    order = list(dict.fromkeys(_MEANINGS.get(s.said, Meaning.UNCLEAR) for s in said))
    if len(order) > 1:
        order = [meaning for meaning in order if meaning is not Meaning.THANKS]
    meanings = frozenset(order)
    kinds = {statement.said for statement in said}
    if meanings >= VERDICTS and Said.NO_PROBLEM in kinds and Said.YES not in kinds:
        order = [meaning for meaning in order if meaning is not Meaning.ACCEPT]
        meanings = frozenset(order)
    if meanings in _PAIRS:
        return (Part(_PAIRS[meanings]),)
    if len(order) < 2 or meanings in _DOUBLES:
        return tuple(map(Part, order))
    return (Part(Meaning.UNCLEAR),)


def _obstacles(said: list[Statement], rest: str, meanings: frozenset[Meaning]) -> str:
    """Return the tags that stand in the way of what is said."""
    if meanings <= {Meaning.INFO, Meaning.HELP, Meaning.CALLBACK}:
        rest = rest.replace("?", "")
    if meanings == {Meaning.CALLBACK}:
        rest = re.sub("[#XMw]", "", rest)  # when to call is for who calls
    # `jasne...` may be meant otherwise, `potwierdzam...` is a habit of writing.
    if all(set("vigrCcxefsh") & set(s.tags) for s in said if s.said is not Said.THANKS):
        rest = rest.replace("D", "")
    return rest
