# SPDX-License-Identifier: Apache-2.0
"""Codes in words, for people who read what became of a message."""

from __future__ import annotations

from gsmgw.at import codes
from gsmgw.model import ErrorFamily

_FATES = {
    codes.DeliveryStatus.DELIVERED: "the phone has it",
    codes.DeliveryStatus.UNDELIVERED: "the network has given up",
    codes.DeliveryStatus.PENDING: "not yet, the network goes on trying",
}


def fate(status: int) -> str:
    """Return what a status report means for the part, in plain words; `status` is its TP-ST."""
    return _FATES[codes.tp_status(status).delivery]


def explain(family: str | None, code: str | None) -> str:
    """Return what a stored error says, in words; '' where there is nothing to say."""
    number = int(code) if code is not None and code.isdecimal() else None
    if family == ErrorFamily.CMS:
        return f"+CMS ERROR {code or ''}: {codes.cms(number).text}".replace(" :", ":")
    if family == ErrorFamily.CME:
        return f"+CME ERROR {code or ''}: {codes.cme(number).text}".replace(" :", ":")
    if family == ErrorFamily.TP_ST and number is not None:
        return f"status {number}: {codes.tp_status(number).text}"
    return code or ""
