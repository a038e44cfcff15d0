# SPDX-License-Identifier: Apache-2.0
"""A database that is locked or full: what has happened is kept in memory until it is stored."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import factories
import pytest
from gateway_support import Rig

from gsmgw import logs
from gsmgw.errors import StoreDamagedError, StoreError, StoreFullError
from gsmgw.model import ModemReport, ModemState, SimIdentity
from gsmgw.store.database import Database
from gsmgw.threads import StopToken


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, busy_timeout_s=0.05)
    yield made
    made.close()


@contextlib.contextmanager
def locked(rig: Rig) -> Iterator[None]:
    other = sqlite3.connect(rig.db.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextlib.contextmanager
def full(rig: Rig) -> Iterator[None]:
    """Let the database not grow by a single page."""
    while True:  # fill what room there is
        before = rig.db.row("PRAGMA page_count")[0]
        rig.foreign("INSERT INTO event (at, name, detail) VALUES ('x', 'x', zeroblob(50))")
        if rig.db.row("PRAGMA page_count")[0] > before:
            break
    rig.db.rows(f"PRAGMA max_page_count = {rig.db.row('PRAGMA page_count')[0]}")
    try:
        yield
    finally:
        rig.db.rows("PRAGMA max_page_count = 1000000")


def test_settlement_waits_in_memory_while_the_database_is_locked(rig: Rig) -> None:
    rig.attach()
    message_id, other = rig.add("1"), rig.add("2")
    part = rig.must_claim()
    with locked(rig), logs.capture() as records:
        assert rig.settle(factories.taken(part.part_id, 7), claim_next=True) is None
        assert rig.claim() is None
        assert rig.dispatcher.held_parts() == {part.part_id}
        assert rig.dispatcher.in_flight("front") is None, "it is no longer in flight"
    assert "store.unavailable" in [record.event for record in records]
    assert rig.state_of(message_id) == "sending"
    assert rig.must_claim().message_id == other
    assert rig.state_of(message_id) == "sent"


def test_settlement_that_waits_is_not_doubted_by_housekeeping(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    part = rig.must_claim()
    with locked(rig):
        rig.settle(factories.taken(part.part_id, 7))
    rig.clock.advance(1000)
    rig.housekeeping.work()
    assert rig.state_of(message_id) == "sending"
    rig.claim()
    assert rig.state_of(message_id) == "sent"


def test_several_settlements_wait_in_order(rig: Rig) -> None:
    rig.attach()
    rig.add("1")
    part = rig.must_claim()
    with locked(rig):
        rig.settle(factories.uncertain(part.part_id))
        rig.dispatcher.late_answer("front", factories.taken(part.part_id, 9))
    rig.claim()
    assert factories.fields(rig.part(part.part_id), "state", "mr") == {"state": "sent", "mr": 9}


def test_full_disk_keeps_the_settlement_too(rig: Rig) -> None:
    rig.attach()
    ids = []
    for index in range(40):
        ids.append(rig.add(f"{index} " + "x" * 100, recipient=factories.make_number(index)))
    part = rig.must_claim()
    with full(rig):
        for _ in range(60):
            if part is None:
                break
            part = rig.settle(factories.refused(part.part_id, 27), claim_next=True)
            rig.clock.advance(1)
        held = len(rig.dispatcher.held_parts())
    rig.clock.advance(4000)
    rig.claim()
    in_flight = rig.db.rows("SELECT * FROM part WHERE state = 'sending'")
    assert len(in_flight) <= 1
    assert held <= 1
    assert "uncertain" not in {rig.state_of(message_id) for message_id in ids}


def test_new_state_of_a_modem_is_taken_although_it_cannot_be_written(rig: Rig) -> None:
    sim_id = rig.attach()
    with locked(rig):
        rig.state("front", ModemState.UNRESPONSIVE)
    rig.clock.advance(600)
    assert rig.dispatcher.is_sim_away(sim_id, 600)


def test_lost_modem_forgets_its_counter_although_it_could_not_be_written(rig: Rig) -> None:
    sim_id = rig.attach()
    rig.train(sim_id, 10)
    rig.add("1")
    rig.doubt()
    with locked(rig):
        rig.state("front", ModemState.ABSENT)
    rig.attach()
    rig.add("2", recipient=factories.make_number(2))
    rig.send(11)
    assert rig.state_of(1) == "uncertain"


def test_what_cannot_be_stored_is_an_error_where_the_worker_must_know(rig: Rig) -> None:
    report = ModemReport("front", ModemState.SEARCHING, sim=SimIdentity("1", None))
    with locked(rig):
        for call in (
            lambda: rig.dispatcher.attach("front", report),
            lambda: rig.dispatcher.may_try_pin("iccid:1", "0000"),
            lambda: rig.dispatcher.missed_call("front", None),
        ):
            with pytest.raises(StoreError):
                call()
        rig.dispatcher.command_done(1, "", None)


def test_housekeeping_waits(rig: Rig) -> None:
    message_id = rig.add(expires_at=rig.after(1))
    rig.clock.advance(2)
    stop = StopToken()
    stop.set()
    with locked(rig):
        rig.housekeeping.step(stop)
    assert rig.state_of(message_id) == "queued"
    rig.housekeeping.step(stop)
    assert rig.state_of(message_id) == "expired"


def test_a_removed_database_is_kept_alive_until_there_is_room_to_save_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Somebody makes room on a full disk in the wrong place; only this process still has it."""
    message_id = rig.add()
    stop = StopToken()
    stop.set()
    rig.housekeeping.step(stop)
    for path in tmp_path.glob("gsmgw.db*"):
        path.unlink()

    def full(_self: Database, _target: Path) -> None:
        raise StoreFullError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(Database, "backup", full)
        with pytest.raises(StoreFullError, match="do not stop gsmgw, or it is lost"):
            rig.housekeeping.work()
        rig.housekeeping.step(stop)  # it is looked at again, and gsmgw goes on
    assert list(tmp_path.glob("*rescued*")) == []
    with pytest.raises(StoreDamagedError, match="what was in it stands in"):
        rig.housekeeping.step(stop)
    (rescued,) = tmp_path.glob("gsmgw.db.rescued-*")
    with contextlib.closing(sqlite3.connect(rescued)) as found:
        assert found.execute("SELECT id FROM outbox").fetchall() == [(message_id,)]


# -- PINs, service centre, commands ---------------------------------------------------------------


def test_pin_is_tried_once_for_each_value_and_sim_and_survives_a_restart(rig: Rig) -> None:
    assert rig.dispatcher.may_try_pin("iccid:1", "1234")
    rig.restart()
    assert not rig.dispatcher.may_try_pin("iccid:1", "1234")
    assert rig.dispatcher.may_try_pin("iccid:1", "4321")
    assert rig.dispatcher.may_try_pin("iccid:2", "1234")
    rig.dispatcher.pin_refused("iccid:1")
    assert not rig.dispatcher.may_try_pin("iccid:1", "1234")
    rig.dispatcher.pin_accepted("iccid:1")
    assert rig.dispatcher.may_try_pin("iccid:1", "1234")
    files = b"".join(path.read_bytes() for path in rig.db.path.parent.glob("gsmgw.db*"))
    assert b"1234" not in files


def test_service_centre_is_remembered_for_each_sim(rig: Rig) -> None:
    sim = SimIdentity("8948", None)
    assert rig.dispatcher.remembered_service_centre(sim) is None
    report = ModemReport("front", ModemState.SEARCHING, sim=sim, service_centre="+48501200777")
    rig.dispatcher.attach("front", report)
    rig.dispatcher.attach("front", ModemReport("front", ModemState.SEARCHING, sim=sim))
    assert rig.dispatcher.remembered_service_centre(sim) == "+48501200777"
    assert rig.dispatcher.remembered_service_centre(SimIdentity(None, None)) is None


def test_command_is_taken_once_and_old_ones_are_dropped(rig: Rig) -> None:
    from gsmgw.store import modems

    with rig.db.write() as tx:
        old = modems.ask(tx, "front", "at", "AT", rig.after(10))
        modems.ask(tx, "back", "at", "AT", rig.after(100))
    rig.clock.advance(20)
    with rig.db.write() as tx:
        new = modems.ask(tx, "front", "ussd", "*100#", rig.after(10))
    command = rig.dispatcher.next_command("front")
    assert command is not None
    assert (command.command_id, command.kind, command.line) == (new, "ussd", "*100#")
    assert rig.dispatcher.next_command("front") is None
    rig.dispatcher.command_done(new, "12 zl", None)
    assert modems.get_command(rig.db, new)["answer"] == "12 zl"
    assert modems.get_command(rig.db, old)["error"] == "nobody waits any longer"
