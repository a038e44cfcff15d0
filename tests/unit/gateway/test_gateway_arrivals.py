# SPDX-License-Identifier: Apache-2.0
"""What comes in: stored first, joined, told once; odd things are kept and marked."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from gateway_support import Rig

from gsmgw import logs, pdu
from gsmgw.errors import StoreBusyError
from gsmgw.gateway import arrivals
from gsmgw.model import InboundPdu
from gsmgw.store import inbox, spool_files

SENDER = "+48500100201"


def deliver(rig: Rig, text: str | None = "yes", sender: str = SENDER, **fields: object) -> str:
    toa = 0x91 if sender.startswith("+") else 0xD0 if sender[:1].isalpha() else 0x81
    values = {"service_centre_at": rig.clock.now(), **fields}
    return pdu.encode_deliver(
        pdu.Deliver(sender=pdu.Address(sender, toa), text=text, **values)
    ).hex()


def part(rig: Rig, number: int, total: int = 3, ref: int = 9, **fields: object) -> str:
    return deliver(rig, f"<{number}>", concat=pdu.Concat(ref, total, number), **fields)


def test_message_is_a_row_and_is_owed_to_the_spool(rig: Rig) -> None:
    sim_id = rig.attach()
    rig.receive(deliver(rig))
    (row,) = rig.inbox()
    assert (row["sender"], row["text"], row["kind"], row["sim_id"]) == (
        SENDER,
        "yes",
        "sms",
        sim_id,
    )
    assert (row["parts"], row["complete"], row["service_centre_at"]) == (1, 1, rig.after(0))
    (owed,) = spool_files.owed(rig.db, 10)
    assert owed["inbox_id"] == row["id"]
    assert [raw["kind"] for raw in inbox.raw_of(rig.db, row["id"])] == ["deliver"]


def test_parts_in_any_order_become_one_row(rig: Rig) -> None:
    rig.attach()
    for number in (3, 1):
        rig.receive(part(rig, number))
    assert rig.inbox() == []
    rig.restart()
    rig.attach()
    rig.receive(part(rig, 2))
    assert [(row["text"], row["parts"]) for row in rig.inbox()] == [("<1><2><3>", 3)]


def test_parts_of_different_messages_are_kept_apart(rig: Rig) -> None:
    rig.attach("front")
    rig.attach("back")
    rig.receive(part(rig, 1, 2))
    rig.receive(part(rig, 2, 2, ref=10))
    rig.receive(part(rig, 2, 3))
    rig.receive(part(rig, 2, 2, sender="+48500100202"))
    rig.receive(part(rig, 2, 2), "back")
    wide = pdu.Concat(9, 2, 2, wide=True)
    rig.receive(deliver(rig, "<w>", concat=wide))
    assert rig.inbox() == []
    rig.receive(part(rig, 2, 2))
    assert [row["text"] for row in rig.inbox()] == ["<1><2>"]


def test_incomplete_message_is_handed_over_after_a_day_and_marked(rig: Rig) -> None:
    rig.attach()
    rig.receive(part(rig, 1))
    rig.receive(part(rig, 3))
    rig.clock.advance(86399)
    rig.housekeeping.work()
    assert rig.inbox() == []
    rig.clock.advance(1)
    with logs.capture() as records:
        rig.housekeeping.work()
    (row,) = rig.inbox()
    assert (row["complete"], row["parts"]) == (0, 3)
    assert "<1>" in row["text"]
    assert "<3>" in row["text"]
    assert [record.fields["missing"] for record in records if record.event == "sms.incomplete"] == [
        1
    ]
    rig.clock.advance(1000)
    rig.receive(part(rig, 2))
    rig.clock.advance(86400)
    rig.housekeeping.work()
    assert [row["text"] for row in rig.inbox()][1:] == ["<2>"]


def test_old_part_is_not_joined_with_a_new_message_of_its_reference(rig: Rig) -> None:
    rig.attach()
    rig.receive(deliver(rig, "OLD ", concat=pdu.Concat(9, 2, 1)))
    rig.clock.advance(3600)
    rig.receive(deliver(rig, "new ", concat=pdu.Concat(9, 2, 1)))
    rig.receive(deliver(rig, "message", concat=pdu.Concat(9, 2, 2)))
    assert [row["text"] for row in rig.inbox()] == ["new message"]
    rig.clock.advance(86400)
    rig.housekeeping.work()
    assert [(row["complete"]) for row in rig.inbox()] == [1, 0]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_two_messages_of_one_reference_are_not_mixed(rig: Rig, order: tuple[int, ...]) -> None:
    rig.attach()
    first, later = rig.clock.now(), rig.clock.now() + dt.timedelta(minutes=5)
    octets = [
        deliver(rig, text, concat=pdu.Concat(9, 2, number), service_centre_at=at)
        for text, number, at in [
            ("I can ", 1, first),
            ("come.", 2, first + dt.timedelta(seconds=3)),
            ("I cannot ", 1, later),
            ("pay.", 2, later + dt.timedelta(seconds=3)),
        ]
    ]
    rig.clock.advance(600)
    for index in order:
        rig.receive(octets[index])
    # Two that came without their companions are joined: nobody can know that more will come.
    lonely = {order[0], order[1]} in ({0, 3}, {1, 2})
    expected = ["I can pay.", "I cannot come."] if lonely else ["I can come.", "I cannot pay."]
    assert sorted(row["text"] for row in rig.inbox()) == expected


def test_without_a_readable_time_the_last_part_counts(rig: Rig) -> None:
    rig.attach()
    for text, number in (("old ", 1), ("new ", 1), ("end", 2)):
        rig.receive(deliver(rig, text, concat=pdu.Concat(9, 2, number), service_centre_at=None))
    assert [row["text"] for row in rig.inbox()] == ["new end"]


def test_overdue_part_does_not_take_a_fresh_one_of_its_reference_along(rig: Rig) -> None:
    rig.attach()
    rig.receive(deliver(rig, "lost ", concat=pdu.Concat(9, 2, 1)))
    rig.clock.advance(86000)
    rig.receive(deliver(rig, "new ", concat=pdu.Concat(9, 2, 1)))
    rig.clock.advance(400)
    rig.housekeeping.work()
    assert [(row["complete"], "lost" in row["text"]) for row in rig.inbox()] == [(0, True)]
    rig.receive(deliver(rig, "message", concat=pdu.Concat(9, 2, 2)))
    assert [row["text"] for row in rig.inbox()][1:] == ["new message"]


def test_sender_with_too_many_parts_waiting_gets_the_oldest_handed_over(rig: Rig) -> None:
    rig.attach()
    for ref in range(256):
        rig.receive(part(rig, 1, 2, ref=ref))
    assert [row["complete"] for row in rig.inbox()] == [0]


def test_flood_from_many_numbers_is_bounded_and_the_oldest_handed_over(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert arrivals.WAITING_PARTS == 10 * arrivals.WAITING_PARTS_PER_SENDER
    monkeypatch.setattr(arrivals, "WAITING_PARTS", 20)
    rig.attach()
    for index in range(25):
        rig.receive(part(rig, 1, 2, sender=f"+4850010{index:04d}"))
    assert [row["sender"][-2:] for row in rig.inbox()] == ["00", "01", "02", "03", "04"]
    assert {row["complete"] for row in rig.inbox()} == {0}


@pytest.mark.parametrize(
    ("deleted", "seconds", "rows"),
    [(False, 10**6, 1), (True, 599, 1), (True, 601, 2), (False, 1, 1)],
)
def test_same_octets_are_a_repeat_or_a_new_message(
    rig: Rig, deleted: bool, seconds: int, rows: int
) -> None:
    rig.attach()
    octets = deliver(rig)
    first = rig.receive(octets, memory="SM", index=1)
    if deleted:
        rig.dispatcher.deleted(first)
    rig.clock.advance(seconds)
    second = rig.receive(octets, memory="SM", index=2)
    assert len(rig.inbox()) == rows
    assert (first == second) is (rows == 1)


def test_deletion_that_a_failed_write_was_to_note_is_noted_with_the_next(rig: Rig) -> None:
    rig.attach()
    received = rig.receive(deliver(rig))
    rig.dispatcher.deleted(received)

    def write() -> None:
        with rig.db.write() as tx:
            rig.dispatcher.arrivals.note_deleted(tx)
            raise StoreBusyError("the disk")

    with pytest.raises(StoreBusyError):
        write()
    rig.housekeeping.work()
    row = inbox.get_raw(rig.db, received)
    assert row is not None
    assert row["deleted_at"] == rig.after(0)


def test_repeat_awaits_its_deletion_again(rig: Rig) -> None:
    rig.attach()
    octets = deliver(rig)
    first = rig.receive(octets, memory="SM", index=1)
    rig.dispatcher.deleted(first)
    rig.receive(octets, memory="ME", index=7)
    row = inbox.get_raw(rig.db, first)
    assert (row["deleted_at"], row["memory"], row["slot"]) == (None, "ME", 7)
    rig.clock.advance(10**6)
    rig.receive(octets, memory="ME", index=7)
    assert len(rig.inbox()) == 1


def test_part_repeated_after_its_deletion_is_no_second_part(rig: Rig) -> None:
    rig.attach()
    octets = part(rig, 1, 2)
    rig.dispatcher.deleted(rig.receive(octets))
    rig.clock.advance(3600)
    rig.receive(octets)
    rig.receive(part(rig, 2, 2))
    rig.clock.advance(2 * 86400)
    rig.housekeeping.work()
    assert [row["text"] for row in rig.inbox()] == ["<1><2>"]


def test_same_octets_on_another_sim_are_another_message(rig: Rig) -> None:
    rig.attach("front")
    rig.attach("back")
    octets = deliver(rig)
    rig.receive(octets, "front")
    rig.receive(octets, "back")
    assert len(rig.inbox()) == 2


@pytest.mark.parametrize("octets", ["", "00", "zz", "07918405100092F0", "FF" * 200])
def test_what_cannot_be_decoded_is_kept_and_shown(rig: Rig, octets: str) -> None:
    rig.attach()
    with logs.capture() as records:
        rig.receive(octets)
        rig.receive(octets)
    (row,) = rig.inbox()
    assert (row["kind"], row["text"], row["sender"]) == ("binary", octets, "")
    assert "sms.undecodable" in [record.event for record in records]


@pytest.mark.parametrize("sender", ["Clinic", "2580", "+48500100201"])
def test_senders_of_any_kind(rig: Rig, sender: str) -> None:
    rig.attach()
    rig.receive(deliver(rig, sender=sender))
    assert rig.inbox()[0]["sender"] == sender


def test_data_is_kept_as_hex(rig: Rig) -> None:
    rig.attach()
    rig.receive(deliver(rig, None, data=b"\x01\xff", alphabet=pdu.Alphabet.DATA))
    assert [(row["kind"], row["text"]) for row in rig.inbox()] == [("binary", "01ff")]


def test_empty_text_is_a_message(rig: Rig) -> None:
    rig.attach()
    rig.receive(deliver(rig, ""))
    assert [(row["kind"], row["text"]) for row in rig.inbox()] == [("sms", "")]


@pytest.mark.parametrize(("number", "sender"), [("500100201", SENDER), (None, ""), ("", "")])
def test_missed_call(rig: Rig, number: str | None, sender: str) -> None:
    rig.attach()
    rig.dispatcher.missed_call("front", number)
    (row,) = rig.inbox()
    assert (row["kind"], row["sender"], row["text"]) == ("missed_call", sender, None)
    assert len(spool_files.owed(rig.db, 10)) == 1


# -- what it answers ------------------------------------------------------------------------------


def test_answer_refers_to_the_newest_message_sent_to_that_number(rig: Rig) -> None:
    rig.attach()
    rig.add("1")
    rig.send(1)
    rig.clock.advance(5)
    newest = rig.add("2")
    rig.send(2)
    rig.add("not sent yet", not_before=rig.after(100))
    rig.receive(deliver(rig))
    assert rig.inbox()[0]["in_reply_to"] == newest


def test_answer_to_a_reminder_written_weeks_ahead_refers_to_it(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add(not_before=rig.after(21 * 86400))
    rig.clock.advance(22 * 86400)
    rig.send(1)
    rig.receive(deliver(rig))
    assert rig.inbox()[0]["in_reply_to"] == message_id


def test_answer_after_a_week_refers_to_nothing(rig: Rig) -> None:
    rig.attach()
    rig.add()
    rig.send(1)
    rig.clock.advance(7 * 86400 + 1)
    rig.receive(deliver(rig))
    rig.dispatcher.missed_call("front", None)
    assert [row["in_reply_to"] for row in rig.inbox()] == [None, None]


def test_tpdu_that_cannot_be_stored_is_an_error_and_leaves_nothing(rig: Rig) -> None:
    rig.attach()
    rig.db._busy_timeout_s = 0.05
    rig.db.close()
    import sqlite3

    other = sqlite3.connect(rig.db.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusyError):
        rig.dispatcher.received(InboundPdu("front", deliver(rig)))
    rig.dispatcher.deleted(1)
    other.execute("ROLLBACK")
    other.close()
    assert rig.inbox() == []
    assert dt.datetime.fromisoformat(rig.after(0)) == rig.clock.now()
