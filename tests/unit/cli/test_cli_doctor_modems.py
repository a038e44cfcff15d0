# SPDX-License-Identifier: Apache-2.0
"""`gsmgw doctor` asks the modems where no daemon does, and tries no PIN."""

from __future__ import annotations

from typing import Any

import pytest
from doctor_support import Ward

from gsmgw.cli import exits, modems, probing
from gsmgw.simulator import Simulator


def beside_the_stopped_daemon(found: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    """Return what is found besides that the daemon does not run: name, where, what."""
    assert found[0]["name"] == "daemon.stopped"
    return [(one["name"], one["where"], one["what"]) for one in found[1:]]


def ask(ward: Ward, **modem: Any) -> list[tuple[str, str, str]]:
    """Stop the daemon, plug in a simulated modem, and examine."""
    ward.stop()
    simulator = Simulator({"modems": [{"name": "front", **modem}]})
    simulator.start()
    try:
        ward.configure(modem={"port": simulator.ports["front"]})
        return beside_the_stopped_daemon(ward.findings("--json"))
    finally:
        simulator.stop()


def test_a_good_modem_gives_no_finding(ward: Ward) -> None:
    assert ask(ward) == []


def test_a_sim_that_wants_a_pin_tells_how_many_tries_are_left(ward: Ward) -> None:
    (found,) = ask(ward, vendor="huawei", pin="1234")
    assert found[:2] == ("sim.unusable", "front")
    assert "wants a PIN (3 tries left), and none is configured" in found[2]


def test_a_silent_port_is_no_modem(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "SILENT_S", 0.2)
    ward.stop()
    ((name, where, what),) = beside_the_stopped_daemon(ward.findings("--json"))
    assert (name, where) == ("modem.silent", "front")
    assert "does not answer" in what


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({"sim": "SIM PUK"}, "sim.unusable"),
        ({"sim": "SIM PIN", "pin_tries": 1}, "sim.unusable"),
        ({"registration": 3}, "modem.unregistered"),
        ({"service_centre": None}, "service_centre.missing"),
        ({"storages": {"SM": (10, 10)}}, "memory.full"),
        ({"signal_dbm": -113}, "signal.weak"),
        ({"error": "/dev/x is held by another program"}, "port.held"),
    ],
)
def test_answers_are_judged(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any], name: str
) -> None:
    good = {
        "sim": "READY",
        "registration": 1,
        "service_centre": "+48500100299",
        "signal_dbm": -70,
    }
    (ward.path / "pin").write_text("1234")
    (ward.path / "pin").chmod(0o600)
    ward.configure(modem={"pin_file": str(ward.path / "pin")})
    monkeypatch.setattr(
        probing, "ask_port", lambda path, *_, **__: probing.Finding(path, **(good | facts))
    )
    ward.stop()
    ((found, _, _),) = beside_the_stopped_daemon(ward.findings("--json"))
    assert found == name


def test_the_daemon_is_asked_where_it_runs(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    def unanswered(*_: object) -> str:
        raise exits.CommandError("modem front has not answered within 15 s; it is ready")

    monkeypatch.setattr(modems, "ask", unanswered)
    (found,) = ward.findings("--json")
    assert (found["name"], found["level"]) == ("modem.silent", "warning")
    assert "not answered within 15 s" in found["what"]
