# SPDX-License-Identifier: Apache-2.0
"""Tells the lines of a modem apart: final results, unsolicited codes, everything else.

A final result ends every command (ITU-T V.250 5.7, 3GPP TS 27.007 9, 27.005 3.2.5). Modems write
it with and without the blank behind the colon, with a number, with words (AT+CMEE=2, or by
themselves), and with nothing at all behind it.

An unsolicited code can come anywhere, even inside the answer of a command. Three of them carry a
PDU on a second line.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from enum import StrEnum

from gsmgw.at import codes, fields


class FinalKind(StrEnum):
    """How a command ended."""

    OK = "OK"
    ERROR = "ERROR"  #: refused without a reason
    CME = "CME"  #: refused by the modem or SIM, 3GPP TS 27.007 9.2
    CMS = "CMS"  #: refused by the message service, 3GPP TS 27.005 3.2.5
    CALL = "CALL"  #: NO CARRIER, BUSY, NO ANSWER, NO DIALTONE: a call ended or never began
    CONNECT = "CONNECT"  #: a data or voice connection stands


@dataclass(frozen=True, slots=True)
class Final:
    """The line that ends a command."""

    kind: FinalKind
    code: int | None  #: the number of a CME or CMS error; None where the modem gave none we know
    text: str  #: the modem's own words

    @property
    def ok(self) -> bool:
        """Return whether the command succeeded."""
        return self.kind in (FinalKind.OK, FinalKind.CONNECT)


_PLAIN = {
    "OK": FinalKind.OK,
    "ERROR": FinalKind.ERROR,
    "COMMAND NOT SUPPORT": FinalKind.ERROR,  # Huawei E1xx
    "COMMAND NOT SUPPORTED": FinalKind.ERROR,
    "TOO MANY PARAMETERS": FinalKind.ERROR,  # Huawei E1xx
    "OPERATION NOT SUPPORTED": FinalKind.ERROR,
    "ABORTED": FinalKind.ERROR,  # V.250 5.6.1, a character came while the command ran
    "NO CARRIER": FinalKind.CALL,
    "NO DIALTONE": FinalKind.CALL,
    "NO DIAL TONE": FinalKind.CALL,
    "NO ANSWER": FinalKind.CALL,
    "BUSY": FinalKind.CALL,
    "CONNECT": FinalKind.CONNECT,
}
_CODED = re.compile(r"\+(CM[ES]) ?ERROR\s*:?\s*(.*)", re.IGNORECASE)
#: Line noise behind a final result; never part of one.
_NOISE = "".join(map(chr, range(0x7F, 0x100)))

#: Names of unsolicited codes of one line: 27.005 3.4.1 and 27.007, then what vendors add.
_STANDARD = """
    +CMTI +CDSI +CBMI RING +CRING +CLIP +CCWA +CREG +CGREG +CEREG +CUSD +CSSI +CSSU +CTZV +CTZE
    +CTZDST +CTZEU +CGEV +CIEV +CPIN +CFUN +CALA +CDIP +COLP +CNAP
"""
_HUAWEI = """
    ^RSSI ^BOOT ^MODE ^SRVST ^SIMST ^SMMEMFULL ^DSFLOWRPT ^STIN ^ORIG ^CONF ^CONN ^CEND ^CSNR ^THERM
    ^NWTIME ^HCSQ ^NDISSTAT ^ANLEVEL ^EARST ^LWURC ^SYSSTART ^CRSSI ^RFSWITCH ^NWNAME ^SPN ^RESUME
    ^LTERSRP ^CERSSI ^CSQ
"""
_ZTE = "+ZPASR +ZUSIMR +ZDONR +ZMSR +ZEND +ZPSTM +ZURDY +ZSMGS +ZUFCH +ZVSOR HANGUP"
_SIMCOM_QUECTEL = """
    RDY +PSUTTZ *PSUTTZ *PSNWID DST +QIND +QUSIM +QNITZ +CMGSEX +SIMEI +CSMINS +SMSFULL +STIN
    +PBREADY +DTMF +QLTONE +CPSMSTATUS START *ATREADY
"""
_OTHERS = "+WIND ^SBC $QCSIMSTAT +SIND ^SHUTDOWN ^SCKS MODEM"  # Wavecom, Cinterion, Qualcomm
_SENTENCES = (
    "CALL READY",
    "SMS READY",
    "SMS DONE",
    "PB DONE",
    "VOICE CALL",  # SIMCom SIM7x00 and A76xx: BEGIN, END
    "MISSED_CALL",  # likewise
    "NORMAL POWER DOWN",
    "POWERED DOWN",
    "UNDER-VOLTAGE WARNNING",  # SIMCom spells it so
    "OVER-VOLTAGE WARNNING",
)

#: Unsolicited codes by what stands before the colon, with their number of lines.
_UNSOLICITED: dict[str, int] = {
    **dict.fromkeys((_STANDARD + _HUAWEI + _ZTE + " " + _SIMCOM_QUECTEL + _OTHERS).split(), 1),
    **dict.fromkeys(_SENTENCES, 1),
    **dict.fromkeys(("+CMT", "+CDS", "+CBM"), 2),
}

#: What a modem says when it has just started: it has forgotten all that it was told.
#: Not ^BOOT: Huawei sticks repeat that all day. Not +CFUN or +CPIN: they come at other times too.
#: *ATREADY is how SIMCom A76xx begin; they have no RDY.
_RESTARTED = frozenset({"RDY", "^SYSSTART", "MODEM", "START", "*ATREADY"})

_RINGING = frozenset({"RING", "+CRING", "+CLIP"})


def parse_final(text: str) -> Final | None:
    """Return the final result that this line is, or None."""
    text = text.rstrip(_NOISE).rstrip()
    kind = _PLAIN.get(text.upper())
    if kind is None and text.startswith("CONNECT "):  # CONNECT 9600
        kind = FinalKind.CONNECT
    if kind is not None:
        return Final(kind, None, text)
    coded = _CODED.fullmatch(text)
    if coded is None:
        return None
    kind = FinalKind(coded[1].upper())
    return Final(kind, _code(kind, coded[2]), text)


def _code(kind: FinalKind, reason: str) -> int | None:
    code = fields.number(reason)
    if code is not None:
        return code
    return _codes_by_words(kind).get(fields.unquote(reason).casefold())


@functools.cache
def _codes_by_words(kind: FinalKind) -> dict[str, int]:
    """The tables of `codes` turned round, for modems that answer in words (AT+CMEE=2)."""
    table = codes.cms if kind is FinalKind.CMS else codes.cme
    unknown = table(None).source
    found: dict[str, int] = {}
    for number in range(512):
        code = table(number)
        if code.source != unknown:
            found.setdefault(code.text.casefold(), number)
    return found


def head(text: str) -> str:
    """Return the name of a line, what stands before its colon, in capitals: `+CMTI`."""
    return text.partition(":")[0].strip().upper()


def unsolicited_lines(text: str) -> int:
    """Return of how many lines the unsolicited code is that begins here; 0 if none is known."""
    return _UNSOLICITED.get(head(text), 0)


def is_restart(text: str) -> bool:
    """Return whether the modem says with this line that it has just started."""
    return head(text) in _RESTARTED


def is_ringing(text: str) -> bool:
    """Return whether this line belongs to an incoming call."""
    return head(text) in _RINGING


def matches(text: str, prefixes: tuple[str, ...]) -> bool:
    """Return whether a line begins with one of the prefixes, whatever the capitals."""
    upper = text.upper()
    return any(upper.startswith(prefix) for prefix in prefixes)


def is_hex(text: str, shortest: int = 2) -> bool:
    """Return whether a line can be a PDU: an even number of hexadecimal digits, no fewer."""
    return len(text) >= shortest and len(text) % 2 == 0 and _HEX.fullmatch(text) is not None


_HEX = re.compile(r"[0-9A-Fa-f]+")
