# SPDX-License-Identifier: Apache-2.0
"""Time stamps and validity periods (3GPP TS 23.040 9.2.3.11, 9.2.3.12)."""

from __future__ import annotations

import datetime as dt
import math

from gsmgw.errors import PduError

TIME_STAMP_OCTETS = 7
#: Two digits of a year: GSM has carried messages since 1992.
_FIRST_YEAR = 1990
_QUARTER = dt.timedelta(minutes=15)
#: Three bits and a digit hold 79 quarter hours.
_LARGEST_OFFSET = 79 * _QUARTER
#: Bit of the zone octet for "west of Greenwich".
_NEGATIVE = 0x08

_MINUTE, _HOUR = 60, 3600
_DAY = 24 * _HOUR
_WEEK = 7 * _DAY


def decode_time(octets: bytes) -> dt.datetime | None:
    """Decode 7 octets into an aware time with its own offset; None if it is no time.

    Zeros, FF, a 60th second, letters in place of digits: all of them happen, and none may cost us
    the message.
    """
    nibbles = [nibble for octet in octets for nibble in (octet & 0x0F, octet >> 4)]
    tens_of_zone = nibbles[12]
    nibbles[12] &= ~_NEGATIVE
    if max(nibbles) > 9:
        return None
    year, month, day, hour, minute, second, quarters = (
        10 * nibbles[at] + nibbles[at + 1] for at in range(0, 14, 2)
    )
    offset = -quarters * _QUARTER if tens_of_zone & _NEGATIVE else quarters * _QUARTER
    year += 100 * ((_FIRST_YEAR - year + 99) // 100)
    try:
        return dt.datetime(year, month, day, hour, minute, second, tzinfo=dt.timezone(offset))
    except ValueError:
        return None


def encode_time(at: dt.datetime | None) -> bytes:
    """Encode an aware time in 7 octets, to the second; None becomes zeros.

    An offset that is no number of quarter hours, as old local times have, is replaced by UTC.

    Raises:
        PduError: the time is naive, or its year is not 1990..2089.
    """
    if at is None:
        return bytes(TIME_STAMP_OCTETS)
    offset = at.utcoffset()
    if offset is None:
        raise PduError(f"{at} has no offset from UTC")
    _check_year(at)
    if offset % _QUARTER or abs(offset) > _LARGEST_OFFSET:
        at, offset = at.astimezone(dt.UTC), dt.timedelta()
        _check_year(at)
    fields = (at.year % 100, at.month, at.day, at.hour, at.minute, at.second)
    zone = _swapped_digits(abs(offset) // _QUARTER)
    if offset < dt.timedelta():
        zone |= _NEGATIVE
    return bytes((*map(_swapped_digits, fields), zone))


def _check_year(at: dt.datetime) -> None:
    if not _FIRST_YEAR <= at.year < _FIRST_YEAR + 100:
        raise PduError(f"the year {at.year} cannot be told in two digits")


def _swapped_digits(number: int) -> int:
    tens, ones = divmod(number, 10)
    return ones << 4 | tens


def relative_validity(seconds: float) -> int:
    """Return the TP-VP, 0..255, of the shortest period that is not shorter than `seconds`.

    At least 5 minutes, at most 63 weeks.
    """
    if seconds <= 12 * _HOUR:
        return max(math.ceil(seconds / (5 * _MINUTE)) - 1, 0)
    if seconds <= _DAY:
        return math.ceil((seconds - 12 * _HOUR) / (30 * _MINUTE)) + 143
    if seconds <= 30 * _DAY:
        return math.ceil(seconds / _DAY) + 166
    return max(math.ceil(min(seconds, 63 * _WEEK) / _WEEK), 5) + 192


def validity_seconds(vp: int) -> int:
    """Return the seconds that a relative TP-VP, 0..255, stands for."""
    if vp <= 143:
        return (vp + 1) * 5 * _MINUTE
    if vp <= 167:
        return 12 * _HOUR + (vp - 143) * 30 * _MINUTE
    if vp <= 196:
        return (vp - 166) * _DAY
    return (vp - 192) * _WEEK
