# SPDX-License-Identifier: Apache-2.0
"""The nightly test: a message to itself that comes back, or does not, and reaches nobody else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import factories
import pytest
from gateway_support import Rig

from gsmgw import config as configs
from gsmgw import logs, pdu
from gsmgw.errors import ConfigError
from gsmgw.gateway.health import judgement, metrics, record, self_test
from gsmgw.gateway.health.checkups import Checkups
from gsmgw.model import ModemState
from gsmgw.store.database import Row
from gsmgw.store.watching import self_tests
from gsmgw.threads import StopToken

OWN, OTHER = "+48500100200", "+48500100209"
NIGHT = dt.datetime(2026, 11, 24, 2, 30, tzinfo=dt.UTC)  # 3:30 in Warsaw


class Ward:
    """A gateway whose modem `front` knows its number."""

    def __init__(self, folder: Path, **keys: Any) -> None:
        modems = [
            factories.make_modem("front", number="500 100 200", **keys),
            factories.make_modem("back"),
        ]
        self.rig = Rig(
            folder, factories.make_config(modems=modems, selftest={"at": "03:30", "within": "10m"})
        )
        self.rig.attach("front")
        self.rig.attach("back")
        self.begin()

    def begin(self) -> None:
        rig = self.rig
        self.test = self_test.SelfTest(rig.config, rig.db, rig.hints, rig.intake, rig.trust)

    def at(self, at: dt.datetime) -> None:
        """Let the time be so, and work."""
        self.rig.clock.advance((at - self.rig.clock.at).total_seconds())
        self.test.work()

    def messages(self) -> list[Row]:
        return self.rig.db.rows("SELECT * FROM outbox WHERE source = 'self-test' ORDER BY id")

    def come_back(self, text: str | None = None, sender: str = OWN) -> None:
        tests = self.rig.db.rows("SELECT text FROM self_test ORDER BY id")
        words = tests[-1]["text"] if text is None else text
        at = self.rig.clock.now()
        self.rig.receive(
            pdu.encode_deliver(pdu.Deliver(pdu.make_address(sender), words, service_centre_at=at))
        )

    def result(self) -> Any:
        found = next(one for one in self.health().modems if one["name"] == "front")
        return found["self_test"]

    def health(self) -> record.Health:
        now = self.rig.clock.now()
        return record.gather(self.rig.config, self.rig.db, now, daemon_pid=1, outgoing=None)

    def found(self) -> list[str]:
        return [one.what for one in judgement.judge(self.health()) if one.name == "selftest.failed"]


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    made = Ward(tmp_path)
    yield made
    made.rig.close()


def minutes(count: float) -> dt.datetime:
    return NIGHT + dt.timedelta(minutes=count)


def test_message_goes_once_a_night_over_its_own_modem(ward: Ward) -> None:
    ward.at(minutes(-1))
    assert ward.messages() == []
    for minute in (0, 1, 20, 59, 61, 600):
        ward.at(minutes(minute))
    (message,) = ward.messages()
    assert (message["recipient"], message["modem"], message["category"]) == (OWN, "front", "staff")
    ward.at(minutes(24 * 60))
    assert len(ward.messages()) == 2
    assert len({row["text"] for row in ward.messages()}) == 2


def test_arrival_is_handed_to_nobody(ward: Ward) -> None:
    ward.at(minutes(0))
    ward.rig.send()
    ward.rig.clock.advance(4)
    with logs.capture() as records:
        ward.come_back()
        ward.rig.clock.advance(1)
        ward.come_back()  # the network repeats it with another time stamp
    assert {one.event for one in records} == {"selftest.arrived"}
    assert ward.rig.inbox() == []
    assert ward.rig.db.rows("SELECT 1 FROM handout") == []
    ward.at(minutes(11))
    assert (ward.result()["passed"], ward.result()["seconds"]) == (True, 4.0)
    assert ward.found() == []
    assert 'gsmgw_self_test_passed{modem="front"} 1' in metrics.format_metrics(ward.health(), [])


@pytest.mark.parametrize(
    ("text", "sender"),
    [("gsmgw self-test 0123456789abcdef", OWN), (None, OTHER), ("Hello", OWN)],
)
def test_what_only_looks_like_a_test_reaches_people(
    ward: Ward, text: str | None, sender: str
) -> None:
    ward.at(minutes(0))
    ward.come_back(text, sender)
    assert len(ward.rig.inbox()) == 1
    ward.at(minutes(11))
    assert ward.found()


def test_what_does_not_come_back_is_told_until_the_next_night(ward: Ward) -> None:
    ward.at(minutes(0))
    ward.rig.send()
    ward.at(minutes(9))
    assert ward.result() is None
    with logs.capture() as records:
        ward.at(minutes(10))
        ward.at(minutes(11))
    assert [one.event for one in records] == ["selftest.failed"]
    assert ward.found() == ["its message to itself failed: it was sent, and did not come back"]
    ward.at(minutes(24 * 60))
    assert ward.found()
    ward.come_back()
    assert ward.found() == []


def test_what_comes_late_is_no_message_and_ends_the_finding(ward: Ward) -> None:
    ward.at(minutes(0))
    ward.at(minutes(10))
    assert ward.found() == [
        "its message to itself failed: it was not sent in time, its message is queued"
    ]
    ward.rig.clock.advance(3600)
    ward.come_back()
    assert ward.found() == []
    assert ward.rig.inbox() == []


def test_modem_that_is_not_ready_is_tested_within_the_hour_or_not_at_all(ward: Ward) -> None:
    ward.rig.state("front", ModemState.SEARCHING)
    ward.at(minutes(0))
    assert ward.messages() == []
    ward.rig.state("front", ModemState.READY)
    ward.at(minutes(59))
    assert len(ward.messages()) == 1
    ward.rig.state("front", ModemState.SEARCHING)
    ward.at(minutes(24 * 60))
    ward.rig.state("front", ModemState.READY)
    ward.at(minutes(25 * 60 + 1))
    assert len(ward.messages()) == 1


def test_nothing_is_sent_while_nobody_knows_the_hour(ward: Ward) -> None:
    ward.at(minutes(-60))
    ward.rig.clock.jump(-400 * 86_400)
    ward.rig.trust.look(ward.rig.db)
    ward.rig.clock.advance(3600)
    ward.test.work()
    assert ward.rig.trust.is_suspect
    assert ward.messages() == []


def test_restart_begins_no_second_test(ward: Ward) -> None:
    ward.at(minutes(0))
    ward.rig.restart()
    ward.begin()
    ward.at(minutes(2))
    assert len(ward.messages()) == 1


def test_hour_past_midnight_belongs_to_the_evening(tmp_path: Path) -> None:
    ward = Ward(tmp_path)
    config = ward.rig.config.model_copy(
        update={"selftest": factories.make_config(selftest={"at": "23:40"}).selftest}
    )
    ward.rig.restart(config)
    ward.begin()
    ward.at(dt.datetime(2026, 11, 23, 23, 10, tzinfo=dt.UTC))  # 0:10 in Warsaw
    ward.at(dt.datetime(2026, 11, 23, 23, 20, tzinfo=dt.UTC))
    assert len(ward.messages()) == 1
    ward.rig.close()


def test_number_that_cannot_be_is_a_failed_test(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gsmgw.errors import RejectedError

    def refuse(*_args: object) -> None:
        raise RejectedError("no such number", "bad-number")

    monkeypatch.setattr(ward.rig.intake, "accept", refuse)
    ward.at(minutes(0))
    assert ward.found() == ["its message to itself failed: no such number"]


def test_history_is_bounded(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_tests, "KEPT", 2)
    for night in range(4):
        ward.at(minutes(night * 24 * 60))
    assert len(ward.rig.db.rows("SELECT 1 FROM self_test")) == 2


def test_service_does_both(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = ward.rig
    ward.at(minutes(-1))
    rig.clock.advance(120)
    monkeypatch.setattr("gsmgw.gateway.health.checkups.STEP_S", 0.0)
    service = Checkups(rig.config, rig.db, rig.hints, rig.intake, rig.trust)
    assert Checkups.are_wanted(rig.config)
    service.open()
    service.step(StopToken())
    assert len(ward.messages()) == 1
    service.close()


def test_test_without_any_number_is_a_mistake() -> None:
    def check(number: str) -> None:
        modem = f"{{name: front, port: /dev/a{number}}}"
        text = f'modems: [{modem}]\nselftest: {{at: "03:30"}}'
        configs.check_document(configs.read_yaml(text, name="gsmgw.yaml"))

    check(', number: "+48500100200"')
    with pytest.raises(ConfigError, match="no modem has its own number"):
        check("")
    with pytest.raises(ConfigError, match="number"):
        check(", number: 12x")
