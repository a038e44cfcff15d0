# SPDX-License-Identifier: Apache-2.0
"""Phone numbers: what people write, as E.164, and as much of it as a log may show."""

from __future__ import annotations

import re
import unicodedata

# Two-digit country codes of ITU-T E.164; 1 and 7 stand alone, all others have three digits.
_TWO_DIGIT_CODE = re.compile(r"2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]")

# What people put between digits to read them better.
_SEPARATORS = " -./()\t\u00a0\u2010\u2011\u2012\u2013\u2212"
_WITHOUT_SEPARATORS = {ord(char): None for char in _SEPARATORS}

# Of a shorter number a log shows the last two digits only.
_SHOWN_FROM_DIGITS = 9
_HIDDEN_DIGITS = 2


def country_code_length(number: str) -> int:
    """Return how many digits after the `+` of an E.164 number are its country code: 1, 2 or 3."""
    digits = number.removeprefix("+")
    if digits[:1] in ("1", "7"):
        return 1
    return 2 if _TWO_DIGIT_CODE.match(digits) else 3


def mask(number: str) -> str:
    """Hide a number for a log: `+48601234567` as `+48601***567`; pure, never raises.

    Country code and three digits, `***`, the last three. Under nine digits `***` and the last two;
    of an alphanumeric sender the first letter. At least two digits stay hidden: a short
    number of a country with a long code would otherwise be shown whole.
    """
    compact = unicodedata.normalize("NFKC", number).translate(_WITHOUT_SEPARATORS)
    digits = compact.removeprefix("+")
    if not digits:
        return ""
    if not all(char.isdecimal() or char in "*#" for char in digits):
        return f"{digits[0]}***"
    if len(digits) < _SHOWN_FROM_DIGITS:
        return f"***{digits[-2:]}"
    international = compact.startswith("+")
    head = (country_code_length(digits) if international else 0) + 3
    head = min(head, len(digits) - 3 - _HIDDEN_DIGITS)
    return f"{'+' if international else ''}{digits[:head]}***{digits[-3:]}"
