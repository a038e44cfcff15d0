# SPDX-License-Identifier: Apache-2.0
"""What is asked all the time is answered from an index, however much is waiting."""

from __future__ import annotations

import factories
import pytest

from gsmgw.store import entry, inbox, outbox, reports, tries
from gsmgw.store.database import Database, Params, Row, Transaction


class Explaining:
    """Runs queries as a transaction does, and keeps their plans."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.plans: list[str] = []
        self.rows_read = 0

    def rows(self, sql: str, params: Params = ()) -> list[Row]:
        plan = self._tx.rows(f"EXPLAIN QUERY PLAN {sql}", params)
        self.plans += [str(row["detail"]) for row in plan]
        found = self._tx.rows(sql, params)
        self.rows_read += len(found)
        return found

    def row(self, sql: str, params: Params = ()) -> Row | None:
        found = self.rows(sql, params)
        return found[0] if found else None


@pytest.fixture
def crowd(db: Database) -> Database:
    """Return a database with 100 000 messages that wait, most of them for later."""
    with db.write() as tx:
        tx.run(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
            " INSERT INTO outbox (recipient, text, state, parts, rank, route, due_at, created_at)"
            " SELECT '+48500' || i, 'x', 'queued', 1, 12 + i % 4, '', '2026-12-' || (10 + i % 20),"
            " '2026' FROM n"
        )
        tx.run("UPDATE outbox SET due_at = '2026-11-01' WHERE id = 99999")
    return db


def test_next_message_is_found_by_index_only(crowd: Database) -> None:
    with crowd.write() as tx:
        explaining = Explaining(tx)
        row = outbox.pick(explaining, ("", "front", "sim:1"), frozenset(), "2026-11-23")
    assert row is not None
    assert row["id"] == 99999
    assert explaining.plans
    for plan in explaining.plans:
        assert plan.startswith("SEARCH outbox USING"), plan
        assert "outbox_due (route=? AND rank" in plan, plan
    assert explaining.rows_read <= 8, "ranks looked at, and one message"


def test_barred_ranks_are_stepped_over_without_reading(crowd: Database) -> None:
    barred = frozenset({12, 13, 14})
    with crowd.write() as tx:
        explaining = Explaining(tx)
        row = outbox.pick(explaining, ("",), barred, "2027-01-01")
    assert row is not None
    assert row["rank"] == 15
    assert explaining.rows_read <= 6


@pytest.mark.parametrize(
    "ask",
    [
        lambda tx: outbox.cancel_asked(tx, 10),
        lambda tx: outbox.expired(tx, "2026", 10),
        lambda tx: outbox.sending_parts(tx),
        lambda tx: outbox.sending_parts(tx, "front"),
        lambda tx: outbox.sent_since(tx, 1, "2026"),
        lambda tx: outbox.first_waiting_part(tx, 1),
        lambda tx: tries.open_uncertain(tx, "2026", 10),
        lambda tx: tries.doubts(tx, 1),
        lambda tx: tries.refused_by(tx, 1, "x"),
        lambda tx: tries.refusals(tx, 1),
        lambda tx: tries.newest_references(tx, 1, 3),
        lambda tx: tries.split_messages(tx, "2026", 10),
        lambda tx: entry.waiting_routes(tx),
        lambda tx: entry.unwished(tx, "+44", 10),
        lambda tx: entry.count_wishes(tx, "back"),
        lambda tx: inbox.overdue_parts(tx, "2026", 1),
    ],
)
def test_nothing_asked_often_reads_a_whole_table(db: Database, ask) -> None:
    with db.write() as tx:
        explaining = Explaining(tx)
        ask(explaining)
    assert explaining.plans
    assert not [
        plan for plan in explaining.plans if plan.startswith("SCAN") and "INDEX" not in plan
    ]


def test_factories_speak_of_fictitious_numbers_only() -> None:
    assert factories.make_number(0) == "+48500100200"


def test_a_report_finds_its_part_without_reading_the_past(db: Database) -> None:
    """A million delivered parts made each message cost 150 ms more."""
    with db.write() as tx:
        tx.run("INSERT INTO outbox (id, recipient, text, state) VALUES (1, '1', 'x', 'delivered')")
        tx.run(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
            " INSERT INTO part (message_id, number, state, sim_id, mr, claimed_at)"
            " SELECT 1, i, 'delivered', NULL, i % 256, '2026-11-22' FROM n"
        )
        explaining = Explaining(tx)
        assert reports.open_parts_with(explaining, None, 7, "2026") == []
        assert reports.open_parts(explaining, None, "1", "2026") == []
        searched = [plan for plan in explaining.plans if "part_open" in plan]
        assert len(searched) == 3
        assert all(plan.startswith("SEARCH part") for plan in searched)
        assert not any(plan.startswith("SCAN") for plan in explaining.plans)
