# SPDX-License-Identifier: Apache-2.0
"""Which AT lines only read: everything else may change a modem under the daemon, or lock a SIM.

Rules: a line is taken apart at `;` as the modem does it (ITU-T V.250 5.2). Each command in it must
be a test (`=?`) or a question (`?`) of an extended command, one of those that read without a
question mark, or one of the basic commands I and E. Vendors' own commands (`^`, `$`, `%` …) are
never taken for harmless: some of them reset the modem when asked.
"""

from __future__ import annotations

import re

LONGEST_LINE = 500

#: Read although they bear no question mark (3GPP TS 27.005 and 27.007).
_READING = frozenset(
    {
        "+CCID",
        "+CEER",
        "+CESQ",
        "+CGMI",
        "+CGMM",
        "+CGMR",
        "+CGSN",
        "+CIMI",
        "+CLAC",
        "+CLCC",
        "+CNUM",
        "+CPAS",
        "+CREG",
        "+CSQ",
        "+GCAP",
        "+GMI",
        "+GMM",
        "+GMR",
        "+GSN",
        "+ICCID",
        "+QCCID",
    }
)
# +CRSM 176, 178, 192 and 242 read files of the SIM (27.007 8.18); CMGR reads one message.
_READING_WITH_VALUE = re.compile(r"\+CRSM=(176|178|192|242)(,|$)|\+CMGR=\d+$")
_EXTENDED = re.compile(r"\+[A-Z0-9!%\-./:_]+(=\?|\?)?$")
_BASIC = re.compile(r"(I\d*|E[01]?)*$")


def fault(line: str) -> str | None:
    """Say why a line cannot be sent at all; None if it can."""
    if len(line) > LONGEST_LINE:
        return f"it is longer than {LONGEST_LINE} characters"
    if not line.isascii() or not line.isprintable():
        return "it holds characters that no AT command has"
    if not line.upper().startswith("AT"):
        return "it does not begin with AT"
    return None


def reads_only(line: str) -> bool:
    """Tell whether a line changes nothing in the modem, the SIM, or the network."""
    body = line.strip().upper().removeprefix("AT").replace(" ", "")
    return all(_reads(command) for command in body.split(";"))


def _reads(command: str) -> bool:
    # Basic commands may stand before an extended one without a separator: ATE0+CSQ.
    basic, plus, extended = command.partition("+")
    if not _BASIC.match(basic):
        return False
    if not plus:
        return True
    whole = f"+{extended}"
    if whole in _READING or _READING_WITH_VALUE.match(whole):
        return True
    found = _EXTENDED.match(whole)
    return found is not None and found.group(1) is not None
