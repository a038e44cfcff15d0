# SPDX-License-Identifier: Apache-2.0
"""Reading and masking phone numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsmgw import phone
from gsmgw.errors import BadNumberError


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("500100201", "PL", "+48500100201"),
        ("500 100 201", "PL", "+48500100201"),
        ("500-100-201", "PL", "+48500100201"),
        ("(500) 100.201", "PL", "+48500100201"),
        (" 500\u00a0100\u2011201 ", "PL", "+48500100201"),
        ("0500100201", "PL", "+48500100201"),
        ("+48500100201", "GB", "+48500100201"),
        ("0048 500 100 201", "PL", "+48500100201"),
        ("48500100201", "PL", "+48500100201"),
        ("+48 (0)500 100 201", "PL", "+48500100201"),
        ("22 123 45 67", "PL", "+48221234567"),
        ("07700 900123", "GB", "+447700900123"),
        ("+44 (0)7700 900123", "PL", "+447700900123"),
        ("00447700900123", "PL", "+447700900123"),
        ("(212) 555-0123", "US", "+12125550123"),
        ("\u202a+48 500 100 201\u202c", "PL", "+48500100201"),
        ("\ufeff500100201", "PL", "+48500100201"),
        ("\uff0b\uff14\uff18" + "\uff15\uff10\uff10" * 3, "PL", "+48500500500"),
        ("\u0665\u0660\u0660" * 3, "PL", "+48500500500"),
        ("112", "PL", "112"),
        ("60 60", "PL", "6060"),
        ("123456", "PL", "123456"),
    ],
)
def test_what_people_write_is_understood(text, country, number):
    assert phone.parse_recipient(text, country=country) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("48500100201", "+48500100201"),
        ("447700900123", "+447700900123"),
        ("0048500100201", "+48500100201"),
        ("+48500100201", "+48500100201"),
        ("48 500-100-201", "+48500100201"),
        # No such international number can exist, so it is the clinic's own country.
        ("500100201", "+48500100201"),
        ("601234567", "+48601234567"),
        ("s12345", "12345"),
        ("s1234567", "1234567"),
        ("12345", "12345"),
        ("48500100201 (Anna)", "+48500100201"),
        ("Anna +48500100201", "+48500100201"),
    ],
)
def test_files_of_smstools_are_read_as_smsd_reads_them(text, number):
    assert phone.parse_recipient(text, country="PL", international_digits=True) == number


@pytest.mark.parametrize(
    ("text", "international_digits", "why"),
    [
        ("", False, "is empty"),
        ("  ", True, "is empty"),
        ("Pharmacy", False, "is a name"),
        ("s12345", False, "is a name"),
        ("s", True, "is a name"),
        ("tel:+48500100201", False, "is a name"),
        ("*100#", False, "service code"),
        ("*100#", True, "service code"),
        ("+", False, "is no phone number"),
        ("-", False, "is no phone number"),
        ("500100201;500100202", False, "is no phone number"),
        ("48500100201,48500100202", True, "is no phone number"),
        ("48500100201/2 48", False, "wrong number|no number"),
        ("\u066500100201", False, "is no phone number"),
        ("+48\u00b2500100201", False, "is no phone number"),
        ("\u202e102001005", False, "is no phone number"),
        ("5001002", False, "is no number of PL"),
        ("50010020", False, "is no number of PL"),
        ("447700900123", False, "a foreign one needs its \\+"),
        ("+4850010020", False, "wrong number of digits for country code \\+48"),
        ("+485001002011", False, "wrong number of digits"),
        ("+999123456789", False, "country code that does not exist"),
        ("+4800000000", False, "wrong number of digits"),
        ("+12", False, "country code that does not exist"),
        ("+4850010020100000000", False, "more than the 15 digits"),
        ("1" * 101, False, "too long"),
    ],
)
def test_what_is_no_number_is_refused_with_the_reason(text, international_digits, why):
    with pytest.raises(BadNumberError, match=why) as caught:
        phone.parse_recipient(text, country="PL", international_digits=international_digits)
    assert "allowed are" in str(caught.value)
    assert len(str(caught.value)) < 300


@given(st.text(max_size=30), st.booleans())
def test_any_text_is_a_number_or_refused(text, international_digits):
    try:
        number = phone.parse_recipient(
            text, country="PL", international_digits=international_digits
        )
    except BadNumberError:
        return
    assert number.removeprefix("+").isascii()
    assert number.removeprefix("+").isdecimal()


@given(st.integers(500_000_000, 889_999_999))
def test_reading_twice_changes_nothing(national):
    try:
        number = phone.parse_recipient(str(national), country="PL")
    except BadNumberError:
        return
    assert phone.parse_recipient(number, country="GB") == number
    assert phone.normalise_sender(number, "GB") == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+48500100201", "+48500100201"),
        ("500100201", "+48500100201"),
        ("48500100201", "+48500100201"),
        ("0048500100201", "+48500100201"),
        ("447700900123", "+447700900123"),
        ("Pharmacy", "Pharmacy"),
        (" Orange ", "Orange"),
        ("1234", "1234"),
        ("*100#", "*100#"),
        ("s123", "s123"),
        ("", ""),
        ("12345678901234567", "12345678901234567"),
        ("x" * 200, "x" * 200),
    ],
)
def test_senders_become_e164_or_stay_as_they_are(text, number):
    assert phone.normalise_sender(text, "PL") == number


@given(st.text(max_size=30))
def test_no_sender_is_an_exception(text):
    phone.normalise_sender(text, "PL")


@pytest.mark.parametrize(
    ("number", "mobile"),
    [
        ("+48500100201", True),
        ("+48221234567", False),
        ("+12125550123", True),
        ("12345", False),
        ("Pharmacy", False),
    ],
)
def test_mobiles_are_told_from_landlines(number, mobile):
    assert phone.is_mobile(number) is mobile


def test_country_codes_are_those_of_the_number_plans():
    import phonenumbers

    for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        assert phone.country_code_length(f"+{code}5551234567") == len(str(code))


def test_countries_are_known_by_two_letters():
    assert phone.is_country("PL")
    assert not phone.is_country("pl")
    assert not phone.is_country("POL")


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+48601234567", "+48601***567"),
        ("+48 601 234 567", "+48601***567"),
        ("\uff0b48601234567", "+48601***567"),
        ("+3531234567", "+35312***567"),
        ("+353123456", "+3531***456"),
        ("601234567", "601***567"),
        ("*100#", "***0#"),
        ("Pharmacy", "P***"),
        ("Żabka 24", "Ż***"),
        ("  ", ""),
    ],
)
def test_masked_numbers_hide_their_middle(number, shown):
    assert phone.mask(number) == shown


@given(st.from_regex(r"\+?[0-9]{9,15}", fullmatch=True))
def test_at_least_two_digits_stay_hidden(number):
    shown = phone.mask(number)
    assert "***" in shown
    assert len(shown.removeprefix("+")) - 3 <= len(number.removeprefix("+")) - 2


@given(st.text())
def test_masking_never_raises(text):
    phone.mask(text)
