# SPDX-License-Identifier: Apache-2.0
"""Messages through the real daemon, as other software, reception and patients see them."""

from __future__ import annotations

import datetime as dt
import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from site_support import PATIENCE_S, Site, check_log, site

from gsmgw import pdu

GOLDENS = Path(__file__).parent.parent / "data" / "spool" / "smstools3"
WRONG, UNCLEAR = "+48500100221", "+48500100222"
LONG = "Zażółć gęślą jaźń 👍🏽 " * 6

SCENARIO = {
    "modems": [
        {"name": "front", "vendor": "huawei", "submit": "20ms"},
        {"name": "back", "vendor": "simcom", "submit": "20ms"},
    ],
    "network": {"delivery": "20ms", "report": "20ms", "service_centre": "+48500100299"},
    "phones": {
        "+48500100201": {"answers": [{"contains": "Monday", "after": "50ms", "text": "TAK"}]},
        "+48500100202": {"answers": [{"any": "yes", "after": "50ms", "text": LONG}]},
        WRONG: {"refuse": 1},
        UNCLEAR: {"refuse": 21},
    },
}

HANDLER = """\
#!/bin/sh
for argument in "$@"; do printf '%s\\n' "$argument"; done > "{folder}/run.$$.tmp"
printf 'GSMGW_ID=%s\\n' "$GSMGW_ID" >> "{folder}/run.$$.tmp"
mv "{folder}/run.$$.tmp" "{folder}/run.$$"
"""


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("journeys")
    runs = folder / "runs"
    runs.mkdir()
    handler = folder / "hand ler"
    handler.write_text(HANDLER.format(folder=runs))
    handler.chmod(0o755)
    settings = {
        "hooks": {"event": [str(handler), "--first", "a b; touch pwned"]},
        "sending": {"retry": {"first": "1s", "factor": 1}},
    }
    patient = {"result_timeout": "60s"}  # nothing here waits for it
    with site(folder / "box", SCENARIO, settings=settings, modem=patient) as running:
        yield running
        assert running.stop() == 0
        assert running.sim.books.duplicates() == []
        check_log(running)
        assert not list(folder.rglob("pwned"))


def runs_of(box: Site, *words: str) -> list[list[str]]:
    """Return the arguments of the handler's runs that have all these words among them."""
    found = [
        path.read_text().splitlines() for path in (box.folder.parent / "runs").glob("run.*[0-9]")
    ]
    return [run for run in found if set(words) <= set(run)]


def header(content: str, name: str) -> str | None:
    match = re.search(rf"^{name}: (.*)$", content.split("\n\n", 1)[0], re.MULTILINE)
    return None if match is None else match[1]


def test_a_file_is_sent_reported_and_answered(box: Site) -> None:
    text = "Your visit is on Monday at 9:30."
    box.drop("visit-17", f"To: 48500100201\nReport: yes\nX-Clinic: 42\n\n{text}\n")
    box.until(lambda: box.content("sent", "visit-17"))
    sent = box.content("sent", "visit-17")
    assert sent.startswith("To: 48500100201\nReport: yes\nX-Clinic: 42\nModem: ")
    assert sent.endswith(f"\n\n{text}\n")
    number = int(header(sent, "Gsmgw_id") or 0)
    assert header(sent, "Gsmgw_state") in ("sent", "delivered")  # the report may have been quick
    box.until(lambda: box.phone("+48500100201") == [text])

    box.until_state(number, "delivered")
    box.until(lambda: box.with_line("report", "Gsmgw_file: visit-17"))
    (report,) = box.with_line("report", "Gsmgw_file: visit-17")
    assert header(report, "Gsmgw_id") == str(number)
    assert header(report, "From") == "48500100201"
    assert f"\nMessage_id: {header(sent, 'Message_id')}\n" in report
    assert "\nStatus: 0,Ok,short message received by the SME" in report

    box.until(lambda: box.with_line("incoming", "From: 48500100201"))
    (reply,) = box.with_line("incoming", "From: 48500100201")
    assert reply.endswith("\n\nTAK")
    assert header(reply, "Gsmgw_in_reply_to") == str(number)
    (row,) = box.rows("inbox", "sender = '+48500100201'")
    assert (row["text"], row["kind"], row["in_reply_to"]) == ("TAK", "sms", number)
    assert (row["complete"], row["parts"]) == (1, 1)


def test_the_handler_is_called_with_arguments_and_no_shell(box: Site) -> None:
    box.drop("a b $(touch pwned)", "To: 48500100205\nReport: yes\n\nfor the handler\n")
    sent = box.spool / "sent" / "a b $(touch pwned)"
    box.until(sent.exists)
    reference = header(sent.read_text(), "Message_id")
    box.until(lambda: runs_of(box, "SENT", str(sent)))
    (run,) = runs_of(box, "SENT", str(sent))
    assert run[:-1] == ["--first", "a b; touch pwned", "SENT", str(sent), str(reference)]
    assert run[-1] == f"GSMGW_ID={header(sent.read_text(), 'Gsmgw_id')}"
    box.until(lambda: runs_of(box, "REPORT"))
    box.sim.receive("+48500100206", "back", "Dzień dobry")
    box.until(lambda: box.with_line("incoming", "From: 48500100206"))
    name = next(n for n, text in box.files("incoming").items() if "From: 48500100206" in text)
    box.until(lambda: runs_of(box, "RECEIVED", str(box.spool / "incoming" / name)))


def test_a_row_is_sent_and_its_long_text_with_emoji_arrives_whole(box: Site) -> None:
    number = box.insert("500 100 202", LONG, source="clinic", reference="A-1", category="care")
    box.until_state(number, "delivered")
    row = box.message(number)
    assert row["recipient"] == "+48500100202"
    assert row["parts"] >= 3
    assert box.phone("+48500100202") == [LONG]
    assert row["sent_at"] <= row["settled_at"]
    # the answer is as long, and comes back in one piece as well
    box.until(lambda: box.with_line("incoming", "From: 48500100202"))
    (reply,) = box.with_line("incoming", "From: 48500100202")
    assert reply.endswith(f"\n\n{LONG}")
    (answer,) = box.rows("inbox", "sender = '+48500100202'")
    assert (answer["text"], answer["complete"], answer["in_reply_to"]) == (LONG, 1, number)


def test_a_command_sends_and_shows(box: Site) -> None:
    done = box.run("send", "--report", "--source", "desk", "+48500100203", "From the desk")
    assert done.returncode == 0, done.stderr
    number = int(done.stdout)
    box.until_state(number, "delivered")
    assert box.phone("+48500100203") == ["From the desk"]
    shown = box.run("show", str(number))
    assert "delivered" in shown.stdout
    listed = json.loads(box.run("list", "--to", "+48500100203", "--json").stdout)
    assert [(row["id"], row["state"]) for row in listed] == [(number, "delivered")]


def test_a_missed_call_is_a_file_and_a_row(box: Site) -> None:
    box.sim.call("+48500100204", "back", 3, every_s=60)  # time enough to hang up after one ring
    box.until(lambda: box.with_line("incoming", "From: 48500100204"))
    (call,) = box.with_line("incoming", "From: 48500100204")
    assert header(call, "Call_type") == "missed"
    assert call.endswith("\n\nCALL MISSED\n")
    (row,) = box.rows("inbox", "sender = '+48500100204'")
    assert (row["kind"], row["text"], row["modem"]) == ("missed_call", None, "back")
    box.until(lambda: runs_of(box, "CALL"))
    box.until(lambda: all(c.ended_by for c in box.sim.books.calls))
    (heard,) = box.sim.books.calls
    assert (heard.rings, heard.ended_by) == (1, "modem")


def test_a_wrong_number_fails_alone_with_its_reason(box: Site) -> None:
    with sqlite3.connect(box.database, timeout=PATIENCE_S) as database:
        database.executemany(
            "INSERT INTO outbox (recipient, text) VALUES (?, 'round')",
            [(number,) for number in ("+48500100231", WRONG, "+48500100232", "+48500100233")],
        )
    database.close()
    box.drop("wrong", f"To: {WRONG[1:]}\n\nto no one\n")
    box.until(lambda: box.content("failed", "wrong"))
    failed = box.content("failed", "wrong")
    assert header(failed, "Fail_reason") == "+CMS ERROR: 1 (Unassigned (unallocated) number)"
    assert header(failed, "Gsmgw_state") == "failed"
    for number in ("+48500100231", "+48500100232", "+48500100233"):
        box.until(lambda number=number: box.phone(number) == ["round"])
    (row,) = box.rows("outbox", "recipient = ? AND text = 'round'", WRONG)
    box.until_state(row["id"], "failed")
    row = box.message(row["id"])
    assert (row["error_family"], str(row["error_code"])) == ("cms", "1")
    assert "Unassigned" in row["error"]


def test_an_unclear_refusal_fails_only_when_others_get_through(box: Site) -> None:
    box.drop("unclear", f"To: {UNCLEAR[1:]}\n\nto no one\n")
    for number in range(40):
        box.insert(f"+485001006{number:02d}", "others go on")
    box.until(lambda: box.content("failed", "unclear"))
    assert "+CMS ERROR: 21 (Short message transfer rejected)" in box.content("failed", "unclear")
    box.until(lambda: len(box.rows("outbox", "text = 'others go on' AND sent_at <> ''")) == 40)
    assert {row["state"] for row in box.rows("sim")} == {"working"}


def test_priority_overtakes_a_backlog(box: Site) -> None:
    with sqlite3.connect(box.database, timeout=PATIENCE_S) as database:
        database.executemany(
            "INSERT INTO outbox (recipient, text, category) VALUES (?, 'backlog', 'marketing')",
            [(f"+485001012{number % 100:02d}",) for number in range(100)],
        )
    database.close()
    box.until(lambda: not box.rows("outbox", "text = 'backlog' AND state = 'new'"))
    urgent = box.insert("+48500100235", "now", priority="stat")
    box.until_state(urgent, "queued", "sending", "sent", "delivered")
    before = len([s for s in box.sim.books.submits if s.text == "backlog"])
    box.until(lambda: len(box.rows("outbox", "text IN ('backlog', 'now') AND sent_at > ''")) == 101)
    order = [s.text for s in box.sim.books.submits if s.text in ("backlog", "now")]
    assert order.index("now") <= before + 2, "each modem may have had one in its hands"


def test_not_before_waits_and_expires_at_ends(box: Site) -> None:
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    later = (now + dt.timedelta(seconds=2)).isoformat()
    past = (now - dt.timedelta(hours=1)).isoformat()
    box.drop("later", f"To: 48500100236\nNot_before: {later}\n\nlater\n")
    waiting = box.insert("+48500100237", "tomorrow", not_before="2099-01-01T00:00:00Z")
    box.drop("stale", f"To: 48500100238\nExpires: {past}\n\nstale\n")
    box.until(lambda: box.content("failed", "stale"))
    assert header(box.content("failed", "stale"), "Gsmgw_state") == "expired"
    box.until(lambda: box.content("sent", "later"))
    (submit,) = [s for s in box.sim.books.submits if s.text == "later"]
    assert dt.datetime.fromisoformat(submit.at) >= dt.datetime.fromisoformat(later)
    box.until_state(waiting, "queued")
    assert box.run("cancel", str(waiting)).returncode == 0
    assert box.message(waiting)["state"] == "cancelled"
    assert box.phone("+48500100237") == box.phone("+48500100238") == []


def test_flash_classes_and_alphabets_reach_the_air(box: Site) -> None:
    ucs2 = "Ünïcode".encode("utf-16-be")
    ports = b"UDH-DATA: 06 05 04 0B 84 23 F0"
    files = {
        "flash": b"To: 48500100241\nFlash: yes\n\nlook\n",
        "class2": b"To: 48500100242\nClass: 2\n\nkeep\n",
        "latin": "To: 48500100243\nAlphabet: ISO\n\nGrüße".encode("iso-8859-15"),
        "ucs2": b"To: 48500100244\nAlphabet: UCS2\n\n" + ucs2,
        "crlf": b"To: 48500100245\r\n\r\nwindows\r\n",
        "binary": b"To: 48500100246\nAlphabet: binary\n" + ports + b"\n\n\x00\xff\x1a\x1b",
    }
    for name, content in files.items():
        box.drop(name, content)
    for name in files:
        box.until(lambda name=name: box.content("sent", name))
    by_recipient = {s.recipient: s for s in box.sim.books.submits}
    for number, wanted in (("+48500100241", 0), ("+48500100242", 2)):
        decoded = pdu.decode(by_recipient[number].pdu, direction="out")
        assert isinstance(decoded, pdu.DecodedSubmit)
        assert decoded.message_class == wanted
    for number, text in (("243", "Grüße"), ("244", "Ünïcode"), ("245", "windows")):
        assert by_recipient[f"+48500100{number}"].text == text
    assert by_recipient["+48500100246"].data == "00FF1A1B"
    assert "0605040B8423F000FF1A1B" in by_recipient["+48500100246"].pdu


def test_autosplit_cuts_numbers_and_joins(box: Site) -> None:
    text = " ".join(f"word{number:03d}" for number in range(30))
    for way in "0123":
        box.drop(f"split{way}", f"To: 4850010025{way}\nAutosplit: {way}\n\n{text}\n")
    for way in "0123":
        box.until(lambda way=way: box.content("sent", f"split{way}"))
    for way, count in enumerate((1, 2, 2, 1)):
        box.until(lambda way=way, count=count: len(box.phone(f"+4850010025{way}")) == count)
    assert box.phone("+48500100250") == [text[:160]]
    assert "".join(filter(None, box.phone("+48500100251"))).replace(" ", "") == text.replace(
        " ", ""
    )
    assert [part[:4] for part in filter(None, box.phone("+48500100252"))] == ["1/2 ", "2/2 "]
    assert box.phone("+48500100253") == [text]


def test_a_json_list_is_answered_with_a_result(box: Site) -> None:
    elements = [
        {"recipient": "500 100 261", "text": "Zażółć 👍", "reference": "J-1"},
        {"recipient": "+48500100262", "text": "second", "report_requested": True},
        {"recipient": "nobody", "text": "third", "reference": "J-3"},
        {"recipient": "+48500100263", "text": "fourth", "colour": "red"},
    ]
    box.drop("list.json", json.dumps(elements))
    box.until(lambda: box.content("sent", "list.json"))
    result = box.result("list.json")
    assert result["file"] == "list.json"
    found = result["messages"]
    assert [entry["index"] for entry in found] == [0, 1, 2, 3]
    assert [entry["state"] for entry in found[2:]] == ["rejected", "rejected"]
    assert [entry["id"] for entry in found[2:]] == [None, None]
    assert found[0]["recipient"] == "+48500100261"
    assert found[0]["reference"] == "J-1"
    assert "colour" in found[3]["error"]
    box.until(
        lambda: [m["state"] for m in box.result("list.json")["messages"][:2]] == ["delivered"] * 2
    )
    assert box.phone("+48500100261") == ["Zażółć 👍"]
    assert not box.content("checked", "list.json")


def test_a_reference_is_sent_once_through_any_door(box: Site) -> None:
    first = box.insert("+48500100264", "once", source="clinic", reference="R-1")
    box.insert("+48500100264", "once", source="clinic", reference="R-1")
    box.drop("again", "To: 48500100264\nSource: clinic\nReference: R-1\n\nonce\n")
    box.until(lambda: box.content("sent", "again"))
    assert header(box.content("sent", "again"), "Gsmgw_id") == str(first)
    box.until_state(first, "delivered")
    assert box.phone("+48500100264") == ["once"]


@pytest.mark.parametrize("folder", ["sent", "sent-real-imsi", "failed-modem-stage", "failed"])
def test_files_of_smsd_are_understood_as_outgoing_files(box: Site, folder: str) -> None:
    goldens = sorted((GOLDENS / folder).iterdir())
    for path in goldens:
        box.drop(f"{folder}-{path.name}", path.read_bytes())
    for path in goldens:
        name = f"{folder}-{path.name}"
        wanted = "failed" if folder == "failed" else "sent"
        box.until(lambda name=name, wanted=wanted: box.content(wanted, name))
        if folder != "failed":
            continue
        # refused with smsd's own words
        old = path.read_bytes().decode("utf-8", "replace")
        assert header(box.content("failed", name), "Fail_reason") == header(old, "Fail_reason")
