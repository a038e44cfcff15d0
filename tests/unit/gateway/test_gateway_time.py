# SPDX-License-Identifier: Apache-2.0
"""What time alone brings about, and what it must not while the clock is suspect; limits, hours."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import factories
import pytest
from gateway_support import TWO_PARTS, Rig

from gsmgw import logs
from gsmgw.model import ModemState
from gsmgw.store import upkeep
from gsmgw.threads import StopToken

DAY = 86400.0


# -- expiry and the clock -------------------------------------------------------------------------


def test_waiting_message_expires(rig: Rig) -> None:
    message_id = rig.add(expires_at=rig.after(60))
    rig.clock.advance(59)
    rig.housekeeping.work()
    assert rig.state_of(message_id) == "queued"
    rig.clock.advance(1)
    rig.housekeeping.work()
    row = rig.message(message_id)
    assert (row["state"], row["due_at"], row["settled_at"]) == ("expired", None, rig.after(0))


def test_outage_is_not_followed_by_a_burst_of_yesterdays_reminders(rig: Rig) -> None:
    ids = [
        rig.add(f"{index}", not_before=rig.after(60), expires_at=rig.after(3600))
        for index in range(150)
    ]
    rig.clock.advance(DAY)
    rig.restart()
    rig.attach()
    assert rig.claim() is None
    assert {rig.state_of(message_id) for message_id in ids} == {"expired"}


@pytest.mark.parametrize("how", ["behind", "ahead"])
def test_while_the_clock_is_suspect_nothing_expires_and_nothing_planned_goes_out(
    rig: Rig, how: str
) -> None:
    rig.attach()
    expiring = rig.add("1", not_before=rig.after(1000), expires_at=rig.after(2000))
    planned = rig.add("2", not_before=rig.after(DAY))
    urgent = rig.add("3", expires_at=rig.after(10))
    with logs.capture() as records:
        if how == "behind":
            rig.clock.jump(-30 * DAY)
        else:
            rig.set_clock_ahead(30 * DAY, wrongly=True)
        rig.housekeeping.work()
    assert [record.event for record in records] == ["clock.suspect"]
    rig.state("front", ModemState.SEARCHING)  # writes an event at the wrong time
    rig.state("front", ModemState.READY)
    rig.housekeeping.work()
    assert rig.trust.is_suspect
    immediate = rig.add("4")
    sent = []
    while (part := rig.claim()) is not None:
        sent.append(part.message_id)
        rig.settle(factories.taken(part.part_id))
    assert sorted(sent) == [urgent, immediate]
    assert (rig.state_of(expiring), rig.state_of(planned)) == ("queued", "queued")


def test_clock_that_was_set_right_is_trusted_again(rig: Rig) -> None:
    message_id = rig.add("1", expires_at=rig.after(60))
    rig.clock.jump(-DAY)
    rig.housekeeping.work()
    assert rig.trust.is_suspect
    rig.clock.jump(DAY)
    rig.clock.advance(61)
    with logs.capture() as records:
        rig.housekeeping.work()
    assert "clock.trusted" in [record.event for record in records]
    assert rig.state_of(message_id) == "expired"


def test_network_time_far_away_is_forgiven_once_the_clock_was_set(rig: Rig) -> None:
    rig.trust.learn_network_time(rig.clock.now() + dt.timedelta(hours=3))
    assert rig.trust.look(rig.db)
    rig.clock.jump(3 * 3600)
    assert not rig.trust.look(rig.db)
    rig.clock.advance(DAY)
    assert not rig.trust.look(rig.db)


def test_five_minutes_are_tolerated(rig: Rig) -> None:
    rig.trust.learn_network_time(rig.clock.now() + dt.timedelta(minutes=5))
    assert not rig.trust.look(rig.db)
    rig.trust.learn_network_time(rig.clock.now() - dt.timedelta(minutes=5, seconds=1))
    assert rig.trust.look(rig.db)


def test_refused_message_is_not_tried_without_pause_while_the_clock_is_behind(rig: Rig) -> None:
    rig.attach()
    rig.add("1", recipient=factories.make_number(1))
    rig.clock.jump(-30 * DAY)
    rig.housekeeping.work()
    rig.refuse(27)
    assert rig.claim() is None
    rig.clock.advance(30)
    assert rig.claim() is not None


def test_doubts_are_not_given_up_while_the_clock_is_suspect(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    rig.doubt()
    rig.set_clock_ahead(DAY, wrongly=True)
    rig.housekeeping.work()
    assert rig.message(message_id)["settled_at"] is None


def test_surveys_with_hours_wait_while_nobody_knows_the_hour(tmp_path: Path) -> None:
    config = factories.make_config(sending={"hours": {"mon-sun": "00:00-24:00"}})
    rig = Rig(tmp_path, config)
    rig.attach()
    rig.add("1", category="survey")
    rig.clock.jump(-30 * DAY)
    rig.housekeeping.work()
    assert rig.claim() is None
    rig.clock.jump(30 * DAY)
    rig.housekeeping.work()
    assert rig.claim() is not None
    rig.close()


# -- hours and limits -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hour", "goes"),
    [
        (7.99, ["staff", "care"]),
        (8.0, ["staff", "care", "survey", "marketing"]),
        (19.99, ["staff", "care", "survey", "marketing"]),
        (20.0, ["staff", "care"]),
    ],
)
def test_hours_bind_surveys_and_marketing_only(
    tmp_path: Path, hour: float, goes: list[str]
) -> None:
    config = factories.make_config(
        timezone="Europe/Warsaw", sending={"hours": {"mon-sat": "08:00-20:00"}}
    )
    rig = Rig(tmp_path, config)
    rig.attach()
    rig.clock.jump((hour - 9) * 3600)  # it is nine in Warsaw
    for category in ("marketing", "survey", "care", "staff"):
        rig.add(category, category=category, priority="urgent")
    found = []
    while (part := rig.claim()) is not None:
        found.append(rig.message(part.message_id)["category"])
        rig.settle(factories.taken(part.part_id))
    assert found == goes
    rig.close()


def test_limits_leave_the_rest_to_the_more_urgent(tmp_path: Path) -> None:
    modem = factories.make_modem("front", limits={"per_day": 10})
    rig = Rig(tmp_path, factories.make_config(modems=[modem]))
    rig.attach()

    def sends(count: int, **fields: str) -> int:
        for index in range(count):
            rig.add(f"{fields} {index}", **fields)
        sent = 0
        while (part := rig.claim()) is not None:
            rig.settle(factories.taken(part.part_id))
            sent += 1
        return sent

    assert sends(20, category="survey") == 8
    assert sends(20, category="care") == 2
    assert sends(3, category="marketing", priority="urgent") == 3
    rig.clock.advance(DAY)
    assert sends(0) == 10  # care goes first
    rig.close()


@pytest.mark.parametrize(
    ("limit", "seconds"), [("per_minute", 60), ("per_hour", 3600), ("per_day", 86400)]
)
def test_limits_end_with_their_time(tmp_path: Path, limit: str, seconds: int) -> None:
    modem = factories.make_modem("front", limits={limit: 2})
    rig = Rig(tmp_path, factories.make_config(modems=[modem]))
    rig.attach()
    for index in range(3):
        rig.add(f"{index}")
    rig.send(1)
    rig.send(2)
    assert rig.claim() is None
    rig.clock.advance(seconds + 1)
    assert rig.claim() is not None
    rig.close()


def test_month_begins_in_the_clinics_zone(tmp_path: Path) -> None:
    modem = factories.make_modem("front", limits={"per_month": 1})
    rig = Rig(tmp_path, factories.make_config(timezone="Europe/Warsaw", modems=[modem]))
    rig.attach()
    rig.add("1")
    rig.add("2")
    rig.send(1)
    rig.clock.at = dt.datetime(2026, 11, 30, 22, 59, tzinfo=dt.UTC)
    assert rig.claim() is None
    rig.clock.at = dt.datetime(2026, 11, 30, 23, 1, tzinfo=dt.UTC)
    assert rig.claim() is not None
    rig.close()


# -- a SIM that is away ---------------------------------------------------------------------------


def begin(rig: Rig) -> int:
    rig.attach("front", sim="8948000000000000001")
    rig.attach("back", sim="8948000000000000002")
    message_id = rig.add(TWO_PARTS)
    rig.send(1)
    return message_id


def test_long_message_starts_anew_on_another_sim_after_ten_minutes(rig: Rig) -> None:
    message_id = begin(rig)
    ref = rig.message(message_id)["concat_ref"]
    rig.state("front", ModemState.ABSENT)
    rig.clock.advance(599)
    rig.housekeeping.work()
    assert rig.claim("back") is None
    rig.clock.advance(1)
    rig.housekeeping.work()
    assert rig.parts(message_id) == ["waiting", "waiting"]
    rig.send(8, "back")
    rig.send(9, "back")
    row = rig.message(message_id)
    assert (row["state"], row["restarts"], row["sim_id"]) == ("sent", 1, 2)
    assert ref == 1
    assert "message.restarted" in rig.event_names(message_id)


def test_long_message_starts_anew_when_the_only_modem_gets_another_sim(tmp_path: Path) -> None:
    config = factories.make_config(modems=[factories.make_modem("front")])
    rig = Rig(tmp_path, config)
    rig.attach("front", sim="8948000000000000001")
    message_id = rig.add(TWO_PARTS)
    rig.send(1)
    rig.state("front", ModemState.ABSENT)
    rig.attach("front", sim="8948000000000000002")
    rig.housekeeping.work()
    assert rig.claim() is None
    rig.clock.advance(600)
    rig.housekeeping.work()
    rig.send(8)
    rig.send(9)
    assert rig.state_of(message_id) == "sent"
    rig.close()


def test_long_message_is_not_started_anew_while_no_other_sim_can_send_it(rig: Rig) -> None:
    message_id = begin(rig)
    rig.state("front", ModemState.ABSENT)
    rig.state("back", ModemState.SEARCHING)
    rig.clock.advance(6000)
    rig.housekeeping.work()
    assert rig.parts(message_id) == ["sent", "waiting"]
    rig.state("back", ModemState.READY)
    rig.housekeeping.work()
    assert rig.parts(message_id) == ["waiting", "waiting"]


def test_sim_away_for_a_moment_starts_nothing_anew(rig: Rig) -> None:
    message_id = begin(rig)
    rig.clock.advance(3600)  # the rest waits for long, because of a limit perhaps
    rig.state("front", ModemState.UNRESPONSIVE)
    rig.clock.advance(2)
    rig.housekeeping.work()
    assert rig.parts(message_id) == ["sent", "waiting"]


def test_long_message_starts_anew_only_once(rig: Rig) -> None:
    message_id = begin(rig)
    rig.state("front", ModemState.ABSENT)
    rig.clock.advance(600)
    rig.housekeeping.work()
    rig.send(8, "back")
    rig.state("back", ModemState.ABSENT)
    rig.state("front", ModemState.READY)
    rig.clock.advance(6000)
    rig.housekeeping.work()
    assert rig.parts(message_id) == ["sent", "waiting"]


def test_long_message_with_a_doubt_is_not_started_anew(rig: Rig) -> None:
    rig.attach("front")
    rig.attach("back")
    message_id = rig.add(TWO_PARTS)
    rig.doubt()
    rig.state("front", ModemState.ABSENT)
    rig.clock.advance(599)
    rig.housekeeping.work()
    rig.clock.advance(5)
    assert rig.parts(message_id) == ["uncertain", "waiting"]


def test_long_message_whose_sim_was_replaced_starts_anew_after_a_restart(rig: Rig) -> None:
    message_id = begin(rig)
    rig.restart()
    rig.attach("front", sim="8948000000000000003")
    rig.housekeeping.work()
    assert rig.parts(message_id) == ["sent", "waiting"]
    rig.clock.advance(600)
    rig.housekeeping.work()
    assert rig.parts(message_id) == ["waiting", "waiting"]
    assert rig.must_claim("front").message_id == message_id


def test_wished_modem_with_a_new_sim_starts_the_message_anew(rig: Rig) -> None:
    rig.attach("front", sim="8948000000000000001")
    message_id = rig.add(TWO_PARTS, modem="front")
    rig.send(1)
    rig.attach("front", sim="8948000000000000003")
    rig.attach("back")
    rig.clock.advance(600)
    rig.housekeeping.work()
    assert rig.claim("back") is None
    assert rig.must_claim("front").message_id == message_id


def test_restarted_message_keeps_to_its_prefix(tmp_path: Path) -> None:
    modems = [
        factories.make_modem("a", routes=["+48"]),
        factories.make_modem("b", routes=["+48"]),
        factories.make_modem("c"),
    ]
    rig = Rig(tmp_path, factories.make_config(modems=modems))
    for name in "abc":
        rig.attach(name)
    message_id = rig.add(TWO_PARTS)
    rig.send(1, "a")
    rig.state("a", ModemState.ABSENT)
    rig.clock.advance(600)
    rig.housekeeping.work()
    assert rig.claim("c") is None
    assert rig.must_claim("b").message_id == message_id
    rig.close()


# -- retention ------------------------------------------------------------------------------------


def test_removed_texts_and_numbers_leave_no_trace_in_the_file(tmp_path: Path) -> None:
    retention = {"text": "90d", "person": "400d"}
    rig = Rig(tmp_path, factories.make_config(retention=retention))
    rig.attach()
    secret, number = "Secret diagnosis XYZZY", "+48500100277"
    message_id = rig.add(secret, recipient=number, reference=f"ref {number}", report_requested=True)
    rig.send(7)
    rig.report(7, number)
    waiting = rig.add("not over yet PLUGH", not_before=rig.after(1000 * DAY))
    from gsmgw import pdu

    delivery = pdu.Deliver(
        sender=pdu.Address(number, 0x91), text=secret, service_centre_at=rig.clock.now()
    )
    rig.receive(pdu.encode_deliver(delivery))
    rig.clock.advance(89 * DAY)
    slow(rig)
    assert traces(rig, secret, number) == {secret, number}
    rig.clock.advance(2 * DAY)
    slow(rig)
    assert rig.message(message_id)["text"] == ""
    assert traces(rig, secret, number) == {number}
    rig.clock.advance(400 * DAY)
    slow(rig)
    assert traces(rig, secret, number) == set()
    assert rig.message(waiting)["text"] == "not over yet PLUGH"
    assert rig.message(message_id)["recipient"] == rig.inbox()[0]["sender"]
    assert rig.message(message_id)["recipient"].startswith("hash:")
    rig.close()


def slow(rig: Rig) -> None:
    rig.clock.advance(1000)
    rig.housekeeping.work()


def traces(rig: Rig, *words: str) -> set[str]:
    """Return which words stand in the files, as text or as a TPDU holds them."""
    content = b"".join(path.read_bytes() for path in rig.db.path.parent.glob("gsmgw.db*"))
    found = set()
    for word in words:
        digits = word.lstrip("+")
        swapped = "".join(b + a for a, b in zip(*[iter(f"{digits}F")] * 2, strict=False))
        hexadecimal = content.upper()
        if word.encode() in content or digits.encode() in content:
            found.add(word)
        if word.startswith("+") and swapped.encode() in hexadecimal:
            found.add(word)
    return found


def test_what_is_sent_again_this_moment_keeps_text_and_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, factories.make_config(retention={"text": "1d", "person": "1d"}))
    message_id = rig.add("text", recipient="+48500100277")
    rig.cancel(message_id)
    rig.clock.advance(2 * DAY)
    in_pieces = upkeep.in_pieces

    def meanwhile(*args: Any) -> int:
        if rig.state_of(message_id) == "cancelled":
            rig.retry(message_id)
        return in_pieces(*args)

    monkeypatch.setattr(upkeep, "in_pieces", meanwhile)
    for let_go in (upkeep.empty_texts, upkeep.forget_persons):
        let_go(rig.db, rig.after(-DAY))
        assert rig.message(message_id)["text"] == "text"
        assert rig.message(message_id)["recipient"] == "+48500100277"
        rig.cancel(message_id)
        rig.clock.advance(2 * DAY)
    rig.close()


def test_retention_goes_on_at_once_where_a_round_does_not_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, factories.make_config(retention={"text": "1d"}))
    monkeypatch.setattr(upkeep, "MOST", 2)
    messages = [rig.add("text") for _ in range(5)]
    for message_id in messages:
        rig.cancel(message_id)
    rig.clock.advance(2 * DAY)
    left = []
    slow(rig)
    for _ in range(3):
        left.append(sum(rig.message(one)["text"] != "" for one in messages))
        rig.housekeeping.work()
    assert left == [3, 1, 0]
    rig.close()


def test_retention_waits_while_the_clock_is_suspect(tmp_path: Path) -> None:
    rig = Rig(tmp_path, factories.make_config(retention={"text": "1d"}))
    rig.attach()
    message_id = rig.add("text")
    rig.send(7)
    rig.set_clock_ahead(9 * DAY, wrongly=True)
    slow(rig)
    assert rig.message(message_id)["text"] == "text"
    rig.close()


def test_retention_makes_up_soon_for_days_that_the_machine_slept(tmp_path: Path) -> None:
    rig = Rig(tmp_path, factories.make_config(retention={"text": "1d"}))
    rig.attach()
    message_id = rig.add("text")
    rig.send(7)
    slow(rig)
    rig.set_clock_ahead(9 * DAY, wrongly=False)
    rig.housekeeping.work()
    assert rig.message(message_id)["text"] == "text"  # it may be set right at once
    rig.clock.advance(16)
    rig.housekeeping.work()
    assert rig.message(message_id)["text"] == ""
    rig.close()


def test_without_retention_everything_is_kept(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add("text")
    rig.send(7)
    rig.clock.advance(9999 * DAY)
    slow(rig)
    assert rig.message(message_id)["text"] == "text"


def test_service_steps_and_closes(rig: Rig) -> None:
    stop = StopToken()
    message_id = rig.add(expires_at=rig.after(10))
    rig.clock.advance(20)
    rig.hints.housekeeping.set()
    rig.housekeeping.step(stop)
    assert rig.state_of(message_id) == "expired"
    stop.set()
    rig.housekeeping.step(stop)
    rig.housekeeping.close()
