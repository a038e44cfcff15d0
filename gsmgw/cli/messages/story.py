# SPDX-License-Identifier: Apache-2.0
"""A message's whole story: its parts, attempts, reports and files, as records and in time order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gsmgw.cli import display
from gsmgw.gateway.health.record import parse_detail
from gsmgw.model import ErrorFamily, MessageState
from gsmgw.store import events, modems, outbox, reports, spool_files, tries
from gsmgw.store.database import Database

#: Public columns of `outbox`, in their order.
MESSAGE_COLUMNS = (
    "id",
    "recipient",
    "text",
    "source",
    "reference",
    "category",
    "priority",
    "not_before",
    "expires_at",
    "report_requested",
    "flash",
    "modem",
    "cancel_requested",
    "state",
    "error_family",
    "error_code",
    "error",
    "parts",
    "created_at",
    "sent_at",
    "settled_at",
    "spool_file",
)
MESSAGE_SWITCHES = frozenset({"report_requested", "flash", "cancel_requested"})

_PART_COLUMNS = (
    "number",
    "state",
    "text",
    "modem",
    "sim_id",
    "mr",
    "claimed_at",
    "sent_at",
    "settled_at",
    "error_family",
    "error_code",
    "error",
    "proof",
)
_ATTEMPT_COLUMNS = (
    "modem",
    "sim_id",
    "claimed_at",
    "ended_at",
    "outcome",
    "mr",
    "error_family",
    "error_code",
    "error",
    "whose",
    "counted",
    "proof",
)
_REPORT_COLUMNS = (
    "modem",
    "received_at",
    "mr",
    "recipient",
    "service_centre",
    "service_centre_at",
    "discharged_at",
    "st",
)
_FILE_COLUMNS = ("name", "original_name", "folder", "final_name", "taken_at", "finished_at")

#: What settled a part, in words; `answer` needs none.
_PROOFS = {
    "answer": "",
    "late-answer": "its answer came late",
    "counter": "the SIM's reference counter tells",
    "report": "a status report tells",
    "resend": "no evidence, and the configuration says resend",
    "person": "a person decided",
}
_OUTCOMES = {
    "taken": "taken by the network",
    "refused": "refused",
    "uncertain": "submitted, but whether the network took it is unknown",
    "untouched": "not sent, the modem failed before it had the part",
}

#: Events in words; others appear under their names.
_EVENTS = {
    "message.cancelled": "it was cancelled",
    "message.expired": "its time ran out",
    "message.failed": "it failed",
    "message.refused": "it was rejected at the door",
    "message.repeated": "its reference was given again; nothing new was sent",
    "message.restarted": "begun anew on another SIM",
    "message.retried": "a person has it sent again",
    "message.uncertain": "no evidence has come; a person has to decide",
    "part.corrected": "a refusal came late; the reference counter had called it sent",
    "part.doubted": "the answer that came was that of the part before; it is uncertain again",
    "part.resent": "sent again without evidence, as the configuration says",
}
_TOLD_ELSEWHERE = frozenset({"part.uncertain", "part.settled"})
#: The state in which the end of the message says the same.
_ENDS = {
    "message.cancelled": MessageState.CANCELLED,
    "message.expired": MessageState.EXPIRED,
    "message.failed": MessageState.FAILED,
    "message.refused": MessageState.REJECTED,
}

#: Families whose codes are numbers of the network or the modem.
_CODED = (ErrorFamily.CMS, ErrorFamily.CME, ErrorFamily.TP_ST)

#: Puts a code into words: family and code, as stored.
Explain = Callable[[str | None, str | None], str]


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that is stored of one message."""

    message: display.Row
    parts: Sequence[display.Row]
    attempts: Sequence[display.Row]
    reports: Sequence[display.Row]
    files: Sequence[display.Row]
    events: Sequence[display.Row]
    unreported: Sequence[display.Row] = ()  #: parts that only the counter calls sent
    #: modems that were last seen with the SIM on which a long message was begun
    modems: Sequence[display.Row] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened, in words that are safe for a terminal."""

    at: str  #: UTC, as stored
    words: str


def collect(db: Database, message_id: int) -> Story | None:
    """Read a message's story; None if there is no such message."""
    message = outbox.get(db, message_id)
    if message is None:
        return None
    return Story(
        message,
        outbox.parts(db, message_id),
        outbox.attempts(db, message_id),
        reports.of_message(db, message_id),
        spool_files.of_message(db, message_id),
        events.of_message(db, message_id),
        tries.unreported(db, message_id),
        [row for row in modems.listing(db) if row["sim_id"] == message["sim_id"] is not None],
    )


def document(story: Story, explain: Explain) -> dict[str, object]:
    """Return the story for programs: the message's columns, and lists named after the tables."""
    parts = []
    for part in story.parts:
        attempts = [a for a in story.attempts if a["part_id"] == part["id"]]
        heard = [r for r in story.reports if r["part_id"] == part["id"]]
        parts.append(
            {
                **display.plain(part, _PART_COLUMNS),
                "explanation": _explained(part, explain),
                "attempt": [
                    {
                        **display.plain(attempt, _ATTEMPT_COLUMNS, frozenset({"counted"})),
                        "explanation": _explained(attempt, explain),
                    }
                    for attempt in attempts
                ],
                "status_report": [
                    {
                        **display.plain(report, _REPORT_COLUMNS),
                        "explanation": explain("tp-st", str(report["st"])),
                    }
                    for report in heard
                ],
            }
        )
    return {
        **display.plain(story.message, MESSAGE_COLUMNS, MESSAGE_SWITCHES),
        "explanation": _explained(story.message, explain),
        "part": parts,
        "spool": [display.plain(file, _FILE_COLUMNS) for file in story.files],
        "event": [
            {
                "at": e["at"],
                "name": e["name"],
                "modem": e["modem"],
                "detail": parse_detail(e["detail"]),
            }
            for e in story.events
        ],
    }


def _explained(row: display.Row, explain: Explain) -> str | None:
    return explain(row["error_family"], row["error_code"]) if row["error_family"] else None


def moments(story: Story, explain: Explain, zone: dt.tzinfo) -> list[Moment]:
    """Return what happened to a message, oldest first."""
    told = [
        *_door(story),
        *(moment for row in story.attempts for moment in _attempt(row, story, explain)),
        *(moment for row in story.parts for moment in _proof(row, story)),
        *(_report(row, story, explain, zone) for row in story.reports),
        *(moment for row in story.events for moment in _event(row, story.message)),
        *_end(story.message, explain),
    ]
    told = [Moment(moment.at, display.localised(moment.words, zone)) for moment in told]
    return sorted(told, key=lambda moment: str(moment.at))


def _door(story: Story) -> Iterator[Moment]:
    message = story.message
    for file in story.files:
        yield Moment(file["taken_at"], f"file outgoing/{display.safe(file['original_name'])} taken")
        if file["finished_at"]:
            place = f"{file['folder']}/{display.safe(file['final_name'])}"
            yield Moment(file["finished_at"], f"file put into {place}")
    source = display.safe(message["source"])
    if message["state"] == MessageState.NEW:
        words = f"written to the database by {source}; the daemon has not checked it yet"
    else:
        words = f"came from {source}"
    yield Moment(message["created_at"], words)


def _attempt(row: display.Row, story: Story, explain: Explain) -> Iterator[Moment]:
    part = _part_words(row["part_number"], story)
    yield Moment(row["claimed_at"], f"{part}: modem {display.safe(row['modem'])} takes it")
    if not row["ended_at"]:
        return
    words = f"{part}: {_OUTCOMES.get(row['outcome'], display.safe(row['outcome']))}"
    if row["mr"] is not None:
        words += f", reference {row['mr']}"
    words += _because(row, explain)
    if row["outcome"] == "refused" and not row["counted"]:
        words += "; no attempt used up"
    proof = _PROOFS.get(row["proof"] or "", row["proof"])
    yield Moment(row["ended_at"], words + (f" (proof: {display.safe(proof)})" if proof else ""))


def _because(row: display.Row, explain: Explain) -> str:
    """Return the reason: what the code means, unless the words that were stored say it too."""
    meaning = ""
    if row["error_family"] in _CODED:
        meaning = explain(row["error_family"], row["error_code"])
    own = str(row["error"] or ("" if meaning else row["error_code"] or ""))
    if meaning and meaning.partition(": ")[2] in own:
        meaning = ""
    words = [display.safe(part) for part in (meaning, own) if part]
    return f": {'; '.join(dict.fromkeys(words))}" if words else ""


def _proof(part: display.Row, story: Story) -> Iterator[Moment]:
    """Tell what settled a part once its attempt had ended without an answer."""
    told = [row["proof"] for row in story.attempts if row["part_id"] == part["id"]]
    proof, at = part["proof"], part["settled_at"] or part["sent_at"]
    if proof and at and proof != "answer" and proof not in told[-1:]:
        words = display.safe(_PROOFS.get(proof, proof))
        yield Moment(at, f"{_part_words(part['number'], story)}: {part['state']} (proof: {words})")


def _report(row: display.Row, story: Story, explain: Explain, zone: dt.tzinfo) -> Moment:
    from gsmgw.gateway import words as words_of

    meaning = display.safe(explain("tp-st", str(row["st"])))
    words = f"{_part_words(row['part_number'], story)}: status report: {meaning}"
    if row["discharged_at"]:
        words += f", at {display.local_time(row['discharged_at'], zone)}"
    return Moment(row["received_at"], f"{words}; {words_of.fate(row['st'])}")


def _event(row: display.Row, message: display.Row) -> Iterator[Moment]:
    """Tell an event, unless an attempt, a part, or the end of the message tells it."""
    name, detail = str(row["name"]), parse_detail(row["detail"])
    if name in _TOLD_ELSEWHERE or _ENDS.get(name) == message["state"]:
        return
    words = _EVENTS.get(name)
    if words is None:
        pairs = detail.items() if isinstance(detail, dict) else [("detail", detail)]
        words = " ".join([name, *(f"{key}={value}" for key, value in pairs)])
    yield Moment(row["at"], display.safe(words))


def _end(message: display.Row, explain: Explain) -> Iterator[Moment]:
    if message["settled_at"]:
        yield Moment(
            message["settled_at"], f"message {message['state']}{_because(message, explain)}"
        )


def _part_words(number: int, story: Story) -> str:
    return f"part {number} of {story.message['parts']}"
