# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import pdu_support
import pytest

from gsmgw import pdu
from gsmgw.pdu.alphabet import Alphabet

_HI = "02C834"


def _decode(user_data: str, *, dcs: int = 0, pid: int = 0, has_header: bool = False) -> pdu.Deliver:
    return pdu_support.decode_delivery(
        pdu_support.make_delivery_pdu(user_data, dcs=dcs, pid=pid, has_header=has_header)
    )


def test_every_field_of_a_delivery() -> None:
    assert _decode(_HI, dcs=0x11, pid=0x41) == pdu.Deliver(
        sender=pdu.Address("+48500100200", 0x91),
        text="Hi",
        alphabet=Alphabet.GSM7,
        dcs=0x11,
        pid=0x41,
        message_class=1,
        service_centre_at=pdu_support.SENT_AT,
        service_centre="+48500100290",
        user_data=b"Hi",
    )


@pytest.mark.parametrize(
    ("first", "more", "reply_path", "indication"),
    [
        ("04", False, False, False),
        ("00", True, False, False),
        ("84", False, True, False),
        ("24", False, False, True),
        ("0C", False, False, False),  # loop prevention says nothing to us
    ],
)
def test_bits_of_the_first_octet(
    first: str, more: bool, reply_path: bool, indication: bool
) -> None:
    decoded = pdu_support.decode_delivery(f"00{first}048121430000621122010354400{_HI[1:]}")
    assert decoded.more_to_send is more
    assert decoded.reply_path is reply_path
    assert decoded.report_indication is indication


def test_type_zero_and_replacing_messages_show_their_identifier() -> None:
    assert [_decode(_HI, pid=pid).pid for pid in (0x40, 0x41, 0x47)] == [0x40, 0x41, 0x47]


def test_empty_texts_and_data() -> None:
    assert _decode("00").text == ""
    assert _decode("00", dcs=8).text == ""
    assert _decode("00", dcs=4).data == b""


def test_ucs2_keeps_its_octets() -> None:
    decoded = _decode("06" + "0054D83DDC4D", dcs=8)
    assert (decoded.text, decoded.user_data.hex()) == ("T👍", "0054d83ddc4d")


@pytest.mark.parametrize(
    ("user_data", "text", "note"),
    [
        ("030054D8", "T", "half a character at the end"),
        ("080054D83D", "T\ufffd", "only 4 of 8 octets of user data"),
        ("04D83D0054", "\ufffdT", ""),
    ],
)
def test_broken_ucs2(user_data: str, text: str, note: str) -> None:
    decoded = _decode(user_data, dcs=8)
    assert (decoded.text, decoded.note) == (text, note)


def test_text_shorter_than_announced_is_read_as_far_as_it_goes() -> None:
    decoded = _decode("A0E8329BFD06")
    assert decoded.text == "hello"
    assert decoded.note == "only 5 of 160 septets of user data"
    decoded = _decode("05AABB", dcs=4)
    assert (decoded.data, decoded.note) == (b"\xaa\xbb", "only 2 of 5 octets of user data")


def test_no_user_data_at_all() -> None:
    decoded = _decode("05")
    assert (decoded.text, decoded.note) == ("", "only 0 of 5 septets of user data")


@pytest.mark.parametrize(
    ("user_data", "udh", "note"),
    [
        ("00", "", "no user data header where one was announced"),
        (
            "0405000307",
            "000307",
            "the user data header is longer than the user data;"
            " the user data header does not end where its last element does",
        ),
        ("050300030748", "000307", "the user data header does not end where its last element does"),
    ],
)
def test_broken_header(user_data: str, udh: str, note: str) -> None:
    decoded = _decode(user_data, dcs=4, has_header=True)
    assert (decoded.udh.hex(), decoded.concat, decoded.note) == (udh, None, note)


def test_text_behind_a_broken_header_is_read() -> None:
    # The header takes 5 septets, 3 bits of them empty.
    decoded = _decode("07" + "03000307" + "40A601", has_header=True)
    assert decoded.text == "Hi"
    assert decoded.note == "the user data header does not end where its last element does"


def test_length_that_ends_inside_the_header_gives_no_text() -> None:
    decoded = _decode("06" + "050003AA0201", has_header=True)
    assert (decoded.text, decoded.concat) == ("", pdu.Concat(0xAA, 2, 1))


def test_unknown_national_language_is_named_and_read_by_the_default_table() -> None:
    decoded = _decode("08" + "0325010D" + "D84CC3", has_header=True)
    assert decoded.note == "unknown national language 13"
    assert decoded.text == "Sa"


@pytest.mark.parametrize(
    ("udh", "septets", "text"),
    [
        ("250101", b"\x04\x0b\x1c\x40\x60", "€ĞŞİç"),
        ("240102", b"\x1b\x41\x1b\x61\x1b\x75n", "Ááún"),
        ("250103", b"\x04\x15\x5b\x7d", "ê∞Ã`"),
        ("240103", b"\x1b\x0e\x1b\x7f", "Áâ"),
        ("250103240103", b"\x5b\x1b\x5b\x1b\x12", "ÃÃΦ"),
    ],
)
def test_national_tables(udh: str, septets: bytes, text: str) -> None:
    header = bytes.fromhex(udh)
    delivery = pdu.Deliver(sender=pdu_support.SENDER, text=text, udh=header)
    decoded = pdu_support.decode_delivery(pdu.encode_deliver(delivery).hex())
    assert decoded.text == text
    if udh != "250103240103":  # there the encoder takes the shorter way
        assert decoded.user_data == septets


def test_compressed_text_is_kept_as_data() -> None:
    decoded = _decode("03AABBCC", dcs=0x20)
    assert (decoded.alphabet, decoded.data) == (Alphabet.DATA, b"\xaa\xbb\xcc")
    assert decoded.note == "compressed text, kept as data"


def test_reserved_coding_is_read_as_gsm7_and_named() -> None:
    decoded = _decode(_HI, dcs=0x8F)
    assert (decoded.text, decoded.note) == ("Hi", "reserved data coding scheme 8F")


def test_reserved_message_type_is_read_as_a_delivery() -> None:
    decoded = pdu_support.decode_delivery("0007048121430000621122010354400" + _HI[1:])
    assert (decoded.text, decoded.note) == ("Hi", "reserved message type 3, read as a delivery")


def test_octets_are_taken_as_well_as_hex() -> None:
    hexadecimal = pdu_support.make_delivery_pdu(_HI)
    assert pdu.decode(bytes.fromhex(hexadecimal)) == pdu.decode(hexadecimal.lower() + "\r\n")


def test_without_service_centre() -> None:
    whole = pdu_support.make_delivery_pdu(_HI)
    decoded = pdu.decode(whole[16:], service_centre=False)
    assert decoded == dataclasses.replace(pdu_support.decode_delivery(whole), service_centre=None)


@pytest.mark.parametrize(
    ("hexadecimal", "error"),
    [
        ("", "it ends in the service centre address"),
        ("0", "it is not hex, or half an octet is missing"),
        ("07918", "it is not hex, or half an octet is missing"),
        ("+CMT: 23", "it is not hex, or half an octet is missing"),
        ("ą", "it is not hex, or half an octet is missing"),
        ("0791", "it ends in the service centre address"),
        ("0D" + "91" * 13, "a service centre address of 13 octets"),
        ("00", "it ends in the first octet"),
        ("0004", "it ends in the sender's address"),
        ("00040B9184", "it ends in the sender's address"),
        ("0004048121430000", "it ends in the time stamp"),
        ("000404812143", "it ends in the protocol identifier"),
        ("00040481214300006211220103544", "it is not hex, or half an octet is missing"),
        ("000404812143000062112201035440", "it ends in the user data length"),
        ("0002", "it ends in the message reference"),
        ("000205048121436211220103544062112201035440", "it ends in the status"),
        ("0001", "it ends in the message reference"),
        ("001105048121430000", "it ends in the validity period"),
    ],
)
def test_undecodable_says_why(hexadecimal: str, error: str) -> None:
    decoded = pdu.decode(hexadecimal)
    assert isinstance(decoded, pdu.Undecodable)
    assert (decoded.pdu, decoded.error) == (hexadecimal, error)


def test_undecodable_keeps_octets_and_service_centre() -> None:
    decoded = pdu.decode(bytes.fromhex("07918405100002F004"))
    assert decoded == pdu.Undecodable(
        "07918405100002F004", "it ends in the sender's address", "+48500100200"
    )


@pytest.mark.parametrize("first", ["00", "02", "03"])
def test_only_submissions_go_out(first: str) -> None:
    decoded = pdu.decode(f"00{first}00", direction="out")
    assert decoded == pdu.Undecodable(
        f"00{first}00", f"it is no SMS-SUBMIT: its message type is {int(first)}", None
    )


def test_what_follows_a_status_report_is_ignored() -> None:
    report = "0006050481214362112201035440621122010354400100FF0405AA"
    decoded = pdu.decode(report)
    assert isinstance(decoded, pdu.StatusReport)
    assert (decoded.mr, decoded.status, decoded.recipient.digits) == (5, 1, "1234")


def test_broken_times_of_a_status_report() -> None:
    decoded = pdu.decode("000605048121430000000000000062112201030640" + "00")
    assert isinstance(decoded, pdu.StatusReport)
    assert (decoded.service_centre_at, decoded.discharged_at) == (None, None)
    assert decoded.note == "no time stamp; broken discharge time 62112201030640"


@pytest.mark.parametrize(
    ("first", "octets", "validity", "until", "note"),
    [
        ("01", "", None, None, ""),
        ("11", "AA", 170, None, ""),
        ("19", "62112201035440", None, pdu_support.SENT_AT, ""),
        ("19", "00000000000000", None, None, ""),
        ("09", "41050000000000", None, None, "enhanced validity period 41050000000000 not read"),
    ],
)
def test_validity_of_a_submission(
    first: str, octets: str, validity: int | None, until: object, note: str
) -> None:
    decoded = pdu.decode(f"00{first}05048121430000{octets}{_HI}", direction="out")
    assert isinstance(decoded, pdu.DecodedSubmit)
    assert (decoded.validity, decoded.valid_until, decoded.note) == (validity, until, note)
    assert decoded.text == "Hi"


def _part(number: int, total: int = 3, **changes: object) -> pdu.Deliver:
    part = pdu.Deliver(sender=pdu_support.SENDER, concat=pdu.Concat(1, total, number))
    return dataclasses.replace(part, **changes)


def test_joining_makes_cut_characters_whole() -> None:
    halves = [
        _part(1, alphabet=Alphabet.UCS2, text="T\ufffd", user_data=bytes.fromhex("0054D83D")),
        _part(2, alphabet=Alphabet.UCS2, text="\ufffd", user_data=bytes.fromhex("DC4D")),
    ]
    assert pdu.join_texts(halves[::-1]) == "T👍"
    escaped = [_part(1, text="a ", user_data=b"a\x1b"), _part(2, text="e", user_data=b"\x65")]
    assert pdu.join_texts(escaped) == "a€"


def test_joining_does_not_bridge_a_gap() -> None:
    halves = [
        _part(1, alphabet=Alphabet.UCS2, user_data=bytes.fromhex("0054D83D")),
        _part(3, alphabet=Alphabet.UCS2, user_data=bytes.fromhex("DC4D")),
    ]
    assert pdu.join_texts(halves) == "T\ufffd\ufffd"


def test_joining_mixed_alphabets_and_doubles() -> None:
    parts = [
        _part(2, alphabet=Alphabet.UCS2, user_data="ż".encode("utf-16-be")),
        _part(1, user_data=b"a"),
        _part(1, user_data=b"never seen"),
        _part(3, alphabet=Alphabet.DATA, data=b"x", user_data=b"x"),
    ]
    assert pdu.join_texts(parts) == "aż"


def test_joining_reads_each_part_by_its_own_tables() -> None:
    parts = [
        _part(1, udh=bytes.fromhex("250101"), user_data=b"\x1c"),
        _part(2, user_data=b"\x1c"),
        _part(3, udh=b"\x00", user_data=b"\x1c"),
    ]
    assert pdu.join_texts(parts) == "ŞÆÆ"


def test_joining_odd_octets_does_not_shift_the_next_part() -> None:
    parts = [
        _part(1, alphabet=Alphabet.UCS2, user_data=bytes.fromhex("005400")),
        _part(2, alphabet=Alphabet.UCS2, user_data=bytes.fromhex("0055")),
    ]
    assert pdu.join_texts(parts) == "TU"


def test_joining_one_or_none() -> None:
    assert pdu.join_texts([]) == ""
    single = _decode(_HI)
    assert pdu.join_texts([single]) == "Hi"
