# SPDX-License-Identifier: Apache-2.0
"""The command as a whole: its help, its documents, its exit codes, and how little it imports."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from cli_support import ROOT, Place, finish, start
from click.testing import CliRunner

import gsmgw
from gsmgw import errors
from gsmgw.cli import exits, main

DOCS = (ROOT / "docs" / "commands.md").read_text()


Found = tuple[str, click.Command]


def commands(group: click.Group = main.cli, before: str = "") -> Iterator[Found]:
    context = click.Context(group, info_name="gsmgw")
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        if isinstance(command, click.Group):
            yield from commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


ALL = dict(commands())


def first_sentence(command: click.Command) -> str:
    return " ".join((command.help or "").split("\n\n")[0].split())


@pytest.mark.parametrize("name", ALL)
def test_every_command_is_documented_as_its_help_has_it(name: str) -> None:
    command = ALL[name]
    assert f"| `{name}` | {first_sentence(command)} |" in DOCS
    section = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", DOCS, re.M | re.S)
    assert section is not None, name
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            for option in parameter.opts:
                assert option in section.group(1), option


def test_no_command_is_documented_that_is_not_there() -> None:
    headings = set(re.findall(r"^## ([a-z ]+)$", DOCS, re.M))
    assert headings == set(ALL)


def test_every_exit_code_is_documented() -> None:
    codes = {value for value in vars(exits).values() if type(value) is int} | {0, 1}
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", DOCS, re.M)} == codes


@pytest.mark.parametrize("name", ALL)
def test_every_command_has_help_and_examples(name: str, place: Place) -> None:
    shown = place.good(*name.split(), "--help")
    assert "Examples:\n  gsmgw" in shown
    for parameter in ALL[name].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


@pytest.mark.parametrize("name", ALL)
def test_every_example_is_a_command_that_parses(name: str) -> None:
    for line in (ALL[name].epilog or "").splitlines():
        words = re.split(r" [|<] ", line.rsplit("gsmgw ", 1)[1])[0]
        found = re.findall(r'"[^"]*"|\'[^\']*\'|\S+', words)
        found = [word.strip("\"'") for word in found]
        with main.cli.make_context("gsmgw", found, resilient_parsing=False) as context:
            rest = [*context._protected_args, *context.args]
        command = ALL[name]
        arguments = rest[len(name.split()) :]
        assert rest[: len(name.split())] == name.split(), line
        command.make_context(name, arguments).close()


def test_the_list_of_commands_is_not_cut() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "gsmgw", "--help"],
        capture_output=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "80"},
    ).stdout.decode()
    assert "..." not in shown.replace("[ARGS]...", "")
    assert "Try it without a modem:   gsmgw demo" in shown


def test_the_version() -> None:
    assert finish(start("--version"))[:2] == (0, f"gsmgw {gsmgw.__version__}\n")


# -- exit codes of the real command -------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["fly"], 64, "gsmgw: No such command 'fly'."),
        (["list", "--fast"], 64, "gsmgw: No such option"),
        (["show"], 64, "gsmgw: Missing argument 'ID'."),
        (["show", "7"], 65, "gsmgw: there is no message 7"),
        (["send", "nobody", "Hi"], 65, "gsmgw: 'nobody' is a name"),
        (["modem", "at", "front", "AT"], 69, "gsmgw: the daemon does not run"),
        (["demo", "--keep", "{place}"], 73, "is not empty; name a new directory"),
        (["send", "--csv", "{place}/none.csv"], 74, "none.csv: No such file"),
        (["--config", "{place}/none.yaml", "list"], 78, "none.yaml is not there"),
    ],
)
def test_every_error_is_clear_and_has_its_code(
    place: Place, words: list[str], code: int, line: str
) -> None:
    words = [word.format(place=place.path) for word in words]
    found, out, err = finish(start(*words, config=place.config))
    assert (found, out) == (code, "")
    assert line in err.splitlines()[0]
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["show", "9" * 30], 64),
        (["show", "0"], 64),
        (["cancel", "-1"], 64),
        (["list", "--limit", "9" * 30], 64),
        (["inbox", "--after", "9" * 30], 64),
        (["list", "--to", "\udcff"], 65),
        (["inbox", "--from", "\udcff"], 65),
        (["send", "\udcff", "Hi"], 65),
        (["send", "+48500100201", "Hi", "--not-before", "\udcff"], 65),
        (["send", "+48500100201", "Hi", "--modem", "\udcff"], 65),
        (["modem", "at", "\udcff", "AT"], 64),
        (["modem", "at", "front", "AT\udcff"], 65),
        (["modem", "ussd", "front", "\udcff"], 65),
        (["modem", "probe", "\udcff"], 69),
        (
            ["pdu", "encode", '{"type": "submit", "recipient": "+48500100201", "text": "\\ud800"}'],
            65,
        ),
        (["pdu", "encode", "[" * 100000], 65),
        (["pdu", "decode", "\udcff"], 65),
        (["count", "\udcff"], 65),
    ],
)
def test_odd_words_are_refused_in_one_line(place: Place, words: list[str], code: int) -> None:
    result = place.run(*words)
    assert result.exit_code == code
    assert isinstance(result.exception, SystemExit)


def test_without_a_command_the_help_is_shown(place: Place) -> None:
    code, out, err = finish(start(config=place.config))
    assert (code, out) == (64, "")
    assert "Commands:\n  run " in err


def test_all_mistakes_of_a_configuration_are_named(place: Place) -> None:
    place.config.write_text("country: Poland\ncolour: red\n")
    for words in (["list"], ["check"], ["run"]):
        code, out, err = finish(start(*words, config=place.config))
        assert (code, out) == (78, "")
        assert "country" in err
        assert "colour" in err
        assert "line 2" in err
    code, out, _ = finish(start("check", "--json", config=place.config))
    assert code == 78
    assert len(json.loads(out)["problems"]) == 2


def test_a_good_configuration_is_told_with_what_is_unwise(place: Place) -> None:
    assert "is valid: 2 modems" in place.good("check")
    assert place.json("check") == {"file": str(place.config), "problems": [], "warnings": []}
    place.config.write_text("database: {path: gsmgw.db}\n")
    assert "unwise: " in place.good("check")


def test_a_busy_database_is_75(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **__: object) -> None:
        raise errors.StoreBusyError("database is locked")

    monkeypatch.setattr("gsmgw.store.outbox.listing", busy)
    result = place.run("list")
    assert (result.exit_code, result.stderr) == (75, "gsmgw: database is locked\n")


def test_a_file_that_is_no_database_is_65(place: Place) -> None:
    place.database.close()
    for path in place.path.glob("gsmgw.db*"):
        path.unlink()
    (place.path / "gsmgw.db").write_bytes(b"no database " * 1000)
    code, _, err = finish(start("list", config=place.config))
    assert code == 65
    assert "is damaged" in err


def test_a_missing_directory_says_what_to_do(place: Place) -> None:
    place.config.write_text("database: {path: /nowhere/gsmgw.db}\n")
    code, _, err = finish(start("list", config=place.config))
    assert code == 74
    assert "database directory /nowhere does not exist; create it" in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.StoreTooNewError(), 78),
        (errors.StoreFullError(), 74),
        (errors.PortLostError(), 69),
        (errors.PduError(), 65),
        (PermissionError(13, "Permission denied", "/x"), 73),
        (IsADirectoryError(21, "Is a directory", "/x"), 74),
        (OSError("odd"), 74),
    ],
)
def test_errors_have_their_codes(error: Exception, code: int) -> None:
    assert exits.exit_code(error) == code


def test_output_to_a_full_disk_is_74(place: Place) -> None:
    with Path("/dev/full").open("wb") as full:
        code, _, err = finish(start("list", config=place.config, stdout=full))
    assert (code, err) == (74, "gsmgw: output: No space left on device\n")


@pytest.mark.parametrize("words", [["list"], ["--help"], ["send", "--help"]])
def test_a_reader_that_has_gone_is_no_trouble(place: Place, words: list[str]) -> None:
    with place.database.write():
        pass
    reader, writer = os.pipe()
    os.close(reader)
    try:
        code, _, err = finish(start(*words, config=place.config, stdout=writer))
    finally:
        os.close(writer)
    assert (code, err) == (141, "")


@pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_those_of_nobody(place: Place, closed: str) -> None:
    command = f'"{sys.executable}" -m gsmgw --config "{place.config}" send 500100201 - {closed}'
    done = subprocess.run(
        ["sh", "-c", command],
        input=b"Hello",
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert b"Traceback" not in done.stdout + done.stderr
    if "<&-" in closed:
        assert done.returncode == 65  # no text
    else:
        assert (done.returncode, done.stderr) == (0, b"")
        assert [message["text"] for message in place.json("list")] == ["Hello"]


def test_an_old_locale_costs_letters_only(place: Place) -> None:
    place.message("Zażółć 👍")
    environment = {"PYTHONIOENCODING": "iso-8859-1", "PYTHONUTF8": "0"}
    process = start("list", config=place.config, env=environment)
    out, _ = process.communicate(timeout=250)
    assert process.returncode == 0
    assert "Za\\u017có" in out.decode("iso-8859-1")


def test_ctrl_c_is_130(place: Place) -> None:
    process = start("simulate", config=place.config, stdin=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"port ")
    process.send_signal(signal.SIGINT)
    code, _, err = finish(process)
    assert code == 130
    assert "Traceback" not in err


# -- simulate -----------------------------------------------------------------------------------


def test_simulate_leaves_nothing_behind(place: Place) -> None:
    process = start("simulate", "--modems=3", "--json", stdin=subprocess.PIPE)
    assert process.stdout is not None
    ports = json.loads(process.stdout.readline())["ports"]
    assert list(ports) == ["modem1", "modem2", "modem3"]
    assert all(Path(port).exists() for port in ports.values())
    process.send_signal(signal.SIGTERM)
    assert finish(process)[0] == 0
    assert not any(os.path.lexists(port) for port in ports.values())


def test_simulate_obeys_orders_until_the_end_of_input(place: Place) -> None:
    orders = b"sms +48500100201 modem1 TAK\nbooks\n"
    code, out, _ = finish(start("simulate", "--until-eof", stdin=subprocess.PIPE), orders)
    assert code == 0
    assert "TAK" in out
    assert finish(start("simulate", "x.yaml", "--modems=2"))[0] == 64


def test_simulate_names_the_mistakes_of_a_scenario(place: Place) -> None:
    scenario = place.path / "day.yaml"
    scenario.write_text("modems: [{name: front, vendor: acme, colour: red}]\n")
    code, out, err = finish(start("simulate", scenario))
    assert (code, out) == (78, "")
    assert "acme" in err
    assert "colour" in err


# -- what is imported ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "unwanted"),
    [
        ("send +48500100201 Hi", "rich gsmgw.daemon gsmgw.simulator gsmgw.modem sqlite_utils"),
        ("list --json", "rich gsmgw.daemon gsmgw.simulator gsmgw.modem"),
        ("status --json", "rich gsmgw.daemon gsmgw.simulator gsmgw.modem watchdog"),
        ("count Hi", "rich pydantic gsmgw.store gsmgw.daemon gsmgw.config yaml"),
        ("--version", "rich pydantic gsmgw.store gsmgw.config gsmgw.pdu"),
    ],
)
def test_a_command_imports_only_what_it_uses(place: Place, words: str, unwanted: str) -> None:
    script = (
        "import sys, atexit\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        "from gsmgw.cli.main import cli\n"
        "cli(sys.argv[1:])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "--config", str(place.config), *words.split()],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    loaded = set(done.stderr.decode().split())
    assert not loaded & set(unwanted.split())


def test_colours_are_left_out_where_a_person_does_not_want_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    words = ["--config", str(tmp_path / "none.yaml"), "doctor"]
    coloured = CliRunner().invoke(main.cli, words, color=True)
    assert "\x1b[31m" in coloured.output
    monkeypatch.setenv("NO_COLOR", "1")
    plain = CliRunner().invoke(main.cli, words, color=True)
    assert "config.missing" in plain.output
    assert "\x1b" not in plain.output


def test_a_backup_into_a_directory_that_is_missing_says_what_to_do(place: Place) -> None:
    done = place.run("backup", str(place.path / "nowhere" / "copy.db"))
    assert done.exit_code == 73
    assert f"there is no directory {place.path / 'nowhere'}; sudo install -d" in done.stderr
    assert not (place.path / "nowhere").exists()
