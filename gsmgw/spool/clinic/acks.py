# SPDX-License-Identifier: Apache-2.0
"""Acknowledgements: what the clinic's program is told of each of its files."""

from __future__ import annotations

import json
from pathlib import Path

from gsmgw.spool import files, names
from gsmgw.spool.clinic.places import Places
from gsmgw.store.clinic.imports import Progress


def document(name: str, progress: Progress, unreadable: str | None) -> dict[str, object]:
    """Return what stands in `out/ack/FILE.json`."""
    found: dict[str, object] = {
        "file": names.to_text(name),
        "accepted": progress.accepted,
        "refused": progress.refused,
        "warnings": progress.warnings,
        "requests": progress.requests,
        "errors": progress.errors,
        "remarks": progress.remarks,
    }
    if unreadable is not None:
        found["error"] = unreadable
    return found


def write(places: Places, tmp_name: str, name: str, content: bytes) -> None:
    """Put a file into out/ack, whole or not at all. Blocks for the disk.

    Raises:
        OSError: the disk cannot now; nothing is lost, call again.
    """
    place(places, tmp_name, places.ack / name, content)
    files.sync(places.ack)


def place(places: Places, tmp_name: str, target: Path, content: bytes) -> None:
    """Put a file somewhere in the clinic's folders; not on disk before its folder is synced."""
    aside = places.spool / ".tmp" / tmp_name
    files.write(aside, content)
    files.move(aside, target)


def as_bytes(found: dict[str, object]) -> bytes:
    """Return a document as it stands in a file."""
    return (json.dumps(found, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def explain(name: str, progress: Progress, unreadable: str | None) -> str:
    """Return the text beside a refused file, for the person who connects the program."""
    lines = [f"{names.to_text(name)} was not used."]
    if unreadable is not None:
        lines += ["", unreadable]
    for error in progress.errors:
        lines += ["", f"row {error['row']}: {error['why']}"]
    lines += ["", "Mend it and put it into clinic/in again. See docs/clinic.md."]
    return "\n".join(lines) + "\n"
