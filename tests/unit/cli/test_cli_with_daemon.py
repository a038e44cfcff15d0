# SPDX-License-Identifier: Apache-2.0
"""Commands beside the real daemon on pretend modems."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator

import pytest

from gsmgw.cli.demo.stage import Stage
from gsmgw.errors import GsmgwError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("stage")) as running:
        wait(running.is_ready)
        yield running
    assert running.exit_code == 0


def wait(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(5000):
        if condition():
            return
        pause.wait(0.02)
    raise AssertionError(f"{condition} did not become true")


def test_status_shows_the_daemon_and_its_modems(stage: Stage) -> None:
    found = json.loads(stage.type("status", "--json"))
    assert found["daemon"] == {"running": True, "pid": stage.pid}
    assert [modem["state"] for modem in found["modems"]] == ["ready", "ready"]
    assert f"daemon runs, process {stage.pid}" in stage.type("status")
    wait(lambda: "Pretend" in stage.type("modem", "list"))


def test_a_modem_answers_a_line(stage: Stage) -> None:
    assert stage.type("modem", "at", "front", "AT+CSQ").endswith("\nOK\n")


def test_a_modem_asks_the_network(stage: Stage) -> None:
    assert stage.type("modem", "ussd", "back", "*100#") == "Balance: 12.30\n"


def test_probe_asks_through_the_daemon(stage: Stage) -> None:
    port = stage.simulator.ports["front"]
    (found,) = json.loads(stage.type("modem", "probe", port, "--json"))["ports"]
    assert (found["modem"], found["error"]) == ("front", None)
    assert found["imei"] == "356938035600001"
    assert (found["manufacturer"], found["model"], found["profile"]) == (
        "huawei",
        "E173",
        "huawei",
    )
    assert found["iccid"] == "89480100000000000001"
    assert found["operator"] == "Pretend"
    assert found["signal_dbm"] == -79


def test_a_modem_that_was_pulled_out_is_not_waited_for(stage: Stage) -> None:
    stage.simulator.unplug("back")
    wait(lambda: '"state": "absent"' in stage.type("modem", "list", "--json"))
    with pytest.raises(GsmgwError, match="modem back is absent"):
        stage.type("modem", "at", "back", "AT+CSQ")
    stage.simulator.plug("back")
    wait(stage.is_ready)


def test_what_is_cancelled_is_not_sent(stage: Stage) -> None:
    later = stage.type("send", "--not-before", "2099-01-01", "+48500100211", "Hi").strip()
    assert "cancelled before it was sent" in stage.type("cancel", later)
    assert json.loads(stage.type("show", later, "--json"))["state"] == "cancelled"
    stage.type("retry", later)
    wait(lambda: bool(stage.simulator.books.inbox("+48500100211")))


def test_a_list_is_sent_while_the_daemon_works(stage: Stage) -> None:
    path = stage.folder / "list.csv"
    rows = "".join(f"+485001003{number:02d},Hello {number}\n" for number in range(6))
    path.write_text(f"recipient,text\n{rows}")
    assert stage.type("send", "--csv", str(path)).startswith("6 accepted")

    def arrived() -> int:
        return sum(
            message.recipient.startswith("+485001003")
            for message in stage.simulator.books.delivered
        )

    wait(lambda: arrived() == 6)
    assert stage.simulator.books.duplicates() == []
