# SPDX-License-Identifier: Apache-2.0
"""kill -9 at every step of sending, on modems with and without references that count, and reports.

Of each pair of messages the first goes out, and tells by its reference what became of the one
before it; the daemon dies with the second.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import pytest
from crash_launcher import STEPS
from crash_support import GIVING, CrashSite, crash_site, scenario

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SENDING = [
    step for step in STEPS if step.partition(".")[0] in ("cmgs", "pdu", "ctrlz", "answer", "settle")
]
#: Around the one instant that matters.
HARDEST = ["cmgs.prompted", "pdu.half", "pdu.written", "ctrlz.written", "answer.read"]
#: Here the modem has not got Ctrl-Z. A settlement may have claimed the next part in its commit.
NOT_SUBMITTED = {
    "cmgs.begins",
    "cmgs.written",
    "cmgs.prompted",
    "pdu.half",
    "pdu.written",
    "settle.committed",
}


def crash_while_sending(box: CrashSite, steps: Sequence[str] = SENDING) -> None:
    """Die at each step of sending; two more messages tell of the last one."""
    for step in steps:
        box.insert_some(2, step)
        box.crash(f"{step}@2")
    box.insert_some(2, "last")
    box.start()


def test_references_that_count_settle_all(tmp_path: Path) -> None:
    with crash_site(tmp_path / "box", reports="no", result_timeout="2s") as box:
        box.warm_up()
        for step in ("claim.committing", "claim.committed"):
            box.insert_some(2, step)
            box.crash(step)
        crash_while_sending(box)
        box.rest()
        box.check_once()
        proofs = {row["proof"] for row in box.rows("part")}
        assert proofs == {"answer", "counter", "late-answer"}


def test_what_a_waiting_modem_is_given_goes_out_once(tmp_path: Path) -> None:
    """The claim stands in the commit of the door; the daemon dies around it."""
    with crash_site(tmp_path / "box", reports="no", result_timeout="2s") as box:
        box.warm_up()
        for step in GIVING:
            box.begin_crash(step)
            box.until_dead(functools.partial(box.send_when_idle, step))
        box.go_on()
        box.check_once()


@pytest.mark.parametrize(
    ("references", "steps"),
    [("zero", HARDEST), ("none", ["ctrlz.written"])],
)
def test_reports_settle_what_was_sent_and_the_rest_is_shown(
    tmp_path: Path, references: str, steps: list[str]
) -> None:
    with crash_site(tmp_path / "box", scenario(references)) as box:
        box.warm_up()
        crash_while_sending(box, steps)
        box.until(lambda: _open(box) <= NOT_SUBMITTED)
        doubtful = box.check_once(uncertain=True)
        on_air = box.on_air()
        assert all(on_air[row["text"]] == 0 for row in doubtful), box.log
        # What never went out cannot be proved: a person decides, and it goes.
        for row in doubtful:
            assert box.run("retry", str(row["id"])).returncode == 0
        box.until(lambda: not _open(box))
        box.rest()
        box.check_once()


def _open(box: CrashSite) -> set[str]:
    """Return the steps at which those messages were hit whose fate is not known."""
    rows = box.rows("outbox", "state NOT IN ('sent', 'delivered')")
    return {row["text"].rpartition(" ")[0] for row in rows}


def test_without_evidence_nothing_is_sent_twice_and_all_doubts_are_shown(tmp_path: Path) -> None:
    layout = scenario("zero", reports=False)
    with crash_site(tmp_path / "box", layout, reports="no") as box:
        box.warm_up()
        for step in HARDEST:
            box.insert_some(2, step)
            box.crash(f"{step}@2")
        box.configure({"sending": {"uncertain": {"wait": "1s"}}}, {"result_timeout": "5s"})
        box.start()
        box.until(lambda: not box.rows("outbox", "settled_at IS NULL"))
        doubtful = box.check_once(uncertain=True)
        assert doubtful
        listed = box.run("list", "--state", "uncertain").stdout
        assert all(str(row["id"]) in listed for row in doubtful)
        assert "uncertain" in box.run("status").stdout
        on_air = box.on_air()
        never = [row for row in doubtful if on_air[row["text"]] == 0]
        for row in never:
            assert box.run("retry", str(row["id"])).returncode == 0
        box.until(lambda: all(box.message(row["id"])["state"] == "sent" for row in never))
        assert box.sim.books.duplicates() == []
