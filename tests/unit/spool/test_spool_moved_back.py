# SPDX-License-Identifier: Apache-2.0
"""A script moves all that lies in `failed/` back to `outgoing/`, again and again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from spool_support import Bench

from gsmgw.gateway import decisions

FILE = "To: 48500100201\n\nYour visit is on Monday\n"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path)
    yield found
    found.close()


def move_back(bench: Bench, folder: str = "failed") -> None:
    content = bench.content(folder)["X"]
    (bench.place.folder(folder) / "X").unlink()
    bench.take("X", content)
    bench.put_away()


def in_failed(bench: Bench, words: str) -> bool:
    return f"\nFail_reason: {words}\n".encode() in bench.content("failed")["X"]


def test_what_a_late_report_has_shown_to_have_arrived_is_not_sent_again(bench: Bench) -> None:
    bench.take("X", FILE)
    bench.doubt(1)
    bench.put_away()
    move_back(bench)
    assert in_failed(bench, "Uncertain, may have arrived: see gsmgw show 1")
    bench.deliver(1)
    for _ in range(3):
        move_back(bench)
        assert in_failed(bench, "Not sent twice, it is delivered by now: see gsmgw show 1")
    assert len(bench.messages()) == 1


def test_with_a_reference_it_takes_the_fate_of_the_first(bench: Bench) -> None:
    bench.take("X", FILE.replace("\n\n", "\nReference: visit-17\n\n"))
    bench.doubt(1)
    bench.put_away()
    bench.deliver(1)
    move_back(bench)
    assert b"\nGsmgw_id: 1\nGsmgw_state: delivered\n" in bench.content("sent")["X"]
    assert len(bench.messages()) == 1


def test_what_a_person_has_retried_is_not_sent_beside_it(bench: Bench) -> None:
    bench.take("X", FILE)
    bench.refuse(1, 21, "Short message transfer rejected")
    bench.put_away()
    with bench.db.write() as tx:
        decisions.retry(tx, 1)
    move_back(bench)
    assert in_failed(bench, "Not sent twice, it is queued by now: see gsmgw show 1")
    bench.send(1, 7)
    move_back(bench)
    assert in_failed(bench, "Not sent twice, it is sent by now: see gsmgw show 1")
    assert len(bench.messages()) == 1


def test_what_has_failed_again_may_be_sent_again(bench: Bench) -> None:
    bench.take("X", FILE)
    bench.refuse(1, 21, "Short message transfer rejected")
    bench.put_away()
    move_back(bench)
    assert len(bench.messages()) == 2
    assert bench.tree() == {"checked": ["X"]}


def test_what_was_sent_may_be_sent_again(bench: Bench) -> None:
    bench.take("X", FILE)
    bench.send(1, 7)
    bench.put_away()
    move_back(bench, "sent")
    assert len(bench.messages()) == 2


def test_what_will_never_arrive_may_be_sent_again(bench: Bench) -> None:
    bench.take("X", FILE)
    bench.doubt(1)
    bench.put_away()
    with bench.db.write() as tx:
        tx.run("UPDATE part SET state = 'undelivered'")
        tx.run("UPDATE outbox SET state = 'undelivered'")
    move_back(bench)
    assert len(bench.messages()) == 2
