# SPDX-License-Identifier: Apache-2.0
"""What a modem does with a PDU after Ctrl-Z: check it, hand it to the network, answer.

The network has the part, or has refused it, when half of the submit time is over; what cuts the
power before that leaves nothing behind, what cuts it later leaves a part on the air without an
answer. The phone counts its reference when it submits, whatever the network says.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass

from gsmgw import errors, pdu
from gsmgw.simulator import books, relay
from gsmgw.simulator.device import memory, modem
from gsmgw.simulator.device.dialogue import Answer

_INVALID_PDU = 304
_UNKNOWN_SERVICE_CENTRE = 330
_NO_NETWORK = 331


@dataclass(slots=True)
class _Submission:
    """One submit under way."""

    by: modem.Modem
    record: books.Submit
    tpdu: bytes
    decoded: pdu.DecodedSubmit
    words: str | None = None  #: the final result, where it is not what the outcome says


def submit(by: modem.Modem, body: bytes, length: int) -> None:
    """Send what was written after the prompt of AT+CMGS; the answer comes after the submit time.

    Args:
        by: the modem.
        body: hex digits, as they stood before Ctrl-Z.
        length: the octets of the TPDU, as announced.
    """
    written_at = by.loop.monotonic()
    record = _open_record(by, body.decode("latin-1").strip(), written_at)
    by.books.add(record)
    answer_at = written_at + by.layout.submit_s
    submission = _read(by, record, length)
    code = _INVALID_PDU if submission is None else _check(submission)
    if submission is None or code is not None:
        _refuse(by, record, code)
        by.at(
            answer_at, lambda: by.dialogue.answer(_note(by, record, by.cms(code or _INVALID_PDU)))
        )
        return
    record.mr = by.card.next_reference() if by.layout.references == "counting" else 0
    if by.layout.submit_s <= 0 and "brown-out" not in by.faults:
        _reach_network(submission)
        _answer(submission)
        return
    half_at = written_at + by.layout.submit_s / 2
    by.at(half_at, lambda: _reach_network(submission))
    by.at(answer_at, lambda: _answer(submission))


def send_stored(by: modem.Modem, stored: memory.Stored) -> None:
    """Send a stored SMS-SUBMIT (AT+CMSS)."""
    octets = bytes.fromhex(stored.pdu)
    stored.stat = memory.Stat.STO_SENT
    submit(by, stored.pdu.encode("ascii"), len(octets) - 1 - octets[0])


def _open_record(by: modem.Modem, text: str, written_at: float) -> books.Submit:
    return books.Submit(
        number=by.books.count_submit(),
        modem=by.name,
        imsi=by.card.imsi,
        sender=by.number,
        at=by.books.now(),
        pdu=text,
        line_at=by.dialogue.line_at,
        written_at=written_at,
    )


def _read(by: modem.Modem, record: books.Submit, length: int) -> _Submission | None:
    """Read the PDU; None if it is none, or not as long as announced."""
    try:
        octets = binascii.unhexlify(record.pdu)
        _, tpdu = relay.split_service_centre(octets)
    except (binascii.Error, ValueError, errors.PduError):
        return None
    decoded = pdu.decode(octets, direction="out")
    if len(tpdu) != length or not isinstance(decoded, pdu.DecodedSubmit):
        return None
    _describe(record, decoded)
    return _Submission(by, record, tpdu, decoded)


def _check(submission: _Submission) -> int | None:
    """Return the code with which the modem itself refuses, None if it submits."""
    by, decoded = submission.by, submission.decoded
    if decoded.validity is not None and not by.habits.validity:
        return _INVALID_PDU
    if not by.is_registered:
        return _NO_NETWORK
    if decoded.service_centre is None and not by.card.service_centre:
        return _UNKNOWN_SERVICE_CENTRE
    return None


def _describe(record: books.Submit, decoded: pdu.DecodedSubmit) -> None:
    record.recipient = decoded.recipient.digits
    record.text, record.data = books.describe_content(decoded)
    record.report_requested = decoded.report
    if decoded.concat is not None:
        concat = decoded.concat
        record.concat = {"ref": concat.ref, "total": concat.total, "number": concat.number}


def _refuse(by: modem.Modem, record: books.Submit, code: int | None) -> None:
    record.outcome = "refused"
    record.code = code
    record.taken_at = by.loop.monotonic()
    by.books.tell("refused", modem=by.name, recipient=record.recipient, code=code)


def _reach_network(submission: _Submission) -> None:
    """Let the network judge, at half of the submit time."""
    by, record = submission.by, submission.record
    brown_out = by.uses_up("brown-out")
    if brown_out is not None and brown_out.get("taken", "yes") == "no":
        record.outcome = "lost"
        by.books.tell("lost", modem=by.name, recipient=record.recipient)
    else:
        _judge(submission)
    if brown_out is not None:
        by.lose_power(float(brown_out.get("off", "2")))


def _judge(submission: _Submission) -> None:
    by, record, decoded = submission.by, submission.record, submission.decoded
    refusal = _refusal(by, decoded)
    if refusal is not None:
        submission.words = _refusal_words(by, refusal["code"])
        if refusal.get("taken", "no") == "no":
            _refuse(by, record, int(refusal["code"]) if refusal["code"].isdecimal() else None)
            return
    record.outcome = "taken"
    record.taken_at = by.loop.monotonic()
    by.books.tell(
        "submitted",
        modem=by.name,
        recipient=record.recipient,
        text=record.text,
        mr=record.mr,
        concat=record.concat,
    )
    by.network.carry(by, submission.tpdu, decoded, record.mr or 0)


def _refusal(by: modem.Modem, decoded: pdu.DecodedSubmit) -> dict[str, str] | None:
    """Return how the submit is refused: by a fault of this modem, or by the recipient's phone."""
    fault = by.faults.get("refuse")
    if fault is not None and fault.get("to", decoded.recipient.digits) == decoded.recipient.digits:
        by.uses_up("refuse")
        return {"code": "21"} | fault
    code = by.network.judge(decoded)
    return None if code is None else {"code": str(code)}


def _refusal_words(by: modem.Modem, code: str) -> str:
    """Return the final result: a CMS code, or words such as ERROR and NO CARRIER."""
    return by.cms(int(code)).final if code.isdecimal() else code.replace("-", " ").upper()


def _answer(submission: _Submission) -> None:
    """Answer at the end of the submit time, unless a fault swallows or delays it."""
    by, record = submission.by, submission.record
    answer = _result(submission)
    if by.uses_up("answer-lost") is not None:
        by.dialogue.become_idle()
        return
    late = by.uses_up("late-answer")
    if late is None:
        by.dialogue.answer(_note(by, record, answer))
    elif late.get("busy", "yes") == "yes":
        late_s = float(late.get("after", "5"))
        by.after(late_s, lambda: by.dialogue.answer(_note(by, record, answer)))
    else:
        by.after(float(late.get("after", "5")), lambda: _say_late(by, record, answer))
        by.dialogue.become_idle()


def _say_late(by: modem.Modem, record: books.Submit, answer: Answer) -> None:
    """Bring an answer between the answers to other commands."""
    _note(by, record, answer)
    for text in (*answer.lines, answer.final):
        if text:
            by.say(text)


def _note(by: modem.Modem, record: books.Submit, answer: Answer) -> Answer:
    """Enter into the books that the answer is written now; a modem that hangs writes nothing."""
    if "hang" not in by.faults:
        record.answer = "; ".join(text for text in (*answer.lines, answer.final) if text)
        record.answered_at = by.loop.monotonic()
        by.books.touch()
    return answer


def _result(submission: _Submission) -> Answer:
    by, record = submission.by, submission.record
    if submission.words is not None:
        return Answer(final=submission.words)
    if by.layout.references == "none":
        return Answer()
    line = f"+CMGS:{' ' if by.habits.cmgs_blank else ''}{record.mr}"
    if by.habits.cmgs_time and by.settings.phase == 1:
        line += f',"{service_time(by)}"'
    if by.habits.ok_before_cmgs:
        return Answer(("OK", line), final="")
    return Answer((line,))


def service_time(by: modem.Modem) -> str:
    """Return the network's time as AT answers write it: `26/11/22,08:30:00+04`."""
    at = by.network.local_time()
    offset = at.utcoffset()
    quarters = 0 if offset is None else int(offset.total_seconds() // 900)
    return f"{at:%y/%m/%d,%H:%M:%S}{quarters:+03d}"
