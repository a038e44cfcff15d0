# SPDX-License-Identifier: Apache-2.0
"""`gsmgw clinic read`: the file, the questions as sent, what is wrong with a line."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gsmgw.cli import main


def run(*arguments: str, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(main.cli, ["clinic", "read", *arguments], input=stdin)


def rows(result: Result) -> list[list[str]]:
    return [line.split("\t") for line in result.stdout.splitlines()]


def test_replies_from_standard_input() -> None:
    result = run("-", stdin="a\tpl\tconfirm\tTAK\nb\ten\trating\t4 \nc\tpl\tconfirm\t\n")
    assert result.exit_code == 0
    assert rows(result) == [
        ["id", "meaning", "applied"],
        ["a", "accept", "yes"],
        ["b", "rating:4", "yes"],
        ["c", "unclear", "no"],
    ]


def test_escapes_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "replies.tsv"
    path.write_bytes(
        "\ufeff1\tpl\tconfirm\tTak\\nPozdrawiam\\tAnna\r\n\n2\tpl\tconfirm\t\\\\n\r\n".encode()
        + b"3\tpl\tconfirm\ttak\xff\n4\tpl\tconfirm\ttak\x85\n5\tpl\tconfirm"
    )
    result = run(str(path))
    assert [row[0] for row in rows(result)[1:]] == ["1", "2", "3", "4", "5"]
    assert rows(result)[1] == ["1", "accept", "yes"]
    assert result.exit_code == 0


def test_questions_as_they_were_sent(tmp_path: Path) -> None:
    asked = tmp_path / "asked.tsv"
    asked.write_text(
        "question\tlanguage\ttext\nconfirm\tpl\tLipowa: Anna, czw. 05.03 godz. 10:15. TAK?\n",
        encoding="utf-8",
    )
    stdin = "1\tpl\tconfirm\tTak, w czwartek\n"
    assert rows(run("-", stdin=stdin))[1] == ["1", "accept", "no"]
    assert rows(run("--asked", str(asked), "-", stdin=stdin))[1] == ["1", "accept", "yes"]


def test_own_words(tmp_path: Path) -> None:
    words = tmp_path / "words.yaml"
    words.write_text("pl: {accept: [gitara]}\n", encoding="utf-8")
    result = run("--words", str(words), "-", stdin="1\tpl\tconfirm\tgitara\n")
    assert rows(result)[1] == ["1", "accept", "yes"]


def test_wrong_lines_are_named_and_the_others_go_on() -> None:
    result = run("-", stdin="1\tpl\n2\tpl\tconfrim\ttak\n3\tpl\tconfirm\ttak\n")
    assert result.exit_code == 65
    assert "line 1: id, language, question, text are wanted" in result.stderr
    assert "line 2: 'confrim' is no question; allowed are confirm, object," in result.stderr
    assert rows(result)[1:] == [["3", "accept", "yes"]]


@pytest.mark.parametrize("content", ["", "language\ttext\n", "language\tquestion\ttext\npl\tx\n"])
def test_wrong_questions_file(tmp_path: Path, content: str) -> None:
    asked = tmp_path / "asked.tsv"
    asked.write_text(content, encoding="utf-8")
    with pytest.raises(SystemExit) as caught:
        main.cli(["clinic", "read", "--asked", str(asked), "-"])
    assert caught.value.code == 65
