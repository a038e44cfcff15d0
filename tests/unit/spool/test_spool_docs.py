# SPDX-License-Identifier: Apache-2.0
"""docs/spool.md names all there is, and its examples work as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from spool_support import Bench, make_deliver

from gsmgw.model import MessageState
from gsmgw.spool.formats import headers, json_format, smstools

TEXT = (Path(__file__).parents[3] / "docs" / "spool.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def run(bench: Bench, *command: str) -> str:
    ended = subprocess.run(
        command,
        env={"PATH": "/usr/bin:/bin", "SPOOL": str(bench.place.root)},
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout


def test_every_header_key_and_state_is_named() -> None:
    source = Path(smstools.__file__).read_text("utf-8")
    read = set(re.findall(r'\.values?\("([\w-]+)"\)', source)) - {"Gsmgw_id"}
    assert len(read) > 25
    missing = [name for name in read if f"`{name}:" not in TEXT]
    missing += [name for name in headers.REMOVED if name not in TEXT]
    missing += [key for key in json_format._KEYS if f"`{key}`" not in TEXT]
    settled = set(MessageState) - {MessageState.NEW, MessageState.QUEUED, MessageState.SENDING}
    missing += [state for state in settled if f"`{state}`" not in TEXT]
    assert missing == []


def test_every_reason_in_smsds_words_is_named() -> None:
    folder = Path(smstools.__file__).parent
    source = "".join((folder / name).read_text("utf-8") for name in ("smstools.py", "body.py"))
    reasons = re.findall(r'raise \w+\("([^"]+)"\)', source)
    assert [reason for reason in reasons if f"`{reason}`" not in TEXT] == [
        "System_message needs Alphabet: binary"
    ]


def test_the_first_example_sends(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    run(bench, "sh", "-ec", blocks("sh")[0])
    bench.taking._readiness.notice("visit-17", "moved_in", bench.clock.monotonic())
    bench.taking.take_ready()
    (message,) = bench.messages()
    assert (message["recipient"], message["report_requested"]) == ("+48500100201", 1)
    assert bench.tree() == {"checked": ["visit-17"]}
    bench.close()


def test_the_example_in_python_sends_and_reads_results(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    (program,) = blocks("python")
    run(bench, sys.executable, "-c", program)
    (name,) = bench.tree()["outgoing"]
    bench.taking._readiness.notice(name, "moved_in", bench.clock.monotonic())
    bench.taking.take_ready()
    assert [row["recipient"] for row in bench.messages()] == ["+48500100201", "+48500100202"]
    for number in (1, 2):
        bench.send(number, number)
    bench.put_away()
    shown = run(bench, sys.executable, "-c", f"{program}\nprint(result({name!r})[0]['state'])")
    assert shown == "sent\n"
    bench.close()


def test_the_example_that_reads_answers(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.receive(make_deliver("Tak, $(reboot) `id`"))
    bench.hand_out()
    assert run(bench, "sh", "-ec", blocks("sh")[1]) == "48500100201 says: Tak, $(reboot) `id`\n"
    assert bench.tree() == {}
    bench.close()


@pytest.mark.parametrize("number", range(3))
def test_shell_examples_are_valid(number: int) -> None:
    subprocess.run(["sh", "-n"], input=blocks("sh")[number], text=True, check=True)
