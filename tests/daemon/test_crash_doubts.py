# SPDX-License-Identifier: Apache-2.0
"""Parts whose answer never came: settled by evidence, in order, and never sent blindly again."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from crash_support import CrashSite, crash_site, scenario
from site_support import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: For answers that do not come: long enough for those that do, however slow the machine is.
LOST = {"result_timeout": "4s"}
WAIT_1S = {"sending": {"uncertain": {"wait": "1s"}}}


def shown(box: CrashSite, message_id: int) -> str:
    """Return what `gsmgw show` says of a message."""
    return box.run("show", str(message_id)).stdout


def proof(box: CrashSite, message_id: int) -> str:
    """Return the proof that `gsmgw show` gives for a message of one part."""
    document = json.loads(box.run("show", str(message_id), "--json").stdout)
    (part,) = document["parts"] if isinstance(document["parts"], list) else document["part"]
    return str(part["proof"])


def order(box: CrashSite) -> list[str | None]:
    """Return the texts in the order in which the modem got them."""
    return [submit.text for submit in box.sim.books.submits]


# -- the answer is lost or late -------------------------------------------------------------------


def test_a_lost_answer_is_settled_by_the_next_reference_while_others_go_on(tmp_path: Path) -> None:
    with crash_site(tmp_path / "box", reports="no", **LOST) as box:
        box.warm_up()
        box.start()
        box.sim.fault("front", "answer-lost", times=1)
        first, second, third = box.insert_some(3, "message")
        for one in (third, second, first):
            box.until_state(one, "sent")
        box.check_once()
        assert order(box)[-3:] == ["message 0", "message 1", "message 2"]
        assert [proof(box, one) for one in (first, second)] == ["counter", "answer"]
        assert "counter" in shown(box, first)


def test_lost_answers_in_a_row_over_the_wrap_are_settled_together(tmp_path: Path) -> None:
    with crash_site(tmp_path / "box", reports="no", **LOST) as box:
        box.sim._modems["front"].card.last_mr = 246  # the last of warm-up has 255
        box.warm_up()
        assert box.rows("part")[-1]["mr"] == 255
        box.start()
        box.sim.fault("front", "answer-lost", times=2)
        ids = box.insert_some(3, "message")
        for one in ids:
            box.until_state(one, "sent")
        box.check_once()
        rows = [box.rows("part", "message_id = ?", one)[0] for one in ids]
        assert [(row["mr"], row["proof"]) for row in rows] == [
            (0, "counter"),
            (1, "counter"),
            (2, "answer"),
        ]


@pytest.mark.parametrize("references", ["zero", "none"])
def test_a_lost_answer_is_settled_by_the_report(tmp_path: Path, references: str) -> None:
    with crash_site(tmp_path / "box", scenario(references)) as box:
        box.start()
        box.sim.fault("front", "answer-lost", times=1)
        (first,) = box.insert_some(1, "message")
        box.until_state(first, "delivered")
        assert proof(box, first) == "report"
        assert "report" in shown(box, first)
        assert box.on_air()["message 0"] == 1


@pytest.mark.parametrize("busy", ["yes", "no"])
def test_a_late_answer_settles(tmp_path: Path, busy: str) -> None:
    with crash_site(tmp_path / "box", reports="no") as box:
        box.start()
        box.sim.fault("front", "late-answer", after="4s", busy=busy, times=1)
        (first,) = box.insert_some(1, "message")
        box.until_state(first, "sent")
        assert "part.uncertain" in box.log  # it was given up after 1 s
        assert proof(box, first) == "late-answer"
        box.until(lambda: box.rows("modem", "state = 'ready'"))
        (second,) = box.insert_some(1, "another")
        box.until_state(second, "sent")
        assert sum(box.on_air().values()) == 2


def test_a_late_answer_in_the_middle_of_the_next_submit_sends_nothing_twice(
    tmp_path: Path,
) -> None:
    with crash_site(tmp_path / "box", reports="no") as box:
        box.warm_up()
        front = box.sim._modems["front"]
        front.layout = dataclasses.replace(front.layout, submit_s=0.8)
        box.start()
        # Given up 1 s after Ctrl-Z; the answer comes while the next part waits for its own.
        box.sim.fault("front", "late-answer", after="800ms", busy="no", times=1)
        box.insert_some(4, "message")
        box.rest()
        box.check_once()


@pytest.mark.parametrize("after", ["1300ms", "1800ms", "2500ms"])
def test_late_answers_in_a_row_are_each_of_their_own_part(tmp_path: Path, after: str) -> None:
    with crash_site(tmp_path / "box", reports="no") as box:
        box.warm_up()
        box.start()
        # Each comes after its part was given up, while the next one waits for its own.
        box.sim.fault("front", "late-answer", after=after, busy="no", times=2)
        ids = box.insert_some(4, "message")
        box.rest()
        box.check_once()
        told = {submit.text: submit.mr for submit in box.sim.books.taken}
        for one in ids:
            (part,) = box.rows("part", "message_id = ?", one)
            assert part["mr"] == told[box.message(one)["text"]]


@pytest.mark.parametrize("after", ["1300ms", "1800ms"])
def test_a_late_refusal_is_not_taken_for_the_next_parts_own(tmp_path: Path, after: str) -> None:
    with crash_site(tmp_path / "box", reports="yes", settings=WAIT_1S) as box:
        box.warm_up()
        box.start()
        box.sim.fault("front", "late-answer", after=after, busy="no", times=2)
        box.sim.fault("front", "refuse", code=1, times=1)
        bad, *good = box.insert_some(3, "message")
        box.until(lambda: all(box.message(one)["state"] == "delivered" for one in good))
        box.until_state(bad, "failed", "uncertain")
        assert box.sim.books.duplicates() == []
        assert box.on_air()["message 0"] == 0


def test_after_a_restart_the_answer_is_heard_before_a_byte_is_written(tmp_path: Path) -> None:
    with crash_site(tmp_path / "box", scenario(submit="2s"), result_timeout="60s") as box:
        box.start()
        box.stop()
        (first,) = box.insert_some(1, "message")
        box.crash("ctrlz.written")
        box.start(wait=False)
        box.until_state(first, "sent", "delivered")
        assert proof(box, first) == "late-answer"
        box.rest()
        box.check_once()


# -- the modem fails in the middle ----------------------------------------------------------------


def test_without_a_prompt_nothing_was_sent(tmp_path: Path) -> None:
    with crash_site(tmp_path / "box", result_timeout="60s") as box:
        box.start()
        box.sim.fault("front", "prompt-lost", times=1)
        box.insert_some(2, "message")
        box.rest()
        box.check_once()
        assert not box.rows("attempt", "outcome = 'uncertain'")


@pytest.mark.parametrize("taken", ["yes", "no"])
def test_a_brown_out_in_the_middle_of_a_submit(tmp_path: Path, taken: str) -> None:
    with crash_site(tmp_path / "box") as box:
        box.warm_up()
        box.start()
        box.sim.fault("front", "brown-out", taken=taken, off="500ms")
        first, second = box.insert_some(2, "message")
        box.until_state(second, "delivered")
        if taken == "yes":
            box.until_state(first, "delivered")
            assert proof(box, first) == "report"
            box.check_once()
            return
        # The counter was without power: what it says is no proof.
        (doubtful,) = box.check_once(uncertain=True)
        assert (doubtful["id"], box.on_air()["message 0"]) == (first, 0)
        box.run("retry", str(first))
        box.rest()
        box.check_once()


@pytest.mark.parametrize("after_s", [0.05, 0.4])
def test_unplugged_after_ctrl_z(tmp_path: Path, after_s: float) -> None:
    with crash_site(tmp_path / "box", scenario(submit="600ms")) as box:
        box.start()
        (first,) = box.insert_some(1, "message")
        box.sim.books.wait(lambda books: books.submits, PATIENCE_S)
        box.sim.books.wait(lambda _: False, after_s)
        box.sim.unplug("front", for_s=0.3)
        (second,) = box.insert_some(1, "another")  # now: it must not be on its way as well
        box.until_state(second, "delivered")
        if box.on_air()["message 0"]:
            box.until_state(first, "delivered")
        else:
            box.until_state(first, "uncertain")
        box.check_once(uncertain=True)


def test_a_modem_that_hangs_after_ctrl_z(tmp_path: Path) -> None:
    with crash_site(tmp_path / "box", scenario(submit="2s"), **LOST) as box:
        box.start()
        first, second = box.insert_some(2, "message")
        box.sim.books.wait(lambda books: books.submits, PATIENCE_S)
        box.sim.fault("front", "hang")
        box.until_state(first, "uncertain")
        box.sim.clear("front")
        box.until_state(second, "delivered")
        box.until_state(first, "delivered")
        box.check_once()


def test_a_modem_that_was_without_power_while_nobody_ran_proves_nothing(tmp_path: Path) -> None:
    with crash_site(tmp_path / "box", reports="no") as box:
        box.warm_up()
        card = box.sim._modems["front"].card
        before = card.last_mr
        (first,) = box.insert_some(1, "message")
        box.crash("ctrlz.written")
        box.sim.books.wait(lambda books: books.taken[-1].text == "message 0", PATIENCE_S)
        # Its SIM had not written down the last reference: it gives it again.
        box.sim.unplug("front")
        card.last_mr = before
        box.sim.plug("front")
        box.start()
        others = box.insert_some(3, "other")
        box.until_state(others[-1], "sent")
        assert box.message(first)["state"] == "uncertain"
        box.check_once(uncertain=True)


def test_a_modem_that_has_restarted_without_a_word_is_sent_nothing_and_proves_nothing(
    tmp_path: Path,
) -> None:
    with crash_site(tmp_path / "box", reports="no") as box:
        box.warm_up()
        box.start()
        box.sim.fault("front", "answer-lost", times=1)
        (first,) = box.insert_some(1, "message")
        box.until_state(first, "uncertain")
        front = box.sim._modems["front"]
        front.card.last_mr = 8  # not written down before the power went
        box.sim._loop.call(front.restart)
        box.insert_some(2, "other")
        box.until(lambda: not box.rows("outbox", "state NOT IN ('sent', 'uncertain')"))
        assert box.message(first)["state"] == "uncertain"
        assert "modem.restarted" in box.log
        box.check_once(uncertain=True)


# -- no evidence comes ----------------------------------------------------------------------------


def test_a_file_in_doubt_is_put_away_with_the_reason_and_never_moved_again(tmp_path: Path) -> None:
    layout = scenario("zero")
    layout["network"]["report"] = "6s"
    with crash_site(tmp_path / "box", layout, settings=WAIT_1S) as box:
        box.start()
        box.sim.fault("front", "answer-lost", times=1)
        box.drop("letter", "To: 48500100201\n\nIs it there?\n")
        box.sim.books.wait(lambda books: books.taken, PATIENCE_S)
        box.sim.fault("front", "no-network")  # the report has to wait for us
        box.until(lambda: box.files("failed"))
        reason = "Fail_reason: Uncertain, may have arrived: see gsmgw show 1\n"
        content = box.files("failed")["letter"]
        assert reason in content
        # Moved back by hand, it is refused with the same reason.
        box.drop("letter", content)
        box.until(lambda: "letter.1" in box.files("failed"))
        assert reason in box.files("failed")["letter.1"]
        box.until(lambda: "message.uncertain" in box.log)
        # The report comes after all; the file stays where it is.
        box.sim.clear("front", "no-network")
        box.until_state(1, "delivered")
        assert proof(box, 1) == "report"
        box.until(box.is_at_rest)
        assert (sorted(box.files("failed")), box.files("sent")) == (["letter", "letter.1"], {})
        assert len(box.rows("outbox")) == 1
        box.check_once()


def test_a_category_may_be_sent_again_by_configuration(tmp_path: Path) -> None:
    settings = {"sending": {"uncertain": {"wait": "1s", "settle_as": {"survey": "resend"}}}}
    layout = scenario("zero", reports=False)
    with crash_site(tmp_path / "box", layout, settings=settings, reports="no", **LOST) as box:
        box.start()
        box.sim.fault("front", "answer-lost", times=2)
        care = box.insert("+48500100201", "visit", category="care")
        survey = box.insert("+48500100202", "survey", category="survey")
        box.until_state(survey, "sent")
        box.until(lambda: box.message(care)["settled_at"])
        assert box.message(care)["state"] == "uncertain"
        assert box.on_air() == {"visit": 1, "survey": 2}
        box.until(lambda: "part.resent" in box.log)


def test_a_person_decides(tmp_path: Path) -> None:
    layout = scenario("zero", reports=False)
    with crash_site(tmp_path / "box", layout, settings=WAIT_1S, reports="no", **LOST) as box:
        box.start()
        box.sim.fault("front", "answer-lost", times=2)
        ids = box.insert_some(2, "message")
        box.until(lambda: all(box.message(one)["settled_at"] for one in ids))
        assert box.run("cancel", str(ids[0])).returncode == 0
        assert box.run("retry", str(ids[1])).returncode == 0
        box.until_state(ids[1], "sent")
        assert box.message(ids[0])["state"] == "cancelled"
        assert box.on_air() == {"message 0": 1, "message 1": 2}
