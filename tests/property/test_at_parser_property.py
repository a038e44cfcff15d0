# SPDX-License-Identifier: Apache-2.0
import itertools

from hypothesis import given
from hypothesis import strategies as st

from gsmgw.at import fields, masking, network, parser, replies, sim, sorting, storage

TALK = st.lists(
    st.sampled_from(
        [b"\r\n", b"\r", b"\n", b">", b"> ", b"OK", b"+CMGS: 7", b"\x1a", b"\x1b", b"\x00", b"\xff",
         b" ", b'"', b"+CMTI: \"SM\",3", b"0011AB", b"AT+CSQ"]
    )
    | st.binary(max_size=6),
    max_size=40,
).map(b"".join)  # fmt: skip


@given(TALK, st.lists(st.integers(0, 200), max_size=20))
def test_lines_do_not_depend_on_how_reads_are_cut(octets, cuts):
    whole = parser.Parser()
    expected = whole.feed(octets)
    pieces = parser.Parser()
    found = []
    edges = sorted({0, len(octets), *(cut for cut in cuts if cut <= len(octets))})
    for start, end in itertools.pairwise(edges):
        found += pieces.feed(octets[start:end])
    assert found == expected
    assert pieces.pending == whole.pending


@given(st.binary(max_size=300))
def test_byte_by_byte_is_the_same(octets):
    pieces = parser.Parser()
    found = [event for octet in octets for event in pieces.feed(bytes([octet]))]
    assert found == parser.Parser().feed(octets)


@given(st.text(max_size=80) | st.from_regex(r"\+C[A-Z]{2,3}: ?[0-9\",()\- ]{0,40}", fullmatch=True))
def test_nothing_that_a_modem_says_makes_a_reader_fail(text):
    for read in (
        replies.parse_final, replies.unsolicited_lines, replies.is_restart,
        network.parse_registration, network.parse_signal, network.parse_operator,
        network.parse_caller, network.parse_call, network.parse_service_text, network.parse_clock,
        storage.parse_memories, storage.parse_memory_choices, storage.parse_reference,
        storage.parse_notice, storage.parse_service_centre, sim.parse_pin_state,
        sim.parse_pin_tries, sim.parse_iccid, sim.parse_sim_file, masking.mask, fields.brackets,
    ):  # fmt: skip
        read(text)
    for read_lines in (storage.parse_list, storage.parse_read, sim.parse_imei, sim.parse_imsi):
        read_lines([text, text])


@given(
    st.lists(st.text(max_size=30) | st.sampled_from(["OK", "+CMT: ,25", "00" * 30]), max_size=20)
)
def test_every_line_ends_up_somewhere_and_sorting_never_fails(lines):
    sorter = sorting.Sorter()
    waiting = sorting.Expectation(("+CSQ:",))
    for line in lines:
        sorter.take(line, waiting)
    sorter.take("OK", waiting)
    assert waiting.final is not None


@given(st.integers(0, 2**62))
def test_no_number_leaves_the_mask_whole(number):
    digits = f"{number:07d}"
    assert digits not in masking.mask(f'+CLIP: "+{digits}",145')
