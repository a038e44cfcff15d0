# SPDX-License-Identifier: Apache-2.0
"""Files put into `sent/` and `failed/`, through crashes and full disks."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from spool_support import IMEI, IMSI, Bench, Killed, kill_at

from gsmgw import logs
from gsmgw.errors import StoreBusyError
from gsmgw.model import ErrorFamily, MessageState
from gsmgw.spool import files
from gsmgw.store import outbox, spool_files
from gsmgw.threads import StopToken

FILE = "To: 48500100201\nX-Clinic: 42\n\nYour visit is on Monday\n"
HOOKS = {"hooks": {"event": ["/bin/true"]}}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path, **HOOKS)
    yield found
    found.close()


def hooks(bench: Bench) -> list[tuple[str, str, str | None]]:
    rows = spool_files.owed_hooks(bench.db, 100)
    root = f"{bench.place.root}/"
    return [(row["event"], str(row["path"]).removeprefix(root), row["message_ref"]) for row in rows]


def test_a_sent_file_as_clients_of_smsd_expect_it(bench: Bench) -> None:
    bench.take("X", FILE.replace("\n\n", "\nReport: yes\n\n"))
    assert bench.put_away() == 0
    bench.send(1, 0)
    assert bench.put_away() == 1
    assert bench.content("sent") == {
        "X": (
            "To: 48500100201\nX-Clinic: 42\nReport: yes\nModem: front\nSent: 26-11-23 09:00:09\n"
            f"Sending_time: 9\nMessage_id: 256\nIMSI: {IMSI}\nIMEI: {IMEI}\nGsmgw_id: 1\n"
            "Gsmgw_state: sent\nGsmgw_message_ids: 256\n\nYour visit is on Monday\n"
        ).encode()
    }
    assert set(bench.tree()) == {"sent"}
    assert hooks(bench) == [("SENT", "sent/X", "256")]
    assert (bench.place.sent / "X").stat().st_mode & 0o777 == 0o660


def test_without_a_report_there_is_no_message_id_but_the_handler_is_told(bench: Bench) -> None:
    bench.take("X", FILE)
    bench.send(1, 17)
    bench.put_away()
    assert b"\nMessage_id" not in bench.content("sent")["X"]
    assert hooks(bench) == [("SENT", "sent/X", "17")]


def test_a_long_cyrillic_text(bench: Bench) -> None:
    text = "Добрый день!! " * 6
    bench.take("X", f"To: 48500100201\nReport: yes\nAlphabet: UTF-8\n\n{text}".encode())
    bench.send(1, 254, 255)
    bench.put_away()
    content = bench.content("sent")["X"].decode()
    assert "\nMessage_id: 255\n" in content
    assert "\nGsmgw_message_ids: 254 255\n" in content
    assert "\nNOTICE: Cannot convert 1. character (D094)Д to GSM.\n" in content
    assert "\nNOTICE: 60 characters outside the GSM alphabet, converting to UCS2\n" in content


def test_ucs2_that_was_asked_for_needs_no_notice(bench: Bench) -> None:
    body = "Добрый".encode("utf-16-be")
    bench.take("X", b"To: 48500100201\nAlphabet: UCS2\n\n" + body)
    bench.send(1, 1)
    bench.put_away()
    assert b"NOTICE" not in bench.content("sent")["X"]
    assert bench.content("sent")["X"].endswith(body)


def test_refused_by_the_network(bench: Bench) -> None:
    bench.take("X", FILE)
    bench.refuse(1, 21, "Short message transfer rejected")
    bench.put_away()
    head = bench.content("failed")["X"].decode().partition("\n\n")[0]
    assert head == (
        f"To: 48500100201\nX-Clinic: 42\nModem: front\nIMSI: {IMSI}\nIMEI: {IMEI}\n"
        "Fail_reason: +CMS ERROR: 21 (Short message transfer rejected)\n"
        "Failed: 26-11-23 09:00:00\nGsmgw_id: 1\nGsmgw_state: failed"
    )
    assert hooks(bench) == [("FAILED", "failed/X", None)]


def test_refused_at_the_door(bench: Bench) -> None:
    bench.take("X", "To: 48500100201\n\n")
    bench.put_away()
    assert bench.content("failed")["X"] == (
        b"To: 48500100201\nFail_reason: No text or data\nFailed: 26-11-23 09:00:00\n"
        b"Gsmgw_state: rejected\n\n"
    )
    assert hooks(bench) == [("FAILED", "failed/X", None)]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (MessageState.EXPIRED, "its time ran out"),
        (MessageState.CANCELLED, "cancelled before it was sent"),
        (MessageState.REJECTED, "this number has asked not to be written to (STOP)"),
    ],
)
def test_ended_before_a_modem_had_it(bench: Bench, state: MessageState, words: str) -> None:
    bench.take("X", FILE)
    with bench.db.write() as tx:
        outbox.settle(tx, 1, state, ErrorFamily.GSMGW, "x", words)
    bench.put_away()
    head = bench.content("failed")["X"].decode().partition("\n\n")[0]
    assert head.endswith(
        f"Fail_reason: {words}\nFailed: 26-11-23 09:00:00\nGsmgw_id: 1\nGsmgw_state: {state}"
    )


def test_some_parts_sent_and_one_refused_tells_the_handler_which(bench: Bench) -> None:
    bench.take("X", "To: 48500100201\n\n" + "x" * 200)
    bench.refuse(1, 1, "Unassigned (unallocated) number")
    with bench.db.write() as tx:
        tx.run("UPDATE part SET state = 'sent', mr = 12 WHERE number = 1")
    bench.put_away()
    assert hooks(bench) == [("FAILED", "failed/X", "12")]
    assert b"\nGsmgw_message_ids: 12 -\n" in bench.content("failed")["X"]


def test_while_evidence_is_awaited_the_file_stays(bench: Bench) -> None:
    bench.take("X", FILE)
    bench.doubt(1, final=False)
    assert bench.put_away() == 0
    assert bench.tree() == {"checked": ["X"]}
    bench.doubt(1)
    bench.put_away()
    assert (
        b"\nFail_reason: Uncertain, may have arrived: see gsmgw show 1\n"
        in (bench.content("failed")["X"])
    )
    bench.send(1, 7)
    assert bench.put_away() == 0  # never moved again
    assert bench.tree() == {"failed": ["X"]}


def test_nothing_in_sent_is_overwritten(bench: Bench) -> None:
    for number in range(1, 4):
        bench.take("X", FILE)
        bench.send(number, number)
    assert bench.put_away() == 3
    bench.take("X", FILE)
    bench.send(4, 4)
    bench.put_away()
    ids = [content.partition(b"Gsmgw_id: ")[2][:1] for content in bench.content("sent").values()]
    assert list(bench.content("sent")) == ["X", "X.1", "X.2", "X.3"]
    assert ids == [b"1", b"2", b"3", b"4"]


def test_a_json_file_goes_to_sent_as_it_is_with_a_result_beside_it(bench: Bench) -> None:
    document = [
        {"recipient": "500100201", "text": "a", "reference": "A"},
        {"recipient": "nobody", "text": "b", "reference": "B"},
        {"recipient": "500100202", "text": "c"},
    ]
    content = json.dumps(document).encode()
    bench.take("X.json", content)
    bench.send(1, 7)
    assert bench.put_away() == 0
    bench.refuse(2, 1, "Unassigned (unallocated) number")
    assert bench.put_away() == 1
    assert bench.content("sent")["X.json"] == content
    assert set(bench.tree()) == {"sent"}
    first, second, third = bench.result("X.json")
    assert first == {
        "index": 0,
        "id": 1,
        "reference": "A",
        "recipient": "+48500100201",
        "state": "sent",
        "error_family": None,
        "error_code": None,
        "error": None,
        "parts": 1,
        "sent_at": "2026-11-23T08:00:09.000Z",
        "settled_at": "2026-11-23T08:00:09.000Z",
    }
    assert (second["id"], second["state"], second["error_family"]) == (None, "rejected", "rejected")
    assert (second["error_code"], second["reference"]) == ("bad-number", "B")
    assert (second["recipient"], second["parts"]) == ("nobody", None)
    assert (third["state"], third["error_family"], third["error_code"]) == ("failed", "cms", "1")
    assert hooks(bench) == [("SENT", "sent/X.json", None)]


@pytest.mark.parametrize(
    "content", ["[]", "{]]]]]]]", '[{"recipient": "nobody", "text": "x"}]', "[" * 100_000]
)
def test_a_json_file_of_which_nothing_was_accepted_goes_to_failed(
    bench: Bench, content: str
) -> None:
    bench.take("X", content.ljust(8))
    bench.put_away()
    assert set(bench.tree()) == {"failed"}
    (result,) = bench.result("X", "failed")
    assert (result["id"], result["state"]) == (None, "rejected")
    assert result["error"]


def test_a_json_file_whose_only_message_was_stopped_goes_to_failed(bench: Bench) -> None:
    bench.take("X", '[{"recipient": "500100201", "text": "x"}]')
    with bench.db.write() as tx:
        outbox.settle(tx, 1, MessageState.REJECTED, ErrorFamily.REJECTED, "stopped", "STOP")
    bench.put_away()
    (result,) = bench.result("X", "failed")
    assert (result["id"], result["error_code"]) == (1, "stopped")


def test_result_documents_follow_later_states(bench: Bench) -> None:
    bench.take("X", '[{"recipient": "500100201", "text": "x"}]')
    bench.send(1, 7)
    bench.put_away()
    bench.deliver(1)
    bench.clock.advance(31)
    bench.results._updates.look(hinted=True)
    assert bench.result("X")[0]["state"] == "delivered"
    assert bench.results._updates._followed == {}
    assert set(bench.tree()) == {"sent"}


def test_result_documents_follow_later_states_across_a_restart(bench: Bench) -> None:
    for name in ("X", "Y", "Z"):
        bench.take(name, '[{"recipient": "500100201", "text": "x"}]')
    for number in (1, 2, 3):
        bench.send(number, 7)
    bench.put_away()
    bench.deliver(1)
    (bench.place.sent / "Z.result.json").unlink()
    (bench.place.sent / "foreign.result.json").write_text('{"messages": [{"id": 2}]}')
    (bench.place.sent / "broken.result.json").write_text("[[[")
    (bench.place.sent / "link.result.json").symlink_to("X.result.json")
    bench.start()
    bench.results._updates.look(hinted=True)
    assert [bench.result(name)[0]["state"] for name in ("X", "Y")] == ["delivered", "sent"]
    bench.deliver(2)
    (bench.place.sent / "Y.result.json").unlink()
    bench.clock.advance(31)
    bench.results._updates.look(hinted=False)
    assert "Y.result.json" not in bench.tree()["sent"]  # taken away; it is not made again


def test_a_document_taken_away_while_it_is_renewed_does_not_come_again(bench: Bench) -> None:
    bench.take("X", '[{"recipient": "500100201", "text": "x"}]')
    bench.send(1, 7)
    bench.put_away()
    bench.deliver(1)
    document = bench.place.sent / "X.result.json"

    def take_away(change: str, paths: tuple[Path, ...]) -> None:
        if change == "write":
            document.unlink()

    bench.clock.advance(31)
    with files.recording(take_away):
        bench.results._updates.look(hinted=True)
    assert bench.tree() == {"sent": ["X"]}
    assert bench.results._updates._followed == {}


def test_no_more_documents_are_followed_than_can_be(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gsmgw.spool.updates.MOST_FOLLOWED", 2)
    for number in range(1, 5):
        bench.take(f"X{number}", f'[{{"recipient": "500100201", "text": "{number}"}}]')
        bench.send(number, 7)
    bench.put_away()
    assert sorted(bench.results._updates._followed) == [3, 4]
    bench.clock.advance(8 * 86400)
    bench.results._updates.look(hinted=False)
    assert bench.results._updates._followed == {}


# -- crashes --------------------------------------------------------------------------------------


def settle_all(bench: Bench) -> None:
    for message in bench.messages():
        if message["state"] == "queued":
            bench.send(message["id"], 7)


def play(bench: Bench) -> None:
    """Take what is there, let it be sent, put it away."""
    bench.taking.take_ready()
    settle_all(bench)
    bench.put_away()


@pytest.mark.parametrize("number", range(40))
def test_killed_at_any_change_of_a_file(tmp_path: Path, number: int) -> None:
    """Nothing is lost, nothing comes twice, no file stands in two places."""
    bench = Bench(tmp_path, **HOOKS)
    bench.drop("good", FILE)
    bench.drop("bad", "To: nobody\n\nHello\n")
    bench.drop("list", '[{"recipient": "500100201", "text": "x"}]')
    try:
        with files.recording(kill_at(number)):
            play(bench)
    except Killed:
        pass
    bench.db.close()
    for _ in range(2):  # the second start finds nothing to do
        bench.start()
        bench.clock.advance(31)
        bench.taking._scan(bench.clock.monotonic())
        bench.clock.advance(1)
        play(bench)
    assert bench.tree() == {"sent": ["good", "list", "list.result.json"], "failed": ["bad"]}
    assert len(bench.messages()) == 2
    assert (
        bench.content("sent")["good"].count(b"Gsmgw_id: 1")
        + (bench.content("sent")["good"].count(b"Gsmgw_id: 2"))
        == 1
    )
    assert sorted(hooks(bench)) == [
        ("FAILED", "failed/bad", None),
        ("SENT", "sent/good", "7"),
        ("SENT", "sent/list", None),
    ]
    bench.close()


def test_a_file_picked_up_by_its_client_just_before_a_crash_does_not_come_again(
    bench: Bench,
) -> None:
    bench.take("X", FILE)
    bench.send(1, 7)

    def pick_up(change: str, paths: tuple[Path, ...]) -> None:
        if change == "sync" and paths[0] == bench.place.sent:
            (bench.place.sent / "X").unlink()
            raise Killed

    with pytest.raises(Killed), files.recording(pick_up):
        bench.put_away()
    bench.start()
    bench.put_away()
    assert bench.tree() == {}
    assert hooks(bench) == [("SENT", "sent/X", "7")]


# -- disks and databases --------------------------------------------------------------------------


def fail_with(number: int, *changes: str) -> Callable[[str, tuple[Path, ...]], None]:
    def note(change: str, paths: tuple[Path, ...]) -> None:
        if change in changes:
            raise OSError(number, "No space left on device")

    return note


@pytest.mark.parametrize("change", ["write", "move", "remove", "sync"])
def test_a_full_disk_makes_results_wait(bench: Bench, change: str) -> None:
    bench.take("X", FILE)
    bench.send(1, 7)
    with logs.capture() as records, files.recording(fail_with(errno.ENOSPC, change)):
        for _ in range(5):
            bench.put_away()
            bench.clock.advance(3)
    warnings = [record for record in records if record.level <= 4]
    assert [record.event for record in warnings] == ["spool.owed"]
    assert warnings[0].fields["advice"] == "make room on the disk"
    bench.clock.advance(60)
    with logs.capture() as records:
        assert bench.put_away() == 1
    assert "spool.caught_up" in [record.event for record in records]
    assert bench.tree() == {"sent": ["X"]}


def test_one_file_in_trouble_does_not_hold_the_others(bench: Bench) -> None:
    for number in range(1, 31):
        bench.take(f"X{number:02}", FILE.replace("Monday", str(number)))
        bench.send(number, 7)

    def note(change: str, paths: tuple[Path, ...]) -> None:
        if change == "write" and paths[0].name in {f"file-{n}" for n in range(1, 26)}:
            raise OSError(errno.EIO, "Input/output error")

    with files.recording(note):
        for _ in range(5):
            bench.put_away()
            bench.clock.advance(0.1)
    assert list(bench.content("sent")) == ["X26", "X27", "X28", "X29", "X30"]
    bench.clock.advance(10)
    assert bench.put_away() == 25


def test_a_busy_store_makes_results_wait(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.take("X", FILE)
    bench.send(1, 7)
    with monkeypatch.context() as patch:

        def refuse(rows: Any) -> int:
            raise StoreBusyError

        patch.setattr(bench.results, "_round", refuse)
        assert bench.put_away() == 0
    assert bench.put_away() == 0
    bench.clock.advance(2)
    assert bench.put_away() == 1


def test_a_result_document_that_cannot_be_renewed_is_renewed_later(bench: Bench) -> None:
    bench.take("X", '[{"recipient": "500100201", "text": "x"}]')
    bench.send(1, 7)
    bench.put_away()
    bench.deliver(1)
    bench.clock.advance(31)
    with files.recording(fail_with(errno.ENOSPC, "write")):
        bench.results._updates.look(hinted=True)
    assert bench.result("X")[0]["state"] == "sent"
    bench.clock.advance(31)
    bench.results._updates.look(hinted=False)
    assert bench.result("X")[0]["state"] == "delivered"


@pytest.mark.parametrize("format_of", [FILE, '[{"recipient": "500100201", "text": "x"}]'])
def test_a_file_taken_away_from_checked_is_told_of_all_the_same(
    bench: Bench, format_of: str
) -> None:
    bench.take("X", format_of)
    (bench.place.checked / "X").unlink()
    bench.send(1, 7)
    assert bench.put_away() == 1
    told = bench.content("sent").get("X") or bench.content("sent")["X.result.json"]
    assert b"sent" in told


def test_a_message_that_retention_removed_meanwhile(bench: Bench) -> None:
    bench.take("X", FILE)
    bench.send(1, 7)
    with bench.db.write() as tx:
        tx.run("UPDATE spool_entry SET message_id = NULL")
    bench.put_away()
    assert b"\nFail_reason: Unknown\n" in bench.content("failed")["X"]


def test_step_puts_away_at_a_hint_and_ends_when_told(bench: Bench) -> None:
    bench.take("X", FILE)
    bench.send(1, 7)
    bench.results.wake()
    stop = StopToken()
    bench.results.step(stop)
    assert bench.tree() == {"sent": ["X"]}
    stop.set()
    bench.results.wake()
    bench.results.step(stop)
