# SPDX-License-Identifier: Apache-2.0
"""Times as they are written and read."""

import datetime as dt
import zoneinfo

import pytest

from gsmgw import clock
from gsmgw.errors import GsmgwError

WARSAW = zoneinfo.ZoneInfo("Europe/Warsaw")


def test_system_clock_is_aware_and_never_runs_backwards():
    machine = clock.SystemClock()
    assert machine.now().tzinfo is dt.UTC
    assert machine.monotonic() <= machine.monotonic()


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (dt.datetime(2026, 11, 22, 7, 15, 10, 123_999, dt.UTC), "2026-11-22T07:15:10.123Z"),
        (dt.datetime(2026, 11, 22, 8, 15, 10, tzinfo=WARSAW), "2026-11-22T07:15:10.000Z"),
        (dt.datetime(2026, 7, 1, 0, 0, tzinfo=WARSAW), "2026-06-30T22:00:00.000Z"),
    ],
)
def test_times_are_written_in_utc_with_milliseconds(at, written):
    assert clock.format_utc(at) == written


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-22T08:30:00+01:00", "2026-11-22T07:30:00.000Z"),
        ("2026-11-22 08:30", "2026-11-22T07:30:00.000Z"),
        (" 2026-07-22T08:30:00 ", "2026-07-22T06:30:00.000Z"),
        ("2026-11-22T07:30:00.500Z", "2026-11-22T07:30:00.500Z"),
    ],
)
def test_times_without_zone_are_the_clinics(text, utc):
    assert clock.format_utc(clock.parse_time(text, WARSAW)) == utc


@pytest.mark.parametrize("text", ["", "tomorrow", "22.11.2026", "2026-13-01"])
def test_no_time_is_refused_with_an_example(text):
    with pytest.raises(GsmgwError, match="write it as 2026-11-22"):
        clock.parse_time(text, WARSAW)


def test_text_order_is_time_order():
    start = dt.datetime(2026, 12, 31, 23, 59, 59, 998_000, dt.UTC)
    written = [clock.format_utc(start + dt.timedelta(milliseconds=step)) for step in range(5)]
    assert written == sorted(written)
    assert len({len(text) for text in written}) == 1
