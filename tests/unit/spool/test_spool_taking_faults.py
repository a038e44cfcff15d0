# SPDX-License-Identifier: Apache-2.0
"""Files taken out of `outgoing/` when something goes wrong, and lists of many messages."""

from __future__ import annotations

import json
import os
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from spool_support import Bench, NoWatcher

from gsmgw import logs, phone, watch
from gsmgw.errors import StoreBusyError, StoreDamagedError, StoreFullError
from gsmgw.spool import files
from gsmgw.spool.formats import smstools
from gsmgw.spool.recording import Claim
from gsmgw.threads import StopToken

FILE = "To: 48500100201\n\nYour visit is on Monday\n"
UNPRIVILEGED = 65534


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path)
    yield found
    found.close()


def scan(bench: Bench) -> None:
    """Let the service look by itself, and the settle time pass."""
    bench.clock.advance(31)
    bench.taking._scan(bench.clock.monotonic())
    bench.clock.advance(1)
    bench.taking.take_ready()


def test_a_crash_between_claim_and_commit_is_made_good(bench: Bench) -> None:
    (bench.place.checked / "X").write_text(FILE)
    bench.take("known", FILE)
    bench.start()
    bench.taking.take_ready()
    assert sorted(row["spool_file"] for row in bench.messages()) == ["X", "known"]
    bench.start()
    bench.taking.take_ready()
    assert len(bench.messages()) == 2


def test_what_lies_in_checked_and_is_no_file_is_left(bench: Bench) -> None:
    (bench.place.checked / "folder").mkdir()
    (bench.place.checked / ".hidden").write_text(FILE)
    bench.start()
    bench.taking.take_ready()
    assert bench.tree() == {"checked": [".hidden", "folder"]}
    assert bench.messages() == []


def test_while_the_store_is_busy_files_wait(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (StoreBusyError(), StoreFullError()):
        with monkeypatch.context() as patch:

            def refuse(taken: Any, error: Exception = error) -> Any:
                raise error

            patch.setattr(bench.taking._recorder, "record", refuse)
            with logs.capture() as records:
                bench.take(type(error).__name__, FILE)
                bench.taking.take_ready()
        assert [record.event for record in records] == ["spool.owed"]
        assert bench.taking._to_record() == []
        bench.clock.advance(2)
        bench.taking.take_ready()
    assert len(bench.messages()) == 2


def test_a_disk_that_fails_for_one_file_does_not_stop_the_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = files.read

    def fail(path: Path) -> Any:
        if path.name == "X":
            raise OSError(5, "Input/output error")
        return read(path)

    monkeypatch.setattr(files, "read", fail)
    bench.drop("X", FILE)
    bench.take("Y", FILE)
    assert [row["spool_file"] for row in bench.messages()] == ["Y"]
    monkeypatch.setattr(files, "read", read)
    bench.clock.advance(2)
    bench.taking.take_ready()
    assert len(bench.messages()) == 2


def test_a_fault_of_ours_in_reading_costs_one_file(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse = smstools.parse

    def stumble(content: bytes, around: Any) -> Any:
        if b"Monday" in content:
            raise ZeroDivisionError(content)
        return parse(content, around)

    monkeypatch.setattr(smstools, "parse", stumble)
    bench.drop("X", FILE)
    with logs.capture() as records:
        bench.take("Y", FILE.replace("Monday", "Friday"))
    assert [record.event for record in records if record.level <= 3] == ["spool.stumbled"]
    assert "Monday" not in str(records)
    bench.put_away()
    assert b"Fail_reason: gsmgw could not read it; this is a fault" in bench.content("failed")["X"]
    assert [row["text"] for row in bench.messages()] == ["Your visit is on Friday"]


def test_a_fault_of_ours_in_storing_costs_one_file(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept = bench.intake.accept

    def stumble(tx: Any, draft: Any) -> Any:
        if "Monday" in draft.text:
            raise ZeroDivisionError
        return accept(tx, draft)

    monkeypatch.setattr(bench.intake, "accept", stumble)
    for name, day in [("a", "Friday"), ("b", "Monday"), ("c", "Sunday")]:
        bench.drop(name, FILE.replace("Monday", day))
    bench.taking.take_ready()
    assert [row["text"][-6:] for row in bench.messages()] == ["Friday", "Sunday"]
    bench.put_away()
    assert list(bench.content("failed")) == ["b"]


def test_a_file_exchanged_for_a_link_while_it_is_taken_is_not_followed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bench.folder / "secret").write_text(FILE)
    move = files.move

    def exchange(source: Path, target: Path) -> None:
        source.unlink()
        source.symlink_to(bench.folder / "secret")
        move(source, target)

    monkeypatch.setattr(files, "move", exchange)
    bench.drop("X", FILE)
    bench.taking.take_ready()
    monkeypatch.setattr(files, "move", move)
    assert bench.messages() == []
    bench.put_away()
    assert b"the file was exchanged while it was taken" in bench.content("failed")["X"]
    assert (bench.folder / "secret").read_text() == FILE


def test_a_file_taken_back_by_its_producer_is_forgotten(bench: Bench) -> None:
    bench.drop("X", FILE)
    (bench.place.outgoing / "X").unlink()
    bench.taking.take_ready()
    assert bench.tree() == {}
    assert bench.taking._readiness.seconds_to_next(0) is None


def test_a_file_that_cannot_be_renamed_stays(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(source: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(files, "move", fail)
    with logs.capture() as records:
        bench.take("X", FILE)
    (record,) = records
    assert record.fields["why"] == "cannot be moved to checked/: Operation not permitted"
    assert bench.tree() == {"outgoing": ["X"]}


def _as_nobody(work: Callable[[], None]) -> None:
    """Do something in a process of its own that has none of root's rights."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(UNPRIVILEGED)
                os.setuid(UNPRIVILEGED)
            work()
            status = 0
        except BaseException:  # noqa: BLE001 - whatever it is, the test is to fail
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def test_an_unreadable_file_stays_and_is_named_with_owner_and_mode() -> None:
    with tempfile.TemporaryDirectory() as folder:
        box = Path(folder)
        if os.geteuid() == 0:
            os.chown(box, UNPRIVILEGED, UNPRIVILEGED)
        # Loaded now: the child may not be allowed to read the library.
        phone.parse_recipient("+48500100201", country="PL")

        def work() -> None:
            bench = Bench(box, template=False)
            bench.drop("X", FILE)
            (bench.place.outgoing / "X").chmod(0)
            with logs.capture() as records:
                bench.taking.take_ready()
                bench.taking._readiness.notice("X", "moved_in", bench.clock.monotonic())
                bench.taking.take_ready()
            (record,) = records
            assert record.event == "spool.unreadable"
            assert "Permission denied: owner" in str(record.fields["why"])
            assert "mode 0" in str(record.fields["why"])
            assert bench.tree() == {"outgoing": ["X"]}
            (bench.place.outgoing / "X").chmod(0o600)
            bench.take("Y", FILE)
            bench.taking._readiness.notice("X", "moved_in", bench.clock.monotonic())
            bench.taking.take_ready()
            assert len(bench.messages()) == 2

        _as_nobody(work)


def test_step_looks_at_once_and_ends_when_told(bench: Bench) -> None:
    stop = StopToken()
    bench.drop("X", FILE)
    bench.taking.step(stop)
    assert len(bench.messages()) == 1
    stop.set()
    bench.taking.step(stop)


def test_events_of_the_watcher_reach_the_table(bench: Bench) -> None:
    outgoing = bench.place.outgoing
    bench.taking._watcher = watch.Watcher(outgoing)
    assert bench.taking._watcher.start()
    (bench.folder / "aside").write_text(FILE)
    (bench.folder / "aside").rename(outgoing / "X")
    bench.taking._scan_at = 1e9
    bench.taking.step(StopToken())
    assert len(bench.messages()) == 1
    bench.taking.wake()
    bench.taking.step(StopToken())  # at once, though nothing happens


def test_where_the_kernel_has_lost_events_the_folder_is_looked_at(bench: Bench) -> None:
    class Flooded(NoWatcher):
        def wait(self, seconds: float) -> list[tuple[str, str]]:
            return [("", watch.LOST)]

    (bench.place.outgoing / "X").write_text(FILE)
    bench.taking._watcher = Flooded()  # type: ignore[assignment]
    bench.taking._scan_at = 1e9
    bench.taking.step(StopToken())
    bench.clock.advance(60)
    bench.taking.step(StopToken())  # finds it
    bench.clock.advance(60)
    bench.taking.step(StopToken())
    assert len(bench.messages()) == 1


def test_a_watcher_that_has_died_is_started_again(bench: Bench) -> None:
    class Dead(NoWatcher):
        starts = 0

        def is_alive(self) -> bool:
            return False

        def start(self) -> bool:
            self.starts += 1
            return True

    dead = Dead()
    bench.taking._watcher = dead  # type: ignore[assignment]
    bench.place.outgoing.rmdir()
    scan(bench)
    assert dead.starts == 1
    assert bench.place.outgoing.is_dir()


@pytest.mark.parametrize("name", ["checked", "sent", "failed", "incoming", "report", ".tmp"])
def test_a_folder_that_was_removed_is_made_again_and_what_was_owed_goes_there(
    bench: Bench, name: str
) -> None:
    (bench.place.root / name).rmdir()
    bench.drop("X", FILE)
    bench.taking.take_ready()
    if name != "checked":
        bench.send(bench.messages()[0]["id"], 1)
    if name in ("sent", ".tmp"):
        assert bench.put_away() == 0
    scan(bench)
    assert bench.place.is_whole()
    if name == "checked":
        bench.send(bench.messages()[0]["id"], 1)
    assert bench.put_away() == 1
    assert bench.tree() == {"sent": ["X"]}


@pytest.mark.parametrize("stays", [True, False])
def test_permission_is_told_unless_the_file_is_gone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, *, stays: bool
) -> None:
    def refuse(path: Path) -> Any:
        if not stays:
            path.unlink()
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files, "check_readable", refuse)
    with logs.capture() as records:
        bench.take("X", FILE)
    assert [record.event for record in records] == (["spool.unreadable"] if stays else [])


def test_a_file_taken_back_at_the_last_moment(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanish(source: Path, target: Path) -> None:
        source.unlink()
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(files, "move", vanish)
    bench.take("X", FILE)
    assert bench.tree() == {}


def test_what_has_been_named_is_forgotten_before_it_fills_the_memory(bench: Bench) -> None:
    bench.taking._named = {("x", str(number)) for number in range(1000)}
    bench.taking._name_once("spool.ignored", "X", "why")
    assert bench.taking._named == {("X", "why")}


def test_an_error_of_the_store_that_does_not_pass_is_for_the_supervisor(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(tx: Any, draft: Any) -> Any:
        raise StoreDamagedError

    monkeypatch.setattr(bench.intake, "accept", refuse)
    with pytest.raises(StoreDamagedError):
        bench.take("X", FILE)
    monkeypatch.undo()
    bench.start()
    bench.taking.take_ready()
    assert len(bench.messages()) == 1


def test_a_file_that_is_stored_already_is_not_stored_again(bench: Bench) -> None:
    claim = Claim("X", "X")
    (bench.place.checked / "X").write_text(FILE)
    for _ in range(2):
        bench.taking._recorder.record([bench.taking._recorder.read(claim)])
    assert len(bench.messages()) == 1


def test_files_left_over_are_recorded_without_waiting(bench: Bench) -> None:
    (bench.place.checked / "X").write_text(FILE)
    bench.start()
    bench.taking.step(StopToken())
    assert len(bench.messages()) == 1


def long_list(count: int) -> str:
    return json.dumps(
        [{"recipient": f"500100{number:03}", "text": f"text {number}"} for number in range(count)]
    )


def test_a_long_list_is_stored_in_pieces_and_newer_files_come_in_between(bench: Bench) -> None:
    bench.take("list", long_list(250))
    assert len(bench.messages()) == 100
    bench.take("one", FILE)
    texts = [row["text"] for row in bench.messages()]
    assert len(texts) == 201
    assert texts.index("Your visit is on Monday") == 100
    assert bench.taking._patience(bench.clock.monotonic()) == pytest.approx(0.02)
    bench.taking.take_ready()
    assert len(bench.messages()) == 251
    assert bench.taking._unrecorded == []


def test_a_long_list_whose_first_piece_is_settled_stays_until_all_of_it_is(bench: Bench) -> None:
    bench.take("list", long_list(150))
    for message in bench.messages():
        bench.refuse(message["id"], 1, "Unassigned (unallocated) number")
    assert bench.put_away() == 0
    bench.taking.take_ready()
    for message in bench.messages()[100:]:
        bench.send(message["id"], 7)
    assert bench.put_away() == 1
    assert [result["state"] for result in bench.result("list")].count("sent") == 50


def test_a_long_list_cut_short_by_a_crash_is_continued(bench: Bench) -> None:
    bench.take("list", long_list(250))
    bench.take("short", long_list(3))
    for _ in range(2):
        bench.start()
        while bench.taking._to_record():
            bench.taking.take_ready()
    texts = [row["text"] for row in bench.messages()]
    assert sorted(texts) == sorted(
        [f"text {number}" for number in range(250)] + ["text 0", "text 1", "text 2"]
    )


def test_a_fault_of_ours_costs_one_element_of_a_list(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept = bench.intake.accept

    def stumble(tx: Any, draft: Any) -> Any:
        if draft.text == "text 7":
            raise ZeroDivisionError
        return accept(tx, draft)

    monkeypatch.setattr(bench.intake, "accept", stumble)
    bench.take("list", long_list(120))
    while bench.taking._to_record():
        bench.taking.take_ready()
    assert len(bench.messages()) == 119
    for message in bench.messages():
        bench.send(message["id"], 7)
    bench.put_away()
    assert "a fault in gsmgw" in bench.result("list")[7]["error"]


def test_a_fault_of_ours_in_reading_a_list_puts_it_away_as_it_is(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(content: bytes, **more: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr("gsmgw.spool.formats.json_format.parse", stumble)
    bench.take("list", long_list(3))
    bench.put_away()
    assert bench.tree() == {"failed": ["list", "list.result.json"]}


def test_numbers_in_names_are_masked_and_many_bad_elements_are_one_line(bench: Bench) -> None:
    bad = json.dumps([{"recipient": "nobody", "text": "x"}] * 50)
    with logs.capture() as records:
        bench.take("sms-48500100201", bad)
    (record,) = records
    assert (record.event, record.fields["file"]) == ("spool.rejected", "sms-485***201")


def test_a_file_claimed_just_before_a_kill_is_on_disk_before_it_is_stored(bench: Bench) -> None:
    """Else a loss of power soon after would put it back into outgoing, and it would go twice."""
    (bench.place.checked / "X").write_text(FILE)
    changes: list[tuple[str, Path]] = []
    with files.recording(lambda change, paths: changes.append((change, paths[0]))):
        bench.taking.open()
        assert bench.messages() == []
        assert changes[-2:] == [("sync", bench.place.checked), ("sync", bench.place.outgoing)]
    bench.taking.take_ready()
    assert len(bench.messages()) == 1
