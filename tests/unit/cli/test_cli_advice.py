# SPDX-License-Identifier: Apache-2.0
"""What `gsmgw show` says at its end: why a message waits, and what a person can do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cli_support import Place

from gsmgw import locks
from gsmgw.model import MessageState, ModemReport, ModemState, PartState, SimState
from gsmgw.store import modems, outbox

UNTIL = "2026-11-22T08:00:00.000Z"


def last_lines(place: Place, message: int) -> str:
    """Return what stands below the story."""
    return place.good("show", message).split("\n\n", 2)[-1]


@pytest.fixture
def running(place: Place) -> Iterator[Place]:
    """Hold the daemon's lock: this process is one, as far as commands can tell."""
    lock = locks.Lock(locks.database_lock(place.database.path), "a test")
    lock.acquire()
    yield place
    lock.release()


def modem_is(place: Place, name: str, state: ModemState, why: str = "") -> int:
    with place.database.write() as tx:
        sim_id = modems.ensure_sim(tx, f"iccid:{name}", name, None)
        modems.write_state(tx, ModemReport(name, state, why=why), sim_id)
    return sim_id


def test_without_the_daemon_nothing_is_sent(place: Place) -> None:
    modem_is(place, "front", ModemState.ABSENT, "pulled out")
    modem_is(place, "back", ModemState.ABSENT, "pulled out")
    shown = last_lines(place, place.message())
    assert shown == "The daemon does not run, so it waits: sudo systemctl start gsmgw\n"


def test_the_next_try_of_what_is_due_is_no_time_of_the_past(place: Place) -> None:
    assert "next try    when a modem is free" in place.good("show", place.message())
    later = place.message(not_before="2050-01-02 08:00")
    assert "next try    2050-01-02 08:00:00 CET" in place.good("show", later)


def test_one_modem_that_can_send_is_enough(running: Place) -> None:
    modem_is(running, "front", ModemState.ABSENT, "pulled out")
    modem_is(running, "back", ModemState.READY)
    assert running.good("show", running.message()).endswith("came from cli\n")


def test_it_is_said_what_keeps_each_modem_from_sending(running: Place) -> None:
    modem_is(running, "front", ModemState.ABSENT, "pulled out")
    sim_id = modem_is(running, "back", ModemState.READY)
    with running.database.write() as tx:
        modems.set_sim_state(tx, sim_id, SimState.RESTING, "refused", resting_until=UNTIL)
    shown = last_lines(running, running.message())
    assert "No modem can send it now: front is absent (pulled out);" in shown
    assert "the SIM of back is resting until 2026-11-22 09:00:00 CET (refused)" in shown
    wish = last_lines(running, running.message("only back", modem="back"))
    assert "front" not in wish


@pytest.mark.parametrize(
    ("category", "priority", "waits"),
    [("care", "routine", False), ("survey", "routine", True), ("survey", "urgent", False)],
)
def test_a_limit_that_is_used_up_is_named(
    running: Place, category: str, priority: str, *, waits: bool
) -> None:
    text = running.config.read_text()
    limit = "{name: front, limits: {per_day: 5},"
    running.config.write_text(text.replace("{name: front,", limit))
    modem_is(running, "back", ModemState.ABSENT)
    sim_id = modem_is(running, "front", ModemState.READY)
    for number in range(4):
        message = running.message(f"text {number}")
        with running.database.write() as tx:
            part = outbox.first_waiting_part(tx, message)
            assert part is not None
            outbox.claim(tx, part["id"], "front", sim_id)
            sent = outbox.PartChange(PartState.SENT)
            outbox.change_part(tx, part["id"], sent)
            outbox.end_attempt(tx, part["id"], outcome="taken", change=sent)
    shown = running.good("show", running.message("now", category=category, priority=priority))
    assert ("front has sent 4 of 5 SMS per day" in shown) == waits


def test_surveys_wait_for_their_hours(running: Place) -> None:
    modem_is(running, "front", ModemState.READY)
    with running.config.open("a") as file:
        file.write('sending: {hours: {mon: "08:00-08:01"}}\n')
    shown = last_lines(running, running.message(category="survey"))
    assert "It waits for the hours of survey messages (sending.hours): 20" in shown
    assert "sending.hours" not in running.good("show", running.message())


def test_what_was_refused_for_its_words_is_not_to_be_retried(place: Place) -> None:
    with place.database.write() as tx:
        message = tx.insert("INSERT INTO outbox (recipient, text) VALUES ('nobody', 'Hello')")
        outbox.settle(tx, message, MessageState.REJECTED, None, "bad-number", "no number")
    assert "retry" not in place.good("show", message)
    assert "Send it anew, corrected." in last_lines(place, message)
    assert place.run("retry", message).exit_code == 65


def test_what_did_not_arrive_can_be_sent_again(place: Place) -> None:
    message = place.message()
    place.take(message, state=PartState.UNDELIVERED)
    assert f"The phone did not get all of it. To send that again: gsmgw retry {message}" in (
        last_lines(place, message)
    )
    place.good("retry", message)


def test_while_evidence_may_come_a_person_is_asked_to_wait(place: Place) -> None:
    message = place.message()
    place.take(message, state=PartState.UNCERTAIN, mr=None, proof=None)
    assert "Evidence may still come until 20" in last_lines(place, message)
    with place.database.write() as tx:
        tx.run("UPDATE part SET claimed_at = '2026-01-01T00:00:00.000Z'")
    assert "Evidence" not in last_lines(place, message)


def test_times_in_reasons_are_those_of_the_clinic(place: Place) -> None:
    message = place.message()
    with place.database.write() as tx:
        words = "the next try at 2026-11-22T21:13:53.412Z would come too late"
        outbox.settle(tx, message, MessageState.EXPIRED, None, "expired", words)
    for shown in (place.good("show", message), place.good("list")):
        assert "the next try at 2026-11-22 22:13:53 CET would come too late" in shown
    (found,) = place.json("list")
    assert found["error"] == words


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "status 0: Short message received by the SME, at 2026-11-22 08:31:00 CET; the phone"),
        (34, "No response from SME, at 2026-11-22 08:31:00 CET; not yet, the network goes on"),
        (70, "SM validity period expired, at 2026-11-22 08:31:00 CET; the network has given up"),
    ],
)
def test_a_status_report_says_whether_there_is_hope(place: Place, status: int, words: str) -> None:
    message = place.message()
    place.report(place.take(message), status)
    assert words in place.good("show", message)
