# SPDX-License-Identifier: Apache-2.0
"""Claiming and settling: the way of a message from accepted to sent, and what may go first."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import factories
import pytest
from gateway_support import THREE_PARTS, TWO_PARTS, Rig

from gsmgw import pdu
from gsmgw.model import ModemReport, ModemState, Outcome, SubmitResult
from gsmgw.store import outbox


def test_message_goes_from_queued_to_sent(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add(report_requested=True)
    assert rig.state_of(message_id) == "queued"
    part = rig.must_claim()
    assert (part.message_id, part.number, part.total) == (message_id, 1, 1)
    assert part.recipient == factories.RECIPIENT
    assert part.claimed_at == rig.clock.now()
    assert rig.state_of(message_id) == "sending"
    assert rig.settle(factories.taken(part.part_id, 7)) is None
    row = rig.message(message_id)
    assert (row["state"], row["due_at"], row["sent_at"]) == ("sent", None, rig.after(0))
    assert row["settled_at"] == rig.after(0)
    assert rig.part(part.part_id)["mr"] == 7
    assert rig.part(part.part_id)["proof"] == "answer"
    assert rig.claim() is None


def test_settling_claims_the_next_part_in_the_same_commit(rig: Rig) -> None:
    rig.attach()
    first, second = rig.add("one"), rig.add("two")
    part = rig.must_claim()
    assert part.message_id == first
    assert part.more_follow
    following = rig.settle(factories.taken(part.part_id), claim_next=True)
    assert following is not None
    assert following.message_id == second
    assert not following.more_follow


def test_nothing_is_claimed_where_nothing_was_asked(rig: Rig) -> None:
    rig.attach()
    rig.add("one")
    rig.add("two")
    part = rig.must_claim()
    assert rig.settle(factories.taken(part.part_id)) is None
    assert rig.dispatcher.held_parts() == frozenset()


def test_order_is_priority_then_category_then_time_then_id(rig: Rig) -> None:
    rig.attach()
    marketing = rig.add("1", category="marketing")
    survey = rig.add("2", category="survey")
    care = rig.add("3")
    care_too = rig.add("4")
    staff = rig.add("5", category="staff")
    urgent_marketing = rig.add("6", category="marketing", priority="urgent")
    stat = rig.add("7", priority="stat")
    asap = rig.add("8", priority="asap")
    rig.clock.advance(60)
    order = []
    while (part := rig.claim()) is not None:
        order.append(part.message_id)
        rig.settle(factories.taken(part.part_id))
    assert order == [stat, asap, urgent_marketing, staff, care, care_too, survey, marketing]


def test_message_planned_for_later_waits_and_then_goes_in_order_of_time(rig: Rig) -> None:
    rig.attach()
    later = rig.add("later", not_before=rig.after(20))
    sooner = rig.add("sooner", not_before=rig.after(10))
    assert rig.claim() is None
    rig.clock.advance(30)
    assert rig.must_claim().message_id == sooner
    rig.settle(factories.taken(rig.must_claim().part_id))
    assert rig.state_of(later) == "sent"


def test_parts_of_a_long_message_stay_on_one_sim_and_bear_one_reference(rig: Rig) -> None:
    front, _ = rig.attach("front"), rig.attach("back")
    message_id = rig.add(THREE_PARTS)
    part = rig.must_claim("front")
    assert rig.message(message_id)["sim_id"] == front
    assert rig.claim("back") is None
    numbers = []
    while part is not None:
        numbers.append(part.number)
        ref, total, number = part.tpdu[part.tpdu.index(b"\x05\x00\x03") + 3 :][:3]
        assert (ref, total, number) == (rig.message(message_id)["concat_ref"], 3, part.number)
        part = rig.settle(factories.taken(part.part_id, 20 + part.number), claim_next=True)
    assert numbers == [1, 2, 3]
    assert rig.state_of(message_id) == "sent"


def test_references_of_long_messages_count_on_after_a_restart(rig: Rig) -> None:
    rig.attach()
    first = rig.add(TWO_PARTS)
    rig.send(1)
    rig.send(2)
    rig.restart()
    rig.attach()
    second = rig.add(TWO_PARTS + "!")
    rig.must_claim()
    refs = [rig.message(message_id)["concat_ref"] for message_id in (first, second)]
    assert refs == [1, 2]


def test_it_is_remembered_why_a_modem_never_had_a_part(rig: Rig) -> None:
    rig.attach("front")
    message_id = rig.add()
    part = rig.must_claim("front")
    rig.settle(factories.untouched(part.part_id), "front")
    (attempt,) = outbox.attempts(rig.db, message_id)
    assert (attempt["outcome"], attempt["error"]) == ("untouched", "no prompt")
    assert outbox.parts(rig.db, message_id)[0]["error"] is None


def test_long_message_of_which_nothing_went_out_is_let_go(rig: Rig) -> None:
    rig.attach("front")
    rig.attach("back")
    message_id = rig.add(TWO_PARTS)
    part = rig.must_claim("front")
    rig.settle(factories.untouched(part.part_id), "front")
    row = rig.message(message_id)
    assert (row["sim_id"], row["concat_ref"], row["route"]) == (None, None, "")
    assert rig.must_claim("back").message_id == message_id


def test_long_message_follows_its_sim_into_another_modem(rig: Rig) -> None:
    rig.attach("front", sim="8948000000000000001")
    message_id = rig.add(TWO_PARTS)
    rig.send(1)
    rig.state("front", ModemState.ABSENT)
    rig.attach("front", sim="8948000000000000002")
    assert rig.claim("front") is None
    rig.attach("back", sim="8948000000000000001")
    assert rig.must_claim("back").message_id == message_id


def test_modem_wished_for_is_waited_for(rig: Rig) -> None:
    rig.attach("front")
    rig.attach("back")
    message_id = rig.add(modem="back")
    assert rig.claim("front") is None
    assert rig.must_claim("back").message_id == message_id


def test_prefix_decides_about_the_modem(tmp_path: Path) -> None:
    config = factories.make_config(
        modems=[
            factories.make_modem("polish", routes=["+48", "+4850"]),
            factories.make_modem("british", routes=["+44"]),
            factories.make_modem("rest"),
        ]
    )
    rig = Rig(tmp_path, config)
    polish, british = rig.add("1"), rig.add("2", recipient="+447700900123")
    other, code = rig.add("3", recipient="+4915112345678"), rig.add("4", recipient="2580")
    for modem in ("polish", "british", "rest"):
        rig.attach(modem)
    assert rig.must_claim("british").message_id == british
    assert rig.must_claim("polish").message_id == polish
    assert rig.must_claim("rest").message_id == other
    assert rig.claim("polish") is None
    assert rig.message(code)["route"] == ""
    rig.close()


def test_numbers_of_no_prefix_go_anywhere_where_every_modem_has_prefixes(tmp_path: Path) -> None:
    rig = Rig(tmp_path, factories.make_config(modems=[factories.make_modem("a", routes=["+44"])]))
    rig.attach("a")
    rig.add()
    assert rig.claim("a") is not None
    rig.close()


def test_expired_message_is_not_claimed(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add(expires_at=rig.after(60))
    other = rig.add("other")
    rig.clock.advance(61)
    assert rig.must_claim().message_id == other
    assert factories.fields(rig.message(message_id), "state", "error_family", "error_code") == {
        "state": "expired",
        "error_family": "gsmgw",
        "error_code": "expired",
    }


def test_blocked_sim_sends_nothing(rig: Rig) -> None:
    sim_id = rig.attach()
    rig.add()
    with rig.db.write() as tx:
        tx.run("UPDATE sim SET state = 'blocked' WHERE id = ?", (sim_id,))
    assert rig.claim() is None


def test_modem_without_any_identity_still_sends(rig: Rig) -> None:
    rig.dispatcher.attach("front", ModemReport("front", ModemState.READY))
    message_id = rig.add(TWO_PARTS)
    rig.send(1)
    rig.send(2)
    assert rig.state_of(message_id) == "sent"
    single = rig.add("one")
    rig.doubt()
    assert rig.state_of(single) == "uncertain"
    rig.add("other")
    rig.refuse(21)
    rig.report(2)


def test_late_result_for_a_part_that_is_settled_changes_nothing(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    part_id = rig.send(7)
    rig.settle(factories.refused(part_id, 1))
    rig.settle(SubmitResult(999, Outcome.TAKEN))
    assert rig.state_of(message_id) == "sent"


def test_idle_modem_writes_nothing(rig: Rig) -> None:
    rig.attach()
    rig.add(not_before=rig.after(100))
    version = rig.db.row("SELECT total_changes()")[0]
    assert rig.claim() is None
    assert rig.db.row("SELECT total_changes()")[0] == version


def test_validity_ends_when_the_message_expires(rig: Rig) -> None:
    rig.attach()
    rig.add(expires_at=rig.after(3600))
    part = rig.must_claim()
    assert pdu.without_validity(part.tpdu) is not None
    assert dt.datetime.fromisoformat(rig.after(0)) == part.claimed_at


def test_part_in_flight_is_found_after_a_restart(rig: Rig) -> None:
    rig.attach()
    rig.add()
    part = rig.must_claim()
    rig.restart()
    again = rig.dispatcher.in_flight("front")
    assert again is not None
    assert (again.part_id, again.tpdu, again.claimed_at) == (
        part.part_id,
        part.tpdu,
        part.claimed_at,
    )
    assert rig.dispatcher.held_parts() == {part.part_id}
    assert rig.dispatcher.in_flight("back") is None


@pytest.mark.parametrize("count", [0, 3])
def test_row_that_cannot_be_encoded_fails_alone(rig: Rig, count: int) -> None:
    rig.attach()
    broken = [rig.add(f"broken {index}") for index in range(count)]
    good = rig.add("good")
    with rig.db.write() as tx:
        for message_id in broken:
            tx.run("UPDATE outbox SET recipient = 'nobody at all' WHERE id = ?", (message_id,))
    assert rig.must_claim().message_id == good
    assert [rig.state_of(message_id) for message_id in broken] == ["failed"] * count
