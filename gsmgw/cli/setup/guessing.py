# SPDX-License-Identifier: Apache-2.0
"""Guesses from this machine in which country and time zone it stands."""

from __future__ import annotations

import os
import re
from pathlib import Path

from gsmgw import phone
from gsmgw.cli.doctor import machine

#: A machine that was set up without a thought stands there; no clinic does.
_NO_PLACE = re.compile(r"(?:Etc/)?(?:UTC|GMT|UCT|Universal|Zulu)|Etc/.*")
_ZONES = "usr/share/zoneinfo"


def timezone() -> str | None:
    """Return the name of the machine's time zone; None if it has none, or UTC."""
    try:
        name = (machine.ROOT / "etc/timezone").read_text("utf-8", "replace").strip()
    except OSError:
        target = os.path.realpath(machine.ROOT / "etc/localtime")
        name = target.partition(f"/{_ZONES}/")[2]
    return None if not name or _NO_PLACE.fullmatch(name) else name


def country(zone: str | None) -> str | None:
    """Return the country of a time zone, else that of the machine's language; None if unknown."""
    for line in _lines(machine.ROOT / _ZONES / "zone.tab"):
        fields = line.split("\t")  # country, coordinates, zone; see tzfile(5) and zone.tab itself
        if len(fields) > 2 and fields[2] == zone and phone.is_country(fields[0]):
            return fields[0]
    words = [os.environ.get(name, "") for name in ("LC_ALL", "LANG")]
    words += _lines(machine.ROOT / "etc/default/locale")
    for word in words:
        found = re.search(r"[a-z]{2}_([A-Z]{2})\b", word)
        if found is not None and phone.is_country(found[1]):
            return found[1]
    return None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
