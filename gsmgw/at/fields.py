# SPDX-License-Identifier: Apache-2.0
"""Splits the parameters of an AT answer: commas, quotes, brackets and missing values.

3GPP TS 27.007 4 separates parameters by commas, quotes strings and brackets lists. Modems leave
out quotes, put blanks where none belong and forget parameters; everything here gives an empty value
for what it cannot read and never raises.
"""

from __future__ import annotations

import re

# No more digits than the store takes: a damaged line may hold thousands, which int() refuses.
_NUMBER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_HEXADECIMAL = re.compile(r"(?:0[xX])?[0-9A-Fa-f]{1,15}")


def after_colon(text: str) -> str:
    """Return what stands behind the name of an answer: `+CSQ: 17,99` gives `17,99`."""
    return text.partition(":")[2].strip()


def split(text: str) -> list[str]:
    """Split at the commas that stand outside quotes and brackets; quotes stay."""
    found: list[str] = []
    start = depth = 0
    quoted = False
    for at, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif character == "," and depth <= 0:
            found.append(text[start:at].strip())
            start = at + 1
    found.append(text[start:].strip())
    return found


def unquote(field: str) -> str:
    """Return a field without its quotes and outer blanks."""
    return field.strip().removeprefix('"').removesuffix('"').strip()


def values(text: str) -> list[str]:
    """Return the parameters of a whole answer line, unquoted."""
    return [unquote(field) for field in split(after_colon(text))]


def number(field: str) -> int | None:
    """Read a decimal number of at most 18 digits, quoted or not; None if it is none."""
    field = unquote(field)
    return int(field) if _NUMBER.fullmatch(field) else None


def hexadecimal(field: str) -> int | None:
    """Read a hexadecimal number, quoted or not, with or without 0x; None if it is none."""
    field = unquote(field)
    return int(field, 16) if _HEXADECIMAL.fullmatch(field) else None


def get(fields: list[str], at: int) -> str:
    """Return one field, empty where the answer is shorter."""
    return fields[at] if at < len(fields) else ""


def brackets(text: str) -> list[list[str]]:
    """Return the lists of a test answer, each as its unquoted members.

    `("SM","ME"),("SM")` gives two lists; one more pair of brackets around all is taken off; members
    without brackets make one list each.
    """
    text = text.strip()
    if text.startswith("((") and text.endswith("))"):
        text = text[1:-1]
    lists = []
    for field in split(text):
        inner = field.removeprefix("(").removesuffix(")")
        members = [unquote(member) for member in split(inner)]
        lists.append([member for member in members if member])
    return lists
