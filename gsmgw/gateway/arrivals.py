# SPDX-License-Identifier: Apache-2.0
"""What comes in: every TPDU is stored raw first, then read, joined with its companions, told.

Theory of operation: `receive` stores the octets and all that can be concluded from them in one
transaction; the modem deletes its copy only after that commit. A TPDU that comes twice, because a
deletion was not confirmed or the network repeated it, is found by its octets and is no second
message. Parts of a long message wait in the database, in any order and across restarts, until
they are complete; what stays incomplete is handed over after a day, marked so.

On failure: octets that no decoder understands become a row of kind `binary` that holds them.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections import deque
from collections.abc import Sequence
from typing import Any

from gsmgw import logs, pdu, phone
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.gateway.hints import Hints
from gsmgw.gateway.outcomes import receipts
from gsmgw.gateway.trust import ClockTrust
from gsmgw.model import InboundPdu, InboxKind
from gsmgw.store import events, inbox, outbox, reports
from gsmgw.store.database import Database, Row, Transaction
from gsmgw.store.watching import self_tests

log = logs.get("gateway")

#: The same octets within this time are a repeat of the network, not a second message.
REPEAT_WITHIN = dt.timedelta(minutes=10)
#: An answer refers to the newest message sent to that number within this time.
REPLY_WITHIN = dt.timedelta(days=7)
#: Parts whose companions have not come by then are handed over without them.
INCOMPLETE_AFTER = dt.timedelta(hours=24)
#: A sender may have so many parts waiting; beyond it the oldest go out incomplete.
WAITING_PARTS_PER_SENDER = 255
#: So may all senders together: who floods us may use many numbers.
WAITING_PARTS = 2550


class Arrivals:
    """Stores and joins what modems read. Callable from any thread."""

    def __init__(
        self, config: Config, db: Database, hints: Hints, trust: ClockTrust | None = None
    ) -> None:
        self._config = config
        self._db = db
        self._hints = hints
        self._trust = trust
        self._forgotten: deque[int] = deque()

    def receive(self, arrival: InboundPdu, sim_id: int | None) -> int:
        """Store a TPDU and what it says; return the id under which its octets are kept.

        Blocks for one commit. Raises StoreError if it could not be stored.
        """
        decoded = pdu.decode(arrival.pdu)
        with self._db.write() as tx:
            self.note_deleted(tx)
            since = format_utc(dt.datetime.fromisoformat(tx.now) - REPEAT_WITHIN)
            repeat = inbox.find_repeat(tx, arrival, sim_id, since)
            if repeat is not None and not _is_equal_report(tx, decoded, repeat):
                inbox.seen_again(tx, repeat["id"], arrival)
                tx.after_commit(
                    lambda: log.info("sms.repeated", modem=arrival.modem, received=repeat["id"])
                )
                return int(repeat["id"])
            if isinstance(decoded, pdu.StatusReport):
                return self._report(tx, arrival, sim_id, decoded)
            if isinstance(decoded, pdu.Deliver):
                return self._deliver(tx, arrival, sim_id, decoded)
            error = decoded.error if isinstance(decoded, pdu.Undecodable) else "no SMS-DELIVER"
            return self._undecodable(tx, arrival, sim_id, error)

    def confirm_deleted(self, received_id: int) -> None:
        """Learn that the modem has forgotten a stored TPDU; noted with the next write.

        A commit of its own would double the cost of every report. A note lost in a crash does no
        harm: the same octets, which hold the second they were sent in, do not come again.
        """
        self._forgotten.append(received_id)

    def note_deleted(self, tx: Transaction) -> None:
        """Write down which TPDUs their modems have forgotten."""
        noted = list(self._forgotten)
        for received_id in noted:
            inbox.confirm_deleted(tx, received_id)

        def drop() -> None:
            for received_id in noted:
                with contextlib.suppress(ValueError):  # another thread noted it too
                    self._forgotten.remove(received_id)

        if noted:
            tx.after_commit(drop)

    def flush(self) -> None:
        """Write down what no other write has taken along. Blocks for one commit, if any."""
        if self._forgotten:
            with self._db.write() as tx:
                self.note_deleted(tx)

    def missed_call(self, modem: str, number: str | None, sim_id: int | None) -> None:
        """Record one missed call. Blocks for one commit."""
        sender = phone.normalise_sender(number, self._config.country) if number else ""
        with self._db.write() as tx:
            call = inbox.Arrival(sender, None, InboxKind.MISSED_CALL, modem, sim_id)
            inbox_id = inbox.add(tx, call, [], _reply_since(tx))
            tx.after_commit(
                lambda: log.info(
                    "call.missed",
                    routine="missed calls",
                    inbox=inbox_id,
                    modem=modem,
                    sender=logs.number(sender),
                )
            )
            tx.after_commit(self._hints.handouts.set)
            tx.after_commit(self._hints.clinic.set)

    # -- the three kinds of TPDU -----------------------------------------------------------------

    def _report(
        self, tx: Transaction, arrival: InboundPdu, sim_id: int | None, report: pdu.StatusReport
    ) -> int:
        received_id = inbox.add_raw(tx, inbox.RawPart(arrival, sim_id, "status-report"))
        report_id = reports.add(
            tx,
            reports.NewReport(
                sim_id=sim_id,
                modem=arrival.modem,
                mr=report.mr,
                recipient=report.recipient.digits,
                recipient_toa=report.recipient.toa,
                service_centre=report.service_centre,
                service_centre_at=_utc(report.service_centre_at),
                discharged_at=_utc(report.discharged_at),
                status=report.status,
                received_part_id=received_id,
            ),
        )
        row = reports.get(tx, report_id)
        is_matched = row is not None and receipts.match(tx, self._config, row)
        if is_matched:
            self._compare_clocks(tx, report_id)
        else:
            recipient = logs.number(report.recipient.digits)
            tx.after_commit(
                lambda: log.info(
                    "report.unmatched",
                    routine="reports unmatched",
                    report=report_id,
                    modem=arrival.modem,
                    mr=report.mr,
                    recipient=recipient,
                )
            )
        tx.after_commit(self._hints.results.set)
        tx.after_commit(self._hints.handouts.set)
        return received_id

    def _compare_clocks(self, tx: Transaction, report_id: int) -> None:
        """Learn from a report what time the network has."""
        report = reports.get(tx, report_id)
        part = None if report is None else outbox.get_part(tx, report["part_id"])
        if self._trust is None or report is None or part is None:
            return
        if report["service_centre_at"] is not None and part["sent_at"] is not None:
            self._trust.hear_report(
                dt.datetime.fromisoformat(report["service_centre_at"]),
                dt.datetime.fromisoformat(part["sent_at"]),
            )

    def _deliver(
        self, tx: Transaction, arrival: InboundPdu, sim_id: int | None, deliver: pdu.Deliver
    ) -> int:
        sender = phone.normalise_sender(deliver.sender.digits, self._config.country)
        if self._trust is not None and deliver.service_centre_at is not None:
            self._trust.hear_message(deliver.service_centre_at)
        concat = deliver.concat
        is_part = concat is not None and concat.total > 1 and 1 <= concat.number <= concat.total
        received_id = inbox.add_raw(
            tx,
            inbox.RawPart(
                arrival,
                sim_id,
                "deliver",
                sender,
                (concat.ref, concat.total, concat.number, concat.wide)
                if concat is not None and is_part
                else None,
                deliver.note or None,
            ),
        )
        if not is_part and self._is_self_test(tx, arrival.modem, sender, deliver.text):
            return received_id
        if not is_part:
            self._hand_over(tx, [received_id], [deliver], sender, arrival, sim_id, total=1)
            return received_id
        row = inbox.get_raw(tx, received_id)
        if row is not None:
            self._join_if_complete(tx, row)
            self._bound_waiting(tx, sender)
        return received_id

    def _is_self_test(self, tx: Transaction, modem: str, sender: str, text: str | None) -> bool:
        """Tell whether a message is one that a modem wrote to itself; it is for nobody then."""
        test = self_tests.arrive(tx, sender, text) if text else None
        if test is None:
            return False
        tx.after_commit(lambda: log.info("selftest.arrived", limit=True, modem=modem))
        return True

    def _undecodable(
        self, tx: Transaction, arrival: InboundPdu, sim_id: int | None, error: str
    ) -> int:
        raw = inbox.RawPart(arrival, sim_id, "undecodable", "", None, error)
        received_id = inbox.add_raw(tx, raw)
        row = inbox.Arrival("", arrival.pdu, InboxKind.BINARY, arrival.modem, sim_id)
        inbox_id = inbox.add(tx, row, [received_id], _reply_since(tx))
        events.add(tx, "sms.undecodable", modem=arrival.modem, inbox_id=inbox_id, error=error)
        tx.after_commit(
            lambda: log.warning(
                "sms.undecodable", inbox=inbox_id, modem=arrival.modem, why=logs.masked(error)
            )
        )
        tx.after_commit(self._hints.handouts.set)
        return received_id

    # -- joining ---------------------------------------------------------------------------------

    def _join_if_complete(self, tx: Transaction, like: Row) -> None:
        chosen = _one_of_each(inbox.waiting_parts(tx, like), like)
        if len(chosen) == like["concat_total"]:
            self._join(tx, chosen)

    def _bound_waiting(self, tx: Transaction, sender: str) -> None:
        for whose, most in ((sender, WAITING_PARTS_PER_SENDER), (None, WAITING_PARTS)):
            while inbox.count_waiting(tx, whose) > most:
                oldest = inbox.oldest_waiting(tx, whose)
                if oldest is None:
                    return
                self._join(tx, _one_of_each(inbox.waiting_parts(tx, oldest), oldest))

    def hand_over_incomplete(self) -> int:
        """Hand over what has waited a day for its companions; return how many messages."""
        before = format_utc(self._db.clock.now() - INCOMPLETE_AFTER)
        if not inbox.overdue_parts(self._db, before, 1):
            return 0
        count = 0
        with self._db.write() as tx:
            # Again one by one: joining takes a part's companions with it.
            while count < 100 and (rows := inbox.overdue_parts(tx, before, 1)):
                self._join(tx, _one_of_each(inbox.waiting_parts(tx, rows[0]), rows[0]))
                count += 1
        return count

    def _join(self, tx: Transaction, rows: Sequence[Row]) -> None:
        delivers = []
        for row in rows:
            decoded = pdu.decode(row["pdu"])
            if isinstance(decoded, pdu.Deliver):
                delivers.append(decoded)
        first = rows[0]
        arrival = InboundPdu(first["modem"], first["pdu"])
        self._hand_over(
            tx,
            [row["id"] for row in rows],
            delivers,
            first["sender"],
            arrival,
            first["sim_id"],
            total=first["concat_total"],
        )

    def _hand_over(
        self,
        tx: Transaction,
        received_ids: list[int],
        delivers: Sequence[pdu.Deliver],
        sender: str,
        arrival: InboundPdu,
        sim_id: int | None,
        *,
        total: int,
    ) -> None:
        is_binary = any(deliver.text is None for deliver in delivers)
        if not delivers:
            is_binary, text = True, arrival.pdu  # stored by a version that could read it
        elif is_binary:
            text = b"".join(deliver.data or deliver.user_data for deliver in delivers).hex()
        else:
            text = pdu.join_texts(delivers)
        complete = len(delivers) == total
        inbox_id = inbox.add(
            tx,
            inbox.Arrival(
                sender,
                text,
                InboxKind.BINARY if is_binary else InboxKind.SMS,
                arrival.modem,
                sim_id,
                _utc(delivers[0].service_centre_at) if delivers else None,
                total,
                complete,
            ),
            received_ids,
            _reply_since(tx),
        )
        fields: dict[str, Any] = {
            "inbox": inbox_id,
            "modem": arrival.modem,
            "sender": logs.number(sender),
            "parts": total,
        }
        if complete:
            tx.after_commit(lambda: log.info("sms.received", routine="received", **fields))
        else:
            missing = total - len(delivers)
            tx.after_commit(lambda: log.warning("sms.incomplete", missing=missing, **fields))
        tx.after_commit(self._hints.handouts.set)
        tx.after_commit(self._hints.clinic.set)


def _is_equal_report(tx: Transaction, decoded: pdu.Decoded, earlier: Row) -> bool:
    """Tell whether a report is another one with the same octets.

    Where references say nothing, reports on two parts that were sent within one second are equal to
    the last octet. The first has left the modem: this one cannot be the same read again.
    """
    return (
        isinstance(decoded, pdu.StatusReport)
        and earlier["deleted_at"] is not None
        and not receipts.references_count(tx, earlier["sim_id"])
    )


def _one_of_each(rows: Sequence[Row], like: Row) -> list[Row]:
    """Return the rows of one message in order: `like`, and of each other number its companion.

    References come round after 256 messages, and some phones give all messages the same one: where
    several parts bear a number, the one that the service centre took nearest to `like` belongs to
    it; where that says nothing, the one that came last.
    """
    at = {row["id"]: _taken_at(row) for row in rows} if _has_doubles(rows) else {}
    mine = at.get(like["id"])

    def order(row: Row) -> tuple[bool, dt.timedelta, int]:
        its = at.get(row["id"])
        distance = dt.timedelta() if mine is None or its is None else abs(its - mine)
        return row["id"] != like["id"], distance, -row["id"]

    chosen: dict[int, Row] = {}
    for row in sorted(rows, key=order):
        chosen.setdefault(row["concat_number"], row)
    return [chosen[number] for number in sorted(chosen)]


def _has_doubles(rows: Sequence[Row]) -> bool:
    return len({row["concat_number"] for row in rows}) < len(rows)


def _taken_at(row: Row) -> dt.datetime | None:
    decoded = pdu.decode(row["pdu"])
    return decoded.service_centre_at if isinstance(decoded, pdu.Deliver) else None


def _reply_since(tx: Transaction) -> str:
    return format_utc(dt.datetime.fromisoformat(tx.now) - REPLY_WITHIN)


def _utc(at: dt.datetime | None) -> str | None:
    return None if at is None else format_utc(at)
