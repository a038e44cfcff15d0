# SPDX-License-Identifier: Apache-2.0
"""Files that programs write for smsd, read as messages with smsd's own rules and refusals.

Theory of operation: `parse` is pure. What smsd ignores is ignored, what it refuses at its spool is
refused in its words (`Fail_reason`), because clients compare them. Better than smsd, and safe for
its clients: a letter outside ISO-8859-15 is sent, not dropped; a number is checked.

Known limits: `Include:` (reads any file that we can read), `Text_is_pdu:` and `Voicecall:` are
refused. `Retries:`, `From:` and `Message_reference:` mean nothing here. Text in a national
language shift table (`Language:`) goes out as UCS-2, complete.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from gsmgw import pdu
from gsmgw.clock import format_utc, parse_time
from gsmgw.errors import BadFileError, BadNumberError, BadTextError, GsmgwError
from gsmgw.model import Draft, Priority, TpOptions
from gsmgw.spool.formats import body, headers
from gsmgw.spool.formats.headers import SmsFile, is_yes

#: Octets of one SMS, 3GPP TS 23.040 9.2.3.16.
_LONGEST_DATA = 140
_UNIT_SECONDS = {
    "min": 60,
    "hour": 3600,
    "day": 86400,
    "week": 7 * 86400,
    "month": 30 * 86400,
    "year": 365 * 86400,
}
_VALIDITY = re.compile(r"(?:(\d{1,4})\s*)?(min|hour|day|week|month|year)[a-z]*", re.IGNORECASE)
_SPLITS = {"0": "cut", "1": "plain", "2": "numbered"}
_REFUSED = {
    "Include": "Include is not allowed here; put the text into the file",
    "Text_is_pdu": "Text_is_pdu is not supported",
    "Voicecall": "Voicecall is not supported",
}
# PID and DCS of data for the SIM: 3GPP TS 23.040 9.2.3.9, 23.038 4.
_TYPE_0_PID = 0x40
_SIM_DOWNLOAD_PID = 0x7F
_DATA_CLASS_0 = 0xF4
_DATA_CLASS_2 = 0xF6
_LAST_LANGUAGE = 13
#: `Gsmgw_state:` of files in `failed/`.
_STATES_OF_FAILED = ("rejected", "failed", "expired", "cancelled", "uncertain")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a file does not say by itself."""

    source: str  #: of a file without `Source:`
    spool_file: str  #: its name in `checked/`, as the store keeps it
    now: dt.datetime  #: aware
    zone: dt.tzinfo  #: of times without an offset
    modems: Collection[str] = ()  #: names that `Queue:` may wish for
    service_centres: bool = False  #: a modem has one configured; else smsd ignores `SMSC:`


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A file as a message."""

    draft: Draft
    gsmgw_id: int | None  #: it came back with the id of an earlier message
    had_failed: bool = False  #: and from `failed/`


def parse(content: bytes, around: Surroundings) -> Outgoing:
    """Read a file.

    Raises:
        RejectedError: smsd would refuse it too, or we must; the text is the `Fail_reason`.
    """
    file = headers.split(content)
    if not _has_destination(file):
        raise BadNumberError("No destination")
    alphabet = _alphabet(file)
    for name, reason in _REFUSED.items():
        value = file.value(name)
        if value is not None and (name == "Include" or is_yes(value)):
            raise BadFileError(reason)
    if not file.body:
        raise BadTextError("No text or data")
    if len(file.body) > body.LONGEST_BODY:
        raise BadTextError("Too long text")
    is_international = _is_international(file)
    _check_numbers(file)
    text, tp = _content(file, alphabet)
    tp, expires_at = _validity(file, tp, around)
    draft = Draft(
        recipient=file.value("To") or "",
        text=text,
        source=file.value("Source") or around.source,
        reference=file.value("Reference") or None,
        category=file.value("Category") or None,
        priority=_priority(file),
        not_before=file.value("Not_before") or None,
        expires_at=file.value("Expires") or expires_at,
        report_requested=is_yes(file.value("Report")) or is_yes(file.value("Ping")),
        flash=is_yes(file.value("Flash")),
        modem=_modem(file, around.modems),
        international_digits=is_international,
        spool_file=around.spool_file,
        tp=_with_service_centre(file, tp) if around.service_centres else _unless_empty(tp),
    )
    had_failed = (file.value("Gsmgw_state") or "") in _STATES_OF_FAILED
    return Outgoing(draft, _gsmgw_id(file), had_failed)


def is_text_of(content: bytes, *, alphabet: str | None) -> bool:
    """Tell whether a file's text was put into UCS-2 only because GSM 7-bit lacks its letters."""
    if alphabet != pdu.Alphabet.UCS2:
        return False
    declared = headers.split(content).value("Alphabet") or ""
    return declared[:3].lower() not in ("ucs", "uni", "chi")


def _has_destination(file: SmsFile) -> bool:
    """Tell whether anything is left of `To:` after smsd has cut away what is no digit."""
    found = file.value("To") or ""
    number = found.split("+", 1)[-1].removeprefix("00").replace(" ", "").replace("-", "")
    return re.match(r"s?[\d*#]", number) is not None


def _is_international(file: SmsFile) -> bool:
    """Read `To_TOA:`; digits without + are international unless it says something else."""
    found = file.value("To_TOA")
    if not found or found.lower() == "international":
        return True
    if found.lower() in ("unknown", "national"):
        return (file.value("To") or "").startswith("s")
    raise BadNumberError("Invalid number type")


def _check_numbers(file: SmsFile) -> None:
    """Refuse numbers that mean nothing here but would be refused by smsd."""
    reference = file.value("Message_reference")
    if reference and not (_is_number(reference) and int(reference) <= 255):
        raise BadFileError("Invalid message reference")
    for name in ("Language", "Language_ext"):
        language = file.value(name)
        if language and _is_number(language) and int(language) > _LAST_LANGUAGE:
            raise BadFileError(f"Invalid {name.lower()}")


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdecimal() and len(value) <= 9


def _alphabet(file: SmsFile) -> str:
    if is_yes(file.value("Binary")) and not file.value("Alphabet"):
        return "binary"
    if file.value("Language") and not file.value("Alphabet"):
        return "utf"
    return body.read_alphabet(file.value("Alphabet"))


def _content(file: SmsFile, alphabet: str) -> tuple[str, TpOptions]:
    """Return text ("" for binary) and what the headers ask of the TPDU."""
    message_class = file.value("Class")
    udh_data = file.value("UDH-DATA") or file.value("UDH-DUMP")
    data: bytes | None = None
    udh = body.read_udh(udh_data) if udh_data else None
    text = ""
    if alphabet == "binary":
        udh, data = _binary(file, udh)
    else:
        text = body.trim(_text(file, alphabet))
        if "\x00" in text:
            raise BadTextError(f"Invalid character (NUL) at position {text.index(chr(0)) + 1}")
    is_ping = is_yes(file.value("Ping"))
    pid, dcs = _pid_and_dcs(file, data)
    return text, TpOptions(
        data=data,
        udh=udh,
        dcs=dcs,
        pid=pid,
        message_class=int(message_class) if message_class in ("0", "1", "2", "3") else None,
        reply_path=is_yes(file.value("Reply_path")),
        reject_duplicates=is_yes(file.value("Reject_duplicates")),
        alphabet="ucs2" if alphabet == "ucs2" else None,
        split="cut" if is_ping else _SPLITS.get(file.value("Autosplit") or ""),
    )


def _text(file: SmsFile, alphabet: str) -> str:
    """Return the text with its macros put in; before the hex is read, if it is hex."""
    if is_yes(file.value("Hex")):
        return body.decode_body(_hex_body(file), alphabet)
    return body.replace_macros(body.decode_body(file.body, alphabet), file.values("Macro"))


def _hex_body(file: SmsFile) -> bytes:
    macros = file.values("Macro")
    return body.read_hex(body.replace_macros(headers.decode_text(file.body), macros))


def _binary(file: SmsFile, udh: bytes | None) -> tuple[bytes | None, bytes]:
    """Return header and data of an 8-bit message; the header may stand in front of the data."""
    data = _hex_body(file) if is_yes(file.value("Hex")) else file.body
    if not data:
        raise BadTextError("No data")
    wanted = file.value("UDH")
    if udh is None and (wanted is None or is_yes(wanted)):
        udh, data = body.cut_udh(data)
    room = _LONGEST_DATA - (len(udh) + 1 if udh else 0)
    if len(data) > room:
        is_system = file.value("System_message")
        raise BadTextError(
            "Too long data for system message"
            if is_system
            else "Too long data for single part sending"
        )
    return udh, data


def _pid_and_dcs(file: SmsFile, data: bytes | None) -> tuple[int | None, int | None]:
    pid: int | None = None
    dcs: int | None = None
    replace = file.value("Replace") or ""
    if len(replace) == 1 and replace in "1234567":
        pid = _TYPE_0_PID + int(replace)
    if is_yes(file.value("Ping")):
        pid = _TYPE_0_PID
    system = file.value("System_message") or ""
    if system.startswith("2") or system.lower() == "tosim":
        pid, dcs = _SIM_DOWNLOAD_PID, _DATA_CLASS_2
    elif is_yes(system):
        pid, dcs = _TYPE_0_PID, _DATA_CLASS_0
    if dcs is not None and data is None:
        raise BadFileError("System_message needs Alphabet: binary")
    wanted = file.value("DCS_hex") or ""
    if re.fullmatch(r"[0-9A-Fa-f]{1,2}", wanted):
        dcs = int(wanted, 16)
    return pid, dcs


def _priority(file: SmsFile) -> str | None:
    """Read `Priority:`: smsd's HIGH or yes, or one of our own words."""
    found = (file.value("Priority") or "").lower()
    if found in list(Priority):
        return found
    return Priority.URGENT if found == "high" or is_yes(found) else None


def _modem(file: SmsFile, modems: Collection[str]) -> str | None:
    """Return the modem that `Queue:` or `Provider:` names; smsd without queues ignores them."""
    wished = file.value("Queue") or file.value("Provider")
    return wished if wished in modems else None


def _validity(file: SmsFile, tp: TpOptions, around: Surroundings) -> tuple[TpOptions, str | None]:
    """Read `Validity:`, a TP-VP or words; what cannot be read is ignored, as smsd does."""
    validity = _read_validity(file.value("Validity") or "")
    if validity is None:
        return tp, None
    begins = around.now
    not_before = file.value("Not_before")
    if not_before:
        try:
            begins = max(begins, parse_time(not_before, around.zone))
            format_utc(begins)
        except (GsmgwError, OverflowError):
            return replace(tp, validity=validity), None  # intake refuses it, in better words
    try:
        ends = begins + dt.timedelta(seconds=pdu.validity_seconds(validity))
        return replace(tp, validity=validity), format_utc(ends)
    except OverflowError:
        return replace(tp, validity=validity), None  # after the year 9999: never


def _read_validity(value: str) -> int | None:
    if _is_number(value):
        return int(value) if int(value) <= 255 else None
    match = _VALIDITY.fullmatch(value)
    if match is None:
        return None
    seconds = int(match[1] or 1) * _UNIT_SECONDS[match[2].lower()]
    return pdu.relative_validity(seconds) if seconds else None


def _with_service_centre(file: SmsFile, tp: TpOptions) -> TpOptions | None:
    digits = re.sub(r"[^0-9]", "", file.value("SMSC") or "")
    if not digits or len(digits) > 20:
        return _unless_empty(tp)
    return replace(tp, service_centre=f"+{digits.removeprefix('00')}")


def _unless_empty(tp: TpOptions) -> TpOptions | None:
    return None if tp == TpOptions() else tp


def _gsmgw_id(file: SmsFile) -> int | None:
    found = file.value("Gsmgw_id") or ""
    return int(found) if _is_number(found) else None
