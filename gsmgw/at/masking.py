# SPDX-License-Identifier: Apache-2.0
"""Masks what must not stand in a log in lines to and from a modem: PIN, PDU, numbers, texts.

The dialogue is logged at debug level only, and still holds no patient: PDUs shrink to their size,
runs of seven digits and more (numbers, IMSI, ICCID, IMEI) keep their first three and last two.
"""

from __future__ import annotations

import re

_PDU = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{24,}(?![0-9A-Za-z])")
_DIGITS = re.compile(r"\d{7,}")
_PIN = re.compile(r"(\+CPIN2?|\+CLCK|\+CPWD|\+CPINC?|\^CPIN)\s*=.*", re.IGNORECASE)
_WORDS = re.compile(r'(\+(?:CUSD|CMGS|CMGW)\s*[:=][^"]*")[^"]*', re.IGNORECASE)


def mask(text: str) -> str:
    """Return a line as it may be logged."""
    text = _PIN.sub(r"\1=***", text)
    text = _WORDS.sub(r"\1***", text)
    text = _PDU.sub(lambda found: f"<{len(found[0]) // 2} octets>", text)
    return _DIGITS.sub(lambda found: f"{found[0][:3]}***{found[0][-2:]}", text)


class Masked:
    """A line that is masked only when it is really written to a log."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return mask(self._text)
