# SPDX-License-Identifier: Apache-2.0
"""The keys of a described message, read one by one; each mistake names its key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from gsmgw.errors import BadNumberError, PduError
from gsmgw.pdu import address as addresses
from gsmgw.pdu.address import Address


class Fields:
    """Keys and values as they came from JSON; null counts as absent.

    Every method raises `PduError`, or `BadNumberError` for an address, with the key in front.
    """

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = {key: value for key, value in values.items() if value is not None}

    def keys(self) -> frozenset[str]:
        """Return the keys that have a value."""
        return frozenset(self._values)

    def optional_text(self, key: str) -> str | None:
        """Return a text."""
        value = self._values.get(key)
        if value is not None and not isinstance(value, str):
            raise PduError(f"{key}: {value!r} is no text")
        return value

    def text(self, key: str) -> str:
        """Return a text that must be there."""
        value = self.optional_text(key)
        if value is None:
            raise PduError(f"{key}: missing")
        return value

    def optional_number(self, key: str, most: int) -> int | None:
        """Return a number from 0 to `most`."""
        value = self._values.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise PduError(f"{key}: {value!r} is no number from 0 to {most}")
        return value

    def number(self, key: str, most: int) -> int:
        """Return a number from 0 to `most`, 0 where it is absent."""
        return self.optional_number(key, most) or 0

    def octets(self, key: str) -> bytes | None:
        """Return octets written as hex."""
        value = self.optional_text(key)
        try:
            return None if value is None else bytes.fromhex(value)
        except ValueError as error:
            raise PduError(f"{key}: {value!r} is not hex, or half an octet is missing") from error

    def time(self, key: str) -> dt.datetime | None:
        """Return an aware time."""
        value = self.optional_text(key)
        if value is None:
            return None
        try:
            at = dt.datetime.fromisoformat(value)
        except ValueError as error:
            raise PduError(f"{key}: {value!r} is no ISO 8601 time") from error
        if at.tzinfo is None:
            raise PduError(f"{key}: {value!r} has no offset such as +01:00")
        return at

    def address(self, key: str) -> Address:
        """Return an address that must be there; an empty one is written as an empty text."""
        value = self.text(key)
        try:
            found = addresses.make_address(value)
            addresses.encode_address(found)
        except BadNumberError as error:
            raise BadNumberError(f"{key}: {error}") from error
        return found

    def object(self, key: str, keys: tuple[str, ...]) -> Fields | None:
        """Return an object that has exactly these keys."""
        value = self._values.get(key)
        if value is None:
            return None
        if not isinstance(value, dict) or value.keys() != set(keys):
            raise PduError(f"{key}: it needs {', '.join(keys)}, and nothing else")
        return Fields(value)
