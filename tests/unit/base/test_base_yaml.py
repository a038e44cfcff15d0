# SPDX-License-Identifier: Apache-2.0
"""YAML is read as strings, with lines."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsmgw import config
from gsmgw.config import reading
from gsmgw.errors import ConfigError


def test_nothing_turns_into_something_else():
    text = "[NO, off, 12:30, 0123, +48500100201, 1e3, 2026-11-22, null, ~, 0x1F, .inf, !!int 5]"
    assert config.read_yaml(text).value == [
        "NO",
        "off",
        "12:30",
        "0123",
        "+48500100201",
        "1e3",
        "2026-11-22",
        "null",
        "~",
        "0x1F",
        ".inf",
        "5",
    ]


def test_keys_without_value_are_empty_strings():
    assert config.read_yaml("a:\nb: {c: }").value == {"a": "", "b": {"c": ""}}


def test_every_key_and_element_has_its_line():
    document = config.read_yaml("a: 1\nb:\n  - x\n  - c: 2\n\n    d: 3\n", name="file.yaml")
    assert document.line("b", 1, "d") == 6
    assert document.line("b", 0) == 3
    assert document.line("b", 1, "unknown", "deeper") == 4
    assert document.line() == 1
    assert document.where("b") == "file.yaml, line 2"


def test_references_are_resolved_but_not_without_end():
    assert config.read_yaml("a: &x {k: v}\nb: *x").value == {"a": {"k": "v"}, "b": {"k": "v"}}
    with pytest.raises(ConfigError, match="line 1: too much or too deeply nested"):
        config.read_yaml("a: &x [*x]")


def test_a_few_lines_that_stand_for_billions_are_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{step}: &a{step} [{', '.join([f'*a{step - 1}'] * 10)}]" for step in range(1, 12)]
    with pytest.raises(ConfigError, match="too much or too deeply nested"):
        config.read_yaml("\n".join(lines))


def test_deep_nesting_is_refused():
    with pytest.raises(ConfigError, match="too deeply"):
        config.read_yaml("[" * 100 + "]" * 100)
    with pytest.raises(ConfigError, match="nested too deeply"):
        config.read_yaml("[" * 20000 + "]" * 20000)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: b: c", "line 1: this is no valid YAML: .* needs quotes"),
        ("a: 1\n\tb: 2", "line 2: this is no valid YAML: .* not with tabs"),
        ("a: [1\nb: 2", "line 2: this is no valid YAML"),
        ('a: "x', "line 1: this is no valid YAML"),
        ("a: 1\n---\nb: 2", "line 2: this is no valid YAML"),
        ("a: *x", "line 1: this is no valid YAML: found undefined alias"),
        ("a: \x01", "this is no valid YAML: special characters are not allowed"),
        ("[a]: 1", "line 1: a key must be a plain word"),
        ("{a: 1}: 1", "line 1: a key must be a plain word"),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_line(text, words):
    with pytest.raises(ConfigError, match=words):
        config.read_yaml(text, name="file.yaml")


def test_all_doubles_are_named():
    with pytest.raises(ConfigError) as caught:
        config.read_yaml("a: 1\na: 2\nb: {c: 1, c: 2}\n", name="file.yaml")
    assert list(caught.value.problems) == [
        "file.yaml, line 2: 'a' stands here a second time, first on line 1; keep one of them",
        "file.yaml, line 3: 'c' stands here a second time, first on line 3; keep one of them",
    ]


def test_files_are_utf8_with_or_without_mark(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes("\ufeffa: łódź".encode())
    document = config.read_yaml(path)
    assert document.mapping() == {"a": "łódź"}
    assert document.source == str(path)
    path.write_bytes(b"a: 1\nb: \xb3\xf3d\xbc\n")
    with pytest.raises(ConfigError, match="line 2: this is not UTF-8"):
        config.read_yaml(path)


def test_a_huge_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "LONGEST_FILE", 10)
    path = tmp_path / "x.yaml"
    path.write_text("a: 12345678901")
    with pytest.raises(ConfigError, match="larger than 10 bytes"):
        config.read_yaml(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"x\.yaml cannot be read: No such file"):
        config.read_yaml(tmp_path / "x.yaml")


@pytest.mark.parametrize(
    ("text", "words"), [("- a", "this is a list"), ("word", "this is 'word'"), ("", None)]
)
def test_keys_are_wanted_on_top(text, words):
    document = config.read_yaml(text)
    if words is None:
        assert document.mapping() == {}
        return
    with pytest.raises(ConfigError, match=words):
        document.mapping()


@given(st.text())
def test_any_text_is_a_document_or_refused(text):
    with contextlib.suppress(ConfigError):
        config.read_yaml(text)
