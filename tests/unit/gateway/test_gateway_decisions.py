# SPDX-License-Identifier: Apache-2.0
"""What a person decides: cancel and retry, in every state."""

from __future__ import annotations

import factories
import pytest
from gateway_support import THREE_PARTS, TWO_PARTS, Rig

from gsmgw.errors import GsmgwError


def test_cancel_before_anything_was_sent(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    assert rig.cancel(message_id) == f"message {message_id} cancelled before it was sent"
    row = rig.message(message_id)
    assert (row["state"], row["error_code"], row["due_at"]) == ("cancelled", "cancelled", None)
    assert rig.claim() is None
    with pytest.raises(GsmgwError, match="is cancelled; it can no longer be cancelled"):
        rig.cancel(message_id)


def test_cancel_in_the_middle_says_how_much_may_have_arrived(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add(THREE_PARTS)
    rig.send(1)
    part = rig.must_claim()
    assert "2 of 3 parts may have arrived" in rig.cancel(message_id)
    assert rig.settle(factories.taken(part.part_id, 2), claim_next=True) is None
    assert rig.state_of(message_id) == "cancelled"


def test_cancel_that_comes_too_late_tells_the_truth(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    part = rig.must_claim()
    rig.cancel(message_id)
    rig.settle(factories.taken(part.part_id, 2))
    assert rig.state_of(message_id) == "sent"


def test_cancel_ends_the_wait_for_evidence(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    rig.doubt()
    assert "1 of 1 parts may have arrived" in rig.cancel(message_id)


@pytest.mark.parametrize("word", ["cancel", "retry"])
def test_message_that_is_not_there(rig: Rig, word: str) -> None:
    with pytest.raises(GsmgwError, match="there is no message 99"):
        getattr(rig, word)(99)


def test_sent_message_is_neither_cancelled_nor_retried(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    with pytest.raises(GsmgwError, match="is queued"):
        rig.retry(message_id)
    rig.send()
    with pytest.raises(GsmgwError, match="is sent"):
        rig.cancel(message_id)
    with pytest.raises(GsmgwError, match="is sent"):
        rig.retry(message_id)


def test_retry_sends_only_what_the_network_does_not_have(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add(TWO_PARTS)
    rig.send(1)
    failed = rig.refuse(1)
    assert "1 of 2 parts" in rig.retry(message_id)
    assert rig.send(2) == failed
    assert rig.state_of(message_id) == "sent"


def test_retry_of_an_undelivered_message_counts_as_sent_now(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    part_id = rig.send(1)
    rig.report(1, status=0x46)
    rig.clock.advance(3600)
    rig.retry(message_id)
    assert rig.part(part_id)["sent_at"] is None
    rig.send(2)
    assert rig.part(part_id)["sent_at"] == rig.after(0)
    assert rig.message(message_id)["error_code"] is None
    rig.report(2)
    assert rig.state_of(message_id) == "delivered"


def test_retry_of_an_expired_message_lifts_the_expiry(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add(expires_at=rig.after(10))
    rig.clock.advance(20)
    rig.housekeeping.work()
    assert rig.state_of(message_id) == "expired"
    rig.retry(message_id)
    rig.send()
    assert rig.state_of(message_id) == "sent"


def test_retry_begins_with_all_attempts(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    while rig.state_of(message_id) == "queued":
        rig.refuse(27)
        rig.clock.advance(1800)
    assert rig.state_of(message_id) == "failed"
    rig.retry(message_id)
    rig.refuse(27)
    assert (rig.state_of(message_id), rig.message(message_id)["tries"]) == ("queued", 1)


def test_retry_while_a_modem_is_busy_with_it(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    rig.must_claim()
    rig.cancel(message_id)
    with pytest.raises(GsmgwError, match="ask again in a minute"):
        rig.retry(message_id)


def test_retry_after_the_text_was_removed_sends_nothing_empty(rig: Rig) -> None:
    rig.attach()
    message_id = rig.add()
    rig.cancel(message_id)
    from gsmgw.store import upkeep

    upkeep.empty_texts(rig.db, rig.after(10))
    with pytest.raises(GsmgwError, match="has been removed"):
        rig.retry(message_id)
    assert rig.claim() is None


def test_cancelled_and_retried_message_may_be_cancelled_again(rig: Rig) -> None:
    message_id = rig.add()
    rig.cancel(message_id)
    rig.retry(message_id)
    assert rig.message(message_id)["cancel_requested"] == 0
    assert rig.new_rows.look() == 0
    rig.cancel(message_id)
    assert rig.state_of(message_id) == "cancelled"
