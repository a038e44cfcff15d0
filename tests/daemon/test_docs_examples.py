# SPDX-License-Identifier: Apache-2.0
"""Every example of README and docs/: where it runs, and here those that run nowhere else."""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import docs_support
import pytest
from site_support import PATIENCE_S, ROOT, Site, site

from gsmgw import config

pytestmark = pytest.mark.slow

HERE = "here"
#: Not run: they change this machine (accounts, services, packages), or need one that is not here.
PACKAGE, SYSTEM, DRAWING = "tests/package/", "changes the machine", "nothing to run"
HARDWARE = "asks the ports of this machine"
MYSQL = "needs MySQL"
CLINIC = "tests/unit/test_docs_clinic.py"
INTEGRATE = "tests/daemon/test_integrate_examples.py"
PHP = "tests/system/test_system_php.py"
SPOOL = "tests/unit/spool/test_spool_docs.py"
SQLITE = "tests/unit/cli/test_cli_docs_sqlite.py"
MIGRATE = "tests/unit/cli/test_cli_migrate_docs.py"
SCENARIO = "tests/unit/simulator/test_simulator_scenario.py"

#: Page: for each example in it what runs it, or why nothing does.
WHERE: dict[str, list[str]] = {
    "README.md": ["Makefile", DRAWING, PACKAGE, HERE, HERE, HERE],
    "docs/architecture.md": [DRAWING],
    "docs/clinic.md": [CLINIC] * 8,
    "docs/install.md": [*[PACKAGE] * 2, HERE, *[SYSTEM] * 4, *[PACKAGE] * 5],
    "docs/integrate.md": [*[INTEGRATE] * 4, *[PHP] * 2],
    "docs/log-messages.md": [HERE, SYSTEM],
    "docs/migrate.md": [SYSTEM, SYSTEM, MIGRATE, MYSQL, MIGRATE],
    "docs/modems.md": [HARDWARE],
    "docs/operate.md": [HERE, SYSTEM, HERE, HERE],
    "docs/replies.md": [HERE, HERE],
    "docs/simulator.md": [HERE, SCENARIO, HERE, HERE],
    "docs/spool.md": [SPOOL] * 9,
    "docs/sqlite.md": [SQLITE] * 10,
}


def examples(page: str) -> list[str]:
    """Return what stands in the fences of a page."""
    text = docs_support.pages()[page]
    return re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_of_every_example_it_is_known_what_runs_it() -> None:
    found = {page: len(examples(page)) for page in docs_support.pages()}
    assert {page: len(places) for page, places in WHERE.items()} == {
        page: count for page, count in found.items() if count
    }
    places = {place for page in WHERE.values() for place in page if "/" in place}
    assert [place for place in places if not (ROOT / place).exists()] == []


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, {"modems": [{"name": "front", "submit": "20ms"}]}) as running:
        yield running


def _environment(box: Site) -> dict[str, str]:
    """Return that of a person on the box: gsmgw and sudo are there, and its configuration."""
    programs = box.folder / "programs"
    programs.mkdir(exist_ok=True)
    (box.folder / "tmp" / "sim").mkdir(parents=True, exist_ok=True)
    for name, command in (("gsmgw", f"{sys.executable} -m gsmgw"), ("sudo", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (programs / name).chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "GSMGW_CONFIG": str(box.config),
    }


def run(box: Site, text: str) -> str:
    """Run an example with sh as it stands, but for the paths of a real box."""
    places = {
        "/var/spool/gsmgw": box.spool,
        "/var/lib/gsmgw/gsmgw.db": box.database,
        "/var/backups/gsmgw": box.folder,
        "/media/stick": box.folder,
        "/tmp/": f"{box.folder}/tmp/",
    }
    text = re.sub(
        "|".join(places), lambda found: re.sub("[ ]", r"\\ ", str(places[found[0]])), text
    )
    done = subprocess.run(
        ["sh", "-ec", text],
        capture_output=True,
        text=True,
        check=False,
        cwd=box.folder,
        env=_environment(box),
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_the_first_message_of_readme_by_each_door(box: Site) -> None:
    commands, by_file, by_row = examples("README.md")[3:]
    listed, sent = run(box, commands).split("\n1\n", 1)
    assert "front" in listed
    assert "ready" in listed
    assert sent.startswith("Message 1: ")
    run(box, by_file)
    run(box, by_row)
    texts = {"Hello from the clinic", "Hello from a file", "Hello from a row"}
    box.until(lambda: {text.strip() for text in box.phone("+48500100201") if text} == texts)


def test_what_a_technician_types_first(box: Site) -> None:
    message = box.insert("+48500100201", "Hello")
    box.until_state(message, "delivered")
    lines = examples("docs/log-messages.md")[0].splitlines()
    ours = "\n".join(line for line in lines if line.startswith("gsmgw"))
    assert "Message 1: delivered" in run(box, ours.replace(" 17 ", " 1 "))
    for line in examples("docs/operate.md")[0].splitlines():
        run(box, f"{line.partition('#')[0].strip()} || test $? -eq 1")


def test_backups_by_hand_and_every_night(box: Site) -> None:
    by_hand = examples("docs/install.md")[2].splitlines()[0]
    run(box, by_hand)
    assert (box.folder / "gsmgw-before.db").exists()
    entry = examples("docs/operate.md")[3].splitlines()[1]
    line = entry.partition("'")[2].partition("'")[0]
    run(box, entry.replace("/etc/cron.d/gsmgw", "crontab"))
    assert (box.folder / "crontab").read_text().startswith(line[:20])
    *_when, user, command = line.split(" ", 6)
    assert user == "root"
    for _night in range(2):
        run(box, command.replace(r"\%", "%"))  # as cron reads it
    day = dt.datetime.now().astimezone().strftime("%a")
    assert (box.folder / f"{day}.db").exists()


def test_alarms_are_configured_as_shown(tmp_path: Path) -> None:
    path = tmp_path / "gsmgw.yaml"
    modem = "modems: [{name: back, port: /dev/pretend}]\n"
    path.write_text(modem + examples("docs/operate.md")[2])
    assert config.check(path).config.alarms.is_on


def test_answers_are_read_as_shown(box: Site) -> None:
    words, commands = examples("docs/replies.md")
    (box.folder / "our-words.yaml").write_text(words)
    (box.folder / "asked.tsv").write_text(
        "language\tquestion\ttext\npl\tconfirm\tWizyta w czwartek 5.03 o 10:15. TAK lub NIE?\n"
    )
    heading, answer = run(box, commands).splitlines()[:2]
    assert heading.split("\t") == ["id", "meaning", "applied"]
    assert answer.split("\t")[:2] == ["1", "accept"]
    (box.folder / "replies.tsv").write_text("1\tpl\tconfirm\tgitara, kochani\n")
    command = commands.splitlines()[2]
    assert run(box, command).splitlines()[1].split("\t")[1:] == ["accept", "yes"]


def test_the_simulator_answers_as_shown(box: Site) -> None:
    shown = examples("docs/simulator.md")[0]
    links = ", ".join(
        f"{{name: {name}, link: {box.folder}/tmp/sim/{name}}}" for name in ("front", "back")
    )
    (box.folder / "clinic.yaml").write_text(f"modems: [{links}]\n")
    command, *lines = shown.replace("/tmp/", f"{box.folder}/tmp/").splitlines()
    ports = [line for line in lines if line.startswith("port ")]
    event = next(line for line in lines if line[:4].isdigit())
    done = next(line for line in lines if line.startswith("done: "))
    orders = [line for line in lines if line not in (*ports, event, done)]
    with subprocess.Popen(
        command.removeprefix("$ ").split(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=box.folder,
        env=_environment(box),
        text=True,
    ) as simulator:
        late = threading.Timer(PATIENCE_S, simulator.kill)
        late.start()
        assert simulator.stdin is not None
        assert simulator.stdout is not None
        simulator.stdin.write(f"{orders[0]}\n")
        simulator.stdin.flush()
        assert [simulator.stdout.readline().rstrip() for _ in ports] == ports
        said = sorted(simulator.stdout.readline().rstrip() for _ in (event, done))
        assert said[0].partition(" ")[2] == event.partition(" ")[2]
        assert said[1] == done
        rest, _ = simulator.communicate("".join(f"{order}\n" for order in orders[1:]))
        late.cancel()
    assert [f"done: {order}" in rest.splitlines() for order in orders[1:2]] == [True]
    assert '"incoming": [' in rest
    assert simulator.returncode == 0


def test_a_day_passes_in_a_moment_as_shown(box: Site) -> None:
    box.stop()
    (box.folder / "clinic.yaml").write_text(box.config.read_text())
    # What the daemon says before it is ended depends on who is faster.
    commands = examples("docs/simulator.md")[2].replace(" run &", " run 2> daemon.log &")
    assert "daemon.log" in commands
    shown = run(
        box,
        f"trap 'kill $!; wait $! 2>&- || true' EXIT\n{commands}\ngsmgw --config clinic.yaml clock",
    )
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    days = [f"{tomorrow + dt.timedelta(hours=hours):%Y-%m-%d}" for hours in (-1, 0, 2)]
    assert any(f"clock: {day}" in " ".join(shown.split()) for day in days)


def test_the_simulator_is_used_from_python_as_shown() -> None:
    text = examples("docs/simulator.md")[3]
    assert "timeout_s=10" in text
    said: dict[str, object] = {}
    exec(compile(text.replace("timeout_s=10", "timeout_s=0.1"), "example", "exec"), said)
    assert str(said["path"]).startswith("/")
