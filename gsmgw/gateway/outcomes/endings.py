# SPDX-License-Identifier: Apache-2.0
"""How parts and messages end, or begin again, once their fate is known: written and told."""

from __future__ import annotations

from gsmgw import logs
from gsmgw.config import Config
from gsmgw.gateway import routing
from gsmgw.gateway.outcomes import counting
from gsmgw.gateway.outcomes.references import Verdict
from gsmgw.model import ErrorFamily, MessageState, Outcome, PartState
from gsmgw.store import events, outbox, tries
from gsmgw.store.database import Row, Transaction
from gsmgw.store.outbox import PartChange

log = logs.get("gateway")


def release(tx: Transaction, config: Config, message_id: int) -> None:
    """Let any modem send a message of which nothing has gone out yet."""
    message = outbox.get(tx, message_id)
    if message is None or message["sim_id"] is None:
        return
    if all(part["state"] == PartState.WAITING for part in outbox.parts(tx, message_id)):
        route = routing.route_of(message["recipient"], message["modem"], config.modems)
        outbox.bind(tx, message_id, route=route, sim_id=None, concat_ref=None)


def settle_doubt(tx: Transaction, config: Config, part: Row, change: PartChange) -> None:
    """Settle a part whose fate has become known, and let its message follow; tell it.

    A message that was given up is not sent again, even if the part never went out: its sender has
    been told, and a person may have sent it already.
    """
    message = outbox.get(tx, part["message_id"])
    if change.state is PartState.WAITING and message is not None and message["settled_at"]:
        change = PartChange(
            PartState.UNCERTAIN,
            proof=change.proof,
            family=ErrorFamily.GSMGW,
            code="never-submitted",
            error="it was not sent, as was found out after it had been given up; to send it:"
            f" gsmgw retry {part['message_id']}",
        )
    outbox.change_part(tx, part["id"], change)
    due = tx.now if change.state is PartState.WAITING else None
    if change.state is PartState.WAITING:
        release(tx, config, part["message_id"])
    state = outbox.mirror(tx, part["message_id"], due_at=due)
    events.add(
        tx, "part.settled", message_id=part["message_id"], proof=change.proof, state=change.state
    )
    tx.after_commit(
        lambda: log.info(
            "part.settled",
            id=part["message_id"],
            part=part["number"],
            state=change.state.value,
            proof=change.proof,
            message=state.value,
        ),
    )


def conclude(tx: Transaction, config: Config, doubts: list[Row], verdict: Verdict) -> None:
    """Settle the parts in doubt of which the reference counter has told."""
    for row in doubts:
        tries.expect_mr(tx, row["id"], None)  # else the counter will never tell now
        if verdict is Verdict.SUBMITTED:
            change = PartChange(PartState.SENT, mr=row["expected_mr"], proof="counter")
            outbox.end_attempt(tx, row["id"], outcome=Outcome.TAKEN, change=change)
            settle_doubt(tx, config, row, change)
        elif verdict is Verdict.NEVER_SUBMITTED:
            change = PartChange(PartState.WAITING, proof="counter")
            outbox.end_attempt(tx, row["id"], outcome=Outcome.UNTOUCHED, change=change)
            settle_doubt(tx, config, row, change)


def take_back(tx: Transaction, part: Row) -> bool:
    """Make a part uncertain again whose answer turned out to be another's; tell it.

    False if something else is known of it by now, or it is on its way again.
    """
    attempt = tries.last_try(tx, part["id"])
    sent = part["state"] == PartState.SENT and part["proof"] == "answer"
    refused = part["state"] in (PartState.WAITING, PartState.FAILED)
    if attempt is None or not (sent or (refused and attempt["outcome"] == Outcome.REFUSED)):
        return False
    why = "the answer that came was that of the part before"
    tries.give_back(tx, [attempt["id"]])
    tries.doubt_again(tx, part, why)
    counting.withdraw(tx, part)
    events.add(tx, "part.doubted", message_id=part["message_id"], why=why)
    tx.after_commit(
        lambda: log.warning("part.doubted", id=part["message_id"], part=part["number"], why=why)
    )
    return True


def fail_part(tx: Transaction, part: Row, change: PartChange) -> None:
    """Fail a part for good, and its message with it; tell it."""
    outbox.change_part(tx, part["id"], change)
    outbox.mirror(tx, part["message_id"])
    message = outbox.get(tx, part["message_id"])
    recipient = "" if message is None else logs.number(message["recipient"])
    events.add(tx, "message.failed", message_id=part["message_id"], code=change.code)
    tx.after_commit(
        lambda: log.warning(
            "message.failed",
            key=("code",),
            first=5,
            id=part["message_id"],
            part=part["number"],
            recipient=recipient,
            code=f"{change.family}:{change.code}",
            why=logs.masked(change.error),
        ),
    )


def expire(tx: Transaction, message: Row, words: str) -> None:
    """End a message whose time has run out; tell it."""
    outbox.settle(tx, message["id"], MessageState.EXPIRED, ErrorFamily.GSMGW, "expired", words)
    events.add(tx, "message.expired", message_id=message["id"])
    tx.after_commit(
        lambda: log.warning(
            "message.expired",
            key=(),  # after an outage there are thousands
            id=message["id"],
            recipient=logs.number(message["recipient"]),
            why=logs.masked(words),
        ),
    )
