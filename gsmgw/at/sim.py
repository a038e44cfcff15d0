# SPDX-License-Identifier: Apache-2.0
"""Reads answers about the modem's and the SIM's identity, the PIN, and files on the SIM."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gsmgw.at import fields


def parse_pin_state(text: str) -> str:
    """Read `+CPIN: READY`, `+CPIN:READY`, `+CPIN: "SIM PIN"` (27.007 8.3) in capitals."""
    return fields.unquote(fields.after_colon(text)).upper()


#: Where the PIN tries stand: Huawei ^CPIN `code,times,PUK,PIN,PUK2,PIN2`; 27.007 8.65 +CPINR
#: `code,retries`; Quectel +QPINC `facility,PIN,PUK`; SIMCom +SPIC `PIN,PUK,...`; ZTE `PIN,...`.
_TRIES_AT = {"^CPIN": 3, "+CPINR": 1, "+QPINC": 1, "+SPIC": 0, "+ZPINPUK": 0}


def parse_pin_tries(text: str) -> int | None:
    """Return how many tries the SIM leaves for its PIN; None if this line does not say."""
    at = _TRIES_AT.get(text.partition(":")[0].strip().upper())
    if at is None:
        return None
    tries = fields.number(fields.get(fields.values(text), at))
    return tries if tries is not None and 0 <= tries <= 10 else None


def parse_iccid(text: str) -> str | None:
    """Read an ICCID from `+CCID:`, `^ICCID:`, `+QCCID:`, `+ICCID:`, `+ZGETICCID:` or bare digits.

    ICCIDs begin with 89 (ITU-T E.118). Where the modem gives the file as it lies on the SIM, each
    pair of digits is swapped and it begins with 98. Filling F at the end is dropped.
    """
    digits = _last_value(text).rstrip("Ff")
    if digits.startswith("98"):
        digits = unswap(_last_value(text)).rstrip("Ff")
    return digits if re.fullmatch(r"89\d{16,18}", digits) else None


def unswap(digits: str) -> str:
    """Swap each pair of digits (semi-octets, 3GPP TS 23.040 9.1.2.3)."""
    return "".join(digits[at : at + 2][::-1] for at in range(0, len(digits), 2))


def parse_imei(lines: Sequence[str]) -> str | None:
    """Return the IMEI from the lines of AT+CGSN: bare, quoted or behind `+CGSN:`.

    15 digits, 14 without the check digit, 16 with the software version.
    """
    return _first_digits(lines, 14, 16)


def parse_imsi(lines: Sequence[str]) -> str | None:
    """Return the IMSI from the lines of AT+CIMI: 6 to 15 digits (23.003 2.2)."""
    return _first_digits(lines, 6, 15)


def _first_digits(lines: Sequence[str], fewest: int, most: int) -> str | None:
    for line in lines:
        digits = _last_value(line)
        if digits.isascii() and digits.isdigit() and fewest <= len(digits) <= most:
            return digits
    return None


def _last_value(text: str) -> str:
    return fields.unquote(text.rpartition(":")[2])


#: An answer with a name in front, which a free text (maker, model) never is unless it is its own.
_NAMED = re.compile(r"[+^*$#&][A-Z][A-Z0-9]*:", re.IGNORECASE)

_PRINTABLE = re.compile(r"[ -~]+")


def parse_name(lines: Sequence[str], command: str) -> str | None:
    """Return the free text of AT+CGMI, +CGMM or +CGMR (`command` is `+CGMI`, ...), None if none.

    Lines with bytes that are no ASCII are line noise: names of makers and models have none.
    """
    for line in lines:
        if line.upper().startswith(command + ":"):
            return fields.unquote(fields.after_colon(line)) or None
        if not _NAMED.match(line) and _PRINTABLE.fullmatch(line):
            return fields.unquote(line) or None
    return None


@dataclass(frozen=True, slots=True)
class SimFile:
    """What the SIM answered to +CRSM (27.007 8.18)."""

    ok: bool  #: status words 90 00, or 91 xx and 9F xx
    content: bytes


def parse_sim_file(text: str) -> SimFile | None:
    """Read `+CRSM: 144,0,"..."`; None if it is no such answer."""
    found = fields.values(text)
    sw1 = fields.number(fields.get(found, 0))
    if sw1 is None:
        return None
    try:
        content = bytes.fromhex(fields.get(found, 2))
    except ValueError:
        content = b""
    return SimFile(sw1 in (0x90, 0x91, 0x9F), content)


def last_reference(smss: SimFile) -> int | None:
    """Return the last TP-MR used, the first octet of EF_SMSS (3GPP TS 51.011 10.5.7)."""
    return smss.content[0] if smss.ok and smss.content else None
