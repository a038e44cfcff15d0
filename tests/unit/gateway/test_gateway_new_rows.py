# SPDX-License-Identifier: Apache-2.0
"""Rows that other software writes: whatever stands in them, the others are not held up."""

from __future__ import annotations

import factories
import pytest
from gateway_support import TWO_PARTS, Rig

from gsmgw.gateway.intake import NEW_ROWS_AT_ONCE
from gsmgw.store import upkeep
from gsmgw.threads import StopToken


def insert(rig: Rig, **columns: object) -> int:
    values = {"recipient": factories.RECIPIENT, "text": "hello", **columns}
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    return rig.foreign(f"INSERT INTO outbox ({names}) VALUES ({marks})", list(values.values()))


def test_row_is_taken_with_all_its_wishes(rig: Rig) -> None:
    row_id = insert(
        rig,
        recipient="500100201",
        source="ward",
        reference="r1",
        category="survey",
        priority="asap",
        not_before=rig.after(10),
        expires_at=rig.after(100),
        report_requested=1,
        flash=1,
        modem="back",
    )
    assert rig.new_rows.look() == 1
    row = rig.message(row_id)
    expected = {
        "state": "queued",
        "recipient": factories.RECIPIENT,
        "category": "survey",
        "priority": "asap",
        "due_at": rig.after(10),
        "expires_at": rig.after(100),
        "report_requested": 1,
        "flash": 1,
        "modem": "back",
        "route": "back",
        "parts": 1,
    }
    assert factories.fields(row, *expected) == expected
    assert rig.new_rows.look() == 0


@pytest.mark.parametrize(
    ("columns", "reason", "words"),
    [
        ({"recipient": "nobody"}, "bad-number", "nobody"),
        ({"recipient": b"\x01\xff"}, "bad-row", "column recipient holds bytes"),
        ({"text": b"\x01\xff"}, "bad-row", "column text holds bytes"),
        ({"source": b"x"}, "bad-row", "column source holds bytes"),
        ({"text": ""}, "bad-text", "empty"),
        ({"text": "x" * 2000}, "bad-text", "parts"),
        ({"category": "spam"}, "bad-category", "spam"),
        ({"category": 7}, "bad-category", "7"),
        ({"category": b"\xff"}, "bad-category", "xff"),
        ({"priority": 3.5}, "bad-priority", "3.5"),
        ({"not_before": "soon"}, "bad-time", "soon"),
        ({"not_before": 1700000000}, "bad-time", "1700000000"),
        ({"expires_at": b"\x00"}, "bad-time", "expires_at"),
        ({"report_requested": "yes"}, "bad-row", "report_requested holds 'yes'"),
        ({"report_requested": 2}, "bad-row", "allowed: 0 and 1"),
        ({"flash": b"1"}, "bad-row", "flash"),
        ({"flash": -1}, "bad-row", "flash"),
        ({"cancel_requested": -1}, "bad-row", "cancel_requested"),
        ({"cancel_requested": "yes"}, "bad-row", "cancel_requested"),
        ({"modem": "cellar"}, "bad-modem", "cellar"),
        ({"modem": b"\xfe"}, "bad-modem", "xfe"),
    ],
)
def test_rubbish_is_rejected_in_words_and_holds_up_nobody(
    rig: Rig, columns: dict[str, object], reason: str, words: str
) -> None:
    bad = insert(rig, **columns)
    good = insert(rig)
    assert rig.new_rows.look() == 2
    row = rig.message(bad)
    expected = {"state": "rejected", "error_family": "rejected", "error_code": reason}
    assert factories.fields(row, *expected) == expected
    assert words in row["error"]
    assert row["settled_at"] == rig.after(0)
    assert rig.state_of(good) == "queued"


@pytest.mark.parametrize("column", ["recipient", "text", "source", "reference"])
def test_octets_that_are_no_utf8_are_rejected_and_hold_up_nobody(rig: Rig, column: str) -> None:
    bad = insert(rig)
    rig.foreign(f"UPDATE outbox SET {column} = CAST(x'7a61bff3b3e6' AS TEXT) WHERE id = {bad}")
    good = insert(rig)
    assert rig.new_rows.look() == 2
    assert (rig.state_of(bad), rig.state_of(good)) == ("rejected", "queued")
    assert rig.message(bad)["error"] == f"column {column} is not UTF-8"


def test_replacement_character_itself_is_a_character(rig: Rig) -> None:
    row_id = insert(rig, text="what \ufffd is this")
    rig.new_rows.look()
    assert rig.state_of(row_id) == "queued"


def test_code_inserted_behind_a_campaign_is_taken_first(rig: Rig) -> None:
    campaign = [insert(rig, recipient=f"+4850010{n:04d}") for n in range(2 * NEW_ROWS_AT_ONCE)]
    codes = [insert(rig, text=text, priority=text) for text in ("urgent", "stat")]
    assert rig.intake.accept_new_rows() == NEW_ROWS_AT_ONCE
    assert [rig.state_of(code) for code in codes] == ["queued", "queued"]
    taken = [row_id for row_id in campaign if rig.state_of(row_id) == "queued"]
    assert taken == campaign[: NEW_ROWS_AT_ONCE - 2]  # and of the others the oldest
    rig.new_rows.look()
    assert {rig.state_of(row_id) for row_id in campaign} == {"queued"}


def test_many_in_a_hurry_are_taken_in_their_own_order(rig: Rig) -> None:
    ordinary = insert(rig)
    codes = [
        insert(rig, recipient=f"+4850010{n:04d}", priority="stat")
        for n in range(NEW_ROWS_AT_ONCE + 1)
    ]
    assert rig.intake.accept_new_rows() == NEW_ROWS_AT_ONCE
    assert (rig.state_of(codes[-1]), rig.state_of(ordinary)) == ("new", "new")
    assert rig.intake.accept_new_rows() == 2
    assert rig.intake.accept_new_rows() == 0


@pytest.mark.parametrize("columns", [{"category": None}, {"priority": None}, {"flash": None}])
def test_null_is_the_default(rig: Rig, columns: dict[str, object]) -> None:
    row_id = insert(rig, **columns)
    rig.new_rows.look()
    assert factories.fields(rig.message(row_id), "state", "category", "priority") == {
        "state": "queued",
        "category": "care",
        "priority": "routine",
    }


def test_columns_that_are_ours_are_set_whatever_stood_there(rig: Rig) -> None:
    rig.attach()
    row_id = insert(
        rig,
        text=TWO_PARTS,
        sent_at="2020",
        sim_id=99,
        concat_ref=200,
        restarts=7,
        tries=9,
        tp="{bad",
        route="nowhere",
        rank=-5,
        parts=77,
        alphabet="klingon",
        error="x",
        error_code="1",
        spool_file="../etc",
    )
    rig.new_rows.look()
    row = rig.message(row_id)
    expected = {
        "sent_at": None,
        "sim_id": None,
        "concat_ref": None,
        "restarts": 0,
        "tries": 0,
        "tp": None,
        "route": "",
        "parts": 2,
        "alphabet": "gsm7",
        "error": None,
        "error_code": None,
        "spool_file": None,
    }
    assert factories.fields(row, *expected) == expected
    rig.send(1)
    rig.send(2)
    assert rig.state_of(row_id) == "sent"


@pytest.mark.parametrize(
    "created", ["rubbish", "2099-01-01T00:00:00.000Z", "2026-19-39T00:00:00.000Z", 12, b"\xff", ""]
)
def test_rubbish_in_created_at_does_not_stop_the_clock(rig: Rig, created: object) -> None:
    row_id = insert(rig, created_at=created)
    rig.new_rows.look()
    assert rig.message(row_id)["created_at"] == rig.after(0)
    assert upkeep.newest(rig.db).at == rig.after(0)
    rig.housekeeping.work()
    assert not rig.trust.is_suspect


def test_time_of_a_row_that_waited_for_us_is_kept(rig: Rig) -> None:
    row_id = insert(rig, created_at="2026-11-22T07:15:10.123Z")
    rig.new_rows.look()
    assert rig.message(row_id)["created_at"] == "2026-11-22T07:15:10.123Z"


def test_rows_in_plenty_are_all_taken_at_one_look(rig: Rig) -> None:
    values = ", ".join(f"('+4850010{index:04d}', 'x')" for index in range(250))
    rig.foreign(f"INSERT INTO outbox (recipient, text) VALUES {values}")
    assert rig.new_rows.look() == 250


def test_cancel_before_it_was_checked(rig: Rig) -> None:
    row_id = insert(rig, cancel_requested=1)
    rig.new_rows.look()
    assert rig.state_of(row_id) == "cancelled"
    assert rig.claim() is None


def test_cancel_by_other_software(rig: Rig) -> None:
    rig.attach()
    row_id = insert(rig)
    rig.new_rows.look()
    rig.foreign("UPDATE outbox SET cancel_requested = 1")
    assert rig.new_rows.look() == 1
    assert rig.state_of(row_id) == "cancelled"
    assert rig.claim() is None
    assert rig.new_rows.look() == 0


def test_wish_to_cancel_what_has_just_failed_does_not_stop_the_service(rig: Rig) -> None:
    rig.attach("front")
    row_id = insert(rig, text=TWO_PARTS)
    rig.new_rows.look()
    first = rig.must_claim("front")
    second = rig.must_claim("front")  # two parts in flight: one of them is refused for good
    rig.settle(factories.refused(first.part_id, 1))
    assert rig.message(row_id)["settled_at"] is None
    rig.foreign("UPDATE outbox SET cancel_requested = 1")
    other = insert(rig)
    assert rig.new_rows.look() == 1
    assert rig.state_of(other) == "queued"
    rig.settle(factories.taken(second.part_id, 5))
    assert rig.message(row_id)["settled_at"] is not None


def test_rows_wait_while_the_database_is_locked(rig: Rig) -> None:
    row_id = insert(rig)
    rig.db._busy_timeout_s = 0.05
    rig.db.close()
    import sqlite3

    other = sqlite3.connect(rig.db.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert rig.new_rows.look() == 0
    other.execute("COMMIT")
    other.close()
    assert rig.new_rows.look() == 1
    assert rig.state_of(row_id) == "queued"


def test_service_takes_rows_and_wakes_the_modems(rig: Rig) -> None:
    woken: list[str] = []
    rig.hints.add_modem(lambda: woken.append("front"))
    stop = StopToken()
    rig.new_rows.open()
    try:
        row_id = insert(rig)
        rig.new_rows.wake()
        rig.new_rows.step(stop)
        for _ in range(5):
            rig.new_rows.step(stop)
        stop.set()
        rig.new_rows.step(stop)
    finally:
        rig.new_rows.close()
    assert rig.state_of(row_id) == "queued"
    assert woken


def test_a_row_that_comes_while_we_write_ourselves_is_not_forgotten(rig: Rig) -> None:
    rig.db._busy_timeout_s = 0.05
    stop = StopToken()
    rig.new_rows.open()
    try:
        rig.new_rows.step(stop)
        row_id = insert(rig)
        with rig.db.write():
            rig.new_rows.step(stop)
        assert rig.state_of(row_id) == "new"
        rig.new_rows.step(stop)
        assert rig.state_of(row_id) == "queued"
    finally:
        rig.new_rows.close()


def test_command_of_a_person_wakes_the_modems(rig: Rig) -> None:
    woken: list[str] = []
    rig.hints.add_modem(lambda: woken.append("front"))
    rig.new_rows.look()
    woken.clear()
    rig.foreign(
        "INSERT INTO command (modem, kind, line, asked_at, expires_at)"
        " VALUES ('front', 'at', 'AT', 'x', '2099')"
    )
    rig.new_rows.look()
    assert woken


def test_sixth_equal_row_is_rejected(rig: Rig) -> None:
    ids = [insert(rig, created_at=rig.after(0)) for _ in range(6)]
    rig.new_rows.look()
    assert [rig.state_of(row_id) for row_id in ids] == ["queued"] * 5 + ["rejected"]
    rig.retry(ids[-1])
    assert rig.state_of(ids[-1]) == "queued"


def test_retry_of_what_can_never_be_sent_says_so(rig: Rig) -> None:
    row_id = insert(rig, recipient="nobody")
    rig.new_rows.look()
    with pytest.raises(Exception, match="send it anew, corrected"):
        rig.retry(row_id)
