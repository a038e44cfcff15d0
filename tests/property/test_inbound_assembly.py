# SPDX-License-Identifier: Apache-2.0
"""A text, cut and sent, arrives as one row: in any order, with doubles, across restarts."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from pathlib import Path

import hypothesis
from gateway_support import Rig
from hypothesis import strategies as st

from gsmgw import pdu

SENDER = "+48500100201"
AT = dt.datetime(2026, 11, 23, 7, 59, tzinfo=dt.UTC)


def octets_of(text: str, ref: int, at: dt.datetime, *, wide: bool) -> list[str]:
    """Return the TPDUs of a text as the network delivers them."""
    segments = pdu.segment(text, wide=wide)
    return [
        pdu.encode_deliver(
            pdu.Deliver(
                sender=pdu.Address(SENDER, 0x91),
                text=segment.text,
                alphabet=segment.alphabet,
                concat=pdu.Concat(ref, len(segments), number, wide=wide)
                if len(segments) > 1
                else None,
                service_centre_at=at,
            )
        ).hex()
        for number, segment in enumerate(segments, start=1)
    ]


TEXTS = st.text(alphabet="abc ÄłЖ€[😀", min_size=1, max_size=700).filter(str.strip)


@hypothesis.settings(
    max_examples=40, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
)
@hypothesis.given(
    text=TEXTS,
    other=TEXTS,
    ref=st.integers(0, 255),
    wide=st.booleans(),
    randomness=st.randoms(use_true_random=False),
)
def test_message_arrives_once_and_whole(text, other, ref, wide, randomness) -> None:
    folder = Path(tempfile.mkdtemp(prefix="gsmgw-inbound-"))
    rig = Rig(folder)
    try:
        rig.attach()
        mixed = octets_of(text, ref, AT, wide=wide)
        mixed += octets_of(other, (ref + 1) % 256, AT + dt.timedelta(seconds=1), wide=wide)
        mixed += randomness.sample(mixed, k=randomness.randint(0, len(mixed)))
        randomness.shuffle(mixed)
        for octets in mixed:
            received_id = rig.receive(octets, memory="SM", index=randomness.randint(0, 9))
            action = randomness.randint(0, 5)
            if action == 0:
                rig.restart()
                rig.attach()
            elif action <= 2:
                rig.dispatcher.deleted(received_id)
            rig.clock.advance(randomness.randint(0, 8))
        found = sorted((row["text"], row["complete"], row["sender"]) for row in rig.inbox())
        assert found == sorted([(text, 1, SENDER), (other, 1, SENDER)])
        rig.clock.advance(100_000)
        rig.housekeeping.work()
        assert len(rig.inbox()) == 2
    finally:
        rig.close()
        shutil.rmtree(folder)


@hypothesis.settings(
    max_examples=30, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
)
@hypothesis.given(
    octets=st.binary(max_size=200), prefix=st.sampled_from([b"", b"\x00\x04", b"\x00"])
)
def test_any_octets_become_a_row_and_never_an_error(octets: bytes, prefix: bytes) -> None:
    folder = Path(tempfile.mkdtemp(prefix="gsmgw-inbound-"))
    rig = Rig(folder)
    try:
        rig.attach()
        received_id = rig.receive(prefix + octets)
        row = rig.db.row("SELECT * FROM received_part WHERE id = ?", (received_id,))
        assert row["pdu"] == (prefix + octets).hex().upper()
        rig.clock.advance(100_000)
        rig.housekeeping.work()
        reports = rig.db.rows("SELECT * FROM status_report")
        assert len(rig.inbox()) + len(reports) == 1
    finally:
        rig.close()
        shutil.rmtree(folder)
