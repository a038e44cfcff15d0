# SPDX-License-Identifier: Apache-2.0
"""Any octets in a file, any name: a message or a refusal, and nothing of the client's is lost."""

from __future__ import annotations

import datetime as dt
import os

from hypothesis import given
from hypothesis import strategies as st

from gsmgw.errors import RejectedError
from gsmgw.pdu import Alphabet
from gsmgw.spool import names
from gsmgw.spool.formats import arrivals, headers, json_format, outcomes, smstools
from gsmgw.spool.formats.arrivals import Origin, Sms
from gsmgw.spool.formats.outcomes import Outcome, Trial
from gsmgw.spool.formats.smstools import Surroundings

NOW = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
AROUND = Surroundings("reception", "X", NOW, dt.UTC, ("front",), service_centres=True)

HEADERS = """
    To To_TOA Alphabet Binary Hex UDH UDH-DATA UDH-DUMP Autosplit Flash Class DCS_hex Report
    Priority Queue Provider Validity SMSC Replace Reject_duplicates Reply_path Ping
    Message_reference System_message Text_is_pdu Language Language_ext Voicecall Macro Include
    Category Not_before Expires Source Reference Gsmgw_id X-Clinic
""".split()  # noqa: SIM905 - as words of a text it can be read
VALUES = st.sampled_from(
    """
    |yes|no|1|2|3|7|255|256|48500100201|s2580|+48500100201|UTF-8|UCS2|binary|GSM|HIGH|F5|2 hours
    |05 00 03 A7 02 01|2026-11-24 08:00|ToSIM|%n%=Ann
    """.strip().split("|")
)
LINES = st.tuples(st.sampled_from(HEADERS), VALUES | st.text(max_size=12)).map(
    lambda pair: f"{pair[0]}: {pair[1]}\n".encode("utf-8", "replace")
)
FILES = st.builds(
    lambda lines, blank, body: b"".join(lines) + blank + body,
    st.lists(LINES, max_size=8),
    st.sampled_from([b"\n", b"\r\n", b"  \n", b""]),
    st.binary(max_size=60) | st.text(max_size=60).map(lambda t: t.encode("utf-8", "replace")),
)
OUTCOME = Outcome(
    at=NOW, trial=Trial("front", "1", "2", (0, None)), report_requested=True, state="sent"
)


@given(FILES | st.binary(max_size=200))
def test_any_file_is_a_message_or_a_refusal_of_one_line(content: bytes) -> None:
    try:
        outgoing = smstools.parse(content, AROUND)
    except RejectedError as error:
        words = str(error)
    else:
        words = "none"
        assert outgoing.draft.text or (outgoing.draft.tp and outgoing.draft.tp.data is not None)
        outgoing.draft.text.encode()  # no half characters reach the store
    assert words
    assert "\n" not in words


@given(st.binary(max_size=200) | FILES)
def test_pieces_put_together_are_the_file(content: bytes) -> None:
    file = headers.split(content)
    whole = b"".join(file.lines) + file.blank + file.body
    assert whole == content.removeprefix(b"\xef\xbb\xbf")


@given(st.binary(max_size=200) | FILES)
def test_what_is_added_leaves_the_clients_lines_and_the_body_alone(content: bytes) -> None:
    before = headers.split(content)
    after = headers.split(outcomes.add_outcome(content, OUTCOME))
    assert after.body == before.body
    kept = [line for line in before.lines if headers.name_of(line) not in headers.REMOVED]
    added = [line.rstrip(b"\r\n") for line in after.lines[: len(kept)]]
    assert added == [line.rstrip(b"\r\n") for line in kept]
    assert after.value("Message_id") == "256"
    again = outcomes.add_outcome(outcomes.add_outcome(content, OUTCOME), OUTCOME)
    assert again == outcomes.add_outcome(content, OUTCOME)


@given(st.binary(min_size=1, max_size=255).filter(lambda o: b"/" not in o and b"\x00" not in o))
def test_any_name_survives_the_store_and_takes_a_suffix(octets: bytes) -> None:
    name = os.fsdecode(octets)
    assert os.fsencode(names.from_text(names.to_text(name))) == octets
    names.to_text(name).encode()
    for suffix in (".1", names.RESULT_SUFFIX):
        assert len(os.fsencode(names.with_suffix(name, suffix))) <= names.LONGEST_NAME
    assert len(os.fsencode(names.result_name(name, 17))) <= names.LONGEST_NAME


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["recipient", "text", "flash", "source", "reference", "x"]), inner
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_elements_or_a_refusal(document: object) -> None:
    content = json_format.format_document(document)
    try:
        elements = json_format.parse(content, source="s", spool_file="X")
    except RejectedError as error:
        words = str(error)
    else:
        words = "none"
        assert [item.position for item in elements] == list(range(len(elements)))
        assert all((item.draft is None) is bool(item.error) for item in elements)
    assert words


@given(st.text(max_size=40), st.text(max_size=12), st.booleans(), st.sampled_from(list(Alphabet)))
def test_any_sender_and_text_make_one_header_block(
    text: str, sender: str, smsd: bool, alphabet: Alphabet
) -> None:
    origin = Origin(sender, 0xD0, "front", "", "", NOW)
    sms = Sms(text, alphabet, report_indication=True)
    content = arrivals.format_sms(origin, sms, {}, smsd_alphabets=smsd)
    file = headers.split(content)
    assert [headers.name_of(line) for line in file.lines][:3] == ["From", "From_TOA", "Received"]
    assert len([line for line in file.lines if headers.name_of(line) == "Report"]) == 1
