# SPDX-License-Identifier: Apache-2.0
"""Status reports meet their parts.

Theory of operation: a report is stored before anything else and matched at once; what finds no
part is tried again whenever a part of that SIM gets its reference or becomes uncertain, because a
report can overtake the answer to AT+CMGS. A report fits a part of the same SIM, with the same
TP-MR where the SIM's references count, and with the same number as far as both are written; of
several parts the one whose time of sending is nearest to the report's own time of submission,
corrected by what was learnt of that service centre's clock. The service centre's number is never
compared: networks report from other numbers than they take messages at.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from gsmgw import logs
from gsmgw.at import codes
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.gateway.outcomes import counting, endings
from gsmgw.model import ErrorFamily, MessageState, Outcome, PartState
from gsmgw.store import events, outbox, reports, tries
from gsmgw.store.database import Row, Transaction
from gsmgw.store.outbox import PartChange

log = logs.get("gateway")

#: A report may come this late: networks keep trying for days.
OPEN_FOR = dt.timedelta(days=21)
#: One whose own time fits may come later still: TP-VP allows 63 weeks, and a modem keeps a report
#: for as long as the machine is switched off.
OPEN_LONGEST = dt.timedelta(weeks=65)
#: A report without a part is tried again for so long.
TRY_AGAIN_FOR = dt.timedelta(days=2)
#: Fewer digits than this must be equal: a suffix of three digits says nothing.
SHORTEST_SUFFIX = 6
#: For an uncertain part a report is evidence only if it was submitted about when we did so, once
#: the service centre's clock is known.
EVIDENCE_WITHIN = dt.timedelta(minutes=10)
#: Before that its clock may be in any zone.
EVIDENCE_WITHIN_ANY_ZONE = dt.timedelta(hours=15)
#: So many parts with one and the same reference show that references do not count.
REFERENCES_LOOKED_AT = 3


def same_number(one: str, other: str) -> bool:
    """Tell whether two ways of writing a number may mean the same one.

    The shorter digit string, without leading zeros, must end the longer one; below six digits the
    two must be equal.
    """
    a, b = _dialled(one), _dialled(other)
    if not a or not b:
        return one == other
    short, long = sorted((a, b), key=len)
    return long == short if len(short) < SHORTEST_SUFFIX else long.endswith(short)


def _dialled(number: str) -> str:
    return "".join(c for c in number if c in "0123456789*#").lstrip("0")


def match_again(tx: Transaction, config: Config, sim_id: int | None, recipient: str) -> None:
    """Try the reports of a SIM about a number that have found no part yet."""
    since = _before(tx, TRY_AGAIN_FOR)
    for report in reports.unmatched(tx, sim_id, since):
        if same_number(report["recipient"], recipient):
            match(tx, config, report)


def match(tx: Transaction, config: Config, report: Row) -> bool:
    """Find the part that a stored report speaks of, and let it follow; False if there is none."""
    since = _before(tx, OPEN_FOR)
    sim_id = report["sim_id"]
    counts = references_count(tx, sim_id)
    if counts:
        candidates = reports.open_parts_with(tx, sim_id, report["mr"], since)
        held = counting.claims(tx, sim_id)
        candidates += [row for row in held if row["expected_mr"] == report["mr"]]
    else:
        ending = _dialled(report["recipient"])[-SHORTEST_SUFFIX:]
        candidates = reports.open_parts(tx, sim_id, ending, since)
    offset = _offset(tx, report["service_centre"])
    window = EVIDENCE_WITHIN_ANY_ZONE if offset is None else EVIDENCE_WITHIN

    def fitting_of(rows: list[Row]) -> list[tuple[dt.timedelta, Row]]:
        return [
            (distance, part)
            for part in rows
            if same_number(part["recipient"], report["recipient"])
            and _may_be(tx, report, part, distance := _distance(report, part, offset), window)
        ]

    fitting = fitting_of(candidates)
    if counts and all(distance > window for distance, _ in fitting):
        older = reports.open_parts_with(tx, sim_id, report["mr"], _before(tx, OPEN_LONGEST))
        near = [pair for pair in fitting_of(older) if pair[0] <= window]
        fitting = near or fitting
    if not fitting:
        return False

    def order(pair: tuple[dt.timedelta, Row]) -> tuple[bool, dt.timedelta, int]:
        # The right reference at about the right time is better than just the right time.
        distance, part = pair
        return (
            report["mr"] not in (part["mr"], part["expected_mr"]) or distance > window,
            distance,
            -part["id"],
        )

    _, part = min(fitting, key=order)
    _apply(tx, config, report, part)
    return True


def _before(tx: Transaction, span: dt.timedelta) -> str:
    return format_utc(dt.datetime.fromisoformat(tx.now) - span)


def references_count(tx: Transaction, sim_id: int | None) -> bool:
    """Tell whether the references that a modem reports are the network's own."""
    newest = [] if sim_id is None else tries.newest_references(tx, sim_id, REFERENCES_LOOKED_AT)
    if not newest or len(set(newest)) > 1:
        return True
    return newest[0] not in (0, None) and len(newest) < REFERENCES_LOOKED_AT


def _offset(tx: Transaction, service_centre: str | None) -> dt.timedelta | None:
    seconds = reports.centre_offset(tx, service_centre or "")
    return None if seconds is None else dt.timedelta(seconds=seconds)


def _distance(report: Row, part: Row, offset: dt.timedelta | None) -> dt.timedelta:
    """Return how far apart the two say that the part was submitted."""
    sent = dt.datetime.fromisoformat(part["sent_at"] or part["claimed_at"])
    if report["service_centre_at"] is None:
        return abs(dt.datetime.fromisoformat(report["received_at"]) - sent)
    at = dt.datetime.fromisoformat(report["service_centre_at"])
    return abs(at - (offset or dt.timedelta()) - sent)


def _may_be(
    tx: Transaction, report: Row, part: Row, distance: dt.timedelta, window: dt.timedelta
) -> bool:
    if part["state"] != PartState.UNCERTAIN:
        return True
    return distance <= window and counting.may_have(tx, part, report["mr"])


def _apply(tx: Transaction, config: Config, report: Row, part: Row) -> None:
    reports.match(tx, report["id"], part["id"])
    status = codes.tp_status(report["st"])
    was_uncertain = part["state"] == PartState.UNCERTAIN
    state = {
        codes.DeliveryStatus.DELIVERED: PartState.DELIVERED,
        codes.DeliveryStatus.UNDELIVERED: PartState.UNDELIVERED,
        codes.DeliveryStatus.PENDING: PartState.SENT,
    }[status.delivery]
    if not was_uncertain:
        _learn_offset(tx, report, part)
    claimed = part["state"] == PartState.SENT and part["expected_mr"] is not None
    if was_uncertain:
        _contest(tx, report, part)
    change = PartChange(
        state,
        mr=report["mr"] if was_uncertain or claimed else None,
        proof="report" if was_uncertain else None,
        family=ErrorFamily.TP_ST if state is PartState.UNDELIVERED else None,
        code=str(report["st"]) if state is PartState.UNDELIVERED else None,
        error=status.text if state is PartState.UNDELIVERED else None,
    )
    outbox.change_part(tx, part["id"], change)
    if was_uncertain or claimed:
        endings.conclude(tx, config, *counting.reported(tx, part, report["mr"]))
    if was_uncertain:
        outbox.end_attempt(tx, part["id"], outcome=Outcome.TAKEN, change=change)
        events.add(tx, "part.settled", message_id=part["message_id"], proof="report", state=state)
    message_state = outbox.mirror(tx, part["message_id"])
    _tell(tx, report, part, status, message_state)


def _contest(tx: Transaction, report: Row, part: Row) -> None:
    """Take back the answer of a later part that bore this reference: it was this part's."""
    for row in counting.claims(tx, part["sim_id"]):
        if row["mr"] == report["mr"] and row["claimed_at"] > part["claimed_at"]:
            endings.take_back(tx, row)


def _learn_offset(tx: Transaction, report: Row, part: Row) -> None:
    if report["service_centre_at"] is None or report["service_centre"] is None:
        return
    at = dt.datetime.fromisoformat(report["service_centre_at"])
    sent = dt.datetime.fromisoformat(part["sent_at"] or part["claimed_at"])
    offset = (at - sent).total_seconds()
    if reports.centre_offset(tx, report["service_centre"]) != round(offset):
        reports.learn_centre_offset(tx, report["service_centre"], round(offset))


def _tell(
    tx: Transaction,
    report: Row,
    part: Row,
    status: codes.Status,
    message_state: MessageState,
) -> None:
    message = outbox.get(tx, part["message_id"])
    if message is not None and message["report_requested"]:
        reports.owe_file(tx, report["id"])
    fields: dict[str, Any] = {
        "id": part["message_id"],
        "part": part["number"],
        "recipient": logs.number(part["recipient"]),
        "status": report["st"],
        "why": status.text,
        "message": message_state.value,
    }
    if status.delivery is codes.DeliveryStatus.UNDELIVERED:
        tx.after_commit(lambda: log.warning("part.undelivered", key=("status",), first=5, **fields))
    elif status.delivery is codes.DeliveryStatus.DELIVERED:
        tx.after_commit(lambda: log.info("part.delivered", routine="parts delivered", **fields))
    else:
        tx.after_commit(lambda: log.info("part.pending", routine="parts pending", **fields))
