# SPDX-License-Identifier: Apache-2.0
"""Messages for modems that wait: claimed with the commit that stores them, by one thread alone."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import factories
import pytest
from gateway_support import TWO_PARTS, Rig

from gsmgw.errors import StoreBusyError
from gsmgw.gateway.claims.waiting import Waiting
from gsmgw.model import Outcome, SubmitResult
from gsmgw.store import outbox

PATIENCE_S = 100.0


def accept(rig: Rig, text: str = "Your visit is on Monday.", **fields: Any) -> int:
    """Put a message into the outbox as the doors do."""
    with rig.intake.writing(synced=False) as tx:
        return rig.intake.accept(tx, factories.make_draft(text, **fields)).message_id


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[Rig]:
    """Return a gateway with a modem that waits; one that soon gives up where others write."""
    rig = Rig(tmp_path, busy_timeout_s=0.05)
    rig.attach()
    rig.dispatcher.wait_begins("front")
    yield rig
    rig.close()


def test_a_modem_that_waits_gets_its_part_in_the_commit_that_stores_the_message(idle: Rig) -> None:
    before = idle.db.commits
    message_id = accept(idle)
    assert idle.db.commits == before + 1
    assert idle.state_of(message_id) == "sending"
    part = idle.dispatcher.wait_ends("front")
    assert part is not None
    assert (part.message_id, part.recipient) == (message_id, factories.RECIPIENT)
    assert idle.dispatcher.held_parts() == {part.part_id}
    assert idle.claim() is None
    idle.settle(factories.taken(part.part_id, 7))
    assert idle.state_of(message_id) == "sent"


def test_a_claim_waits_for_the_disk_also_where_the_message_alone_need_not(rig: Rig) -> None:
    """What power loss takes back may not have gone out."""
    normal, full = 1, 2  # PRAGMA synchronous
    rig.attach()
    accept(rig, "nobody waits")
    assert rig.db.row("PRAGMA synchronous")[0] == normal
    rig.settle(factories.taken(rig.must_claim().part_id))
    rig.dispatcher.wait_begins("front")
    accept(rig, "somebody waits")
    assert rig.db.row("PRAGMA synchronous")[0] == full
    assert rig.dispatcher.wait_ends("front") is not None


def test_a_modem_that_does_not_wait_gets_nothing(rig: Rig) -> None:
    rig.attach()
    rig.dispatcher.wait_begins("front")
    assert rig.dispatcher.wait_ends("front") is None
    message_id = accept(rig)
    assert rig.state_of(message_id) == "queued"
    assert rig.must_claim().message_id == message_id


def test_of_many_messages_a_modem_gets_one_and_the_most_urgent(idle: Rig) -> None:
    with idle.intake.writing() as tx:
        for text, priority in (("a", "routine"), ("b", "stat"), ("c", "routine")):
            idle.intake.accept(tx, factories.make_draft(text, priority=priority))
    accept(idle, "another one")
    part = idle.dispatcher.wait_ends("front")
    assert part is not None
    assert idle.message(part.message_id)["text"] == "b"
    assert len(outbox.sending_parts(idle.db)) == 1


def test_rows_of_other_software_are_claimed_in_the_commit_that_takes_them(idle: Rig) -> None:
    row_id = idle.foreign(
        "INSERT INTO outbox (recipient, text) VALUES (?, ?)", (factories.RECIPIENT, "a row")
    )
    before = idle.db.commits
    assert idle.new_rows.look() == 1
    assert idle.db.commits == before + 1
    part = idle.dispatcher.wait_ends("front")
    assert part is not None
    assert part.message_id == row_id


def test_of_two_modems_the_one_that_got_fewer_is_next(rig: Rig) -> None:
    for name in ("front", "back"):
        rig.attach(name)
    served = []
    for _ in range(4):
        for name in ("front", "back"):
            rig.dispatcher.wait_begins(name)
        accept(rig, f"text {len(served)}")
        for name in ("front", "back"):
            part = rig.dispatcher.wait_ends(name)
            if part is not None:
                served.append(name)
                rig.settle(factories.taken(part.part_id), modem=name)
    assert served == ["front", "back", "front", "back"]


def test_a_message_that_is_not_due_or_not_for_this_modem_is_left(idle: Rig) -> None:
    later = accept(idle, not_before=idle.after(60))
    assert idle.dispatcher.wait_ends("front") is None
    assert idle.state_of(later) == "queued"


def test_the_parts_of_a_long_message_stay_together(idle: Rig) -> None:
    accept(idle, TWO_PARTS)
    first = idle.dispatcher.wait_ends("front")
    assert first is not None
    assert first.more_follow, "the radio link is kept for the second part"
    second = idle.settle(factories.taken(first.part_id), claim_next=True)
    assert second is not None
    assert (first.number, second.number) == (1, 2)
    assert first.message_id == second.message_id


def test_what_was_given_and_not_sent_goes_back(idle: Rig) -> None:
    message_id = accept(idle)
    part = idle.dispatcher.wait_ends("front")
    assert part is not None
    idle.settle(SubmitResult(part.part_id, Outcome.UNTOUCHED, detail="the port was lost"))
    assert idle.state_of(message_id) == "queued"
    assert idle.must_claim().part_id == part.part_id


def test_a_modem_that_pauses_for_the_network_is_given_nothing(rig: Rig) -> None:
    rig.attach()
    rig.add("refused")
    rig.settle(factories.refused(rig.must_claim().part_id, 38))
    rig.dispatcher.wait_begins("front")
    message_id = accept(rig, "the next one")
    assert rig.dispatcher.wait_ends("front") is None
    assert rig.state_of(message_id) == "queued"


def test_a_modem_with_a_result_to_be_stored_is_given_nothing(idle: Rig) -> None:
    accept(idle, "one")
    part = idle.dispatcher.wait_ends("front")
    assert part is not None
    other = sqlite3.connect(idle.db.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        idle.settle(factories.taken(part.part_id))
    finally:
        other.close()
    idle.dispatcher.wait_begins("front")
    message_id = accept(idle, "two")
    assert idle.dispatcher.wait_ends("front") is None
    assert idle.dispatcher.held_parts() == {part.part_id}
    assert idle.state_of(message_id) == "queued"


def test_a_message_that_is_not_stored_is_not_given(idle: Rig) -> None:
    with contextlib.suppress(KeyError), idle.intake.writing() as tx:
        idle.intake.accept(tx, factories.make_draft("lost"))
        raise KeyError
    other = sqlite3.connect(idle.db.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StoreBusyError):
            accept(idle)
    finally:
        other.close()
    assert idle.dispatcher.held_parts() == frozenset()
    message_id = accept(idle)  # its place is free again, and still open
    part = idle.dispatcher.wait_ends("front")
    assert part is not None
    assert part.message_id == message_id


def test_a_row_that_cannot_be_encoded_does_not_keep_others_from_being_stored(idle: Rig) -> None:
    broken = idle.add("broken")
    with idle.db.write() as tx:
        tx.run("UPDATE outbox SET alphabet = 'runes' WHERE id = ?", (broken,))
    message_id = accept(idle)
    part = idle.dispatcher.wait_ends("front")
    assert part is not None
    assert part.message_id == message_id
    row = idle.message(broken)
    assert (row["state"], row["error_code"]) == ("failed", "bad-row")
    assert "runes" in row["error"]


def test_a_wait_ends_behind_the_commit_that_claims_for_it(idle: Rig) -> None:
    """Else a part would lie there that its modem's thread had not seen."""
    found = []

    def end() -> None:
        found.append(idle.dispatcher.wait_ends("front"))
        idle.db.close()

    modem = threading.Thread(target=end)
    with idle.intake.writing() as tx:
        message_id = idle.intake.accept(tx, factories.make_draft()).message_id
        modem.start()
        modem.join(0.2)
        assert modem.is_alive()
    modem.join(PATIENCE_S)
    (part,) = found
    assert part is not None
    assert part.message_id == message_id


def test_a_reserved_place_is_passed_by() -> None:
    waiting = Waiting(["front", "back"])
    waiting.begin("front")
    with waiting.reserve() as first:
        waiting.begin("back")
        with waiting.reserve() as second:
            assert (first.modems, second.modems) == (["front"], ["back"])
    assert waiting.end("front") is None
    with waiting.reserve() as third:
        assert third.modems == ["back"]


def test_no_part_is_given_twice_or_forgotten_under_many_threads(rig: Rig) -> None:
    names = ["one", "two", "three"]
    rig.restart(factories.make_config(modems=[factories.make_modem(name) for name in names]))
    for name in names:
        rig.attach(name)
    per_door, ended = 40, threading.Event()

    def door(label: str) -> None:
        with contextlib.closing(rig.db):  # this thread's connection
            for number in range(per_door):
                accept(rig, f"{label} {number}")

    with ThreadPoolExecutor(5) as threads:
        modems = [threads.submit(serve, rig, name, ended) for name in names]
        try:
            for running in [threads.submit(door, label) for label in ("file", "row")]:
                running.result(PATIENCE_S)
        finally:
            ended.set()
        sent = [one for running in modems for one in running.result(PATIENCE_S)]
    assert len(sent) == len(set(sent)) == 2 * per_door
    assert rig.dispatcher.held_parts() == frozenset()


def serve(rig: Rig, modem: str, ended: threading.Event) -> list[int]:
    """Be a modem's thread until there is nothing more to be sent; return the messages it sent."""
    sent: list[int] = []
    with contextlib.closing(rig.db):
        while True:
            is_last = ended.is_set()
            part = rig.dispatcher.claim(modem)
            if part is None:
                rig.dispatcher.wait_begins(modem)
                ended.wait(0.001)
                part = rig.dispatcher.wait_ends(modem)
            if part is None and is_last:
                return sent
            while part is not None:
                sent.append(part.message_id)
                result = factories.taken(part.part_id)
                part = rig.dispatcher.settle(modem, result, claim_next=True)
