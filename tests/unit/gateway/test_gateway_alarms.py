# SPDX-License-Identifier: Apache-2.0
"""Alarms: one for what stays wrong, which opens once, may get worse, and ends."""

from __future__ import annotations

import pytest
from alarm_support import TECHNICIAN, Box

from gsmgw import logs
from gsmgw.gateway.alarms import course
from gsmgw.model import ModemState
from gsmgw.store.watching import alarms


def test_what_is_well_writes_nothing(box: Box) -> None:
    box.pass_minutes(3)
    assert alarms.unclosed(box.rig.db) == []
    assert box.texts() == []


def test_what_stays_wrong_is_told_once_and_so_is_its_end(box: Box) -> None:
    box.lose()
    box.pass_minutes(4)
    assert box.texts() == []
    with logs.capture() as records:
        box.pass_minutes(30)
    assert [one.event for one in records if one.event.startswith("alarm")] == ["alarm.opened"]
    assert box.open_names() == [("modem.absent", "front")]
    (told,) = box.texts()
    assert told["recipient"] == TECHNICIAN
    assert told["text"].startswith("Lipowa: ALARM front: it is not there (since 09:01). Do: lsusb")
    box.find()
    box.pass_minutes(20)
    assert box.open_names() == []
    assert [text["text"] for text in box.texts()][1:] == [
        "Lipowa: well again (09:01 to 09:34): front: it is not there"
    ]


def test_what_lasts_a_moment_is_no_alarm(box: Box) -> None:
    box.lose()
    box.pass_minutes(2)
    box.find()
    box.pass_minutes(12)
    assert alarms.unclosed(box.rig.db) == []
    assert box.texts() == []


def test_modem_that_comes_and_goes_is_one_alarm(box: Box) -> None:
    for _ in range(20):
        box.lose()
        box.pass_minutes(2)
        box.rig.state("front", ModemState.UNRESPONSIVE)
        box.pass_minutes(1)
        box.find()
        box.pass_minutes(4)
    assert len(box.texts()) == 1
    box.pass_minutes(10)
    assert len(box.texts()) == 2


def test_alarm_stays_open_through_a_restart_and_is_not_told_again(box: Box) -> None:
    box.lose()
    box.pass_minutes(7)
    for _ in range(3):
        box.rig.clock.advance(7200)
        box.find()  # nothing is wrong in the first minutes after a start
        box.restart()
        box.pass_minutes(3)
        box.lose()
        box.pass_minutes(2)
    assert box.open_names() == [("modem.absent", "front")]
    assert len(box.texts()) == 1


def test_time_without_the_daemon_makes_no_alarm(box: Box) -> None:
    box.lose()
    box.pass_minutes(2)
    box.rig.clock.advance(86_400)
    box.restart()
    box.pass_minutes(1)
    assert box.texts() == []


def test_wall_clock_that_is_set_opens_and_ends_nothing(box: Box) -> None:
    box.lose()
    box.pass_minutes(2)
    box.rig.clock.jump(86_400)
    box.pass_minutes(1)
    assert box.open_names() == []
    box.rig.clock.jump(-86_400)
    box.pass_minutes(3)
    assert box.open_names() == [("modem.absent", "front")]


def test_process_that_was_held_up_has_not_looked_meanwhile(box: Box) -> None:
    box.lose()
    box.pass_minutes(2)
    box.rig.clock.advance(3600)
    box.alarms.look()
    assert box.open_names() == []


def test_only_findings_of_the_level_and_those_named_become_alarms(box: Box) -> None:
    box.configure(level="error", sms={"to": TECHNICIAN})
    box.lose()  # a warning, while the other can send
    box.pass_minutes(10)
    assert box.open_names() == []
    box.configure(level="error", also=["modem.absent"], sms={"to": TECHNICIAN})
    box.pass_minutes(10)
    assert box.open_names() == [("modem.absent", "front")]


def test_findings_named_so_never_become_alarms(box: Box) -> None:
    box.configure(never=["modem.absent"], sms={"to": TECHNICIAN})
    box.lose()
    box.pass_minutes(10)
    assert alarms.unclosed(box.rig.db) == []


def test_what_gets_worse_is_told_again_over_the_first_that_can_send(box: Box) -> None:
    box.lose("front")
    box.pass_minutes(7)
    box.lose("back")
    box.pass_minutes(7)
    assert len(box.texts()) == 1  # no modem can send
    box.find("front")
    box.pass_minutes(1)
    (_, told) = box.texts()
    assert told["modem"] == "front"
    assert "2 things: WORSE front: it is not there" in told["text"]
    assert "ALARM back: it is not there" in told["text"]


def test_alarm_that_goes_on_is_told_again(box: Box) -> None:
    box.configure(repeat="1h", sms={"to": TECHNICIAN})
    box.lose()
    box.pass_minutes(66 + 50)
    assert [text["text"].split()[1] for text in box.texts()] == ["ALARM", "STILL"]
    box.pass_minutes(60)
    assert len(box.texts()) == 3


def test_old_alarms_are_dropped(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarms, "KEPT", 1)
    for _ in range(3):
        box.lose()
        box.pass_minutes(7)
        box.find()
        box.pass_minutes(12)
    assert len(box.rig.db.rows("SELECT 1 FROM alarm")) == 1
    assert len(box.rig.db.rows("SELECT 1 FROM alarm_notice")) == 2


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("modem.absent", "modem"),
        ("modem.silent", "modem"),
        ("disk.low", "disk"),
        ("sim.resting", "sim"),
        ("signal.weak", "signal.weak"),
    ],
)
def test_what_turns_into_one_another_is_one_subject(name: str, subject: str) -> None:
    assert course.subject(name) == subject
