# SPDX-License-Identifier: Apache-2.0
"""The commented configuration as text: values are put in their places, other lines left alone.

Theory of operation. A text of YAML is revised line by line until it says what is wanted: a key that
stands there gets its new value, a key that is commented out (`#key: value`) loses its `#`, and
another is inserted. After it the text is read again by the one reader of configurations, and used
only if it then says exactly what is wanted. What line by line cannot do (values over several lines,
references) is caught by that, and then the commented default is revised instead; in the very last
resort the values are written without comments. So the result always says what is wanted.
"""

from __future__ import annotations

import importlib.resources
import json
import re
from collections.abc import Iterator, Mapping, Sequence

from gsmgw import config, errors
from gsmgw.config import Place, Value

Notes = Mapping[Place, str]

#: A scalar that needs no quotes, in a flow collection neither.
_PLAIN = re.compile(r"[A-Za-z/](?:[\w./:-]*[\w/])?|\d{1,9}(?:\.\d{1,9})?(?:ms|[smhd])?", re.ASCII)
#: A list or a group written on one line: `key: {`, `- {`, `key: [`.
_FLOW = re.compile(r"\s*(?:- )*(?:[\w.-]+:\s*)?[{\[]")
_EXAMPLE_MODEM = re.compile(r"(\s*)#\s?- name:")


def default() -> str:
    """Return the commented default configuration."""
    place = importlib.resources.files("gsmgw.cli.setup") / "gsmgw.yaml"
    return place.read_text(encoding="utf-8")


def document(text: str) -> dict[str, Value]:
    """Return what a text says, without keys that have no value.

    Raises:
        ConfigError: it is no YAML, or holds something else than keys with values.
    """
    found = _clean(config.read_yaml(text).mapping())
    assert isinstance(found, dict)
    return found


def write(texts: Sequence[str], wanted: Mapping[str, Value], notes: Notes | None = None) -> str:
    """Return the first of some texts that can be revised to say what is wanted, so revised.

    Args:
        texts: to begin with, the one liked best first.
        wanted: the whole configuration.
        notes: comments to put above what is set, by its place.
    """
    for text in texts:
        revised = revise(text, wanted, notes or {})
        if revised is not None:
            return revised
    return "".join(f"{key}: {format_value(value)}\n" for key, value in wanted.items())


def revise(text: str, wanted: Mapping[str, Value], notes: Notes) -> str | None:
    """Return a text revised so that it says what is wanted; None if that cannot be done."""
    revision = _Revision(text, wanted, notes)
    try:
        revision.make()
        found = document(revision.text)
    except (errors.ConfigError, LookupError):
        return None
    return revision.text if found == _clean(dict(wanted)) else None


def format_value(value: Value) -> str:
    """Return a value as YAML on one line."""
    if isinstance(value, dict):
        inside = ", ".join(f"{key}: {format_value(below)}" for key, below in value.items())
        return f"{{{inside}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(format_value, value))}]"
    return value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _clean(value: Value) -> Value:
    if isinstance(value, dict):
        below = {key: _clean(found) for key, found in value.items()}
        return {key: found for key, found in below.items() if found not in ("", {})}
    return [_clean(found) for found in value] if isinstance(value, list) else value


class _Revision:
    """One text on its way to saying what is wanted."""

    def __init__(self, text: str, wanted: Mapping[str, Value], notes: Notes) -> None:
        self._lines = text.rstrip("\n").split("\n")
        self._wanted = wanted
        self._notes = notes
        self._read = config.read_yaml(self.text)

    @property
    def text(self) -> str:
        """The text as it is now."""
        return "\n".join(self._lines) + "\n"

    def make(self) -> None:
        """Bring the text, place by place, to what is wanted; may fail to."""
        for place, value in list(_differences(document(self.text), dict(self._wanted), ())):
            if value is None:
                self._remove(place)
            elif place[0] == "modems" and len(place) == 2 and isinstance(value, dict):
                self._add_modem(place, value)
            else:
                self._set(place, value)

    # -- one place ----------------------------------------------------------------------------

    def _set(self, place: Place, value: Value) -> None:
        parent = place[:-1]
        if parent and parent in self._read.lines and self._is_flow(parent):
            self._set(parent, self._wanted_at(parent))
        elif place in self._read.lines:
            self._replace(place, value)
        else:
            self._insert(place, value)

    def _replace(self, place: Place, value: Value) -> None:
        number = self._read.line(*place) - 1
        if isinstance(value, dict) and not self._is_flow(place):
            for key, below in value.items():
                self._set((*place, key), below)
            return
        line = self._lines[number]
        begin = re.match(rf"\s*(?:- )*{re.escape(str(place[-1]))}\s*:", line)
        if begin is None:
            raise LookupError(line)
        self._put(number, [f"{begin.group()} {format_value(value)}"], place)

    def _insert(self, place: Place, value: Value) -> None:
        key, parent = str(place[-1]), place[:-1]
        first, end, indent = self._extent(parent)
        commented = re.compile(rf"{indent}#\s?{re.escape(key)}:(.*)")
        for number in range(first, end):
            found = commented.fullmatch(self._lines[number])
            if found is not None and isinstance(value, dict) and not found[1].strip():
                self._put(number, [f"{indent}{key}:"], place)
                self._replace(place, value)
                return
            if found is not None:
                self._put(number, [f"{indent}{key}: {format_value(value)}"], place)
                return
        number = first if parent else len(self._lines)
        self._lines.insert(number, "")
        self._put(number, [f"{indent}{key}: {format_value(value)}"], place)

    def _remove(self, place: Place) -> None:
        number = self._read.line(*place) - 1
        line = self._lines[number]
        bare = line.lstrip()
        if not bare.startswith(f"{place[-1]}:"):
            raise LookupError(line)
        self._put(number, [f"{_indent(line)}#{bare}"], ())

    # -- modems ---------------------------------------------------------------------------------

    def _add_modem(self, place: Place, value: dict[str, Value]) -> None:
        if ("modems",) not in self._read.lines:
            self._lines.append("modems:")
            self._read = config.read_yaml(self.text)
        if self._is_flow(("modems",)):
            self._replace(("modems",), self._wanted_at(("modems",)))
            return
        example = self._example_modem() if place[1] == 0 else None
        if example is not None:
            line = self._lines[example]
            self._put(example, [f"{_indent(line)}- name: {format_value(value['name'])}"], place)
            for key, below in value.items():
                if key != "name":
                    self._set((*place, key), below)
            return
        number, indent = self._after_last_modem(int(place[1]))
        lines = [f"{indent}  {key}: {format_value(below)}" for key, below in value.items()]
        lines[0] = f"{indent}- {lines[0].lstrip()}"
        if place[1] != 0:
            self._lines.insert(number, "")
            number += 1
        self._lines.insert(number, "")
        self._put(number, lines, place)

    def _example_modem(self) -> int | None:
        """Return the line on which the commented example of a modem begins."""
        first, end, _ = self._extent(("modems",))
        found = (n for n in range(first, end) if _EXAMPLE_MODEM.match(self._lines[n]))
        return next(found, None)

    def _after_last_modem(self, position: int) -> tuple[int, str]:
        """Return where the next modem is to stand, and its indentation."""
        if position == 0:
            return self._read.line("modems"), "  "
        _, end, _ = self._extent(("modems", position - 1))
        while not self._lines[end - 1].strip():
            end -= 1
        return end, _indent(self._lines[self._read.line("modems", position - 1) - 1])

    # -- lines ----------------------------------------------------------------------------------

    def _put(self, number: int, lines: list[str], place: Place) -> None:
        """Put lines in the place of one, with the note that belongs to it, and read anew."""
        note = self._notes.get(place)
        if note is not None:
            lines = [f"{_indent(lines[0])}# {note}", *lines]
        self._lines[number : number + 1] = lines
        self._read = config.read_yaml(self.text)

    def _extent(self, place: Place) -> tuple[int, int, str]:
        """Return the first line of what a group holds, the line after it, and its indentation."""
        if not place:
            return 0, len(self._lines), ""
        if place not in self._read.lines:
            raise LookupError(place)
        begin = self._read.line(*place) - 1
        head = re.match(r"\s*(?:- )*", self._lines[begin])
        assert head is not None  # every line matches
        is_element = isinstance(place[-1], int)
        width = len(head.group()) if is_element else self._width_below(begin, len(head.group()))
        end = begin + 1
        while end < len(self._lines) and self._is_inside(end, width):
            end += 1
        return begin + 1, end, " " * width

    def _width_below(self, begin: int, above: int) -> int:
        for line in self._lines[begin + 1 :]:
            if line.strip():
                width = len(_indent(line))
                return width if width > above else above + 2
        return above + 2

    def _is_inside(self, number: int, width: int) -> bool:
        line = self._lines[number]
        return not line.strip() or len(_indent(line)) >= width

    def _is_flow(self, place: Place) -> bool:
        return _FLOW.match(self._lines[self._read.line(*place) - 1]) is not None

    def _wanted_at(self, place: Place) -> Value:
        value: Value = dict(self._wanted)
        for step in place:
            if isinstance(value, dict):
                value = value[str(step)]
            elif isinstance(value, list):
                value = value[int(step)]
        return value


def _differences(found: Value, wanted: Value, place: Place) -> Iterator[tuple[Place, Value | None]]:
    """Yield the places where two documents differ, and what is wanted there; None: nothing."""
    if found == wanted:
        return
    if isinstance(found, dict) and isinstance(wanted, dict):
        for key, value in wanted.items():
            if key in found:
                yield from _differences(found[key], value, (*place, key))
            else:
                yield from _absent(value, (*place, key))
        yield from (((*place, key), None) for key in found if key not in wanted)
    elif place == ("modems",) and isinstance(found, list) and isinstance(wanted, list):
        for position, value in enumerate(wanted):
            if position < len(found):
                yield from _differences(found[position], value, (*place, position))
            else:
                yield (*place, position), value
    else:
        yield place, wanted


def _absent(value: Value, place: Place) -> Iterator[tuple[Place, Value | None]]:
    if place == ("modems",) and isinstance(value, list):
        yield from (((*place, position), modem) for position, modem in enumerate(value))
    else:
        yield place, value
