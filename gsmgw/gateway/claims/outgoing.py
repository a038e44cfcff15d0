# SPDX-License-Identifier: Apache-2.0
"""From a claimed part in the store to the octets that a modem submits."""

from __future__ import annotations

import datetime as dt

from gsmgw import pdu
from gsmgw.model import PartToSend, TpOptions
from gsmgw.store import entry
from gsmgw.store.database import Row


def make_part(
    message: Row,
    part: Row,
    *,
    claimed_at: dt.datetime,
    report: bool,
    validity_s: float | None = None,
    more_follow: bool = False,
) -> PartToSend:
    """Encode a part as SMS-SUBMIT (3GPP TS 23.040 9.2.2.2).

    Args:
        message: its row in `outbox`.
        part: its row in `part`.
        claimed_at: for a modem; the validity period counts from here.
        report: ask the network for a status report.
        validity_s: how long the network shall try a message that never expires; None leaves it
            to the network.
        more_follow: keep the radio link open after it.

    Raises:
        BadNumberError, BadTextError: the row holds what no SMS can carry.
    """
    tp = entry.parse_tp(message["tp"]) or TpOptions()
    validity = _validity(message, tp, claimed_at, validity_s)
    return PartToSend(
        part_id=part["id"],
        message_id=message["id"],
        number=part["number"],
        total=message["parts"],
        recipient=message["recipient"],
        tpdu=pdu.encode_submit(_submit(message, part, tp, report=report, validity=validity)),
        service_centre=tp.service_centre,
        more_follow=more_follow,
        claimed_at=claimed_at,
    )


def _submit(
    message: Row, part: Row, tp: TpOptions, *, report: bool, validity: int | None
) -> pdu.Submit:
    joined = message["parts"] > 1 and tp.split not in ("plain", "numbered")
    text = None if part["data"] is not None else part["text"] or ""
    return pdu.Submit(
        recipient=message["recipient"],
        segment=None
        if text is None
        else pdu.Segment(pdu.Alphabet(message["alphabet"]), text, len(text)),
        data=part["data"] or b"",
        udh=tp.udh or b"",
        concat=pdu.Concat(message["concat_ref"] or 0, message["parts"], part["number"])
        if joined
        else None,
        report=report,
        validity=validity,
        dcs=tp.dcs,
        pid=tp.pid or 0,
        message_class=0 if message["flash"] else tp.message_class,
        reply_path=tp.reply_path,
        reject_duplicates=tp.reject_duplicates,
    )


def _validity(message: Row, tp: TpOptions, now: dt.datetime, default_s: float | None) -> int | None:
    """Return TP-VP: as asked for, else so that the network gives up when the message expires."""
    if tp.validity is not None:
        return tp.validity
    if message["expires_at"] is None:
        return None if default_s is None else pdu.relative_validity(default_s)
    left = dt.datetime.fromisoformat(message["expires_at"]) - now
    return pdu.relative_validity(max(left.total_seconds(), 0))
