# SPDX-License-Identifier: Apache-2.0
"""Hours of the week, through changes of the clock."""

import datetime as dt
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsmgw import config

WARSAW = zoneinfo.ZoneInfo("Europe/Warsaw")
OFFICE = config.parse_hours({"mon-sat": "08:00-20:00"})


def local(text, zone=WARSAW, fold=0):
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


@pytest.mark.parametrize(
    ("at", "allowed"),
    [
        ("2026-11-23 08:00", True),
        ("2026-11-23 07:59:59.999", False),
        ("2026-11-23 19:59:59.999", True),
        ("2026-11-23 20:00", False),
        ("2026-11-28 12:00", True),
        ("2026-11-29 12:00", False),
    ],
)
def test_the_beginning_is_inside_and_the_end_outside(at, allowed):
    assert OFFICE.allows(local(at)) is allowed


@pytest.mark.parametrize(
    ("at", "then"),
    [
        ("2026-11-23 12:00:30", "2026-11-23 12:00:30"),
        ("2026-11-23 05:00", "2026-11-23 08:00"),
        ("2026-11-23 20:00", "2026-11-24 08:00"),
        ("2026-11-28 20:00", "2026-11-30 08:00"),
        ("2026-11-29 12:00", "2026-11-30 08:00"),
        # Through both changes of the clock the wall says 08:00.
        ("2026-03-28 21:00", "2026-03-30 08:00"),
        ("2026-10-24 21:00", "2026-10-26 08:00"),
    ],
)
def test_the_next_moment_is_found(at, then):
    assert OFFICE.next_allowed(local(at)) == local(then)


def test_several_spans_a_day():
    hours = config.parse_hours({"mon,wed-fri": "08:00-12:00, 14:00-18:00", "sat": "closed"})
    assert hours.next_allowed(local("2026-11-23 12:00")) == local("2026-11-23 14:00")
    assert hours.next_allowed(local("2026-11-23 18:00")) == local("2026-11-25 08:00")
    assert str(hours).startswith("mon 08:00-12:00, 14:00-18:00; wed ")


def test_days_may_go_over_the_end_of_the_week_and_hours_to_midnight():
    hours = config.parse_hours({"fri-mon": ["00:00-24:00"]})
    assert hours.allows(local("2026-11-22 23:59:59"))
    assert hours.next_allowed(local("2026-11-24 10:00")) == local("2026-11-27 00:00")


def test_when_the_clock_jumps_over_the_beginning_the_moment_after_counts():
    # Poland, 29 March 2026: 02:00 becomes 03:00.
    hours = config.parse_hours({"sun": "02:15-03:10"})
    then = hours.next_allowed(local("2026-03-29 01:00"))
    assert then == local("2026-03-29 03:00")
    assert then.astimezone(dt.UTC) == dt.datetime(2026, 3, 29, 1, 0, tzinfo=dt.UTC)


def test_when_the_clock_jumps_over_all_of_it_the_next_week_counts():
    hours = config.parse_hours({"sun": "02:15-02:45"})
    assert hours.next_allowed(local("2026-03-29 01:00")) == local("2026-04-05 02:15")


def test_an_hour_that_comes_twice_is_allowed_twice():
    # Poland, 25 October 2026: 03:00 becomes 02:00.
    hours = config.parse_hours({"sun": "02:15-02:45"})
    second = local("2026-10-25 02:15", fold=1)
    assert hours.allows(second)
    assert hours.next_allowed(local("2026-10-25 02:50", fold=0)).astimezone(
        dt.UTC
    ) == second.astimezone(dt.UTC)
    assert hours.next_allowed(local("2026-10-25 02:50", fold=1)) == local("2026-11-01 02:15")


def test_a_day_that_never_was():
    # Samoa went from 29 to 31 December 2011.
    apia = zoneinfo.ZoneInfo("Pacific/Apia")
    hours = config.parse_hours({"fri-sat": "08:00-20:00"})
    then = hours.next_allowed(local("2011-12-29 12:00", apia))
    assert then == local("2011-12-31 08:00", apia)


@given(
    st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 12, 31)),  # noqa: DTZ001 - zones below
    st.sampled_from(["Europe/Warsaw", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    st.sampled_from(
        [
            {"mon-sat": "08:00-20:00"},
            {"sun": "00:00-00:30"},
            {"mon-sun": "01:30-02:20"},
            {"sun": "01:45-03:15", "wed": "23:59-24:00"},
        ]
    ),
    st.sampled_from([0, 1]),
)
def test_the_next_moment_is_allowed_and_none_before_it_is(at, zone, days, fold):
    hours = config.parse_hours(days)
    # An instant first: a wall time that never was names none.
    now = at.replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=fold).astimezone(dt.UTC)
    now = now.astimezone(zoneinfo.ZoneInfo(zone))
    then = hours.next_allowed(now)
    assert hours.allows(then)
    assert then.astimezone(dt.UTC) >= now.astimezone(dt.UTC)
    probe = now.astimezone(dt.UTC)
    while probe < then.astimezone(dt.UTC):
        assert not hours.allows(probe.astimezone(now.tzinfo))
        probe += dt.timedelta(minutes=5)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ("08:00-20:00", "allowed are days with hours"),
        (["mon"], "allowed are days with hours"),
        ({"monday": "08:00-20:00"}, "'monday' is no day"),
        ({"mon-": "08:00-20:00"}, "'mon-' is no day"),
        ({"x-mon": "08:00-20:00"}, "'x-mon' is no day"),
        ({"mon": "8-20"}, "'8-20' are no hours"),
        ({"mon": ""}, "'' are no hours"),
        ({"mon": "08:00-24:01"}, "no day has"),
        ({"mon": "08:60-09:00"}, "no day has"),
        ({"mon": "20:00-08:00"}, "over midnight"),
        ({"mon": "08:00-08:00"}, "ends before it begins"),
        ({"mon": "08:00-12:00, 11:00-13:00"}, "twice"),
        ({"mon-fri": "08:00-12:00", "fri": "13:00-14:00"}, "fri stands there twice"),
        ({"mon-sun": "closed"}, "no hour of the week is left"),
        ({}, "no hour of the week is left"),
    ],
)
def test_what_are_no_hours_is_refused(found, words):
    with pytest.raises(ValueError, match=words):
        config.parse_hours(found)


def test_hours_that_never_come_do_not_loop_for_ever():
    with pytest.raises(ValueError, match="never come"):
        config.Hours(((),) * 7).next_allowed(local("2026-11-23 12:00"))
