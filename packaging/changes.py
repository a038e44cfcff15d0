# SPDX-License-Identifier: Apache-2.0
"""CHANGELOG.md as Debian wants it: `/usr/share/doc/gsmgw/changelog.gz`, which apt shows."""

from __future__ import annotations

import datetime as dt
import re
import textwrap
from collections.abc import Iterator
from email.utils import format_datetime

_RELEASE = re.compile(r"^## \[([0-9][^\]]*)\] - (\d{4}-\d{2}-\d{2})$", re.MULTILINE)
_CHANGE = re.compile(r"^- ((?:.+\n)(?:  .+\n)*)", re.MULTILINE)
_COLUMNS = 78


def as_debian(text: str, maintainer: str) -> str:
    """Return all releases of a changelog in the form of deb-changelog(5), the newest first.

    Args:
        text: in the form of Keep a Changelog; what is not released is left out.
        maintainer: name and address.
    """
    pieces = _RELEASE.split(text)[1:]
    found = zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True)
    return "\n".join(
        "\n".join(_release(number, day, changes, maintainer)) for number, day, changes in found
    )


def _release(number: str, day: str, changes: str, maintainer: str) -> Iterator[str]:
    yield f"gsmgw ({number}) stable; urgency=medium"
    yield ""
    for change in _CHANGE.findall(changes):
        words = " ".join(change.split())
        yield textwrap.fill(
            words, _COLUMNS, initial_indent="  * ", subsequent_indent="    ",
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
    yield ""
    noon = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(12), dt.UTC)
    yield f" -- {maintainer}  {format_datetime(noon)}\n"
