# SPDX-License-Identifier: Apache-2.0
"""`make bench`: measures the real daemon against simulated modems and prints a table.

Every figure is the daemon's own share: the simulator knows how long its modems took, so what is
left is ours. The machine may be noisy: medians are quoted, and nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from site_support import Site, site  # noqa: E402 - the support module lies beside, not in a package

from gsmgw.simulator.books import Submit  # noqa: E402

Row = tuple[str, str, str]


def main() -> None:
    """Run all benches, or those named, and print their rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"some of: {', '.join(BENCHES)}; default: all")
    chosen = parser.parse_args().names or list(BENCHES)
    rows: list[Row] = []
    for name in chosen:
        print(f"{name} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="gsmgw-bench-") as folder:
            rows += BENCHES[name](Path(folder))
    wide = max(len(row[0]) for row in rows)
    print(f"{'figure':<{wide}}  {'measured':>14}  to reach")
    for what, measured, aim in rows:
        print(f"{what:<{wide}}  {measured:>14}  {aim}")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


def _modems(count: int = 1, **plan: str) -> dict[str, object]:
    names = ["front", "back", *(f"m{n}" for n in range(3, 17))][:count]
    return {
        "modems": [{"name": name, **plan} for name in names],
        "network": {"delivery": "50ms", "report": "50ms"},
    }


def _gaps(submits: list[Submit]) -> list[float]:
    """Return the time between an answer and the next AT+CMGS on the same modem, in seconds."""
    ordered = sorted(submits, key=lambda s: s.line_at)
    pairs = zip(ordered, ordered[1:], strict=False)
    return [b.line_at - a.answered_at for a, b in pairs if a.answered_at is not None]


def _overhead(submits: list[Submit], submit_s: float) -> float:
    """Return what a message costs beyond the modem's own time, in seconds."""
    first = min(s.line_at for s in submits)
    last = max(s.answered_at or 0.0 for s in submits)
    return (last - first) / len(submits) - submit_s


def throughput(folder: Path) -> list[Row]:
    """300 messages on a modem that takes 20 ms each, by row and by file."""
    rows = []
    with site(folder / "rows", _modems(submit="20ms")) as box:
        for number in range(300):
            box.insert(f"+4850010{number:04d}", f"Message {number}")
        box.sim.books.wait(lambda books: len(books.taken) >= 300, 60)
        cost = _overhead(box.sim.books.taken, 0.020)
        gap = statistics.median(_gaps(box.sim.books.taken))
        rows.append(("300 rows, 20 ms modem: cost a message on top", _ms(cost), "3 ms"))
        rows.append(("  of that, answer to the next AT+CMGS, median", _ms(gap), ""))
    with site(folder / "files", _modems(submit="20ms")) as box:
        for number in range(300):
            box.drop(f"m{number}", f"To: 4850010{number:04d}\n\nMessage {number}")
        box.sim.books.wait(lambda books: len(books.taken) >= 300, 60)
        cost = _overhead(box.sim.books.taken, 0.020)
        rows.append(("300 files, 20 ms modem: cost a message on top", _ms(cost), "3 ms"))
    return rows


def latency(folder: Path) -> list[Row]:
    """Idle: a file or a row to AT+CMGS, a message in the modem to the reply file."""
    with site(folder / "box", _modems()) as box:
        time.sleep(2)
        by_file = _many(20, lambda n: _file_to_wire(box, n))
        by_row = _many(20, lambda n: _row_to_wire(box, n))
        to_file = _many(20, lambda n: _modem_to_file(box, n))
    return [
        ("file renamed in to AT+CMGS, idle, median", _ms(statistics.median(by_file)), "3.4 ms"),
        ("  slowest of 20", _ms(max(by_file)), ""),
        ("row committed to AT+CMGS, idle, median", _ms(statistics.median(by_row)), "10 ms"),
        (
            "message in the modem to the reply file, median",
            _ms(statistics.median(to_file)),
            "10 ms",
        ),
    ]


def _many(count: int, once: Callable[[int], float]) -> list[float]:
    found = []
    for number in range(count):
        time.sleep(0.3)
        found.append(once(number))
    return found


def _next_submit(box: Site, before: int) -> Submit:
    box.sim.books.wait(lambda books: len(books.submits) > before, 30)
    return box.sim.books.submits[before]


def _file_to_wire(box: Site, number: int) -> float:
    before = len(box.sim.books.submits)
    aside = box.folder / f"aside{number}"
    aside.write_text(f"To: 4850010{number:04d}\n\nFile {number}")
    started = time.monotonic()
    aside.rename(box.spool / "outgoing" / f"f{number}")
    return _next_submit(box, before).line_at - started


def _row_to_wire(box: Site, number: int) -> float:
    before = len(box.sim.books.submits)
    box.insert(f"+4850020{number:04d}", f"Row {number}")
    started = time.monotonic()
    return _next_submit(box, before).line_at - started


def _modem_to_file(box: Site, number: int) -> float:
    incoming = box.spool / "incoming"
    before = len(list(incoming.iterdir()))
    box.sim.receive(f"+4850030{number:04d}", "front", f"Reply {number}")
    while len(list(incoming.iterdir())) <= before:
        time.sleep(0.0005)
    arrived = time.monotonic()
    return arrived - (box.sim.books.incoming[-1].received_at or arrived)


def slow_modem(folder: Path) -> list[Row]:
    """A modem that takes 3 s a message: the share of its time that is used."""
    with site(folder / "box", _modems(submit="3s"), modem={"result_timeout": "20s"}) as box:
        for number in range(6):
            box.insert(f"+4850010{number:04d}", f"Message {number}")
        box.sim.books.wait(lambda books: len(books.taken) >= 6, 60)
        taken = box.sim.books.taken
    first = min(s.line_at for s in taken)
    last = max(s.answered_at or 0.0 for s in taken)
    share = 3.0 * len(taken) / (last - first)
    return [("modem use at 3 s a message", f"{share:.2%}", "99.9 %")]


def idle(folder: Path) -> list[Row]:
    """An idle minute: processor time, AT commands, memory; and the start before it."""
    with site(folder / "box", _modems(), start=False) as box:
        box.start()  # the database is made now; the start below is the usual one
        box.stop()
        box.insert("+48500100201", "first")
        started = time.monotonic()
        box.start(wait=False)
        first = _next_submit(box, 0).line_at - started
        box.until_state(1, "delivered", "sent")
        time.sleep(5)
        assert box.process is not None
        before, commands = _cpu_seconds(box.process.pid), _commands(box)
        time.sleep(60)
        used, asked = _cpu_seconds(box.process.pid) - before, _commands(box) - commands
        memory = _memory_mb(box.process.pid)
    return [
        ("start to the first AT+CMGS", f"{first:.2f} s", "1 s"),
        ("idle minute, processor time", f"{used:.3f} s", "0.05 s"),
        ("idle minute, AT commands", str(asked), "20"),
        ("memory, one modem", f"{memory:.0f} MB", "60 MB"),
    ]


def _commands(box: Site) -> int:
    return sum(int(str(state.get("commands", 0))) for state in box.sim.state().values())


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _memory_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def backlog(folder: Path) -> list[Row]:
    """The cost of a message with 100 and with 10 000 waiting, in one run."""
    costs = []
    for waiting in (100, 10_000):
        with site(folder / str(waiting), _modems(submit="20ms"), start=False) as box:
            box.start()
            box.stop()
            _insert_many(box, waiting)
            box.start(wait=False)
            box.sim.books.wait(lambda books: len(books.taken) >= 100, 120)
            costs.append(0.020 + statistics.median(_gaps(box.sim.books.taken[5:100])))
    ratio = costs[1] / costs[0]
    return [("cost with 10 000 waiting against 100", f"{ratio:.2f} x", "1.2 x")]


def _insert_many(box: Site, count: int) -> None:
    import sqlite3

    connection = sqlite3.connect(box.database)
    with connection:
        connection.executemany(
            "INSERT INTO outbox (recipient, text) VALUES (?, ?)",
            ((f"+485001{n % 100000:05d}", f"Message {n}") for n in range(count)),
        )
    connection.close()


BENCHES: dict[str, Callable[[Path], list[Row]]] = {
    "throughput": throughput,
    "latency": latency,
    "slow-modem": slow_modem,
    "backlog": backlog,
    "idle": idle,
}

if __name__ == "__main__":
    main()
