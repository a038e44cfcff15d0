# SPDX-License-Identifier: Apache-2.0
"""What the network, the database and a person say about the clock."""

from __future__ import annotations

import datetime as dt

import factories
import pytest
from gateway_support import Rig

from gsmgw import logs, pdu
from gsmgw.gateway import trust
from gsmgw.store import upkeep

DAY = 86_400
ODD = dt.timedelta(hours=3, minutes=7)


def span(seconds: float) -> dt.timedelta:
    return dt.timedelta(seconds=seconds)


def trust_by_hand(rig: Rig) -> None:
    with rig.db.write() as tx:
        upkeep.trust_clock(tx)


def message(rig: Rig, sent_at: dt.datetime) -> None:
    """Let a message come that was sent at a time."""
    sender = pdu.Address("+48500100299", 0x91)
    rig.receive(pdu.encode_deliver(pdu.Deliver(sender=sender, text="x", service_centre_at=sent_at)))


@pytest.mark.parametrize("ahead", [ODD, -ODD, span(400), span(-400), span(300 * DAY)])
def test_report_on_a_part_just_sent_names_the_time(rig: Rig, ahead: dt.timedelta) -> None:
    rig.attach()
    rig.add()
    rig.send(7)
    rig.clock.advance(5)
    rig.report(7, at=rig.clock.now() - span(5) + ahead)
    assert rig.trust.look(rig.db)
    rig.clock.jump(ahead.total_seconds())
    assert not rig.trust.look(rig.db)


@pytest.mark.parametrize(
    ("ahead", "words"), [(400, "it is 400 s behind the network"), (-400, "it is 400 s ahead of")]
)
def test_a_person_is_told_in_which_direction_the_clock_is_wrong(
    rig: Rig, ahead: float, words: str
) -> None:
    rig.attach()
    rig.add()
    rig.send(7)
    rig.clock.advance(5)
    rig.report(7, at=rig.clock.now() - span(5) + span(ahead))
    assert rig.trust.look(rig.db)
    assert words in (upkeep.last_suspicion(rig.db) or "")


@pytest.mark.parametrize(("seconds", "is_suspect"), [(4, False), (6, True)])
def test_clock_before_the_newest_row_is_suspect_but_for_the_moment_in_which_it_is_written(
    rig: Rig, seconds: float, is_suspect: bool
) -> None:
    rig.add()
    rig.clock.jump(-seconds)
    assert rig.trust.look(rig.db) is is_suspect


@pytest.mark.parametrize("ahead", [span(200), span(1800), span(-3600), span(19_830), span(54_000)])
def test_small_differences_and_zones_say_nothing(rig: Rig, ahead: dt.timedelta) -> None:
    rig.attach()
    rig.add()
    rig.send(7)
    rig.report(7, at=rig.clock.now() + ahead)
    message(rig, rig.clock.now() + ahead)
    assert not rig.trust.look(rig.db)


def test_report_that_comes_late_says_nothing(rig: Rig) -> None:
    rig.attach()
    rig.add()
    rig.send(7)
    sent_at = rig.clock.now()
    rig.clock.advance(700)
    rig.report(7, at=sent_at + ODD)
    assert not rig.trust.look(rig.db)


def test_message_that_waited_says_nothing_but_one_from_the_future_does(rig: Rig) -> None:
    rig.attach()
    message(rig, rig.clock.now() - ODD)
    assert not rig.trust.look(rig.db)
    message(rig, rig.clock.now() + ODD)
    assert rig.trust.look(rig.db)
    assert rig.trust.latest() == rig.clock.now() + ODD
    rig.clock.jump(ODD.total_seconds() + 900)  # it had waited for a quarter of an hour
    assert not rig.trust.look(rig.db)


def test_message_of_this_moment_clears_the_clock_of_entries_from_the_future(rig: Rig) -> None:
    rig.attach()
    rig.clock.jump(9 * DAY)
    rig.add()
    rig.clock.jump(-9 * DAY)
    assert rig.trust.look(rig.db)
    message(rig, rig.clock.now())
    assert not rig.trust.look(rig.db)
    rig.restart()
    assert not rig.trust.is_suspect


def test_rows_of_a_wrong_clock_do_not_make_it_right(rig: Rig) -> None:
    rig.attach()
    rig.add()
    rig.send(7)
    rig.clock.jump(-30 * DAY)
    assert rig.trust.look(rig.db)
    rig.add("another")
    rig.send(8)
    message(rig, rig.clock.now() - ODD)
    assert rig.trust.look(rig.db)
    rig.restart()
    assert rig.trust.is_suspect


def test_person_is_believed_also_after_a_restart(rig: Rig) -> None:
    rig.attach()
    rig.clock.jump(9 * DAY)
    rig.add()
    rig.clock.jump(-9 * DAY)
    rig.housekeeping.work()
    assert rig.trust.is_suspect
    assert upkeep.last_suspicion(rig.db)
    trust_by_hand(rig)
    rig.housekeeping.work()
    assert not rig.trust.is_suspect
    assert upkeep.last_suspicion(rig.db) is None
    rig.restart()
    assert not rig.trust.is_suspect
    rig.clock.jump(-DAY)  # and it fell back after all
    rig.housekeeping.work()
    assert rig.trust.is_suspect


def test_wrong_time_of_a_service_centre_is_forgiven_once_a_person_says_so(rig: Rig) -> None:
    rig.attach()
    for mr in (7, 8):
        rig.add()
        rig.send(mr)
        rig.report(mr, at=rig.clock.now() + span(400))
        assert rig.trust.look(rig.db) is (mr == 7)
        trust_by_hand(rig)
        assert not rig.trust.look(rig.db)
        rig.clock.advance(60)


def test_jump_is_found_before_the_next_look(rig: Rig) -> None:
    rig.attach()
    message(rig, rig.clock.now())
    assert not rig.trust.look(rig.db)
    rig.trust.hear_modem_clock("front", rig.clock.now())
    rig.add(not_before=rig.after(1000))
    rig.clock.jump(2000)
    assert rig.trust.is_suspect
    assert rig.claim() is None


def test_what_may_have_expired_waits_while_nobody_knows_the_time(rig: Rig) -> None:
    rig.attach()
    over = rig.add("1", expires_at=rig.after(10), recipient=factories.make_number(1))
    rig.clock.advance(20)
    rig.add("2", recipient=factories.make_number(2))
    rig.clock.jump(-DAY)
    rig.housekeeping.work()
    assert rig.must_claim().message_id != over
    assert rig.claim() is None
    assert rig.state_of(over) == "queued"
    rig.clock.jump(DAY)
    rig.housekeeping.work()
    assert rig.state_of(over) == "expired"


# -- jumps ahead ----------------------------------------------------------------------------------


def test_a_jump_ahead_is_believed_where_no_modem_has_a_clock(rig: Rig) -> None:
    rig.trust.learn_network_time(rig.clock.now())
    rig.clock.jump(26 * 3600)
    assert not rig.trust.is_suspect
    with logs.capture() as records:
        assert not rig.trust.look(rig.db)
    assert [(record.event, record.fields["seconds"]) for record in records] == [
        ("clock.jumped", 26 * 3600)
    ]
    rig.clock.advance(60)
    assert not rig.trust.look(rig.db)


def test_a_jump_ahead_is_believed_when_a_modems_clock_confirms_it(rig: Rig) -> None:
    rig.set_clock_ahead(26 * 3600, wrongly=False)
    assert not rig.trust.look(rig.db)


def test_a_jump_ahead_is_found_out_by_a_modems_clock(rig: Rig) -> None:
    rig.set_clock_ahead(26 * 3600, wrongly=True)
    assert rig.trust.look(rig.db)
    rig.clock.jump(-26 * 3600)
    assert not rig.trust.look(rig.db)


def test_nothing_is_believed_until_the_modems_clock_was_read_or_keeps_silent(rig: Rig) -> None:
    rig.trust.learn_network_time(rig.clock.now())
    rig.trust.hear_modem_clock("front", rig.clock.now() + dt.timedelta(hours=1))  # summer time
    rig.clock.jump(26 * 3600)
    assert rig.trust.is_suspect
    assert rig.trust.look(rig.db)
    rig.clock.advance(trust.JUDGED_WITHIN_S + 1)
    assert not rig.trust.look(rig.db)


@pytest.mark.parametrize(
    "shown", [dt.timedelta(minutes=7), dt.timedelta(days=-400)], ids=["odd", "never set"]
)
def test_a_modems_clock_that_does_not_follow_the_network_says_nothing(
    rig: Rig, shown: dt.timedelta
) -> None:
    rig.trust.learn_network_time(rig.clock.now())
    rig.trust.hear_modem_clock("front", rig.clock.now() + shown)
    rig.clock.jump(26 * 3600)
    assert not rig.trust.look(rig.db)


def test_a_modems_clock_that_stands_still_says_nothing(rig: Rig) -> None:
    rig.trust.learn_network_time(rig.clock.now())
    stuck = rig.clock.now()
    rig.trust.hear_modem_clock("front", stuck)
    rig.clock.advance(4000)
    rig.trust.hear_modem_clock("front", stuck)
    rig.clock.jump(26 * 3600)
    assert not rig.trust.look(rig.db)
