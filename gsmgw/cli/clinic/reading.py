# SPDX-License-Identifier: Apache-2.0
"""`gsmgw clinic read`: how patients' answers are read, so that a clinic can try its words."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from gsmgw import errors
from gsmgw.cli import command, display, exits
from gsmgw.clinic import reading

_ESCAPE = re.compile(r"\\([nt\\])")
_ESCAPED = {"n": "\n", "t": "\t", "\\": "\\"}
_QUESTIONS = ", ".join(reading.Question)
#: Of `id, language, question, text`: an editor may take away the tab before an empty text.
_FEWEST_FIELDS = 3


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw clinic read replies.tsv
gsmgw clinic read --asked questions.tsv --words our-words.yaml -
""",
)
@click.argument("file", metavar="FILE")
@click.option(
    "--asked",
    "asked_file",
    metavar="FILE",
    help="The questions as they were sent: language, question, text, with a header.",
)
@click.option(
    "--words",
    "words_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The clinic's own words, in YAML: language, meaning, list of words.",
)
def read(file: str, asked_file: str | None, words_file: Path | None) -> int:
    r"""Read patients' answers and print what each means.

    FILE, or - for standard input, has lines of id, language, question, text, separated by tabs,
    without a header; \n, \t and \\ in a text stand for a line end, a tab and a backslash. Questions
    are confirm, object, family, offer, rating, dose, consent, none. Printed are id, meaning,
    applied: yes if gsmgw acts on it by itself, no if only a person may decide. A line that is wrong
    is named on standard error, the others go on; the command then exits with 65.
    """
    reader = reading.ReplyReader(words_file)
    asked = {} if asked_file is None else _read_asked(asked_file)
    code = exits.OK
    click.echo("id\tmeaning\tapplied")
    for number, line in _lines(file):
        fields = line.split("\t", 3)
        question = fields[2] if len(fields) >= _FEWEST_FIELDS else ""
        if question not in list(reading.Question):
            exits.complain(f"gsmgw: line {number}: {_what_is_wrong(fields)}")
            code = exits.DATA
            continue
        language = fields[1].strip()
        found = reader.read(
            _unescape("".join(fields[3:])),
            language=language,
            question=reading.Question(question),
            asked=asked.get((language, question), ""),
        )
        click.echo(f"{display.safe(fields[0])}\t{found}\t{'yes' if found.is_applied else 'no'}")
    return code


def _what_is_wrong(fields: list[str]) -> str:
    if len(fields) < _FEWEST_FIELDS:
        return "id, language, question, text are wanted, separated by tabs"
    return f"{fields[2]!r} is no question; allowed are {_QUESTIONS}"


def _read_asked(file: str) -> dict[tuple[str, str], str]:
    """Return the questions as they were sent, by language and question.

    Raises:
        BadFileError: the header is not the one wanted, or a line has too few fields.
    """
    lines = _lines(file)
    _, header = next(lines, (1, ""))
    columns = header.split("\t")
    if sorted(columns) != ["language", "question", "text"]:
        raise errors.BadFileError(
            f"{file}: the first line must name language, question, text, separated by tabs"
        )
    found = {}
    for number, line in lines:
        fields = line.split("\t")
        if len(fields) != len(columns):
            raise errors.BadFileError(f"{file}, line {number}: {len(columns)} fields are wanted")
        row = dict(zip(columns, fields, strict=True))
        found[row["language"].strip(), row["question"].strip()] = _unescape(row["text"])
    return found


def _lines(file: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not empty, numbered from 1; what is no UTF-8 is replaced."""
    with contextlib.ExitStack() as opened:
        source = sys.stdin.buffer if file == "-" else opened.enter_context(Path(file).open("rb"))
        for number, octets in enumerate(source, start=1):
            # Only the line end goes: blanks belong to the answer.
            line = octets.decode("utf-8", "replace").removesuffix("\n").removesuffix("\r")
            if number == 1:
                line = line.removeprefix("\ufeff")
            if line:
                yield number, line


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPED[match[1]], text)
