# SPDX-License-Identifier: Apache-2.0
"""Files in `incoming/` and `report/`: what they say, once each, through crashes."""

from __future__ import annotations

import datetime as dt
import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from spool_support import IMEI, IMSI, Bench, Killed, kill_at, make_deliver

from gsmgw import logs, pdu
from gsmgw.errors import StoreFullError
from gsmgw.spool import files
from gsmgw.store import reports, spool_files
from gsmgw.threads import StopToken

HOOKS = {"hooks": {"event": ["/bin/true"]}}
SENDER = "+48500100201"
CENTRE = "+48500100299"
AT = dt.datetime(2026, 11, 23, 10, 15, 30, tzinfo=dt.timezone(dt.timedelta(hours=2)))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path, **HOOKS)
    yield found
    found.close()


def events(bench: Bench) -> list[tuple[str, str]]:
    rows = spool_files.owed_hooks(bench.db, 100)
    root = f"{bench.place.root}/"
    return [(row["event"], str(row["path"]).removeprefix(root)) for row in rows]


def only(bench: Bench, folder: str = "incoming") -> str:
    (content,) = bench.content(folder).values()
    return content.decode()


def report(bench: Bench, mr: int = 0, status: int = 0) -> None:
    """Let a status report on the newest message arrive, as one that the caller asked for."""
    told = pdu.StatusReport(
        mr, pdu.make_address(SENDER), AT, AT + dt.timedelta(seconds=20), status, CENTRE
    )
    bench.receive(pdu.encode_status_report(told))
    with bench.db.write() as tx:
        reports.owe_file(tx, tx.rows("SELECT max(id) FROM status_report")[0][0])


def test_an_answer_as_readers_of_smsd_expect_it(bench: Bench) -> None:
    bench.receive(make_deliver("Tak €", service_centre=CENTRE, service_centre_at=AT))
    assert bench.hand_out() == 1
    assert bench.content("incoming") == {
        "front.000001": (
            "From: 48500100201\nFrom_TOA: 91 international, ISDN/telephone\n"
            "From_SMSC: 48500100299\nSent: 26-11-23 10:15:30\nReceived: 26-11-23 09:00:00\n"
            f"Subject: front\nModem: front\nIMSI: {IMSI}\nIMEI: {IMEI}\nReport: no\n"
            "Alphabet: UTF-8\nLength: 5\nGsmgw_id: 1\n\nTak €"
        ).encode()
    }
    assert events(bench) == [("RECEIVED", "incoming/front.000001")]
    assert set(bench.tree()) == {"incoming"}
    assert (bench.place.incoming / "front.000001").stat().st_mode & 0o777 == 0o660
    assert bench.hand_out() == 0


def test_reports_come_into_incoming_where_report_is_a_link_to_it(bench: Bench) -> None:
    bench.place.report.rmdir()
    bench.place.report.symlink_to("incoming")
    bench.place.make(None)
    bench.receive(make_deliver("Tak"))
    report(bench)
    assert bench.hand_out() == 2
    found = bench.content("incoming")
    assert list(found) == ["front.000001", "front.000001.1"]
    assert b"SMS STATUS REPORT" in found["front.000001.1"]


def test_what_is_answered_is_named(bench: Bench) -> None:
    bench.take("X", "To: 48500100201\n\nDo you come?\n")
    bench.send(1, 7)
    bench.receive(make_deliver("Tak"))
    bench.hand_out()
    assert "\nGsmgw_id: 1\nGsmgw_in_reply_to: 1\n\nTak" in only(bench)


@pytest.mark.parametrize(
    ("text", "fields", "lines"),
    [
        ("Привет", {}, "Alphabet: UTF-8\nLength: 12\n"),
        ("Flash!", {"message_class": 0}, "Report: no\nFlash: yes\nAlphabet"),
        ("new", {"pid": 0x41}, "Report: no\nReplace: 1\nAlphabet"),
        ("x", {"report_indication": True}, "Report: yes\n"),
        ("", {}, "Length: 0\n"),
    ],
)
def test_kinds_of_messages(bench: Bench, text: str, fields: dict[str, Any], lines: str) -> None:
    bench.receive(make_deliver(text, **fields))
    bench.hand_out()
    assert lines in only(bench)


def test_a_name_as_sender(bench: Bench) -> None:
    name = pdu.Address("Pharmacy", 0xD0)
    octets = pdu.encode_deliver(pdu.Deliver(name, "Ready", service_centre=CENTRE))
    bench.receive(octets)
    bench.hand_out()
    assert only(bench).startswith("From: Pharmacy\nFrom_TOA: D0 alphanumeric, unknown\n")


def parts(text: str, **fields: Any) -> list[str]:
    pieces = pdu.segment(text)
    return [
        make_deliver(piece.text, concat=pdu.Concat(0x43, len(pieces), number), **fields)
        for number, piece in enumerate(pieces, start=1)
    ]


def test_a_long_message_is_one_file_without_the_header_that_joined_it(bench: Bench) -> None:
    text = "Część pierwsza i druga. " * 8
    bench.receive(*reversed(parts(text)))
    bench.hand_out()
    content = only(bench)
    assert content.endswith(f"\n\n{text}")
    assert "UDH-DATA" not in content
    assert "Incomplete" not in content


def test_a_long_message_with_a_part_missing_says_so(bench: Bench) -> None:
    bench.receive(parts("x" * 400)[1])
    bench.clock.advance(25 * 3600)
    arrivals_of(bench).hand_over_incomplete()
    bench.hand_out()
    assert "\nIncomplete: yes\nAlphabet: UTF-8\nUDH-DATA: 05 00 03 43 03 02\n" in only(bench)


def arrivals_of(bench: Bench) -> Any:
    from gsmgw.gateway.arrivals import Arrivals

    return Arrivals(bench.config, bench.db, bench.hints)


def test_binary(bench: Bench) -> None:
    deliver = pdu.Deliver(
        pdu.make_address(SENDER),
        data=b"\x00\xff\n\nraw",
        alphabet=pdu.Alphabet.DATA,
        udh=bytes.fromhex("05040B8423F0"),
    )
    bench.receive(pdu.encode_deliver(deliver))
    bench.hand_out()
    (content,) = bench.content("incoming").values()
    head, _, body = content.partition(b"\n\n")
    assert b"\nAlphabet: binary\nUDH-DATA: 06 05 04 0B 84 23 F0\nLength: 7\n" in head
    assert body == b"\x00\xff\n\nraw"


def test_what_cannot_be_decoded_is_handed_out_once_with_its_octets(bench: Bench) -> None:
    bench.receive("0791447700093033040C9144770009102700")
    assert bench.hand_out() == 1
    content = only(bench)
    assert content.startswith("Error: Cannot decode PDU, see text part for details.\nFrom: \nRecei")
    assert "\nPDU: 0791447700093033040C9144770009102700\nGsmgw_id: 1\n\n" in content
    assert events(bench) == [("RECEIVED", "incoming/front.000001")]


@pytest.mark.parametrize(
    ("number", "head"),
    [
        (SENDER, "From: 48500100201\nFrom_TOA: 91 international, ISDN/telephone\nSubject"),
        (None, "From: \nSubject: front\n"),
        ("2580", "From: 2580\nFrom_TOA: 81 unknown, ISDN/telephone\n"),
    ],
)
def test_a_missed_call(bench: Bench, number: str | None, head: str) -> None:
    bench.call(number)
    bench.hand_out()
    content = only(bench)
    assert content.startswith(head)
    assert content.endswith(
        "Call_type: missed\nReceived: 26-11-23 09:00:00\nGsmgw_id: 1\n\nCALL MISSED\n"
    )
    assert events(bench) == [("CALL", "incoming/front.000001")]


def test_a_report_names_its_message_and_its_file(bench: Bench) -> None:
    bench.take("X y", "To: 48500100201\nReport: yes\nReference: A-17\n\nHello\n")
    bench.send(1, 0)
    report(bench)
    bench.hand_out()
    assert bench.content("report") == {
        "front.000001": (
            "From: 48500100201\nFrom_TOA: 91 international, ISDN/telephone\n"
            "From_SMSC: 48500100299\nSent: 26-11-23 10:15:30\nReceived: 26-11-23 09:00:09\n"
            f"Subject: front\nModem: front\nIMSI: {IMSI}\nIMEI: {IMEI}\nReport: no\n"
            "Alphabet: UTF-8\nLength: 119\nUDH: no\nGsmgw_id: 1\nGsmgw_state: delivered\n"
            "Gsmgw_part: 1/1\nGsmgw_reference: A-17\nGsmgw_file: X y\n\n"
            "SMS STATUS REPORT\nMessage_id: 256\nDischarge_timestamp: 26-11-23 10:15:50\n"
            "Status: 0,Ok,short message received by the SME"
        ).encode()
    }
    assert events(bench) == [("REPORT", "report/front.000001")]


def test_a_report_without_its_message(bench: Bench) -> None:
    report(bench, mr=9, status=70)
    bench.hand_out()
    assert "\nUDH: no\n\nSMS STATUS REPORT\nMessage_id: 9\n" in only(bench, "report")


def test_json(tmp_path: Path) -> None:
    bench = Bench(tmp_path, spool={"incoming_format": "json"})
    bench.take("X", "To: 48500100201\nReport: yes\nReference: A-17\n\nHello\n")
    bench.send(1, 0)
    report(bench, status=0x46)
    bench.receive(make_deliver("Tak 👍", service_centre_at=AT))
    bench.call(None)
    assert bench.hand_out() == 3
    sms, call = (json.loads(content) for content in bench.content("incoming").values())
    assert sms == {
        "id": 1,
        "sender": SENDER,
        "text": "Tak 👍",
        "kind": "sms",
        "modem": "front",
        "sim_id": 1,
        "service_centre_at": "2026-11-23T08:15:30.000Z",
        "received_at": "2026-11-23T08:00:09.000Z",
        "parts": 1,
        "complete": 1,
        "in_reply_to": 1,
    }
    assert (call["kind"], call["sender"], call["text"]) == ("missed_call", "", None)
    told = json.loads(next(iter(bench.content("report").values())))
    assert told == {
        "id": 1,
        "reference": "A-17",
        "recipient": SENDER,
        "part": 1,
        "parts": 1,
        "mr": 0,
        "status": 70,
        "state": "undelivered",
        "service_centre_at": "2026-11-23T08:15:30.000Z",
        "discharged_at": "2026-11-23T08:15:50.000Z",
    }
    report(bench, mr=3, status=0x20)
    bench.hand_out()
    last = json.loads(list(bench.content("report").values())[-1])
    assert (last["id"], last["state"], last["recipient"]) == (None, "sent", SENDER)
    assert spool_files.owed_hooks(bench.db, 1) == []  # none is configured
    bench.close()


def test_smsds_alphabets(tmp_path: Path) -> None:
    bench = Bench(tmp_path, spool={"alphabet": "smsd"})
    bench.receive(make_deliver("5 €"), make_deliver("Да"))
    bench.hand_out()
    gsm, ucs2 = bench.content("incoming").values()
    assert gsm.endswith(
        "\nAlphabet: ISO\nLength: 3\nUDH: no\nGsmgw_id: 1\n\n5 €".encode("iso8859-15")
    )
    assert ucs2.endswith(b"Alphabet: UCS2\nLength: 2\nGsmgw_id: 2\n\n" + "Да".encode("utf-16-be"))
    bench.close()


def test_a_name_that_is_taken_is_not_overwritten(bench: Bench) -> None:
    (bench.place.incoming / "front.000001").write_text("of an older database")
    bench.receive(make_deliver("Tak"))
    bench.hand_out()
    assert list(bench.content("incoming")) == ["front.000001", "front.000001.1"]


def test_what_retention_removed_is_no_longer_owed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.receive(make_deliver("Tak"))
    monkeypatch.setattr(bench.handouts._writer, "compose", lambda row: None)
    bench.hand_out()
    assert spool_files.owed(bench.db, 10) == []
    assert bench.tree() == {}


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [("text", "zz", b"zz"), ("text", None, b"")],
)
def test_rows_without_what_they_should_hold(
    bench: Bench, column: str, value: str | None, words: bytes
) -> None:
    deliver = pdu.Deliver(pdu.make_address(SENDER), data=b"x", alphabet=pdu.Alphabet.DATA)
    bench.receive(pdu.encode_deliver(deliver))
    with bench.db.write() as tx:
        tx.run(f"UPDATE inbox SET {column} = ?", (value,))
    bench.hand_out()
    assert only(bench).encode().endswith(b"\n\n" + words)


@pytest.mark.parametrize("number", range(12))
def test_killed_at_any_change_of_a_file(tmp_path: Path, number: int) -> None:
    """Whatever the reader picks up, it has each file once."""
    bench = Bench(tmp_path, **HOOKS)
    bench.receive(make_deliver("one"), make_deliver("two"))
    bench.call(SENDER)
    picked: list[str] = []

    def pick_up() -> None:
        for name in bench.content("incoming"):
            picked.append(name)
            (bench.place.incoming / name).unlink()

    kill = kill_at(number)

    def note(change: str, paths: tuple[Path, ...]) -> None:
        pick_up()  # a quick reader: between any two of our calls
        kill(change, paths)

    try:
        with files.recording(note):
            bench.hand_out()
    except Killed:
        pass
    bench.db.close()
    for _ in range(2):
        bench.start()
        bench.hand_out()
        pick_up()
    assert sorted(picked) == ["front.000001", "front.000002", "front.000003"]
    assert sorted(events(bench)) == [
        ("CALL", "incoming/front.000003"),
        ("RECEIVED", "incoming/front.000001"),
        ("RECEIVED", "incoming/front.000002"),
    ]
    assert bench.tree() == {}
    bench.close()


@pytest.mark.parametrize("change", ["write", "move", "sync"])
def test_a_full_disk_makes_them_wait(bench: Bench, change: str) -> None:
    bench.receive(make_deliver("one"), make_deliver("two"))

    def note(what: str, paths: tuple[Path, ...]) -> None:
        if what == change:
            raise OSError(errno.ENOSPC, "No space left on device")

    with logs.capture() as records, files.recording(note):
        for _ in range(4):
            bench.hand_out()
            bench.clock.advance(3)
    assert [record.event for record in records if record.level <= 4] == ["spool.owed"]
    bench.clock.advance(60)
    assert bench.hand_out() == 2
    assert list(bench.content("incoming")) == ["front.000001", "front.000002"]


def test_a_full_store_makes_them_wait(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.receive(make_deliver("one"))
    with monkeypatch.context() as patch:

        def refuse(rows: Any) -> int:
            raise StoreFullError

        patch.setattr(bench.handouts, "_round", refuse)
        assert bench.hand_out() == 0
    assert bench.hand_out() == 0
    bench.clock.advance(2)
    assert bench.hand_out() == 1


def test_more_than_one_batch(bench: Bench) -> None:
    bench.receive(*(make_deliver(f"number {number}") for number in range(45)))
    bench.handouts.wake()
    bench.handouts.step(StopToken())
    assert len(bench.content("incoming")) == 45
    bench.handouts.close()
