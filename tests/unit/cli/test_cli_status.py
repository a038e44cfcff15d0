# SPDX-License-Identifier: Apache-2.0
"""`gsmgw status`: one screen, the worst first."""

from __future__ import annotations

import os

import pytest
from cli_support import Place

from gsmgw import locks
from gsmgw.cli import overview, status
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
    monkeypatch.setattr(overview, "UNCERTAIN_SHOWN", 2)
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
    assert "next try 01-01 01:00" in " ".join(place.good("status").split())


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


def test_today_is_counted(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert status.signal(dbm) == words


def test_watch_looks_again_until_it_is_interrupted(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    def look(_current: object) -> str:
        looks.append(1)
        if len(looks) == 3:
            raise KeyboardInterrupt
        return "screen"

    monkeypatch.setattr(status, "LOOK_S", 0.001)
    monkeypatch.setattr(status, "_look", look)
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
