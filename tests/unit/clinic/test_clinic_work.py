# SPDX-License-Identifier: Apache-2.0
"""Tasks are told to those who see to them: at once, when they begin, or in their digest."""

from __future__ import annotations

from typing import Any

import pytest
from clinic_saying_support import NAME, Desk, Make
from clinic_support import PHONE

from gsmgw import logs
from gsmgw.clinic.model import TaskCode, TaskStatus
from gsmgw.errors import ConfigError
from gsmgw.store.clinic import tasks

DESK, DOCTOR = "+48500100298", "+48500100297"
#: The desk is told within its hours and gets a digest in the morning; the doctor of what is urgent.
STAFF = {
    "desk": {
        "phone": DESK,
        "gets": ["callback", "urgent", "review"],
        "hours": {"mon-fri": "08:00-18:00"},
        "digest": "08:00",
    },
    "doctor": {"phone": "500100297", "gets": ["urgent"], "language": "en"},
}


def add(desk: Desk, code: TaskCode = TaskCode.CALLBACK, phone: str = PHONE, **more: Any) -> int:
    with desk.db.write() as tx:
        return desk.work.add(tx, tasks.NewTask(code=code, phone=phone, **more)).task_id


def test_a_task_is_told_at_once_in_hours(make: Make) -> None:
    desk = make(staff=STAFF)
    desk.it_is("2026-03-04 08:05")
    desk.book("A-1001", given="Anna", patient_id="4711")
    add(desk, patient_id="4711")
    assert desk.say() == [(DESK, f"Oddzwonic: {PHONE} (Anna), 08:05.")]
    (message,) = desk.rows("SELECT * FROM outbox")
    assert message["category"] == "staff"


def test_a_second_wish_is_the_same_work_and_not_told_again(make: Make) -> None:
    desk = make(staff=STAFF)
    desk.it_is("2026-03-04 08:05")
    first = add(desk)
    assert len(desk.say()) == 1
    assert add(desk) == first
    assert desk.say() == []
    (task,) = desk.rows("SELECT * FROM task")
    assert task["attempts"] == 2
    names = [row["name"] for row in desk.rows("SELECT name FROM event ORDER BY id")]
    assert [name for name in names if name.startswith("task.")] == ["task.made", "task.repeated"]


def test_urgent_work_goes_before_and_in_each_ones_language(make: Make) -> None:
    desk = make(staff=STAFF)
    desk.it_is("2026-03-04 08:05")
    desk.book("A-1001", given="Anna", patient_id="4711")
    add(desk, TaskCode.URGENT, patient_id="4711", about="A-1001")
    assert desk.say() == [
        (DESK, f"PILNE, zadzwonic: {PHONE} (Anna), wizyta czw. 05.03 10:15, 08:05."),
        (DOCTOR, f"URGENT, please ring: {PHONE} (Anna), visit Thu 5 Mar 10:15, 08:05."),
    ]
    assert {row["priority"] for row in desk.rows("SELECT priority FROM outbox")} == {"urgent"}


def test_what_came_while_they_were_away_is_told_in_one_digest(make: Make) -> None:
    desk = make(staff=STAFF)
    desk.it_is("2026-03-06 19:30")  # Friday evening
    for number in range(3):
        add(desk, phone=f"+4850010020{number}")
    add(desk, TaskCode.URGENT)
    add(desk, TaskCode.STOPPED)
    told = f"URGENT, please ring: {PHONE}, 19:30."
    assert desk.say() == [(DOCTOR, told)]
    for moment in ("2026-03-07 08:00", "2026-03-09 07:59"):
        desk.it_is(moment)
        assert desk.work.digests(desk.db) == 0
        assert desk.say() == []
    desk.it_is("2026-03-09 08:00")
    assert desk.work.digests(desk.db) == 1
    assert desk.say() == [(DESK, f"{NAME}: do zrobienia pon. 09.03: PILNE 1, oddzwonic 3.")]
    desk.it_is("2026-03-09 08:10")
    assert desk.work.digests(desk.db) == 0


def test_a_digest_is_sent_once_also_after_a_restart_and_not_late(make: Make) -> None:
    desk = make(staff=STAFF)
    desk.it_is("2026-03-08 12:00")
    add(desk)
    desk.it_is("2026-03-09 09:00")
    assert desk.work.digests(desk.db) == 1
    again = type(desk.work)(desk.config, desk.calendar)
    assert again.digests(desk.db) == 0
    desk.it_is("2026-03-10 12:00")
    assert again.digests(desk.db) == 0


def test_no_open_work_no_digest(make: Make) -> None:
    desk = make(staff=STAFF)
    desk.it_is("2026-03-09 08:00")
    assert desk.work.digests(desk.db) == 0
    add(desk, TaskCode.STOPPED)  # nobody gets these
    assert desk.say() == []


def test_without_a_digest_they_are_told_when_they_begin(make: Make) -> None:
    staff = {"desk": {**STAFF["desk"]}}
    del staff["desk"]["digest"]
    desk = make(staff=staff, clinic={"closed": ["2026-03-09"]})
    desk.it_is("2026-03-06 19:30")
    add(desk)
    assert desk.say("2026-03-09 08:00") == []
    assert desk.say("2026-03-10 08:00") == [(DESK, f"Oddzwonic: {PHONE}, pt. 06.03 19:30.")]


def test_a_digest_before_the_hours_does_not_hide_what_comes_between(make: Make) -> None:
    desk = make(staff={"desk": {**STAFF["desk"], "digest": "07:00"}})
    desk.it_is("2026-03-04 07:30")
    add(desk)
    assert desk.say() == []
    assert desk.say("2026-03-04 08:00") == [(DESK, f"Oddzwonic: {PHONE}, 07:30.")]


def test_closed_work_is_not_told(make: Make) -> None:
    desk = make(staff={"desk": {"phone": DESK, "gets": "all", "hours": {"mon": "08:00-09:00"}}})
    desk.it_is("2026-03-08 12:00")
    task = add(desk)
    with desk.db.write() as tx:
        assert desk.work.close(tx, task, who="E. Nowak", outcome="done")
        assert not desk.work.close(tx, task, who="E. Nowak", outcome="done")
    assert desk.say("2026-03-09 08:00") == []
    assert desk.states() == [("staff_task", "revoked", "done")]
    (row,) = desk.rows("SELECT * FROM task")
    assert (row["status"], row["owner"], row["outcome"]) == (
        TaskStatus.COMPLETED, "E. Nowak", "done",
    )  # fmt: skip


def test_no_flood_of_notices_when_everything_fails(make: Make) -> None:
    desk = make(staff=STAFF)
    desk.it_is("2026-03-04 09:00")
    with logs.capture() as lines:
        for number in range(30):
            add(desk, phone=f"+485001002{number:02d}")
    assert len(desk.say()) == 10
    assert len(desk.rows("SELECT * FROM task")) == 30
    assert "notice.held" in {line.event for line in lines}


def test_a_phone_of_staff_that_is_none_is_named() -> None:
    import clinic_support

    from gsmgw.clinic.calendar import Calendar
    from gsmgw.clinic.work import Work

    config = clinic_support.make_clinic_config(
        staff={"desk": {"phone": "reception"}, "doctor": {"phone": "12x"}}
    )
    with pytest.raises(ConfigError) as caught:
        Work(config, Calendar(config))
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "staff.desk.phone", "staff.doctor.phone",
    ]  # fmt: skip
