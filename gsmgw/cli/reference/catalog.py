# SPDX-License-Identifier: Apache-2.0
"""The journal's catalogue: what `journalctl -x` says of each event, from docs/log-messages.md.

The form is that of systemd's "Message Catalogs": an entry begins with `-- ` and the id of a
message, then come headers, an empty line and the text, in which `@FIELD@` stands for a field of the
event that is shown.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gsmgw import journal
from gsmgw.cli.reference import pages
from gsmgw.cli.reference.pages import Block, Heading, Paragraph, Piece, Style, Table, Words

_WIDTH = 76
#: Stands for the blanks of a command, which is never broken.
_KEPT_BLANK = "\N{NO-BREAK SPACE}"
_PAGE = "man:gsmgw-log-messages(7)"
_EVENT = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")
#: Fields whose value in the sample line is replaced in commands by that of the event itself.
_OWN = ("id", "modem")
#: What a section says, and how the catalogue calls it.
_QUESTIONS = {"Means.": "", "Likely.": "Likely: ", "Do.": "What to do: "}
_SENTENCE = re.compile(r"(.*?[.!?])(?:\s+(?=[A-Z`(])|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the catalogue says of one event."""

    event: str
    subject: str
    paragraphs: tuple[str, ...]


def format_catalog(page: Sequence[Block]) -> str:
    """Return the catalogue of all events of the page, as a file."""
    return "".join(map(_format_entry, entries(page)))


def entries(page: Sequence[Block]) -> list[Entry]:
    """Return an entry for each event that the page explains."""
    return [*_sections(page), *_rows(page)]


def _format_entry(entry: Entry) -> str:
    lines = [
        f"-- {journal.message_id(entry.event)}",
        f"Subject: {entry.subject}",
        "Defined-By: gsmgw",
        f"Documentation: {_PAGE}",
    ]
    for paragraph in entry.paragraphs:
        lines += ["", *map(_harmless, _wrap(paragraph))]
    return "\n".join(lines) + "\n\n"


def _wrap(paragraph: str) -> list[str]:
    lines = textwrap.wrap(paragraph, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [line.replace(_KEPT_BLANK, " ") for line in lines]


def _harmless(line: str) -> str:
    """Return a line of the text that no reader of catalogues takes for something else."""
    return f" {line}" if line.startswith(("#", ";", "--")) else line


def _sections(page: Sequence[Block]) -> Iterator[Entry]:
    for event, blocks in pages.sections(page, 3).items():
        if _EVENT.fullmatch(event):
            yield _section(event, blocks)


def _section(event: str, blocks: Sequence[Block]) -> Entry:
    sample, said = "", dict.fromkeys(_QUESTIONS, "")
    for block in blocks:
        if not isinstance(block, Paragraph):
            continue
        if len(block.words) == 1 or not _starts_answer(block.words):
            sample = sample or block.words[0].text
            continue
        said.update(_answers(block.words, _own_values(sample)))
    subject, rest = _first_sentence(said.pop("Means.").replace(_KEPT_BLANK, " "))
    told = [f"{_QUESTIONS[question]}{words}" for question, words in said.items()]
    return Entry(event, subject, tuple(filter(None, (rest, *told))))


def _starts_answer(words: Words) -> bool:
    return words[0].style is Style.STRONG and words[0].text in _QUESTIONS


def _own_values(sample: str) -> dict[str, str]:
    """Return the values of the sample line that commands repeat: value, field of the journal."""
    found = {}
    for name in _OWN:
        match = re.search(rf" {name}=(\w+)", sample)
        if match:
            found[match.group(1)] = f"@{journal.field_name(name)}@"
    return found


def _answers(words: Words, own: dict[str, str]) -> dict[str, str]:
    """Return what a section says to each question."""
    said: dict[str, str] = {}
    question = ""
    for piece in words:
        if piece.style is Style.STRONG and piece.text in _QUESTIONS:
            question = piece.text
            said[question] = ""
        else:
            said[question] += _written(piece, own)
    return {question: text.strip() for question, text in said.items()}


def _written(piece: Piece, own: dict[str, str] | None = None) -> str:
    if piece.style is not Style.CODE:
        return piece.text
    text = piece.text
    if re.match(r"(?:sudo )?gsmgw ", text):
        for value, field in (own or {}).items():
            text = re.sub(rf"(?<![\w-]){value}\b", field, text)
    return f"`{text}`".replace(" ", _KEPT_BLANK) if " " in text else text


def _first_sentence(text: str) -> tuple[str, str]:
    found = _SENTENCE.match(text)
    return (found.group(1), text[found.end() :]) if found else (text, "")


def _rows(page: Sequence[Block]) -> Iterator[Entry]:
    """Yield entries of the tables of events that ask for nothing."""
    explained = {event for event in pages.sections(page, 3) if _EVENT.fullmatch(event)}
    title = ""
    for block in page:
        if isinstance(block, Heading) and block.level == 1:
            title = pages.plain(block.words)
        if not isinstance(block, Table) or pages.plain(block.heading[0]) != "event":
            continue
        for name, when, _fields in block.rows:
            event = name[0].text
            if event not in explained:
                words = "".join(map(_written, when)).replace(_KEPT_BLANK, " ")
                subject = f"{words[0].upper()}{words[1:]}."
                yield Entry(event, subject, (f"{title}: there is nothing to do.",))
