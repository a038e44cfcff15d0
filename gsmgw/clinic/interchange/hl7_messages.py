# SPDX-License-Identifier: Apache-2.0
"""HL7 v2 messages in files: SIU about visits, ADT about patients.

Lenient on purpose: real systems leave out segments and fields that the standard requires (SCH-6,
SCH-16, RGS), end lines with LF alone, and lie about their encoding. Reading HL7 is an extra: the
package `hl7` is imported when the first such file comes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

from gsmgw import phone
from gsmgw.clinic.interchange import encodings, moments, words
from gsmgw.clinic.interchange.hl7_acks import Head
from gsmgw.clinic.interchange.parsed import Identity, Parsed, Row, UnreadableFileError
from gsmgw.clinic.model import PatientRecord, Record, VisitRecord, VisitStatus
from gsmgw.config import Config
from gsmgw.errors import RejectedError

_OUR_DATA, _NOT_FOR_US = "AE", "AR"

#: SIU trigger events and the status that each gives a visit (HL7 v2.5 chapter 10).
_EVENTS = {
    "S12": VisitStatus.BOOKED,
    "S13": VisitStatus.BOOKED,
    "S14": VisitStatus.BOOKED,
    "S15": VisitStatus.CANCELLED,
    "S16": VisitStatus.CANCELLED,
    "S17": VisitStatus.ENTERED_IN_ERROR,
    "S26": VisitStatus.NOSHOW,
}
#: Visits that are gone without a word to the patient.
_SILENT = frozenset({"S16", "S17"})
_PATIENT_EVENTS = frozenset({"A08", "A28", "A31", "A40"})
#: Filler status, HL7 table 0278.
_STATUSES = {
    "pending": VisitStatus.PENDING,
    "waitlist": VisitStatus.WAITLIST,
    "booked": VisitStatus.BOOKED,
    "overbook": VisitStatus.BOOKED,
    "started": VisitStatus.ARRIVED,
    "complete": VisitStatus.FULFILLED,
    "cancelled": VisitStatus.CANCELLED,
    "dc": VisitStatus.CANCELLED,
    "deleted": VisitStatus.ENTERED_IN_ERROR,
    "noshow": VisitStatus.NOSHOW,
}
#: Publicity codes, HL7 table 0215: whether the patient may be reminded.
_PUBLICITY = {
    **dict.fromkeys(("01", "06", "07", "08", "09", "10"), False),
    **dict.fromkeys(("02", "03", "04", "05"), True),
}
_GENDERS = {"M": "male", "F": "female", "O": "other", "U": "unknown"}
#: MSH-18, HL7 table 0211.
_CHARSETS = {"UNICODE UTF-8": "utf-8", "UTF-8": "utf-8", "UNICODE": "utf-8"}
_PART = re.compile(r"8859[/-](\d{1,2})$")
#: Not in that table, and yet sent.
_PAGE = re.compile(r"(?:CP|WINDOWS)[- ]?(125\d)$")
#: A field that is said to be empty from now on.
_NOTHING = '""'
#: Of characters; a visit or a patient takes some thousand.
LONGEST_MESSAGE = 50_000
_FRAMES = ("FHS", "BHS", "BTS", "FTS")
#: What MLLP puts around messages.
_MLLP = dict.fromkeys(map(ord, "\x0b\x1c"))
_MOMENT = re.compile(r"(\d{8})(\d{4})(\d{2})?(?:\.\d+)?([+-]\d{4})?")


class _MessageError(Exception):
    """A message cannot be used; the text says what was found and what is wanted."""

    def __init__(self, why: str, code: str = _OUR_DATA) -> None:
        super().__init__(why)
        self.code = code


def parse(content: bytes, config: Config) -> Parsed:
    """Read a file of one or many messages, with or without batch frames.

    Raises:
        UnreadableFileError: there is no message in it, or the extra is not installed.
    """
    library = _library()
    text = _decode(content, config).translate(_MLLP)
    segments = [line.strip(" \t") for line in re.split(r"[\r\n]+", text) if line.strip()]
    messages = list(_messages([line for line in segments if not line.startswith(_FRAMES)]))
    if not messages:
        raise UnreadableFileError("there is no HL7 message in it: none begins with MSH")
    rows = [_row(library, number, raw, config) for number, raw in enumerate(messages, 1)]
    return Parsed("hl7", tuple(rows))


def _library() -> ModuleType:
    try:
        import hl7
    except ImportError as error:
        raise UnreadableFileError(
            "HL7 is an extra that is not installed; install it: pip install 'gsmgw[hl7]'"
        ) from error
    found: ModuleType = hl7
    return found


def _decode(content: bytes, config: Config) -> str:
    wanted = config.imports.hl7.encoding
    if wanted is not None:
        return encodings.decode(content, wanted, config.country, "import.hl7.encoding")[0]
    if encodings.is_utf8(content):  # whatever MSH-18 says
        return encodings.decode(content, "utf-8", config.country)[0]
    head = content[content.find(b"MSH") :].split(b"\r")[0].split(b"\n")[0].decode("latin-1")
    fields = head.split("|")
    named = fields[17].split("~")[0].strip().upper() if len(fields) > 17 else ""
    part, page = _PART.search(named), _PAGE.search(named)
    encoding = _CHARSETS.get(named)
    if part or page:
        encoding = f"iso-8859-{part[1]}" if part else f"cp{page[1]}" if page else None
    try:
        return encodings.decode(content, encoding, config.country)[0]
    except (LookupError, UnreadableFileError):  # it lies, or names what nobody knows
        return encodings.decode(content, None, config.country)[0]


def _messages(segments: Sequence[str]) -> Iterator[str]:
    """Return each message, its segments parted by CR as the library wants it."""
    current: list[str] = []
    for line in segments:
        if line.startswith("MSH") and current:
            yield "\r".join(current) + "\r"
            current = []
        if line.startswith("MSH") or current:
            current.append(line)
    if current:
        yield "\r".join(current) + "\r"


def _row(library: ModuleType, number: int, raw: str, config: Config) -> Row:
    if len(raw) > LONGEST_MESSAGE:
        why = f"this message has more than {LONGEST_MESSAGE} characters"
        return Row(number, error=why, ack_head=_head_of(raw), raw=raw)
    try:
        message = _Message(library.parse(raw), config)
    except (library.HL7Exception, LookupError, ValueError, TypeError, AssertionError) as error:
        # The library asserts that MSH-2 names no more signs than it knows.
        why = f"this is no HL7 message: {error or 'MSH-1 and MSH-2 are not as they must be'}"
        return Row(number, error=why[:200], ack_head=_head_of(raw), raw=raw)
    head = message.head()
    identity = Identity(
        f"{head.application}|{head.facility}",
        head.control_id,
        hashlib.sha256(raw.encode("utf-8", "replace")).hexdigest(),
    )
    try:
        record = message.record(head)
    except _MessageError as error:
        return Row(
            number, error=str(error), identity=identity if head.control_id else None,
            ack_code=error.code, ack_head=head.texts(), raw=raw,
        )  # fmt: skip
    return Row(number, record, identity=identity, ack_head=head.texts(), raw=raw)


def _head_of(raw: str) -> tuple[str, ...]:
    """Return what an acknowledgement repeats of a message that cannot be parsed."""
    fields = [field.partition("^")[0] for field in raw.partition("\r")[0].split("|")]
    fields += [""] * (12 - len(fields))
    # MSH-1 is the sign between the fields itself, so MSH-3 stands at 2.
    return (*fields[2:6], "", *fields[9:12])


class _Message:
    """One parsed message, asked by segment and position."""

    def __init__(self, parsed: Any, config: Config) -> None:
        self._parsed = parsed
        self._config = config
        self._segments = {str(segment[0]): segment for segment in reversed(list(parsed))}

    def head(self) -> Head:
        """Return what stands in MSH."""
        return Head(
            self.at("MSH", 3), self.at("MSH", 4), self.at("MSH", 5), self.at("MSH", 6),
            self.at("MSH", 9, 2), self.at("MSH", 10), self.at("MSH", 11), self.at("MSH", 12),
        )  # fmt: skip

    def at(self, segment: str, field: int, component: int = 1, repetition: int = 1) -> str:
        """Return the text at a position, counted from 1; "" if there is none."""
        try:
            found = self._segments[segment][field][repetition - 1]
        except (KeyError, IndexError):
            return ""
        if isinstance(found, str):
            found = [found]
        try:
            part = found[component - 1]
        except IndexError:
            return ""
        text = str(part if isinstance(part, str) or not part else part[0])
        if text == _NOTHING:
            return ""
        if "\\" in text:
            text = self._parsed.unescape(text)
        return words.line(text)

    def _is_emptied(self, segment: str, field: int) -> bool:
        try:
            return str(self._segments[segment][field]) == _NOTHING
        except (KeyError, IndexError):
            return False

    def repetitions(self, segment: str, field: int) -> int:
        """Return how often a field is repeated."""
        try:
            return len(self._segments[segment][field])
        except (KeyError, IndexError):
            return 0

    # -- records ----------------------------------------------------------------------------------

    def record(self, head: Head) -> Record:
        """Return what the message says."""
        kind, event = self.at("MSH", 9), head.event
        if not head.control_id:
            raise _MessageError("MSH-10 is empty: a message needs its control id", _NOT_FOR_US)
        if kind == "SIU" and event in _EVENTS:
            return self._visit(event)
        if kind == "ADT" and event in _PATIENT_EVENTS:
            return self._patient(merged_from=self.at("MRG", 1) if event == "A40" else None)
        raise _MessageError(
            f"{kind}^{event} is not taken; taken are SIU {', '.join(_EVENTS)} and ADT"
            f" {', '.join(sorted(_PATIENT_EVENTS))}",
            _NOT_FOR_US,
        )

    def _visit(self, event: str) -> VisitRecord:
        number = self.at("SCH", 2) or self.at("SCH", 1)
        if not number:
            raise _MessageError("SCH-2 and SCH-1 are empty: a visit needs its own number")
        status = _EVENTS[event]
        if status is VisitStatus.BOOKED:
            status = _STATUSES.get(self.at("SCH", 25).casefold(), status)
        start = self._start()
        if start is None and status is VisitStatus.BOOKED:
            raise _MessageError("there is no start: SCH-11.4, AIS-4, AIL-6 and AIP-6 are empty")
        return VisitRecord(
            id=number,
            patient=self._patient(),
            start=start,
            minutes=self._minutes(),
            status=status,
            practitioner=self._practitioner(),
            service=self.at("AIS", 3) or self.at("SCH", 7) or None,
            location=self.at("AIL", 3) or self.at("PV1", 3) or None,
            cancelled_by=self._cancelled_by(event),
        )

    def _cancelled_by(self, event: str) -> str:
        if event in _SILENT:
            return "error"
        said = {words.key(self.at("SCH", 6, part)) for part in (1, 2)}
        said |= {word for text in said for word in text.split("_")}
        return "patient" if said & words.load().by_patient else ""

    def _start(self) -> dt.datetime | None:
        places = (("SCH", 11, 4), ("TQ1", 7, 1), ("AIS", 4, 1), ("AIP", 6, 1), ("AIL", 6, 1))
        for segment, field, component in places:
            text = self.at(segment, field, component)
            if not text:
                continue
            match = _MOMENT.fullmatch(text)
            try:
                return self._moment(match)
            except ValueError as error:
                raise _MessageError(
                    f"{segment}-{field}: {text!r} is no time; wanted is YYYYMMDDHHMM[SS][+ZZZZ]"
                ) from error
        return None

    def _moment(self, match: re.Match[str] | None) -> dt.datetime:
        if match is None:
            raise ValueError("another form")
        day, clock, _, zone = match.groups()
        if zone:
            return dt.datetime.strptime(f"{day}{clock}{zone}", "%Y%m%d%H%M%z")
        found = dt.datetime.strptime(f"{day}{clock}", "%Y%m%d%H%M")  # noqa: DTZ007 - set below
        return found.replace(tzinfo=self._config.zone)

    def _minutes(self) -> int | None:
        text, unit = self.at("SCH", 9), self.at("SCH", 10).casefold()
        if not (text.isascii() and text.isdigit()) or (unit and not unit.startswith("m")):
            return None
        return int(text[:4]) or None

    def _practitioner(self) -> str | None:
        for segment, field in (("AIP", 3), ("PV1", 7)):
            family, given = self.at(segment, field, 2), self.at(segment, field, 3)
            if family:
                title = self.at(segment, field, 6)
                return " ".join(part for part in (title, given, family) if part)
        return None

    def _patient(self, merged_from: str | None = None) -> PatientRecord:
        if "PID" not in self._segments:
            raise _MessageError("there is no PID segment: whose visit is it?")
        birth = moments.read_date(self.at("PID", 7)[:8], ("%Y%m%d",))
        return PatientRecord(
            id=self._number_of_patient(),
            given=self.at("PID", 5, 2) or None,
            family=self.at("PID", 5) or None,
            phone=self._phone(),
            language=words.language(self.at("PID", 15)),
            birth_date=birth.isoformat() if birth is not None else None,
            gender=_GENDERS.get(self.at("PID", 8).upper()),
            consent=_PUBLICITY.get(self.at("PD1", 11)),
            active=False if self.at("PID", 30).upper() == "Y" else None,
            merged_from=merged_from,
        )

    def _number_of_patient(self) -> str | None:
        """Return the clinic's own number if several are given (HL7 table 0203), else the first."""
        for repetition in range(1, self.repetitions("PID", 3) + 1):
            if self.at("PID", 3, 5, repetition).upper() in ("PI", "MR", "PT"):
                return self.at("PID", 3, 1, repetition) or None
        return self.at("PID", 3) or self.at("PID", 2) or None

    def _phone(self) -> str | None:
        """Return the mobile phone if one is named or known as such, else any; None if none.

        Two quotation marks in PID-13 say that there is none any more (HL7 v2.5, 2.5.3): "".
        """
        if self._is_emptied("PID", 13):
            return ""
        found: list[tuple[int, str]] = []
        for repetition in range(1, self.repetitions("PID", 13) + 1):
            text = self._number(repetition)
            if not text:
                continue
            equipment = self.at("PID", 13, 3, repetition).upper()
            if equipment in ("NET", "INTERNET", "X.400"):
                continue
            rank = 0 if equipment == "CP" else 1 if self._is_mobile(text) else 2
            found.append((rank, text))
        return min(found)[1] if found else None

    def _number(self, repetition: int) -> str:
        whole = self.at("PID", 13, 12, repetition) or self.at("PID", 13, 1, repetition)
        country, area, local = (self.at("PID", 13, part, repetition) for part in (5, 6, 7))
        if not whole and local:
            return f"+{country}{area}{local}" if country else f"{area}{local}"
        return whole

    def _is_mobile(self, text: str) -> bool:
        try:
            return phone.is_mobile(phone.parse_recipient(text, country=self._config.country))
        except RejectedError:
            return False
