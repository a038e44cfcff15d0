# SPDX-License-Identifier: Apache-2.0
"""The configuration of another program as it stands: sections of `name = value`, with lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gsmgw import errors

#: A larger file is no configuration.
_LONGEST_FILE = 1_000_000


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the file that sets something."""

    section: str  #: "" before the first one; as it is written
    name: str  #: small letters
    value: str  #: without blanks and quotes around it
    line: int  #: from 1


@dataclass(frozen=True, slots=True)
class Foreign:
    """A file of settings."""

    path: Path
    settings: list[Setting]
    sections: list[str]  #: in their order, each once
    faults: list[tuple[int, str]]  #: lines that set nothing and are no comment

    def of(self, section: str) -> dict[str, Setting]:
        """Return what a section sets, the last of several equal names."""
        return {one.name: one for one in self.settings if one.section == section}

    def where(self, setting: Setting) -> str:
        """Return a setting as notes name it: `smsd.conf, line 12: report = yes`."""
        shown = f" = {setting.value}" if setting.value else ""
        return f"{self.path.name}, line {setting.line}: {setting.name}{shown}"


def read(path: Path, *, comments: str = "#") -> Foreign:
    """Read a file; blocks for the reading.

    Args:
        path: the file.
        comments: the characters that begin a comment, each at the start of a line.

    Raises:
        BadFileError: it is too large, or no text.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        octets = file.read(_LONGEST_FILE + 1)
    if len(octets) > _LONGEST_FILE or b"\0" in octets:
        raise errors.BadFileError(f"{path} is no configuration: it is too large, or no text")
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = octets.decode("iso8859-15")  # what programs of that age are configured in
    settings: list[Setting] = []
    sections: list[str] = []
    faults: list[tuple[int, str]] = []
    section = ""
    for number, line in _lines(text, comments):
        if line.startswith("[") and "]" in line:
            section = line[1 : line.index("]")].strip()
            if section not in sections:
                sections.append(section)
            continue
        name, is_setting, value = line.partition("=")
        if is_setting and name.strip():
            value = _unquoted(value.strip())
            settings.append(Setting(section, name.strip().lower(), value, number))
        else:
            faults.append((number, line))
    return Foreign(path, settings, sections, faults)


def _lines(text: str, comments: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        bare = line.strip()
        if bare and bare[0] not in comments:
            yield number, bare


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


def is_on(value: str) -> bool:
    """Tell whether a switch is on, as these programs read it."""
    return value.strip().lower() in ("yes", "true", "on", "1")
