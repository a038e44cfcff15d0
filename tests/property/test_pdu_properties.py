# SPDX-License-Identifier: Apache-2.0
"""What holds for every text, number and row of octets."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import unicodedata

import pdu_support
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gsmgw import pdu
from gsmgw.pdu import alphabet, graphemes, header, tables, times
from gsmgw.pdu.alphabet import Alphabet

#: A busy machine may take any time over an example.
_untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

_GSM7_TEXT = st.text(st.sampled_from(sorted(alphabet.GSM7_CHARACTERS)), max_size=700)
_EMOJI = st.sampled_from(
    ["👨\u200d👩\u200d👧", "👍🏽", "🇵🇱", "🇬🇧", "❤\ufe0f", "e\u0301", "1\ufe0f\u20e3", "\r\n", "हि"]
)
_ANY_TEXT = st.text(max_size=300) | st.lists(st.text(max_size=30) | _EMOJI, max_size=60).map(
    "".join
)
_OCTET = st.integers(0, 255)
_NUMBERS = st.from_regex(r"\+?[0-9*#abc]{1,20}", fullmatch=True)
_TIMES = st.datetimes(
    dt.datetime(1991, 1, 1),  # noqa: DTZ001 (hypothesis adds the zone)
    dt.datetime(2088, 12, 31),  # noqa: DTZ001 (as above)
    timezones=st.integers(-79, 79).map(
        lambda quarters: dt.timezone(dt.timedelta(minutes=15 * quarters))
    ),
).map(lambda at: at.replace(microsecond=0))


@_untimed
@given(_GSM7_TEXT)
def test_gsm7_text_survives_septets(text: str) -> None:
    assert alphabet.decode_septets(alphabet.encode_septets(text)) == text


@_untimed
@given(st.binary(max_size=160), st.sampled_from(sorted(tables.LOCKING)), st.integers(0, 3))
def test_any_septets_are_text(octets: bytes, locking: int, single: int) -> None:
    septets = bytes(octet & 0x7F for octet in octets)
    text = alphabet.decode_septets(septets, locking=locking, single=single)
    again = alphabet.encode_septets(text, locking=locking, single=single)
    assert alphabet.decode_septets(again, locking=locking, single=single) == text


@_untimed
@given(st.binary(max_size=160), st.integers(0, 6))
def test_packing_is_undone(octets: bytes, fill_bits: int) -> None:
    septets = bytes(octet & 0x7F for octet in octets)
    packed = alphabet.pack(septets, fill_bits=fill_bits)
    assert len(packed) == (len(septets) * 7 + fill_bits + 7) // 8
    assert alphabet.unpack(packed, len(septets), fill_bits=fill_bits) == septets


@_untimed
@given(_NUMBERS)
def test_numbers_come_back(number: str) -> None:
    submit = pdu.Submit(number, pdu_support.make_text_segment("hello"))
    recipient = pdu_support.decode_submission(pdu.encode_submit(submit)).recipient
    assert recipient == pdu.make_address(number)
    assert recipient.digits == number


@_untimed
@given(_TIMES)
def test_times_come_back(at: dt.datetime) -> None:
    decoded = times.decode_time(times.encode_time(at))
    assert decoded is not None
    assert (decoded, decoded.utcoffset()) == (at, at.utcoffset())


@_untimed
@given(st.binary(min_size=7, max_size=7))
def test_any_seven_octets_are_a_time_or_none(octets: bytes) -> None:
    at = times.decode_time(octets)
    assert at is None or at.tzinfo is not None


@_untimed
@given(st.floats(min_value=0, max_value=63 * 7 * 86400))
def test_validity_is_the_shortest_that_is_long_enough(seconds: float) -> None:
    vp = pdu.relative_validity(seconds)
    assert pdu.validity_seconds(vp) >= seconds
    assert vp == 0 or pdu.validity_seconds(vp - 1) < seconds


@_untimed
@given(st.binary(max_size=60))
def test_any_header_is_read_or_refused(octets: bytes) -> None:
    try:
        elements = pdu.read_elements(octets)
    except header.PduError:
        return
    assert b"".join(bytes((e.identifier, len(e.value))) + e.value for e in elements) == octets
    header.read_concat(elements)
    header.read_shift(octets)
    pdu.read_ports(octets)


@_untimed
@given(_ANY_TEXT)
def test_graphemes_are_the_text(text: str) -> None:
    clusters = list(graphemes.split_graphemes(text))
    assert "".join(clusters) == text
    assert all(clusters)


@_untimed
@given(_GSM7_TEXT | _ANY_TEXT)
def test_segments_are_the_text_and_fit(text: str) -> None:
    segments = pdu.segment(text)
    assert "".join(segment.text for segment in segments) == text
    measure = pdu.measure(text)
    assert measure.parts == len(segments)
    assert measure.units == sum(segment.units for segment in segments)
    room = pdu.capacity(measure.alphabet, 5 if len(segments) > 1 else 0)
    for segment in segments:
        assert segment.alphabet is measure.alphabet
        assert segment.units == alphabet.count_units(segment.text, segment.alphabet) <= room
    assert "".join(measure.because) == "".join(dict.fromkeys(measure.because))


def _is_joined(before: str, after: str) -> bool:
    """Tell by other means than the code under test whether two characters belong together."""
    return (
        bool(unicodedata.combining(after))
        or after in "\ufe0f\ufe0e\u200d\u20e3"
        or before == "\u200d"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or before + after == "\r\n"
    )


@_untimed
@given(_ANY_TEXT, st.integers(1, 66))
@example("🇵🇱" * 20, 1)
def test_no_segment_ends_inside_a_grapheme(text: str, shift: int) -> None:
    segments = pdu.segment("ą" * shift + text, alphabet=Alphabet.UCS2)
    for first, second in itertools.pairwise(segments):
        last_grapheme = list(graphemes.split_graphemes(first.text + second.text[0]))[-1]
        if alphabet.count_units(last_grapheme, Alphabet.UCS2) > 60:
            continue  # longer than a part, or nearly so
        assert not _is_joined(first.text[-1], second.text[0])


@_untimed
@given(st.lists(st.sampled_from(["🇵🇱", "🇬🇧", "🇩🇪"]), min_size=20, max_size=60))
def test_flags_stay_whole(flags: list[str]) -> None:
    for segment in pdu.segment("".join(flags)):
        assert len(segment.text) % 2 == 0
        assert {segment.text[at : at + 2] for at in range(0, len(segment.text), 2)} <= set(flags)


@_untimed
@given(_GSM7_TEXT | _ANY_TEXT, st.booleans(), st.randoms(use_true_random=False))
def test_text_survives_the_air_in_any_order_with_doubles(
    text: str, wide: bool, random: object
) -> None:
    parts = pdu_support.deliver_parts(text, ref=66, wide=wide)
    assert not any(part.note.replace("no time stamp", "") for part in parts)
    shuffled = [*parts, *parts[:2]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert pdu.join_texts(shuffled) == text


@_untimed
@given(st.binary(max_size=400), st.lists(st.integers(1, 140), min_size=1, max_size=6))
def test_octets_cut_anywhere_by_another_sender_are_joined(
    octets: bytes, lengths: list[int]
) -> None:
    text = octets.decode("utf-16-be", errors="replace") if len(octets) % 2 == 0 else "a👍b"
    whole = text.encode("utf-16-be")
    parts = []
    at = 0
    for number, length in enumerate([*lengths, len(whole)], start=1):
        chunk = whole[at : at + 2 * length]
        at += 2 * length
        part = pdu.Deliver(
            sender=pdu_support.SENDER,
            alphabet=Alphabet.UCS2,
            concat=pdu.Concat(1, 255, number),
            user_data=chunk,
        )
        parts.append(part)
    assert pdu.join_texts(parts) == text


@_untimed
@given(
    st.builds(
        pdu.Deliver,
        sender=_NUMBERS.map(pdu.make_address),
        data=st.binary(max_size=130),
        alphabet=st.just(Alphabet.DATA),
        dcs=st.sampled_from([0x04, 0x44, 0x20]),
        pid=_OCTET,
        concat=st.builds(
            pdu.Concat, st.integers(0, 65535), st.just(255), st.integers(1, 255), st.just(True)
        )
        | st.none(),
        service_centre_at=_TIMES,
        service_centre=st.from_regex(r"\+?[0-9]{1,20}", fullmatch=True) | st.none(),
        more_to_send=st.booleans(),
        reply_path=st.booleans(),
        report_indication=st.booleans(),
    )
)
def test_data_survives_the_air(delivery: pdu.Deliver) -> None:
    decoded = pdu_support.decode_delivery(pdu.encode_deliver(delivery).hex())
    changes = {"udh": decoded.udh, "note": decoded.note, "user_data": delivery.data}
    assert decoded == dataclasses.replace(delivery, **changes)  # type: ignore[arg-type]


@_untimed
@given(
    st.builds(
        pdu.StatusReport,
        mr=_OCTET,
        recipient=_NUMBERS.map(pdu.make_address),
        service_centre_at=_TIMES,
        discharged_at=_TIMES,
        status=_OCTET,
        service_centre=st.none(),
    )
)
def test_status_reports_come_back(report: pdu.StatusReport) -> None:
    assert pdu.decode(pdu.encode_status_report(report)) == report


def _check_value(decoded: pdu.Decoded) -> None:
    """Whatever was decoded can be shown, stored as UTF-8, and described."""
    assert isinstance(decoded, pdu.Deliver | pdu.StatusReport | pdu.DecodedSubmit | pdu.Undecodable)
    described = pdu.describe(decoded)
    assert ("error" in described) is isinstance(decoded, pdu.Undecodable)
    text = described.get("text")
    if isinstance(text, str):
        text.encode("utf-8")


_DIRECTIONS = st.sampled_from(["in", "out"])


@_untimed
@given(st.binary(max_size=200), _DIRECTIONS, st.booleans())
def test_any_octets_give_a_value(octets: bytes, direction: str, centre: bool) -> None:
    decoded = pdu.decode(octets, direction=direction, service_centre=centre)  # type: ignore[arg-type]
    _check_value(decoded)
    assert decoded == pdu.decode(octets, direction=direction, service_centre=centre)  # type: ignore[arg-type]


@_untimed
@given(st.text(max_size=60), _DIRECTIONS, st.booleans())
def test_any_text_gives_a_value(text: str, direction: str, centre: bool) -> None:
    _check_value(pdu.decode(text, direction=direction, service_centre=centre))  # type: ignore[arg-type]


@_untimed
@given(_OCTET, _OCTET, _OCTET, st.binary(max_size=150), st.booleans())
def test_any_coding_length_and_user_data_give_a_delivery(
    dcs: int, pid: int, length: int, octets: bytes, has_header: bool
) -> None:
    hexadecimal = pdu_support.make_delivery_pdu(
        f"{length:02X}{octets.hex()}", dcs=dcs, pid=pid, has_header=has_header
    )
    decoded = pdu_support.decode_delivery(hexadecimal)
    _check_value(decoded)
    assert (decoded.text is None) is (decoded.alphabet is Alphabet.DATA)
    assert (decoded.data is None) is (decoded.alphabet is not Alphabet.DATA)
    assert pdu.join_texts([decoded]) == (decoded.text or "")


@_untimed
@given(_OCTET, st.binary(max_size=30), st.text(st.sampled_from("abżó€👍"), max_size=30))
def test_described_messages_come_back(pid: int, octets: bytes, text: str) -> None:
    for fields in (
        {"type": "deliver", "sender": "+48500100201", "text": text, "pid": pid},
        {"type": "submit", "recipient": "2580", "data_hex": octets.hex().upper(), "pid": pid},
    ):
        described = pdu.describe(pdu.decode(pdu.encode_described(fields)))
        assert {key: described[key] for key in fields} == fields
        assert pdu.describe(pdu.decode(pdu.encode_described(described))) == described


@_untimed
@given(_ANY_TEXT)
def test_folding_is_done_in_one_go_and_keeps_what_fits(text: str) -> None:
    folded = pdu.fold(text)
    assert pdu.fold(folded) == folded
    if pdu.is_gsm7(text):
        assert folded == text


@_untimed
@given(st.text(st.characters(codec="iso8859-2", categories=["Lu", "Ll"]), max_size=50))
def test_every_letter_of_central_europe_folds_into_gsm7(text: str) -> None:
    assert pdu.is_gsm7(pdu.fold(text))
