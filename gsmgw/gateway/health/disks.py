# SPDX-License-Identifier: Apache-2.0
"""How much room the disks have on which the database and the spool stand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

#: With less than this nothing can be accepted soon, in octets: a commit needs some pages of log.
FULL_OCTETS, FULL_SHARE = 20_000_000, 0.02
#: With less than this it is time to make room. Of a small disk the share counts.
LOW_OCTETS, LOW_SHARE = 300_000_000, 0.1


@dataclass(frozen=True, slots=True)
class Disk:
    """Room for what stands at one place."""

    what: str  #: database or spool
    path: str
    free_octets: int  #: for other users than root
    total_octets: int
    free_files: int | None  #: None where the file system does not count them

    @property
    def is_full(self) -> bool:
        """Tell whether writing fails now or at any moment."""
        least = min(FULL_OCTETS, FULL_SHARE * self.total_octets)
        return self.free_octets < least or self.free_files == 0

    @property
    def is_low(self) -> bool:
        """Tell whether there will be no room some day soon."""
        return self.free_octets < min(LOW_OCTETS, LOW_SHARE * self.total_octets)

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return asdict(self)


def look(places: Mapping[str, Path]) -> list[Disk]:
    """Return the room at each place; what cannot be asked is left out."""
    found = []
    for what, path in places.items():
        try:
            room = os.statvfs(path)
        except OSError:
            continue
        free_files = room.f_favail if room.f_files else None
        octets = room.f_bavail * room.f_frsize
        found.append(Disk(what, str(path), octets, room.f_blocks * room.f_frsize, free_files))
    return found
