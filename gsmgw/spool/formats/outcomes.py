# SPDX-License-Identifier: Apache-2.0
"""What is added to a smstools file when it goes to `sent/` or `failed/`.

The headers stand at the end of the block in smsd's order, the client's own lines above them as they
were. After smsd's come ours: `Gsmgw_id`, `Gsmgw_state`, `Gsmgw_message_ids`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from gsmgw import pdu
from gsmgw.spool.formats import headers

#: smsd's default `datetime_format`: local time, two digits of the year, no zone.
DATE_FORMAT = "%y-%m-%d %H:%M:%S"
#: Clients in the field take `Message_id: 0` for none.
MESSAGE_ID_FOR_0 = 256


@dataclass(frozen=True, slots=True)
class Trial:
    """Which modem had the message, and what came of its parts."""

    modem: str
    imsi: str
    imei: str
    message_ids: tuple[int | None, ...]  #: TP-MR of each part, None where unknown or not sent


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the message in a file."""

    at: dt.datetime  #: when it was sent, or failed; local
    fail_reason: str | None = None  #: None: it was sent
    trial: Trial | None = None  #: None: it never reached a modem
    sending_s: int = 0
    report_requested: bool = False
    gsmgw_id: int | None = None
    state: str = ""
    notices: tuple[str, ...] = ()
    keep_gsmgw_id: bool = False  #: leave the id that the file came with


def format_message_id(mr: int) -> str:
    """Return a TP-MR as clients understand it: 1..256, 256 for 0."""
    return str(mr or MESSAGE_ID_FOR_0)


def format_message_ids(message_ids: Sequence[int | None]) -> str:
    """Return the ids of all parts in order; `-` where there is none."""
    return " ".join("-" if mr is None else format_message_id(mr) for mr in message_ids)


def add_outcome(content: bytes, outcome: Outcome) -> bytes:
    """Return the file as it stands in `sent/` or `failed/`."""
    file = headers.split(content)
    kept = [line for line in file.lines if not _is_removed(line, outcome)]
    if kept and not kept[-1].endswith(b"\n"):
        kept[-1] += b"\n"
    added = [f"{name}: {headers.one_line(value)}\n" for name, value in _lines(outcome)]
    block = "".join(added).encode("utf-8", "replace")
    return b"".join(kept) + block + file.blank + file.body


def notices(text: str) -> tuple[str, ...]:
    """Return smsd's words on each character that made a text go out as UCS-2."""
    foreign = [(place, char) for place, char in enumerate(text, start=1) if not pdu.is_gsm7(char)]
    if not foreign:
        return ()
    lines = [
        f"Cannot convert {place}. character ({char.encode('utf-8', 'replace').hex().upper()})"
        f"{char} to GSM."
        for place, char in foreign
    ]
    count = len(foreign)
    lines.append(f"{count} characters outside the GSM alphabet, converting to UCS2")
    return tuple(lines)


def _is_removed(line: bytes, outcome: Outcome) -> bool:
    name = headers.name_of(line)
    if name == "Gsmgw_id" and outcome.keep_gsmgw_id:
        return False
    return name in headers.REMOVED


def _lines(outcome: Outcome) -> list[tuple[str, str]]:
    at = outcome.at.strftime(DATE_FORMAT)
    trial = outcome.trial
    lines: list[tuple[str, str]] = [] if trial is None else [("Modem", trial.modem)]
    if outcome.fail_reason is None:
        lines += [("Sent", at), ("Sending_time", str(outcome.sending_s))]
        message_id = _message_id(outcome)
        if message_id is not None:
            lines.append(("Message_id", message_id))
    if trial is not None:
        lines += [("IMSI", trial.imsi), ("IMEI", trial.imei)]
    if outcome.fail_reason is not None:
        lines += [("Fail_reason", outcome.fail_reason), ("Failed", at)]
    lines += [("NOTICE", notice) for notice in outcome.notices]
    if outcome.gsmgw_id is not None:
        lines.append(("Gsmgw_id", str(outcome.gsmgw_id)))
    if outcome.state:
        lines.append(("Gsmgw_state", outcome.state))
    if trial is not None and any(mr is not None for mr in trial.message_ids):
        lines.append(("Gsmgw_message_ids", format_message_ids(trial.message_ids)))
    return lines


def _message_id(outcome: Outcome) -> str | None:
    """Return the last part's id, smsd's default of three ways, if a report was asked for."""
    if outcome.trial is None or not outcome.report_requested:
        return None
    known = [mr for mr in outcome.trial.message_ids if mr is not None]
    return format_message_id(known[-1]) if known else None
