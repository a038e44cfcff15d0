# SPDX-License-Identifier: Apache-2.0
"""Tables for spreadsheets: UTF-8 with BOM and `;`, in which no foreign text becomes a formula."""

from __future__ import annotations

import csv
import datetime as dt
import io
import unicodedata
from collections.abc import Iterable, Sequence

#: What makes a spreadsheet take a cell for a formula, or hide that it is one.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\u2212", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def document(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a table as it stands in a file; a double click opens it in a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "replace")


def foreign(text: str | None) -> str:
    """Return words that somebody else has written as one harmless cell on one line."""
    kept = "".join(
        " " if unicodedata.category(sign) in ("Cc", "Zl", "Zp") else sign
        for sign in text or ""
        if unicodedata.category(sign) not in ("Cf", "Cs") or sign == "\u200d"  # joins emoji
    )
    cell = " ".join(kept.split(" ")).strip()
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def local(at: str | None, zone: dt.tzinfo) -> str:
    """Return a time of the store on the clinic's clock, `2026-03-05 10:15`; "" for none."""
    if not at:
        return ""
    return f"{dt.datetime.fromisoformat(at).astimezone(zone):%Y-%m-%d %H:%M}"
