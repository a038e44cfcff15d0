# SPDX-License-Identifier: Apache-2.0
"""Manual, completion and catalogue: complete, well formed, and one with program and documents."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import docs_support
import log_messages_support
import pytest
from click.testing import CliRunner

from gsmgw import journal
from gsmgw.cli import exits
from gsmgw.cli.reference import __main__ as written
from gsmgw.cli.reference import catalog, completion, manual, pages, roff

REQUESTS = {f".{name}" for name in ("TH", "SH", "SS", "PP", "TP", "IP", "EX", "EE")} | {
    *(".nr", ".nh", ".ad", ".nf", ".fi"),
}
COMMANDS = {name: (command, context) for name, command, context in manual.commands()}


@pytest.fixture(scope="module")
def man() -> dict[str, str]:
    return manual.pages(pages.DOCS)


def shown(line: str) -> str:
    """Return a line of roff as a person sees it."""
    for glyph, char in (("\\-", "-"), ("\\(aq", "'"), ("\\(ga", "`"), ("\\(rs", "\\")):
        line = line.replace(glyph, char)
    return re.sub(r"\\f[BR]|\\[&:]", "", line)


def subsections(page: str) -> dict[str, str]:
    pieces = re.split(r"^\.S[SH] (.+)$", page, flags=re.MULTILINE)
    return dict(zip(map(shown, pieces[1::2]), map(shown, pieces[2::2]), strict=True))


def long_options(command: click.Command) -> set[str]:
    options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    return {name for one in options for name in (*one.opts, *one.secondary_opts) if "--" in name}


# -- commands: program, manual, document ----------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_manual_tells_every_option_and_argument(name: str, man: dict[str, str]) -> None:
    command, context = COMMANDS[name]
    said = subsections(man["gsmgw.1"])[name]
    for option in long_options(command):
        assert re.search(rf"(?<![\w-]){option}(?![\w-])", said), option
    for argument in command.params:
        if isinstance(argument, click.Argument):
            assert argument.make_metavar(context) in said


@pytest.mark.parametrize("name", COMMANDS)
def test_document_and_program_have_the_same_options_and_arguments(name: str) -> None:
    command, _ = COMMANDS[name]
    section = pages.sections(pages.read(pages.DOCS / "commands.md"), 2)[name]
    # What stands in the section as code, but for whole lines of examples and other commands.
    codes = [
        piece.text
        for block in section
        for words in block_words(block)
        for piece in words
        if piece.style is pages.Style.CODE
    ]
    own = " ".join(code for code in codes if code.startswith((f"gsmgw {name}", "-")))
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", own))
    assert named - {"--help"} == long_options(command), name
    for argument in command.params:
        if isinstance(argument, click.Argument):
            word = argument.human_readable_name.upper().strip("[].")
            assert re.search(rf"\b{word}\b", own), argument.name


def block_words(block: pages.Block) -> list[pages.Words]:
    if isinstance(block, pages.Paragraph):
        return [block.words]
    if isinstance(block, pages.Table):
        return [row[0] for row in block.rows]
    return []


def test_manual_tells_every_exit_code(man: dict[str, str]) -> None:
    codes = {value for name, value in vars(exits).items() if name.isupper() and type(value) is int}
    said = subsections(man["gsmgw.1"])["EXIT STATUS"]
    assert {*map(str, codes)} <= set(re.findall(r"^\d+$", said, re.MULTILINE))


# -- the other pages ------------------------------------------------------------------------------


def test_manual_tells_every_key(man: dict[str, str]) -> None:
    said = set(shown(man["gsmgw.yaml.5"]).split("\n"))
    documented = set(docs_support.table_below("docs/configuration.md", "Keys"))
    assert len(documented) > 50
    assert not sorted(documented - said)


def test_manual_tells_every_event(man: dict[str, str]) -> None:
    said = shown(man["gsmgw-log-messages.7"]).split("\n")
    for event in log_messages_support.documented():
        assert event in said or f".SS {event}" in said or f"{event} *" in said, event


def test_pages_are_well_formed(man: dict[str, str]) -> None:
    for name, page in man.items():
        lines = page.split("\n")
        assert lines[0].startswith(".TH "), name
        assert ".SH NAME" in lines[:6], name
        requests = {line.split()[0] for line in lines if line.startswith(".")}
        assert requests <= REQUESTS, name
        assert not [line for line in lines if line.startswith("'")]
        assert lines.count(".EX") == lines.count(".EE")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (".PP", "\\&.PP"),
        ("'quoted'", "\\(aqquoted\\(aq"),
        ("--to \\n", "\\-\\-to \\(rsn"),
        ("~/x `y` ^", "\\(ti/x \\(gay\\(ga \\(ha"),
    ],
)
def test_text_is_shown_as_it_is(text: str, written: str) -> None:
    assert roff.escape(text) == written


# -- catalogue ------------------------------------------------------------------------------------


def read_catalog(text: str) -> dict[str, tuple[dict[str, str], str]]:
    """Read a catalogue as journald does: id, headers, text."""
    found: dict[str, tuple[dict[str, str], str]] = {}
    for entry in re.split(r"^-- ", text, flags=re.MULTILINE)[1:]:
        head, _, body = entry.partition("\n\n")
        name, *headers = head.split("\n")
        assert re.fullmatch("[0-9a-f]{32}", name)
        assert name not in found
        found[name] = (dict(line.split(": ", 1) for line in headers), body.strip("\n"))
    return found


@pytest.fixture(scope="module")
def entries() -> dict[str, tuple[dict[str, str], str]]:
    return read_catalog(catalog.format_catalog(pages.read(pages.DOCS / "log-messages.md")))


def test_catalogue_has_every_event_once(entries: dict[str, tuple[dict[str, str], str]]) -> None:
    ids = {journal.message_id(event): event for event in log_messages_support.documented()}
    assert set(entries) == set(ids)


def test_catalogue_says_what_it_means_and_what_to_do(
    entries: dict[str, tuple[dict[str, str], str]],
) -> None:
    for event, levels in log_messages_support.documented().items():
        headers, body = entries[journal.message_id(event)]
        assert set(headers) == {"Subject", "Defined-By", "Documentation"}
        assert headers["Subject"].endswith((".", ".)")), event
        asks = {"warning", "error"} & set(levels)
        for word in ("Likely: ", "What to do:") if asks else ("nothing to do",):
            assert word in body, event


def test_catalogue_fits_a_terminal_and_has_no_comments(
    entries: dict[str, tuple[dict[str, str], str]],
) -> None:
    for headers, body in entries.values():
        lines = body.split("\n")
        assert not [line for line in lines if line.startswith(("#", ";", "--"))]
        # A command is never broken, and may be longer.
        assert not [line for line in lines if len(line) > 76 and line.count("`") != 2]
        assert "\N{NO-BREAK SPACE}" not in headers["Subject"] + body


def test_catalogue_names_only_fields_that_the_event_has(
    entries: dict[str, tuple[dict[str, str], str]],
) -> None:
    for event, levels in log_messages_support.documented().items():
        headers, body = entries[journal.message_id(event)]
        fields = {journal.field_name(name) for names in levels.values() for name in names}
        assert set(re.findall(r"@(\w+)@", headers["Subject"] + body)) <= fields, event


def test_commands_of_the_catalogue_name_the_message_itself(
    entries: dict[str, tuple[dict[str, str], str]],
) -> None:
    _, body = entries[journal.message_id("message.failed")]
    assert "`gsmgw retry @GSMGW_ID@`" in body
    _, body = entries[journal.message_id("sim.resting")]
    assert "`gsmgw modem ussd @GSMGW_MODEM@ '*100#'`" in body


# -- completion -----------------------------------------------------------------------------------


def test_every_shell_has_a_script_that_asks_the_program() -> None:
    scripts = completion.scripts()
    assert set(scripts) == {"bash", "zsh", "fish"}
    for shell, script in scripts.items():
        assert f"{completion.VARIABLE}={shell}_complete" in script


def test_program_answers_the_script() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from gsmgw.cli.main import main; main()"],
        env={
            **os.environ,
            completion.VARIABLE: "bash_complete",
            "COMP_WORDS": "gsmgw list --state unc",
            "COMP_CWORD": "3",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["plain,uncertain"]


# -- the command that a build runs ----------------------------------------------------------------


def test_everything_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    for word, dest in (("man", "man"), ("completion", "done"), ("catalog", "x/gsmgw.catalog")):
        result = CliRunner().invoke(written.reference, [word, str(tmp_path / dest)])
        assert result.exit_code == 0, result.output
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert names == {
        "man/gsmgw.1",
        "man/gsmgw.yaml.5",
        "man/gsmgw-log-messages.7",
        "done/gsmgw.bash",
        "done/gsmgw.zsh",
        "done/gsmgw.fish",
        "x/gsmgw.catalog",
    }


def test_without_documents_it_says_so(tmp_path: Path) -> None:
    arguments = ["man", str(tmp_path), "--docs", str(tmp_path / "nowhere")]
    assert CliRunner().invoke(written.reference, arguments).exit_code == 2
