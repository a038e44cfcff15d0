# SPDX-License-Identifier: Apache-2.0
"""Throws spoiled input at everything that reads foreign octets: `python tests/fuzz`.

SECONDS=120 says how long, SEED=… begins where another run began, CHECKS=pdu,at takes only some.
Prints what was tried and the slowest input; ends with 1 and a line that shows the failure again.
`python tests/fuzz CHECK HEX` tries one input.
"""

from __future__ import annotations

import itertools
import os
import random
import secrets
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

import fuzz_support  # noqa: E402 - the module lies beside, not in a package

#: No input of a few kilobytes may cost more of the processor, even on a slow machine.
SLOWEST_S = 5.0


@dataclass
class Tried:
    """What came of one check so far."""

    inputs: int = 0
    slowest_s: float = 0.0
    worst: bytes = b""


def try_one(name: str, octets: bytes, tried: Tried) -> str | None:
    """Try an input; return what is wrong, if anything is."""
    began = time.process_time()
    wrong = None
    try:
        fuzz_support.CHECKS[name](octets)
    except Exception:  # noqa: BLE001 - whatever it is, it is what we look for
        wrong = traceback.format_exc()
    took = time.process_time() - began
    tried.inputs += 1
    if took > tried.slowest_s:
        tried.slowest_s, tried.worst = took, octets
    if wrong is None and took > SLOWEST_S:
        wrong = f"took {took:.1f} s"
    return wrong


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def tell_failure(name: str, octets: bytes, wrong: str) -> int:
    """Print a failure with the line that shows it again."""
    _say(wrong)
    _say(f"FAILED {name}; again: python tests/fuzz {name} {octets.hex() or '-'}")
    return 1


def run(seconds: float, seed: int, names: list[str]) -> int:
    """Fuzz until the time is over or something fails."""
    chance = random.Random(seed)
    seeds = {name: fuzz_support.corpus(name) for name in names}
    tried = {name: Tried() for name in names}
    began = time.monotonic()
    _say(f"seed {seed}, {seconds:g} s, {', '.join(names)}")
    plain = ((name, octets) for name in names for octets in seeds[name])
    spoiled = ((name, fuzz_support.mutate(chance, seeds[name])) for name in itertools.cycle(names))
    for name, octets in itertools.chain(plain, spoiled):
        wrong = try_one(name, octets, tried[name])
        if wrong is not None:
            return tell_failure(name, octets, wrong)
        if time.monotonic() - began > seconds:
            break
    for name, found in tried.items():
        worst = found.worst[:40].hex() + ("…" if len(found.worst) > 40 else "")
        _say(
            f"{name:10} {found.inputs:8} inputs, slowest {found.slowest_s * 1000:8.1f} ms,"
            f" {len(found.worst)} octets: {worst}"
        )
    return 0


def main() -> int:
    """Read what is wished for and run it."""
    if len(sys.argv) == 3:
        name, text = sys.argv[1:]
        octets = b"" if text == "-" else bytes.fromhex(text)
        wrong = try_one(name, octets, Tried())
        return 0 if wrong is None else tell_failure(name, octets, wrong)
    names = os.environ.get("CHECKS", ",".join(fuzz_support.CHECKS)).split(",")
    seed = int(os.environ.get("SEED") or secrets.randbits(32))
    return run(float(os.environ.get("SECONDS") or 120), seed, names)


if __name__ == "__main__":
    sys.exit(main())
