# SPDX-License-Identifier: Apache-2.0
"""Every class of refusal against the real daemon: who pays for it, and what is told.

Each code has a modem of its own in one daemon, so that all of them are refused at once.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import trouble_support as trouble
from site_support import Site, site

pytestmark = pytest.mark.slow

MESSAGE = (1, 128, 143, 144, 159, 195, 196)
UNCLEAR = (10, 21, 27, 30, 81, 95, 96, 97, 98, 99, 111, 127, 255)
SIM = (8, 28, 29, 50, 69, 193, 310, 311, 312, 315, 316, 317, 318, 330)
NETWORK = (38, 41, 42, 47, 192, 194, 331)
MODEM = (300, 301, 302, 303, 313, 314, 320, 321, 322)
UNKNOWN = ("332", "500", "ERROR", "NO-CARRIER", "160", "512")

SOON = {"retry": {"first": "1s", "factor": "1", "longest": "1s"}, "uncertain": {"wait": "6s"}}
PATIENT = {"result_timeout": "60s"}  #: nothing here waits for it


def name(code: object) -> str:
    return f"m-{code}"


def test_refusals_of_every_class_cost_only_whom_they_concern(tmp_path: Path) -> None:
    codes = (*MESSAGE, *UNCLEAR, *SIM, *NETWORK, *MODEM, 197)
    layout = trouble.plan([name(code) for code in codes])
    with site(tmp_path / "box", layout, settings={"sending": SOON}, modem=PATIENT) as box:
        mail = trouble.Mail(box)
        ids = {}
        for code in codes:
            box.sim.fault(name(code), "refuse", code=code, times=1, taken=code == 197)
            ids[code] = mail.write(name(code))
        box.until(lambda: all(box.message(ids[c])["state"] == "failed" for c in MESSAGE))
        others = set(codes) - set(MESSAGE)
        box.until(lambda: all(box.message(ids[c])["state"] in trouble.ARRIVED for c in others))
        for code in codes:
            look_at(box, code, ids[code])
        assert box.sim.books.duplicates() == []
        assert not box.lines("sim.resting"), "one number says nothing about a SIM"


def look_at(box: Site, code: int, message_id: int) -> None:
    row = box.message(message_id)
    submits = [s for s in box.sim.books.submits if s.modem == name(code)]
    attempts = box.rows(
        "attempt",
        "part_id IN (SELECT id FROM part WHERE message_id = ?)",
        message_id,
    )
    outcomes = [attempt["outcome"] for attempt in attempts]
    if code == 197:
        assert (len(submits), outcomes) == (1, ["taken"]), "the network has it already"
    elif code in MESSAGE:
        assert (len(submits), outcomes, row["tries"]) == (1, ["refused"], 1)
        assert (row["error_family"], row["error_code"]) == ("cms", str(code))
        box.until(lambda: box.lines("message.failed", f"id={message_id} ", f"code=cms:{code}"))
    else:
        assert (len(submits), outcomes) == (2, ["refused", "taken"]), code
        assert row["tries"] == (1 if code in UNCLEAR else 0), code
        assert row["error_code"] is None, code
        whose = {"unclear": UNCLEAR, "sim": SIM, "network": NETWORK, "modem": MODEM}[
            attempts[0]["whose"]
        ]
        assert code in whose
        assert box.lines("part.refused", f"id={message_id} ", f"code=cms:{code}")
        held = bool(box.lines("modem.refuses", f"modem={name(code)} ", f"code={code} "))
        assert held is (code in MODEM), "a modem is held back for its own faults only"


def test_what_may_have_been_taken_is_uncertain_and_never_sent_again(tmp_path: Path) -> None:
    names = [*(f"has-{name(code)}" for code in UNKNOWN), *(f"not-{name(c)}" for c in UNKNOWN)]
    each = {"reports": "no"}
    layout = trouble.plan(names, {n: each for n in names if n.startswith("not-")})
    with site(tmp_path / "box", layout, settings={"sending": SOON}, modem=PATIENT) as box:
        mail = trouble.Mail(box)
        ids = {}
        for modem in names:
            has, _, code = modem.partition("-m-")
            box.sim.fault(modem, "refuse", code=code, times=1, taken=has == "has")
            ids[modem] = mail.write(modem)
        with_reports = [ids[n] for n in names if n.startswith("has-")]
        without = [ids[n] for n in names if n.startswith("not-")]
        box.until(lambda: all(box.message(i)["state"] == "delivered" for i in with_reports))
        box.until(lambda: all(box.message(i)["settled_at"] for i in without))
        assert {box.message(i)["state"] for i in without} == {"uncertain"}
        assert len(box.sim.books.submits) == len(names), "each was submitted once"
        assert len(box.lines("part.uncertain")) == len(names)
        assert [row["proof"] for row in box.rows("part", "state = 'delivered'")] == [
            "report" for _ in UNKNOWN
        ]
        box.until(lambda: len(box.lines("message.uncertain")) == len(UNKNOWN))
        assert {box.message(i)["state"] for i in with_reports} == {"delivered"}


def test_validity_that_a_modem_refuses_is_left_out_and_that_is_remembered(tmp_path: Path) -> None:
    layout = trouble.plan(["front"], {"front": {"habits": {"validity": "no"}}})
    with site(
        tmp_path / "box", layout, settings={"sending": {"validity": "1d"}}, modem=PATIENT
    ) as box:
        mail = trouble.Mail(box)
        for _ in range(3):
            mail.write()
        mail.until_arrived()
        answers = [submit.code for submit in box.sim.books.submits]
        assert answers == [304, None, None, None], "once is enough"
        assert {row["tries"] for row in box.rows("outbox")} == {0}
        assert len(box.lines("modem.refuses_validity", "modem=front")) == 1
