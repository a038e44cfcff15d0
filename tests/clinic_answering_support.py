# SPDX-License-Identifier: Apache-2.0
"""A clinic whose questions have been sent: patients answer, and a test looks at what follows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import clinic_support
from clinic_support import PHONE

from gsmgw.clinic.answering import Answering
from gsmgw.clinic.reading import ReplyReader
from gsmgw.clinic.wording import Wording
from gsmgw.clinic.work import Work
from gsmgw.clock import format_utc
from gsmgw.model import InboxKind
from gsmgw.store import inbox
from gsmgw.store.clinic import people, requests, visits
from gsmgw.store.database import Row, Transaction

#: Reading the vocabularies takes a while; they do not change.
READER = ReplyReader()

#: When the visit of most tests begins, on the clinic's clock.
VISIT = "2026-03-05 10:15"


class NoPlan:
    """Stands for booking where the plan itself is not what is tested; notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def replan(self, tx: Transaction, appointment_id: str) -> int:
        self.asked.append(appointment_id)
        return 0


class AnswerDesk(clinic_support.Clinic):
    """The clinic of the examples with its answering."""

    def __init__(self, folder: Path, **groups: Any) -> None:
        super().__init__(folder, **groups)
        self.wording = Wording(self.config)
        self.planner = NoPlan()
        self.answering = self.make_answering()
        self.answering.open()

    def make_answering(self) -> Answering:
        return Answering(
            self.config,
            self.db,
            calendar=self.calendar,
            wording=self.wording,
            work=Work(self.config, self.calendar),
            planner=self.planner,
            reader=READER,
        )

    # -- what stands there before -----------------------------------------------------------------

    def patient(self, patient_id: str, given: str, phone: str = PHONE, **values: object) -> None:
        with self.db.write() as tx:
            people.add(
                tx, patient_id, {"given": given, "phone": phone, "phone_type": "mobile", **values}
            )

    def book(self, visit_id: str, patient_id: str, start: str, **values: object) -> None:
        """Put a visit into the database; `start` on the clinic's clock."""
        with self.db.write() as tx:
            write = visits.add if visits.get(tx, visit_id) is None else visits.put
            write(tx, visit_id, {"patient_id": patient_id, "start": self.stored(start), **values})

    def ask(
        self,
        *visit_ids: str,
        kind: str = "reminder",
        asks: str = "confirm",
        state: str = "delivered",
        expires: str | None = None,
    ) -> list[int]:
        """Put a question about visits to their phone, now; return the requests."""
        rows = [self.visit(visit_id) for visit_id in visit_ids]
        owners = [people.get(self.db, row["patient_id"]) for row in rows]
        assert all(owners)
        listed = [
            (owner["given"], self.at(self.shown(row["start"])))
            for owner, row in zip(owners, rows, strict=True)
            if owner is not None
        ]
        template = kind
        if kind == "reminder":
            template = "reminder_b" if asks == "object" else "reminder_a"
            template = "reminder_family" if len(rows) > 1 else template
        first = owners[0]
        assert first is not None
        language = first["language"] or "pl"
        text = self.wording.text(
            template,
            language,
            first=listed[0][0],
            start=listed[0][1],
            list=self.wording.listing(listed, language),
        )
        with self.db.write() as tx:
            message = self._sent(tx, first["phone"], text, state)
            return [
                self._asked(tx, message, row, template, asks, expires, first["phone"], number, rows)
                for number, row in enumerate(rows, start=1)
            ]

    def _asked(
        self,
        tx: Transaction,
        message: int,
        row: Row,
        template: str,
        asks: str,
        expires: str | None,
        phone: str,
        number: int,
        rows: list[Row],
    ) -> int:
        kind = template.partition("_")[0]
        request = requests.add(
            tx,
            requests.NewRequest(
                kind=kind,
                phone=phone,
                due=tx.now,
                expires=self.stored(expires) if expires else row["start"],
                same_as=f"{kind}:{row['id']}:{row['start']}:{message}",
                patient_id=row["patient_id"],
                about=row["id"],
                about_start=row["start"],
                asks=asks,
            ),
        )
        assert request is not None
        place = number if len(rows) > 1 else None
        requests.said(tx, request, message, place, asks=asks, template=template)
        return request

    def ask_phone(self, phone: str, asks: str, text: str, **details: object) -> int:
        """Put a question that is about no visit."""
        with self.db.write() as tx:
            request = requests.add(
                tx,
                requests.NewRequest(
                    kind="dose" if asks == "dose" else "text",
                    phone=phone,
                    due=tx.now,
                    expires=self.stored("2026-03-31 20:00"),
                    same_as=None,
                    asks=asks,
                    details=details,
                ),
            )
            assert request is not None
            message = self._sent(tx, phone, text, "delivered")
            requests.said(tx, request, message, None, asks=asks, template=None)
        return request

    def tell(
        self, phone: str, kind: str, visit_id: str | None = None, same_as: str | None = None
    ) -> None:
        """Say something to a phone that asks nothing."""
        with self.db.write() as tx:
            row = None if visit_id is None else visits.get(tx, visit_id)
            request = requests.add(
                tx,
                requests.NewRequest(
                    kind=kind,
                    phone=phone,
                    due=tx.now,
                    expires=self.stored("2026-03-31 20:00"),
                    same_as=same_as,
                    about=visit_id,
                    about_start=None if row is None else row["start"],
                ),
            )
            assert request is not None
            message = self._sent(tx, phone, f"text {kind}", "delivered")
            requests.said(tx, request, message, None, asks=None, template=kind)

    def _sent(self, tx: Transaction, phone: str, text: str, state: str) -> int:
        sent_at = None if state == "queued" else tx.now
        settled_at = tx.now if state == "delivered" else None
        return tx.insert(
            "INSERT INTO outbox (recipient, text, source, state, created_at, sent_at, settled_at)"
            " VALUES (?, ?, 'clinic', ?, ?, ?, ?)",
            (phone, text, state, tx.now, sent_at, settled_at),
        )

    # -- what comes in ----------------------------------------------------------------------------

    def write(self, text: str | None, phone: str = PHONE, **fields: Any) -> int:
        """Let a text come in; return its inbox row. Nothing deals with it yet."""
        arrival = inbox.Arrival(phone, text, InboxKind.SMS, "front", None)
        known = {name: getattr(arrival, name) for name in inbox.Arrival.__slots__} | fields
        with self.db.write() as tx:
            return inbox.add(tx, inbox.Arrival(**known), [], tx.now)

    def ring(self, phone: str = PHONE) -> int:
        """Let a missed call come in and be dealt with."""
        row = self.write(None, phone, kind=InboxKind.MISSED_CALL)
        self.answering.step()
        return row

    def answer(self, text: str, phone: str = PHONE, **fields: Any) -> list[Row]:
        """Let an answer come in and be dealt with; return what was made of it."""
        row = self.write(text, phone, **fields)
        self.answering.step()
        return self.rows("SELECT * FROM response WHERE inbox_id = ? ORDER BY id", row)

    # -- what follows -----------------------------------------------------------------------------

    def response(self, visit_id: str) -> str:
        return str(self.visit(visit_id)["response"])

    def said(self) -> list[str]:
        """Return the kinds of the answers ordered so far, in order."""
        return [row["kind"] for row in self.said_rows()]

    def said_rows(self) -> list[Row]:
        return self.rows("SELECT * FROM request WHERE same_as LIKE 'ack:%' ORDER BY id")

    def last_said(self) -> Row:
        return self.said_rows()[-1]

    def tasks(self, *, is_open: bool = True) -> list[tuple[str, str | None]]:
        """Return codes and notes of the tasks."""
        wanted = ("requested", "in-progress") if is_open else ("completed", "cancelled")
        return [
            (row["code"], row["note"])
            for row in self.rows("SELECT * FROM task WHERE status IN (?, ?) ORDER BY id", *wanted)
        ]

    def notices(self) -> list[str]:
        """Return the codes of tasks that staff is told of by SMS."""
        rows = self.rows("SELECT details FROM request WHERE kind = 'staff_task' ORDER BY id")
        found = []
        for row in rows:
            task = self.db.row(
                "SELECT code FROM task WHERE id = ?", (json.loads(row["details"])["task"],)
            )
            assert task is not None
            found.append(str(task["code"]))
        return found

    def now(self) -> str:
        return format_utc(self.clock.now())


def short(rows: list[Row]) -> list[tuple[str | None, str, int, str | None]]:
    """Return visit, meaning, applied and status of answers."""
    return [(row["appointment_id"], row["meaning"], row["applied"], row["status"]) for row in rows]


def one_visit(desk: AnswerDesk, **values: object) -> None:
    """Ask one patient about one visit on Tuesday at 10:00; it is 10:07."""
    desk.patient("4711", "Anna", **values)
    desk.book("A-1001", "4711", VISIT)
    desk.it_is("2026-03-03 10:00")
    desk.ask("A-1001")
    desk.it_is("2026-03-03 10:07")


def family(folder: Path, **groups: object) -> AnswerDesk:
    """Two visits on one phone, asked about in one text."""
    desk = AnswerDesk(folder, **groups)
    desk.patient("4711", "Anna")
    desk.patient("4712", "Łukasz")
    desk.book("A-1001", "4711", VISIT)
    desk.book("A-1002", "4712", "2026-03-05 10:35")
    desk.it_is("2026-03-03 10:00")
    desk.ask("A-1001", "A-1002")
    desk.it_is("2026-03-03 10:07")
    return desk
