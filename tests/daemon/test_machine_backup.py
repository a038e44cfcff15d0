# SPDX-License-Identifier: Apache-2.0
"""`gsmgw backup` and `restore` beside a daemon that works."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from machine_support import Machine, machine, quiet

pytestmark = pytest.mark.slow


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path / "box") as running:
        yield running


def test_backup_while_messages_go_out_and_restore_sends_none_of_them(box: Machine) -> None:
    copy = box.folder / "copy.db"
    for number in range(30):
        box.drop(f"x{number}", f"To: 485001003{number:02d}\nReport: yes\n\nfile {number}\n")
        box.insert(f"+485001004{number:02d}", f"row {number}")
    box.until(lambda: len(box.texts) > 5)
    made = box.run("backup", "--json", str(copy))
    assert made.returncode == 0, made.stderr
    states = json.loads(made.stdout)["messages"]
    assert sum(states.values()) > 5
    box.until(lambda: len(box.files("sent")) == 30)
    box.until(lambda: len(box.files("report")) == 30)
    box.until(lambda: len(box.texts) == 60)
    later = box.insert("+48500100205", "since the copy")
    box.until_state(later, "delivered")
    known = {folder: box.files(folder) for folder in ("sent", "failed", "incoming", "report")}
    assert box.stop() == 0

    done = box.run("restore", "--json", str(copy))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    pending = sum(states.get(state, 0) for state in ("new", "queued", "sending"))
    assert told["cancelled"] == pending
    assert Path(told["aside"][0]).exists()
    box.start(wait=False)
    new = box.insert("+48500100206", "after")
    box.until_state(new, "delivered")
    assert new > 200_000
    quiet(1.5)
    assert len(box.texts) == 62
    assert box.sim.books.duplicates() == []
    assert {folder: box.files(folder) for folder in known} == known
    if pending:
        first = box.rows("outbox", "error_code = 'restored'")[0]["id"]
        assert box.run("retry", str(first)).returncode == 0
        box.until(lambda: len(box.texts) == 63)


def test_restore_is_refused_while_the_daemon_runs_and_names_it(box: Machine) -> None:
    copy = box.folder / "copy.db"
    assert box.run("backup", str(copy)).returncode == 0
    assert box.process is not None
    refused = box.run("restore", str(copy))
    assert refused.returncode == 69
    assert f"daemon (process {box.process.pid})" in refused.stderr
    assert "systemctl stop gsmgw" in refused.stderr
    box.until_state(box.insert("+48500100201", "goes on"), "delivered")


def test_commands_end_with_clear_words(box: Machine) -> None:
    copy = box.folder / "copy.db"
    assert box.run("backup", str(copy)).returncode == 0
    again = box.run("backup", str(copy))
    assert (again.returncode, "--force" in again.stderr) == (73, True)
    assert box.run("backup", str(box.folder / "absent" / "copy.db")).returncode == 73
    assert box.run("restore", str(box.folder / "absent.db")).returncode == 69  # it runs
    box.stop()
    assert box.run("restore", str(box.folder / "absent.db")).returncode == 74
    rubbish = box.folder / "rubbish.db"
    rubbish.write_bytes(b"rubbish " * 1000)
    assert box.run("restore", str(rubbish)).returncode == 65
    program = box.foreign()
    program.execute("SELECT count(*) FROM outbox").fetchall()
    busy = box.run("restore", str(copy))
    assert (busy.returncode, "fuser" in busy.stderr) == (75, True)
    program.close()
    done = box.run("restore", str(copy))
    assert (done.returncode, "restored" in done.stdout) == (0, True)
    assert json.loads(box.run("clock", "--json").stdout)["suspect"] is False


def test_backup_before_the_first_start_says_that_there_is_nothing(tmp_path: Path) -> None:
    with machine(tmp_path / "box", start=False) as box:
        said = box.run("backup", str(tmp_path / "copy.db"))
        assert said.returncode == 69
        assert "no database" in said.stderr
        assert not box.database.exists()
