# SPDX-License-Identifier: Apache-2.0
"""Files of the spool when the database is put back to an older moment: none comes twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from spool_support import Bench

from gsmgw.model import MessageState
from gsmgw.spool import restored
from gsmgw.store import backup, restoring
from gsmgw.store.database import Database

LETTER = "To: 48500100201\n\nhello\n"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def copy_of(bench: Bench) -> Path:
    copy = bench.folder / "copy.db"
    backup.make(bench.db, copy, force=True)
    return copy


def restore(bench: Bench, copy: Path) -> None:
    bench.db.close()
    restoring.restore(
        copy,
        bench.db.path,
        bench.clock,
        close_files=lambda tx: restored.close_files(tx, bench.config),
    )
    bench.db = Database(bench.db.path, clock=bench.clock)
    bench.start()
    bench.taking.take_ready()
    bench.put_away()
    bench.hand_out()


def waiting(bench: Bench) -> int:
    """Count what a modem could send."""
    row = bench.db.row("SELECT count(*) FROM outbox WHERE due_at IS NOT NULL OR state = 'new'")
    assert row is not None
    return int(row[0])


def test_file_that_waited_goes_to_failed_with_its_id(bench: Bench) -> None:
    bench.take("x", LETTER)
    restore(bench, copy_of(bench))
    (name,) = bench.content("failed")
    content = bench.content("failed")[name].decode()
    assert "restored" in content
    assert "Gsmgw_id: 1\n" in content
    assert "Gsmgw_state: cancelled\n" in content
    assert bench.content("checked") == {}
    assert waiting(bench) == 0


def test_file_taken_since_the_copy_is_not_read_again(bench: Bench) -> None:
    copy = copy_of(bench)
    bench.take("x", LETTER)
    bench.take("list.json", '[{"recipient": "+48500100202", "text": "one"}]')
    restore(bench, copy)
    assert sorted(bench.content("failed")) == ["list.json", "list.json.result.json", "x"]
    assert b"may have been sent" in bench.content("failed")["x"]
    (told,) = json.loads(bench.content("failed")["list.json.result.json"])["messages"]
    assert (told["id"], told["state"], told["error_code"]) == (None, "rejected", "restored")
    assert waiting(bench) == 0


def test_file_put_away_since_the_copy_does_not_come_twice(bench: Bench) -> None:
    bench.take("x", LETTER)
    copy = copy_of(bench)
    bench.send(1, 7)
    bench.put_away()
    before = bench.content("sent")
    restore(bench, copy)
    assert bench.content("sent") == before
    assert bench.content("failed") == {}


def test_list_stored_by_half_is_not_read_on(bench: Bench) -> None:
    elements = [{"recipient": f"+485001{n:05d}", "text": "x"} for n in range(250)]
    bench.drop("list.json", json.dumps(elements))
    bench.taking._record_left_over = lambda: None  # type: ignore[method-assign]
    bench.taking.take_ready()
    del bench.taking._record_left_over
    bench.taking._record_left_over()
    row = bench.db.row("SELECT count(*) FROM outbox")
    assert row is not None
    stored = row[0]
    assert 0 < stored < 250
    restore(bench, copy_of(bench))
    row = bench.db.row("SELECT count(*) FROM outbox")
    assert row is not None
    assert row[0] == stored
    assert waiting(bench) == 0
    assert bench.content("checked") == {}


def test_what_was_handed_out_since_is_not_handed_out_again(bench: Bench) -> None:
    bench.call("+48500100299")
    copy = copy_of(bench)
    bench.hand_out()
    for name in bench.content("incoming"):
        (bench.place.incoming / name).unlink()  # its reader took it
    restore(bench, copy)
    assert bench.content("incoming") == {}


def test_uncertain_one_keeps_its_reason(bench: Bench) -> None:
    bench.take("x", LETTER)
    bench.doubt(1, final=False)
    restore(bench, copy_of(bench))
    assert b"Uncertain, may have arrived: see gsmgw show 1" in bench.content("failed")["x"]
    assert bench.db.rows("SELECT state FROM outbox")[0]["state"] == MessageState.UNCERTAIN


def test_spool_that_is_not_there_closes_what_the_copy_knows(bench: Bench) -> None:
    bench.take("x", LETTER)
    copy = copy_of(bench)
    bench.place.root.rename(bench.folder / "lost")
    restore(bench, copy)
    assert bench.db.rows("SELECT * FROM spool_file WHERE finished_at IS NULL") == []
    assert bench.tree() == {}
