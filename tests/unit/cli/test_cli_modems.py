# SPDX-License-Identifier: Apache-2.0
"""`gsmgw modem`: through a daemon that is played here, and directly to pretend modems."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from cli_support import Place

from gsmgw import locks
from gsmgw.cli import modems as commands
from gsmgw.cli import probing
from gsmgw.model import ModemReport, ModemState
from gsmgw.simulator import Simulator
from gsmgw.store import modems
from gsmgw.store.database import Database

Answer = tuple[str, str | None]


@pytest.fixture
def lock(place: Place) -> Iterator[None]:
    """Let it look as if the daemon ran."""
    held = locks.Lock(locks.database_lock(place.database.path), "test")
    held.acquire()
    yield
    held.release()


@pytest.fixture
def worker(place: Place, lock: None) -> Iterator[Callable[[dict[str, Answer]], None]]:
    """Play a modem's worker: answer each line as told."""
    stop, threads = threading.Event(), []

    def work(answers: dict[str, Answer]) -> None:
        database = Database(place.database.path)
        while not stop.wait(0.01):
            with database.write() as tx:
                row = modems.take_command(tx, "front")
                if row is not None:
                    modems.finish_command(tx, row["id"], *answers[row["line"]])
        database.close()

    def start(answers: dict[str, Answer]) -> None:
        know(place, ModemState.READY)
        threads.append(threading.Thread(target=work, args=(answers,)))
        threads[-1].start()

    yield start
    stop.set()
    for thread in threads:
        thread.join()


def know(place: Place, state: ModemState, port: str | None = None) -> None:
    with place.database.write() as tx:
        modems.write_state(tx, ModemReport("front", state, why="test", port=port), None)


def test_modems_are_listed_with_those_never_seen(place: Place) -> None:
    know(place, ModemState.READY)
    back, front = place.json("modem", "list")["modems"]
    assert (front["name"], front["state"]) == ("front", "ready")
    assert (back["name"], back["state"]) == ("back", None)
    result = place.run("modem", "list")
    assert "the daemon has not looked for it yet" in result.stdout
    assert "the daemon does not run" in result.stderr


def test_at_prints_the_answer(place: Place, worker: Callable) -> None:
    worker({"AT+CSQ": ("+CSQ: 17,99\nOK", None), "AT+COPS?": ("ERROR", None)})
    assert place.good("modem", "at", "front", "AT+CSQ") == "+CSQ: 17,99\nOK\n"
    assert place.json("modem", "at", "front", "AT+CSQ")["answer"] == ["+CSQ: 17,99", "OK"]
    assert place.run("modem", "at", "front", "AT+COPS?").exit_code == 69


def test_at_shows_a_hostile_answer_harmlessly(place: Place, worker: Callable) -> None:
    worker({"AT+COPS?": ('+COPS: 0,0,"\x1b[2J"\nOK', None)})
    assert '"\\x1b[2J"' in place.good("modem", "at", "front", "AT+COPS?")


def test_what_the_worker_could_not_do_is_said(place: Place, worker: Callable) -> None:
    worker({"AT+CSQ": ("", "the port is gone")})
    result = place.run("modem", "at", "front", "AT+CSQ")
    assert (result.exit_code, result.stderr) == (69, "gsmgw: modem front: the port is gone\n")


def test_dangerous_lines_need_force(place: Place, worker: Callable) -> None:
    worker({"AT+CFUN=1,1": ("OK", None)})
    refused = place.run("modem", "at", "front", "AT+CFUN=1,1")
    assert refused.exit_code == 64
    assert "add --force" in refused.stderr
    assert place.good("modem", "at", "front", "AT+CFUN=1,1", "--force") == "OK\n"


def test_a_line_that_is_none_is_65(place: Place) -> None:
    result = place.run("modem", "at", "front", "hello", "--force")
    assert result.exit_code == 65
    assert "does not begin with AT" in result.stderr


def test_ussd_prints_what_the_network_says(place: Place, worker: Callable) -> None:
    worker({"*100#": ("Balance: 12.30\nThank you", None)})
    assert place.good("modem", "ussd", "front", "*100#") == "Balance: 12.30\nThank you\n"
    assert place.json("modem", "ussd", "front", "*100#")["answer"] == "Balance: 12.30\nThank you"
    assert place.run("modem", "ussd", "front", "*100# ; rm").exit_code == 65


def test_without_the_daemon_nobody_answers(place: Place) -> None:
    result = place.run("modem", "at", "front", "AT+CSQ")
    assert result.exit_code == 69
    assert "the daemon does not run" in result.stderr


def test_an_unknown_modem_is_named_with_the_known_ones(place: Place) -> None:
    result = place.run("modem", "at", "frnt", "AT+CSQ")
    assert result.exit_code == 64
    assert "there is no modem 'frnt'; configured: front, back" in result.stderr


def test_a_modem_that_is_away_is_not_waited_for(place: Place, lock: None) -> None:
    know(place, ModemState.ABSENT)
    result = place.run("modem", "at", "front", "AT+CSQ")
    assert (result.exit_code, result.stderr) == (69, "gsmgw: modem front is absent: test\n")


def test_silence_says_whether_the_line_was_taken(place: Place, lock: None) -> None:
    know(place, ModemState.READY)
    result = place.run("modem", "at", "front", "AT+CSQ", "--timeout", "0.1")
    assert result.exit_code == 69
    assert "has not come to it within 0.1 s; it is ready" in result.stderr


def test_a_line_that_was_taken_and_not_answered(
    place: Place, lock: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    know(place, ModemState.READY)
    ask = modems.ask

    def taken(tx: object, *words: str) -> int:
        command_id = ask(tx, *words)
        modems.take_command(tx, "front")
        return command_id

    monkeypatch.setattr(modems, "ask", taken)
    result = place.run("modem", "at", "front", "AT+CSQ", "--timeout", "0.1")
    assert "has not answered within 0.1 s" in result.stderr


# -- probe --------------------------------------------------------------------------------------


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    layout = {
        "modems": [
            {"name": "front", "vendor": "huawei", "boot": "0s"},
            {"name": "back", "vendor": "zte", "boot": "0s", "pin": "1234", "signal": "99"},
        ]
    }
    with Simulator(layout) as running:
        yield running


def test_a_port_tells_who_is_there(place: Place, simulator: Simulator) -> None:
    (found,) = place.json("modem", "probe", simulator.ports["front"])["ports"]
    assert found["error"] is None
    assert (found["manufacturer"], found["profile"], found["sim"]) == ("huawei", "huawei", "READY")
    assert (found["imei"], found["operator"], found["signal_dbm"]) == (
        "356938035600001",
        "Pretend",
        -79,
    )


def test_no_pin_is_tried(place: Place, simulator: Simulator) -> None:
    (found,) = place.json("modem", "probe", simulator.ports["back"])["ports"]
    assert (found["sim"], found["signal_dbm"]) == ("SIM PIN", None)
    assert simulator.state()["back"]["pin_tries"] == 3


def test_all_configured_ports_are_asked(
    place: Place, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "candidate_ports", lambda: [simulator.ports["front"]])
    result = place.run("modem", "probe")
    assert result.exit_code == 0
    assert simulator.ports["front"] in result.stdout
    assert "/dev/pretend-back" in result.stdout
    assert "cannot be opened" in result.stdout


def test_a_port_that_is_none_is_69(place: Place) -> None:
    result = place.run("modem", "probe", place.path / "none")
    assert result.exit_code == 69
    assert "cannot be opened" in result.stdout


def test_no_port_at_all_is_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "candidate_ports", list)
    place.config.write_text("database: {path: gsmgw.db}\n")
    result = place.run("modem", "probe")
    assert result.exit_code == 69
    assert "there is no port that could be a modem's" in result.stderr


def test_a_port_of_the_daemon_is_asked_through_it(
    place: Place, worker: Callable, simulator: Simulator
) -> None:
    worker({"": ("manufacturer: huawei\nimei: 356938035600001\nsignal: 17\nodd", None)})
    know(place, ModemState.READY, port=simulator.ports["front"])
    (found,) = place.json("modem", "probe", simulator.ports["front"])["ports"]
    assert (found["modem"], found["imei"], found["signal_dbm"]) == (
        "front",
        "356938035600001",
        -79,
    )
    assert simulator.books.counts()["submits"] == 0


def test_a_daemon_that_cannot_ask_is_reported(
    place: Place, worker: Callable, simulator: Simulator
) -> None:
    worker({"": ("", "the modem is silent")})
    know(place, ModemState.READY, port=simulator.ports["front"])
    (found,) = place.json("modem", "probe", simulator.ports["front"])["ports"]
    assert found["error"] == "modem front: the modem is silent"


def test_candidates_are_named_once(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path / "ttyUSB0"
    device.touch()
    link = tmp_path / "by-id"
    link.symlink_to(device)
    monkeypatch.setattr(
        probing.settings, "CANDIDATES", (str(tmp_path / "tty*"), str(tmp_path / "by*"))
    )
    assert probing.candidate_ports() == [str(link)]


def test_the_time_to_wait_covers_a_part_in_flight() -> None:
    assert commands.TIMEOUT_S > 60
