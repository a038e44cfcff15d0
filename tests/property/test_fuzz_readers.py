# SPDX-License-Identifier: Apache-2.0
"""Any octets, to everything that reads foreign ones: a value or a refusal, quickly."""

from __future__ import annotations

import random

import fuzz_support
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_free = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("name", fuzz_support.CHECKS)
def test_good_input_and_tricks_are_read_or_refused(name: str) -> None:
    for octets in fuzz_support.corpus(name):
        fuzz_support.CHECKS[name](octets)


@pytest.mark.parametrize("name", fuzz_support.CHECKS)
@_free
@given(octets=st.binary(max_size=300) | st.text(max_size=100).map(lambda t: t.encode("utf-8")))
def test_any_octets_are_read_or_refused(name: str, octets: bytes) -> None:
    fuzz_support.CHECKS[name](octets)


@pytest.mark.parametrize("name", fuzz_support.CHECKS)
@_free
@given(seed=st.integers(0, 2**32))
def test_spoiled_input_is_read_or_refused(name: str, seed: int) -> None:
    octets = fuzz_support.mutate(random.Random(seed), fuzz_support.corpus(name))
    fuzz_support.CHECKS[name](octets)


_LONG = 60_000


@pytest.mark.parametrize("name", fuzz_support.CHECKS)
@pytest.mark.parametrize(
    "piece",
    [b"9", b"\x00", b"\xff", b" ", b">", b" 'x", b' "x', b"a,", b"\n", b"+", b"'", b"\\", b"a:\n",
     b"\xd8\x00", b"+CUSD: 1,\" ", b"(", b"1 2/", b"-"],
    ids=repr,
)  # fmt: skip
def test_a_long_run_of_anything_costs_little(name: str, piece: bytes) -> None:
    octets = piece * (_LONG // len(piece))
    if name in ("config", "scenario"):
        octets = octets[:5000]  # PyYAML reads some 200 kB a second
    for wrapped in (octets, _wrapped(name, octets)):
        # What grows with the square of its length runs into the suite's time limit.
        fuzz_support.CHECKS[name](wrapped)


def _wrapped(name: str, octets: bytes) -> bytes:
    """Put a run where a value stands."""
    front = {
        "at": b'+CUSD: 1,"',
        "smstools": b"To: 48500100201\n\n",
        "json": b'[{"recipient": "',
        "csv": b"recipient,text\n",
        "config": b"country: ",
        "scenario": b"modems: ",
        "incoming": b"x|",
    }.get(name, b"+48500100201")
    return front + octets + (b"\r\n" if name == "at" else b"")
