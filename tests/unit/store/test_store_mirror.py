# SPDX-License-Identifier: Apache-2.0
"""The state of a message as its parts have it, for all combinations of parts."""

from __future__ import annotations

import itertools

import pytest

from gsmgw.model import MessageState, PartState
from gsmgw.store import outbox
from gsmgw.store.database import Database

W, I, S = PartState.WAITING, PartState.SENDING, PartState.SENT  # noqa: E741 - in flight
D, N, F, U = PartState.DELIVERED, PartState.UNDELIVERED, PartState.FAILED, PartState.UNCERTAIN
ALL = list(itertools.combinations_with_replacement(PartState, 1)) + list(
    itertools.product(PartState, repeat=2)
)
ALL += list(itertools.combinations_with_replacement(PartState, 3))


def make(db: Database, states: tuple[PartState, ...], **columns: object) -> int:
    values = {"recipient": "+48500100201", "text": "x", "state": "sending", **columns}
    with db.write() as tx:
        message_id = tx.insert(
            f"INSERT INTO outbox ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
            list(values.values()),
        )
        for number, state in enumerate(states, start=1):
            tx.insert(
                "INSERT INTO part (message_id, number, state, error) VALUES (?, ?, ?, ?)",
                (message_id, number, state, f"why {state}"),
            )
    return message_id


def mirror(db: Database, message_id: int, due_at: str | None = None) -> MessageState:
    with db.write() as tx:
        return outbox.mirror(tx, message_id, due_at=due_at)


def expected(states: set[PartState]) -> MessageState:
    """Say it once more, in the words of the contract."""
    if U in states:
        return MessageState.UNCERTAIN
    if F in states:
        return MessageState.FAILED
    if states == {D}:
        return MessageState.DELIVERED
    if states <= {D, N}:
        return MessageState.UNDELIVERED
    if states <= {S, D, N}:
        return MessageState.SENT
    return MessageState.QUEUED if states == {W} else MessageState.SENDING


@pytest.mark.parametrize("states", ALL, ids="-".join)
def test_message_is_as_its_parts_are(db: Database, states: tuple[PartState, ...]) -> None:
    message_id = make(db, states)
    found = set(states)
    assert mirror(db, message_id) == expected(found)
    row = outbox.get(db, message_id)
    assert row["state"] == expected(found)
    assert (row["due_at"] is not None) == (W in found and F not in found)
    final = row["state"] in ("sent", "delivered", "undelivered", "failed") and I not in found
    assert (row["settled_at"] is not None) == final
    assert (row["sent_at"] is not None) == (found <= {S, D, N})


def test_time_of_sending_and_due_time_are_kept(db: Database) -> None:
    message_id = make(db, (S, D), sent_at="2026-01-01")
    mirror(db, message_id)
    assert outbox.get(db, message_id)["sent_at"] == "2026-01-01"
    waiting = make(db, (W, I), due_at="2026-01-02")
    mirror(db, waiting)
    assert outbox.get(db, waiting)["due_at"] == "2026-01-02"
    mirror(db, waiting, due_at="2026-01-03")
    assert outbox.get(db, waiting)["due_at"] == "2026-01-03"


@pytest.mark.parametrize("ended", ["cancelled", "expired", "rejected"])
def test_message_that_was_ended_stays_so_unless_all_of_it_went_out(
    db: Database, ended: str
) -> None:
    for states in ((W,), (W, I), (W, S), (W, U), (W, F), (W, D)):
        message_id = make(db, states, state=ended, settled_at="2026")
        assert mirror(db, message_id) == ended
        assert outbox.get(db, message_id)["due_at"] is None
    for states in ((S,), (S, D), (F,), (U,)):
        message_id = make(db, states, state=ended, settled_at="2026")
        assert mirror(db, message_id) == expected(set(states))


def test_uncertain_message_that_was_given_up_stays_given_up(db: Database) -> None:
    message_id = make(db, (U, S), state="uncertain", settled_at="2026")
    assert mirror(db, message_id) == "uncertain"
    assert outbox.get(db, message_id)["settled_at"] == "2026"


@pytest.mark.parametrize(
    ("states", "why"),
    [((F, S), "why failed"), ((S, U), "why uncertain"), ((N, D), "why undelivered")],
)
def test_error_is_that_of_the_part_that_decides(
    db: Database, states: tuple[PartState, ...], why: str
) -> None:
    message_id = make(db, states)
    mirror(db, message_id)
    assert outbox.get(db, message_id)["error"] == why


def test_sent_message_has_no_error(db: Database) -> None:
    message_id = make(db, (S, D), error="once", error_code="38")
    mirror(db, message_id)
    row = outbox.get(db, message_id)
    assert (row["error"] or row["error_code"]) in (None, "why sent")
