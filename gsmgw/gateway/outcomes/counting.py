# SPDX-License-Identifier: Apache-2.0
"""Keeps the reference counter of each SIM in the store, and the parts in doubt that hang on it.

The rules stand in `references`, which is pure. What they say of a part in doubt is valid only while
all doubts since the last certain reference are known: one that is settled by other evidence than
the counter moves the foot of the count, or ends it for the others.
"""

from __future__ import annotations

from gsmgw.gateway.outcomes.references import Counter, Verdict
from gsmgw.store import modems, tries
from gsmgw.store.database import Row, Transaction


def read(tx: Transaction, sim_id: int) -> Counter:
    """Return what is known of a SIM's references."""
    sim = modems.get_sim(tx, sim_id)
    if sim is None:
        return Counter(None, 0, None)
    return Counter(sim["last_mr"], sim["mr_steps"], sim["doubt_mr"])


def write(tx: Transaction, sim_id: int, counter: Counter) -> None:
    """Write what is known of a SIM's references."""
    modems.set_counter(
        tx,
        sim_id,
        last_mr=counter.last_mr,
        mr_steps=counter.steps,
        doubt_mr=counter.doubt_mr,
    )


def doubt(tx: Transaction, sim_id: int) -> int | None:
    """Note that a part is in doubt; return the reference that it must have if it was taken."""
    counter = read(tx, sim_id).after_doubt()
    write(tx, sim_id, counter)
    return counter.expected_mr(len(tries.doubts(tx, sim_id)))


def refused(tx: Transaction, sim_id: int) -> None:
    """Note a refusal: some modems count it, some do not."""
    counter = read(tx, sim_id)
    if counter.last_mr is not None:
        write(tx, sim_id, counter.after_refusal())


def power_cycled(tx: Transaction, sim_id: int) -> None:
    """Forget what a SIM's references were: its modem was away, they may begin anew."""
    write(tx, sim_id, read(tx, sim_id).after_power_cycle())
    _forget(tx, tries.doubts(tx, sim_id))


def taken(tx: Transaction, sim_id: int, part: Row, mr: int | None) -> tuple[list[Row], Verdict]:
    """Count the reference of a part that the network took, now or earlier.

    Args:
        tx: the transaction.
        sim_id: where it was sent.
        part: its row, as it was before.
        mr: its reference, None where the modem tells none.

    Returns: the parts in doubt that were tried before it, and what its reference says of them.
    """
    others = [row for row in tries.doubts(tx, sim_id) if row["id"] != part["id"]]
    before = [row for row in others if _order(row) < _order(part)]
    counter, verdict = read(tx, sim_id).after_taken(mr, len(before))
    after = [row for row in others if _order(row) > _order(part)]
    if after:  # it was in doubt itself, and its answer came late
        counter = counter.after_doubt()
        for position, row in enumerate(after):
            tries.expect_mr(tx, row["id"], counter.expected_mr(position))
    write(tx, sim_id, counter)
    return before, verdict


def read_by_sim(tx: Transaction, sim_id: int, last_mr: int) -> tuple[list[Row], Verdict]:
    """Count the last reference that the SIM itself has stored; return as `taken` does."""
    doubts = tries.doubts(tx, sim_id)
    counter, verdict = read(tx, sim_id).after_reading(last_mr, len(doubts))
    if verdict is not Verdict.NOTHING:
        write(tx, sim_id, counter)
    return doubts, verdict


def settled_otherwise(tx: Transaction, part: Row) -> None:
    """Note that a part in doubt is settled, or tried again, without the counter.

    Nobody knows now how many of the other doubts came before it: the count begins anew.
    """
    if part["expected_mr"] is None or part["sim_id"] is None:
        return
    tries.expect_mr(tx, part["id"], None)
    _forget(tx, tries.doubts(tx, part["sim_id"]))
    write(tx, part["sim_id"], Counter(None, read(tx, part["sim_id"]).steps, None))


def reported(tx: Transaction, part: Row, mr: int) -> None:
    """Note that a report has settled a part in doubt: the network had it under this reference.

    As the oldest doubt it is the next certain reference; else the count begins anew.
    """
    sim_id = part["sim_id"]
    if sim_id is None or part["expected_mr"] is None:
        return
    others = [row for row in tries.doubts(tx, sim_id) if row["id"] != part["id"]]
    if any(_order(row) < _order(part) for row in others) or part["expected_mr"] != mr:
        settled_otherwise(tx, part)
        return
    tries.expect_mr(tx, part["id"], None)
    counter = Counter(mr, read(tx, sim_id).steps + 1, mr if others else None)
    write(tx, sim_id, counter)


def _order(part: Row) -> tuple[str, int]:
    return (part["claimed_at"], part["id"])


def _forget(tx: Transaction, doubts: list[Row]) -> None:
    for row in doubts:
        tries.expect_mr(tx, row["id"], None)
