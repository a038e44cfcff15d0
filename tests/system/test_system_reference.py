# SPDX-License-Identifier: Apache-2.0
"""journalctl, man and shells take what a package installs; the journal hears the daemon."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import log_messages_support
import pytest
from journal_support import Listener
from machine_support import machine

from gsmgw import journal

ROOT = Path(__file__).resolve().parents[2]


def write(word: str, dest: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "gsmgw.cli.reference", word, str(dest)], cwd=ROOT, check=True
    )


def run(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LC_ALL": "C.UTF-8", **environment},
    )


def test_journalctl_takes_the_catalogue_and_explains_every_event(tmp_path: Path) -> None:
    write("catalog", tmp_path / "usr/lib/systemd/catalog/gsmgw.catalog")
    (tmp_path / "var/lib/systemd/catalog").mkdir(parents=True)
    done = run("journalctl", f"--root={tmp_path}", "--update-catalog")
    assert done.stderr == ""
    events = log_messages_support.documented()
    for event in events:
        done = run("journalctl", f"--root={tmp_path}", "--dump-catalog", journal.message_id(event))
        assert done.stdout.startswith(f"-- {journal.message_id(event)}\nSubject: "), event
        wanted = {"warning", "error"} & set(events[event])
        assert ("What to do:" if wanted else "nothing to do") in done.stdout, event
    listed = run("journalctl", f"--root={tmp_path}", "--list-catalog").stdout
    assert len(re.findall(r"^[0-9a-f]{32} gsmgw: ", listed, re.MULTILINE)) == len(events)


def test_man_shows_the_pages_without_a_warning(tmp_path: Path) -> None:
    write("man", tmp_path)
    pages = sorted(tmp_path.iterdir())
    assert len(pages) == 3
    for page in pages:
        done = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page, MANROFFSEQ="")
        assert done.stderr == "", page.name
        done = run("man", "-l", page, MANWIDTH="80", MANPAGER="cat", MAN_KEEP_FORMATTING="")
        assert len(done.stdout.splitlines()) > 100


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_read_the_completion(tmp_path: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    write("completion", tmp_path)
    assert run(shell, "-n", tmp_path / f"gsmgw.{shell}").stderr == ""


def test_bash_completes_a_word(tmp_path: Path) -> None:
    write("completion", tmp_path)
    program = tmp_path / "gsmgw"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m gsmgw "$@"\n')
    program.chmod(0o755)
    script = (
        f"source {tmp_path}/gsmgw.bash; COMP_WORDS=(gsmgw list --state unc); COMP_CWORD=3; "
        f"compopt() {{ :; }}; _gsmgw_completion {program}; echo ${{COMPREPLY[@]}}"
    )
    assert run("bash", "-c", script, PYTHONPATH=str(ROOT)).stdout.split() == ["uncertain"]


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Listen where systemd-journald does, in this namespace alone."""
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
    journal.SOCKET.parent.mkdir(parents=True)
    found = Listener(journal.SOCKET)
    yield found
    found.close()
    subprocess.run(["umount", "--lazy", "/run"], check=True)


def test_the_daemon_tells_the_journal(tmp_path: Path, listener: Listener) -> None:
    with machine(tmp_path / "box", start=False) as box:
        box.log_path.touch()
        status = box.log_path.stat()
        box.start(wait=False, env={"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
        box.until(box.is_ready)  # its log goes to the journal
        assert listener.until("daemon.started")["GSMGW_MODEMS"] == "front"
        box.drop("file", "To: 48500100201\n\nby file\n")
        sent = listener.until("part.sent")
        assert sent["MESSAGE"].startswith("info part.sent id=1 part=1/1 modem=front ")
        assert sent["MESSAGE_ID"] == journal.message_id("part.sent")
        assert (sent["GSMGW_ID"], sent["GSMGW_RECIPIENT"]) == ("1", "+48500***201")
        assert (sent["PRIORITY"], sent["SYSLOG_IDENTIFIER"]) == ("6", "gsmgw")
        listener.close()
        box.drop("other", "To: 48500100201\n\nnobody listens\n")
        box.until(lambda: "<6>info part.sent id=2 " in box.log)
        assert box.stop() == 0
        assert "part.sent id=1 " not in box.log


def test_a_configuration_that_keeps_the_daemon_from_starting_is_an_event(
    tmp_path: Path, listener: Listener
) -> None:
    with machine(tmp_path / "box", start=False) as box:
        box.config.write_text("country: Poland\n")
        box.log_path.touch()
        status = box.log_path.stat()
        box.start(wait=False, env={"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
        assert "Poland" in listener.until("config.refused")["GSMGW_WHY"]
        assert box.process is not None
        assert box.process.wait(60) == 78
        box.process = None


@pytest.fixture
def journald() -> Iterator[Path]:
    """Run the real systemd-journald with our catalogue, in this namespace alone; its files."""
    catalogues = Path("/usr/lib/systemd/catalog")
    tops = (Path("/run"), Path("/var/lib/systemd"), catalogues)
    for top in tops:
        top.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "none", str(top)], check=True)
    Path("/var/lib/systemd/catalog").mkdir()
    Path("/run/log/journal").mkdir(parents=True)  # kept in memory
    write("catalog", catalogues / "gsmgw.catalog")
    run("journalctl", "--update-catalog")
    daemon = subprocess.Popen(["/lib/systemd/systemd-journald"], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not journal.SOCKET.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    yield Path("/run/log/journal")
    daemon.terminate()
    daemon.wait(30)
    for top in reversed(tops):
        subprocess.run(["umount", "--lazy", str(top)], check=True)


def test_journalctl_explains_what_the_daemon_said(tmp_path: Path, journald: Path) -> None:
    with machine(tmp_path / "box", start=False) as box:
        box.log_path.touch()
        status = box.log_path.stat()
        box.start(wait=False, env={"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
        box.until(box.is_ready)  # its log goes to the journal
        box.sim.fault("front", "refuse", code=1)
        message = box.insert("+48500100201", "Your visit is on Monday.")
        box.until_state(message, "failed")
        assert box.stop() == 0
    run("journalctl", "--sync")
    done = run("journalctl", "-D", journald, "-x", "--no-pager", f"GSMGW_ID={message}")
    assert f"warning message.failed id={message} part=1 recipient=+48500***201" in done.stdout
    assert "Subject: The network refused this message for good" in done.stdout
    assert f"`gsmgw retry {message}`" in done.stdout
    assert "Your visit" not in done.stdout
    assert "48500100201" not in done.stdout
    done = run("journalctl", "-D", journald, "--no-pager", "-t", "gsmgw", "-p", "warning")
    assert "message.failed" in done.stdout
    assert "daemon.started" not in done.stdout
