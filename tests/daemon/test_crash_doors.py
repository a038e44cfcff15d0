# SPDX-License-Identifier: Apache-2.0
"""kill -9 at every step of what comes in and what is put away: nothing lost, nothing twice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from crash_launcher import STEPS
from crash_support import crash_site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def steps(*paths: str) -> list[str]:
    """Return all steps of some paths."""
    return [step for step in STEPS if step.partition(".")[0] in paths]


def test_files_are_taken_and_put_away_once(tmp_path: Path) -> None:
    with crash_site(tmp_path / "box") as box:
        box.warm_up()
        names = []
        for number, step in enumerate(steps("file", "result")):
            name = f"letter-{number}"
            box.drop(name, f"To: 48500100{number:03d}\n\n{step}\n")
            names.append(name)
            box.crash(step)
        box.go_on()
        box.check_once()
        assert sorted(box.files("sent")) == sorted(names)
        assert box.files("failed") == {}
        for number, step in enumerate(steps("file", "result")):
            content = box.files("sent")[f"letter-{number}"]
            assert content.count("Gsmgw_id:") == 1
            assert step in content


def test_a_list_is_taken_and_put_away_once(tmp_path: Path) -> None:
    with crash_site(tmp_path / "box") as box:
        box.warm_up()
        used = ["file.committing", "file.committed", *steps("result")]
        used.remove("result.cleared")  # a step of smstools files
        for number, step in enumerate(used):
            texts = [f"{step} {element}" for element in range(3)]
            elements = [
                {"recipient": f"+485001{number:02d}0{place:02d}", "text": text}
                for place, text in enumerate(texts)
            ]
            box.drop(f"list-{number}", json.dumps([*elements, {"recipient": "+48500100201"}]))
            box.crash(step)
        box.go_on()
        box.check_once()
        names = [f"list-{number}" for number in range(len(used))]
        expected = [*names, *(f"{name}.result.json" for name in names)]
        assert sorted(box.files("sent")) == sorted(expected)
        box.until(lambda: all(_states(box.result(name)) == EXPECTED for name in names))


EXPECTED = ["delivered", "delivered", "delivered", "rejected"]


def _states(document: dict[str, list[dict[str, str]]]) -> list[str]:
    return [message["state"] for message in document["messages"]]


def test_a_long_list_cut_short_is_continued(tmp_path: Path) -> None:
    with crash_site(tmp_path / "box") as box:
        elements = [
            {"recipient": f"+48500100{number:03d}", "text": f"long {number}"}
            for number in range(250)
        ]
        box.start()
        box.stop()
        box.drop("long", json.dumps(elements))
        for step in ("file.committing@2", "file.committed@1", "file.committing@1"):
            box.crash(step)
        box.start()
        box.until(lambda: len(box.rows("outbox")) >= len(elements))
        texts = Counter(row["text"] for row in box.rows("outbox"))
        assert texts == Counter(element["text"] for element in elements)


def test_rows_are_taken_once(tmp_path: Path) -> None:
    with crash_site(tmp_path / "box") as box:
        box.warm_up()
        for step in steps("row"):
            box.insert_some(1, step)
            box.crash(step)
        box.go_on()
        box.check_once()


def test_messages_are_received_and_handed_out_once(tmp_path: Path) -> None:
    with crash_site(tmp_path / "box") as box:
        box.start()
        box.stop()
        for number, step in enumerate(steps("message", "arrival", "handout")):
            box.sim.receive(f"+48500100{number:03d}", "front", step)
            box.crash(step)
        box.rest()
        box.check_arrivals()


def test_a_program_that_has_taken_a_file_away_does_not_get_it_again(tmp_path: Path) -> None:
    with crash_site(tmp_path / "box") as box:
        box.start()
        box.stop()
        got = []
        for number, step in enumerate(steps("handout")):
            box.sim.receive(f"+48500100{number:03d}", "front", step)
            box.crash(step)
            for path in (box.spool / "incoming").iterdir():
                got.append(path.name)
                path.unlink()
        box.rest()
        got += box.files("incoming")
        assert len(set(got)) == len(got) == len(steps("handout"))


def test_reports_are_read_and_handed_out_once(tmp_path: Path) -> None:
    with crash_site(tmp_path / "box") as box:
        box.warm_up()
        reported = steps("report", "handout")
        for number, step in enumerate(reported):
            box.drop(f"letter-{number}", f"To: 48500100{number:03d}\nReport: yes\n\n{step}\n")
            box.crash(step)
        box.go_on()
        box.until(lambda: all(row["state"] == "delivered" for row in box.rows("outbox")))
        box.until(box.is_at_rest)
        box.check_once()
        files = box.files("report")
        ids = Counter(
            line
            for content in files.values()
            for line in content.splitlines()
            if "Gsmgw_id" in line
        )
        assert len(ids) == len(files) == len(reported)
