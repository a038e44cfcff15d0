# SPDX-License-Identifier: Apache-2.0
"""`make soak`: a day's traffic at speed with random faults, and the balance of all of it.

The real daemon and four simulated modems of different makes; messages by file, list, row and
command, texts and calls that come in; modems that hang, vanish and talk nonsense, a daemon that is
killed, other programs that hold the database. Then all is left to settle, and everything that was
sent, delivered, received, refused or left uncertain must add up against the simulator's own books.
Exit code 1 if it does not, with the items that differ, the seed and the place of all files.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from balance import Balance, is_quiet
from site_support import Site
from traffic import OFF, UNCLEAR, UNDELIVERED, WRONG, Put, Told, Traffic
from troubles import Troubles

SCENARIO: dict[str, Any] = {
    "modems": [
        {"name": "counting", "vendor": "huawei", "submit": "60ms"},
        {"name": "zero", "vendor": "generic", "references": "zero", "submit": "40ms"},
        {"name": "slow", "vendor": "zte", "submit": "1s", "latency": "20ms"},
        {
            "name": "flaky",
            "vendor": "simcom",
            "submit": "150ms",
            "quality": {"gap": "0.2ms", "inside": "^RSSI:17"},
            "memory": {"SM": 6, "SR": 4},
        },
    ],
    "network": {"delivery": "200ms", "report": "200ms", "retry": "1s"},
    "phones": {
        **{number: {"refuse": 1} for number in WRONG},
        **{number: {"refuse": 21} for number in UNCLEAR},
        **{number: {"status": 0x46} for number in UNDELIVERED},
        **{number: {"unreachable": "yes"} for number in OFF},
    },
}
SETTINGS: dict[str, Any] = {
    "sending": {
        "retry": {"first": "1s", "factor": "1.5", "longest": "3s"},
        "uncertain": {"wait": "20s"},
    },
    "missed_calls": {"rings": 1},
}
#: The longest that anything may take to settle: a rested SIM is tried again after a minute.
QUIET_WITHIN_S = 240.0
#: What is found a moment too early (a result document) has so long to follow.
AGREES_WITHIN_S = 15.0
#: From here on the daemon is killed no more, so that its memory can be compared.
SECOND_HALF = 0.5
#: More memory than this at the end than in the middle is no noise, in MB and as a share.
GROWTH_MB, GROWTH = 6.0, 0.1


@dataclass(slots=True)
class Sample:
    """How large the daemon is at one moment."""

    at: float  #: share of the soak that is over
    pid: int
    memory_mb: float
    files: int
    threads: int


def say(line: str) -> None:
    """Print a line now, also into a pipe."""
    print(line, flush=True)  # noqa: T201 - a command line of its own


def main() -> int:
    """Run one soak; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0, help="of traffic, 3 if not given")
    parser.add_argument("--seed", type=int, help="drawn if not given")
    parser.add_argument("--rate", type=float, default=3.0, help="doings at the doors a second")
    parser.add_argument("--keep", action="store_true", help="the files, also if it adds up")
    options = parser.parse_args()
    seed = random.randrange(1_000_000) if options.seed is None else options.seed
    say(f"soak: {options.minutes:g} minutes, seed {seed}")
    folder = Path(tempfile.mkdtemp(prefix="gsmgw-soak-"))
    box = Site(folder / "box", SCENARIO)
    try:
        differences = soak(box, seed, options.minutes * 60, options.rate)
    finally:
        box.close()
    if not differences and not options.keep:
        shutil.rmtree(folder)
        say("it adds up")
        return 0
    (folder / "books.json").write_text(json.dumps(box.sim.books.as_document(), indent=1))
    if not differences:
        say(f"it adds up; files in {folder}")
        return 0
    for difference in differences:
        say(f"DIFFERENT: {difference}")
    say(f"it does not add up: {len(differences)} differences, seed {seed}, files in {folder}")
    return 1


def soak(box: Site, seed: int, seconds: float, rate: float) -> list[str]:
    """Run the traffic, let it settle, and print the balance; return what does not add up."""
    box.configure(SETTINGS)
    box.start()
    traffic = Traffic(box, seed, per_second=rate)
    troubles = Troubles(box, seed, every_s=1.5)
    samples = _run(box, traffic, troubles, seconds)
    stuck = _settle(box, traffic)
    balance = _agree(box, traffic)
    say("\n".join(balance.lines))
    say(f"troubles: {_counted(troubles.counts)}")
    say(f"warnings and errors in the log: {_counted(_complaints(box))}")
    return [
        *traffic.ledger.errors,
        *troubles.problems,
        *stuck,
        *balance.differences,
        *_flat(samples),
        *_stop(box),
    ]


def _run(box: Site, traffic: Traffic, troubles: Troubles, seconds: float) -> list[Sample]:
    """Let it go on for so long; return how large the daemon was each second."""
    samples = []
    began = time.monotonic()
    traffic.start()
    troubles.start()
    told = 0
    while (share := (time.monotonic() - began) / seconds) < 1.0:
        if share >= SECOND_HALF:
            troubles.no_more_kills.set()
            samples += _sample(box, share)
        if int(share * 10) > told:
            told = int(share * 10)
            say(f"  {told * 10} %: {len(traffic.ledger.puts)} messages")
        time.sleep(1)
    traffic.stop()
    samples += _sample(box, 1.0)
    troubles.stop()
    return samples


def _sample(box: Site, share: float) -> list[Sample]:
    if box.process is None:
        return []
    place = Path(f"/proc/{box.process.pid}")
    try:
        status = dict(
            line.split(":", 1)
            for line in (place / "status").read_text().splitlines()
            if ":" in line
        )
        files = len(list((place / "fd").iterdir()))
    except OSError:
        return []
    if "VmRSS" not in status:
        return []
    memory = int(status["VmRSS"].split()[0]) / 1024
    return [Sample(share, box.process.pid, memory, files, int(status["Threads"]))]


def _flat(samples: list[Sample]) -> list[str]:
    """Compare the daemon's size at the end with its size in the middle; say what has grown."""
    same = [sample for sample in samples if sample.pid == samples[-1].pid]
    middle = [sample for sample in same if 0.6 <= sample.at < 0.75]
    end = [sample for sample in same if sample.at >= 0.9]
    if not middle or not end:
        return ["the daemon did not live through the second half: no memory to compare"]
    found = {}
    for name in ("memory_mb", "files", "threads"):
        before, after = (
            statistics.median(getattr(sample, name) for sample in part) for part in (middle, end)
        )
        found[name] = (before, after)
    (before, after), files, threads = found.values()
    say(
        f"size of the daemon: {before:.1f} MB in the middle, {after:.1f} MB at the end;"
        f" open files {files[0]:g} and {files[1]:g}; threads {threads[0]:g} and {threads[1]:g}"
    )
    grown = after - before > max(GROWTH_MB, GROWTH * before)
    return [f"memory grows: {before:.1f} MB to {after:.1f} MB"] if grown else []


def _settle(box: Site, traffic: Traffic) -> list[str]:
    """Wait until nothing moves; then everything must work again at once."""
    for number in OFF:
        box.sim.network.set_reachable(number, reachable=True)
    stuck = [] if _within(QUIET_WITHIN_S, lambda: is_quiet(box)) else ["it never became quiet"]
    ledger = traffic.ledger
    for number, name in enumerate(sorted(box.sim.ports)):
        put = Put(f"all well, {name}?", f"+4850010020{number}", "row", f"well-{name}")
        box.insert(put.recipient, put.text, source="soak", reference=put.reference, modem=name)
        ledger.puts.append(put)
        told = Told(f"all well, {name}!", put.recipient, name)
        box.sim.receive(told.sender, told.modem, told.text)
        ledger.told.append(told)
        box.sim.call(f"+4850010029{number}", name, 2, every_s=1.0)
    quiet = _within(QUIET_WITHIN_S, lambda: is_quiet(box))
    unheard = [
        call for call in box.sim.books.calls[-len(box.sim.ports) :] if call.ended_by != "modem"
    ]
    return [
        *stuck,
        *([] if quiet else ["it did not become quiet after the last messages"]),
        *(f"a call in calm times was not heard: {call}" for call in unheard),
    ]


def _agree(box: Site, traffic: Traffic) -> Balance:
    """Take the balance, again for a while if it does not add up yet."""
    found = Balance(box, traffic.ledger)
    deadline = time.monotonic() + AGREES_WITHIN_S
    while found.differences and time.monotonic() < deadline:
        time.sleep(1)
        found = Balance(box, traffic.ledger)
    return found


def _stop(box: Site) -> list[str]:
    code = box.stop()
    return [] if code == 0 else [f"SIGTERM: exit code {code}"]


def _within(seconds: float, condition: Any) -> bool:
    """Wait until something holds three times in a row; False if it does not within the time."""
    deadline = time.monotonic() + seconds
    held = threading.Event()
    times = 0
    while time.monotonic() < deadline:
        times = times + 1 if condition() else 0
        if times == 3:
            return True
        held.wait(0.5)
    return False


def _complaints(box: Site) -> Counter[str]:
    """Count the warnings and errors in the log by their event."""
    found: Counter[str] = Counter()
    for line in box.log.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] in ("warning", "error"):
            found[words[1]] += 1
    return found


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


if __name__ == "__main__":
    sys.exit(main())
