# SPDX-License-Identifier: Apache-2.0
"""A store that is full when something is committed: what is not on disk is done again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clinic_saying_support import Desk, Make
from clinic_support import PHONE

from gsmgw.clinic import service
from gsmgw.errors import StoreFullError
from gsmgw.gateway.hints import Hints
from gsmgw.model import InboxKind
from gsmgw.spool.clinic.taking import ClinicTaking
from gsmgw.store import inbox
from gsmgw.threads import StopToken

VISIT = (
    "appointment;date;time;patient;first;phone\nA-1;05.03.2026;10:15;4711;Anna;+48 500 100 201\n"
)


@contextlib.contextmanager
def full(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every commit fail for want of space."""
    write = desk.db.write

    @contextlib.contextmanager
    def failing(**named: Any) -> Iterator[Any]:
        with write(**named) as tx:
            yield tx
            raise StoreFullError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(desk.db, "write", failing)
        yield


def make_service(desk: Desk) -> service.ClinicService:
    made = service.ClinicService(desk.config, desk.db, Hints(), desk.intake, desk.trust, desk.clock)
    made.open()
    return made


def work(day: service.ClinicService) -> None:
    while day.work():
        pass


def fail(day: service.ClinicService) -> None:
    stop = StopToken()
    stop.set()
    day.step(stop)


def test_a_digest_is_told_later_if_the_store_is_full_at_its_hour(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = {"phone": "+48500100298", "gets": "all", "digest": "08:00"}
    desk = make(staff={"reception": {**member, "hours": {"mon-fri": "08:00-18:00"}}})
    day = make_service(desk)
    desk.it_is("2026-03-06 19:30")
    with desk.db.write() as tx:
        inbox.add(tx, inbox.Arrival(PHONE, None, InboxKind.MISSED_CALL, "front", None), [], tx.now)
    work(day)
    desk.it_is("2026-03-09 08:00")
    with full(desk, monkeypatch):
        fail(day)
    work(day)
    texts = [row["text"] for row in desk.rows("SELECT text FROM outbox ORDER BY id")]
    assert texts[1:] == ["Przychodnia Lipowa: do zrobienia pon. 09.03: oddzwonic 1."]


def test_plans_are_brought_in_line_later_if_the_store_is_full_at_the_start(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.book()
    plan = desk.plan()
    with desk.db.write() as tx:
        tx.run("DELETE FROM request")  # as if the configuration had been another one
    day = make_service(desk)
    with full(desk, monkeypatch):
        fail(day)
    work(day)
    assert desk.plan() == plan != []


def test_a_table_claimed_while_the_store_was_full_is_read_once_it_is_not(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = VISIT.partition("\n")[0].split(";")
    desk = make(
        spool={"path": str(tmp_path / "spool")},
        **{"import": {"visits": {"columns": {name: name for name in columns}}}},
    )
    (tmp_path / "spool" / ".tmp").mkdir(parents=True)
    taking = ClinicTaking(desk.config, desk.db, Hints(), desk.clock)
    taking.open()
    (tmp_path / "spool" / "clinic" / "in" / "visits.csv").write_text(VISIT)
    taking.take()  # it is complete once it has not changed for a while
    desk.clock.advance(60)
    with full(desk, monkeypatch):
        assert taking.take() == 0
    assert list((tmp_path / "spool" / "clinic" / "in").iterdir()) == []  # it is claimed
    desk.clock.advance(60)
    assert taking.take() == 1
    assert desk.visit("A-1")["status"] == "booked"
    assert len(desk.rows("SELECT * FROM import_file")) == 1
