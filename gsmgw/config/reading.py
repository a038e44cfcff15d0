# SPDX-License-Identifier: Apache-2.0
"""YAML as strings, with the line of every key: the one place where YAML is read.

PyYAML's usual loaders turn `NO`, `off`, `12:30`, `0123` and `+48500100201` into other things. Here
every scalar stays the string that stands in the file; whoever reads it gives it a type. A key
without a value is an empty string.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import yaml

from gsmgw.errors import ConfigError

#: What YAML holds once every scalar is a string.
Value: TypeAlias = "str | list[Value] | dict[str, Value]"
#: The way to a value from the top: keys of mappings and positions in lists, counted from 0.
Place: TypeAlias = tuple[str | int, ...]

#: A larger file is not ours.
LONGEST_FILE = 8_000_000
#: Deeper nesting, or more values (a few lines of YAML references can stand for billions), is a
#: mistake or an attack.
DEEPEST = 50
MOST_VALUES = 200_000


@dataclass(frozen=True, slots=True)
class Document:
    """What a YAML file says, and on which line."""

    value: Value
    source: str  #: the file's name, for messages
    lines: dict[Place, int] = field(default_factory=dict)  #: of every key and list element, from 1

    def mapping(self) -> dict[str, Value]:
        """Return the keys and values on top; an empty file has none.

        Raises:
            ConfigError: the file holds something else, such as a list.
        """
        if isinstance(self.value, dict):
            return self.value
        if self.value == "":
            return {}
        raise ConfigError(
            f"{self.where()}: keys with values are wanted here ('country: PL')"
            f" but this is {describe(self.value)}"
        )

    def line(self, *place: str | int) -> int:
        """Return the line of a place, or of the nearest thing around it that stands in the file."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def where(self, *place: str | int) -> str:
        """Return a place as messages name it: `gsmgw.yaml, line 12`."""
        return f"{self.source}, line {self.line(*place)}"


def read_yaml(source: Path | str, *, name: str = "YAML") -> Document:
    """Read a YAML file (a Path) or YAML text (a str); blocks for the reading of the file.

    Args:
        source: the file, or the text itself.
        name: what messages call a text; a file is called by its path.

    Raises:
        ConfigError: the file cannot be read, or is no valid YAML, or a key stands there twice; the
            problems name the line.
    """
    if isinstance(source, Path):
        name = str(source)
        text = _read_file(source)
    else:
        text = source
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}{_explain(error)}") from error
    except RecursionError as error:
        raise ConfigError(f"{name}: it is nested too deeply to be read") from error
    walk = _Walk(name)
    value: Value = walk.visit(root, ()) if root is not None else ""
    if walk.problems:
        raise ConfigError("; ".join(walk.problems), tuple(walk.problems))
    return Document(value, name, walk.lines)


def describe(value: Value) -> str:
    """Say in words what was found: a list, keys, nothing, or the text itself."""
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "a group of keys"
    return repr(value) if value else "nothing"


class _Walk:
    """Turns YAML nodes into values and collects lines and problems on the way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[Place, int] = {}
        self.problems: list[str] = []
        self.count = 0

    def visit(self, node: yaml.Node, place: Place) -> Value:
        self.count += 1
        if len(place) > DEEPEST or self.count > MOST_VALUES:
            line = node.start_mark.line + 1
            raise ConfigError(f"{self.name}, line {line}: too much or too deeply nested from here")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return self._sequence(node, place)
        return str(node.value)

    def _sequence(self, node: yaml.SequenceNode, place: Place) -> Value:
        values = []
        for position, element in enumerate(node.value):
            self.lines[*place, position] = element.start_mark.line + 1
            values.append(self.visit(element, (*place, position)))
        return values

    def _mapping(self, node: yaml.MappingNode, place: Place) -> Value:
        values: dict[str, Value] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(f"{self.name}, line {line}: a key must be a plain word")
                continue
            key = str(key_node.value)
            if key in values:
                self.problems.append(
                    f"{self.name}, line {line}: '{key}' stands here a second time,"
                    f" first on line {self.lines[*place, key]}; keep one of them"
                )
                continue
            self.lines[*place, key] = line
            values[key] = self.visit(value_node, (*place, key))
        return values


def _read_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            octets = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(octets) > LONGEST_FILE:
        raise ConfigError(f"{path} is larger than {LONGEST_FILE} bytes; that is no such file")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}, line {line}: this is not UTF-8; save the file in UTF-8"
        ) from error


def _explain(error: yaml.YAMLError) -> str:
    """Say what is wrong with the syntax, beginning with the line: `, line 3: ...`."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    place = f", line {mark.line + 1}" if mark is not None else ""
    advice = ""
    if "'\\t'" in problem:
        advice = "; indent with blanks, not with tabs"
    elif "mapping values are not allowed" in problem:
        advice = "; a text with ': ' in it needs quotes, or the indentation is off"
    return f"{place}: this is no valid YAML: {problem}{advice}"
