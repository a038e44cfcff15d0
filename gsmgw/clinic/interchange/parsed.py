# SPDX-License-Identifier: Apache-2.0
"""What was read from a file: its rows, those that could not be read, and what was guessed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from gsmgw.clinic.model import Record
from gsmgw.errors import GsmgwError


class UnreadableFileError(GsmgwError):
    """Nothing of a file can be used; the text says what, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes an HL7 message once only."""

    sender: str  #: MSH-3 and MSH-4
    control_id: str  #: MSH-10
    sha256: str  #: another content under the same id is another message


@dataclass(frozen=True, slots=True)
class Row:
    """One row, object or message of a file."""

    number: int  #: from 1, a header not counted
    record: Record | None = None
    error: str | None = None  #: in words for the person who connects the program
    warnings: tuple[str, ...] = ()  #: codes, as acknowledgements list them
    identity: Identity | None = None
    ack_code: str = "AE"  #: with `error`, HL7 table 0008: AE our data, AR not for us
    ack_head: tuple[str, ...] = ()  #: what an HL7 acknowledgement repeats of its message
    raw: str = ""  #: of HL7: the message, to be kept if it is refused


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file as it was read."""

    kind: str  #: visits patients json hl7
    rows: tuple[Row, ...]
    #: of visits: the days that the file speaks of, in the clinic's time
    days: frozenset[dt.date] = frozenset()
    #: what was guessed and may be wrong, in words
    remarks: tuple[str, ...] = ()
