# SPDX-License-Identifier: Apache-2.0
"""What a person decides about a message: withdraw it, or send it all the same."""

from __future__ import annotations

from gsmgw.errors import GsmgwError
from gsmgw.gateway.outcomes import counting
from gsmgw.model import ErrorFamily, MessageState, PartState
from gsmgw.store import entry, events, outbox, tries
from gsmgw.store.database import Row, Transaction

_CANCELLABLE = (MessageState.NEW, MessageState.QUEUED, MessageState.SENDING, MessageState.UNCERTAIN)
_RETRIABLE = (
    MessageState.REJECTED,
    MessageState.FAILED,
    MessageState.EXPIRED,
    MessageState.CANCELLED,
    MessageState.UNCERTAIN,
    MessageState.UNDELIVERED,
)


def cancel(tx: Transaction, message_id: int) -> str:
    """Withdraw a message; what a modem holds at this moment is still finished.

    Returns: what was done, in words.
    Raises: GsmgwError, in words for a person, if there is no such message or it is settled.
    """
    message = _get(tx, message_id)
    if message["state"] not in _CANCELLABLE:
        raise GsmgwError(
            f"message {message_id} is {message['state']}; it can no longer be cancelled"
        )
    not_sent = (PartState.WAITING, PartState.FAILED)
    out = [part for part in outbox.parts(tx, message_id) if part["state"] not in not_sent]
    words = "cancelled before it was sent"
    if out:
        words = f"cancelled; {len(out)} of {message['parts']} parts may have arrived"
    outbox.ask_cancel(tx, message_id)
    outbox.settle(tx, message_id, MessageState.CANCELLED, ErrorFamily.GSMGW, "cancelled", words)
    events.add(tx, "message.cancelled", message_id=message_id)
    return f"message {message_id} {words}"


def retry(tx: Transaction, message_id: int) -> str:
    """Send a message again that was not sent, or of which nobody knows.

    Parts that the network has are left alone; the others go out now, without the expiry that may
    have ended them.

    Returns: what was done, in words.
    Raises: GsmgwError, in words for a person, if there is nothing to send again.
    """
    message = _get(tx, message_id)
    if message["state"] not in _RETRIABLE:
        raise GsmgwError(
            f"message {message_id} is {message['state']}; only what was not sent, not delivered"
            " or is uncertain can be sent again"
        )
    parts = outbox.parts(tx, message_id)
    if not parts and message["state"] == MessageState.CANCELLED:
        entry.renew(tx, message_id)
        events.add(tx, "message.retried", message_id=message_id)
        return f"message {message_id} is to be checked again"
    if not parts:
        raise GsmgwError(
            f"message {message_id} was refused because of what it says ({message['error']});"
            " send it anew, corrected"
        )
    if any(part["state"] == PartState.SENDING for part in parts):
        raise GsmgwError(f"a modem is busy with message {message_id}; ask again in a minute")
    again = [part for part in parts if part["state"] not in (PartState.SENT, PartState.DELIVERED)]
    if any(part["text"] is None and part["data"] is None for part in again):
        raise GsmgwError(
            f"the text of message {message_id} has been removed (retention.text); send it anew"
        )
    for part in again:
        counting.settled_otherwise(tx, part)
        outbox.change_part(tx, part["id"], outbox.PartChange(PartState.WAITING))
    tries.forgive(tx, message_id)
    outbox.requeue(tx, message_id)
    events.add(tx, "message.retried", message_id=message_id)
    return f"message {message_id} is queued again: {len(again)} of {len(parts)} parts"


def _get(tx: Transaction, message_id: int) -> Row:
    message = outbox.get(tx, message_id)
    if message is None:
        raise GsmgwError(f"there is no message {message_id}; see gsmgw list")
    return message
