# SPDX-License-Identifier: Apache-2.0
"""Status reports: which part they speak of, in any order, from networks of any habits."""

from __future__ import annotations

import datetime as dt

import factories
import pytest
from gateway_support import TWO_PARTS, Rig

from gsmgw.gateway.outcomes.receipts import same_number
from gsmgw.model import ModemState
from gsmgw.store import reports, spool_files


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("+48500100201", "48500100201", True),
        ("+48500100201", "500100201", True),
        ("+48500100201", "0500100201", True),
        ("+48500100201", "0048500100201", True),
        ("+48500100201", "100201", True),
        ("+48500100201", "00201", False),
        ("+48500123456", "23456", False),
        ("+48500100201", "+48500100202", False),
        ("2580", "2580", True),
        ("2580", "580", False),
        ("2580", "+482580", False),
        ("*100#", "*100#", True),
        ("", "", True),
        ("", "+48500100201", False),
        ("Clinic", "Clinic", True),
        ("Clinic", "Other", False),
    ],
)
def test_numbers_are_the_same_as_far_as_both_are_written(
    one: str, other: str, expected: bool
) -> None:
    assert same_number(one, other) is expected
    assert same_number(other, one) is expected


@pytest.mark.parametrize(
    ("status", "part", "message"),
    [
        (0x00, "delivered", "delivered"),
        (0x1F, "delivered", "delivered"),
        (0x20, "sent", "sent"),
        (0x3F, "sent", "sent"),
        (0x40, "undelivered", "undelivered"),
        (0x46, "undelivered", "undelivered"),
        (0x7F, "undelivered", "undelivered"),
        (0x80, "sent", "sent"),
        (0xFF, "sent", "sent"),
    ],
)
def test_status_decides(rig: Rig, status: int, part: str, message: str) -> None:
    rig.attach()
    message_id = rig.add()
    part_id = rig.send(7)
    rig.report(7, status=status)
    assert (rig.part(part_id)["state"], rig.state_of(message_id)) == (part, message)
    row = rig.message(message_id)
    if part == "undelivered":
        assert (row["error_family"], row["error_code"]) == ("tp-st", str(status))
        assert row["error"]


def test_pending_report_is_followed_by_the_final_one(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add(report_requested=True)
    rig.send(7)
    rig.report(7, status=0x20)
    rig.report(7, status=0x00)
    assert rig.state_of(message_id) == "delivered"
    assert [row["st"] for row in reports.of_message(rig.db, message_id)] == [0x20, 0]
    assert len(spool_files.owed(rig.db, 10)) == 2


def test_report_that_nobody_asked_for_makes_no_file(rig: Rig) -> None:
    rig.attach()
    rig.add()
    rig.send(7)
    rig.report(7)
    assert spool_files.owed(rig.db, 10) == []


def test_report_overtakes_the_answer(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add(report_requested=True)
    part = rig.must_claim()
    rig.report(7)
    assert rig.state_of(message_id) == "sending"
    rig.settle(factories.taken(part.part_id, 7))
    assert rig.state_of(message_id) == "delivered"
    assert rig.part(part.part_id)["proof"] == "answer"


@pytest.mark.parametrize(("hours", "state"), [(47, "delivered"), (49, "sent")])
def test_report_that_overtook_the_answer_is_tried_again_for_two_days(
    rig: Rig, hours: int, state: str
) -> None:
    rig.attach()
    message_id = rig.add()
    part = rig.must_claim()
    rig.report(7)
    rig.clock.advance(hours * 3600)  # the machine was without power
    rig.settle(factories.taken(part.part_id, 7))
    assert rig.state_of(message_id) == state


@pytest.mark.parametrize(("days", "state"), [(20, "delivered"), (22, "sent")])
def test_report_may_come_three_weeks_after_its_part(rig: Rig, days: int, state: str) -> None:
    rig.attach()
    message_id = rig.add()
    rig.send(7)
    rig.clock.advance(days * 86400)
    rig.report(7)
    assert rig.state_of(message_id) == state


@pytest.mark.parametrize(("days", "state"), [(90, "delivered"), (500, "sent")])
def test_report_that_a_modem_kept_for_months_finds_its_part(
    rig: Rig, days: int, state: str
) -> None:
    rig.attach()
    old = rig.add("old")
    rig.send(7)
    submitted = rig.clock.now()
    rig.clock.advance(days * 86400)
    rig.report(7, at=submitted)
    assert rig.state_of(old) == state


def test_report_of_months_ago_is_not_taken_for_a_message_of_yesterday(rig: Rig) -> None:
    rig.attach()
    old = rig.add("old")
    rig.send(7)
    submitted = rig.clock.now()
    rig.clock.advance(60 * 86400)
    new = rig.add("new")
    rig.send(7)
    rig.clock.advance(86400)
    rig.report(7, at=submitted)
    assert (rig.state_of(old), rig.state_of(new)) == ("delivered", "sent")


def test_report_of_another_sim_is_not_ours(rig: Rig) -> None:
    rig.attach("front")
    rig.attach("back")
    message_id = rig.add()
    rig.send(7, "front")
    rig.report(7, modem="back")
    assert rig.state_of(message_id) == "sent"
    rig.report(7, modem="front", status=1)
    assert rig.state_of(message_id) == "delivered"


def test_report_follows_the_sim_into_another_modem(rig: Rig) -> None:
    rig.attach("front", sim="8948000000000000001")
    message_id = rig.add()
    rig.send(7)
    rig.state("front", ModemState.NEEDS_PIN)
    rig.attach("back", sim="8948000000000000001")
    rig.report(7, modem="back")
    assert rig.state_of(message_id) == "delivered"


def test_each_part_of_a_long_message_has_its_own_report(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add(TWO_PARTS)
    rig.send(7)
    rig.send(8)
    rig.report(8)
    assert (rig.parts(message_id), rig.state_of(message_id)) == (["sent", "delivered"], "sent")
    rig.report(7, status=0x46)
    assert rig.parts(message_id) == ["undelivered", "delivered"]
    assert rig.state_of(message_id) == "undelivered"


@pytest.mark.parametrize(("recipient", "toa"), [("0500100201", 0x81), ("48500100201", 0x81)])
def test_number_may_be_written_otherwise_in_the_report(rig: Rig, recipient: str, toa: int) -> None:
    rig.attach()
    message_id = rig.add()
    rig.send(7)
    rig.report(7, recipient, toa=toa)
    assert rig.state_of(message_id) == "delivered"


def test_report_about_another_number_is_kept_unmatched(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    rig.send(7)
    rig.report(7, "+48500100299")
    assert rig.state_of(message_id) == "sent"
    assert rig.db.rows("SELECT part_id, matched_at FROM status_report")[0][:] == (None, None)


def test_reference_that_came_round_again_means_the_newer_part(rig: Rig) -> None:
    rig.attach()
    old = rig.add("old")
    rig.send(7)
    rig.clock.advance(3 * 86400)
    new = rig.add("new")
    rig.send(7)
    rig.clock.advance(60)
    rig.report(7, at=rig.clock.now() - dt.timedelta(seconds=61))
    assert (rig.state_of(old), rig.state_of(new)) == ("sent", "delivered")


def test_late_report_finds_the_older_part_by_its_time(rig: Rig) -> None:
    rig.attach()
    old = rig.add("old")
    rig.send(7)
    submitted = rig.clock.now()
    rig.clock.advance(86400)
    new = rig.add("new")
    rig.send(7)
    rig.report(7, at=submitted)
    assert (rig.state_of(old), rig.state_of(new)) == ("delivered", "sent")


@pytest.mark.parametrize("mr", [0, None, 255])
def test_references_that_do_not_count_are_ignored(rig: Rig, mr: int | None) -> None:
    rig.attach()
    ids = []
    for index in range(4):
        ids.append(rig.add(f"{index}", recipient=factories.make_number(index)))
        rig.send(mr)
    rig.report(99, factories.make_number(2))
    assert [rig.state_of(message_id) for message_id in ids] == ["sent", "sent", "delivered", "sent"]


def test_service_centre_in_another_zone_still_finds_the_right_part(rig: Rig) -> None:
    rig.attach()
    ids = []
    for index in range(3):
        ids.append(rig.add(f"{index}"))
        rig.send(0)
        rig.clock.advance(600)
    shift = dt.timedelta(hours=2)
    rig.report(1, at=rig.clock.now() - dt.timedelta(seconds=600) + shift)
    assert rig.state_of(ids[2]) == "delivered", "no offset is known yet: the nearest is taken"
    rig.report(2, at=rig.clock.now() - dt.timedelta(seconds=1800) + shift)
    assert [rig.state_of(i) for i in ids] == ["delivered", "sent", "delivered"]


def test_centres_are_learnt_one_by_one(rig: Rig) -> None:
    rig.attach()
    rig.add("1")
    rig.send(7)
    rig.report(7, at=rig.clock.now() + dt.timedelta(hours=1), centre="+48501200777")
    with rig.db.write() as tx:
        assert reports.centre_offset(tx, "+48501200777") == 3600
        assert reports.centre_offset(tx, "+48501200778") is None


def test_report_without_a_readable_time_is_matched_by_arrival(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    rig.send(7)
    from gsmgw import pdu

    octets = bytearray(
        pdu.encode_status_report(
            pdu.StatusReport(
                7,
                pdu.Address(factories.RECIPIENT, 0x91),
                rig.clock.now(),
                rig.clock.now(),
                0,
                "+48501200777",
            )
        )
    )
    start = len(octets) - 15
    octets[start : start + 7] = b"\xff" * 7
    rig.receive(bytes(octets))
    assert rig.state_of(message_id) == "delivered"


# -- evidence for parts in doubt ------------------------------------------------------------------


def test_report_is_evidence_for_a_part_in_doubt(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add(report_requested=True)
    part_id = rig.doubt()
    rig.report(55)
    assert rig.state_of(message_id) == "delivered"
    expected = {"state": "delivered", "mr": 55, "proof": "report"}
    assert factories.fields(rig.part(part_id), *expected) == expected


def test_report_that_came_before_the_doubt_is_evidence(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    part = rig.must_claim()
    rig.report(55)
    rig.settle(factories.uncertain(part.part_id))
    assert rig.state_of(message_id) == "delivered"


def test_pending_report_shows_that_the_part_was_sent(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    rig.doubt()
    rig.report(55, status=0x21)
    assert rig.state_of(message_id) == "sent"
    rig.report(55)
    assert rig.state_of(message_id) == "delivered"


def test_report_with_another_reference_than_expected_is_no_evidence(rig: Rig) -> None:
    rig.train(rig.attach(), 10)
    message_id = rig.add()
    rig.doubt()
    rig.report(12)
    assert rig.state_of(message_id) == "uncertain"
    rig.report(11)
    assert rig.state_of(message_id) == "delivered"


def test_report_of_yesterday_is_no_evidence(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    rig.doubt()
    rig.report(55, at=rig.clock.now() - dt.timedelta(days=1))
    assert rig.state_of(message_id) == "uncertain"


def test_once_the_centres_clock_is_known_ten_minutes_decide(rig: Rig) -> None:
    rig.attach()
    rig.add("1")
    rig.send(7)
    rig.report(7)
    message_id = rig.add("2")
    rig.doubt()
    rig.report(55, at=rig.clock.now() - dt.timedelta(minutes=11))
    assert rig.state_of(message_id) == "uncertain"
    rig.report(56, at=rig.clock.now() + dt.timedelta(minutes=9))
    assert rig.state_of(message_id) == "delivered"


@pytest.mark.parametrize(("hours", "state"), [(14, "delivered"), (16, "uncertain")])
def test_clock_that_is_not_known_yet_may_be_in_any_zone_and_teaches_nothing(
    rig: Rig, hours: int, state: str
) -> None:
    rig.attach()
    message_id = rig.add()
    rig.doubt()
    rig.report(55, at=rig.clock.now() + dt.timedelta(hours=hours))
    assert rig.state_of(message_id) == state
    with rig.db.write() as tx:  # whether it was this part is not certain
        assert reports.centre_offset(tx, "+48501200777") is None


def test_report_for_a_sent_part_is_not_taken_for_one_in_doubt(rig: Rig) -> None:
    rig.attach()
    rig.add("0", recipient=factories.make_number(5))
    rig.send(41)
    doubtful = rig.add("1")
    rig.doubt()
    submitted = rig.clock.now()
    rig.clock.advance(3)
    sent = rig.add("2")
    rig.send(42)
    rig.report(42, at=submitted)
    assert (rig.state_of(doubtful), rig.state_of(sent)) == ("uncertain", "delivered")


def test_repeated_report_changes_nothing(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    rig.send(7)
    first = rig.report(7)
    assert rig.report(7) == first
    rig.clock.advance(5)
    rig.report(7, status=0x46)
    assert rig.state_of(message_id) == "delivered"


def test_report_of_a_deleted_message_is_not_matched_to_the_next_one(rig: Rig) -> None:
    rig.attach()
    deleted = rig.add("1")
    rig.send(7)
    rig.report(7)
    rig.foreign("DELETE FROM outbox WHERE id = ?", (deleted,))
    message_id = rig.add("2")
    rig.send(7)
    assert rig.state_of(message_id) == "sent"
