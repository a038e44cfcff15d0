# SPDX-License-Identifier: Apache-2.0
"""The account of a move: of every setting what became of it, and what a person is to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from gsmgw.cli.migrate.foreign import Foreign, Setting
from gsmgw.config import Place, Value

Fate = Literal["carried", "otherwise", "nothing", "unknown"]

HEADINGS: dict[Fate, str] = {
    "carried": "Carried over",
    "otherwise": "Done otherwise here",
    "nothing": "No equivalent here",
    "unknown": "Unknown, so left out",
}
#: Settings whose values are nobody's business.
_SECRETS = ("pin", "password", "telnet_password", "networkcode", "phonecode")


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one setting."""

    setting: Setting
    fate: Fate
    words: str  #: our key, how it is done here, or why not at all

    @property
    def shown(self) -> str:
        """The setting as a person finds it in the old file."""
        value = "****" if self.setting.name in _SECRETS else self.setting.value
        section = f"[{self.setting.section}] " if self.setting.section else ""
        return f"line {self.setting.line}: {section}{self.setting.name} = {value}"

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {
            "line": self.setting.line,
            "section": self.setting.section,
            "name": self.setting.name,
            "fate": self.fate,
            "words": self.words,
        }


@dataclass(slots=True)
class Account:
    """What comes of reading a foreign configuration."""

    foreign: Foreign
    wanted: dict[str, Value]  #: our configuration
    notes: dict[Place, str] = field(default_factory=dict)  #: where each of its values came from
    entries: list[Entry] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)  #: what to do by hand, and what behaves anew
    pins: dict[str, str] = field(default_factory=dict)  #: PINs by the modem's name, for files

    def carry(self, setting: Setting | None, place: Place, value: Value) -> None:
        """Put a value into our configuration, and say where it came from."""
        here: Value = self.wanted
        for step in place[:-1]:
            if isinstance(here, dict):
                here = here.setdefault(str(step), {})
            elif isinstance(here, list):
                here = here[int(step)]
        assert isinstance(here, dict)  # places name keys
        here[str(place[-1])] = value
        if setting is not None:
            self.notes[place] = self.foreign.where(setting)
            self.tell(setting, "carried", ".".join(str(s) for s in place if isinstance(s, str)))

    def tell(self, setting: Setting, fate: Fate, words: str) -> None:
        """Say what became of a setting, once; several modems may share it."""
        entry = Entry(setting, fate, words)
        if entry not in self.entries:
            self.entries.append(entry)

    def by_fate(self, fate: Fate) -> list[Entry]:
        """Return the entries of one kind, in the order of the old file."""
        found = (entry for entry in self.entries if entry.fate == fate)
        return sorted(found, key=lambda entry: entry.setting.line)

    def lines(self) -> Iterator[str]:
        """Yield the account as people read it."""
        for fate, heading in HEADINGS.items():
            entries = self.by_fate(fate)
            if entries:
                yield f"{heading}:"
            for entry in entries:
                yield f"  {entry.shown}"
                yield f"      {entry.words}"
        for number, line in self.foreign.faults:
            yield f"  line {number}: {line}"
            yield "      sets nothing, so left out"
        if self.advice:
            yield "To do, and to know:"
        for words in self.advice:
            yield f"  - {words}"
