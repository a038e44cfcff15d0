# SPDX-License-Identifier: Apache-2.0
"""The clinic's calendar: offsets on the wall, the send window, closed days, clock changes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from clinic_support import make_clinic_config
from hypothesis import given
from hypothesis import strategies as st

from gsmgw import errors
from gsmgw.clinic.calendar import DAYS_BACK, Calendar
from gsmgw.config import Config
from gsmgw.config.clinic import parse_offset

#: Seconds of two years.
_MOMENTS = st.integers(0, 2 * 365 * 86_400).map(
    lambda seconds: dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)
)


def _calendar(**groups: Any) -> Calendar:
    return Calendar(make_clinic_config(**groups))


def _utc(calendar: Calendar, local: str) -> dt.datetime:
    return dt.datetime.fromisoformat(local).replace(tzinfo=calendar.zone).astimezone(dt.UTC)


def _shown(calendar: Calendar, at: dt.datetime | None) -> str | None:
    return None if at is None else f"{calendar.local(at):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("start", "offset", "falls"),
    [
        ("2026-03-05 10:15", "2d at 10:00", "2026-03-03 10:00"),
        ("2026-03-05 10:15", "0d at 07:30", "2026-03-05 07:30"),
        ("2026-03-05 10:15", "3h", "2026-03-05 07:15"),
        # The clock goes forward on 2026-03-29 at 2:00, and back on 2026-10-25 at 3:00.
        ("2026-03-30 10:00", "2d at 10:00", "2026-03-28 10:00"),
        ("2026-03-29 10:00", "2d at 10:00", "2026-03-27 10:00"),
        ("2026-03-30 10:00", "48h", "2026-03-28 09:00"),
        ("2026-10-26 10:00", "2d at 10:00", "2026-10-24 10:00"),
        ("2026-10-26 10:00", "48h", "2026-10-24 11:00"),
        ("2026-03-30 10:00", "1d at 02:30", "2026-03-29 03:30"),
    ],
)
def test_offsets_fall_on_the_wall_or_after_hours_that_pass(
    start: str, offset: str, falls: str
) -> None:
    calendar = _calendar()
    found = calendar.at(_utc(calendar, start), parse_offset(offset))
    assert _shown(calendar, found) == falls
    assert found.tzinfo is dt.UTC


@pytest.mark.parametrize(
    ("at", "allowed"),
    [
        ("2026-03-03 08:00", True),
        ("2026-03-03 07:59", False),
        ("2026-03-03 19:59", True),
        ("2026-03-03 20:00", False),
        ("2026-03-07 12:00", True),  # a Saturday
        ("2026-03-08 12:00", False),  # a Sunday
        ("2026-04-06 12:00", False),  # Easter Monday
    ],
)
def test_window_ends_before_its_last_hour_and_leaves_out_closed_days(
    at: str, allowed: bool
) -> None:
    calendar = _calendar()
    assert calendar.within_window(_utc(calendar, at)) is allowed


@pytest.mark.parametrize(
    ("at", "moved"),
    [
        ("2026-03-03 10:00", "2026-03-03 10:00"),
        ("2026-03-03 20:00", "2026-03-03 19:59"),
        ("2026-03-03 07:00", "2026-03-02 19:59"),
        ("2026-03-08 10:00", "2026-03-07 19:59"),
        ("2026-04-06 10:00", "2026-04-04 19:59"),  # Easter: Sunday, then a closed Monday
        ("2026-03-02 07:59", "2026-02-28 19:59"),
    ],
)
def test_moment_outside_moves_back_to_the_last_allowed_minute(at: str, moved: str) -> None:
    calendar = _calendar()
    assert _shown(calendar, calendar.earlier(_utc(calendar, at))) == moved


def test_moment_moves_back_no_further_than_a_week() -> None:
    closed = [f"2026-03-{day:02d}" for day in range(1, 13)]
    calendar = _calendar(clinic={"closed": closed})
    assert calendar.earlier(_utc(calendar, "2026-03-10 10:00")) is None
    assert _shown(calendar, calendar.earlier(_utc(calendar, "2026-03-07 10:00"))) == (
        "2026-02-28 19:59"
    )


@pytest.mark.parametrize(
    ("at", "next_one"),
    [
        ("2026-03-03 10:00", "2026-03-03 10:00"),
        ("2026-03-03 20:00", "2026-03-04 08:00"),
        ("2026-03-07 20:30", "2026-03-09 08:00"),
        ("2026-04-04 20:30", "2026-04-07 08:00"),
        ("2026-03-04 06:00", "2026-03-04 08:00"),
    ],
)
def test_next_allowed_moment_skips_nights_sundays_and_closed_days(at: str, next_one: str) -> None:
    calendar = _calendar()
    assert _shown(calendar, calendar.next_allowed(_utc(calendar, at))) == next_one


def test_window_that_ends_in_the_hour_that_comes_twice() -> None:
    calendar = _calendar(reminders={"hours": {"mon-sun": "00:00-02:30"}})
    found = calendar.earlier(dt.datetime(2026, 10, 25, 8, 0, tzinfo=dt.UTC))
    assert found == dt.datetime(2026, 10, 25, 1, 29, tzinfo=dt.UTC)  # 2:29 for the second time


def test_window_that_lies_in_the_hour_that_never_comes() -> None:
    calendar = _calendar(reminders={"hours": {"mon-sun": "02:00-03:00"}})
    found = calendar.earlier(_utc(calendar, "2026-03-29 12:00"))
    assert _shown(calendar, found) == "2026-03-28 02:59"


def test_people_are_there_in_opening_hours_and_on_working_days() -> None:
    calendar = _calendar()
    assert calendar.is_open(_utc(calendar, "2026-03-06 17:59"))
    assert not calendar.is_open(_utc(calendar, "2026-03-06 18:00"))
    assert not calendar.is_open(_utc(calendar, "2026-03-07 12:00"))
    opening = calendar.next_opening(_utc(calendar, "2026-04-03 19:30"))
    assert _shown(calendar, opening) == "2026-04-07 08:00"
    assert calendar.working_day_after(dt.date(2026, 4, 3)) == dt.date(2026, 4, 7)
    assert calendar.working_day_after(dt.date(2026, 3, 3)) == dt.date(2026, 3, 4)


def test_days_are_the_clinics_own() -> None:
    calendar = _calendar()
    first, after = calendar.day_bounds(dt.date(2026, 3, 29))
    assert (after - first) == dt.timedelta(hours=23)
    assert calendar.day(dt.datetime(2026, 3, 4, 23, 30, tzinfo=dt.UTC)) == dt.date(2026, 3, 5)


def test_calendar_wants_a_clinic() -> None:
    with pytest.raises(errors.ConfigError, match="clinic"):
        Calendar(Config.model_validate({}))


@given(at=_MOMENTS)
def test_moves_end_in_the_window_and_are_the_nearest(at: dt.datetime) -> None:
    calendar = _calendar()
    before, after = calendar.earlier(at), calendar.next_allowed(at)
    assert before is not None
    assert before <= at <= after
    assert calendar.within_window(before)
    assert calendar.within_window(after)
    assert at - before <= dt.timedelta(days=DAYS_BACK + 1)
    if calendar.within_window(at):
        assert before == after == at
    else:
        assert not calendar.within_window(before + dt.timedelta(minutes=1))
        assert not calendar.within_window(after - dt.timedelta(minutes=1))
