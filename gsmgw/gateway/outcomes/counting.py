# SPDX-License-Identifier: Apache-2.0
"""Keeps the reference counter of each SIM in the store, and the parts in doubt that hang on it.

The rules stand in `references`, which is pure. What they say of a part in doubt is valid only while
all doubts since the last certain reference are known: one that is settled by other evidence than
the counter moves the foot of the count, or ends it for the others.

An answer that may belong to a part in doubt as well makes a *claim*: its part is sent, for one of
the two answers was its own or will be, and `expected_mr` holds the reference that it has if this
answer was the other's.
"""

from __future__ import annotations

from gsmgw.gateway.outcomes.references import Counter, Verdict
from gsmgw.model import PartState
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
    _forget(tx, sim_id)


def moved(tx: Transaction, sim_id: int) -> None:
    """Note that something else may have used a reference: it goes on counting from anywhere."""
    write(tx, sim_id, read(tx, sim_id).after_refusal())
    _forget(tx, sim_id)


def taken(
    tx: Transaction, sim_id: int, part: Row, mr: int | None, *, shared: bool = False
) -> tuple[list[Row], Verdict]:
    """Count the reference of a part that the network took, now or earlier.

    Args:
        tx: the transaction.
        sim_id: where it was sent.
        part: its row, as it was before.
        mr: its reference, None where the modem tells none.
        shared: its answer may have been that of a part before it.

    Returns: the parts in doubt that were tried before it, and what its reference says of them.
    """
    before, after = _around(tx, sim_id, part)
    known = read(tx, sim_id)
    counter, verdict = known.after_taken(mr, len(before), shared=shared)
    if counter.doubt_mr is not None:  # held until the next reference tells
        tries.expect_mr(tx, part["id"], known.expected_mr(len(before)))
        write(tx, sim_id, counter)
        return [], verdict
    _end_claims(tx, sim_id, before, verdict)
    _go_on(tx, sim_id, counter, after)  # with some after it, it was in doubt itself
    return before, verdict


def is_answer_before(tx: Transaction, sim_id: int, mr: int | None) -> bool:
    """Tell whether the reference of an answer is known to be the one of the part before."""
    counter = read(tx, sim_id)
    return counter.is_trusted and counter.last_mr == mr and counter.doubt_mr is None


def read_by_sim(tx: Transaction, sim_id: int, last_mr: int) -> tuple[list[Row], Verdict]:
    """Count the last reference that the SIM itself has stored; return as `taken` does."""
    doubts = tries.doubts(tx, sim_id)
    counter, verdict = read(tx, sim_id).after_reading(last_mr, len(doubts))
    if verdict is not Verdict.NOTHING:
        _end_claims(tx, sim_id, doubts, verdict)
        write(tx, sim_id, counter)
    return doubts, verdict


def settled_otherwise(tx: Transaction, part: Row) -> None:
    """Note that a part in doubt is settled, or tried again, without the counter.

    Nobody knows now how many of the other doubts came before it: the count begins anew.
    """
    if part["expected_mr"] is None or part["sim_id"] is None:
        return
    _forget(tx, part["sim_id"])
    tries.expect_mr(tx, part["id"], None)
    write(tx, part["sim_id"], Counter(None, read(tx, part["sim_id"]).steps, None))


def may_have(tx: Transaction, part: Row, mr: int) -> bool:
    """Tell whether a part in doubt can have this reference: none before it may have been taken."""
    if part["expected_mr"] is None:
        return True
    before, _ = _around(tx, part["sim_id"], part)
    return bool((part["expected_mr"] - mr) % 256 <= len(before))


def claims(tx: Transaction, sim_id: int | None) -> list[Row]:
    """Return the parts of a SIM whose answers may have been those of parts in doubt."""
    doubts = [] if sim_id is None else tries.doubts(tx, sim_id)
    return tries.claims(tx, sim_id or 0, doubts[0]["claimed_at"]) if doubts else []


def reported(tx: Transaction, part: Row, mr: int) -> tuple[list[Row], Verdict]:
    """Count the reference under which the network reports a part in doubt, or with a claim.

    Returns: the parts in doubt that were tried before it, and what its reference says of them.
    """
    sim_id = part["sim_id"]
    if sim_id is None or part["expected_mr"] is None:
        return [], Verdict.NOTHING
    before, after = _around(tx, sim_id, part)
    counter = read(tx, sim_id)
    held = [row for row in claims(tx, sim_id) if _order(row) < _order(part)]
    verdict = counter.verdict(mr, len(before), len(held))
    if verdict is Verdict.NOTHING and before:
        settled_otherwise(tx, part)
        return [], Verdict.NOTHING
    _end_claims(tx, sim_id, before, verdict)
    tries.expect_mr(tx, part["id"], None)
    _go_on(tx, sim_id, Counter(mr, counter.steps + 1, None), after)
    return before, verdict


def withdraw(tx: Transaction, claim: Row) -> None:
    """Note that an answer was not that of the part that is in doubt again now, but an earlier."""
    counter = read(tx, claim["sim_id"])
    if claim["expected_mr"] is None or counter.doubt_mr is None:
        return
    tries.expect_mr(tx, claim["id"], claim["expected_mr"])
    write(tx, claim["sim_id"], Counter(counter.doubt_mr, counter.steps, counter.doubt_mr))


def _go_on(tx: Transaction, sim_id: int, counter: Counter, doubts: list[Row]) -> None:
    """Write a counter, and what the parts that are still in doubt must have by it."""
    if doubts:
        counter = counter.after_doubt()
        for position, row in enumerate(doubts):
            tries.expect_mr(tx, row["id"], counter.expected_mr(position))
    write(tx, sim_id, counter)


def _around(tx: Transaction, sim_id: int, part: Row) -> tuple[list[Row], list[Row]]:
    """Return the parts in doubt that were tried before and after one."""
    others = [row for row in tries.doubts(tx, sim_id) if row["id"] != part["id"]]
    before = [row for row in others if _order(row) < _order(part)]
    return before, others[len(before) :]


def _end_claims(tx: Transaction, sim_id: int, doubts: list[Row], verdict: Verdict) -> None:
    """Give the parts whose answers were others' the references that they have."""
    for row in tries.claims(tx, sim_id, doubts[0]["claimed_at"]) if doubts else []:
        is_others = verdict is Verdict.SUBMITTED and row["state"] == PartState.SENT
        tries.correct_mr(tx, row["id"], row["expected_mr"] if is_others else row["mr"])


def _order(part: Row) -> tuple[str, int]:
    return (part["claimed_at"], part["id"])


def _forget(tx: Transaction, sim_id: int) -> None:
    for row in (*claims(tx, sim_id), *tries.doubts(tx, sim_id)):
        tries.expect_mr(tx, row["id"], None)
