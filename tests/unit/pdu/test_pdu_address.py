# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from gsmgw import pdu
from gsmgw.errors import BadNumberError, PduError
from gsmgw.pdu import address


@pytest.mark.parametrize(
    ("digits", "toa", "hexadecimal"),
    [
        ("+48500100201", 0x91, "0B918405100002F1"),
        ("+447700900123", 0x91, "0C91447700091032"),
        ("500100201", 0x81, "098105100002F1"),
        ("2580", 0x81, "04815208"),
        ("*100#", 0x81, "05811A00FB"),
        ("500100201", 0xA1, "09A105100002F1"),
        ("12345", 0xB1, "05B12143F5"),
        ("", 0x81, "0081"),
        ("", 0x91, "0091"),
        ("ABCDEFG@", 0xD0, "0ED041E19058341E01"),
        ("", 0xD0, "00D0"),
    ],
)
def test_addresses_of_every_type(digits: str, toa: int, hexadecimal: str) -> None:
    encoded = address.encode_address(pdu.Address(digits, toa))
    assert encoded.hex().upper() == hexadecimal
    assert address.decode_value(encoded[1], encoded[0], encoded[2:]) == pdu.Address(digits, toa)


@pytest.mark.parametrize("name", ["A", "Pharmacy", "ABCDEFG", "CLINIC 24[", "12345678901", "é@"])
def test_names_come_back(name: str) -> None:
    encoded = address.encode_address(pdu.Address(name, 0xD0))
    assert address.decode_value(encoded[1], encoded[0], encoded[2:]).digits == name


def test_digits_beyond_nine() -> None:
    encoded = address.encode_address(pdu.Address("*#abc", 0x81))
    assert encoded.hex().upper() == "0581BADCFE"
    assert address.decode_value(0x81, 5, encoded[2:]).digits == "*#abc"


def test_filler_ends_a_number_that_counts_it_as_a_digit() -> None:
    assert address.decode_value(0x91, 12, bytes.fromhex("8405100002F1")).digits == "+48500100201"


@pytest.mark.parametrize(
    ("toa", "kind"),
    [
        (0x81, pdu.AddressType.UNKNOWN),
        (0x91, pdu.AddressType.INTERNATIONAL),
        (0x11, pdu.AddressType.INTERNATIONAL),
        (0xA1, pdu.AddressType.NATIONAL),
        (0xD0, pdu.AddressType.ALPHANUMERIC),
        (0xF0, pdu.AddressType.RESERVED),
    ],
)
def test_type_of_number(toa: int, kind: pdu.AddressType) -> None:
    assert pdu.Address("1", toa).type is kind


@pytest.mark.parametrize(
    ("digits", "toa", "words"),
    [
        ("+48500100201", 0x81, "does not fit its type 0x81"),
        ("48500100201", 0x91, "does not fit its type 0x91"),
        ("48 500", 0x81, "' ' cannot be dialled"),
        ("1234-5", 0x81, "'-' cannot be dialled"),
        ("٤٨٥", 0x81, "cannot be dialled"),
        ("1" * 21, 0x81, "more than 20 digits"),
        ("Pharmacy on", 0x81, "cannot be dialled"),
        ("Łódź", 0xD0, "letters that a sender's name cannot have"),
        ("ABCDEFGHIJKL", 0xD0, "longer than the 11 letters"),
    ],
)
def test_bad_address_is_refused_with_the_reason(digits: str, toa: int, words: str) -> None:
    with pytest.raises(BadNumberError, match=words):
        address.encode_address(pdu.Address(digits, toa))


@pytest.mark.parametrize(
    ("number", "toa"),
    [("+48500100201", 0x91), ("500", 0x81), ("*100#", 0x81), ("", 0x81), ("Clinic", 0xD0)],
)
def test_type_of_address_by_the_number_alone(number: str, toa: int) -> None:
    assert pdu.make_address(number) == pdu.Address(number, toa)


@pytest.mark.parametrize("number", ["+48 500", "+Clinic", "1234-5", " ", "12 34", "٤٨٥"])
def test_mistyped_number_does_not_become_a_name(number: str) -> None:
    with pytest.raises(BadNumberError, match="no number, and no name either"):
        pdu.make_address(number)


@pytest.mark.parametrize(
    ("number", "hexadecimal"),
    [
        (None, "00"),
        ("+19037029920", "07919130079229F0"),
        ("9037029920", "06810973209902"),
    ],
)
def test_service_centre(number: str | None, hexadecimal: str) -> None:
    encoded = pdu.encode_service_centre(number)
    assert encoded.hex().upper() == hexadecimal
    assert address.decode_service_centre(encoded[1:]) == number


@pytest.mark.parametrize("number", ["", "+", "Clinic"])
def test_service_centre_that_is_no_number(number: str) -> None:
    with pytest.raises(BadNumberError):
        pdu.encode_service_centre(number)


def test_service_centre_without_digits_is_none() -> None:
    assert address.decode_service_centre(b"\x91") is None
    assert address.decode_service_centre(b"\x91\xff") is None


def test_service_centre_that_is_too_long() -> None:
    with pytest.raises(PduError, match="13 octets"):
        address.decode_service_centre(bytes(13))
