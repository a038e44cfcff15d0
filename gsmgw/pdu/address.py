# SPDX-License-Identifier: Apache-2.0
"""Addresses of senders, recipients and service centres (3GPP TS 23.040 9.1.2.5, 24.011 8.2.5)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from gsmgw.errors import BadNumberError, PduError
from gsmgw.pdu import alphabet as alphabets

#: Semi-octets 0..14; 15 fills up an odd number of digits.
_DIGITS = "0123456789*#abc"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_FILLER = 0xF
#: An address has at most 10 octets of digits.
MOST_DIGITS = 20
#: Octets of a service centre address behind its length, 24.011 8.2.5.1.
_MOST_SERVICE_CENTRE_OCTETS = 12


class AddressType(IntEnum):
    """Type of number: bits 6 to 4 of the type-of-address octet."""

    UNKNOWN = 0  #: as dialled; also short codes
    INTERNATIONAL = 1
    NATIONAL = 2
    NETWORK_SPECIFIC = 3
    SUBSCRIBER = 4
    ALPHANUMERIC = 5  #: a name in GSM 7-bit letters
    ABBREVIATED = 6
    RESERVED = 7


#: Type-of-address octets: E.164 with country code, as dialled, and a name.
INTERNATIONAL_TOA = 0x91
UNKNOWN_TOA = 0x81
ALPHANUMERIC_TOA = 0xD0


@dataclass(frozen=True, slots=True)
class Address:
    """A number or name, as it stands in a TPDU."""

    digits: str  #: as shown to people: "+48500100201", "2580", "Pharmacy", "*100#", ""
    toa: int  #: the type-of-address octet, 0..255

    @property
    def type(self) -> AddressType:
        """The type of number."""
        return AddressType(self.toa >> 4 & 0x07)


def make_address(number: str) -> Address:
    """Return the address of a number, international with "+", else as dialled; or of a name.

    Raises:
        BadNumberError: it is neither; a mistyped number ("+48 500", "1234-5") is no name.
    """
    if set(number.removeprefix("+")) <= _VALUES.keys():
        return Address(number, INTERNATIONAL_TOA if number.startswith("+") else UNKNOWN_TOA)
    if number.startswith("+") or not any(map(str.isalpha, number)):
        raise BadNumberError(f"{number!r} is no number, and no name either")
    return Address(number, ALPHANUMERIC_TOA)


def encode_address(address: Address) -> bytes:
    """Encode an address as in a TPDU: length in useful semi-octets, type, value.

    Raises:
        BadNumberError: it has a character that cannot be sent, is too long, or is marked as
            international without being so or the other way round.
    """
    if address.type is AddressType.ALPHANUMERIC:
        return _encode_name(address)
    value, digits = _encode_number(address)
    return bytes((digits, address.toa)) + value


def encode_service_centre(number: str | None) -> bytes:
    """Encode a service centre address as it stands before a TPDU; None lets the SIM's be used.

    Raises:
        BadNumberError: it is not a number.
    """
    if number is None:
        return b"\x00"
    toa = INTERNATIONAL_TOA if number.startswith("+") else UNKNOWN_TOA
    value, digits = _encode_number(Address(number, toa))
    if not digits:
        raise BadNumberError("the service centre address is empty")
    return bytes((1 + len(value), toa)) + value


def _encode_name(address: Address) -> bytes:
    if not alphabets.is_gsm7(address.digits):
        raise BadNumberError(f"{address.digits!r} has letters that a sender's name cannot have")
    septets = alphabets.encode_septets(address.digits)
    semi_octets = (len(septets) * 7 + 3) // 4
    if semi_octets > MOST_DIGITS:
        raise BadNumberError(f"{address.digits!r} is longer than the 11 letters of a name")
    return bytes((semi_octets, address.toa)) + alphabets.pack(septets)


def _encode_number(address: Address) -> tuple[bytes, int]:
    """Return the semi-octets and how many digits they hold."""
    number = address.digits
    is_international = address.type is AddressType.INTERNATIONAL
    if number.startswith("+") is not is_international and number:
        raise BadNumberError(
            f"{number!r} does not fit its type 0x{address.toa:02X}: only and all international"
            " numbers begin with +"
        )
    digits = number.removeprefix("+")
    foreign = next((digit for digit in digits if digit not in _VALUES), None)
    if foreign is not None:
        raise BadNumberError(f"{number!r} is no number: {foreign!r} cannot be dialled")
    if len(digits) > MOST_DIGITS:
        raise BadNumberError(f"{number!r} has more than {MOST_DIGITS} digits")
    values = [_VALUES[digit] for digit in digits]
    if len(values) % 2:
        values.append(_FILLER)
    pairs = zip(values[::2], values[1::2], strict=True)
    return bytes(low | high << 4 for low, high in pairs), len(digits)


def decode_value(toa: int, semi_octets: int, value: bytes) -> Address:
    """Decode the value of an address.

    Args:
        toa: type-of-address octet, 0..255.
        semi_octets: how many semi-octets are useful; at most twice the length of `value`.
        value: the octets; a filler ends the number early.
    """
    address = Address("", toa)
    if address.type is AddressType.ALPHANUMERIC:
        # Useful semi-octets: 14 hold 8 letters, 13 hold 7 and one useless bit.
        septets = alphabets.unpack(value, semi_octets * 4 // 7)
        return Address(alphabets.decode_septets(septets), toa)
    digits: list[str] = []
    for at in range(semi_octets):
        nibble = value[at // 2] >> 4 * (at % 2) & 0x0F
        if nibble == _FILLER:
            break
        digits.append(_DIGITS[nibble])
    plus = "+" if address.type is AddressType.INTERNATIONAL and digits else ""
    return Address(plus + "".join(digits), toa)


def decode_service_centre(octets: bytes) -> str | None:
    """Decode the octets of a service centre address, type first; None if there are none.

    Raises:
        PduError: it is longer than any such address.
    """
    if len(octets) > _MOST_SERVICE_CENTRE_OCTETS:
        raise PduError(f"a service centre address of {len(octets)} octets")
    if len(octets) < 2:
        return None
    return decode_value(octets[0], 2 * len(octets) - 2, octets[1:]).digits or None
