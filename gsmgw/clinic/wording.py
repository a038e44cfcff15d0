# SPDX-License-Identifier: Apache-2.0
"""The texts of the clinic: templates by name and language, filled from a closed set of names.

Theory of operation: templates.yaml holds ours, `clinic.templates` the clinic's own, which go before
ours text by text. Every name in braces is checked when a `Wording` is made, so filling never fails:
what has no value becomes nothing, with the comma or the parentheses around it.

Letters are folded to the cheap alphabet where all of a text can be written in it ("ą" as "a"),
unless the configuration says `sending.charset: full` expressly: nearly every Polish reminder would
take two SMS, a Spanish one too.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from gsmgw import pdu
from gsmgw.clinic import dates
from gsmgw.config import Config, Document, read_yaml
from gsmgw.errors import ConfigError

#: A language that everybody may be given when theirs and the clinic's have no text.
LAST_RESORT = "en"
#: Names of patients are cut here, other values later: a text must not grow without end.
LONGEST_NAME, LONGEST_VALUE = 30, 600

_ALWAYS = ("clinic", "phone", "emergency")
_MOMENT = ("weekday", "date", "time")
_VISIT = ("first", *_MOMENT)
_STAFF = ("patient_phone", "first", "time", "visit")
#: Every name that may stand in braces.
NAMES = frozenset(
    (*_ALWAYS, *_VISIT, *_STAFF, "list", "minutes", "hours", "when", "count", "number")
)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What may stand in a template, and what must."""

    may: frozenset[str]
    must: frozenset[str] = frozenset()


def _shape(*names: str, must: Iterable[str] = ()) -> _Shape:
    return _Shape(frozenset((*_ALWAYS, *names)), frozenset(must))


_ONE = _shape(*_VISIT, must=("date", "time"))
_SEVERAL = _shape("weekday", "date", "list", must=("date", "list"))
_TALK = _shape(*_VISIT, "hours", "when")
_TASK = _shape(*_STAFF, "number", must=("patient_phone",))
_COUNT = _shape("count", must=("count",))
_PART = _Shape(frozenset(_MOMENT), frozenset(("date", "time")))

SHAPES = {
    **dict.fromkeys(("booked", "reminder_a", "reminder_b", "reminder_plain"), _ONE),
    **dict.fromkeys(("changed", "cancelled", "moved", "ack_accept", "ack_decline"), _ONE),
    **dict.fromkeys(("booked_family", "reminder_family", "reminder_plain_family"), _SEVERAL),
    **dict.fromkeys(("changed_family", "cancelled_family"), _SEVERAL),
    "ack_several": _shape("weekday", "date", "list", must=("list",)),
    "delayed": _shape(*_VISIT, "minutes", must=("minutes",)),
    "missed": _shape(*_VISIT, must=("date",)),
    **dict.fromkeys(("dose", "dose_plain"), _shape("first", "time", must=("time",))),
    **dict.fromkeys(("results", "welcome", "ack_dose", "stop_ack", "start_ack"), _shape("first")),
    **dict.fromkeys(("too_late", "unclear", "unclear_family", "received", "help"), _TALK),
    **dict.fromkeys(("callback_ack", "reschedule_ack", "after_hours", "info_none"), _TALK),
    "info": _shape("list", must=("list",)),
    **dict.fromkeys(
        ("staff_callback", "staff_reschedule", "staff_review", "staff_unreachable"), _TASK
    ),
    **dict.fromkeys(("staff_urgent", "staff_stopped", "staff_uncertain"), _TASK),
    "digest": _shape("weekday", "date", "list", must=("list",)),
    **dict.fromkeys(("word_callback", "word_reschedule", "word_review"), _COUNT),
    **dict.fromkeys(("word_unreachable", "word_urgent", "word_stopped", "word_uncertain"), _COUNT),
    **dict.fromkeys(("word_yes", "word_no", "word_visit"), _Shape(frozenset())),
    **dict.fromkeys(("staff_visit", "word_until", "word_from", "word_at"), _PART),
}

#: What goes with a name that has no value, the widest first.
_AROUND = (r" \({{{0}}}\)", r"{{{0}}}, ", r", {{{0}}}", r" {{{0}}}", r"{{{0}}}")
_LETTERS = re.compile(r"[^\W\d_]+")


class Wording:
    """Fills templates. Immutable: callable from any thread."""

    def __init__(self, config: Config) -> None:
        """Read and check all texts. Blocks for the reading of two files.

        Raises:
            ConfigError: texts are wrong; `problems` names file, line, template and language of
                each mistake.
        """
        if config.clinic is None:
            raise ConfigError("there is no clinic in the configuration")
        self._clinic = config.clinic
        self._zone = config.zone
        self._is_plain = not (
            config.sending.charset == "full" and "charset" in config.sending.model_fields_set
        )
        self._texts = _own_texts()
        #: of the clinic's own file: which texts, by template and language
        self.overridden: frozenset[tuple[str, str]] = frozenset()
        problems: list[str] = []
        if config.clinic.templates is not None:
            document = read_yaml(config.clinic.templates)
            self.overridden = frozenset(_take_over(self._texts, document, problems))
        problems.extend(self._homeless())
        problems.extend(_unknown_steps(config, self._texts))
        if problems:
            raise ConfigError("texts are wrong:\n" + "\n".join(problems), tuple(problems))

    def _homeless(self) -> Iterable[str]:
        """Yield what is wrong with templates that some patients would have no text of."""
        languages = (self._clinic.language, LAST_RESORT)
        for name, texts in self._texts.items():
            if not any(language in texts for language in languages):
                yield (
                    f"{self._clinic.templates}: {name} has no text in {languages[0]}, which those"
                    " get whose language has none; add it"
                )

    # -- texts ------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """Return the names of all templates."""
        return list(self._texts)

    def has(self, template: str) -> bool:
        """Tell whether there is a template of this name."""
        return template in self._texts

    def source(self, template: str, language: str) -> str | None:
        """Return a template as it is written, None if this language has none."""
        return self._texts[template].get(language)

    def languages(self, template: str) -> list[str]:
        """Return the languages that a template has texts in."""
        return list(self._texts[template])

    def language(self, template: str, wished: str | None) -> str:
        """Return the language that a text will have for somebody who wishes this one."""
        texts = self._texts[template]
        order = ((wished or "").lower()[:2], self._clinic.language, LAST_RESORT)
        return next(language for language in order if language in texts)

    def text(self, template: str, language: str | None, **values: object) -> str:
        """Return a text, filled, in a language or the nearest that has one.

        Values are texts or numbers by the names that stand in braces. Beside them: `start`, an
        aware time, gives weekday, date and time; `when` may be an aware time (see `when`);
        `location` is a site of the clinic, as its files write it. What is not given is left out
        with the comma or the parentheses around it. Raises KeyError if there is no such template.
        """
        chosen = self.language(template, language)
        return self._folded(self._filled(template, chosen, values))

    def _filled(self, template: str, language: str, values: Mapping[str, object]) -> str:
        text = self._texts[template][language]
        known = self._values(language, values)
        names = _names_in(text)
        if "hours" in names:
            known.setdefault("hours", self.hours(language))
        return _fill(text, {name: _clean(name, known.get(name)) for name in names})

    def _values(self, language: str, values: Mapping[str, object]) -> dict[str, object]:
        site = self._clinic.locations.get(str(values.get("location") or ""))
        known: dict[str, object] = {
            "clinic": (site and site.name) or self._clinic.name,
            "phone": (site and site.phone) or self._clinic.phone,
            "emergency": self._clinic.emergency,
        }
        start, when = values.get("start"), values.get("when")
        if isinstance(start, dt.datetime):
            known |= self.moment(start, language)
        known |= values
        if isinstance(when, dt.datetime):
            known["when"] = self.when(when, language)
        return known

    def _folded(self, text: str) -> str:
        if not self._is_plain:
            return text
        folded = " ".join(map(_fold_word, text.split(" ")))
        return folded if pdu.is_gsm7(folded) else text

    # -- parts of texts ---------------------------------------------------------------------------

    def moment(self, at: dt.datetime, language: str) -> dict[str, str]:
        """Return `weekday`, `date` and `time` of an aware time, as a language writes them."""
        return dates.moment(at.astimezone(self._zone), language)

    def hours(self, language: str) -> str:
        """Return when the clinic is open, in short."""
        return dates.hours(self._clinic.hours, language)

    def when(self, at: dt.datetime, language: str) -> str:
        """Return by when somebody calls who is to call as from a time: `czw. 05.03 do 18:00`.

        Where the clinic opens at that time it is `pon. 09.03 od 08:00`, and where it is closed then
        just the time.
        """
        local = at.astimezone(self._zone)
        minute = local.hour * 60 + local.minute
        for start, end in self._clinic.hours.days[local.weekday()]:
            if minute == start:
                return self._part("word_from", language, local)
            if start < minute < end:
                closes = dt.datetime.combine(local.date(), dt.time(), self._zone)
                closes += dt.timedelta(minutes=end)
                return self._part("word_until", language, closes)
        return self._part("word_at", language, local)

    def _part(self, name: str, language: str, local: dt.datetime) -> str:
        chosen = self.language(name, language)
        return _fill(self._texts[name][chosen], dates.moment(local, chosen))

    def word(self, name: str, language: str, **values: object) -> str:
        """Return a part of a text, such as `word_yes`, not folded yet."""
        return self._filled(name, self.language(name, language), values)

    def listing(self, visits: Sequence[tuple[str, dt.datetime]], language: str) -> str:
        """Return several visits with numbers: `1) Anna 10:15 2) Lukasz 10:35`.

        Each name is the first word of the one given, as the reader of answers looks for it.
        """
        return " ".join(
            f"{number}) {self.call(name, language)} {at.astimezone(self._zone):%H:%M}"
            for number, (name, at) in enumerate(visits, start=1)
        )

    def call(self, name: str, language: str) -> str:
        """Return a name as a list has it: one word of letters; a visit's, if there is none."""
        found = _LETTERS.search(name)
        return found[0][:LONGEST_NAME] if found else self.word("word_visit", language)


# -- reading templates ----------------------------------------------------------------------------


def _own_texts() -> dict[str, dict[str, str]]:
    content = resources.files("gsmgw.clinic").joinpath("templates.yaml").read_text("utf-8")
    texts: dict[str, dict[str, str]] = {}
    problems: list[str] = []
    list(_take_over(texts, read_yaml(content, name="templates.yaml"), problems))
    if problems or texts.keys() != SHAPES.keys():
        raise ConfigError("templates.yaml is not as delivered", tuple(problems))
    return texts


def _take_over(
    texts: dict[str, dict[str, str]], document: Document, problems: list[str]
) -> Iterable[tuple[str, str]]:
    """Put a file's texts before those that are there; yield which."""
    for name, by_language in document.mapping().items():
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", name):
            problems.append(
                f"{document.where(name)}: {name!r}: a template's name has small letters, digits, _"
            )
            continue
        if not isinstance(by_language, dict):
            problems.append(f"{document.where(name)}: {name}: allowed are languages with texts")
            continue
        for language, text in by_language.items():
            place = f"{document.where(name, language)}: {name}, {language}"
            faults = _faults(name, language, text)
            problems.extend(f"{place}: {words}" for words in faults)
            if not faults and isinstance(text, str):
                texts.setdefault(name, {})[language] = text
                yield name, language


def _faults(name: str, language: str, text: object) -> list[str]:
    """Say what is wrong with one text."""
    if not re.fullmatch(r"[a-z]{2}", language):
        return [f"{language!r} is no language; allowed are two letters, such as pl"]
    if not isinstance(text, str) or not text.strip():
        return ["a text is wanted here"]
    try:
        pieces = list(string.Formatter().parse(text))
    except ValueError:
        return ["a brace stands alone; write {{ and }} where braces are meant"]
    shape = SHAPES.get(name, _Shape(NAMES))
    found = [field for _, field, _, _ in pieces if field is not None]
    if any(spec or conversion for _, field, spec, conversion in pieces if field is not None):
        return ["names stand alone in their braces: {time}, not {time:>5}"]
    faults = [
        f"{{{field}}} is unknown here; allowed are "
        + ", ".join(f"{{{known}}}" for known in sorted(shape.may))
        for field in dict.fromkeys(found)
        if field not in shape.may
    ]
    missing = sorted(shape.must - set(found))
    if missing:
        faults.append("it lacks " + ", ".join(f"{{{field}}}" for field in missing))
    return faults


def _unknown_steps(config: Config, texts: Mapping[str, object]) -> Iterable[str]:
    """Yield the steps of reminder plans whose template does not exist."""
    plans = {"reminders.plan": config.reminders.plan} | {
        f"reminders.by_service.{service}": plan
        for service, plan in config.reminders.by_service.items()
    }
    known = sorted({"reminder", *(name for name in texts if name not in SHAPES)})
    for place, plan in plans.items():
        for number, step in enumerate(plan):
            if step.template != "reminder" and step.template not in texts:
                yield (
                    f"{place}[{number}].template: there is no template {step.template!r};"
                    f" allowed are {', '.join(known)}, and those of templates.yaml"
                )


# -- filling --------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1024)
def _names_in(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)


#: Ten thousand reminders say the same words.
_fold_word = functools.lru_cache(maxsize=4096)(pdu.fold)


def _fill(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        if not value:
            for around in _AROUND:
                text = re.sub(around.format(name), "", text)
    return text.format_map(values)


def _clean(name: str, value: object) -> str:
    """Return a value as one line of limited length; foreign files may hold anything."""
    if value is None:
        return ""
    words = "".join(char if char.isprintable() else " " for char in str(value))
    return " ".join(words.split())[: LONGEST_NAME if name == "first" else LONGEST_VALUE]
