# SPDX-License-Identifier: Apache-2.0
"""Everything of gsmgw that reads foreign octets, each as a check that takes any octets at all.

A check returns nothing and raises when something is wrong: an error that is no refusal, a value
that cannot be stored or shown, more words than were given. `CHECKS` names them, `corpus` gives
good input for each, `mutate` spoils it. The property tests and the long run share all of it.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from gsmgw import errors, log_line, logs, pdu, phone
from gsmgw.at import masking, network, parser, replies, sim, sorting, storage
from gsmgw.cli import codec, display
from gsmgw.cli.messages import csv_file
from gsmgw.config import loading, reading
from gsmgw.model import Draft, LogLevel
from gsmgw.simulator import scenario
from gsmgw.spool.formats import arrivals, headers, json_format, outcomes, smstools

DATA = Path(__file__).parent / "data"
ROOT = Path(__file__).parent.parent
NOW = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
AROUND = smstools.Surroundings("reception", "X", NOW, dt.UTC, ("front",), service_centres=True)
OUTCOME = outcomes.Outcome(
    at=NOW, trial=outcomes.Trial("front", "1", "2", (7,)), report_requested=True, state="sent"
)
#: A refusal may quote what it found, but not all of it.
LONGEST_WORDS = 4000
#: What people write who mean harm, and what goes wrong by itself.
TRICKS = (
    "\x1b[2J\x1b]0;owned\x07", "\u202egnp.exe", "\u200b\u200d\ufeff", "a\x00b",
    "=cmd|' /C calc'!A0",
    "+1+1", "-2+3", "@SUM(A1)", "\tx", "x\nFrom: 48500100299", "x\r\n\r\nbody", "\u2028\u2029\x85",
    "../../etc/passwd", "/etc/passwd", "'; DROP TABLE outbox; --", "$(reboot)", "`id`", "%s%n{0}",
    "\ud800", "\udfff\ud800", "🇵🇱👨\u200d👩\u200d👧", "\\x1b", "'\"'\"", "\x7f\x9b31m",
    "Z" + "\u0301" * 200,
)  # fmt: skip


def _storable(words: str | None) -> None:
    """SQLite and every file take it."""
    (words or "").encode()
    assert "\x00" not in (words or "")


def _storable_draft(draft: Draft) -> None:
    for name in ("recipient", "text", "source", "reference", "category", "priority", "modem"):
        (getattr(draft, name) or "").encode()
    for name in ("not_before", "expires_at"):
        (getattr(draft, name) or "").encode()


def _sayable(words: str) -> None:
    """A refusal is one line of bounded length."""
    assert words
    assert "\n" not in words
    assert len(words) <= LONGEST_WORDS, len(words)


def _said(error: errors.GsmgwError) -> None:
    """An error has words, whoever caused it."""
    assert str(error)
    if isinstance(error, errors.ConfigError):
        assert all(error.problems)


# -- checks ----------------------------------------------------------------------------------------


def check_pdu(octets: bytes) -> None:
    """Any octets are a value, and what can be encoded again means the same."""
    for direction in ("in", "out"):
        for centre in (True, False):
            decoded = pdu.decode(octets, direction=direction, service_centre=centre)  # type: ignore[arg-type]
            described = pdu.describe(decoded)
            json.dumps(described, ensure_ascii=False).encode()
            if not isinstance(decoded, pdu.Undecodable):
                _encode_again(described)


def _encode_again(described: dict[str, object]) -> None:
    try:
        again = pdu.encode_described(described)
    except (errors.PduError, errors.RejectedError) as error:
        _sayable(str(error))
        return
    direction = "out" if described["type"] == "submit" else "in"
    found = pdu.describe(pdu.decode(again, direction=direction))  # type: ignore[arg-type]
    assert pdu.encode_described(found) == again
    stable = ("text", "data_hex", "recipient", "sender", "mr", "status", "concat", "dcs", "pid")
    assert {key: found.get(key) for key in stable} == {key: described.get(key) for key in stable}


def check_pdu_words(octets: bytes) -> None:
    """What stands on a line of `gsmgw pdu decode` and `pdu encode` may be anything."""
    text = octets.decode("utf-8", "surrogateescape")
    json.dumps(pdu.describe(pdu.decode(text)), ensure_ascii=False)
    try:
        pdu.encode_described(codec._read_object(text))
    except (errors.PduError, errors.RejectedError) as error:
        _said(error)


def check_at(octets: bytes) -> None:
    """Lines do not depend on how reads are cut; no reader of answers ever fails."""
    whole = parser.Parser()
    events = whole.feed(octets)
    pieces = parser.Parser()
    step = 1 + len(octets) % 7
    found: list[parser.Event] = []
    for at in range(0, len(octets), step):
        found += pieces.feed(octets[at : at + step])
    assert (found, pieces.pending) == (events, whole.pending)
    assert len(whole.pending) <= parser.MAX_LINE
    for prefixes in (None, (), ("+CMGL:", "+CMGR:", "+CPMS:")):
        sorter, waiting = sorting.Sorter(), sorting.Expectation(prefixes)
        for event in events:
            if isinstance(event, parser.Line):
                sorter.take(event.text, waiting)
        _read_answers([event.text for event in events if isinstance(event, parser.Line)])
        _read_answers(waiting.lines)
        assert len(sorter.unsolicited) <= sorting.KEPT_UNSOLICITED
        assert sum(map(len, waiting.lines)) <= sorting.LONGEST_ANSWER


_LINE_READERS: tuple[Callable[[str], object], ...] = (
    replies.parse_final, network.parse_registration, network.parse_signal, network.parse_operator,
    network.parse_caller, network.parse_call, network.parse_service_text, network.parse_clock,
    storage.parse_memories, storage.parse_memory_choices, storage.parse_reference,
    storage.parse_notice, storage.parse_service_centre, sim.parse_pin_state,
    sim.parse_pin_tries, sim.parse_iccid, sim.parse_sim_file, masking.mask,
)  # fmt: skip


def _read_answers(lines: list[str]) -> None:
    for line in lines:
        for read in _LINE_READERS:
            _fits_the_store(read(line))
    for stored in storage.parse_list(lines):
        assert bytes.fromhex(stored.pdu)
        _fits_the_store(stored.index)
        assert stored.fits in (True, False)
    storage.parse_read(lines)
    sim.parse_imei(lines)
    sim.parse_imsi(lines)


def _fits_the_store(found: object) -> None:
    if isinstance(found, int):
        assert -(2**63) <= found < 2**63
    elif isinstance(found, storage.Notice):
        _fits_the_store(found.index)


def check_smstools(octets: bytes) -> None:
    """A file is a message or a refusal; what is added leaves the client's octets alone."""
    try:
        outgoing = smstools.parse(octets, AROUND)
    except errors.RejectedError as error:
        _sayable(str(error))
    else:
        _storable_draft(outgoing.draft)
        logs.masked(outgoing.draft.text)
    before = headers.split(octets)
    after = headers.split(outcomes.add_outcome(octets, OUTCOME))
    assert after.body == before.body
    kept = [line for line in before.lines if headers.name_of(line) not in headers.REMOVED]
    assert [line.rstrip(b"\r\n") for line in after.lines[: len(kept)]] == [
        line.rstrip(b"\r\n") for line in kept
    ]


def check_json(octets: bytes) -> None:
    """A file is elements or a refusal; every element can be stored and told of."""
    try:
        elements = json_format.parse(octets, source="reception", spool_file="X")
    except errors.RejectedError as error:
        _sayable(str(error))
        return
    assert len(elements) == json_format.count(octets) <= json_format.MOST_ELEMENTS
    for element in elements:
        _storable(element.reference)
        _storable(element.recipient)
        assert (element.draft is None) is bool(element.error)
        if element.draft is not None:
            _storable_draft(element.draft)
        else:
            _sayable(element.error or "")


def check_csv(octets: bytes) -> None:
    """A table is rows or a refusal."""
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(octets)
        file.flush()
        try:
            table = csv_file.read(Path(file.name), country="PL", encoding=None, source="csv")
        except errors.RejectedError as error:
            _said(error)
            return
    for row in table.rows:
        assert (row.draft is None) is bool(row.error)
        if row.draft is not None:
            _storable_draft(row.draft)


def _text_of(octets: bytes) -> str:
    """Return what a YAML file with these octets says to the reader of YAML."""
    return octets.decode("utf-8", "replace")


def check_config(octets: bytes) -> None:
    """A configuration is valid, or wrong with words for each mistake."""
    try:
        checked = loading.check_document(reading.read_yaml(_text_of(octets)), folder=Path("/x"))
    except errors.ConfigError as error:
        _said(error)
    else:
        repr(checked.config).encode()


def check_scenario(octets: bytes) -> None:
    """So is a scenario."""
    with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
        file.write(octets)
        file.flush()
        try:
            scenario.read(Path(file.name))
        except errors.ConfigError as error:
            _said(error)


def check_number(octets: bytes) -> None:
    """A number is E.164, a short code, or refused; a sender is always something; masks hide."""
    text = octets.decode("utf-8", "surrogateescape")
    for international in (False, True):
        try:
            found = phone.parse_recipient(text, country="PL", international_digits=international)
        except errors.BadNumberError as error:
            _sayable(str(error))
        else:
            digits = found.removeprefix("+")
            assert digits.isascii()
            assert digits.isdecimal()
            assert len(digits) <= phone.LONGEST_DIGITS
            if "s" not in text:  # smsd's mark of a short code of any length
                assert phone.parse_recipient(found, country="PL") == found
    phone.normalise_sender(text, "PL")
    masked = phone.mask(text)
    assert len(masked) <= 20 or not text.isdecimal()


def check_shown(octets: bytes) -> None:
    """Whatever is logged is one printable line; whatever a terminal gets cannot steer it."""
    text = octets.decode("utf-8", "surrogateescape")
    line = logs.format_line(
        LogLevel.WARNING, "spool.rejected", {"why": logs.masked(text), "file": text, "n": len(text)}
    )
    assert line.isprintable()
    assert line.count("file=") >= 1
    assert len(line) < 12 * (2 * log_line.LONGEST_VALUE + 100)
    for shown in (display.safe(text), display.safe_cell(text), *display.safe_lines(text)):
        assert not set(shown) & set("\x00\x07\x08\x1b\x7f\x9b\r\n\t\u2028\u2029\u202e\u2066")


def check_incoming(octets: bytes) -> None:
    """Sender and text of a message cannot forge a header of the file that tells of it."""
    sender, _, text = octets.decode("utf-8", "replace").partition("|")
    origin = arrivals.Origin(sender, 0xD0, "front", "1", "2", NOW)
    for smsd in (False, True):
        for alphabet in (pdu.Alphabet.GSM7, pdu.Alphabet.UCS2):
            content = arrivals.format_sms(
                origin, arrivals.Sms(text, alphabet), {"Gsmgw_id": sender}, smsd_alphabets=smsd
            )
            file = headers.split(content)
            assert [headers.name_of(line) for line in file.lines] == _INCOMING[
                smsd and alphabet is pdu.Alphabet.GSM7
            ]
            if not smsd:
                assert file.body == text.encode()


_HEAD = ["From", "From_TOA", "Received", "Subject", "Modem", "IMSI", "IMEI", "Report", "Alphabet"]
_INCOMING = {
    False: [*_HEAD, "Length", "Gsmgw_id"],
    True: [*_HEAD, "Length", "UDH", "Gsmgw_id"],
}

CHECKS: dict[str, Callable[[bytes], None]] = {
    "pdu": check_pdu,
    "pdu-words": check_pdu_words,
    "at": check_at,
    "smstools": check_smstools,
    "json": check_json,
    "csv": check_csv,
    "config": check_config,
    "scenario": check_scenario,
    "number": check_number,
    "shown": check_shown,
    "incoming": check_incoming,
}


# -- input -----------------------------------------------------------------------------------------


def _pdus() -> list[bytes]:
    found: list[bytes] = []
    for name in ("deliveries.json", "submissions.json"):
        _collect_hex(json.loads((DATA / "pdu" / name).read_text()), found)
    return found


def _collect_hex(value: object, found: list[bytes]) -> None:
    if isinstance(value, dict):
        for inner in value.values():
            _collect_hex(inner, found)
    elif isinstance(value, list):
        for inner in value:
            _collect_hex(inner, found)
    elif isinstance(value, str) and len(value) >= 20 and replies.is_hex(value):
        found.append(bytes.fromhex(value))


def corpus(name: str) -> list[bytes]:
    """Return good input for a check, and tricks."""
    tricks = [trick.encode("utf-8", "surrogatepass") for trick in TRICKS]
    made: dict[str, Callable[[], list[bytes]]] = {
        "pdu": _pdus,
        "pdu-words": lambda: [
            *(json.dumps(pdu.describe(pdu.decode(octets))).encode() for octets in _pdus()),
            *(octets.hex().encode() for octets in _pdus()),
        ],
        "at": lambda: [path.read_bytes() for path in (DATA / "transcripts").glob("*.txt")],
        "smstools": lambda: (
            [
                path.read_bytes()
                for path in sorted((DATA / "spool" / "smstools3").rglob("*"))
                if path.is_file()
            ]
            + [b"To: 48500100201\nMacro: a=aa\nAutosplit: 2\nValidity: 2 days\n\naaa"]
        ),
        "json": lambda: [
            b'[{"recipient": "+48500100201", "text": "Hello", "reference": "a-1", "flash": false,'
            b' "category": "care", "not_before": "2026-11-24 08:00"}]',
            b'{"recipient": "500100201", "text": "\\u0105\\ud83d\\ude00", "priority": "urgent"}',
        ],
        "csv": lambda: [
            b'recipient;text;reference\r\n500100201;"a\r\nb";7\r\n+48500100202;x;8\r\n',
            "\ufeffrecipient,text\n500100201,zażółć\n".encode(),
            "recipient\ttext\n500100201\tabc\n".encode("utf-16"),
        ],
        "config": lambda: [(ROOT / "config" / "gsmgw.yaml").read_bytes(), *_YAML],
        "scenario": lambda: [
            b"modems: [{name: front, vendor: huawei, latency: 20ms, memory: {SM: 20}}]\n"
            b"network: {operator: Test, delivery: 1s, time_zone: Europe/Warsaw}\n"
            b"phones: {'+48500100201': {answers: [{contains: visit, text: 'yes'}]}}\n"
            b"day: [{at: 1s, sms: {from: '+48500100201', to: front, text: hello}}]\n",
            *_YAML,
        ],
        "number": lambda: [b"+48500100201", b"0048 500-100-201", b"s12345", b"+44 7700 900123"],
        "shown": list,
        "incoming": lambda: [b"Pharmacy|Your medicine is ready", b"x\nFrom: y|\n\nTo: z\n"],
    }
    return [*made[name](), *tricks]


_YAML = [
    b"modems: &m [{name: a, port: /dev/a}]\nx: *m\n",
    b"a: &a [x,x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]\n",
    b"database: {path: '~nobody-at-all/x'}\nspool: {settle: 9999999999999999999999s}\n",
    b"sending: {hours: {mon-sat: '08:00-20:00'}, retry: {first: 30s, longest: 1m}}\n",
    b"? &a [*a]\n: {? x}\n",
]


def mutate(chance: random.Random, seeds: list[bytes]) -> bytes:
    """Spoil an input: flip, cut, double, blow up, cross with another, put tricks in."""
    octets = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 6)):
        at = chance.randint(0, len(octets))
        end = min(len(octets), at + chance.choice((1, 2, 4, 16, 200)))
        match chance.randint(0, 7):
            case 0 if octets:
                octets[at % len(octets)] ^= 1 << chance.randint(0, 7)
            case 1:
                del octets[at:end]
            case 2:
                octets[at:at] = octets[at:end] * chance.choice((1, 2, 50))
            case 3:
                octets[at:at] = chance.randbytes(chance.randint(1, 8))
            case 4:
                other = chance.choice(seeds)
                start = chance.randint(0, len(other))
                octets[at:end] = other[start : start + chance.randint(0, 300)]
            case 5:
                octets[at:at] = chance.choice(TRICKS).encode("utf-8", "surrogatepass")
            case 6:
                octets[at:at] = bytes([chance.choice(b"\x00\r\n>\" '()[]{}:,9&*?-+= \xff")]) * (
                    chance.choice((1, 3, 20, 5000))
                )
            case _:
                octets[at:end] = chance.choice((b"0", b"-1", b"9" * 30, b"1e999", b"\xff" * 9))
    return bytes(octets)
