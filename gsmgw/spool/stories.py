# SPDX-License-Identifier: Apache-2.0
"""What became of the messages of a taken file, read from the store and put into words for files."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from gsmgw.model import TAKEN_PARTS, ErrorFamily, MessageState, PartState
from gsmgw.spool import names
from gsmgw.spool.formats import outcomes, smstools
from gsmgw.spool.formats.outcomes import Outcome, Trial
from gsmgw.store import modems, outbox, spool_files
from gsmgw.store.database import Database, Row

#: Error code of a file that comes back although its message may have arrived.
UNCERTAIN = "uncertain"
#: ... which is on its way again, or was found to have arrived, since its file was put into failed/.
NOT_AGAIN = "not-again"
#: States of messages whose file belongs into `sent/`.
_SENT = (MessageState.SENT, MessageState.DELIVERED, MessageState.UNDELIVERED)
#: States that nothing but a person can still change.
FINAL = frozenset(
    {
        MessageState.DELIVERED,
        MessageState.UNDELIVERED,
        MessageState.EXPIRED,
        MessageState.CANCELLED,
    }
)


def uncertain_words(message_id: int) -> str:
    """Return the `Fail_reason` of a message of which nobody knows whether it arrived."""
    return f"Uncertain, may have arrived: see gsmgw show {message_id}"


def not_again_words(message_id: int, state: str) -> str:
    """Return the `Fail_reason` of a file whose message has gone on without it."""
    return f"Not sent twice, it is {state} by now: see gsmgw show {message_id}"


@dataclass(frozen=True, slots=True)
class Story:
    """A file and what became of all that stood in it."""

    file: Row
    entries: list[Row]
    message: Row | None = None  #: of a smstools file, if it became one
    trial: Trial | None = None  #: of a smstools file that reached a modem
    claimed_at: str | None = None  #: when a modem first took it up

    @property
    def folder(self) -> str:
        """Where the file belongs: sent or failed."""
        if self.file["format"] == "smstools":
            state = self.entries[0]["state"] if self.entries else None
            is_sent = state in _SENT and self.entries[0]["door_error"] is None
        else:
            is_sent = any(_is_accepted(entry) for entry in self.entries)
        return "sent" if is_sent else "failed"

    @property
    def message_ref(self) -> str | None:
        """What the event handler gets as its third argument: ids of parts that were sent."""
        known = (
            [] if self.trial is None else [mr for mr in self.trial.message_ids if mr is not None]
        )
        if not known:
            return None
        if self.folder == "sent":
            return outcomes.format_message_id(known[-1])
        return outcomes.format_message_ids(known)

    @property
    def gsmgw_id(self) -> int | None:
        """Which message the file has become; None if none or several."""
        if len(self.entries) != 1 or not _is_accepted(self.entries[0]):
            return None
        return int(self.entries[0]["message_id"])

    def outcome(self, content: bytes, zone: dt.tzinfo, now: dt.datetime) -> Outcome:
        """Return what is to be added to a smstools file.

        Args:
            content: the file as it lies in `checked/`.
            zone: of the times in it.
            now: for what has no time of its own.
        """
        entry = self.entries[0] if self.entries else None
        message = self.message
        if entry is None or message is None or entry["door_error"] is not None:
            code = None if entry is None else entry["door_code"]
            return Outcome(
                at=now.astimezone(zone),
                fail_reason=(entry and entry["door_error"]) or "Unknown",
                state=MessageState.REJECTED,
                keep_gsmgw_id=code in (UNCERTAIN, NOT_AGAIN),
            )
        is_text = smstools.is_text_of(content, alphabet=message["alphabet"])
        at = message["sent_at"] if self.folder == "sent" else message["settled_at"]
        return Outcome(
            at=_local(at, zone, now),
            fail_reason=None if self.folder == "sent" else _reason(message),
            trial=self.trial,
            sending_s=_seconds(self.claimed_at, message["sent_at"]),
            report_requested=bool(message["report_requested"]),
            gsmgw_id=message["id"],
            state=message["state"],
            notices=outcomes.notices(message["text"]) if is_text else (),
        )

    def is_final(self) -> bool:
        """Tell whether nothing but a person can still change what became of it."""
        return all(entry["message_id"] is None or entry["state"] in FINAL for entry in self.entries)


def tell(db: Database, file: Row) -> Story:
    """Read what became of a file's messages."""
    entries = spool_files.entries(db, file["id"])
    if file["format"] != "smstools" or not entries or entries[0]["message_id"] is None:
        return Story(file, entries)
    message = outbox.get(db, entries[0]["message_id"])
    parts = outbox.parts(db, entries[0]["message_id"])
    claimed = [part["claimed_at"] for part in parts if part["claimed_at"] is not None]
    return Story(file, entries, message, _trial(db, parts), min(claimed, default=None))


def result_document(story: Story) -> dict[str, object]:
    """Return what `X.result.json` says."""
    return {
        "file": story.file["original_name"],
        "messages": [_result(entry) for entry in story.entries],
    }


def _result(entry: Row) -> dict[str, object]:
    is_refused = entry["door_error"] is not None or entry["message_id"] is None
    return {
        "index": entry["position"],
        "id": None if is_refused else entry["message_id"],
        "reference": entry["reference"],
        "recipient": entry["recipient"],
        "state": MessageState.REJECTED.value if is_refused else entry["state"],
        "error_family": ErrorFamily.REJECTED.value if is_refused else entry["error_family"],
        "error_code": entry["door_code"] if is_refused else entry["error_code"],
        "error": entry["door_error"] if is_refused else entry["error"],
        "parts": None if is_refused else entry["parts"],
        "sent_at": None if is_refused else entry["sent_at"],
        "settled_at": None if is_refused else entry["settled_at"],
    }


def _is_accepted(entry: Row) -> bool:
    is_refused = entry["door_error"] is not None or entry["message_id"] is None
    return not is_refused and entry["state"] != MessageState.REJECTED


def _reason(message: Row) -> str:
    if message["state"] == MessageState.UNCERTAIN:
        return uncertain_words(message["id"])
    return str(message["error"] or message["state"].capitalize())


def _trial(db: Database, parts: list[Row]) -> Trial | None:
    tried = [part for part in parts if part["modem"] is not None]
    if not tried:
        return None
    last = tried[-1]
    sim = None if last["sim_id"] is None else modems.get_sim(db, last["sim_id"])
    modem = modems.get(db, last["modem"])
    return Trial(
        modem=last["modem"],
        imsi=(sim and sim["imsi"]) or "",
        imei=(modem and modem["imei"]) or "",
        message_ids=tuple(
            part["mr"] if PartState(part["state"]) in TAKEN_PARTS else None for part in parts
        ),
    )


def _local(at: str | None, zone: dt.tzinfo, now: dt.datetime) -> dt.datetime:
    return (now if at is None else dt.datetime.fromisoformat(at)).astimezone(zone)


def _seconds(begin: str | None, end: str | None) -> int:
    if begin is None or end is None:
        return 0
    between = dt.datetime.fromisoformat(end) - dt.datetime.fromisoformat(begin)
    return max(round(between.total_seconds()), 0)


def original_name(file: Row) -> str:
    """Return the name that a taken file had in `outgoing/`."""
    return names.from_text(file["original_name"])
