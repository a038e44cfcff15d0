# SPDX-License-Identifier: Apache-2.0
"""From the door to the report in one process: scripted workers play modems and network."""

from __future__ import annotations

import collections
import threading
from collections.abc import Iterator
from pathlib import Path

import factories
import pytest
from gateway_support import THREE_PARTS, TWO_PARTS, Rig

from gsmgw import pdu
from gsmgw.model import PartToSend, SubmitResult
from gsmgw.store import outbox, spool_files


class ScriptedWorker:
    """Calls the gateway as a modem's thread does; its network takes parts and reports on them."""

    def __init__(self, rig: Rig, name: str, script: Iterator[str] | None = None) -> None:
        self.rig = rig
        self.name = name
        self.script = script or iter(())
        self.mr = 0
        self.on_air: list[PartToSend] = []
        rig.attach(name)

    def run(self) -> None:
        """Send until nothing is due."""
        part = self.rig.dispatcher.claim(self.name)
        while part is not None:
            result = self.submit(part)
            part = self.rig.dispatcher.settle(self.name, result, claim_next=True)

    def submit(self, part: PartToSend) -> SubmitResult:
        word = next(self.script, "taken")
        if word.isdecimal():
            return factories.refused(part.part_id, int(word))
        if word == "untouched":
            return factories.untouched(part.part_id)
        if word != "swallowed":
            self.mr = (self.mr + 1) % 256
            self.on_air.append(part)
        if word == "taken":
            return factories.taken(part.part_id, self.mr)
        return factories.uncertain(part.part_id)

    def report_all(self, status: int = 0) -> None:
        """Let the network report on all that is on the air, last first."""
        for offset, part in enumerate(reversed(self.on_air)):
            self.rig.report(
                (self.mr - offset) % 256, part.recipient, status=status, modem=self.name
            )
        self.on_air.clear()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.close()


def settle_everything(rig: Rig, *workers: ScriptedWorker) -> None:
    """Let time pass until nothing waits any longer."""
    for _ in range(50):
        for worker in workers:
            worker.run()
        rig.housekeeping.work()
        if not rig.db.rows("SELECT 1 FROM outbox WHERE due_at IS NOT NULL LIMIT 1"):
            return
        rig.clock.advance(300)
    raise AssertionError("something waits for ever")


def test_clinics_morning(rig: Rig) -> None:
    front, back = ScriptedWorker(rig, "front"), ScriptedWorker(rig, "back")
    texts = ("Your visit is tomorrow.", TWO_PARTS, THREE_PARTS)
    ids = [
        rig.add(f"{text} {index}", recipient=factories.make_number(index), report_requested=True)
        for index, text in enumerate(texts * 10)
    ]
    settle_everything(rig, front, back)
    assert {rig.state_of(message_id) for message_id in ids} == {"sent"}
    front.report_all()
    back.report_all()
    assert {rig.state_of(message_id) for message_id in ids} == {"delivered"}
    owed = spool_files.owed(rig.db, 1000)
    assert len(owed) == 10 * (1 + 2 + 3)
    answer = pdu.Deliver(
        sender=pdu.Address(factories.make_number(4), 0x91),
        text="Yes",
        service_centre_at=rig.clock.now(),
    )
    rig.receive(pdu.encode_deliver(answer))
    assert rig.inbox()[0]["in_reply_to"] == ids[4]


def test_bad_day_loses_nothing_and_sends_nothing_twice(rig: Rig) -> None:
    script = ["taken"] * 10 + ["38", "27", "swallowed", "taken", "lost", "taken", "untouched"]
    script += ["8", "42", "lost", "300", "taken", "1"]
    front = ScriptedWorker(rig, "front", iter(script * 2))
    ids = [rig.add(f"{index}", recipient=factories.make_number(index)) for index in range(60)]
    settle_everything(rig, front)
    front.report_all()
    states = collections.Counter(rig.state_of(message_id) for message_id in ids)
    assert states["queued"] == states["sending"] == 0
    assert states["failed"] >= 1
    assert states["delivered"] >= 50
    aired = collections.Counter(
        row["part_id"] for row in rig.db.rows("SELECT part_id FROM attempt WHERE outcome = 'taken'")
    )
    assert max(aired.values()) == 1


def test_daemon_that_dies_after_every_claim_sends_each_part_once(rig: Rig) -> None:
    """The modem's references count: they tell what had been submitted when the daemon died."""
    worker = ScriptedWorker(rig, "front")
    for index in range(12):
        rig.add(f"warm up {index}", recipient=factories.make_number(index))
    worker.run()
    ids = [rig.add(f"{index}", recipient=factories.make_number(index)) for index in range(20)]
    aired: collections.Counter[int] = collections.Counter()
    for round_number in range(200):
        part = rig.claim()
        if part is None:
            break
        if round_number % 3 != 1:  # else it dies before the modem has it
            worker.mr = (worker.mr + 1) % 256
            aired[part.message_id] += 1
        if round_number % 3 != 2:
            rig.restart()
            rig.attach()
            left = rig.dispatcher.in_flight("front")
            assert left is not None
            rig.settle(factories.uncertain(left.part_id))
            rig.dispatcher.smss_reading("front", worker.mr)
        else:
            rig.settle(factories.taken(part.part_id, worker.mr))
        rig.clock.advance(1)
    assert {rig.state_of(message_id) for message_id in ids} == {"sent"}
    assert aired == dict.fromkeys(ids, 1)


def test_many_modems_at_once_take_every_part_once(tmp_path: Path) -> None:
    names = [f"modem{index}" for index in range(4)]
    config = factories.make_config(modems=[factories.make_modem(name) for name in names])
    rig = Rig(tmp_path, config, busy_timeout_s=60)
    with rig.db.write() as tx:
        for index in range(120):
            text = TWO_PARTS if index % 5 == 0 else "short"
            draft = factories.make_draft(f"{text} {index}", recipient=factories.make_number(index))
            rig.intake.accept(tx, draft)
    workers = [ScriptedWorker(rig, name) for name in names]
    failures: list[BaseException] = []

    def work(worker: ScriptedWorker) -> None:
        try:
            worker.run()
        except BaseException as error:  # noqa: BLE001 - told by the test
            failures.append(error)
        finally:
            rig.db.close()

    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    for worker in workers:
        worker.run()  # what a closing race left over
    sent = [part.part_id for worker in workers for part in worker.on_air]
    assert len(sent) == len(set(sent)) == 24 * 2 + 96
    assert outbox.counts(rig.db) == {"sent": 120}
    rig.close()
