# SPDX-License-Identifier: Apache-2.0
"""What README and docs/ name is there: links, commands and options, configuration keys, states."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import click
import docs_support
import log_messages_support
import pytest

from gsmgw import config, model
from gsmgw.cli import main

#: Words of a synopsis that stand for something.
PLACEHOLDER = re.compile(r"[A-Z]+(?:_[A-Z]+)*\Z")
DOTTED = re.compile(r"[a-z_]+(?:\[\])?(?:\.[a-z_]+)+\Z")

STATES = {
    ("docs/glossary.md", "States of a message"): model.MessageState,
    ("docs/glossary.md", "States of a part"): model.PartState,
    ("docs/glossary.md", "States of a modem"): model.ModemState,
    ("docs/glossary.md", "States of a SIM"): model.SimState,
    ("docs/glossary.md", "Categories"): model.Category,
    ("docs/glossary.md", "Priorities"): model.Priority,
    ("docs/glossary.md", "Kinds of what arrives"): model.InboxKind,
    ("docs/glossary.md", "Who says no"): model.ErrorFamily,
    ("docs/glossary.md", "Whose fault it is"): model.Whose,
    ("docs/glossary.md", "What came of a try"): model.Outcome,
    ("docs/log-messages.md", "A modem that is not ready"): model.ModemState,
}


# -- links ----------------------------------------------------------------------------------------


def test_links_lead_somewhere() -> None:
    pages = docs_support.pages()
    broken = []
    for link in docs_support.links():
        if re.match(r"[a-z]+:", link.text):
            continue
        path, _, anchor = link.text.partition("#")
        page = docs_support.ROOT / link.page
        target = (page.parent / path).resolve() if path else page
        name = target.relative_to(docs_support.ROOT).as_posix() if target.exists() else ""
        if not name or (anchor and anchor not in docs_support.anchors(pages.get(name, ""))):
            broken.append(str(link))
    assert not broken


def test_pages_named_in_words_are_there() -> None:
    missing = [
        str(code)
        for code in docs_support.inline_code()
        if re.fullmatch(r"(?:docs|config|systemd|gsmgw|tests)/[\w./-]+", code.text)
        and not (docs_support.ROOT / code.text).exists()
    ]
    assert not missing


# -- commands -------------------------------------------------------------------------------------


def faults(line: str) -> Iterator[str]:
    """Yield what is wrong with a command line: unknown commands and options."""
    words = docs_support.words_of(line)
    context = click.Context(main.cli)
    found: click.Command = main.cli
    while words:
        word = words.pop(0)
        if word == "--":
            return
        if word.startswith("-") and word != "-":
            option = _option(found, context, word.partition("=")[0])
            if option is None:
                yield f"{found.name} has no option {word}"
            elif not option.is_flag and "=" not in word and words:
                words.pop(0)
        elif isinstance(found, click.Group):
            below = None if PLACEHOLDER.match(word) else found.get_command(context, word)
            if below is None and not PLACEHOLDER.match(word):
                yield f"{found.name} has no command {word}"
            if below is None:
                return
            found, context = below, click.Context(below, parent=context)


def _option(found: click.Command, context: click.Context, name: str) -> click.Option | None:
    options = [one for one in found.get_params(context) if isinstance(one, click.Option)]
    return next((one for one in options if name in (*one.opts, *one.secondary_opts)), None)


def test_commands_and_options_exist() -> None:
    lines = list(docs_support.command_lines())
    assert len(lines) > 30
    assert not [f"{line}: {fault}" for line in lines for fault in faults(line.text)]


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("show 17", 0),
        ("modem at front AT+CSQ --force", 0),
        ("list [--state STATE]… [--limit N]", 0),
        ("--config FILE run", 0),
        ("COMMAND --help", 0),
        ("list | head --nonsense", 0),
        ("pdu decode HEX… [--direction in|out] [--no-sca]", 0),
        ("pdu decode HEX… [--direction in|out] [--nosca]", 1),
        ("send +48500100201 -- --text", 0),
        ("shwo 17", 1),
        ("modem lst", 1),
        ("list --stat queued", 1),
        ("send [--categry C] [--flsh]", 2),
    ],
)
def test_reader_knows_right_from_wrong(line: str, count: int) -> None:
    assert len(list(faults(line))) == count


# -- configuration keys ---------------------------------------------------------------------------


def _key_exists(path: list[str]) -> bool:
    here: config.Keys | None = config.known_keys()
    for step in path:
        if here is None or step not in here:
            return False
        here = here[step]
    return True


def _service_names() -> set[str]:
    """Return the names that services give themselves, such as `spool.hooks`."""
    sources = (docs_support.ROOT / "gsmgw").rglob("*.py")
    return {name for path in sources for name in _names_in(path)}


def _names_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Constant)
            and [target.id for target in node.targets if isinstance(target, ast.Name)] == ["name"]
        ):
            yield str(node.value.value)


def test_configuration_keys_exist() -> None:
    top = set(config.known_keys())
    others = set(log_messages_support.written()) | _service_names()
    wrong = []
    for code in docs_support.inline_code():
        name = code.text.partition(":")[0].replace("[]", "")
        path = name.split(".")
        is_key = DOTTED.match(name) and path[0] in top and name not in others
        is_file = path[-1] in ("md", "py", "yaml", "sql", "db", "csv")
        if is_key and not is_file and not _key_exists(path):
            wrong.append(str(code))
    assert not wrong


# -- states ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("place", "states"), STATES.items(), ids=lambda value: str(value))
def test_states_are_those_of_the_program(place: tuple[str, str], states: type[StrEnum]) -> None:
    assert sorted(docs_support.table_below(*place)) == sorted(states)


def test_words_stand_in_the_order_of_the_alphabet() -> None:
    page = docs_support.pages()["docs/glossary.md"].partition("## States of a message")[0]
    words = re.findall(r"^\| \*\*([^*]+)\*\*", page, re.MULTILINE)
    assert words == sorted(words, key=str.lower)
    assert len(words) > 20
