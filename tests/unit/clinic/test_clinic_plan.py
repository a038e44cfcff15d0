# SPDX-License-Identifier: Apache-2.0
"""The plan of a visit: which reminders, when, until when, and which not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from clinic_support import PHONE, make_clinic_config
from hypothesis import given
from hypothesis import strategies as st

from gsmgw.clinic import plan
from gsmgw.clinic.calendar import Calendar
from gsmgw.clinic.model import Kind, Participation
from gsmgw.config import Config

_CONFIG = make_clinic_config()
_FIRST = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
#: Minutes of two years, over four changes of the clock.
_MINUTES = st.integers(0, 2 * 365 * 24 * 60)


def _at(local: str, config: Config = _CONFIG) -> dt.datetime:
    return dt.datetime.fromisoformat(local).replace(tzinfo=config.zone).astimezone(dt.UTC)


def _visit(start: str = "2026-03-05 10:15", booked: str = "2026-02-20 12:00", **fields: Any) -> Any:
    return plan.Visit("A-1", "4711", PHONE, _at(start), _at(booked), **fields)


def _planned(visit: plan.Visit, config: Config = _CONFIG) -> list[str]:
    found = plan.reminders(visit, config.reminders, Calendar(config))
    zone = config.zone
    dues = [(dt.datetime.fromisoformat(new.due).astimezone(zone), new) for new in found.requests]
    return [f"{due:%m-%d %H:%M} {new.asks}" for due, new in dues]


def _dropped(visit: plan.Visit, config: Config = _CONFIG) -> list[str]:
    return list(plan.reminders(visit, config.reminders, Calendar(config)).dropped.values())


def test_two_questions_at_ten_on_the_days_before() -> None:
    assert _planned(_visit()) == ["03-03 10:00 confirm", "03-04 10:00 confirm"]
    found = plan.reminders(_visit(), _CONFIG.reminders, Calendar(_CONFIG)).requests[0]
    assert found.same_as == "reminder:A-1:2026-03-05T09:15Z:2d@10:00"
    assert (found.kind, found.about, found.about_start) == (
        "reminder",
        "A-1",
        "2026-03-05T09:15:00.000Z",
    )
    assert found.expires == "2026-03-05T08:15:00.000Z"  # R4: an hour before the visit


@pytest.mark.parametrize(
    ("fields", "planned"),
    [
        ({"variant": "b"}, ["03-03 10:00 object", "03-04 10:00 object"]),
        ({"service": "ZAB"}, ["02-28 10:00 confirm", "03-04 10:00 None"]),
        # Who has said yes is told what is told always, but not asked.
        ({"response": Participation.ACCEPTED}, ["03-03 10:00 None"]),
        ({"response": Participation.TENTATIVE}, ["03-03 10:00 None"]),
        ({"response": Participation.DECLINED}, []),
        (
            {"service": "ZAB", "response": Participation.ACCEPTED},
            ["02-28 10:00 None", "03-04 10:00 None"],
        ),
        # R3: what the booking has just said is not said again.
        ({"booked": "2026-03-03 10:01"}, ["03-04 10:00 confirm"]),
        ({"booked": "2026-03-04 11:00"}, []),
        # A night of the change: 10:00 stays 10:00.
        ({"start": "2026-03-31 10:00"}, ["03-28 19:59 confirm", "03-30 10:00 confirm"]),
        ({"start": "2026-10-26 10:00"}, ["10-24 10:00 confirm", "10-24 19:59 confirm"]),
    ],
)
def test_plan_follows_service_variant_answer_and_booking(
    fields: dict[str, Any], planned: list[str]
) -> None:
    assert _planned(_visit(**fields)) == planned


@pytest.mark.parametrize(
    ("start", "booked", "planned", "dropped"),
    [
        # Sunday is closed: the question of Sunday goes out on Saturday evening.
        (
            "2026-03-10 10:00",
            "2026-03-01 12:00",
            ["03-07 19:59 confirm", "03-09 10:00 confirm"],
            [],
        ),
        # Booked on Saturday night: earlier has passed, so Monday morning.
        (
            "2026-03-10 10:00",
            "2026-03-07 20:30",
            ["03-09 08:00 confirm", "03-09 10:00 confirm"],
            [],
        ),
        # Booked on Saturday night for Monday 9:30: Monday morning is under two hours before.
        ("2026-03-09 09:30", "2026-03-07 20:30", [], ["passed", "too-late"]),
        # Easter: both questions would go out in the same minute; one does.
        ("2026-04-07 10:00", "2026-03-20 12:00", ["04-04 19:59 confirm"], ["same-time"]),
    ],
)
def test_due_moment_outside_the_window_moves_earlier_else_later_else_goes(
    start: str, booked: str, planned: list[str], dropped: list[str]
) -> None:
    visit = _visit(start, booked)
    assert _planned(visit) == planned
    assert _dropped(visit) == dropped


def test_of_two_steps_at_one_time_the_question_is_said() -> None:
    steps = [{"at": "2d at 10:00"}, {"at": "1d at 10:00", "asks": True}]
    config = make_clinic_config(reminders={"plan": steps})
    assert _planned(_visit("2026-04-07 10:00", "2026-03-20 12:00"), config) == [
        "04-04 19:59 confirm"
    ]


def test_hours_before_are_hours_that_pass() -> None:
    steps = [{"template": "on_the_day", "at": "3h"}]
    config = make_clinic_config(reminders={"plan": steps})
    assert _planned(_visit("2026-03-29 14:00"), config) == ["03-28 19:59 None"]
    assert _planned(_visit("2026-03-30 14:00"), config) == ["03-30 11:00 None"]
    found = plan.reminders(_visit("2026-03-30 14:00"), config.reminders, Calendar(config))
    assert found.requests[0].details == {"template": "on_the_day"}


def test_split_gives_both_variants_and_stays_with_the_visit() -> None:
    found = [plan.variant_of("split", f"A-{index}") for index in range(400)]
    assert 150 < found.count("a") < 250
    assert found == [plan.variant_of("split", f"A-{index}") for index in range(400)]
    assert plan.variant_of("b", "A-1") == "b"


@pytest.mark.parametrize(
    ("kind", "now", "due", "expires"),
    [
        (Kind.BOOKED, "2026-03-02 08:20", "2026-03-02 08:20", "2026-03-02 20:20"),
        (Kind.BOOKED, "2026-03-02 21:00", "2026-03-03 08:00", "2026-03-03 20:00"),
        (Kind.BOOKED, "2026-03-05 08:00", "2026-03-05 08:00", "2026-03-05 09:15"),
        (Kind.BOOKED, "2026-03-05 08:16", None, None),  # under two hours before
        (Kind.CHANGED, "2026-03-05 08:16", "2026-03-05 08:16", "2026-03-05 10:15"),
        (Kind.CANCELLED, "2026-03-05 07:00", "2026-03-05 08:00", "2026-03-05 10:15"),
        (Kind.MISSED, "2026-03-05 15:00", "2026-03-06 10:00", "2026-03-08 10:00"),
        (Kind.MISSED, "2026-03-07 21:00", "2026-03-09 08:00", "2026-03-11 08:00"),
    ],
)
def test_news_go_out_at_once_in_the_window_and_end(
    kind: Kind, now: str, due: str | None, expires: str | None
) -> None:
    found = plan.announcement(kind, _visit(), Calendar(_CONFIG), _at(now))
    assert (found is None) == (due is None)
    if found is not None:
        shown = [
            f"{dt.datetime.fromisoformat(at).astimezone(_CONFIG.zone):%Y-%m-%d %H:%M}"
            for at in (found.due, found.expires)
        ]
        assert shown == [due, expires]


def test_news_that_come_again_are_news() -> None:
    calendar, now = Calendar(_CONFIG), _at("2026-03-03 12:00")
    keys = {
        found.same_as
        for version in (2, 3)
        for kind in (Kind.CHANGED, Kind.CANCELLED)
        if (found := plan.announcement(kind, _visit(version=version), calendar, now))
    }
    assert len(keys) == 4


def test_every_kind_that_is_planned_has_an_end() -> None:
    now = _at("2026-03-03 12:00")
    for kind in plan.MANNERS:
        assert plan.expiry(kind, now, now + dt.timedelta(days=3)) > now
    with pytest.raises(ValueError, match="start"):
        plan.expiry(Kind.CHANGED, now, None)


@given(start=_MINUTES, ahead=_MINUTES, service=st.sampled_from(["", "ZAB", "KON"]))
def test_no_reminder_is_outside_the_window_nor_too_late(
    start: int, ahead: int, service: str
) -> None:
    starts = _FIRST + dt.timedelta(minutes=start)
    booked = starts - dt.timedelta(minutes=ahead % (30 * 24 * 60))
    visit = plan.Visit("A-1", "4711", PHONE, starts, booked, service=service)
    calendar = Calendar(_CONFIG)
    found = plan.reminders(visit, _CONFIG.reminders, calendar)
    dues = [dt.datetime.fromisoformat(new.due) for new in found.requests]
    for due in dues:
        assert calendar.within_window(due)
        assert booked <= due <= starts - dt.timedelta(hours=2)
    assert len(set(dues)) == len(dues)
    assert plan.reminders(visit, _CONFIG.reminders, calendar) == found
