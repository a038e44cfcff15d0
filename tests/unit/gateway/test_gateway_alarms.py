# SPDX-License-Identifier: Apache-2.0
"""Alarms: one for what stays wrong, told once to each over a modem that can, and when it ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import factories
import pytest
from gateway_support import Rig

from gsmgw import logs
from gsmgw.gateway.alarms import course, service, texting, wording
from gsmgw.gateway.health import disks, record
from gsmgw.model import MessageState, ModemState
from gsmgw.store.database import Row
from gsmgw.store.watching import alarms

TECHNICIAN, OTHER = "+48500100202", "+48500100203"
WRITER = """
import json, os, sys
with open({path!r}, "a") as book:
    keys = {{key: value for key, value in os.environ.items() if key.startswith("GSMGW_")}}
    book.write(json.dumps([sys.argv[1:], keys]) + "\\n")
{more}
"""


class Box:
    """A gateway with two modems, and the service that watches it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rig = Rig(folder)
        self.configure(sms={"to": TECHNICIAN})
        self.rig.attach("front")
        self.rig.attach("back")

    def configure(self, **keys: Any) -> None:
        """Restart with these alarms."""
        # Nobody takes the alarms themselves out of the queue.
        keys["never"] = ["queue.stuck", *keys.get("never", ())]
        config = factories.make_config(alarms={"site": "Lipowa", "level": "warning", **keys})
        self.rig.restart(config)
        self.restart()

    def restart(self) -> None:
        """Begin anew with what stands in the database."""
        rig = self.rig
        self.alarms = service.Alarms(
            rig.config, rig.db, rig.hints, rig.intake, rig.clock, lambda: record.Outgoing(0, 0.0)
        )
        self.alarms.open()

    def program(self, more: str = "", **keys: Any) -> Path:
        """Restart with a program that writes down how it was called."""
        book, script = self.folder / "book", self.folder / "alarm.py"
        script.write_text(WRITER.format(path=str(book), more=more))
        self.configure(hook=[sys.executable, "-ISs", str(script)], **keys)
        return book

    def pass_minutes(self, minutes: int) -> None:
        """Let the service look once a minute."""
        for _ in range(minutes):
            self.rig.clock.advance(60)
            self.alarms.look()

    def lose(self, modem: str = "front") -> None:
        self.rig.state(modem, ModemState.ABSENT)

    def find(self, modem: str = "front") -> None:
        self.rig.state(modem, ModemState.READY)

    def texts(self) -> list[Row]:
        return self.rig.db.rows("SELECT * FROM outbox WHERE source = 'alarms' ORDER BY id")

    def open_names(self) -> list[tuple[str, str]]:
        return [(row["finding"], row["place"]) for row in alarms.opened(self.rig.db)]


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    plenty = [disks.Disk("database", "/db", 10**11, 2 * 10**11, 1000)]
    monkeypatch.setattr(disks, "look", lambda _places: plenty)
    # The pretended modems say nothing of a service centre.
    monkeypatch.setattr("gsmgw.gateway.health.judgement._ready", lambda _modem: ())
    made = Box(tmp_path)
    yield made
    made.alarms.close()
    made.rig.close()


# -- the course -----------------------------------------------------------------------------------


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


# -- by SMS ---------------------------------------------------------------------------------------


def test_sms_goes_as_staff_over_a_modem_that_is_not_in_trouble(box: Box) -> None:
    box.configure(sms={"to": [TECHNICIAN, OTHER], "modem": "front"})
    box.lose()
    box.pass_minutes(7)
    assert [(row["recipient"], row["modem"], row["category"]) for row in box.texts()] == [
        (TECHNICIAN, "back", "staff"),
        (OTHER, "back", "staff"),
    ]


def test_sms_goes_over_the_modem_wished_for_where_that_is_well(box: Box) -> None:
    box.configure(sms={"to": TECHNICIAN, "modem": "back"})
    box.rig.clock.advance(86_400 * 2)
    box.rig.foreign(
        "INSERT INTO outbox (recipient, text, created_at)"
        " VALUES ('+48500100201', 'x', '2026-11-23T00:00:00.000Z')"
    )  # a row that nobody looks at
    box.pass_minutes(7)
    assert [(row["modem"], row["text"][:30]) for row in box.texts()] == [
        ("back", "Lipowa: ALARM outbox: 1 row of")
    ]


def test_what_was_over_before_it_could_be_told_is_told_as_over(box: Box) -> None:
    box.lose("front")
    box.lose("back")
    box.pass_minutes(10)
    box.find("front")
    box.find("back")
    box.rig.state("front", ModemState.UNRESPONSIVE)
    box.rig.state("back", ModemState.UNRESPONSIVE)
    box.configure(never=["modem.silent"], sms={"to": TECHNICIAN})
    box.pass_minutes(12)
    assert box.texts() == []
    box.find("back")
    box.pass_minutes(1)
    (told,) = box.texts()
    assert told["text"].count("well again") == 2
    assert "ALARM" not in told["text"]


def test_sms_that_came_to_nothing_is_made_again_over_another_modem(box: Box) -> None:
    box.lose()
    box.pass_minutes(7)
    (first,) = box.texts()
    assert first["modem"] == "back"
    box.find("front")  # well again, but the alarm is not over yet
    box.rig.state("back", ModemState.ABSENT)
    box.configure(over="1d", sms={"to": TECHNICIAN})
    for _ in range(35):
        box.pass_minutes(1)
        box.rig.housekeeping.work()
    states = [(row["modem"], row["state"]) for row in box.texts()]
    assert states[0] == ("back", MessageState.EXPIRED)
    assert ("front", MessageState.QUEUED) in states
    again = [row for row in box.texts() if "front: it is not there" in row["text"]]
    assert [row["modem"] for row in again] == ["back", "front"]


def test_sms_above_the_limit_wait_and_are_told_in_one(box: Box) -> None:
    box.configure(sms={"to": TECHNICIAN, "per_day": 1}, over="1m")
    box.lose()
    with logs.capture() as records:
        box.pass_minutes(7)
        box.find()
        box.pass_minutes(3)
    assert len(box.texts()) == 1
    assert [one.fields["via"] for one in records if one.event == "alarm.untold"] == ["sms"]
    box.rig.clock.advance(86_400)
    box.pass_minutes(1)
    assert len(box.texts()) == 2


def test_number_that_cannot_be_is_said_and_given_up(box: Box) -> None:
    box.configure(sms={"to": ["12x", TECHNICIAN]})
    box.lose()
    with logs.capture() as records:
        box.pass_minutes(9)
    assert [row["recipient"] for row in box.texts()] == [TECHNICIAN]
    assert sum(one.event == "alarm.untold" for one in records) == 1


def test_number_that_gets_alarms_no_longer_gets_none(box: Box) -> None:
    box.lose("front")
    box.lose("back")
    box.pass_minutes(7)
    box.configure(sms={"to": OTHER})
    box.find("back")
    box.pass_minutes(2)
    assert [row["recipient"] for row in box.texts()] == []
    assert alarms.owed_phones(box.rig.db) == []


def test_nothing_is_told_twice_by_a_crash_between_two_looks(box: Box) -> None:
    box.lose()
    box.pass_minutes(6)
    for _ in range(5):
        box.restart()
        box.pass_minutes(1)
    assert len(box.texts()) == 1


def test_crash_within_telling_leaves_it_owed(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_args: object, **_keys: object) -> None:
        raise KeyboardInterrupt

    box.lose()
    with monkeypatch.context() as patch:
        patch.setattr("gsmgw.store.watching.alarms.finish", die)
        with pytest.raises(KeyboardInterrupt):
            box.pass_minutes(7)
    assert box.texts() == []
    box.restart()
    box.pass_minutes(1)
    assert len(box.texts()) == 1


def test_site_is_the_machine_where_nothing_is_said() -> None:
    config = factories.make_config(alarms={"sms": {"to": TECHNICIAN}})
    assert texting.site(config)


def test_long_words_are_cut_to_what_is_allowed(box: Box) -> None:
    box.configure(sms={"to": TECHNICIAN}, site="Zażółć gęślą {}")
    notice = {
        "kind": "open",
        "place": "front",
        "what": "ą[" * 200,
        "advice": "x",
        "first_seen_at": "2026-11-20T08:00:00.000Z",
        "last_seen_at": "2026-11-20T08:00:00.000Z",
    }
    for parts in (1, 2):
        text = wording.text(
            [notice], "Zażółć", box.rig.config.zone, box.rig.clock.now(), parts=parts
        )
        with box.rig.db.write() as tx:
            draft = factories.make_draft(text)
            assert box.rig.intake.accept(tx, draft).parts == parts
        assert text.startswith("Zazolc: ALARM front: a[a[")
        assert text.endswith("...")


# -- by a program ---------------------------------------------------------------------------------


def calls(book: Path) -> list[Any]:
    return [json.loads(line) for line in book.read_text().splitlines()]


def run(box: Box) -> None:
    while alarms.owed(box.rig.db, alarms.HOOK, 1):
        box.alarms._calling.work(0.2)
        box.rig.clock.advance(0.1)


def test_program_is_told_of_the_alarm_and_of_its_end(box: Box) -> None:
    book = box.program()
    box.lose()
    box.pass_minutes(7)
    run(box)
    box.find()
    box.pass_minutes(12)
    run(box)
    (opened, closed) = calls(book)
    assert opened[0] == ["OPEN", "modem.absent", "front"]
    assert opened[1]["GSMGW_WHAT"] == "it is not there"
    assert (opened[1]["GSMGW_SITE"], opened[1]["GSMGW_LEVEL"]) == ("Lipowa", "warning")
    assert opened[1]["GSMGW_DO"].startswith("lsusb")
    assert closed[0] == ["CLOSED", "modem.absent", "front"]
    assert closed[1]["GSMGW_ALARM"] == opened[1]["GSMGW_ALARM"]
    assert closed[1]["GSMGW_UNTIL"] > closed[1]["GSMGW_SINCE"]


def test_program_that_fails_is_said_and_not_run_again(box: Box) -> None:
    book = box.program("print('no line'); sys.exit(3)")
    box.lose()
    box.pass_minutes(7)
    with logs.capture() as records:
        run(box)
    assert [str(one.fields["why"]) for one in records] == ["exit code 3: no line"]
    assert len(calls(book)) == 1


def test_program_that_is_missing_is_tried_again(box: Box) -> None:
    box.configure(hook=["/nowhere/alarm"])
    box.lose()
    box.pass_minutes(7)
    with logs.capture() as records:
        box.alarms._calling.work(0.1)
        box.alarms._calling.work(0.1)
    assert [one.event for one in records] == ["alarm.untold"]
    book = box.program()
    run(box)
    assert len(calls(book)) == 1


def test_program_that_was_interrupted_is_run_again_with_the_same_number(box: Box) -> None:
    box.lose()
    book = box.program("import time; time.sleep(30)")
    box.pass_minutes(7)
    while not book.exists():
        box.alarms._calling.work(0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gsmgw.gateway.alarms.calling.STOP_GRACE_S", 0.0)
        box.alarms.close()
    box.program()
    run(box)
    first, again = calls(book)
    assert first[1]["GSMGW_RUN"] == again[1]["GSMGW_RUN"]


def test_runs_owed_under_another_configuration_are_dropped(box: Box) -> None:
    box.program()
    box.lose()
    box.pass_minutes(7)
    box.configure(sms={"to": TECHNICIAN})
    box.alarms._calling.work(0.0)
    assert alarms.owed(box.rig.db, alarms.HOOK, 1) == []


# -- the record -----------------------------------------------------------------------------------


def gathered(box: Box) -> record.Health:
    return record.gather(
        box.rig.config, box.rig.db, box.rig.clock.now(), daemon_pid=1, outgoing=None
    )


def test_record_holds_open_alarms_and_what_nobody_was_told(box: Box) -> None:
    from gsmgw.gateway.health import judgement

    box.lose("front")
    box.lose("back")
    box.pass_minutes(7)
    health = gathered(box)
    assert [alarm["name"] for alarm in health.as_json()["alarms"]["open"]] == ["modem.absent"] * 2
    assert "alarm.untold" not in [one.name for one in judgement.judge(health)]
    box.pass_minutes(12)
    assert "alarm.untold" in [one.name for one in judgement.judge(gathered(box))]
    assert ("alarm.untold", "alarms") not in box.open_names()
