# SPDX-License-Identifier: Apache-2.0
"""Whatever patients write and the clinic does meanwhile, answers keep their promises."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

from clinic_answering_support import AnswerDesk
from clinic_support import OTHER_PHONE, PHONE
from hypothesis import given, settings
from hypothesis import strategies as st

VISITS = ("A-1", "A-2")
STARTS = ("2026-03-05 10:15", "2026-03-05 16:00", "2026-03-06 09:00")
TEXTS = (
    "TAK", "NIE", "NIE 1", "NIE 2", "TAK 1 NIE 2", "0", "2", "3", "Kto to?", "aha", "STOP", "START",
    "Zadzwoń", "dziękuję", "HELP", "kiedy wizyta?", "Tak, spóźnię się 10 minut", "odwołuję", "",
)  # fmt: skip

_texts = st.one_of(st.sampled_from(TEXTS), st.text(max_size=40))
_actions = st.one_of(
    st.tuples(st.just("write"), _texts, st.sampled_from([PHONE, OTHER_PHONE])),
    st.tuples(st.just("half"), _texts),
    st.tuples(st.just("ring"), st.sampled_from([PHONE, OTHER_PHONE, ""])),
    st.tuples(st.just("wait"), st.integers(1, 20 * 60)),
    st.tuples(st.just("ask"), st.sampled_from([("A-1",), ("A-2",), VISITS])),
    st.tuples(st.just("move"), st.sampled_from(VISITS), st.sampled_from(STARTS)),
    st.tuples(st.just("cancel"), st.sampled_from(VISITS)),
)


def act(desk: AnswerDesk, action: tuple[object, ...]) -> None:
    """Do one thing that the clinic or a patient does."""
    name, first, *more = action
    if name == "write":
        desk.answer(str(first), str(more[0]))
    elif name == "half":
        desk.answer(str(first), complete=False)
    elif name == "ring":
        desk.ring(str(first))
    elif name == "wait":
        assert isinstance(first, int)
        desk.clock.advance(first * 60)
    elif name == "ask":
        assert isinstance(first, tuple)
        desk.ask(*first)
    elif name == "move":
        with desk.db.write() as tx:
            tx.run(
                "UPDATE appointment SET start = ?, response = 'needs-action', version = version + 1"
                " WHERE id = ? AND start <> ?",
                (desk.stored(str(more[0])), first, desk.stored(str(more[0]))),
            )
    else:
        desk.book(str(first), "1" if first == "A-1" else "2", STARTS[0], status="cancelled")


def look(desk: AnswerDesk, before: dict[str, tuple[str, str, str]]) -> None:
    """Check what must be so after every action."""
    for visit_id, (status, start, response) in visits(desk).items():
        if response == before[visit_id][2] or response == "needs-action":
            continue
        # Only a visit that is to take place, asked about at its present time, was answered.
        assert (status, start) == before[visit_id][:2]
        assert status == "booked"
        assert start > desk.now()
        asked = desk.rows(
            "SELECT 1 FROM request WHERE about = ? AND about_start = ? AND answered IS NOT NULL",
            visit_id,
            start,
        )
        assert asked
        if response == "declined":
            left = dt.datetime.fromisoformat(start) - desk.clock.now()
            assert left >= dt.timedelta(hours=4)
    since = (desk.clock.now() - dt.timedelta(hours=24)).isoformat(timespec="milliseconds")
    counted = desk.rows(
        "SELECT phone, count(*) AS n FROM request WHERE same_as LIKE 'ack:%' AND created_at > ?"
        " AND status <> 'revoked' AND kind <> 'stop_ack' GROUP BY phone",
        since.replace("+00:00", "Z"),
    )
    assert all(row["n"] <= 3 for row in counted)


def visits(desk: AnswerDesk) -> dict[str, tuple[str, str, str]]:
    return {
        row["id"]: (row["status"], row["start"], row["response"])
        for row in desk.rows("SELECT * FROM appointment")
    }


@settings(max_examples=40)
@given(st.lists(_actions, max_size=14))
def test_answers_keep_their_promises(actions: list[tuple[object, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = AnswerDesk(Path(folder))
        desk.patient("1", "Anna")
        desk.patient("2", "Łukasz")
        desk.book("A-1", "1", STARTS[0])
        desk.book("A-2", "2", STARTS[1])
        desk.it_is("2026-03-03 10:00")
        desk.ask(*VISITS)
        for action in actions:
            before = visits(desk)
            act(desk, action)
            look(desk, before)
        # Each text that may be an answer was stored, each once for a visit.
        doubled = desk.rows(
            "SELECT 1 FROM response GROUP BY inbox_id, appointment_id HAVING count(*) > 1"
        )
        assert doubled == []
        unread = desk.rows(
            "SELECT 1 FROM inbox LEFT JOIN response ON inbox_id = inbox.id"
            " WHERE kind = 'sms' AND response.id IS NULL"
        )
        assert unread == []
        assert desk.rows("SELECT 1 FROM response WHERE applied = 1 AND why IS NOT NULL") == []
        desk.close()
