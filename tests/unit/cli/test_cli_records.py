# SPDX-License-Identifier: Apache-2.0
"""`gsmgw list`, `show`, `cancel`, `retry` and `inbox`."""

from __future__ import annotations

import sqlite3

from cli_support import Place

from gsmgw.cli.messages import records, story
from gsmgw.model import (
    ErrorFamily,
    InboxKind,
    MessageState,
    ModemReport,
    ModemState,
    PartState,
)
from gsmgw.store import events, modems, outbox, spool_files


def test_the_list_is_newest_first_and_filtered(place: Place) -> None:
    place.message("one")
    place.message("two", to="+48500100202")
    place.message("three")
    place.refuse(1)
    assert [m["id"] for m in place.json("list")] == [3, 2, 1]
    assert [m["id"] for m in place.json("list", "--limit", 1)] == [3]
    assert [m["id"] for m in place.json("list", "--to", "500100202")] == [2]
    assert [m["id"] for m in place.json("list", "--state=failed", "--state=sent")] == [1]


def test_the_json_of_a_message_has_the_columns_of_the_outbox(place: Place) -> None:
    place.message("one")
    (found,) = place.json("list")
    assert tuple(found) == story.MESSAGE_COLUMNS
    assert found["report_requested"] is False
    assert found["recipient"] == "+48500100201"


def test_the_list_for_people_shows_hostile_texts_harmlessly(place: Place) -> None:
    place.message("[red]a\x1b[31m\nb\u202e")
    shown = place.good("list")
    assert "[red]a\\x1b[31m ⏎ b\\u202e" in shown
    assert "\x1b" not in shown


def test_a_number_that_is_none_is_65(place: Place) -> None:
    assert place.run("list", "--to", "nobody").exit_code == 65
    assert place.run("list", "--state", "lost").exit_code == 64
    assert place.run("list", "--limit", "0").exit_code == 64


# -- show ---------------------------------------------------------------------------------------


def test_show_tells_the_whole_story_in_order(place: Place) -> None:
    message = place.message("Hello\nworld", reference="visit-7", not_before="2020-01-01")
    part = place.take(message)
    place.report(part, 0)
    shown = place.good("show", message)
    assert shown.startswith(f"Message {message}: sent\n")
    assert "  text        Hello\n              world\n" in shown
    assert "reference   visit-7" in shown
    order = [
        "came from cli",
        "part 1 of 1: modem front takes it",
        "part 1 of 1: taken by the network, reference 17",
        "status report: status 0: Short message received by the SME",
        "message sent",
    ]
    places = [shown.index(words) for words in order]
    assert len(set(places)) == len(order)
    assert places[0] < places[1] < places[2]
    assert ", at 2026-11-22 08:31:00 CET" in shown


def test_show_puts_codes_into_words_and_gives_advice(place: Place) -> None:
    message = place.message()
    place.refuse(message)
    shown = place.good("show", message)
    assert "part 1 of 1: refused: +CMS ERROR 1: Unassigned (unallocated) number" in shown
    assert "no attempt used up" in shown
    assert f"gsmgw retry {message}" in shown


def test_show_says_that_a_message_waits_for_a_modem_of_which_nothing_is_known(
    place: Place,
) -> None:
    message = place.message(modem="back")
    assert "not configured" not in place.good("show", message)
    place.config.write_text(place.config.read_text().replace("name: back", "name: rear"))
    shown = place.good("show", message)
    assert "It waits for modem back, which is not configured." in shown
    place.good("cancel", message)
    assert "not configured" not in place.good("show", message)


def test_show_says_that_the_rest_of_a_message_waits_for_a_sim_that_is_away(place: Place) -> None:
    message = place.message("x" * 200)
    part = place.take(message)
    with place.database.write() as tx:
        sim_id = modems.ensure_sim(tx, "iccid:1", "1", None)
        modems.write_state(tx, ModemReport("front", ModemState.READY), sim_id)
        outbox.change_part(tx, part, outbox.PartChange(PartState.SENT))
        outbox.bind(tx, message, route=f"sim:{sim_id}", sim_id=sim_id, concat_ref=1)
        outbox.mirror(tx, message, due_at=tx.now)
    assert "a SIM that is away" not in place.good("show", message)
    with place.database.write() as tx:
        modems.write_state(tx, ModemReport("front", ModemState.ABSENT), None)
    shown = place.good("show", message)
    assert "from a SIM that is away, last seen in modem front; the others wait: after ten" in shown


def test_an_uncertain_message_says_what_a_person_must_do(place: Place) -> None:
    message = place.message("x" * 200)
    place.take(message, state=PartState.UNCERTAIN, mr=None, proof=None)
    shown = place.good("show", message)
    assert "whether the network took it is unknown" in shown
    assert "Nobody knows whether part 1 arrived. Ask the recipient" in shown
    assert f"gsmgw retry {message}" in shown


def test_a_late_proof_is_told(place: Place) -> None:
    message = place.message()
    part = place.take(message, state=PartState.UNCERTAIN, mr=None, proof=None)
    with place.database.write() as tx:
        outbox.change_part(tx, part, outbox.PartChange(PartState.SENT, 18, "counter"))
        outbox.mirror(tx, message)
    assert "part 1 of 1: sent (proof: the SIM's reference counter tells)" in place.good(
        "show", message
    )


def test_what_only_the_counter_calls_sent_is_told_once_others_are_reported(place: Place) -> None:
    message, other = place.message(), place.message()
    part = place.take(message, state=PartState.UNCERTAIN, mr=None, proof=None)
    with place.database.write() as tx:
        outbox.change_part(tx, part, outbox.PartChange(PartState.SENT, 18, "counter"))
        outbox.mirror(tx, message)
    assert "reference counter tells that" not in place.good("show", message)
    later = place.take(other)
    with place.database.write() as tx:
        outbox.change_part(tx, later, outbox.PartChange(PartState.DELIVERED))
        tx.run("UPDATE part SET sent_at = '2999-01-01T00:00:00.000Z' WHERE id = ?", (later,))
        sim_id = modems.ensure_sim(tx, "iccid:1", "1", None)
        tx.run("UPDATE part SET sim_id = ?", (sim_id,))
    assert "Only the SIM's reference counter tells that it was sent" in " ".join(
        place.good("show", message).split()
    )
    assert "reference counter tells that" not in place.good("show", other)


def test_show_as_json_nests_the_tables(place: Place) -> None:
    message = place.message()
    place.report(place.take(message), 0)
    found = place.json("show", message)
    (part,) = found["part"]
    assert found["state"] == "sent"
    assert part["attempt"][0]["outcome"] == "taken"
    assert part["attempt"][0]["counted"] is False
    assert part["status_report"][0]["st"] == 0
    assert "received by the SME" in part["status_report"][0]["explanation"]
    assert found["explanation"] is None


def test_show_tells_of_the_file_that_it_came_in(place: Place) -> None:
    message = place.message()
    with place.database.write() as tx:
        file = spool_files.add(tx, name="x.1", original_name="x", file_format="smstools")
        spool_files.add_entry(tx, file, spool_files.Entry(0, message))
        spool_files.decide(tx, file, "sent", "x")
        spool_files.finish(tx, file)
    shown = place.good("show", message)
    assert "file outgoing/x taken" in shown
    assert "file put into sent/x" in shown
    assert place.json("show", message)["spool"][0]["folder"] == "sent"


def test_a_row_of_other_software_may_hold_anything(place: Place) -> None:
    place.message()
    database = place.database.path
    with sqlite3.connect(database) as other:
        other.execute(
            "INSERT INTO outbox (recipient, text, not_before) VALUES ('\x1b[2J', x'00ff', 'soon')"
        )
    other.close()
    shown = place.good("show", 2)
    assert "the daemon has not checked it yet" in shown
    assert "\x1b" not in shown
    assert place.good("list")
    assert len(place.json("list")) == 2


def test_decisions_are_told_in_words_and_other_events_by_name(place: Place) -> None:
    message = place.message()
    place.refuse(message)
    place.good("retry", message)
    with place.database.write() as tx:
        events.add(tx, "message.failed", message_id=message, code="1")
        events.add(tx, "odd.event", message_id=message, why="\x1b[2J")
        tx.run("UPDATE event SET detail = 'no JSON' WHERE name = 'message.failed'")
        tx.run(
            "INSERT INTO event (at, name, message_id, detail) VALUES (?, 'bad.detail', ?, '[1')",
            (tx.now, message),
        )
    shown = place.good("show", message)
    for words in (
        "a person has it sent again",
        "  it failed",
        "odd.event why=\\x1b[2J",
        "bad.detail detail=[1",
    ):
        assert words in shown
    place.good("cancel", message)
    assert place.good("show", message).count("cancelled before it was sent") == 1


def test_an_end_without_a_code_says_why(place: Place) -> None:
    message = place.message()
    with place.database.write() as tx:
        outbox.settle(tx, message, MessageState.EXPIRED, ErrorFamily.GSMGW, "expired", None)
    shown = place.good("show", message)
    assert "message expired: expired" in shown
    assert "It was not sent. To send it all the same: gsmgw retry 1" in shown


def test_a_message_that_is_not_there_is_65(place: Place) -> None:
    result = place.run("show", 7)
    assert (result.exit_code, result.stderr) == (65, "gsmgw: there is no message 7\n")


# -- decisions ----------------------------------------------------------------------------------


def test_cancel_withdraws_what_waits_and_names_what_it_cannot(place: Place) -> None:
    first, second = place.message("a"), place.message("b")
    place.take(second)
    result = place.run("cancel", first, second, 99)
    assert result.exit_code == 65
    assert "message 1 cancelled before it was sent" in result.stdout
    assert "message 2 is sent" in result.stderr
    assert "there is no message 99" in result.stderr
    assert place.json("show", first)["state"] == "cancelled"


def test_retry_queues_a_failed_message_again(place: Place) -> None:
    message = place.message()
    place.refuse(message)
    assert "is queued again" in place.good("retry", message)
    assert place.json("show", message)["state"] == "queued"
    assert place.run("retry", message).exit_code == 65


def test_ids_are_numbers(place: Place) -> None:
    assert place.run("cancel", "one").exit_code == 64
    assert place.run("retry").exit_code == 64


# -- inbox --------------------------------------------------------------------------------------


def test_the_inbox_is_followed_by_id(place: Place) -> None:
    for number in range(5):
        place.arrive(f"answer {number}")
    assert [m["id"] for m in place.json("inbox", "--limit", 2)] == [4, 5]
    assert [m["id"] for m in place.json("inbox", "--after", 0, "--limit", 2)] == [1, 2]
    assert [m["id"] for m in place.json("inbox", "--after", 2, "--limit", 2)] == [3, 4]
    assert place.json("inbox", "--after", 5) == []


def test_the_inbox_is_filtered_by_sender(place: Place) -> None:
    place.arrive("a")
    place.arrive("b", sender="Pharmacy")
    assert [m["text"] for m in place.json("inbox", "--from", "500 100 201")] == ["a"]
    assert [m["text"] for m in place.json("inbox", "--from", "Pharmacy")] == ["b"]


def test_the_inbox_for_people_marks_what_is_special(place: Place) -> None:
    place.arrive("TAK\x1b[31m")
    place.arrive(None, kind=InboxKind.MISSED_CALL, sender="")
    place.arrive("00FF", kind=InboxKind.BINARY)
    place.arrive("half", complete=False)
    shown = place.good("inbox")
    assert "TAK\\x1b[31m" in shown
    assert "withheld" in shown
    assert "(missed call)" in shown
    assert "(binary) 00FF" in shown
    assert "half (parts are missing)" in shown


def test_the_json_of_an_arrival_has_the_columns_of_the_inbox(place: Place) -> None:
    place.arrive("TAK")
    (found,) = place.json("inbox")
    assert tuple(found) == records.INBOX_COLUMNS
    assert found["complete"] is True
