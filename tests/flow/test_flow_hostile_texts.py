# SPDX-License-Identifier: Apache-2.0
"""Texts and names that mean harm, all the way: kept as they are, shown as escapes, never obeyed."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import fuzz_support
import pytest
from cli_support import Place
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from spool_support import Bench, make_deliver

from gsmgw import logs, pdu
from gsmgw.spool.formats import headers

SENDABLE = [trick for trick in fuzz_support.TRICKS if not set(trick) & set("\ud800\udfff")]
#: What must never reach a terminal or a log as it is.
STEERS = set(map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x202E, 0x2028, 0x2029])) - {"\n"}
NAMES = ("../../etc", "/etc/passwd", "x\nFrom: y", "x\r\n\r\nTo: z", "=1+1", "a\fb", ".", "CON|nul")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logs.configure(level="debug", stream=stream)
    yield stream
    logs.configure()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def arrive(bench: Bench, text: str, sender: str = "+48500100201") -> None:
    bench.receive(make_deliver(text, sender=sender))


def name_address(name: str) -> str:
    """Return the TPDU of a sender whose name holds anything that GSM 7-bit has."""
    deliver = pdu.Deliver(pdu.Address(name, pdu.address.ALPHANUMERIC_TOA), "hello")
    return pdu.encode_deliver(deliver).hex().upper()


@pytest.mark.parametrize("text", [*SENDABLE, "long " * 20_000], ids=lambda text: ascii(text)[:20])
def test_inbound_text_is_kept_exactly_and_shown_harmlessly(
    tmp_path: Path, bench: Bench, log: io.StringIO, text: str
) -> None:
    text = text[:67]
    arrive(bench, text)
    bench.hand_out()
    (content,) = bench.content("incoming").values()
    file = headers.split(content)
    assert file.body == text.encode()
    assert file.values("From") == ["48500100201"]
    assert file.value("Length") == str(len(text if pdu.is_gsm7(text) else text.encode()))
    assert text.strip() not in log.getvalue() or len(text.strip()) < 3
    assert not set(log.getvalue()) & STEERS
    bench.close()
    place = Place(tmp_path)
    for words in (("inbox",), ("inbox", "--json"), ("status",)):
        shown = place.good(*words)
        assert not set(shown) & STEERS or "--json" in words
    (row,) = place.json("inbox")  # type: ignore[misc]
    assert row["text"] == text
    place.database.close()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["smstools", "json"])
def test_a_senders_name_is_one_line_and_no_path(
    tmp_path: Path, name: str, form: str, log: io.StringIO
) -> None:
    bench = Bench(tmp_path, spool={"incoming_format": form})
    try:
        before = set(tmp_path.rglob("*"))
        bench.receive(name_address(name[:11]))
        bench.hand_out()
        made = set(tmp_path.rglob("*")) - before
        assert [path.name for path in made if path.parent.name == "incoming"] == ["front.000001"]
        assert all(path.parent.name in ("incoming",) for path in made if path.is_file())
        (content,) = bench.content("incoming").values()
        if form == "json":
            assert json.loads(content)["sender"] == name[:11].strip()
        else:
            file = headers.split(content)
            assert [headers.name_of(line) for line in file.lines].count("From") == 1
            assert file.value("To") is None
            assert file.body == b"hello"
        assert not set(log.getvalue()) & STEERS
    finally:
        bench.close()


@pytest.mark.parametrize("text", SENDABLE, ids=lambda text: ascii(text)[:20])
def test_outgoing_file_comes_back_with_the_clients_octets(
    bench: Bench, log: io.StringIO, text: str
) -> None:
    note = text.replace("\n", " ").replace("\r", " ")
    content = f"To: 48500100201\nAlphabet: UTF-8\nX-Note: {note}\n\n{text}".encode()
    bench.take("X", content)
    for message in bench.messages():
        if message["state"] == "queued":
            bench.send(message["id"], *[9] * message["parts"])
    bench.put_away()
    found = {**bench.content("sent"), **bench.content("failed")}
    assert list(found) == ["X"]
    before, after = headers.split(content), headers.split(found["X"])
    assert after.body == before.body
    assert after.lines[: len(before.lines)] == before.lines
    added = [headers.name_of(line) for line in after.lines[len(before.lines) :]]
    assert set(added) <= headers.REMOVED
    assert len(added) == len(after.lines) - len(before.lines)
    assert not set(log.getvalue()) & STEERS


@pytest.mark.parametrize("trick", fuzz_support.TRICKS, ids=lambda text: ascii(text)[:20])
@pytest.mark.parametrize("key", ["recipient", "text", "reference", "source", "modem", "category"])
def test_json_element_with_a_trick_is_sent_or_refused_alone(
    bench: Bench, log: io.StringIO, key: str, trick: str
) -> None:
    good = {"recipient": "+48500100202", "text": "hello"}
    bad = {**good, "recipient": "+48500100201", key: trick}
    bench.take("X", json.dumps([bad, good]))
    states = [message["state"] for message in bench.messages()]
    assert states.count("queued") >= 1
    for message in bench.messages():
        if message["state"] == "queued":
            bench.send(message["id"], *[9] * message["parts"])
    bench.put_away()
    assert "X" in bench.content("sent")
    first, second = bench.result("X")
    assert second["state"] == "sent"
    assert first["state"] in ("sent", "rejected")
    assert not any("fault in gsmgw" in str(one["error"]) for one in (first, second))
    assert not set(log.getvalue()) & STEERS


def test_hundred_thousand_characters_are_refused_in_few_words(bench: Bench) -> None:
    for place, text in enumerate(("ą" * 100_000, "\x1b" * 100_000, "'x " * 33_000)):
        bench.take(f"text{place}", f"To: 48500100201\nAlphabet: UTF-8\n\n{text}")
        bench.take(f"json{place}", json.dumps({"recipient": "48500100201", "text": text}))
        bench.take(f"word{place}", json.dumps({"recipient": text, "text": "x", "modem": text}))
    bench.put_away()
    assert bench.messages() == []
    assert len([name for name in bench.content("failed") if "." not in name]) == 9
    for name in bench.content("failed"):
        if name.endswith(".result.json"):
            (found,) = bench.result(name.removesuffix(".result.json"), "failed")
            assert len(found["error"]) < 1000


def test_a_few_macros_cannot_fill_the_memory(bench: Bench) -> None:
    macros = "Macro: a=aaaaaaaaaa\n" * 60
    bench.take("X", f"To: 48500100201\n{macros}\na")
    bench.put_away()
    assert headers.split(bench.content("failed")["X"]).value("Fail_reason") == "Too long text"


def test_a_list_of_half_a_million_numbers_is_refused_as_a_whole(bench: Bench) -> None:
    bench.take("X", b"[" + b"1," * 500_000 + b"1]")
    bench.put_away()
    (found,) = bench.result("X", "failed")
    assert "500001 elements" in found["error"]


def test_words_that_are_cut_do_not_reach_the_log(bench: Bench, log: io.StringIO) -> None:
    secret = "Anna Kowalska has tested positive, tell her to come at once"
    for key in ("priority", "flash", "category", "report_requested", secret):
        document = {"recipient": "+48500100201", "text": "x", key: secret}
        bench.take(f"X{len(key)}", json.dumps(document))
    quoted = '"Anna" Kowalska " is'
    bench.take("Y", json.dumps({"recipient": "1", "text": "x", "priority": quoted}))
    assert "spool.rejected" in log.getvalue()
    assert "Anna" not in log.getvalue()
    assert "Kowalska" not in log.getvalue()


@settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))
@given(octets=st.lists(st.binary(min_size=1, max_size=180), min_size=1, max_size=5))
@example([b"\x02" + bytes(18)])  # a status report
def test_any_octets_from_the_air_are_handed_out(
    tmp_path_factory: pytest.TempPathFactory, octets: list[bytes]
) -> None:
    for spool in ({"alphabet": "smsd"}, {"incoming_format": "json"}):
        bench = Bench(tmp_path_factory.mktemp("any"), spool=spool)
        try:
            # Half of them at least as far as an address that can be read.
            head = bytes.fromhex("07918405100092F0")
            bench.receive(*[one if at % 2 else head + one for at, one in enumerate(octets)])
            bench.clock.advance(100_000)
            bench.hand_out()
            folder = "incoming", "report"
            made = sum(len(bench.content(one)) for one in folder)
            waiting = bench.db.rows(
                "SELECT * FROM received_part WHERE inbox_id IS NULL AND concat_ref IS NOT NULL"
            )
            reports = bench.db.rows("SELECT * FROM status_report")  # on nothing that we sent
            distinct = bench.db.rows("SELECT * FROM received_part")
            assert made + len(waiting) + len(reports) == len(distinct)
        finally:
            bench.close()


@pytest.mark.parametrize("trick", fuzz_support.TRICKS, ids=lambda text: ascii(text)[:20])
def test_what_is_listed_and_shown_cannot_steer_a_terminal(tmp_path: Path, trick: str) -> None:
    place = Place(tmp_path)
    try:
        text = trick.encode("utf-8", "replace").decode().replace("\x00", "")
        with place.database.write() as tx:
            message_id = tx.insert(
                "INSERT INTO outbox (recipient, text, source, reference) VALUES (?, ?, ?, ?)",
                (text, text, text, text),
            )
        place.arrive(text, sender=text, modem=text)
        shown = [place.good(*words) for words in (*_COMMANDS, ("show", message_id))]
        for output in shown:
            assert not set(output) & STEERS
        (row,) = place.json("inbox")  # type: ignore[misc]
        assert row["text"] == text
    finally:
        place.database.close()


_COMMANDS = (("list",), ("inbox",), ("status",), ("list", "--state", "new"))
