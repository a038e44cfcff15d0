# SPDX-License-Identifier: Apache-2.0
"""`gsmgw status`: one screen, the worst first."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator

import pytest
from cli_support import Place
from factories import make_config

from gsmgw import locks
from gsmgw.cli import display
from gsmgw.cli.status import command, screen
from gsmgw.gateway.health import record
from gsmgw.model import InboxKind, ModemReport, ModemState, PartState, SimState
from gsmgw.store import events, modems


def know(place: Place, report: ModemReport, sim: SimState | None = None) -> None:
    with place.database.write() as tx:
        sim_id = None
        if sim is not None:
            sim_id = modems.ensure_sim(tx, "iccid:1", "1", None)
            modems.set_sim_state(
                tx, sim_id, sim, "PUK required", resting_until="2099-01-01T00:00:00.000Z"
            )
        modems.write_state(tx, report, sim_id)


def test_nothing_at_all_is_shown_too(place: Place) -> None:
    shown = place.good("status")
    assert "The daemon does not run: systemctl start gsmgw" in shown
    assert "Nothing waits to be sent." in shown
    assert "Today: no messages; 0 received, 0 missed calls" in shown
    assert "the daemon has not looked for" in shown


def test_the_daemon_is_known_by_its_lock(place: Place) -> None:
    lock = locks.Lock(locks.database_lock(place.database.path), "test")
    lock.acquire()
    try:
        assert f"daemon runs, process {os.getpid()}" in place.good("status")
        assert place.json("status")["daemon"] == {"running": True, "pid": os.getpid()}
    finally:
        lock.release()
    assert place.json("status")["daemon"] == {"running": False, "pid": None}


def test_uncertain_messages_stand_first(place: Place) -> None:
    message = place.message()
    place.take(message, state=PartState.UNCERTAIN, mr=None, proof=None)
    shown = place.good("status")
    assert shown.index("UNCERTAIN, may have arrived: 1 message: 1") < shown.index("modem ")
    assert "gsmgw show 1" in shown
    assert place.json("status")["uncertain"] == {"count": 1, "ids": [1], "given_up": 0}


def test_many_uncertain_messages_are_not_all_named(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "UNCERTAIN_SHOWN", 2)
    for number in range(3):
        place.take(place.message(str(number)), state=PartState.UNCERTAIN, mr=None, proof=None)
    assert "3 messages: 3, 2, …" in place.good("status")


def test_modems_say_what_is_wrong_with_them(place: Place) -> None:
    know(place, ModemReport("front", ModemState.READY, operator="Pretend", signal_dbm=-79))
    know(place, ModemReport("back", ModemState.NEEDS_PIN, why="SIM PUK"), SimState.BLOCKED)
    shown = place.good("status")
    assert "-79 dBm good" in shown
    assert "needs_pin" in shown
    assert "SIM PUK; SIM: PUK" in shown
    back, front = place.json("status")["modems"]
    assert (front["state"], front["signal_dbm"], front["storages"]) == ("ready", -79, {})
    assert (back["sim_state"], back["sim_why"]) == ("blocked", "PUK required")


def test_a_resting_sim_says_until_when(place: Place) -> None:
    know(place, ModemReport("front", ModemState.READY), SimState.RESTING)
    assert "next try 1 Jan 2099 01:00" in " ".join(place.good("status").split())


def test_the_queue_is_counted_by_category(place: Place) -> None:
    place.message("a", category="survey")
    place.message("b", category="staff")
    place.message("c", category="survey", not_before="2099-01-01")
    queue = place.json("status")["queue"]
    assert [(line["category"], line["now"], line["later"]) for line in queue] == [
        ("staff", 1, 0),
        ("survey", 1, 1),
    ]
    assert queue[1]["oldest_due_at"] is not None
    assert "survey   1    1" in place.good("status")


def test_today_is_counted(place: Place) -> None:
    noon = f"Etc/GMT{dt.datetime.now(dt.UTC).hour - 12:+d}"  # where no midnight comes in between
    place.config.write_text(place.config.read_text().replace("Europe/Warsaw", noon))
    for number in range(3):
        place.message(str(number))
    place.refuse(1)
    place.arrive("TAK")
    place.arrive(None, kind=InboxKind.MISSED_CALL)
    assert place.json("status")["today"] == {
        "messages": {"queued": 2, "failed": 1},
        "received": 1,
        "missed_calls": 1,
    }
    assert "Today: 2 queued, 1 failed; 1 received, 1 missed call" in place.good("status")


def test_events_are_shown_harmlessly(place: Place) -> None:
    with place.database.write() as tx:
        events.add(tx, "modem.state", modem="front", why="\x1b[2J")
    assert "why=\\x1b[2J" in place.good("status")
    assert place.json("status")["events"][0]["detail"] == {"why": "\x1b[2J"}


def test_the_screen_has_eighty_columns(place: Place) -> None:
    know(place, ModemReport("front", ModemState.UNRESPONSIVE, why="silent " * 30))
    for number in range(30):
        place.take(place.message(str(number)), state=PartState.UNCERTAIN, mr=None, proof=None)
    assert max(map(len, place.good("status").split("\n"))) <= 80


@pytest.mark.parametrize(
    ("dbm", "words"),
    [(-60, "-60 dBm good"), (-90, "-90 dBm fair"), (-105, "-105 dBm weak"), (None, "")],
)
def test_a_signal_has_a_word(dbm: int | None, words: str) -> None:
    assert screen.signal(dbm) == words


def test_watch_looks_again_until_it_is_interrupted(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    def look(_current: object) -> str:
        looks.append(1)
        if len(looks) == 3:
            raise KeyboardInterrupt
        return "screen"

    monkeypatch.setattr(command, "LOOK_S", 0.001)
    monkeypatch.setattr(command, "_look", look)
    assert place.run("status", "--watch").exit_code == 130
    assert len(looks) == 3


def test_watch_is_for_people(place: Place) -> None:
    assert place.run("status", "--watch", "--json").exit_code == 64


def test_a_configuration_without_modems_says_so(place: Place) -> None:
    place.config.write_text("database: {path: gsmgw.db}\n")
    assert "No modem is configured." in place.good("status")


def test_monitor_is_one_line_and_a_code(place: Place) -> None:
    done = place.run("status", "--monitor")
    assert done.exit_code == 2
    assert done.stdout.startswith("GSMGW CRITICAL - gsmgw: the daemon does not run")
    assert done.stdout.count("\n") == 1


def test_monitor_of_a_damaged_database_is_critical(place: Place) -> None:
    place.database.close()
    content = bytearray(place.database.path.read_bytes())
    content[:4096] = b"\xff" * 4096
    place.database.path.write_bytes(content)
    done = place.run("status", "--monitor")
    assert (done.exit_code, done.stdout[:17]) == (2, "GSMGW CRITICAL - ")
    assert "damaged" in done.stdout


def test_monitor_that_cannot_look_says_unknown(place: Place) -> None:
    place.config.write_text("modems: [")
    done = place.run("status", "--monitor")
    assert done.exit_code == 3
    assert done.stdout.startswith("GSMGW UNKNOWN - ")
    place.config.write_text("database: {path: nowhere.db}")
    assert place.run("status", "--monitor").exit_code == 3
    assert not (place.path / "nowhere.db").exists()


def test_status_and_its_verdict_are_one_document(place: Place) -> None:
    found = place.json("status")
    assert found["troubles"][0]["name"] == "daemon.stopped"
    assert {"clock", "disks", "spool", "parts_per_hour", "schema", "version"} <= set(found)


@pytest.fixture
def running(place: Place) -> Iterator[Place]:
    lock = locks.Lock(locks.database_lock(place.database.path), "test")
    lock.acquire()
    yield place
    lock.release()


def test_what_is_wrong_with_a_modem_comes_with_what_to_do(running: Place) -> None:
    know(running, ModemReport("front", ModemState.READY, service_centre="+48500100900"))
    know(running, ModemReport("back", ModemState.ABSENT, why="/dev/pretend-back is not there"))
    shown = running.good("status")
    assert "back: it is not there: /dev/pretend-back is not there\n  lsusb; " in shown
    assert shown.count("it is not there") == 1
    assert "front:" not in shown


def test_other_troubles_stand_below_the_modems(running: Place) -> None:
    know(running, ModemReport("front", ModemState.READY, service_centre="+48500100900"))
    with running.database.write() as tx:
        for number in range(6):
            tx.insert(
                "INSERT INTO hook_run (event, path, created_at, finished_at, exit_code)"
                " VALUES ('SENT', ?, ?, ?, 1)",
                (str(number), tx.now, tx.now),
            )
    shown = running.good("status")
    assert "hooks.event: 6 of the last 10 runs of the handler failed\n  run it by hand" in shown


def test_what_happens_next_has_its_time(running: Place) -> None:
    know(running, ModemReport("front", ModemState.READY), SimState.RESTING)
    running.message("a", not_before="2098-01-01T08:00:00Z")
    lines = running.good("status").splitlines()
    assert "Next:   1 Jan 2098 09:00  the next care message that waits for its time is due" in lines
    assert "        1 Jan 2099 01:00  the SIM of front is tried again" in lines


def test_nothing_happens_while_the_daemon_is_down(place: Place) -> None:
    place.message("a", not_before="2098-01-01T08:00:00Z")
    assert "Next:" not in place.good("status")


def test_surveys_say_what_they_wait_for(running: Place) -> None:
    closed = "sending: {hours: {mon: '03:00-03:01'}}\n"
    running.config.write_text(running.config.read_text() + closed)
    running.message("a", category="survey")
    shown = running.good("status")
    assert "survey   1    0      0 s     sending.hours" in shown or "sending.hours" in shown
    assert "survey messages go out" in shown


def test_limits_of_the_day_stand_beside_what_was_sent(running: Place) -> None:
    limited = running.config.read_text().replace(
        "port: /dev/pretend-front", "port: /dev/pretend-front, limits: {per_day: 500, per_hour: 1}"
    )
    running.config.write_text(limited)
    know(running, ModemReport("front", ModemState.READY), SimState.WORKING)
    message = running.message()
    part = running.take(message)
    with running.database.write() as tx:
        tx.run("UPDATE part SET sim_id = 1, sent_at = ? WHERE id = ?", (tx.now, part))
    shown = running.good("status")
    assert "1 of 500" in shown
    assert "front: its limit per hour is used up: 1 of 1" in shown


def test_queue_says_how_long_it_takes(running: Place) -> None:
    know(
        running,
        ModemReport("front", ModemState.READY, service_centre="+48500100900"),
        SimState.WORKING,
    )
    with running.database.write() as tx:
        modems.set_sim_state(tx, 1, SimState.WORKING, "")
    for number in range(30):
        running.message(str(number))
    assert "30 SMS to be sent now, in about 2 min if nothing holds them up" in running.good(
        "status"
    )


def test_longest_words_fit_too(running: Place) -> None:
    name = "x" * 32
    running.config.write_text(running.config.read_text().replace("name: front", f"name: {name}"))
    report = ModemReport(
        name,
        ModemState.UNRESPONSIVE,
        operator="An operator of note",
        signal_dbm=-105,
        why="w" * 200,
    )
    know(running, report, SimState.BLOCKED)
    assert max(map(len, running.good("status").split("\n"))) <= 80


def test_a_low_terminal_loses_the_oldest_events(place: Place) -> None:
    with place.database.write() as tx:
        for number in range(8):
            events.add(tx, "modem.state", modem="front", state=f"number-{number}")
    found = record.gather(
        make_config(), place.database, dt.datetime.now(dt.UTC), daemon_pid=1, outgoing=None
    )

    def events_at(lines: int | None) -> int:
        made = screen.compose(found, [], zone=dt.UTC, now=dt.datetime.now(dt.UTC), lines=lines)
        return display.render(made, width=80).count("number-")

    assert (events_at(None), events_at(60), events_at(5)) == (8, 8, 3)
    assert 3 < events_at(18) < 8


def test_a_pipe_gets_no_colours(running: Place) -> None:
    know(running, ModemReport("front", ModemState.READY))
    assert "\x1b" not in running.good("status")
