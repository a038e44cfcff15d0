# SPDX-License-Identifier: Apache-2.0
"""Users, groups, modes, umasks: all of the group can work, and what is missing is named."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from machine_support import NOBODY, ROOT, Machine, machine, open_folder
from site_support import PATIENCE_S

pytestmark = pytest.mark.slow

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several users")


@pytest.fixture
def box() -> Iterator[Machine]:
    with open_folder() as folder, machine(folder / "box", start=False) as running:
        yield running


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def group_of(path: Path) -> int:
    return path.stat().st_gid


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_umask_locks_nobody_of_the_group_out(box: Machine, umask: int) -> None:
    before = os.umask(umask)
    try:
        box.start()
        message = box.insert("+48500100201", "hello", report_requested=1)
        box.drop("file", "To: 48500100202\n\nby file\n")
        box.sim.receive("+48500100299", "front", "an answer")
        box.until_state(message, "delivered")
        box.until(lambda: box.files("sent") and box.files("incoming") and box.files("report"))
        assert box.run("backup", str(box.folder / "copy.db")).returncode == 0
    finally:
        os.umask(before)
    for path in (*box.database.parent.glob("gsmgw.db*"), box.folder / "copy.db"):
        assert mode(path) == 0o660, path
    for folder in ("outgoing", "checked", "sent", "failed", "incoming", "report"):
        assert mode(box.spool / folder) == 0o2770
    for folder in ("sent", "incoming", "report"):
        assert {mode(path) for path in (box.spool / folder).iterdir()} == {0o660}


@pytest.mark.parametrize("which", ["database", "spool"])
def test_directory_that_may_not_be_written_is_named_with_what_to_do(
    box: Machine, which: str
) -> None:
    folder = box.database.parent if which == "database" else box.spool
    folder.chmod(0o555)
    if os.geteuid() == 0:
        if which == "database":
            os.chown(box.spool, NOBODY, NOBODY)
        refused = run_as_nobody(box, "run")
        code, said = refused.returncode, refused.stderr
    else:
        code, said = box.refused()
    folder.chmod(0o755)
    assert code == 69
    assert "error daemon.refused" in said
    assert str(folder) in said
    assert "Traceback" not in said


def as_nobody(box: Machine, *arguments: str, group: int = NOBODY) -> list[str]:
    """Return the command line of gsmgw as another user."""
    return [
        *(sys.executable, str(ROOT / "tests" / "nobody_launcher.py"), str(group), "-m", "gsmgw"),
        *("--config", str(box.config), *arguments),
    ]


def run_as_nobody(box: Machine, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        as_nobody(box, *arguments),
        capture_output=True,
        text=True,
        check=False,
        cwd=box.folder,
        env=box.environment(),
        timeout=PATIENCE_S,
    )


# -- several users of one group -------------------------------------------------------------------


@pytest.fixture
def shared(box: Machine) -> Machine:
    """A box whose directories belong to a group, as a package makes them."""
    for folder in (box.database.parent, box.spool):
        os.chown(folder, 0, MAIL)
        folder.chmod(0o2770)
    return box


#: A group that is on every machine; what it is for does not matter.
MAIL = 8

WRITE = (
    "import os, sqlite3, sys; os.umask(0o077);"
    "c = sqlite3.connect(sys.argv[1], timeout=30);"
    "c.execute('INSERT INTO outbox (recipient, text) VALUES (?, ?)', ('+48500100205', 'by them'));"
    "c.commit(); print('done', flush=True); sys.stdin.read()"
)


@as_root
def test_member_of_the_group_that_opens_first_does_not_lock_us_out(shared: Machine) -> None:
    shared.start()
    shared.stop()
    other = subprocess.Popen(
        [
            *(sys.executable, str(ROOT / "tests" / "nobody_launcher.py"), str(MAIL)),
            *("-c", WRITE, str(shared.database)),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"done\n"
    wal = Path(f"{shared.database}-wal")
    assert wal.stat().st_uid == NOBODY
    assert group_of(wal) == MAIL
    shared.start()
    shared.until(lambda: "by them" in shared.texts)
    other.communicate(b"")


@as_root
def test_daemon_of_another_user_takes_over_what_root_began(shared: Machine) -> None:
    assert shared.run("list").returncode == 0  # makes the database, as root
    assert shared.run("restore", _copy(shared)).returncode == 0  # and the lock, and a new database
    for port in shared.sim.ports.values():
        os.chown(port, NOBODY, NOBODY)
    before = len(shared.log)
    with shared.log_path.open("ab") as log:
        shared.process = subprocess.Popen(
            as_nobody(shared, "run", group=MAIL),
            cwd=shared.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=shared.environment(),
        )
    shared.until_up(before)
    message = shared.insert("+48500100201", "hello")
    shared.until_state(message, "delivered")
    assert "daemon (process" in shared.run("restore", _copy(shared)).stderr
    assert shared.stop() == 0


def _copy(box: Machine) -> str:
    copy = box.folder / "copy.db"
    assert box.run("backup", "--force", str(copy)).returncode == 0
    return str(copy)


@as_root
def test_program_outside_the_group_reads_and_writes_nothing(shared: Machine) -> None:
    shared.start()
    found = run_as_nobody(shared, "list")
    assert found.returncode == 74
    assert "not" in found.stderr
    assert found.stdout == ""
