# SPDX-License-Identifier: Apache-2.0
"""Sixteen modems on one daemon, some of them sick: the others work as if those were not there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import trouble_support as trouble
from site_support import site

pytestmark = pytest.mark.slow

NAMES = tuple(f"m{number:02d}" for number in range(16))
SUBMIT_S = 0.5
EACH = 10


def test_sixteen_modems_share_the_work_and_each_is_kept_busy(tmp_path: Path) -> None:
    layout = trouble.plan(NAMES, {name: {"submit": f"{SUBMIT_S}s"} for name in NAMES})
    with site(tmp_path / "box", layout, modem={"result_timeout": "60s"}) as box:
        mail = trouble.Mail(box)
        mail.write_at_once(EACH * len(NAMES))
        mail.until_arrived()
        by = trouble.sent_by(box)
        assert set(by) == set(NAMES)
        assert min(by.values()) >= EACH / 2, "nobody starves"
        assert not box.lines("warning", "store.")


def test_sick_modems_do_not_slow_the_others(tmp_path: Path) -> None:
    """One hangs, one gives no answers, one no prompts, one refuses all, one is barred."""
    sick = {
        "m00": ("hang", {}),
        "m01": ("answer-lost", {}),
        "m02": ("prompt-lost", {}),
        "m03": ("refuse", {"code": 300}),
        "m04": ("refuse", {"code": 50}),
        "m05": ("no-network", {}),
    }
    names = NAMES[:10]
    layout = trouble.plan(names, {name: {"submit": "100ms"} for name in names})
    settings = {"sending": {"retry": {"first": "1s", "factor": "1", "longest": "1s"}}}
    with site(tmp_path / "box", layout, settings=settings, start=False) as box:
        for name in names[6:]:
            trouble.change_modem(box, name, result_timeout="60s")  # they answer, sooner or later
        box.start()
        for name, (fault, arguments) in sick.items():
            box.sim.fault(name, fault, **arguments)
        trouble.until_modem(box, "m05", "searching")
        mail = trouble.Mail(box)
        mail.write_at_once(200)
        mail.until_arrived()
        submits = box.sim.books.submits
        by = Counter(submit.modem for submit in submits)
        assert min(by[name] for name in names[6:]) >= 20, "they share what the sick ones leave"
        assert by["m01"] <= 6, "a modem that never answers does not eat the queue"
        assert by["m03"] <= 6
        refused = {submit.recipient for submit in submits if submit.modem == "m04"}
        assert len(refused) <= 3, "its SIM rests"
        assert by["m00"] == by["m05"] == 0
        assert not box.lines("message.failed")
        assert {row["tries"] for row in box.rows("outbox")} == {0}
