# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from gsmgw import pdu
from gsmgw.errors import PduError
from gsmgw.pdu import times


@pytest.mark.parametrize(
    ("hexadecimal", "at"),
    [
        ("62112201035440", "2026-11-22T10:30:45+01:00"),
        ("11101021436500", "2011-01-01T12:34:56+00:00"),
        ("1120821105050A", "2011-02-28T11:50:50-05:00"),
        ("62112201035449", "2026-11-22T10:30:45-03:30"),  # 14 quarter hours west
        ("62112201035432", "2026-11-22T10:30:45+05:45"),  # 23 quarter hours east
        ("62112201035465", "2026-11-22T10:30:45+14:00"),
        ("4220923295958A", "2024-02-29T23:59:59-07:00"),
        ("99211332959500", "1999-12-31T23:59:59+00:00"),
        ("09101000000000", "1990-01-01T00:00:00+00:00"),
        ("98101000000000", "2089-01-01T00:00:00+00:00"),
        ("62112201035497", "2026-11-22T10:30:45+19:45"),
        ("6211220103549F", "2026-11-22T10:30:45-19:45"),
    ],
)
def test_time_stamps(hexadecimal: str, at: str) -> None:
    decoded = times.decode_time(bytes.fromhex(hexadecimal))
    assert decoded is not None
    assert decoded.isoformat() == at
    assert times.encode_time(decoded).hex().upper() == hexadecimal


@pytest.mark.parametrize(
    "hexadecimal",
    [
        "00000000000000",
        "FFFFFFFFFFFFFF",
        "62112201030640",  # 60 seconds
        "62112242035440",  # 24 o'clock
        "62310201035440",  # month 13
        "32209201035440",  # 29 February of 2023
        "621122010354A4",  # a letter in the zone
    ],
)
def test_what_is_no_time(hexadecimal: str) -> None:
    assert times.decode_time(bytes.fromhex(hexadecimal)) is None


def test_no_time_is_zeros() -> None:
    assert times.encode_time(None) == bytes(7)


def test_odd_offset_becomes_utc() -> None:
    warsaw = dt.timezone(dt.timedelta(hours=1, minutes=24))
    decoded = times.decode_time(times.encode_time(dt.datetime(2000, 1, 1, 1, 24, tzinfo=warsaw)))
    assert decoded == dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def test_offset_beyond_79_quarter_hours_becomes_utc() -> None:
    far = dt.timezone(dt.timedelta(hours=20))
    decoded = times.decode_time(times.encode_time(dt.datetime(2000, 1, 2, tzinfo=far)))
    assert decoded == dt.datetime(2000, 1, 1, 4, tzinfo=dt.UTC)
    assert decoded is not None
    assert decoded.utcoffset() == dt.timedelta()


def test_summer_and_winter_of_a_real_zone() -> None:
    for month, hexadecimal in ((1, "40"), (7, "80")):
        at = dt.datetime(2026, month, 1, tzinfo=ZoneInfo("Europe/Warsaw"))
        assert times.encode_time(at).hex()[-2:] == hexadecimal


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (dt.datetime(2026, 1, 1), "no offset from UTC"),  # noqa: DTZ001 (a naive time is the test)
        (dt.datetime(1989, 12, 31, tzinfo=dt.UTC), "the year 1989"),
        (dt.datetime(2090, 1, 1, tzinfo=dt.UTC), "the year 2090"),
        (
            dt.datetime(1990, 1, 1, tzinfo=dt.timezone(dt.timedelta(minutes=1))),
            "the year 1989",
        ),
    ],
)
def test_time_that_cannot_be_told(at: dt.datetime, words: str) -> None:
    with pytest.raises(PduError, match=words):
        times.encode_time(at)


_MINUTE, _HOUR, _DAY, _WEEK = 60, 3600, 86400, 604800


@pytest.mark.parametrize(
    ("seconds", "vp"),
    [
        (-1, 0),
        (0, 0),
        (1, 0),
        (5 * _MINUTE, 0),
        (5 * _MINUTE + 0.1, 1),
        (_HOUR, 11),
        (12 * _HOUR, 143),
        (12 * _HOUR + 1, 144),
        (13 * _HOUR, 145),
        (_DAY, 167),
        (_DAY + 1, 168),
        (36 * _HOUR, 168),
        (4 * _DAY, 170),
        (30 * _DAY, 196),
        (30 * _DAY + 1, 197),
        (31 * _DAY, 197),
        (5 * _WEEK, 197),
        (5 * _WEEK + 1, 198),
        (63 * _WEEK, 255),
        (64 * _WEEK, 255),
        (float("inf"), 255),
    ],
)
def test_validity_is_rounded_up(seconds: float, vp: int) -> None:
    assert pdu.relative_validity(seconds) == vp


@pytest.mark.parametrize("vp", range(256))
def test_every_validity_comes_back(vp: int) -> None:
    assert pdu.relative_validity(pdu.validity_seconds(vp)) == vp


def test_longer_validity_is_a_larger_octet() -> None:
    periods = [pdu.validity_seconds(vp) for vp in range(256)]
    assert periods == sorted(set(periods))
