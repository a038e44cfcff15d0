# SPDX-License-Identifier: Apache-2.0
"""`make bench`: measures the real daemon against simulated modems and prints a table.

Every figure is the daemon's own share: the simulator knows how long its modems took, so what is
left is ours. The machine may be noisy: medians are quoted, and nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

from measuring import Row  # noqa: E402 - the modules lie beside, not in a package

#: Name of a bench: its module and function.
BENCHES = {
    "throughput": ("sending", "throughput"),
    "slow-modem": ("sending", "slow_modem"),
    "backlog": ("sending", "backlog"),
    "park": ("park", "park"),
    "latency": ("waiting", "latency"),
    "watching": ("waiting", "watching"),
    "replug": ("waiting", "replug"),
    "lost-answer": ("waiting", "lost_answer"),
    "start": ("resting", "start"),
    "idle": ("resting", "idle"),
    "clinic": ("clinic", "clinic"),
    "replying": ("replying", "replying"),
    "kills": ("kills", "kills"),
    "peers": ("peers", "peers"),
}
#: The same for those that take many minutes: run only if named.
LONG = {
    "kills-full": ("kills", "kills_full"),
    "history": ("history", "history"),
}


def main() -> None:
    """Run all benches but the long ones, or those named, and print their rows."""
    parser = argparse.ArgumentParser(prog="tests/bench", description=__doc__)
    there_are = f"{', '.join(BENCHES)}; long: {', '.join(LONG)}"
    parser.add_argument("names", nargs="*", help=f"some of: {there_are}; default: all short ones")
    chosen = parser.parse_args().names or list(BENCHES)
    unknown = [name for name in chosen if name not in {**BENCHES, **LONG}]
    if unknown:
        parser.error(f"no such bench: {', '.join(unknown)}; there are {there_are}")
    rows: list[Row] = []
    for name in chosen:
        sys.stderr.write(f"{name} …\n")
        with tempfile.TemporaryDirectory(prefix="gsmgw-bench-") as folder:
            rows += _find(name)(Path(folder))
    sys.stdout.write("\n".join(_table(rows)) + "\n")


def _table(rows: list[Row]) -> list[str]:
    wide = max(len(row[0]) for row in rows)
    lines = [f"{'figure':<{wide}}  {'measured':>12}  to reach"]
    lines += [f"{what:<{wide}}  {found:>12}  {aim}".rstrip() for what, found, aim in rows]
    load, _, _ = os.getloadavg()
    return [*lines, f"(load of this machine at the end: {load:.1f}, processors: {os.cpu_count()})"]


def _find(name: str) -> Callable[[Path], list[Row]]:
    module, function = {**BENCHES, **LONG}[name]
    found: Callable[[Path], list[Row]] = getattr(importlib.import_module(module), function)
    return found


if __name__ == "__main__":
    main()
