# SPDX-License-Identifier: Apache-2.0
"""Alarms told to each once, by SMS over a modem that can and by a program; and to whom not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import factories
import pytest
from alarm_support import OTHER, TECHNICIAN, Box

from gsmgw import logs
from gsmgw.gateway.alarms import service, texting, wording
from gsmgw.model import MessageState, ModemState
from gsmgw.store.watching import alarms
from gsmgw.threads import StopToken

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


@pytest.mark.parametrize("fate", ["refused", "undelivered", "in doubt"])
def test_sms_of_an_alarm_that_did_not_arrive_is_made_again_over_the_other_modem(
    box: Box, fate: str
) -> None:
    box.leave_a_row()
    (first,) = box.texts()
    if fate == "refused":
        box.refuse_alarm()
    elif fate == "undelivered":
        box.rig.send(mr=17, modem=first["modem"])
        box.rig.report(17, TECHNICIAN, status=0x46, modem=first["modem"])
    else:
        box.rig.doubt(first["modem"])
        box.pass_minutes(1)
        assert len(box.texts()) == 1  # evidence is waited for
        box.pass_minutes(12)
        box.rig.housekeeping.work()
    with logs.capture() as records:
        box.pass_minutes(2)
    assert [row["modem"] for row in box.texts()] == [first["modem"], other(first["modem"])]
    assert [one.event for one in records].count("alarm.untold") == 1
    assert box.texts()[1]["text"].startswith("Lipowa: ALARM outbox: 1 row of ")


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


def other(modem: str) -> str:
    return {"front": "back", "back": "front"}[modem]


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
    while not book.exists() or not book.read_text().endswith("\n"):  # it has said it all
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


# -- a test by hand -------------------------------------------------------------------------------


def ask_for_test(box: Box) -> int:
    config = box.rig.config.alarms
    with box.rig.db.write() as tx:
        return alarms.owe_test(tx, alarms.receivers(config.hook, config.sms.to))


def test_test_by_hand_goes_to_the_program_and_to_each_phone_as_an_alarm_would(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "STEP_S", 0.01)
    book = box.program(sms={"to": [TECHNICIAN, OTHER], "modem": "back"})
    alarm_id = ask_for_test(box)
    box.alarms.step(StopToken())
    run(box)
    assert [(row["recipient"], row["modem"], row["text"]) for row in box.texts()] == [
        (phone, "back", "Lipowa: TEST at 09:00: nothing is wrong; an alarm would come in this way")
        for phone in (TECHNICIAN, OTHER)
    ]
    ((words, environment),) = calls(book)
    assert words == ["TEST", "alarm.test", ""]
    assert (environment["GSMGW_EVENT"], environment["GSMGW_SITE"]) == ("TEST", "Lipowa")
    told = alarms.told_of(box.rig.db, alarm_id)
    assert [(row["via"], row["error"]) for row in told] == [
        ("hook", None),
        (TECHNICIAN, None),
        (OTHER, None),
    ]
    assert box.health().alarms == []
    box.pass_minutes(5)
    assert (len(box.texts()), len(calls(book))) == (2, 1)


def test_test_by_hand_that_cannot_go_says_why_and_does_not_come_at_night(box: Box) -> None:
    box.configure(hook=["/nowhere/alarm"], sms={"to": TECHNICIAN})
    box.lose("front")
    box.lose("back")
    alarm_id = ask_for_test(box)
    box.alarms._calling.work(0.1)
    box.pass_minutes(1)
    assert [row["error"] for row in alarms.told_of(box.rig.db, alarm_id)] == [
        "/nowhere/alarm: No such file or directory",
        "no modem can send",
    ]
    box.find("back")
    box.pass_minutes(2)
    assert box.texts() == []


def test_test_by_hand_above_the_limit_of_the_day_says_so(box: Box) -> None:
    box.configure(sms={"to": TECHNICIAN, "per_day": 1})
    ask_for_test(box)
    box.pass_minutes(1)
    alarm_id = ask_for_test(box)
    box.pass_minutes(1)
    (row,) = alarms.told_of(box.rig.db, alarm_id)
    assert row["error"] == "1 SMS in 24 hours are allowed (alarms.sms.per_day)"
    assert len(box.texts()) == 1


def test_test_by_hand_is_not_made_again(box: Box) -> None:
    ask_for_test(box)
    box.pass_minutes(1)
    box.refuse_alarm()
    box.pass_minutes(2)
    assert len(box.texts()) == 1


# -- the record -----------------------------------------------------------------------------------


def test_record_holds_open_alarms_and_what_nobody_was_told(box: Box) -> None:
    box.lose("front")
    box.lose("back")
    box.pass_minutes(7)
    opened = box.health().as_json()["alarms"]["open"]
    assert [alarm["name"] for alarm in opened] == ["modem.absent"] * 2
    assert not any("alarm.untold" in words for words in box.troubles())
    box.pass_minutes(12)
    assert any("alarm.untold" in words for words in box.troubles())
    assert ("alarm.untold", "alarms") not in box.open_names()


def test_whom_no_sms_reached_is_named_while_the_alarm_is_open(box: Box) -> None:
    box.leave_a_row()
    with logs.capture() as records:
        for _ in range(6):
            box.refuse_alarm()
            box.pass_minutes(1)
    assert len(box.texts()) == texting.MOST_TRIES
    whys = [str(one.fields["why"]) for one in records if one.event == "alarm.untold"]
    assert len(whys) == texting.MOST_TRIES
    assert whys[-1].startswith("3 SMS came to nothing; SMS 4 over ")
    (words,) = [words for words in box.troubles() if "alarm.untold" in words]
    assert "+48500***202 was not told of an alarm: 3 SMS came to nothing; SMS 4 over " in words
    box.take_the_row()
    box.pass_minutes(12)
    assert box.open_names() == []
    assert not any("alarm.untold" in words for words in box.troubles())


def test_who_heard_of_it_at_the_second_telling_is_not_named(box: Box) -> None:
    box.leave_a_row(repeat="1h")
    for _ in range(texting.MOST_TRIES + 1):
        box.refuse_alarm()
        box.pass_minutes(1)
    assert any("alarm.untold" in words for words in box.troubles())
    box.pass_minutes(60)
    box.rig.send(modem=box.texts()[-1]["modem"])
    box.pass_minutes(1)
    assert not any("alarm.untold" in words for words in box.troubles())


def test_program_that_failed_is_named_while_the_alarm_is_open(box: Box) -> None:
    box.program("sys.exit(3)")
    box.lose()
    box.pass_minutes(7)
    run(box)
    assert "alarm.untold: the program of alarms was not told of an alarm: exit code 3" in (
        box.troubles()
    )
    box.find()
    box.pass_minutes(12)
    assert not any("alarm.untold" in words for words in box.troubles())


@pytest.mark.parametrize(("minutes", "comes"), [(59, True), (61, False)])
def test_a_test_that_nobody_took_back_does_not_come_at_night(
    box: Box, minutes: int, comes: bool
) -> None:
    """Its command was killed, or found the disk full when it gave up; then the daemon starts."""
    book = box.program(sms={"to": TECHNICIAN})
    with box.rig.db.write() as tx:
        alarm_id = alarms.owe_test(tx, [alarms.HOOK, TECHNICIAN])
    box.rig.clock.advance(60 * minutes)
    stop = StopToken()
    box.alarms.step(stop)
    told = alarms.told_of(box.rig.db, alarm_id)
    box.alarms.close()
    assert all(row["finished_at"] is not None for row in told)
    assert [row["error"] is None for row in told] == [comes] * 2
    assert (len(box.texts()), book.exists()) == (int(comes), comes)
