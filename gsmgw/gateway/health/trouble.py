# SPDX-License-Identifier: Apache-2.0
"""A finding: one thing that is wrong, in plain words, with what to do."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

Level: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong."""

    level: Level  #: error wants a person now, warning today
    name: str  #: stable word, listed in docs/operate.md
    where: str  #: modem, file, directory, service; "" for the whole
    what: str  #: in plain words
    do: str  #: what a technician does, with the command to type

    def as_json(self) -> dict[str, str]:
        """Return it for programs."""
        return asdict(self)


def parse_stored(stored: str) -> dt.datetime:
    """Read a stored time; one without a zone is in UTC."""
    at = dt.datetime.fromisoformat(stored)
    return at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)


def is_before(stored: str, limit: dt.datetime) -> bool:
    """Compare a stored time, which other software may have written as it liked."""
    try:
        return parse_stored(stored) < limit
    except ValueError:
        return False


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 file`, `2 files`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def age(seconds: float) -> str:
    """Return a time in minutes, or hours and minutes."""
    minutes = int(seconds // 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
