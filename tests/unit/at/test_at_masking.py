# SPDX-License-Identifier: Apache-2.0
import pytest

from gsmgw.at import masking


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('AT+CPIN="1234"', "AT+CPIN=***"),
        ('AT+CPIN="12345678","1234"', "AT+CPIN=***"),
        ('AT+CLCK="SC",1,"1234"', "AT+CLCK=***"),
        ("AT+CPIN?", "AT+CPIN?"),
        ("+CPIN: READY", "+CPIN: READY"),
        ("0011000B918405100002F1" + "00" * 20, "<31 octets>"),
        ('+CLIP: "+48500100201",145', '+CLIP: "+485***01",145'),
        ("260011234567890", "260***90"),
        ('+CUSD: 0,"Your balance is 3",15', '+CUSD: 0,"***",15'),
        ('AT+CUSD=1,"*101*1234#",15', 'AT+CUSD=1,"***",15'),
        ("AT+CSQ", "AT+CSQ"),
        ("+CMGS: 7", "+CMGS: 7"),
    ],
)
def test_pins_pdus_numbers_and_texts_are_masked(text, shown):
    assert masking.mask(text) == shown
    assert str(masking.Masked(text)) == shown
