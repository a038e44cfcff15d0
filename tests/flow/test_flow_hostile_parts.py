# SPDX-License-Identifier: Apache-2.0
"""Parts of long messages from somebody who never sends the rest, or sends what cannot be."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from factories import make_number
from gateway_support import Rig
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gsmgw import pdu
from gsmgw.gateway import arrivals

SENDER = "+48500100201"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    made.attach()
    yield made
    made.close()


def part(
    text: str, ref: int, total: int, number: int, *, sender: str = SENDER, wide: bool = False
) -> bytes:
    """Return a part; total and number may be what no honest phone writes."""
    head = bytes((8, 4)) + ref.to_bytes(2, "big") if wide else bytes((0, 3, ref % 256))
    deliver = pdu.Deliver(pdu.make_address(sender), text, udh=head + bytes((total, number)))
    return pdu.encode_deliver(deliver)


def waiting(rig: Rig) -> int:
    rows = rig.db.rows(
        "SELECT count(*) AS n FROM received_part WHERE inbox_id IS NULL AND concat_ref IS NOT NULL"
    )
    return int(rows[0]["n"])


def owed(rig: Rig) -> int:
    return int(rig.db.rows("SELECT count(*) AS n FROM handout")[0]["n"])


def test_a_sender_who_never_completes_is_bounded_and_nothing_is_lost(rig: Rig) -> None:
    for number in range(400):
        rig.receive(part(f"<{number}>", number, 3, 1 + number % 2, wide=True))
        assert waiting(rig) <= arrivals.WAITING_PARTS_PER_SENDER
    rows = rig.inbox()
    assert len(rows) + waiting(rig) == 400
    assert all(row["complete"] == 0 for row in rows)
    assert owed(rig) == len(rows)
    rig.receive(part("other", 1, 1, 1, sender="+48500100202"))
    assert rig.inbox()[-1]["text"] == "other"


def test_many_senders_who_never_complete_are_bounded_together(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "WAITING_PARTS", 60)
    for number in range(200):
        rig.receive(part(f"<{number}>", 7, 2, 1, sender=make_number(number)))
        assert waiting(rig) <= 60
    assert [row["text"] for row in rig.inbox()] == [f"<{number}>" for number in range(140)]
    # The newest still wait, and are made whole.
    rig.receive(part("!", 7, 2, 2, sender=make_number(199)))
    assert (rig.inbox()[-1]["text"], rig.inbox()[-1]["complete"]) == ("<199>!", 1)


def test_one_number_of_255_again_and_again_is_bounded(rig: Rig) -> None:
    for number in range(300):
        rig.receive(part(f"<{number}>", 7, 255, 255))
    assert waiting(rig) == arrivals.WAITING_PARTS_PER_SENDER
    assert len(rig.inbox()) == 45
    rig.clock.advance(90_000)
    for _ in range(5):
        rig.housekeeping.work()
    assert waiting(rig) == 0
    texts = [row["text"] for row in rig.inbox()]
    assert sorted(texts) == sorted(f"<{number}>" for number in range(300))


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize(
    ("total", "number"), [(0, 0), (0, 1), (3, 0), (3, 4), (1, 255), (255, 0), (1, 1), (0, 255)]
)
def test_parts_that_cannot_be_are_messages_of_their_own(
    rig: Rig, total: int, number: int, wide: bool
) -> None:
    for text in ("first", "second"):
        rig.receive(part(text, 7, total, number, wide=wide))
    assert [(row["text"], row["complete"]) for row in rig.inbox()] == [("first", 1), ("second", 1)]
    assert waiting(rig) == 0


def test_a_reference_used_again_joins_with_the_newest(rig: Rig) -> None:
    for turn in range(50):
        rig.receive(part(f"old{turn} ", 7, 2, 1))
    rig.receive(part("new ", 7, 2, 1))
    rig.receive(part("end", 7, 2, 2))
    assert [row["text"] for row in rig.inbox()] == ["new end"]


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_every_part_is_in_one_row_at_last(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    chance = random.Random(seed)
    rig = Rig(tmp_path_factory.mktemp("parts"))
    try:
        rig.attach()
        count = 60
        for place in range(count):
            rig.receive(
                part(
                    f"<{place}>",
                    chance.choice((1, 2)),
                    chance.choice((0, 1, 2, 3, 255)),
                    chance.choice((0, 1, 2, 3, 255)),
                    sender=make_number(chance.randint(0, 2)),
                    wide=chance.random() < 0.5,
                )
            )
            rig.clock.advance(chance.choice((0, 1, 4000)))
        rig.clock.advance(100_000)
        for _ in range(3):
            rig.housekeeping.work()
        assert waiting(rig) == 0
        whole = "".join(row["text"] for row in rig.inbox())
        assert all(whole.count(f"<{place}>") == 1 for place in range(count))
    finally:
        rig.close()
